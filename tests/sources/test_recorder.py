"""Recording sources, with labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from spikebridge.contracts import LABELS, SourceCounters, SourceInfo
from spikebridge.errors import InputError, MissingError, StageError
from spikebridge.events import EventPacket, Sensor, empty_events, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import Span, labels_path, read_labels
from spikebridge.simulator import SimulatedCamera
from spikebridge.sources import recorder
from spikebridge.sources.recorder import STEP_US
from spikebridge.sources.tape import Tape
from spikebridge.testing import PacketSource


class Fake:
    """One event in every step from 5 s on."""

    def __init__(self, steps: int, silent: bool = False) -> None:
        self.info = SourceInfo("fake:", "Fake", "live", Sensor(240, 180, "Fake"))
        self._steps, self._silent = steps, silent

    def counters(self) -> SourceCounters:
        return SourceCounters(dropped=3)

    def packets(self, step_us: int) -> Iterator[EventPacket]:
        for n in range(self._steps):
            t = 5_000_000 + n * step_us
            events = empty_events() if self._silent else make_events([t + 1], [n], [2], [1])
            yield EventPacket(events, t, t + step_us, n, 0)

    def close(self) -> None: ...


def record(source, path, label=None, duration_us=None, on_step=lambda _: True):
    return recorder.record(source, Tape(path, source.info.sensor, label=label, lossless=True), duration_us, on_step)


def test_the_whole_recording_has_the_label(tmp_path):
    path = tmp_path / "clap.aedat4"
    steps = []
    result = record(Fake(20), path, "hand_clap", 70_000, lambda status: steps.append(status.duration_us) is None)
    assert (result.events, result.duration_us, result.lost, result.running) == (7, 70_000, 0, False)
    assert steps == [STEP_US * n for n in range(1, 8)]
    assert read_labels(labels_path(path)) == ([Span(0, 5_000_000, 5_070_000)], [])
    recording = open_recording(path)
    assert recording.info.sensor == Sensor(240, 180, "Fake")
    assert recording.read(0, 10**9)["x"].tolist() == list(range(7))


def test_no_label_no_table(tmp_path):
    assert record(Fake(5), tmp_path / "a.aedat4").labels == 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.aedat4"]


def test_it_ends_when_told_to(tmp_path):
    assert record(Fake(50), tmp_path / "a.aedat4", on_step=lambda status: status.duration_us < 30_000).events == 3


def test_the_simulated_camera_says_what_it_performs(tmp_path):
    path = tmp_path / "sim.aedat4"
    camera = SimulatedCamera("arm_roll", seed=1, paced=False)
    result = record(camera, path, duration_us=9_000_000)
    camera.close()
    spans = read_labels(labels_path(path))[0]
    assert {LABELS[span.label] for span in spans} == {"arm_roll"}
    assert result.labels == len(spans)
    labelled_us = sum(span.stop_us - span.start_us for span in spans)
    assert 1_000_000 < labelled_us < 9_000_000  # gestures and the pauses between them
    t = open_recording(path).read(0, 9_000_000)["t"]
    inside = sum(int(np.count_nonzero((t >= s.start_us) & (t < s.stop_us))) for s in spans)
    assert inside / labelled_us > (t.size - inside) / (9_000_000 - labelled_us)


def test_nothing_is_left_without_events(tmp_path):
    with pytest.raises(InputError, match="expected events from fake:"):
        record(Fake(5, silent=True), tmp_path / "a.aedat4", "hand_clap")
    assert list(tmp_path.iterdir()) == []


def test_a_camera_that_is_unplugged_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.aedat4"
    packets = Fake(20).packets(STEP_US)
    gone = MissingError("expected events from the camera, found it gone; plug it in.")
    with pytest.raises(MissingError, match="found it gone"):
        record(PacketSource(packets, Sensor(240, 180), error=gone), path, "hand_clap")
    recording = open_recording(path)
    assert (recording.n_events, recording.counters().truncated) == (20, False)
    assert read_labels(labels_path(path))[0] == [Span(0, 5_000_000, 5_200_000)]


def test_what_ends_the_tape_ends_the_recording(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spikebridge.recordings.labels.LiveLabels.flush", full)
    with pytest.raises(StageError, match=r"found: No space left on device; it ended after .* and the 5 events in it"):
        record(Fake(5), tmp_path / "a.aedat4", "hand_clap")
    assert open_recording(tmp_path / "a.aedat4").n_events == 5
