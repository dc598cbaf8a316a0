"""The short path: functions for rows of one and two inputs that cost about as much as NumPy's own call.

They handle the common case (one float type, small or in one piece, nothing unusual) and leave everything else, errors
included, to `apply_pointwise`. Every line here runs once per operator call, and is there because it was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import graph
from ..dtypes import from_numpy_dtype
from ..graph import state
from ..kernels import jit
from ..kernels.silence import quiet
from ..tensor import ArrayError, Tensor, node_of, wrap
from .dispatch import NUMBERS, apply, apply_pointwise
from .layout import tidy
from .readings import CONSTANTS, F32, F64, I64, MANY
from .table import PointwiseRow
from .unrolled import FIXED, RECORDED, TENSOR, recorders
from .writes import write_out

__all__ = ["binary", "named", "reflected", "unary"]

ndarray = np.ndarray
new = object.__new__
KEPT_LESS = 1 << 16  # elements from which a row's `many` takes its place: fewer are as fast without (ReLU, measured)

# While something watches every operator (anomaly mode, inference mode), or loops are used at any size, the short path
# has no reading to run: the attempt fails, and the general way takes over. This costs the path itself nothing.
_forget: list[Callable[[], None]] = []


def _is_watched() -> bool:
    return graph.is_watched() or jit.mode() == "always"


def _notice() -> None:
    for forget in _forget:
        forget()


graph.watchers.append(_notice)
jit.listeners.append(_notice)


def _readings(row: PointwiseRow) -> tuple[Any, Any, Any, int]:
    """NumPy's readings for float32 and float64, that for many elements, and what is not many."""
    if _is_watched():
        return None, None, None, MANY
    program = row.program
    return program.small(F32, "single"), program.small(F64, "single"), program.on_runs, program.largest_small


def unary(row: PointwiseRow) -> Callable[..., Tensor]:
    """The function for a row of one input and no attributes."""
    run32: Any = None
    record: Any = None
    rest = _Unary(row)

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        try:
            array = input._array
            if out is not None:
                return rest.general(input, out)
            if array.size > rest.limit:
                if row.many is not None and _keeps_less(input):
                    return apply(row.many, (input,), {})
                result = rest.on_runs((array,), (), array.dtype)[0]
            elif array.dtype is F32:
                result = quiet(run32, array)
            elif array.dtype is F64:
                result = quiet(rest.run64, array)
            else:
                return rest.general(input, out)
        except Exception:
            if run32 is None:
                prepare()
            return rest.general(input, out)
        if type(result) is not ndarray:
            result = np.asarray(result)
        if input._view is None:
            node = input._node
        else:
            node, result = node_of(input), tidy(result, array)
        tensor = new(Tensor)
        tensor._array = result
        tensor._view = tensor._counter = tensor._node = None
        if node is not None and record and state.grad:
            record(tensor, input, array, node)
        return tensor

    def prepare() -> None:
        nonlocal run32, record
        record = _recorder(row, RECORDED)
        run32, rest.run64, rest.on_runs, rest.limit = _readings(row)

    def forget() -> None:
        nonlocal run32
        run32 = rest.run64 = rest.on_runs = None

    _forget.append(forget)
    return function


def _keeps_less(input: Tensor) -> bool:
    """Whether a row's `many` takes its place."""
    if not state.grad or state.push is not None or _is_watched():
        return False
    try:
        array = input._array
        is_plain = (array.dtype is F32 or array.dtype is F64) and array.flags.c_contiguous
    except ArrayError:  # an example of a batch, inside `vmap`
        return False
    return is_plain and array.size >= KEPT_LESS and jit.use_loops(array.size) and node_of(input) is not None


def _recorder(row: PointwiseRow, *kinds: int) -> Callable[..., None] | None:
    """What makes the node for operands of these kinds, or None where no rule leads back."""
    return recorders(row)[kinds] if row.is_recorded else None


