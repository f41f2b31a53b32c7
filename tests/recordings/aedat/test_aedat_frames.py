from __future__ import annotations

import struct
from pathlib import Path

import dv_processing
import numpy as np

from recording_files import SHARED, aedat2, aedat3, aedat3_packet, needs_shared, write
from spikebridge.contracts import Framed
from spikebridge.events import make_events
from spikebridge.recordings import open_recording


@needs_shared
def test_frames_of_aedat4_are_those_that_dv_processing_reads() -> None:
    path = SHARED / "formats" / "davis346.aedat4"
    recording = open_recording(path)
    assert isinstance(recording, Framed)
    theirs = dv_processing.io.MonoCameraRecording(str(path))
    n = 0
    while (frame := theirs.getNextFrame()) is not None:
        ours = recording.frame_at(frame.timestamp + 20_000)
        assert ours is not None
        assert np.array_equal(ours.pixels, frame.image)
        # theirs is the beginning of the exposure, ours its middle
        assert 0 < ours.t_us - frame.timestamp < 5_000
        n += 1
    assert n == 3


def test_frames_of_aedat4_written_by_dv_processing(tmp_path: Path) -> None:
    path = tmp_path / "a.aedat4"
    config = dv_processing.io.MonoCameraWriter.DAVISConfig("DAVIS346", (4, 3))
    colour = np.arange(36, dtype=np.uint8).reshape(3, 4, 3)
    writer = dv_processing.io.MonoCameraWriter(str(path), config)
    store = dv_processing.EventStore()
    for t in range(1000, 2000):
        store.push_back(t, 1, 1, True)
    writer.writeEvents(store)
    writer.writeFrame(dv_processing.Frame(1200, np.arange(12, dtype=np.uint8).reshape(3, 4)))
    writer.writeFrame(dv_processing.Frame(1500, colour))
    del writer
    recording = open_recording(path)
    assert recording.frame_at(1200) is None
    first, second = recording.frame_at(1201), recording.frame_at(1501)
    assert first is not None
    assert second is not None
    assert (first.t_us, second.t_us) == (1200, 1500)
    assert first.pixels.tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert np.array_equal(second.pixels, colour.mean(axis=2).astype(np.uint8))
    assert recording.samples == {"frames": 2} | {key: 0 for key in recording.samples if key != "frames"}


def aedat3_frames(*frames: tuple[int, np.ndarray], width: int, height: int) -> bytes:
    size = 36 + 2 * width * height
    body = b""
    for t, pixels in frames:
        h, w = pixels.shape
        head = struct.pack("<I8i", 1 | 1 << 1, t - 9, t + 9, t - 5, t, w, h, 1, 0)
        body += (head + (pixels.astype("<u2") << 8).tobytes()).ljust(size, b"\0")
    return struct.pack("<HHiiiiii", 2, 1, size, 4, 0, len(frames), len(frames), len(frames)) + body


def test_frames_of_aedat31(tmp_path: Path) -> None:
    events = make_events([100, 200, 300], [1, 2, 3], [4, 5, 6], [1, 0, 1])
    one, two = np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3) * 40
    packets = (aedat3_packet(events), aedat3_frames((150, one), (250, two), width=3, height=2))
    recording = open_recording(write(tmp_path, aedat3(*packets)))
    assert recording.frame_at(150) is None
    first, second = recording.frame_at(200), recording.frame_at(1000)
    assert first is not None
    assert second is not None
    assert (first.t_us, second.t_us) == (150, 250)
    assert first.pixels.shape == (128, 128)
    assert first.pixels[:2, 1:4].tolist() == one.tolist()
    assert first.pixels.sum() == one.sum()
    assert second.pixels[:2, 1:4].tolist() == two.tolist()


def test_a_frame_of_aedat31_that_says_nonsense_is_none(tmp_path: Path) -> None:
    events = make_events([100, 200, 300], [1, 2, 3], [4, 5, 6], [1, 0, 1])
    frame = bytearray(aedat3_frames((150, np.ones((2, 3))), width=3, height=2))
    for at, value in ((48, 2**31 - 1), (48, -5), (56, -1), (28, 2**32 - 1)):
        broken = frame.copy()
        struct.pack_into("<I" if value > 2**31 else "<i", broken, at, value)
        recording = open_recording(write(tmp_path, aedat3(aedat3_packet(events), bytes(broken))))
        found = recording.frame_at(1000)
        assert found is None or found.pixels.shape == (128, 128)


WIDTH, HEIGHT = 240, 180


def davis_frame(pixels: np.ndarray, t: int, reset: int = 700) -> bytes:
    """Reset reads of all pixels, then signal reads: light lowers them. Columns from the left, rows from the bottom."""
    words = []
    for kind, values in ((0, np.full_like(pixels, reset)), (1, reset - pixels)):
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
        address = 1 << 31 | (HEIGHT - 1 - y.ravel()) << 22 | x.ravel() << 12 | kind << 10 | values.ravel()
        part = np.empty((address.size, 2), ">u4")
        part[:, 0], part[:, 1] = address, t + kind
        words.append(part.tobytes())
    return b"".join(words)


def davis_event(t: int) -> bytes:
    return struct.pack(">II", 5 << 12 | 5 << 22, t)


def test_frames_of_aedat2(tmp_path: Path) -> None:
    one = np.zeros((HEIGHT, WIDTH), np.int64)
    one[10:20, 30:200] = 400
    two = one.T[:HEIGHT, :HEIGHT].copy().repeat(2, axis=1)[:, :WIDTH]
    content = davis_event(5) + davis_frame(one, 100) + davis_event(150) + davis_frame(two, 200) + davis_event(300)
    recording = open_recording(write(tmp_path, aedat2(b"davis.Davis240C", content)))
    assert recording.n_events == 3
    assert recording.frame_at(101) is None
    first, second = recording.frame_at(102), recording.frame_at(1000)
    assert first is not None
    assert second is not None
    assert (first.t_us, second.t_us) == (101, 201)
    assert first.pixels.shape == (HEIGHT, WIDTH)
    assert np.array_equal(first.pixels > 100, one > 0)
    assert np.array_equal(second.pixels > 100, two > 0)


def test_a_frame_across_blocks_is_the_same(tmp_path: Path, monkeypatch) -> None:
    from spikebridge.recordings.aedat import frames

    picture = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 500
    content = davis_event(5) + davis_frame(picture, 100) + davis_frame(picture // 2, 200)
    path = write(tmp_path, aedat2(b"davis.Davis240C", content))
    whole = open_recording(path).frame_at(1000)
    monkeypatch.setattr(frames, "_BLOCK_WORDS", 1000)
    cut = open_recording(path).frame_at(1000)
    assert whole is not None
    assert cut is not None
    assert (whole.t_us, cut.t_us) == (201, 201)
    assert np.array_equal(whole.pixels, cut.pixels)


@needs_shared
def test_a_recording_with_imu_alone_has_no_frames() -> None:
    assert open_recording(SHARED / "formats" / "davis240_boxes.aedat").frame_at(1 << 40) is None
