"""What the chunks of an HDF5 file went through, undone without h5py, so that several threads can."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

from spikebridge.recordings.hdf5.ecf import RECORD_DTYPE, unpack_ecf
from spikebridge.recordings.hdf5.file import DEFLATE, ECF, FLETCHER32, LZF, SHUFFLE
from spikebridge.recordings.hdf5.unpacking import unpack_lzf, unshuffle

#: Codes of the filters that are undone here.
KNOWN = frozenset((ECF, DEFLATE, LZF, SHUFFLE, FLETCHER32))
#: Bytes around the events of a chunk that a filter may add.
_ROOM_BYTES = 1024


class DamagedChunkError(Exception):
    """A chunk is not what its filters make."""


def undo(
    content: NDArray[np.uint8], filters: tuple[int, ...], skipped: int, item_bytes: int, n_bytes: int
) -> NDArray[np.uint8]:
    """The bytes of a chunk before it went through ``filters``; fewer than ``n_bytes`` where it was not full.

    skipped : bit of each filter that the chunk did not go through. item_bytes : of a row. Raises DamagedChunkError.
    """
    for number in range(len(filters) - 1, -1, -1):
        if not skipped >> number & 1:
            content = _undo_one(content, filters[number], item_bytes, n_bytes)
    return content


def _undo_one(content: NDArray[np.uint8], code: int, item_bytes: int, n_bytes: int) -> NDArray[np.uint8]:
    if code == ECF:
        records = np.empty(n_bytes // RECORD_DTYPE.itemsize, RECORD_DTYPE)
        n = int(unpack_ecf(content, records))
        if n < 0:
            raise DamagedChunkError("a chunk that is no ECF")
        return records[:n].view(np.uint8)
    if code == DEFLATE:
        inflate = zlib.decompressobj()
        try:
            whole = inflate.decompress(content.data, n_bytes + _ROOM_BYTES)
        except zlib.error as error:
            raise DamagedChunkError(str(error)) from error
        if not inflate.eof:
            raise DamagedChunkError("a chunk that ends too early or not at all")
        return np.frombuffer(whole, np.uint8)
    if code == LZF:
        text = np.empty(n_bytes + _ROOM_BYTES, np.uint8)
        n = int(unpack_lzf(content, text))
        if n < 0:
            raise DamagedChunkError("a chunk that is no LZF")
        return text[:n]
    if code == SHUFFLE:
        unshuffled: NDArray[np.uint8] = unshuffle(content, item_bytes)
        return unshuffled
    return _checked(content)


def _checked(content: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Content before its checksum: Fletcher's of 32 bit over big-endian words of 16 (HDF5, ``H5_checksum_fletcher32``).

    The two sums are compared modulo 65535, whose 0 HDF5 may write either way; old versions swapped bytes in each half.
    """
    if content.size < 4:
        raise DamagedChunkError("a chunk without a checksum")
    data, said = content[:-4], int.from_bytes(content[-4:].tobytes(), "little")
    words = np.concatenate((data, np.zeros(data.size % 2, np.uint8))).view(">u2").astype(np.int64)
    weights = np.arange(words.size, 0, -1) % 65535
    first, second = int(words.sum()) % 65535, int((words * weights % 65535).sum()) % 65535
    swapped = (said & 0xFF00FF) << 8 | said >> 8 & 0xFF00FF
    if (first, second) not in {((word & 0xFFFF) % 65535, (word >> 16) % 65535) for word in (said, swapped)}:
        raise DamagedChunkError("a chunk whose checksum is another")
    return data
