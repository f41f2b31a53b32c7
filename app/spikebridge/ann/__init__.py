"""The ordinary layers: ``open_ann`` gives the stage for what ``--ann`` asks."""

from __future__ import annotations

from spikebridge.bundle import Bundle
from spikebridge.contracts import AnnStage
from spikebridge.errors import MissingError, UsageError


def open_ann(backend: str, bundle: Bundle) -> AnnStage:
    """``cpu``, ``cuda`` or ``tensorrt`` in this process.

    Raises MissingError when the provider that was asked for is not the one that runs; there is no fall-back.
    """
    if backend in ("cpu", "cuda", "tensorrt"):
        from spikebridge.ann.local import LocalAnn

        return LocalAnn(bundle.ann.path, bundle.ann.input_shape, len(bundle.decision.labels), backend)
    if backend.startswith("grpc://"):
        raise MissingError(
            f"expected a local ANN backend, found '{backend}': remote servers are not supported yet; use --ann cpu."
        )
    raise UsageError(f"expected --ann to be cpu, cuda, tensorrt or grpc://host:port/model, found '{backend}'.")
