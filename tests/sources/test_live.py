"""Live cameras: regular steps from irregular batches, silence, late events, unplugging."""

import itertools
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from spikebridge.contracts import SourceCounters, SourceInfo
from spikebridge.errors import MissingError
from spikebridge.events import Sensor, make_events
from spikebridge.sources import open_source
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


class FakeDvCamera:
    """The calls of dv-processing's CameraInputBase that are used, and nothing more."""

    def __init__(self):
        self.batches = [np.array([(7, 3, 4, 1)], dtype="i8,i2,i2,i1")]
        self.batches[0].dtype.names = ("timestamp", "x", "y", "polarity")

    def getEventResolution(self):  # noqa: N802
        return (346, 260)

    def getCameraName(self):  # noqa: N802
        return "DAVIS346_00000001"

    def getNextEventBatch(self):  # noqa: N802
        if not self.batches:
            return None
        batch = self.batches.pop()
        return SimpleNamespace(numpy=lambda: batch)

    def isRunning(self):  # noqa: N802
        return False


def test_an_inivation_camera_reads_its_batches(monkeypatch):
    camera = SimpleNamespace(open=lambda *serial: FakeDvCamera())
    monkeypatch.setitem(sys.modules, "dv_processing", SimpleNamespace(io=SimpleNamespace(camera=camera)))
    source = open_source("camera:inivation/00000001")
    assert source.info.sensor == Sensor(346, 260, "DAVIS346_00000001")
    assert source.info.kind == "live"
    with pytest.raises(MissingError, match="the stream ended"):
        list(source.packets(STEP_US))
    assert source.counters().read == 1


class ReportingCamera(ScriptedCamera):
    """Says of itself what the script has at the time: (from host time µs, report)."""

    def __init__(self, batches, *reports):
        super().__init__(batches)
        self._reports = reports

    def report(self):
        now_us = self.clock.now_ns // 1000
        return [report for from_us, report in self._reports if from_us <= now_us][-1]


def told(packets):
    return [(p.t_start_us, p.events["t"].tolist(), p.gap, p.sequence) for p in packets]


def test_after_an_interruption_time_begins_anew_with_a_gap():
    """The camera is gone from 25 to 500 ms and comes back with a clock that is far behind. What was before is given
    out, and no silence is made up for the time between."""
    camera = ReportingCamera(
        [(1000, events_at(5_000_000)), (20_000, events_at(5_018_000)), (500_000, events_at(30, 40)),
         (515_000, events_at(12_000))],
        (0, CameraReport()), (25_000, CameraReport(gone="unplugged")), (490_000, CameraReport(interruptions=1)),
    )  # fmt: skip
    source = camera.source()
    assert told(take(source, 4)) == [
        (5_000_000, [5_000_000], False, 0), (5_010_000, [5_018_000], False, 1),
        (30, [30, 40], True, 2), (10_030, [12_000], False, 3),
    ]  # fmt: skip
    assert source.counters().notes == ()
    assert camera.clock.now_ns // 1000 >= 515_000


def test_a_clock_that_begins_anew_does_not_wait_for_the_step_before():
    """What waits is given out at once, over as many steps as it takes."""
    camera = ReportingCamera(
        [(1000, events_at(5_000_000, 5_025_000)), (2000, events_at(7))],
        (0, CameraReport()), (2000, CameraReport(interruptions=1)),
    )  # fmt: skip
    assert told(take(camera.source(), 4)) == [
        (5_000_000, [5_000_000], False, 0), (5_010_000, [], False, 1), (5_020_000, [5_025_000], False, 2),
        (7, [7], True, 3),
    ]  # fmt: skip


def test_a_camera_that_is_gone_before_its_first_event_makes_no_gap():
    camera = ReportingCamera([(1000, events_at(3))], (0, CameraReport(interruptions=1)))
    assert told(take(camera.source(), 1)) == [(3, [3], False, 0)]


def test_a_step_after_a_loss_has_a_gap_and_the_loss_is_counted():
    reports = (0, CameraReport(dropped=0)), (12_000, CameraReport(dropped=70)), (42_000, CameraReport(dropped=75))
    camera = ReportingCamera([(t + 300, events_at(t)) for t in range(0, 60_000, 2000)], *reports)
    source = camera.source()
    assert [p.t_start_us for p in take(source, 5) if p.gap] == [10_000, 40_000]
    assert source.counters().dropped == 75


def test_what_a_camera_says_is_counted():
    report = CameraReport(3, 5, 7, notes=("It is warm.",))
    source = ReportingCamera([(0, events_at(0)), (25_000, events_at(5_000, 24_000))], (0, report)).source()
    take(source, 3)
    late = "1 event was too late for the right step: put in a later one, 15.0 ms on at most."
    assert source.counters() == SourceCounters(
        read=3, dropped=3, skipped_bytes=7, notes=("It is warm.", late), out_of_order=5
    )


def test_a_source_that_is_closed_before_its_first_packet_lets_go_of_its_camera():
    camera = camera_of((0, events_at(0)))
    camera.source().close()
    assert camera.closed
