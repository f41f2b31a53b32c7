"""What counted activity would cost on Loihi: an estimate, dynamic and static energy apart.

Constants: SANA-FE's calibration against Loihi 1 (energy within 12 %, time within 25 % on three applications); static
power: lower end of 0.23–0.28 W measured on one Loihi 2 board.
"""

from __future__ import annotations

from spikebridge.contracts import Energy, LayerActivity, SnnActivity

#: pJ for one synaptic event of a convolution.
SYNAPTIC_EVENT_PJ = 24.0
#: pJ for reading and for updating one neuron, in each step in which it is updated.
NEURON_ACCESS_PJ = 51.2
NEURON_UPDATE_PJ = 21.6
#: pJ for one spike that leaves a neuron, and for the message that carries it.
SPIKE_PJ = 69.3
MESSAGE_PJ = 111.0
STATIC_W = 0.23


def dynamic_pj(layer: LayerActivity) -> float:
    """Dynamic energy of one layer's counts, pJ."""
    return (
        layer.synaptic_events * SYNAPTIC_EVENT_PJ
        + layer.neuron_updates * (NEURON_ACCESS_PJ + NEURON_UPDATE_PJ)
        + layer.spikes * (SPIKE_PJ + MESSAGE_PJ)
    )


def energy_of(activity: SnnActivity, step_us: int, n_decisions: int) -> Energy:
    """Energy of one decision: counts and steps of the run shared out over ``n_decisions``."""
    picojoules = sum(dynamic_pj(layer) for layer in activity.layers)
    static_mj = STATIC_W * activity.steps * step_us * 1e-3
    return Energy(picojoules * 1e-9 / n_decisions, "estimated", static_mj / n_decisions)
