from __future__ import annotations

import pytest

from spikebridge.power import WATTS_PER_BUSY_CORE, HostMeter
from spikebridge.testing import HandClock


def test_watts_follow_busy_cores_and_are_called_an_estimate() -> None:
    wall, cpu = HandClock(), HandClock()
    meter = HostMeter(wall, cpu)
    assert meter.read()[0].provenance == "unavailable"
    wall.pass_s(2)
    cpu.pass_s(3)
    (reading,) = meter.read()
    assert reading.watts == pytest.approx(1.5 * WATTS_PER_BUSY_CORE)
    assert reading.provenance == "estimated"
    assert "assumed" in reading.scope


def test_idle_process_draws_nothing_of_its_own() -> None:
    wall = HandClock()
    meter = HostMeter(wall, HandClock())
    wall.pass_s(1)
    assert meter.read()[0].watts == 0.0
