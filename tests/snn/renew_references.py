"""Renews what Lava and SLAYER computed, as it is stored under data/; needs the environment of ``make lava``.

    .venv/bin/python tests/snn/renew_references.py [--networks]

For the bundles: runs what has no row yet, keeps the rest, drops networks that are no longer in models/.
--networks : also the random networks, all of them, some minutes.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import network_cases
from bundle_cases import Row, cases_of, net_of, read_store, run_on_lava, spiking_bundles, write_store
from comparison import cut, digest, digest_input, emulate, first_divergence
from random_networks import Case
from workers import missing, read_output, run_worker, write_case

from spikebridge.bundle import sha256

RECORDINGS = Path(os.environ.get("SPIKEBRIDGE_RECORDINGS") or Path(__file__).resolve().parents[3] / "shared/recordings")


def renew_bundle(bundle: str, cases: list[Case], folder: Path) -> list[Row]:
    """Runs the cases three ways; ends the program at the first divergence."""
    net = net_of(bundle)
    for number, case in enumerate(cases):
        write_case(Case(f"{number:03}", case.network, case.counts, case.graded), folder, net)
    failed = [] if missing("slayer") else run_worker("slayer", folder)
    rows = []
    for number, (case, run) in enumerate(run_on_lava(bundle, cases)):
        slayer = read_output(folder, f"{number:03}", "slayer")
        steps = len(slayer["spikes"]) if slayer else 0
        for name, expected, found in (
            ("the emulator", run, emulate(case)),
            ("SLAYER", cut(run, steps), slayer or cut(run, 0)),
        ):
            if divergence := first_divergence(expected, found):
                raise SystemExit(f"{bundle}, {case.name}: {name} differs from Lava: {divergence}")
        key = digest(slayer) if slayer else ""
        rows.append(Row(sha256(net), case.name, digest_input(case), digest(run), len(case.counts), key, steps))
    by_slayer = sum(row.slayer_steps for row in rows)
    print(
        f"{bundle}: {len(rows)} inputs, {sum(row.steps for row in rows)} steps by Lava, {by_slayer} by SLAYER", *failed
    )
    return rows


def main(networks: bool) -> None:
    for by in ("lava", "slayer"):
        if reason := missing(by):
            print(f"WITHOUT {by.upper()}: {reason}", file=sys.stderr)
            if by == "lava":
                raise SystemExit(1)
    if not RECORDINGS.is_dir():
        raise SystemExit(f"expected the real recordings in {RECORDINGS}, found none: the store stays as it is.")
    old, inputs = read_store()
    rows: list[Row] = []
    for bundle in spiking_bundles():
        known = [row for row in old if row.net == sha256(net_of(bundle)) and row.slayer]
        # A later simulator draws other gestures; those that are stored stay.
        kept = {row.name for row in known if row.input in inputs}
        cases = [case for case in cases_of(bundle, RECORDINGS) if case.name not in kept]
        digests = {digest_input(case): case for case in cases}
        rows += [row for row in known if row.name in kept or row.input in digests]
        new = [case for key, case in digests.items() if key not in {row.input for row in known}]
        inputs |= {digest_input(case): case.counts for case in new if case.name.startswith("simulated")}
        if new:
            with tempfile.TemporaryDirectory() as folder:
                rows += renew_bundle(bundle, new, Path(folder))
    write_store(rows, inputs)
    print(f"{len(rows)} inputs of {len(spiking_bundles())} bundles are stored")
    if networks:
        with tempfile.TemporaryDirectory() as folder:
            print(network_cases.renew(Path(folder)))


if __name__ == "__main__":
    main("--networks" in sys.argv[1:])
