"""Arrays that begin at an address, in compiled code."""

from __future__ import annotations

from numba import carray, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["run"]


@intrinsic
def pointer(typing_context, address):
    """An address as what `carray` takes."""
    return types.voidptr(types.intp), lambda context, builder, signature, values: builder.inttoptr(
        values[0], cgutils.voidptr_t
    )


@njit(no_cfunc_wrapper=True)
def run(address, count, real):
    """So many numbers of the type ``real`` from the address on."""
    return carray(pointer(address), (count,), real)
