"""Every bundle's network three ways: emulator, Lava and SLAYER, on synthetic, simulated and real input.

Against the stored output of the very same .net file always; against a running Lava where there is one: the first two
inputs, and whatever has no stored output; all inputs with SPIKEBRIDGE_LAVA_NETWORKS=all, on SLAYER too.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bundle_cases import RENEW, cases_of, net_of, run_on_lava, spiking_bundles, stored_cases
from comparison import cut, digest, divergence_from_digest, emulate, first_divergence
from random_networks import Case
from workers import read_output, require, run_worker, write_case

from spikebridge.bundle import sha256

ALL = os.environ.get("SPIKEBRIDGE_LAVA_NETWORKS") == "all"
BRIEF = 2


@pytest.fixture
def real(request: pytest.FixtureRequest) -> Path | None:
    """The real recordings, or None where they are missing; the end of the run says so."""
    try:
        folder: Path = request.getfixturevalue("recordings")
    except pytest.skip.Exception:
        return None
    return folder


def test_there_are_bundles() -> None:
    assert spiking_bundles()


@pytest.mark.parametrize("bundle", spiking_bundles())
def test_equal_to_the_stored_output(bundle: str, real: Path | None, notes: list[str]) -> None:
    pairs, absent = stored_cases(bundle, sha256(net_of(bundle)), real)
    if absent:
        note = f"NOT COMPARED WITH STORED LAVA: {bundle}, its network is new or its input changed; run {RENEW}"
        notes.append(f"{note} ({len(absent)} inputs: {', '.join(absent)})")
    if not pairs:
        pytest.skip(note)
    for case, row in pairs:
        found = emulate(case)
        assert divergence_from_digest(case, row.lava, found) is None, case.name
        if row.slayer_steps:
            assert digest(cut(found, row.slayer_steps)) == row.slayer, f"{case.name} differs from SLAYER's run"
    rows = [row for _, row in pairs]
    gestures = [sum(row.name.startswith(kind) for row in rows) for kind in ("simulated", "real")]
    notes.append(
        f"emulator = Lava's stored output: {bundle}, {len(rows)} inputs ({gestures[0]} simulated, {gestures[1]} real "
        f"gestures), {sum(row.steps for row in rows)} steps; SLAYER's: {sum(row.slayer_steps for row in rows)} steps"
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bundle", spiking_bundles())
def test_equal_to_lava_running_here(bundle: str, real: Path | None, notes: list[str]) -> None:
    require("lava", notes)
    cases = cases_of(bundle, real)
    if not ALL:
        _, absent = stored_cases(bundle, sha256(net_of(bundle)), real)
        wanted = {case.name for case in cases[:BRIEF]} | set(absent)
        cases = [case for case in cases if case.name in wanted or ("simulated" in absent and "simulated" in case.name)]
    steps = 0
    for case, expected in run_on_lava(bundle, cases):
        assert first_divergence(expected, emulate(case)) is None, case.name
        steps += len(case.counts)
    notes.append(f"emulator = running Lava: {bundle}, {len(cases)} inputs, {steps} steps, none diverged")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("bundle", spiking_bundles())
def test_equal_to_slayer_running_here(bundle: str, real: Path | None, tmp_path: Path, notes: list[str]) -> None:
    require("slayer", notes)
    chosen = cases_of(bundle, real)[: None if ALL else BRIEF]
    cases = [Case(f"{number:03}", case.network, case.counts, True) for number, case in enumerate(chosen)]
    for case in cases:
        write_case(case, tmp_path, net_of(bundle))
    failed, steps = run_worker("slayer", tmp_path), 0
    for case, named in zip(cases, chosen, strict=True):
        expected = read_output(tmp_path, case.name, "slayer")
        assert expected is not None, f"SLAYER gave nothing for {named.name}: {failed}"
        length = len(expected["spikes"])
        assert first_divergence(expected, cut(emulate(case), length)) is None, named.name
        steps += length
    notes.append(f"emulator = running SLAYER: {bundle}, {len(cases)} inputs, {steps} steps before any overflow")
