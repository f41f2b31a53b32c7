"""The emulator's inner loops. Imported only when an emulator is built: numba takes its time.

All state lies in flat int32 arrays, layer after layer, channel last within a layer, each layer padded to whole blocks
of ``BLOCK`` neurons. A block sleeps while all its neurons rest exactly (no current, voltage, input or bias) and is
skipped: the cost of a step follows the activity, and nothing is approximated. Blocks that are awake are updated by
loops without branches that LLVM turns into vector code; hence the explicit int32 around every operation, without which
numba computes in int64 at half the width or less.
"""

from __future__ import annotations

import numba as nb
import numpy as np

BLOCK = 128

#: Columns of the ``plan`` table, one row a layer.
(
    BASE,  # first neuron of the layer in the state arrays
    SIZE,  # neurons, without padding
    CHANNELS,  # output channels
    GROUP_OUT,  # output channels of one group
    GROUP_IN,  # input channels of one group
    WIDTH,  # output width
    IN_CHANNELS,
    IN_WIDTH,
    KERNEL_H,
    KERNEL_W,
    WEIGHTS,  # start of the layer's weights
    ROWS,  # start of the row positions in ``starts``
    COLUMNS,  # the same for columns
    KEEP_U,  # 4096 - current decay
    KEEP_V,  # 4096 - voltage decay
    THRESHOLD,  # shifted
    INPUT_LEFT,  # shifts that bring the accumulated input into range
    INPUT_RIGHT,
    PLAN_COLUMNS,
) = range(19)

#: Columns of the ``counters`` table, one row a layer.
EVENTS, UPDATES, SPIKES, OVERFLOWS = range(4)

_i32 = np.int32
_LIMIT = np.int32((1 << 23) - 1)
_HALF = np.int32(1 << 23)
_FULL = np.int32(1 << 24)
#: The chip's accumulator has 21 bits and a sign after the alignment by 6 bits (Lava declares it as 16 bits before it).
_ACCUMULATOR = np.int32(1 << 15)


@nb.njit(nb.int32(nb.int32, nb.int32), inline="always", cache=True, nogil=True)
def _decay(state, keep):  # type: ignore[no-untyped-def]
    """``state * keep / 4096`` rounded toward zero; in two halves, so that no product leaves int32."""
    sign = _i32(state >> _i32(31))
    size = _i32(_i32(state ^ sign) - sign)
    high = _i32(_i32(size >> _i32(12)) * keep)
    low = _i32(_i32(_i32(size & _i32(4095)) * keep) >> _i32(12))
    return _i32(_i32(_i32(high + low) ^ sign) - sign)


