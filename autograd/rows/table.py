"""The table of operators. An operator is one row, written once, as mathematics:

    @pointwise(latex=r"\\tanh x")
    def tanh(x):
        return _.tanh(x)

    @tanh.gradient("x")
    def _(g, out):
        return g * (1 - out * out)

The parameter names of a gradient rule are the list of what is kept for the backward pass: the output's gradient
``g``, the output ``out``, inputs by their names; ``x_shape`` and ``x_dtype`` keep no array. Beyond that a row says
what the picture, the documentation and the tests need: formula, domain, where it has kinks.

Calling a row computes on ndarrays and records on whatever records (`Tensor`, `Value`): a gradient rule written
with rows therefore serves the plain backward pass and gradients of gradients alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from types import FunctionType
from typing import Any

import numpy as np

from ..dtypes import wider
from ..kernels import jit
from .readings import F32, F64, Formula, Program, constant

__all__ = ["TABLE", "Array", "Arrays", "CoarseRow", "PointwiseRow", "Row", "coarse", "pointwise"]

Array = Any  # an ndarray while computing, a Tensor while recording: rules must not care
Arrays = Sequence[Any]

TABLE: dict[str, Row] = {}


class _Library:
    """Stands for ``_`` in the rules: attribute ``f`` is the row named ``f``."""

    def __getattr__(self, name: str) -> Row:
        row = TABLE.get(name)
        if row is None:
            raise AttributeError(f"no operator named {name!r} in the table")
        return row


_ = library = _Library()


class Row:
    """One operator.

    Attributes:
        name: its name in the table; the node of ``tanh`` is called ``TanhBackward0``.
        inputs: names of its tensor inputs.
        attributes: names and defaults of its other parameters.
        rules: for each input that has a gradient, the rule.
        latex: its formula.
        domain: open interval of real inputs, for samples: one pair for all inputs, or one pair each.
        kinks: inputs at which the derivative jumps.
        home: where PyTorch keeps it: ``torch``, ``nn.functional``, ``linalg``, ``methods`` ..., or empty for
            internal rows.
        method: whether tensors have it as a method.
        inplace: whether tensors have it with a trailing underscore.
        aliases: other names for the same operator.
        arguments: PyTorch's keywords for its parameters where they differ, beyond ``input`` and ``other``.
        node_name: PyTorch's name for the node, without its ending unless that is peculiar, or a function of the rules'
            context that gives it.
        complex: whether it takes complex numbers; or the name of the row that takes its place for them.
        holomorphic: whether its rules, written for real numbers, hold for complex ones between two conjugations:
            ``conj(rule(conj(g), ...))``. So it is where the operator is holomorphic or linear, and its rules
            say nothing of complex numbers. False where they are written for complex numbers themselves.
    """

    takes_complex = False  # unless the row says so
    is_differentiable = False  # until it gets a gradient rule
    # The same as `apply`, for common cases; raises where it does not know how. A row has one when it has been used once
    # and while nothing watches every operator; and what was written for it, once it has been.
    short: Callable[..., Any] | None = None
    written: Callable[..., Any] | None = None

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        latex: str = "",
        domain: Any = (-3.0, 3.0),
        kinks: Sequence[float] = (),
        home: str = "torch",
        method: bool | None = None,
        inplace: bool = False,
        aliases: Sequence[str] = (),
        node_name: str | Callable[..., str] | None = None,
        arguments: dict[str, str] | None = None,
        complex: bool | str | None = None,
        holomorphic: bool = True,
    ) -> None:
        self.forward = forward
        self.complex = self.takes_complex if complex is None else complex
        self.is_real = self.complex is not True  # complex operands are refused, or another row's work
        self.holomorphic = holomorphic
        self.name = forward.__name__
        self.doc = forward.__doc__ or ""
        self.latex, self.domain, self.kinks = latex, domain, tuple(kinks)
        self.home, self.inplace, self.aliases = home, inplace, tuple(aliases)
        self.arguments = arguments or {}
        self.method = home == "torch" if method is None else method
        title = "".join(part[:1].upper() + part[1:] for part in self.name.split("_"))
        self._node_name = node_name or title
        code = forward.__code__
        self.parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        positional = self.parameters[: code.co_argcount]
        defaults = forward.__defaults__ or ()
        self.defaults: dict[str, Any] = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
        self.defaults.update(forward.__kwdefaults__ or {})
        required = next((i for i, name in enumerate(self.parameters) if name in self.defaults), len(self.parameters))
        # The defaults that follow so many arguments given by position.
        self._tails = {
            given: [self.defaults.get(name) for name in self.parameters[given:]]
            for given in range(required, len(self.parameters) + 1)
        }
        self.inputs = self._find_inputs(forward)
        self.attributes = tuple(name for name in self.parameters if name not in self.inputs)
        asked = () if isinstance(self._node_name, str) else self._node_name.__code__.co_varnames
        self.naming = frozenset(asked) & frozenset(self.attributes)  # what the node's name depends on
        self.plans: dict[Any, Any] = {}
        if self.name in TABLE:
            raise ValueError(f"the table has a row named {self.name!r} already")
        TABLE[self.name] = self

    def _find_inputs(self, forward: Callable[..., Any]) -> tuple[str, ...]:
        raise NotImplementedError  # each kind of row has its own

    rules: dict[str, Any]

    def node_name(self, **context: Any) -> str:
        """What PyTorch calls the node, which may depend on the arguments: ``SumBackward1`` where ``dim`` is given."""
        name = self._node_name
        if not isinstance(name, str):
            name = name(**{key: context.get(key) for key in name.__code__.co_varnames[: name.__code__.co_argcount]})
        return name if (name[-1].isdigit() and "Backward" in name) or "::" in name else f"{name}Backward0"

    def compute(self, *args: Any, **kwargs: Any) -> Any:
        """The result on plain arrays."""
        raise NotImplementedError  # each kind of row has its own

    def plan(self, wanted: tuple[bool, ...]) -> Any:
        """How to go back when the gradients of the ``wanted`` inputs are needed."""
        raise NotImplementedError  # each kind of row has its own

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The result: on ndarrays computed, on what records (Tensor, Value) recorded. The first operand decides;
        where that is a number, the next."""
        for argument in args:
            kind = type(argument)
            if kind is np.ndarray:
                break
            if kind is list or kind is tuple:
                kind = type(argument[0]) if argument else kind
            record = getattr(kind, "_apply_row", None)
            if record is not None:
                return record(self, args, kwargs)
        return self.compute(*args, **kwargs)

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """Values of all parameters in order, defaults filled in.

        Raises:
            TypeError: too many, unknown or missing arguments.
        """
        if not kwargs and (tail := self._tails.get(len(args))) is not None:
            return [*args, *tail]
        parameters = self.parameters
        if len(args) > len(parameters):
            raise TypeError(f"{self.name}() takes {len(parameters)} arguments, but {len(args)} were given")
        values = list(args)
        used = 0
        for name in parameters[len(args) :]:
            if name in kwargs:
                values.append(kwargs[name])
                used += 1
            elif name in self.defaults:
                values.append(self.defaults[name])
            else:
                raise TypeError(f"{self.name}() missing required argument {public_name(name)!r}")
        if used < len(kwargs):
            wrong = next(name for name in kwargs if name not in parameters[len(args) :])
            problem = "got multiple values for" if wrong in parameters else "got an unexpected keyword"
            raise TypeError(f"{self.name}() {problem} argument {public_name(wrong)!r}")
        return values

    def __repr__(self) -> str:
        return f"<row {self.name}({', '.join(self.parameters)})>"


