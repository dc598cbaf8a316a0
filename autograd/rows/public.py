"""What users call: functions in PyTorch's namespaces and methods of Tensor, made from rows or written by hand.

`publish` turns the rows of the table into functions; `function` is the decorator for those that need a hand-written
one, because they choose between rows or are compositions of them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..dtypes import from_numpy_dtype
from ..graph import state
from ..kernels.silence import silently
from ..tensor import ArrayError, StructureError, Tensor, count_write, wrap
from .casting import active as casting
from .casting import call_cast, is_cast
from .dispatch import NUMBERS, apply, apply_generally, signature_of
from .nodes import show_saved
from .shortcuts import binary, named, reflected, unary
from .table import TABLE, CoarseRow, PointwiseRow, Row, public_name
from .writes import check_overlap, check_write, write, write_outs

__all__ = [
    "FUNCTIONAL", "NAMESPACES", "TORCH", "attach_operators", "attach_rows", "function", "inplace", "publish",
    "publish_writing",
]  # fmt: skip

# What stands where: "torch" is `autograd` itself, "linalg" is `autograd.linalg`, and so on; "methods" are those alone.
_NAMES = "torch nn.functional special linalg fft masked signal.windows sparse nested methods"
NAMESPACES: dict[str, dict[str, Any]] = {name: {} for name in _NAMES.split()}
TORCH, FUNCTIONAL = NAMESPACES["torch"], NAMESPACES["nn.functional"]

# The operators whose in-place form is a function too, `autograd.relu_(x)`; of all others it is only a method.
_INPLACE = (
    "abs acos acosh addmv alpha_dropout arccos arccosh arcsin arcsinh arctan arctanh as_strided asin asinh atan "
    "atanh ceil celu clamp clamp_max clamp_min clip conj_physical cos cosh deg2rad detach dropout "
    "embedding_renorm erf erfc exp exp2 expm1 feature_alpha_dropout feature_dropout fill fix floor frac gcd i0 "
    "index_put lcm ldexp log log10 log1p log2 logit nan_to_num neg negative rad2deg reciprocal relu resize_as "
    "round rrelu rsqrt selu sigmoid sin sinc sinh sqrt square tan tanh threshold trunc xlogy zero"
)
INPLACE_FUNCTIONS = frozenset(_INPLACE.split())


def function(
    *,
    torch: bool = True,
    functional: bool = False,
    home: str | None = None,
    method: bool | None = None,
    inplace: bool = False,
    aliases: Sequence[str] = (),
    arguments: dict[str, str] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: publishes a hand-written function under its own name and ``aliases``.

    Args:
        torch: in the namespace ``autograd``.
        functional: in ``nn.functional``.
        home: in this namespace instead of ``autograd``: ``"linalg"``, ``"special"``, ... (then no method by default).
        method: as a method of Tensor; as ``torch`` by default.
        inplace: as an in-place method with a trailing underscore, too, and in ``autograd`` where PyTorch has that.
        aliases: other names.
        arguments: other keywords for its parameters, beyond those that every function takes (`KEYWORDS`).
    """
    spaces = [home] if home is not None else ["torch"] * torch + ["nn.functional"] * functional
    as_method = (torch and home is None) if method is None else method

    def register(written: Callable[..., Any]) -> Callable[..., Any]:
        public = with_keywords(written, arguments)
        if spaces:
            public.__module__, public.__qualname__ = module_of(spaces[0]), written.__name__
        for name in (written.__name__, *aliases):
            for space in spaces:
                NAMESPACES[space][name] = public
            if as_method:
                setattr(Tensor, name, public)
            if inplace:
                into = _inplace_of(public, name)
                if as_method:
                    setattr(Tensor, f"{name}_", into)
                if "torch" in spaces and name in INPLACE_FUNCTIONS:
                    publish_writing(into)
        return written

    return register


