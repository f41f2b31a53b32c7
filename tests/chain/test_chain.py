"""The chain on one thread, with an ordinary bundle whose answer can be computed by hand."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.ann import open_ann
from spikebridge.bundle import AccumulatorSpec, Bundle, SnnSpec, load_model
from spikebridge.chain import Chain, ChainStep
from spikebridge.contracts import Counts, Features, Logits, SnnStage, Spikes
from spikebridge.errors import StageError
from spikebridge.events import EventPacket, Sensor, make_events
from spikebridge.settings import Mode
from spikebridge.snapshot import Decision
from spikebridge.stages import STAGE_KEYS, WORKING
from spikebridge.testing import DelayedCopy, FixedAnn

STEP_US = 10_000
SHAPE = (2, 8, 8)


def packet(sequence: int, column: int | None = None, gap: bool = False, ago_ns: int | None = 0) -> EventPacket:
    """Eight ON events down one column, or silence; due ``ago_ns`` ago and given out at once."""
    start = sequence * STEP_US
    n = 0 if column is None else 8
    events = make_events(np.full(n, start), np.full(n, column or 0), np.arange(n), np.ones(n))
    now_ns = time.monotonic_ns()
    due_ns = None if ago_ns is None else now_ns - ago_ns
    return EventPacket(events, start, start + STEP_US, sequence, now_ns, gap, due_ns)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_model(write_ordinary_bundle(tmp_path / "b"))


def make_chain(bundle: Bundle, mode: Mode = "stream", snn: SnnStage | None = None) -> Chain:
    return Chain(bundle, snn, open_ann("cpu", bundle), Sensor(8, 8), mode)


def with_delay(bundle: Bundle) -> Bundle:
    return dataclasses.replace(bundle, snn=SnnSpec(bundle.ann.path, 2, 2, SHAPE))


def decision(step: ChainStep) -> Decision:
    assert step.decision is not None
    return step.decision


def features(step: ChainStep) -> Features:
    assert step.features is not None
    return step.features


def test_names_the_column_that_moved(bundle: Bundle) -> None:
    chain = make_chain(bundle)
    decisions = [decision(chain.process(packet(n, column=3))) for n in range(6)]
    assert [d.label for d in decisions[3:]] == ["right_arm_clockwise"] * 3
    assert [d.t_us for d in decisions] == [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
    assert tuple(decisions[0].latency_us) == STAGE_KEYS


@pytest.mark.parametrize("delay", [0, 2])
def test_before_a_whole_window_nothing_is_named(bundle: Bundle, delay: int) -> None:
    snn = DelayedCopy(SHAPE, 2) if delay else None
    chain = make_chain(with_delay(bundle) if delay else bundle, snn=snn)
    decisions = [decision(chain.process(packet(n, column=3))) for n in [*range(8), *range(10, 18)]]
    for run in (decisions[:8], decisions[8:]):
        first = 3 + delay
        assert [d.settled for d in run] == [False] * first + [True] * (8 - first)
        assert [d.label for d in run] == [None] * first + ["right_arm_clockwise"] * (8 - first)
        assert run[first - 1].probabilities.argmax() == 3
    assert [n for n, one in enumerate(decisions) if one.gap] == [8]


def test_silence_names_nothing(bundle: Bundle) -> None:
    assert decision(make_chain(bundle).process(packet(0))).label is None


def test_decisions_do_not_depend_on_timing(bundle: Bundle) -> None:
    def run(pause: float) -> list[tuple[int, str | None, bytes, bool]]:
        chain, result = make_chain(bundle), []
        for n in range(12):
            time.sleep(pause)
            result.append(decision(chain.process(packet(n, column=n % 5))))
        return [(d.t_us, d.label, d.probabilities.tobytes(), d.gap) for d in result]

    assert run(0) == run(0.002)


@pytest.mark.parametrize("how", ["sequence", "flag"])
def test_a_hole_resets_and_marks_the_next_decision(bundle: Bundle, how: str) -> None:
    chain = make_chain(bundle)
    for n in range(4):
        chain.process(packet(n, column=3))
    after = packet(6 if how == "sequence" else 4, gap=how == "flag")
    step = chain.process(after)
    assert decision(step).gap
    assert decision(step).label is None
    assert not features(step).any()
    assert chain.resets == 1
    following = decision(chain.process(packet(after.sequence + 1)))
    assert not following.gap
    assert chain.resets == 1


@pytest.mark.parametrize("gap", [False, True])
def test_the_first_packet_begins_and_resets_nothing(bundle: Bundle, gap: bool) -> None:
    """Whatever its number; a gap before it is said."""
    chain = make_chain(bundle)
    assert decision(chain.process(packet(5, gap=gap))).gap == gap
    assert chain.resets == 0


def test_the_window_mode_flushes_the_delay_and_starts_afresh(bundle: Bundle) -> None:
    chain = make_chain(with_delay(bundle), "window", DelayedCopy(SHAPE, 2))
    steps = [chain.process(packet(n, column=n // 4)) for n in range(8)]
    decided = [n for n, step in enumerate(steps) if step.decision]
    assert decided == [3, 7]
    first, second = steps[3], steps[7]
    # All four steps of the window arrived in spite of the delay, and nothing of the window before.
    assert features(first).reshape(2, 2, 8, 8)[1, :, :, 0].tolist() == [[2] * 8] * 2
    assert features(second).reshape(2, 2, 8, 8)[1, :, :, 0].sum() == 0
    assert [decision(first).index, decision(second).index] == [0, 1]


# ---------------------------------------------------------------- times


class SlowCopy(DelayedCopy):
    """Takes 2 ms a step."""

    def step(self, counts: Counts) -> Spikes:
        time.sleep(0.002)
        return super().step(counts)


def test_the_flush_is_time_of_the_spiking_layers(bundle: Bundle) -> None:
    """One step of the window and two silent ones that flush it, 2 ms each."""
    chain = make_chain(with_delay(bundle), "window", SlowCopy(SHAPE, 2))
    last = [chain.process(packet(n)) for n in range(4)][-1]
    assert last.latency_us["snn"] >= 6000
    assert last.latency_us["accumulator"] < 2000


def test_waiting_before_the_chain_is_in_its_latency(bundle: Bundle) -> None:
    """Due 30 ms before it was given out, which was 20 ms before the chain took it."""
    now_ns = time.monotonic_ns()
    waited = dataclasses.replace(packet(0), received_ns=now_ns - 20_000_000, due_ns=now_ns - 50_000_000)
    made = decision(make_chain(bundle).process(waited))
    assert made.latency_us["source"] == 30_000
    assert 20_000 <= made.latency_us["inbox"] < 40_000
    assert made.end_to_end_us is not None
    assert made.end_to_end_us == pytest.approx(sum(made.latency_us.values()), abs=1)


def test_without_a_pace_nothing_that_waits_is_latency(bundle: Bundle) -> None:
    made = decision(make_chain(bundle).process(packet(0, ago_ns=None)))
    assert tuple(made.latency_us) == WORKING
    assert made.end_to_end_us is None


def test_work_is_processor_time(bundle: Bundle) -> None:
    """Sleeping takes time and does not work; computing does both."""

    class Busy:
        def __call__(self, features: Features) -> Logits:
            until = time.thread_time_ns() + 5_000_000
            while time.thread_time_ns() < until:
                pass
            return np.zeros(11, np.float32)

    chain = Chain(with_delay(bundle), SlowCopy(SHAPE, 2), FixedAnn(Busy()), Sensor(8, 8))
    step = chain.process(packet(0))
    assert step.latency_us["snn"] >= 2000 > step.work_us["snn"]
    assert 5000 <= step.work_us["ann"] < 10_000
    assert set(step.work_us) == set(WORKING)


def test_between_hops_there_is_work_and_no_decision(bundle: Bundle) -> None:
    spec = dataclasses.replace(bundle, accumulator=AccumulatorSpec(4, 2, 2))
    chain = make_chain(spec)
    steps = [chain.process(packet(n)) for n in range(4)]
    assert [step.decision is not None for step in steps] == [False, True, False, True]
    assert [step.work_us["ann"] > 0 for step in steps] == [False, True, False, True]
    assert all(step.work_us["bin"] > 0 for step in steps)


# ---------------------------------------------------------------- failures


def test_a_failing_stage_is_named(bundle: Bundle) -> None:
    class Broken(DelayedCopy):
        def step(self, counts: Counts) -> Spikes:
            raise RuntimeError("socket closed")

    chain = make_chain(bundle, snn=Broken(SHAPE))
    with pytest.raises(StageError, match="found: socket closed") as caught:
        chain.process(packet(0))
    assert caught.value.stage == "snn"
