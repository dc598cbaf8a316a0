"""One formula, read four ways: over floats, over ndarrays, as a compiled loop, and over whatever records.

A rule such as ``def _(g, out): return g * (1 - out * out)`` is ordinary Python on scalars. Its global ``_`` is
the function library, and a reading is the same formula with another library behind that name.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..dtypes import wider
from ..kernels import jit, on_arrays, on_floats, threads
from ..kernels.silence import silently

__all__ = ["BOOL", "CONSTANTS", "F16", "F32", "F64", "I64", "MANY", "Formula", "Program", "as_number", "constant"]

F16, F32, F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)
I64, BOOL = np.dtype(np.int64), np.dtype(np.bool_)
# Elements from which a loop is faster than one pass of NumPy, where threads share it or where arrays of several shapes
# meet. Measured for 131,072 float32 and for a million, one thread: the product of two arrays 17 and 150 us with NumPy,
# 23 and 175 with a loop; of a matrix and a row 30 and 290 with NumPy, 21 and 150 with a loop.
LARGE = 1 << 17
SLOWLY = 4  # a formula that takes NumPy long becomes a loop from a quarter of the elements on
MANY = 1 << 62  # more elements than any array has


def as_number(value: Any, dtype: np.dtype) -> np.ndarray:
    """A number as a 0-d array; integers wrap around as in C where the type is too small."""
    if dtype.kind in "iu" and isinstance(value, (int, np.integer)):
        return np.asarray(int(value) & 0xFFFFFFFFFFFFFFFF, np.uint64).astype(dtype)
    return silently(np.asarray, value, dtype)  # halves: beyond their range lies infinity


class _Constants(dict[float, np.ndarray]):
    """Numbers as 0-d arrays: NumPy converts a Python number anew on every call."""

    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def __missing__(self, number: float) -> np.ndarray:
        array = as_number(number, self.dtype)
        # 0.0 and -0.0 are one key, and NaN is none.
        if number == number and number != 0 and len(self) < 1000:
            self[number] = array
        return array


CONSTANTS = {dtype: _Constants(dtype) for dtype in (F32, F64, I64)}


def constant(value: Any, dtype: np.dtype) -> np.ndarray:
    """A number as a 0-d array that is not to be written to: the same one for the same number, where that is safe."""
    kept = CONSTANTS.get(dtype)
    return as_number(value, dtype) if kept is None or type(value) not in (float, int) else kept[value]


class Formula:
    """A scalar rule: its Python function, whose argument names say what it needs."""

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self.function = function
        self.arguments = code.co_varnames[: code.co_argcount]

    @cached_property
    def tree(self) -> Any:
        """The definition's syntax tree."""
        from . import syntax

        return syntax.tree_of(self.function)

    def rebound(self, library: Any) -> Callable[..., Any]:
        """The function with ``library`` behind the name ``_``."""
        scope = {**self.function.__globals__, "_": library}
        return types.FunctionType(self.function.__code__, scope, self.function.__name__, self.function.__defaults__)

    @cached_property
    def on_floats(self) -> Callable[..., Any]:
        """Over Python floats; where `math` gives up (1/0, log 0, overflow), NumPy's IEEE answer."""
        plain, ieee = self.rebound(on_floats), self.rebound(on_arrays)

        def evaluate(*arguments: float) -> float | bool:
            try:
                return plain(*arguments)
            except (ZeroDivisionError, OverflowError, ValueError):
                with np.errstate(all="ignore"):
                    value = ieee(*(np.float64(argument) for argument in arguments))
                return value.item() if isinstance(value, (np.generic, np.ndarray)) else value

        return evaluate


