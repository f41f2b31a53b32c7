from __future__ import annotations

from dataclasses import replace

import pytest
from fake_session import ORIGIN, lane, snapshot
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtTest import QTest

from spikebridge.ui import theme
from spikebridge.ui.comparison import COLUMNS, MEASURES, SPIKING
from spikebridge.ui.items import Box, Pointer, Words
from spikebridge.ui.lane_table import LaneTable, row_height, table_height


@pytest.fixture
def table(application):
    table = LaneTable()
    table.resize(1888, round(table_height(3)))
    table.show_snapshot(snapshot(3), 0)
    return table


def column_of(table, key):
    """Texts under each other in one column, the caption first."""
    keys = [column.key for column in COLUMNS]
    words = [item for item in table.items if isinstance(item, Words)]
    # nine titles of groups and the note stand before the columns, of three rows and a caption each
    groups = len(words) - 4 * len(COLUMNS)
    start = groups + 4 * keys.index(key)
    return [item.text for item in words[start : start + 4]]


def test_every_figure_is_painted(table):
    painted = {key: column_of(table, key) for key in (column.key for column in COLUMNS)}
    assert painted == {
        "lane": ["network", "1  s2a4-stream", "2  ann-160ms", "3  snn-160ms"],
        "p50": ["p50", "1.23 ms", "2.23 ms", "3.23 ms"],
        "p99": ["p99", "4.23 ms", "5.23 ms", "6.23 ms"],
        "activity": ["activity", "1.23 µJ", "none", "3.69 µJ"],
        "constant": ["constant", "4.56 µJ", "none", "13.7 µJ"],
        "static": ["static", "789 µJ", "none", "2.37 mJ"],
        "spiking provenance": ["", "simulated", "", "simulated"],
        "ordinary": ["per decision", "1.50 mJ", "3.00 mJ", "4.50 mJ"],
        "ordinary provenance": ["", "estimated", "estimated", "estimated"],
        "host": ["per decision", "600 µJ", "1.20 mJ", "1.80 mJ"],
        "host provenance": ["", "measured", "measured", "measured"],
        "bridge": ["traffic", "120 kB/s", "none", "320 kB/s"],
        "decisions": ["per second", "15.0 k", "25.0 k", "35.0 k"],
        "lost": ["in its queue", "0", "0", "0"],
        "agreement": ["agrees in", "", "87.3%", "50.0%"],
        "lead": [
            "names a gesture",
            "the chosen one",
            "20 ms later, first in 2 of 7",
            "30 ms earlier, first in 5 of 6",
        ],
    }


def test_groups_say_what_their_columns_are_of(table):
    titles = [words for words in table.texts if words in {column.group for column in COLUMNS}]
    assert titles == [
        "end of the step → decision",
        "spiking layers: energy per decision",
        "ordinary layers",
        "other host stages",
        "bridge",
        "decisions",
        "events lost",
        "against the chosen network",
    ]


def test_the_origin_of_static_energy_stands_under_it(table):
    note = next(item for item in table.items if isinstance(item, Words) and item.text == f"static: {ORIGIN}")
    title = next(item for item in table.items if isinstance(item, Words) and item.text == SPIKING)
    assert note.place.x() == title.place.x()
    assert note.place.y() >= 42 + 3 * 26
    table.clear()
    assert not any("static:" in words for words in table.texts)


def test_a_small_table_leaves_out_what_stands_elsewhere(table):
    table.resize(928, 71)
    table.set_scale(0.5)
    spare = {column.caption for column in COLUMNS if column.spare}
    assert spare == {"traffic", "per second", "in its queue"}
    assert not spare & set(table.texts)
    assert {"agrees in", "names a gesture", "static", "789 µJ", f"static: {ORIGIN}"} <= set(table.texts)


def test_the_chosen_row_is_marked(table):
    def marked():
        return [not item.place.isEmpty() for item in table.items if isinstance(item, Pointer)]

    assert marked() == [True, False, False]
    table.show_snapshot(snapshot(3), 2)
    assert marked() == [False, False, True]
    ground = next(item for item in table.items if isinstance(item, Box) and item.colour == theme.RAISED)
    assert ground.place.y() == 42 + 2 * 26
    assert table.cell(2, "lead") == "the chosen one"


def test_bars_are_as_long_as_the_figures_are_large(table):
    bars = [item.place.width() for item in table.items if isinstance(item, Box) and item.colour == theme.ACCENT]
    assert len(bars) == 3 * len(MEASURES)
    p50 = bars[:3]
    assert [length / p50[2] for length in p50] == pytest.approx([1.23 / 3.23, 2.23 / 3.23, 1])
    assert bars[4] == 0


def test_a_click_chooses(table):
    chosen = []
    table.chosen.connect(chosen.append)
    for y in (20, 42 + 13, 42 + 26 + 13, 42 + 2 * 26 + 13):
        QTest.mouseClick(table, Qt.MouseButton.LeftButton, pos=QPoint(600, y))
    assert chosen == [0, 1, 2]


def test_rows_get_lower_where_there_are_many():
    assert [row_height(n) for n in (1, 6, 8, 20)] == [26, 26, 19.5, 18]
    assert table_height(3) == 42 + 3 * 26 + 18 + 5


def test_changed_figures_are_shown(table):
    shown = snapshot(3)
    faster = replace(lane(1), counters=replace(lane(1).counters, events_dropped=9))
    table.show_snapshot(replace(shown, lanes=(faster, *shown.lanes[1:])), 0)
    assert column_of(table, "lost") == ["in its queue", "9", "0", "0"]
