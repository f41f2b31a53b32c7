"""The chain on one thread, with an ordinary bundle whose answer can be computed by hand."""

from __future__ import annotations

import dataclasses
import math
import time
from pathlib import Path
from types import SimpleNamespace

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
from spikebridge.testing import DelayedCopy, FixedAnn, HandClock

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
    assert following.gap is False
    assert chain.resets == 1
    chain.process(packet(after.sequence + 5))
    assert chain.resets == 2


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
    assert decision(first).settled
    assert decision(second).settled


def test_the_mean_over_time_counts_the_time_of_a_hop(bundle: Bundle) -> None:
    """A decision each 2 steps of 10 ms, a time constant of 100 ms: the first goes 1 - e^-0.2 of the way from 1/11."""
    spec = dataclasses.replace(
        bundle,
        accumulator=AccumulatorSpec(4, 2, 2),
        decision=dataclasses.replace(bundle.decision, smoothing_us=100_000),
    )
    certain = np.zeros(11, np.float32)
    certain[4] = 1e4
    chain = Chain(spec, None, FixedAnn(certain), Sensor(8, 8))
    made = [chain.process(packet(n)).decision for n in range(2)][-1]
    assert made is not None
    assert made.probabilities[4] == pytest.approx(1 - 10 / 11 * math.exp(-0.2), rel=1e-6)


# ---------------------------------------------------------------- times


class SlowCopy(DelayedCopy):
    """Takes 2 ms a step."""

    def step(self, counts: Counts) -> Spikes:
        time.sleep(0.002)
        return super().step(counts)


class Clocks:
    """The chain's clocks, moved by hand by the stages that take time: ``work_us`` of it with the processor."""

    def __init__(self) -> None:
        self.host, self.processor = HandClock(), HandClock(0)

    @property
    def now_ns(self) -> int:
        return self.host.now_ns

    def take(self, latency_us: int, work_us: int) -> None:
        self.host.now_ns += latency_us * 1000
        self.processor.now_ns += work_us * 1000


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    made = Clocks()
    by_hand = SimpleNamespace(monotonic_ns=made.host, thread_time_ns=made.processor)
    monkeypatch.setattr("spikebridge.chain.chain.time", by_hand)
    return made


def timed_chain(bundle: Bundle, clocks: Clocks, mode: Mode) -> Chain:
    """Two steps of delay. The spiking layers take 2000 µs a step, 700 of them with the processor, and 300 and 100 to be
    reset; the others 5000 and 4000 a decision."""

    class TimedCopy(DelayedCopy):
        def step(self, counts: Counts) -> Spikes:
            clocks.take(2000, 700)
            return super().step(counts)

        def reset(self) -> None:
            clocks.take(300, 100)
            super().reset()

    def classify(features: Features) -> Logits:
        clocks.take(5000, 4000)
        return np.zeros(11, np.float32)

    return Chain(with_delay(bundle), TimedCopy(SHAPE, 2), FixedAnn(classify), Sensor(8, 8), mode)


def test_each_stage_is_charged_with_its_own_time(bundle: Bundle, clocks: Clocks) -> None:
    """Due 300 µs before it was given out, which was 40 µs before the chain took it."""
    chain = timed_chain(bundle, clocks, "stream")
    chain.process(packet(0))
    now_ns = clocks.now_ns
    given = dataclasses.replace(packet(1), received_ns=now_ns - 40_000, due_ns=now_ns - 340_000)
    step = chain.process(given)
    nothing = dict.fromkeys(("bin", "accumulator", "decision"), 0.0)
    assert step.latency_us == {"source": 300.0, "inbox": 40.0, "snn": 2000.0, "ann": 5000.0, **nothing}
    assert step.work_us == {"snn": 700.0, "ann": 4000.0, **nothing}
    assert decision(step).latency_us == step.latency_us
    assert decision(step).end_to_end_us == 7340.0


def test_the_steps_that_flush_a_window_are_charged_to_the_spiking_layers(bundle: Bundle, clocks: Clocks) -> None:
    """Three steps of 2000 µs: that of the window and two silent ones. A window begins with a reset of 300 µs, for which
    the decision before does not wait."""
    chain = timed_chain(bundle, clocks, "window")
    steps = [chain.process(packet(n, ago_ns=None)) for n in range(8)]
    assert [(step.latency_us["snn"], step.work_us["snn"]) for step in steps] == [
        (2300.0, 800.0),
        *[(2000.0, 700.0)] * 2,
        (6000.0, 2100.0),
    ] * 2
    assert [step.latency_us["ann"] for step in steps] == [0.0, 0.0, 0.0, 5000.0] * 2
    assert {step.latency_us[stage] for step in steps for stage in ("bin", "accumulator", "decision")} == {0.0}


def test_a_hole_in_the_stream_is_time_of_the_spiking_layers(bundle: Bundle, clocks: Clocks) -> None:
    chain = timed_chain(bundle, clocks, "stream")
    steps = [chain.process(packet(n)) for n in (0, 1, 5)]
    assert [step.latency_us["snn"] for step in steps] == [2300.0, 2000.0, 2300.0]


@pytest.mark.parametrize(
    ("due_ms", "received_ms", "source", "inbox", "end_to_end"),
    [(60, 0, 0.0, 0.0, 0.0), (0, 60, 60_000.0, 0.0, 7300.0), (0, 0, 0.0, 0.0, 7300.0)],
    ids=["complete before it was due", "received on a clock ahead", "at once"],
)
def test_no_latency_is_negative(
    bundle: Bundle,
    clocks: Clocks,
    due_ms: int,
    received_ms: int,
    source: float,
    inbox: float,
    end_to_end: float,
) -> None:
    chain = timed_chain(bundle, clocks, "stream")
    due_ns, received_ns = clocks.now_ns + due_ms * 1_000_000, clocks.now_ns + received_ms * 1_000_000
    made = decision(chain.process(dataclasses.replace(packet(0), received_ns=received_ns, due_ns=due_ns)))
    assert (made.latency_us["source"], made.latency_us["inbox"], made.end_to_end_us) == (source, inbox, end_to_end)


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
