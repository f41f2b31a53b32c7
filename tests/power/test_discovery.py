from __future__ import annotations

from pathlib import Path

import pytest

from power.fakes import rapl_zone
from spikebridge.power import discover_meters


def test_bare_machine_gets_an_estimate_unless_it_is_turned_off(tmp_path: Path) -> None:
    assert [meter.name for meter in discover_meters(tmp_path)] == ["Host estimate"]
    assert discover_meters(tmp_path, estimate_host=False) == ()


def test_readable_meter_leaves_no_place_for_an_estimate(tmp_path: Path) -> None:
    rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    assert [meter.name for meter in discover_meters(tmp_path)] == ["Processor energy counters (RAPL)"]


def test_unreadable_meter_stays_beside_the_estimate(tmp_path: Path) -> None:
    zone = rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    (zone / "energy_uj").unlink()
    counters, estimate = discover_meters(tmp_path)
    assert counters.read()[0].provenance == "unavailable"
    assert estimate.name == "Host estimate"


@pytest.mark.parametrize("estimate", [True, False])
def test_this_machine_s_own_sysfs_is_read_without_error(estimate: bool) -> None:
    for meter in discover_meters(estimate_host=estimate):
        assert all(reading.scope for reading in meter.read())
