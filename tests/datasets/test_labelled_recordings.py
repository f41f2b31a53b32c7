"""Own recordings with labels as clips."""

from __future__ import annotations

import os

import numpy as np
import pytest

from spikebridge.bundle import InputSpec
from spikebridge.chain.binning import Binner
from spikebridge.datasets.labelled_recordings import fit_to_network
from spikebridge.datasets.loader import open_clips
from spikebridge.errors import InputError
from spikebridge.events import EventPacket, Sensor, make_events
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.labels import Span, labels_path, write_labels


def recording(path, spans):
    """An event every millisecond from 1 to 5 s, walking along a diagonal."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(1_000_000, 5_000_000, 1000)
    with Aedat4Writer(path, Sensor(128, 128)) as writer:
        writer.write(make_events(t, t // 1000 % 128, t // 1000 % 128, t // 1000 % 2))
    write_labels(labels_path(path), spans)
    return path


def test_labelled_parts_in_pieces(tmp_path):
    recording(tmp_path / "clap.aedat4", [Span(0, 1_000_000, 4_000_000), Span(10, 4_500_000, 5_000_000)])
    clips = open_clips(tmp_path)
    assert clips.title == "own recordings"
    found = [(clip.label, clip.person, clip.ticks) for _, clip in clips.clips]
    assert found == [(0, 0, 15_000), (0, 0, 15_000), (10, 0, 5_000)]
    stored, clip = clips.clips[2]
    assert stored[clip.begin].tolist() == [0, (4500 % 128 << 7) | 4500 % 128]


def test_labels_that_a_spreadsheet_saved(tmp_path):
    path = recording(tmp_path / "clap.aedat4", [])
    rows = "\ufeffclass,startTime_usec,endTime_usec\r\n1,1000000,2000000\r\n,,\r\n"
    labels_path(path).write_bytes(rows.encode())
    assert [(clip.label, clip.ticks) for _, clip in open_clips(tmp_path).clips] == [(0, 10_000)]


def test_a_folder_for_each_person(tmp_path):
    for person in ("ben", "anna"):
        recording(tmp_path / person / "wave.aedat4", [Span(1, 1_000_000, 2_000_000)])
    clips = open_clips(tmp_path)
    assert clips.persons() == [0, 1]
    assert {path.name for path in clips.folder.glob("*.npy")} == {"anna-wave.npy", "ben-wave.npy"}


def test_packed_once_and_again_when_the_labels_change(tmp_path):
    path = recording(tmp_path / "clap.aedat4", [Span(0, 1_000_000, 2_000_000)])
    open_clips(tmp_path)
    shard = tmp_path / "packed/clap.npy"
    written = shard.stat().st_mtime_ns
    open_clips(tmp_path)
    assert shard.stat().st_mtime_ns == written
    write_labels(labels_path(path), [Span(7, 1_000_000, 2_000_000)])
    os.utime(labels_path(path), ns=(written + 10**9, written + 10**9))
    assert [clip.label for _, clip in open_clips(tmp_path).clips] == [7]


@pytest.mark.parametrize(("width", "height"), [(240, 180), (640, 480), (128, 128), (100, 300)])
def test_other_sensors_are_mapped_as_the_chain_does(width, height):
    random = np.random.default_rng(0)
    sensor = Sensor(width, height)
    events = make_events(
        np.arange(500), random.integers(0, width, 500), random.integers(0, height, 500), random.integers(0, 2, 500)
    )
    counts = Binner(InputSpec(128, 128, 1000, 255, "center"), sensor)(EventPacket(events, 0, 1000, 0, 0))
    fitted = fit_to_network(events, sensor)
    found = np.zeros_like(counts)
    np.add.at(found, (fitted["polarity"], fitted["y"], fitted["x"]), 1)
    assert np.array_equal(found, counts)


def test_what_is_wrong_is_named_and_nothing_half_packed(tmp_path):
    path = recording(tmp_path / "clap.aedat4", [Span(0, 8_000_000, 9_000_000)])
    with pytest.raises(InputError, match=r"expected the labels of .*clap\.aedat4 within 1000000 to"):
        open_clips(tmp_path)
    labels_path(path).unlink()
    with pytest.raises(InputError, match=r"clap_labels\.csv"):
        open_clips(tmp_path)
    path.write_bytes(b"no recording")
    write_labels(labels_path(path), [Span(0, 0, 10)])
    with pytest.raises(InputError, match=r"clap\.aedat4"):
        open_clips(tmp_path)
    assert not list((tmp_path / "packed").glob("*"))
    path.unlink()
    with pytest.raises(InputError, match="expected clips in"):
        open_clips(tmp_path)
    with pytest.raises(InputError, match="expected a folder with clips or recordings"):
        open_clips(tmp_path / "nowhere")


def test_a_full_disk_while_packing_leaves_nothing(tmp_path, monkeypatch):
    recording(tmp_path / "clap.aedat4", [Span(0, 1_000_000, 2_000_000)])

    def full(file, _):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(InputError, match="No space left"):
        open_clips(tmp_path)
    assert list((tmp_path / "packed").iterdir()) == []
