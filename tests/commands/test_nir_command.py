"""``spikebridge nir export`` and ``nir import``: files, words and refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from bundles import spiking_network, write_ordinary_bundle
from spikebridge.bundle import load_model
from spikebridge.commands.main import cli
from spikebridge.errors import InputError, SpikebridgeError, UsageError
from spikebridge.snn import load_network, save_network

nir: Any = pytest.importorskip("nir", reason="NIR NOT TESTED: the package nir is not installed")


def call(*arguments: object) -> str:
    result = CliRunner().invoke(cli, ["nir", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_shipped_bundle_comes_back_as_it_was(tmp_path: Path) -> None:
    said = call("export", "s2a4-stream", tmp_path / "a.nir")
    assert "2 spiking layers, 2×128×128 → 4×64×64 → 8×32×32, steps of 10 ms" in said
    assert "8×32×32" in call("import", tmp_path / "a.nir", tmp_path / "a.net")
    bundle = load_model("s2a4-stream")
    assert bundle.snn is not None
    found, expected = load_network(tmp_path / "a.net"), load_network(bundle.snn.path)
    assert [layer.neuron for layer in found.layers] == [layer.neuron for layer in expected.layers]
    for one, other in zip(found.layers, expected.layers, strict=True):
        np.testing.assert_array_equal(one.weight, other.weight)


def test_the_length_of_a_step_sets_the_time_constants(tmp_path: Path) -> None:
    save_network(spiking_network(current_decay=2048), tmp_path / "own.net")
    for step_us in (100, 1000):
        call("export", tmp_path / "own.net", tmp_path / "a.nir", "--step-us", step_us)
        graph = nir.read(str(tmp_path / "a.nir"), type_check=False)
        assert graph.nodes["neurons_0"].tau_syn.flat[0] == pytest.approx(2 * step_us * 1e-6)
        call("import", tmp_path / "a.nir", tmp_path / "a.net")
        assert load_network(tmp_path / "a.net").layers[0].neuron == spiking_network(current_decay=2048).layers[0].neuron
    with pytest.raises(InputError, match=r"node .neurons_0.: expected r to be 13\.3333, found 4"):
        call("import", tmp_path / "a.nir", tmp_path / "a.net", "--step-us", 300)


def _lif_graph(folder: Path) -> tuple[object, ...]:
    ones = np.ones(2)
    nodes = {
        "input": nir.Input({"input": np.array([3])}),
        "weights": nir.Linear(np.full((2, 3), 4.0)),
        "leaky": nir.LIF(tau=ones, r=ones, v_leak=ones, v_threshold=ones, v_reset=ones),
        "output": nir.Output({"output": np.array([2])}),
    }
    edges = [("input", "weights"), ("weights", "leaky"), ("leaky", "output")]
    nir.write(str(folder / "lif.nir"), nir.NIRGraph(nodes=nodes, edges=edges))
    return ("import", folder / "lif.nir", folder / "a.net")


def _no_spikes(folder: Path) -> tuple[object, ...]:
    return ("export", write_ordinary_bundle(folder / "plain"), folder / "a.nir")


def _no_folder(folder: Path) -> tuple[object, ...]:
    return ("export", "s2a4-stream", folder / "absent/a.nir")


def _no_graph(folder: Path) -> tuple[object, ...]:
    return ("import", folder / "absent.nir", folder / "a.net")


def _no_rights(_folder: Path) -> tuple[object, ...]:
    return ("export", "s2a4-stream", "/dev/full/a.nir")


@pytest.mark.parametrize(
    ("case", "kind", "words"),
    [
        (_lif_graph, InputError, r"lif.nir: .*node 'leaky': expected type to be .*, found LIF"),
        (_no_spikes, UsageError, "found plain without"),
        (_no_folder, UsageError, "absent for a.nir, found none"),
        (_no_rights, UsageError, "expected the folder /dev/full"),
        (_no_graph, InputError, "absent.nir: expected a NIR graph"),
        (lambda _: ("export", "no-such-model", "a.nir"), InputError, "no-such-model"),
        (lambda folder: ("export", folder / "none.net", folder / "a.nir"), InputError, "no such file"),
    ],
)
def test_a_mistake_is_one_sentence(
    tmp_path: Path, case: Callable[[Path], tuple[object, ...]], kind: type[SpikebridgeError], words: str
) -> None:
    with pytest.raises(kind, match=words) as raised:
        call(*case(tmp_path))
    assert str(raised.value).count("\n") == 0
    assert not (tmp_path / "a.net").exists()


def test_nothing_half_written_replaces_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.nir").write_text("precious")

    def full(path: str, graph: object) -> None:
        Path(path).write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(nir, "write", full)
    with pytest.raises(UsageError, match=r"expected to write .*a.nir, found: No space left on device"):
        call("export", "s2a4-stream", tmp_path / "a.nir")
    assert (tmp_path / "a.nir").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["a.nir"]
