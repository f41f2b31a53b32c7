"""Builds a pipeline from what the user asked for; command line, window and benchmarks all start here."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack

from spikebridge.ann import open_ann
from spikebridge.bundle import Bundle, load_model
from spikebridge.chain import Chain
from spikebridge.contracts import Say, Source, StartingStage, say_nothing
from spikebridge.events import Sensor
from spikebridge.power import PowerMonitor, discover_meters
from spikebridge.run.pipeline import Pipeline
from spikebridge.run.session_writing import open_session
from spikebridge.settings import LaneSettings, RunSettings
from spikebridge.snn import open_snn
from spikebridge.sources import open_source
from spikebridge.sources.tape import Tape


def open_chain(settings: LaneSettings, bundle: Bundle, sensor: Sensor, say: Say = say_nothing) -> Chain:
    """The stages of ``bundle`` on the backends of ``settings`` for one sensor; ``say`` hears how far a slow one is."""
    with ExitStack() as opened:
        chain = _start_chain(settings, bundle, sensor, opened)
        _wait_ready(chain, say)
        opened.pop_all()
        return chain


def open_pipeline(uri: str, settings: RunSettings, say: Say = say_nothing) -> Pipeline:
    """A pipeline that is ready to start; raises a SpikebridgeError and leaves nothing open otherwise."""
    with ExitStack() as opened:
        source = open_source(uri, settings.source)
        opened.callback(source.close)
        bundles = [load_model(lane.model) for lane in settings.lanes]
        names = name_lanes(settings.lanes, bundles)
        # All start before any is waited for.
        chains = {
            name: _start_chain(lane, bundle, source.info.sensor, opened)
            for name, lane, bundle in zip(names, settings.lanes, bundles, strict=True)
        }
        for chain in chains.values():
            _wait_ready(chain, say)
        monitor = PowerMonitor(discover_meters(estimate_host=settings.estimate_host))
        pipeline = Pipeline(source, chains, monitor, lossless=math.isinf(settings.source.speed))
        # The last that can fail, so that nothing is left of a run that does not begin.
        tape = _open_tape(settings, source, bundles, names, pipeline.lossless)
        if tape is not None:
            pipeline.record(tape)
        opened.pop_all()
        return pipeline


def _open_tape(
    settings: RunSettings, source: Source, bundles: list[Bundle], names: list[str], lossless: bool
) -> Tape | None:
    wanted = settings.record
    if wanted.session is not None:
        return open_session(wanted.session, source.info, settings, bundles, names, lossless=lossless)
    if wanted.path is not None:
        return Tape(wanted.path, source.info.sensor, label=wanted.label, lossless=lossless)
    return None


def name_lanes(lanes: tuple[LaneSettings, ...], bundles: list[Bundle]) -> list[str]:
    """A name for each lane: the user's, else the bundle's; with what tells them apart where one comes twice."""
    names = [lane.name or bundle.name for lane, bundle in zip(lanes, bundles, strict=True)]
    tells: tuple[Callable[[LaneSettings], str], ...] = (
        lambda lane: lane.snn.backend,
        lambda lane: lane.ann,
        lambda lane: lane.mode,
    )
    for tell in tells:
        twice = {name for name, n in Counter(names).items() if n > 1}
        told = [f"{name} {tell(lane)}" for name, lane in zip(names, lanes, strict=True)]
        apart = {name for name in twice if len({t for n, t in zip(names, told, strict=True) if n == name}) > 1}
        names = [t if name in apart else name for name, t in zip(names, told, strict=True)]
    seen: Counter[str] = Counter()
    for place, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[place] = f"{name} #{seen[name]}"
    return names


def _start_chain(settings: LaneSettings, bundle: Bundle, sensor: Sensor, opened: ExitStack) -> Chain:
    """Slow stages start in the background; ``opened`` closes what was opened."""
    spec = dataclasses.replace(bundle.input, fit=settings.fit) if settings.fit else None
    snn = open_snn(bundle, settings.snn)
    if snn is not None:
        opened.callback(snn.close)
    ann = open_ann(settings.ann, bundle)
    opened.callback(ann.close)
    return Chain(bundle, snn, ann, sensor, settings.mode, spec)


def _wait_ready(chain: Chain, say: Say) -> None:
    snn = chain.snn
    if isinstance(snn, StartingStage):
        snn.wait_ready(lambda words: say(f"{snn.name}: {words}"))
