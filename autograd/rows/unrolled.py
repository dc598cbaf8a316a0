"""The short path of most rows: for each of them the steps of `dispatch`, written out.

A small product or a view takes NumPy less time than Python takes to walk through lists of operands, nodes and saved
values. What these lists hold is known from the row; so the row's own function is generated without them: one that
unwraps, computes and wraps, and for each combination of operands that are recorded one that makes the node. They
handle the common case (real numbers, nothing that watches; for pointwise rows, small contiguous operands of one type)
and raise on everything else, errors included, which is then done the general way. Pointwise rows of one and two inputs
without attributes are shorter still in `shortcuts`. Measured for a linear layer of 32 x 16: 10 us the general way, 6 us
so, of which NumPy takes 2.1; its way back 11 and 5 us; for `where` of 4 x 4, 8.6 and 3.1 us.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import Any, cast

import numpy as np

from .. import dtypes, graph
from ..dtypes import wider
from ..graph import state
from ..kernels import jit
from ..kernels.halves import INEXACT
from ..kernels.silence import quiet
from ..tensor import Tensor, node_of
from .nodes import PointwiseNode, RowNode
from .readings import BOOL, CONSTANTS, F32, F64
from .table import CoarsePlan, CoarseRow, PointwisePlan, PointwiseRow, Row, library
from .writes import IN_NO_GRAD, link_view, shares_memory

__all__ = ["FIXED", "RECORDED", "TENSOR", "recorders", "write_call"]

# What the operands may hold, besides floats of 32 and 64 bits: halves and complex numbers are computed in other ways.
_PLAIN = frozenset(np.dtype(char) for char in "?bhilqBHILQ")
# Kinds of operands: no tensor, one without history, one with.
FIXED, TENSOR, RECORDED = range(3)


class UnusualError(Exception):
    """The short path does not know this case."""


def _refuse_narrow(dtype: Any) -> None:
    if isinstance(dtype, dtypes.dtype) and dtype.numpy in wider:
        raise UnusualError


def _array(operand: Any) -> np.ndarray:
    """An operand that is no tensor."""
    if type(operand) is not np.ndarray:
        raise UnusualError
    return operand


_SCOPE: dict[str, Any] = {
    "BOOL": BOOL,
    "CONSTANTS32": CONSTANTS[F32],
    "CONSTANTS64": CONSTANTS[F64],
    "F32": F32,
    "F64": F64,
    "INEXACT": INEXACT,
    "IN_NO_GRAD": IN_NO_GRAD,
    "PLAIN": _PLAIN,
    "PointwiseNode": PointwiseNode,
    "RowNode": RowNode,
    "Tensor": Tensor,
    "Unusual": UnusualError,
    "array": _array,
    "asarray": np.asarray,
    "contiguous": np.ascontiguousarray,
    "link_view": link_view,
    "ndarray": np.ndarray,
    "new": object.__new__,
    "node_of": node_of,
    "quiet": quiet,
    "refuse_narrow": _refuse_narrow,
    "shares_memory": shares_memory,
    "state": state,
}


_in_use: list[Row] = []


def _forget() -> None:
    while _in_use:
        row = _in_use.pop()
        row.short = None
        for plan in row.plans.values():
            plan.unrolled = None


graph.watchers.append(_forget)
jit.listeners.append(_forget)


def write_call(row: Row, record: Callable[..., Any]) -> None:
    """Gives the row its short path, unless something watches every operator or the row is of a kind that has none.

    Args:
        record: the general way to record a result of a row with a kernel.
    """
    if graph.is_watched() or not _can_be_written(row):
        return
    if row.written is None:
        defaults = {f"default_{name}": value for name, value in row.defaults.items()}
        scope = {**_SCOPE, **defaults, "ROW": row, "forward": row.forward, "recorders": recorders(row)}
        if isinstance(row, PointwiseRow):
            run32, run64 = row.program.small(F32, "single"), row.program.small(F64, "single")
            scope.update(run32=run32, run64=run64, on_runs=row.program.on_runs, check=row.check)
        else:
            scope["record"] = record
        row.written = _compile(f"{row.name}, unrolled", _call_source(row), scope)
    if isinstance(row, PointwiseRow):
        row.written.__globals__["limit"] = row.program.largest_small  # another one after `jit` has told of a change
    row.short = row.written
    for plan in row.plans.values():
        plan.unrolled = plan.written
    _in_use.append(row)
    if graph.is_watched():  # another thread began to watch in the meantime, and has told everybody before
        _forget()


def _can_be_written(row: Row) -> bool:
    if isinstance(row, PointwiseRow):
        return jit.mode() != "always" and row.keeps_layout and not row.refuses_backward
    return isinstance(row, CoarseRow) and row.outputs is not None and not row.sequences


def _compile(label: str, lines: list[str], scope: dict[str, Any]) -> Callable[..., Any]:
    exec(compile("\n".join(lines), f"<{label}>", "exec"), scope)
    return scope["call"]


def _call_source(row: Row) -> list[str]:
    return _pointwise_source(row) if isinstance(row, PointwiseRow) else _kernel_source(cast(CoarseRow, row))


def _signature(row: Row) -> str:
    return ", ".join(f"{name}=default_{name}" if name in row.defaults else name for name in row.parameters)


def _pointwise_source(row: PointwiseRow) -> list[str]:
    lines = [f"def call({_signature(row)}):", "    d = None"]
    tensors = [(i, name) for i, name in enumerate(row.inputs) if name != "condition"]
    for i, name in tensors:
        lines += [
            f"    if type({name}) is not float and type({name}) is not int:",
            f"        a{i} = {name}._array",
            f"        if a{i}.dtype is not d:",
            "            if d is not None: raise Unusual",
            f"            d = a{i}.dtype",
        ]
    lines += [
        "    if d is F32: constants, run = CONSTANTS32, run32",
        "    elif d is F64: constants, run = CONSTANTS64, run64",
        "    else: raise Unusual",
    ]
    for i, name in enumerate(row.inputs):
        if name == "condition":
            lines.append(f"    a{i} = {name}._array")
            lines.append(f"    if a{i}.dtype is not BOOL: raise Unusual")
            lines.append(f"    n{i}, k{i} = None, {TENSOR}")
        else:
            lines += [
                f"    if type({name}) is float or type({name}) is int:",
                f"        a{i}, n{i}, k{i} = constants[{name}], None, {FIXED}",
                "    else:",
                f"        n{i} = {name}._node if {name}._view is None else node_of({name})",
                f"        k{i} = {TENSOR} if n{i} is None else {RECORDED}",
            ]
        lines.append(f"    if not a{i}.flags.c_contiguous: raise Unusual")
    for name in row.program.attributes:
        lines.append(f"    if type({name}) is not float and type({name}) is not int: raise Unusual")
    if row.check is not None:
        lines.append(f"    check([{', '.join(row.inputs)}], d)")
    given = [f"a{i}" for i in range(len(row.inputs))]
    values = given + [f"constants[{name}]" for name in row.program.attributes]
    lines += [
        f"    if {' or '.join(f'{array}.size > limit' for array in given)}:",
        f"        made = on_runs({_tuple(given)}, {_tuple(row.program.attributes)}, d)[0]",
        "    else:",
        f"        made = quiet(run, {', '.join(values)})",
        "        if type(made) is not ndarray: made = asarray(made)",
        "        if not made.flags.c_contiguous: made = contiguous(made)",
        f"        if made.size > limit or made.dtype is not {'BOOL' if row.result == 'bool' else 'd'}: raise Unusual",
        *(f"    if made is a{i}: made = made.copy()" for i, _ in tensors),
        "    out = new(Tensor)",
        "    out._array = made",
        "    out._node = out._counter = out._view = None",
    ]
    if row.is_recorded:
        nodes, kinds = [f"n{i}" for i, _ in tensors], "".join(f"k{i}, " for i in range(len(row.inputs)))
        lines += [
            f"    if ({' or '.join(f'{node} is not None' for node in nodes)}) and state.grad:",
            f"        make = recorders[{kinds}]",
            f"        if make: make({', '.join(_recorder_parameters(row))})",
        ]
    return [*lines, "    return out"]


def _kernel_source(row: CoarseRow) -> list[str]:
    count = len(row.inputs)
    arguments = [f"a{row.inputs.index(name)}" if name in row.inputs else name for name in row.parameters]
    extras = [f"e{i}" for i in range(len(row.extras))]
    lines = [f"def call({_signature(row)}):"]
    for i, name in enumerate(row.inputs):
        pad = "    "
        if i or name in row.defaults:
            lines += [f"    if {name} is None:", f"        a{i}, n{i}, k{i} = None, None, {FIXED}", "    else:"]
            pad = "        "
        lines += [
            f"{pad}try: a{i} = {name}._array",
            f"{pad}except AttributeError: a{i}, n{i}, k{i} = array({name}), None, {FIXED}",
            f"{pad}else:",
            f"{pad}    n{i} = {name}._node if {name}._view is None else node_of({name})",
            f"{pad}    k{i} = {TENSOR} if n{i} is None else {RECORDED}",
            f"{pad}d{i} = a{i}.dtype",
            f"{pad}if d{i} is not F32 and d{i} is not F64 and d{i} not in PLAIN: raise Unusual",
        ]
    if "dtype" in row.attributes:
        lines.append("    if dtype is not None: refuse_narrow(dtype)")
    computed = f"forward({', '.join(arguments)})" if row.is_view else f"quiet(forward, {', '.join(arguments)})"
    lines += [
        f"    {', '.join(['made', *extras])} = {computed}",
        "    if type(made) is not ndarray: made = asarray(made)",
    ]
    if not row.is_view:
        expanded = "a0 is not None and 0 in a0.strides and " if row.keeps_layout else ""
        lines.append(f"    if {expanded}not made.flags.c_contiguous: made = contiguous(made)")
    lines += [
        "    out = new(Tensor)",
        "    out._array = made.view() if made is a0 else made",
        "    out._node = out._counter = out._view = None",
    ]
    if row.is_view:
        first, others = row.inputs[0], "".join(f"{name}, " for name in row.parameters[1:])
        lines += [
            "    if k0 and shares_memory(made, a0):",
            f"        link_view(out, {first}, (ROW, ({others}), {{}}), None if state.grad else IN_NO_GRAD)",
        ]
    nodes, kinds = [f"n{i}" for i in range(count)], "".join(f"k{i}, " for i in range(count))
    lines += [
        f"    if ({' or '.join(f'{node} is not None' for node in nodes)}) and state.grad:",
        "        if made.dtype is F32 or made.dtype is F64:",
        f"            make = recorders[{kinds}]",
        f"            if make: make({', '.join(_recorder_parameters(row))})",
        "        elif made.dtype.kind in INEXACT:",
        f"            record(ROW, [{', '.join(row.parameters)}], [{', '.join(nodes)}],",
        f"                   [{', '.join(arguments)}], out, [{', '.join(extras)}])",
        "    return out",
    ]
    return lines


def _recorder_parameters(row: Row) -> list[str]:
    numbers = range(len(row.inputs))
    extras = [f"e{i}" for i in range(len(getattr(row, "extras", ())))]
    return ["out", *row.parameters, *(f"a{i}" for i in numbers), *(f"n{i}" for i in numbers), *extras]


class _Recorders(dict[tuple[int, ...], Any]):
    """By the kinds of the operands: what makes the node, or None where no rule leads back."""

    def __init__(self, row: Row) -> None:
        self.row = row

    def __missing__(self, kinds: tuple[int, ...]) -> Any:
        plan = self.row.plan(tuple([kind == RECORDED for kind in kinds]))
        found = None
        if plan.names:
            if isinstance(plan, CoarsePlan):
                plan.unrolled = plan.written = _unroll_rules(plan)
            lines = _recorder_source(self.row, plan, kinds)
            found = _compile(f"{self.row.name}, recorded", lines, {**_SCOPE, "plan": plan})
        self[kinds] = found
        return found


recorders = cache(_Recorders)


def _recorder_source(row: Row, plan: Any, kinds: tuple[int, ...]) -> list[str]:
    lines = [f"def call({', '.join(_recorder_parameters(row))}):"]
    extras = getattr(row, "extras", ())
    saved: list[str] = []
    guards: list[str] = []
    for name in plan.saved:
        if name in extras:
            saved.append(f"e{extras.index(name)}")
            continue
        i = -1 if name == "out" else row.inputs.index(name)
        saved.append("out._array" if i < 0 else f"a{i}")
        if i >= 0 and kinds[i] == FIXED:
            continue
        counter = f"c{len(guards)}"
        lines.append(f"    {counter} = {name}._counter")
        lines.append(f"    if {counter} is None: {counter} = {name}._counter = [0, 0]")
        guards.append(f"{counter}, {counter}[0]")
    if isinstance(row, PointwiseRow):
        kind, attributes = "PointwiseNode", list(row.attributes)
        lines += _fit_source(plan, kinds)
    else:
        kind, attributes = "RowNode", [_context_source(row, position, fact) for position, fact in plan.context]
        lines.append("    fit = None")
    lines += [
        f"    node = {kind}()",
        "    node.plan = plan",
        f"    node.edges = {_tuple([f'n{i}' for i in plan.positions])}",
        f"    node.saved = {_tuple(saved)}",
        f"    node.guards = {_tuple(guards)}",
        f"    node.attributes = {_tuple(attributes)}",
        "    node.fit, node.hooks = fit, None",
        "    out._node = node",
    ]
    return lines


def _fit_source(plan: PointwisePlan, kinds: tuple[int, ...]) -> list[str]:
    fits = [f"(a{i}.shape, a{i}.dtype)" for i in plan.positions]
    if not plan.keeps_shape:
        return [f"    fit = {_tuple(fits)}"]
    arrays = [f"a{i}" for i, kind in enumerate(kinds) if kind != FIXED]
    if len(arrays) == 1:
        return ["    fit = None"]
    fits = [f"(None if a{i}.shape == shape else {fit})" for i, fit in zip(plan.positions, fits, strict=True)]
    return [
        f"    if {' == '.join(f'{array}.shape' for array in arrays)}: fit = None",
        "    else:",
        "        shape = out._array.shape",
        f"        fit = {_tuple(fits)}",
    ]


def _context_source(row: Row, position: int, fact: str | None) -> str:
    if position < 0:
        return f"out._array.{fact}"
    name = row.parameters[position]
    value = f"a{row.inputs.index(name)}" if name in row.inputs else name
    return value if fact is None else f"None if {value} is None else {value}.{fact}"


# --- Gradient rules --------------------------------------------------------------------------------------------------


def _unroll_rules(plan: CoarsePlan) -> Callable[..., Any]:
    """`CoarsePlan.on_arrays`, written out, with rules that call kernels where they name rows."""
    order = ["g", *(f"s{i}" for i in range(len(plan.saved))), *(f"c{i}" for i in range(len(plan.context)))]
    scope = {f"rule{i}": _on_arrays(rule) for i, (rule, _, _) in enumerate(plan.calls)}
    lines = ["def call(g, saved, context):"]
    if plan.saved:
        lines.append(f"    {_tuple([f's{i}' for i in range(len(plan.saved))])} = saved")
    if plan.context:
        lines.append(f"    {_tuple([f'c{i}' for i in range(len(plan.context))])} = context")
    results: dict[str, str] = {}
    for i, (_, places, names) in enumerate(plan.calls):
        given = f"rule{i}({', '.join(order[place] for place in places)})"
        if len(names) == 1:
            results[names[0]] = given
        else:
            lines.append(f"    r{i} = {given}")
            results.update({name: f"r{i}[{at}]" for at, name in enumerate(names)})
    lines.append(f"    return {_tuple([results[name] for name in plan.names])}")
    return _compile(f"{plan.row.name}, backward", lines, scope)


class _Kernels:
    """Stands for ``_`` in rules that see arrays alone: attribute ``f`` computes the row named ``f``."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        found = _kernel(getattr(library, name))
        setattr(self, name, found)
        return found


_kernels = _Kernels()


def _kernel(row: Row) -> Callable[..., Any]:
    return row.forward if isinstance(row, CoarseRow) and not row.extras else row.compute


@cache
def _on_arrays(rule: Any) -> Any:
    """The rule with kernels in the place of the rows that it names."""
    names = dict(rule.__globals__)
    for name, value in rule.__globals__.items():
        if isinstance(value, Row):
            names[name] = _kernel(value)
        elif value is library:
            names[name] = _kernels
    return FunctionType(rule.__code__, names, rule.__name__, rule.__defaults__, rule.__closure__)


def _tuple(items: Sequence[str]) -> str:
    return f"({''.join(f'{item}, ' for item in items)})"
