"""Update rules: one formula over numbers, read as a compiled pass over memory, over arrays, or over Tensors."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd.graph import is_grad_enabled
from autograd.kernels import jit, loops, on_arrays, threads
from autograd.kernels.halves import is_half
from autograd.kernels.silence import silently
from autograd.ops.complex import view_as_real
from autograd.rows.readings import Formula
from autograd.tensor import Tensor, count_write

__all__ = ["Rule"]

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
    ...     descend(autograd.tensor([1.0, 2.0]), (theta, b), lr=0.5, momentum=0.9)
    >>> theta, b
    (tensor([0.5000, 0.0000]), tensor([1., 2.]))
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.formula = Formula(function)
        self.on_tensors = function
        self.on_arrays = self.formula.rebound(on_arrays)
        self._kernels: dict[Any, Callable[..., None]] = {}

    def __call__(
        self,
        gradient: Tensor,
        written: Sequence[Tensor | None],
        *,
        elements: int | None = None,
        **constants: Any,
    ) -> None:
        """Writes the new values into ``written``, the parameter and its state; recorded, unless in `no_grad`.

        Args:
            gradient: of the parameter; only read.
            written: tensors of the gradient's shape; None for state that is not there.
            elements: number of elements by which the reading is chosen, such as those of a whole group.
            constants: the formula's other arguments.
        """
        if is_grad_enabled():
            self._record(gradient, written, constants)
            return
        for name, value in constants.items():
            if isinstance(value, Tensor):
                constants[name] = value.item()
        arrays = [None if tensor is None else tensor._array for tensor in (gradient, *written)]
        self._compute(arrays, constants, gradient.numel() if elements is None else elements)
        for tensor in written:
            if tensor is not None:
                count_write(tensor)

    def _record(self, gradient: Tensor, written: Sequence[Tensor | None], constants: dict[str, Any]) -> None:
        tensors = [t if t is None or not t.is_complex() else view_as_real(t) for t in (gradient, *written)]
        # Rules keep what they are given until the backward pass, and it is written to before.
        given = [None if tensor is None else tensor.clone() for tensor in tensors]
        for tensor, value in zip(tensors[1:], self.on_tensors(*given, **constants), strict=True):
            if tensor is not None:
                tensor.copy_(value)

    def _compute(self, arrays: list[Any], constants: dict[str, Any], elements: int) -> None:
        param = arrays[1]
        dtype, loop = param.dtype, jit.use_loops(elements)
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
            self._loop(flat, constants, real)
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

    def _loop(self, flat: list[np.ndarray | None], constants: dict[str, Any], dtype: np.dtype) -> None:
        present = [array for array in flat if array is not None]
        numbers = [float(value) for value in constants.values() if not isinstance(value, bool)]
        switches = tuple(value for value in constants.values() if isinstance(value, bool))
        key = dtype.char, switches, tuple(array is None for array in flat)
        kernel = self._kernels.get(key)
        if kernel is None:
            known = {name: value for name, value in constants.items() if isinstance(value, bool)}
            absent = [name for name, a in zip(self.formula.arguments, flat, strict=True) if a is None]
            kernel = self._kernels[key] = self._compile(known | dict.fromkeys(absent), list(constants), dtype)
        threads.run(kernel, present[0].size, *present, *numbers, grain=loops.GRAIN)

    def _compile(self, known: dict[str, Any], constants: list[str], dtype: np.dtype) -> Callable[..., None]:
        """The compiled reading, for switches and absent state that are known."""
        arrays = [name for name in self.formula.arguments if name not in known]
        numbers = [name for name in constants if name not in known]
        tree = _Known(known).visit(copy.deepcopy(self.formula.tree))
        title, bits = self.on_tensors.__module__.rpartition(".")[2], dtype.itemsize * 8
        text = loops.HEADER.format(title=title, scalar=f"float{bits}", library=f"math{bits}")
        text += '\n@njit(forceinline=True, nogil=True, fastmath=FLAGS, error_model="numpy")\n'
        text += loops.ScalarFunction(tree, (*arrays, *numbers)).source("rule") + "\n"
        text += '\n@njit(cache=CACHE, nogil=True, fastmath=FLAGS, error_model="numpy")\n'
        text += f"def kernel(start, stop, {', '.join([*arrays, *numbers])}):\n    wide()\n"
        text += "".join(f"    {name}_ = T({name})\n" for name in numbers)
        given = ", ".join([*(f"{name}[i]" for name in arrays), *(f"{name}_" for name in numbers)])
        results = "".join(f"{name}[i], " for name in arrays[1:])
        text += f"    for i in range(U(start), U(stop)):\n        {results}= rule({given})\n"
        return loops.load_module(f"update_{title}", text).kernel


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


def _listed(nodes: Any) -> list[Any]:
    return nodes if isinstance(nodes, list) else [nodes]
