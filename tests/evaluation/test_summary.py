"""Figures of an evaluation, by hand; runs without torch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spikebridge.contracts import LABELS
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.evaluator import CaseResult, StreamResults, WindowResults
from spikebridge.evaluation.summary import confusion, describe, summarise, summarise_quiet
from spikebridge.events import Sensor, empty_events
from spikebridge.stages import WORKING


def result(label: int, windows: list[int], stream: list[int], person: int = 0, sure: float = 0.9) -> CaseResult:
    """A case of class ``label`` that the network saw as the classes in ``windows`` and, streaming, in ``stream``."""

    def chances(named: list[int]) -> np.ndarray:
        rest = (1 - sure) / (len(LABELS) - 1)
        return (np.eye(len(LABELS))[named] * (sure - rest) + rest).astype(np.float32)

    n = len(stream)
    return CaseResult(
        case=Case("c", label, empty_events(), 0, n * 10_000, Sensor(8, 8), person),
        windows=WindowResults(
            chances(windows), np.full(len(windows), 8), np.ones((len(windows), len(WORKING)), np.float32)
        ),
        stream=StreamResults(
            probabilities=chances(stream),
            since_onset_us=np.arange(1, n + 1) * 10_000,
            latency_us=np.full((n, len(WORKING)), 2.0, np.float32),
            named=tuple(LABELS[i] for i in stream),
            settled=np.ones(n, bool),
        ),
        first_right_ms=None,
        stable_ms=None,
    )


def named(result: CaseResult, names: tuple[str | None, ...], settled: list[bool]) -> CaseResult:
    """The same case with other decisions."""
    return replace(result, stream=replace(result.stream, named=names, settled=np.array(settled)))


def test_what_is_not_settled_names_nothing_and_is_not_held_against_it():
    whole = result(3, [3], [3, 3, 2])
    begun = named(whole, (None, *whole.stream.named[1:]), [False, True, True])
    assert summarise([whole])["stream_named_right"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert summarise([begun])["stream_named_right"]["value"] == 0.5
    assert describe(begun)["named"] == {LABELS[3]: 1, LABELS[2]: 1}
    never = named(whole, (None,) * 3, [False] * 3)
    assert summarise([never])["stream_named_right"] == {"value": None, "interval": None}
    assert summarise([whole, never])["stream_named_right"]["value"] == pytest.approx(2 / 3, abs=1e-4)


def test_shares_and_confusion():
    summary = summarise([result(3, [3, 3, 2], [3, 3]), result(1, [1], [0, 1])])
    assert summary["window_accuracy"] == {"value": 0.75, "interval": None}
    assert summary["clip_accuracy"]["value"] == 1.0
    assert summary["stream_accuracy"]["value"] == summary["stream_named_right"]["value"] == 0.75
    assert summary["confusion"][3] == [0, 0, 1, 2, *[0] * 7]
    assert summary["clip_confusion"][1][1] == 1
    assert summary["latency_us"]["ann"] == {"p50": 2.0, "p95": 2.0, "p99": 2.0}


def test_a_clip_is_named_by_the_mean_of_its_windows_not_by_most_of_them():
    """Twice 0.6 for the clap and 0.4 for the roll, once 0.05 and 0.95: means of 0.417 and 0.583."""
    clap, roll = LABELS.index("hand_clap"), LABELS.index("arm_roll")
    case = result(roll, [clap, clap, roll], [roll])
    chances = np.zeros((3, len(LABELS)), np.float32)
    chances[:, clap], chances[:, roll] = (0.6, 0.6, 0.05), (0.4, 0.4, 0.95)
    case = replace(case, windows=replace(case.windows, probabilities=chances))
    assert describe(case)["clip"] == "arm_roll"
    assert summarise([case])["clip_accuracy"]["value"] == 1.0
    assert summarise([case])["window_accuracy"]["value"] == pytest.approx(1 / 3, abs=1e-4)


def test_accuracy_over_observation_time():
    summary = summarise([result(3, [3], [0, 3, 3]), result(1, [1], [0, 0, 1, 1])])
    assert summary["observation"]["ms"] == [10, 20, 30, 40]
    assert summary["observation"]["right"] == [0, 0.5, 1, 1]
    assert summary["observation"]["cases"] == [2, 2, 2, 1]


def test_calibration_is_the_gap_between_confidence_and_truth():
    summary = summarise([result(3, [3, 3, 3, 0], [3], sure=0.85)])
    assert summary["calibration"]["error"] == pytest.approx(0.1, abs=1e-3)


def test_onsets_never_named_right_are_missing_not_zero():
    late = result(2, [1], [1])
    late = replace(late, case=replace(late.case, onset_us=0))
    found = summarise([late])["onset_to_first_right_ms"]
    assert found == {"n": 1, "missing": 1, "median": None, "p90": None}


def test_intervals_come_from_persons():
    share = summarise([result(3, [3 if person < 3 else 4], [3], person) for person in range(4)])["window_accuracy"]
    assert share == {"value": 0.75, "interval": [0.25, 1.0]}


def test_a_gesture_named_for_a_while_is_one_false_one():
    other = LABELS.index("other")
    quiet = summarise_quiet([result(other, [other], [other, 0, 0, other, 1, 0] * 100)])
    assert quiet["false_gestures"] == 300
    assert quiet["minutes"] == 0.1
    assert quiet["per_minute"] == 3000
    assert summarise_quiet([result(other, [other], [other] * 9)])["false_gestures"] == 0


def test_the_highest_wrong_gesture_is_not_other():
    assert describe(result(3, [3], [10]))["highest_wrong_gesture"] < 0.1
    assert describe(result(3, [3], [4]))["highest_wrong_gesture"] == pytest.approx(0.9)


def test_half_of_the_onsets_late_and_one_never():
    """Of 100, 200 and 300 ms and one that never comes: the median is the higher middle, 90 % is the one that fails."""
    onset = replace(result(2, [2], [2]), case=replace(result(2, [2], [2]).case, onset_us=0))
    times = [replace(onset, first_right_ms=ms, stable_ms=ms) for ms in (100.0, 200.0, 300.0, None)]
    assert summarise(times)["onset_to_stable_ms"] == {"n": 4, "missing": 1, "median": 300.0, "p90": None}
    assert summarise(times[:3])["onset_to_first_right_ms"] == {"n": 3, "missing": 0, "median": 200.0, "p90": 300.0}


def test_confusion_counts_rows_by_truth():
    table = confusion([0, 0, 1], np.array([0, 2, 1]))
    assert (table[0][:3], table[1][:3], sum(map(sum, table))) == ([1, 0, 1], [0, 1, 0], 3)
