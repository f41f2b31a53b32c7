"""The emulator against Lava on random networks: spikes, currents and voltages of each step.

Against Lava's and SLAYER's stored output always; against a running Lava where there is one: four networks by default,
N of them with SPIKEBRIDGE_LAVA_NETWORKS=N (``all`` for all 240, some minutes). SPIKEBRIDGE_LAVA_PYTHON names Lava's
interpreter.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from comparison import cut, digest, digest_case, divergence_from_digest, emulate, first_divergence
from network_cases import FULL_EVERY, N_CASES, comparable_with_slayer, read_store
from random_networks import random_case
from workers import read_output, require, run_worker, write_case

WANTED = os.environ.get("SPIKEBRIDGE_LAVA_NETWORKS", "4")
RENEW = ".venv/bin/python tests/snn/renew_references.py --networks"


def test_equal_to_the_stored_output(notes: list[str]) -> None:
    rows, full = read_store()
    assert len(rows) >= 200
    assert len(full) >= len(rows) // FULL_EVERY - 1
    steps = 0
    for row in rows:
        case = random_case(row.seed)
        assert digest_case(case) == row.case, f"network {row.seed} is drawn differently: {RENEW}"
        found = emulate(case)
        if row.seed in full:
            assert first_divergence(full[row.seed], found) is None, f"network {row.seed}"
        assert divergence_from_digest(case, row.lava, found) is None, f"network {row.seed}"
        if row.slayer_steps:
            assert digest(cut(found, row.slayer_steps)) == row.slayer, f"network {row.seed} differs from SLAYER's run"
        steps += len(found["spikes"])
    by_slayer = [row.slayer_steps for row in rows if row.slayer_steps]
    notes.append(
        f"emulator = Lava's stored output: {len(rows)} random networks, {steps} steps; SLAYER's: {len(by_slayer)} "
        f"networks, {sum(by_slayer)} steps before any overflow"
    )


@pytest.mark.timeout(1800)
def test_equal_to_lava_running_here(tmp_path: Path, notes: list[str]) -> None:
    require("lava", notes)
    cases = [random_case(seed) for seed in range(N_CASES if WANTED == "all" else int(WANTED))]
    for case in cases:
        write_case(case, tmp_path)
    failed, compared, steps = run_worker("lava", tmp_path), 0, 0
    for case in cases:
        if (expected := read_output(tmp_path, case.name)) is None:
            continue
        assert first_divergence(expected, emulate(case)) is None, f"network {case.name}"
        compared, steps = compared + 1, steps + len(expected["spikes"])
    notes.append(f"emulator = running Lava: {compared} random networks, {steps} steps, none diverged")
    assert compared == len(cases), f"Lava gave nothing for {len(cases) - compared} networks: {failed}"


def test_most_networks_are_comparable_with_slayer() -> None:
    assert sum(comparable_with_slayer(random_case(seed)) for seed in range(N_CASES)) > 0.8 * N_CASES
