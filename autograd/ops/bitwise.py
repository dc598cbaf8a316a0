"""Logic on the bits of integers, and on booleans; rounding with decimals; clamp; division with a rounding mode."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import can_cast, result_type
from ..tensor import Tensor, wrap
from .convert import check_tensor
from .dispatch import NUMBERS, apply, as_number
from .public import function, inplace
from .table import TABLE, Array, coarse
from .writes import type_name, write, write_out


def _integers(operator: str, *arrays: np.ndarray) -> None:
    for array in arrays:
        if array.dtype.kind not in "iub":
            raise NotImplementedError(f"\"{operator}_cpu\" not implemented for '{type_name(array.dtype)}'")


@coarse(latex=r"x \circ y \text{ bit by bit}", home="")
def bits(x: Array, y: Array, name):
    _integers(name, x, y)
    return getattr(np, name)(x, y)


def _bitwise(name: str, doc: str) -> None:
    def compute(input: Any, other: Any, *, out: Tensor | None = None) -> Tensor:
        first, second = promoted(name, input, other)
        result = apply(bits, (first, second, name), {})
        return result if out is None else write_out(out, result, name)

    compute.__name__, compute.__doc__ = name, doc
    function()(compute)

    def into(self: Tensor, other: Any) -> Tensor:
        """In-place version: writes the result into this tensor and returns it."""
        wanted = result_type(self, other)
        if not can_cast(wanted, self.dtype):
            raise RuntimeError(
                f"result type {type_name(wanted.numpy)} can't be cast to the desired output type "
                f"{type_name(self._array.dtype)} in {name}_"
            )
        return compute(self, other)

    inplace(f"{name}_")(into)


_bitwise("bitwise_and", "Bits set in both; on bools, and.")
_bitwise("bitwise_or", "Bits set in either; on bools, or.")
_bitwise("bitwise_xor", "Bits set in one only; on bools, exclusive or.")


def promoted(operator: str, *operands: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of their common dtype.

    Raises:
        TypeError: an operand is neither.
    """
    for operand in operands:
        if not isinstance(operand, (Tensor, *NUMBERS)):
            raise TypeError(f"{operator}(): argument 'other' must be Tensor or a number, not {type(operand).__name__}")
    dtype = result_type(*operands)
    return tuple(
        operand.to(dtype) if isinstance(operand, Tensor) else wrap(as_number(operand, dtype.numpy))
        for operand in operands
    )


@coarse(latex=r"\neg x", inplace=True)
def bitwise_not(x: Array):
    """Bits turned over; on bools, not."""
    _integers("bitwise_not", x)
    return np.invert(x)


@function(inplace=True, aliases=("clip",))
def clamp(input: Tensor, min: Any = None, max: Any = None, *, out: Tensor | None = None) -> Tensor:
    """Each element, not below ``min`` and not above ``max``: numbers or tensors, one of which may be None.

    Raises:
        RuntimeError: both are None.
    """
    check_tensor("clamp", "input", input)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    if input._array.dtype.kind == "b" and all(bound is None or isinstance(bound, Tensor) for bound in (min, max)):
        result = input if min is None else apply(TABLE["maximum"], (input, min), {})
        result = result if max is None else apply(TABLE["minimum"], (result, max), {})
    elif min is not None and max is not None:
        result = apply(TABLE["clamp_between"], (input, min, max), {})
    elif min is not None:
        result = apply(TABLE["clamp_from_below"], (input, min), {})
    else:
        result = apply(TABLE["clamp_from_above"], (input, max), {})
    return result if out is None else write_out(out, result, "clamp")


@function(inplace=True)
def clamp_min(input: Tensor, min: Any, *, out: Tensor | None = None) -> Tensor:
    """Each element, not below ``min``."""
    return clamp(input, min, None, out=out)


@function(inplace=True)
def clamp_max(input: Tensor, max: Any, *, out: Tensor | None = None) -> Tensor:
    """Each element, not above ``max``."""
    return clamp(input, None, max, out=out)


@function(inplace=True)
def round(input: Tensor, *, decimals: int = 0, out: Tensor | None = None) -> Tensor:
    """The nearest integer, ties to even; with ``decimals``, the nearest multiple of 10^-decimals."""
    check_tensor("round", "input", input)
    row = TABLE["round_to_even"]
    if input._array.dtype.kind in "iu":
        result = input.clone()
    elif decimals == 0:
        result = apply(row, (input,), {})
    else:
        result = apply(row, (input * 10.0**decimals,), {}) / 10.0**decimals
    return result if out is None else write_out(out, result, "round")


