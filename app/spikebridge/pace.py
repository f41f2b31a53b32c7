"""The pace of a source whose steps have no time of their own: when each of them is due on the host's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Who is later than this takes the present as the new start: the stream then runs late, which is seen, rather than in
#: a burst that makes every stage behind it late, which looks like a fault of theirs.
LATE_NS = 250_000_000

#: Systems wake a sleeping thread too late: 0.05 ms by their timers' slack, and as much again where the processor slept.
AWAKE_NS = 200_000


def wait_until(moment_ns: int, wait: Callable[[float], bool]) -> bool:
    """Meets a moment on ``time.monotonic_ns`` exactly: sleeps in ``wait(seconds)`` until just before it, then stays
    awake. True when that woke it early, as ``threading.Event.wait`` does."""
    sleep_ns = moment_ns - AWAKE_NS - time.monotonic_ns()
    if sleep_ns > 0 and wait(sleep_ns / 1e9):
        return True
    # Giving way here, as sched_yield or a sleep of nothing do, may cost milliseconds where another thread then runs.
    while time.monotonic_ns() < moment_ns:
        pass
    return False


class Pace:
    """Steps of the camera's clock on the host's, ``speed`` times as fast; from one thread at a time.

    The first step that is asked for begins at that moment. ``late`` counts how often the stream was too late.
    """

    def __init__(self, speed: float = 1.0) -> None:
        self.speed = speed
        self.late = 0
        self._anchor: tuple[int, int] | None = None  # camera µs and host ns that belong together

    def restart(self) -> None:
        """The next step that is asked for begins at that moment."""
        self._anchor = None

    def due_ns(self, t_start_us: int, t_stop_us: int, now_ns: int) -> int:
        """Host time at which the time of the step ``[t_start_us, t_stop_us)`` is over, on ``time.monotonic_ns``.

        To wait for if it comes after ``now_ns``, and ``due_ns`` of the step's packet: what a simulation or a file takes
        to work ahead is not part of the latency then, and being late is.
        """
        if self._anchor is None:
            self._anchor = (t_start_us, now_ns)
        anchor_us, anchor_ns = self._anchor
        due_ns = anchor_ns + round((t_stop_us - anchor_us) * 1000 / self.speed)
        if now_ns - due_ns <= LATE_NS:
            return due_ns
        self.late += 1
        self._anchor = (t_stop_us, now_ns)
        return now_ns

    def begin_ns(self, t_start_us: int, t_stop_us: int, now_ns: int) -> int:
        """Host time from which on to work on the step: half its length before it is due.

        Not right after the step before: the chain has that one then, and two threads of one interpreter cost more than
        their work. Who waits for the interpreter while another computes asks for it after a time that the system's
        timers make ten times as long.
        """
        return self.due_ns(t_start_us, t_stop_us, now_ns) - round((t_stop_us - t_start_us) * 500 / self.speed)

    def notes(self, stream: str) -> tuple[str, ...]:
        """For ``SourceCounters.notes``; ``stream`` is what begins the sentence."""
        times = "once" if self.late == 1 else f"{self.late} times"
        return (f"{stream} fell behind its pace {times} and went on later.",) if self.late else ()
