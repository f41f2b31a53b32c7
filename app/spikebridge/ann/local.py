"""The ordinary layers through ONNX Runtime in this process. The only file that imports onnxruntime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Protocol

import numpy as np

from spikebridge.ann.board import jetson_name
from spikebridge.bundle import Shape
from spikebridge.contracts import Features, Logits
from spikebridge.errors import BundleError, MissingError, StageError

_PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
}
_TITLES = {"cpu": "ONNX Runtime CPU", "cuda": "ONNX Runtime CUDA", "tensorrt": "ONNX Runtime TensorRT"}


class _Boundary(Protocol):
    """An input or output of a session."""

    name: str
    shape: Sequence[int | str | None]
    type: str


class _Session(Protocol):
    """What is used of onnxruntime.InferenceSession."""

    def run(self, outputs: Sequence[str], inputs: Mapping[str, Features]) -> Sequence[Logits]: ...

    def get_inputs(self) -> Sequence[_Boundary]: ...

    def get_outputs(self) -> Sequence[_Boundary]: ...

    def get_providers(self) -> Sequence[str]: ...


class LocalAnn:
    """An ONNX classifier: input ``features`` (1, C, h, w) uint8, output ``logits`` (1, n_labels) float32.

    The provider granted is compared with the one asked for after a first real inference, since ONNX Runtime falls back
    to the CPU with only a warning.
    """

    def __init__(self, path: Path, input_shape: Shape, n_labels: int, backend: str = "cpu") -> None:
        self._session = _open_session(path, backend)
        _check_boundary(path, self._session, input_shape, n_labels)
        board = jetson_name()
        self._name = f"{_TITLES[backend]} on {board}" if board else _TITLES[backend]
        self.classify(np.zeros(input_shape, np.uint8))
        if (granted := self._session.get_providers()[0]) != _PROVIDERS[backend]:
            raise MissingError(_not_granted(backend, granted))

    @property
    def name(self) -> str:
        return self._name

    def classify(self, features: Features) -> Logits:
        """(C, h, w) uint8 in, (n_labels,) float32 logits out; raises StageError when the run fails."""
        try:
            (logits,) = self._session.run(["logits"], {"features": features[None]})
        except Exception as error:
            raise StageError("ann", f"expected the ANN to run, found an ONNX Runtime error: {error}") from error
        first: Logits = logits[0]
        return first

    def close(self) -> None:
        """Nothing is held beyond the object."""


def installed_runtimes() -> list[str]:
    """Names of the installed ONNX Runtime distributions; more than one overwrite each other's files."""
    found = []
    for name in ("onnxruntime", "onnxruntime-gpu"):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        found.append(name)
    return found


def available_providers() -> list[str]:
    """What ONNX Runtime was compiled for, which is not what a run is granted; empty when it cannot be imported."""
    try:
        import onnxruntime
    except ImportError:
        return []
    return list(onnxruntime.get_available_providers())


def _open_session(path: Path, backend: str) -> _Session:
    if len(installed_runtimes()) > 1:
        raise MissingError(
            "expected one ONNX Runtime, found onnxruntime and onnxruntime-gpu in one environment, which overwrite each "
            "other; run 'pip uninstall onnxruntime onnxruntime-gpu' and install the one you need again."
        )
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingError(
            "expected onnxruntime for the ANN stage, found none; run 'pip install onnxruntime'."
        ) from error
    provider = _PROVIDERS[backend]
    if provider not in onnxruntime.get_available_providers():
        raise MissingError(_not_granted(backend, ", ".join(onnxruntime.get_available_providers())))
    options = onnxruntime.SessionOptions()
    # A network of 2–3 M MACs is faster on one thread than the hand-over to a second costs, and one thread adds its
    # sums in one order on every machine: replays stay byte for byte equal.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        session: _Session = onnxruntime.InferenceSession(str(path), options, providers=[(provider, _options(backend))])
    except Exception as error:
        first_line = str(error).splitlines()[0]
        raise BundleError(f"expected {path} to be an ONNX network, found: {first_line}; restore the bundle.") from error
    return session


def _options(backend: str) -> dict[str, str]:
    if backend != "tensorrt":
        return {}
    # The first run builds an engine for minutes; the cache makes the second start quick.
    cache = Path.home() / ".cache" / "spikebridge" / "tensorrt"
    cache.mkdir(parents=True, exist_ok=True)
    return {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(cache)}


def _not_granted(backend: str, found: str) -> str:
    return (
        f"expected ONNX Runtime to run on {_PROVIDERS[backend]} (--ann {backend}), found {found}; install the "
        "spikebridge-gpu distribution with its drivers or use --ann cpu."
    )


def _check_boundary(path: Path, session: _Session, input_shape: Shape, n_labels: int) -> None:
    found = [(i.name, list(i.shape), i.type) for i in session.get_inputs()]
    expected = [("features", [1, *input_shape], "tensor(uint8)")]
    if found != expected:
        raise BundleError(f"expected {path} to take {expected}, found {found}; restore the bundle.")
    found = [(o.name, list(o.shape), o.type) for o in session.get_outputs()]
    expected = [("logits", [1, n_labels], "tensor(float)")]
    if found != expected:
        raise BundleError(f"expected {path} to give {expected}, found {found}; restore the bundle.")
