"""Compiled: decimal digits eight at a time.

A loop over digits is as fast as the processor guesses their number, and coordinates have one to four in no order that
it could learn. Here eight bytes are one number, and where its digits end is told by arithmetic.
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

#: A number in compiled code.
Number: TypeAlias = int | np.int64
#: Bytes after the last one asked for that have to be there.
PADDING = 32
#: Most digits that a 64-bit number holds, whatever they are.
MOST_DIGITS = 18
_ZEROS = np.uint64(0x3030303030303030)
_SIXES = np.uint64(0x0606060606060606)
_UPPER = np.uint64(0xF0F0F0F0F0F0F0F0)
_PAIRS, _FOURS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_BY_PAIRS, _BY_FOURS, _BY_EIGHT = np.uint64(10 * 256 + 1), np.uint64(100 * 65536 + 1), np.uint64((10_000 << 32) + 1)
_S3, _S8, _S16, _S32, _S64 = np.uint64(3), np.uint64(8), np.uint64(16), np.uint64(32), np.uint64(64)
#: Powers of ten by their exponent.
POWERS = 10 ** np.arange(MOST_DIGITS + 1, dtype=np.int64)


class _Lowering(Protocol):
    """What is used of the context in which numba generates code."""

    def make_array(self, kind: types.Type) -> Callable[[object, ir.IRBuilder, ir.Value], ir.Value]: ...


def _load8_typed(_: object, data: types.Array, at: types.Type) -> tuple[Signature, object]:
    def generate(
        context: _Lowering, builder: ir.IRBuilder, signature: Signature, arguments: Sequence[ir.Value]
    ) -> ir.Value:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        pointer = builder.bitcast(builder.gep(array.data, [arguments[1]]), ir.IntType(64).as_pointer())
        return builder.load(pointer, align=1)

    return types.uint64(data, types.intp), generate


def _zeros_typed(_: object, word: types.Type) -> tuple[Signature, object]:
    def generate(_: object, builder: ir.IRBuilder, __: Signature, arguments: Sequence[ir.Value]) -> ir.Value:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), generate


#: (data, at): the eight bytes from any byte on as a little-endian number; nobody looks whether they are there.
_load8 = cast("Callable[[NDArray[np.uint8], Number], np.uint64]", intrinsic(_load8_typed))
#: (word): zero bits below the lowest one, 64 where there is none.
_trailing_zeros = cast("Callable[[np.uint64], np.uint64]", intrinsic(_zeros_typed))


@njit(cache=True, nogil=True, inline="always")
def _eight(data: NDArray[np.uint8], at: Number) -> tuple[Number, Number]:
    """The number of the digits from byte ``at`` on, eight at most, and how many they are."""
    word = _load8(data, at) ^ _ZEROS
    n_bits = _trailing_zeros((word + _SIXES | word) & _UPPER) & ~np.uint64(7)
    word = word << (_S64 - n_bits) if n_bits else np.uint64(0)
    word = word * _BY_PAIRS >> _S8
    word = (word & _PAIRS) * _BY_FOURS >> _S16
    word = (word & _FOURS) * _BY_EIGHT >> _S32
    return np.int64(word), np.int64(n_bits >> _S3)


@njit(cache=True, nogil=True, inline="always")
def read_digits(data: NDArray[np.uint8], at: Number) -> tuple[Number, Number]:
    """The number of the digits from byte ``at`` on and how many they are, 0 where there is none or too many."""
    value, n = _eight(data, at)
    if n < 8:
        return value, n
    more, n = _eight(data, at + 8)
    value = value * POWERS[n] + more
    if n < 8:
        return value, n + 8
    more, n = _eight(data, at + 16)
    if n > MOST_DIGITS - 16:
        return np.int64(0), np.int64(0)
    return value * POWERS[n] + more, n + 16


@njit(cache=True, nogil=True, inline="always")
def read_fraction(data: NDArray[np.uint8], at: Number) -> tuple[Number, Number]:
    """The first eight digits from byte ``at`` on, as many hundred-millionths, and the byte after the last digit."""
    value, n = _eight(data, at)
    if n < 8:
        return value * POWERS[8 - n], at + n
    at += 8
    while np.uint8(data[np.uint64(at)] - 48) < 10:
        at += 1
    return value, at
