"""Unpacks the packets of AEDAT4, and nothing that unpacks to more than a packet can hold."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.sources.flatbuffer import TableError
from spikebridge.sources.recording_file import Scratch

NONE, LZ4, LZ4_HIGH, ZSTD, ZSTD_HIGH = range(5)
#: What any packet may unpack to: four million events, hundreds of times what cameras put into one.
_ANY_BYTES = 64 << 20
#: Larger ones are those of converters that put a whole recording into one packet. Events of 16 bytes take 3 to 8 once
#: compressed, so one that unpacks to more than 32 times its size is no recording but damaged, or made to fill memory.
_MOST_RATIO = 32
_MOST_BYTES = 1 << 30
#: No LZ4 data unpacks to more than that many times its size.
_LZ4_RATIO = 255

#: (packed, most bytes, memory to use) → unpacked; TableError for what is damaged or would be larger.
_Unpack = Callable[[memoryview, int, Scratch], NDArray[np.uint8]]


class Unpacker(threading.local):
    """One for each compression; every thread has a context of its own, as both libraries ask for.

    Raises InputError for a compression that is not known.
    """

    def __init__(self, path: Path, compression: int) -> None:
        self.stored, self.lz4 = compression == NONE, compression in (LZ4, LZ4_HIGH)
        if self.stored:
            self._unpack: _Unpack = _stored
        elif self.lz4:
            self._unpack = _lz4()
        elif compression in (ZSTD, ZSTD_HIGH):
            self._unpack = _zstd()
        else:
            raise InputError(
                f"expected {path} to be compressed with none, LZ4 or ZSTD, found code {compression}; convert it."
            )

    def safely(self, packed: memoryview, scratch: Scratch) -> NDArray[np.uint8]:
        """What a packet holds, in ``scratch``; nothing where it is damaged or holds more than ``most_bytes``."""
        try:
            return self._unpack(packed, most_bytes(len(packed)), scratch)
        except TableError:
            return scratch.of(0)[:0]


def most_bytes(n_packed: int) -> int:
    """To how many bytes a packet of ``n_packed`` bytes may unpack; a larger one counts as damaged."""
    return max(_ANY_BYTES, min(_MOST_RATIO * n_packed, _MOST_BYTES))


def _stored(packed: memoryview, most: int, scratch: Scratch) -> NDArray[np.uint8]:
    content = scratch.of(len(packed))[: len(packed)]
    content.data[:] = packed
    return content


def _lz4() -> _Unpack:
    from lz4 import frame  # type: ignore[import-untyped]

    context = frame.create_decompression_context()

    def unpack(packed: memoryview, most: int, scratch: Scratch) -> NDArray[np.uint8]:
        # With a limit the library reserves all of it at once; without one it starts small, which is right where the
        # limit cannot be reached.
        limit = most if len(packed) * _LZ4_RATIO > most else -1
        try:
            frame.reset_decompression_context(context)
            content, _, complete = frame.decompress_chunk(context, packed, max_length=limit)
        except RuntimeError as error:
            raise TableError(str(error)) from error
        if not complete:
            raise TableError(f"expected a packet that ends within {most} bytes, found it cut or longer")
        return _stored(memoryview(content), most, scratch)

    return unpack


def _zstd() -> _Unpack:
    import zstandard

    context = zstandard.ZstdDecompressor()

    def unpack(packed: memoryview, most: int, scratch: Scratch) -> NDArray[np.uint8]:
        try:
            size = zstandard.frame_content_size(packed)
            if size > most:
                raise TableError(f"expected at most {most} bytes in a packet, found {size}")
            if size < 0:
                return _stored(memoryview(context.decompress(packed, max_output_size=most)), most, scratch)
            content = scratch.of(size)[:size]
            if context.stream_reader(packed).readinto(content.data) < size:
                raise TableError(f"expected {size} bytes in a packet, found it cut")
            return content
        except zstandard.ZstdError as error:
            raise TableError(str(error)) from error

    return unpack
