"""Logic on the bits of integers, and on booleans; rounding with decimals; clamp; division with a rounding mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..dtypes import can_cast, result_type
from ..kernels.halves import FLOATING, INEXACT, finfo
from ..rows.dispatch import NUMBERS, apply, as_number, broadcast_shape
from ..rows.public import INPLACE_FUNCTIONS, function, inplace, publish_writing
from ..rows.table import TABLE, Array, PointwiseRow, coarse
from ..rows.writes import type_name
from ..tensor import Tensor, wrap
from .convert import check_tensor
from .pointwise import addcdiv, addcmul, check_fits


def _check_integers(operator: str, *arrays: np.ndarray, bools: bool = True) -> None:
    for array in arrays:
        if array.dtype.kind not in ("iub" if bools else "iu"):
            raise NotImplementedError(f"\"{operator}_cpu\" not implemented for '{type_name(array.dtype)}'")


@coarse(latex=r"x \circ y \text{ bit by bit}", home="")
def bits(x: Array, y: Array, kernel):
    return kernel(x, y)


def integer_function(
    name: str, kernel: Callable[[Any, Any], Any], doc: str, *, label: str = "", bools: bool = True, numbers: bool = True
) -> None:
    """Publishes a function of two integers, its method and its in-place method.

    Args:
        kernel: of two arrays of one dtype.
        label: what PyTorch calls it in errors.
        bools: whether two bools are taken.
        numbers: whether one of the operands may be a Python number.
    """

    def check_operands(input: Any, other: Any) -> None:
        for argument, operand in (("input", input), ("other", other)):
            if not isinstance(operand, Tensor) and (not numbers or not isinstance(operand, NUMBERS)):
                raise TypeError(f"{name}(): argument '{argument}' must be Tensor, not {type(operand).__name__}")
        if not isinstance(input, Tensor) and not isinstance(other, Tensor):
            raise TypeError(f"{name}(): one of the arguments must be a Tensor, not two numbers")

    def compute(input: Any, other: Any) -> Tensor:
        check_operands(input, other)
        first, second = promoted(name, input, other)
        _check_integers(label or name, first._array, second._array, bools=bools)
        broadcast_shape(bits, (first._array, second._array))
        return apply(bits, (first, second, kernel), {})

    compute.__name__, compute.__doc__ = name, doc
    function()(compute)

    def into(self: Tensor, other: Any) -> Tensor:
        """In-place version: writes the result into this tensor and returns it."""
        check_operands(self, other)
        wanted = result_type(self, other)
        if not can_cast(wanted, self.dtype):
            raise RuntimeError(
                f"result type {type_name(wanted.numpy)} can't be cast to the desired output type "
                f"{type_name(self._array.dtype)} in {name}_"
            )
        return compute(self, other)

    inplace(f"{name}_")(into)
    if name in INPLACE_FUNCTIONS:
        publish_writing(getattr(Tensor, f"{name}_"))


integer_function("bitwise_and", np.bitwise_and, "Bits set in both; on bools, and.")
integer_function("bitwise_or", np.bitwise_or, "Bits set in either; on bools, or.")
integer_function("bitwise_xor", np.bitwise_xor, "Bits set in one only; on bools, exclusive or.")


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
    _check_integers("bitwise_not", x)
    return np.invert(x)


@function(inplace=True, aliases=("clip",))
def clamp(input: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Each element, not below ``min`` and not above ``max``: numbers or tensors, one of which may be None.

    Raises:
        RuntimeError: both are None, or a number that the dtype cannot hold.

    >>> import autograd
    >>> autograd.tensor([-2.0, 0.5, 3.0]).clamp(0, 1)
    tensor([0.0000, 0.5000, 1.0000])
    """
    check_tensor("clamp", "input", input)
    if min is None and max is None:
        raise RuntimeError("torch.clamp: At least one of 'min' or 'max' must not be None")
    min, max = (_bound(bound, input._array.dtype) for bound in (min, max))
    if max is None:
        return _bounded("maximum", "clamp_from_below", input, min)
    if min is None:
        return _bounded("minimum", "clamp_from_above", input, max)
    return apply(TABLE["clamp_between"], (input, min, max), {})


def _bound(bound: Any, dtype: np.dtype) -> Any:
    """A bound as the dtype holds it: negative numbers wrap around in unsigned ones, others out of range are refused."""
    if dtype.kind == "u" and isinstance(bound, int) and -np.iinfo(dtype).max <= bound < 0:
        return bound % (np.iinfo(dtype).max + 1)
    check_fits("clamp", bound, dtype)
    return bound


