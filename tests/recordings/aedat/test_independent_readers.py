"""The real AEDAT recordings, event for event beside independent readers; numpy where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recording_files import SHARED, needs_shared
from spikebridge.recordings import open_recording

#: t, x, y, polarity.
Columns = tuple[NDArray[np.int64], ...]
AEDAT4 = sorted(SHARED.glob("*/*.aedat4"))


def columns(t: object, x: object, y: object, polarity: object) -> Columns:
    return tuple(np.asarray(column, np.int64) for column in (t, x, y, polarity))


def by_faery(path: Path) -> Columns:
    import faery

    found = np.concatenate(list(faery.events_stream_from_file(str(path))))
    return columns(found["t"], found["x"], found["y"], found["on"])


def by_aedat(path: Path) -> Columns:
    import aedat

    found = np.concatenate([packet["events"] for packet in aedat.Decoder(str(path)) if "events" in packet])
    return columns(found["t"], found["x"], found["y"], found["on"])


def by_vendor(path: Path) -> Columns:
    import dv_processing as dv

    recording, parts = dv.io.MonoCameraRecording(str(path)), []
    while recording.isRunning():
        if (store := recording.getNextEventBatch()) is not None:
            parts.append(store.numpy())
    found = np.concatenate(parts)
    return columns(found["timestamp"], found["x"], found["y"], found["polarity"])


def check(path: Path, theirs: Columns) -> None:
    ours = np.concatenate(list(open_recording(path).chunks()))
    for name, column in zip(("t", "x", "y", "polarity"), theirs, strict=True):
        assert np.array_equal(ours[name], column), name


@needs_shared
def test_there_are_recordings() -> None:
    assert len(AEDAT4) >= 4


@pytest.mark.parametrize("reader", [by_faery, by_aedat, by_vendor])
@pytest.mark.parametrize("path", AEDAT4, ids=lambda path: path.stem)
def test_aedat4(path: Path, reader: Callable[[Path], Columns]) -> None:
    check(path, reader(path))


@needs_shared
@pytest.mark.parametrize(
    ("name", "width", "height", "shifts", "special"),
    [
        ("dvs128_arm", 128, 128, (1, 0x7F, 8, 0x7F, 0), 0xFFFF8000),
        ("davis240_boxes", 240, 180, (12, 0x3FF, 22, 0x1FF, 11), 0x80000400),
    ],
)
def test_aedat2(name: str, width: int, height: int, shifts: tuple[int, ...], special: int) -> None:
    path = SHARED / "formats" / f"{name}.aedat"
    content = path.read_bytes()
    start = 0
    while content[start : start + 1] == b"#":
        start = content.index(b"\n", start) + 1
    address, t = np.frombuffer(content, ">u4", (len(content) - start) // 8 * 2, start).reshape(-1, 2).T.astype(np.int64)
    event = address & special == 0
    address, t = address[event], t[event]
    x_shift, x_mask, y_shift, y_mask, polarity_shift = shifts
    x = width - 1 - (address >> x_shift & x_mask)
    y = height - 1 - (address >> y_shift & y_mask)
    polarity = address >> polarity_shift & 1
    check(path, (t, x, y, 1 - polarity if width == 128 else polarity))


@needs_shared
@pytest.mark.parametrize("path", sorted(SHARED.glob("gestures/*.aedat")), ids=lambda path: path.stem)
def test_aedat31(path: Path) -> None:
    content = path.read_bytes()
    at = content.index(b"#!END-HEADER\r\n") + 14
    parts = []
    while at < len(content):
        kind, size, overflow, number = np.frombuffer(content, "<u4", 7, at)[[0, 1, 3, 5]].tolist()
        at += 28
        if kind & 0xFFFF == 1:
            words = np.frombuffer(content, "<u4", 2 * number, at).reshape(-1, 2).astype(np.int64)
            words[:, 1] += overflow << 31
            parts.append(words[words[:, 0] & 1 == 1])
        at += size * number
    data, t = np.concatenate(parts).T
    check(path, (t, data >> 17, data >> 2 & 0x7FFF, data >> 1 & 1))
