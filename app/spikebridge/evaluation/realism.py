"""How events of simulated clips compare with those of real ones, class by class."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass, fields

import numpy as np

from spikebridge.contracts import LABELS
from spikebridge.evaluation.cases import Case
from spikebridge.events import EventArray

#: Sensor of the network; both sides of a comparison are mapped onto it.
_SIDE = 128
#: A pixel counts as touched by the gesture from this many events on; fewer are noise.
_TOUCHED = 3
_LONGEST_US = 1_500_000


@dataclass(frozen=True, slots=True)
class EventStatistics:
    """Of the first 1.5 s of a clip.

    rate_khz : thousand events per second. on_share : of all events. rate_variation : of the rate in bins of 10 ms,
    standard deviation over mean. pixels : with at least three events. spread_x, spread_y : standard deviation of these
    pixels' places, px. repeat_ms : median time between two events of a pixel. repeats_1ms : share of repeats within
    1 ms. same_polarity : share of repeats with the polarity of the event before.
    """

    rate_khz: float
    on_share: float
    rate_variation: float
    pixels: float
    spread_x: float
    spread_y: float
    repeat_ms: float
    repeats_1ms: float
    same_polarity: float


#: Column heads of a table of statistics and how their numbers are written.
_COLUMNS = (
    ("k events/s", ".0f"),
    ("ON", ".2f"),
    ("variation 10 ms", ".2f"),
    ("pixels", ".0f"),
    ("σx px", ".0f"),
    ("σy px", ".0f"),
    ("repeat ms", ".1f"),
    ("within 1 ms", ".2f"),
    ("same polarity", ".2f"),
)


def statistics(events: EventArray) -> EventStatistics | None:
    """Of events on 128x128 pixels; None where there are too few to tell."""
    events = events[events["t"] < events["t"][0] + _LONGEST_US] if events.size else events
    if events.size < 100:
        return None
    t, x, y = (events[name].astype(np.int64) for name in ("t", "x", "y"))
    duration_us = max(int(t[-1] - t[0]), 1)
    per_bin = np.bincount((t - t[0]) // 10_000)[:-1]
    pixel = y * _SIDE + x
    touched = np.flatnonzero(np.bincount(pixel, minlength=_SIDE * _SIDE) >= _TOUCHED)
    order = np.lexsort((t, pixel))
    again = np.diff(pixel[order]) == 0
    gap_us = np.diff(t[order])[again]
    same = (np.diff(events["polarity"][order].astype(np.int8)) == 0)[again]
    if not touched.size or not gap_us.size or not per_bin.size:
        return None
    return EventStatistics(
        rate_khz=1e3 * events.size / duration_us,
        on_share=float(np.mean(events["polarity"])),
        rate_variation=float(per_bin.std() / max(per_bin.mean(), 1e-9)),
        pixels=float(touched.size),
        spread_x=float((touched % _SIDE).std()),
        spread_y=float((touched // _SIDE).std()),
        repeat_ms=1e-3 * float(np.median(gap_us)),
        repeats_1ms=float(np.mean(gap_us < 1000)),
        same_polarity=float(np.mean(same)),
    )


def by_label(cases: Iterable[Case]) -> dict[str, list[EventStatistics]]:
    """Statistics of the cases of each label, in the order of the labels."""
    found: dict[int, list[EventStatistics]] = defaultdict(list)
    for case in cases:
        on_sensor = case.sensor.width == _SIDE and case.sensor.height == _SIDE
        if on_sensor and (of_clip := statistics(case.events[case.events["t"] >= case.begin_us])) is not None:
            found[case.label].append(of_clip)
    return {LABELS[label]: found[label] for label in sorted(found)}


def table(simulated: dict[str, list[EventStatistics]], real: dict[str, list[EventStatistics]]) -> Iterator[str]:
    """Lines of a Markdown table: medians and 5 to 95 % of the simulated clips, below them those of the real."""
    yield "| class | clips | " + " | ".join(head for head, _ in _COLUMNS) + " |"
    yield "|---" * (len(_COLUMNS) + 2) + "|"
    for label, clips in simulated.items():
        yield _row(f"{label}", clips)
        if label in real:
            yield _row("– real", real[label])


def _row(name: str, clips: list[EventStatistics]) -> str:
    low, middle, high = np.percentile([astuple(clip) for clip in clips], (5, 50, 95), axis=0)
    cells = []
    for column, (_, style) in enumerate(_COLUMNS):
        text = f"{middle[column]:{style}}"
        cells.append(text if len(clips) == 1 else f"{text} ({low[column]:{style}}–{high[column]:{style}})")
    return f"| {name} | {len(clips)} | " + " | ".join(cells) + " |"


def as_object(found: dict[str, list[EventStatistics]]) -> dict[str, dict[str, object]]:
    """Percentiles 5, 50 and 95 of each statistic by label."""
    names = [field.name for field in fields(EventStatistics)]
    return {
        label: {
            "clips": len(clips),
            **dict(zip(names, np.percentile([astuple(c) for c in clips], (5, 50, 95), axis=0).T.tolist(), strict=True)),
        }
        for label, clips in found.items()
    }
