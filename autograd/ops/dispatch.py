"""From a call on tensors to a result and a recorded node.

`apply` is the general way: it converts and promotes operands, computes, and records. `unary` and `binary` make the
functions that users call for rows of one or two inputs: a short path for the common case (one float type, small,
nothing unusual), which leaves everything else, errors included, to `apply`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes, graph
from ..dtypes import from_numpy_dtype, number_dtype, promote_numpy, result_dtype
from ..graph import Leaf, Node, state
from ..kernels import jit
from ..kernels.silence import quiet, silently
from ..tensor import INFERENCE, Tensor, View, add_up, count_write, node_of, shared_counter, wrap
from .readings import F32, F64
from .table import TABLE, CoarsePlan, CoarseRow, PointwisePlan, PointwiseRow, Row, public_name

__all__ = ["RowNode", "apply", "binary", "unary"]

ndarray = np.ndarray
new = object.__new__
FREED = ("freed",)
NUMBERS = (int, float, np.number, np.bool_)

# Set while anomaly mode or inference mode is on anywhere, or loops are used at any size: the short path steps aside.
_watched = jit.mode() == "always"


def _notice(*_: Any) -> None:
    global _watched
    _watched = graph.is_watched() or jit.mode() == "always"


graph.watchers.append(_notice)
jit.listeners.append(_notice)


class RowNode(Node):
    """A row that was applied: what it saved, and how its gradients fit the inputs.

    Attributes:
        plan: the row's rules for the inputs that want a gradient; `edges` are aligned with ``plan.names``.
        saved: the values of ``plan.saved``.
        guards: pairs (version counter, version) of the saved arrays.
        fit: for each edge (shape, dtype) where the rule's result may differ from them; or None for all.
        attributes: the row's other arguments, and facts such as shapes that its rules ask for.
    """

    __slots__ = ("attributes", "fit", "guards", "plan", "saved")

    plan: PointwisePlan | CoarsePlan

    def vjp(self, g: Any) -> Sequence[Any]:
        if self.saved:
            self._check_saved()
        if type(g) is Tensor:
            return self._fitted(self.plan.on_recorders(g, self._as_tensors(), self.attributes))
        try:
            return quiet(self._on_arrays, g)
        except RuntimeError:
            return silently(self._on_arrays, g)

    def _check_saved(self) -> None:
        if self.saved is FREED:
            raise RuntimeError(
                f"Trying to backward through {self.name()} a second time, but its saved values were freed by the "
                "first pass. Pass retain_graph=True to the first backward() or grad()."
            )
        guards = iter(self.guards)
        for counter, version in zip(guards, guards):  # noqa: B905 (hot path)
            if counter[0] != version:
                self._explain_write(counter, version)

    def _on_arrays(self, g: Any) -> Sequence[Any]:
        if type(g) is not ndarray:
            g = np.asarray(g)
        gradients = self.plan.on_arrays(g, self.saved, self.attributes)
        return gradients if self.fit is None else self._fitted(gradients)

    def _fitted(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self.fit is None:
            return gradients
        return [
            gradient if want is None or gradient is None else fit(gradient, *want)
            for gradient, want in zip(gradients, self.fit, strict=True)
        ]

    def accumulate(self, total: Any, g: Any, owned: bool) -> Any:
        return add_up(total, g, owned)

    def release(self) -> None:
        if self.saved:
            self.saved = FREED
            self.guards = ()

    def check(self, gradients: Sequence[Any]) -> None:
        for number, gradient in enumerate(gradients):
            array = gradient._array if isinstance(gradient, Tensor) else gradient
            if array is not None and np.asarray(array).dtype.kind in "fc" and np.isnan(array).any():
                raise RuntimeError(f"Function '{self.name()}' returned nan values in its {number}th output.")

    def name(self) -> str:
        return self.plan.row.node_name

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """For each differentiable input the node that made it and its output number, as PyTorch lists them."""
        by_name = dict(zip(self.plan.names, self.edges, strict=False))
        if len(by_name) != len(self.edges):
            return tuple((edge, getattr(edge, "index", 0)) for edge in self.edges)
        inputs = [name for name in self.plan.row.inputs if name in self.plan.row.rules]
        return tuple((by_name.get(name), getattr(by_name.get(name), "index", 0)) for name in inputs)

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"

    def register_hook(self, hook: Callable[[Any, Any], Any]) -> graph.RemovableHandle:
        """Calls ``hook(grad_inputs, grad_outputs)`` behind this node's rule; what it returns replaces the former."""

        def after(gradients: Sequence[Any], g: Any) -> Any:
            before = tuple(_as_tensor(gradient) for gradient in gradients)
            changed = hook(before, (_as_tensor(g),))
            if changed is None:
                return None
            recording = isinstance(g, Tensor)
            return [c if recording or c is None else c._array for c in changed]

        if self.after is None:
            self.after = graph.HookDict()
        return self.after.register(after)

    def register_prehook(self, hook: Callable[[Any], Any]) -> graph.RemovableHandle:
        """Calls ``hook(grad_outputs)`` before this node's rule; what it returns replaces them."""

        def before(g: Any) -> Any:
            changed = hook((_as_tensor(g),))
            if changed is None:
                return None
            value = changed[0] if isinstance(changed, tuple) else changed
            return value if isinstance(g, Tensor) else value._array

        if self.hooks is None:
            self.hooks = graph.HookDict()
        return self.hooks.register(before)

    def _as_tensors(self) -> tuple[Any, ...]:
        """The saved values with their places in the graph, for recording the backward pass."""
        by_name = dict(zip(self.plan.names, self.edges, strict=False))
        sequences = getattr(self.plan.row, "sequences", ())
        tensors = []
        for name, value in zip(self.plan.saved, self.saved, strict=True):
            if name in sequences:
                tensors.append(_sequence_as_tensors(value, self.edges))
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
        return TABLE["to"](wrap(value.astype(want[1]), edge), from_numpy_dtype(value.dtype))

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


