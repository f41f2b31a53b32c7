"""Figures of an evaluation, by hand; runs without torch."""

from __future__ import annotations

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.bundle import load_model
from spikebridge.contracts import LABELS
from spikebridge.errors import InputError
from spikebridge.events import Sensor, make_events
from spikebridge.runtime import RunSettings
from spikebridge.training.evaluate import Case, CaseResult, describe, evaluate_case, read_cases, summarise


def column_case(column: int, label: int, duration_us: int = 200_000, start_us: int = 0, onset_us=None) -> Case:
    """Events in one column of an 8x8 sensor from ``start_us`` on: the test bundle names the column."""
    t = np.arange(start_us, duration_us, 500)
    events = make_events(t, np.full(t.size, column), np.arange(t.size) % 8, np.ones(t.size))
    return Case("case", label, events, 0, duration_us, Sensor(8, 8), 0, onset_us)


@pytest.fixture
def bundle(tmp_path):
    return load_model(write_ordinary_bundle(tmp_path / "bundle"))


def run(bundle, case) -> CaseResult:
    return evaluate_case(bundle, case, RunSettings(str(bundle.folder)))


def test_right_and_wrong_windows(bundle):
    right, wrong = run(bundle, column_case(3, 3)), run(bundle, column_case(2, 3))
    assert (len(right.windows), right.windows_right, right.clip_index) == (5, 5, 3)
    assert (wrong.windows_right, wrong.clip_index) == (0, 2)
    summary = summarise([right, wrong])
    assert summary["window_accuracy"] == {"value": 0.5, "interval": None}
    assert summary["clip_accuracy"]["value"] == 0.5
    assert summary["confusion"][3][2] == summary["confusion"][3][3] == 5
    assert describe(wrong)["highest_wrong_gesture"] > 0.5


def test_onset_latency_counts_from_the_onset(bundle):
    result = run(bundle, column_case(1, 1, start_us=80_000, onset_us=80_000))
    assert result.first_right_ms is not None
    assert 0 < result.first_right_ms <= 40
    assert result.stable_ms == result.first_right_ms
    assert summarise([result])["onset_to_stable_ms"]["median"] == result.stable_ms


def test_never_right_is_missing_not_zero(bundle):
    result = run(bundle, column_case(2, 1, start_us=80_000, onset_us=80_000))
    assert result.first_right_ms is None
    assert summarise([result])["onset_to_first_right_ms"] == {"n": 1, "missing": 1, "median": None, "p90": None}


def test_intervals_come_from_persons(bundle):
    base = run(bundle, column_case(3, 3))
    cases = [
        CaseResult(
            Case("c", 3 if person < 3 else 4, base.case.events, 0, 200_000, Sensor(8, 8), person),
            base.windows, base.stream, base.named, None, None,
        )
        for person in range(4)
    ]  # fmt: skip
    share = summarise(cases)["window_accuracy"]
    assert share["value"] == 0.75
    assert share["interval"] == [0.25, 1.0]


def test_a_clip_shorter_than_a_window_is_named(bundle):
    with pytest.raises(InputError, match="at least one window of 40 ms, found 30 ms"):
        run(bundle, column_case(3, 3, duration_us=30_000))


def test_a_recording_without_a_label_is_named(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "dance.aedat").touch()
    with pytest.raises(InputError, match=r"dance\.aedat"):
        list(read_cases(tmp_path))
    with pytest.raises(InputError, match="found none"):
        list(read_cases(empty))


def test_every_label_is_read_from_its_own_name():
    for label in LABELS:
        fitting = [other for other in LABELS if f"{label}_far".startswith(other)]
        assert max(fitting, key=len) == label