def module_of(space: str) -> str:
    """The module that shows a namespace: where ``pickle`` finds its functions."""
    return {"torch": "autograd", "nn.functional": "nn.functional"}.get(space, f"autograd.{space}")


# NumPy's names for common parameters, which PyTorch's functions take as well.
KEYWORDS = {
    "axis": "dim", "keepdims": "keepdim", "self": "input", "x": "input", "a": "input", "x1": "input", "x2": "other",
}  # fmt: skip


# Functions that compute in the dtype of ``out=`` from the start, whichever that is.
IN_OUT = frozenset({"cumprod", "cumsum", "prod", "sum"})


def with_keywords(written: Callable[..., Any], arguments: dict[str, str] | None = None) -> Callable[..., Any]:
    """The function, callable with other keywords for its parameters and with ``out=``.

    Args:
        written: a function; where it has no parameter ``out``, one is added that receives its result (a tuple of
            tensors receives several).
        arguments: other keyword -> parameter.
    """
    code = written.__code__
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    others = {**KEYWORDS, "input": "self", **(arguments or {})}
    renamed = {other: name for other, name in others.items() if name in parameters and other not in parameters}
    if "dims" in parameters and "dim" not in parameters:
        renamed["axis"] = "dims"

    @functools.wraps(written)
    def public(*args: Any, **kwargs: Any) -> Any:
        if casting and is_cast(written.__name__):
            return call_cast(public, written.__name__, args, kwargs)
        try:
            if not kwargs:
                return written(*args)
            for other in kwargs.keys() & renamed.keys():
                kwargs[renamed[other]] = kwargs.pop(other)
            if "out" not in kwargs or "out" in parameters:
                return written(*args, **kwargs)
            out = kwargs.pop("out")
            if written.__name__ in IN_OUT and isinstance(out, Tensor):
                kwargs.setdefault("dtype", out.dtype)
            result = written(*args, **kwargs)
        except ArrayError as error:
            return error.of_function(public, args, kwargs)
        except AttributeError:
            first = (*args, *map(kwargs.get, parameters[:1]))[:1]
            if parameters[:1] in (("input",), ("self",)) and not isinstance(first[0], Tensor):
                raise TypeError(
                    f"{written.__name__}(): argument 'input' must be Tensor, not {type(first[0]).__name__}"
                ) from None
            raise
        return result if out is None else write_outs(out, result, written.__name__, (*args, *kwargs.values()))

    return public


def publish(row: Row) -> None:
    """Makes the function, the method, the in-place method and the aliases that the row declares."""
    if not row.home:
        return
    public = _function_of(row)
    method = _gathering(row, public) if isinstance(row, CoarseRow) and row.star is not None else public
    for form in (public, method):
        form.__name__ = form.__qualname__ = row.name
        form.__doc__ = document(row)
        form.row = row  # type: ignore[attr-defined]
    # Without those of a function written by hand that chooses between this row and others.
    names = [name for name in (row.name, *row.aliases) if name not in NAMESPACES[row.home]]
    if names:
        public.__module__, public.__qualname__ = module_of(row.home), names[0]
    for name in names:
        NAMESPACES[row.home][name] = public
        if row.method:
            setattr(Tensor, name, method)
        if row.inplace:
            into = _inplace_of(public, name)
            if row.method:
                setattr(Tensor, f"{name}_", into)
            if row.home == "torch" and name in INPLACE_FUNCTIONS:
                publish_writing(into)


_published: set[Row] = set()


def attach_rows() -> None:
    """Publishes the rows that were added to the table since it was last called."""
    new = [row for row in TABLE.values() if row not in _published]
    _published.update(new)
    show_saved({"self", "other", "result"}.union(*([*row.parameters, *row.arguments] for row in new)))
    for row in new:
        publish(row)


