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
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic

BLOCK_BITS = 7
BLOCK = 1 << BLOCK_BITS
#: Of the vectors that spikes add: two registers where those have 128 bits.
LANES = 8

#: Columns of the ``plan`` table, one row a layer.
(
    BASE,  # first neuron of the layer in the state arrays
    SIZE,  # neurons, without padding
    GROUP_OUT,  # output channels of one group
    GROUP_IN,  # input channels of one group
    IN_CHANNELS,
    IN_WIDTH,
    KERNEL,  # weights of one input channel
    WEIGHTS,  # start of the layer's weights
    ROWS,  # start of the row positions in ``starts``
    COLUMNS,  # the same for columns
    KEEP_U,  # 4096 - current decay
    KEEP_V,  # 4096 - voltage decay
    THRESHOLD,  # shifted
    INPUT_LEFT,  # shifts that bring the accumulated input into range, 0 where it cannot leave it
    INPUT_RIGHT,
    PLAN_COLUMNS,
) = range(16)

#: Columns of the ``counters`` table, one row a layer.
EVENTS, UPDATES, SPIKES, OVERFLOWS = range(4)

_i32 = np.int32
_u64 = np.uint64
_V_MAX = np.int32((1 << 23) - 1)
_V_MIN = np.int32(1 - (1 << 23))
_U_MAX = np.int32(1 << 23)
_U_MIN = np.int32(-(1 << 23))
_FULL = np.int32(1 << 24)
#: The chip's accumulator has 21 bits and a sign after the alignment by 6 bits (Lava declares it as 16 bits before it).
_ACCUMULATOR = np.int32(1 << 15)


@nb.njit(inline="always")
def _decay(state, keep):  # type: ignore[no-untyped-def]
    """``state * keep / 4096`` rounded toward zero; in two halves, so that no product leaves int32."""
    toward_zero = _i32(_i32(state >> _i32(31)) & _i32(4095))
    high = _i32(_i32(state >> _i32(12)) * keep)
    low = _i32(_i32(state & _i32(4095)) * keep)
    return _i32(high + _i32(_i32(low + toward_zero) >> _i32(12)))


@nb.njit(inline="always")
def _quotient(value, divisor):  # type: ignore[no-untyped-def]
    """Unsigned division: half the time of the signed one of 64 bits."""
    return _u64(np.uint32(value) // np.uint32(divisor))


@intrinsic
def _trailing_zeros(_context, word):  # type: ignore[no-untyped-def]
    """Of a uint64 that is not 0."""

    def generate(context, builder, _signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], context.get_constant(types.boolean, 1))

    return types.uint64(types.uint64), generate


