"""lava-dl's ``.net`` files: HDF5, one group ``layer/<n>`` for each block as SLAYER exports them.

Everything that lava-dl would ignore, truncate or crash on is refused here with the layer and field.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.snn.network import Conv, Dense, Layer, Network, Neuron, Pair, Shape, Weights, refuse, whole_numbers

KNOWN = "input, conv, flatten or dense"


@runtime_checkable
class _Dataset(Protocol):
    """What is used of h5py's."""

    shape: tuple[int, ...]

    def __getitem__(self, everything: tuple[()]) -> object: ...


@runtime_checkable
class _Group(Protocol):
    """What is used of h5py's groups and files."""

    def keys(self) -> Iterator[str]: ...

    def __iter__(self) -> Iterator[str]: ...

    def __len__(self) -> int: ...

    def __contains__(self, name: object) -> bool: ...

    def __getitem__(self, name: str) -> object: ...

    def get(self, name: str) -> object: ...

    def create_group(self, name: str) -> _Group: ...

    def create_dataset(self, name: str, shape: object = None, dtype: object = None, data: object = None) -> object: ...


def load_network(path: str | Path, input_shape: Shape | None = None) -> Network:
    """The spiking network in a ``.net`` file. ``input_shape`` (C, H, W) is needed only where the file has no input
    layer and starts with a convolution."""
    import h5py

    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            return _read_network(file, input_shape)
    except OSError as error:
        reason = "no such file" if not path.exists() else "a folder" if path.is_dir() else f"not HDF5 ({error})"
        raise InputError(f"{path}: expected a spiking network (HDF5 as lava-dl exports), found {reason}.") from error
    except InputError as error:
        raise type(error)(f"{path}: {error}") from error


def save_network(network: Network, path: str | Path) -> None:
    """Writes a file that lava-dl's ``netx.hdf5.Network`` and ``load_network`` read."""
    import h5py

    with h5py.File(path, "w") as file:
        group = file.create_group("layer/0")
        _describe(group, "input", network.input_shape)
        number, flat = 1, False
        for layer, before, after in zip(network.layers, network.shapes, network.shapes[1:], strict=False):
            if isinstance(layer, Dense) and not flat:
                _describe(file.create_group(f"layer/{number}"), "flatten", (int(np.prod(before)), 1, 1))
                number += 1
            _write_layer(file.create_group(f"layer/{number}"), layer, before, after)
            number += 1
            flat = isinstance(layer, Dense)


def _describe(group: _Group, kind: str, shape: tuple[int, ...]) -> None:
    group.create_dataset("type", (1,), "S10", [kind.encode()])
    group.create_dataset("shape", data=np.array(shape))


def _write_layer(group: _Group, layer: Layer, before: Shape, after: Shape) -> None:
    if isinstance(layer, Conv):
        _describe(group, "conv", after)
        group.create_dataset("inChannels", data=before[0])
        group.create_dataset("outChannels", data=layer.channels)
        group.create_dataset("kernelSize", data=layer.weight.shape[2:])
        for field in ("stride", "padding", "dilation", "groups"):
            group.create_dataset(field, data=getattr(layer, field))
    else:
        _describe(group, "dense", (layer.channels,))
        group.create_dataset("inFeatures", data=layer.weight.shape[1])
        group.create_dataset("outFeatures", data=layer.channels)
    group.create_dataset("weight", data=layer.weight.astype(np.float32))
    if layer.bias is not None:
        group.create_dataset("bias", data=layer.bias.astype(np.float32))
    for field, value in (
        ("type", "CUBA"),
        ("iDecay", layer.neuron.current_decay),
        ("vDecay", layer.neuron.voltage_decay),
        ("vThMant", layer.neuron.threshold),
        ("refDelay", 1),
        ("gradedSpike", False),
    ):
        group.create_dataset(f"neuron/{field}", data=value)


def _read_network(file: _Group, input_shape: Shape | None) -> Network:
    blocks = file.get("layer")
    if not isinstance(blocks, _Group):
        refuse("file", "group 'layer'", "there", f"only {', '.join(file) or 'nothing'}")
    if missing := [str(n) for n in range(len(blocks)) if str(n) not in blocks]:
        refuse("file", f"layers to be numbered 0…{len(blocks) - 1} and layer {missing[0]}", "there", "none")
    shape, layers = input_shape, []
    for number in range(len(blocks)):
        block = _Block(blocks[str(number)], f"layer {number}")
        if block.kind == "input":
            shape = _read_input(block, number, shape)
        elif block.kind in ("conv", "dense"):
            shape = shape or _implied_shape(block)
            layer = block.conv() if block.kind == "conv" else block.dense()
            after = layer.output_shape(shape)
            block.check_shape(after)
            layers.append((shape, layer))
            shape = after
        elif block.kind != "flatten":
            refuse(block.name, "type", KNOWN, f"'{block.kind}'")
    if not layers:
        refuse("file", "layers", "at least one conv or dense", "none")
    return Network(layers[0][0], tuple(layer for _, layer in layers))


