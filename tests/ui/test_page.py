"""All parts together: what is seen of one network and of several, and that nothing is cut off or covers another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_session import ORIGIN, FakeSession, decision
from painting import axis_words, cut, cut_axis_words, cut_labels, overlapping, panels, words
from PyQt6.QtCore import Qt
from PyQt6.QtTest import QTest

SIZES = [(960, 600), (1024, 768), (1280, 720), (1920, 1080), (3840, 2160)]
TIMES = ("−25 s", "−20 s", "−15 s", "−10 s", "−5 s")
LONGEST = "right_arm_counter_clockwise"


def fill(session: FakeSession) -> None:
    """The widest words and figures that are to be expected."""
    if session.newest.source.kind == "simulated":
        source = replace(session.newest.source, title="Simulated camera: right arm counter-clockwise")
        session.show(replace(session.newest, source=source))
    for number, lane in enumerate(session.newest.lanes):
        counters = replace(lane.counters, events_in=999_999_999, events_done=999_999_990)
        session.show_lane(
            replace(
                lane,
                counters=counters,
                decision=decision(LONGEST, 1.0),
                features=np.ones((8, 4, 4), np.uint8),
            ),
            number,
        )


@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("uri", ["sim:", "wave.aedat"])
@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_is_cut_off_or_overlaps(opening, size, lanes, uri, features):
    opened = opening(lanes, uri)
    fill(opened.session)
    if features:
        opened.window.commands.toggle_features()
    opened.resize(*size)
    for panel in panels(opened.page):
        assert not cut(panel), type(panel)
        assert not overlapping(panel), type(panel)
    assert not cut_labels(opened.page)
    assert not cut_axis_words(opened.page)
    for chart in (opened.page.latency_chart, opened.page.power_chart):
        assert list(axis_words(chart)) == [*(level.words for level in chart.axes.levels), *TIMES]


@pytest.mark.parametrize("lanes", [4, 8])
@pytest.mark.parametrize("size", SIZES[:4], ids=str)
def test_many_networks_all_stand_in_the_table(opening, size, lanes):
    opened = opening(lanes)
    opened.resize(*size)
    page = opened.page
    assert len(page.stage.shown_columns) == 3
    assert page.note.text() == f"+ {lanes - 3} more: see the table"
    assert page.note.isVisible()
    names = [page.table.cell(row, "lane") for row in range(lanes)]
    assert names[0] == "1  s2a4-stream"
    assert names[-1].startswith(f"{lanes}  ")
    for panel in panels(page):
        assert not cut(panel), type(panel)
        assert not overlapping(panel), type(panel)


@pytest.mark.parametrize("lanes", [1, 2, 3])
@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)], ids=str)
def test_all_gestures_and_the_origin_of_static_energy_are_seen(opening, size, lanes):
    opened = opening(lanes)
    opened.resize(*size)
    page = opened.page
    for column in page.stage.shown_columns:
        assert "All gestures" in column.bars.texts
        assert "Right arm counter-clockwise" in column.bars.texts
    words = " ".join(page.strip.texts if lanes == 1 else page.table.texts)
    assert "789 µJ" in words
    assert ORIGIN in words


@pytest.mark.parametrize("lanes", [1, 3])
@pytest.mark.parametrize("features", [False, True])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_no_part_covers_another(opening, size, features, lanes):
    opened = opening(lanes, "wave.aedat")
    if features:
        opened.window.commands.toggle_features()
    opened.resize(*size)
    page = opened.page
    parts = [page.header, page.stage, page.replay_bar, page.strip, page.latency_chart.parentWidget(), page.loss]
    parts += [page.table] if lanes > 1 else []
    rects = [part.geometry() for part in parts]
    inner = [page.stage.events, *page.stage.shown_columns, *([page.stage.features] if features else [])]
    for group, within in ((rects, page.rect()), ([part.geometry() for part in inner], page.stage.rect())):
        assert not any(a.intersects(b) for i, a in enumerate(group) for b in group[i + 1 :])
        assert all(within.contains(rect) for rect in group)


@pytest.mark.parametrize("features", [False, True])
def test_text_is_not_small_with_three_networks_on_a_large_screen(opening, features):
    opened = opening(3)
    fill(opened.session)
    if features:
        opened.window.commands.toggle_features()
    opened.resize(1920, 1080)
    sizes = [(round(item.size), item.text) for panel in panels(opened.page) for item in words(panel)]
    assert len(sizes) > 150
    assert min(sizes)[0] >= 14, min(sizes)


def test_what_is_composed_is_what_is_painted(opening, monkeypatch):
    opened = opening(3, "wave.aedat")
    opened.draw()
    painted: list[str] = []
    monkeypatch.setattr("spikebridge.ui.items.draw_text", lambda painter, corner, text, *rest: painted.append(text))
    for panel in panels(opened.page):
        painted.clear()
        panel.grab()
        assert painted == list(panel.texts), type(panel)


def test_changes_are_painted_like_the_whole(opening, application):
    """Only what has changed is painted; the screen has to look as if all had been."""
    opened = opening(3)
    window, session = opened.window, opened.session
    for n in range(12):
        label = ("air_drums", LONGEST, None, "arm_roll")[n % 4]
        for number in range(3):
            session.decide(label, 0.3 + 0.05 * n, number)
            lane = session.newest.lanes[number]
            cards = tuple(replace(card, rate_hz=card.rate_hz * 3, power_w=0.001 * (n + 1)) for card in lane.cards)
            session.show_lane(replace(lane, cards=cards, threshold=0.1 * (n % 8)), number)
        opened.draw()
        window.commands.choose(n % 3)
        application.processEvents()
        for timer in window._timers:
            timer.stop()
        application.processEvents()
        screen = window.screen()
        assert screen is not None
        seen = screen.grabWindow(window.winId()).toImage().convertToFormat(window.grab().toImage().format())
        whole = window.grab().toImage()
        assert seen == whole


def test_one_network_has_neither_heads_nor_a_table(opening):
    page = opening(1).page
    (column,) = page.stage.shown_columns
    assert column.head.isHidden()
    assert page.table.isHidden()
    assert page.note.isHidden()
    assert page.stage.settings.parent() is page.stage


def test_a_run_of_one_network_after_one_of_three(opening, until):
    opened = opening(3)
    QTest.keyClick(opened.window, Qt.Key.Key_3)
    opened.lanes = 1
    opened.window.open("other.aedat")
    until(lambda: opened.window.session is not None and opened.window.session.uri == "other.aedat")
    opened.draw()
    assert opened.page.chosen == 0
    assert opened.page.table.isHidden()
    assert opened.page.stage.settings.parent() is opened.page.stage
    assert opened.page.header.texts[-3] == "1.23 ms"


def test_the_chosen_network_stays_chosen_with_another_source(opening, until):
    opened = opening(3)
    QTest.keyClick(opened.window, Qt.Key.Key_2)
    opened.window.open("other.aedat")
    until(lambda: opened.window.session is not None and opened.window.session.uri == "other.aedat")
    assert opened.page.chosen == 1


def test_a_camera_that_is_gone_is_said_and_decides_nothing(opened, until):
    """What was decided before is not shown any more, until the camera is back."""
    session, page = opened.session, opened.page
    session.decide("arm_roll")
    opened.draw()
    assert page.stage.columns[0].gesture.said == "Arm roll"
    running = session.newest
    counters = replace(running.source_counters, waiting_for="camera unplugged, waiting for it …")
    session.show(replace(running, state="waiting", source_counters=counters))
    opened.draw()
    assert page.stage.columns[0].gesture.said == "No camera waiting until it is plugged in again"
    assert page.stage.events.message == "camera unplugged, waiting for it …"
    assert page.header.state == "waiting"
    session.show(running)
    opened.draw()
    assert page.stage.columns[0].gesture.said == "Arm roll"
    assert page.stage.events.message == ""


def test_what_a_camera_is_set_to_reaches_its_card(opened):
    shown = opened.session.newest
    opened.session.show(replace(shown, source=replace(shown.source, details=("bias_on 5",))))
    opened.draw()
    assert opened.page.strip.tip_at(0) == "bias_on 5"
