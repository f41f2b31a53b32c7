"""Power of a Loihi 2 board as a meter."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from spikebridge.contracts import Energy, PowerReading, Provenance, SnnActivity
from spikebridge.snn.meter import RAIL

_SINGLE_RAILS = (
    ("vdd_w", f"{RAIL} VDD", "neuro cores, mean of the last step"),
    ("vddm_w", f"{RAIL} VDDM", "memory, mean of the last step"),
    ("vddio_w", f"{RAIL} VDDIO", "input and output, mean of the last step"),
)


class Loihi2Meter:
    """A ``contracts.SnnMeter`` over what the board's own profilers measured; unavailable until they did.

    figures : the latest of them, see ``worker.hardware``; empty without profilers.
    """

    name = "Loihi 2 profiler"

    def __init__(self, figures: Callable[[], Mapping[str, float]]) -> None:
        self._figures = figures

    def read(self) -> tuple[PowerReading, ...]:
        figures = self._figures()
        total_w = figures.get("total_w")
        provenance: Provenance = "unavailable" if total_w is None else "measured"
        scope = "Loihi 2 board, all rails, mean of the last step"
        whole = PowerReading(RAIL, total_w, provenance, scope, whole=True, static_w=figures.get("static_w"))
        rails = [
            PowerReading(rail, figures[key], "measured", scope) for key, rail, scope in _SINGLE_RAILS if key in figures
        ]
        return (whole, *rails)

    def energy(self, activity: SnnActivity, step_us: float, n_decisions: int) -> Energy:
        """Of the steps behind one decision, at the watts of the last one: dynamic power flows while the chip works,
        static power all the time. The profilers do not tell what of the dynamic part a silent step would draw."""
        figures = self._figures()
        total_w, static_w, busy_us = (figures.get(key) for key in ("total_w", "static_w", "step_us"))
        if total_w is None or static_w is None or busy_us is None or n_decisions < 1:
            return Energy(None, "unavailable")
        steps = activity.steps / n_decisions
        return Energy(
            (total_w - static_w) * busy_us * steps * 1e-3,
            "measured",
            static_mj=static_w * step_us * steps * 1e-3,
            static_source="measured by the board's profiler",
        )

    def cost(self, activity: SnnActivity, step_us: float) -> None:
        """The board does not show what its layers do."""

    @property
    def chip_step_us(self) -> float | None:
        """Time of a step on the chip, without the host's input and output; None while not measured."""
        return self._figures().get("step_us")
