"""The study's figures, in the manner of the paper's Figures 4 to 7, and the bridge that it left unmeasured."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spikebridge.evaluation.charts import Bar, Part, bar_chart
from spikebridge.study.published import ACCURACY
from spikebridge.study.tables import Setting

_Draw = Callable[[Sequence[Setting]], str]


def accuracy(settings: Sequence[Setting]) -> str:
    """Share of right windows by network and interval."""
    colour = {interval: k for k, interval in enumerate(_intervals(settings))}
    groups = _grouped(settings, lambda s: _accuracy_bar(s, colour[s.interval]))
    lowest = min(100 * s["window_accuracy"] for s in settings)
    legend = [f"I = {interval}" for interval in colour]
    bottom = 10 * (min(lowest, 86.0) // 10) - 10 if lowest > 20 else 0.0
    return bar_chart("Accuracy of one window", groups, legend, "% of windows", bottom)


def host_latency(settings: Sequence[Setting]) -> str:
    """Measured: what one window costs on this host by stage."""
    names = ("snn_host_us", "accumulator_host_us", "ann_host_us")
    groups = _grouped(settings, lambda s: Bar(tuple(Part(k, s[name] / 1000) for k, name in enumerate(names))))
    return bar_chart("Latency of one window on this host", groups, ("emulator", "accumulator", "ANN"), "ms")


def loihi_latency(settings: Sequence[Setting]) -> str:
    """Estimated for Loihi, measured for the ordinary part."""
    groups = _grouped(
        settings,
        lambda s: Bar((Part(0, (s["loihi_window_us"] or 0.0) / 1000, True), Part(2, s["ann_host_us"] / 1000))),
    )
    legend = ("SNN on Loihi", "", "ANN on this host")
    return bar_chart("Latency of one window with the SNN on Loihi", groups, legend, "ms")


def power(settings: Sequence[Setting]) -> str:
    """Mean dynamic power with one decision for each window."""
    groups = _grouped(
        settings,
        lambda s: Bar((Part(0, _mw(s, s["loihi_dynamic_mj"]), True), Part(2, _mw(s, s["ann_host_mj"]), True))),
    )
    return bar_chart("Dynamic power, a decision each window", groups, ("SNN on Loihi", "", "ANN on this host"), "mW")


def energy(settings: Sequence[Setting]) -> str:
    """Dynamic energy of one decision."""
    groups = _grouped(
        settings, lambda s: Bar((Part(0, s["loihi_dynamic_mj"] or 0.0, True), Part(2, s["ann_host_mj"], True)))
    )
    return bar_chart("Dynamic energy of one decision", groups, ("SNN on Loihi", "", "ANN on this host"), "mJ")


def bridge(settings: Sequence[Setting]) -> str:
    """Bytes for one window by encoding; counts depend on the interval."""
    names = list(dict.fromkeys(s.network for s in settings))
    intervals = _intervals(settings)
    groups = []
    for name in names:
        of = {s.interval: s for s in settings if s.network == name}
        one = next(iter(of.values()))
        bars = [Bar((Part(0, one["bridge_bitmap_bytes"]),)), Bar((Part(1, one["bridge_address_event_bytes"]),))]
        bars += [Bar((Part(2 + k, of[i]["bridge_count_bytes"]),)) for k, i in enumerate(intervals) if i in of]
        groups.append((name, bars))
    legend = ["bitmap", "address events", *(f"counts, I = {interval}" for interval in intervals)]
    return bar_chart("Bytes across the bridge for one window", groups, legend, "bytes", logarithmic=True)


#: File name → (drawing, caption).
FIGURES: dict[str, tuple[_Draw, str]] = {
    "figure-4-accuracy": (
        accuracy,
        "As the paper's Figure 4. Lines: 95 % intervals over persons, or the range over seeds where there are several. "
        "Diamonds: the paper's values on DVS128 Gesture, as far as stated in numbers.",
    ),
    "figure-5-latency-host": (
        host_latency,
        "As the paper's Figure 5. Measured, medians; T steps and the flush of the delays. Bars from small I to large.",
    ),
    "figure-5-latency-loihi": (
        loihi_latency,
        "As the paper's Figure 5. Loihi by the cost model, without input and output; the ANN as measured on this host, "
        "which is no Jetson. Bars from small I to large.",
    ),
    "figure-6-power": (
        power,
        "As the paper's Figure 6. Estimated. Without static power, which is larger and the same for all networks with "
        "spiking layers; it is in the table. Bars from small I to large.",
    ),
    "figure-7-energy": (
        energy,
        "As the paper's Figure 7. Estimated: Loihi by the cost model from counted activity, the host by measured time "
        "and assumed watts. Bars from small I to large.",
    ),
    "figure-8-bytes": (
        bridge,
        "What the paper left unmeasured. Address events follow the activity; a bitmap or counts do not. For the "
        "ordinary network the bridge carries the camera's events. Bars from left to right as in the legend.",
    ),
}


def _grouped(settings: Sequence[Setting], bar: Callable[[Setting], Bar]) -> list[tuple[str, list[Bar]]]:
    names = list(dict.fromkeys(s.network for s in settings))
    return [(name, [bar(s) for s in settings if s.network == name]) for name in names]


def _accuracy_bar(setting: Setting, colour: int) -> Bar:
    low, high = (None if bound is None else 100 * bound for bound in setting.range("window") or (None, None))
    published = ACCURACY.get((setting.network, setting.interval))
    value = Part(colour, 100 * setting["window_accuracy"])
    return Bar((value,), low, high, None if published is None else 100 * published)


def _intervals(settings: Sequence[Setting]) -> list[int]:
    return sorted({s.interval for s in settings})


def _mw(setting: Setting, energy_mj: float | None) -> float:
    """Mean power over a window."""
    return (energy_mj or 0.0) / setting["window_ms"] * 1e3 if setting["window_ms"] else 0.0
