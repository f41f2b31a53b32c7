"""The chain on one thread, with an ordinary bundle whose answer can be computed by hand."""

import dataclasses
import time

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.ann import open_ann
from spikebridge.bundle import SnnSpec, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import STAGES, SnnActivity
from spikebridge.errors import StageError
from spikebridge.events import EventPacket, Sensor, make_events

STEP_US = 10_000


def packet(sequence, column=None, gap=False):
    """Eight ON events down one column, or silence."""
    start = sequence * STEP_US
    n = 0 if column is None else 8
    events = make_events(np.full(n, start), np.full(n, column or 0), np.arange(n), np.ones(n))
    return EventPacket(events, start, start + STEP_US, sequence, time.monotonic_ns(), gap)


class DelayedCopy:
    """A spiking stage of a few lines: gives each input back two steps later."""

    name = "delayed copy"

    def __init__(self):
        self.reset()

    def step(self, counts):
        self._line.append(np.minimum(counts, 1))
        return self._line.pop(0)

    def reset(self):
        self._line = [np.zeros((2, 8, 8), np.uint8)] * 2

    def activity(self):
        return SnnActivity(0, 0, ())

    def close(self):
        pass


@pytest.fixture
def bundle(tmp_path):
    return load_model(write_ordinary_bundle(tmp_path / "b"))


def make_chain(bundle, mode="stream", snn=None):
    return Chain(bundle, snn, open_ann("cpu", bundle), Sensor(8, 8), mode)


def test_names_the_column_that_moved(bundle):
    chain = make_chain(bundle)
    decisions = [chain.process(packet(n, column=3)).decision for n in range(6)]
    assert [d.label for d in decisions[3:]] == ["right_arm_clockwise"] * 3
    assert [d.t_us for d in decisions] == [10_000, 20_000, 30_000, 40_000, 50_000, 60_000]
    assert set(decisions[0].latency_us) == set(STAGES)


@pytest.mark.parametrize("delay", [0, 2])
def test_before_a_whole_window_nothing_is_named(bundle, delay):
    delayed = dataclasses.replace(bundle, snn=SnnSpec(bundle.ann.path, 2, 2, (2, 8, 8)))
    chain = make_chain(delayed if delay else bundle, snn=DelayedCopy() if delay else None)
    decisions = [chain.process(packet(n, column=3)).decision for n in [*range(8), *range(10, 18)]]
    for run in (decisions[:8], decisions[8:]):
        first = 3 + delay
        assert [d.settled for d in run] == [False] * first + [True] * (8 - first)
        assert [d.label for d in run] == [None] * first + ["right_arm_clockwise"] * (8 - first)
        assert run[first - 1].probabilities.argmax() == 3
    assert [n for n, decision in enumerate(decisions) if decision.gap] == [8]


def test_silence_names_nothing(bundle):
    assert make_chain(bundle).process(packet(0)).decision.label is None


def test_decisions_do_not_depend_on_timing(bundle):
    def run(pause):
        chain, result = make_chain(bundle), []
        for n in range(12):
            time.sleep(pause)
            result.append(chain.process(packet(n, column=n % 5)).decision)
        return [(d.t_us, d.label, d.probabilities.tobytes(), d.gap) for d in result]

    assert run(0) == run(0.002)


@pytest.mark.parametrize("how", ["sequence", "flag"])
def test_a_hole_resets_and_marks_the_next_decision(bundle, how):
    chain = make_chain(bundle)
    for n in range(4):
        chain.process(packet(n, column=3))
    after = packet(6 if how == "sequence" else 4, gap=how == "flag")
    step = chain.process(after)
    assert step.decision.gap
    assert step.decision.label is None
    assert not step.features.any()
    assert chain.resets == 1
    following = chain.process(packet(after.sequence + 1)).decision
    assert not following.gap


def test_the_window_mode_flushes_the_delay_and_starts_afresh(bundle):
    delayed = dataclasses.replace(bundle, snn=SnnSpec(bundle.ann.path, 2, 2, (2, 8, 8)))
    chain = make_chain(delayed, "window", DelayedCopy())
    steps = [chain.process(packet(n, column=n // 4)) for n in range(8)]
    decided = [n for n, step in enumerate(steps) if step.decision]
    assert decided == [3, 7]
    first, second = steps[3], steps[7]
    # All four steps of the window arrived in spite of the delay, and nothing of the window before.
    assert first.features.reshape(2, 2, 8, 8)[1, :, :, 0].tolist() == [[2] * 8] * 2
    assert second.features.reshape(2, 2, 8, 8)[1, :, :, 0].sum() == 0
    assert [first.decision.index, second.decision.index] == [0, 1]


def test_a_failing_stage_is_named(bundle):
    class Broken(DelayedCopy):
        def step(self, counts):
            raise RuntimeError("socket closed")

    chain = make_chain(bundle, snn=Broken())
    with pytest.raises(StageError, match="found: socket closed") as caught:
        chain.process(packet(0))
    assert caught.value.stage == "snn"
