"""The network family: names, shapes, what cannot be."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the train extra (torch)")

from spikebridge.contracts import LABELS  # noqa: E402
from spikebridge.errors import UsageError  # noqa: E402
from spikebridge.training.network import HybridNetwork, NetworkSpec, SpikeCounter, parse_name  # noqa: E402
from standin_clips import random_batch  # noqa: E402


def test_names_of_the_family():
    assert parse_name("ann").name == "ann"
    assert parse_name("S3A3").spikes_shape == (16, 16, 16)
    assert parse_name("s6a0").features_shape == (512, 2, 2)
    for wrong in ("s3a4", "cnn", "s7a-1"):
        with pytest.raises(UsageError):
            parse_name(wrong)
    with pytest.raises(UsageError, match="divide"):
        parse_name("s2a4", interval_steps=3)


@pytest.mark.parametrize("spiking", range(7))
def test_every_member_runs(spiking):
    network = HybridNetwork(NetworkSpec(spiking, window_steps=4, interval_steps=2)).eval()
    with torch.no_grad():
        logits, spikes = network(random_batch(1, 4, 300))
    assert logits.shape == (1, len(LABELS))
    assert spikes.shape == (1, spiking)


def test_a_network_that_cannot_be_is_refused():
    for settings, found in (
        ({"interval_steps": 5}, "divide"),
        ({"step_us": 150}, "multiple of 100"),
    ):
        with pytest.raises(UsageError, match=found):
            parse_name("s2a4", **settings)
    with pytest.raises(UsageError, match="found 's2a5'"):
        parse_name("s2a5")
    with pytest.raises(UsageError, match="width of at least 1"):
        NetworkSpec(2, width=0)
    with pytest.raises(UsageError, match="six spiking"):
        NetworkSpec(2, spiking_head=True)


def test_ordinary_layers_are_widened_up_to_the_last():
    assert NetworkSpec(2).ordinary_channels == (16, 32, 64, 128)
    assert NetworkSpec(2, width=3).ordinary_channels == (48, 96, 128, 128)


def test_sizes_by_hand():
    """S2A4: 4 x 64 x 64 and 8 x 32 x 32 neurons; the pure SNN has a head of 128 and 11 behind its last 2 x 2."""
    assert NetworkSpec(2).neurons == (16384, 8192)
    pure = parse_name("snn")
    assert pure.neurons[5:] == (512, 128, 11)
    assert (pure.spiking_layers, pure.spikes_shape, pure.features_shape) == (8, (11, 1, 1), (44, 1, 1))


def test_a_specification_comes_back_from_json():
    for spec in (NetworkSpec(3, width=2), dataclasses.replace(parse_name("snn"), control="shuffled")):
        assert NetworkSpec.from_record(json.loads(json.dumps(spec.record()))) == spec


def test_spikes_are_counted_over_all_intervals():
    """Class 2 spiked 3 + 1 times, class 5 once: gain times the counts, however they fall."""
    counter = SpikeCounter(NetworkSpec(6, window_steps=4, interval_steps=2, spiking_head=True))
    counts = torch.zeros(1, 22, 1, 1)
    counts[0, 2 * 2], counts[0, 2 * 2 + 1], counts[0, 5 * 2] = 3.0, 1.0, 1.0
    logits = counter(counts)[0] / counter.gain
    assert logits.tolist() == [0, 0, 4, 0, 0, 1, 0, 0, 0, 0, 0]


def test_an_ordinary_control_sees_shuffled_steps():
    """The accumulator loses the order within an interval only: with one step each, shuffled features differ."""
    spec = NetworkSpec(0, window_steps=4, interval_steps=1)
    events = random_batch(1, 4, 50)
    plain, _ = HybridNetwork(spec).features(events)
    control = HybridNetwork(dataclasses.replace(spec, control="shuffled")).eval()
    shuffled, again = control.features(events)[0], control.features(events)[0]
    assert torch.equal(shuffled, again)
    assert not torch.equal(shuffled, plain)
    assert np.array_equal(np.sort(shuffled.sum((2, 3)).numpy()), np.sort(plain.sum((2, 3)).numpy()))
