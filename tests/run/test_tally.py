from __future__ import annotations

import pytest

from run.steps import LATENCY_US, WORK_US, decided, step
from spikebridge.contracts import LABELS
from spikebridge.run.tally import Tally
from spikebridge.stages import STAGE_KEYS, WORKING


def test_each_stage_has_its_own_times() -> None:
    tally = Tally(LABELS)
    tally.add(step(decided()))
    latency = tally.stage_latency()
    assert tuple(latency) == STAGE_KEYS
    assert {key: figures.newest_us for key, figures in latency.items()} == LATENCY_US
    assert {key: figures.recent.p50 for key, figures in latency.items()} == LATENCY_US


def test_what_only_decisions_need_is_sampled_at_decisions_alone() -> None:
    """Three steps, one decision: the median of the ANN is its one run, not the nothing of two other steps."""
    tally = Tally(LABELS)
    for one in (step(), step(), step(decided())):
        tally.add(one)
    n = {key: figures.recent.n for key, figures in tally.stage_latency().items()}
    assert n == {"source": 3, "inbox": 3, "bin": 3, "snn": 3, "accumulator": 3, "ann": 1, "decision": 1}
    assert tally.stage_latency()["ann"].recent.p50 == LATENCY_US["ann"]


def test_stages_of_one_card_are_added_up_step_by_step() -> None:
    """1 + 20 + 300 µs, not the sum of medians of different steps."""
    tally = Tally(LABELS)
    tally.add(step(decided()))
    assert tally.card_latency("source", tally.stage_latency()).recent.p50 == 321
    swapped = {**LATENCY_US, "inbox": 300.0, "bin": 20.0}
    tally.add(step(decided(), swapped))
    assert tally.card_latency("source", tally.stage_latency()).recent.p99 == 321
    assert tally.card_latency("ann", tally.stage_latency()).newest_us == LATENCY_US["ann"]


def test_without_a_pace_the_card_of_the_source_is_binning() -> None:
    tally = Tally(LABELS)
    tally.add(step(decided(end_to_end_us=None), {key: LATENCY_US[key] for key in WORKING}))
    assert tally.card_latency("source", tally.stage_latency()).recent.p50 == 300
    assert tally.stage_latency()["source"].run.n == tally.stage_latency()["inbox"].run.n == 0
    assert tally.end_to_end.run().n == 0


def test_work_adds_up_over_all_steps() -> None:
    tally = Tally(LABELS)
    for one in (step(), step(), step(decided()), step()):
        tally.add(one)
    expected = {key: 4 * WORK_US[key] for key in WORKING}
    expected |= {"ann": WORK_US["ann"], "decision": WORK_US["decision"]}
    assert tally.work_us == expected
    assert tally.decisions == 1


def test_end_to_end_is_sampled_by_decision() -> None:
    tally = Tally(LABELS)
    for end_to_end_us in (100.0, 300.0):
        tally.add(step())
        tally.add(step(decided(end_to_end_us=end_to_end_us)))
    recent = tally.end_to_end.recent()
    assert (recent.p50, recent.n) == (200, 2)


def test_scores_are_means_over_all_decisions() -> None:
    tally = Tally(LABELS)
    assert tally.scores() == (0.0,) * len(LABELS)
    tally.add(step(decided("arm_roll", confidence=0.9)))
    assert tally.scores()[LABELS.index("arm_roll")] == pytest.approx(0.9)
    tally.add(step(decided(None, confidence=0.5, settled=False)))
    scores = dict(zip(LABELS, tally.scores(), strict=True))
    assert scores["arm_roll"] == pytest.approx((0.9 + 0.05) / 2)
    assert scores["hand_clap"] == pytest.approx((0.01 + 0.5) / 2)


@pytest.mark.parametrize(
    ("named", "nothing", "verdict"),
    [(1, 0, "arm_roll"), (2, 2, "arm_roll"), (2, 3, None), (0, 0, None)],
    ids=["named", "half is enough", "most named nothing", "no decision"],
)
def test_a_run_is_named_unless_most_decisions_name_nothing(named: int, nothing: int, verdict: str | None) -> None:
    tally = Tally(LABELS)
    for _ in range(named):
        tally.add(step(decided("arm_roll", confidence=0.99)))
    for _ in range(nothing):
        tally.add(step(decided(None, confidence=0.2)))
    assert tally.verdict() == verdict


def test_unsettled_decisions_are_no_verdict() -> None:
    tally = Tally(LABELS)
    for _ in range(5):
        tally.add(step(decided(None, settled=False)))
    assert tally.verdict() is None
    tally.add(step(decided("arm_roll", confidence=1.0)))
    assert tally.verdict() == "hand_clap", "the highest mean, which the five unsettled ones had in the first class"
