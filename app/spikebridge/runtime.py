"""Builds a pipeline from what the user asked for; command line, window and benchmarks all start here."""

from __future__ import annotations

import dataclasses
import math
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from spikebridge.ann import open_ann
from spikebridge.bundle import Bundle, Fit, load_model
from spikebridge.chain import Chain, Mode, check_network, open_emulator
from spikebridge.contracts import Say, SnnMeter, SnnStage, StartingStage
from spikebridge.errors import UsageError
from spikebridge.events import Sensor
from spikebridge.pipeline import Pipeline
from spikebridge.power import LoihiMeter, PowerMonitor, discover_meters
from spikebridge.sources import open_source

if TYPE_CHECKING:
    from spikebridge.snn.lava import HardwareOptions

DEFAULT_MODEL = "s2a4-stream"
SNN_BACKENDS = ("emulator", "lava", "loihi2")


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What can be chosen for a run; the defaults are those of the command line.

    speed : 1.0 is real time, math.inf as fast as the chain takes it. max_gap_us : longest silence that is replayed.
    fit : another mapping of the sensor than the bundle's, or None. estimate_host : watts from CPU time where no meter
    can be read. lava_python : interpreter that has Lava, None for the one that is found. loihi : where the board is,
    only with ``snn = "loihi2"``; None for SLURM's choice.
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
    lava_python: Path | None = None
    loihi: HardwareOptions | None = None


def _silent(words: str) -> None:
    """For who has nobody to tell."""


def open_chain(
    settings: RunSettings, bundle: Bundle, sensor: Sensor, *, say: Say = _silent, snn: SnnStage | None = None
) -> Chain:
    """The stages of ``bundle`` on the backends of ``settings`` for one sensor.

    say : hears how far a slow stage is. snn : ``start_snn``'s, when it was started before; the chain closes it.
    """
    if settings.mode not in get_args(Mode):
        raise UsageError(f"expected --mode to be stream or window, found '{settings.mode}'.")
    spec = dataclasses.replace(bundle.input, fit=settings.fit) if settings.fit else None
    with ExitStack() as opened:
        snn = snn or start_snn(settings, bundle)
        if snn is not None:
            opened.callback(snn.close)
        ann = open_ann(settings.ann, bundle)
        opened.callback(ann.close)
        if isinstance(snn, StartingStage):
            snn.wait_ready(lambda words: say(f"{snn.name}: {words}"))
        chain = Chain(bundle, snn, ann, sensor, settings.mode, spec)
        opened.pop_all()
        return chain


def open_pipeline(uri: str, settings: RunSettings, *, say: Say = _silent, snn: SnnStage | None = None) -> Pipeline:
    """A pipeline that is ready to start; raises a SpikebridgeError and leaves nothing open otherwise.

    say, snn : as of ``open_chain``.
    """
    with ExitStack() as opened:
        if snn is not None:
            opened.callback(snn.close)
        source = open_source(
            uri, speed=settings.speed, loop=settings.loop, max_gap_us=settings.max_gap_us, seed=settings.seed
        )
        opened.callback(source.close)
        chain = open_chain(settings, load_model(settings.model), source.info.sensor, say=say, snn=snn)
        monitor = PowerMonitor(discover_meters(estimate_host=settings.estimate_host), _snn_meter(settings, chain))
        opened.pop_all()
        return Pipeline(source, chain, monitor, lossless=math.isinf(settings.speed))


def start_snn(settings: RunSettings, bundle: Bundle) -> SnnStage | None:
    """The spiking stage on the backend of ``settings``, checked against the contract. Lava starts in the background."""
    backend = settings.snn
    if backend not in SNN_BACKENDS:
        raise UsageError(f"expected --snn to be one of {', '.join(SNN_BACKENDS)}, found '{backend}'.")
    if backend == "emulator" or bundle.snn is None:
        return open_emulator(bundle)
    from spikebridge.snn import load_network
    from spikebridge.snn.lava import open_lava, open_loihi2

    path, shape, python = bundle.snn.path, bundle.input.shape, settings.lava_python
    check_network(bundle, load_network(path))
    if backend == "lava":
        return open_lava(path, shape, python)
    return open_loihi2(path, shape, python, settings.loihi)


def start_lava(settings: RunSettings) -> list[SnnStage]:
    """The stage of ``start_snn`` where it is Lava, to be handed to ``open_pipeline`` or closed; else none."""
    if settings.snn not in ("lava", "loihi2"):
        return []
    stage = start_snn(settings, load_model(settings.model))
    return [stage] if stage is not None else []


def _snn_meter(settings: RunSettings, chain: Chain) -> SnnMeter | None:
    """On hardware what its profilers say or nothing; a model of another chip would not be a figure of this one."""
    snn, spec = chain.snn, chain.bundle.snn
    if snn is None or spec is None:
        return None
    if settings.snn == "loihi2":
        from spikebridge.snn.lava import LavaStage, Loihi2Meter

        if isinstance(snn, LavaStage):
            return Loihi2Meter(snn)
    from spikebridge.snn import load_network
    from spikebridge.snn.energy import CostModel

    return LoihiMeter(snn, CostModel(load_network(spec.path)).energy_of)