def _sequence_as_tensors(values: Sequence[ndarray], edges: Sequence[Node | None]) -> list[Tensor]:
    return [wrap(value, edge) for value, edge in zip(values, edges, strict=True)]


def _as_tensor(g: Any) -> Any:
    return wrap(g) if isinstance(g, ndarray) else g


def fit(g: Any, shape: tuple[int, ...], dtype: np.dtype) -> Any:
    """The gradient of an operand that was broadcast and promoted: summed back to its shape, cast to its dtype.

    A rule that returns a constant is broadcast up.
    """
    if isinstance(g, Tensor):
        g = sum_to(g, shape)
        return g if g._array.dtype == dtype else TABLE["to"](g, from_numpy_dtype(dtype))
    if not isinstance(g, ndarray):
        constant = np.full(shape, g, dtype)
        return wrap(constant) if state.grad else constant
    if g.shape != shape:
        g = sum_to(g, shape)
    return g if g.dtype == dtype else g.astype(dtype)


def sum_to(g: Any, shape: tuple[int, ...]) -> Any:
    """``g`` summed over the dimensions along which ``shape`` was broadcast: the one place where that is undone."""
    if tuple(g.shape) == tuple(shape):
        return g
    extra = g.ndim - len(shape)
    if extra < 0:
        return TABLE["expand"](g, shape)
    dims = [*range(extra), *(extra + i for i, n in enumerate(shape) if n == 1 and g.shape[extra + i] != 1)]
    if dims:
        g = TABLE["reshape"](TABLE["sum"](g, tuple(dims), True), shape)
    return g if tuple(g.shape) == tuple(shape) else TABLE["expand"](g, shape)


# --- The general way -----------------------------------------------------------------------------------------------


