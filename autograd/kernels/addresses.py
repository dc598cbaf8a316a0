"""Arrays in compiled code that begin at an address, or that Python knows by their id."""

from __future__ import annotations

from numba import carray, intp, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["data_of", "run"]

HEADER = object.__basicsize__  # bytes of a Python object before what is its type's own: of an array, its data's address


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


@njit(no_cfunc_wrapper=True)
def data_of(array):
    """Where the numbers of an ndarray lie, of which ``id`` is given: in a fifth of the time of ``.ctypes.data``."""
    return run(array + HEADER, 1, intp)[0]