@intrinsic
def _add_vector(_context, to, t, by, w, value):  # type: ignore[no-untyped-def]
    """``to[t : t + LANES] += by[w : w + LANES] * value`` in one vector operation: LLVM finds none in a loop over pieces
    this short, and puts a test for overlapping arrays before each."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        lanes = ir.VectorType(ir.IntType(32), LANES)

        def place(k):  # type: ignore[no-untyped-def]
            array = context.make_array(signature.args[k])(context, builder, arguments[k])
            return builder.bitcast(builder.gep(array.data, [arguments[k + 1]]), lanes.as_pointer())

        target, source = place(0), place(2)  # type: ignore[no-untyped-call]
        zero = ir.Constant(ir.IntType(32), 0)
        one = builder.insert_element(ir.Constant(lanes, ir.Undefined), arguments[4], zero)
        factor = builder.shuffle_vector(one, one, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))
        product = builder.mul(builder.load(source, align=4), factor)
        builder.store(builder.add(builder.load(target, align=4), product), target, align=4)
        return context.get_dummy_value()

    return types.void(to, types.uint64, by, types.uint64, types.int32), generate


@nb.njit(
    nb.int64(
        nb.int64[::1], nb.int64[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1],
        nb.uint64[::1], nb.int32[::1],
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
    flags = fired.view(np.uint8)
    for block in range(base >> BLOCK_BITS, (base + plan[SIZE] + BLOCK - 1) >> BLOCK_BITS):
        if not awake[block]:
            continue
        first = _u64(block * BLOCK)
        if left | right:
            for i in range(first, first + _u64(BLOCK)):
                received[i] = _i32(_i32(received[i] << left) >> right)
        alive = _i32(0)
        updates = _i32(0)
        beyond = _i32(0)
        for i in range(_u64(BLOCK)):
            a = received[first + i]
            u = current[first + i]
            v = voltage[first + i]
            b = bias[first + i]
            updates = _i32(updates + _i32(_i32(_i32(a | u) | _i32(v | b)) != _i32(0)))
            beyond = _i32(beyond | _i32(_i32(a + _ACCUMULATOR) >> _i32(16)))
            u = _i32(_decay(u, keep_u) + _i32(a << _i32(6)))
            u = _i32(u - _FULL) if u > _U_MAX else _i32(u + _FULL) if u <= _U_MIN else u
            v = _i32(_i32(_decay(v, keep_v) + u) + b)
            v = min(max(v, _V_MIN), _V_MAX)
            spike = v > threshold
            v = _i32(0) if spike else v
            flags[i] = spike
            current[first + i] = u
            voltage[first + i] = v
            alive = _i32(alive | _i32(_i32(u | v) | b))
        awake[block] = alive != 0
        counters[UPDATES] += updates
        if beyond:
            for i in range(first, first + _u64(BLOCK)):
                counters[OVERFLOWS] += (received[i] >= _ACCUMULATOR) | (received[i] < -_ACCUMULATOR)
        for i in range(first, first + _u64(BLOCK)):
            received[i] = 0
        for index in range(_u64(BLOCK // 8)):
            word = fired[index]
            while word:
                place = (index << _u64(3)) + (_trailing_zeros(word) >> _u64(3))  # type: ignore[call-arg]
                spikes[n_spikes] = np.int64(first + place) - base
                n_spikes += 1
                word &= word - _u64(1)
    counters[SPIKES] += n_spikes
    return n_spikes


@nb.njit(inline="always")
def _add(to, t, by, w, n, value):  # type: ignore[no-untyped-def]
    """``to[t : t + n] += by[w : w + n] * value``; unsigned indices spare numba's test for negative ones."""
    whole = n & ~np.uint64(LANES - 1)
    for i in range(np.uint64(0), whole, np.uint64(LANES)):
        _add_vector(to, t + i, by, w + i, value)  # type: ignore[call-arg]
    for i in range(whole, whole + (n & np.uint64(LANES - 1))):
        to[t + i] = _i32(to[t + i] + _i32(by[w + i] * value))


