"""Results of many cases in a few figures: shares with intervals over persons, confusion, calibration, latencies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.contracts import LABELS
from spikebridge.evaluation.calibration import confidence_bins, expected_error
from spikebridge.evaluation.evaluator import CaseResult
from spikebridge.evaluation.records import (
    Calibration,
    CaseReport,
    ConfidenceBin,
    Observation,
    QuietSummary,
    Share,
    Summary,
    Times,
)
from spikebridge.stages import WORKING

_OTHER = LABELS.index("other")
_QUANTILES = (50.0, 95.0, 99.0)
_Indices: TypeAlias = Sequence[int] | NDArray[np.int64]


def summarise(results: Sequence[CaseResult], seed: int = 0) -> Summary:
    """Figures over all cases; costs are in ``costs``. seed : of the persons drawn for the intervals."""
    persons = np.array([result.case.person for result in results])
    labels = [result.case.label for result in results]

    def share(right: list[int], total: list[int]) -> Share:
        return _share(np.array(right, float), np.array(total, float), persons, seed)

    windows = [len(result.windows.probabilities) for result in results]
    decisions = [len(result.stream.probabilities) for result in results]
    onsets = [result for result in results if result.case.onset_us is not None]
    return {
        "cases": len(results),
        "persons": int(np.unique(persons).size),
        "windows": sum(windows),
        "window_accuracy": share([r.windows_right for r in results], windows),
        "clip_accuracy": share([int(r.clip_index == r.case.label) for r in results], [1] * len(results)),
        "stream_accuracy": share(
            [int((r.stream.probabilities.argmax(1) == r.case.label).sum()) for r in results], decisions
        ),
        "stream_named_right": share(
            [r.stream.settled_names.count(LABELS[r.case.label]) for r in results],
            [int(r.stream.settled.sum()) for r in results],
        ),
        "confusion": confusion(np.repeat(labels, windows), _window_classes(results)),
        "clip_confusion": confusion(labels, [r.clip_index for r in results]),
        "calibration": _calibration(results),
        "observation": _observation(results),
        "onset_to_first_right_ms": _times([r.first_right_ms for r in onsets]),
        "onset_to_stable_ms": _times([r.stable_ms for r in onsets]),
        "latency_us": _latency(np.concatenate([r.stream.latency_us for r in results])),
    }


def summarise_quiet(results: Sequence[CaseResult]) -> QuietSummary:
    """Of cases in which nobody makes a gesture: how often one is named. A gesture named for a while counts once."""
    named = [[label not in (None, "other") and label for label in result.stream.named] for result in results]
    changes = sum(bool(now) and now != before for run in named for before, now in zip([False, *run], run, strict=False))
    seconds = sum((result.case.t_stop_us - result.case.begin_us) / 1e6 for result in results)
    decisions = sum(len(run) for run in named)
    return {
        "minutes": round(seconds / 60, 3),
        "false_gestures": changes,
        "per_minute": round(changes / seconds * 60, 3),
        "share_of_decisions": round(sum(bool(label) for run in named for label in run) / decisions, 5),
    }


def describe(result: CaseResult) -> CaseReport:
    """One case by itself."""
    wrong = np.delete(result.stream.probabilities, [result.case.label, _OTHER], axis=1)
    return {
        "name": result.case.name,
        "label": LABELS[result.case.label],
        "clip": LABELS[result.clip_index],
        "windows_right": result.windows_right,
        "windows": len(result.windows.probabilities),
        "named": {str(name): count for name, count in Counter(result.stream.settled_names).items()},
        "highest_wrong_gesture": round(float(wrong.max()), 4),
        "first_right_ms": result.first_right_ms,
        "stable_ms": result.stable_ms,
    }


def confusion(true: _Indices, named: _Indices) -> list[list[int]]:
    """Counts by true (row) and named (column) class."""
    table = np.zeros((len(LABELS), len(LABELS)), int)
    np.add.at(table, (np.asarray(true, np.int64), np.asarray(named, np.int64)), 1)
    rows: list[list[int]] = table.tolist()
    return rows


def _window_classes(results: Sequence[CaseResult]) -> NDArray[np.int64]:
    return np.concatenate([result.windows.probabilities.argmax(1) for result in results])


def _calibration(results: Sequence[CaseResult]) -> Calibration:
    """Of the windows, over ten bins of confidence."""
    chances = np.concatenate([result.windows.probabilities for result in results])
    labels = np.repeat(
        [result.case.label for result in results], [len(result.windows.probabilities) for result in results]
    )
    bins: list[ConfidenceBin] = [
        {
            "confidence": round(row["confidence"], 4),
            "right": round(row["right"], 4),
            "share": round(row["share"], 4),
        }
        for row in confidence_bins(chances, labels)
    ]
    return {"error": round(expected_error(bins), 4), "bins": bins}


def _observation(results: Sequence[CaseResult]) -> Observation:
    """Streaming accuracy over the time that a gesture has been seen, for as long as half of the cases last."""
    times = [result.stream.since_onset_us for result in results]
    gaps = np.concatenate([np.diff(t_us) for t_us in times])
    hop_us = int(gaps.min()) if gaps.size else int(times[0][0])
    ends = np.sort([int(t_us[-1]) for t_us in times])
    # Onsets fall anywhere in a step; what counts at a time is the newest decision that is not after it.
    grid = np.arange(hop_us, ends[len(ends) // 2] + 1, hop_us)[:1000]
    rows: Observation = {"ms": [], "right": [], "named_right": [], "cases": []}
    for now_us in grid:
        newest = [int(np.searchsorted(t_us, now_us, "right")) - 1 for t_us in times]
        seen = [(r, i) for r, t_us, i in zip(results, times, newest, strict=True) if i >= 0 and t_us[-1] >= now_us]
        if not seen:
            continue
        right = [r.stream.probabilities[i].argmax() == r.case.label for r, i in seen]
        rows["ms"].append(float(now_us) / 1000)
        rows["right"].append(round(float(np.mean(right)), 4))
        rows["named_right"].append(
            round(float(np.mean([r.stream.named[i] == LABELS[r.case.label] for r, i in seen])), 4)
        )
        rows["cases"].append(float(len(seen)))
    return rows


def _latency(latency_us: NDArray[np.float32]) -> dict[str, dict[str, float]]:
    """Host time of one streaming step by stage and percentile; (M, n_stages)."""
    quantiles = np.percentile(latency_us, _QUANTILES, axis=0)
    names = [f"p{q:g}" for q in _QUANTILES]
    return {
        stage: {name: round(float(quantiles[i, k]), 1) for i, name in enumerate(names)}
        for k, stage in enumerate(WORKING)
    }


def _share(right: NDArray[np.float64], total: NDArray[np.float64], persons: NDArray[np.int64], seed: int) -> Share:
    """Share with a 95 % interval from persons drawn with replacement; no interval for fewer than three persons."""
    if not total.sum():
        return {"value": None, "interval": None}
    groups = [persons == person for person in np.unique(persons) if total[persons == person].sum()]
    value = round(float(right.sum() / total.sum()), 4)
    if len(groups) < 3:
        return {"value": value, "interval": None}
    sums = np.array([[right[group].sum(), total[group].sum()] for group in groups])
    draws = np.random.default_rng(seed).integers(0, len(groups), (2000, len(groups)))
    drawn = sums[draws].sum(1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return {"value": value, "interval": [round(float(low), 4), round(float(high), 4)]}


def _times(values: Sequence[float | None]) -> Times:
    """Median and 90 % of all values; None counts as infinitely late."""
    if not values:
        return {"n": 0, "missing": 0, "median": None, "p90": None}
    times = np.array([np.inf if value is None else value for value in values])
    quantiles = np.quantile(times, [0.5, 0.9], method="higher")
    median, p90 = (float(q) if np.isfinite(q) else None for q in quantiles)
    return {"n": len(times), "missing": int(np.isinf(times).sum()), "median": median, "p90": p90}
