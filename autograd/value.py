"""Value: the graph with one number in each node, for seeing how it all works.

A `Value` *is* its node: it keeps its number, its gradient and the Values it was made from. The operators are the
same rows that drive tensors, read over Python floats; nothing is written twice. The interface is the one that
micrograd made popular: ``data``, ``grad``, ``backward()``, ``_prev``, ``_op``.

Numbers are saved when an operator is applied, so the gradient belongs to the forward pass that was computed even if
``data`` was changed afterwards; a second ``backward()`` adds the exact same amounts again, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

from . import graph
from .graph import Node, run_backward, state
from .rows.table import TABLE, PointwiseRow, Row, library

__all__ = ["Value", "grad"]

new = object.__new__
FIRST, LEFT, SECOND, BOTH = (True,), (True, False), (False, True), (True, True)  # which operands are Values
GLYPHS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}


class Value(Node):
    """A number in the graph.

    Args:
        data: the number.
        label: a name for the picture.

    Attributes:
        data: the number.
        grad: the sum, over all backward passes, of the root's derivative with respect to this value.
        label: a name for the picture.
        operands: what the operator was applied to, Values and plain numbers.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> c = a * b + a**2
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-2.0, 1.0, 2.0)
    """

    __slots__ = ("__dict__", "_known", "_wanted", "data", "grad", "label", "operands", "row")

    if TYPE_CHECKING:  # one method for each pointwise row, attached below

        def __getattr__(self, name: str) -> Any: ...
        def _of_self(self) -> Value: ...
        def _with_other(self, other: Any) -> Value: ...

        __neg__ = __abs__ = _of_self
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = _with_other
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _with_other
        __lt__ = __le__ = __gt__ = __ge__ = _with_other

    def __init__(self, data: Any, _children: Sequence[Value] = (), _op: str = "", label: str = "") -> None:
        if isinstance(data, (str, bytes)) or not hasattr(data, "__float__"):
            raise TypeError(f"Value expects a number, but got {type(data).__name__}")
        super().__init__()
        self.data = float(data)
        self.grad: Any = 0.0
        self.label = label
        self.operands: tuple[Any, ...] = tuple(_children)
        self.row: PointwiseRow | None = None
        self._known: tuple[Any, ...] = ()  # the row's parameters and the result, as they were
        self._wanted: tuple[bool, ...] = ()  # which operands are Values
        if _op:
            self.__dict__["_op_given"] = _op

    @property
    def saved(self) -> dict[str, Any]:
        """The numbers that the operator was applied to, by the parameters' names, and its result ``out`` then."""
        return {} if self.row is None else dict(zip((*self.row.parameters, "out"), self._known, strict=True))

    @property
    def _prev(self) -> set[Value]:
        """The values it was made from."""
        return {operand for operand in self.operands if isinstance(operand, Value)}

    @property
    def _op(self) -> str:
        """The operator that made it, as a sign or a name; empty for a leaf."""
        if self.row is None:
            return self.__dict__.get("_op_given", "")
        return GLYPHS.get(self.row.name, self.row.name)

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    def __float__(self) -> float:
        return self.data

    def name(self) -> str:
        return "Value" if self.row is None else self.row.node_name()

    def backward(self, gradient: Any = None, retain_graph: bool = True, create_graph: bool = False) -> None:
        """Adds to ``grad`` of every value that this one depends on the derivative of this one by it.

        Args:
            gradient: the derivative of a final number by this one; 1 by default.
            retain_graph: accepted; numbers are always kept, so that a further pass is possible and exact.
            create_graph: record the pass itself: gradients become Values that can be differentiated.
        """
        seed = 1.0 if gradient is None else gradient
        seed = seed if isinstance(seed, Value) else float(seed)
        run_backward([self], [_as_value(seed) if create_graph else seed], retain_graph=True, create_graph=create_graph)

    def vjp(self, g: Any) -> Sequence[Any]:
        self.grad = self.grad + g
        row = self.row
        if row is None:
            return ()
        plan = row.plan(self._wanted)
        if type(g) is float or not isinstance(g, Value):
            return plan.on_floats(g, self._known)
        attributes = self._known[len(self.operands) : -1]
        return plan.on_recorders(g, tuple(self._saved_value(name) for name in plan.saved), attributes)

    def receive(self, g: Any, owned: bool) -> None:
        self.grad = self.grad + g

    def check(self, gradients: Sequence[Any]) -> None:
        for number, gradient in enumerate(gradients):
            if float(gradient) != float(gradient):
                raise RuntimeError(f"Function '{self.name()}' returned nan values in its {number}th output.")

    def _saved_value(self, name: str) -> Any:
        """An operand, or this value, for a recorded pass, which cannot use numbers of the past."""
        assert self.row is not None
        value = self if name == "out" else self.operands[self.row.inputs.index(name)]
        if isinstance(value, Value) and value.data != self.saved[name] and self.saved[name] == self.saved[name]:
            raise RuntimeError(
                f"{self.name()}: '{name}' was {self.saved[name]} when the operator was applied, but its data is "
                f"{value.data} now; compute the result again before differentiating it twice"
            )
        return value


def _as_value(number: Any) -> Value:
    return number if isinstance(number, Value) else Value(number)


