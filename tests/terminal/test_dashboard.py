"""The text dashboard: what is on the screen of one moment, for one network and for three."""

from __future__ import annotations

import dataclasses
import io
import re
from types import SimpleNamespace

import pytest
from rich.console import Console

from spikebridge.contracts import SourceCounters
from spikebridge.snapshot import Counters, LaneSnapshot, Snapshot
from spikebridge.terminal.dashboard import dashboard, render
from terminal.made_snapshot import decision, make_lane, make_snapshot, paced, percentiles
from terminal.printing import lines


def shown(*lanes: LaneSnapshot, width: int = 160) -> list[str]:
    return on_screen(make_snapshot(*lanes), width)


def on_screen(snapshot: Snapshot, width: int = 160) -> list[str]:
    """Lines within the frame."""
    return [line.strip("│ ") for line in lines(render(snapshot), width)[1:-1]]


def test_one_network() -> None:
    """Bars of 30 with the threshold's mark in the middle; lost are the 470 of the inbox and the 29 of the driver."""
    lane = paced(make_lane())
    screen = shown(lane)
    assert screen[:7] == [
        "net 1",
        "arm roll  69%",
        f"hand clap  {4 * '█'}{11 * '·'}│{15 * '·'}  12%",
        f"arm roll   {15 * '█'}│{5 * '█'}{10 * '·'}  69%",
        f"air drums  {4 * '█'}{11 * '·'}│{15 * '·'}  12%",
        f"other      {2 * '█'}{13 * '·'}│{15 * '·'}   6%",
        "",
    ]
    assert screen[7:11] == [
        "LOST 499   events in 2,600 = done 2,000 + dropped 470 + queued 130   end to end p50 7.00 ms, p99 7.02 ms",
        "⚠ Of the file.",
        "⚠ Of the run.",
        "",
    ]
    assert screen[11].startswith("┏")
    cells = [[cell.strip() for cell in line.replace("│", "┃").split("┃")] for line in screen[12:-1]]
    assert cells[0] == ["", "stage", "", "p50 ms", "p99 ms", "rate", "power", ""]
    assert [row for row in cells if row[0].startswith("title")] == [
        ["title 10", "role 10", "1.00", "1.02", "10,000 events/s", "100.0 mW (estimated)"],
        ["title 11", "role 11", "1.10", "1.12", "10,001 events/s", "101.0 mW (estimated)"],
        ["title 12", "role 12", "1.20", "1.22", "10,002 events/s", "102.0 mW (estimated)"],
        ["title 13", "role 13", "1.30", "1.32", "10,003 events/s", "– (unavailable)"],
        ["title 14", "role 14", "1.40", "1.42", "10,004 events/s", "104.0 mW (estimated)"],
    ]
    # The recent median, 20 ms of layers, a window of 160 ms.
    assert "the newest events behind it are 27.0 ms old and the oldest 187.0 ms" in " ".join(screen[-2:])


def test_times_are_told_to_ten_microseconds() -> None:
    lane = make_lane()
    latency = dataclasses.replace(lane.cards[0].latency, recent=percentiles(1_234_567.0))
    lane = dataclasses.replace(lane, cards=(dataclasses.replace(lane.cards[0], latency=latency),), t_us=100_000_000_000)
    text = "\n".join(lines(render(make_snapshot(lane)), 160))
    assert "│ 1234.57 │ 1234.59 │" in text
    assert "wave.aedat4 · 100000.0 s" in text


def test_notes_of_the_only_network_need_no_name_those_of_two_do() -> None:
    lane = dataclasses.replace(make_lane(), notes={"a": "Of the lane."}, failure="The ANN broke.")
    assert {"⚠ Of the lane.", "⚠ failed: The ANN broke."} <= set(shown(lane))
    assert {"⚠ net 1: Of the lane.", "⚠ net 1: failed: The ANN broke."} <= set(shown(lane, make_lane(2)))


def test_frame_names_the_source_and_its_time() -> None:
    first, *_, last = lines(render(make_snapshot(make_lane())), 80)
    assert " Spikebridge " in first
    assert " wave.aedat4 · 1.2 s " in last


def test_three_networks_stand_side_by_side_and_each_figure_has_its_name() -> None:
    second = dataclasses.replace(make_lane(2), notes={"a": "Of the lane."}, failure="The ANN broke.")
    screen = shown(make_lane(1), second, dataclasses.replace(make_lane(3), decision=None))
    assert screen[0].split() == ["net", "1", "net", "2", "net", "3"]
    assert screen[1].split() == ["arm", "roll", "69%", "arm", "roll", "69%", "waiting"]
    bar = "█████│█····  69%"
    assert screen[3] == f"arm roll   {bar}  {bar}  ·····│·····   0%"
    assert screen[7:14] == [
        "net 1   LOST 499   events in 2,600 = done 2,000 + dropped 470 + queued 130",
        "net 2   LOST 969   events in 5,200 = done 4,000 + dropped 940 + queued 260",
        "net 3   LOST 1,439   events in 7,800 = done 6,000 + dropped 1,410 + queued 390",
        "⚠ Of the file.",
        "⚠ Of the run.",
        "⚠ net 2: Of the lane.",
        "⚠ net 2: failed: The ANN broke.",
    ]
    # Each table of costs stands under its network's name.
    names = [line for line in screen[14:] if line.startswith("net ")]
    assert names == ["net 1", "net 2", "net 3"]
    assert [screen.index(name, 14) for name in names] == sorted(
        [n - 4 for n, line in enumerate(screen) if line.startswith(("title 10", "title 20", "title 30"))]
    )


