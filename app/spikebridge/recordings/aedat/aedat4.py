"""AEDAT4 (iniVation): packets of flatbuffers, with a table of contents at the end.

A file is a line of text, a flatbuffer header, then packets; see ``aedat4_packets``. The table says how many events each
packet has and when: the recording is open once that is read, and each packet is checked when its turn comes. Without a
table, or with one that is wrong, every packet is unpacked once to count what it holds.

Read here and not through dv-processing 2.0.4, which gives nothing without the table of contents (cut by a power
failure) and never returns from a damaged packet; both are wanted here, kept and counted. The price is this file and
the packages of the two compressions.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.recordings import ordering, scanning
from spikebridge.recordings.aedat.aedat4_header import FIRST_LINE, Header, read_header
from spikebridge.recordings.aedat.aedat4_packets import (
    EVENTS,
    FIRST_US,
    LAST_US,
    SIZE,
    STREAM,
    Gaps,
    PacketDecoder,
    count_samples,
    read_table,
    walk,
)
from spikebridge.recordings.aedat.aedat4_unpacking import Unpacker, compression_magic
from spikebridge.recordings.aedat.flatbuffer import TableError
from spikebridge.recordings.aedat.frames import frames_of_aedat4
from spikebridge.recordings.indexed import CHUNK_EVENTS, ChunkIndex, IndexedRecording, Oddities
from spikebridge.recordings.recording_file import RecordingFile
from spikebridge.recordings.scanning import Scan, group
from spikebridge.settings import ReadSettings

#: Bytes of a packet for each of its events, about, by the compression of the header.
_PACKED_BYTES = {0: 16, 1: 8, 2: 8, 3: 4, 4: 4}
#: Events for each byte of a packet, at most, that a table of contents is believed.
_MOST_EVENTS = 2
#: Events of a chunk behind another, at least: as many as ``ordering`` waits for to know that time is where it seems. A
#: chunk that is taken on trust is given out when the next one is checked.
_LEAST_EVENTS = 8
_STREAM_NAMES = {"EVTS": "events", "FRME": "frames", "IMUS": "imu", "TRIG": "triggers"}


def open_recording(path: Path, settings: ReadSettings) -> IndexedRecording:
    """The recording in an AEDAT4 file."""
    file = RecordingFile(path)
    header, start = _read_header(file)
    unpack = Unpacker(path, header.compression)
    numbers = np.array(list(header.streams), np.int64)
    whole, packets = read_table(file, header.table_at, start, numbers, unpack)
    # A table that was cut says still where the packets end.
    end = header.table_at if start <= header.table_at <= file.size else file.size
    gaps = Gaps(0, 0)
    told = len(packets) > 0
    lost = packets[:0]
    if not told:
        packets, gaps = walk(file, start, end, numbers, compression_magic(header.compression))
        packets, lost = _count_untold(file, header, packets, unpack)
    ours = _choose_stream(header, packets)
    sensor, of_others = header.sensors[ours], _count_others(header, packets, ours)
    if not sensor.width or not sensor.height:
        raise InputError(
            f"expected the header of {path} to give the size of the sensor, found none; record it again with the size."
        )
    samples = _count_samples(header, packets)
    of_frames = np.isin(packets[:, STREAM], [number for number, kind in header.streams.items() if kind == "FRME"])
    frames = frames_of_aedat4(file, packets[of_frames], unpack, sensor.width, sensor.height)
    packets = packets[packets[:, STREAM] == ours]
    events = np.maximum(packets[:, EVENTS], packets[:, SIZE] // _PACKED_BYTES[header.compression])
    pieces = _divide(events, packets[:, EVENTS] if told else events)
    run = PacketDecoder(file, packets, unpack, sensor)

    def report(state: NDArray[np.int64]) -> Oddities:
        state = state.copy()
        state[ordering.DAMAGED] += len(lost)
        state[ordering.DAMAGED_BYTES] += lost[:, SIZE].sum()
        found = scanning.report(state)
        return replace(
            found,
            dropped=found.dropped + of_others,
            skipped_bytes=gaps.n_bytes + found.skipped_bytes,
            truncated=not whole,
            notes=_describe(header, ours, of_others, gaps, whole) + found.notes,
            samples=samples,
        )

    return IndexedRecording(
        path,
        "AEDAT4",
        sensor,
        Scan(path, pieces, run, report, shared=run.shared),
        _said_index(packets, pieces) if told else None,
        frames,
    )


def _count_untold(
    file: RecordingFile, header: Header, packets: NDArray[np.int64], unpack: Unpacker
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Packets without a table of contents, with what is in those that will not be decoded; and of these the damaged
    ones. Those of events are only looked into where they may be of different cameras."""
    several = len(header.sensors) > 1
    looked_into = np.array([several or number not in header.sensors for number in header.streams])
    chosen = np.isin(packets[:, STREAM], np.array(list(header.streams))[looked_into])
    n, right = count_samples(file, packets[chosen], unpack, header.streams)
    packets[chosen, EVENTS] = n
    kept = np.ones(len(packets), np.bool_)
    kept[chosen] = right
    return packets[kept], packets[~kept]