def apply(row: Row, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A pointwise row on Values and numbers: a Value that remembers both; a bool for comparisons."""
    if not isinstance(row, PointwiseRow):
        raise TypeError(f"{row.name} is not defined on Values: they hold single numbers")
    arguments = args if not kwargs and len(args) == len(row.parameters) else row.bind(args, kwargs)
    operands = tuple(arguments[: len(row.inputs)])
    known: list[Any] = []
    edges: list[Value] = []
    for name, operand in zip(row.inputs, operands):  # noqa: B905 (equally long)
        number = operand
        if isinstance(operand, Value):
            number = operand.data
            edges.append(operand)
        if type(number) is not float and number is not True and number is not False:
            if not isinstance(number, (int, float)):
                kind = type(number).__name__
                raise TypeError(f"{row.name}(): argument '{name}' must be Value or a number, not {kind}")
            number = float(number)
        known.append(number)
    known += arguments[len(operands) :]
    result = row.formula.on_floats(*known)
    if row.result == "bool":
        return bool(result)
    wanted = tuple([isinstance(operand, Value) for operand in operands])
    return _recorded(row, operands, wanted, tuple(edges), (*known, float(result)))


Value._apply_row = staticmethod(apply)  # type: ignore[attr-defined]


def grad(
    outputs: Value | Sequence[Value],
    inputs: Value | Sequence[Value],
    grad_outputs: Any = None,
    create_graph: bool = False,
) -> tuple[Value, ...]:
    """Derivatives of the sum of ``outputs`` by each of ``inputs``, as Values.

    >>> x = Value(3.0)
    >>> (dy,) = grad(x**3, x, create_graph=True)
    >>> (d2y,) = grad(dy, x)
    >>> dy.data, d2y.data
    (27.0, 18.0)
    """
    roots = [outputs] if isinstance(outputs, Value) else list(outputs)
    targets = [inputs] if isinstance(inputs, Value) else list(inputs)
    seeds = [1.0] * len(roots) if grad_outputs is None else [*grad_outputs]
    seeds = [_as_value(seed) if create_graph else float(seed) for seed in seeds]
    kept = {value: value.grad for value in cast(Iterable[Value], graph.topological_order(roots))}
    try:
        arrived = run_backward(
            roots, seeds, inputs=targets, retain_graph=True, create_graph=create_graph, accumulate=False
        )
    finally:
        for value, before in kept.items():
            value.grad = before
    return tuple(_as_value(0.0 if g is None else g) for g in arrived)


# --- Methods -------------------------------------------------------------------------------------------------------


def _recorded(
    row: PointwiseRow,
    operands: tuple[Any, ...],
    wanted: tuple[bool, ...],
    edges: tuple[Value, ...],
    known: tuple[Any, ...],
) -> Value:
    """The result of a row, the last of what is ``known``."""
    value: Value = new(Value)
    value.data = known[-1]
    value.grad, value.label, value.hooks, value.row = 0.0, "", None, None
    value.operands = value.edges = value._known = value._wanted = ()
    if row.rules and state.grad:
        value.row, value.operands, value.edges, value._known, value._wanted = row, operands, edges, known, wanted
        if graph.is_anomaly_enabled():
            graph.remember_line(value)
    return value


# The usual call, on numbers as they should be, goes past the lists of `apply`.


def _method(row: PointwiseRow) -> Callable[..., Any]:
    compute, is_unary = row.formula.on_floats, len(row.parameters) == 1 and row.result != "bool"

    def method(self: Value, *args: Any, **kwargs: Any) -> Any:
        if is_unary and not args and not kwargs and type(self.data) is float:
            return _recorded(row, (self,), FIRST, (self,), (self.data, float(compute(self.data))))
        return apply(row, (self, *args), kwargs)

    method.__name__, method.__qualname__ = row.name, f"Value.{row.name}"
    method.__doc__ = f"``{row.latex}``" if row.latex else None
    return method


def _operator(row: PointwiseRow, reflected: bool) -> Callable[..., Any]:
    compute, returns_truth = row.formula.on_floats, row.result == "bool"

    def method(self: Value, other: Any) -> Any:
        kind = type(other)
        a, b = self.data, other.data if kind is Value else other
        if type(a) is not float or type(b) is not float or returns_truth:
            if not isinstance(other, (Value, int, float)):
                return NotImplemented
            return apply(row, (other, self) if reflected else (self, other), {})
        if reflected:  # a Value on the left has the operator itself
            return _recorded(row, (other, self), SECOND, (self,), (b, a, float(compute(b, a))))
        known = a, b, float(compute(a, b))
        if kind is Value:
            return _recorded(row, (self, other), BOTH, (self, other), known)
        return _recorded(row, (self, other), LEFT, (self,), known)

    return method


def _attach() -> None:
    for row in list(TABLE.values()):
        if isinstance(row, PointwiseRow) and not hasattr(Value, row.name):
            setattr(Value, row.name, _method(row))
    for name in ("add", "sub", "mul", "truediv", "pow", "mod", "floordiv"):
        row = library.__getattr__({"truediv": "div", "mod": "remainder", "floordiv": "floor_divide"}.get(name, name))
        setattr(Value, f"__{name}__", _operator(row, reflected=False))  # type: ignore[arg-type]
        setattr(Value, f"__r{name}__", _operator(row, reflected=True))  # type: ignore[arg-type]
    for name in ("lt", "le", "gt", "ge"):
        setattr(Value, f"__{name}__", _operator(TABLE[name], reflected=False))  # type: ignore[arg-type]
    Value.__neg__ = _method(TABLE["neg"])  # type: ignore[arg-type]
    Value.__abs__ = _method(TABLE["abs"])  # type: ignore[arg-type]


_attach()
