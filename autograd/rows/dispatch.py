"""From a call on tensors to a result and a recorded node, for any row: convert, promote, compute, record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any, cast

import numpy as np

from .. import dtypes
from ..dtypes import number_dtype, promote_numpy, result_dtype, wider
from ..graph import Node, state
from ..kernels.halves import INEXACT, is_half
from ..kernels.silence import silently
from ..tensor import INFERENCE, ArrayError, Tensor, node_of, shared_counter, wrap
from .layout import tidy
from .nodes import ComplexNode, ManyNode, Output, PointwiseNode, RowNode, WideNode, holds_complex, record
from .readings import BOOL, F32, as_number, constant
from .table import TABLE, CoarseRow, PointwiseRow, Row, public_name
from .unrolled import write_call
from .widening import is_narrow, run_wide
from .writes import IN_NO_GRAD, link_view, shares_memory, type_name

__all__ = ["NUMBERS", "apply", "apply_coarse", "apply_pointwise", "as_number", "broadcast_shape", "signature_of"]

ndarray = np.ndarray
new = object.__new__
REFUSED = {"any": "", "numbers": "b", "floats": "biu"}
SCALING = {"mul", "div"}  # a number beside halves need not be one; added to them, it is rounded first
NUMBERS: Any = (int, float, complex, np.number, np.bool_)


def apply(row: Row, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a row on tensors, recorded where a gradient may be wanted."""
    short = row.short
    if short is not None:
        try:
            return short(*args, **kwargs)
        except Exception:
            short = None  # the general way knows this case, or says what is wrong
    else:
        write_call(row, _record_coarse)
    return apply_generally(row, args, kwargs)


