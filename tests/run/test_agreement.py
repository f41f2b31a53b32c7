"""Decisions of two lanes set side by side; times and figures by hand."""

from __future__ import annotations

import random

import pytest

from run.steps import decided
from spikebridge.run.agreement import Agreement, Merge, Pair
from spikebridge.snapshot import Decision, PairFigures

MS = 1000


def merged(merge: Merge, *steps: tuple[int, int]) -> list[tuple[int, int]]:
    """(lane, t_us) that come out for steps (lane, t_us), each with a decision."""
    return [(n, d.t_us) for lane, t_us in steps for n, d in merge.step(lane, t_us, decided(t_us=t_us))]


def test_a_decision_waits_until_no_lane_can_be_before_it() -> None:
    merge = Merge(2)
    assert merged(merge, (1, 10), (1, 20), (1, 30)) == []
    assert merged(merge, (0, 10)) == [(0, 10), (1, 10)]
    assert merged(merge, (0, 30)) == [(1, 20), (0, 30), (1, 30)]


def test_a_step_without_a_decision_lets_others_pass() -> None:
    merge = Merge(2)
    merged(merge, (0, 10), (0, 20))
    assert [(n, d.t_us) for n, d in merge.step(1, 15, None)] == [(0, 10)]
    assert [(n, d.t_us) for n, d in merge.step(1, 20, None)] == [(0, 20)]


def test_a_lane_that_ended_is_not_waited_for() -> None:
    merge = Merge(2)
    merged(merge, (0, 10), (0, 20))
    assert [d.t_us for _, d in merge.end(1)] == [10, 20]
    assert merged(merge, (0, 30)) == [(0, 30)]


def test_time_that_begins_again_comes_after_all_that_was_before() -> None:
    merge = Merge(2)
    assert merged(merge, (0, 10), (0, 20), (0, 10)) == []
    assert merged(merge, (1, 10), (1, 20)) == [(0, 10), (1, 10), (0, 20), (1, 20)]
    assert merged(merge, (1, 10)) == [(0, 10), (1, 10)]


def test_a_step_again_is_time_that_begins_again() -> None:
    """A recording of one step that loops."""
    merge = Merge(2)
    assert merged(merge, (0, 10), (0, 10)) == []
    assert merged(merge, (1, 10)) == [(0, 10), (1, 10)]
    assert merged(merge, (1, 10)) == [(0, 10), (1, 10)]


def test_a_clock_may_begin_below_zero() -> None:
    """Of the lanes one steps across zero, the other one up to it."""
    merge = Merge(2)
    assert merged(merge, (0, -10), (0, 10)) == []
    assert merged(merge, (1, 5)) == [(0, -10), (1, 5)]


def test_any_interleaving_gives_one_order() -> None:
    rng = random.Random(0)
    lanes = {n: [(n, t) for t in range(10 * (n + 1), 400, 10 * (n + 1))] for n in range(3)}
    orders = set()
    for _ in range(20):
        queues, merge, out = {n: list(steps) for n, steps in lanes.items()}, Merge(3), []
        while queues:
            n = rng.choice(list(queues))
            out += merged(merge, queues[n].pop(0))
            if not queues[n]:
                del queues[n]
                out += [(lane, d.t_us) for lane, d in merge.end(n)]
        orders.add(tuple(out))
    assert len(orders) == 1
    assert list(orders.pop()) == sorted((s for steps in lanes.values() for s in steps), key=lambda s: (s[1], s[0]))


def pair(*decisions: tuple[int, int, str | None]) -> PairFigures:
    """(side, ms, label), in order of time."""
    two = Pair("a", "b")
    for side, t_ms, label in decisions:
        two.add(side, decided(label, t_us=t_ms * MS))
    return two.figures()


def test_nothing_in_common_yet() -> None:
    assert pair() == PairFigures("a", "b")
    assert pair().agreement is None


def test_decisions_at_the_same_time_are_compared() -> None:
    figures = pair(
        (0, 10, "arm_roll"), (1, 10, "arm_roll"),
        (0, 20, "arm_roll"), (1, 20, "hand_clap"),
        (0, 30, None), (1, 30, None),
        (0, 40, None), (1, 50, None),
    )  # fmt: skip
    assert (figures.compared, figures.agreeing) == (3, 2)
    assert figures.agreement == pytest.approx(2 / 3)


def test_unsettled_decisions_are_not_compared() -> None:
    two = Pair("a", "b")
    two.add(0, decided("arm_roll", t_us=10, settled=False))
    two.add(1, decided("arm_roll", t_us=10))
    two.add(0, decided("arm_roll", t_us=20))
    two.add(1, decided("arm_roll", t_us=20))
    assert two.figures().compared == 1


def test_who_names_a_gesture_first_and_by_how_much() -> None:
    """a names the clap 30 ms earlier, b the roll 10 ms, both the drums at once: a leads by 30, −10 and 0 ms."""
    figures = pair(
        (0, 10, "hand_clap"), (0, 20, "hand_clap"), (0, 40, "hand_clap"), (1, 40, "hand_clap"), (1, 50, "hand_clap"),
        (1, 1000, "arm_roll"), (0, 1010, "arm_roll"), (1, 1010, "arm_roll"),
        (0, 2000, "air_drums"), (1, 2000, "air_drums"),
    )  # fmt: skip
    assert (figures.gestures, figures.first_earlier, figures.second_earlier) == (3, 1, 1)
    assert figures.lead_ms == 0
    alone = pair((1, 1000, "arm_roll"), (0, 1010, "arm_roll"))
    assert (alone.lead_ms, alone.first_earlier, alone.second_earlier) == (-10, 0, 1)


