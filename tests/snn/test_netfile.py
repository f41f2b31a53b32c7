"""Files as lava-dl writes them, and each way to be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from random_networks import random_case

from spikebridge.errors import InputError
from spikebridge.snn import Conv, Dense, Network, Neuron, load_network, save_network

NEURON = Neuron(1229, 1024, 64)


def small() -> Network:
    rng = np.random.default_rng(1)
    return Network(
        (2, 8, 8),
        (
            Conv("layer 1 (conv)", 2 * rng.integers(-20, 20, (4, 2, 3, 3)), NEURON, None, (2, 2), (1, 1)),
            Dense("layer 3 (dense)", 2 * rng.integers(-20, 20, (5, 64)), NEURON, np.arange(5)),
        ),
    )


@pytest.mark.parametrize("seed", range(40))
def test_round_trip(seed: int, tmp_path: Path) -> None:
    network = random_case(seed).network
    save_network(network, tmp_path / "a.net")
    assert load_network(tmp_path / "a.net") == network


def test_reads_what_slayer_writes(tmp_path: Path) -> None:
    """SLAYER: float32 weights, flat or whole shapes, byte strings in an array of one, no bias without normalisation."""
    weight = np.full((4, 2, 3, 3), 2.0, np.float32)
    with h5py.File(tmp_path / "a.net", "w") as file:
        for n, (kind, fields) in enumerate(
            (
                ("input", {"shape": [2, 8, 8]}),
                ("conv", {"shape": [4, 4, 4], "weight": weight, "stride": [2, 2], "padding": [1, 1], "dilation": [1, 1],
                          "groups": 1, "inChannels": 2, "outChannels": 4, "kernelSize": [3, 3]}),
                ("flatten", {"shape": [64, 1, 1]}),
                ("dense", {"shape": [3], "weight": np.full((3, 64), -4.0, np.float32), "inFeatures": 64}),
            )
        ):  # fmt: skip
            group = file.create_group(f"layer/{n}")
            group.create_dataset("type", (1,), "S10", [kind.encode()])
            for field, value in fields.items():
                group.create_dataset(field, data=np.array(value))
            if kind in ("conv", "dense"):
                for field, value in zip(
                    ("type", "iDecay", "vDecay", "vThMant", "refDelay", "gradedSpike"),
                    ("CUBA", 1229, 1024, 64, 1, False),
                    strict=True,
                ):
                    group.create_dataset(f"neuron/{field}", data=value)
    network = load_network(tmp_path / "a.net")
    assert network.shapes == ((2, 8, 8), (4, 4, 4), (3, 1, 1))
    assert network.layers[0].neuron == NEURON
    assert network.layers[1].weight.tolist() == [[-4] * 64] * 3


def replace(field: str, value: Any) -> Callable[[Any], None]:
    def change(file: Any) -> None:
        del file[field]
        if value is not None:
            file.create_dataset(field, data=value)

    return change


WEIGHT = np.full((4, 2, 3, 3), 2)
BROKEN = {
    "unknown type": (replace("layer/1/type", [b"pool"]), "layer 1, type, input, conv, flatten or dense, 'pool'"),
    "average": (replace("layer/3/type", [b"average"]), "layer 3, 'average'"),
    "type missing": (replace("layer/1/type", None), "layer 1, dataset 'type', none"),
    "weight missing": (replace("layer/1/weight", None), "layer 1 (conv), dataset 'weight', none"),
    "shape missing": (replace("layer/1/shape", None), "dataset 'shape'"),
    "neuron missing": (replace("layer/1/neuron", None), "group 'neuron'"),
    "decay missing": (replace("layer/1/neuron/iDecay", None), "dataset 'neuron/iDecay'"),
    "other neuron": (replace("layer/1/neuron/type", b"SDNN"), "neuron/type, CUBA, 'SDNN'"),
    "graded spikes": (replace("layer/1/neuron/gradedSpike", True), "neuron/gradedSpike"),
    "current decay": (replace("layer/1/neuron/iDecay", 4097), "neuron/iDecay, in 1…4096, 4097"),
    "no current decay": (replace("layer/1/neuron/iDecay", 0), "neuron/iDecay, found 0"),
    "voltage decay": (replace("layer/1/neuron/vDecay", 4096), "neuron/vDecay, in 0…4095, 4096"),
    "threshold": (replace("layer/1/neuron/vThMant", 1 << 17), "neuron/vThMant, 131072"),
    "decay per channel": (replace("layer/1/neuron/iDecay", [5, 6]), "neuron/iDecay, one whole number, [5, 6]"),
    "weight too large": (replace("layer/1/weight", WEIGHT * 128), "weight, in -256…254 (8 bits), 256…256"),
    "weight odd": (replace("layer/1/weight", WEIGHT - np.arange(72).reshape(4, 2, 3, 3)), "weight, even, odd"),
    "weight fractional": (replace("layer/1/weight", WEIGHT + 0.5), "weight, whole numbers, 2.5"),
    "weight not a number": (replace("layer/1/weight", WEIGHT * np.nan), "weight, whole numbers, nan"),
    "weight flat": (replace("layer/1/weight", np.full(72, 2)), "weight, (O, I/groups, kh, kw), (72,)"),
    "weight for other input": (replace("layer/1/weight", np.full((4, 3, 3, 3), 2)), "2 input channels, 3"),
    "output shape": (replace("layer/1/shape", [4, 5, 4]), "shape, (4, 4, 4), (4, 5, 4)"),
    "kernel too large": (replace("layer/1/weight", np.full((4, 2, 11, 3), 2)), "kernel, at most 10, found 11"),
    "stride": (replace("layer/1/stride", [0, 1]), "stride, in 1…127, 0"),
    "groups": (replace("layer/1/groups", 3), "groups, a divisor of 4"),
    "bias shape": (replace("layer/3/bias", np.zeros(4)), "layer 3 (dense), bias, (5,), (4,)"),
    "bias range": (replace("layer/3/bias", np.full(5, 4096)), "bias, in -4096…4095, 4096"),
    "dense input": (replace("layer/3/weight", np.full((5, 63), 2)), "weight, 64 inputs, (5, 63)"),
    "input shape": (replace("layer/0/shape", [2, 8, 0]), "layer 0 (input), shape"),
    "layers missing": (replace("layer", None), "group 'layer'"),
    "layer number": (replace("layer/1", None), "layer 1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_refused_with_layer_field_expected_and_found(name: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.net"
    save_network(small(), path)
    change, words = BROKEN[name]
    with h5py.File(path, "a") as file:
        change(file)
    with pytest.raises(InputError) as caught:
        load_network(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    for word in words.split(", "):
        assert word.strip("()") in message or word in message, message


def test_delays_are_refused(tmp_path: Path) -> None:
    save_network(small(), tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net", "a") as file:
        file.create_dataset("layer/1/delay", data=np.array([0, 3]))
    with pytest.raises(InputError, match=r"layer 1 \(conv\): expected delay to be zero .* found up to 3"):
        load_network(tmp_path / "a.net")


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty", "cut"])
def test_what_is_not_hdf5_is_refused(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.net"
    if kind == "folder":
        path.mkdir()
    elif kind == "cut":
        save_network(small(), path)
        path.write_bytes(path.read_bytes()[:900])
    elif kind != "missing":
        path.write_text("" if kind == "empty" else "not a network")
    with pytest.raises(InputError, match="expected a spiking network"):
        load_network(path)


def test_without_input_layer_the_shape_must_be_given(tmp_path: Path) -> None:
    save_network(small(), tmp_path / "a.net")
    with h5py.File(tmp_path / "a.net", "a") as file:
        del file["layer/0"]
        for n in (1, 2, 3):
            file.move(f"layer/{n}", f"layer/{n - 1}")
    with pytest.raises(InputError, match="input layer"):
        load_network(tmp_path / "a.net")
    assert load_network(tmp_path / "a.net", input_shape=(2, 8, 8)) == small()
