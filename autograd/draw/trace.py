"""A gradient graph as plain records: what each node computes, its value, what arrives at it, who feeds it.

Reading a graph changes nothing: gradients come from a backward pass of its own, without hooks, and no ``grad`` is
touched. A node does not keep its result, so the value of an intermediate tensor is what some rule saved, or is
computed again from its inputs where all of them are known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import graph
from ..differentiation import differentiate
from ..graph import Leaf, Node, topological_order
from ..rows.nodes import FREED, Output, RowNode
from ..rows.table import PointwiseRow
from ..tensor import Tensor, TensorLeaf, node_of
from ..value import Value

__all__ = ["Edge", "Record", "Trace", "trace"]


@dataclass
class Record:
    """One node of the picture.

    Attributes:
        kind: ``"leaf"``, ``"parameter"``, ``"operator"``, ``"output"`` (one of an operator's several results) or
            ``"constant"`` (an operand through which no gradient flows).
        operator: name of the operator's row, such as ``"mul"``; empty unless an operator.
        formula: the row's formula in LaTeX.
        settings: the operator's other arguments, such as ``"dim=1"``.
        label: the name that was given to the value.
        is_root: whether the picture was asked for it.
        value: number or array, None where nobody kept it.
        origin: where the value is from: ``"given"``, ``"saved"`` by a rule, or ``"computed"`` again.
        gradient: derivative of the sum of the roots by the value, None where none arrived or none was asked for.
        accumulated: a leaf's ``grad``, where no gradients could be computed.
        shape: None where it is unknown, and for a `Value`.
        note: why there is more or less to see than expected.
    """

    kind: str
    operator: str = ""
    formula: str = ""
    settings: str = ""
    label: str = ""
    is_root: bool = False
    value: Any = None
    origin: str = ""
    gradient: Any = None
    accumulated: Any = None
    shape: tuple[int, ...] | None = None
    note: str = ""


@dataclass
class Edge:
    """From the record ``source`` into the operator ``target``, both by number; ``name`` is the operand's."""

    source: int
    target: int
    name: str = ""


@dataclass
class Trace:
    """Records, results before their causes, the edges between them, and notes for the reader of the picture."""

    records: list[Record] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def trace(
    root: Value | Tensor | Sequence[Value | Tensor],
    *,
    gradients: bool = True,
    labels: Mapping[str, Value | Tensor] | None = None,
    params: Mapping[str, Tensor] | None = None,
) -> Trace:
    """Reads everything that ``root`` depends on, without recursion and without side effects.

    The arrays in the records share memory with the graph.

    Args:
        root: a `Value`, a `Tensor` or several.
        gradients: find the derivative of the root (of the sum, for several numbers) by every node.
        labels: names of values; naming an intermediate tensor also makes its value known.
        params: names of parameters, as in ``dict(model.named_parameters())``.

    Raises:
        TypeError: something else than Values and Tensors.
        ValueError: no root.

    >>> import autograd
    >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
    >>> found = trace((x * x).sum())
    >>> [(record.operator or record.kind, record.gradient.tolist()) for record in found.records]
    [('sum', 1.0), ('mul', [1.0, 1.0]), ('leaf', [2.0, 4.0])]
    >>> [(edge.source, edge.target) for edge in found.edges]
    [(1, 0), (2, 1), (2, 1)]
    """
    roots = _check_roots(root)
    names = [(name, value, "leaf") for name, value in (labels or {}).items()]
    names += [(name, value, "parameter") for name, value in (params or {}).items()]
    for name, value, _ in names:
        if not isinstance(value, (Value, Tensor)):
            raise TypeError(f"the value labeled {name!r} must be a Value or a Tensor, but is {type(value).__name__}")
    result = Trace()
    recorded = {}
    for each in roots:
        node = _node(each)
        if node is None:
            record = Record("leaf", is_root=True, value=each._array, origin="given", shape=each._array.shape)
            record.label = next((name for name, value, _ in names if value is each), getattr(each, "label", ""))
            record.note = "requires no gradient: nothing was recorded"
            result.records.append(record)
        else:
            recorded[node] = each
    if not recorded:
        return result

    order = list(topological_order(recorded))
    given: dict[Node, Any] = {node: each for node, each in recorded.items() if isinstance(each, Tensor)}
    for _, value, _ in names:
        node = _node(value)
        if node is not None and isinstance(value, Tensor):
            given[node] = value
    values = _find_values(order, {node: tensor._array for node, tensor in given.items()})
    arrived = _find_gradients(order, recorded, result.notes) if gradients else {}
    first = len(result.records)
    numbers = {node: first + i for i, node in enumerate(order)}
    for node in order:
        record = _describe(node)
        record.is_root = node in recorded
        record.value, record.origin = values.get(node, (None, ""))
        g = arrived.get(node)
        record.gradient = None if isinstance(g, dict) else g
        if isinstance(record.value, np.ndarray):
            record.shape = record.value.shape
        elif isinstance(record.gradient, np.ndarray):
            record.shape = record.gradient.shape
        if not arrived and isinstance(node, TensorLeaf) and node.grad is not None:
            record.accumulated = node.grad._array
        if node in given:
            record.label = getattr(given[node], "label", record.label)
        result.records.append(record)
    for name, value, kind in names:
        node = _node(value)
        number = None if node is None else numbers.get(node)
        if number is not None:
            result.records[number].label = name
            if result.records[number].kind == "leaf":
                result.records[number].kind = kind
    _connect(order, numbers, names, result)
    return result


def _check_roots(root: Any) -> list[Any]:
    roots = list(root) if isinstance(root, (list, tuple)) else [root]
    if not roots:
        raise ValueError("draw needs a Value or a Tensor, but got an empty sequence")
    for each in roots:
        if not isinstance(each, (Value, Tensor)):
            raise TypeError(f"draw shows the graph of a Value or a Tensor, but got {type(each).__name__}")
    return roots


def _node(value: Value | Tensor) -> Node | None:
    return value if isinstance(value, Value) else node_of(value)


# --- Gradients -----------------------------------------------------------------------------------------------------


def _find_gradients(order: list[Node], roots: Mapping[Node, Any], notes: list[str]) -> dict[Node, Any]:
    """What arrives at every node; empty, with a note, where no backward pass is possible."""
    freed = next((node for node in order if _is_freed(node)), None)
    if freed is not None:
        notes.append(
            f"No gradients: backward() has freed what {freed.name()} saved; leaves show their .grad. Draw before "
            "backward(), or pass retain_graph=True."
        )
        return {}
    seeds = [1.0 if isinstance(root, Value) else np.ones_like(root._array) for root in roots.values()]
    if len(seeds) > 1 or np.size(seeds[0]) > 1:
        notes.append("Gradients are those of the sum of all root elements.")
    try:
        with _undisturbed(order):
            arrived = differentiate(
                list(roots), seeds, inputs=order, retain_graph=True, accumulate=False, call_hooks=False
            )
    except RuntimeError as error:
        notes.append(f"No gradients: {str(error).splitlines()[0]}")
        return {}
    return dict(zip(order, arrived, strict=True))


@contextmanager
def _undisturbed(nodes: Iterable[Node]) -> Iterator[None]:
    """A backward pass inside leaves the ``grad`` of every Value as it was, and takes NaN for an answer."""
    grads = [(node, node.grad) for node in nodes if isinstance(node, Value)]
    try:
        with graph.set_detect_anomaly(graph.is_anomaly_enabled(), check_nan=False):
            yield
    finally:
        for value, grad in grads:
            value.grad = grad


# --- Values --------------------------------------------------------------------------------------------------------


def _is_freed(node: Node) -> bool:
    return isinstance(node, RowNode) and node.saved is FREED


def _written_to(node: Any) -> list[Any]:
    """Version counters of saved arrays that have changed since they were saved."""
    guards: Sequence[Any] = node.guards
    return [counter for counter, version in zip(guards[::2], guards[1::2], strict=True) if counter[0] != version]


def _operand_names(node: RowNode) -> list[str]:
    """The operand behind each edge; the edges of a sequence of tensors share its name."""
    names = list(node.plan.names)
    extra = len(node.edges) - len(names)
    at = next((i for i, name in enumerate(names) if name in getattr(node.plan.row, "sequences", ())), None)
    return names if at is None else names[:at] + [names[at]] * (extra + 1) + names[at + 1 :]


def _kept(node: RowNode) -> dict[str, Any]:
    """What the rule saved, by name; nothing where it was freed or overwritten."""
    if _is_freed(node) or _written_to(node):
        return {}
    return dict(zip(node.plan.saved, node.saved, strict=True))


def _find_values(order: list[Node], given: Mapping[Node, np.ndarray]) -> dict[Node, tuple[Any, str]]:
    values: dict[Node, tuple[Any, str]] = {node: (array, "given") for node, array in given.items()}
    doubtful = _doubtful_leaves(order)
    for node in order:
        if isinstance(node, Value):
            values[node] = (node.data, "given")
        elif isinstance(node, TensorLeaf) and (owner := node.owner()) is not None:
            values[node] = (owner._array, "given")
        elif isinstance(node, RowNode):
            kept = _kept(node)
            if "out" in kept:
                values.setdefault(node, (kept["out"], "saved"))
            for name, edge in zip(_operand_names(node), node.edges, strict=True):
                if edge is not None and isinstance(kept.get(name), np.ndarray):
                    values.setdefault(edge, (kept[name], "saved"))
    several: dict[Node, Sequence[Any]] = {}
    for node in reversed(order):
        if node in values:
            continue
        if isinstance(node, Output):
            if node.edges[0] in several:
                values[node] = (several[node.edges[0]][node.index], "computed")
        elif isinstance(node, RowNode):
            result = _compute_again(node, values, doubtful)
            if isinstance(result, (tuple, list)):
                several[node] = result
            elif result is not None:
                values[node] = (np.asarray(result), "computed")
    return values


def _doubtful_leaves(order: list[Node]) -> set[Node]:
    """Leaves whose numbers may have changed since the graph was recorded: nothing is computed from them.

    A leaf that was never written to is certain. For others, such as initialized weights, versions that rules saved
    must speak for the graph: all of them unchanged, and at least one of a leaf.
    """
    rows: list[Any] = [node for node in order if isinstance(node, RowNode)]
    leaves = {node: node.owner() for node in order if isinstance(node, TensorLeaf)}
    counters = {id(owner._counter) for owner in leaves.values() if owner is not None}
    is_confirmed = any(id(counter) in counters for node in rows for counter in node.guards[::2])
    if is_confirmed and not any(_is_freed(node) or _written_to(node) for node in rows):
        return set()
    return {leaf for leaf, owner in leaves.items() if owner is None or owner._version > 0}


def _compute_again(node: RowNode, values: Mapping[Node, tuple[Any, str]], doubtful: set[Node]) -> Any:
    """The operator's result from its operands, None where one of them is unknown."""
    row, kept = node.plan.row, _kept(node)
    arguments: dict[str, Any] = {}
    for name, edge in zip(_operand_names(node), node.edges, strict=True):
        value = None if edge is None or edge in doubtful else values.get(edge, (None,))[0]
        if value is None:
            return None
        if name in getattr(row, "sequences", ()):
            arguments.setdefault(name, []).append(value)
        else:
            arguments[name] = value
    for name in row.inputs:
        if name not in arguments:
            if not isinstance(kept.get(name), np.ndarray):
                return None
            arguments[name] = kept[name]
    known = _attributes(node)
    for name in row.attributes:
        if name in known:
            arguments[name] = known[name]
        elif name != "dtype" or name not in row.defaults:  # that one changes digits, not what is computed
            return None
    with np.errstate(all="ignore"):
        return row.compute(**arguments)


def _attributes(node: Any) -> dict[str, Any]:
    """The row's other arguments, as far as its rules needed them."""
    row = node.plan.row
    if isinstance(row, PointwiseRow):
        return dict(zip(row.attributes, node.attributes, strict=True))
    return {
        row.parameters[position]: value
        for (position, fact), value in zip(node.plan.context, node.attributes, strict=True)
        if fact is None and position >= 0
    }


# --- Records -------------------------------------------------------------------------------------------------------


def _describe(node: Node) -> Record:
    if isinstance(node, Value):
        record = Record("leaf", label=node.label)
        if node.row is not None:
            record.kind, record.operator, record.formula = "operator", node.row.name, node.row.latex
            record.settings = _settings(node.row, node.saved)
        elif node._op:
            record.kind, record.operator = "operator", node._op
        return record
    if isinstance(node, Leaf):
        owner = node.owner() if isinstance(node, TensorLeaf) else None
        note = "" if owner is not None else "its tensor is gone"
        return Record("leaf", label=str(getattr(owner, "label", "")), note=note)
    if isinstance(node, Output):
        return Record("output", settings=f"output {node.index}")
    if isinstance(node, RowNode):
        row = node.plan.row
        return Record("operator", row.name, row.latex, _settings(row, _attributes(node)))
    return Record("operator", node.name().removesuffix("Backward0").removesuffix("Backward"))


def _settings(row: Any, attributes: Mapping[str, Any]) -> str:
    """The arguments that are worth reading: short, and not the defaults."""
    parts = []
    for name in row.attributes:
        value = attributes.get(name)
        if value is None or isinstance(value, (np.ndarray, Tensor)):
            continue
        if name in row.defaults and type(value) is type(row.defaults[name]) and value == row.defaults[name]:
            continue
        text = f"{name}={value}"
        if len(text) <= 28:
            parts.append(text)
    return ", ".join(parts)


def _connect(
    order: list[Node], numbers: Mapping[Node, int], names: Sequence[tuple[str, Any, str]], result: Trace
) -> None:
    """Edges in the order of the operands, and records for the operands that are constants."""
    labels = {id(value._array): name for name, value, _ in names if isinstance(value, Tensor)}
    constants: dict[int, int] = {}

    def constant(value: Any) -> int:
        # Plain numbers may share memory, yet each belongs beside its operator.
        is_array = isinstance(value, np.ndarray) and value.ndim > 0
        if is_array and id(value) in constants:
            return constants[id(value)]
        label, shape = labels.get(id(value), ""), getattr(value, "shape", None)
        result.records.append(Record("constant", label=label, value=value, origin="saved", shape=shape))
        number = len(result.records) - 1
        if is_array:
            constants[id(value)] = number
        return number

    for node in order:
        target = numbers[node]
        if isinstance(node, Value):
            inputs = node.row.inputs if node.row is not None else [""] * len(node.operands)
            for name, operand in zip(inputs, node.operands, strict=True):
                known = numbers.get(operand) if isinstance(operand, Value) else None
                source = constant(getattr(operand, "data", operand)) if known is None else known
                result.edges.append(Edge(source, target, name))
        elif isinstance(node, RowNode):
            kept = _kept(node)
            wanted = list(zip(_operand_names(node), node.edges, strict=True))
            for name in node.plan.row.inputs:
                edges = [edge for operand, edge in wanted if operand == name]
                for edge in edges:
                    if edge is not None:
                        result.edges.append(Edge(numbers[edge], target, name))
                if not edges and isinstance(kept.get(name), np.ndarray):
                    result.edges.append(Edge(constant(kept[name]), target, name))
        else:
            result.edges.extend(Edge(numbers[edge], target) for edge in node.edges if edge is not None)
