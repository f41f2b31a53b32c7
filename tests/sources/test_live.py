"""Live cameras: regular steps from irregular batches, silence, late events, unplugging."""

import itertools
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from spikebridge.errors import MissingError, UsageError
from spikebridge.events import Sensor, make_events
from spikebridge.sources import open_source
from spikebridge.sources.inivation import discover
from spikebridge.sources.live import LiveSource

STEP_US = 10_000


def events_at(*times):
    n = len(times)
    return make_events(times, np.arange(n), np.arange(n), np.ones(n))


class FakeCamera:
    """Hands out batches when the hand-wound clock reaches them; stands for a camera that is not here."""

    uri, title, sensor = "camera:fake", "Fake camera", Sensor(128, 128)

    def __init__(self, *batches):
        self.batches = list(batches)  # (host time µs, events or an exception)
        self.now_us = 0
        self.closed = False

    def read(self):
        if not self.batches or self.now_us < self.batches[0][0]:
            return None
        batch = self.batches.pop(0)[1]
        if isinstance(batch, Exception):
            raise batch
        return batch

    def close(self):
        self.closed = True

    def source(self):
        def sleep(seconds):
            self.now_us += round(seconds * 1e6)

        return LiveSource(self, lambda: self.now_us * 1000, sleep)


def take(source, n):
    return list(itertools.islice(source.packets(STEP_US), n))


def test_batches_become_regular_steps():
    batches = (5_000, events_at(1_000, 4_000)), (12_000, events_at(10_999, 11_000)), (32_500, events_at(20_999, 31_000))
    packets = take(FakeCamera(*batches).source(), 3)
    assert [(p.t_start_us, p.t_stop_us, p.sequence) for p in packets] == [
        (1_000, 11_000, 0), (11_000, 21_000, 1), (21_000, 31_000, 2),
    ]  # fmt: skip
    # The event at 20 999 came 8.5 ms after its step was closed.
    assert [p.events["t"].tolist() for p in packets] == [[1_000, 4_000, 10_999], [11_000], [21_000]]


def test_a_still_scene_ticks_on():
    camera = FakeCamera((1_000, events_at(0)))
    packets = take(camera.source(), 20)
    assert [p.t_start_us for p in packets] == [n * STEP_US for n in range(20)]
    assert sum(p.events.size for p in packets) == 1
    assert 200_000 <= camera.now_us < 220_000


def test_late_events_are_kept_and_counted():
    camera = FakeCamera((0, events_at(0)), (25_000, events_at(5_000, 24_000)))
    source = camera.source()
    packets = take(source, 3)
    assert sum(p.events.size for p in packets) == source.counters().read == 3
    assert all((np.diff(p.events["t"]) >= 0).all() for p in packets)
    assert all(((p.events["t"] >= p.t_start_us) & (p.events["t"] < p.t_stop_us)).all() for p in packets)
    assert "1 events came after" in source.counters().notes[0]


def test_an_unplugged_camera_is_named():
    source = FakeCamera((0, events_at(0)), (15_000, OSError("no device"))).source()
    with pytest.raises(MissingError, match="Fake camera, found the camera gone"):
        take(source, 5)


def test_close_ends_the_stream():
    camera = FakeCamera((0, events_at(0)))
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


def test_without_a_camera_the_real_sdk_says_what_to_do():
    if discover():
        pytest.skip("an iniVation camera is plugged in here")
    with pytest.raises(MissingError, match=r"expected an iniVation camera.*found none.*doctor"):
        open_source("camera:")
    with pytest.raises(MissingError, match="serial number 12345"):
        open_source("camera:inivation/12345")


def test_other_vendors_are_refused_by_name():
    with pytest.raises(UsageError, match="camera:inivation"):
        open_source("camera:acme")
    with pytest.raises(MissingError, match="Prophesee"):
        open_source("camera:prophesee")
