"""The spiking neuron in SLAYER's parameters, and in Loihi's integers."""

from __future__ import annotations

from dataclasses import dataclass

from spikebridge.training.spiking_kernels import DECAY_ONE

#: SLAYER's weight scale: a threshold of 1 becomes the mantissa 64.
WEIGHT_SCALE = 64


@dataclass(frozen=True, slots=True)
class NeuronSpec:
    """A current-based leaky integrate-and-fire neuron (SLAYER's CUBA).

    threshold : of the voltage. current_decay, voltage_decay : share that is lost in a step. tau_grad, scale_grad : of
    the surrogate gradient, as SLAYER scales it.
    """

    threshold: float = 1.0
    current_decay: float = 0.3
    voltage_decay: float = 0.25
    tau_grad: float = 0.01
    scale_grad: float = 10.0

    @property
    def current_decay_bits(self) -> int:
        """SLAYER's ``iDecay``; Loihi's ``du`` is one less."""
        return round(self.current_decay * DECAY_ONE)

    @property
    def voltage_decay_bits(self) -> int:
        """SLAYER's ``vDecay``, Loihi's ``dv``."""
        return round(self.voltage_decay * DECAY_ONE)

    @property
    def threshold_mantissa(self) -> int:
        """SLAYER's ``vThMant``."""
        return int(self.threshold * WEIGHT_SCALE)
