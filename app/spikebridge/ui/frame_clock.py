"""What a frame costs the GUI thread and whether the rate is held."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PyQt6.QtCore import Qt, QTimer

#: The whole milliseconds nearest to 60 Hz that are not slower.
_FRAME_MS = 16


def display_timer(slot: Callable[[], None]) -> QTimer:
    """Calls ``slot`` for each frame."""
    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(slot)
    timer.start(_FRAME_MS)
    return timer


@dataclass(frozen=True, slots=True)
class FrameFigures:
    """Of the last frames: cost on the GUI thread in ms (update and paint), and frames per second held."""

    p50_ms: float
    p99_ms: float
    frames_per_s: float
    frames: int


class FrameClock:
    """Adds up the work of each frame. ``began`` … ``ended`` around each piece, ``frame`` once it is on the screen."""

    def __init__(self, window: int = 600) -> None:
        self._costs_ns: deque[int] = deque(maxlen=window)
        self._painted_ns: deque[int] = deque(maxlen=window)
        self._cost_ns = 0
        self._began_ns = 0

    def began(self) -> None:
        self._began_ns = time.perf_counter_ns()

    def ended(self) -> None:
        self._cost_ns += time.perf_counter_ns() - self._began_ns

    def frame(self) -> None:
        self._costs_ns.append(self._cost_ns)
        self._painted_ns.append(time.perf_counter_ns())
        self._cost_ns = 0

    def clear(self) -> None:
        self._costs_ns.clear()
        self._painted_ns.clear()
        self._cost_ns = 0

    def figures(self) -> FrameFigures:
        """All zero before the second frame."""
        if len(self._painted_ns) < 2:
            return FrameFigures(0.0, 0.0, 0.0, len(self._painted_ns))
        p50, p99 = np.percentile(np.array(self._costs_ns) / 1e6, (50, 99))
        elapsed_s = (self._painted_ns[-1] - self._painted_ns[0]) / 1e9
        held = (len(self._painted_ns) - 1) / elapsed_s if elapsed_s > 0 else 0.0
        return FrameFigures(float(p50), float(p99), held, len(self._costs_ns))
