from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from spikebridge.events import EventPacket, make_events
from spikebridge.run.regroup import Regrouper


def packet(n: int, sequence: int | None = None, gap: bool = False) -> EventPacket:
    """One event in the middle of the n-th step of 10 ms."""
    start = n * 10_000
    events = make_events([start + 5_000], [n % 8], [0], [1])
    return EventPacket(events, start, start + 10_000, n if sequence is None else sequence, 1000 + n, gap, 100 + n)


def test_steps_are_joined_as_the_source_would_have_cut_them() -> None:
    regrouper = Regrouper(2, 10_000)
    joined = [one for n in range(5) for one in regrouper.put(packet(n))]
    assert [(p.t_start_us, p.t_stop_us, p.sequence, p.gap) for p in joined] == [
        (0, 20_000, 0, False),
        (20_000, 40_000, 1, False),
    ]
    assert [p.events["t"].tolist() for p in joined] == [[5_000, 15_000], [25_000, 35_000]]
    assert not joined[0].events.flags.writeable
    # Due and complete when its last step was.
    assert [(p.received_ns, p.due_ns) for p in joined] == [(1001, 101), (1003, 103)]
    (last,) = regrouper.finish()
    assert (last.t_start_us, last.t_stop_us, last.sequence) == (40_000, 60_000, 2)
    assert last.events["t"].tolist() == [45_000]
    assert list(regrouper.finish()) == []


def test_a_gap_begins_a_group_and_says_what_was_lost() -> None:
    regrouper = Regrouper(3, 10_000)
    assert list(regrouper.put(packet(0))) == []
    assert list(regrouper.put(packet(7, sequence=1, gap=True))) == []
    assert [p.t_start_us for p in regrouper.lost()] == [0]
    assert regrouper.lost() == []
    (joined,) = [one for n in (8, 9) for one in regrouper.put(packet(n, sequence=n - 6))]
    assert (joined.t_start_us, joined.t_stop_us, joined.gap) == (70_000, 100_000, True)


@pytest.mark.parametrize("at", [1, 2])
def test_a_hole_of_the_source_is_a_hole_of_the_lane(at: int) -> None:
    """The network begins anew behind it, as it would alone."""
    regrouper = Regrouper(3, 10_000)
    before = [one for n in range(3) for one in regrouper.put(packet(n))]
    for n in range(3, 3 + at):
        list(regrouper.put(packet(n)))
    after = [one for n in range(7, 10) for one in regrouper.put(packet(n))]
    assert [p.sequence for p in before] == [0]
    assert [p.sequence for p in after] == [2]
    assert len(regrouper.lost()) == at


def test_a_hole_between_two_groups_is_one_too() -> None:
    regrouper = Regrouper(2, 10_000)
    groups = [one for n in (0, 1, 4, 5) for one in regrouper.put(packet(n))]
    assert [p.sequence for p in groups] == [0, 2]


def test_nothing_is_changed_in_the_packets() -> None:
    one = packet(0)
    before = dataclasses.replace(one, events=one.events.copy())
    regrouper = Regrouper(2, 10_000)
    list(regrouper.put(one))
    list(regrouper.put(packet(1)))
    assert np.array_equal(one.events, before.events)
