from __future__ import annotations

import numpy as np
import pytest

from spikebridge.bench import BenchSettings
from spikebridge.bench.measures import measure_emulator
from spikebridge.snn import Emulator, Network
from spikebridge.snn.bench import measure, measure_scaling, measure_steps, moving_edges, paper_network, within
from spikebridge.snn.lava import emulator_comparison, environment
from spikebridge.snn.lava.environment import PYTHON_VARIABLE


def test_figures_are_measured_on_lively_networks() -> None:
    figures = measure_steps(quick=True)
    assert [bound for _, _, bound in figures] == [0.045, 0.06, 10.0]
    assert all(value > 0 for _, value, _ in figures)


def test_the_network_fires_as_trained_ones_do() -> None:
    network = paper_network(3)
    assert network.output_shape == (16, 16, 16)
    counts = moving_edges(network.input_shape, 1000, 20)
    assert 700 < counts.sum() / 20 <= 1000
    _, firing = measure(network, counts, repeats=1)
    assert 0.01 < firing < 0.1


def operations(network: Network, counts: np.ndarray) -> float:
    """Synapses touched and neurons computed in a step, as a mean: what its time is made of."""
    emulator = Emulator(network)
    computed = 0
    for step in counts:
        computed += emulator.awake_neurons
        emulator.step(step)
    synapses = sum(layer.synaptic_events for layer in emulator.activity().layers)
    return (synapses + computed) / len(counts)


def test_operations_grow_with_the_events() -> None:
    network = paper_network(3)
    corner = np.zeros((3, 60, *network.input_shape), np.uint8)
    for counts, side in zip(corner, (12, 36, 108), strict=True):
        counts[..., :side, :side] = moving_edges((2, side, side), side * side // 4, 60)
    few, some, many = (operations(network, counts) for counts in corner)
    assert 3 * few < some
    assert 3 * some < many


@pytest.mark.parametrize(("height", "width"), [(256, 256), (720, 1280)])
def test_operations_do_not_grow_with_the_neurons(height: int, width: int) -> None:
    counts = moving_edges((2, 128, 128), 1000, 60)
    small = operations(paper_network(3), counts)
    large = operations(paper_network(3, height, width), within(counts, height, width))
    assert large < 1.25 * small


def test_a_silent_sensor_costs_nothing_once_all_neurons_rest() -> None:
    network = paper_network(3)
    emulator = Emulator(network)
    for step in moving_edges(network.input_shape, 1000, 20):
        emulator.step(step)
    assert emulator.awake_neurons > 16_384
    for _ in range(200):
        emulator.step(np.zeros(network.input_shape, np.uint8))
    assert emulator.awake_neurons == 0


def test_the_events_stay_the_same_within_a_larger_sensor() -> None:
    counts = moving_edges((2, 16, 24), 50, 3)
    assert np.array_equal(within(counts, 48, 48)[:, :, 16:32, 12:36], counts)
    assert within(counts, 48, 48).sum() == counts.sum()


def test_each_figure_of_the_scaling_is_measured() -> None:
    names, values = zip(*measure_scaling(quick=True), strict=True)
    assert len(set(names)) == 5
    assert all(value > 0 for value in values)


def test_without_lava_one_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PYTHON_VARIABLE, "/no/such/python")
    figures = measure_emulator(BenchSettings(quick=True, recordings=None, model=""))
    (missing,) = [figure for figure in figures if figure.value is None]
    assert "Lava" in missing.name
    assert "/no/such/python" in missing.note
    assert "lava-setup" in missing.note
    assert missing.reached is None


def test_with_lava_both_stand_beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lava's own figures are measured where it is installed; here what becomes of them."""
    monkeypatch.setattr(environment, "status", lambda: (True, "lava", ""))
    compared = emulator_comparison.EmulatorComparison(15.0, 0.125, 200, 0, 7.0, 0.4)
    monkeypatch.setattr(emulator_comparison, "compare", lambda steps: compared)
    *_, lava, emulator, ratio, differing = measure_emulator(BenchSettings(quick=True, recordings=None, model=""))
    assert (lava.value, emulator.value, ratio.value, differing.value) == (15.0, 0.125, 120.0, 0)
    assert (emulator.reached, ratio.reached, differing.reached) == (True, False, True)
