"""Live cameras: regular steps from irregular batches, silence, late events, unplugging."""

import itertools

import numpy as np
import pytest

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.errors import MissingError
from spikebridge.events import Sensor, make_events
from spikebridge.sources.live import CameraReport, ClockOffset
from spikebridge.testing import ScriptedCamera

STEP_US = 10_000


def events_at(*times):
    n = len(times)
    return make_events(times, np.arange(n), np.arange(n), np.ones(n))


def camera_of(*batches):
    return ScriptedCamera(batches)


def take(source, n):
    return list(itertools.islice(source.packets(STEP_US), n))


def test_batches_become_regular_steps():
    batches = (5_000, events_at(1_000, 4_000)), (12_000, events_at(10_999, 11_000)), (32_500, events_at(20_999, 31_000))
    packets = take(camera_of(*batches).source(), 3)
    assert [(p.t_start_us, p.t_stop_us, p.sequence) for p in packets] == [
        (1_000, 11_000, 0), (11_000, 21_000, 1), (21_000, 31_000, 2),
    ]  # fmt: skip
    # The event at 20 999 came 8.5 ms after its step was closed.
    assert [p.events["t"].tolist() for p in packets] == [[1_000, 4_000, 10_999], [11_000], [21_000]]


def test_a_still_scene_ticks_on():
    camera = camera_of((1_000, events_at(0)))
    packets = take(camera.source(), 20)
    assert [p.t_start_us for p in packets] == [n * STEP_US for n in range(20)]
    assert sum(p.events.size for p in packets) == 1
    assert 200_000 <= camera.clock.now_ns // 1000 < 220_000


def test_late_events_are_kept_and_counted():
    camera = camera_of((0, events_at(0)), (25_000, events_at(5_000, 24_000)))
    source = camera.source()
    packets = take(source, 3)
    assert sum(p.events.size for p in packets) == source.counters().read == 3
    assert all((np.diff(p.events["t"]) >= 0).all() for p in packets)
    assert all(((p.events["t"] >= p.t_start_us) & (p.events["t"] < p.t_stop_us)).all() for p in packets)
    assert source.counters().notes == (
        "1 event was too late for the right step: put in a later one, 15.0 ms on at most.",
    )


def test_late_events_add_up_and_the_latest_is_told():
    """1100 that are up to 1.5 s late, then two that are up to 11 ms."""
    early = events_at(*range(500_000, 501_100))
    source = camera_of((0, events_at(0)), (2_002_500, early), (2_022_500, events_at(2_009_000, 2_011_000))).source()
    packets = take(source, 204)
    assert source.counters().notes == (
        "1,102 events were too late for the right step: put in a later one, 1500.0 ms on at most.",
    )
    assert [p.events.size for p in packets if p.events.size] == [1, 1100, 2]
    assert packets[200].events["t"].tolist() == 1100 * [2_000_000]


def test_without_late_events_there_is_no_note():
    source = camera_of((0, events_at(0, 9_999))).source()
    take(source, 3)
    assert source.counters() == SourceCounters(read=2)


def test_a_live_source_is_what_its_camera_is():
    assert camera_of().source().info == SourceInfo("camera:scripted", "Scripted camera", "live", Sensor(128, 128))


def test_events_of_a_step_cannot_be_changed():
    packets = take(camera_of((0, events_at(0, 12_000))).source(), 2)
    assert not any(p.events.flags.writeable for p in packets)


def test_batches_that_lie_ready_are_taken_without_waiting():
    camera = camera_of(*((0, events_at(t)) for t in (0, 5_000, 10_000)))
    (packet,) = take(camera.source(), 1)
    assert packet.events["t"].tolist() == [0, 5_000]
    assert (packet.received_ns, camera.clock.now_ns) == (0, 0)


def test_a_reader_that_was_held_up_finds_the_events_in_their_steps():
    """The host stands still for 50 ms: five steps and more lie ready, and none of their events is late."""
    camera = camera_of((1_000, events_at(0)), *((t + 1_000, events_at(t)) for t in range(3_000, 60_000, 3_000)))
    source = camera.source()
    packets = source.packets(STEP_US)
    camera.clock.now_ns = 1_000_000
    first = next(packets)
    camera.clock.now_ns = 55_000_000
    steps = [first, *itertools.islice(packets, 4)]
    assert [p.events["t"].tolist() for p in steps] == [
        [0, 3_000, 6_000, 9_000], [12_000, 15_000, 18_000], [21_000, 24_000, 27_000], [30_000, 33_000, 36_000, 39_000],
        [42_000, 45_000, 48_000],
    ]  # fmt: skip
    assert source.counters().notes == ()


def test_a_camera_whose_clock_stands_still_does_not_stop_the_steps():
    camera = camera_of(*((t, events_at(5)) for t in range(0, 4_000_000, 500)))
    packets = take(camera.source(), 3)
    assert [p.t_start_us for p in packets] == [5, 10_005, 20_005]


