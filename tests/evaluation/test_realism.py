"""Statistics of events against hand-counted ones."""

import numpy as np
import pytest

from spikebridge.evaluation.realism import EventStatistics, by_label, statistics, table
from spikebridge.events import empty_events, make_events


def alternating(n: int, x: int, y: int, gap_us: int, start_us: int = 0):
    t = start_us + gap_us * np.arange(n)
    return make_events(t, np.full(n, x), np.full(n, y), np.arange(n) % 2)


def test_counts_by_hand():
    # Two pixels, 64 px apart in x and 20 in y, each with an event every 500 µs, ON and OFF in turn.
    both = np.concatenate([alternating(200, 10, 50, 500), alternating(200, 74, 70, 500, 1)])
    found = statistics(both[np.argsort(both["t"], kind="stable")])
    assert found is not None
    assert found.on_share == 0.5
    assert found.pixels == 2
    assert (found.spread_x, found.spread_y) == (32, 10)
    assert found.repeat_ms == pytest.approx(0.5)
    assert (found.repeats_1ms, found.same_polarity) == (1, 0)
    assert found.rate_khz == pytest.approx(4, rel=0.01)


def test_nothing_to_tell_of_silence():
    assert statistics(empty_events()) is None
    assert statistics(alternating(50, 1, 1, 1000)) is None


def test_a_real_row_stands_below_the_simulated_one():
    one = EventStatistics(80, 0.5, 0.3, 4000, 20, 18, 3, 0.3, 0.5)
    lines = list(table({"hand_clap": [one, one], "arm_roll": [one]}, {"hand_clap": [one]}))
    assert [line.split(" |")[0] for line in lines[2:]] == ["| hand_clap", "| – real", "| arm_roll"]
    assert "80 (80–80)" in lines[2]
    assert by_label([]) == {}