@function(inplace=True, aliases=("divide",))
def div(input: Any, other: Any, *, rounding_mode: str | None = None, out: Tensor | None = None) -> Tensor:
    """``input / other``; ``rounding_mode`` ``"floor"`` or ``"trunc"`` rounds the quotient.

    Raises:
        RuntimeError: an unknown rounding mode.
    """
    if rounding_mode is None:
        result = apply(TABLE["div"], (input, other), {})
    elif rounding_mode == "floor":
        result = apply(TABLE["floor_divide"], (input, other), {})
    elif rounding_mode == "trunc":
        first, second = promoted("div", input, other)
        if first._array.dtype.kind in "iub" and not second._array.all():
            raise RuntimeError("ZeroDivisionError")
        result = apply(TABLE["trunc"], (apply(TABLE["div"], (first, second), {}),), {})
        result = result if first.is_floating_point() else result.to(first.dtype)
    else:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return result if out is None else write_out(out, result, "div")


@function(inplace=True)
def addcmul(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input + value * tensor1 * tensor2``."""
    product = tensor1 * tensor2
    result = input + (product if value == 1 else product * value)
    return result if out is None else write_out(out, result, "addcmul")


@function(inplace=True)
def addcdiv(input: Tensor, tensor1: Tensor, tensor2: Tensor, *, value: Any = 1, out: Tensor | None = None) -> Tensor:
    """``input + value * tensor1 / tensor2``."""
    quotient = tensor1 / tensor2
    result = input + (quotient if value == 1 else quotient * value)
    return result if out is None else write_out(out, result, "addcdiv")


@function(functional=True, torch=False, method=False)
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x Phi(x)`` with the normal distribution function Phi, or its tanh approximation (``approximate="tanh"``)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}.")
    return apply(TABLE["gelu_tanh" if approximate == "tanh" else "gelu_exact"], (input,), {})


@function(functional=True, inplace=True, method=False)
def threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Tensor:
    """``x`` where it is above ``threshold``, else ``value``."""
    result = apply(TABLE["threshold_at"], (input, threshold, value), {})
    if inplace:
        return write(input, result, "threshold_")
    return result


@function(functional=True)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``x`` where positive, else ``weight * x``; one weight, or one for each channel (dimension 1)."""
    slopes = check_tensor("prelu", "weight", weight)._array
    if slopes.size != 1:
        channels = input._array.shape[1] if input._array.ndim > 1 else 1
        if slopes.shape != (channels,):
            raise RuntimeError(
                f"Mismatch of parameter numbers and input channel size. Found parameter numbers = {slopes.size} and "
                f"channel size = {channels}."
            )
        weight = weight.reshape([-1 if d == 1 else 1 for d in range(input._array.ndim)])
    elif slopes.ndim:
        weight = weight.reshape([1] * input._array.ndim)
    return apply(TABLE["prelu_kernel"], (input, weight), {})


@function(inplace=True)
def logit(input: Tensor, eps: float | None = None, *, out: Tensor | None = None) -> Tensor:
    """``log(x / (1 - x))``; with ``eps``, of ``x`` clamped to [eps, 1 - eps]."""
    x = check_tensor("logit", "input", input) if eps is None else clamp(input, eps, 1 - eps)
    result = apply(TABLE["log"], (x / (1 - x),), {})
    return result if out is None else write_out(out, result, "logit")


@function(inplace=True)
def nan_to_num(
    input: Tensor,
    nan: float | None = None,
    posinf: float | None = None,
    neginf: float | None = None,
    *,
    out: Tensor | None = None,
) -> Tensor:
    """NaN replaced by ``nan`` (0), infinities by ``posinf`` and ``neginf`` (the dtype's largest and smallest)."""
    array = check_tensor("nan_to_num", "input", input)._array
    if array.dtype.kind != "f":
        return input.clone()
    limits = np.finfo(array.dtype)
    where = TABLE["where"]
    result = where(apply(TABLE["isnan"], (input,), {}), 0.0 if nan is None else float(nan), input)
    high, low = float(limits.max) if posinf is None else posinf, float(limits.min) if neginf is None else neginf
    result = where(input == np.inf, float(high), where(input == -np.inf, float(low), result))
    return result if out is None else write_out(out, result, "nan_to_num")


__all__ = [
    "addcdiv",
    "addcmul",
    "bits",
    "bitwise_not",
    "clamp",
    "clamp_max",
    "clamp_min",
    "div",
    "gelu",
    "logit",
    "nan_to_num",
    "prelu",
    "promoted",
    "round",
    "threshold",
]
