"""Words on what a run met: the chip's accumulator."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from bundles import spiking_network, write_ordinary_bundle, write_spiking_bundle
from small_recordings import write_aedat31
from spikebridge.commands.main import cli
from spikebridge.events import make_events
from spikebridge.snn import Conv, Network


def _burst(path: Path) -> str:
    """200 events of one pixel within the first step, then a single one in each of 29 steps."""
    t = np.concatenate([np.arange(200), np.arange(1, 30) * 10_000 + 1])
    place = np.zeros(t.size, int)
    return str(write_aedat31(path, make_events(t, place, place, place + 1)))


def _run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["run", *arguments, "--speed", "max", "--headless"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(("max_count", "times"), [(255, 1), (129, 0), (1, 0)])
def test_an_exceeded_accumulator_is_said_with_layer_and_number(tmp_path: Path, max_count: int, times: int) -> None:
    """200 · 254 does not fit 15 bits and sign before the alignment, 129 · 254 does."""
    bundle = str(write_spiking_bundle(tmp_path / "b", spiking_network(weight=254), max_count=max_count))
    clip = _burst(tmp_path / "clip.aedat")
    summary = json.loads(_run(clip, "--model", bundle, "--json").splitlines()[-1])["summary"]
    assert summary["overflows"] == {"layer 1 (conv)": times}
    assert len(summary["notes"]) == times
    text = _run(clip, "--model", bundle)
    assert ("accumulator of 21 bits" in text) == bool(times)
    if times:
        assert "found more (layer 1 (conv): 1× in 30 steps); a Loihi would wrap around there" in text
        assert f"note         {summary['notes'][0]}" in text


def test_each_layer_is_named(tmp_path: Path) -> None:
    """A wide second layer exceeds what 200 synapses of 254 from the first add up to."""
    from spikebridge.snn import Emulator
    from spikebridge.snn.network import Neuron

    fan_in = Network(
        (2, 8, 8),
        (
            Conv("1", np.full((8, 2, 1, 1), 254), Neuron(4096, 1024, 1), None, (1, 1), (0, 0)),
            Conv("2", np.full((2, 8, 5, 5), 254), Neuron(4096, 1024, 1), None, (1, 1), (2, 2)),
        ),
    )
    emulator = Emulator(fan_in)
    for _ in range(3):
        emulator.step(np.ones((2, 8, 8), np.uint8))
    first, second = emulator.activity().layers
    assert first.overflows == 0
    assert second.overflows is not None
    assert second.overflows > 0


def test_without_spiking_layers_there_is_nothing_to_exceed(tmp_path: Path) -> None:
    bundle = str(write_ordinary_bundle(tmp_path / "b", size=128))
    summary = json.loads(_run(_burst(tmp_path / "clip.aedat"), "--model", bundle, "--json").splitlines()[-1])["summary"]
    assert (summary["overflows"], summary["notes"]) == ({}, [])