def test_times_are_whole_numbers_on_any_clock():
    """A host that has run for a day and 123 ns, a camera whose first event is of its hundredth second."""
    camera = camera_of((86_400_000_000, events_at(100_000_000)))
    camera.clock.now_ns = 86_400_000_000_123
    packets = take(camera.source(), 2)
    assert [p.due_ns for p in packets] == [86_400_010_000_000, 86_400_020_000_000]
    # The grace of 2 ms ends between two looks, each 0.5 ms after the last.
    assert [p.received_ns for p in packets] == [86_400_012_000_123, 86_400_022_000_123]
    assert all(type(time_ns) is int for p in packets for time_ns in (p.due_ns, p.received_ns))


def ahead_us(*moments):
    """What is known after each (camera's time, how far the host is ahead of it); the camera begins at ten seconds."""
    offset = ClockOffset()
    for camera_us, by_us in moments:
        offset.add(10_000_000 + camera_us, 10_000_000 + camera_us + by_us)
    return offset.us


def test_the_quickest_transfer_tells_how_far_the_clocks_are_apart():
    assert ahead_us() == 0
    assert ahead_us((0, 300), (1_000, 200), (2_000, 900)) == 200
    # At the same time of the camera, too.
    assert ahead_us((0, 200), (0, 900), (0, 950)) == 200


def test_five_seconds_later_it_still_counts_and_after_ten_no_more():
    first = ((0, 300), (4_999_999, 200))
    assert ahead_us(*first, (5_000_000, 500)) == 200
    assert ahead_us(*first, (5_000_000, 500), (9_999_999, 700)) == 200
    assert ahead_us(*first, (5_000_000, 500), (10_000_000, 700)) == 500


def test_a_camera_whose_clock_begins_again_is_measured_anew():
    assert ahead_us((0, 200), (-1, 900)) == 200
    assert ahead_us((0, 200), (-1, 900), (-2, 800)) == 800


def waited_ms(packets):
    """Between the end of a step's time and the moment that it was complete."""
    return [(p.received_ns - p.due_ns) / 1e6 for p in packets]


def test_the_time_until_a_step_is_closed_is_told():
    """Events a millisecond apart, each found at the look 0.5 ms later; the first one behind a step closes it."""
    events = [(t + 300, events_at(t)) for t in range(0, 40_000, 1000)]
    packets = take(camera_of(*events).source(), 3)
    # The quickest transfer counts as none: a step is due 0.5 ms after its end on the camera's clock.
    assert [p.due_ns for p in packets] == [10_500_000, 20_500_000, 30_500_000]
    assert all(0 <= waited < 1 for waited in waited_ms(packets))


def test_batches_make_a_step_wait_for_the_next_one_or_the_grace():
    """Batches each 3 ms, the first event of a step comes with the batch after its end: after the first step's end at
    10 ms that is the one at 12, after 20 ms the one at 21, after 30 ms that at 33, which is later than the 2 ms that
    are waited at most."""
    batches = [(t, events_at(*range(t - 3_000, t, 500))) for t in range(3_000, 56_000, 3_000)]
    packets = take(camera_of(*batches).source(), 3)
    assert waited_ms(packets) == pytest.approx([2, 1, 2], abs=0.51)


def test_a_still_scene_is_closed_after_the_grace():
    packets = take(camera_of((1_000, events_at(0))).source(), 5)
    assert waited_ms(packets) == [2] * 5


@pytest.mark.parametrize("ppm", [-200, 200])
def test_clocks_that_drift_apart_are_followed(ppm):
    """A minute at 200 ppm is 12 ms: with the shortest transfer since the start every event would come late in the end,
    or every step be closed late."""
    batches = [(round(t * (1 + ppm / 1e6)) + 300, events_at(t)) for t in range(0, 60_000_000, 2_000)]
    source = camera_of(*batches).source()
    packets = take(source, 5_990)
    assert not source.counters().notes
    # Ten seconds of drift are 2 ms.
    assert max(waited_ms(packets)[-100:]) <= 2.0 + 2.0 + 0.51
    assert min(waited_ms(packets)[-100:]) >= 0


def test_an_unplugged_camera_is_named():
    source = camera_of((0, events_at(0)), (15_000, OSError("no device"))).source()
    with pytest.raises(
        MissingError, match=r"Scripted camera, found the camera gone \(no device\); plug it in and open it again\."
    ):
        take(source, 5)


def test_close_ends_the_stream():
    camera = camera_of((0, events_at(0)))
    source = camera.source()
    packets = source.packets(STEP_US)
    next(packets)
    source.close()
    assert list(packets) == []
    assert camera.closed