def _function_of(row: Row) -> Callable[..., Any]:
    if isinstance(row, PointwiseRow) and not row.attributes:
        if len(row.inputs) == 1:
            return with_keywords(unary(row)) if row.home == "special" else unary(row)
        if len(row.inputs) == 2 and row.name not in WITH_ALPHA:
            others = {"self": "input", **{other: public_name(name) for other, name in row.arguments.items()}}
            return with_keywords(named(row), others) if row.numbers == "either" or row.arguments else named(row)
        if len(row.inputs) == 2:
            return _with_alpha(row)

    operands = dict.fromkeys(("input", "a", "x1"), "x") | dict.fromkeys(("other", "x2"), "y")
    others = {"axis": "dim", "keepdims": "keepdim", **operands, **row.arguments}
    renamed = {other: name for other, name in others.items() if name in row.parameters and other not in row.parameters}
    if "dims" in row.parameters and "dim" not in row.parameters:
        renamed["axis"] = "dims"

    def public(*args: Any, **kwargs: Any) -> Any:
        run = apply
        short = row.short
        if short is not None and not kwargs and not casting:
            try:
                return short(*args)
            except Exception:
                run = apply_generally  # which knows this case, or says what is wrong
        if casting and is_cast(row.name):
            return call_cast(public, row.name, args, kwargs)
        out = None
        if kwargs:
            out = kwargs.pop("out", None)
            if row.name in IN_OUT and isinstance(out, Tensor):
                kwargs.setdefault("dtype", out.dtype)
            for other in kwargs.keys() & renamed.keys():
                kwargs[renamed[other]] = kwargs.pop(other)
        try:
            result = run(row, args, kwargs)
        except ArrayError as error:
            result = error.of_function(public, args, kwargs)
        return result if out is None else write_outs(out, result, row.name, args)

    return public


def _gathering(row: CoarseRow, public: Callable[..., Any]) -> Callable[..., Any]:
    """The method of a row with a ``star``: ``x.f(2, 3)`` and ``x.f((2, 3))`` mean the same."""
    position = row.parameters.index(row.star)

    def method(*args: Any, **kwargs: Any) -> Any:
        rest = args[position:]
        if len(rest) == 1 and isinstance(rest[0], (list, tuple)):
            return public(*args[:position], tuple(rest[0]), **kwargs)
        return public(*args[:position], rest, **kwargs) if rest else public(*args, **kwargs)

    return method


WITH_ALPHA = ("add", "sub")


def _with_alpha(row: PointwiseRow) -> Callable[..., Any]:
    plain = named(row)
    multiply = TABLE["mul"]

    def public(input: Any, other: Any, *more: Any, alpha: Any = 1, out: Tensor | None = None) -> Tensor:
        if more:
            # As it once was: add(input, alpha, other); and a number's alpha may be given by position.
            if len(more) > 1 or isinstance(other, Tensor):
                raise TypeError(f"{row.name}() takes 2 positional arguments, but {2 + len(more)} were given")
            other, alpha = (more[0], other) if isinstance(more[0], Tensor) else (other, more[0])
        if alpha != 1 or alpha is True:
            try:
                dtype = signature_of(row, [input, other]).dtype
            except StructureError as error:
                return error.of_function(public, (input, other), {"alpha": alpha})
            if alpha is True and dtype.kind != "b":
                raise RuntimeError("Boolean alpha only supported for Boolean results.")
            if dtype.kind in "iub" and isinstance(alpha, float):
                raise RuntimeError("For integral input tensors, argument alpha must not be a floating point number.")
            if dtype.kind != "c" and isinstance(alpha, complex):
                raise RuntimeError("For non-complex input tensors, argument alpha must not be a complex number.")
            if isinstance(other, Tensor):
                other = multiply(other.to(from_numpy_dtype(dtype)), bool(alpha) if dtype.kind == "b" else alpha)
            else:
                other = other * alpha
        return plain(input, other, out=out)

    return public