def _bounded(of_bools: str, row: str, input: Tensor, bound: Any) -> Tensor:
    is_bool = input._array.dtype.kind == "b" and isinstance(bound, Tensor)
    return apply(TABLE[of_bools if is_bool else row], (input, bound), {})


def _check_bound(operator: str, name: str, bound: Any) -> None:
    if not isinstance(bound, (Tensor, *NUMBERS)):
        raise TypeError(f"{operator}(): argument '{name}' must be Tensor or a number, not {type(bound).__name__}")


@function(inplace=True)
def clamp_min(input: Tensor, min: Any) -> Tensor:
    """Each element, not below ``min``."""
    _check_bound("clamp_min", "min", min)
    return clamp(input, min, None)


@function(inplace=True)
def clamp_max(input: Tensor, max: Any) -> Tensor:
    """Each element, not above ``max``."""
    _check_bound("clamp_max", "max", max)
    return clamp(input, None, max)


@function(inplace=True)
def round(input: Tensor, *, decimals: int | None = None) -> Tensor:
    """The nearest integer, ties to even; with ``decimals``, the nearest multiple of 10^-decimals.

    Raises:
        NotImplementedError: bools, or integers with ``decimals``.

    >>> import autograd
    >>> autograd.tensor([0.5, 1.5, -2.71828]).round(decimals=2)
    tensor([ 0.5000,  1.5000, -2.7200])
    """
    check_tensor("round", "input", input)
    row = TABLE["round_to_even"]
    kind = input._array.dtype.kind
    if kind in "iu" and decimals is None:
        return input.clone()
    if kind in "iub":
        raise NotImplementedError(f"\"round_cpu\" not implemented for '{type_name(input._array.dtype)}'")
    if not decimals:
        return apply(row, (input,), {})
    scale = 10.0 ** abs(decimals)
    if decimals < 0:
        return apply(row, (input / scale,), {}) * scale
    return apply(row, (input * scale,), {}) / scale


@function(inplace=True, aliases=("divide",))
def div(input: Any, other: Any, *, rounding_mode: str | None = None) -> Tensor:
    """``input / other``; ``rounding_mode`` ``"floor"`` or ``"trunc"`` rounds the quotient.

    Raises:
        RuntimeError: an unknown rounding mode, or an integer division by zero.

    >>> import autograd
    >>> autograd.div(autograd.tensor([7, -7]), 2, rounding_mode="trunc")
    tensor([ 3, -3])
    """
    if rounding_mode not in QUOTIENTS:
        raise RuntimeError(
            f"div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{rounding_mode}'"
        )
    return apply(TABLE[QUOTIENTS[rounding_mode]], (input, other), {})


QUOTIENTS = {None: "div", "floor": "div_floor", "trunc": "div_trunc"}


def _with_value(row: PointwiseRow, doc: str) -> None:
    """Publishes ``row(input, tensor1, tensor2, value=1)``, which also takes its number second, as it once did."""
    name = row.name

    def public(input: Tensor, tensor1: Any, tensor2: Any, *more: Any, value: Any = 1) -> Tensor:
        if more:
            if len(more) > 1 or isinstance(tensor1, Tensor):
                raise TypeError(f"{name}() takes 3 positional arguments, but {3 + len(more)} were given")
            value, tensor1, tensor2 = tensor1, tensor2, more[0]
        for argument, operand in (("input", input), ("tensor1", tensor1), ("tensor2", tensor2)):
            check_tensor(name, argument, operand)
        return apply(row, (input, tensor1, tensor2, value), {})

    public.__name__, public.__doc__ = name, doc
    function(inplace=True)(public)


_with_value(addcmul, "``input + value * tensor1 * tensor2``.")
_with_value(addcdiv, "``input + value * tensor1 / tensor2``, for floating-point ``tensor1`` or ``tensor2``.")


@function(inplace=True)
def lerp(input: Tensor, end: Tensor, weight: Any) -> Tensor:
    """``input + weight * (end - input)``; ``weight`` is a number or a tensor.

    Raises:
        RuntimeError: operands of other dtypes: lerp promotes nothing but a 0-d weight.
        NotImplementedError: integers.

    >>> import autograd
    >>> autograd.lerp(autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 6.0]), 0.25)
    tensor([1.5000, 3.0000])
    """
    start = check_tensor("lerp", "input", input)._array
    _same_dtype("lerp", "end", check_tensor("lerp", "end", end), input)
    if isinstance(weight, Tensor) and weight._array.ndim == 0 and weight._array.dtype.kind == start.dtype.kind:
        weight = weight.to(input.dtype)
    if isinstance(weight, Tensor):
        _same_dtype("lerp", "weight", weight, input)
    elif not isinstance(weight, NUMBERS):
        raise TypeError(f"lerp(): argument 'weight' must be Tensor or a number, not {type(weight).__name__}")
    if start.dtype.kind not in INEXACT:
        label = "lerp_kernel_tensor" if isinstance(weight, Tensor) else "lerp_kernel_scalar"
        raise NotImplementedError(f"\"{label}\" not implemented for '{type_name(start.dtype)}'")
    return apply(TABLE["lerp"], (input, end, weight), {})


