"""The network family, its training and its export to model bundles; PyTorch is imported here and in the study alone."""

from __future__ import annotations

from spikebridge.errors import MissingError


def require_torch() -> None:
    """Raises MissingError, which says how to get it, where PyTorch cannot be imported."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingError("expected torch for training, found none; run 'pip install spikebridge[train]'.") from error
