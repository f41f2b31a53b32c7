"""One lane by itself: what its snapshots say, when they are renewed, and how it ends."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bundles import write_ordinary_bundle
from spikebridge.bundle import AccumulatorSpec, Bundle, SnnSpec, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import AnnStage, Energy, Features, Logits, PowerReading, SourceInfo
from spikebridge.errors import StageError
from spikebridge.events import EventPacket, Sensor, make_events
from spikebridge.power import PowerMonitor
from spikebridge.run.inbox import WhenFull
from spikebridge.run.lane import INBOX_CAPACITY, Lane
from spikebridge.snapshot import Decision, LaneSnapshot, Latency
from spikebridge.testing import DelayedCopy, FixedAnn, FixedSnnMeter, HandClock

STEP_US = 10_000
SENSOR = Sensor(8, 8)
LOGITS = np.zeros(11, np.float32)
#: For whatever has to happen in the end.
LONG_S = 10.0


def packet(n: int, *, sequence: int | None = None, gap: bool = False, x: int = 3) -> EventPacket:
    """n + 1 events in the n-th step, so that no two packets count the same."""
    events = make_events(np.full(n + 1, n * STEP_US), np.full(n + 1, x), np.zeros(n + 1), np.ones(n + 1))
    events.flags.writeable = False
    return EventPacket(events, n * STEP_US, (n + 1) * STEP_US, n if sequence is None else sequence, 0, gap, 0)


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    return load_model(write_ordinary_bundle(tmp_path / "b"))


Make = Callable[..., Lane]


@pytest.fixture
def make(bundle: Bundle) -> Iterator[Make]:
    made: list[Lane] = []

    def make_lane(
        ann: AnnStage | None = None,
        *,
        chain: Chain | None = None,
        source_step_us: int = STEP_US,
        t_first_us: int | None = None,
        monitor: PowerMonitor | None = None,
        when_full: WhenFull = "drop_oldest",
    ) -> Lane:
        source = SourceInfo("x", "by hand", "live", SENSOR, t_first_us)
        chain = chain or Chain(bundle, None, ann or FixedAnn(LOGITS), SENSOR)
        made.append(Lane("main", chain, source, monitor or PowerMonitor(()), when_full, source_step_us))
        return made[-1]

    yield make_lane
    for lane in made:
        lane.close()


def run(
    lane: Lane,
    packets: list[EventPacket],
    on_step: Callable[[EventPacket, Decision | None], None] = lambda packet, decision: None,
) -> LaneSnapshot:
    """All that the lane makes of ``packets``, until it has ended."""
    ended = threading.Event()
    for one in packets:
        lane.put(one)
    lane.finish()
    lane.start(on_step, ended.set)
    assert ended.wait(LONG_S)
    return lane.snapshot()


# ---------------------------------------------------------------- before and after


def test_before_the_first_step_nothing_is_known_but_the_begin(make: Make) -> None:
    lane = make(t_first_us=5_000).snapshot()
    assert (lane.model.name, lane.state, lane.t_us) == ("main", "starting", 5_000)
    assert lane.decision is None
    assert lane.features is None
    # A latency will come: the source is taken to keep a pace until its packets say otherwise.
    assert lane.end_to_end == Latency()
    assert make().snapshot().t_us == 0


def test_after_the_last_step_all_figures_are_there(make: Make) -> None:
    lane = run(make(), [packet(n) for n in range(5)])
    assert (lane.state, lane.t_us, lane.failure) == ("ended", 50_000, None)
    c = lane.counters
    assert (c.packets_in, c.packets_done, c.events_in, c.events_done) == (5, 5, 15, 15)
    assert (c.decisions, c.resets, c.events_outside) == (5, 0, 0)
    assert lane.latency["bin"].run.n == 5
    assert lane.features is None, "nobody asked for them"


def test_every_step_is_sampled_and_what_only_decisions_need_at_decisions(make: Make, bundle: Bundle) -> None:
    """Four steps, a decision each second one."""
    each_second = dataclasses.replace(bundle, accumulator=AccumulatorSpec(4, 2, 2))
    lane = run(make(chain=Chain(each_second, None, FixedAnn(LOGITS), SENSOR)), [packet(n) for n in range(4)])
    n = {stage: latency.run.n for stage, latency in lane.latency.items()}
    assert n == {"source": 4, "inbox": 4, "bin": 4, "snn": 4, "accumulator": 4, "ann": 2, "decision": 2}
    assert lane.end_to_end is not None
    assert lane.end_to_end.run.n == 2


def test_events_outside_the_crop_are_counted(make: Make, bundle: Bundle) -> None:
    """Of 16 px the middle 8 are seen; 2 of 3 events lie left of them."""
    lane = make(chain=Chain(bundle, None, FixedAnn(LOGITS), Sensor(16, 8)))
    assert run(lane, [packet(0, x=4), packet(1, x=3)]).counters.events_outside == 2


def test_the_chip_of_the_lane_is_watched_and_charged(make: Make, bundle: Bundle) -> None:
    """2 mJ a step, a decision each step."""
    reading = PowerReading("chip", 0.25, "measured", "all of it", whole=True)
    snn = DelayedCopy((2, 8, 8), meter=FixedSnnMeter(Energy(2.0, "measured"), reading))
    spiking = dataclasses.replace(bundle, snn=SnnSpec(bundle.ann.path, 1, 1, (2, 8, 8)))
    lane = run(make(chain=Chain(spiking, snn, FixedAnn(LOGITS), SENSOR)), [packet(n) for n in range(3)])
    assert lane.chip == (reading,)
    assert lane.energy["snn"] == Energy(2.0, "measured")


def test_a_live_lane_lets_eight_steps_wait(make: Make) -> None:
    """80 ms at 10 ms a step: the oldest of nine is dropped."""
    lane = make()
    assert INBOX_CAPACITY == 8
    for n in range(9):
        assert lane.put(packet(n))
    c = lane.counters()
    assert (c.packets_in, c.packets_dropped, c.packets_queued) == (9, 1, 8)
    assert (c.events_in, c.events_dropped, c.events_queued) == (45, 1, 44)


# ---------------------------------------------------------------- steps longer than the source's


def coarse(bundle: Bundle) -> Chain:
    """Steps of 20 ms."""
    longer = dataclasses.replace(bundle, input=dataclasses.replace(bundle.input, step_us=2 * STEP_US))
    return Chain(longer, None, FixedAnn(LOGITS), SENSOR)


def test_packets_of_the_right_length_go_through_as_they_are(make: Make) -> None:
    """Not copied."""
    given, heard = [packet(n) for n in range(3)], []
    run(make(), given, lambda one, decision: heard.append(one))
    assert all(one is other for one, other in zip(given, heard, strict=True))


def test_steps_are_joined_and_the_last_one_is_filled_up(make: Make, bundle: Bundle) -> None:
    decided: list[int] = []

    def on_step(one: EventPacket, decision: Decision | None) -> None:
        assert decision is not None
        decided.append(decision.t_us)

    lane = run(make(chain=coarse(bundle)), [packet(n) for n in range(3)], on_step)
    assert decided == [20_000, 40_000]
    assert all(type(t_us) is int for t_us in decided), "JSON would write 20000.0"
    assert (lane.counters.packets_done, lane.counters.events_done) == (2, 6)


def test_what_a_gap_cuts_off_is_dropped_and_counted(make: Make, bundle: Bundle) -> None:
    """Of the first step only half came, its one event is lost."""
    lane = run(make(chain=coarse(bundle)), [packet(0), packet(5, sequence=1, gap=True), packet(6, sequence=2)])
    c = lane.counters
    assert (c.packets_in, c.packets_done, c.packets_dropped) == (2, 1, 1)
    assert (c.events_in, c.events_done, c.events_dropped) == (14, 13, 1)


# ---------------------------------------------------------------- when views see what


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    made = HandClock()
    monkeypatch.setattr("spikebridge.run.lane.time", SimpleNamespace(monotonic_ns=made))
    return made


def test_decisions_are_shown_after_33_ms_and_figures_after_100(make: Make, clock: HandClock) -> None:
    """Each step ends at a moment chosen by hand; what the snapshot then shows is seen from the next one."""
    begin_ns = clock.now_ns
    moments_ms = (32.999999, 33, 65.999999, 99.999999, 100, 132.999999, 133, 199.999999, 200)
    seen: list[LaneSnapshot] = []
    lane = make(when_full="block")
    lane.want_features(True)

    def on_step(one: EventPacket, decision: Decision | None) -> None:
        seen.append(lane.snapshot())
        if (n := len(seen)) <= len(moments_ms):
            clock.now_ns = begin_ns + round(moments_ms[n - 1] * 1e6)

    ended = threading.Event()
    lane.start(on_step, ended.set)
    for n in range(10):
        lane.put(packet(n))
    lane.finish()
    assert ended.wait(LONG_S)
    shown = [(one.t_us // STEP_US, one.counters.packets_done, one.latency["bin"].run.n) for one in seen[1:]]
    #                Nothing    33 ms      nothing    66 later   100 ms     nothing    33 later   67 later   100 later
    assert shown == [(0, 0, 0), (2, 2, 0), (2, 2, 0), (4, 4, 0), (5, 5, 5), (5, 5, 5), (7, 7, 5), (8, 8, 5), (9, 9, 9)]
    assert [one.state for one in seen] == ["starting"] * 2 + ["running"] * 8
    assert [None if one.decision is None else one.decision.t_us for one in seen[1:4]] == [None, 20_000, 20_000]
    assert [one.features is not None for one in seen[1:4]] == [False, True, True]


def test_views_are_kept_up_to_date_while_nothing_comes(make: Make, clock: HandClock) -> None:
    """Rates fall, meters go on."""
    lane = make()
    first = lane.snapshot()
    lane.start(lambda one, decision: None, lambda: None)
    clock.pass_s(1)
    settled = threading.Event()
    for _ in range(round(LONG_S / 0.01)):
        if lane.snapshot() is not first:
            break
        settled.wait(0.01)
    assert lane.snapshot() is not first


# ---------------------------------------------------------------- how it ends


def test_an_error_that_nobody_foresaw_is_the_chains(make: Make) -> None:
    def broken(features: Features) -> Logits:
        raise ZeroDivisionError("by hand")

    lane = make(FixedAnn(broken))
    shown = run(lane, [packet(0), packet(1)])
    assert isinstance(lane.failure, StageError)
    assert lane.failure.stage == "chain"
    assert "ZeroDivisionError('by hand')" in str(lane.failure)
    assert (shown.state, shown.failure) == ("failed", str(lane.failure))
    assert (shown.counters.packets_dropped, shown.counters.packets_queued) == (2, 0)


class GatedAnn:
    """Waits in ``classify`` until it may go on, then raises ``error`` if there is one; knows when it was closed."""

    name = "gated"

    def __init__(self, error: Exception | None = None) -> None:
        self.entered, self.may_go_on = threading.Event(), threading.Event()
        self.in_work = False
        self.closed_in_work: bool | None = None
        self._error = error

    def classify(self, features: Features) -> Logits:
        self.in_work = True
        self.entered.set()
        assert self.may_go_on.wait(LONG_S)
        self.in_work = False
        if self._error is not None:
            raise self._error
        return LOGITS

    def close(self) -> None:
        self.closed_in_work = self.in_work


def started(lane: Lane, ann: GatedAnn) -> threading.Event:
    """The lane's first step is in work."""
    ended = threading.Event()
    lane.put(packet(0))
    lane.start(lambda one, decision: None, ended.set)
    assert ann.entered.wait(LONG_S)
    return ended


