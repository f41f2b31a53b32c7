"""The model bundle: a folder with ``model.toml`` (the contract), ``snn.net``, ``ann.onnx`` and a model card.

Loading checks what the contract says of itself: files and their sha256, labels, and that the shapes at each boundary
follow from one another. What only a backend can know (shapes inside ``snn.net`` and ``ann.onnx``) is checked against
the same contract by the stage that loads the file.
"""

from __future__ import annotations

import hashlib
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias, TypeVar

from spikebridge.contracts import LABELS
from spikebridge.errors import BundleError
from spikebridge.resources import models_folder
from spikebridge.settings import FITS, Fit

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FORMAT = 1
Shape: TypeAlias = tuple[int, int, int]
_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How events become counts.

    width, height : px of the network's input. step_us : length of one time step.
    max_count : counts saturate here; 1 means that a pixel and polarity is either silent or active in a step.
    fit : how a sensor of another size is mapped. ``center``: the largest centred crop with the network's aspect
    ratio; ``full``: the whole sensor, its aspect ratio given up. The crop is scaled to width x height by
    ``x' = (x - x0) * width // crop_width``. A sensor of the same size maps one to one either way.
    Channel 0 holds OFF, channel 1 ON events.
    """

    width: int
    height: int
    step_us: int
    max_count: int
    fit: Fit

    @property
    def shape(self) -> Shape:
        return (2, self.height, self.width)


@dataclass(frozen=True, slots=True)
class SnnSpec:
    """The spiking part. ``delay_steps``: steps until an input reaches the output (one for each layer)."""

    path: Path
    layers: int
    delay_steps: int
    output_shape: Shape


@dataclass(frozen=True, slots=True)
class AccumulatorSpec:
    """Spike counts over ``window_steps`` (T) in intervals of ``interval_steps`` (I), renewed every ``hop_steps``."""

    window_steps: int
    interval_steps: int
    hop_steps: int

    @property
    def intervals(self) -> int:
        return self.window_steps // self.interval_steps

    def features_shape(self, spikes_shape: Shape) -> Shape:
        """(C·T/I, h, w) for spikes of (C, h, w); channel ``c * T/I + k``: channel c, interval k, oldest first."""
        c, h, w = spikes_shape
        return (c * self.intervals, h, w)


@dataclass(frozen=True, slots=True)
class AnnSpec:
    """The ONNX part: input ``features`` (1, C·T/I, h, w) uint8, output ``logits`` (1, n_labels) float32."""

    path: Path
    input_shape: Shape


@dataclass(frozen=True, slots=True)
class DecisionSpec:
    """``smoothing_us``: time constant of the exponential mean over probabilities, 0 for none. ``threshold``: below this
    probability no gesture is named. ``temperature``: divides the logits before the softmax (calibration).
    ``other_odds``: how much likelier ``other`` is than in training, where each class came as often; while streaming."""

    labels: tuple[str, ...]
    smoothing_us: int
    threshold: float
    temperature: float
    other_odds: float = 1.0


@dataclass(frozen=True, slots=True)
class Bundle:
    """A checked bundle. ``snn`` is None for an ordinary network (S0): counts go straight to the accumulator."""

    name: str
    title: str
    folder: Path
    input: InputSpec
    snn: SnnSpec | None
    accumulator: AccumulatorSpec
    ann: AnnSpec
    decision: DecisionSpec

    @property
    def spikes_shape(self) -> Shape:
        """Shape of what the accumulator gets in each step."""
        return self.snn.output_shape if self.snn else self.input.shape

    @property
    def delay_us(self) -> int:
        """Time that spikes need through the delays of the layers, µs."""
        return self.snn.delay_steps * self.input.step_us if self.snn else 0


def load_model(name_or_path: str | Path) -> Bundle:
    """The bundle in a folder, or the shipped one of that name.

    Raises BundleError when the contract is broken, with what was expected and what was found.
    """
    folder = Path(name_or_path)
    if not folder.is_dir():
        shipped = models_folder() / str(name_or_path)
        if not (shipped / "model.toml").is_file():
            names = ", ".join(list_models()) or "none"
            raise BundleError(
                f"expected a model bundle named or at '{name_or_path}', found none; shipped are: {names}."
            )
        folder = shipped
    return _check(folder, _read_contract(folder / "model.toml"))


def list_models() -> list[str]:
    """Names of the shipped bundles, sorted."""
    return sorted(path.parent.name for path in models_folder().glob("*/model.toml"))


def fingerprint(bundle: Bundle) -> str:
    """SHA-256 of the contract, which holds those of the other files."""
    return sha256(bundle.folder / "model.toml")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_contract(path: Path) -> dict[str, object]:
    try:
        contract: dict[str, object] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BundleError(f"expected a model.toml in {path.parent}, found none; is this a model bundle?") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BundleError(f"expected {path} to be readable TOML, found: {error}; restore the bundle.") from error
    return contract


def _check(folder: Path, contract: dict[str, object]) -> Bundle:
    read = _Reader(folder, contract)
    if (version := read.get("format", int)) != FORMAT:
        raise read.broken("format", str(FORMAT), str(version))
    labels = read.get("decision.labels", list)
    if tuple(labels) != LABELS:
        raise read.broken("decision.labels", f"the {len(LABELS)} labels of DVS128 Gesture in order", str(labels))
    bundle = Bundle(
        name=folder.resolve().name,
        title=read.get("title", str),
        folder=folder,
        input=InputSpec(
            width=read.positive("input.width"),
            height=read.positive("input.height"),
            step_us=read.positive("input.step_us"),
            max_count=read.positive("input.max_count"),
            fit=read.fit(),
        ),
        snn=SnnSpec(
            path=read.file("snn"),
            layers=read.positive("snn.layers"),
            delay_steps=read.get("snn.delay_steps", int),
            output_shape=read.shape("snn.output_shape"),
        )
        if "snn" in contract
        else None,
        accumulator=AccumulatorSpec(
            window_steps=read.positive("accumulator.window_steps"),
            interval_steps=read.positive("accumulator.interval_steps"),
            hop_steps=read.positive("accumulator.hop_steps"),
        ),
        ann=AnnSpec(path=read.file("ann"), input_shape=read.shape("ann.input_shape")),
        decision=DecisionSpec(
            labels=LABELS,
            smoothing_us=read.get("decision.smoothing_us", int),
            threshold=read.number("decision.threshold"),
            temperature=read.number("decision.temperature"),
            other_odds=read.number("decision.other_odds", default=1.0),
        ),
    )
    _check_boundaries(read, bundle)
    return bundle


def _check_boundaries(read: _Reader, bundle: Bundle) -> None:
    spec = bundle.accumulator
    if spec.window_steps % spec.interval_steps:
        raise read.broken(
            "accumulator.interval_steps",
            f"a divisor of window_steps = {spec.window_steps}",
            str(spec.interval_steps),
        )
    if (highest := spec.interval_steps * (1 if bundle.snn else bundle.input.max_count)) > 255:
        raise read.broken("accumulator.interval_steps", "counts of at most 255 (uint8)", f"up to {highest}")
    if (shape := spec.features_shape(bundle.spikes_shape)) != bundle.ann.input_shape:
        raise read.broken("ann.input_shape", f"{list(shape)}, the accumulator's", str(list(bundle.ann.input_shape)))
    if not 0 <= bundle.decision.threshold <= 1:
        raise read.broken("decision.threshold", "a probability in 0…1", str(bundle.decision.threshold))
    if bundle.decision.temperature <= 0:
        raise read.broken("decision.temperature", "a number above 0", str(bundle.decision.temperature))
    if bundle.decision.other_odds <= 0:
        raise read.broken("decision.other_odds", "a number above 0", str(bundle.decision.other_odds))


class _Reader:
    """Dotted look-ups in a contract that raise BundleError with expected and found."""

    def __init__(self, folder: Path, contract: dict[str, object]) -> None:
        self._folder = folder
        self._contract = contract

    def broken(self, key: str, expected: str, found: str) -> BundleError:
        return BundleError(f"{self._folder}/model.toml: expected {key} to be {expected}, found {found}.")

    def get(self, key: str, kind: type[_Kind]) -> _Kind:
        value = self._find(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self.broken(key, f"of type {kind.__name__}", "nothing" if value is None else repr(value))
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self._find(key)
        value = default if value is None else value
        if not isinstance(value, (int, float)) or isinstance(value, bool) or not math.isfinite(value):
            raise self.broken(key, "a number", "nothing" if value is None else repr(value))
        return float(value)

    def fit(self) -> Fit:
        value = self.get("input.fit", str)
        for fit in FITS:
            if fit == value:
                return fit
        raise self.broken("input.fit", "'center' or 'full'", repr(value))

    def _find(self, key: str) -> object:
        value: object = self._contract
        for part in key.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        return value

    def positive(self, key: str) -> int:
        value = self.get(key, int)
        if value < 1:
            raise self.broken(key, "at least 1", str(value))
        return value

    def shape(self, key: str) -> Shape:
        value = self.get(key, list)
        if len(value) != 3 or not all(isinstance(n, int) and n > 0 for n in value):
            raise self.broken(key, "three positive integers [channels, height, width]", repr(value))
        return (value[0], value[1], value[2])

    def file(self, table: str) -> Path:
        path: Path = self._folder / self.get(f"{table}.file", str)
        wanted = self.get(f"{table}.sha256", str)
        if not path.is_file():
            raise self.broken(f"{table}.file", "a file of the bundle", f"no {path.name}")
        if (found := sha256(path)) != wanted:
            raise self.broken(f"{table}.sha256", f"the hash of {path.name}, {found[:12]}…", f"{wanted[:12]}…")
        return path