def _read_input(block: _Block, number: int, given: Shape | None) -> Shape:
    if number:
        refuse(block.name, "type", "input only as the first layer", f"input as layer {number}")
    if "neuron" in block.group:
        refuse(block.name, "neuron", "absent (events enter as spikes)", "an input layer with neurons of its own")
    sizes = [int(n) for n in np.atleast_1d(block.array("shape"))]
    shape = tuple(sizes + [1] * (3 - len(sizes)))
    if len(shape) != 3 or min(shape) < 1:
        refuse(block.name, "shape", "up to three positive integers (C, H, W)", sizes)
    if given is not None and given != shape:
        refuse(block.name, "shape", f"the given {given}", shape)
    return (shape[0], shape[1], shape[2])


def _implied_shape(block: _Block) -> Shape:
    if block.kind == "conv":
        refuse(block.name, "an input layer", "before a convolution (or the input's shape to be given)", "none")
    return (int(block.array("weight").shape[-1]), 1, 1)


class _Block:
    """One ``layer/<n>`` group."""

    def __init__(self, group: object, name: str) -> None:
        if not isinstance(group, _Group):
            refuse(name, "the layer", "a group of datasets", "something else")
        self.group = group
        self.name = name
        self.kind = self.text("type")
        self.name = f"{name} ({self.kind})"

    def array(self, field: str) -> NDArray[np.generic]:
        """A dataset as numpy array."""
        dataset = self.group.get(field)
        if not isinstance(dataset, _Dataset):
            refuse(self.name, f"dataset '{field}'", "there", "none")
        return np.asarray(dataset[()])

    def text(self, field: str) -> str:
        value = self.array(field).reshape(-1)
        if value.size != 1 or not isinstance(value[0], bytes):
            refuse(self.name, field, "one byte string", f"{value[:1].tolist()} of type {value.dtype}")
        return bytes(value[0]).decode("ascii", "replace")

    def integer(self, field: str, default: int | None = None) -> int:
        if default is not None and field not in self.group:
            return default
        value = self.array(field)
        if value.size != 1 or value.dtype.kind not in "iufb" or value.reshape(-1)[0] != int(value.reshape(-1)[0]):
            refuse(self.name, field, "one whole number for the layer", f"{value.tolist()}")
        return int(value.reshape(-1)[0])

    def pair(self, field: str, default: int) -> Pair:
        value = np.atleast_1d(self.array(field)) if field in self.group else np.array([default])
        if value.size not in (1, 2) or value.dtype.kind not in "iu":
            refuse(self.name, field, "one or two integers (vertical, horizontal)", value.tolist())
        return (int(value.flat[0]), int(value.flat[-1]))

    def check_shape(self, expected: Shape) -> None:
        found = [int(n) for n in np.atleast_1d(self.array("shape"))]
        if [n for n in found if n != 1] != [n for n in expected if n != 1] or len(found) > 3:
            refuse(self.name, "shape", f"{expected} (from input, kernel, stride and padding)", tuple(found))

    def conv(self) -> Conv:
        weight = self._weight()
        if weight.ndim == 5 and weight.shape[4] == 1:
            weight = weight[..., 0]
        return Conv(
            *self._common(weight),
            stride=self.pair("stride", 1),
            padding=self.pair("padding", 0),
            dilation=self.pair("dilation", 1),
            groups=self.integer("groups", 1),
        )

    def dense(self) -> Dense:
        weight = self._weight()
        if weight.ndim == 1:
            outputs = int(np.prod([int(n) for n in np.atleast_1d(self.array("shape"))]))
            if outputs < 1 or weight.size % outputs:
                refuse(self.name, "weight", f"a multiple of {outputs} values", weight.size)
            weight = weight.reshape(outputs, -1)
        return Dense(*self._common(weight))

    def _weight(self) -> NDArray[np.generic]:
        if "weight" in self.group and isinstance(self.group["weight"], _Group):
            refuse(self.name, "weight", "real", "a complex synapse")
        return self.array("weight")

    def _common(self, weight: NDArray[np.generic]) -> tuple[str, Weights, Neuron, Weights | None]:
        if "delay" in self.group and np.any(self.array("delay") != 0):
            refuse(self.name, "delay", "zero (axonal delays are not supported)", f"up to {self.array('delay').max()}")
        bias = None
        if "bias" in self.group:
            bias = whole_numbers(self.name, "bias", self.array("bias").reshape(-1))
        return self.name, whole_numbers(self.name, "weight", weight), self._neuron(), bias

    def _neuron(self) -> Neuron:
        if "neuron" not in self.group:
            refuse(self.name, "group 'neuron'", "there", "none")
        if (kind := self.text("neuron/type")) not in ("CUBA", "LOIHI"):
            refuse(self.name, "neuron/type", "CUBA", f"'{kind}'")
        for field, wanted in (("refDelay", 1), ("gradedSpike", 0), ("weight_exp", 0), ("messageBits", 0)):
            if (found := self.integer(f"neuron/{field}", wanted)) != wanted:
                refuse(self.name, f"neuron/{field}", str(wanted), found)
        return Neuron(*(self.integer(f"neuron/{field}") for field in ("iDecay", "vDecay", "vThMant")))