def test_earlier_namings_are_counted() -> None:
    """a three times, 10, 20 and 40 ms ahead, b twice, 30 and 50 ms."""
    figures = pair(
        (0, 0, "hand_clap"), (1, 10, "hand_clap"), (0, 1000, "arm_roll"), (1, 1020, "arm_roll"),
        (0, 2000, "hand_clap"), (1, 2040, "hand_clap"),
        (1, 3000, "arm_roll"), (0, 3030, "arm_roll"), (1, 4000, "hand_clap"), (0, 4050, "hand_clap"),
    )  # fmt: skip
    assert (figures.gestures, figures.first_earlier, figures.second_earlier) == (5, 3, 2)
    assert figures.lead_ms == 10


def test_the_median_is_over_the_last_namings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leads of 10, 10, 30, 40 and 50 ms; a run of days must not keep them all."""
    monkeypatch.setattr("spikebridge.run.agreement._LEADS", 3)
    namings = [
        (side, 1000 * n + side * lead, f"gesture {n}") for n, lead in enumerate((10, 10, 30, 40, 50)) for side in (0, 1)
    ]
    two = Pair("a", "b")
    for side, t_ms, label in namings:
        two.add(side, Decision(t_ms * MS, label, 0, decided().probabilities, {}, None))
    assert (two.figures().gestures, two.figures().lead_ms) == (5, 40)


def test_a_naming_that_wavers_is_one() -> None:
    """Half a second without it at most; b comes while a's naming goes on."""
    figures = pair((0, 0, "hand_clap"), (0, 500, "hand_clap"), (1, 900, "hand_clap"), (1, 910, "hand_clap"))
    assert (figures.gestures, figures.lead_ms) == (1, 900)
    paused = pair((0, 0, "hand_clap"), (0, 501, "hand_clap"), (1, 900, "hand_clap"))
    assert paused.lead_ms == 399


def test_what_ended_long_ago_is_another_gesture() -> None:
    assert pair((0, 0, "hand_clap"), (1, 501, "hand_clap")).gestures == 0
    assert pair((0, 0, "hand_clap"), (1, 500, "hand_clap")).gestures == 1


def test_other_is_no_gesture_and_other_gestures_do_not_meet() -> None:
    assert pair((0, 0, "other"), (1, 10, "other")).gestures == 0
    assert pair((0, 0, "hand_clap"), (1, 10, "arm_roll")).gestures == 0


def test_each_naming_is_compared_once() -> None:
    """b stops and names it again while a goes on: that is no second lead of a."""
    figures = pair(
        *((0, t, "hand_clap") for t in range(0, 1000, 10)),
        (1, 1000, "hand_clap"), (0, 1010, "hand_clap"), (0, 1500, "hand_clap"), (1, 1600, "hand_clap"),
    )  # fmt: skip
    assert (figures.gestures, figures.lead_ms) == (1, 1000)


def test_time_that_begins_again_begins_namings_again() -> None:
    assert pair((0, 900, "hand_clap"), (1, 0, "hand_clap")).gestures == 0
    # Time that stands still is that, too: each lane names it twice.
    again = pair((0, 0, "hand_clap"), (1, 0, "hand_clap"), (0, 0, "hand_clap"), (1, 0, "hand_clap"))
    assert (again.gestures, again.lead_ms) == (2, 0)
    # The shortest time that goes on.
    two = Pair("a", "b")
    for side, t_us in ((0, 0), (1, 0), (0, 1), (1, 1)):
        two.add(side, decided("hand_clap", t_us=t_us))
    assert two.figures().gestures == 1


def test_every_pair_of_the_lanes_is_there() -> None:
    agreement = Agreement(("x", "y", "z"))

    def report(lane: int, label: str) -> None:
        agreement.step(lane, 10, Decision(10, label, 0, decided().probabilities, {}, None))

    report(2, "hand_clap")
    report(0, "hand_clap")
    assert all(figures.compared == 0 for figures in agreement.figures())
    report(1, "arm_roll")
    found = {(f.first, f.second): (f.compared, f.agreeing) for f in agreement.figures()}
    assert found == {("x", "y"): (1, 0), ("x", "z"): (1, 1), ("y", "z"): (1, 0)}
    agreement.end(1)
    agreement.step(0, 20, decided("air_drums", t_us=20))
    agreement.step(2, 20, decided("air_drums", t_us=20))
    found = {(f.first, f.second): (f.compared, f.agreeing) for f in agreement.figures()}
    assert found[("x", "z")] == (2, 2)


def test_what_waited_for_a_lane_that_ends_is_compared() -> None:
    agreement = Agreement(("x", "y", "z"))
    agreement.step(0, 10, decided("hand_clap", t_us=10))
    agreement.step(1, 10, decided("hand_clap", t_us=10))
    assert [figures.compared for figures in agreement.figures()] == [0, 0, 0]
    agreement.end(2)
    assert [figures.compared for figures in agreement.figures()] == [1, 0, 0]


def test_of_a_pair_the_first_lane_is_the_first() -> None:
    """y names the clap 20 ms after x and 10 ms before z."""
    agreement = Agreement(("x", "y", "z"))
    for t_ms in (10, 20, 30, 40):
        for lane, from_ms in enumerate((10, 30, 40)):
            named = "hand_clap" if t_ms >= from_ms else None
            agreement.step(lane, t_ms * MS, decided(named, t_us=t_ms * MS))
    found = {(f.first, f.second): (f.first_earlier, f.second_earlier, f.lead_ms) for f in agreement.figures()}
    assert found == {("x", "y"): (1, 0, 20), ("x", "z"): (1, 0, 30), ("y", "z"): (1, 0, 10)}
