"""One time step of a network, compiled as one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numba as nb
import numpy as np
from numpy.typing import NDArray

from spikebridge.snn.kernels.neurons import update
from spikebridge.snn.kernels.synapses import deliver, list_spikes
from spikebridge.snn.kernels.vectors import Bytes, Ints, bits_of, ones
from spikebridge.snn.plan import GUARD, PLAN, Neurons, Runs

_u64 = np.uint64


@nb.njit(inline="always")
def _take(runs: Runs, counts: Bytes, image: Bytes, bits: NDArray[np.uint64]) -> tuple[np.uint64, np.int64]:
    """Counts (C, H, W) to ``image``, channel last, and to bits; how many are not 0, and a bound of the largest."""
    channels = _u64(runs.channels)
    size = _u64(runs.height * runs.row_bits)
    plane = size // channels
    largest = np.uint8(0)
    for i in range(size):
        largest = np.uint8(largest | counts[i])
    if not largest:
        return _u64(0), np.int64(0)
    if channels == _u64(2):
        for i in range(plane):
            image[_u64(2) * i] = counts[i]
            image[_u64(2) * i + _u64(1)] = counts[i + plane]
    else:
        for channel in range(channels):
            for i in range(plane):
                image[i * channels + channel] = counts[channel * plane + i]
    n = _u64(0)
    for index in range((size + _u64(63)) >> _u64(6)):
        word = bits_of(image, index << _u64(6))
        bits[_u64(GUARD) + index] = word
        n += ones(word)
    return n, np.int64(largest)


@nb.njit(inline="always")
def _write(neurons: Neurons, bits: NDArray[np.uint64], spikes: Ints, n_spikes: np.uint64, output: Bytes) -> None:
    """The spikes of the last layer to ``output``, (C', H', W')."""
    list_spikes(bits, neurons.size, spikes)
    channels = np.uint32(neurons.channels)
    plane = _u64(np.uint32(neurons.size) // channels)
    for i in range(n_spikes):
        spike = np.uint32(spikes[i])
        place = np.uint32(spike // channels)
        output[_u64(spike - place * channels) * plane + _u64(place)] = 1


def _compile(sources: str) -> Callable[..., int]:
    """``step``. sources : a digest of all that it is made of. numba keeps what it compiled under the function's own
    file and the values that it encloses; without this one a change in another file would go unseen."""

    @nb.njit(
        nb.int64(
            nb.types.Array(nb.uint8, 1, "C", readonly=True), nb.boolean, nb.from_dtype(PLAN)[::1], nb.int32[:, ::1],
            nb.uint8[:, ::1], nb.int32[::1], nb.int32[::1], nb.uint64[::1], nb.uint64[::1], nb.int32[::1],
            nb.uint8[::1], nb.uint8[::1], nb.uint8[::1],
        ),
        cache=True,
        nogil=True,
    )  # fmt: skip
    def step(
        counts: Bytes,
        graded: bool,
        plan: NDArray[np.void],
        state: Ints,
        blocks: Bytes,
        weights: Ints,
        places: Ints,
        masks: NDArray[np.uint64],
        bits: NDArray[np.uint64],
        spikes: Ints,
        image: Bytes,
        fired: Bytes,
        output: Bytes,
    ) -> int:
        """One time step; writes the last layer's spikes to ``output`` and returns the non-zero inputs.

        From the last layer to the first: what a layer fires now reaches the next one in the next step.

        counts : (C, H, W) uint8, flat. graded : counts multiply the weights. plan, weights, places, masks : see
        ``layout.Layout``. state : (4, neurons) what was received, currents, voltages, biases. blocks : (3, blocks)
        whether one is awake, has states that may wrap or clip, has a bias. bits, spikes, image, fired : room for the
        spikes of a layer as bits between guards, for their numbers, for the counts channel last, and for what fires in
        a block. output : (C', H', W') flat, zeroed by the caller.
        """
        _ = sources
        last = plan.size - 1
        for k in range(last, -1, -1):
            n = update(plan[k].neurons, state, blocks, fired, bits)
            if n and k == last:
                _write(plan[k].neurons, bits, spikes, n, output)
            elif n:
                deliver(plan[k + 1], state, blocks, weights, places, masks, bits, spikes, image, n, np.int64(1))
        n, largest = _take(plan[0].runs, counts, image, bits)
        if not graded:
            largest = np.int64(1)
        if n:
            deliver(plan[0], state, blocks, weights, places, masks, bits, spikes, image, n, largest)
        return int(n)

    return step


def _sources() -> str:
    files = [*sorted(Path(__file__).parent.glob("*.py")), Path(__file__).parents[1] / "plan.py"]
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


step = _compile(_sources())
