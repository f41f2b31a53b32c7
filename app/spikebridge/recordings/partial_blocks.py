"""Blocks of events for formats whose bytes do not say in advance how many events there are in them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

# Compiled into what is kept for this file. numba looks at its time alone: save it after a change of the other.
from spikebridge.recordings.ordering import HELD, give_block


@njit(cache=True, nogil=True)
def give_some(state: NDArray[np.int64], block: NDArray[np.void], size: int, n: int, out: NDArray[np.void]) -> int:
    """Gives out the first ``size`` events of ``block``, which is ``ordering.block_for`` as many as there may be.

    Where there was no room in ``out`` for as many as that, they are moved there if there is for those that came and
    nothing is held that comes before: ``ordering.give_block`` works in place.
    """
    if size == 0:
        return n
    if n + block.shape[0] > out.shape[0] and n + size <= out.shape[0] and not state[HELD]:
        place = out[n : n + size]
        for i in range(size):
            place[i].t = block[i].t
            place[i].rest = block[i].rest
        return int(give_block(state, place, False, n, out))
    return int(give_block(state, block[:size], False, n, out))
