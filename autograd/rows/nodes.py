"""Nodes of the tensor graph: a row that was applied, what it saved, and how it goes back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import prod
from typing import Any

import numpy as np

from .. import graph
from ..dtypes import cast, from_numpy_dtype, wider
from ..graph import Node
from ..kernels.halves import INEXACT
from ..kernels.ones import FEW, ONES
from ..kernels.sums import add_up
from ..tensor import Tensor, TensorNode, next_function, wrap
from .readings import F32, F64
from .table import TABLE, CoarsePlan, PointwisePlan, public_name
from .widening import widened

__all__ = [
    "FREED",
    "ComplexNode",
    "ManyNode",
    "Output",
    "PointwiseNode",
    "RowNode",
    "WideNode",
    "fit",
    "record",
    "sum_to",
]

ndarray = np.ndarray
new = object.__new__
FREED: tuple[Any, ...] = ("freed",)


class RowNode(TensorNode):
    """A row that was applied: what it saved, and how its gradients fit the inputs.

    Attributes:
        plan: the row's rules for the inputs that want a gradient; `edges` are aligned with ``plan.names``.
        saved: the values of ``plan.saved``.
        guards: pairs (version counter, version) of the saved arrays.
        fit: for each edge (shape, dtype) where the rule's result may differ from them; or None for all.
        attributes: the row's other arguments, and facts such as shapes that its rules ask for.
    """

    __slots__ = ("attributes", "fit", "guards", "plan", "saved")

    __init__ = object.__init__  # who makes one sets its attributes, and this costs a third less than `object.__new__`

    plan: PointwisePlan | CoarsePlan
    saved: tuple[Any, ...]
    guards: tuple[Any, ...]
    fit: Sequence[Any] | None
    attributes: Any

    def vjp(self, g: Any) -> Sequence[Any]:
        saved, guards = self.saved, self.guards
        if guards:
            many = len(guards) > 2
            if guards[0][0] != guards[1] or (many and (len(guards) > 4 or guards[2][0] != guards[3])):
                self._check_saved()
        elif saved is FREED:
            self._check_saved()
        if type(g) is not ndarray:
            if isinstance(g, Tensor):
                return self._fitted(self._on_tensors(g))
            g = np.asarray(g)
        plan = self.plan
        gradients = (plan.unrolled or plan.on_arrays)(g, saved, self.attributes)
        return gradients if self.fit is None else self._fitted(gradients)

    def _on_tensors(self, g: Tensor) -> Sequence[Any]:
        return self.plan.on_recorders(g, self._as_tensors(), self.attributes)

    def _check_saved(self) -> None:
        if self.saved is FREED:
            raise RuntimeError(
                f"Trying to backward through {self.name()} a second time, but its saved values were freed by the "
                "first pass. Pass retain_graph=True to the first backward() or grad()."
            )
        guards = self.guards
        for i in range(0, len(guards), 2):
            if guards[i][0] != guards[i + 1]:
                self._explain_write(guards[i], guards[i + 1])

    def _fitted(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self.fit is None:
            return gradients
        fitted = list(gradients)
        for i, want in enumerate(self.fit):
            if want is not None and fitted[i] is not None:
                fitted[i] = fit(fitted[i], *want)
        return fitted

    def release(self) -> None:
        if self.saved:
            self.saved = FREED
            self.guards = ()

    def check(self, gradients: Sequence[Any]) -> None:
        for number, gradient in enumerate(gradients):
            array = gradient._array if isinstance(gradient, Tensor) else gradient
            if array is not None and np.asarray(array).dtype.kind in INEXACT and np.isnan(array).any():
                raise RuntimeError(f"Function '{self.name()}' returned nan values in its {number}th output.")

    def name(self) -> str:
        return self.plan.row.node_name(wanted=self.plan.names, **dict(zip(self.plan.context_names, self.attributes)))  # noqa: B905

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each differentiable input the node that made it and its output number, as PyTorch lists them."""
        by_name = dict(zip(self.plan.names, self.edges, strict=False))
        if len(by_name) != len(self.edges):
            return tuple(next_function(edge) for edge in self.edges)
        inputs = [name for name in self.plan.row.inputs if name in self.plan.row.rules]
        return tuple(next_function(by_name.get(name)) for name in inputs)

    def _as_tensors(self) -> tuple[Any, ...]:
        """The saved values with their places in the graph, for recording the backward pass."""
        by_name = dict(zip(self.plan.names, self.edges, strict=False))
        sequences = getattr(self.plan.row, "sequences", ())
        tensors: list[Any] = []
        for name, value in zip(self.plan.saved, self.saved, strict=True):
            if name in sequences:
                tensors.append(_sequence_as_tensors(value, self.edges))
            elif name == "outs":
                outs = enumerate(value)
                tensors.append(tuple(wrap(v, Output(self, i) if v.dtype.kind in INEXACT else None) for i, v in outs))
            elif not isinstance(value, ndarray):
                tensors.append(value)
            elif name == "out":
                tensors.append(wrap(value, self))
            else:
                tensors.append(self._saved_input(name, value, by_name.get(name)))
        return tuple(tensors)

    def _saved_input(self, name: str, value: ndarray, edge: Node | None) -> Tensor:
        if edge is None or self.fit is None:
            return wrap(value, edge)
        want = self.fit[self.plan.names.index(name)]
        if want is None or want[1] == value.dtype:
            return wrap(value, edge)
        # The operand was promoted before it was saved: the promotion is a step of its own on the way back.
        return TABLE["to"](wrap(cast(value, want[1]), edge), from_numpy_dtype(value.dtype))

    def saved_as(self, key: str) -> Any:
        """What was saved under PyTorch's name ``_saved_{key}``: ``self``, ``other``, ``result`` or a parameter's."""
        plan, inputs = self.plan, self.plan.row.inputs
        others = {"self": inputs[0], "other": inputs[-1], "result": "out", **plan.row.arguments}
        name = others.get(key, key)
        if name in plan.saved:
            self._check_saved()
            return self._as_tensors()[plan.saved.index(name)]
        known = dict(zip(plan.context_names, self.attributes, strict=False))
        if name in known:
            return known[name]
        raise AttributeError(f"{self.name()} saved nothing under the name '_saved_{key}'")

    def pack(self, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]) -> None:
        """Hands what was saved to a pair of hooks, which keep it in their own way."""
        from .packing import Packed

        if self.saved:
            self.saved = Packed(self.saved, len(self.guards) // 2, pack, unpack)  # type: ignore[assignment]
            self.guards = ()

    def _explain_write(self, counter: list[int], version: int) -> None:
        names = [name for name, value in zip(self.plan.saved, self.saved, strict=True) if isinstance(value, ndarray)]
        i = next(i for i, c in enumerate(self.guards[::2]) if c is counter)
        name = names[i] if i < len(names) else "a saved value"
        shape = list(self.saved[self.plan.saved.index(name)].shape) if name in self.plan.saved else "?"
        what = "output" if name == "out" else f"argument '{public_name(name)}'"
        raise RuntimeError(
            f"one of the variables needed for gradient computation has been modified by an inplace operation: the "
            f"{what} of shape {shape} that {self.name()} saved is at version {counter[0]}; expected version {version} "
            "instead. Hint: clone() it before writing, or find the operator with "
            "autograd.set_detect_anomaly(True)."
        )


def show_saved(names: Iterable[str]) -> None:
    """Gives nodes an attribute ``_saved_{name}`` for each name. Not by ``__getattr__``: a class that has it reads all
    its attributes by the slow way (measured: 0.3 us more for each node of a backward pass)."""
    for name in names:
        if not hasattr(RowNode, f"_saved_{name}"):
            setattr(RowNode, f"_saved_{name}", property(lambda self, name=name: self.saved_as(name)))  # type: ignore[misc]


class PointwiseNode(RowNode):
    """A pointwise row that was applied: the short way back."""

    __slots__ = ()

    plan: PointwisePlan

    def vjp(self, g: Any) -> Sequence[Any]:
        saved, guards = self.saved, self.guards
        if guards:
            if len(guards) != 2 or guards[0][0] != guards[1]:
                self._check_saved()
        elif saved is FREED:
            self._check_saved()
        plan = self.plan
        try:
            size = g.size
            if size > plan.limit:
                if size <= plan.large:
                    return RowNode.vjp(self, g)
                gradients = plan.on_runs(g, saved, self.attributes)
            elif g.dtype is F32:
                gradients = plan.small32(g, saved)
            elif g.dtype is F64:
                gradients = plan.small64(g, saved)
            else:
                return RowNode.vjp(self, g)
        except Exception:
            return RowNode.vjp(self, g)
        return gradients if self.fit is None else self._fitted(gradients)

    def _on_tensors(self, g: Any) -> Sequence[Any]:
        return g.through(super()._on_tensors) if g._is_structured else super()._on_tensors(g)


class ComplexNode(RowNode):
    """A row that was applied and gave complex numbers.

    The gradient of a real ``L`` with respect to ``z = x + iy`` is ``dL/dx + i dL/dy``, so that for a holomorphic ``f``
    it is ``g * conj(f'(z))``: the rule that was written for real numbers, between two conjugations.
    """

    __slots__ = ()

    def vjp(self, g: Any) -> Sequence[Any]:
        if self.saved:
            self._check_saved()
        recording = isinstance(g, Tensor)
        values = self._as_tensors() if recording else tuple(self.saved)
        rules = self.plan.on_recorders if recording else self.plan.on_arrays
        return self._fitted(between_conjugations(rules, self.plan.row, g, values, self.attributes))


class WideNode(RowNode):
    """A row with a kernel of its own that was applied to bfloat16, or gave it: its rules compute in float32."""

    __slots__ = ()

    def vjp(self, g: Any) -> Sequence[Any]:
        if self.saved:
            self._check_saved()
        recording = isinstance(g, Tensor)
        values = self._as_tensors() if recording else tuple(self.saved)
        rules = self.plan.on_recorders if recording else self.plan.on_arrays
        return self._fitted(rules(widened(g), widened(values), widened(self.attributes)))


def between_conjugations(
    rules: Any, row: Any, g: Any, saved: Sequence[Any], attributes: Sequence[Any]
) -> Sequence[Any]:
    """The gradients that a row's rules give for complex numbers."""
    if not row.holomorphic or not (holds_complex(saved) or holds_complex(attributes)):
        return rules(g, saved, attributes)  # real factors: the conjugations would cancel
    conjugate = TABLE["conj"]
    g = [conjugate(each) for each in g] if isinstance(g, list) else conjugate(g)
    return [
        None if gradient is None else conjugate(gradient) if hasattr(gradient, "shape") else gradient.conjugate()
        for gradient in rules(g, saved, attributes)
    ]


def holds_complex(values: Sequence[Any]) -> bool:
    """Whether one of the values, in lists too, is complex: an array, a Tensor or a number."""
    for value in values:
        if isinstance(value, (list, tuple)):
            if holds_complex(value):
                return True
        elif isinstance(value, complex) or getattr(getattr(value, "_array", value), "dtype", F32).kind == "c":
            return True
    return False


def _sequence_as_tensors(values: Sequence[ndarray], edges: Sequence[Node | None]) -> list[Tensor]:
    return [wrap(value, edge) for value, edge in zip(values, edges, strict=True)]


def fit(g: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """The gradient of an operand that was broadcast and promoted: summed back to its shape, cast to its dtype.

    A rule that returns a constant is broadcast up.
    """
    if type(g) is ndarray:
        if g.shape != shape:
            g = sum_to(g, shape)
        return g if g.dtype is dtype or g.dtype == dtype else cast(g, dtype)
    if isinstance(g, Tensor):
        g = sum_to(g, shape)
        return g if g.dtype.numpy == dtype else TABLE["to"](g, from_numpy_dtype(dtype))
    constant = cast(np.full(shape, g), dtype)
    return wrap(constant) if graph.is_recording() else constant


_ONES32, _ONES64 = ONES["f"], ONES["d"]
MANY_ROWS = 1 << 14  # beyond so many the ones cost memory


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """``g`` summed over the dimensions along which ``shape`` was broadcast: the one place where that is undone."""
    own = g.shape
    if type(g) is ndarray and len(own) == 2 and own[1:] == shape and own[0] <= FEW:
        if g.dtype is F32:
            return _ONES32[own[0]].dot(g)
        if g.dtype is F64:
            return _ONES64[own[0]].dot(g)
    if tuple(own) == tuple(shape):
        return g
    extra = len(own) - len(shape)
    if extra < 0:
        return TABLE["expand"](g, shape)
    plain = type(g) is ndarray and g.dtype.kind == "f" and g.itemsize > 2
    if plain and extra and g.shape[extra:] == shape:
        rows = prod(own[:extra])
        if g.size and rows <= MANY_ROWS and g.flags.c_contiguous and g.dtype in (F32, F64):
            ones = (_ONES32 if g.dtype == F32 else _ONES64)[MANY_ROWS]
            return ones[:rows].dot(g.reshape(rows, -1)).reshape(shape)
        return np.asarray(np.add.reduce(g, axis=0 if extra == 1 else tuple(range(extra))))
    dims = [*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1)]
    if dims and plain:
        g = np.asarray(add_up(g, tuple(dims), False, g.dtype)).reshape(shape)
    elif dims:
        g = TABLE["reshape"](TABLE["sum"](g, tuple(dims), True), shape)
    return g if tuple(g.shape) == tuple(shape) else TABLE["expand"](g, shape)


class ManyNode(RowNode):
    """A row with several outputs: its gradient is a dict from output number to gradient."""

    __slots__ = ("shapes",)

    shapes: list[tuple[tuple[int, ...], np.dtype]]

    def vjp(self, g: dict[int, Any]) -> Sequence[Any]:
        recording = any(isinstance(value, Tensor) for value in g.values())
        full: list[Any] = []
        some: Any = next(iter(g.values()))
        sparse = "outs" in self.plan.saved
        for number, (shape, dtype) in enumerate(self.shapes):
            if number in g:
                full.append(g[number])
            elif sparse:
                full.append(None)
            elif recording:
                zeros = wrap(np.zeros(shape, dtype))
                full.append(some.absent(zeros) if isinstance(some, Tensor) and some._is_structured else zeros)
            else:
                full.append(np.zeros(shape, dtype))
        self._check_saved()
        values = self._as_tensors() if recording else tuple(self.saved)
        if (self.saved or self.fit is not None) and any(dtype.kind == "c" for _, dtype in self.shapes):
            return self._fitted(between_conjugations(self.plan.on_arrays, self.plan.row, full, values, self.attributes))
        if wider and self.fit is not None:
            full, values, attributes = widened(full), widened(values), widened(self.attributes)
            return self._fitted(self.plan.on_arrays(full, values, attributes))
        return self.plan.on_arrays(full, values, self.attributes)

    def accumulate(self, total: dict[int, Any], g: dict[int, Any], owned: bool) -> dict[int, Any]:
        merged = dict(total)
        for number, value in g.items():
            merged[number] = merged[number] + value if number in merged else value
        return merged


class Output(TensorNode):
    """One output of a `ManyNode`."""

    __slots__ = ("index",)

    def __init__(self, many: Node, index: int) -> None:
        super().__init__((many,))
        self.index = index

    def vjp(self, g: Any) -> Sequence[Any]:
        return ({self.index: g},)

    def name(self) -> str:
        return self.edges[0].name()  # type: ignore[union-attr]


def record(
    out: Tensor,
    plan: Any,
    edges: tuple[Node | None, ...],
    saved: tuple[Any, ...],
    guards: tuple[Any, ...],
    fits: list[Any] | None,
    attributes: Any,
    node_class: type[RowNode] = RowNode,
) -> RowNode:
    node = new(node_class)
    node.edges = edges
    node.plan = plan
    node.saved = saved
    node.guards = guards
    node.fit = None if fits is None or all(want is None for want in fits) else fits
    node.attributes = attributes
    node.hooks = None
    out._node = node
    if graph.is_watched():
        graph.observe(out, node)
    return node
