"""What the window needs from a running chain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from spikebridge.contracts import Replay, Say, Snapshot
from spikebridge.events import EventPacket


class ChainSession(Protocol):
    """One source through one chain, already running. Every call but ``close`` returns at once."""

    threshold: float
    smoothing_us: int

    def snapshot(self) -> Snapshot:
        """The newest state, never changed after it was published."""
        ...

    def drain_packets(self) -> list[EventPacket]:
        """Packets since the last call, oldest first, bounded: for the picture only."""
        ...

    @property
    def replay(self) -> Replay | None:
        """Controls of the source when it is a recording."""
        ...

    def want_features(self, wanted: bool) -> None:
        """Whether snapshots carry what the accumulator sees."""
        ...

    def close(self) -> None:
        """Ends the chain; may take a second, may be called twice."""
        ...


#: Opens and starts the chain for a source; runs on a worker thread and raises SpikebridgeError. What is slow is said,
#: and given up with the CancelledError that saying it raises.
SessionOpener: TypeAlias = Callable[[str, Say], ChainSession]
