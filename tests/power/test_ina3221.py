from __future__ import annotations

from pathlib import Path

import pytest

from power.fakes import refuse
from spikebridge.contracts import PowerReading
from spikebridge.power import Ina3221Meter


def _write(folder: Path, **files: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name).write_text(f"{value}\n")
    return folder


def _orin(sysfs: Path) -> Path:
    folder = sysfs / "bus/i2c/devices/1-0040/hwmon/hwmon3"
    _write(folder, name="ina3221", in1_label="VDD_IN", in1_input=5000, curr1_input=1200)
    _write(
        folder, in2_label="VDD_CPU_GPU_CV", in2_input=4960, curr2_input=500, in3_label="NC", in3_input=0, curr3_input=0
    )
    return _write(folder, in7_label="sum of shunt voltages", in7_input=9, curr7_input=9)


def test_hwmon_layout_gives_millivolts_times_milliamperes(tmp_path: Path) -> None:
    _orin(tmp_path)
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    assert meter.read() == (
        PowerReading("VDD_IN", 6.0, "measured", "whole board, other rails included", whole=True),
        PowerReading("VDD_CPU_GPU_CV", 2.48, "measured", "rail VDD_CPU_GPU_CV of the Jetson"),
    )


def test_iio_layout_prefers_the_chip_s_own_power(tmp_path: Path) -> None:
    folder = tmp_path / "bus/i2c/devices/6-0040/iio:device0"
    _write(folder, rail_name_0="POM_5V_IN", in_power0_input=2345, in_voltage0_input=5000, in_current0_input=999)
    _write(folder, rail_name_1="POM_5V_GPU", in_voltage1_input=5000, in_current1_input=100, rail_name_2="NC_RAIL")
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    assert meter.read() == (
        PowerReading("POM_5V_IN", 2.345, "measured", "whole board, other rails included", whole=True),
        PowerReading("POM_5V_GPU", 0.5, "measured", "rail POM_5V_GPU of the Jetson"),
    )


def test_other_chips_on_the_bus_are_not_taken_for_one(tmp_path: Path) -> None:
    folder = tmp_path / "bus/i2c/devices/1-0041/hwmon/hwmon4"
    _write(folder, name="ina219", in1_label="VDD_IN", in1_input=5000, curr1_input=1000)
    assert Ina3221Meter.find(tmp_path) is None
    # One of them behind it is found.
    other = tmp_path / "bus/i2c/devices/1-0042/hwmon/hwmon5"
    _write(other, name="ina3221", in1_label="VIN_SYS_5V0", in1_input=5000, curr1_input=100)
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    assert [(reading.rail, reading.watts) for reading in meter.read()] == [("VIN_SYS_5V0", 0.5)]


def test_two_chips_make_one_meter(tmp_path: Path) -> None:
    _orin(tmp_path)
    other = tmp_path / "bus/i2c/devices/1-0041/hwmon/hwmon4"
    _write(other, name="ina3221", in1_label="VIN_SYS_5V0", in1_input=5000, curr1_input=100)
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    assert [reading.rail for reading in meter.read()] == ["VDD_IN", "VDD_CPU_GPU_CV", "VIN_SYS_5V0"]


@pytest.mark.parametrize("name", ["NC", "NC_RAIL", "RAIL-NC", "NC-1"])
def test_channels_that_are_not_connected_are_no_rails(tmp_path: Path, name: str) -> None:
    hwmon = tmp_path / "bus/i2c/devices/1-0040/hwmon/hwmon3"
    _write(hwmon, name="ina3221", in1_label=name, in1_input=9, curr1_input=9)
    _write(hwmon, in3_label="VDD_INC", in3_input=5000, curr3_input=200)
    iio = tmp_path / "bus/i2c/devices/6-0040/iio:device0"
    _write(iio, rail_name_0=name, in_power0_input=9, rail_name_1="VDD_SOC", in_power1_input=700)
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    assert [(reading.rail, reading.watts) for reading in meter.read()] == [("VDD_INC", 1.0), ("VDD_SOC", 0.7)]


@pytest.mark.parametrize(("name", "whole"), [("VDD_IN", True), ("VDD_GPU", False)])
def test_refused_permission_names_the_file_and_the_fix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, whole: bool
) -> None:
    folder = tmp_path / "bus/i2c/devices/1-0040/hwmon/hwmon3"
    _write(folder, name="ina3221", in1_label=name, in1_input=5000, curr1_input=1200)
    refuse(monkeypatch, folder / "curr1_input")
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    (reading,) = meter.read()
    fix = f"sudo chmod a+r {folder / 'curr1_input'}"
    assert reading.scope.startswith(f"{name} may not be read; run '{fix}'")
    assert reading == PowerReading(name, None, "unavailable", reading.scope, whole, fix=fix)
    assert not meter.readable()


@pytest.mark.parametrize("broken", ["", "no number"])
def test_rail_that_cannot_be_read_is_unavailable_and_the_others_stay(tmp_path: Path, broken: str) -> None:
    folder = _orin(tmp_path)
    (folder / "curr1_input").write_text(broken)
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    board, part = meter.read()
    assert board.scope.startswith("VDD_IN could not be read: ")
    assert board == PowerReading("VDD_IN", None, "unavailable", board.scope, whole=True)
    assert part.watts == pytest.approx(2.48)
    assert meter.readable()


def test_vanished_chip_is_unavailable(tmp_path: Path) -> None:
    folder = _orin(tmp_path)
    meter = Ina3221Meter.find(tmp_path)
    assert meter is not None
    for path in folder.glob("*_input"):
        path.unlink()
    assert {reading.provenance for reading in meter.read()} == {"unavailable"}
    assert not meter.readable()
