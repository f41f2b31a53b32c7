"""Lava, the reference: ``--snn lava`` and ``--snn loihi2``. It runs in a worker process with a Python of its own."""

from __future__ import annotations

from pathlib import Path

from spikebridge.snn.lava.hardware import HardwareOptions, Loihi2Meter
from spikebridge.snn.lava.stage import LavaOptions, LavaStage
from spikebridge.snn.network import Shape

__all__ = ["HardwareOptions", "LavaOptions", "LavaStage", "Loihi2Meter", "open_lava", "open_loihi2"]

#: Boards are scheduled and compiled for: minutes, not seconds.
_BOARD_START_S = 300.0


def open_lava(network: Path, input_shape: Shape, python: Path | None = None) -> LavaStage:
    """``--snn lava``: starts at once, in the background; see ``LavaStage``. MissingError without an environment.

    python : interpreter that has Lava; default as ``environment.find_python``.
    """
    return LavaStage(network, input_shape, LavaOptions(python=python))


def open_loihi2(
    network: Path, input_shape: Shape, python: Path | None = None, hardware: HardwareOptions | None = None
) -> LavaStage:
    """``--snn loihi2``: as ``open_lava``; ``wait_ready`` raises MissingError that says what is not there."""
    options = LavaOptions(
        backend="loihi2",
        python=python,
        start_deadline_s=_BOARD_START_S,
        hardware=(hardware or HardwareOptions()).request(),
    )
    return LavaStage(network, input_shape, options)
