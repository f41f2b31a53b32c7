from __future__ import annotations

from pathlib import Path

import pytest

from power.fakes import rapl_zone, refuse
from spikebridge.contracts import PowerReading
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


@pytest.mark.parametrize(("name", "whole"), [("package-0", False), ("psys", True)])
def test_refused_permission_names_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, whole: bool
) -> None:
    refuse(monkeypatch, rapl_zone(tmp_path, "intel-rapl:0", name, 0) / "energy_uj")
    meter = _meter(tmp_path, HandClock())
    fix = "sudo chmod a+r /sys/class/powercap/intel-rapl:*/energy_uj"
    scope = f"{name} may be read by root only; run '{fix}'"
    assert meter.read() == (PowerReading(name, None, "unavailable", scope, whole, fix=fix),)
    assert not meter.readable()


@pytest.mark.parametrize(("name", "whole"), [("package-0", False), ("psys", True)])
def test_a_counter_without_a_number_is_unavailable_with_the_cause(tmp_path: Path, name: str, whole: bool) -> None:
    clock, zone = HandClock(), rapl_zone(tmp_path, "intel-rapl:0", name, 0)
    meter = _meter(tmp_path, clock)
    clock.pass_s(1)
    (zone / "energy_uj").write_text("many")
    (reading,) = meter.read()
    assert reading.scope.startswith(f"{name} could not be read: ")
    assert "many" in reading.scope
    assert reading == PowerReading(name, None, "unavailable", reading.scope, whole)
    assert not meter.readable()
    # When it comes back, the time in between does not count.
    (zone / "energy_uj").write_text("5000000")
    assert meter.read()[0].watts is None
    clock.pass_s(1)
    (zone / "energy_uj").write_text("7000000")
    assert meter.read()[0].watts == 2.0


def test_scopes_say_what_is_in_a_figure(tmp_path: Path) -> None:
    for number, name in enumerate(("package-0", "psys", "dram")):
        rapl_zone(tmp_path, f"intel-rapl:{number}", name, 0)
    clock = HandClock()
    meter = _meter(tmp_path, clock)
    waiting = "waiting for the second reading"
    assert meter.read() == (
        PowerReading("package-0", None, "unavailable", f"package-0: {waiting}"),
        PowerReading("psys", None, "unavailable", f"psys: {waiting}", whole=True),
        PowerReading("dram-2", None, "unavailable", f"dram-2: {waiting}"),
    )
    clock.pass_s(1)
    for number in range(3):
        (tmp_path / f"class/powercap/intel-rapl:{number}/energy_uj").write_text(str(500_000 * (number + 1)))
    assert meter.read() == (
        PowerReading("package-0", 0.5, "measured", "processor package, all programs"),
        PowerReading("psys", 1.0, "measured", "whole platform, all programs", whole=True),
        PowerReading("dram-2", 1.5, "measured", "memory, all programs"),
    )


def test_a_counter_that_stands_still_is_no_power(tmp_path: Path) -> None:
    clock = HandClock()
    rapl_zone(tmp_path, "intel-rapl:0", "package-0", 5)
    meter = _meter(tmp_path, clock)
    clock.pass_s(1)
    assert (meter.read()[0].watts, meter.read()[0].provenance) == (0.0, "measured")


def test_a_counter_that_goes_back_and_has_no_range_is_no_figure(tmp_path: Path) -> None:
    clock, zone = HandClock(), rapl_zone(tmp_path, "intel-rapl:0", "package-0", 5)
    (zone / "max_energy_range_uj").unlink()
    meter = _meter(tmp_path, clock)
    clock.pass_s(1)
    (zone / "energy_uj").write_text("4")
    (reading,) = meter.read()
    assert (reading.watts, reading.provenance) == (None, "unavailable")
    clock.pass_s(1)
    (zone / "energy_uj").write_text("2000004")
    assert meter.read()[0].watts == 2.0


def test_ten_milliseconds_are_enough(tmp_path: Path) -> None:
    clock, zone = HandClock(), rapl_zone(tmp_path, "intel-rapl:0", "package-0", 0)
    meter = _meter(tmp_path, clock)
    clock.pass_s(0.01)
    (zone / "energy_uj").write_text("30000")
    assert meter.read()[0].watts == 3.0


def test_machine_without_counters_has_no_meter(tmp_path: Path) -> None:
    assert PowercapMeter.find(tmp_path) is None