class _Unary:
    """What the short path of a unary row looks up only when it must."""

    __slots__ = ("limit", "on_runs", "row", "run64")

    def __init__(self, row: PointwiseRow) -> None:
        self.row = row
        self.limit = MANY  # until the first use, which fails for want of a reading
        self.run64: Any = None
        self.on_runs: Any = None

    def general(self, input: Any, out: Tensor | None) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(f"{self.row.name}(): argument 'input' must be Tensor, not {type(input).__name__}")
        if out is None and self.row.many is not None and _keeps_less(input):
            return apply(self.row.many, (input,), {})
        result = apply_pointwise(self.row, [input])
        return result if out is None else write_out(out, result, self.row.name, (input,))


CONSTANTS32, CONSTANTS64 = CONSTANTS[F32], CONSTANTS[F64]


class _Binary:
    """What the short path of a binary row looks up only when it must."""

    __slots__ = ("on_integers", "on_runs", "row", "run64", "with_number")

    def __init__(self, row: PointwiseRow) -> None:
        self.row = row
        self.with_number = _with_number(row)
        self.run64: Any = None
        self.on_runs: Any = None
        self.on_integers: Any = None  # NumPy's reading for int64, False where the row does more than that; None unknown

    def general(self, input: Any, other: Any) -> Any:
        run = self.on_integers
        if run is None and not _is_watched():
            row = self.row
            is_plain = row.check is None and row.result in ("same", "bool") and row.accepts == "any"
            run = self.on_integers = is_plain and row.program.small(I64, "single")
        if run and type(input) is type(other) is Tensor and input._view is other._view is None:
            a, b = input._array, other._array
            if a.dtype is b.dtype is I64:
                try:
                    return wrap(np.asarray(quiet(run, a, b)))
                except Exception:
                    return _general(self.row, input, other)
        return _general(self.row, input, other)


def _as_in_numpy(operands: list[Any]) -> list[Any]:
    """A tensor and an ndarray as two tensors, of the dtype that NumPy gives to their result."""
    arrays = [getattr(operand, "_array", operand) for operand in operands]
    common = from_numpy_dtype(np.result_type(*arrays))
    return [(wrap(operand) if isinstance(operand, ndarray) else operand).to(common) for operand in operands]


def _general(row: PointwiseRow, input: Any, other: Any) -> Any:
    operands = [input, other]
    if isinstance(input, ndarray) or isinstance(other, ndarray):
        operands = _as_in_numpy(operands)
    if not all(isinstance(operand, (Tensor, *NUMBERS)) for operand in operands):
        return NotImplemented
    return apply_pointwise(row, operands)


def reflected(row: PointwiseRow) -> Callable[[Any, Any], Any]:
    """The function behind a reflected operator, such as ``2 - x``; the tensor comes first."""
    with_number = _with_number(row, reflected=True)

    def function(input: Any, other: Any) -> Any:
        kind = type(other)
        if kind is float or kind is int:
            try:
                return with_number(input, other)
            except Exception:
                return _general(row, other, input)
        return _general(row, other, input)

    return function


