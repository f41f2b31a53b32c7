"""Data sets of simulated persons: one shard of clips for each, made in parallel, reproducible from one seed.

    OUT/plan.json            seed, clips for each person, length, ranges and simulator: what the set was made with
    OUT/person-00000.npy     events and index of one person's clips (see ``clips``), ``.json`` beside it

A person's shard depends on the plan and the person's number alone, not on how many there are or who made them.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from spikebridge import simulator
from spikebridge.contracts import LABELS
from spikebridge.datasets.clips import PLAN_NAME, Labelled, write_shard
from spikebridge.datasets.plan_file import keep_plan
from spikebridge.datasets.worker_pool import end_with_parent, worker_pool
from spikebridge.errors import UsageError
from spikebridge.events import EventArray, Sensor
from spikebridge.files import remove_leftovers
from spikebridge.simulator.body import between, draw_person
from spikebridge.simulator.camera import Recorder
from spikebridge.simulator.motion import Performer
from spikebridge.simulator.performance import IDLE, Act, LabelSpan, Performance, movement
from spikebridge.simulator.ranges import DEFAULT_RANGES, Ranges
from spikebridge.sources.aedat4_writing import Aedat4Writer
from spikebridge.sources.labels import Span, labels_path, write_labels

_OTHER = LABELS.index("other")
#: The order in which a person performs; ``other`` comes twice, since it is many things.
ROUND: tuple[int, ...] = (*range(len(LABELS)), _OTHER)
#: Share of the takes of ``other`` in which somebody just stands there.
_STILL_SHARE = 0.3
#: Share of takes in which the gesture ends on camera, and after which part of the time that it could last.
_STOP_SHARE = 0.15
_STOP_AT = (0.5, 0.8)
#: What lasts shorter than a window is no clip: a gesture always lasts so long, and what is left after it counts if it
#: does.
_SHORTEST_US = 200_000
_PACKET_EVENTS = 4096


@dataclass(frozen=True, slots=True)
class Plan:
    """What a set is made with. clips : takes by each person, labels in turn. duration_us : of a take."""

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

    def record(self) -> dict[str, Any]:
        """As plain numbers, with a fingerprint of the simulator: another one makes other events."""
        return {"simulator": _fingerprint(), "labels": list(LABELS), **json.loads(json.dumps(asdict(self)))}


@dataclass(frozen=True, slots=True)
class Take:
    """One filmed performance. spans : labels in time over the whole of it; None where nobody performs."""

    events: EventArray
    spans: tuple[LabelSpan, ...]
    duration_us: int
    label: int
    person: int


def simulate_set(
    folder: Path,
    persons: int,
    plan: Plan,
    workers: int | None = None,
    recordings: bool = False,
    on_person: Callable[[int], None] = lambda _: None,
) -> None:
    """Makes the shards of persons ``0 … persons - 1`` that are not there yet.

    workers : processes, None for one per core. recordings : every take as AEDAT4 with its labels too, below
    ``recordings``. on_person : gets the number of persons done, those found there first. Raises UsageError when the
    folder holds a set made with another plan or simulator, InputError when it can't be written to.
    """
    open_folder(folder, plan)
    todo = [n for n in range(persons) if not _is_done(folder, n, recordings)]
    done = persons - len(todo)
    on_person(done)
    if not todo:
        return
    with worker_pool(min(workers or os.cpu_count() or 1, len(todo)), "simulate") as pool:
        jobs: list[Future[None]] = [pool.submit(simulate_shard, folder, n, plan, recordings) for n in todo]
        for job in as_completed(jobs):
            job.result()
            done += 1
            on_person(done)


@contextmanager
def simulating(folder: Path, plan: Plan, at_least: int, at_most: int) -> Iterator[None]:
    """Makes persons in a process of its own, as long as the context lasts, which begins when ``at_least`` are there.

    Which persons a training has seen by when depends on the machine then; the persons themselves do not.
    """
    open_folder(folder, plan)
    process = get_context("spawn").Process(target=_simulate_shards, args=(folder, plan, at_most), daemon=True)
    process.start()
    try:
        while len(list(folder.glob("person-*.json"))) < at_least:
            process.join(0.2)
            if process.exitcode:
                # Again in here, where an error reaches the caller.
                simulate_set(folder, at_least, plan, workers=1)
        yield
    finally:
        process.terminate()
        process.join()
        remove_leftovers(folder, older_than_s=0)


def _simulate_shards(folder: Path, plan: Plan, persons: int) -> None:
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the training is interrupted, and ends this process
    for person in range(persons):
        if not _is_done(folder, person, recordings=False):
            simulate_shard(folder, person, plan)


def simulate_shard(folder: Path, person: int, plan: Plan, recordings: bool = False) -> None:
    """One person's clips as a shard, and their takes as recordings if wanted."""
    takes = list(simulate_person(person, plan))
    if recordings:
        for number, take in enumerate(takes):
            _write_recording(folder / "recordings" / _name(person), number, take)
    write_shard(folder, _name(person), (clip for take in takes for clip in clips_of(take)))


