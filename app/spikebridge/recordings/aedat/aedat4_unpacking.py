"""Unpacks the packets of AEDAT4, and nothing that unpacks to more than a packet can hold."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikebridge.errors import InputError
from spikebridge.recordings.aedat.flatbuffer import TableError
from spikebridge.recordings.recording_file import Scratch

NONE, LZ4, LZ4_HIGH, ZSTD, ZSTD_HIGH = range(5)
#: What any packet may unpack to: four million events, hundreds of times what cameras put into one.
_ANY_BYTES = 64 << 20
#: Larger ones are those of converters that put a whole recording into one packet. Events of 16 bytes take 3 to 8 once
#: compressed, so one that unpacks to more than 32 times its size is no recording but damaged, or made to fill memory.
_MOST_RATIO = 32
_MOST_BYTES = 1 << 30
_SMALL_BYTES = 1 << 15
#: The type of a block of ZSTD that holds one byte, to be repeated.
_REPEATED = 1
#: No LZ4 data unpacks to more than that many times its size.
_LZ4_RATIO = 255


class Unpacker(threading.local):
    """One for each compression; every thread has a context of its own, as both libraries ask for.

    Raises InputError for a compression that is not known.
    """

    def __init__(self, path: Path, compression: int) -> None:
        self.stored, self.lz4 = compression == NONE, compression in (LZ4, LZ4_HIGH)
        self._library: _Library
        if self.stored:
            self._library = _Stored()
        elif self.lz4:
            self._library = _Lz4()
        elif compression in (ZSTD, ZSTD_HIGH):
            self._library = _Zstd()
        else:
            raise InputError(
                f"expected {path} to be compressed with none, LZ4 or ZSTD, found code {compression}; convert it."
            )

    def into(self, packed: memoryview, target: memoryview) -> int:
        """Unpacks to ``target``; returns how many bytes, 0 for a damaged packet, -1 where there is too little room."""
        try:
            return self._library.into(packed, most_bytes(len(packed)), target)
        except TableError:
            return 0

    def alone(self, packed: memoryview, scratch: Scratch, more_behind: bool = False) -> NDArray[np.uint8]:
        """What a packet holds, in ``scratch``; nothing where it is damaged or holds more than ``most_bytes``.

        more_behind : bytes behind the packet are left alone; else they show that its size in the file is wrong.
        """
        try:
            whole = self._library.whole(packed, most_bytes(len(packed)), more_behind)
        except TableError:
            whole = b""
        content = scratch.of(len(whole))[: len(whole)]
        content.data[:] = whole
        return content


def compression_magic(compression: int) -> bytes:
    """With what every packet begins; nothing where it is not compressed. LZ4 frame format, Zstandard (RFC 8878)."""
    if compression in (LZ4, LZ4_HIGH):
        return b"\x04\x22\x4d\x18"
    return b"\x28\xb5\x2f\xfd" if compression in (ZSTD, ZSTD_HIGH) else b""


def most_bytes(n_packed: int) -> int:
    """To how many bytes a packet of ``n_packed`` bytes may unpack; a larger one counts as damaged."""
    return max(_ANY_BYTES, min(_MOST_RATIO * n_packed, _MOST_BYTES))


class _Library(Protocol):
    """``whole`` and ``into`` raise TableError for what is damaged or unpacks to more than ``most`` bytes."""

    def whole(self, packed: memoryview, most: int, more_behind: bool = False) -> bytes: ...

    def into(self, packed: memoryview, most: int, target: memoryview) -> int:
        """Bytes written to ``target``, or -1 where there is too little room."""
        ...


class _Stored:
    def whole(self, packed: memoryview, most: int, more_behind: bool = False) -> bytes:
        return bytes(packed)

    def into(self, packed: memoryview, most: int, target: memoryview) -> int:
        return _put(self.whole(packed, most), target)


class _Lz4:
    def __init__(self) -> None:
        from lz4 import frame  # type: ignore[import-untyped]

        self._frame = frame
        self._context = frame.create_decompression_context()

    def whole(self, packed: memoryview, most: int, more_behind: bool = False) -> bytes:
        # With a limit the library reserves all of it at once; without one it starts small, which is right where the
        # limit cannot be reached.
        limit = most if len(packed) * _LZ4_RATIO > most else -1
        try:
            self._frame.reset_decompression_context(self._context)
            content: bytes
            content, n_read, complete = self._frame.decompress_chunk(self._context, packed, max_length=limit)
        except RuntimeError as error:
            raise TableError(str(error)) from error
        if not complete:
            raise TableError(f"expected a packet that ends within {most} bytes, found it cut or longer")
        if n_read < len(packed) and not more_behind:
            raise TableError(f"expected nothing behind the {n_read} bytes of a packet, found {len(packed) - n_read}")
        return content

    def into(self, packed: memoryview, most: int, target: memoryview) -> int:
        return _put(self.whole(packed, most), target)


class _Zstd:
    def __init__(self) -> None:
        import zstandard

        self._size = zstandard.frame_content_size
        self._header_size, self._parameters = zstandard.frame_header_size, zstandard.get_frame_parameters
        self._error = zstandard.ZstdError
        self._context = zstandard.ZstdDecompressor()

    def whole(self, packed: memoryview, most: int, more_behind: bool = False) -> bytes:
        try:
            self._check_size(packed, most)
            return self._context.decompress(packed, max_output_size=most, allow_extra_data=more_behind)
        except self._error as error:
            raise TableError(str(error)) from error

    def into(self, packed: memoryview, most: int, target: memoryview) -> int:
        try:
            size = self._check_size(packed, most)
            if size > len(target):
                return -1
            if size < _SMALL_BYTES:  # or not known; below, a stream costs more than the copy that it spares
                return _put(self.whole(packed, most), target)
            if self._context.stream_reader(packed).readinto(target[:size]) < size:
                raise TableError(f"expected {size} bytes in a packet, found it cut")
            if (n := self._frame_bytes(packed)) != len(packed):
                raise TableError(f"expected a packet of {n} bytes, found {len(packed)}")
            return size
        except self._error as error:
            raise TableError(str(error)) from error

    def _frame_bytes(self, packed: memoryview) -> int:
        """How long the frame is, from the sizes of its blocks (RFC 8878, 3.1.1)."""
        at = self._header_size(packed)
        last = False
        while not last and at + 3 <= len(packed):
            head = int.from_bytes(packed[at : at + 3], "little")
            last, kind = bool(head & 1), head >> 1 & 3
            at += 3 + (1 if kind == _REPEATED else head >> 3)
        return at + 4 * self._parameters(packed).has_checksum

    def _check_size(self, packed: memoryview, most: int) -> int:
        """The size that the packet says it unpacks to; -1 where it says none."""
        size = self._size(packed)
        if size > most:
            raise TableError(f"expected at most {most} bytes in a packet, found {size}")
        return size


def _put(content: bytes, target: memoryview) -> int:
    if len(content) > len(target):
        return -1
    target[: len(content)] = content
    return len(content)
