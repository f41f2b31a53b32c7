"""Operations that numba lacks, as single instructions of LLVM: vectors of int32, and bits of words.

LLVM makes them from what the processor has; none needs registers of a certain width. What a name with a leading
underscore takes are types, and what it gives back is the code for values of them; the public ones take the values.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias, cast

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.core.typing.templates import Signature
from numba.extending import intrinsic, models, register_model
from numpy.typing import NDArray


class _Context(Protocol):
    """What is used of numba's target."""

    def make_array(self, array: types.Type) -> Callable[[_Context, ir.IRBuilder, ir.Value], ir.Value]: ...

    def get_dummy_value(self) -> ir.Value: ...


_Values: TypeAlias = Sequence[ir.Value]
_Emit: TypeAlias = Callable[[_Context, ir.IRBuilder, Signature, _Values], ir.Value]
_Defined: TypeAlias = tuple[Signature, _Emit]


class Vector(types.Type):
    """``lanes`` int32 in one register, or in a few where a processor's are narrower."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"int32 x {lanes}")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: object, vector: Vector) -> None:
        super().__init__(manager, vector, ir.VectorType(ir.IntType(32), vector.lanes))  # type: ignore[no-untyped-call]


def _place(
    context: _Context, builder: ir.IRBuilder, signature: Signature, arguments: _Values, element: ir.Type
) -> ir.Value:
    """Address of ``array[i]``, the first two arguments, as one of ``element``."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    return builder.bitcast(builder.gep(array.data, [arguments[1]]), element.as_pointer())


Ints: TypeAlias = NDArray[np.int32]
Load: TypeAlias = Callable[[Ints, np.uint64], Vector]
Store: TypeAlias = Callable[[Ints, np.uint64, Vector], None]
Plus: TypeAlias = Callable[[Vector, Vector], Vector]
Times: TypeAlias = Callable[[Vector, np.int32], Vector]


def _vectors(lanes: int) -> tuple[Load, Store, Plus, Times]:
    """``load(array, i)``, ``store(array, i, a)``, ``plus(a, b)`` and ``times(a, value)``: in loops over pieces this
    short LLVM finds no vectors, and tests for overlapping arrays before each."""
    vector, machine = Vector(lanes), ir.VectorType(ir.IntType(32), lanes)

    @intrinsic
    def load(_context: _Context, array: types.Type, i: types.Type) -> _Defined:
        def emit(context: _Context, builder: ir.IRBuilder, signature: Signature, arguments: _Values) -> ir.Value:
            return builder.load(_place(context, builder, signature, arguments, machine), align=4)

        return vector(array, types.uint64), emit

    @intrinsic
    def store(_context: _Context, array: types.Type, i: types.Type, a: types.Type) -> _Defined:
        def emit(context: _Context, builder: ir.IRBuilder, signature: Signature, arguments: _Values) -> ir.Value:
            builder.store(arguments[2], _place(context, builder, signature, arguments, machine), align=4)
            return context.get_dummy_value()

        return types.void(array, types.uint64, vector), emit

    @intrinsic
    def plus(_context: _Context, a: types.Type, b: types.Type) -> _Defined:
        return vector(vector, vector), lambda _context, builder, _signature, arguments: builder.add(*arguments)

    @intrinsic
    def times(_context: _Context, a: types.Type, value: types.Type) -> _Defined:
        def emit(_context: _Context, builder: ir.IRBuilder, _signature: Signature, arguments: _Values) -> ir.Value:
            nothing, first = ir.Constant(machine, ir.Undefined), ir.Constant(ir.IntType(32), 0)
            one = builder.insert_element(nothing, arguments[1], first)
            same = builder.shuffle_vector(one, one, ir.Constant(machine, [0] * lanes))
            return builder.mul(arguments[0], same)

        return vector(vector, types.int32), emit

    return cast(Load, load), cast(Store, store), cast(Plus, plus), cast(Times, times)


load_8, store_8, plus_8, times_8 = _vectors(8)
load_16, store_16, plus_16, _ = _vectors(16)


@intrinsic
def _trailing_zeros(_context: _Context, word: types.Type) -> _Defined:
    def emit(_context: _Context, builder: ir.IRBuilder, _signature: Signature, arguments: _Values) -> ir.Value:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.uint64(types.uint64), emit


@intrinsic
def _ones(_context: _Context, word: types.Type) -> _Defined:
    return types.uint64(types.uint64), lambda _context, builder, _signature, arguments: builder.ctpop(*arguments)


@intrinsic
def _bits_of(_context: _Context, flags: types.Type, i: types.Type) -> _Defined:
    def emit(context: _Context, builder: ir.IRBuilder, signature: Signature, arguments: _Values) -> ir.Value:
        lanes = ir.VectorType(ir.IntType(8), 64)
        some = builder.load(_place(context, builder, signature, arguments, lanes), align=1)
        return builder.bitcast(builder.icmp_signed("!=", some, ir.Constant(lanes, [0] * 64)), ir.IntType(64))

    return types.uint64(flags, types.uint64), emit


@intrinsic
def _word_at(_context: _Context, flags: types.Type, i: types.Type) -> _Defined:
    def emit(context: _Context, builder: ir.IRBuilder, signature: Signature, arguments: _Values) -> ir.Value:
        return builder.load(_place(context, builder, signature, arguments, ir.IntType(64)), align=1)

    return types.uint64(flags, types.uint64), emit


Bytes: TypeAlias = NDArray[np.uint8]
#: Of a word; 64 where it is 0.
trailing_zeros = cast(Callable[[np.uint64], np.uint64], _trailing_zeros)
#: How many bits of a word are set.
ones = cast(Callable[[np.uint64], np.uint64], _ones)
#: Which of the 64 bytes from ``flags[i]`` on are not 0, the first in the lowest bit.
bits_of = cast(Callable[[Bytes, np.uint64], np.uint64], _bits_of)
#: The 64 bits from byte ``i`` on.
word_at = cast(Callable[[Bytes, np.uint64], np.uint64], _word_at)