class Program:
    """Formulas over the same arguments, evaluated together: an operator's forward, or its whole backward.

    Args:
        name: for generated files.
        formulas: one for each result.
        operands: names of the array arguments, in calling order.
        attributes: names of the scalar arguments that follow them.
        results: ``"float"`` or ``"bool"``.
    """

    def __init__(
        self,
        name: str,
        formulas: Sequence[Formula],
        operands: Sequence[str],
        attributes: Sequence[str] = (),
        results: str = "float",
    ) -> None:
        self.name = name
        self.formulas = tuple(formulas)
        self.operands = tuple(operands)
        used = {name for formula in formulas for name in formula.arguments}
        self.attributes = tuple(name for name in attributes if name in used)
        self._attribute_positions = [i for i, name in enumerate(attributes) if name in used]
        self.results = results
        self._small: dict[tuple[str, str], Callable[..., Any]] = {}
        self._single: dict[np.dtype, Callable[..., Any]] = {}  # of these those that `first` calls

    @cached_property
    def loop(self) -> Any:
        """The compiled reading."""
        from . import syntax

        return syntax.loop_of(self)

    @cached_property
    def is_one_pass(self) -> bool:
        """Whether NumPy makes one pass over memory for each result: then a loop would not be faster."""
        from . import syntax

        return all(syntax.is_one_pass(formula.tree) for formula in self.formulas)

    @cached_property
    def is_operation(self) -> bool:
        """Whether each result is computed, and not one of the operands."""
        from . import syntax

        return all(syntax.is_operation(formula.tree) for formula in self.formulas)

    @cached_property
    def _weight(self) -> int:
        from . import syntax

        return SLOWLY if any(syntax.is_slow(formula.tree) for formula in self.formulas) else 1

    @cached_property
    def ufunc(self) -> Callable[..., Any] | None:
        """NumPy's function, when the program is exactly one call of it on its operands in order."""
        from . import syntax

        return syntax.ufunc_of(self)

    @cached_property
    def has_loop(self) -> bool:
        """Whether all that the formulas call can be compiled; most special functions cannot."""
        from . import syntax

        return all(syntax.is_compilable(formula.tree) for formula in self.formulas)

    @cached_property
    def is_for_halves(self) -> bool:
        """Whether the formulas compute on float16 and bfloat16 themselves, not on float32 in their place."""
        from . import syntax

        return any(syntax.is_for_halves(formula.tree) for formula in self.formulas)

    @property
    def largest_small(self) -> int:
        """Up to this size NumPy is the reading of choice, in every mode but ``always``."""
        if not self.has_loop:
            return MANY
        if not self.is_one_pass:
            return jit.threshold // self._weight - 1
        return LARGE - 1 if self.is_operation and (len(self.operands) > 1 or threads.get_num_threads() > 1) else MANY

    def runs_as_loop(self, elements: int, arrays: Sequence[np.ndarray] = ()) -> bool:
        """Whether ``arrays`` of so many elements in all go through a compiled loop rather than NumPy."""
        if not (self.has_loop and jit.use_loops(elements * self._weight)):
            return False
        if not self.is_one_pass or jit.mode() == "always":
            return True
        if elements < LARGE or not self.is_operation:
            return False
        return threads.get_num_threads() > 1 or not all(array.size in (1, elements) for array in arrays)

    def is_widened(self, dtype: np.dtype) -> bool:
        """Whether it computes in float32 and rounds once at the end, as the hardware's own half units do."""
        return (dtype == F16 or dtype in wider) and not self.is_for_halves

    def __call__(
        self, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype, elements: int
    ) -> Sequence[Any]:
        """Results for ``arrays`` of ``dtype`` (or bool), of ``elements`` elements in all."""
        if self.is_widened(dtype):
            wide = [array.astype(F32) if array.dtype == dtype else array for array in arrays]
            results = self(wide, attributes, F32, elements)
            return [r.astype(dtype) if getattr(r, "dtype", None) == F32 else r for r in results]
        values = self.used(attributes)
        if self.runs_as_loop(elements, arrays) and dtype in (F32, F64):
            return self.loop(arrays, values, dtype)
        return self.small(dtype)(*arrays, *[constant(value, dtype) for value in values])

    def first(self, arrays: Sequence[Any], attributes: Sequence[float], dtype: np.dtype, elements: int) -> Any:
        """The first result alone: the way of all operators that are applied, and of rules that compute."""
        run = self._single.get(dtype)
        if run is None and not self.is_widened(dtype):
            run = self._single[dtype] = self.small(dtype, "single")
        if run is None or self.runs_as_loop(elements, arrays):
            return self(arrays, attributes, dtype, elements)[0]
        if self._attribute_positions:
            arrays = [*arrays, *[constant(value, dtype) for value in self.used(attributes)]]
        return run(*arrays)

    def on_runs(self, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype) -> Sequence[Any]:
        """The results for large arrays that need no second look: contiguous, of ``dtype`` (or bool).

        Args:
            attributes: those that the formulas use.

        Raises:
            TypeError: others, or loops are not to be used.
        """
        if not jit.use_loops(jit.threshold) or (dtype is not F32 and dtype is not F64):
            raise TypeError(f"{self.name}: the general way is needed")
        if self.is_one_pass and not self.runs_as_loop(max(array.size for array in arrays), arrays):
            return silently(self.small(dtype), *arrays, *[constant(value, dtype) for value in attributes])
        return self.loop.on_runs(arrays, attributes, dtype)

    def used(self, attributes: Sequence[float]) -> list[float]:
        """Of the row's attributes those that the formulas use."""
        return [attributes[i] for i in self._attribute_positions]

    def small(self, dtype: np.dtype, form: str = "plain") -> Callable[..., Any]:
        """The NumPy reading for arrays of ``dtype``: a function of all operands and attributes, returning a tuple.

        Args:
            form: ``"plain"``; ``"single"`` returns the first result instead of a tuple, and may be NumPy's own
                function; ``"packed"`` takes all operands behind the first as one tuple, which spares the unpacking.
        """
        key = dtype.char, form
        function = self._small.get(key)
        if function is None:
            from . import syntax

            function = (self.ufunc if form == "single" else None) or syntax.compile_program(self, dtype, form)
            self._small[key] = function
        return function