def test_what_fails_because_the_lane_is_stopped_is_no_failure(make: Make) -> None:
    ann = GatedAnn(StageError("ann", "expected the server, found it gone."))
    lane = make(ann)
    ended = started(lane, ann)
    lane.stop()
    ann.may_go_on.set()
    assert ended.wait(LONG_S)
    assert lane.failure is None
    assert lane.snapshot().state == "ended"


def test_stages_are_closed_when_the_step_in_work_is_done(make: Make) -> None:
    ann = GatedAnn()
    lane = make(ann)
    started(lane, ann)
    threading.Timer(0.05, ann.may_go_on.set).start()
    lane.close()
    assert ann.closed_in_work is False


def test_a_stage_that_hangs_does_not_keep_close_waiting(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikebridge.run.lane.CLOSE_WITHIN_S", 0.05)
    ann = GatedAnn()
    lane = make(ann)
    ended = started(lane, ann)
    lane.close()
    assert not ended.is_set()
    assert ann.closed_in_work is True
    ann.may_go_on.set()
    assert ended.wait(LONG_S)


def test_who_hears_a_step_may_close_the_lane(make: Make) -> None:
    """On the lane's own thread, which cannot wait for itself."""
    ann = GatedAnn()
    ann.may_go_on.set()
    lane = make(ann)
    shown = run(lane, [packet(0), packet(1)], lambda one, decision: lane.close())
    assert ann.closed_in_work is False
    assert (shown.state, shown.counters.packets_done) == ("ended", 1)


def test_a_lane_that_hangs_does_not_keep_the_program_from_ending(make: Make) -> None:
    threads: list[threading.Thread] = []
    run(make(), [packet(0)], lambda one, decision: threads.append(threading.current_thread()))
    assert [(thread.name, thread.daemon) for thread in threads] == [("spikebridge-lane main", True)]
