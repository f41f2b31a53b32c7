"""Training states on disk: arrays in one ``.npz`` without pickle, replaced in one rename."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikebridge.errors import InputError
from spikebridge.files import open_whole
from spikebridge.training.network import HybridNetwork, NetworkSpec


def save_checkpoint(
    path: Path,
    network: HybridNetwork,
    record: dict[str, Any],
    optimiser: torch.optim.Optimizer | None = None,
    average: HybridNetwork | None = None,
) -> None:
    """Writes the network, ``record`` (plain numbers and texts), and what a training needs to go on."""
    arrays: dict[str, Any] = {f"network/{key}": _array(value) for key, value in network.state_dict().items()}
    if average is not None:
        arrays |= {f"average/{key}": _array(value) for key, value in average.state_dict().items()}
    if optimiser is not None:
        for index, state in optimiser.state_dict()["state"].items():
            arrays |= {f"optimiser/{index}/{key}": _array(value) for key, value in state.items()}
    about = json.dumps({"spec": network.spec.record(), **record})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"expected a folder at {path.parent}, found: {error.strerror}; choose another.") from error
    with open_whole(path, what="the checkpoint", fix="free some space and resume") as file:
        np.savez(file, about=np.array(about), **arrays)


def load_checkpoint(path: Path) -> tuple[HybridNetwork, dict[str, Any], dict[int, dict[str, Tensor]]]:
    """(network, record, optimiser's state by parameter)."""
    with _named(path):
        arrays = _read(path)
        record = json.loads(str(arrays.pop("about")))
        network = HybridNetwork(NetworkSpec.from_record(record.pop("spec")))
        network.load_state_dict(_below("network", arrays))
    optimiser: dict[int, dict[str, Tensor]] = {}
    for key, value in _below("optimiser", arrays).items():
        index, name = key.split("/", 1)
        optimiser.setdefault(int(index), {})[name] = value
    return network, record, optimiser


def load_average(path: Path, average: HybridNetwork) -> None:
    """Fills in the running mean that was saved beside the network."""
    with _named(path):
        average.load_state_dict(_below("average", _read(path)))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"expected a checkpoint at {path}, found none; train a network first.") from None
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"expected a checkpoint at {path}, found: {error}; train again.") from error


def _read(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}


def _below(group: str, arrays: dict[str, NDArray[Any]]) -> dict[str, Tensor]:
    return {
        key.split("/", 1)[1]: torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(f"{group}/")
    }


def _array(value: Any) -> NDArray[Any]:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)


def restore_optimiser(optimiser: torch.optim.Optimizer, state: dict[int, dict[str, Tensor]]) -> None:
    """Gives an optimiser of the same network its moments back."""
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
