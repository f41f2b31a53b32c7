from __future__ import annotations

import contextlib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from random_networks import random_case

from spikebridge.errors import InputError
from spikebridge.snn.network import Conv
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


def change(path: Path, parameters: Callable[[float], object]) -> Path:
    """Sets each parameter of the neurons to what ``parameters`` makes of its first value."""
    with h5py.File(path, "r+") as file:
        node = file["node/nodes/neurons"]
        for name in [name for name in node if name != "type"]:
            first = float(np.ravel(node[name][()])[0])
            del node[name]
            node[name] = parameters(first)
    return path


@pytest.mark.parametrize("v_leak", [0.0, 12.0])  # 12 · 1024 / 4096 is a bias of 3
@pytest.mark.parametrize("parameters", [np.float32, np.float64, lambda v: np.array([v]), lambda v: np.array([[v]])])
def test_one_number_counts_for_all_neurons(
    tmp_path: Path, parameters: Callable[[float], object], v_leak: float
) -> None:
    graph = cuba(v_leak=np.full(2, v_leak))
    whole = load_nir(write(tmp_path / "a.nir", graph))
    assert load_nir(change(write(tmp_path / "b.nir", graph), parameters)) == whole
    bias = whole.layers[0].bias
    assert (bias is None) if v_leak == 0 else bias.tolist() == [3, 3]  # type: ignore[union-attr]


@pytest.mark.parametrize("shape", [(1,), (4,), (4, 1, 1), (4, 2, 3)])
def test_one_number_for_a_convolution(tmp_path: Path, shape: tuple[int, ...]) -> None:
    def neurons(v: float) -> np.ndarray:
        return np.full(shape, v)

    cuba_lif = nir.CubaLIF(*(neurons(v) for v in (4e-4, 4e-4, 4, 8, 64, 0)), w_in=neurons(4))
    nodes = {
        "input": nir.Input(np.array([2, 4, 5])),
        "weights": nir.Conv2d((4, 5), np.full((4, 2, 3, 3), 2.0), 1, 0, 1, 1, np.zeros(4)),
        "neurons": cuba_lif,
        "output": nir.Output(np.array([4, 2, 3])),
    }
    nir.write(str(tmp_path / "a.nir"), nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    (layer,) = load_nir(tmp_path / "a.nir").layers
    assert isinstance(layer, Conv)
    assert layer.bias is not None
    assert layer.bias.tolist() == [2] * 4


@pytest.mark.parametrize("shape", [(3,), (3, 2), (0,)])
def test_parameters_for_other_neurons_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = change(write(tmp_path / "a.nir", cuba()), lambda v: np.full(shape, v))
    with pytest.raises(InputError, match=r"node 'neurons': expected .*(2 channels|the same for all)"):
        load_nir(path)


def affine(path: Path, bias: object) -> Path:
    nodes = {
        "input": nir.Input(np.array([3])),
        "weights": nir.Affine(np.full((2, 3), 4.0), bias),
        "neurons": cuba(),
        "output": nir.Output(np.array([2])),
    }
    nir.write(str(path), nir.NIRGraph(nodes, list(pairwise(nodes)), type_check=False))
    return path


def test_an_affine_node_without_bias_is_a_linear_one(tmp_path: Path) -> None:
    linear = load_nir(write(tmp_path / "a.nir", cuba()))
    for bias in (np.zeros(2), np.zeros(1), np.float32(0)):
        assert load_nir(affine(tmp_path / "b.nir", bias)) == linear
    with pytest.raises(InputError, match=r"node 'weights': expected bias to be zero"):
        load_nir(affine(tmp_path / "b.nir", np.array([0.0, 1.0])))


@pytest.mark.parametrize(("kind", "found"), [(b"Izhikevich9", "Izhikevich9"), (7, "7"), (b"\xff", "�"), (None, "none")])
def test_a_node_of_unknown_type_is_named(tmp_path: Path, kind: object, found: str) -> None:
    path = write(tmp_path / "a.nir", cuba())
    with h5py.File(path, "r+") as file:
        del file["node/nodes/neurons/type"]
        if kind is not None:
            file["node/nodes/neurons/type"] = kind
    with pytest.raises(InputError, match=rf"node 'neurons': expected type to be Input, .*, found {found}"):
        load_nir(path)


@pytest.mark.parametrize(
    "lost",
    ["node", "node/nodes", "node/edges", "node/nodes/neurons/r", "node/nodes/weights/weight", "node/nodes/input"],
)
def test_a_graph_without_one_of_its_parts_is_refused(tmp_path: Path, lost: str) -> None:
    path = write(tmp_path / "a.nir", cuba())
    with h5py.File(path, "r+") as file:
        del file[lost]
    with pytest.raises(InputError, match="expected"):
        load_nir(path)


@pytest.mark.parametrize("part", ["weights/weight", "neurons/tau_mem", "neurons/v_leak", "input/shape"])
@pytest.mark.parametrize("value", ["text", np.nan, np.inf, -1.0, np.zeros((0, 3)), np.full((2, 3), 1e300), np.zeros(2)])
def test_nonsense_in_a_graph_is_refused_or_read(tmp_path: Path, part: str, value: object) -> None:
    path = write(tmp_path / "a.nir", cuba())
    with h5py.File(path, "r+") as file:
        del file[f"node/nodes/{part}"]
        file[f"node/nodes/{part}"] = value
    with contextlib.suppress(InputError):
        load_nir(path)


def test_damaged_files_are_refused_or_read(tmp_path: Path) -> None:
    content = write(tmp_path / "a.nir", cuba()).read_bytes()
    random = np.random.default_rng(5)
    n_refused = 0
    for _ in range(150):
        damaged = bytearray(content[: int(random.choice([len(content), random.integers(0, len(content))]))])
        for at in random.integers(0, max(1, len(damaged)), 3):
            damaged[at : at + 1] = random.bytes(1)
        (tmp_path / "b.nir").write_bytes(damaged)
        try:
            load_nir(tmp_path / "b.nir")
        except InputError:
            n_refused += 1
    assert n_refused > 50
