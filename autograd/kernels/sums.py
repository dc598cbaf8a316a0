"""Sums, and sums of formulas: each element is computed and added up in one pass over memory, and never written down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from . import jit, on_arrays, threads
from .along import Along

__all__ = ["Sum", "add_up"]

PIECE = 8192  # elements that are added up together; their sums are added up in float64
# From so many elements on a compiled loop is faster than NumPy, if what lies behind the dimension is narrow: measured
# on one thread, 65,536 elements 8 and 12 us, 1000 x 1000 along its rows 145 and 190, 2048 x 128 along its columns 23
# and 48, but 2048 x 512 along its columns 241 and 189.
LARGE, NARROW = 1 << 16, 128
RUNS = 512  # so many runs of the last dimension are large, too: NumPy adds 2048 of 16 up in 39 us, a loop in 13


class Sum:
    """The sum of a formula over all elements.

    Args:
        function: of elements, and then of numbers; its global ``_`` is that of the reading.
        elements: how many of its arguments are elements.
    """

    def __init__(self, function: Callable[..., Any], elements: int) -> None:
        self._function, self._elements = function, elements
        self._on_arrays = Along(function).reading(on_arrays)
        self._kernels: dict[str, Callable[..., None]] = {}

    def __call__(self, arrays: Sequence[np.ndarray], numbers: Sequence[float] = ()) -> Any:
        """The sum, of the arrays' dtype: float32 for float16, whose range a total soon leaves.

        Args:
            arrays: that broadcast together, of one floating-point dtype.
            numbers: the formula's other arguments.
        """
        first = arrays[0]
        size, dtype = first.size, first.dtype
        alike = all(array.shape == first.shape and array.flags.c_contiguous for array in arrays)
        if not (alike and size >= PIECE and dtype.char in "fd" and jit.use_loops(size)):
            values = self._on_arrays(*arrays, *numbers)
            return np.add.reduce(values, None, np.float32 if values.dtype == np.float16 else values.dtype)
        pieces, rest = divmod(size, PIECE)
        flat = [array.reshape(-1) for array in arrays]
        of_pieces = [np.full(pieces, number, dtype) for number in numbers]
        sums = np.empty(pieces, dtype)
        threads.run(self._kernel(dtype), pieces, PIECE, 1, *flat, *of_pieces, sums, grain=2)
        last = self._on_arrays(*(array[size - rest :] for array in flat), *numbers)
        return dtype.type(np.add.reduce(sums, None, np.float64) + np.add.reduce(last, None, np.float64))

    def _kernel(self, dtype: np.dtype) -> Callable[..., None]:
        kernel = self._kernels.get(dtype.char)
        if kernel is None:
            from .along_walk import compiled  # slow to import: only for who compiles

            count = self._function.__code__.co_argcount
            kinds = "e" * self._elements + "r" * (count - self._elements)
            kernel, _ = compiled(self._function, "rows", kinds, dtype, 0, is_summed=True)
            self._kernels[dtype.char] = kernel
        return kernel


def _element(x: Any) -> Any:
    return x


def _along(x: Any) -> Any:
    return total(x)  # type: ignore[name-defined]  # noqa: F821 (the reading's)


_of_all, _of_rows = Sum(_element, 1), Along(_along)
_plain: Any = np.add.reduce  # NumPy's types allow only a literal True or False for keepdims


def add_up(x: np.ndarray, axes: tuple[int, ...], keepdims: bool, dtype: np.dtype) -> np.ndarray:
    """The sum over the dimensions ``axes``, none of them twice, as ``dtype``.

    >>> add_up(np.ones((2, 3)), (1,), False, np.dtype(float))
    array([3., 3.])
    """
    is_large = x.size >= LARGE or (len(axes) < x.ndim and x.size >= RUNS * x.shape[-1])
    if is_large and x.dtype == dtype and dtype.char in "fd" and x.flags.c_contiguous and jit.use_loops(x.size):
        if len(axes) == x.ndim:
            result = np.asarray(_of_all([x]))
            return result.reshape((1,) * x.ndim) if keepdims else result
        last = first = max(axes, default=-1)
        while first - 1 in axes:
            first -= 1
        if axes and prod(x.shape[last + 1 :]) <= NARROW:
            # Over the last ones that lie side by side, and then over the others.
            result = _of_rows(tuple(range(first, last + 1)), x)
            if last - first + 1 < len(axes):
                result = _plain(result, axis=tuple([axis for axis in axes if axis < first]), keepdims=True)
            return result if keepdims else result.reshape([n for axis, n in enumerate(x.shape) if axis not in axes])
    return _plain(x, axis=axes, dtype=dtype, keepdims=keepdims)
