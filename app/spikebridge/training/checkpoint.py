"""Training states on disk: arrays in one ``.npz`` without pickle, replaced in one rename."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from spikebridge.errors import InputError
from spikebridge.training.network import HybridNetwork, NetworkSpec


def save_checkpoint(
    path: Path, network: HybridNetwork, record: dict[str, Any], optimiser: torch.optim.Optimizer | None = None
) -> None:
    """Writes the network, ``record`` (plain numbers and texts) and the optimiser's state."""
    arrays = {f"network/{key}": value.detach().numpy() for key, value in network.state_dict().items()}
    if optimiser is not None:
        for index, state in optimiser.state_dict()["state"].items():
            arrays |= {f"optimiser/{index}/{key}": np.asarray(value) for key, value in state.items()}
    about = json.dumps({"spec": network.spec.record(), **record})
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, about=np.array(about), **arrays)
        temporary.rename(path)
    except OSError as error:
        raise InputError(
            f"expected to write the checkpoint {path}, found: {error.strerror}; free some space and resume."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def load_checkpoint(path: Path) -> tuple[HybridNetwork, dict[str, Any], dict[int, dict[str, Tensor]]]:
    """(network, record, optimiser's state by parameter)."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        record = json.loads(str(arrays.pop("about")))
        network = HybridNetwork(NetworkSpec.from_record(record.pop("spec")))
        network.load_state_dict({k.split("/", 1)[1]: _tensor(v) for k, v in arrays.items() if k.startswith("network/")})
    except FileNotFoundError:
        raise InputError(f"expected a checkpoint at {path}, found none; train a network first.") from None
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"expected a checkpoint at {path}, found: {error}; train again.") from error
    optimiser: dict[int, dict[str, Tensor]] = {}
    for key, value in arrays.items():
        if key.startswith("optimiser/"):
            _, index, name = key.split("/", 2)
            optimiser.setdefault(int(index), {})[name] = _tensor(value)
    return network, record, optimiser


def restore_optimiser(optimiser: torch.optim.Optimizer, state: dict[int, dict[str, Tensor]]) -> None:
    """Gives an optimiser of the same network its moments back."""
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def copy_state(network: nn.Module) -> dict[str, Tensor]:
    """A copy of all parameters and buffers."""
    return {key: value.detach().clone() for key, value in network.state_dict().items()}


def _tensor(array: np.ndarray[Any, Any]) -> Tensor:
    return torch.from_numpy(np.array(array))
