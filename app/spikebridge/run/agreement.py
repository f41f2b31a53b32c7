"""What several lanes decide on one stream, side by side: who agrees, and who names a gesture first."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from spikebridge.snapshot import Decision, PairFigures

#: A gesture that was not named for so long and then again was begun anew.
_PAUSE_US = 500_000
#: Where a lane is before its first step.
_START = (0, -1 << 62)
#: Namings behind a median.
_LEADS = 4096
#: The class of whatever is no gesture.
_OTHER = "other"


class Merge:
    """Decisions of several lanes in the order of the camera's time, and of the lanes where that is equal.

    Each lane reports its steps in order; a decision comes out once no other lane can have an earlier one. Time that
    runs back (a recording begins again, a seek) starts a new epoch, which all lanes come to in the end.
    """

    def __init__(self, lanes: int) -> None:
        self._pending: list[deque[tuple[tuple[int, int], Decision]]] = [deque() for _ in range(lanes)]
        #: (epoch, t_us) of the lanes that have not ended.
        self._reached = dict.fromkeys(range(lanes), _START)

    def step(self, lane: int, t_us: int, decision: Decision | None) -> Iterator[tuple[int, Decision]]:
        """A lane has worked through the step that ends at ``t_us``; gives (lane, decision) that are due."""
        epoch, before_us = self._reached[lane]
        place = (epoch + (t_us <= before_us), t_us)
        self._reached[lane] = place
        if decision is not None:
            self._pending[lane].append((place, decision))
        yield from self._due()

    def end(self, lane: int) -> Iterator[tuple[int, Decision]]:
        """No more of a lane will come."""
        del self._reached[lane]
        yield from self._due()

    def _due(self) -> Iterator[tuple[int, Decision]]:
        while True:
            heads = [(queue[0][0], lane) for lane, queue in enumerate(self._pending) if queue]
            if not heads:
                return
            place, lane = min(heads)
            if any(reached < place and not self._pending[other] for other, reached in self._reached.items()):
                return
            yield lane, self._pending[lane].popleft()[1]


@dataclass(slots=True)
class _Naming:
    """The gesture that a lane names at present. compared : with the other lane's naming of the same."""

    label: str
    start_us: int
    last_us: int
    compared: bool = False


class Pair:
    """Two lanes; takes the decisions of both in the order of ``Merge``."""

    def __init__(self, first: str, second: str) -> None:
        self._names = (first, second)
        self._last: list[Decision | None] = [None, None]
        self._naming: list[_Naming | None] = [None, None]
        self._compared = self._agreeing = 0
        self._leads_us: deque[int] = deque(maxlen=_LEADS)
        self._earlier = [0, 0]
        self._gestures = 0

    def add(self, side: int, decision: Decision) -> None:
        """A decision of the first (0) or second (1) lane."""
        if not decision.settled:
            return
        other = self._last[1 - side]
        self._last[side] = decision
        if other is not None and other.t_us == decision.t_us:
            self._compared += 1
            self._agreeing += other.label == decision.label
        if decision.label not in (None, _OTHER):
            self._name(side, str(decision.label), decision.t_us)

    def figures(self) -> PairFigures:
        return PairFigures(
            *self._names,
            compared=self._compared,
            agreeing=self._agreeing,
            gestures=self._gestures,
            first_earlier=self._earlier[0],
            second_earlier=self._earlier[1],
            lead_ms=median(self._leads_us) / 1000 if self._leads_us else None,
        )

    def _name(self, side: int, label: str, t_us: int) -> None:
        mine = self._naming[side]
        if mine is not None and mine.label == label and 0 < t_us - mine.last_us <= _PAUSE_US:
            mine.last_us = t_us
            return
        self._naming[side] = mine = _Naming(label, t_us, t_us)
        theirs = self._naming[1 - side]
        if theirs is None or theirs.label != label or theirs.compared or not 0 <= t_us - theirs.last_us <= _PAUSE_US:
            return
        mine.compared = theirs.compared = True
        ahead_us = t_us - theirs.start_us
        self._gestures += 1
        if ahead_us:
            self._earlier[1 - side] += 1
        self._leads_us.append(ahead_us if side == 1 else -ahead_us)


class Agreement:
    """All pairs of the lanes of a run. Thread safe: each lane reports from its own thread."""

    def __init__(self, names: Sequence[str]) -> None:
        self._merge = Merge(len(names))
        self._pairs = {(i, j): Pair(names[i], names[j]) for i, j in combinations(range(len(names)), 2)}
        self._lock = threading.Lock()

    def step(self, lane: int, t_us: int, decision: Decision | None) -> None:
        """As ``Merge.step``."""
        with self._lock:
            for one, due in self._merge.step(lane, t_us, decision):
                self._add(one, due)

    def end(self, lane: int) -> None:
        """As ``Merge.end``."""
        with self._lock:
            for one, due in self._merge.end(lane):
                self._add(one, due)

    def figures(self) -> tuple[PairFigures, ...]:
        with self._lock:
            return tuple(pair.figures() for pair in self._pairs.values())

    def _add(self, lane: int, decision: Decision) -> None:
        for (first, second), pair in self._pairs.items():
            if lane in (first, second):
                pair.add(int(lane == second), decision)
