"""The measures of ``spikebridge bench``, one function each."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from spikebridge.bench import BenchSettings, Figure
from spikebridge.bench.synthetic import ArrayRecording, BurstSource, noise_events
from spikebridge.bundle import load_model
from spikebridge.contracts import Recording, Say, Source
from spikebridge.events import EventArray, Sensor
from spikebridge.pipeline import Pipeline
from spikebridge.power import PowerMonitor
from spikebridge.report import peak_rss_mb
from spikebridge.runtime import RunSettings, open_chain
from spikebridge.sources.replay import Replay

_DVS128 = Sensor(128, 128, "DVS128")


def _pipeline(source: Source, settings: BenchSettings, *, lossless: bool = False) -> Pipeline:
    run = RunSettings(model=settings.model)
    chain = open_chain(run, load_model(settings.model), source.info.sensor)
    return Pipeline(source, chain, PowerMonitor(()), lossless=lossless)


def measure_latency(settings: BenchSettings) -> list[Figure]:
    """Real-time replay of 1 M events/s with the window open (off-screen)."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from spikebridge.ui.app import run_window

    seconds = 5 if settings.quick else 20
    events = noise_events(1_000_000 * seconds, 1_000_000 * seconds, _DVS128)
    pipelines = []

    def opener(_uri: str, _say: Say) -> Pipeline:
        pipelines.append(_pipeline(Replay(ArrayRecording(events, _DVS128)), settings))
        pipelines[-1].start()
        return pipelines[-1]

    run_window(opener, "memory:", screenshot=None, duration_s=seconds + 1.0)
    figures, counters = pipelines[0].end_to_end.run(), pipelines[0].counters()
    return [
        Figure("decision latency beyond the step, 1 M events/s, window open: p50", figures.p50 / 1000, "ms", 3),
        Figure("… p99", figures.p99 / 1000, "ms", 10),
        Figure("… events processed", counters.events_done / 1e6, "M", 0.95 * seconds, at_least=True),
        Figure("… events dropped", counters.events_dropped, "events", 0),
    ]


def measure_throughput(settings: BenchSettings) -> list[Figure]:
    """``--speed max`` headless, as a whole chain in this process, start-up apart."""
    from spikebridge.sources import open_recording

    recordings: list[tuple[str, Recording]]
    if settings.recordings:
        paths = sorted(settings.recordings.glob("*.aedat"))
        recordings = [(path.name, open_recording(path)) for path in paths]
    else:
        from spikebridge.simulator.camera import simulate_clip

        clips = [simulate_clip("right_arm_clockwise", seed, 3_000_000)[0] for seed in range(2)]
        recordings = [(f"simulated clip {n}", ArrayRecording(clip, _DVS128)) for n, clip in enumerate(clips)]
    figures = []
    for name, recording in recordings:
        pipeline = _pipeline(Replay(recording, speed=math.inf), settings)
        started = time.perf_counter()
        n = sum(1 for _ in pipeline.decisions())
        wall_s = time.perf_counter() - started
        stream_s = n * pipeline.chain.bundle.input.step_us / 1e6
        figures.append(Figure(f"--speed max, {name}", stream_s / wall_s, "× real time", 20, at_least=True))
    return figures


def measure_reading(settings: BenchSettings) -> list[Figure]:
    """Decoding AEDAT 2.0 and 3.1 files of some million events from the page cache."""
    from spikebridge.sources import open_recording

    n = 2_000_000 if settings.quick else 10_000_000
    events = noise_events(n, n, _DVS128)
    figures = []
    for title, write in (("AEDAT 2.0", _write_aedat2), ("AEDAT 3.1", _write_aedat31)):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bench.aedat"
            write(path, events)
            rates = []
            for _ in range(5):
                started = time.perf_counter()
                recording = open_recording(str(path))
                read = sum(recording.read(t, t + 100_000).size for t in range(0, n, 100_000))
                rates.append(read / (time.perf_counter() - started) / 1e6)
                recording.close()
            if read != n:
                raise ValueError(f"expected {n} events back, got {read}")
            figures.append(Figure(f"reading {title}, median of 5", float(np.median(rates)), "M events/s", 20, True))
    return figures


def measure_emulator(settings: BenchSettings) -> list[Figure]:
    """Time per step of the spiking part, how it grows, and beside it Lava's CPU simulation on the same steps."""
    from spikebridge.snn.bench import measure_scaling, measure_steps

    figures = [Figure(name, value, "ms", bound) for name, value, bound in measure_steps(settings.quick)]
    figures += [Figure(f"… {name}", value, "ms") for name, value in measure_scaling(settings.quick)]
    return figures + _beside_lava(50 if settings.quick else 200)


