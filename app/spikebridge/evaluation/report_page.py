"""The report of ``evaluate`` as a page, for one or several bundles; the study's report has some of its sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from spikebridge.contracts import LABELS
from spikebridge.evaluation.charts import Bar, Line, Part, bar_chart, line_chart, shade_chart
from spikebridge.evaluation.html_page import figure, heading, page, sentence, share, table
from spikebridge.evaluation.records import CaseReport, Report, Share, Summary
from spikebridge.stages import STAGES, WORKING

_MOST_ROWS, _MOST_NAMES = 40, 4
_QUIET = ("still", "walking in")


def evaluation_page(reports: Mapping[str, Report], data: str) -> str:
    """reports : by bundle. data : what they were measured on, for the reader."""
    return page("Evaluation", _parts(reports, data))


def _parts(reports: Mapping[str, Report], data: str) -> Iterator[str]:
    summaries = {name: report["summary"] for name, report in reports.items()}
    first = next(iter(summaries.values()))
    persons = "one person" if first["persons"] == 1 else f"{first['persons']} persons"
    yield sentence(
        f"Measured on {data}: {first['cases']} clips of {persons}, {first['windows']} windows. "
        "Intervals are 95 %, from persons drawn with replacement; there is none for fewer than three persons."
    )
    yield accuracy_table(summaries)
    yield observation_figure(summaries)
    yield _latency_figure(summaries)
    yield _cost_table(summaries)
    for name, report in reports.items():
        yield heading(name)
        yield from _case_table(report["cases"])
        yield figure(
            shade_chart("Windows by true and named class", LABELS, report["summary"]["confusion"]),
            "Rows are true classes, columns named ones; 160 ms windows from reset, the paper's protocol.",
        )
        yield _reliability_figure(report["summary"])


def accuracy_table(summaries: Mapping[str, Summary]) -> str:
    """Accuracies, onset latencies and false gestures by bundle."""
    return table(
        (
            *("bundle", "windows", "streaming decisions", "named right", "clips", "calibration error"),
            *("onsets", "first right, median ms", "90 % ms", "never", "stable, median ms"),
            *("false gestures a minute: still", "walking in"),
        ),
        [(name, *_accuracies(summary)) for name, summary in summaries.items()],
    )


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


def _accuracies(summary: Summary) -> tuple[object, ...]:
    onset, stable = summary["onset_to_first_right_ms"], summary["onset_to_stable_ms"]
    quiet = summary.get("quiet", {})
    return (
        *map(_share, (summary["window_accuracy"], summary["stream_accuracy"])),
        *map(_share, (summary["stream_named_right"], summary["clip_accuracy"])),
        summary["calibration"]["error"],
        *(onset["n"], onset["median"], onset["p90"], onset["missing"], stable["median"]),
        *(quiet[kind]["per_minute"] if kind in quiet else None for kind in _QUIET),
    )


def _share(found: Share) -> str:
    return share(found["value"], found["interval"])


def _reliability_figure(summary: Summary) -> str:
    """Share of right windows over the confidence that they were named with."""
    bins = summary["calibration"]["bins"]
    seen = Line("windows", tuple((row["confidence"], row["right"]) for row in bins))
    ideal = Line("ideal", ((0, 0), (1, 1)), dashed=True)
    return figure(
        line_chart("Calibration", [seen, ideal], "confidence", "share right", 1.0),
        f"Expected calibration error {summary['calibration']['error']:.3f}.",
    )


def _latency_figure(summaries: Mapping[str, Summary]) -> str:
    """Median and 95th percentile of the host time of one streaming step, by stage."""
    groups = []
    for name, summary in summaries.items():
        latency = summary["latency_us"]
        bars = [
            Bar(tuple(Part(k, latency[stage][key]) for k, stage in enumerate(WORKING)), name=words)
            for key, words in (("p50", "median"), ("p95", "95 %"))
        ]
        groups.append((name, bars))
    return figure(
        bar_chart(
            "Host time of one streaming step", groups, [stage.title for stage in STAGES if not stage.waits], "µs"
        ),
        "Measured on this host; the SNN is the emulator. Medians of the stages on top of each other, and beside them "
        "their 95th percentiles.",
    )


def _cost_table(summaries: Mapping[str, Summary]) -> str:
    """Spikes, bytes across the bridge, energy and time of one window."""
    return table(
        (
            *("one window", "spikes", "across the bridge", "as bitmap, bytes", "as address events", "as counts"),
            *("Loihi dynamic mJ (estimated)", "static mJ (estimated)", "ANN on host mJ (estimated)"),
            *("SNN on host µs (measured)", "SNN on Loihi µs (estimated)", "ANN on host µs (measured)"),
        ),
        [(name, *_window_costs(summary)) for name, summary in summaries.items()],
    )


def _window_costs(summary: Summary) -> tuple[object, ...]:
    window = summary["per_window"]
    sent, host = window["bridge_bytes"], window["host_us"]
    spiking = "spikes" in window
    return (
        window["spikes"]["total"] if spiking else None,
        window["spikes_across_the_bridge"],
        *(sent["bitmap"], sent["address_event"], sent["counts"]),
        window["loihi_dynamic_mj"]["value"] if spiking else None,
        window["loihi_static_mj"]["value"] if spiking else None,
        window["ann_mj"]["value"],
        host["snn"],
        window["loihi_us"]["value"] if spiking else None,
        host["ann"],
    )


def _case_table(cases: Sequence[CaseReport]) -> Iterator[str]:
    """Every clip, or, of many, only those that were named wrongly."""
    shown = [case for case in cases if len(cases) <= _MOST_ROWS or case["clip"] != case["label"]]
    if len(cases) > _MOST_ROWS:
        first = f", the first {_MOST_ROWS} of them" if len(shown) > _MOST_ROWS else ""
        yield sentence(f"{len(shown)} of {len(cases)} clips were named wrongly{first}:")
    if shown:
        yield table(
            ("clip", "is", "named", "windows right", "named while streaming"),
            [_case_row(case) for case in shown[:_MOST_ROWS]],
        )


def _case_row(case: CaseReport) -> tuple[str, ...]:
    right = f"{case['windows_right']} of {case['windows']}"
    return case["name"], _plain(case["label"]), _plain(case["clip"]), right, _named(case["named"])


def _named(counts: Mapping[str, int]) -> str:
    """Shares of the settled decisions, largest first."""
    total = sum(counts.values())
    order = sorted(counts.items(), key=lambda item: -item[1])[:_MOST_NAMES]
    return ", ".join(f"{'nothing' if name == 'None' else _plain(name)} {count / total:.0%}" for name, count in order)


def _plain(label: str) -> str:
    return label.replace("_", " ")
