"""Takes of simulated persons: labelled in time, and cut into clips that hold a window."""

from __future__ import annotations

import dataclasses

import pytest

from spikebridge.contracts import LABELS
from spikebridge.datasets import simulated_takes
from spikebridge.datasets.simulated_takes import SimulationPlan, clips_of, simulate_take
from spikebridge.errors import UsageError
from spikebridge.simulator.ranges import DEFAULT_RANGES

OTHER = LABELS.index("other")


def test_onsets_and_pauses_are_labelled_in_time(monkeypatch):
    monkeypatch.setattr(simulated_takes, "_STOP_SHARE", 1.0)
    plan = SimulationPlan(3, duration_us=1_400_000, ranges=dataclasses.replace(DEFAULT_RANGES, onset_share=1.0))
    take = simulate_take(4, person=5, identity=1, seed=2, plan=plan)
    assert [span.label for span in take.spans if span.label] == [LABELS[4]]
    gesture, rest = clips_of(take)
    span = next(span for span in take.spans if span.label)
    assert (gesture.label, gesture.person, gesture.onset_us) == (4, 5, span.t_start_us)
    assert gesture.duration_us == span.t_stop_us
    assert 0 < gesture.onset_us < gesture.duration_us < take.duration_us
    assert rest.label == OTHER
    assert rest.duration_us == take.duration_us - take.spans[-1].t_start_us
    assert rest.onset_us == 0
    for clip in (gesture, rest):
        assert clip.events["t"].min() >= 0
        assert clip.events["t"].max() < clip.duration_us


def test_a_long_take_begins_again_after_a_pause(monkeypatch):
    monkeypatch.setattr(simulated_takes, "_STOP_SHARE", 1.0)
    plan = SimulationPlan(3, duration_us=6_000_000, ranges=dataclasses.replace(DEFAULT_RANGES, pause_s=(0.8, 0.8)))
    take = simulate_take(7, person=5, identity=1, seed=2, plan=plan)
    first, again = (span for span in take.spans if span.label)
    assert first.label == again.label == LABELS[7]
    clips = list(clips_of(take))
    assert [clip.label for clip in clips] == [7, 7]
    assert clips[1].onset_us >= 800_000
    end, pause, onset = (span for span in take.spans if first.t_stop_us <= span.t_start_us < again.t_start_us)
    assert clips[1].duration_us == again.t_stop_us - end.t_stop_us
    assert clips[1].onset_us == again.t_start_us - pause.t_start_us == onset.t_stop_us - end.t_stop_us


def test_the_gesture_moves_more_than_the_pauses():
    """Labels in time fit the events: before the onset and after the end hardly anything happens."""
    plan = SimulationPlan(3, duration_us=1_400_000, ranges=dataclasses.replace(DEFAULT_RANGES, onset_share=1.0))
    take = next(
        take
        for seed in range(50)
        if len((take := simulate_take(1, 0, 1, seed, plan)).spans) == 5  # still, onset, wave, end, still
    )
    during = next(span for span in take.spans if span.label)
    t = take.events["t"]
    inside = (t >= during.t_start_us) & (t < during.t_stop_us)
    rest = (t < take.spans[0].t_stop_us) | (t >= take.spans[-1].t_start_us)
    rest_us = take.spans[0].t_stop_us + take.duration_us - take.spans[-1].t_start_us
    assert inside.sum() / (during.t_stop_us - during.t_start_us) > 1.5 * rest.sum() / rest_us


@pytest.mark.parametrize("duration_us", [800_000, 1_500_000])
def test_every_clip_holds_a_window(duration_us, monkeypatch):
    monkeypatch.setattr(simulated_takes, "_STOP_SHARE", 1.0)
    plan = SimulationPlan(seed=5, duration_us=duration_us, ranges=dataclasses.replace(DEFAULT_RANGES, onset_share=1.0))
    for number in range(12):
        clips = list(clips_of(simulate_take(number % len(LABELS), 0, number, number, plan)))
        assert clips
        assert min(clip.duration_us - clip.onset_us for clip in clips) >= 199_000


def test_somebody_who_stands_still_is_other(monkeypatch):
    monkeypatch.setattr(simulated_takes, "_STILL_SHARE", 1.0)
    take = simulate_take(OTHER, 0, 1, 2, SimulationPlan(seed=9, duration_us=800_000))
    (clip,) = clips_of(take)
    assert (clip.label, clip.onset_us, clip.duration_us) == (OTHER, 0, 800_000)


def test_a_plan_that_cannot_be_is_named():
    with pytest.raises(UsageError, match=r"0\.8 to 6\.5 s"):
        SimulationPlan(seed=1, duration_us=7_000_000)
    with pytest.raises(UsageError, match="at least one clip"):
        SimulationPlan(seed=1, clips=0)
