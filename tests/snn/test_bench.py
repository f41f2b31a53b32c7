from __future__ import annotations

import numpy as np

from spikebridge.snn.bench import measure, measure_steps, moving_edges, paper_network


def test_figures_are_measured_on_lively_networks() -> None:
    figures = measure_steps(quick=True)
    assert [bound for _, _, bound in figures] == [0.15, 0.25, 10.0]
    assert all(value > 0 for _, value, _ in figures)


def test_the_network_fires_as_trained_ones_do() -> None:
    network = paper_network(3)
    assert network.output_shape == (16, 16, 16)
    counts = moving_edges(network.input_shape, 1000, 20)
    assert 700 < counts.sum() / 20 <= 1000
    _, firing = measure(network, counts, repeats=1)
    assert 0.01 < firing < 0.1


def test_time_follows_the_events() -> None:
    """A silent 1280×720 sensor costs a fraction of a busy one: neurons at rest are skipped."""
    network = paper_network(2, 720, 1280)
    busy, _ = measure(network, moving_edges(network.input_shape, 20_000, 10), repeats=3)
    silent, _ = measure(network, np.zeros((10, *network.input_shape), np.uint8), repeats=3)
    assert silent < busy / 4
