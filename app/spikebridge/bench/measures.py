"""The measures of ``spikebridge bench``, one function each."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from spikebridge.bench import BenchSettings, Figure
from spikebridge.bench.filtering import measure_filters as measure_filters
from spikebridge.bench.live_camera import StandInCamera
from spikebridge.bench.opening import measure_opening as measure_opening
from spikebridge.bench.reading import measure_reading as measure_reading
from spikebridge.bench.synthetic import BurstSource, noise_events
from spikebridge.bundle import load_model
from spikebridge.contracts import Recording, Say, Source
from spikebridge.events import Sensor
from spikebridge.power import PowerMonitor
from spikebridge.run.opening import open_chain, open_pipeline
from spikebridge.run.pipeline import Pipeline, peak_rss_mb
from spikebridge.settings import LaneSettings, RunSettings
from spikebridge.snapshot import Percentiles, Snapshot
from spikebridge.sources.live import LiveSource
from spikebridge.sources.replay import Replay
from spikebridge.testing import ArrayRecording

_DVS128 = Sensor(128, 128, "DVS128")
_NOISE = "noise:"


def _pipeline(source: Source, models: tuple[str, ...], *, lossless: bool = False) -> Pipeline:
    chains = {model: open_chain(LaneSettings(model), load_model(model), source.info.sensor) for model in models}
    return Pipeline(source, chains, PowerMonitor(()), lossless=lossless)


def open_noise(uri: str, settings: RunSettings, say: Say) -> Pipeline:
    """``noise:<events per second>:<seconds>`` as a recording in memory; other sources as they are."""
    if not uri.startswith(_NOISE):
        return open_pipeline(uri, settings, say)
    rate_hz, seconds = (int(part) for part in uri.removeprefix(_NOISE).split(":"))
    events = noise_events(rate_hz * seconds, 1_000_000 * seconds, _DVS128)
    return _pipeline(Replay(ArrayRecording(events, _DVS128)), tuple(lane.model for lane in settings.lanes))


def _watch_window(uri: str, models: tuple[str, ...], seconds: float) -> Snapshot:
    """The last snapshot of a window, off-screen, on ``uri``."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from spikebridge.engine import Engine
    from spikebridge.ui.app import show_window
    from spikebridge.ui.session import ChainSession

    engine = Engine(open_noise)
    sessions: list[ChainSession] = []
    settings = RunSettings(tuple(LaneSettings(model) for model in models))

    def opener(uri: str, say: Say) -> ChainSession:
        sessions.append(engine.open(uri, settings, say))
        return sessions[-1]

    show_window(opener, uri, duration_s=seconds)
    engine.close()
    return sessions[0].snapshot()


def measure_latency(settings: BenchSettings) -> list[Figure]:
    """Real-time replay of 1 M events/s with the window open (off-screen)."""
    seconds = 5 if settings.quick else 20
    (lane,) = _watch_window(f"{_NOISE}1000000:{seconds}", (settings.model,), seconds + 1.0).lanes
    run = lane.end_to_end.run if lane.end_to_end else Percentiles()
    return [
        Figure("end of the step to the decision, 1 M events/s, window open: p50", run.p50 / 1000, "ms", 0.5),
        Figure("… p99", run.p99 / 1000, "ms", 2),
        Figure("… events processed", lane.counters.events_done / 1e6, "M", 0.95 * seconds, at_least=True),
        Figure("… events dropped", lane.counters.events_dropped, "events", 0),
    ]


