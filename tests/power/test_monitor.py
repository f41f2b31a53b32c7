from __future__ import annotations

import threading
import time

import pytest

from power.fakes import Clock, ConstantMeter, SnnConstantMeter
from spikebridge.contracts import PowerReading, SnnActivity
from spikebridge.power import HOST_RAIL, WATTS_PER_BUSY_CORE, PowerMonitor, host_reading

BOARD = PowerReading("VDD_IN", 6.0, "measured", "whole board", whole=True)
GPU = PowerReading("VDD_GPU", 2.0, "measured", "rail")
ESTIMATE = PowerReading(HOST_RAIL, 3.0, "estimated", "this process")
NOTHING = PowerReading("package-0", None, "unavailable", "permission")


def _monitor(clock: Clock, *meters: ConstantMeter) -> PowerMonitor:
    return PowerMonitor(meters, start=False, clock_ns=clock)


def test_mean_and_energy_weigh_samples_by_their_length() -> None:
    clock, meter = Clock(), ConstantMeter(GPU)
    monitor = _monitor(clock, meter)
    assert monitor.latest() == ()
    assert monitor.mean_w("VDD_GPU") is None
    clock.pass_s(1)
    monitor.sample()
    meter.readings = (PowerReading("VDD_GPU", 5.0, "measured", "rail"),)
    clock.pass_s(3)
    monitor.sample()
    assert monitor.mean_w("VDD_GPU") == pytest.approx((2.0 + 15.0) / 4)
    assert monitor.energy_mj("VDD_GPU") == pytest.approx(17_000)
    assert monitor.latest() == meter.readings


def test_time_without_a_figure_does_not_count() -> None:
    clock, meter = Clock(), ConstantMeter(NOTHING)
    monitor = _monitor(clock, meter)
    clock.pass_s(10)
    monitor.sample()
    assert monitor.energy_mj("package-0") is None
    meter.readings = (PowerReading("package-0", 4.0, "measured", "package"),)
    clock.pass_s(1)
    monitor.sample()
    assert monitor.mean_w("package-0") == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("readings", "watts"),
    [
        ((BOARD, GPU), 6.0),
        ((GPU, PowerReading("VDD_CPU", 1.0, "measured", "rail")), 3.0),
        ((NOTHING, ESTIMATE), WATTS_PER_BUSY_CORE),
        ((GPU, ESTIMATE), 2.0),
        ((NOTHING,), None),
        ((), None),
    ],
    ids=["whole board only", "rails add up", "constant of the estimate", "never mixed", "unavailable", "no meter"],
)
def test_watts_charged_for_a_busy_stage(readings: tuple[PowerReading, ...], watts: float | None) -> None:
    clock = Clock()
    monitor = _monitor(clock, ConstantMeter(*readings))
    clock.pass_s(0.1)
    monitor.sample()
    assert monitor.busy_host_w() == (None if watts is None else pytest.approx(watts))


def test_broken_meter_says_so_once_and_the_others_go_on() -> None:
    broken, good = ConstantMeter(error=RuntimeError("bus hangs"), name="broken"), ConstantMeter(GPU)
    monitor = _monitor(Clock(), broken, good)
    monitor.sample()
    monitor.sample()
    failed, gpu = monitor.latest()
    assert failed.provenance == "unavailable"
    assert "bus hangs" in failed.scope
    assert gpu == GPU
    assert (broken.reads, good.reads) == (1, 2)


def test_thread_samples_until_close() -> None:
    meter = ConstantMeter(GPU)
    monitor = PowerMonitor([meter])
    deadline = time.monotonic() + 5
    while meter.reads < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    monitor.close()
    monitor.close()
    reads = meter.reads
    assert reads >= 2
    assert "power" not in {thread.name for thread in threading.enumerate()}
    time.sleep(0.15)
    assert meter.reads == reads


def test_host_reading_prefers_the_whole_then_the_measured() -> None:
    loihi = PowerReading("loihi", 9.0, "estimated", "model")
    assert host_reading((loihi, GPU, BOARD)) == BOARD
    assert host_reading((ESTIMATE, GPU)) == GPU
    assert host_reading((NOTHING, ESTIMATE)) == ESTIMATE
    assert host_reading((loihi,)) is None


def test_rails_of_the_chip_are_never_the_hosts() -> None:
    """A board's own rails are measured: without care they would be charged to the host's stages."""
    rails = tuple(
        PowerReading(rail, 9.0, "measured", "board", whole=rail == "loihi") for rail in ("loihi", "loihi VDD")
    )
    clock = Clock()
    monitor = PowerMonitor((ConstantMeter(GPU),), SnnConstantMeter(*rails), start=False, clock_ns=clock)
    clock.pass_s(1)
    monitor.sample()
    assert monitor.latest() == (GPU, *rails)
    assert monitor.busy_host_w() == pytest.approx(2.0)
    assert host_reading(monitor.latest()) == GPU
    assert monitor.snn_energy(SnnActivity(1, 0, ()), 10_000, 1) == SnnConstantMeter.ENERGY


def test_without_a_chip_its_energy_is_unavailable() -> None:
    assert _monitor(Clock()).snn_energy(SnnActivity(1, 0, ()), 10_000, 1).provenance == "unavailable"
