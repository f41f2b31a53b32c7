"""Small HDF5 files of events, and an encoder of ECF that goes by the description of the format alone."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

import h5py
import numpy as np

from spikebridge.events import EventArray

ECF = 0x8ECF
Packing: TypeAlias = Literal["yxp", "xp", "masked"]
RECORD = np.dtype(
    {"names": ["x", "y", "p", "t"], "formats": ["<u2", "<u2", "<i2", "<i8"], "offsets": [0, 2, 4, 8], "itemsize": 16}
)


def ecf_chunk(events: EventArray, packing: Packing) -> bytes:
    """A chunk as Prophesee's codec lays it out, in the packing that is asked for."""
    t, x, y, p = (events[name].astype(int).tolist() for name in ("t", "x", "y", "polarity"))
    flags = {"yxp": 2, "xp": 1, "masked": 0}[packing]
    content = struct.pack("<IQ", len(t) << 2 | flags, t[0]) + _times(t)
    if packing == "yxp":
        return content + _packed([b << 12 | a << 1 | on for a, b, on in zip(x, y, p, strict=True)], 24)
    content += b"".join(_run(y[i] << 5, n, 31, "<H") for i, n in _runs(y))
    if packing == "xp":
        return content + _packed([a << 1 | on for a, on in zip(x, p, strict=True)], 12)
    return content + _masked(x) + b"".join(_run(p[i] << 7, n, 127, "<B") for i, n in _runs(p))


def _runs(values: Sequence[int]) -> list[tuple[int, int]]:
    """Where each run of equal values begins, and its length."""
    starts = [i for i in range(len(values)) if i == 0 or values[i] != values[i - 1]]
    return [(i, stop - i) for i, stop in zip(starts, [*starts[1:], len(values)], strict=True)]


def _run(value: int, n: int, most: int, word: str) -> bytes:
    """A value with the length of its run in the lowest bits, or behind it where these are too few."""
    return struct.pack(word, value | n) if n < most else struct.pack(f"{word}H", value | most, n)


def _times(t: Sequence[int]) -> bytes:
    content, before = b"", t[0]
    for i, n in _runs(t):
        step = t[i] - before
        while step >= 15:  # in a longer step, four bits at a time
            digits = []
            while step:
                digits.append(0xF0 | step & 15)
                step >>= 4
            content += bytes(digits)
        content += _run(step << 4, n, 15, "<B")
        before = t[i]
    return content


def _masked(x: Sequence[int]) -> bytes:
    content, i = b"", 0
    while i < len(x):
        first, mask = x[i], 0
        i += 1
        for j in range(1, 6):
            if i < len(x) and x[i] == first + j:
                mask |= 1 << 5 - j
                i += 1
        content += struct.pack("<H", first << 5 | mask)
    return content


def _packed(values: Sequence[int], bits: int) -> bytes:
    """Four values in three words: each word has one value's high bits above low bits of the next."""
    content = b""
    word = "<I" if bits == 24 else "<H"
    third = bits // 3
    for i in range(0, len(values), 4):
        a, b, c, d = [*values[i : i + 4], 0, 0, 0][:4]
        low = 1 << third
        content += struct.pack(word, a << third | b % low)
        content += struct.pack(word, b >> third << 2 * third | c % (low * low))
        content += struct.pack(word, c >> 2 * third << 3 * third | d)
    return content


def records(events: EventArray) -> np.ndarray:
    made = np.zeros(events.size, RECORD)
    for field, name in (("t", "t"), ("x", "x"), ("y", "y"), ("p", "polarity")):
        made[field] = events[name]
    return made


def write_prophesee(
    path: Path,
    events: EventArray,
    chunk_rows: int = 1000,
    packings: Sequence[Packing] = ("yxp", "xp", "masked"),
    geometry: str | None = "640x480",
    n_triggers: int = 0,
    mask: int = 0,
) -> Path:
    """``CD/events`` in ECF, chunk by chunk as Metavision writes them; the last one is not full.

    mask : 1 writes the chunks as they are and says so, as HDF5 does where a filter failed.
    """
    with h5py.File(path, "w") as file:
        if geometry:
            file.attrs["geometry"] = geometry
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        creation.set_chunk((chunk_rows,))
        creation.set_filter(ECF, h5py.h5z.FLAG_OPTIONAL, ())
        space = h5py.h5s.create_simple((events.size,), (h5py.h5s.UNLIMITED,))
        group = file.create_group("CD")
        dataset = h5py.h5d.create(group.id, b"events", h5py.h5t.py_create(RECORD), space, creation)
        for number, start in enumerate(range(0, events.size, chunk_rows)):
            part = events[start : start + chunk_rows]
            content = ecf_chunk(part, packings[number % len(packings)])
            if mask:
                content = np.pad(records(part), (0, chunk_rows - part.size)).tobytes()
            dataset.write_direct_chunk((start,), content, mask)
        triggers = np.zeros(n_triggers, [("p", "<i2"), ("t", "<i8"), ("id", "<i2")])
        file.create_dataset("EXT_TRIGGER/events", data=triggers)
    return path


def write_columns(
    path: Path,
    events: EventArray,
    group: str = "events",
    names: str = "x y t p",
    user_block: int = 0,
    **options: object,
) -> Path:
    """Four vectors in a group; options : of h5py's ``create_dataset``."""
    with h5py.File(path, "w", userblock_size=user_block) as file:
        for name, field in zip(names.split(), ("x", "y", "t", "polarity"), strict=True):
            file.create_dataset(f"{group}/{name}", data=events[field], **options)
    return path


def write_matlab73(path: Path, variables: dict[str, object], **options: object) -> Path:
    """As MATLAB does with ``-v7.3``: HDF5 behind 512 bytes of text, row vectors as columns."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in variables.items():
            file.create_dataset(name, data=value, **options)
    with path.open("r+b") as head:
        head.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    return path
