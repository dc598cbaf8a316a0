"""Update rules: one formula over numbers, read as a compiled pass over memory, over arrays, or over Tensors."""

from __future__ import annotations

import ast
import copy
import weakref
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from autograd.graph import is_grad_enabled
from autograd.kernels import loops, on_arrays, threads
from autograd.kernels.halves import is_half
from autograd.kernels.silence import silently
from autograd.ops.complex import view_as_real
from autograd.ops.structured import plain
from autograd.rows.readings import Formula
from autograd.tensor import StructureError, Tensor, count_write

from .gathering import Layout, Part, Table

__all__ = ["Rule"]

NUMBERS = {float, int, bool}
BLOCK = 16384  # elements that NumPy works on at a time: what one step of a formula writes is still cached for the next

REAL: dict[str, Any] = {
    "e": np.dtype("f4"),
    "E": np.dtype("f4"),
    "f": np.dtype("f4"),
    "d": np.dtype("f8"),
    "F": np.dtype("f4"),
    "D": np.dtype("f8"),
}


class Rule:
    """An optimizer's formula, which says what becomes of one number of a parameter.

    Its arguments are the gradient, the parameter and the state of the algorithm, as numbers, and by keyword what is
    the same for all elements: numbers, or switches (bool). It returns the new parameter and state, in the order of the
    arguments. State that an optimizer's options leave out is None.

    Complex numbers are pairs of real ones to it, and float16 is computed as float32 and rounded once at the end.

    >>> import autograd
    >>> @Rule
    ... def descend(g, theta, b, *, lr, momentum):
    ...     b = momentum * b + g
    ...     return theta - lr * b, b
    >>> theta, b = autograd.ones(2), autograd.zeros(2)
    >>> with autograd.no_grad():
    ...     descend([autograd.tensor([1.0, 2.0])], ([theta], [b]), lr=0.5, momentum=0.9)
    >>> theta, b
    (tensor([0.5000, 0.0000]), tensor([1., 2.]))
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.formula = Formula(function)
        self.on_tensors = function
        self.on_arrays = self.formula.rebound(on_arrays)
        self._kernels: dict[Any, Callable[..., None]] = {}
        self._numbers: Callable[..., Any] | None = None  # of the constants, where the rest are switches
        self._switches: Callable[..., Any] = _values_of([])
        self._layouts: dict[int, tuple[Layout, weakref.ref[Tensor]]] = {}

    def __call__(
        self, gradients: Sequence[Tensor], written: Sequence[Sequence[Tensor] | None], **constants: Any
    ) -> None:
        """Writes the new values into ``written``, parameters and their state; recorded, unless in `no_grad`.

        Compiled, one pass goes through all parameters; NumPy takes small ones together, the others one by one.

        Args:
            gradients: of each parameter; only read.
            written: a list of the parameters and one for each kind of state, of tensors of the gradients' shapes; None
                for state that is not there.
            constants: the formula's other arguments, the same for all parameters.
        """
        if not gradients:
            return
        if is_grad_enabled():
            for place, gradient in enumerate(gradients):
                self._record([gradient, *_row(written, place)], constants)
            return
        try:
            self._write(gradients, written, constants)
        except StructureError:
            columns = [None if column is None else plain(column) for column in written]
            self._write(plain(gradients), columns, constants)

    def _write(
        self, gradients: Sequence[Tensor], written: Sequence[Sequence[Tensor] | None], constants: dict[str, Any]
    ) -> None:
        if not NUMBERS.issuperset(map(type, constants.values())):
            numbers = [value.item() if isinstance(value, Tensor) else value for value in constants.values()]
            constants = dict(zip(constants, numbers, strict=True))
        layout = self._layout_of(written)
        arrays = [tensor._array for tensor in gradients]
        alone: Sequence[int] = range(len(arrays))
        if layout.together and layout.is_apart_from(arrays):
            alone = layout.alone
            for part in layout.together:
                if not part.gather(arrays):
                    alone = [*alone, *part.places]
                elif isinstance(part, Table):
                    self._loop(part.rows, layout.absent, constants, REAL[part.dtype.char])
                else:
                    self._compute(part.rows, constants, False, part)
                    part.scatter()
        for place in alone:
            row = [None if tensor is None else tensor._array for tensor in _row(written, place)]
            self._compute([arrays[place], *row], constants, layout.loops)
        for column in written:
            if column is not None:
                for tensor in column:
                    counter = tensor._counter
                    if counter:
                        counter[0] += 1  # as `count_write` does, at a call's price less
                    else:
                        count_write(tensor)

    def _layout_of(self, written: Sequence[Sequence[Tensor] | None]) -> Layout:
        """The layout of these tensors, kept as long as the first one of the last column, mostly state, is there."""
        ids: list[list[int] | None] = []
        for column in written:
            if column is None:
                ids.append(None)
            else:
                ids.append([id(tensor._array) for tensor in column])
                last = column[0]
        key = id(last)
        kept = self._layouts.get(key)
        if kept is not None and kept[0].is_of(ids):
            return kept[0]
        layout = Layout([None if column is None else [tensor._array for tensor in column] for column in written])
        self._layouts[key] = layout, weakref.ref(last, lambda _: self._layouts.pop(key, None))
        return layout

    def _record(self, given: Sequence[Tensor | None], constants: dict[str, Any]) -> None:
        tensors = [t if t is None or not t.is_complex() else view_as_real(t) for t in given]
        # Rules keep what they are given until the backward pass, and it is written to before.
        copies = [None if tensor is None else tensor.clone() for tensor in tensors]
        for tensor, value in zip(tensors[1:], self.on_tensors(*copies, **constants), strict=True):
            if tensor is not None:
                tensor.copy_(value)

    def _compute(self, arrays: list[Any], constants: dict[str, Any], loop: bool, part: Part | None = None) -> None:
        param = arrays[1]
        dtype = param.dtype
        if part is not None and not loop:
            constants = part.numbers(constants, REAL[dtype.char])
        if dtype.kind == "f" and param.size <= BLOCK and not loop and not is_half(dtype):
            silently(self._assign, arrays, constants)  # as they lie
            return
        real, half = REAL[dtype.char], is_half(dtype)
        flat: list[Any]
        if half:
            flat = [None if a is None else a.astype(real).reshape(-1) for a in arrays]
        else:
            flat = [None if a is None else np.ascontiguousarray(a).reshape(-1).view(real) for a in arrays]
        if loop:
            present = [array for array in flat if array is not None]
            table = np.array([[present[0].size, *map(id, present)]])
            self._loop(table, [array is None for array in flat], constants, real)
        else:
            silently(self._blocks, flat, constants)
        for array, values in zip(arrays[1:], flat[1:], strict=True):
            if array is not None and (half or not array.flags.c_contiguous):  # the values are a copy
                array[...] = (values if half else values.view(dtype)).reshape(array.shape)

    def _assign(self, arrays: list[Any], constants: dict[str, Any]) -> None:
        for array, value in zip(arrays[1:], self.on_arrays(*arrays, **constants), strict=True):
            if array is not None:
                array[...] = value

    def _blocks(self, flat: list[Any], constants: dict[str, Any]) -> None:
        for start in range(0, flat[0].size, BLOCK):
            self._assign([None if array is None else array[start : start + BLOCK] for array in flat], constants)

    def _loop(self, table: np.ndarray, absent: list[bool], constants: dict[str, Any], dtype: np.dtype) -> None:
        """The compiled reading, for all that a table holds; ``absent`` says which arguments are not there."""
        if self._numbers is None:
            switches = [name for name, value in constants.items() if isinstance(value, bool)]
            self._switches = _values_of(switches)
            self._numbers = _values_of([name for name in constants if name not in switches])
        numbers = map(float, self._numbers(constants))
        key = dtype.char, self._switches(constants), *absent
        kernel = self._kernels.get(key)
        if kernel is None:
            known: dict[str, Any] = {name: value for name, value in constants.items() if isinstance(value, bool)}
            missing = [name for name, is_absent in zip(self.formula.arguments, absent, strict=True) if is_absent]
            kernel = self._kernels[key] = self._compile(known | dict.fromkeys(missing), list(constants), dtype)
        threads.run(kernel, int(table[-1, 0]), table, *numbers, grain=loops.GRAIN)

    def _compile(self, known: dict[str, Any], constants: list[str], dtype: np.dtype) -> Callable[..., None]:
        """The compiled reading, for switches and absent state that are known."""
        arrays = [name for name in self.formula.arguments if name not in known]
        numbers = [name for name in constants if name not in known]
        tree = _Known(known).visit(copy.deepcopy(self.formula.tree))
        variables = {*arrays, *numbers, *loops.assigned(tree.body)}
        *steps, last = loops.InPlace({name: f"{name}_" for name in variables}).visit(tree).body
        lines = [*(f"{name}_ = {name}[i]" for name in arrays), *(f"{name}_ = T({name})" for name in numbers)]
        lines += ast.unparse(ast.Module(steps, [])).splitlines()
        lines.append("".join(f"{name}[i], " for name in arrays[1:]) + f"= {ast.unparse(last.value)}")
        title, bits = self.on_tensors.__module__.rpartition(".")[2], dtype.itemsize * 8
        text = loops.header(title, bits) + loops.INNER
        text += f"def update(count, {', '.join([*arrays, *numbers])}):\n    wide()\n"
        text += "    for i in range(U(count)):\n" + "".join(f"        {line}\n" for line in lines)
        runs = [f"run(data_of(table[place, {column}]) + skip, count, T)" for column in range(1, len(arrays) + 1)]
        text += "\nfrom autograd.kernels.addresses import data_of, run\n" + loops.KERNEL
        text += WALK.format(numbers=", ".join(numbers), size=dtype.itemsize, given=", ".join([*runs, *numbers]))
        return loops.load_module(f"update_{title}", text).kernel


# Elements ``start..stop`` of all that the table's rows hold, one behind the other.
WALK = """def kernel(start, stop, table, {numbers}):
    place = 0
    while table[place, 0] <= start:
        place += 1
    while start < stop:
        before = table[place - 1, 0] if place else 0
        count = min(stop, table[place, 0]) - start
        skip = (start - before) * {size}
        update(count, {given})
        start += count
        place += 1