# The mathematical names of the first two operands are PyTorch's `input` and `other` to callers.
PUBLIC_NAMES = {"x": "input", "y": "other"}


def public_name(name: str) -> str:
    return PUBLIC_NAMES.get(name, name)


class PointwiseRow(Row):
    """An operator that works element by element on inputs that broadcast together.

    ``result`` is the rule for the dtype: ``"same"`` as the promoted inputs, ``"float"`` (integers become the
    default dtype) or ``"bool"``. ``refuses_bool`` names what to use instead where PyTorch rejects bool inputs,
    ``refuses_complex`` where it has a RuntimeError for complex ones;
    ``check`` sees the operands and the dtype before anything is computed; ``keeps_layout`` is False where
    the result lies in logical order whatever the operands do. ``numbers`` says which of two operands may be Python
    numbers where users call the row by name: ``"any"`` (both at once too), ``"either"``, ``"second"`` or ``"none"``.
    ``refuses_backward``: there are no rules, but the result requires grad all the same, and going back raises.
    ``is_recorded``: whether results require grad where an input does.
    ``many``: the row that takes its place where a result of many elements is recorded, because it keeps less.
    """

    many: CoarseRow | None = None

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        result: str = "same",
        accepts: str = "any",
        refuses_bool: str = "",
        refuses_complex: str = "",
        check: Callable[[Sequence[Any], np.dtype], None] | None = None,
        keeps_layout: bool = True,
        numbers: str = "any",
        refuses_backward: bool = False,
        **options: Any,
    ) -> None:
        if refuses_backward:
            options.setdefault("node_name", "torch::autograd::NotImplemented")
        super().__init__(forward, **options)
        self.result, self.accepts, self.check = result, accepts, check
        self.refuses_bool, self.refuses_complex = refuses_bool, refuses_complex
        self.keeps_layout, self.numbers, self.refuses_backward = keeps_layout, numbers, refuses_backward
        self.is_recorded = refuses_backward
        self.signatures: dict[tuple[Any, ...], Any] = {}  # by the kinds of operands, for `rows.dispatch`
        self.rules: dict[str, Formula] = {}
        self.formula = Formula(forward)
        kind = "bool" if result == "bool" else "float"
        self.program = Program(self.name, [self.formula], self.inputs, self.attributes, kind)

    def _find_inputs(self, forward: Callable[..., Any]) -> tuple[str, ...]:
        return tuple(name for name in self.parameters if name not in self.defaults)

    def gradient(self, name: str) -> Callable[[Callable[..., Any]], Any]:
        """Decorator: the rule for input ``name``."""
        _check_new_rule(self, (name,))

        def register(rule: Callable[..., Any]) -> _Library:
            self.rules[name] = Formula(rule)
            self.is_differentiable = self.is_recorded = True
            _check_names(self, rule, self.rules[name].arguments)
            return library

        return register

    def plan(self, wanted: tuple[bool, ...]) -> PointwisePlan:
        """How to go back when the gradients of the ``wanted`` inputs are needed."""
        plan = self.plans.get(wanted)
        if plan is None:
            kind = RefusingPlan if self.refuses_backward else PointwisePlan
            plan = self.plans[wanted] = kind(self, wanted)
        return plan

    def compute(self, *args: Any, **kwargs: Any) -> Any:
        values = self.bind(args, kwargs)
        operands = values[: len(self.inputs)]
        dtype: Any = None
        size = 1
        for operand in operands:
            if isinstance(operand, (np.ndarray, np.generic)):
                kind = operand.dtype
                if dtype is None or (kind is not dtype and (dtype.kind == "b" or kind.kind == "c" != dtype.kind)):
                    dtype = kind
                if operand.size > size:
                    size = operand.size
        if dtype is None:
            return self.formula.on_floats(
                *(dict(zip(self.parameters, values, strict=True))[n] for n in self.formula.arguments)
            )
        if dtype.kind == "c" and isinstance(self.complex, str):
            return TABLE[self.complex].compute(*args, **kwargs)
        arrays = [v if isinstance(v, (np.ndarray, np.generic)) else constant(v, dtype) for v in operands]
        return self.program.first(arrays, values[len(self.inputs) :], dtype, size)