def simulate_person(person: int, plan: Plan) -> Iterator[Take]:
    """All takes of one person."""
    identity = _seed(plan.seed, person)
    for number in range(plan.clips):
        # Persons go on where the one before stopped, so that a few clips of many persons hold all classes as well.
        label = ROUND[(person * plan.clips + number) % len(ROUND)]
        yield simulate_take(label, person, identity, _seed(plan.seed, person, number), plan)


def simulate_take(label: int, person: int, identity: int, seed: int, plan: Plan) -> Take:
    """One take of class ``label`` by the person whom ``identity`` draws; begins and ends on camera now and then, and in
    long takes begins again after a pause."""
    ranges, duration_s = plan.ranges, plan.duration_us * 1e-6
    random = np.random.default_rng([seed, 0])
    late, after_s = random.random() < ranges.onset_share, between(random, ranges.onset_after_s)
    slowest_s = ranges.ramp_s[1] / 2 + _SHORTEST_US * 1e-6
    onset_s = min(after_s, duration_s / 2, duration_s - slowest_s) if late else None
    stops, part = random.random() < _STOP_SHARE, between(random, _STOP_AT)
    still = label == _OTHER and random.random() < _STILL_SHARE
    lead_s = 0.2 if label == _OTHER else between(random, (1.0, 3.0))

    figure = draw_person(np.random.default_rng([identity, 1]), ranges)
    performer = Performer(figure, np.random.default_rng([seed, 2]), ranges)

    def act(start_s: float, gesture: str | None) -> Act:
        return Act(start_s, between(performer.rng, ranges.ramp_s), gesture, movement(gesture or IDLE, performer))

    acts = [act(-1.0, None)]
    if not still:
        gesture = act(-lead_s if onset_s is None else onset_s, LABELS[label])
        acts = [gesture] if onset_s is None else [*acts, gesture]
        begin_s = max(0.0, gesture.start_s + gesture.ramp_s / 2)
        lasts_s = part * (duration_s - begin_s)
        if stops and lasts_s >= _SHORTEST_US * 1e-6:
            acts.append(act(begin_s + lasts_s, None))
            again_s = acts[-1].start_s + acts[-1].ramp_s + between(performer.rng, ranges.pause_s)
            acts += [act(again_s, LABELS[label])] if again_s + slowest_s <= duration_s else []
    following = iter(acts[1:])
    performance = Performance(acts[0], lambda _: next(following, None))
    # Before filming, which forgets the acts that are over.
    spans = tuple(performance.spans(plan.duration_us))
    recorder = Recorder(figure, performance, np.random.default_rng([seed, 3]), ranges, 128, 128)
    return Take(recorder.film(0, plan.duration_us), spans, plan.duration_us, label, person)


def clips_of(take: Take) -> Iterator[Labelled]:
    """Each gesture of a take with what comes before it, then the rest, in which somebody stands still."""
    begin_us, before = 0, None
    for span in take.spans:
        if span.label is not None:
            onset_us = span.t_start_us - begin_us
            yield _cut(take, LABELS.index(span.label), begin_us, span.t_stop_us, onset_us)
        elif before is not None:
            # The first of the nameless spans after a gesture is its end, which still looks like it.
            begin_us = span.t_stop_us
        before = span.label
    begin_us = max(begin_us, take.spans[-1].t_start_us)
    if take.spans[-1].label is None and take.duration_us - begin_us >= _SHORTEST_US:
        yield _cut(take, _OTHER, begin_us, take.duration_us, 0)


def open_folder(folder: Path, plan: Plan) -> None:
    """Makes the folder for a set of this plan, or finds one; raises UsageError when another set is there."""
    path = folder / PLAN_NAME
    if not path.is_file() and any(folder.glob("*.npy")):
        raise UsageError(f"expected no clips or a {PLAN_NAME} in {folder}, found clips alone; take another.")
    keep_plan(path, plan.record(), "a set")
    remove_leftovers(folder)


def _cut(take: Take, label: int, begin_us: int, stop_us: int, onset_us: int) -> Labelled:
    first, last = np.searchsorted(take.events["t"], [begin_us, stop_us])
    events = take.events[first:last].copy()
    events["t"] -= begin_us
    return Labelled(events, label, take.person, stop_us - begin_us, onset_us)


def _write_recording(folder: Path, number: int, take: Take) -> None:
    path = folder / f"{number:03d}-{LABELS[take.label]}.aedat4"
    with Aedat4Writer(path, Sensor(128, 128, "Simulated DVS")) as writer:
        for begin in range(0, take.events.size, _PACKET_EVENTS):
            writer.write(take.events[begin : begin + _PACKET_EVENTS])
    spans = [Span(LABELS.index(s.label), s.t_start_us, s.t_stop_us) for s in take.spans if s.label]
    write_labels(labels_path(path), spans or [Span(take.label, 0, take.duration_us)])


def _is_done(folder: Path, person: int, recordings: bool) -> bool:
    # The index is written last, so with it everything is there that was asked for when it was made.
    return (folder / f"{_name(person)}.json").is_file() and (
        not recordings or (folder / "recordings" / _name(person)).is_dir()
    )


def _name(person: int) -> str:
    return f"person-{person:05d}"


def _seed(*parts: int) -> int:
    return int(np.random.SeedSequence(list(parts)).generate_state(1)[0])


def _fingerprint() -> str:
    sources = sorted(Path(simulator.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in sources)).hexdigest()[:16]
