"""Time of one emulator step on the paper's networks, measured here and now.

Time is that of the thread on its core (``time.thread_time``): a step computes on one core and waits for nothing, so
this is what it takes where a core is free, and what else runs on the machine does not enter.
"""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.emulator import Emulator
from spikebridge.snn.network import Conv, Network, Neuron, Shape

_CHANNELS = (2, 4, 8, 16, 32, 64, 128)


def paper_network(n_layers: int, height: int = 128, width: int = 128, seed: int = 0) -> Network:
    """The spiking part of SxAy with the paper's neurons and random weights, scaled so that a few percent of the neurons
    fire in a step, as in trained networks."""
    rng = np.random.default_rng(seed)
    layers = []
    for k in range(n_layers):
        fan_in = 9 * _CHANNELS[k]
        # Random weights as wide as trained ones, with a mean below zero that keeps the layers from exciting each other
        # without end.
        scale = 20.0 if k == 0 else 80.0 / np.sqrt(fan_in)
        drawn = rng.normal(-0.25 * scale, scale, (_CHANNELS[k + 1], _CHANNELS[k], 3, 3))
        weight = 2 * np.clip(np.round(drawn), -128, 127).astype(np.int32)
        layers.append(Conv(f"conv{k + 1}", weight, Neuron(1229, 1024, 64), None, (2, 2), (1, 1)))
    return Network((2, height, width), tuple(layers))


def moving_edges(shape: Shape, events: int, steps: int, seed: int = 0) -> NDArray[np.uint8]:
    """(steps, C, H, W) counts of 0 and 1: about nine tenths of the events on two edges that move, as in front of a
    camera, the rest noise over the whole sensor."""
    rng = np.random.default_rng(seed)
    _, height, width = shape
    counts = np.zeros((steps, *shape), np.uint8)
    for t in range(steps):
        for polarity in (0, 1):
            n = events // 2
            y = rng.integers(height // 4, 3 * height // 4, n)
            centre = width / 2 + width / 4 * np.sin(0.05 * t) + (polarity - 0.5) * width / 8 + 8 * np.sin(y / 9)
            x = np.clip(centre + rng.normal(0, width / 24, n), 0, width - 1).astype(int)
            noise = rng.random(n) < 0.1
            x[noise], y[noise] = rng.integers(0, width, noise.sum()), rng.integers(0, height, noise.sum())
            counts[t, polarity, y, x] = 1
    return counts


def measure(network: Network, counts: NDArray[np.uint8], repeats: int) -> tuple[float, float]:
    """Median over ``repeats`` passes of the mean core time of a step in ms; the share of neurons that fire in one."""
    emulator = Emulator(network)
    for step in counts:
        emulator.step(step)
    passes = []
    for _ in range(repeats):
        started = time.thread_time()
        for step in counts:
            emulator.step(step)
        passes.append((time.thread_time() - started) / len(counts))
    activity = emulator.activity()
    fired = sum(layer.spikes for layer in activity.layers)
    return 1e3 * float(np.median(passes)), fired / activity.steps / sum(network.neurons)


def measure_scaling(quick: bool = False) -> list[tuple[str, float]]:
    """(what, ms per step) of the S3 part for more and more events, and for the same events on four times the neurons:
    time follows the events, up to where looking up all windows takes no longer."""
    steps, repeats = (20, 3) if quick else (60, 9)
    figures = []
    for events in (100, 1000, 10_000, 40_000):
        network = paper_network(3)
        counts = moving_edges(network.input_shape, events, steps)
        figures.append((f"S3 128×128, {counts.sum() / steps:,.0f} events", measure(network, counts, repeats)[0]))
    network = paper_network(3, 256, 256)
    counts = within(moving_edges((2, 128, 128), 1000, steps), 256, 256)
    name = f"S3 256×256, the {counts.sum() / steps:,.0f} events of 128×128 in its middle"
    return [*figures, (name, measure(network, counts, repeats)[0])]


def within(counts: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """The same events in the middle of a larger, silent sensor."""
    top, left = (height - counts.shape[2]) // 2, (width - counts.shape[3]) // 2
    return np.pad(
        counts,
        ((0, 0), (0, 0), (top, height - counts.shape[2] - top), (left, width - counts.shape[3] - left)),
    )


def measure_steps(quick: bool = False) -> list[tuple[str, float, float]]:
    """(what, ms per step, bound in ms) for S3 and S6 at 128×128 and S3 at 1280×720."""
    figures = []
    for title, n_layers, (height, width), events, bound in (
        ("S3 128×128", 3, (128, 128), 1000, 0.045),
        ("S6 128×128", 6, (128, 128), 1000, 0.060),
        ("S3 1280×720", 3, (720, 1280), 10_000, 10.0),
    ):
        network = paper_network(n_layers, height, width)
        counts = moving_edges(network.input_shape, events, steps=20 if quick else 60)
        per_step, firing = measure(network, counts, repeats=3 if quick else 15)
        name = f"SNN step {title}, {int(counts.sum() / len(counts))} events, {firing:.1%} firing, core time"
        figures.append((name, per_step, bound))
    return figures
