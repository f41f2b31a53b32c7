"""The emulator against SLAYER's quantised blocks, through the files that they export."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from test_against_lava import LAVA_PYTHON

from spikebridge.snn import Emulator, load_network

WANTED = int(os.environ.get("SPIKEBRIDGE_SLAYER_NETWORKS", "20"))


@pytest.mark.timeout(400)
def test_equal_to_slayer_running_here(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    if not LAVA_PYTHON.exists():
        reason = f"NOT COMPARED WITH SLAYER: no interpreter at {LAVA_PYTHON}, SPIKEBRIDGE_LAVA_PYTHON can name one"
        pytestconfig.get_terminal_writer().line(f"\n{reason}", yellow=True)
        pytest.skip(reason)
    script = Path(__file__).with_name("slayer_reference.py")
    subprocess.run([LAVA_PYTHON, script, tmp_path, str(WANTED)], check=True, timeout=300, capture_output=True)
    fired = 0
    for seed in range(WANTED):
        with np.load(tmp_path / f"{seed:03}.npz") as stored:
            counts, expected = stored["counts"], stored["spikes"]
        emulator = Emulator(load_network(tmp_path / f"{seed:03}.net"))
        for t, (step, wanted) in enumerate(zip(counts, expected, strict=True)):
            found = emulator.step(step)
            assert np.array_equal(found, wanted), f"network {seed}, step {t}, neuron {np.argwhere(found != wanted)[0]}"
            fired += int(found.sum())
        assert not any(layer.overflows for layer in emulator.activity().layers)
    assert fired > 10 * WANTED