"""


class _Known(ast.NodeTransformer):
    """Takes the branches that switches and absent state decide, and leaves out absent results."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def _decide(self, test: ast.expr) -> bool | None:
        names = {node.id for node in ast.walk(test) if isinstance(node, ast.Name)}
        if not names <= self.known.keys():
            return None
        return bool(eval(compile(ast.Expression(test), "<switch>", "eval"), {}, self.known))

    def visit_If(self, node: ast.If) -> Any:
        decided = self._decide(node.test)
        if decided is None:
            return self.generic_visit(node)
        taken = node.body if decided else node.orelse
        return [new for statement in taken for new in _listed(self.visit(statement))]

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        decided = self._decide(node.test)
        return self.generic_visit(node) if decided is None else self.visit(node.body if decided else node.orelse)

    def visit_Return(self, node: ast.Return) -> Any:
        if isinstance(node.value, ast.Tuple):
            node.value.elts = [
                self.visit(part)
                for part in node.value.elts
                if not (isinstance(part, ast.Name) and part.id in self.known)
            ]
        return node


def _values_of(names: Sequence[str]) -> Callable[[dict[str, Any]], Sequence[Any]]:
    """A function that picks these values: quickly, where there are several."""
    return itemgetter(*names) if len(names) > 1 else lambda constants: tuple([constants[name] for name in names])


def _listed(nodes: Any) -> list[Any]:
    return nodes if isinstance(nodes, list) else [nodes]


def _row(columns: Sequence[Any], place: int) -> list[Any]:
    """What belongs to one parameter."""
    return [None if column is None else column[place] for column in columns]
