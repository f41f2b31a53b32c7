"""Events of a clip, varied and binned into the lists of active inputs of one window."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from spikebridge.datasets.augmentation import Variation

#: Shares of events are drawn with 16 bits.
_FRACTION = 65536.0
_PER_FRACTION = np.float32(1 / 65536)
_LOW = np.uint64(65535)
#: xorshift64* (Vigna 2016), its state spread over all bits by the golden ratio.
_MULTIPLIER = np.uint64(2685821657736338717)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def bin_window(
    ticks: NDArray[np.uint16],
    addresses: NDArray[np.uint16],
    start: float,
    steps: int,
    step_ticks: int,
    variation: Variation,
    seed: int,
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """(addresses, (steps + 1,) offsets) of the active inputs of ``steps`` steps; see ``EventBatch`` for both.

    ticks : (n,) ascending times of a clip's events, 0.1 ms. addresses : (n,) of them, ``(p * 128 + y) * 128 + x``.
    start : time of the window's beginning, 0.1 ms; what lies before the clip is silent. step_ticks : length of a step
    on the clip's clock at speed 1, 0.1 ms. seed : of what is drawn for each event.
    """
    length = step_ticks * variation.speed
    begin, end = np.searchsorted(ticks, [max(0.0, start), max(0.0, start + steps * length)])
    stray = float(variation.noise_per_step + variation.haze[0])
    room = int(end - begin + steps * (4 * stray + variation.hot.size + 32))
    active = np.empty(room, np.uint16)
    offsets = np.zeros(steps + 1, np.int64)
    _bin(
        ticks[begin:end],
        addresses[begin:end],
        float(start),
        float(length),
        variation.matrix,
        float(variation.keep),
        float(variation.flip),
        float(variation.noise_per_step),
        variation.haze,
        variation.hot,
        float(variation.hot_share),
        seed & 0x7FFFFFFF,
        active,
        offsets,
    )
    return active[: offsets[-1]], offsets


@njit(cache=True, nogil=True)
def _bin(
    ticks: NDArray[np.uint16],
    addresses: NDArray[np.uint16],
    start: float,
    length: float,
    matrix: NDArray[np.float32],
    keep: float,
    flip: float,
    noise: float,
    haze: NDArray[np.float32],
    hot: NDArray[np.int64],
    hot_share: float,
    seed: int,
    active: NDArray[np.uint16],
    offsets: NDArray[np.int64],
) -> None:
    """Fills ``active`` and ``offsets``; times in 0.1 ms, the rest as in ``Variation``."""
    np.random.seed(seed)
    exact = matrix[0, 0] == 1 and matrix[1, 1] == 1 and matrix[0, 1] == 0 and matrix[1, 0] == 0
    xx, xy, x0, yx, yy, y0 = matrix[0, 0], matrix[0, 1], matrix[0, 2], matrix[1, 0], matrix[1, 1], matrix[1, 2]
    kept, flipped = np.uint64(keep * _FRACTION), np.uint64(flip * _FRACTION)
    state = np.uint64(seed) * _SPREAD + _SPREAD
    seen = np.full(2 * 128 * 128, -1, np.int16)
    n, event = 0, 0
    for step in range(offsets.size - 1):
        until = start + (step + 1) * length
        stray = min(np.random.poisson(noise), int(4 * noise) + 16) if noise > 0 else 0
        hazy = min(np.random.poisson(haze[0]), int(4 * haze[0]) + 16) if haze[0] > 0 else 0
        for i in range(stray + hot.size + hazy):
            if i < stray:
                address = np.random.randint(0, 2 * 128 * 128)
            elif i >= stray + hot.size:
                column = int(np.floor(np.random.normal(haze[1], haze[3])))
                row = int(np.floor(np.random.normal(haze[2], haze[4])))
                if column < 0 or column > 127 or row < 0 or row > 127:
                    continue
                address = (np.random.randint(0, 2) << 14) | (row << 7) | column
            elif np.random.random() < hot_share:
                address = hot[i - stray]
            else:
                continue
            if seen[address] != step:
                seen[address] = step
                active[n] = address
                n += 1
        while event < ticks.size and ticks[event] < until:
            stored = np.int64(addresses[event])
            event += 1
            # xorshift64*: four numbers of 16 bits for each event; numba's own generator would take most of the time.
            state ^= state >> np.uint64(12)
            state ^= state << np.uint64(25)
            state ^= state >> np.uint64(27)
            bits = state * _MULTIPLIER
            if (bits >> np.uint64(48)) >= kept:
                continue
            p, y, x = stored >> 14, (stored >> 7) & 127, stored & 127
            if exact:
                column, row = int(np.floor(x + x0)), int(np.floor(y + y0))
            else:
                # A place at random inside the pixel: a larger picture gets no grid of holes.
                dx = np.float32(x - 64) + np.float32((bits >> np.uint64(32)) & _LOW) * _PER_FRACTION
                dy = np.float32(y - 64) + np.float32((bits >> np.uint64(16)) & _LOW) * _PER_FRACTION
                column = int(np.floor(xx * dx + xy * dy + x0)) + 64
                row = int(np.floor(yx * dx + yy * dy + y0)) + 64
            if column < 0 or column > 127 or row < 0 or row > 127:
                continue
            if (bits & _LOW) < flipped:
                p = 1 - p
            moved = (p << 14) | (row << 7) | column
            if seen[moved] != step:
                seen[moved] = step
                active[n] = moved
                n += 1
        offsets[step + 1] = n
