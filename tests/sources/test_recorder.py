"""Recording sources, with labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from spikebridge.contracts import LABELS, SourceCounters, SourceInfo
from spikebridge.errors import InputError, UsageError
from spikebridge.events import EventPacket, Sensor, empty_events, make_events
from spikebridge.recordings import open_recording
from spikebridge.recordings.labels import Span, labels_path, read_labels
from spikebridge.simulator import SimulatedCamera
from spikebridge.sources.recorder import STEP_US, record


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


def test_the_whole_recording_has_the_label(tmp_path):
    path = tmp_path / "clap.aedat4"
    steps = []
    result = record(Fake(20), path, "hand_clap", 70_000, lambda done: steps.append(done) is None)
    assert (result.events, result.duration_us, result.dropped) == (7, 70_000, 3)
    assert steps == [STEP_US * n for n in range(1, 8)]
    assert read_labels(labels_path(path)) == ([Span(0, 5_000_000, 5_070_000)], [])
    recording = open_recording(path)
    assert recording.info.sensor == Sensor(240, 180, "Fake")
    assert recording.read(0, 10**9)["x"].tolist() == list(range(7))


def test_no_label_no_table(tmp_path):
    assert record(Fake(5), tmp_path / "a.aedat4").spans == ()
    assert [path.name for path in tmp_path.iterdir()] == ["a.aedat4"]


def test_it_ends_when_told_to(tmp_path):
    assert record(Fake(50), tmp_path / "a.aedat4", on_step=lambda done: done < 30_000).events == 3


def test_the_simulated_camera_says_what_it_performs(tmp_path):
    path = tmp_path / "sim.aedat4"
    camera = SimulatedCamera("arm_roll", seed=1, paced=False)
    result = record(camera, path, duration_us=9_000_000)
    camera.close()
    assert {LABELS[span.label] for span in result.spans} == {"arm_roll"}
    labelled_us = sum(span.stop_us - span.start_us for span in result.spans)
    assert 1_000_000 < labelled_us < 9_000_000  # gestures and the pauses between them
    assert read_labels(labels_path(path))[0] == list(result.spans)
    t = open_recording(path).read(0, 9_000_000)["t"]
    inside = sum(int(np.count_nonzero((t >= s.start_us) & (t < s.stop_us))) for s in result.spans)
    assert inside / labelled_us > (t.size - inside) / (9_000_000 - labelled_us)


def test_nothing_is_left_without_events(tmp_path):
    with pytest.raises(InputError, match="expected events from fake:"):
        record(Fake(5, silent=True), tmp_path / "a.aedat4", "hand_clap")
    assert list(tmp_path.iterdir()) == []


def test_labels_that_cannot_be_written_take_the_recording_with_them(tmp_path, monkeypatch):
    def full(*_):
        raise InputError("expected to write the labels, found: No space left on device; free some space.")

    monkeypatch.setattr("spikebridge.sources.recorder.write_labels", full)
    with pytest.raises(InputError, match="No space left"):
        record(Fake(5), tmp_path / "a.aedat4", "hand_clap")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("taken", ["a.aedat4", "a_labels.csv"])
def test_nothing_is_overwritten(tmp_path, taken):
    (tmp_path / taken).write_bytes(b"old")
    with pytest.raises(UsageError, match="a name that is free"):
        record(Fake(5), tmp_path / "a.aedat4")
    with pytest.raises(UsageError, match="only AEDAT4"):
        record(Fake(5), tmp_path / "a.csv")
    assert (tmp_path / taken).read_bytes() == b"old"