@nb.njit(
    nb.int64(
        nb.int64[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1],
        nb.int32[::1], nb.int64,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _deliver(plan, received, weights, awake, starts, runs, spikes, values, n_spikes):  # type: ignore[no-untyped-def]
    """Adds the weights of ``spikes`` (numbers of inputs, channel last) times ``values`` to what the neurons receive.

    For each row it reaches, a spike adds runs of weights to runs of neurons (see ``layout``). Returns the
    synapses touched.
    """
    in_channels, in_width = _u64(plan[IN_CHANNELS]), _u64(plan[IN_WIDTH])
    group_in, group_out, kernel = _u64(plan[GROUP_IN]), _u64(plan[GROUP_OUT]), _u64(plan[KERNEL])
    base, rows, columns = _u64(plan[BASE]), _u64(plan[ROWS]), _u64(plan[COLUMNS])
    first_weight = _u64(plan[WEIGHTS])
    one, shift = _u64(1), _u64(BLOCK_BITS)
    touched = _u64(0)
    for k in range(_u64(n_spikes)):
        value = values[k]
        place = _quotient(spikes[k], in_channels)
        channel = _u64(spikes[k]) - place * in_channels
        y = _quotient(place, in_width)
        column = columns + place - y * in_width
        source = first_weight + channel * kernel
        target = base
        if group_in != in_channels:
            target += _quotient(channel, group_in) * group_out
        run_first, run_last = _u64(starts[column]), _u64(starts[column + one])
        for row in range(_u64(starts[rows + y]), _u64(starts[rows + y + one])):
            w_row = source + _u64(runs[_u64(4) * row])
            t_row = target + _u64(runs[_u64(4) * row + one])
            for run in range(run_first, run_last):
                w = w_row + _u64(runs[_u64(4) * run])
                t = t_row + _u64(runs[_u64(4) * run + one])
                n = _u64(runs[_u64(4) * run + _u64(2)])
                touched += _u64(runs[_u64(4) * run + _u64(3)])
                _add(received, t, weights, w, n, value)
                end = (t + n - one) >> shift
                awake[t >> shift] = 1
                awake[end] = 1
                for block in range((t >> shift) + one, end):
                    awake[block] = 1
    return np.int64(touched)


@nb.njit(nb.int64(nb.uint64[::1], nb.int64, nb.int64, nb.boolean, nb.int32[::1], nb.int32[::1]), cache=True, nogil=True)
def _events(counts, channels, plane, graded, spikes, values):  # type: ignore[no-untyped-def]
    """The non-zero counts, channel last: their numbers, their values and how many there are."""
    n = _u64(0)
    for index in range(_u64(counts.size)):
        word = counts[index]
        while word:
            shift = _trailing_zeros(word) & _u64(56)  # type: ignore[call-arg]
            place = (index << _u64(3)) + (shift >> _u64(3))
            channel = _quotient(place, _u64(plane))
            spikes[n] = (place - channel * _u64(plane)) * _u64(channels) + channel
            values[n] = _i32((word >> shift) & _u64(255)) if graded else _i32(1)
            n += _u64(1)
            word &= ~(_u64(255) << shift)
    return np.int64(n)


@nb.njit(
    nb.int64(
        nb.uint64[::1], nb.int64, nb.boolean, nb.int64[:, ::1], nb.int64[:, ::1], nb.int32[::1], nb.int32[::1],
        nb.int32[::1], nb.int32[::1], nb.uint8[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1],
        nb.int32[::1], nb.uint64[::1], nb.int64, nb.uint8[::1],
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def step(  # type: ignore[no-untyped-def]
    counts, in_plane, graded, plan, counters, received, current, voltage, bias, awake, weights, starts, runs, spikes,
    values, fired, out_channels, output,
):  # fmt: skip
    """One time step of the network; writes the last layer's spikes (C', H', W') and returns the non-zero inputs.

    From the last layer to the first: what a layer fires now reaches the next one in the next step.

    counts : (C, H, W) uint8, padded with zeros and seen as words of eight. output : zeroed by the caller.
    """
    last = plan.shape[0] - 1
    ones = values[spikes.size :]
    for layer in range(last, -1, -1):
        n_spikes = _update(plan[layer], counters[layer], received, current, voltage, bias, awake, fired, spikes)
        if layer < last:
            counters[layer + 1, EVENTS] += _deliver(
                plan[layer + 1], received, weights, awake, starts, runs, spikes, ones, n_spikes
            )
        else:
            channels = _u64(out_channels)
            plane = _quotient(plan[layer, SIZE], channels)
            for i in range(n_spikes):
                place = _quotient(spikes[i], channels)
                output[(_u64(spikes[i]) - place * channels) * plane + place] = 1
    n_events = _events(counts, plan[0, IN_CHANNELS], in_plane, graded, spikes, values)
    counters[0, EVENTS] += _deliver(plan[0], received, weights, awake, starts, runs, spikes, values, n_events)
    return n_events
