"""Controls rearrange the events of a window and keep them all."""

from __future__ import annotations

from spikebridge.evaluation.controls import rearrange
from spikebridge.events import make_events


def test_controls_keep_the_events_of_a_window():
    pieces = [make_events([n], [n], [0], [1]) for n in range(7)]
    shuffled = rearrange(pieces, "shuffled", 4, 2)
    assert sorted(int(p["x"][0]) for p in shuffled[:4]) == [0, 1, 2, 3]
    assert sorted(int(p["x"][0]) for p in shuffled[4:]) == [4, 5, 6]
    assert [int(p["x"][0]) for p in shuffled] != list(range(7))
    held = rearrange(pieces, "accumulated", 4, 2)
    assert [p["x"].tolist() for p in held] == [[0, 1], [0, 1], [2, 3], [2, 3], [4, 5], [4, 5], [6]]
    assert rearrange(pieces, "none", 4, 2) == pieces
