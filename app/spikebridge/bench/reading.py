"""How fast recordings are read, each kind of file written for it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np

from spikebridge.bench import BenchSettings, Figure
from spikebridge.bench.synthetic import noise_events
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording
from spikebridge.recordings.aedat.aedat4_header import Compression
from spikebridge.recordings.aedat.aedat4_writing import Aedat4Writer
from spikebridge.recordings.formats import written_as

_DVS128 = Sensor(128, 128, "DVS128")
_DAVIS346 = Sensor(346, 260, "DAVIS346")
_IMX636 = Sensor(1280, 720, "IMX636")


def measure_reading(settings: BenchSettings) -> list[Figure]:
    """Whole recordings of some million events from the page cache into one array each, opening included."""
    n = 2_000_000 if settings.quick else 12_000_000
    figures = []
    for title, write, sensor, bound in _READ:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.aedat4"
            write(path, noise_events(n, n, sensor))
            rates = []
            for _ in range(7):
                started = time.perf_counter()
                recording = open_recording(path)
                events = recording.read(0, n)
                rates.append(events.size / (time.perf_counter() - started) / 1e6)
                recording.close()
                if events.size != n:
                    raise ValueError(f"expected {n} events back, got {events.size}")
                del events  # before the next ones: as much memory again would be read for the first time
        figures.append(Figure(f"reading {title}, median of 7", float(np.median(rates)), "M events/s", bound, True))
    return figures


def _write_aedat2(path: Path, events: EventArray) -> None:
    words = np.empty((events.size, 2), ">u4")
    words[:, 0] = (
        (1 - events["polarity"].astype(np.uint32))
        | (127 - events["x"].astype(np.uint32)) << 1
        | (127 - events["y"].astype(np.uint32)) << 8
    )
    words[:, 1] = events["t"]
    path.write_bytes(b"#!AER-DAT2.0\r\n# AEChip: net.sf.jaer.chip.retina.DVS128\r\n" + words.tobytes())


def _write_aedat31(path: Path, events: EventArray) -> None:
    per_packet = 8192
    with path.open("wb") as file:
        file.write(b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n")
        for start in range(0, events.size, per_packet):
            part = events[start : start + per_packet]
            words = np.empty((part.size, 2), "<u4")
            words[:, 0] = (
                1
                | part["polarity"].astype(np.uint32) << 1
                | part["y"].astype(np.uint32) << 2
                | part["x"].astype(np.uint32) << 17
            )
            words[:, 1] = part["t"]
            header = np.array([1 | 1 << 16, 8, 4, 0, part.size, part.size, part.size], "<u4")
            file.write(header.tobytes() + words.tobytes())


def _write_aedat4(path: Path, events: EventArray, compression: Compression) -> None:
    """Packets of 10 ms, as cameras of iniVation are recorded."""
    edges = np.searchsorted(events["t"], np.arange(0, int(events["t"][-1]) + 10_001, 10_000))
    with Aedat4Writer(path, _DAVIS346, compression) as writer:
        for start, stop in pairwise(edges.tolist()):
            writer.write(events[start:stop])


def _write_evt2(path: Path, events: EventArray) -> None:
    words = (
        events["polarity"].astype(np.uint32) << 28
        | (events["t"] & 0x3F).astype(np.uint32) << 22
        | events["x"].astype(np.uint32) << 11
        | events["y"]
    )
    high = events["t"] >> 6
    changes = np.flatnonzero(np.diff(high, prepend=-1))
    words = np.insert(words, changes, (0x80000000 | high[changes]).astype(np.uint32))
    path.write_bytes(b"% evt 2.0\n% format EVT2;height=720;width=1280\n% end\n" + words.astype("<u4").tobytes())


def _write_as(path: Path, events: EventArray, suffix: str) -> None:
    """As ``spikebridge convert`` writes a file of that name."""
    with closing(written_as(Path(suffix)).writing().open_writer(path, _IMX636)) as writer:
        writer.write(events)


#: What is read: title, (path, events) → a file, sensor, and the rate of the fastest other reader where both were
#: compared first, M events/s.
_READ: tuple[tuple[str, Callable[[Path, EventArray], None], Sensor, float], ...] = (
    ("AEDAT 2.0", _write_aedat2, _DVS128, 62),
    ("AEDAT 3.1", _write_aedat31, _DVS128, 53),
    ("AEDAT4, not compressed", partial(_write_aedat4, compression="NONE"), _DAVIS346, 58),
    ("AEDAT4, LZ4", partial(_write_aedat4, compression="LZ4"), _DAVIS346, 45),
    ("AEDAT4, ZSTD", partial(_write_aedat4, compression="ZSTD"), _DAVIS346, 30),
    ("EVT2", _write_evt2, _IMX636, 163),
    ("EVT3", partial(_write_as, suffix="a.raw"), _IMX636, 57),
    ("DAT", partial(_write_as, suffix="a.dat"), _IMX636, 79),
    ("Event Stream", partial(_write_as, suffix="a.es"), _IMX636, 70),
)
