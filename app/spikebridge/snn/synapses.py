"""Synaptic arithmetic that Lava adds to the weights of a network file; shared by emulator, mapping and tests."""

from __future__ import annotations

import numpy as np

from spikebridge.snn.network import Conv, Layer, Shape, Weights


def stored_weights(layer: Layer) -> tuple[Weights, int]:
    """Weights as the synapse holds them, shaped as the layer's, and the right shift of their sum.

    lava-dl stores a dense layer's weights shifted left as far as 8 bits allow and shifts the accumulated sum back.
    That is exact but in one case: in a layer without positive weights the lowest may come to stand at -256, and the
    synapse clips magnitudes to 255. The shift is 0 wherever it can be divided out.
    """
    weight = layer.weight
    low, high = int(weight.min()), int(weight.max())
    if isinstance(layer, Conv) or high > 0 or low == 0:
        return weight, 0
    with_sign = high == 0
    room = (128 if with_sign else 256) / -low
    shift = int(np.floor(np.log2(room))) + with_sign
    trailing = min(_trailing_zeros(weight), 8)
    truncated = shift + trailing - with_sign
    magnitude = np.minimum(-weight.astype(np.int64) << shift, 255) >> truncated << truncated
    if not (magnitude % (1 << shift)).any():
        return (-(magnitude >> shift)).astype(np.int32), 0
    return (-magnitude).astype(np.int32), shift


def fan_out(layer: Layer, input_shape: Shape) -> Weights:
    """Synapses that one input spike touches: (H, W) int32, the same for each input channel."""
    output_shape = layer.output_shape(input_shape)
    if not isinstance(layer, Conv):
        return np.full(input_shape[1:], layer.channels, np.int32)
    reached = [len_per_position(layer, axis, input_shape[1 + axis], output_shape[1 + axis]) for axis in (0, 1)]
    return (np.outer(reached[0], reached[1]) * (layer.channels // layer.groups)).astype(np.int32)


def len_per_position(layer: Conv, axis: int, size: int, outputs: int) -> Weights:
    """Outputs along one axis that see each of ``size`` input positions."""
    return np.diff(taps(layer, axis, size, outputs)[0]).astype(np.int32)


def taps(layer: Layer, axis: int, size: int, outputs: int) -> tuple[Weights, Weights]:
    """Which outputs an input position reaches along one axis, and through which kernel row or column.

    Returns ``starts`` (size + 1,) and ``pairs`` (n, 2): position p reaches ``pairs[starts[p]:starts[p + 1]]``, each a
    kernel index and an output index.
    """
    if not isinstance(layer, Conv):
        return np.arange(size + 1, dtype=np.int32), np.stack([np.arange(size), np.zeros(size)], 1).astype(np.int32)
    starts, pairs = [0], []
    for position in range(size):
        for k in range(layer.weight.shape[2 + axis]):
            output, rest = divmod(position + layer.padding[axis] - k * layer.dilation[axis], layer.stride[axis])
            if rest == 0 and 0 <= output < outputs:
                pairs.append((k, output))
        starts.append(len(pairs))
    return np.array(starts, np.int32), np.array(pairs, np.int32).reshape(-1, 2)


def _trailing_zeros(weight: Weights) -> int:
    merged = int(np.bitwise_or.reduce(np.abs(weight), axis=None))
    return (merged & -merged).bit_length() - 1
