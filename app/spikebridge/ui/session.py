"""What the window needs from a running chain; ``engine.Session`` is one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import ReplayStatus, Say
from spikebridge.picture import Picture
from spikebridge.snapshot import Snapshot


class ReplayControls(Protocol):
    """Of a recording; every call returns at once, and ``status`` shows at once what was asked for."""

    def status(self) -> ReplayStatus: ...

    def pause(self, paused: bool) -> None: ...

    def seek(self, t_us: int) -> None: ...

    def step(self) -> None: ...

    def set_speed(self, speed: float) -> None: ...

    def set_loop(self, loop: bool) -> None: ...

    def overview(self) -> NDArray[np.float32]:
        """(256,) events per second; empty until it is known."""
        ...


class ChainSession(Protocol):
    """One source through its lanes, already running. Every call but ``close`` returns at once."""

    @property
    def picture(self) -> Picture:
        """When each pixel saw its last event."""
        ...

    @property
    def replay(self) -> ReplayControls | None:
        """Controls of the source when it is a recording."""
        ...

    def snapshot(self) -> Snapshot:
        """The newest state, never changed after it was published."""
        ...

    def tune(self, lane: int, threshold: float | None = None, smoothing_us: int | None = None) -> None:
        """Changes what is given, from the lane's next decision on; later snapshots show it."""
        ...

    def want_features(self, lane: int, wanted: bool) -> None:
        """Whether snapshots carry what the accumulator of a lane sees."""
        ...

    def record(self, path: Path | None) -> None:
        """Begins a recording there; None ends the one that runs. Later snapshots tell what becomes of it."""
        ...

    def mark(self, label: str | None) -> None:
        """``label`` holds from now on in what is being recorded; None ends it."""
        ...

    def close(self) -> None:
        """Ends the chain; may take a second, may be called twice."""
        ...


#: Opens and starts the chain for a source; runs on a worker thread and raises SpikebridgeError. What is slow is said,
#: and given up with the CancelledError that saying it raises.
SessionOpener: TypeAlias = Callable[[str, Say], ChainSession]