def binary(row: PointwiseRow) -> Callable[[Any, Any], Any]:
    """The function for a row of two inputs and no attributes, as it stands behind a Python operator.

    It returns NotImplemented where an operand is neither a tensor nor a number.
    """
    rest = _Binary(row)
    limit = MANY
    run32: Any = None
    both: Any = None
    left: Any = None
    right: Any = None

    def function(input: Any, other: Any) -> Any:
        try:
            kind = type(other)
            if kind is not Tensor and (kind is float or kind is int):
                return rest.with_number(input, other)
            a = input._array
            b = other._array
            dtype = a.dtype
            if dtype is not b.dtype:
                return rest.general(input, other)
            if a.size > limit or b.size > limit:
                result = rest.on_runs((a, b), (), dtype)[0]
            elif dtype is F32:
                result = quiet(run32, a, b)
            elif dtype is F64:
                result = quiet(rest.run64, a, b)
            else:
                return rest.general(input, other)
        except Exception:
            if run32 is None:
                prepare()
            return rest.general(input, other)
        if type(result) is not ndarray:
            result = np.asarray(result)
        if input._view is other._view is None:
            x, y = input._node, other._node
            if not a.flags.c_contiguous:
                result = tidy(result, a, b)
        else:
            x, y, result = node_of(input), node_of(other), tidy(result, a, b)
        tensor = new(Tensor)
        tensor._array = result
        tensor._view = tensor._counter = tensor._node = None
        if y is None:
            if x is None:
                return tensor
            record = left
        else:
            record = right if x is None else both
        if record and state.grad:
            record(tensor, input, other, a, b, x, y)
        return tensor

    def prepare() -> None:
        nonlocal run32, limit, both, left, right
        both, left, right = (
            _recorder(row, *kinds) for kinds in ((RECORDED, RECORDED), (RECORDED, TENSOR), (TENSOR, RECORDED))
        )
        run32, rest.run64, rest.on_runs, limit = _readings(row)

    def forget() -> None:
        nonlocal run32
        run32 = rest.run64 = rest.on_runs = rest.on_integers = None

    _forget.append(forget)
    return function


def named(row: PointwiseRow) -> Callable[..., Tensor]:
    """The function that users call by name, ``autograd.add(x, y)``, around what stands behind the operator."""
    function = binary(row)
    allowed = (Tensor, *NUMBERS)
    kinds = (
        ("input", allowed if row.numbers in ("any", "either") else Tensor),
        ("other", allowed if row.numbers != "none" else Tensor),
    )

    plain = () if row.numbers == "none" else (float, int)  # taken without a closer look

    def public(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
        if type(input) is not Tensor or (type(other) is not Tensor and type(other) not in plain):
            for (name, kind), operand in zip(kinds, (input, other), strict=True):
                if not isinstance(operand, kind):
                    raise TypeError(f"{row.name}(): argument '{name}' must be Tensor, not {type(operand).__name__}")
            if row.numbers != "any" and not isinstance(input, Tensor) and not isinstance(other, Tensor):
                raise TypeError(f"{row.name}(): one of the arguments must be a Tensor, not two numbers")
        result = function(input, other)
        return result if out is None else write_out(out, result, row.name, (input, other))

    return public


def _with_number(row: PointwiseRow, reflected: bool = False) -> Callable[[Any, float], Tensor]:
    """The function for a tensor and a Python number; it raises where the general way is needed."""
    limit = MANY
    run32: Any = None
    run64: Any = None
    on_runs: Any = None
    record: Any = None

    def function(input: Any, other: float) -> Tensor:
        array = input._array
        dtype = array.dtype
        if run32 is None:
            prepare()
        if dtype is F32:
            number, run = CONSTANTS32[other], run32
        elif dtype is F64:
            number, run = CONSTANTS64[other], run64
        else:
            raise TypeError("other types go the general way")
        if array.size > limit:
            result = on_runs((number, array) if reflected else (array, number), (), dtype)[0]
        else:
            result = quiet(run, number, array) if reflected else quiet(run, array, number)
        if type(result) is not ndarray:
            result = np.asarray(result)
        if input._view is None:
            node = input._node
        else:
            node, result = node_of(input), tidy(result, array)
        tensor = new(Tensor)
        tensor._array = result
        tensor._view = tensor._counter = tensor._node = None
        if node is not None and record and state.grad:
            if reflected:
                record(tensor, other, input, number, array, None, node)
            else:
                record(tensor, input, other, array, number, node, None)
        return tensor

    def prepare() -> None:
        nonlocal limit, run32, run64, on_runs, record
        record = _recorder(row, *((FIXED, RECORDED) if reflected else (RECORDED, FIXED)))
        run32, run64, on_runs, limit = _readings(row)

    def forget() -> None:
        nonlocal run32, run64, on_runs
        run32 = run64 = on_runs = None

    _forget.append(forget)
    return function
