"""Lava, the reference: ``--snn lava`` and ``--snn loihi2``. It runs in a worker process with a Python of its own."""

from spikebridge.snn.lava.stage import LavaOptions, LavaStage

__all__ = ["LavaOptions", "LavaStage"]