_chosen: list[PointwisePlan] = []  # plans that know which reading is best at which size


def _forget() -> None:
    while _chosen:
        plan = _chosen.pop()
        plan.limit, plan.large = 0, None


jit.listeners.append(_forget)


class PointwisePlan:
    """The backward pass of a pointwise row: all wanted gradients from one program.

    Attributes:
        names: the wanted inputs.
        saved: what the program needs besides ``g``, inputs in order, then ``out``.
        saved_positions: their places among the inputs, -1 for ``out``.
    """

    written = unrolled = None  # see `CoarsePlan`

    def __init__(self, row: PointwiseRow, wanted: tuple[bool, ...]) -> None:
        self.row = row
        self.context_names = row.attributes
        self.names = tuple(name for name, want in zip(row.inputs, wanted, strict=True) if want and name in row.rules)
        self.positions = tuple(row.inputs.index(name) for name in self.names)
        formulas = [row.rules[name] for name in self.names]
        needed = {argument for formula in formulas for argument in formula.arguments}
        self.saved = tuple(name for name in (*row.inputs, "out") if name in needed)
        self.saved_positions = tuple(-1 if name == "out" else row.inputs.index(name) for name in self.saved)
        # A rule that does not use `g` may be a constant, which has to be broadcast up.
        self.keeps_shape = all("g" in formula.arguments for formula in formulas)
        label = f"{row.name}_backward_{''.join(self.names)}"
        self.program = Program(label, formulas, ("g", *self.saved), row.attributes)
        self._formulas = formulas
        # Up to `limit` elements `small32` and `small64` are the best reading, and beyond `large`, which is known from
        # the first use on, it is `on_runs`.
        self.limit = 0
        self.large: int | None = None
        self.small32: Any = None
        self.small64: Any = None
        self._recorded = [formula.rebound(library) for formula in formulas]

    def on_arrays(self, g: Any, saved: tuple[Any, ...], attributes: tuple[Any, ...]) -> Sequence[Any]:
        if self.large is None and jit.mode() != "always":
            self._choose()
        return self.program((g, *saved), attributes, g.dtype, g.size)

    def _choose(self) -> None:
        self.large = self.program.largest_small
        if not self.program.attributes:
            self.small32, self.small64 = self.program.small(F32, "packed"), self.program.small(F64, "packed")
            self.limit = self.large
        _chosen.append(self)

    def on_runs(self, g: Any, saved: tuple[Any, ...], attributes: tuple[Any, ...]) -> Sequence[Any]:
        """The same for large arrays that need no second look; raises on others."""
        return self.program.on_runs((g, *saved), self.program.used(attributes), g.dtype)

    def on_recorders(self, g: Any, saved: tuple[Any, ...], attributes: tuple[Any, ...]) -> Sequence[Any]:
        """The same rules on Tensors or Values, which record what is done to them."""
        known = {"g": g, **dict(zip(self.saved, saved, strict=True))}
        known.update(zip(self.row.attributes, attributes, strict=True))
        return [
            rule(*(known[name] for name in formula.arguments))
            for rule, formula in zip(self._recorded, self._formulas, strict=True)
        ]

    def on_tangents(self, tangents: Sequence[Any], saved: Sequence[Any], attributes: tuple[Any, ...]) -> Any:
        """Forward mode: the output's tangent, given those of the wanted inputs (None where there is none). As element
        acts on element, the rule that takes ``g`` back takes a tangent forward."""
        known = dict(zip((*self.saved, *self.row.attributes), (*saved, *attributes), strict=True))
        total = None
        for rule, formula, tangent in zip(self._recorded, self._formulas, tangents, strict=True):
            if tangent is not None and "g" in formula.arguments:
                known["g"] = tangent
                term = rule(*(known[name] for name in formula.arguments))
                total = term if total is None else total + term
        return total

    def on_floats(self, g: float, known: tuple[Any, ...]) -> Sequence[float]:
        """The same rules on Python floats: all parameters' values, and the result."""
        try:
            return self._on_floats(g, known)
        except (ZeroDivisionError, OverflowError, ValueError):  # where each rule asks for IEEE's answer
            values = dict(zip(("g", *self.row.parameters, "out"), (g, *known), strict=True))
            return [formula.on_floats(*[values[name] for name in formula.arguments]) for formula in self._formulas]

    @cached_property
    def _on_floats(self) -> Callable[..., Any]:
        from . import syntax

        program = Program(self.program.name, self._formulas, ("g", *self.row.parameters, "out"))
        return syntax.compile_program(program, None, "packed")


