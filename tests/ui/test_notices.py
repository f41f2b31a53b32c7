from __future__ import annotations

from dataclasses import replace

from fake_session import lane, snapshot

from spikebridge.contracts import SourceCounters
from spikebridge.ui.notices import Notices


def test_each_note_once_also_when_its_figures_grow():
    notices = Notices()
    shown = replace(snapshot(1), lanes=(replace(lane(1), notes={"overflow": "exceeded 3 times."}),))
    assert notices.notes(shown) == ["exceeded 3 times."]
    grown = {"overflow": "exceeded 4 times.", "restart 1": "it restarts."}
    assert notices.notes(replace(shown, lanes=(replace(lane(1), notes=grown),))) == ["it restarts."]


def test_a_note_of_the_source_whose_figures_grow_is_the_same_one():
    def counted(n, m):
        return replace(snapshot(1), source_counters=SourceCounters(notes=(f"{n} packets of {m} were damaged.",)))

    notices = Notices()
    assert notices.notes(counted("3", "1,000")) == ["3 packets of 1,000 were damaged."]
    assert notices.notes(counted("4", "2,000.5")) == []


def test_notes_of_source_run_and_lanes():
    counters = SourceCounters(notes=("a table is missing.", "3 packets are unknown."))
    lanes = (lane(1), replace(lane(2), notes={"overflow": "exceeded."}))
    shown = replace(snapshot(2), source_counters=counters, notes={"slow": "the disk is slow."}, lanes=lanes)
    notices = Notices()
    assert notices.notes(shown) == [
        "a table is missing.",
        "3 packets are unknown.",
        "the disk is slow.",
        "network ann-160ms: exceeded.",
    ]
    more = replace(counters, notes=(*counters.notes, "the end is cut."))
    assert notices.notes(replace(shown, source_counters=more)) == ["the end is cut."]


def test_the_same_note_of_two_lanes_is_said_of_both():
    lanes = tuple(replace(lane(k), notes={"overflow": "exceeded."}) for k in (1, 2))
    shown = replace(snapshot(2), lanes=lanes)
    assert Notices().notes(shown) == ["network s2a4-stream: exceeded.", "network ann-160ms: exceeded."]


def test_a_lane_that_fails_is_a_note_while_others_run():
    lanes = (lane(1), replace(lane(2), state="failed", failure="expected an answer, found none."))
    shown = replace(snapshot(2), lanes=lanes, failure="expected an answer, found none.")
    notices = Notices()
    assert notices.failures(shown) == []
    assert notices.notes(shown) == ["network ann-160ms: expected an answer, found none."]
    assert notices.notes(shown) == []


def test_the_end_of_all_lanes_is_a_failure():
    broken = replace(lane(1), state="failed", failure="broken.")
    alone = replace(snapshot(1), state="failed", lanes=(broken,), failure="broken.")
    notices = Notices()
    assert notices.failures(alone) == ["broken."]
    assert notices.failures(alone) == []
    assert notices.notes(alone) == []
    both = replace(snapshot(2), state="failed", lanes=(broken, replace(lane(2), failure="too.")), failure="broken.")
    assert Notices().failures(both) == ["every network has failed."]
    source = replace(snapshot(2), state="failed", failure="the camera is gone.")
    assert Notices().failures(source) == ["the camera is gone."]


def test_what_ended_all_lanes_together_is_said_once():
    killed = "expected the chain's process to run, found it killed by SIGKILL; open the source again."
    lanes = tuple(replace(lane(k), state="failed", failure=killed) for k in (1, 2, 3))
    shown = replace(snapshot(3), state="failed", lanes=lanes, failure=killed)
    notices = Notices()
    assert notices.failures(shown) == [killed]
    assert notices.notes(shown) == []
