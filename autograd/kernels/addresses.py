"""Arrays in compiled code that begin at an address, or that Python knows by their id."""

from __future__ import annotations

from numba import carray, intp, njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from .memory import HEADER

__all__ = ["data_of", "keep", "run"]


@intrinsic
def keep(typing_context, array):
    """Does nothing, behind the last use of an array's address: numba frees the memory of a variable behind the last
    place that names it, and the next array of any thread may lie there."""
    return types.none(array), lambda context, builder, signature, values: context.get_dummy_value()


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
    """`memory.address_of` the ndarray of which ``id`` is given."""
    return run(array + HEADER, 1, intp)[0]
