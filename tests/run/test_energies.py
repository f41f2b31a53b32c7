from __future__ import annotations

import pytest

from spikebridge.contracts import Energy, LayerActivity, SnnActivity
from spikebridge.run.energies import UNAVAILABLE, chip_energy, host_energies
from spikebridge.stages import ON_HOST
from spikebridge.testing import FixedSnnMeter

ACTIVITY = SnnActivity(32, 5, (LayerActivity("a", 1, 2, 3, 4),))


def test_host_energy_is_all_work_of_the_run_shared_by_its_decisions() -> None:
    """320 steps of 29.8 µs at 8 W are 76.288 mJ, 3.8144 for each of 20 decisions: all 16 steps behind one count."""
    energies = host_energies(dict.fromkeys(ON_HOST, 0.0) | {"bin": 320 * 29.8, "ann": 20 * 500.0}, 8.0, 20)
    assert energies["bin"] == Energy(pytest.approx(3.8144), "estimated")
    assert energies["ann"] == Energy(pytest.approx(4.0), "estimated")
    assert set(energies) == set(ON_HOST)
    assert "snn" not in energies


@pytest.mark.parametrize(("watts", "decisions"), [(None, 3), (8.0, 0)])
def test_without_watts_or_decisions_there_is_no_figure(watts: float | None, decisions: int) -> None:
    assert host_energies(dict.fromkeys(ON_HOST, 1.0), watts, decisions) == dict.fromkeys(ON_HOST, UNAVAILABLE)


def test_chip_energy_is_the_meters() -> None:
    """32 steps and 4 decisions: eight steps each."""
    meter = FixedSnnMeter(Energy(0.25, "estimated", 0.5, 2.0, "a board"))
    assert chip_energy(meter, ACTIVITY, 10_000, 4) == Energy(2.0, "estimated", 4.0, 16.0, "a board")
    assert chip_energy(None, ACTIVITY, 10_000, 4) == UNAVAILABLE
    assert chip_energy(meter, None, 10_000, 4) == UNAVAILABLE
    assert chip_energy(meter, ACTIVITY, 10_000, 0) == UNAVAILABLE
