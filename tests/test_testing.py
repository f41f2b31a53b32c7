"""The stand-ins for users of the program: each does what it says, and each check finds what is not as it should be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from spikebridge.contracts import (
    Counts,
    Energy,
    LayerActivity,
    PowerReading,
    SnnActivity,
    SourceCounters,
    SourceInfo,
    Spikes,
)
from spikebridge.events import EventArray, EventPacket, Sensor, empty_events, make_events
from spikebridge.sources.replay import Replay
from spikebridge.testing import (
    ArrayRecording,
    DelayedCopy,
    FixedAnn,
    FixedMeter,
    FixedSnnMeter,
    HandClock,
    PacketSource,
    ScriptedCamera,
    check_snn,
    check_source,
)

SENSOR = Sensor(8, 4)
STEP_US = 10_000


def events_at(*times: int) -> EventArray:
    return make_events(times, [1] * len(times), [2] * len(times), [1] * len(times))


def packet(n: int, *times: int, **changes: object) -> EventPacket:
    """Step n with events at ``times`` after its beginning."""
    events = events_at(*(n * STEP_US + t for t in times))
    events.flags.writeable = False
    made = EventPacket(events, n * STEP_US, (n + 1) * STEP_US, n, 0)
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


# ---------------------------------------------------------------- stand-ins


def test_the_clock_goes_when_it_is_moved() -> None:
    clock = HandClock()
    assert clock() == clock() == 1_000_000_000
    clock.pass_s(0.25)
    assert clock() == clock.now_ns == 1_250_000_000
    assert HandClock(5)() == 5


def test_a_recording_in_memory_reads_half_open_ranges_and_counts() -> None:
    recording = ArrayRecording(events_at(10, 20, 20, 30), SENSOR)
    assert recording.read(10, 20)["t"].tolist() == [10]
    assert recording.read(20, 31)["t"].tolist() == [20, 20, 30]
    assert recording.read(31, 99).size == 0
    assert recording.counters() == SourceCounters(read=4)
    info = recording.info
    assert info == SourceInfo("memory:", "events in memory", "recording", SENSOR, 10, 30)
    empty = ArrayRecording(empty_events(), SENSOR)
    assert (empty.info.t_first_us, empty.info.t_last_us) == (0, 0)
    recording.close()


def test_a_recording_in_memory_can_be_replayed() -> None:
    source = Replay(ArrayRecording(events_at(0, 9_999, 10_000, 25_000), SENSOR), speed=math.inf)
    assert [p.events["t"].tolist() for p in check_source(source)] == [[0, 9_999], [10_000], [25_000]]


def test_a_source_of_packets_gives_them_and_counts() -> None:
    packets = [packet(0, 1, 2), packet(1), packet(2, 3)]
    source = PacketSource(packets, SENSOR, "simulated", dropped=7)
    assert source.info == SourceInfo("packets:", "packets in memory", "simulated", SENSOR)
    assert list(source.packets(STEP_US)) == packets
    assert source.counters() == SourceCounters(read=3, dropped=7)


def test_a_source_of_packets_ends_where_it_is_closed_or_breaks_where_it_is_told() -> None:
    source = PacketSource([packet(0), packet(1)], SENSOR)
    assert (source.info.kind, source.counters()) == ("live", SourceCounters())
    given = source.packets(STEP_US)
    next(given)
    source.close()
    assert list(given) == []
    broken = PacketSource([packet(0)], SENSOR, error=OSError("cable")).packets(STEP_US)
    next(broken)
    with pytest.raises(OSError, match="cable"):
        next(broken)


def test_a_scripted_camera_gives_each_batch_when_its_time_has_come() -> None:
    camera = ScriptedCamera([(1_000, events_at(5)), (2_000, OSError("unplugged"))])
    assert (camera.uri, camera.sensor) == ("camera:scripted", Sensor(128, 128))
    assert ScriptedCamera([], SENSOR).sensor == SENSOR
    camera.clock.now_ns = 999_999
    assert camera.read() is None
    camera.clock.now_ns = 1_000_000
    batch = camera.read()
    assert batch is not None
    assert batch["t"].tolist() == [5]
    assert camera.read() is None
    camera.clock.now_ns = 2_000_000
    with pytest.raises(OSError, match="unplugged"):
        camera.read()
    assert not camera.closed
    camera.close()
    assert camera.closed


def test_waiting_for_a_scripted_camera_moves_its_clock() -> None:
    camera = ScriptedCamera([(0, events_at(0))])
    assert len(check_source(camera.source(), packets=3)) == 3
    assert camera.clock.now_ns >= 30_000_000
    assert camera.closed


def test_a_delayed_copy_gives_its_input_back_later() -> None:
    stage = DelayedCopy((1, 1, 2), delay_steps=2)
    inputs = [np.array([[[a, b]]], np.uint8) for a, b in ((3, 0), (1, 2), (0, 0), (0, 0))]
    assert [stage.step(one).tolist() for one in inputs] == [[[[0, 0]]], [[[0, 0]]], [[[1, 0]]], [[[1, 1]]]]
    # Three places with input came in, three spikes came out.
    assert stage.activity() == SnnActivity(4, 3, (LayerActivity("copy", 2, 3, 3, 3),))
    stage.step(inputs[0])
    stage.reset()
    assert [stage.step(inputs[2]).sum() for _ in range(3)] == [0, 0, 0]
    assert stage.activity().steps == 8
    stage.close()


def test_a_delayed_copy_costs_what_its_meter_says_or_nothing() -> None:
    meter = FixedSnnMeter(Energy(1.0, "measured"))
    assert DelayedCopy((1, 1, 1), meter=meter).meter() is meter
    free = DelayedCopy((1, 1, 1))
    assert [int(free.step(np.full((1, 1, 1), n, np.uint8)).sum()) for n in (1, 0)] == [0, 1]
    assert free.meter().energy(free.activity(), STEP_US, 1) == Energy(0.0, "simulated")


def test_a_fixed_ann_answers_and_counts() -> None:
    logits = np.array([1, 2], np.float32)
    ann = FixedAnn(logits)
    features = np.full((1, 1, 1), 7, np.uint8)
    assert ann.classify(features) is logits
    assert ann.classify(features) is logits
    assert ann.calls == 2
    counting = FixedAnn(lambda seen: np.array([seen.sum()], np.float32))
    assert counting.classify(features).tolist() == [7]
    ann.close()


def test_a_fixed_meter_reads_what_it_was_told_or_breaks() -> None:
    reading = PowerReading("rail", 2.0, "measured", "a rail")
    meter = FixedMeter(reading, name="mine")
    assert (meter.read(), meter.read()) == ((reading,), (reading,))
    assert (meter.name, meter.reads) == ("mine", 2)
    broken = FixedMeter(error=OSError("bus"))
    with pytest.raises(OSError, match="bus"):
        broken.read()
    assert broken.reads == 1


def test_a_fixed_chip_costs_the_same_in_each_step() -> None:
    """Twelve steps and four decisions: three steps each."""
    reading = PowerReading("chip", 0.5, "measured", "all", whole=True)
    meter = FixedSnnMeter(Energy(0.5, "measured", 0.25, 2.0, "a board"), reading)
    activity = SnnActivity(12, 0, ())
    assert meter.energy(activity, STEP_US, 4) == Energy(1.5, "measured", 0.75, 6.0, "a board")
    assert (meter.name, meter.read(), meter.cost(activity, STEP_US)) == ("fixed chip", (reading,), None)
    unknown = FixedSnnMeter(Energy(None, "unavailable"))
    assert unknown.energy(activity, STEP_US, 4) == Energy(None, "unavailable")


# ---------------------------------------------------------------- checks of sources


def test_a_source_as_it_should_be_gives_its_packets() -> None:
    packets = [packet(n, 0, 9_999) for n in range(5)]
    closed: list[bool] = []

    class Counting(PacketSource):
        def close(self) -> None:
            closed.append(True)
            super().close()

    assert check_source(Counting(packets, SENSOR), packets=3) == packets[:3]
    # Whoever closes twice must not fail.
    assert closed == [True, True]
    assert check_source(PacketSource([], SENSOR)) == []


def test_a_gap_may_leave_time_out_but_no_sequence() -> None:
    after = packet(5, 1, sequence=1, gap=True)
    assert len(check_source(PacketSource([packet(0, 1), after], SENSOR))) == 2
    with pytest.raises(ValueError, match="step that begins where the last one ended: 10000, got 50000"):
        check_source(PacketSource([packet(0, 1), dataclasses.replace(after, gap=False)], SENSOR))
    with pytest.raises(ValueError, match="the next sequence: 1, got 5"):
        check_source(PacketSource([packet(0, 1), dataclasses.replace(after, sequence=5)], SENSOR))


def writable(made: EventPacket) -> EventPacket:
    return dataclasses.replace(made, events=made.events.copy())


def moved(made: EventPacket, **columns: list[int]) -> EventPacket:
    """With other values in some columns."""
    events = made.events.copy()
    for name, values in columns.items():
        events[name] = values
    events.flags.writeable = False
    return dataclasses.replace(made, events=events)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: dataclasses.replace(p, events=np.zeros(2, [("t", "i8")])), "events of EVENT_DTYPE"),
        (writable, "read-only events"),
        (lambda p: dataclasses.replace(p, t_stop_us=p.t_stop_us + 1), "steps of step_us: 10000, got 10001"),
        (lambda p: moved(p, t=[-1, 5]), "events within their step"),
        (lambda p: moved(p, t=[5, STEP_US]), "events within their step"),
        (lambda p: moved(p, t=[6, 5]), "events sorted by time"),
        (lambda p: moved(p, x=[0, 8]), "events on the sensor"),
        (lambda p: moved(p, y=[4, 0]), "events on the sensor"),
    ],
    ids=["dtype", "writable", "length", "before", "behind", "unsorted", "right of it", "below it"],
)
def test_a_packet_that_is_not_as_it_should_be_is_found(spoil: Callable[[EventPacket], EventPacket], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_source(PacketSource([spoil(packet(0, 1, 2))], SENSOR))


def test_the_last_place_of_sensor_and_step_are_inside() -> None:
    made = moved(packet(0, 1, 2), t=[0, 9_999], x=[7, 0], y=[0, 3])
    assert check_source(PacketSource([made], SENSOR)) == [made]


def test_events_may_come_at_the_same_time() -> None:
    assert len(check_source(PacketSource([packet(0, 5, 5)], SENSOR))) == 1


def test_events_that_were_not_counted_are_found() -> None:
    class Forgetful(PacketSource):
        def counters(self) -> SourceCounters:
            return SourceCounters(read=2)

    with pytest.raises(ValueError, match="a count of the events read"):
        check_source(Forgetful([packet(0, 1, 2), packet(1, 3)], SENSOR))
    assert len(check_source(Forgetful([packet(0, 1, 2)], SENSOR))) == 1


def test_the_source_is_asked_for_the_steps_that_are_checked() -> None:
    class Steps(PacketSource):
        def packets(self, step_us: int) -> Iterator[EventPacket]:
            yield EventPacket(packet(0).events, 0, step_us, 0, 0)

    assert check_source(Steps([], SENSOR), step_us=5_000)[0].t_stop_us == 5_000


# ---------------------------------------------------------------- checks of spiking stages

COUNTS = np.array([[[1, 0], [2, 1]]], np.uint8)


def test_a_stage_as_it_should_be_is_run_twice() -> None:
    stage = DelayedCopy((1, 2, 2), delay_steps=3)
    check_snn(stage, COUNTS, steps=5)
    assert stage.activity().steps == 10
    check_snn(stage, COUNTS)
    assert stage.activity().steps == 10 + 24


class NoReset(DelayedCopy):
    def reset(self) -> None:
        if self.activity().steps == 0:
            super().reset()


class Uncounted(DelayedCopy):
    def activity(self) -> SnnActivity:
        return dataclasses.replace(super().activity(), steps=0)


class Miscounting(DelayedCopy):
    def activity(self) -> SnnActivity:
        activity = super().activity()
        (layer,) = activity.layers
        return dataclasses.replace(activity, layers=(dataclasses.replace(layer, spikes=layer.spikes // 2),))


class Wide(DelayedCopy):
    def step(self, counts: Counts) -> Spikes:
        return super().step(counts).astype(np.uint16)  # type: ignore[return-value]


class Loud(DelayedCopy):
    """Gives counts where spikes are due, and counts them."""

    def step(self, counts: Counts) -> Spikes:
        spikes = super().step(counts) * 2
        self._spikes += int(spikes.sum()) // 2
        return spikes.astype(np.uint8)


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        (NoReset, "the same spikes after a reset"),
        (Uncounted, "so many steps counted: 12, got 0"),
        (Miscounting, "the output's spikes counted"),
        (Wide, "spikes as uint8"),
        (Loud, "spikes of 0 and 1"),
    ],
)
def test_a_stage_that_is_not_as_it_should_be_is_found(stage: type[DelayedCopy], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_snn(stage((1, 2, 2)), COUNTS)