def apply_generally(row: Row, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """`apply` for any case, without the short path."""
    if isinstance(row, PointwiseRow):
        return apply_pointwise(row, row.bind(args, kwargs))
    return apply_coarse(cast(CoarseRow, row), row.bind(args, kwargs))


Tensor._apply_row = staticmethod(apply)  # type: ignore[attr-defined]


def apply_pointwise(row: PointwiseRow, values: list[Any]) -> Tensor:
    count = len(row.inputs)
    operands, attributes = values[:count], tuple(values[count:])
    arrays: list[ndarray] = []
    nodes: list[Node | None] = []
    differentiable = False
    try:
        signature = signature_of(row, operands)
        dtype = signature.dtype
        if signature.is_replaced:
            return apply(TABLE[cast(str, row.complex)], [_promoted(operand, dtype) for operand in operands], {})
        for operand, target in zip(operands, signature.casts):  # noqa: B905 (hot path)
            if isinstance(operand, Tensor):
                node = operand._node if operand._view is None else node_of(operand)
                array = operand._array
                arrays.append(array if target is None else tidy(array.astype(target), array))
                nodes.append(node)
                if node is not None:
                    differentiable = True
            else:
                arrays.append(constant(operand, target))
                nodes.append(None)
    except ArrayError as error:
        return error.of_row(row, values)
    size = math.prod(broadcast_shape(row, arrays))
    result = silently(row.program.first, arrays, attributes, dtype, size)
    if type(result) is not ndarray:
        result = np.asarray(result)
    result = tidy(result, *arrays) if row.keeps_layout else np.ascontiguousarray(result).reshape(result.shape)
    if result is arrays[0]:
        result = result.copy()  # identity: the result of an operator is never its input
    if result.dtype is not dtype and row.result != "bool":
        result = result.astype(dtype, copy=False)
    out = wrap(result)
    if state.inference:
        out._counter = INFERENCE
    if differentiable and row.is_recorded and (state.grad or state.push) and result.dtype.kind in INEXACT:
        _record_pointwise(row, signature, operands, arrays, nodes, attributes, out)
    return out


def _record_pointwise(
    row: PointwiseRow,
    signature: Signature,
    operands: list[Any],
    arrays: list[ndarray],
    nodes: list[Node | None],
    attributes: tuple[Any, ...],
    out: Tensor,
) -> None:
    plan = row.plan(tuple([node is not None for node in nodes]))
    if not plan.names:
        return
    result = out._array
    saved: list[ndarray] = []
    guards: list[Any] = []
    for i in plan.saved_positions:
        if i < 0:
            saved.append(result)
            guards += (shared_counter(out), 0)
            continue
        saved.append(arrays[i])
        owner = operands[i]
        if isinstance(owner, Tensor) and owner._array is arrays[i]:
            guards += _guard(owner)
    keeps_dtype = plan.keeps_shape and not signature.is_half
    fits = [
        None
        if keeps_dtype and signature.casts[i] is None and arrays[i].shape == result.shape
        else (arrays[i].shape, operands[i]._array.dtype)
        for i in plan.positions
    ]
    edges = tuple([nodes[i] for i in plan.positions])
    node_class = ComplexNode if signature.dtype.kind == "c" else PointwiseNode
    record(out, plan, edges, tuple(saved), tuple(guards), fits, attributes, node_class)


def _promoted(operand: Any, dtype: np.dtype) -> Tensor:
    if not isinstance(operand, Tensor):
        return wrap(as_number(operand, dtype))
    return operand if operand._array.dtype == dtype else TABLE["to"](operand, dtype)


def _guard(owner: Tensor) -> list[Any]:
    counter = shared_counter(owner)
    return [counter, counter[0]]


class Signature:
    """What the kinds of its operands decide about a pointwise row, by PyTorch's promotion.

    Attributes:
        promoted: the common dtype of the operands.
        dtype: that in which the row computes: integers may become floats.
        casts: for each operand the dtype to which it is converted, or None.
        is_half: whether it scales halves: a number beside them need not be one.
        is_replaced: whether another row takes its place for complex numbers.

    Raises:
        TypeError: an operand is neither a tensor nor a number.
    """

    __slots__ = ("casts", "dtype", "is_half", "is_replaced", "promoted")

    def __init__(self, row: PointwiseRow, operands: Sequence[Any]) -> None:
        self.promoted = dtype = _promoted_dtype(row, operands)
        if row.result == "float" and dtype.kind in "biu":
            dtype = dtypes.default_dtype.numpy
        elif row.result == "number" and dtype.kind == "b":
            dtype = dtypes.int64.numpy
        self.dtype = dtype
        self.is_half = row.name in SCALING and is_half(dtype)
        self.is_replaced = dtype.kind == "c" and isinstance(row.complex, str)
        self.casts: list[Any] = []
        for name, operand in zip(row.inputs, operands, strict=True):
            if not isinstance(operand, Tensor):
                self.casts.append(BOOL if name == "condition" else F32 if self.is_half else dtype)
            else:
                self.casts.append(None if name == "condition" or operand._array.dtype == dtype else dtype)


def signature_of(row: PointwiseRow, operands: Sequence[Any]) -> Signature:
    """What the kinds of the operands decide: found out once for each combination of them."""
    key: list[Any] = [dtypes.default_dtype.numpy]
    for operand in operands:
        if isinstance(operand, Tensor):
            array = operand._array
            key += (array.dtype, array.ndim > 0)
        else:
            key.append(type(operand))
    kinds = tuple(key)
    signature = row.signatures.get(kinds)
    if signature is None:
        signature = row.signatures[kinds] = Signature(row, operands)
    if row.check is not None:
        row.check(operands, signature.promoted)
    return signature


def _promoted_dtype(row: PointwiseRow, operands: Sequence[Any]) -> np.dtype:
    dimensioned = zero_dim = number = None
    for name, operand in zip(row.inputs, operands, strict=True):
        if name == "condition":
            if isinstance(operand, Tensor) and operand._array.dtype.kind != "b":
                raise RuntimeError(f"{row.name} expected condition to be a boolean tensor, but got {operand.dtype}")
            continue
        if isinstance(operand, Tensor):
            dtype = operand._array.dtype
            if operand._array.ndim:
                dimensioned = dtype if dimensioned is None else promote_numpy(dimensioned, dtype)
            else:
                zero_dim = dtype if zero_dim is None else promote_numpy(zero_dim, dtype)
        elif isinstance(operand, NUMBERS):
            dtype = number_dtype(operand)
            number = dtype if number is None else promote_numpy(number, dtype)
        else:
            raise TypeError(
                f"{row.name}(): argument '{public_name(name)}' must be Tensor or a number, not {type(operand).__name__}"
            )
    dtype = result_dtype(dimensioned, zero_dim, number)
    if dtype.kind == "c" and row.refuses_complex:
        raise RuntimeError(f"{row.name} is not supported for complex tensors: {row.refuses_complex}")
    if dtype.kind in REFUSED[row.accepts] or (dtype.kind == "c" and not row.complex):
        raise NotImplementedError(
            f"\"{row.name}\" not implemented for '{type_name(dtype)}'; "
            f"{'take .real, .imag or .abs()' if dtype.kind == 'c' else 'convert the operands with .float()'}"
        )
    if row.refuses_bool and any(
        v._array.dtype.kind == "b" if isinstance(v, Tensor) else isinstance(v, (bool, np.bool_)) for v in operands
    ):
        raise RuntimeError(f"{row.name} is not supported on bool tensors: {row.refuses_bool}")
    return dtype


def broadcast_shape(row: Row, arrays: Sequence[ndarray]) -> tuple[int, ...]:
    """The common shape; the error names both shapes and the first dimension that does not match."""
    common: tuple[int, ...] = ()
    for array in arrays:
        shape = array.shape
        if shape and shape != common:
            common = _broadcast(row, common, shape) if common else shape
    return common


def _broadcast(row: Row, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:
    ndim = max(len(a), len(b))
    wide_a, wide_b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
    for dim in reversed(range(ndim)):
        if wide_a[dim] != wide_b[dim] and wide_a[dim] != 1 and wide_b[dim] != 1:
            raise RuntimeError(
                f"The size of tensor a ({wide_a[dim]}) must match the size of tensor b ({wide_b[dim]}) at "
                f"non-singleton dimension {dim}: {row.name} got shapes {list(a)} and {list(b)}."
            )
    return tuple([m if n == 1 else n for m, n in zip(wide_a, wide_b, strict=True)])


# --- Rows with a kernel of their own -------------------------------------------------------------------------------


def apply_coarse(row: CoarseRow, values: list[Any]) -> Any:
    """A coarse row on tensors: unwraps the inputs, computes, wraps and records."""
    arguments = list(values)
    nodes: list[Any] = []
    differentiable = False
    try:
        for position, name in row.input_places:
            value = values[position]
            if isinstance(value, Tensor):
                arguments[position] = value._array
                node = value._node if value._view is None else node_of(value)
                nodes.append(node)
                if node is not None:
                    differentiable = True
            elif name in row.sequences:
                arguments[position], several = _unwrapped(row, name, value)
                nodes.append(several)
                differentiable = differentiable or several is not None
            elif value is None or isinstance(value, ndarray):
                nodes.append(None)
            else:
                kind = type(value).__name__
                raise TypeError(f"{row.name}(): argument '{public_name(name)}' must be Tensor, not {kind}")
    except ArrayError as error:
        return error.of_row(row, values)
    if row.is_real and holds_complex([arguments[position] for position in row.input_positions]):
        return _without_complex(row, values)
    if row.is_view:
        result = row.forward(*arguments)
    elif wider and is_narrow(row, arguments):
        result = run_wide(row, arguments)
    else:
        result = silently(row.forward, *arguments)
    extras: tuple[Any, ...] = ()
    if row.extras:
        result, *extras = result
    if row.outputs is None:
        return _wrap_many(row, values, nodes, arguments, result, extras, differentiable)
    if type(result) is not ndarray:
        result = np.asarray(result)
    source = values[row.input_positions[0]]
    given: Any = source._array if isinstance(source, Tensor) else None
    if not row.is_view:
        if not row.keeps_layout:
            if not result.flags.c_contiguous:
                result = np.ascontiguousarray(result)
        elif given is not None and 0 in given.strides and not result.flags.c_contiguous:
            result = np.ascontiguousarray(result)
    out = wrap(result.view() if result is given else result)
    if row.is_view and given is not None and shares_memory(result, given):
        link_view(out, source, (row, tuple(values[1:]), {}), None if state.grad else IN_NO_GRAD)
    elif state.inference:
        out._counter = INFERENCE
    if differentiable and (state.grad or state.push) and result.dtype.kind in INEXACT:
        _record_coarse(row, values, nodes, arguments, out, extras)
    return out


def _unwrapped(row: CoarseRow, name: str, tensors: Any) -> tuple[list[ndarray], list[Node | None] | None]:
    """The arrays of a sequence of tensors, and their nodes where one has any."""
    if not isinstance(tensors, (list, tuple)):
        raise TypeError(
            f"{row.name}(): argument '{public_name(name)}' must be a sequence of Tensors, not {type(tensors).__name__}"
        )
    arrays: list[ndarray] = []
    nodes: list[Node | None] = []
    for item in tensors:
        if not isinstance(item, Tensor):
            raise TypeError(
                f"{row.name}(): expected Tensor as element of argument '{public_name(name)}', but got "
                f"{type(item).__name__}"
            )
        arrays.append(item._array)
        nodes.append(node_of(item))
    return arrays, nodes if any(node is not None for node in nodes) else None


def _without_complex(row: CoarseRow, values: list[Any]) -> Any:
    """The row that takes the place of one that knows real numbers only, or the error."""
    if isinstance(row.complex, str):
        return apply(TABLE[row.complex], values, {})
    raise NotImplementedError(f'"{row.name}" not implemented for complex numbers; take .real, .imag or .abs()')


def _record_coarse(
    row: CoarseRow,
    values: list[Any],
    nodes: list[Any],
    arguments: list[Any],
    out: Tensor,
    extras: Sequence[Any],
    outs: Sequence[Tensor] = (),
) -> RowNode | None:
    plan = row.plan(tuple([node is not None for node in nodes]))
    if not plan.names:
        return None
    saved: list[Any] = []
    guards: list[Any] = []
    for name in plan.saved:
        if name == "out":
            saved.append(out._array)
            guards += [shared_counter(out), 0] if out._view is None else _guard(out)
        elif name == "outs":
            saved.append(tuple(each._array for each in outs))
            for each in outs:
                guards += [shared_counter(each), 0]
        elif name in row.extras:
            saved.append(extras[row.extras.index(name)])
        else:
            position = row.input_positions[row.inputs.index(name)]
            saved.append(arguments[position])
            owner = values[position]
            for tensor in owner if isinstance(owner, (list, tuple)) else (owner,):
                if isinstance(tensor, Tensor):
                    guards += _guard(tensor)
    context = tuple(
        [
            arguments[position] if fact is None else _fact(out._array if position < 0 else arguments[position], fact)
            for position, fact in plan.context
        ]
    )
    edges: list[Node | None] = [nodes[i] for i in plan.positions]
    if row.sequences:
        edges = [node for each in edges for node in (each if isinstance(each, list) else (each,))]
    fits, node_class = None, RowNode
    if out._array.dtype.kind == "c":
        fits, node_class = _real_inputs(row, plan.positions, arguments), ComplexNode
    elif wider and (is_narrow(row, arguments) or out._array.dtype in wider):
        fits, node_class = _real_inputs(row, plan.positions, arguments), WideNode
    return record(out, plan, tuple(edges), tuple(saved), tuple(guards), fits, context, node_class)


def _fact(value: Any, name: str) -> Any:
    """What a rule asks of an array, ``"shape"`` or ``"dtype"``; of a sequence of them ``"shapes"``."""
    if name == "shapes":
        return [array.shape for array in value]
    return None if value is None else getattr(value, name)


def _real_inputs(row: CoarseRow, positions: Sequence[int], arguments: Sequence[Any]) -> list[Any]:
    """What `fit` needs where the rules compute in another dtype than the real inputs have: of a complex gradient the
    real part, of a wide one what it is rounded to."""
    fits: list[Any] = []
    for i in positions:
        value = arguments[row.input_positions[i]]
        for array in value if isinstance(value, list) else [value]:
            real = array is not None and array.dtype.kind != "c"
            fits.append((array.shape, array.dtype) if real else None)
    return fits


@cache
def _one_of_many(row: CoarseRow, number: int) -> str:
    return (
        f"Output {number} of {row.node_name()} is a view and is being modified inplace. This view is the output of a "
        "function that returns multiple views. Such functions do not allow the output views to be modified inplace. "
        "You should replace the inplace operation by an out-of-place one."
    )


def _wrap_many(
    row: CoarseRow,
    values: list[Any],
    nodes: list[Any],
    arguments: list[Any],
    results: Sequence[ndarray],
    extras: Sequence[Any],
    differentiable: bool,
) -> tuple[Tensor, ...]:
    outs = tuple(wrap(np.asarray(result)) for result in results)
    source = values[row.input_positions[0]]
    for number, out in enumerate(outs):
        if state.inference and not row.is_view:
            out._counter = INFERENCE
        elif row.is_view and isinstance(source, Tensor) and shares_memory(out._array, source._array):
            step: Any = (TABLE["pick"], (row, tuple(arguments[1:]), number), {})
            link_view(out, source, step, _one_of_many(row, number))
    if differentiable and (state.grad or state.push) and outs:
        carrier = wrap(outs[0]._array)
        node = _record_coarse(row, values, nodes, arguments, carrier, extras, outs)
        if node is not None:
            many = new(ManyNode)
            for slot in ("edges", "hooks", "plan", "saved", "guards", "fit", "attributes"):
                setattr(many, slot, getattr(node, slot))
            many.shapes = [(out._array.shape, out._array.dtype) for out in outs]
            for number, out in enumerate(outs):
                if out._array.dtype.kind in INEXACT:
                    out._node = Output(many, number)
            if state.push is not None:
                state.push(outs, many)
    return outs
