"""Small model bundles that tests write themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import tomli_w
from onnx import TensorProto, helper, numpy_helper

from spikebridge.bundle import sha256, tomllib
from spikebridge.contracts import LABELS
from spikebridge.snn import Conv, Network, Neuron, save_network


def write_linear_onnx(path: Path, weights: np.ndarray) -> None:
    """logits = weights · features; weights : (11, C, h, w)."""
    n, *shape = weights.shape
    matrix = weights.reshape(n, -1).T.astype(np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["features"], ["f"], to=TensorProto.FLOAT),
            helper.make_node("Flatten", ["f"], ["flat"], axis=1),
            helper.make_node("MatMul", ["flat", "w"], ["logits"]),
        ],
        "linear",
        [helper.make_tensor_value_info("features", TensorProto.UINT8, [1, *shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, n])],
        [numpy_helper.from_array(matrix, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.save(model, path)


def write_ordinary_bundle(folder: Path, *, size: int = 8, steps: int = 4, interval: int = 2, **decision) -> Path:
    """A bundle without spiking layers; label k's logit counts the events in column k of the image's right half."""
    folder.mkdir(parents=True, exist_ok=True)
    channels = 2 * steps // interval
    weights = np.zeros((len(LABELS), channels, size, size), np.float32)
    for label in range(min(size, len(LABELS))):
        weights[label, :, :, label] = 1
    write_linear_onnx(folder / "ann.onnx", weights)
    contract = {
        "format": 1,
        "title": "test",
        "input": {"width": size, "height": size, "step_us": 10_000, "max_count": 1, "fit": "center"},
        "accumulator": {"window_steps": steps, "interval_steps": interval, "hop_steps": 1},
        "ann": {
            "file": "ann.onnx",
            "sha256": sha256(folder / "ann.onnx"),
            "input_shape": [channels, size, size],
        },
        "decision": {
            "labels": list(LABELS),
            "smoothing_us": 0,
            "threshold": 0.5,
            "temperature": 1.0,
            **decision,
        },
    }
    (folder / "model.toml").write_bytes(tomli_w.dumps(contract).encode())
    return folder


def spiking_network(weight: int = 64, size: int = 8, current_decay: int = 2048) -> Network:
    """One convolution that keeps the shape: a neuron hears its own pixel and polarity alone."""
    weights = np.zeros((2, 2, 1, 1), int)
    weights[0, 0] = weights[1, 1] = weight
    return Network((2, size, size), (Conv("1", weights, Neuron(current_decay, 1024, 64), None, (1, 1), (0, 0)),))


def write_spiking_bundle(folder: Path, network: Network, *, max_count: int = 1, **settings) -> Path:
    """``write_ordinary_bundle`` with spiking layers that keep the shape (2, size, size) before it."""
    write_ordinary_bundle(folder, size=network.input_shape[1], **settings)
    save_network(network, folder / "snn.net")
    contract = tomllib.loads((folder / "model.toml").read_text())
    contract["input"]["max_count"] = max_count
    contract["snn"] = {
        "file": "snn.net",
        "sha256": sha256(folder / "snn.net"),
        "layers": len(network.layers),
        "delay_steps": len(network.layers),
        "output_shape": list(network.output_shape),
    }
    (folder / "model.toml").write_bytes(tomli_w.dumps(contract).encode())
    return folder
