"""The emulator against SLAYER's quantised blocks: networks that SLAYER draws and exports itself, and the random ones.

SLAYER does not model overflow: a run is compared up to the first state that 24 bits do not hold. Twenty networks of
each kind by default, N with SPIKEBRIDGE_SLAYER_NETWORKS=N.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from comparison import cut, emulate, first_divergence
from network_cases import N_CASES, comparable_with_slayer
from random_networks import Case, random_case
from workers import missing, read_output, require, run_worker, write_case

from spikebridge.snn import load_network

WANTED = int(os.environ.get("SPIKEBRIDGE_SLAYER_NETWORKS", "20"))


def exported_case(folder: Path, name: str) -> Case:
    with np.load(folder / f"{name}.npz") as stored:
        return Case(name, load_network(folder / f"{name}.net"), stored["counts"], bool(stored["graded"]))


@pytest.mark.timeout(1200)
def test_equal_to_slayer_running_here(tmp_path: Path, notes: list[str]) -> None:
    require("slayer", notes)
    drawn = [random_case(seed) for seed in range(min(WANTED, N_CASES))]
    cases = [case for case in drawn if comparable_with_slayer(case)]
    for case in cases:
        write_case(case, tmp_path)
    failed = run_worker("slayer", tmp_path, draw=WANTED)
    exported = [exported_case(tmp_path, f"s{seed:03}") for seed in range(WANTED)]
    steps, fired = 0, 0
    for case in (*exported, *cases):
        expected = read_output(tmp_path, case.name, "slayer")
        assert expected is not None, f"SLAYER gave nothing for network {case.name}: {failed}"
        length = len(expected["spikes"])
        assert first_divergence(expected, cut(emulate(case), length)) is None, f"network {case.name}"
        if case in exported:
            assert length == len(case.counts), f"a state of network {case.name} overflows"
            fired += int(expected["spikes"].sum())
        steps += length
    assert fired > 10 * WANTED
    notes.append(
        f"emulator = running SLAYER: {len(exported)} networks of its own and {len(cases)} random ones, {steps} steps "
        "before any overflow, none diverged"
    )
    compare_with_lava(exported, tmp_path, notes)


def compare_with_lava(exported: list[Case], folder: Path, notes: list[str]) -> None:
    """The third way, for the files that SLAYER exported: Lava reads them itself."""
    assert not missing("lava")
    apart = folder / "lava"
    apart.mkdir()
    for case in exported:
        write_case(case, apart, folder / f"{case.name}.net")
    failed, steps = run_worker("lava", apart), 0
    for case in exported:
        expected = read_output(apart, case.name)
        assert expected is not None, f"Lava gave nothing for network {case.name}: {failed}"
        assert first_divergence(expected, emulate(case)) is None, f"network {case.name}"
        steps += len(expected["spikes"])
    notes.append(f"emulator = running Lava: {len(exported)} networks exported by SLAYER, {steps} steps, none diverged")
