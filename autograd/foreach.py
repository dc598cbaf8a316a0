"""Operators on lists of tensors, ``autograd._foreach_add_(params, grads, alpha=-0.1)``: each on one item after another.

Beside the list of tensors, an operand is a list of as many tensors or numbers, or one tensor or number for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd

from .tensor import Tensor

_NAMES = {
    1: (
        "abs acos asin atan ceil clone cos cosh erf erfc exp expm1 floor frac lgamma log log10 log1p log2 neg "
        "reciprocal round rsqrt sigmoid sign sin sinh sqrt tan tanh trunc"
    ),
    2: "add clamp_max clamp_min div maximum minimum mul pow sub",
    3: "addcdiv addcmul lerp",
}
UNARY, BINARY, TERNARY = (names.split() for names in _NAMES.values())

__all__ = [
    *(f"_foreach_{name}" for name in (*UNARY, *BINARY, *TERNARY, "max", "mm", "norm", "powsum")),
    *(f"_foreach_{name}_" for name in (*UNARY, *BINARY, *TERNARY, "copy", "zero") if name != "clone"),
]


def _lists(name: str, tensors: Any, *others: Any) -> list[tuple[Any, ...]]:
    """For each tensor its operands.

    Raises:
        RuntimeError: no tensors, or lists of other lengths.
    """
    if not isinstance(tensors, (list, tuple)) or not all(isinstance(tensor, Tensor) for tensor in tensors):
        raise TypeError(f"{name}(): argument 'self' must be tuple of Tensors, not {type(tensors).__name__}")
    if not tensors:
        raise RuntimeError(f"{name}: Tensor list must have at least one tensor.")
    columns = [tensors]
    for other in others:
        if not isinstance(other, (list, tuple)):
            columns.append([other] * len(tensors))
        elif len(other) == len(tensors):
            columns.append(other)
        else:
            kind = "Tensor lists" if other and isinstance(other[0], Tensor) else "Tensor list and scalar list"
            raise RuntimeError(
                f"{name}: {kind} must have the same number of elements, got {len(tensors)} and {len(other)}"
            )
    return list(zip(*columns, strict=True))


def _on_each(name: str, operands: int, into: bool) -> Callable[..., Any]:
    """The function that calls a method of each tensor: one that writes, or one that returns a new tensor."""
    public = f"_foreach_{name}{'_' * into}"
    method = name + "_" * into
    if operands == 2 and name in ("maximum", "minimum"):
        method = ("clamp_min" if name == "maximum" else "clamp_max") + "_" * into  # which takes numbers as well

    def function(self: Sequence[Tensor], *args: Any, **kwargs: Any) -> Any:
        if operands == 3 and name != "lerp":
            args, kwargs = _with_value(public, args, kwargs)
        rows = _lists(public, self, *args, *([kwargs["value"]] if "value" in kwargs else []))
        results = []
        for tensor, *rest in rows:
            options = dict(kwargs)
            if "value" in options:
                options["value"] = rest.pop()
            results.append(getattr(tensor, method)(*rest, **options))
        return self if into else tuple(results)

    function.__name__ = function.__qualname__ = public
    function.__doc__ = f"`Tensor.{name}{'_' * into}` for each tensor of a list{', in place' if into else ''}."
    return function


def _with_value(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The factor of `addcmul` and `addcdiv` by keyword: it may come last, as a number, a list or a vector."""
    value = kwargs.get("value", kwargs.get("scalars", args[2] if len(args) > 2 else 1))
    return args[:2], {"value": value.tolist() if isinstance(value, Tensor) else value}


_functions = {f"_foreach_{name}": _on_each(name, 1, False) for name in UNARY}
_functions |= {f"_foreach_{name}_": _on_each(name, 1, True) for name in UNARY if name != "clone"}
_functions |= {f"_foreach_{name}{'_' * into}": _on_each(name, 2, into) for name in BINARY for into in (False, True)}
_functions |= {f"_foreach_{name}{'_' * into}": _on_each(name, 3, into) for name in TERNARY for into in (False, True)}
_power = _functions["_foreach_pow"]
globals().update(_functions)


def _foreach_pow(self: Any, exponent: Any) -> tuple[Tensor, ...]:
    """``base ** exponent`` for each: the first is a list of tensors, or one number for a list of exponents."""
    if isinstance(self, (int, float, complex)):
        return tuple(self**each for (each,) in _lists("_foreach_pow", exponent))
    return _power(self, exponent)


def _foreach_norm(self: Sequence[Tensor], ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The norm of each tensor, as one vector."""
    return tuple(autograd.linalg.vector_norm(each, ord, dtype=dtype) for (each,) in _lists("_foreach_norm", self))


def _foreach_powsum(self: Sequence[Tensor], ord: float = 2, dtype: Any = None) -> tuple[Tensor, ...]:
    """The sum of ``abs(x) ** ord`` of each tensor."""
    return tuple(each.to(dtype or each.dtype).abs().pow(ord).sum() for (each,) in _lists("_foreach_powsum", self))


def _foreach_max(self: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The largest element of each tensor."""
    return tuple(each.max() for (each,) in _lists("_foreach_max", self))


def _foreach_mm(self: Sequence[Tensor], mat2: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """The product of each pair of matrices."""
    return tuple(x.mm(y) for x, y in _lists("_foreach_mm", self, mat2))


def _foreach_copy_(self: Sequence[Tensor], src: Sequence[Tensor], non_blocking: bool = False) -> Any:
    """Copies each tensor of ``src`` into one of the list; returns the list."""
    for target, source in _lists("_foreach_copy_", self, src):
        target.copy_(source)
    return self


def _foreach_zero_(self: Sequence[Tensor]) -> Any:
    """Sets every element of each tensor to 0; returns the list."""
    for (each,) in _lists("_foreach_zero_", self):
        each.zero_()
    return self