class RefusingPlan(PointwisePlan):
    """The way back through a row that `refuses_backward`, which is no way."""

    def __init__(self, row: PointwiseRow, wanted: tuple[bool, ...]) -> None:
        super().__init__(row, wanted)
        self.names = tuple(name for name, want in zip(row.inputs, wanted, strict=True) if want)
        self.positions = tuple(row.inputs.index(name) for name in self.names)

    def on_arrays(self, g: Any, saved: tuple[Any, ...], attributes: tuple[Any, ...]) -> Any:
        raise RuntimeError(f"derivative for aten::{self.row.name} is not implemented")

    on_recorders = on_arrays

    def on_tangents(self, tangents: Sequence[Any], saved: Sequence[Any], attributes: tuple[Any, ...]) -> Any:
        raise NotImplementedError(f"Trying to use forward AD with aten::{self.row.name} that does not support it.")


class CoarseRow(Row):
    """An operator whose forward calls a kernel, and whose gradient rules are written with rows.

    Inputs are the parameters annotated ``Array`` (one array, or None) or ``Arrays`` (a sequence of them).

    Attributes:
        extras: names of further results that the forward returns behind the output, for the rules alone.
        is_view: whether the output may share the input's memory.
        outputs: how many tensors it returns: 1, or None for a tuple of any length. Then a rule's ``g`` is the list of
            the outputs' gradients; a rule that names ``outs`` gets the outputs, and None for gradients that are zero.
        keeps_layout: whether the result lies in memory as the first input does; else in logical order.
        star: the parameter that also takes its items as separate arguments: ``x.view(2, 3)``.
        one_dtype: whether its forward refuses inputs of different floating-point types.
    """

    takes_complex = True

    def __init__(
        self,
        forward: Callable[..., Any],
        *,
        extras: Sequence[str] = (),
        is_view: bool = False,
        outputs: int | None = 1,
        star: str | None = None,
        keeps_layout: bool = False,
        one_dtype: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(forward, **options)
        self.extras, self.is_view, self.outputs, self.star = tuple(extras), is_view, outputs, star
        self.keeps_layout, self.one_dtype = keeps_layout, one_dtype
        self.rules: dict[str, CoarseRule] = {}
        self.input_positions = tuple(self.parameters.index(name) for name in self.inputs)
        self.input_places = list(zip(self.input_positions, self.inputs, strict=True))
        self.sequences = frozenset(n for n in self.inputs if "Arrays" in str(forward.__annotations__[n]))

    def _find_inputs(self, forward: Callable[..., Any]) -> tuple[str, ...]:
        notes = forward.__annotations__
        return tuple(name for name in self.parameters if "Array" in str(notes.get(name, "")))

    def gradient(self, *names: str) -> Callable[[Callable[..., Any]], Any]:
        """Decorator: the rule for input ``names``; for several it returns a tuple.

        A last parameter ``wanted`` is given the names of those inputs whose gradients are needed; None may be returned
        for the others.
        """
        _check_new_rule(self, names)

        def register(rule: Callable[..., Any]) -> _Library:
            arguments = rule.__code__.co_varnames[: rule.__code__.co_argcount]
            _check_names(self, rule, arguments)
            for name in names:
                self.rules[name] = (rule, arguments, names)
            self.is_differentiable = True
            return library

        return register

    def plan(self, wanted: tuple[bool, ...]) -> CoarsePlan:
        """How to go back when the gradients of the ``wanted`` inputs are needed."""
        plan = self.plans.get(wanted)
        if plan is None:
            plan = self.plans[wanted] = CoarsePlan(self, wanted)
        return plan

    def compute(self, *args: Any, **kwargs: Any) -> Any:
        if wider:
            from .widening import is_narrow, run_wide

            if is_narrow(self, values := self.bind(args, kwargs)):
                result = run_wide(self, values)
                return result[0] if self.extras else result
        result = self.forward(*args, **kwargs)
        return result[0] if self.extras else result


class CoarsePlan:
    """The backward pass of a coarse row: its rules, each called once, and what they need.

    Attributes:
        names: the wanted inputs.
        saved: the inputs, ``out`` and extras whose arrays are kept.
        context: (parameter position or -1 for the output, name of an ndarray attribute or None): the other
            arguments that the rules ask for, and facts such as shapes.
    """

    # `on_arrays` for the short path, when it has been generated; and the same while the row has a short path.
    written: Callable[..., Any] | None = None
    unrolled: Callable[..., Any] | None = None

    def __init__(self, row: CoarseRow, wanted: tuple[bool, ...]) -> None:
        self.row = row
        self.names = tuple(name for name, want in zip(row.inputs, wanted, strict=True) if want and name in row.rules)
        self.positions = tuple(row.inputs.index(name) for name in self.names)
        rules: list[CoarseRule] = []
        for name in self.names:
            if row.rules[name] not in rules:
                rules.append(row.rules[name])
        rules = [_told(rule, self.names) for rule in rules]
        needed = {argument for _, arguments, _ in rules for argument in arguments} - {"g"}
        self.saved = tuple(name for name in (*row.inputs, "out", "outs", *row.extras) if name in needed)
        others = sorted((needed - set(self.saved)) | row.naming)
        self.context = [self._source(name) for name in others]
        self.context_names = tuple(others)
        order = ("g", *self.saved, *others)
        self.calls = [(rule, tuple(order.index(a) for a in arguments), names) for rule, arguments, names in rules]

    def _source(self, name: str) -> tuple[int, str | None]:
        parameters = self.row.parameters
        if name in parameters:
            return parameters.index(name), None
        owner, _, fact = name.rpartition("_")
        return (-1 if owner == "out" else parameters.index(owner)), fact

    def on_arrays(self, g: Any, saved: tuple[Any, ...], context: tuple[Any, ...]) -> Sequence[Any]:
        values = (g, *saved, *context)
        if len(self.calls) == 1 and not self.row.sequences:
            rule, places, names = self.calls[0]
            result = rule(*[values[i] for i in places])
            return (result,) if len(names) == 1 else [result[names.index(name)] for name in self.names]
        results: dict[str, Any] = {}
        for rule, places, names in self.calls:
            result = rule(*[values[i] for i in places])
            if len(names) == 1:
                results[names[0]] = result
            else:
                results.update(zip(names, result, strict=True))
        flat: list[Any] = []
        for name in self.names:
            flat.extend(results[name]) if name in self.row.sequences else flat.append(results[name])
        return flat

    on_recorders = on_arrays


CoarseRule = tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]


