"""Cases through the whole chain; runs without torch."""

from __future__ import annotations

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.bundle import load_model
from spikebridge.errors import InputError
from spikebridge.evaluation.cases import Case
from spikebridge.evaluation.evaluator import CaseResult, Evaluator
from spikebridge.events import Sensor, make_events
from spikebridge.settings import LaneSettings
from spikebridge.stages import WORKING


def column_case(column: int, label: int, duration_us: int = 200_000, start_us: int = 0, onset_us=None) -> Case:
    """Events in one column of an 8x8 sensor from ``start_us`` on: the test bundle names the column."""
    t = np.arange(start_us, duration_us, 500)
    events = make_events(t, np.full(t.size, column), np.arange(t.size) % 8, np.ones(t.size))
    return Case("case", label, events, 0, duration_us, Sensor(8, 8), 0, onset_us)


@pytest.fixture
def run(tmp_path):
    bundle = load_model(write_ordinary_bundle(tmp_path / "bundle"))
    with Evaluator(bundle, LaneSettings(str(bundle.folder))) as evaluator:
        yield evaluator


def test_right_and_wrong_windows(run):
    right, wrong = run(column_case(3, 3)), run(column_case(2, 3))
    assert (len(right.windows.probabilities), right.windows_right, right.clip_index) == (5, 5, 3)
    assert (wrong.windows_right, wrong.clip_index) == (0, 2)
    # One pixel and polarity of the column's eight in each of four steps.
    assert right.windows.crossings.tolist() == [32] * 5
    assert right.windows.latency_us.shape == (5, len(WORKING))
    assert right.stream.latency_us.shape == (len(right.stream.probabilities), len(WORKING))


def test_cases_do_not_see_each_other(run):
    before = run(column_case(3, 3))
    run(column_case(5, 5))
    after = run(column_case(3, 3))
    np.testing.assert_array_equal(before.windows.probabilities, after.windows.probabilities)
    np.testing.assert_array_equal(before.stream.probabilities, after.stream.probabilities)


def test_onset_latency_counts_from_the_onset(run):
    result: CaseResult = run(column_case(1, 1, start_us=80_000, onset_us=80_000))
    assert result.first_right_ms is not None
    assert 0 < result.first_right_ms <= 40
    assert result.stable_ms == result.first_right_ms
    assert result.stream.since_onset_us[0] == 10_000


def test_never_right_is_none(run):
    result = run(column_case(2, 1, start_us=80_000, onset_us=80_000))
    assert (result.first_right_ms, result.stable_ms) == (None, None)


def test_a_clip_shorter_than_a_window_is_named(run):
    with pytest.raises(InputError, match="at least one window of 40 ms, found 30 ms"):
        run(column_case(3, 3, duration_us=30_000))