def _same_dtype(operator: str, name: str, tensor: Tensor, like: Tensor) -> None:
    if tensor.dtype is not like.dtype:
        raise RuntimeError(f"{operator}: expected dtype {like.dtype} for `{name}` but got dtype {tensor.dtype}")


@function(functional=True, torch=False, method=False)
def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """``x Phi(x)`` with the normal distribution function Phi, or its tanh approximation (``approximate="tanh"``)."""
    if approximate not in ("none", "tanh"):
        raise RuntimeError(f"approximate argument must be either none or tanh, but got {approximate!r}.")
    return apply(TABLE["gelu_tanh" if approximate == "tanh" else "gelu_exact"], (input,), {})


@function(functional=True, inplace=True, method=False)
def threshold(input: Tensor, threshold: float, value: float) -> Tensor:
    """``x`` where it is above ``threshold``, else ``value``."""
    return apply(TABLE["threshold_at"], (input, threshold, value), {})


@function(functional=True)
def hardshrink(input: Tensor, lambd: float = 0.5) -> Tensor:
    """``x`` where its size is above ``lambd``, else 0."""
    return apply(TABLE["hardshrink"], (input, lambd), {})


@function(functional=True, inplace=True, method=False)
def celu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """``x`` where positive, else ``alpha * (exp(x / alpha) - 1)``.

    Raises:
        RuntimeError: ``alpha`` is 0.
    """
    if alpha == 0:
        raise RuntimeError("ZeroDivisionError: alpha cannot be 0 for CELU")
    return apply(TABLE["celu"], (input, alpha), {})


@function(functional=True)
def prelu(input: Tensor, weight: Tensor) -> Tensor:
    """``x`` where positive, else ``weight * x``; one weight, or one for each channel (dimension 1)."""
    slopes = check_tensor("prelu", "weight", weight)._array
    if check_tensor("prelu", "input", input)._array.dtype != slopes.dtype:
        raise RuntimeError(f"prelu: Type promoting not supported. Got {input.dtype} and {weight.dtype}")
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
def logit(input: Tensor, eps: float | None = None) -> Tensor:
    """``log(x / (1 - x))``; with ``eps``, of ``x`` clamped to [eps, 1 - eps].

    >>> import autograd
    >>> autograd.tensor([0.5, 0.9]).logit()
    tensor([0.0000, 2.1972])
    """
    check_tensor("logit", "input", input)
    if eps is not None and not isinstance(eps, NUMBERS):
        raise TypeError(f"logit(): argument 'eps' must be float, not {type(eps).__name__}")
    return apply(TABLE["logit"], (input, -1.0 if eps is None else float(eps)), {})


@function(inplace=True)
def nan_to_num(
    input: Tensor, nan: float | None = None, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """NaN replaced by ``nan`` (0), infinities by ``posinf`` and ``neginf`` (the dtype's largest and smallest).

    >>> import autograd
    >>> autograd.nan_to_num(autograd.tensor([autograd.nan, autograd.inf, 1.0]), posinf=9.0)
    tensor([0., 9., 1.])
    """
    array = check_tensor("nan_to_num", "input", input)._array
    if array.dtype.kind == "c":
        parts = (TABLE[part](input) for part in ("real", "imag"))
        return TABLE["complex"](*(nan_to_num(part, nan, posinf, neginf) for part in parts))
    if array.dtype.kind not in FLOATING:
        return input.clone()
    limits = finfo(array.dtype)
    where = TABLE["where"]
    result = where(apply(TABLE["isnan"], (input,), {}), 0.0 if nan is None else float(nan), input)
    high, low = float(limits.max) if posinf is None else posinf, float(limits.min) if neginf is None else neginf
    return where(input == np.inf, float(high), where(input == -np.inf, float(low), result))


__all__ = [
    "bits",
    "bitwise_not",
    "celu",
    "clamp",
    "clamp_max",
    "clamp_min",
    "div",
    "gelu",
    "hardshrink",
    "integer_function",
    "lerp",
    "logit",
    "nan_to_num",
    "prelu",
    "promoted",
    "round",
    "threshold",
]