def _beside_lava(steps: int) -> list[Figure]:
    from spikebridge.snn.lava.environment import status

    title = "SNN step S3 128×128, Lava's CPU simulation"
    there, found, fix = status()
    if not there:
        return [Figure(title, None, "ms", note=f"not measured: {found}; {fix}.")]
    from spikebridge.snn.lava.emulator_comparison import compare

    compared = compare(steps)
    return [
        Figure(f"{title}, {steps} steps, wall clock", compared.lava_ms, "ms"),
        Figure("… the emulator on the same steps, wall clock", compared.emulator_ms, "ms", 0.15),
        Figure("… Lava's time / the emulator's", compared.ratio, "×", 150, at_least=True),
        Figure("… steps whose spikes differ", compared.differing_steps, "steps", 0),
    ]


def measure_drawing(settings: BenchSettings) -> list[Figure]:
    """GUI-thread time per frame and frames held, off-screen."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from spikebridge.ui.bench import measure_drawing as measure

    figures = []
    for width, height, bound_ms in ((128, 128, 2.0), (1280, 720, 5.0)):
        ms_per_frame, frames_hz = measure(width, height, seconds=2 if settings.quick else 6)
        figures.append(Figure(f"drawing {width}×{height}: GUI thread per frame", ms_per_frame, "ms", bound_ms))
        figures.append(Figure(f"drawing {width}×{height}: frames held", frames_hz, "frames/s", 59, at_least=True))
    return figures


def measure_start(settings: BenchSettings) -> list[Figure]:
    """From starting the interpreter to the first decision, the compiled code cached by a first start."""
    headless = ["-m", "spikebridge", "run", "sim:", "--headless", "--json", "--seed", "1", "--model", settings.model]
    window = ["-m", "spikebridge.bench.first_decision", settings.model]
    figures = []
    for title, arguments, bound_s in (("window", window, 5.0), ("headless", headless, 3.0)):
        times = [_until_first_line(arguments) for _ in range(4)][1:]
        figures.append(Figure(f"second start until the first decision, {title}", float(np.median(times)), "s", bound_s))
    return figures


def measure_memory(settings: BenchSettings) -> list[Figure]:
    """Ten minutes of the simulated camera (of its clock, as fast as it goes) through the chain."""
    from spikebridge.simulator.camera import SimulatedCamera

    minutes = 1 if settings.quick else 10
    pipeline = _pipeline(SimulatedCamera(seed=1, paced=False), settings, lossless=True)
    samples: list[float] = []
    for decision in pipeline.decisions():
        if decision.t_us >= len(samples) * 10_000_000:
            samples.append(_rss_mb())
        if decision.t_us >= minutes * 60_000_000:
            break
    half = samples[len(samples) // 2 :]
    return [
        Figure(f"peak memory, {minutes} min of sim:", peak_rss_mb(), "MB", 600),
        Figure("… growth over the second half", half[-1] - half[0], "MB", 5),
    ]


def measure_overload(settings: BenchSettings) -> list[Figure]:
    """20 M events/s for 10 s from a live source, then 100 k events/s."""
    seconds = 3.0 if settings.quick else 10.0
    source = BurstSource(_DVS128, 20e6, seconds, 1e5, 3.0)
    pipeline = _pipeline(source, settings)
    worst_ms, recovered_ns, broken = 0.0, 0, 0
    for decision in pipeline.decisions():
        worst_ms = max(worst_ms, decision.end_to_end_us / 1000)
        counters = pipeline.counters()
        broken += counters.events_in != counters.events_done + counters.events_dropped + counters.events_queued
        if source.burst_ended_ns and not recovered_ns and decision.end_to_end_us < 10_000:
            recovered_ns = time.monotonic_ns()
    counters = pipeline.counters()
    uncounted = source.counters().read - counters.events_done - counters.events_dropped - counters.events_queued
    return [
        Figure("overload 20 M events/s: longest end-to-end latency", worst_ms, "ms", 200),
        Figure("… events dropped (counted)", counters.events_dropped / 1e6, "M"),
        Figure("… events not counted", abs(uncounted) + broken, "events", 0),
        Figure("… back under 10 ms after", max(0.0, (recovered_ns - source.burst_ended_ns) / 1e9), "s", 1),
    ]


def _until_first_line(arguments: list[str]) -> float:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    started = time.perf_counter()
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, env=environment, text=True) as child:
        stdout = child.stdout
        line = stdout.readline() if stdout else ""
        elapsed_s = time.perf_counter() - started
        child.terminate()
    if not line or "t_us" not in json.loads(line):
        raise ValueError(f"expected a decision as first line, got {line!r}")
    return elapsed_s


def _rss_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


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
