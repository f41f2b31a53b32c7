"""How soon a recording of any size plays, and how soon it is anywhere in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from spikebridge.bench import BenchSettings, Figure
from spikebridge.bench.synthetic import noise_events
from spikebridge.events import EventArray, Sensor
from spikebridge.recordings import open_recording

#: Written again and again, a µs later for each event: a million events a second.
_BLOCK_EVENTS = 1 << 20
_PACKET_EVENTS = 1 << 13
_SEEKS = 200


#: The header of a file, a block of it, and the times in the block.
_Blocks: TypeAlias = tuple[bytes, NDArray[Any], NDArray[np.uint32]]


class _Run(NamedTuple):
    """Of the command line: seconds to the first decision, MB at most, ms from event to decision."""

    first_s: float
    peak_mb: float
    p99_ms: float


def measure_opening(settings: BenchSettings) -> list[Figure]:
    """Recordings of 1 GB, or of as many as were asked for, written for it and read from the page cache."""
    gigabytes = settings.gigabytes or (0.2 if settings.quick else 1.0)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        small = _written(Path(folder) / "small.aedat", 0.01, _aedat2_blocks)
        _play(small, settings, 0.1)  # compiles
        figures = [Figure("10 MB: first decision", _first_decision(small, settings), "s")]
        for title, blocks in (("AEDAT 2.0", _aedat2_blocks), ("AEDAT 3.1", _aedat31_blocks)):
            path = _written(Path(folder) / "large.aedat", gigabytes, blocks)
            figures += _figures(f"{gigabytes:g} GB of {title}", path, settings, gigabytes)
            path.unlink()
    return figures


def _figures(title: str, path: Path, settings: BenchSettings, gigabytes: float) -> list[Figure]:
    first_s = _first_decision(path, settings)
    first = _play(path, settings, 2 + 1.5 * gigabytes)
    indexed_s, seek_ms = _seek_everywhere(path)
    second_s = _first_decision(path, settings, kept=True)
    second = _play(path, settings, 2 + 1.5 * gigabytes)
    return [
        Figure(f"{title}: first decision", first_s, "s", 1),
        Figure("… peak memory", first.peak_mb, "MB", 600),
        Figure("… latency p99 while it is indexed", first.p99_ms, "ms"),
        Figure("… index ready after, without playing", indexed_s, "s"),
        Figure("… seek anywhere, the slowest", seek_ms, "ms", 200),
        Figure("… first decision of the second start", second_s, "s", 1),
        Figure("… latency p99 then", second.p99_ms, "ms"),
    ]


def _first_decision(path: Path, settings: BenchSettings, *, kept: bool = False) -> float:
    """Seconds, median of 3. kept : what was found at an earlier start may be used."""
    times_s = []
    for _ in range(3):
        if not kept:
            _forget()
        times_s.append(_play(path, settings, 0.1).first_s)
    return float(np.median(times_s))


def _forget() -> None:
    for kept in (Path(os.environ["XDG_CACHE_HOME"]) / "spikebridge").rglob("*.chunks"):
        kept.unlink()


def _play(path: Path, settings: BenchSettings, seconds: float) -> _Run:
    arguments = ["run", str(path), "--headless", "--json", "--model", settings.model, "--for", str(seconds)]
    started_s = time.perf_counter()
    command = [sys.executable, "-m", "spikebridge", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
        decision = child.stdout.readline() if child.stdout else ""
        first_s = time.perf_counter() - started_s
        lines = (child.stdout.read() if child.stdout else "").splitlines()
    if "t_us" not in decision or not lines:
        raise ValueError(f"expected decisions from {' '.join(command)}, got {decision!r}")
    summary = json.loads(lines[-1])["summary"]
    return _Run(first_s, summary["peak_rss_mb"], summary["end_to_end_us"]["p99"] / 1000)


def _seek_everywhere(path: Path) -> tuple[float, float]:
    """Seconds until the index that nobody has kept is there, and ms of the slowest of many reads of 10 ms."""
    _forget()
    with closing(open_recording(path)) as recording:
        started_s = time.perf_counter()
        recording.index_in_background()
        while recording.progress < 1:
            time.sleep(0.01)
        indexed_s = time.perf_counter() - started_s
        info = recording.info
        places = np.random.default_rng(0).integers(info.t_first_us or 0, info.t_last_us or 0, _SEEKS)
        times_s = []
        for t_us in places.tolist():
            started_s = time.perf_counter()
            recording.read(t_us, t_us + 10_000)
            times_s.append(time.perf_counter() - started_s)
    return indexed_s, max(times_s) * 1000


def _written(path: Path, gigabytes: float, blocks: Callable[[], _Blocks]) -> Path:
    header, block, times = blocks()
    with path.open("wb") as file:
        file.write(header)
        for _ in range(max(1, round(gigabytes * 1e9 / block.nbytes))):
            file.write(block.tobytes())
            times += _BLOCK_EVENTS
    return path


def _events() -> EventArray:
    events = noise_events(_BLOCK_EVENTS, _BLOCK_EVENTS, Sensor(128, 128))
    events["t"] = np.arange(_BLOCK_EVENTS)
    return events


def _aedat2_blocks() -> _Blocks:
    events = _events()
    words = np.empty((_BLOCK_EVENTS, 2), ">u4")
    x, y, off = (each.astype(np.uint32) for each in (127 - events["x"], 127 - events["y"], 1 - events["polarity"]))
    words[:, 0] = off | x << 1 | y << 8
    words[:, 1] = events["t"]
    return b"#!AER-DAT2.0\r\n# AEChip: net.sf.jaer.chip.retina.DVS128\r\n", words, words[:, 1]


def _aedat31_blocks() -> _Blocks:
    events = _events()
    packets = np.empty(_BLOCK_EVENTS // _PACKET_EVENTS, [("header", "<u4", 7), ("events", "<u4", (_PACKET_EVENTS, 2))])
    packets["header"] = (1 | 1 << 16, 8, 4, 0, _PACKET_EVENTS, _PACKET_EVENTS, _PACKET_EVENTS)
    x, y, on = (events[name].astype(np.uint32) for name in ("x", "y", "polarity"))
    packets["events"][:, :, 0] = (1 | on << 1 | y << 2 | x << 17).reshape(-1, _PACKET_EVENTS)
    packets["events"][:, :, 1] = events["t"].reshape(-1, _PACKET_EVENTS)
    return (
        b"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 1: DVS128\r\n#!END-HEADER\r\n",
        packets,
        packets["events"][:, :, 1],
    )
