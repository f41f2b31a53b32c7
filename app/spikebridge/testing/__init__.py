"""Stand-ins for what a chain needs, for tests of your own cameras, stages and meters. Each is named for what it is.

``ArrayRecording``, ``PacketSource`` and ``ScriptedCamera`` give events without a device; ``DelayedCopy`` spikes and
``FixedAnn`` answers without a network; ``FixedMeter`` and ``FixedSnnMeter`` read what they were told, and ``HandClock``
goes when it is moved. ``check_source`` and ``check_snn`` hold your own against the contracts.
"""

from spikebridge.testing.checks import check_snn, check_source
from spikebridge.testing.clock import HandClock
from spikebridge.testing.meters import FixedMeter, FixedSnnMeter
from spikebridge.testing.sources import ArrayRecording, PacketSource, ScriptedCamera
from spikebridge.testing.stages import DelayedCopy, FixedAnn

__all__ = [
    "ArrayRecording",
    "DelayedCopy",
    "FixedAnn",
    "FixedMeter",
    "FixedSnnMeter",
    "HandClock",
    "PacketSource",
    "ScriptedCamera",
    "check_snn",
    "check_source",
]
