"""NIR, the exchange format of neuromorphic networks: export and import of the spiking layers.

NIR describes neurons in continuous time; the step that turns them into Loihi's integers is a parameter. With step dt

    du/4096 = dt / tau_syn      dv/4096 = dt / tau_mem      w_in = tau_syn / dt      r = tau_mem / dt

Euler steps of NIR's equations are Loihi's; weights, threshold and bias (``v_leak`` · dv/4096) stay in mantissa units.
Rounding gives back the integers, so a round trip is exact. What NIR cannot say is rounding, wrap, clip and delay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Protocol, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError, MissingError
from spikebridge.snn.network import Conv, Dense, Layer, Network, Neuron, Shape, refuse, whole_numbers

STEP_S = 1e-4
#: tau_mem of a neuron without leak, in steps: finite, so that r and v_leak are too, and rounded to no decay.
_NO_LEAK = float(1 << 40)
#: Types of nodes that are read, besides those that say what goes in and out.
_KNOWN = ("Conv2d", "Linear", "Affine", "Flatten", "CubaLIF")
#: What the library raises for a file that is not as it should be.
_BROKEN = (OSError, KeyError, ValueError, AssertionError, TypeError, AttributeError, IndexError, RuntimeError)
_Array: TypeAlias = NDArray[np.generic]


class _Graph(Protocol):
    """What is used of a ``NIRGraph``."""

    nodes: Mapping[str, object]
    edges: Sequence[tuple[str, str]]


class _Input(Protocol):
    input_type: Mapping[str, _Array]


class _Synapse(Protocol):
    """``Linear`` has the weight alone, ``Affine`` a bias as well, ``Conv2d`` all."""

    weight: _Array
    bias: _Array
    stride: int | Sequence[int]
    padding: int | Sequence[int] | str
    dilation: int | Sequence[int]
    groups: int


class _Neurons(Protocol):
    """``CubaLIF``."""

    tau_syn: _Array
    tau_mem: _Array
    r: _Array
    w_in: _Array
    v_leak: NDArray[np.float64]
    v_threshold: _Array
    v_reset: _Array | None


def _nir() -> ModuleType:
    try:
        import nir
    except ImportError as error:
        raise MissingError("NIR files need the package nir: pip install 'spikebridge[nir]'.") from error
    module: ModuleType = nir
    return module


def save_nir(network: Network, path: str | Path, step_s: float = STEP_S) -> None:
    """Writes ``network`` as a NIR graph whose time constants hold for steps of ``step_s``."""
    nir = _nir()
    nodes: dict[str, object] = {"input": nir.Input({"input": np.array(network.input_shape)})}
    flat = False
    for k, (layer, before, after) in enumerate(zip(network.layers, network.shapes, network.shapes[1:], strict=False)):
        if isinstance(layer, Conv):
            nodes[f"conv_{k}"] = nir.Conv2d(
                input_shape=before[1:], weight=layer.weight.astype(float), stride=layer.stride, padding=layer.padding,
                dilation=layer.dilation, groups=layer.groups, bias=np.zeros(layer.channels),
            )  # fmt: skip
            shape: tuple[int, ...] = after
        else:
            if not flat:
                nodes[f"flatten_{k}"] = nir.Flatten({"input": np.array(before)}, start_dim=0, end_dim=-1)
            nodes[f"linear_{k}"] = nir.Linear(layer.weight.astype(float))
            shape, flat = after[:1], True
        nodes[f"neurons_{k}"] = _export_neuron(nir, layer, shape, step_s)
    nodes["output"] = nir.Output({"output": np.array(shape)})
    names = list(nodes)
    # nir takes kernels for square when it checks shapes; ours are checked by Network.
    nir.write(str(path), nir.NIRGraph(nodes=nodes, edges=list(pairwise(names)), type_check=False))


def _export_neuron(nir: ModuleType, layer: Layer, shape: tuple[int, ...], step_s: float) -> object:
    neuron = layer.neuron
    syn_steps = 4096 / neuron.current_decay
    mem_steps = 4096 / neuron.voltage_decay if neuron.voltage_decay else _NO_LEAK
    bias = np.zeros(layer.channels) if layer.bias is None else layer.bias.astype(float)
    ones = np.ones(shape)
    return nir.CubaLIF(
        tau_syn=ones * syn_steps * step_s,
        tau_mem=ones * mem_steps * step_s,
        r=ones * mem_steps,
        v_leak=ones * bias.reshape(-1, *[1] * (len(shape) - 1)) * mem_steps,
        v_threshold=ones * neuron.threshold,
        v_reset=np.zeros(shape),
        w_in=ones * syn_steps,
    )


def load_nir(path: str | Path, step_s: float | None = STEP_S) -> Network:
    """Reads a NIR graph that is a chain of Conv2d, Flatten, Linear or Affine and CubaLIF with Loihi's integers in it;
    whatever else is refused by name. ``step_s``: length of a step; None: as its neurons tell it, ``tau_syn / w_in``."""
    nir = _nir()
    try:
        _check_types(path)
        graph = nir.read(str(path), type_check=False)
        return _import(graph, step_s)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except _BROKEN as error:
        found = str(error) or type(error).__name__
        raise InputError(f"{path}: expected a NIR graph, found: {found}; export it again.") from error


def _check_types(path: str | Path) -> None:
    """Refuses a node of unknown type by its name; the library would only say that there is one."""
    import h5py

    known = ("Input", "Output", *_KNOWN)
    with h5py.File(path, "r") as file:
        for name, node in file["node/nodes"].items():
            kind = node["type"][()] if "type" in node else b"none"
            kind = kind.decode("utf-8", "replace") if isinstance(kind, bytes) else kind
            if kind not in known:
                refuse(f"node '{name}'", "type", ", ".join(known), kind)


def _import(graph: _Graph, step_s: float | None) -> Network:
    chain = _chain(graph)
    if step_s is None:
        step_s = _step_s(chain)
    shape: Shape | None = None
    input_shape: Shape | None = None
    synapse: tuple[str, _Synapse] | None = None
    layers: list[Layer] = []
    for name, node in chain:
        kind = type(node).__name__
        if kind == "Input":
            sizes = [int(n) for n in cast(_Input, node).input_type["input"]]
            if len(sizes) not in (1, 3):
                refuse(f"node '{name}'", "shape", "(C, H, W) or (N,)", tuple(sizes))
            shape = input_shape = (sizes[0], 1, 1) if len(sizes) == 1 else (sizes[0], sizes[1], sizes[2])
        elif kind in ("Conv2d", "Linear", "Affine") and synapse is None:
            synapse = (name, cast(_Synapse, node))
        elif kind == "CubaLIF" and synapse is not None and shape is not None:
            layers.append(_layer(*synapse, name, cast(_Neurons, node), step_s))
            shape, synapse = layers[-1].output_shape(shape), None
        elif kind not in ("Flatten", "Output") or synapse is not None:
            refuse(f"node '{name}'", "type", "Conv2d, Linear or Affine with a CubaLIF behind each, or Flatten", kind)
    if input_shape is None:
        refuse("graph", "an Input node", "first", chain[0][0] if chain else "nothing")
    return Network(input_shape, tuple(layers))


def _chain(graph: _Graph) -> list[tuple[str, object]]:
    following: dict[str, str] = {}
    for source, target in graph.edges:
        if source in following or target in following.values():
            refuse(f"node '{source}'", "edges", "a chain", f"a branch or loop to '{target}'")
        following[source] = target
    starts = [name for name in graph.nodes if name not in following.values()]
    if len(starts) != 1:
        refuse("graph", "one first node", "there", ", ".join(starts) or "a loop")
    names = starts
    while names[-1] in following:
        names.append(following[names[-1]])
    return [(name, graph.nodes[name]) for name in names]


def _step_s(chain: list[tuple[str, object]]) -> float:
    name, node = next(((name, node) for name, node in chain if type(node).__name__ == "CubaLIF"), ("", None))
    if node is None:
        refuse("graph", "a CubaLIF node", "there", ", ".join(type(node).__name__ for _, node in chain) or "nothing")
    where, neurons = f"node '{name}'", cast(_Neurons, node)
    tau_syn, w_in = _uniform(where, "tau_syn", neurons.tau_syn), _uniform(where, "w_in", neurons.w_in)
    if not (tau_syn > 0 and w_in > 0):
        refuse(where, "tau_syn and w_in", "above 0", f"{tau_syn:g} and {w_in:g}")
    return tau_syn / w_in


def _layer(name: str, synapse: _Synapse, neurons_name: str, neurons: _Neurons, step_s: float) -> Layer:
    where = f"node '{neurons_name}'"
    tau_syn, tau_mem, threshold, r, w_in = (
        _uniform(where, field, getattr(neurons, field)) for field in ("tau_syn", "tau_mem", "v_threshold", "r", "w_in")
    )
    if neurons.v_reset is not None:
        _close(where, "v_reset", _uniform(where, "v_reset", neurons.v_reset), 0.0)
    _close(where, "r", r, tau_mem / step_s)
    _close(where, "w_in", w_in, tau_syn / step_s)
    neuron = Neuron(round(4096 * step_s / tau_syn), round(4096 * step_s / tau_mem), round(threshold))
    _close(where, "v_threshold", threshold, neuron.threshold)
    bias = _bias(where, neurons, synapse.weight.shape[0], step_s / tau_mem)
    where = f"node '{name}'"
    if np.any(getattr(synapse, "bias", 0) != 0):
        refuse(where, "bias", "zero (Loihi's bias is v_leak's)", np.asarray(synapse.bias).tolist())
    common = (name, whole_numbers(name, "weight", synapse.weight), neuron, bias if bias.any() else None)
    if type(synapse).__name__ in ("Linear", "Affine"):
        return Dense(*common)
    if isinstance(synapse.padding, str):
        refuse(where, "padding", "numbers", f"'{synapse.padding}'")
    pairs = (np.broadcast_to(np.asarray(getattr(synapse, f)), 2) for f in ("stride", "padding", "dilation"))
    stride, padding, dilation = ((int(a), int(b)) for a, b in pairs)
    return Conv(*common, stride=stride, padding=padding, dilation=dilation, groups=int(synapse.groups))


def _bias(where: str, neurons: _Neurons, channels: int, part: float) -> NDArray[np.int32]:
    """(channels,) from ``v_leak``, which the specification allows to be one number for all neurons, too.

    part : of ``v_leak`` that a step adds.
    """
    leak = np.asarray(neurons.v_leak, float)
    if leak.size == 1:
        leak = np.full(channels, leak.flat[0])
    if leak.shape[0] != channels:
        refuse(where, "parameters", f"one, or one for each of the {channels} channels", f"of shape {leak.shape}")
    leak = leak.reshape(channels, -1) * part
    bias = np.round(leak[:, :1])
    if not np.allclose(leak, bias, atol=1e-6) or np.any(np.abs(bias) > np.iinfo(np.int32).max):
        refuse(where, "v_leak", "a whole bias for each channel", leak.flat[0])
    return bias[:, 0].astype(np.int32)


def _uniform(where: str, field: str, values: _Array) -> float:
    array = np.asarray(values, float)
    if not array.size or not np.all(array == array.flat[0]):
        found = f"{array.min()}…{array.max()}" if array.size else "nothing"
        refuse(where, field, "the same for all neurons of a layer", found)
    return float(array.flat[0])


def _close(where: str, field: str, found: float, expected: float) -> None:
    if not np.isclose(found, expected, rtol=1e-6):
        refuse(where, field, f"{expected:g}", f"{found:g}")