def measure_throughput(settings: BenchSettings) -> list[Figure]:
    """``--speed max`` headless, as a whole chain in this process, start-up apart."""
    from spikebridge.recordings import open_recording

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
        pipeline = _pipeline(Replay(recording, speed=math.inf), (settings.model,))
        started = time.perf_counter()
        n = sum(item is not None for item in pipeline.decisions())
        wall_s = time.perf_counter() - started
        stream_s = n * load_model(settings.model).input.step_us / 1e6
        figures.append(Figure(f"--speed max, {name}", stream_s / wall_s, "× real time", 20, at_least=True))
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
    pipeline = _pipeline(SimulatedCamera(seed=1, paced=False), (settings.model,), lossless=True)
    samples: list[float] = []
    for item in pipeline.decisions():
        if item is None:
            continue
        _, decision = item
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
    pipeline = _pipeline(source, (settings.model,))
    (lane,) = pipeline.lanes
    worst_ms, recovered_ns, broken = 0.0, 0, 0
    for item in pipeline.decisions():
        if item is None or item[1].end_to_end_us is None:
            continue
        latency_ms = item[1].end_to_end_us / 1000
        worst_ms = max(worst_ms, latency_ms)
        counters = lane.counters()
        broken += counters.events_in != counters.events_done + counters.events_dropped + counters.events_queued
        if source.burst_ended_ns and not recovered_ns and latency_ms < 10:
            recovered_ns = time.monotonic_ns()
    counters = lane.counters()
    uncounted = source.counters().read - counters.events_done - counters.events_dropped - counters.events_queued
    return [
        Figure("overload 20 M events/s: longest end-to-end latency", worst_ms, "ms", 200),
        Figure("… events dropped (counted)", counters.events_dropped / 1e6, "M"),
        Figure("… events not counted", abs(uncounted) + broken, "events", 0),
        Figure("… back under 10 ms after", max(0.0, (recovered_ns - source.burst_ended_ns) / 1e9), "s", 1),
    ]


def measure_camera(settings: BenchSettings) -> list[Figure]:
    """A stand-in of a camera at 20 M events/s: its ring, the source that cuts steps, and one network."""
    seconds = 3.0 if settings.quick else 10.0
    camera = StandInCamera(Sensor(1280, 720, "stand-in"), 20e6)
    source = LiveSource(camera)
    pipeline = _pipeline(source, (settings.model,))
    (lane,) = pipeline.lanes
    ages_ms, memory_mb, until_s = [], list[float](), time.monotonic() + seconds
    for item in pipeline.decisions():
        if item is not None and item[1].end_to_end_us is not None:
            ages_ms.append(item[1].end_to_end_us / 1000)
        if len(memory_mb) < 100 * seconds:
            memory_mb.append(_rss_mb())
        if time.monotonic() > until_s:
            break
    counters, read, dropped = lane.counters(), source.counters().read, source.counters().dropped
    in_the_source = read - counters.events_in
    uncounted = camera.given - read - dropped
    uncounted += counters.events_in - counters.events_done - counters.events_dropped - counters.events_queued
    p50, p99 = np.percentile(ages_ms, (50, 99)) if ages_ms else (math.inf, math.inf)
    return [
        Figure("camera at 20 M events/s: end of the step to the decision, p50", float(p50), "ms"),
        Figure("… p99", float(p99), "ms", 200),
        Figure("… longest", max(ages_ms, default=math.inf), "ms", 200),
        Figure("… events read", read / 1e6, "M"),
        Figure("… dropped in the driver's ring (counted)", dropped / 1e6, "M"),
        Figure("… processed", counters.events_done / 1e6, "M"),
        Figure("… dropped in the inbox (counted)", counters.events_dropped / 1e6, "M"),
        Figure("… waiting for their step at the end", in_the_source / 1e6, "M", 1),
        Figure("… not counted", abs(uncounted), "events", 0),
        Figure("… memory at its end over its middle", memory_mb[-1] - memory_mb[len(memory_mb) // 2], "MB", 20),
    ]


def measure_lanes(settings: BenchSettings) -> list[Figure]:
    """Networks side by side on the simulated camera: two with the window, four headless."""
    from spikebridge.simulator.camera import SimulatedCamera

    seconds = 5 if settings.quick else 20
    shipped = ("s2a4-stream", "s3a3-160ms", "ann-160ms", "snn-160ms")
    snapshot = _watch_window("sim:", shipped[:2], seconds)
    figures = _lane_figures("two networks, window open", snapshot, 10.0)
    pipeline = _pipeline(SimulatedCamera(seed=1), shipped)
    pipeline.start()
    time.sleep(seconds)
    pipeline.close()
    return figures + _lane_figures("four networks, headless", pipeline.snapshot(), 10.0)


def _lane_figures(title: str, snapshot: Snapshot, bound_ms: float) -> list[Figure]:
    runs = [lane.end_to_end.run for lane in snapshot.lanes if lane.end_to_end]
    return [
        Figure(f"{title}: p50, the slowest", max(run.p50 for run in runs) / 1000, "ms"),
        Figure("… p99, the slowest", max(run.p99 for run in runs) / 1000, "ms", bound_ms),
        Figure("… packets dropped", sum(lane.counters.packets_dropped for lane in snapshot.lanes), "packets", 0),
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
