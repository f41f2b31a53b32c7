"""The ordinary part as an ONNX graph, its normalisation in the weights; the only file that imports onnx."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spikebridge.contracts import LABELS
from spikebridge.errors import InputError, MissingError
from spikebridge.training.network import NetworkSpec, OrdinaryPart, SpikeCounter

#: Old enough for the runtimes of JetPack 5, new enough for everything used here.
_OPSET = 13
_IR_VERSION = 8


def write_onnx(part: OrdinaryPart | SpikeCounter, spec: NetworkSpec, path: Path) -> None:
    """Writes the graph: input ``features`` (1, C·T/I, h, w) uint8, output ``logits`` (1, n_labels) float32."""
    _require_onnx()
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes = [helper.make_node("Cast", ["features"], ["x0"], to=TensorProto.FLOAT)]
    initializers = []

    def constant(name: str, values: NDArray[np.float32]) -> str:
        initializers.append(numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name))
        return name

    current, flat = 0, False
    layers = _folded(part) if isinstance(part, OrdinaryPart) else [_counting(part)]
    for index, (weight, bias) in enumerate(layers):
        source, target = f"x{current}", f"x{current + 1}"
        inputs = [source, constant(f"w{current}", weight), constant(f"b{current}", bias)]
        last = index == len(layers) - 1
        if weight.ndim == 4:
            nodes.append(
                helper.make_node("Conv", inputs, [target], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
            )
        else:
            if not flat:
                nodes.append(helper.make_node("Flatten", [source], [f"{source}_flat"], axis=1))
                inputs[0], flat = f"{source}_flat", True
            nodes.append(helper.make_node("Gemm", inputs, ["logits" if last else target], transB=1))
        current += 1
        if not last:
            nodes.append(helper.make_node("Relu", [target], [f"x{current + 1}"]))
            current += 1
    graph = helper.make_graph(
        nodes,
        spec.name,
        [helper.make_tensor_value_info("features", TensorProto.UINT8, [1, *spec.features_shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, len(LABELS)])],
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="spikebridge")
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def run_onnx(path: Path, features: NDArray[np.uint8]) -> NDArray[np.float32]:
    """(N, n_labels) logits of (N, C·T/I, h, w) uint8 features, one by one, as the program runs the graph."""
    from spikebridge.ann.local import LocalAnn

    ann = LocalAnn(path, tuple(features.shape[1:]), len(LABELS))
    return np.stack([ann.classify(one) for one in features])


def read_onnx(path: Path) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """(weight, bias) of each layer of a graph as ``write_onnx`` makes it, from input to logits."""
    _require_onnx()
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    stored = {entry.name: numpy_helper.to_array(entry).copy() for entry in graph.initializer}
    layers = [node for node in graph.node if node.op_type in ("Conv", "Gemm")]
    if not layers or any(len(node.input) != 3 or not set(node.input[1:]) <= set(stored) for node in layers):
        raise InputError(f"expected layers with weight and bias in {path}, found others; take the checkpoint instead.")
    return [(stored[node.input[1]], stored[node.input[2]]) for node in layers]


def _require_onnx() -> None:
    try:
        import onnx  # noqa: F401
    except ImportError as error:
        raise MissingError("expected onnx for bundles, found none; run 'pip install spikebridge[train]'.") from error


def _folded(part: OrdinaryPart) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """(weight, bias) of each layer; the scale of the counts is in the first one's weights."""
    folded = []
    convolutions = list(part.convolutions)
    for conv, norm in zip(convolutions[::3], convolutions[1::3], strict=True):
        folded.append(_fold(conv, norm))
    hidden, norm, last = (part.head[i] for i in (2, 3, 6))
    folded.append(_fold(hidden, norm))
    folded.append((last.weight.detach().numpy(), last.bias.detach().numpy()))
    weight, bias = folded[0]
    folded[0] = (weight * np.float32(part.scale), bias)
    return folded


def _counting(part: SpikeCounter) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The counts of each class over all intervals as a dense layer; nothing in it is learnt but its gain."""
    weight = np.kron(np.eye(len(LABELS), dtype=np.float32), np.ones((1, part.intervals), np.float32))
    return weight * np.float32(part.gain.item()), np.zeros(len(LABELS), np.float32)


def _fold(layer: nn.Module, norm: nn.Module) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weight and bias of a layer without bias followed by batch normalisation."""
    with torch.no_grad():
        scale = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
        weight = layer.weight.double() * scale.reshape(-1, *[1] * (layer.weight.ndim - 1))
        bias = norm.bias.double() - norm.running_mean.double() * scale
    return weight.float().numpy(), bias.float().numpy()
