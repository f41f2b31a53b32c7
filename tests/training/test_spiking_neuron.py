"""SLAYER's parameters as Loihi's integers."""

from __future__ import annotations

from spikebridge.training.spiking_neuron import NeuronSpec


def test_the_usual_neuron():
    spec = NeuronSpec()
    assert (spec.current_decay_bits, spec.voltage_decay_bits, spec.threshold_mantissa) == (1229, 1024, 64)


def test_thresholds_are_cut_and_decays_rounded():
    spec = NeuronSpec(threshold=1.99, current_decay=0.5, voltage_decay=0.0001)
    assert (spec.current_decay_bits, spec.voltage_decay_bits, spec.threshold_mantissa) == (2048, 0, 127)
