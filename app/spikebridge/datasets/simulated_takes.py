"""Filmed performances of simulated persons, and the labelled clips that they are cut into."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from spikebridge import simulator
from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import LabelledClip
from spikebridge.errors import UsageError
from spikebridge.events import EventArray
from spikebridge.simulator.body import between, draw_person
from spikebridge.simulator.camera import Recorder
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import IDLE, Act, LabelSpan, Performance, movement
from spikebridge.simulator.ranges import DEFAULT_RANGES, Ranges

_OTHER = LABELS.index("other")
#: The order in which a person performs; ``other`` comes twice, since it is many things.
ROUND: tuple[int, ...] = (*range(len(LABELS)), _OTHER)
#: Share of the takes of ``other`` in which somebody just stands there.
_STILL_SHARE = 0.3
#: Share of the takes in which the gesture ends on camera, and after which part of the time that is left for it.
_STOP_SHARE = 0.15
_STOP_AT = (0.5, 0.8)
#: A clip holds at least a window: a gesture lasts this long at least; what comes after it is a clip only if it does.
_SHORTEST_US = 200_000


@dataclass(frozen=True, slots=True)
class SimulationPlan:
    """What a set is made with.

    seed : of all persons and takes. clips : takes by each person, gestures in turn. duration_us : of a take. ranges :
    what persons, movements and the camera are drawn from.
    """

    seed: int
    clips: int = len(ROUND)
    duration_us: int = 1_500_000
    ranges: Ranges = field(default_factory=lambda: DEFAULT_RANGES)

    def __post_init__(self) -> None:
        if self.clips < 1 or not 800_000 <= self.duration_us <= 6_500_000:
            raise UsageError(
                f"expected at least one clip of 0.8 to 6.5 s, found {self.clips} of {self.duration_us / 1e6:g} s; "
                "choose others."
            )

    def record(self) -> dict[str, object]:
        """As plain numbers for JSON, with a fingerprint of the simulator's source: another one makes other events."""
        return {"simulator": _fingerprint(), "labels": list(LABELS), **json.loads(json.dumps(asdict(self)))}


@dataclass(frozen=True, slots=True)
class Take:
    """One filmed performance.

    events : of a 128x128 sensor, times from 0. spans : labels over the whole of it; None where nobody performs.
    label : index of the gesture in ``LABELS``. person : number of the person in the set.
    """

    events: EventArray
    spans: tuple[LabelSpan, ...]
    duration_us: int
    label: int
    person: int


def simulate_person(person: int, plan: SimulationPlan) -> Iterator[Take]:
    """All takes of one person."""
    identity = _seed(plan.seed, person)
    for number in range(plan.clips):
        # Each person goes on in the round where the one before stopped: a few clips of many persons hold all classes.
        label = ROUND[(person * plan.clips + number) % len(ROUND)]
        yield simulate_take(label, person, identity, _seed(plan.seed, person, number), plan)


def simulate_take(label: int, person: int, identity: int, seed: int, plan: SimulationPlan) -> Take:
    """One take of class ``label``.

    identity : seed of the person's look and place. seed : of everything else. The gesture begins and ends on camera now
    and then, and in long takes it begins again after a pause.
    """
    figure = draw_person(np.random.default_rng([identity, 1]), plan.ranges)
    performer = Performer(figure, np.random.default_rng([seed, 2]), plan.ranges)
    acts = _acts(label, performer, np.random.default_rng([seed, 0]), plan)
    following = iter(acts[1:])
    performance = Performance(acts[0], lambda _: next(following, None))
    # Before filming, which forgets the acts that are over.
    spans = tuple(performance.spans(plan.duration_us))
    recorder = Recorder(figure, performance, np.random.default_rng([seed, 3]), plan.ranges, 128, 128)
    return Take(recorder.film(0, plan.duration_us), spans, plan.duration_us, label, person)


def _acts(label: int, performer: Performer, random: np.random.Generator, plan: SimulationPlan) -> list[Act]:
    """What happens in a take; the first act begins before it."""
    ranges, duration_s = plan.ranges, plan.duration_us * 1e-6
    late, after_s = random.random() < ranges.onset_share, between(random, ranges.onset_after_s)
    slowest_s = ranges.ramp_s[1] / 2 + _SHORTEST_US * 1e-6
    onset_s = min(after_s, duration_s / 2, duration_s - slowest_s) if late else None
    stops, part = random.random() < _STOP_SHARE, between(random, _STOP_AT)
    still = label == _OTHER and random.random() < _STILL_SHARE
    lead_s = 0.2 if label == _OTHER else between(random, (1.0, 3.0))

    def act(start_s: float, gesture: str | None) -> Act:
        return Act(start_s, between(performer.rng, ranges.ramp_s), gesture, movement(gesture or IDLE, performer))

    acts = [act(-1.0, None)]
    if still:
        return acts
    gesture = act(-lead_s if onset_s is None else onset_s, LABELS[label])
    acts = [gesture] if onset_s is None else [*acts, gesture]
    begin_s = max(0.0, gesture.start_s + gesture.ramp_s / 2)
    lasts_s = part * (duration_s - begin_s)
    if stops and lasts_s >= _SHORTEST_US * 1e-6:
        acts.append(act(begin_s + lasts_s, None))
        again_s = acts[-1].start_s + acts[-1].ramp_s + between(performer.rng, ranges.pause_s)
        acts += [act(again_s, LABELS[label])] if again_s + slowest_s <= duration_s else []
    return acts


def clips_of(take: Take) -> Iterator[LabelledClip]:
    """Each gesture of a take with what comes before it, then the rest, in which the person stands still."""
    begin_us, before = 0, None
    for span in take.spans:
        if span.label is not None:
            onset_us = span.t_start_us - begin_us
            yield _cut(take, LABELS.index(span.label), begin_us, span.t_stop_us, onset_us)
        elif before is not None:
            # The first span without a label after a gesture is its end, which still looks like it.
            begin_us = span.t_stop_us
        before = span.label
    begin_us = max(begin_us, take.spans[-1].t_start_us)
    if take.spans[-1].label is None and take.duration_us - begin_us >= _SHORTEST_US:
        yield _cut(take, _OTHER, begin_us, take.duration_us, 0)


def _cut(take: Take, label: int, begin_us: int, stop_us: int, onset_us: int) -> LabelledClip:
    first, last = np.searchsorted(take.events["t"], [begin_us, stop_us])
    events = take.events[first:last].copy()
    events["t"] -= begin_us
    return LabelledClip(events, label, take.person, stop_us - begin_us, onset_us)


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])


def _fingerprint() -> str:
    sources = sorted(Path(simulator.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
