"""Unpacks LZ4 frames in compiled code, among other compiled code.

The package ``lz4`` is as fast with large frames, but takes a call for each, and memory of its own that it copies from;
recordings of a DVS128 have some hundred bytes in a frame. It still decides where there is doubt: what is not taken here
(checksums, dictionaries, anything damaged) is for it.

A frame is a header, blocks with their sizes, and a size of zero. A block is a chain of sequences: a token with two
lengths, literal bytes, and how far back the bytes lie that are repeated after them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic
from numpy.typing import NDArray

_MAGIC = 0x184D2204
#: Bits of the flags: version 1, no checksums, no dictionary; those of independent blocks and of the size may be set.
_FLAGS_MASK, _FLAGS = 0b11010111, 0b01000000
_INDEPENDENT, _SIZED = 0b00100000, 0b00001000
_STORED = 0x80000000
#: Bytes before the end of source and target from which on bytes are copied one by one. Before that, 8 or 16 are at
#: once, and what is too much is overwritten by the next.
_SOURCE_END, _TARGET_END = 32, 64
_MASK32 = 0xFFFFFFFF


_Copy: TypeAlias = Callable[[NDArray[np.uint8], int, NDArray[np.uint8], int], None]


class _Lowering(Protocol):
    """What is used of the context in which numba generates code."""

    def make_array(self, kind: types.Type) -> Callable[[object, ir.IRBuilder, ir.Value], ir.Value]: ...

    def get_dummy_value(self) -> ir.Value: ...


def _copy_as(kind: ir.Type) -> _Copy:
    """(target, to, source, begin): copies a value of that kind between any two bytes, which numpy has no words for."""

    def generate(
        context: _Lowering, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]
    ) -> ir.Value:
        def pointer(number: int) -> ir.Value:
            array = context.make_array(signature.args[number])(context, builder, arguments[number])
            return builder.bitcast(builder.gep(array.data, [arguments[number + 1]]), kind.as_pointer())

        builder.store(builder.load(pointer(2), align=1), pointer(0), align=1)
        return context.get_dummy_value()

    def typed(
        _: object, target: types.Array, to: types.Type, source: types.Array, begin: types.Type
    ) -> tuple[Signature, object]:
        return types.void(target, types.intp, source, types.intp), generate

    return cast("_Copy", intrinsic(typed))


_copy8 = _copy_as(ir.IntType(64))
_copy16 = _copy_as(ir.VectorType(ir.IntType(8), 16))


@njit(cache=True, nogil=True)
def unpack_frame(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> int:
    """Unpacks the frame that ``source`` holds; returns its bytes in ``target``, or -1 where it is not taken.

    Never writes beyond ``target``. What is in it after a -1 is undefined.
    """
    at = _header_bytes(source)
    if at < 0:
        return -1
    most = 1 << (8 + 2 * (_byte(source, 5) >> 4))
    n = 0
    while at + 4 <= source.size:
        size = _u32(source, at)
        begin = at + 4
        at = begin + (size & ~_STORED)
        if size == 0:
            sized = source[4] & _SIZED and n != _u32(source, 6) | _u32(source, 10) << 32
            return -1 if sized or begin < source.size else n
        if at - begin > most or at > source.size:
            return -1
        stop = min(target.size, n + most)
        if size & _STORED:
            if n + at - begin > stop:
                return -1
            _copy_bytes(target, n, source, begin, at - begin)
            n += at - begin
        else:
            first = n if source[4] & _INDEPENDENT else 0
            n = _unpack_block(source, begin, at, target, first, n, stop)
            if n < 0:
                return -1
    return -1


@njit(cache=True, nogil=True)
def _unpack_block(
    source: NDArray[np.uint8], at: int, end: int, target: NDArray[np.uint8], first: int, n: int, stop: int
) -> int:
    """Unpacks bytes ``at`` to ``end`` to ``target[n:stop]``; returns the byte after them, or -1.

    first : byte of ``target`` from which on matches may begin.
    """
    while at < end:
        token = _byte(source, at)
        literals, match = token >> 4, (token & 15) + 4
        at += 1
        near_end = at + _SOURCE_END > end or n + _TARGET_END > stop
        if literals < 15 and match < 19 and not near_end:
            _copy8(target, n, source, at)
            if literals > 8:
                _copy8(target, n + 8, source, at + 8)
            at += literals
            n += literals
            begin = n - (_byte(source, at) | _byte(source, at + 1) << 8)
            at += 2
            if begin < first or begin == n:
                return -1
            if n - begin >= 8:
                _copy8(target, n, target, begin)
                if match > 8:
                    _copy8(target, n + 8, target, begin + 8)
                    _copy8(target, n + 16, target, begin + 16)
            else:
                _copy_bytes(target, n, target, begin, match)
            n += match
            continue
        if literals == 15:
            literals, at = _longer(source, at, end, literals)
        if at < 0 or at + literals > end or n + literals > stop:
            return -1
        _copy(target, n, source, at, literals, at + literals + _SOURCE_END > end or n + literals + _TARGET_END > stop)
        at += literals
        n += literals
        if at == end:
            return n
        if at + 8 > end:  # after the last match come five literal bytes or more
            return -1
        begin = n - (_byte(source, at) | _byte(source, at + 1) << 8)
        at += 2
        if match == 19:
            match, at = _longer(source, at, end, match)
        if at < 0 or begin < first or begin == n or n + match > stop:
            return -1
        _copy(target, n, target, begin, match, n - begin < 16 or n + match + _TARGET_END > stop)
        n += match
    return -1


@njit(cache=True, nogil=True)
def _longer(source: NDArray[np.uint8], at: int, end: int, length: int) -> tuple[int, int]:
    """A length to which the bytes from ``at`` add, and the byte after them, -1 where they do not end."""
    while at < end:
        more = _byte(source, at)
        at += 1
        length += more
        if more != 255:
            return length, at
    return length, -1


@njit(cache=True, nogil=True)
def _copy(target: NDArray[np.uint8], to: int, source: NDArray[np.uint8], begin: int, n: int, exactly: bool) -> None:
    """Copies ``n`` bytes; unless ``exactly``, 15 more may be."""
    if exactly:
        _copy_bytes(target, to, source, begin, n)
        return
    for i in range(0, n, 16):
        _copy16(target, to + i, source, begin + i)


@njit(cache=True, nogil=True)
def _copy_bytes(target: NDArray[np.uint8], to: int, source: NDArray[np.uint8], begin: int, n: int) -> None:
    for i in range(n):
        target[np.uint64(to + i)] = source[np.uint64(begin + i)]


@njit(cache=True, nogil=True)
def _byte(source: NDArray[np.uint8], at: int) -> int:
    """With an unsigned index, as compiled code would look each time whether it is negative."""
    return int(np.int64(source[np.uint64(at)]))


@njit(cache=True, nogil=True)
def _u32(source: NDArray[np.uint8], at: int) -> int:
    return _byte(source, at) | _byte(source, at + 1) << 8 | _byte(source, at + 2) << 16 | _byte(source, at + 3) << 24


@njit(cache=True, nogil=True)
def _header_bytes(source: NDArray[np.uint8]) -> int:
    """Length of the header of a frame that can be taken here, or -1."""
    if source.size < 7 or _u32(source, 0) != _MAGIC or source[4] & _FLAGS_MASK != _FLAGS:
        return -1
    n = 15 if source[4] & _SIZED else 7
    if source.size < n or source[5] & 0b10001111 or source[5] >> 4 < 4:
        return -1
    return n if source[n - 1] == _hash(source, 4, n - 1) >> 8 & 0xFF else -1


@njit(cache=True, nogil=True)
def _hash(source: NDArray[np.uint8], begin: int, end: int) -> int:
    """xxHash-32 of less than 16 bytes, with seed 0: the last byte of a header comes from it."""
    h = 374761393 + end - begin
    at = begin
    while at + 4 <= end:
        h = (h + _u32(source, at) * 3266489917) & _MASK32
        h = (h << 17 | h >> 15) & _MASK32
        h = h * 668265263 & _MASK32
        at += 4
    while at < end:
        h = (h + _byte(source, at) * 374761393) & _MASK32
        h = (h << 11 | h >> 21) & _MASK32
        h = h * 2654435761 & _MASK32
        at += 1
    h = (h ^ h >> 15) * 2246822519 & _MASK32
    h = (h ^ h >> 13) * 3266489917 & _MASK32
    return h ^ h >> 16
