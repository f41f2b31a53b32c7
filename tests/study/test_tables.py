"""Rows of the study hold what the cells' summaries say."""

from __future__ import annotations

import csv

import pytest
from standin_study import RESULTS, result

from spikebridge.study.tables import COLUMNS, as_csv, row_of, settings_of


def test_a_row_has_every_column_and_what_was_measured():
    row = row_of(RESULTS[0])
    assert list(row) == list(COLUMNS)
    assert "training_minutes" not in COLUMNS
    assert (row["name"], row["network"], row["interval"], row["control"]) == ("s2a4-i4-seed0", "s2a4", 4, "none")
    assert (row["window_accuracy"], row["window_low"], row["window_high"]) == (0.8, 0.7, 0.9)
    assert (row["clip_accuracy"], row["clip_low"]) == (0.5, None)
    assert (row["first_right_median_ms"], row["first_right_p90_ms"]) == (120.0, None)
    assert (row["false_per_minute_still"], row["false_per_minute_walking"]) == (2.5, 2.5)
    assert (row["spikes_per_window"], row["spikes_per_decision"], row["bridge_spikes_per_window"]) == (1800, 110, 900)
    assert [row[f"bridge_{kind}_bytes"] for kind in ("bitmap", "address_event", "count")] == [16384, 900, 32768]
    assert [row[f"{stage}_host_us"] for stage in ("snn", "accumulator", "ann")] == [800, 20, 400]
    assert (row["loihi_window_us"], row["loihi_dynamic_mj"], row["loihi_static_mj"]) == (180, 0.0217, 40.8)
    assert (row["ann_host_mj"], row["window_ms"], row["parameters"]) == (3.2, 160, 1000)


def test_published_values_stand_beside_what_is_compared_alone():
    assert row_of(result("s2a4", 2, 0.5))["published_accuracy"] == 0.8657
    assert row_of(result("s2a4", 2, 0.5, control="shuffled"))["published_accuracy"] is None
    assert row_of(RESULTS[0])["published_accuracy"] is None  # not stated for I = 4


def test_what_does_not_exist_is_nothing_and_not_zero():
    ordinary, control = row_of(RESULTS[2]), row_of(RESULTS[3])
    assert (ordinary["spikes_per_window"], ordinary["loihi_window_us"], ordinary["ann_host_us"]) == (None, None, 400)
    assert (control["window_accuracy"], control["control"], control["ann_host_us"]) == (0.55, "shuffled", None)
    assert row_of(RESULTS[4])["control"] == "sized like s2a4"


def test_settings_are_in_the_order_of_the_family_with_means_over_seeds():
    rows = [row_of(r) for r in (result("s2a4", 4, 0.8), result("ann", 4, 0.6), result("s2a4", 4, 0.7, seed=1))]
    ann, hybrid = settings_of(rows)
    assert (ann.network, hybrid.network, len(hybrid.rows)) == ("ann", "s2a4", 2)
    assert hybrid.mean("window_accuracy") == pytest.approx(0.75)
    assert hybrid.range("window") == (0.7, 0.8)  # over the seeds
    assert ann.range("window") == (0.5, 0.7)  # over persons
    assert ann.range("clip") is None
    assert ann.mean("loihi_window_us") is None


def test_csv_has_the_columns_as_head():
    table = list(csv.DictReader(as_csv([row_of(r) for r in RESULTS]).splitlines()))
    assert list(table[0]) == list(COLUMNS)
    assert [row["window_accuracy"] for row in table] == ["0.8", "0.7", "0.6", "0.55", "0.65"]
    assert table[3]["loihi_dynamic_mj"] == ""
