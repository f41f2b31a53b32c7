"""States of a training on disk: arrays in one ``.npz`` without pickle, replaced whole."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spikebridge.errors import InputError
from spikebridge.files import make_folder, open_whole
from spikebridge.training.curves import Progress
from spikebridge.training.network import HybridNetwork, NetworkSpec
from spikebridge.training.plan import TrainingPlan

_Arrays: TypeAlias = dict[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class TrainingRecord:
    """How a network came about.

    progress : the report after which it was saved. persons, clips : of the set, those to validate on included. data :
    title of the set. processes : how many shared the work.
    """

    plan: TrainingPlan
    progress: Progress
    persons: int
    clips: int
    data: str
    processes: int = 1

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> TrainingRecord:
        """Of ``dataclasses.asdict`` as JSON, by this program or an older one."""
        return cls(
            plan=TrainingPlan.from_record(record["plan"]),
            progress=Progress(**record["progress"]),
            persons=record["persons"],
            clips=record["clips"],
            data=record.get("data", "clips"),
            processes=record.get("processes", 1),
        )


@dataclass(frozen=True, slots=True)
class Counters:
    """Where a training stands. stale : reports since the best one, whose score is ``best``. elapsed_s : see
    ``Progress``."""

    update: int
    stale: int
    best: float
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class TrainingState:
    """What a training needs to go on. average : running mean of the weights."""

    counters: Counters
    optimiser: torch.optim.Optimizer
    average: HybridNetwork


def save_checkpoint(
    path: Path, network: HybridNetwork, record: TrainingRecord, state: TrainingState | None = None
) -> None:
    """Writes the network and how it came about, and, with ``state``, what its training needs to go on."""
    about: dict[str, object] = {"spec": network.spec.record(), **asdict(record)}
    arrays: _Arrays = {f"network/{key}": _array(value) for key, value in network.state_dict().items()}
    if state is not None:
        about |= asdict(state.counters)
        arrays |= {f"average/{key}": _array(value) for key, value in state.average.state_dict().items()}
        for index, moments in state.optimiser.state_dict()["state"].items():
            arrays |= {f"optimiser/{index}/{key}": _array(value) for key, value in moments.items()}
    make_folder(path.parent)
    stored: dict[str, Any] = {"about": np.array(json.dumps(about)), **arrays}
    with open_whole(path, what="the checkpoint", fix="free some space and resume") as file:
        np.savez(file, **stored)


def load_checkpoint(path: Path) -> tuple[HybridNetwork, TrainingRecord]:
    """The network and how it came about; raises InputError for what is no checkpoint."""
    with _readable(path):
        about, arrays = _read(path)
        network = HybridNetwork(NetworkSpec.from_record(about["spec"]))
        network.load_state_dict(_below("network", arrays))
        return network, TrainingRecord.from_record(about)


def load_state(path: Path, optimiser: torch.optim.Optimizer, average: HybridNetwork) -> Counters:
    """Fills in ``optimiser``, of the same network, and ``average`` as they were saved; returns where that was."""
    with _readable(path):
        about, arrays = _read(path)
        average.load_state_dict(_below("average", arrays))
        moments: dict[int, dict[str, Tensor]] = {}
        for key, value in _below("optimiser", arrays).items():
            index, name = key.split("/", 1)
            moments.setdefault(int(index), {})[name] = value
        optimiser.load_state_dict({"state": moments, "param_groups": optimiser.state_dict()["param_groups"]})
        return Counters(about["update"], about["stale"], about["best"], about["elapsed_s"])


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"expected a checkpoint at {path}, found none; train a network first.") from None
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"expected a checkpoint at {path}, found: {error}; train again.") from error


def _read(path: Path) -> tuple[dict[str, Any], _Arrays]:
    # Opened here, since numpy leaves a file open that turns out to be no archive.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        arrays = {key: stored[key] for key in stored.files}
    return json.loads(str(arrays.pop("about"))), arrays


def _below(group: str, arrays: Mapping[str, NDArray[np.generic]]) -> dict[str, Tensor]:
    return {
        key.split("/", 1)[1]: torch.from_numpy(np.array(value))
        for key, value in arrays.items()
        if key.startswith(f"{group}/")
    }


def _array(value: Tensor | float) -> NDArray[np.generic]:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
