"""How the functions that kernels are made of are compiled.

A kernel's cache notices changes in the kernel's own file alone. So whatever a kernel calls stands beside it; whoever
changes a number that it takes from elsewhere, such as the columns of a table, has to touch its file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import numba

_Function = TypeVar("_Function", bound=Callable[..., object])

#: A product and a sum may become one instruction; more freedom would leave the order of rounding to the compiler.
FUSED = {"contract", "nnan", "ninf", "nsz"}


def part(fastmath: set[str] | None = None) -> Callable[[_Function], _Function]:
    """Decorates a function that only kernels call: without what Python would need to call it, which is a quarter of
    the compiling at the very first start. fastmath : None for exactly what is written, whatever the kernel has.
    """
    decorate: Callable[[_Function], _Function] = numba.njit(  # type: ignore[call-overload]
        fastmath=fastmath or False, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True
    )
    return decorate
