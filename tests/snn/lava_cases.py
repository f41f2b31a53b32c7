"""The random networks as files for ``lava_reference.py``, and the store of what Lava computed for them.

    PYTHONPATH=app:tests/snn python tests/snn/lava_cases.py FOLDER

renews data/lava_reference.npz from FOLDER/*.out.npz.

The store holds digests for each case (of the case itself and of Lava's spikes, currents and voltages) and the full
arrays for every tenth, so that a difference can be located without Lava.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from random_networks import Case, random_case

from spikebridge.snn import save_network
from spikebridge.snn.network import Conv

STORE = Path(__file__).parent / "data" / "lava_reference.npz"
N_CASES = 240
FULL_EVERY = 10


def write_case(case: Case, folder: Path) -> None:
    save_network(case.network, folder / f"{case.seed:03}.net")
    np.savez(folder / f"{case.seed:03}.npz", counts=case.counts, graded=case.graded)


def read_output(folder: Path, seed: int) -> dict[str, NDArray[np.int64]] | None:
    path = folder / f"{seed:03}.out.npz"
    if not path.exists():
        return None
    with np.load(path) as stored:
        return {name: stored[name].astype(np.int64) for name in stored.files}


def digest(arrays: dict[str, NDArray[np.int64]]) -> str:
    """Of names, shapes and values."""
    state = hashlib.blake2b(digest_size=16)
    for name in sorted(arrays):
        state.update(f"{name}{arrays[name].shape}".encode())
        state.update(arrays[name].astype("<i8").tobytes())
    return state.hexdigest()


def digest_case(case: Case) -> str:
    arrays = {"counts": case.counts.astype(np.int64), "graded": np.array([case.graded], np.int64)}
    for k, layer in enumerate(case.network.layers):
        neuron = layer.neuron
        arrays[f"weight{k}"] = layer.weight.astype(np.int64)
        arrays[f"bias{k}"] = np.zeros(layer.channels, np.int64) if layer.bias is None else layer.bias.astype(np.int64)
        arrays[f"neuron{k}"] = np.array([neuron.current_decay, neuron.voltage_decay, neuron.threshold])
        if isinstance(layer, Conv):
            arrays[f"geometry{k}"] = np.array([*layer.stride, *layer.padding, *layer.dilation, layer.groups])
    return digest(arrays)


def renew(folder: Path) -> int:
    arrays: dict[str, NDArray[np.generic]] = {}
    rows = []
    for seed in range(N_CASES):
        if (output := read_output(folder, seed)) is None:
            continue
        rows.append((f"{seed}", digest_case(random_case(seed)), digest(output)))
        if seed % FULL_EVERY == 0:
            arrays |= {f"{seed}/{name}": value.astype(np.int32) for name, value in output.items()}
    if len(rows) < 200:
        raise SystemExit(f"expected at least 200 outputs in {folder}, found {len(rows)}: the store stays as it is")
    STORE.parent.mkdir(exist_ok=True)
    np.savez_compressed(STORE, digests=np.array(rows), **arrays)
    return len(rows)


if __name__ == "__main__":
    print(f"{renew(Path(sys.argv[1]))} cases stored in {STORE}, {STORE.stat().st_size // 1024} KiB")
