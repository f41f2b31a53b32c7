"""Builds a pipeline from what the user asked for; command line, window and benchmarks all start here."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import get_args

from spikebridge.ann import open_ann
from spikebridge.bundle import Bundle, Fit, load_model
from spikebridge.chain import Chain, Mode, open_emulator
from spikebridge.contracts import SnnStage
from spikebridge.errors import UsageError
from spikebridge.events import Sensor
from spikebridge.pipeline import Pipeline
from spikebridge.power import PowerMonitor, discover_meters
from spikebridge.sources import open_source

DEFAULT_MODEL = "s2a4-stream"
SNN_BACKENDS = ("emulator", "lava", "loihi2")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What can be chosen for a run; the defaults are those of the command line.

    speed : 1.0 is real time, math.inf as fast as the chain takes it. max_gap_us : longest silence that is replayed.
    fit : another mapping of the sensor than the bundle's, or None. estimate_host : watts from CPU time where no meter
    can be read.
    """

    model: str = DEFAULT_MODEL
    snn: str = "emulator"
    ann: str = "cpu"
    speed: float = 1.0
    mode: Mode = "stream"
    loop: bool = False
    max_gap_us: int | None = None
    fit: Fit | None = None
    seed: int | None = None
    estimate_host: bool = True


def open_chain(settings: RunSettings, bundle: Bundle, sensor: Sensor) -> Chain:
    """The stages of ``bundle`` on the backends of ``settings`` for one sensor."""
    if settings.mode not in get_args(Mode):
        raise UsageError(f"expected --mode to be stream or window, found '{settings.mode}'.")
    spec = dataclasses.replace(bundle.input, fit=settings.fit) if settings.fit else None
    ann = open_ann(settings.ann, bundle)
    try:
        snn = _open_snn(settings.snn, bundle)
        return Chain(bundle, snn, ann, sensor, settings.mode, spec)
    except BaseException:
        ann.close()
        raise


def open_pipeline(uri: str, settings: RunSettings) -> Pipeline:
    """A pipeline that is ready to start; raises a SpikebridgeError and leaves nothing open otherwise."""
    source = open_source(
        uri, speed=settings.speed, loop=settings.loop, max_gap_us=settings.max_gap_us, seed=settings.seed
    )
    try:
        bundle = load_model(settings.model)
        chain = open_chain(settings, bundle, source.info.sensor)
        monitor = PowerMonitor(discover_meters(estimate_host=settings.estimate_host), chain.snn)
    except BaseException:
        source.close()
        raise
    return Pipeline(source, chain, monitor, lossless=math.isinf(settings.speed))


def _open_snn(backend: str, bundle: Bundle) -> SnnStage | None:
    if backend not in SNN_BACKENDS:
        raise UsageError(f"expected --snn to be one of {', '.join(SNN_BACKENDS)}, found '{backend}'.")
    if backend == "emulator" or bundle.snn is None:
        return open_emulator(bundle)
    from spikebridge.snn.lava import open_lava, open_loihi2

    stage = (open_lava if backend == "lava" else open_loihi2)(bundle.snn.path, bundle.input.shape)
    try:
        stage.wait_ready()
    except BaseException:
        stage.close()
        raise
    return stage
