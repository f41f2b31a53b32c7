"""The kinds of words that cameras of Prophesee send."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikebridge.recordings.indexed import CHUNK_EVENTS
from spikebridge.recordings.prophesee import decoding

#: Coordinates have 11 bits in all of them.
LARGEST_PX = 1 << 11


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of words.

    chunk_bytes : of a piece of about CHUNK_EVENTS events. decode : bytes, width, height, ``word_state``, room for
    events → events.
    """

    name: str
    word_bytes: int
    chunk_bytes: int
    decode: Callable[[NDArray[np.uint8], int, int, NDArray[np.int64], NDArray[np.void]], int]


def _decode_evt2(
    content: NDArray[np.uint8], width: int, height: int, state: NDArray[np.int64], out: NDArray[np.void]
) -> int:
    return int(decoding.decode_evt2(content.view("<u4"), width, height, state, 0, out))


def _decode_evt21(
    content: NDArray[np.uint8], width: int, height: int, state: NDArray[np.int64], out: NDArray[np.void]
) -> int:
    return int(decoding.decode_evt21(content.view("<u4").reshape(-1, 2), 1, width, height, state, 0, out))


def _decode_evt21_legacy(
    content: NDArray[np.uint8], width: int, height: int, state: NDArray[np.int64], out: NDArray[np.void]
) -> int:
    return int(decoding.decode_evt21(content.view("<u4").reshape(-1, 2), 0, width, height, state, 0, out))


def _decode_evt3(
    content: NDArray[np.uint8], width: int, height: int, state: NDArray[np.int64], out: NDArray[np.void]
) -> int:
    return int(decoding.decode_evt3(content.view("<u2"), width, height, state, 0, out))


EVT2 = Kind("EVT2", 4, 4 * CHUNK_EVENTS, _decode_evt2)
#: GenX320's: 64-bit little-endian. The others send the two halves in the other order ("legacy" in their headers).
EVT21 = Kind("EVT2.1", 8, 2 * CHUNK_EVENTS, _decode_evt21)
EVT21_LEGACY = Kind("EVT2.1", 8, 2 * CHUNK_EVENTS, _decode_evt21_legacy)
EVT3 = Kind("EVT3", 2, 2 * CHUNK_EVENTS, _decode_evt3)
