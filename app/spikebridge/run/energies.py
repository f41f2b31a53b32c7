"""Energy of one decision in each stage."""

from __future__ import annotations

from collections.abc import Mapping

from spikebridge.contracts import Energy, SnnActivity, SnnMeter
from spikebridge.stages import ON_HOST

UNAVAILABLE = Energy(None, "unavailable")


def chip_energy(meter: SnnMeter | None, activity: SnnActivity | None, step_us: int, decisions: int) -> Energy:
    """Of the spiking layers: all steps of the run on their chip, shared by its decisions."""
    if meter is None or activity is None or not decisions:
        return UNAVAILABLE
    return meter.energy(activity, step_us, decisions)


def host_energies(work_us: Mapping[str, float], busy_w: float | None, decisions: int) -> dict[str, Energy]:
    """Of the stages on this host, by key: processor time over the run times the watts of the host while it is busy,
    shared by the run's decisions, whatever the number of steps behind one.

    A share of a shared rail: "estimated" even where the rail itself was measured. µs · W = µJ.
    """
    if busy_w is None or not decisions:
        return dict.fromkeys(ON_HOST, UNAVAILABLE)
    return {key: Energy(work_us[key] * 1e-3 * busy_w / decisions, "estimated") for key in ON_HOST}
