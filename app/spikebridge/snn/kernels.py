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
    return np.int64(np.uint32(value) // np.uint32(divisor))


@nb.njit(
    nb.int64(
        nb.int64[::1], nb.int64[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1],
        nb.int32[::1], nb.int32[::1],
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
        if left | right:
            for i in range(BLOCK):
                a_block[i] = _i32(_i32(a_block[i] << left) >> right)
        alive = _i32(0)
        updates = _i32(0)
        beyond = _i32(0)
        n_fired = _i32(0)
        for i in range(BLOCK):
            a = a_block[i]
            u = u_block[i]
            v = v_block[i]
            b = b_block[i]
            updates = _i32(updates + _i32(_i32(_i32(a | u) | _i32(v | b)) != _i32(0)))
            beyond = _i32(beyond | _i32(_i32(a + _ACCUMULATOR) >> _i32(16)))
            u = _i32(_decay(u, keep_u) + _i32(a << _i32(6)))
            u = _i32(u - _FULL) if u > _U_MAX else _i32(u + _FULL) if u <= _U_MIN else u
            v = _i32(_i32(_decay(v, keep_v) + u) + b)
            v = min(max(v, _V_MIN), _V_MAX)
            spike = _i32(v > threshold)
            v = _i32(0) if spike else v
            n_fired = _i32(n_fired + spike)
            fired[i] = spike
            u_block[i] = u
            v_block[i] = v
            alive = _i32(alive | _i32(_i32(u | v) | b))
        awake[block] = alive != 0
        counters[UPDATES] += updates
        if beyond:
            for i in range(BLOCK):
                counters[OVERFLOWS] += (a_block[i] >= _ACCUMULATOR) | (a_block[i] < -_ACCUMULATOR)
        a_block[:] = 0
        if n_fired:
            # Without a branch a spike costs no misprediction; the slot behind the last one is overwritten.
            for i in range(BLOCK):
                spikes[n_spikes] = first - base + i
                n_spikes += fired[i]
    counters[SPIKES] += n_spikes
    return n_spikes


@nb.njit(inline="always")
def _add(to, t, by, w, n, value):  # type: ignore[no-untyped-def]
    """``to[t : t + n] += by[w : w + n] * value``.

    Pieces are short (4 to 64), so a plain loop spends its time in the remainder of LLVM's long one; four at a time, all
    read before one is written, become one vector operation. Unsigned indices spare numba's test for negative ones.
    """
    one, two, three, four = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
    end = t + n
    while t + four <= end:
        a = _i32(to[t] + _i32(by[w] * value))
        b = _i32(to[t + one] + _i32(by[w + one] * value))
        c = _i32(to[t + two] + _i32(by[w + two] * value))
        d = _i32(to[t + three] + _i32(by[w + three] * value))
        to[t] = a
        to[t + one] = b
        to[t + two] = c
        to[t + three] = d
        t += four
        w += four
    while t < end:
        to[t] = _i32(to[t] + _i32(by[w] * value))
        t += one
        w += one


@nb.njit(
    nb.int64(
        nb.int64[::1], nb.int32[::1], nb.int32[::1], nb.uint8[::1], nb.int32[::1], nb.int32[:, ::1], nb.int32[::1],
        nb.int32[::1], nb.int64,
    ),
    cache=True,
    nogil=True,
)  # fmt: skip
def _deliver(plan, received, weights, awake, starts, runs, spikes, values, n_spikes):  # type: ignore[no-untyped-def]
    """Adds the weights of ``spikes`` (numbers of inputs, channel last) times ``values`` to what the neurons receive.

    For each row it reaches, a spike adds runs of weights to runs of neurons (see ``layout.runs``). Returns the
    synapses touched.
    """
    in_channels, in_width = plan[IN_CHANNELS], plan[IN_WIDTH]
    group_in, group_out, kernel = plan[GROUP_IN], plan[GROUP_OUT], plan[KERNEL]
    base, rows, columns = plan[BASE], plan[ROWS], plan[COLUMNS]
    first_weight = plan[WEIGHTS]
    touched = 0
    for k in range(n_spikes):
        value = values[k]
        place = _quotient(spikes[k], in_channels)
        channel = spikes[k] - place * in_channels
        y = _quotient(place, in_width)
        x = place - y * in_width
        group = _quotient(channel, group_in) if group_in != in_channels else 0
        source = first_weight + channel * kernel
        target = base + group * group_out
        run_first, run_last = starts[columns + x], starts[columns + x + 1]
        for row in range(starts[rows + y], starts[rows + y + 1]):
            for run in range(run_first, run_last):
                n = runs[run, 2]
                w = source + runs[row, 0] + runs[run, 0]
                t = target + runs[row, 1] + runs[run, 1]
                _add(received, np.uint64(t), weights, np.uint64(w), np.uint64(n), value)
                awake[t // BLOCK] = 1
                awake[(t + n - 1) // BLOCK] = 1
                for block in range(t // BLOCK + 1, (t + n - 1) // BLOCK):
                    awake[block] = 1
                touched += n
    return touched


@nb.njit(nb.int64(nb.uint64[::1], nb.int64, nb.int64, nb.boolean, nb.int32[::1], nb.int32[::1]), cache=True, nogil=True)
def _events(counts, channels, plane, graded, spikes, values):  # type: ignore[no-untyped-def]
    """The non-zero counts, channel last: their numbers, their values and how many there are."""
    n = 0
    for word in range(counts.size):
        value = counts[word]
        place = word * 8
        while value:
            count = _i32(value & np.uint64(255))
            if count:
                channel = _quotient(place, plane)
                spikes[n] = (place - channel * plane) * channels + channel
                values[n] = count if graded else _i32(1)
                n += 1
            value = value >> np.uint64(8)
            place += 1
    return n


@nb.njit(
    nb.int64(
        nb.uint64[::1], nb.int64, nb.boolean, nb.int64[:, ::1], nb.int64[:, ::1], nb.int32[::1], nb.int32[::1],
        nb.int32[::1], nb.int32[::1], nb.uint8[::1], nb.int32[::1], nb.int32[::1], nb.int32[:, ::1], nb.int32[::1],
        nb.int32[::1], nb.int32[::1], nb.int64, nb.uint8[::1],
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
            plane = _quotient(plan[layer, SIZE], out_channels)
            for i in range(n_spikes):
                place = _quotient(spikes[i], out_channels)
                output[(spikes[i] - place * out_channels) * plane + place] = 1
    n_events = _events(counts, plan[0, IN_CHANNELS], in_plane, graded, spikes, values)
    counters[0, EVENTS] += _deliver(plan[0], received, weights, awake, starts, runs, spikes, values, n_events)
    return n_events
