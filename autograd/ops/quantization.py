"""Rounding to what few bits can hold, as training for them needs it: with a gradient that passes the rounding by."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import float16, float32, int32
from ..kernels.halves import FLOATING, is_half
from ..rows.public import TORCH, function
from ..tensor import Tensor
from .convert import check_tensor

__all__ = ["fake_quantize_per_channel_affine", "fake_quantize_per_tensor_affine"]


def _check(operator: str, input: Any, quant_min: int, quant_max: int) -> None:
    if check_tensor(operator, "input", input)._array.dtype.kind not in FLOATING:
        raise NotImplementedError(f"{operator}(): not implemented for {input.dtype}; convert with .float()")
    if quant_min > quant_max:
        raise RuntimeError(f"{operator}(): `quant_min` should be less than or equal to `quant_max`, got {quant_min}")


def _check_inside(operator: str, zero_points: np.ndarray, quant_min: int, quant_max: int) -> None:
    if ((zero_points < quant_min) | (zero_points > quant_max)).any():
        raise RuntimeError(f"{operator}(): `zero_point` must be between `quant_min` and `quant_max`")


def _rounded(x: Tensor, scale: Tensor, zero_point: Tensor, low: int, high: int) -> Tensor:
    """The nearest of the numbers ``(q - zero_point) * scale``, with the gradient of a clamp."""
    wide = x.detach()
    if is_half(x._array.dtype):
        wide = wide.float()
    scale, zero = scale.detach(), zero_point.to(wide.dtype)
    number = wide * (1 / scale).to(wide.dtype)
    number = (number + zero).round() if zero_point.is_floating_point() else number.round() + zero
    bounds = [wide.new_tensor(bound) for bound in (low, high)]
    inside = (number >= low) & (number <= high)
    nearest = (TORCH["fmin"](TORCH["fmax"](number, bounds[0]), bounds[1]) - zero) * scale.to(wide.dtype)
    kept = TORCH["where"](inside, x, 0.0)
    return nearest.to(x.dtype) + (kept - kept.detach())


@function(method=False)
def fake_quantize_per_tensor_affine(
    input: Tensor, scale: Any, zero_point: Any, quant_min: int, quant_max: int
) -> Tensor:
    """``(min(max(round(input / scale) + zero_point, quant_min), quant_max) - zero_point) * scale``.

    The gradient passes where nothing was cut off, as if nothing had been rounded.

    Args:
        input: floating-point.
        scale: a number, or a tensor of one element.
        zero_point: an integer, or a tensor of one: what 0 becomes.
        quant_min, quant_max: the integers to choose from.

    Raises:
        RuntimeError: ``quant_min`` is above ``quant_max``, or ``zero_point`` not between them.
        NotImplementedError: integers.

    >>> import autograd
    >>> autograd.fake_quantize_per_tensor_affine(autograd.tensor([-1.0, 0.26, 0.5]), 0.1, 0, 0, 4)
    tensor([0.0000, 0.3000, 0.4000])
    """
    operator = "fake_quantize_per_tensor_affine"
    _check(operator, input, quant_min, quant_max)
    if not isinstance(zero_point, (int, Tensor)):
        raise TypeError(f"{operator}(): zero_point must be an int or a Tensor, not {type(zero_point).__name__}")
    size, zero = (value.item() if isinstance(value, Tensor) else value for value in (scale, zero_point))
    _check_inside(operator, np.asarray(zero), quant_min, quant_max)
    like = input.detach().new_tensor
    return _rounded(input, like(size, dtype=float32), like(zero, dtype=int32), quant_min, quant_max)


@function(method=False)
def fake_quantize_per_channel_affine(
    input: Tensor, scale: Tensor, zero_point: Tensor, axis: int, quant_min: int, quant_max: int
) -> Tensor:
    """`fake_quantize_per_tensor_affine` with a scale and a zero point for each place along ``axis``.

    Args:
        input: floating-point.
        scale: (n), float32.
        zero_point: (n), int32, float32 or float16.
        axis: the dimension of n channels; it is not counted from the end.
        quant_min, quant_max: the integers to choose from.

    Raises:
        RuntimeError: shapes or dtypes that do not fit, or bounds as for one scale.
        IndexError: there is no such dimension.
        NotImplementedError: integers.

    >>> import autograd
    >>> scale, zero = autograd.tensor([0.1, 1.0]), autograd.tensor([0, 0], dtype=autograd.int32)
    >>> autograd.fake_quantize_per_channel_affine(autograd.tensor([[0.26, 0.26]]), scale, zero, 1, 0, 9)
    tensor([[0.3000, 0.0000]])
    """
    operator = "fake_quantize_per_channel_affine"
    _check(operator, input, quant_min, quant_max)
    if scale.dtype is not float32:
        raise RuntimeError(f"{operator}(): Scale must be Float, found {scale.dtype}")
    if zero_point.dtype not in (int32, float32, float16):
        raise RuntimeError(f"{operator}(): Zero-point must be Int32, Float or Half, found {zero_point.dtype}")
    if scale.ndim != 1 or scale.shape != zero_point.shape:
        raise RuntimeError(
            f"{operator}(): scale and zero-point need to be vectors of the same size, got {list(scale.shape)} and "
            f"{list(zero_point.shape)}"
        )
    if axis < 0:
        raise RuntimeError(f"{operator}(): `axis` must be between 0 and number of dimensions of input, got {axis}")
    if input.size(axis) != len(scale):
        raise RuntimeError(
            f"{operator}(): dimensions of scale and zero-point are not consistent with input tensor: {len(scale)} "
            f"for dimension {axis} of {list(input.shape)}"
        )
    _check_inside(operator, zero_point._array, quant_min, quant_max)
    shape = [-1 if dim == axis else 1 for dim in range(input.ndim)]
    return _rounded(input, scale.reshape(shape), zero_point.reshape(shape), quant_min, quant_max)