def test_names_with_brackets_are_shown_as_they_are() -> None:
    """They mean a style to the library that draws."""
    lane = make_lane()
    card = dataclasses.replace(lane.cards[0], title="a [red] camera")
    model = dataclasses.replace(lane.model, name="net [bold]", labels=("wave [i]", *lane.model.labels[1:]))
    lane = dataclasses.replace(lane, cards=(card,), model=model)
    snapshot = make_snapshot(lane, lane)
    source = dataclasses.replace(snapshot.source, title="clip [b].aedat4")
    text = "\n".join(lines(render(dataclasses.replace(snapshot, source=source)), 160))
    for name, times in (("a [red] camera", 2), ("net [bold]", 6), ("wave [i]", 1), ("clip [b].aedat4", 1)):
        assert text.count(name) == times


def test_loss_is_on_a_terminal_of_24_lines() -> None:
    screen = shown(*(make_lane(k) for k in (1, 2, 3)), width=80)
    assert all(any(f"LOST {lost}" in line for line in screen[:23]) for lost in ("499", "969", "1,439"))


def test_without_loss_it_says_so() -> None:
    snapshot = make_snapshot(make_lane())
    lane = snapshot.lanes[0]
    kept = dataclasses.replace(lane, counters=dataclasses.replace(lane.counters, events_dropped=0, events_done=2470))
    lossless = SourceCounters(filtered=7)
    screen = on_screen(dataclasses.replace(snapshot, lanes=(kept,), source_counters=lossless))
    assert "nothing lost   events in 2,600 = done 2,470 + dropped 0 + queued 130" in screen
    # What the driver lost is lost, too.
    assert any(line.startswith("LOST 29 ") for line in on_screen(dataclasses.replace(snapshot, lanes=(kept,))))


@pytest.mark.parametrize("odd", [{"skipped_bytes": 1}, {"truncated": True}, {"out_of_order": 1}])
def test_a_file_that_is_not_whole_is_not_called_lossless(odd: dict[str, int]) -> None:
    snapshot = make_snapshot(make_lane())
    lane = snapshot.lanes[0]
    kept = dataclasses.replace(lane, counters=dataclasses.replace(lane.counters, events_dropped=0))
    screen = on_screen(dataclasses.replace(snapshot, lanes=(kept,), source_counters=SourceCounters(**odd)))
    assert any(line.startswith("damaged, see below ") for line in screen)
    assert not any("nothing lost" in line for line in screen)


@pytest.mark.parametrize("labels", [("arm_roll", "bow"), ("bow",)])
def test_networks_with_other_labels_have_rows_of_their_own(labels: tuple[str, ...]) -> None:
    other = make_lane(2)
    other = dataclasses.replace(other, model=dataclasses.replace(other.model, labels=labels), decision=None)
    rows = shown(make_lane(1), other)[2:7]
    assert [row.split("  ")[0] for row in rows] == ["hand clap", "arm roll", "air drums", "other", "bow"]
    assert [row.count("%") for row in rows] == [1, len(labels), 1, 1, 1]


def test_a_decision_for_nothing_has_no_confidence() -> None:
    screen = shown(dataclasses.replace(make_lane(), decision=decision(None)))
    assert screen[1] == "no gesture"


def in_style(snapshot: Snapshot, style: str) -> list[str]:
    """What is written in it."""
    out = io.StringIO()
    Console(width=120, file=out, force_terminal=True, color_system="standard").print(render(snapshot))
    return [found.strip() for found in re.findall(rf"\x1b\[{style}m([^\x1b]*)\x1b", out.getvalue())]


def test_only_the_named_label_is_lit() -> None:
    bright_cyan = "96"
    (bar,) = in_style(make_snapshot(make_lane()), bright_cyan)
    assert bar.endswith("69%")
    assert in_style(make_snapshot(dataclasses.replace(make_lane(), decision=decision(None))), bright_cyan) == []


def test_loss_is_red_none_is_green_and_notes_are_yellow() -> None:
    bold_red, green, yellow = "1;31", "32", "33"
    snapshot = make_snapshot(make_lane())
    assert in_style(snapshot, bold_red) == ["LOST 499"]
    assert in_style(snapshot, green) == []
    assert in_style(snapshot, yellow) == ["⚠ Of the file.", "⚠ Of the run."]
    lane = dataclasses.replace(make_lane(), counters=Counters())
    lossless = dataclasses.replace(snapshot, lanes=(lane,), source_counters=SourceCounters())
    assert (in_style(lossless, bold_red), in_style(lossless, green)) == ([], ["nothing lost"])


def test_the_screen_is_drawn_ten_times_a_second_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [100.0]
    monkeypatch.setattr("spikebridge.terminal.dashboard.time", SimpleNamespace(monotonic=lambda: now_s[0]))
    asked: list[float] = []

    def snapshot() -> Snapshot:
        asked.append(now_s[0])
        return make_snapshot(make_lane())

    with dashboard(snapshot) as show:
        for tenth in (0.0, 0.05, 0.09, 0.11, 0.15, 0.22):
            now_s[0] = 100.0 + tenth
            show()
    assert asked == [100.0, 100.11, 100.22]
