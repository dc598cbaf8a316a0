"""Formulas with sums and maxima along one dimension: each read over arrays, or as one compiled walk.

    def softmax(x):
        e = _.exp(x - highest(x))
        return e / total(e)

``highest``, ``total`` and ``average`` keep the dimension, with one element. Compiled, every reduction is fused with
the formula inside it and takes one turn along the dimension, whose elements are then in the nearest cache: memory is
read once. Two patterns of memory are served. ``rows``: a run of elements one after the other, the dimension being the
last. ``columns``: many runs side by side, as many of them at once as fill a few registers. A formula without
reductions is a loop like those of pointwise rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import lru_cache
from math import prod
from operator import attrgetter
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from . import jit, on_arrays, threads
from .contiguous import contiguous
from .ones import FEW, ONES

__all__ = ["Along"]

REDUCTIONS = frozenset(("average", "highest", "total"))
GRAIN = 16384  # elements: below this a piece is not worth the handing over to another thread
_SIZE = attrgetter("size")
COLUMNS = 128  # runs that a work item of the pattern ``columns`` takes side by side


class _Plan(NamedTuple):
    """How arrays of some shapes are walked along: the kernel, unless the formula has no reductions, the shapes of what
    it writes, their type, and what `threads.run` is told."""

    kernel: Callable[..., None] | None
    shapes: list[tuple[int, ...]]
    dtype: np.dtype
    items: int
    length: int
    width: int
    grain: int


class Along:
    """A formula of arrays, read along one of their dimensions.

    Args:
        function: assignments, and what it returns: one value or several. Its arguments are arrays of one shape; some
            may have a single element along the dimension. Its globals ``_`` and the reductions are those of the
            reading. A value that is not a single name or number, is the same along the dimension and stands beside
            values that are not, should have a name: it is then computed once.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self.name = function.__name__
        self.arguments = code.co_varnames[: code.co_argcount]
        self._function = function
        self._arrays: dict[Any, Callable[..., Any]] = {}
        self._kernels: dict[tuple[str, str, str], tuple[Callable[..., None], str]] = {}
        self._lock = threading.Lock()
        self._has_reductions = not REDUCTIONS.isdisjoint(code.co_names)
        self._loop: Any = None
        self._plan = lru_cache(256)(self._planned)

    def __call__(self, axis: Any, *arrays: np.ndarray, out: np.ndarray | None = None) -> Any:
        """The values for ``arrays``, computed in float32 where they are float16.

        Args:
            axis: the dimension, or a tuple of them.
            out: where a compiled walk may write its first value; contiguous, of that size and type.
        """
        first = arrays[0]
        dtype = first.dtype
        if dtype.char == "e":
            values = self(axis, *(array.astype(np.float32) for array in arrays))
            several = isinstance(values, tuple)
            return tuple(value.astype(dtype) for value in values) if several else values.astype(dtype)
        size = first.size if len(arrays) == 1 else max(map(_SIZE, arrays))
        has_loops = jit.use_loops(size) and size and dtype.kind == "f" and dtype.itemsize <= 8
        if has_loops and (plan := self._plan(axis, dtype.char, *[array.shape for array in arrays])):
            return self._walk(plan, arrays, out)
        reading = self._arrays.get(axis)
        if reading is None:
            reading = self._arrays[axis] = self.reading(on_arrays, **_reductions_of_arrays(axis))
        return reading(*arrays)

    def reading(self, library: Any, **reductions: Callable[..., Any]) -> Callable[..., Any]:
        """The function with other meanings of its globals."""
        scope = {"_": library, **reductions}
        return FunctionType(self._function.__code__, scope, self.name)

    def _planned(self, axis: Any, char: str, *shapes: tuple[int, ...]) -> _Plan | None:
        """The walk for arrays of these shapes, if there is one."""
        bounds = _bounds(axis, len(shapes[0]))
        if bounds is None:
            return None
        dtype, shape, (axis, end) = np.dtype(char), max(shapes, key=prod), bounds
        if not self._has_reductions:
            return _Plan(None, [shape], dtype, 0, 0, 0, 0)
        runs, length, width = prod(shape[:axis]), prod(shape[axis:end]), prod(shape[end:])
        reduced = (*shape[:axis], *(1,) * (end - axis), *shape[end:])
        kinds = "".join("e" if each == shape else "r" for each in shapes)
        kernel, results = self._kernel("rows" if width == 1 else "columns", kinds, dtype)
        items = runs if width == 1 else runs * -(-width // COLUMNS)
        grain = max(1, GRAIN // (length * min(width, COLUMNS)))
        return _Plan(
            kernel, [shape if kind == "e" else reduced for kind in results], dtype, items, length, width, grain
        )

    def _walk(self, plan: _Plan, arrays: Sequence[np.ndarray], out: np.ndarray | None) -> Any:
        kernel, shapes, dtype, items, length, width, grain = plan
        if kernel is None:
            return self._pass(arrays, np.empty(shapes[0], dtype) if out is None else out.reshape(shapes[0]))
        outs = [np.empty(shape, dtype) for shape in (shapes if out is None else shapes[1:])]
        if out is not None:
            outs.insert(0, out)
        flat = [contiguous(a).reshape(-1) for a in (*arrays, *outs)]
        threads.run(kernel, items, length, width, *flat, grain=grain)
        return tuple(outs) if len(outs) > 1 else outs[0]

    def _pass(self, arrays: Sequence[np.ndarray], out: np.ndarray) -> np.ndarray:
        """The value of a formula without reductions."""
        if self._loop is None:
            from .along_walk import pointwise

            self._loop = pointwise(self._function, self.arguments)
        return self._loop(arrays, (), out.dtype, [out])[0]

    def _kernel(self, pattern: str, kinds: str, dtype: np.dtype) -> tuple[Callable[..., None], str]:
        """The compiled walk, and the kind of each result."""
        key = (pattern, kinds, dtype.char)
        found = self._kernels.get(key)
        if found is None:
            with self._lock:
                found = self._kernels.get(key)
                if found is None:
                    from .along_walk import compiled  # slow to import: only for who compiles

                    found = self._kernels[key] = compiled(self._function, pattern, kinds, dtype, COLUMNS)
        return found


def _bounds(axis: Any, ndim: int) -> tuple[int, int] | None:
    """The first of the dimensions and the one behind the last, where they lie side by side: a walk sees one."""
    axes = sorted(each % ndim for each in (axis if type(axis) is tuple else (axis,)))
    side_by_side = axes and axes[-1] - axes[0] == len(axes) - 1
    return (axes[0], axes[-1] + 1) if side_by_side else None


LAST = (1, -1)  # the last dimension of a matrix


def _reductions_of_arrays(axis: Any) -> dict[str, Callable[..., Any]]:
    """For each of them a function of an array. NumPy takes 50 ns for a row of a matrix, however short: the largest
    elements are found and picked, and sums are products with ones. Measured for 64 x 10, 4.5 and 1.6 us, 1.8 and 0.5.
    """

    # By position: NumPy takes half a microsecond longer to sort out keywords.
    def highest(x: np.ndarray) -> np.ndarray:
        if x.ndim == 2 and axis in LAST and x.size and x.dtype.kind == "f":
            places = x.argmax(1)
            places += _row_starts(*x.shape)
            return x.reshape(-1).take(places)[:, None]
        return np.maximum.reduce(x.real, axis, None, None, True, -np.inf)  # type: ignore[call-overload]

    def total(x: np.ndarray) -> np.ndarray:
        if x.ndim == 2 and axis in LAST and x.shape[1] <= FEW and x.dtype.char in ONES:
            return x.dot(ONES[x.dtype.char][x.shape[1]])[:, None]
        return np.add.reduce(x, axis, None, None, True)  # type: ignore[call-overload]

    def average(x: np.ndarray) -> np.ndarray:
        sum = total(x)
        return sum / (x.size // sum.size if sum.size else 1)

    return {"highest": highest, "total": total, "average": average}


@lru_cache(64)
def _row_starts(rows: int, length: int) -> np.ndarray:
    return np.arange(0, rows * length, length)
