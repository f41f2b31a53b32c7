"""What the bundles' networks are compared on, and the store of what Lava and SLAYER computed for it.

Inputs of a bundle: random, empty and saturated ones, simulated gestures, and the real gestures where they are.

data/bundle_reference.npz: ``rows``, one for each network file and input (see ``Row``), and under ``input/<digest>`` the
simulated gestures, (T, C, H, W) uint8: another machine or a later simulator may draw them differently. The real ones
are read in place, never stored.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from comparison import Run, digest_input
from random_networks import Case

from spikebridge.bundle import InputSpec, load_model
from spikebridge.chain.binning import Binner
from spikebridge.contracts import LABELS
from spikebridge.events import EventPacket, Sensor
from spikebridge.resources import models_folder
from spikebridge.settings import SourceSettings
from spikebridge.simulator import simulate_clip
from spikebridge.snn import load_network
from spikebridge.snn.lava import LavaOptions, LavaStage
from spikebridge.sources import open_source

STORE = Path(__file__).parent / "data" / "bundle_reference.npz"
RENEW = ".venv/bin/python tests/snn/renew_references.py"
#: Steps of each kind of input.
SYNTHETIC_STEPS, SIMULATED_STEPS, REAL_STEPS = 16, 24, 150


class Row(NamedTuple):
    """One stored comparison: sha256 of the .net file, name and digest of the input, digest of Lava's run, its steps;
    digest of SLAYER's run ("" where it did not run) and its steps, up to the first state that 24 bits do not hold."""

    net: str
    name: str
    input: str
    lava: str
    steps: int
    slayer: str
    slayer_steps: int


def spiking_bundles() -> list[str]:
    """Names of the bundles in models/ that have a spiking network."""
    return sorted(path.parent.name for path in models_folder().glob("*/*.net") if path.parent.name[0] != ".")


def net_of(bundle: str) -> Path:
    spec = load_model(models_folder() / bundle).snn
    assert spec is not None
    return spec.path


def cases_of(bundle: str, recordings: Path | None) -> list[Case]:
    """All inputs; those that tell most in the fewest steps first. recordings : folder with ``gestures/``."""
    spec, network = load_model(models_folder() / bundle).input, load_network(net_of(bundle))
    inputs = itertools.chain(_synthetic(spec), _real(spec, recordings) if recordings else (), _simulated(spec))
    return [Case(name, network, counts, True) for name, counts in inputs]


def _synthetic(spec: InputSpec) -> Iterator[tuple[str, np.ndarray]]:
    rng = np.random.default_rng(1)
    shape = (SYNTHETIC_STEPS, *spec.shape)
    yield "random", (rng.random(shape) < 0.05).astype(np.uint8)
    yield "saturated 255", np.full(shape, 255, np.uint8)
    yield "random 1 to 255", (rng.integers(1, 256, shape) * (rng.random(shape) < 0.02)).astype(np.uint8)
    yield "saturated 1", np.ones(shape, np.uint8)
    yield "empty", np.zeros(shape, np.uint8)


def _simulated(spec: InputSpec) -> Iterator[tuple[str, np.ndarray]]:
    for seed, label in enumerate(LABELS):
        events, _ = simulate_clip(label, seed, SIMULATED_STEPS * spec.step_us, width=spec.width, height=spec.height)
        bounds = np.searchsorted(events["t"], np.arange(SIMULATED_STEPS + 1) * spec.step_us)
        packets = (
            EventPacket(events[first:last], k * spec.step_us, (k + 1) * spec.step_us, k, 0)
            for k, (first, last) in enumerate(itertools.pairwise(bounds))
        )
        binner = Binner(spec, Sensor(spec.width, spec.height, "simulated"))
        yield f"simulated {label}", np.stack([binner(packet) for packet in packets])


def _real(spec: InputSpec, recordings: Path) -> Iterator[tuple[str, np.ndarray]]:
    for path in sorted((recordings / "gestures").glob("*.aedat*")):
        yield f"real {path.name}", counts_of(path, spec, REAL_STEPS)


def counts_of(path: Path, spec: InputSpec, steps: int) -> np.ndarray:
    """The first steps of a recording, (T, C, H, W) uint8, read and binned as the program does."""
    with closing(open_source(path, SourceSettings(speed=math.inf))) as source:
        binner = Binner(spec, source.info.sensor)
        return np.stack([binner(packet) for packet in itertools.islice(source.packets(spec.step_us), steps)])


def run_on_lava(bundle: str, cases: Iterable[Case]) -> Iterator[tuple[Case, Run]]:
    """Each case from reset, with currents and voltages of every step."""
    network = load_network(net_of(bundle))
    with LavaStage(net_of(bundle), network, LavaOptions(step_deadline_s=30, start_deadline_s=180)) as stage:
        stage.wait_ready()
        for case in cases:
            stage.reset()
            series: dict[str, list[np.ndarray]] = {}
            for counts in case.counts:
                series.setdefault("spikes", []).append(stage.step(counts).astype(np.int64))
                for k, state in enumerate(stage.read_state()):
                    for name, value in zip("uv", state, strict=True):
                        series.setdefault(f"{name}{k}", []).append(value.astype(np.int64))
            yield case, {name: np.stack(values) for name, values in series.items()}


def read_store() -> tuple[list[Row], dict[str, np.ndarray]]:
    """The rows, and the simulated inputs by their digest."""
    if not STORE.exists():
        return [], {}
    with np.load(STORE) as store:
        rows = [Row(*row[:4], int(row[4]), row[5], int(row[6])) for row in store["rows"].tolist()]
        return rows, {name.partition("/")[2]: store[name] for name in store.files if name.startswith("input/")}


def stored_cases(bundle: str, net_sha256: str, recordings: Path | None) -> tuple[list[tuple[Case, Row]], list[str]]:
    """The bundle's inputs with their rows, and the names of those that have none."""
    rows, inputs = read_store()
    of_input = {row.input: row for row in rows if row.net == net_sha256}
    network = load_network(net_of(bundle))
    spec = load_model(models_folder() / bundle).input
    pairs = [(Case(row.name, network, inputs[key], True), row) for key, row in of_input.items() if key in inputs]
    absent = [] if pairs else ["simulated"]
    for name, counts in itertools.chain(_synthetic(spec), _real(spec, recordings) if recordings else ()):
        case = Case(name, network, counts, True)
        if (row := of_input.get(digest_input(case))) is None:
            absent.append(name)
        else:
            pairs.append((case, row))
    return pairs, absent


def write_store(rows: list[Row], inputs: dict[str, np.ndarray]) -> None:
    needed = {row.input for row in rows}
    STORE.parent.mkdir(exist_ok=True)
    arrays = {f"input/{key}": value for key, value in sorted(inputs.items()) if key in needed}
    np.savez_compressed(STORE, rows=np.array(sorted(rows)), **arrays)
