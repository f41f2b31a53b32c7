"""Compiled decoder of columns: arrays of numbers into events; see ``ordering``."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the other.
from spikebridge.recordings.ordering import BLOCK, INVALID, OUTSIDE, WORDS_DTYPE, block_for, give_block

#: Polarity of a row that is no event: it could not be read, or has no time.
LOST = 2


@njit(cache=True, nogil=True)
def decode_columns(
    t: NDArray[np.int64],
    x: NDArray[np.uint16],
    y: NDArray[np.uint16],
    polarity: NDArray[np.uint8],
    width: int,
    height: int,
    state: NDArray[np.int64],
    out: NDArray[np.void],
) -> int:
    """Decodes four (N,) columns; returns the events. polarity : 0, 1 or ``LOST``."""
    spare = np.empty(BLOCK, WORDS_DTYPE)
    n = 0
    for start in range(0, t.shape[0], BLOCK):
        size = min(BLOCK, t.shape[0] - start)
        block = block_for(state, n, size, out, spare)
        for i in range(size):
            at_x, at_y, on = np.int64(x[start + i]), np.int64(y[start + i]), np.int64(polarity[start + i])
            word = at_x | at_y << 16 | on << 32
            if at_x >= width or at_y >= height:
                word = np.int64(-OUTSIDE)
            if on >= LOST:
                word = np.int64(-INVALID)
            block[i].t = t[start + i]
            block[i].rest = word
        n = give_block(state, block, False, n, out)
    return n