def _told(registered: CoarseRule, wanted: tuple[str, ...]) -> CoarseRule:
    """The rule as a plan calls it: what is wanted is known to it."""
    rule, arguments, names = registered
    if arguments[-1] != "wanted":
        return registered
    told = FunctionType(rule.__code__, rule.__globals__, rule.__name__, (wanted,), rule.__closure__)
    return told, arguments[:-1], names


def _check_new_rule(row: Row, names: Sequence[str]) -> None:
    for name in names:
        if name not in row.inputs:
            raise ValueError(f"{row.name} has no input named {name!r}; its inputs are {', '.join(row.inputs)}")
        if name in row.rules:
            raise ValueError(f"{row.name} has a gradient rule for {name!r} already")


def _check_names(row: Row, rule: Callable[..., Any], arguments: Sequence[str]) -> None:
    facts = {f"{name}_{fact}" for name in (*row.inputs, "out") for fact in ("shape", "dtype", "shapes")}
    known = {"g", "out", *row.inputs, *row.attributes, *getattr(row, "extras", ()), *facts}
    if arguments and arguments[-1] == "wanted":
        known.add("wanted")
    if getattr(row, "outputs", 1) is None:
        known.add("outs")
    for name in arguments:
        if name not in known:
            raise ValueError(f"a gradient rule of {row.name} asks for {name!r}, which the row does not have")


def pointwise(**options: Any) -> Callable[[Callable[..., Any]], PointwiseRow]:
    """Decorator: a row that works element by element. Options are those of `PointwiseRow`."""
    return lambda forward: PointwiseRow(forward, **options)


def coarse(**options: Any) -> Callable[[Callable[..., Any]], CoarseRow]:
    """Decorator: a row with a kernel of its own. Options are those of `CoarseRow`."""
    return lambda forward: CoarseRow(forward, **options)