@nb.njit(
    nb.int64(
        nb.int64[::1], nb.int64[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1],
        nb.uint8[::1], nb.int32[::1],
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _update(plan, counters, received, current, voltage, bias, awake, fired, spikes):  # type: ignore[no-untyped-def]
    """One time step of all neurons of a layer; their numbers within the layer go to ``spikes``, how many is returned.

    Arithmetic of Lava's ``PyLifModelBitAcc`` with its bit offset of the current's decay; the current wraps once at 24
    bits, the voltage is clipped.
    """
    keep_u, keep_v = _i32(plan[KEEP_U]), _i32(plan[KEEP_V])
    threshold = _i32(plan[THRESHOLD])
    left, right = _i32(plan[INPUT_LEFT]), _i32(plan[INPUT_RIGHT])
    base = plan[BASE]
    n_spikes = 0
    for block in range(base // BLOCK, (base + plan[SIZE] + BLOCK - 1) // BLOCK):
        if not awake[block]:
            continue
        first = block * BLOCK
        a_block = received[first : first + BLOCK]
        u_block = current[first : first + BLOCK]
        v_block = voltage[first : first + BLOCK]
        b_block = bias[first : first + BLOCK]
        alive = _i32(0)
        updates = _i32(0)
        overflows = _i32(0)
        n_fired = _i32(0)
        for i in range(BLOCK):
            a = _i32(_i32(a_block[i] << left) >> right)
            u = u_block[i]
            v = v_block[i]
            b = b_block[i]
            updates = _i32(updates + _i32(_i32(_i32(a | u) | _i32(v | b)) != _i32(0)))
            overflows = _i32(overflows + _i32((a >= _ACCUMULATOR) | (a < -_ACCUMULATOR)))
            u = _i32(_decay(u, keep_u) + _i32(a << _i32(6)))
            u = _i32(u - (_FULL if u > _HALF else _i32(0)) + (_FULL if u <= -_HALF else _i32(0)))
            v = _i32(_i32(_decay(v, keep_v) + u) + b)
            v = min(max(v, -_LIMIT), _LIMIT)
            spike = v > threshold
            v = _i32(0) if spike else v
            n_fired = _i32(n_fired + _i32(spike))
            fired[i] = spike
            a_block[i] = 0
            u_block[i] = u
            v_block[i] = v
            alive = _i32(alive | _i32(_i32(u | v) | b))
        awake[block] = alive != 0
        counters[UPDATES] += updates
        counters[OVERFLOWS] += overflows
        if n_fired:
            for i in range(BLOCK):
                if fired[i]:
                    spikes[n_spikes] = first - base + i
                    n_spikes += 1
    counters[SPIKES] += n_spikes
    return n_spikes


@nb.njit(
    nb.int64(
        nb.int64[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1], nb.int32[::1], nb.int32[:, ::1], nb.int64, nb.int64,
        nb.int64, nb.int32,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _deliver(plan, received, weights, awake, starts, pairs, channel, y, x, count):  # type: ignore[no-untyped-def]
    """Adds one input spike of value ``count`` to what the layer's neurons receive; returns the synapses touched."""
    n = plan[GROUP_OUT]
    channels, kernel_w = plan[CHANNELS], plan[KERNEL_W]
    group = channel // plan[GROUP_IN]
    stride = channels  # a kernel position holds all output channels; those of the group are adjacent
    kernel = plan[WEIGHTS] + (channel - group * plan[GROUP_IN]) * plan[KERNEL_H] * kernel_w * stride + group * n
    base = plan[BASE] + group * n
    touched = 0
    for row in range(starts[plan[ROWS] + y], starts[plan[ROWS] + y + 1]):
        kernel_row = kernel + pairs[row, 0] * kernel_w * stride
        output_row = pairs[row, 1] * plan[WIDTH]
        for column in range(starts[plan[COLUMNS] + x], starts[plan[COLUMNS] + x + 1]):
            w = kernel_row + pairs[column, 0] * stride
            target = base + (output_row + pairs[column, 1]) * channels
            for i in range(n):
                received[target + i] = _i32(received[target + i] + _i32(weights[w + i] * count))
            for block in range(target // BLOCK, (target + n - 1) // BLOCK + 1):
                awake[block] = 1
            touched += n
    return touched


@nb.njit(
    nb.int64(
        nb.uint64[::1], nb.int64, nb.int64, nb.boolean, nb.int64[:, ::1], nb.int64[:, ::1], nb.int32[::1],
        nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1], nb.int32[::1], nb.int32[::1], nb.int32[:, ::1],
        nb.int32[::1], nb.uint8[::1], nb.uint8[::1],
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def step(  # type: ignore[no-untyped-def]
    counts, in_height, in_width, graded, plan, counters, received, current, voltage, bias, awake, weights, starts,
    pairs, spikes, fired, output,
):  # fmt: skip
    """One time step of the network; writes the last layer's spikes (C', H', W') and returns the non-zero inputs.

    From the last layer to the first: what a layer fires now reaches the next one in the next step.

    counts : (C, H, W) uint8, padded with zeros and seen as words of eight. output : zeroed by the caller.
    """
    n_layers = plan.shape[0]
    for layer in range(n_layers - 1, -1, -1):
        n_spikes = _update(plan[layer], counters[layer], received, current, voltage, bias, awake, fired, spikes)
        channels, width = plan[layer, CHANNELS], plan[layer, WIDTH]
        if layer == n_layers - 1:
            plane = plan[layer, SIZE] // channels
            for i in range(n_spikes):
                place = spikes[i] // channels
                output[(spikes[i] - place * channels) * plane + place] = 1
            continue
        touched = 0
        for i in range(n_spikes):
            place = spikes[i] // channels
            y = place // width
            touched += _deliver(
                plan[layer + 1], received, weights, awake, starts, pairs, spikes[i] - place * channels, y,
                place - y * width, _i32(1),
            )  # fmt: skip
        counters[layer + 1, EVENTS] += touched
    n_events = 0
    touched = 0
    plane = in_height * in_width
    for word in range(counts.size):
        value = counts[word]
        place = word * 8
        while value:
            count = _i32(value & np.uint64(255))
            if count:
                n_events += 1
                channel = place // plane
                y = (place - channel * plane) // in_width
                touched += _deliver(
                    plan[0], received, weights, awake, starts, pairs, channel, y,
                    place - channel * plane - y * in_width, count if graded else _i32(1),
                )  # fmt: skip
            value = value >> np.uint64(8)
            place += 1
    counters[0, EVENTS] += touched
    return n_events
