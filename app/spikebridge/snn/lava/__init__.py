"""Lava, the reference: ``--snn lava`` and ``--snn loihi2``. It runs in a worker process with a Python of its own."""

from __future__ import annotations

from spikebridge.settings import LoihiBoard, SnnSettings
from spikebridge.snn.lava.hardware import Loihi2Meter
from spikebridge.snn.lava.stage import LavaOptions, LavaStage

__all__ = ["LavaOptions", "LavaStage", "Loihi2Meter", "lava_options"]

#: Boards are scheduled and compiled for: minutes, not seconds.
_BOARD_START_S = 300.0


def lava_options(settings: SnnSettings) -> LavaOptions:
    """Of the backends ``lava`` and ``loihi2``."""
    if settings.backend == "loihi2":
        board = settings.board or LoihiBoard()
        return LavaOptions(settings.lava_python, start_deadline_s=_BOARD_START_S, board=board)
    return LavaOptions(settings.lava_python)
