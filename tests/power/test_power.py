"""Meters against a fake sysfs tree and a hand-wound clock."""

import os
import time

import pytest

from spikebridge.contracts import PowerReading
from spikebridge.power import HOST_RAIL, PowerMonitor, discover_meters
from spikebridge.power.host import WATTS_PER_BUSY_CORE, HostEstimate
from spikebridge.power.ina3221 import Ina3221Meter
from spikebridge.power.powercap import PowercapMeter


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(f"{text}\n")


def orin(root):
    """Layout of JetPack 5 and 6: three channels, an unconnected one and the sum."""
    write(
        root / "bus/i2c/devices/1-0040/hwmon/hwmon3",
        in1_label="VDD_IN", in1_input=5000, curr1_input=1200,
        in2_label="VDD_CPU_GPU_CV", in2_input=5000, curr2_input=400,
        in3_label="NC", in3_input=0, curr3_input=0,
        in7_label="sum of shunt voltages", in7_input=1, curr7_input=1,
    )  # fmt: skip


def test_hwmon_layout(tmp_path):
    orin(tmp_path)
    whole, part = Ina3221Meter(tmp_path).read()
    assert (whole.rail, whole.watts, whole.whole, whole.provenance) == ("VDD_IN", 6.0, True, "measured")
    assert (part.rail, part.watts, part.whole) == ("VDD_CPU_GPU_CV", 2.0, False)


def test_iio_layout_of_the_nano(tmp_path):
    write(
        tmp_path / "bus/i2c/devices/6-0040/iio:device0",
        rail_name_0="POM_5V_IN", in_voltage0_input=5000, in_current0_input=600, in_power0_input=3000,
        rail_name_1="POM_5V_GPU", in_power1_input=450,
    )  # fmt: skip
    readings = Ina3221Meter(tmp_path).read()
    assert [(r.rail, r.watts, r.whole) for r in readings] == [("POM_5V_IN", 3.0, True), ("POM_5V_GPU", 0.45, False)]


def test_a_rail_that_vanishes_is_unavailable_not_zero(tmp_path):
    orin(tmp_path)
    meter = Ina3221Meter(tmp_path)
    (tmp_path / "bus/i2c/devices/1-0040/hwmon/hwmon3/curr1_input").unlink()
    whole, part = meter.read()
    assert (whole.watts, whole.provenance) == (None, "unavailable")
    assert part.watts == 2.0


@pytest.fixture
def package(tmp_path):
    zone = tmp_path / "class/powercap/intel-rapl:0"
    write(zone, name="package-0", energy_uj=1_000_000, max_energy_range_uj=10_000_000)
    return tmp_path, zone


def test_package_power_and_wrap(package):
    now = [0.0]
    meter = PowercapMeter(package[0], lambda: now[0])
    assert meter.read()[0].watts is None
    for energy_uj, at_s, watts in ((9_000_000, 2.0, 4.0), (500_000, 3.0, 1.5)):
        write(package[1], energy_uj=energy_uj)
        now[0] = at_s
        reading = meter.read()[0]
        assert (reading.rail, reading.provenance, reading.whole) == ("package-0", "measured", True)
        assert reading.watts == pytest.approx(watts)


def test_permission_denied_says_the_fix_and_brings_the_estimate(package, monkeypatch):
    from pathlib import Path

    original = Path.read_text

    def read_text(path, *arguments, **options):
        if path.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return original(path, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", read_text)
    meters = discover_meters(package[0])
    assert [meter.name for meter in meters] == ["RAPL", "CPU time"]
    reading = meters[0].read()[0]
    assert reading.provenance == "unavailable"
    assert "sudo chmod a+r /sys/class/powercap/*/energy_uj" in reading.scope


def test_the_estimate_never_stands_beside_measured_rails(tmp_path, package):
    assert [meter.name for meter in discover_meters(package[0])] == ["RAPL"]
    empty = tmp_path / "empty"
    assert [meter.name for meter in discover_meters(empty)] == ["CPU time"]
    assert discover_meters(empty, estimate_host=False) == ()


def test_host_estimate_is_cpu_time_times_the_constant():
    cpu, clock = [0.0], [0.0]
    meter = HostEstimate(lambda: cpu[0], lambda: clock[0])
    cpu[0], clock[0] = 0.5, 2.0
    reading = meter.read()[0]
    assert (reading.rail, reading.provenance) == (HOST_RAIL, "estimated")
    assert reading.watts == pytest.approx(0.25 * WATTS_PER_BUSY_CORE)
    assert meter.read()[0].watts is None


class Steady:
    name = "steady"

    def __init__(self, *readings):
        self.readings = readings

    def read(self):
        return self.readings


def monitored(*readings):
    monitor = PowerMonitor([Steady(*readings)])
    until = time.monotonic() + 5
    while not monitor.latest() and time.monotonic() < until:
        time.sleep(0.01)
    return monitor


def test_monitor_keeps_means_and_ends():
    monitor = monitored(PowerReading("a", 2.0, "measured", "", True), PowerReading("b", None, "unavailable", ""))
    assert monitor.mean_w("a") == pytest.approx(2.0)
    assert monitor.mean_w("b") is None
    assert monitor.busy_host_w() == pytest.approx(2.0)
    monitor.close()
    monitor.close()
    assert PowerMonitor(()).busy_host_w() is None


def test_busy_watts_of_the_estimate_are_the_constant():
    monitor = monitored(PowerReading(HOST_RAIL, 0.4, "estimated", ""))
    assert monitor.busy_host_w() == WATTS_PER_BUSY_CORE
    monitor.close()


def test_this_machine_can_be_asked():
    for meter in discover_meters():
        assert all(isinstance(reading, PowerReading) for reading in meter.read())
    assert os.times().user >= 0
