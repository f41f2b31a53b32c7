from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from random_networks import random_case

from spikebridge.errors import InputError
from spikebridge.snn.nir import load_nir, save_nir

nir = pytest.importorskip("nir", reason="NIR NOT TESTED: the package nir is not installed")


@pytest.mark.parametrize("seed", range(60))
def test_round_trip_is_exact(seed: int, tmp_path: Path) -> None:
    network = random_case(seed).network
    save_nir(network, tmp_path / "a.nir", step_s=0.01)
    assert load_nir(tmp_path / "a.nir", step_s=0.01) == network


def write(path: Path, neurons: object, edges: list[tuple[str, str]] | None = None) -> Path:
    nodes = {
        "input": nir.Input({"input": np.array([3])}),
        "weights": nir.Linear(np.full((2, 3), 4.0)),
        "neurons": neurons,
        "output": nir.Output({"output": np.array([2])}),
    }
    names = list(nodes)
    nir.write(str(path), nir.NIRGraph(nodes=nodes, edges=edges or list(pairwise(names))))
    return path


def cuba(**changes: np.ndarray) -> object:
    ones = np.ones(2)
    fields = {
        "tau_syn": ones * 4e-4,
        "tau_mem": ones * 4e-4,
        "r": ones * 4,
        "v_leak": ones * 0,
        "v_threshold": ones * 64,
    }
    return nir.CubaLIF(**{**fields, "v_reset": ones * 0, "w_in": ones * 4, **changes})


def test_a_graph_of_another_program(tmp_path: Path) -> None:
    network = load_nir(write(tmp_path / "a.nir", cuba()))
    assert network.shapes == ((3, 1, 1), (2, 1, 1))
    neuron = network.layers[0].neuron
    assert (neuron.current_decay, neuron.voltage_decay, neuron.threshold) == (1024, 1024, 64)


def test_unsupported_nodes_are_refused_by_name(tmp_path: Path) -> None:
    ones = np.ones(2)
    path = write(tmp_path / "a.nir", nir.LIF(tau=ones, r=ones, v_leak=ones, v_threshold=ones, v_reset=ones))
    with pytest.raises(InputError, match=r"node .neurons.: expected type to be .* found LIF"):
        load_nir(path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tau_mem": np.array([4e-4, 5e-4])}, "tau_mem to be the same for all neurons"),
        ({"v_reset": np.ones(2)}, "v_reset to be 0"),
        ({"r": np.ones(2)}, "r to be 4"),
        ({"v_threshold": np.full(2, 64.5)}, "v_threshold to be 64"),
    ],
)
def test_what_loihi_cannot_compute_is_refused(changes: dict[str, np.ndarray], words: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=words):
        load_nir(write(tmp_path / "a.nir", cuba(**changes)))


def test_not_a_graph(tmp_path: Path) -> None:
    (tmp_path / "a.nir").write_text("no")
    with pytest.raises(InputError, match="expected a NIR graph"):
        load_nir(tmp_path / "a.nir")
