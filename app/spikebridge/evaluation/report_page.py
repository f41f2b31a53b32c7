"""The report of ``evaluate``: one page for one or several bundles; its sections serve the study's report as well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from spikebridge.contracts import LABELS
from spikebridge.evaluation.charts import Bar, Line, Part, bar_chart, line_chart, shade_chart
from spikebridge.evaluation.html_page import figure, heading, page, sentence, share, table

Summary = Mapping[str, Any]
_MOST_ROWS, _MOST_NAMES = 40, 4
_STAGES = ("bin", "snn", "accumulator", "ann", "decision")


def evaluation_page(reports: Mapping[str, Mapping[str, Any]], data: str) -> str:
    """reports : by bundle ``summary``, from ``summary.summarise``, and ``cases``, from ``summary.describe``."""
    return page("Evaluation", _parts(reports, data))


def _parts(reports: Mapping[str, Mapping[str, Any]], data: str) -> Iterator[str]:
    summaries: dict[str, Summary] = {name: report["summary"] for name, report in reports.items()}
    first = next(iter(summaries.values()))
    persons = "one person" if first["persons"] == 1 else f"{first['persons']} persons"
    yield sentence(
        f"Measured on {data}: {first['cases']} clips of {persons}, {first['windows']} windows. "
        "Intervals are 95 %, from persons drawn with replacement; there is none for fewer than three persons."
    )
    yield accuracy_table(summaries)
    yield observation_figure(summaries)
    yield latency_figure(summaries)
    yield cost_table(summaries)
    for name, report in reports.items():
        yield heading(name)
        yield from case_table(report["cases"])
        yield figure(
            shade_chart("Windows by true and named class", LABELS, report["summary"]["confusion"]),
            "Rows are true, columns named classes; 160 ms windows from reset, the paper's protocol.",
        )
        yield reliability_figure(report["summary"])


def case_table(cases: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Every clip, or of many those alone that were named wrongly."""
    shown = [case for case in cases if len(cases) <= _MOST_ROWS or case["clip"] != case["label"]]
    rows = [
        (case["name"], *(case[key].replace("_", " ") for key in ("label", "clip")), _of(case), _named(case["named"]))
        for case in shown[:_MOST_ROWS]
    ]
    if len(cases) > _MOST_ROWS:
        left_out = f", the first {_MOST_ROWS} of them" if len(shown) > _MOST_ROWS else ""
        yield sentence(f"{len(shown)} of {len(cases)} clips were named wrongly{left_out}:")
    if rows:
        yield table(("clip", "is", "named", "windows right", "named while streaming"), rows)


def _of(case: Mapping[str, Any]) -> str:
    return f"{case['windows_right']} of {case['windows']}"


def _named(counts: Mapping[str, int]) -> str:
    """Shares of the streaming decisions, largest first."""
    total = sum(counts.values())
    order = sorted(counts.items(), key=lambda item: -item[1])[:_MOST_NAMES]
    return ", ".join(
        f"{'nothing' if label == 'None' else label.replace('_', ' ')} {count / total:.0%}" for label, count in order
    )


def accuracy_table(summaries: Mapping[str, Summary]) -> str:
    """Accuracies, onset latencies and false gestures by bundle."""

    def at(summary: Summary, key: str) -> str:
        return share(summary[key]["value"], summary[key]["interval"])

    rows = []
    for name, summary in summaries.items():
        onset, stable = summary["onset_to_first_right_ms"], summary["onset_to_stable_ms"]
        quiet = summary.get("quiet", {})
        rows.append(
            (
                name,
                *(at(summary, key) for key in _SHARES),
                summary["calibration"]["error"],
                onset["n"],
                *(onset[key] for key in ("median", "p90", "missing")),
                stable["median"],
                *(quiet.get(kind, {}).get("per_minute") for kind in ("still", "walking in")),
            )
        )
    return table(
        (
            *("bundle", *_SHARES.values(), "calibration error", "onsets", "first right, median ms", "90 % ms"),
            *("never", "stable, median ms", "false gestures a minute: still", "walking in"),
        ),
        rows,
    )


_SHARES = {
    "window_accuracy": "windows",
    "stream_accuracy": "streaming decisions",
    "stream_named_right": "named right",
    "clip_accuracy": "clips",
}


def observation_figure(summaries: Mapping[str, Summary]) -> str:
    """Streaming accuracy over the time that a gesture has been seen."""
    lines = [
        Line(name, tuple(zip(summary["observation"]["ms"], summary["observation"]["right"], strict=True)))
        for name, summary in summaries.items()
    ]
    return figure(
        line_chart("Right decisions over observation time", lines, "ms since the gesture was first seen", "share", 1.0),
        "Streaming: the class with the highest smoothed probability at each time since the onset, or since the clip's "
        "start where it begins within the gesture.",
    )


def reliability_figure(summary: Summary) -> str:
    """Share of right windows over the confidence that they were named with."""
    bins = summary["calibration"]["bins"]
    seen = Line("windows", tuple((row["confidence"], row["right"]) for row in bins))
    return figure(
        line_chart(
            "Calibration", [seen, Line("ideal", ((0, 0), (1, 1)), dashed=True)], "confidence", "share right", 1.0
        ),
        f"Expected calibration error {summary['calibration']['error']:.3f}.",
    )


def latency_figure(summaries: Mapping[str, Summary]) -> str:
    """Median and 95 % host time of one streaming step by stage."""
    groups = []
    for name, summary in summaries.items():
        latency = summary["latency_us"]
        bars = [
            Bar(tuple(Part(k, latency[stage][quantile]) for k, stage in enumerate(_STAGES)))
            for quantile in ("p50", "p95")
        ]
        groups.append((name, bars))
    return figure(
        bar_chart("Host time of one streaming step", groups, _STAGES, "µs"),
        "Measured on this host; the SNN is the emulator. Left bar: medians of the stages, right bar: their 95th "
        "percentiles, on top of each other.",
    )


def cost_table(summaries: Mapping[str, Summary]) -> str:
    """Spikes, bytes across the bridge and energy for one window."""

    def value(window: Summary, key: str) -> Any:
        return window.get(key, {}).get("value")

    rows = []
    for name, summary in summaries.items():
        window = summary["per_window"]
        sent = window["bridge_bytes"]
        rows.append(
            (
                *(name, window.get("spikes", {}).get("total"), window["spikes_across_the_bridge"]),
                *(sent["bitmap"], sent["address_event"], sent["counts"]),
                *(value(window, "loihi_dynamic_mj"), value(window, "loihi_static_mj"), value(window, "ann_mj")),
                *(window["host_us"]["snn"], value(window, "loihi_us"), window["host_us"]["ann"]),
            )
        )
    return table(
        (
            *("one window", "spikes", "across the bridge", "as bitmap, bytes", "as address events", "as counts"),
            *("Loihi dynamic mJ (estimated)", "static mJ (estimated)", "ANN on host mJ (estimated)"),
            *("SNN on host µs (measured)", "SNN on Loihi µs (estimated)", "ANN on host µs (measured)"),
        ),
        rows,
    )
