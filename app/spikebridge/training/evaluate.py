"""Accuracy of a bundle as it runs: recordings or sets of clips through the whole chain. Needs no torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikebridge.bundle import Bundle
from spikebridge.chain import Chain, Mode
from spikebridge.contracts import LABELS, Decision
from spikebridge.errors import InputError
from spikebridge.events import EventArray, EventPacket, Sensor, make_events
from spikebridge.runtime import RunSettings, open_chain
from spikebridge.training.augment import TICK_US
from spikebridge.training.clips import ClipSet
from spikebridge.training.packing import open_clips

_RECORDINGS = (".aedat", ".aedat4")


@dataclass(frozen=True, slots=True)
class Case:
    """One labelled clip. events : sorted, from ``t_start_us`` on. onset_us : camera clock, None where unknown.
    person : groups cases for intervals of confidence."""

    name: str
    label: int
    events: EventArray
    t_start_us: int
    t_stop_us: int
    sensor: Sensor
    person: int
    onset_us: int | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """windows : (N, n_labels) probabilities of the windows from the onset on, each from reset. stream : (M, n_labels)
    smoothed ones of the decisions after the onset.
    named : the label of each streaming decision or None. onset_ms : to the first right and to the stable decision."""

    case: Case
    windows: NDArray[np.float32]
    stream: NDArray[np.float32]
    named: tuple[str | None, ...]
    first_right_ms: float | None
    stable_ms: float | None

    @property
    def windows_right(self) -> int:
        return int((self.windows.argmax(1) == self.case.label).sum())

    @property
    def clip_index(self) -> int:
        """Class of the highest mean probability over the windows."""
        return int(self.windows.mean(0).argmax())


def read_cases(data: Path) -> Iterator[Case]:
    """A recording whose name starts with a label, a folder of such, or a set of clips. Raises InputError otherwise."""
    if data.is_dir() and (any(data.glob("*.npy")) or (data / "dataset.json").is_file()):
        yield from _clip_cases(open_clips(data))
        return
    paths = sorted(p for p in data.iterdir() if p.suffix in _RECORDINGS) if data.is_dir() else [data]
    if not paths:
        raise InputError(f"expected recordings ({', '.join(_RECORDINGS)}) or a set of clips in {data}, found none.")
    for path in paths:
        yield _recording_case(path)


def evaluate_case(bundle: Bundle, case: Case, settings: RunSettings) -> CaseResult:
    """Both modes over one case."""
    decisions: dict[Mode, list[Decision]] = {}
    modes: tuple[Mode, ...] = ("window", "stream")
    for mode in modes:
        chain = open_chain(RunSettings(settings.model, settings.snn, settings.ann, mode=mode), bundle, case.sensor)
        try:
            decisions[mode] = list(_decide(chain, case, bundle.input.step_us, from_onset=mode == "window"))
        finally:
            chain.close()
    if not decisions["window"]:
        needed_ms = bundle.accumulator.window_steps * bundle.input.step_us // 1000
        raise InputError(
            f"expected {case.name} to last at least one window of {needed_ms} ms, found "
            f"{(case.t_stop_us - case.t_start_us) / 1000:g} ms; leave it out."
        )
    stream = decisions["stream"]
    first, stable = _latency(stream, case)
    stream = [decision for decision in stream if decision.t_us > (case.onset_us or case.t_start_us)]
    return CaseResult(
        case=case,
        windows=np.stack([decision.probabilities for decision in decisions["window"]]),
        stream=np.stack([decision.probabilities for decision in stream]),
        named=tuple(decision.label for decision in stream),
        first_right_ms=first,
        stable_ms=stable,
    )


def summarise(results: Sequence[CaseResult], seed: int = 0) -> dict[str, Any]:
    """Plain numbers for JSON: accuracies with 95 % intervals over persons, confusion, onset latencies."""
    persons = np.array([result.case.person for result in results])
    right = np.array([result.windows_right for result in results], float)
    total = np.array([len(result.windows) for result in results], float)
    clips = np.array([result.clip_index == result.case.label for result in results], float)
    named = np.array([sum(n == LABELS[r.case.label] for n in r.named) for r in results], float)
    decided = np.array([len(result.named) for result in results], float)
    confusion = np.zeros((len(LABELS), len(LABELS)), int)
    for result in results:
        np.add.at(confusion, (result.case.label, result.windows.argmax(1)), 1)
    return {
        "cases": len(results),
        "windows": int(total.sum()),
        "window_accuracy": _share(right, total, persons, seed),
        "clip_accuracy": _share(clips, np.ones_like(clips), persons, seed),
        "stream_named_right": _share(named, decided, persons, seed),
        "confusion": confusion.tolist(),
        "onset_to_first_right_ms": _percentiles([r.first_right_ms for r in results if r.case.onset_us is not None]),
        "onset_to_stable_ms": _percentiles([r.stable_ms for r in results if r.case.onset_us is not None]),
    }


def describe(result: CaseResult) -> dict[str, Any]:
    """One case for JSON."""
    wrong = np.delete(result.stream, [result.case.label, LABELS.index("other")], axis=1)
    return {
        "name": result.case.name,
        "label": LABELS[result.case.label],
        "clip": LABELS[result.clip_index],
        "windows_right": result.windows_right,
        "windows": len(result.windows),
        "named": {str(n): result.named.count(n) for n in dict.fromkeys(result.named)},
        "highest_wrong_gesture": round(float(wrong.max()), 4),
        "first_right_ms": result.first_right_ms,
        "stable_ms": result.stable_ms,
    }


def _decide(chain: Chain, case: Case, step_us: int, from_onset: bool) -> Iterator[Decision]:
    start_us = case.onset_us if from_onset and case.onset_us is not None else case.t_start_us
    bounds = np.arange(start_us, case.t_stop_us + 1, step_us)
    cuts = np.searchsorted(case.events["t"], bounds)
    for n, (begin, end) in enumerate(pairwise(cuts)):
        packet = EventPacket(case.events[begin:end], int(bounds[n]), int(bounds[n + 1]), n, 0)
        if (decision := chain.process(packet).decision) is not None:
            yield decision


def _latency(stream: list[Decision], case: Case) -> tuple[float | None, float | None]:
    """From the onset to the first right decision and to the one after which all are right; None if there is none."""
    if case.onset_us is None:
        return None, None
    right = [d.index == case.label for d in stream]
    after = [i for i, d in enumerate(stream) if d.t_us > case.onset_us and right[i]]
    first = (stream[after[0]].t_us - case.onset_us) / 1000 if after else None
    last_wrong = max((i for i, ok in enumerate(right) if not ok), default=-1)
    if last_wrong == len(right) - 1:
        return first, None
    return first, max(0.0, (stream[last_wrong + 1].t_us - case.onset_us) / 1000)


def _clip_cases(clips: ClipSet) -> Iterator[Case]:
    for number, (stored, clip) in enumerate(clips.clips):
        rows = stored[clip.begin : clip.end]
        address = rows[:, 1].astype(np.int64)
        events = make_events(rows[:, 0].astype(np.int64) * TICK_US, address & 127, (address >> 7) & 127, address >> 14)
        yield Case(
            name=f"{clip.person}/{number}",
            label=clip.label,
            events=events,
            t_start_us=0,
            t_stop_us=clip.ticks * TICK_US,
            sensor=Sensor(128, 128),
            person=clip.person,
            onset_us=clip.onset * TICK_US if clip.onset else None,
        )


def _recording_case(path: Path) -> Case:
    from spikebridge.sources import open_recording

    fitting = [i for i, label in enumerate(LABELS) if path.stem.startswith(label)]
    if not fitting:
        raise InputError(f"expected a recording whose name starts with one of {', '.join(LABELS)}, found {path.name}.")
    recording = open_recording(path)
    try:
        info = recording.info
        if info.t_first_us is None or info.t_last_us is None:
            raise InputError(f"expected events in {path}, found none; leave it out.")
        events = recording.read(info.t_first_us, info.t_last_us + 1)
        label = max(fitting, key=lambda i: len(LABELS[i]))
        return Case(path.name, label, events, info.t_first_us, info.t_last_us + 1, info.sensor, 0)
    finally:
        recording.close()


def _share(
    right: NDArray[np.float64], total: NDArray[np.float64], persons: NDArray[np.int64], seed: int
) -> dict[str, float | list[float] | None]:
    """Share with a 95 % interval from persons drawn with replacement; no interval for fewer than three persons."""
    groups = [persons == person for person in np.unique(persons)]
    value = round(float(right.sum() / total.sum()), 4)
    if len(groups) < 3:
        return {"value": value, "interval": None}
    sums = np.array([[right[group].sum(), total[group].sum()] for group in groups])
    draws = np.random.default_rng(seed).integers(0, len(groups), (2000, len(groups)))
    drawn = sums[draws].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return {"value": value, "interval": [round(float(low), 4), round(float(high), 4)]}


def _percentiles(values: list[float | None]) -> dict[str, float | int | None]:
    """Median and 90 % of those that came; ``missing`` counts the others, which are taken as infinitely late."""
    if not values:
        return {"n": 0, "missing": 0, "median": None, "p90": None}
    times = np.array([np.inf if value is None else value for value in values])
    quantiles = np.quantile(times, [0.5, 0.9], method="higher")
    median, p90 = (float(q) if np.isfinite(q) else None for q in quantiles)
    return {"n": len(times), "missing": int(np.isinf(times).sum()), "median": median, "p90": p90}