def _inplace_of(public: Callable[..., Any], name: str) -> Callable[..., Any]:
    row = getattr(public, "row", None)
    leaves_the_plane = isinstance(row, PointwiseRow) and row.complex == "modulus"

    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if leaves_the_plane and self.is_complex():
            raise RuntimeError(f"In-place {name} is not supported for complex tensors.")
        if type(self) is not Tensor and getattr(self, "_batch", None) is not None:
            return write(self, public(self.clone(), *args, **kwargs), f"{name}_")  # see `write_into`
        try:
            check_overlap(self, args, f"{name}_")
            if not state.grad and state.push is None and _write_directly(public, self, args, kwargs):
                return self
            return write(self, public(self, *args, **kwargs), f"{name}_")
        except StructureError as error:
            return error.of_function(method, (self, *args), kwargs, writes=True)

    method.row = row  # type: ignore[attr-defined]  # found by those that know structured tensors
    method.__name__ = f"{name}_"
    method.__qualname__ = f"Tensor.{name}_"
    method.__doc__ = f"In-place version of ``{name}``: writes the result into this tensor and returns it."
    return method


def publish_writing(method: Callable[..., Tensor]) -> None:
    """The in-place method as a function, too, whose tensor goes by the name ``input``."""

    def public(input: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(f"{method.__name__}(): argument 'input' must be Tensor, not {type(input).__name__}")
        try:
            return method(input, *args, **kwargs)
        except StructureError as error:
            return error.of_function(method, (input, *args), kwargs, writes=True)

    public.__name__ = public.__qualname__ = method.__name__
    public.__module__ = module_of("torch")
    public.__doc__ = method.__doc__
    TORCH[method.__name__] = public


def _write_directly(public: Any, target: Tensor, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """One NumPy call into the tensor's own memory, where that is all the operator does: no temporary."""
    row = getattr(public, "row", None)
    if row is None or kwargs.keys() - {"alpha"} or not isinstance(row, PointwiseRow) or row.result == "bool":
        return False
    ufunc = row.program.ufunc
    if ufunc is None or len(args) != len(row.inputs) - 1:
        return False
    array = target._array
    operands: list[Any] = [array]
    for argument in args:
        value = argument._array if isinstance(argument, Tensor) else argument
        if isinstance(value, np.ndarray):
            if value.dtype != array.dtype or value.ndim > array.ndim:
                return False
        elif isinstance(value, bool) or not isinstance(value, NUMBERS):
            return False
        operands.append(value)
    if array.dtype.kind != "f":
        return False
    try:
        if (
            any(type(operand) is np.ndarray and operand.shape != array.shape for operand in operands)
            and np.broadcast_shapes(*(np.shape(operand) for operand in operands)) != array.shape
        ):
            return False
    except ValueError:
        return False
    check_write(target, f"{row.name}_", False)
    alpha = kwargs.get("alpha", 1)
    if alpha != 1:
        operands[1] = silently(np.multiply, operands[1], array.dtype.type(alpha))
    silently(ufunc, *operands, array)
    count_write(target)
    return True


def inplace(name: str, *aliases: str) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Decorator: a hand-written function ``(tensor, ...) -> result`` becomes the in-place method ``name``."""

    def register(compute: Callable[..., Tensor]) -> Callable[..., Tensor]:
        def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            try:
                check_overlap(self, args, name)
                return write(self, compute(self, *args, **kwargs), name)
            except ArrayError as error:
                return error.of_function(method, (self, *args), kwargs, writes=True)

        method.__name__, method.__qualname__, method.__doc__ = name, f"Tensor.{name}", compute.__doc__
        for each in (name, *aliases):
            setattr(Tensor, each, method)
        return compute

    return register


def document(row: Row) -> str:
    """The docstring of a published row: formula, gradients, what it accepts."""
    lines = [row.doc or f"``{row.name}``, element by element." if isinstance(row, PointwiseRow) else row.doc]
    if row.latex:
        lines.append(f"\nFormula: ``{row.latex}``")
    if row.rules:
        lines.append(f"\nDifferentiable in: {', '.join(row.rules)}.")
    return "\n".join(lines)


# --- Python's operators --------------------------------------------------------------------------------------------

_BINARY = {
    "add": ("__add__", "__radd__", "__iadd__"),
    "sub": ("__sub__", "", "__isub__"),
    "rsub": ("__rsub__",),
    "mul": ("__mul__", "__rmul__", "__imul__"),
    "div": ("__truediv__", "", "__itruediv__"),
    "pow": ("__pow__", "__rpow__", "__ipow__"),
    "remainder": ("__mod__", "__rmod__", "__imod__"),
    "floor_divide": ("__floordiv__", "__rfloordiv__", "__ifloordiv__"),
    "matmul": ("__matmul__", "__rmatmul__"),
    "bitwise_and": ("__and__", "__rand__", "__iand__"),
    "bitwise_or": ("__or__", "__ror__", "__ior__"),
    "bitwise_xor": ("__xor__", "__rxor__", "__ixor__"),
    "eq": ("__eq__",),
    "ne": ("__ne__",),
    "lt": ("__lt__",),
    "le": ("__le__",),
    "gt": ("__gt__",),
    "ge": ("__ge__",),
}


def attach_operators() -> None:
    """Gives Tensor the methods behind ``+``, ``-``, ``==`` and so on."""
    for name, methods in _BINARY.items():
        row = TABLE.get(name)
        if isinstance(row, PointwiseRow):
            forward: Callable[..., Any] = binary(row)
            backward: Callable[..., Any] = reflected(row)
        else:
            forward, backward = _operator(TORCH[name]), _operator(TORCH[name], reflected=True)
            if row is not None:
                forward = _short_operator(row, forward)
        setattr(Tensor, methods[0], forward)
        if len(methods) > 1 and methods[1]:
            setattr(Tensor, methods[1], backward)
        if len(methods) > 2:
            setattr(Tensor, methods[2], _inplace_operator(forward, name))
    Tensor.__rtruediv__ = lambda self, other: TORCH["reciprocal"](self) * other  # rounded twice, as in PyTorch
    Tensor.__neg__ = TORCH["neg"]
    Tensor.__abs__ = TORCH["abs"]
    Tensor.__invert__ = _invert
    Tensor.__pos__ = lambda self: self


def _invert(self: Tensor) -> Tensor:
    if self.dtype.numpy.kind not in "iub":
        raise TypeError("~ (operator.invert) is only implemented on integer and Boolean-type tensors")
    return TORCH["bitwise_not"](self)


def _operator(public: Callable[..., Any], reflected: bool = False) -> Callable[..., Any]:
    def method(self: Tensor, other: Any) -> Any:
        if type(other) is not Tensor:
            if isinstance(other, np.ndarray):
                other = wrap(other)
            allowed = Tensor if public.__name__ == "matmul" else (Tensor, *NUMBERS)
            if not isinstance(other, allowed):
                return NotImplemented
        return public(other, self) if reflected else public(self, other)

    return method


def _short_operator(row: Row, general: Callable[..., Any]) -> Callable[..., Any]:
    """The operator by the row's short path, where it can take it."""

    def method(self: Tensor, other: Any) -> Any:
        if type(other) is Tensor and not casting:
            try:
                return row.short(self, other)  # type: ignore[misc]  # None is an error like others
            except Exception:
                return general(self, other)
        return general(self, other)

    return method


def _inplace_operator(forward: Callable[..., Any], name: str) -> Callable[..., Any]:
    written = getattr(Tensor, f"{name}_", None)

    def method(self: Tensor, other: Any) -> Any:
        if written is not None and isinstance(other, (Tensor, *NUMBERS)):
            return written(self, other)
        result = forward(self, other)
        return result if result is NotImplemented else write(self, result, f"{name}_")

    return method
