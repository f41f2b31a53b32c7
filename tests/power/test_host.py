from __future__ import annotations

import pytest

from spikebridge.contracts import PowerReading
from spikebridge.power import HostMeter
from spikebridge.testing import HandClock

WAITING = PowerReading("host", None, "unavailable", "this process: waiting for the second reading", per_busy_core_w=8.0)


def test_watts_follow_busy_cores_and_are_called_an_estimate() -> None:
    """Three seconds of processor time in two are one and a half cores of 8 W each."""
    wall, cpu = HandClock(), HandClock()
    meter = HostMeter(wall, cpu)
    assert meter.name == "Host estimate"
    assert meter.read() == (WAITING,)
    wall.pass_s(2)
    cpu.pass_s(3)
    scope = "this process: CPU time × 8 W per busy core (assumed), idle power not included"
    reading = PowerReading("host", 12.0, "estimated", scope, per_busy_core_w=8.0)
    assert meter.read() == (reading,)
    # Nothing is known of no time.
    assert meter.read() == (reading,)


def test_each_reading_is_of_the_time_since_the_last_one() -> None:
    wall, cpu = HandClock(), HandClock()
    meter = HostMeter(wall, cpu)
    for busy_s, watts in ((0.5, 4.0), (0.25, 2.0)):
        wall.pass_s(1)
        cpu.pass_s(busy_s)
        assert meter.read()[0].watts == pytest.approx(watts)


def test_idle_process_draws_nothing_of_its_own() -> None:
    wall = HandClock()
    meter = HostMeter(wall, HandClock())
    wall.pass_s(1)
    assert meter.read()[0].watts == 0.0