def _count_samples(header: Header, packets: NDArray[np.int64]) -> dict[str, int]:
    """Samples of the other streams by name."""
    samples: dict[str, int] = {}
    for number, kind in header.streams.items():
        if number not in header.sensors:
            name = _STREAM_NAMES.get(kind, kind)
            samples[name] = samples.get(name, 0) + int(packets[packets[:, STREAM] == number, EVENTS].sum())
    return samples


def _divide(about: NDArray[np.int64], events: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Packets in groups of about CHUNK_EVENTS events; a group of very few is one with that before it."""
    bounds = group(about, CHUNK_EVENTS)
    n = np.diff(np.concatenate(([0], np.cumsum(events)))[bounds])
    kept = np.concatenate(([True], n[1:] >= _LEAST_EVENTS, [True]))[-bounds.size :]
    return list(pairwise(bounds[kept].tolist()))


def _said_index(packets: NDArray[np.int64], pieces: Sequence[tuple[int, int]]) -> ChunkIndex | None:
    """What the table of contents says; None where there is none, or none that events in order can have."""
    n_events, first_us, last_us = packets[:, EVENTS], packets[:, FIRST_US], packets[:, LAST_US]
    ahead_us = first_us[1:] - last_us[:-1]
    possible = (
        len(packets) > 0
        and np.all((n_events > 0) & (n_events <= _MOST_EVENTS * packets[:, SIZE]))
        and np.all(first_us <= last_us)
        and np.all((ahead_us >= 0) & (ahead_us <= ordering.DAY_US))
    )
    if not possible:
        return None
    starts, stops = np.array(pieces).T
    return ChunkIndex(first_us[starts], last_us[stops - 1], np.add.reduceat(n_events, starts))


def _read_header(file: RecordingFile) -> tuple[Header, int]:
    """The header, and the byte behind it."""
    start = len(FIRST_LINE)
    try:
        (size,) = struct.unpack("<I", file.read(start, 4))
        if start + 4 + size > file.size:
            raise InputError(
                f"expected the header of {file.path} to be {size} bytes long, found {file.size - start - 4}; the file "
                "was cut, copy it again."
            )
        header = read_header(file.read(start + 4, size))
    except (struct.error, TableError) as error:
        raise InputError(
            f"expected {file.path} to have an AEDAT4 header, found one that cannot be read; the file is damaged, copy "
            "it again."
        ) from error
    if not header.sensors:
        raise InputError(
            f"expected {file.path} to hold a stream of events, found "
            f"{', '.join(_STREAM_NAMES.get(kind, kind) for kind in header.streams.values()) or 'no stream'}; record "
            "events."
        )
    return header, start + 4 + size


def _choose_stream(header: Header, packets: NDArray[np.int64]) -> int:
    """The first stream of events that has any, or the first of all."""
    if len(header.sensors) == 1:
        return next(iter(header.sensors))
    filled = (number for number in header.sensors if packets[packets[:, STREAM] == number, EVENTS].any())
    return next(filled, next(iter(header.sensors)))


def _count_others(header: Header, packets: NDArray[np.int64], ours: int) -> int:
    """Events of the other cameras."""
    others = np.isin(packets[:, STREAM], [number for number in header.sensors if number != ours])
    return int(packets[others, EVENTS].sum())


def _describe(header: Header, ours: int, of_others: int, gaps: Gaps, whole: bool) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    if of_others:
        names = " and ".join(
            f"'{sensor.name}' ({sensor.width}x{sensor.height} px)"
            for number, sensor in header.sensors.items()
            if number != ours
        )
        notes += (f"{of_others:,} events of another camera in the file, {names}, left out.",)
    if not whole:
        notes += ("The table of contents at the end is missing; the file was cut or not closed.",)
    if gaps.n_places:
        where = f"from byte {gaps.first:,} on"
        if gaps.n_places > 1:
            where = f"at {gaps.n_places:,} places, the first at byte {gaps.first:,},"
        notes += (f"{gaps.n_bytes:,} bytes {where} are no whole packet and were skipped.",)
    return notes