def apply(row: Row, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The result of a row on tensors, recorded where a gradient may be wanted."""
    if isinstance(row, PointwiseRow):
        return apply_pointwise(row, row.bind(args, kwargs))
    return apply_coarse(row, row.bind(args, kwargs))


Tensor._apply_row = staticmethod(apply)  # type: ignore[attr-defined]


def apply_pointwise(row: PointwiseRow, values: list[Any]) -> Tensor:
    count = len(row.inputs)
    operands, attributes = values[:count], tuple(values[count:])
    dtype = compute_dtype(row, operands)
    tensors: list[Tensor | None] = []
    arrays: list[ndarray] = []
    for name, operand in zip(row.inputs, operands, strict=True):
        if isinstance(operand, Tensor):
            tensors.append(operand)
            array = operand._array
            arrays.append(array if array.dtype == dtype or name == "condition" else array.astype(dtype))
        else:
            tensors.append(None)
            arrays.append(np.asarray(operand, np.bool_ if name == "condition" else dtype))
    shape = broadcast_shape(row, arrays)
    size = 1
    for n in shape:
        size *= n
    result = silently(row.program, arrays, attributes, dtype, size)[0]
    if not isinstance(result, ndarray):
        result = np.asarray(result)
    if result is arrays[0]:
        result = result.copy()  # identity: the result of an operator is never its input
    if row.result != "bool" and result.dtype != dtype:
        result = result.astype(dtype)
    out = wrap(result)
    if state.inference:
        out._counter = INFERENCE
    nodes = [None if t is None else node_of(t) for t in tensors]
    if row.rules and state.grad and any(node is not None for node in nodes) and result.dtype.kind in "fc":
        plan = row.plan(tuple(node is not None for node in nodes))
        if plan.names:
            saved, guards = [], []
            for name in plan.saved:
                if name == "out":
                    saved.append(result)
                    guards += [shared_counter(out), 0]
                    continue
                i = row.inputs.index(name)
                saved.append(arrays[i])
                owner = tensors[i]
                if owner is not None and owner._array is arrays[i]:
                    guards += _guard(owner)
            fits = [
                None
                if arrays[i].shape == result.shape and operands[i]._array.dtype == dtype and plan.keeps_shape
                else (arrays[i].shape, operands[i]._array.dtype)
                for i in plan.positions
            ]
            edges = tuple(nodes[i] for i in plan.positions)
            record(out, plan, edges, tuple(saved), tuple(guards), fits, attributes)
    return out


def _guard(owner: Tensor) -> list[Any]:
    counter = shared_counter(owner)
    return [counter, counter[0]]


def record(
    out: Tensor,
    plan: Any,
    edges: tuple[Node | None, ...],
    saved: tuple[Any, ...],
    guards: tuple[Any, ...],
    fits: list[Any],
    attributes: Any,
    node_class: type[RowNode] = RowNode,
) -> RowNode:
    node = new(node_class)
    node.edges = edges
    node.plan = plan
    node.saved = saved
    node.guards = guards
    node.fit = None if all(want is None for want in fits) else fits
    node.attributes = attributes
    if graph.is_anomaly_enabled():
        graph.remember_line(node)
    out._node = node
    return node


def compute_dtype(row: PointwiseRow, operands: Sequence[Any]) -> np.dtype:
    """The dtype in which a pointwise row computes, by PyTorch's promotion.

    Raises:
        TypeError: an operand is neither a tensor nor a number.
    """
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
                f"{row.name}(): argument '{public_name(name)}' must be Tensor or a number, not "
                f"{type(operand).__name__}"
            )
    dtype = result_dtype(dimensioned, zero_dim, number)
    if dtype.kind == "b" and row.refuses_bool:
        raise RuntimeError(f"{row.name} is not supported on bool tensors: {row.refuses_bool}")
    if row.result == "float" and dtype.kind in "biu":
        return dtypes.default_dtype.numpy
    return dtype


def broadcast_shape(row: Row, arrays: Sequence[ndarray]) -> tuple[int, ...]:
    """The common shape; the error names both shapes and the first dimension that does not match."""
    first = arrays[0].shape
    if all(array.shape == first for array in arrays):
        return first
    try:
        return np.broadcast_shapes(*(array.shape for array in arrays))
    except ValueError:
        pass
    result: tuple[int, ...] = ()
    for array in arrays:
        a, b = result, array.shape
        ndim = max(len(a), len(b))
        wide_a, wide_b = (1,) * (ndim - len(a)) + a, (1,) * (ndim - len(b)) + b
        for dim in reversed(range(ndim)):
            if wide_a[dim] != wide_b[dim] and 1 not in (wide_a[dim], wide_b[dim]):
                raise RuntimeError(
                    f"The size of tensor a ({wide_a[dim]}) must match the size of tensor b ({wide_b[dim]}) at "
                    f"non-singleton dimension {dim}: {row.name} got shapes {list(a)} and {list(b)}."
                )
        result = tuple(m if n == 1 else n for m, n in zip(wide_a, wide_b, strict=True))
    raise AssertionError("NumPy refused shapes that broadcast")


# --- Rows with a kernel of their own -------------------------------------------------------------------------------


def apply_coarse(row: CoarseRow, values: list[Any]) -> Any:
    """A coarse row on tensors: unwraps the inputs, computes, wraps and records."""
    owners = [values[i] for i in row.input_positions]
    arguments = list(values)
    nodes: list[Any] = []
    differentiable = False
    for position, name in zip(row.input_positions, row.inputs, strict=True):
        value = values[position]
        if isinstance(value, Tensor):
            arguments[position] = value._array
            node = node_of(value)
            nodes.append(node)
            differentiable = differentiable or node is not None
        elif name in row.sequences:
            if not isinstance(value, (list, tuple)):
                raise TypeError(
                    f"{row.name}(): argument '{public_name(name)}' must be a sequence of Tensors, not "
                    f"{type(value).__name__}"
                )
            for item in value:
                if not isinstance(item, Tensor):
                    raise TypeError(
                        f"{row.name}(): expected Tensor as element of argument '{public_name(name)}', but got "
                        f"{type(item).__name__}"
                    )
            arguments[position] = [item._array for item in value]
            several = [node_of(item) for item in value]
            nodes.append(several)
            differentiable = differentiable or any(node is not None for node in several)
        elif value is None or isinstance(value, ndarray):
            nodes.append(None)
        else:
            raise TypeError(
                f"{row.name}(): argument '{public_name(name)}' must be Tensor, not {type(value).__name__}"
            )
    result = silently(row.forward, *arguments)
    extras: tuple[Any, ...] = ()
    if row.extras:
        result, *extras = result
    if row.outputs is None:
        return _wrap_many(row, owners, nodes, arguments, result, differentiable and state.grad)
    if not isinstance(result, ndarray):
        result = np.asarray(result)
    source = owners[0]
    if not row.is_view and isinstance(source, Tensor) and result is source._array:
        result = result.view()
    out = wrap(result)
    if state.inference:
        out._counter = INFERENCE
    elif row.is_view and isinstance(source, Tensor) and _shares_memory(result, source._array):
        remember_view(out, source, row, values)
    if differentiable and state.grad and result.dtype.kind in "fc":
        _record_coarse(row, owners, nodes, arguments, out, extras)
    return out


def _record_coarse(
    row: CoarseRow, owners: list[Any], nodes: list[Any], arguments: list[Any], out: Tensor, extras: Sequence[Any]
) -> RowNode | None:
    wanted = tuple(any(n is not None for n in node) if isinstance(node, list) else node is not None for node in nodes)
    plan = row.plan(wanted)
    if not plan.names:
        return None
    saved, guards = [], []
    for name in plan.saved:
        if name == "out":
            saved.append(out._array)
            guards += [shared_counter(out), 0] if out._view is None else _guard(out)
        elif name in row.extras:
            saved.append(extras[row.extras.index(name)])
        else:
            i = row.inputs.index(name)
            saved.append(arguments[row.input_positions[i]])
            owner = owners[i]
            for tensor in owner if isinstance(owner, (list, tuple)) else (owner,):
                if isinstance(tensor, Tensor):
                    guards += _guard(tensor)
    attributes = {name: arguments[row.parameters.index(name)] for name in row.attributes}
    for fact in plan.facts:
        name, _, kind = fact.rpartition("_")
        value = out._array if name == "out" else arguments[row.parameters.index(name)]
        if kind == "shapes":
            attributes[fact] = [array.shape for array in value]
        else:
            attributes[fact] = None if value is None else getattr(value, kind)
    edges: list[Node | None] = []
    for i in plan.positions:
        edges.extend(nodes[i]) if isinstance(nodes[i], list) else edges.append(nodes[i])
    return record(out, plan, tuple(edges), tuple(saved), tuple(guards), [None], attributes)


class ManyNode(RowNode):
    """A row with several outputs: its gradient is a dict from output number to gradient."""

    __slots__ = ("shapes",)

    shapes: list[tuple[tuple[int, ...], np.dtype]]

    def vjp(self, g: dict[int, Any]) -> Sequence[Any]:
        recording = any(isinstance(value, Tensor) for value in g.values())
        full: list[Any] = []
        for number, (shape, dtype) in enumerate(self.shapes):
            if number in g:
                full.append(g[number])
            else:
                full.append(wrap(np.zeros(shape, dtype)) if recording else np.zeros(shape, dtype))
        self._check_saved()
        values = self._as_tensors() if recording else self.saved
        return self.plan.on_arrays(full, values, self.attributes)

    def accumulate(self, total: dict[int, Any], g: dict[int, Any], owned: bool) -> dict[int, Any]:
        merged = dict(total)
        for number, value in g.items():
            merged[number] = merged[number] + value if number in merged else value
        return merged


class Output(Node):
    """One output of a `ManyNode`."""

    __slots__ = ("index",)

    def __init__(self, many: Node, index: int) -> None:
        super().__init__((many,))
        self.index = index

    def vjp(self, g: Any) -> Sequence[Any]:
        return ({self.index: g},)

    def accumulate(self, total: Any, g: Any, owned: bool) -> Any:
        return add_up(total, g, owned)

    def name(self) -> str:
        return self.edges[0].name()  # type: ignore[union-attr]

    def __repr__(self) -> str:
        return f"<{self.name()} object at {id(self):#x}>"


def _wrap_many(
    row: CoarseRow, owners: list[Any], nodes: list[Any], arguments: list[Any], results: Sequence[ndarray], tracked: bool
) -> tuple[Tensor, ...]:
    outs = tuple(wrap(np.asarray(result)) for result in results)
    source = owners[0]
    for number, out in enumerate(outs):
        if state.inference:
            out._counter = INFERENCE
        elif row.is_view and isinstance(source, Tensor) and _shares_memory(out._array, source._array):
            step = (TABLE["pick"], (row, tuple(arguments[1:]), number), {})
            blocked = (
                f"Output {number} of {row.node_name} is a view and is being modified inplace. This view is the output "
                "of a function that returns multiple views. Such functions do not allow the output views to be "
                "modified inplace. You should replace the inplace operation by an out-of-place one."
            )
            _link_view(out, source, step, blocked)
    if tracked and outs:
        carrier = wrap(outs[0]._array)
        node = _record_coarse(row, owners, nodes, arguments, carrier, ())
        if node is not None:
            many = new(ManyNode)
            for slot in ("edges", "plan", "saved", "guards", "fit", "attributes"):
                setattr(many, slot, getattr(node, slot))
            if node.trace:
                many.trace = node.trace
            many.shapes = [(out._array.shape, out._array.dtype) for out in outs]
            for number, out in enumerate(outs):
                if out._array.dtype.kind in "fc":
                    out._node = Output(many, number)
    return outs


# --- Views and writes ----------------------------------------------------------------------------------------------


def _shares_memory(result: ndarray, source: ndarray) -> bool:
    base = result.base
    if result is source or (base is not None and (base is source or base is source.base)):
        return True
    return base is not None and not isinstance(base, ndarray) and np.may_share_memory(result, source)


def remember_view(out: Tensor, source: Tensor, row: Row, values: Sequence[Any]) -> None:
    """Makes ``out`` a view of ``source`` made by ``row``: writes to either reach the other, gradients included."""
    blocked = None
    if not state.grad:
        blocked = (
            "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Create the view "
            "outside no_grad, or write inside it too."
        )
    _link_view(out, source, (row, tuple(values[1:]), {}), blocked)


def _link_view(out: Tensor, source: Tensor, step: tuple[Any, ...], blocked: str | None) -> None:
    counter = source._counter
    if counter is INFERENCE:
        out._counter = INFERENCE
        return
    out._counter = counter = shared_counter(source)
    origin = source._view
    if origin is None:
        out._view = View(source, (step,), counter[1], blocked)
    else:
        out._view = View(origin.base, (*origin.steps, step), counter[1], blocked or origin.blocked)


def check_write(tensor: Tensor, operator: str, recorded: bool) -> None:
    """Raises when an in-place operator must not write to ``tensor``.

    Args:
        tensor: what is to be written to.
        operator: the operator's name with its underscore.
        recorded: whether the write would be recorded (grad mode is on and something requires grad).
    """
    if tensor._counter is INFERENCE and not state.inference:
        raise RuntimeError(
            f"Inplace update to inference tensor outside InferenceMode is not allowed ({operator}). You can make a "
            "clone to get a normal tensor before doing inplace update."
        )
    if not tensor._array.flags.writeable:
        raise RuntimeError(f"{operator}: the tensor's memory is read-only; clone() it first")
    if 0 in tensor._array.strides and any(n > 1 and s == 0 for n, s in zip(tensor._array.shape, tensor._array.strides)):  # noqa: B905
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )
    if not state.grad:
        return
    node = node_of(tensor)
    view = tensor._view
    if isinstance(node, Leaf):
        raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
    if view is not None:
        if isinstance(view.base._node, Leaf):
            raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
        if view.blocked is not None and (recorded or node is not None):
            raise RuntimeError(view.blocked)


def write(tensor: Tensor, out: Tensor, operator: str) -> Tensor:
    """Puts the values and the history of ``out``, computed from ``tensor``, into ``tensor``.

    Raises:
        RuntimeError: another shape, or a type that ``tensor`` cannot hold; nothing is changed then.
    """
    check_write(tensor, operator, out._node is not None)
    target, array = tensor._array, out._array
    if array.shape != target.shape:
        raise RuntimeError(
            f"output with shape {list(target.shape)} doesn't match the broadcast shape {list(array.shape)} "
            f"in {operator}"
        )
    if array.dtype != target.dtype:
        if dtypes._CATEGORY[array.dtype.kind] > dtypes._CATEGORY[target.dtype.kind]:
            raise RuntimeError(
                f"result type {_type_name(array.dtype)} can't be cast to the desired output type "
                f"{_type_name(target.dtype)} in {operator}"
            )
        out = TABLE["to"](out, from_numpy_dtype(target.dtype))
        array = out._array
    target[...] = array
    count_write(tensor)
    node = out._node
    if node is not None:
        _keep_one_copy(node, array, tensor)
        set_history(tensor, node)
    return tensor


def _keep_one_copy(node: Node, array: ndarray, tensor: Tensor) -> None:
    """A rule that saved the result keeps the tensor's own memory instead of a second copy."""
    if isinstance(node, RowNode) and tensor._counter is not None and any(value is array for value in node.saved):
        at = [i for i, name in enumerate(node.plan.saved) if name == "out"]
        if at:
            guards = [c for c in node.guards]
            guards[-2:] = [tensor._counter, tensor._counter[0]]
            node.saved = tuple(tensor._array if value is array else value for value in node.saved)
            node.guards = tuple(guards)


def set_history(tensor: Tensor, node: Node) -> None:
    """Makes ``node`` the maker of ``tensor``'s present values; views of the same memory follow when next asked."""
    view = tensor._view
    counter = shared_counter(tensor)
    counter[1] += 1
    if view is None:
        tensor._node = node
        return
    base = view.base
    scatter = TABLE["view_scatter"]
    previous, state.grad = state.grad, True
    try:
        wanted = (base._node is not None, True)
        plan = scatter.plan(wanted)  # type: ignore[attr-defined]
        edges = (base._node, node) if wanted[0] else (node,)
        record(base, plan, edges, (), (), [None], {"steps": view.steps})
    finally:
        state.grad = previous


def _type_name(dtype: np.dtype) -> str:
    names = {"float16": "Half", "float32": "Float", "float64": "Double", "uint8": "Byte", "int8": "Char"}
    names |= {"int16": "Short", "int32": "Int", "int64": "Long", "bool": "Bool"}
    return names.get(dtype.name, dtype.name)


# --- The short path ------------------------------------------------------------------------------------------------


def unary(row: PointwiseRow) -> Callable[..., Tensor]:
    """The function for a row of one input and no attributes."""
    plan = row.plan((True,)) if row.rules else None
    save_x, save_out = (plan is not None and "x" in plan.saved), (plan is not None and "out" in plan.saved)
    run32: Any = None
    run64: Any = None
    limit = 0

    def function(input: Tensor, *, out: Tensor | None = None) -> Tensor:
        try:
            array = input._array
            if array.size > limit or _watched or out is not None:
                return general(input, out)
            dtype = array.dtype
            if dtype is F32:
                result = quiet(run32, array)
            elif dtype is F64:
                result = quiet(run64, array)
            else:
                return general(input, out)
        except Exception:
            return general(input, out)
        if type(result) is not ndarray:
            result = np.asarray(result)
        tensor = new(Tensor)
        tensor._array = result
        tensor._view = None
        tensor._counter = None
        node = input._node if input._view is None else node_of(input)
        if node is None or plan is None or not state.grad:
            tensor._node = None
            return tensor
        tensor._node = step = new(RowNode)
        step.edges = (node,)
        step.plan = plan
        step.fit = None
        step.attributes = ()
        if save_x:
            counter = input._counter
            if counter is None:
                counter = input._counter = [0, 0]
            if save_out:
                tensor._counter = fresh = [0, 0]
                step.saved = (array, result)
                step.guards = (counter, counter[0], fresh, 0)
            else:
                step.saved = (array,)
                step.guards = (counter, counter[0])
        elif save_out:
            tensor._counter = counter = [0, 0]
            step.saved = (result,)
            step.guards = (counter, 0)
        else:
            step.saved = step.guards = ()
        return tensor

    def general(input: Any, out: Tensor | None) -> Tensor:
        nonlocal run32, run64, limit
        if run32 is None:
            run32, run64, limit = _small_readings(row)
        if not isinstance(input, Tensor):
            raise TypeError(f"{row.name}(): argument 'input' must be Tensor, not {type(input).__name__}")
        result = apply_pointwise(row, [input])
        return result if out is None else write_out(out, result, row.name)

    return function


def _small_readings(row: PointwiseRow) -> tuple[Callable[..., Any], Callable[..., Any], int]:
    """NumPy's readings for both float types, and the largest size for which they are the best ones."""
    program = row.program
    limit = 1 << 62 if program.is_one_pass else jit.threshold - 1
    return program.small(F32, alone=True), program.small(F64, alone=True), limit


def binary(row: PointwiseRow, operator: bool = False, reflected: bool = False) -> Callable[..., Tensor]:
    """The function for a row of two inputs and no attributes.

    Args:
        row: the row.
        operator: make it a method behind a Python operator: NotImplemented for operands of unknown type.
        reflected: swap the operands.
    """
    plans = [row.plan(wanted) for wanted in ((True, True), (True, False), (False, True))] if row.rules else [None] * 3
    both, left, right = plans
    run32: Any = None
    run64: Any = None
    limit = 0

    def function(input: Any, other: Any, *, out: Tensor | None = None) -> Any:
        try:
            a, b = input._array, other._array
            dtype = a.dtype
            if b.dtype is not dtype or a.size > limit or b.size > limit or _watched or out is not None:
                return general(input, other, out)
            if dtype is F32:
                result = quiet(run32, a, b)
            elif dtype is F64:
                result = quiet(run64, a, b)
            else:
                return general(input, other, out)
        except Exception:
            return general(input, other, out)
        if type(result) is not ndarray:
            result = np.asarray(result)
        tensor = new(Tensor)
        tensor._array = result
        tensor._view = None
        tensor._counter = None
        x = input._node if input._view is None else node_of(input)
        y = other._node if other._view is None else node_of(other)
        if (x is None and y is None) or both is None or not state.grad:
            tensor._node = None
            return tensor
        tensor._node = step = new(RowNode)
        if y is None:
            plan, step.edges = left, (x,)
        elif x is None:
            plan, step.edges = right, (y,)
        else:
            plan, step.edges = both, (x, y)
        step.plan = plan
        step.attributes = ()
        if plan.saved:
            saved, guards = [], []
            for name in plan.saved:
                owner = input if name == "x" else other if name == "y" else tensor
                counter = owner._counter
                if counter is None:
                    counter = owner._counter = [0, 0]
                saved.append(owner._array)
                guards += counter, counter[0]
            step.saved = tuple(saved)
            step.guards = guards
        else:
            step.saved = step.guards = ()
        shape = result.shape
        if a.shape == shape and b.shape == shape and plan.keeps_shape:
            step.fit = None
        else:
            step.fit = [((a if i == 0 else b).shape, dtype) for i in plan.positions]
        return tensor

    def general(input: Any, other: Any, out: Tensor | None) -> Any:
        nonlocal run32, run64, limit
        if run32 is None:
            run32, run64, limit = _small_readings(row)
        if reflected:
            input, other = other, input
        operands = [wrap(operand) if isinstance(operand, ndarray) else operand for operand in (input, other)]
        if not any(isinstance(operand, Tensor) for operand in operands):
            raise TypeError(f"{row.name}(): argument 'input' must be Tensor, not {type(input).__name__}")
        if operator and not all(isinstance(operand, (Tensor, *NUMBERS)) for operand in operands):
            return NotImplemented
        result = apply_pointwise(row, operands)
        return result if out is None else write_out(out, result, row.name)

    return function


def write_out(out: Tensor, result: Tensor, operator: str) -> Tensor:
    """Puts a result into the tensor given as ``out=``, which takes its shape.

    Raises:
        RuntimeError: the result requires grad, or ``out`` does, or its dtype cannot hold the result.
    """
    if not isinstance(out, Tensor):
        raise TypeError(f"{operator}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if state.grad and (result._node is not None or node_of(out) is not None):
        raise RuntimeError(
            f"{operator}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    if dtypes._CATEGORY[result._array.dtype.kind] > dtypes._CATEGORY[out._array.dtype.kind]:
        raise RuntimeError(
            f"{operator}(): result type {_type_name(result._array.dtype)} can't be cast to the desired output type "
            f"{_type_name(out._array.dtype)}"
        )
    if out._array.shape == result._array.shape:
        out._array[...] = result._array
    else:
        out._array = result._array.astype(out._array.dtype)
    count_write(out)
    return out
