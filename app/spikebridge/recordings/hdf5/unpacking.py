"""Compiled: what undoes LZF, the compression that h5py brings along (filter 32000), and the shuffling of bytes.

LZF as liblzf reads it: a control byte below 32 is followed by one more byte of text than it says. Any other one
repeats what came before: its upper three bits, and if all are set the next byte too, are the length less 2; the lower
five bits and one more byte are how far back it begins, less 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_DAMAGED = -1


@njit(cache=True, nogil=True)
def unpack_lzf(data: NDArray[np.uint8], out: NDArray[np.uint8]) -> int:
    """Unpacks ``data`` into ``out``; returns how many bytes there are, or -1 where these are no LZF that fits."""
    at, n, size, most = 0, 0, data.shape[0], out.shape[0]
    while at < size:
        control = np.int64(data[at])
        at += 1
        if control < 32:
            length = int(control) + 1
            if at + length > size or n + length > most:
                return _DAMAGED
            for i in range(length):
                out[n + i] = data[at + i]
            at += length
        else:
            length = int(control) >> 5
            if at + (2 if length == 7 else 1) > size:
                return _DAMAGED
            if length == 7:
                length += int(data[at])
                at += 1
            back = n - ((control & 31) << 8 | np.int64(data[at])) - 1
            at += 1
            length += 2
            if back < 0 or n + length > most:
                return _DAMAGED
            for i in range(length):  # byte by byte: the text may repeat itself
                out[n + i] = out[back + i]
        n += length
    return n


@njit(cache=True, nogil=True)
def unshuffle(data: NDArray[np.uint8], item_bytes: int) -> NDArray[np.uint8]:
    """Bytes that lie by their place in the item, all first ones first, put back; a rest shorter than an item stays."""
    n = data.shape[0] // item_bytes
    out = np.empty_like(data)
    for place in range(item_bytes):
        for i in range(n):
            out[i * item_bytes + place] = data[place * n + i]
    out[n * item_bytes :] = data[n * item_bytes :]
    return out
