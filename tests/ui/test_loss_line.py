from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import lane, snapshot

from spikebridge.contracts import SourceCounters
from spikebridge.snapshot import Counters
from spikebridge.ui import theme
from spikebridge.ui.items import Words
from spikebridge.ui.loss_line import LossLine, describe_losses


def losing(*counters, source=None):
    shown = snapshot(len(counters))
    lanes = tuple(replace(one, counters=c) for one, c in zip(shown.lanes, counters, strict=True))
    return replace(shown, lanes=lanes, source_counters=source or SourceCounters())


@pytest.fixture
def line(application):
    line = LossLine()
    line.resize(1888, 32)
    return line


NONE = Counters(events_in=30, events_done=30)


def test_nothing_lost_only_when_it_is_true():
    assert describe_losses(losing(NONE)) == "Nothing lost"
    assert describe_losses(losing(NONE, NONE, NONE)) == "Nothing lost"
    # what fell outside the crop, waits or reset the network is not lost
    kept = Counters(events_in=9, events_done=5, events_queued=4, events_outside=3, resets=2)
    assert describe_losses(losing(kept)) == "Nothing lost"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SourceCounters(dropped=5), "5 events lost in the driver"),
        (SourceCounters(skipped_bytes=1), "1 byte skipped"),
        (SourceCounters(truncated=True), "file truncated"),
        (SourceCounters(out_of_order=1), "1 event moved in time"),
        (
            SourceCounters(dropped=1, skipped_bytes=2048, truncated=True),
            "1 event lost in the driver, 2\u2009048 bytes skipped, file truncated",
        ),
    ],
)
def test_losses_before_the_networks(source, words):
    assert describe_losses(losing(NONE, source=source)) == words


def test_what_a_driver_does_not_count_is_not_said_to_be_whole(line):
    shown = losing(NONE)
    camera = replace(shown, source=replace(shown.source, kind="live", counts_losses=False))
    assert describe_losses(camera) == "Nothing lost here; the driver does not tell"
    line.show_snapshot(camera, 0)
    (first, *_) = [item for item in line.compose() if isinstance(item, Words)]
    assert first.text.startswith("✓")
    lost = replace(camera, source_counters=SourceCounters(dropped=2))
    assert describe_losses(lost) == "2 events lost in the driver"


def test_events_of_a_file_are_not_lost_in_a_driver():
    shown = losing(NONE, source=SourceCounters(dropped=20))
    recording = replace(shown, source=replace(shown.source, kind="recording"))
    assert describe_losses(recording) == "20 events of the file unusable"


def test_filtered_events_are_no_loss_but_seen(line):
    line.show_snapshot(losing(NONE, source=SourceCounters(filtered=1234)), 0)
    assert line.texts[:3] == ("✓  Nothing lost", "filtered", "1\u2009234")


def test_losses_of_every_network_are_said():
    dropped = Counters(events_in=30, events_done=18, events_dropped=12, packets_dropped=2)
    assert describe_losses(losing(dropped)) == "12 events lost"
    third = replace(dropped, events_dropped=1)
    assert describe_losses(losing(NONE, dropped, third)) == "ann-160ms lost 12 events, snn-160ms lost 1 event"
    source = SourceCounters(dropped=3)
    assert describe_losses(losing(dropped, NONE, source=source)) == (
        "s2a4-stream lost 12 events, 3 events lost in the driver"
    )


def test_a_lost_step_without_events_is_a_loss():
    assert describe_losses(losing(Counters(packets_in=3, packets_done=2, packets_dropped=1))) == "1 step lost"


def test_the_counters_are_those_of_the_chosen_network(line):
    shown = snapshot(2)
    shown = replace(shown, lanes=(lane(1), replace(lane(2), counters=replace(lane(2).counters, events_dropped=7))))
    line.show_snapshot(shown, 1)
    assert line.texts == (
        *("⚠  ann-160ms lost 7 events", "events in", "60", "= done", "40", "+ dropped", "7", "+ waiting", "20"),
        *("outside the crop", "8", "decisions", "10", "resets", "12"),
    )
    line.show_snapshot(shown, 0)
    assert line.texts == (
        *("⚠  ann-160ms lost 7 events", "events in", "30", "= done", "20", "+ dropped", "0", "+ waiting", "10"),
        *("outside the crop", "4", "decisions", "5", "resets", "6"),
    )


def test_loss_is_a_word_an_icon_and_a_colour(line):
    line.show_snapshot(losing(NONE), 0)
    assert line.texts[0] == "✓  Nothing lost"
    line.show_snapshot(losing(Counters(events_in=2, events_dropped=2)), 0)
    first = line.items[0]
    assert isinstance(first, Words)
    assert (first.text, first.colour, first.bold) == ("⚠  2 events lost", theme.ALARM, True)
    line.clear()
    assert line.texts[0] == "✓  Nothing lost"


def test_what_was_lost_is_never_cut_for_a_counter(line):
    many = Counters(events_in=10**9, events_done=10**8, events_dropped=9 * 10**8)
    line.show_snapshot(losing(many, many, many, source=SourceCounters(10**9, 10**6, 10**6, True)), 0)
    verdict = line.items[0]
    assert isinstance(verdict, Words)
    assert verdict.shown(line.scale) == verdict.text
    assert line.texts[1:5] == ("events in", "1\u2009000\u2009000\u2009000", "= done", "100\u2009000\u2009000")
