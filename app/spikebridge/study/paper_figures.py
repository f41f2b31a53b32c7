"""The study's figures, in the manner of the paper's Figures 4 to 7, and the bridge that it left unmeasured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from spikebridge.evaluation.charts import Bar, Part, bar_chart
from spikebridge.study.published import ACCURACY
from spikebridge.study.tables import Setting

_Draw: TypeAlias = Callable[[Sequence[Setting]], str]
_SPLIT = ("SNN on Loihi", "", "ANN on this host")


def accuracy(settings: Sequence[Setting]) -> str:
    """Share of right windows by network and interval."""
    colour = {interval: k for k, interval in enumerate(_intervals(settings))}
    groups = _grouped(settings, lambda s: _accuracy_bar(s, colour[s.interval]))
    lowest = min(100 * _mean(s, "window_accuracy") for s in settings)
    legend = [f"I = {interval}" for interval in colour]
    bottom = 10 * (min(lowest, 86.0) // 10) - 10 if lowest > 20 else 0.0
    return bar_chart("Accuracy of one window", groups, legend, "% of windows", bottom)


def host_latency(settings: Sequence[Setting]) -> str:
    """Measured: what one window costs on this host by stage."""
    names = ("snn_host_us", "accumulator_host_us", "ann_host_us")
    groups = _grouped(settings, lambda s: _bar(s, *(Part(k, _mean(s, name) / 1000) for k, name in enumerate(names))))
    return bar_chart("Latency of one window on this host", groups, ("emulator", "accumulator", "ANN"), "ms")


def loihi_latency(settings: Sequence[Setting]) -> str:
    """Estimated for Loihi, measured for the ordinary part."""
    groups = _grouped(
        settings,
        lambda s: _bar(
            s, Part(0, _mean(s, "loihi_window_us") / 1000, estimated=True), Part(2, _mean(s, "ann_host_us") / 1000)
        ),
    )
    return bar_chart("Latency of one window with the SNN on Loihi", groups, _SPLIT, "ms")


def power(settings: Sequence[Setting]) -> str:
    """Mean dynamic power with one decision for each window."""
    groups = _grouped(settings, lambda s: _energy_bar(s, 1e3 / _mean(s, "window_ms")))
    return bar_chart("Dynamic power, a decision each window", groups, _SPLIT, "mW")


def energy(settings: Sequence[Setting]) -> str:
    """Dynamic energy of one decision."""
    return bar_chart("Dynamic energy of one decision", _grouped(settings, _energy_bar), _SPLIT, "mJ")


def bridge(settings: Sequence[Setting]) -> str:
    """Bytes for one window by encoding; only counts depend on the interval."""
    intervals = _intervals(settings)
    groups = []
    for network in dict.fromkeys(s.network for s in settings):
        of = {s.interval: s for s in settings if s.network == network}
        one = next(iter(of.values()))
        bars = [Bar((Part(0, _mean(one, "bridge_bitmap_bytes")),)), Bar((Part(1, _mean(one, _ADDRESS_EVENTS)),))]
        bars += [Bar((Part(2 + k, _mean(of[i], "bridge_count_bytes")),)) for k, i in enumerate(intervals) if i in of]
        groups.append((network, bars))
    legend = ["bitmap", "address events", *(f"counts, I = {interval}" for interval in intervals)]
    return bar_chart("Bytes across the bridge for one window", groups, legend, "bytes", logarithmic=True)


_ADDRESS_EVENTS = "bridge_address_event_bytes"

#: File name → (drawing, caption).
FIGURES: dict[str, tuple[_Draw, str]] = {
    "figure-4-accuracy": (
        accuracy,
        "As the paper's Figure 4. Lines: 95 % intervals over persons, or the range over seeds where there are several. "
        "Diamonds: the paper's values on DVS128 Gesture, as far as stated in numbers.",
    ),
    "figure-5-latency-host": (
        host_latency,
        "As the paper's Figure 5, by interval. Measured, medians; T steps and the flush of the delays.",
    ),
    "figure-5-latency-loihi": (
        loihi_latency,
        "As the paper's Figure 5, by interval. Loihi by the cost model, without input and output; the ANN as measured "
        "on this host, which is no Jetson.",
    ),
    "figure-6-power": (
        power,
        "As the paper's Figure 6, by interval. Estimated. Without static power, which is larger and the same for all "
        "networks with spiking layers; it is in the table.",
    ),
    "figure-7-energy": (
        energy,
        "As the paper's Figure 7, by interval. Estimated: Loihi by the cost model from counted activity, the host by "
        "measured time and assumed watts.",
    ),
    "figure-8-bytes": (
        bridge,
        "What the paper left unmeasured. Address events follow the activity; a bitmap or counts do not. For the "
        "ordinary network the bridge carries the camera's events.",
    ),
}


def _grouped(settings: Sequence[Setting], bar: Callable[[Setting], Bar]) -> list[tuple[str, list[Bar]]]:
    networks = list(dict.fromkeys(s.network for s in settings))
    return [(network, [bar(s) for s in settings if s.network == network]) for network in networks]


def _bar(setting: Setting, *parts: Part) -> Bar:
    return Bar(parts, name=f"{setting.interval}")


def _accuracy_bar(setting: Setting, colour: int) -> Bar:
    low, high = (None if bound is None else 100 * bound for bound in setting.range("window") or (None, None))
    published = ACCURACY.get((setting.network, setting.interval))
    value = Part(colour, 100 * _mean(setting, "window_accuracy"))
    return Bar((value,), low, high, None if published is None else 100 * published)


def _energy_bar(setting: Setting, factor: float = 1.0) -> Bar:
    """Estimated on Loihi and on the host, mJ times ``factor``."""
    loihi_mj, host_mj = _mean(setting, "loihi_dynamic_mj"), _mean(setting, "ann_host_mj")
    return _bar(setting, Part(0, loihi_mj * factor, estimated=True), Part(2, host_mj * factor, estimated=True))


def _intervals(settings: Sequence[Setting]) -> list[int]:
    return sorted({s.interval for s in settings})


def _mean(setting: Setting, column: str) -> float:
    """Over the seeds; nothing to draw where the figure does not exist."""
    return setting.mean(column) or 0.0
