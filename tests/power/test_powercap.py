from __future__ import annotations

from pathlib import Path

import pytest

from power.fakes import rapl_zone
from spikebridge.power import PowercapMeter
from spikebridge.testing import HandClock


def _meter(sysfs: Path, clock: HandClock) -> PowercapMeter:
    meter = PowercapMeter.find(sysfs, clock)
    assert meter is not None
    return meter


def test_watts_are_energy_over_time(tmp_path: Path) -> None:
    clock, zone = HandClock(), rapl_zone(tmp_path, "intel-rapl:0", "package-0", 100)
    meter = _meter(tmp_path, clock)
    clock.pass_s(0.1)
    (zone / "energy_uj").write_text("750100\n")
    (reading,) = meter.read()
    assert reading.watts == pytest.approx(7.5)
    assert (reading.rail, reading.provenance, reading.whole) == ("package-0", "measured", False)


def test_counter_that_wraps_goes_on(tmp_path: Path) -> None:
    clock, zone = HandClock(), rapl_zone(tmp_path, "intel-rapl:0", "package-0", 900_000, range_uj=1_000_000)
    meter = _meter(tmp_path, clock)
    clock.pass_s(1)
    (zone / "energy_uj").write_text("400000")
    assert meter.read()[0].watts == pytest.approx(0.5)


def test_no_figure_before_the_second_reading(tmp_path: Path) -> None:
    rapl_zone(tmp_path, "intel-rapl:0", "package-0", 5)
    (reading,) = _meter(tmp_path, HandClock()).read()
    assert (reading.watts, reading.provenance) == (None, "unavailable")


def test_read_at_once_keeps_the_last_figure(tmp_path: Path) -> None:
    clock, zone = HandClock(), rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = _meter(tmp_path, clock)
    clock.pass_s(1)
    (zone / "energy_uj").write_text("500000")
    first = meter.read()[0].watts
    clock.pass_s(0.001)
    (zone / "energy_uj").write_text("900000")
    assert meter.read()[0].watts == first


def test_parts_of_a_package_and_its_second_view_are_left_out(tmp_path: Path) -> None:
    rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    rapl_zone(tmp_path, "intel-rapl:0:0", "core", 0)
    rapl_zone(tmp_path, "intel-rapl:0:1", "dram", 0)
    rapl_zone(tmp_path, "intel-rapl:1", "psys", 0)
    rapl_zone(tmp_path, "intel-rapl-mmio:0", "package-0", 0)
    readings = _meter(tmp_path, HandClock()).read()
    assert [(reading.rail, reading.whole) for reading in readings] == [
        ("package-0", False),
        ("dram-0", False),
        ("psys", True),
    ]


def test_refused_permission_names_the_fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    read_text = Path.read_text

    # Tests may run as root, whom no mode of a file keeps out.
    def refuse(path: Path, encoding: str | None = None, errors: str | None = None) -> str:
        if path == zone / "energy_uj":
            raise PermissionError(13, "Permission denied", str(path))
        return read_text(path, encoding, errors)

    monkeypatch.setattr(Path, "read_text", refuse)
    meter = _meter(tmp_path, HandClock())
    (reading,) = meter.read()
    assert (reading.watts, reading.provenance) == (None, "unavailable")
    assert "sudo chmod a+r /sys/class/powercap" in reading.scope
    assert not meter.readable()


def test_machine_without_counters_has_no_meter(tmp_path: Path) -> None:
    assert PowercapMeter.find(tmp_path) is None