class Interrupted(ScriptedCamera):
    """One that reports: ``gone`` between two moments of the host's clock, µs, and back after the second."""

    details, counts_losses = ("driver none",), False

    def __init__(self, batches, gone_us, back_us, **counts):
        super().__init__(batches)
        self.gone_us, self.back_us, self.counts = gone_us, back_us, counts

    def report(self):
        now_us = self.clock.now_ns // 1000
        gone = "camera unplugged, waiting for it …" if self.gone_us <= now_us < self.back_us else ""
        return CameraReport(gone=gone, interruptions=int(now_us >= self.back_us), **self.counts)


def test_a_gap_is_where_the_camera_was_gone():
    """Gone from 23 to 60 ms; its clock goes on."""
    camera = Interrupted(
        [(1_000, events_at(0)), (22_000, events_at(21_000)), (71_000, events_at(70_000))], 23_000, 60_000
    )
    source = camera.source()
    packets = take(source, 5)
    assert [(p.sequence, p.t_start_us, p.gap) for p in packets] == [
        (0, 0, False), (1, 10_000, False), (2, 20_000, False), (3, 70_000, True), (4, 80_000, False),
    ]  # fmt: skip
    assert [p.events["t"].tolist() for p in packets] == [[0], [], [21_000], [70_000], []]
    # The step that broke off is out at once, not when its time is over.
    assert packets[2].received_ns // 1000 - 23_000 < 1_000
    assert all(p.due_ns <= p.received_ns for p in packets)


def test_a_step_after_a_loss_has_a_gap():
    """The driver's count grows between the first and the second step, and stays."""
    camera = Interrupted([(1_000, events_at(0)), (12_000, events_at(11_000))], 10**12, 10**12)
    packets = camera.source().packets(STEP_US)
    gaps = [next(packets).gap]
    camera.counts["dropped"] = 5
    gaps += [next(packets).gap, next(packets).gap]
    assert gaps == [False, True, False]


def test_a_clock_that_began_anew_goes_on_with_the_hosts():
    """Back after 5 s with a clock that begins at 0; looked for each 10 ms, received at 5 005 ms, 1 ms behind."""
    camera = Interrupted([(1_000, events_at(0)), (5_003_000, events_at(0, 500))], 5_000, 5_002_000)
    packets = take(camera.source(), 2)
    assert [(p.t_start_us, p.gap, p.events["t"].tolist()) for p in packets] == [
        (0, False, [0]), (5_000_000, True, [5_003_500, 5_004_000]),
    ]  # fmt: skip


def test_while_a_camera_is_gone_it_says_so_and_gives_no_steps():
    camera = Interrupted([(1_000, events_at(0))], 5_000, 500_000, dropped=7, out_of_order=2, skipped_bytes=3)
    source = camera.source()
    packets = source.packets(STEP_US)
    next(packets)
    assert source.counters().waiting_for == "camera unplugged, waiting for it …"
    camera.back_us = 10**12
    stop = iter([False] * 50 + [True])
    source._sleep = lambda s: (camera.clock.pass_s(s), next(stop) and source.close())
    assert list(packets) == []
    assert camera.closed
    assert source.counters() == SourceCounters(
        1, 7, 3, out_of_order=2, waiting_for="camera unplugged, waiting for it …"
    )
    assert source.info.details == ("driver none",)
    assert not source.info.counts_losses


def test_what_came_before_a_camera_was_lost_is_given_out():
    """Three events in three steps, and the end of the stream before any of these was complete."""
    camera = camera_of((0, events_at(0, 10_000, 20_000)), (5_000, OSError("no device")))
    got, source = [], camera.source()
    with pytest.raises(MissingError):
        got.extend(source.packets(STEP_US))
    assert [packet.events["t"].tolist() for packet in got] == [[0], [10_000], [20_000]]
    assert [packet.received_ns // 1_000_000 for packet in got] == [0, 0, 5]
    assert source.counters().read == 3


def test_a_source_that_was_never_read_closes_its_camera():
    camera = camera_of((0, events_at(0)))
    source = camera.source()
    source.close()
    source.close()
    assert camera.closed
    assert list(source.packets(STEP_US)) == []


def test_steps_are_the_same_however_the_events_come():
    """One batch, one for each event, and borders of batches at borders of steps."""
    times = [0, 1, 9_999, 10_000, 10_001, 19_999, 20_000, 25_000, 31_000]

    def steps(*sizes):
        rest, batches = list(times), []
        for size in sizes:
            batches.append((0, events_at(*rest[:size])))
            rest = rest[size:]
        return [p.events["t"].tolist() for p in take(camera_of(*batches).source(), 3)]

    whole = steps(9)
    assert whole == [times[:3], times[3:6], times[6:8]]
    assert steps(*[1] * 9) == steps(3, 3, 2, 1) == steps(2, 2, 5) == whole
