from __future__ import annotations

import threading
import time

import pytest

from spikebridge.contracts import PowerReading
from spikebridge.power import HOST_RAIL, WATTS_PER_BUSY_CORE, PowerMonitor
from spikebridge.testing import FixedMeter, HandClock

BOARD = PowerReading("VDD_IN", 6.0, "measured", "whole board", whole=True)
GPU = PowerReading("VDD_GPU", 2.0, "measured", "rail")
ESTIMATE = PowerReading(HOST_RAIL, 3.0, "estimated", "this process", per_busy_core_w=WATTS_PER_BUSY_CORE)
NOTHING = PowerReading("package-0", None, "unavailable", "permission")


def monitor_of(clock: HandClock, *meters: FixedMeter) -> PowerMonitor:
    return PowerMonitor(meters, clock_ns=clock)


def test_mean_and_energy_weigh_samples_by_their_length() -> None:
    clock, meter = HandClock(), FixedMeter(GPU)
    monitor = monitor_of(clock, meter)
    assert monitor.latest() == ()
    assert monitor.mean_w("VDD_GPU") is None
    clock.pass_s(1)
    monitor.sample()
    meter.readings = (PowerReading("VDD_GPU", 5.0, "measured", "rail"),)
    clock.pass_s(3)
    monitor.sample()
    assert monitor.mean_w("VDD_GPU") == (2.0 + 15.0) / 4
    assert monitor.energy_mj("VDD_GPU") == 17_000
    assert monitor.latest() == meter.readings


def test_time_without_a_figure_does_not_count() -> None:
    clock, meter = HandClock(), FixedMeter(NOTHING)
    monitor = monitor_of(clock, meter)
    clock.pass_s(10)
    monitor.sample()
    assert monitor.energy_mj("package-0") is None
    meter.readings = (PowerReading("package-0", 4.0, "measured", "package"),)
    clock.pass_s(1)
    monitor.sample()
    assert monitor.mean_w("package-0") == pytest.approx(4.0)
    assert monitor.energy_mj("package-0") == pytest.approx(4_000)


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
    clock = HandClock()
    monitor = monitor_of(clock, FixedMeter(*readings))
    clock.pass_s(0.1)
    monitor.sample()
    assert monitor.busy_host_w() == (None if watts is None else pytest.approx(watts))


def test_an_estimates_watts_are_known_before_its_second_reading() -> None:
    """So that a run shorter than that has its energy."""
    waiting = PowerReading(HOST_RAIL, None, "unavailable", "waiting", per_busy_core_w=8.0)
    monitor = monitor_of(HandClock(), FixedMeter(waiting))
    monitor.sample()
    assert monitor.busy_host_w() == 8.0


def test_broken_meter_says_so_once_and_the_others_go_on() -> None:
    broken, good = FixedMeter(error=RuntimeError("bus hangs"), name="broken"), FixedMeter(GPU)
    monitor = monitor_of(HandClock(), broken, good)
    monitor.sample()
    monitor.sample()
    failed, gpu = monitor.latest()
    assert (failed.rail, failed.watts, failed.provenance) == ("broken", None, "unavailable")
    assert failed.scope == "broken failed: bus hangs"
    assert gpu == GPU
    assert (broken.reads, good.reads) == (1, 2)


def test_two_meters_of_one_name_fail_apart() -> None:
    broken, good = FixedMeter(error=RuntimeError("bus hangs")), FixedMeter(GPU)
    monitor = monitor_of(HandClock(), broken, good)
    for _ in range(2):
        monitor.sample()
    assert monitor.latest()[1] == GPU


def test_thread_samples_until_close() -> None:
    meter = FixedMeter(GPU)
    monitor = PowerMonitor([meter])
    monitor.start()
    (thread,) = (thread for thread in threading.enumerate() if thread.name == "spikebridge-power")
    # A meter that hangs must not keep the program from ending.
    assert thread.daemon
    deadline = time.monotonic() + 5
    while meter.reads < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    monitor.close()
    monitor.close()
    reads = meter.reads
    assert reads >= 2
    assert "spikebridge-power" not in {thread.name for thread in threading.enumerate()}
    time.sleep(0.15)
    assert meter.reads == reads


def test_each_lane_has_its_chip_and_the_host_has_none_of_them() -> None:
    """A board's own rails are measured: without care they would be charged to the host's stages."""
    clock = HandClock()
    chips = {lane: PowerReading("loihi", watts, "measured", "chip", whole=True) for lane, watts in (("a", 9), ("b", 7))}
    monitor = monitor_of(clock, FixedMeter(GPU))
    for lane, reading in chips.items():
        monitor.watch_chip(lane, FixedMeter(reading))
    assert monitor.chip("a") == ()
    clock.pass_s(1)
    monitor.sample()
    assert monitor.latest() == (GPU,)
    assert (monitor.chip("a"), monitor.chip("b"), monitor.chip("c")) == ((chips["a"],), (chips["b"],), ())
    assert monitor.busy_host_w() == pytest.approx(2.0)
    assert monitor.mean_w("loihi") is None
