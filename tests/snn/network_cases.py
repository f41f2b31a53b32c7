"""The random networks' store: what Lava and SLAYER computed for each.

data/network_reference.npz: ``rows``, one for each network (see ``Row``), and for every tenth network Lava's full run
under ``<seed>/<name>``, so that the proof does not hang on the plain reference alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from comparison import Run, cut, digest, digest_case, first_divergence
from random_networks import Case, random_case
from reference import keeps_its_weights
from workers import missing, read_output, run_worker, write_case

STORE = Path(__file__).parent / "data" / "network_reference.npz"
N_CASES = 240
FULL_EVERY = 10


class Row(NamedTuple):
    """Seed, digests of the case, of Lava's run and of SLAYER's, and how many steps SLAYER's run has."""

    seed: int
    case: str
    lava: str
    slayer: str
    slayer_steps: int


def comparable_with_slayer(case: Case) -> bool:
    """SLAYER does not know of the bits that Lava drops from some dense layers."""
    return all(map(keeps_its_weights, case.network.layers))


def read_store() -> tuple[list[Row], dict[int, Run]]:
    """The rows, and full runs by seed."""
    full: dict[int, Run] = {}
    with np.load(STORE) as store:
        for name in store.files:
            seed, slash, array = name.partition("/")
            if slash:
                full.setdefault(int(seed), {})[array] = store[name].astype(np.int64)
        rows = [Row(int(row[0]), *row[1:4], int(row[4])) for row in store["rows"].tolist()]
    return rows, full


def renew(folder: Path) -> str:
    """Runs all networks on Lava and SLAYER and writes the store; one sentence of what was done."""
    for seed in range(N_CASES):
        write_case(random_case(seed), folder)
    failed = run_worker("lava", folder)
    failed += [] if missing("slayer") else run_worker("slayer", folder)
    rows, arrays = [], {}
    for seed in range(N_CASES):
        case = random_case(seed)
        if (run := read_output(folder, case.name)) is None:
            continue
        slayer = read_output(folder, case.name, "slayer") if comparable_with_slayer(case) else None
        steps = len(slayer["spikes"]) if slayer else 0
        if slayer and (divergence := first_divergence(cut(run, steps), slayer)):
            raise SystemExit(f"network {seed}: SLAYER differs from Lava: {divergence}")
        rows.append(Row(seed, digest_case(case), digest(run), digest(slayer) if slayer else "", steps))
        if seed % FULL_EVERY == 0:
            arrays |= {f"{seed}/{name}": value.astype(np.int32) for name, value in run.items()}
    if len(rows) < 200:
        raise SystemExit(f"expected Lava's output of at least 200 networks, got {len(rows)}: {failed}")
    np.savez_compressed(STORE, rows=np.array(rows), **arrays)
    by_slayer = sum(bool(row.slayer_steps) for row in rows)
    return f"{len(rows)} networks by Lava, {by_slayer} by SLAYER, in {STORE.name}; {failed or 'none failed'}"
