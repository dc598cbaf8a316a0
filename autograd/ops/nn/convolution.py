"""Convolution and its gradients, which are convolutions again."""

from __future__ import annotations

from typing import Any

from ... import kernels
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, _, coarse
from ...tensor import Tensor
from ..convert import check_tensor
from .windows import tuple_of

__all__ = ["conv2d", "convolution", "convolution_input_gradient", "convolution_weight_gradient"]


@coarse(latex=r"b_f + \sum_{c, k} w_{fck} \, x_{c, i s + k d - p}", home="", node_name="Convolution")
def convolution(x: Array, weight: Array, bias: Array, stride, padding, dilation, groups):
    return kernels.conv.conv_forward(x, weight, bias, stride, padding, dilation, groups)


@convolution.gradient("x")
def _(g, weight, x_shape, stride, padding, dilation, groups):
    return convolution_input_gradient(g, weight, x_shape, stride, padding, dilation, groups)


@convolution.gradient("weight")
def _(g, x, weight_shape, stride, padding, dilation, groups):
    return convolution_weight_gradient(g, x, weight_shape, stride, padding, dilation, groups)


@convolution.gradient("bias")
def _(g):
    return _.sum(g, (0, *range(2, g.ndim)))


@coarse(latex=r"\partial L / \partial x \text{ of a convolution}", home="", node_name="ConvolutionInput")
def convolution_input_gradient(x: Array, weight: Array, shape, stride, padding, dilation, groups):
    """The gradient of a convolution's input; the forward pass of a transposed convolution."""
    return kernels.conv.conv_input_gradient(x, weight, shape, stride, padding, dilation, groups)


@convolution_input_gradient.gradient("x")
def _(g, weight, stride, padding, dilation, groups):
    return convolution(g, weight, None, stride, padding, dilation, groups)


@convolution_input_gradient.gradient("weight")
def _(g, x, weight_shape, stride, padding, dilation, groups):
    return convolution_weight_gradient(x, g, weight_shape, stride, padding, dilation, groups)


@coarse(latex=r"\partial L / \partial w \text{ of a convolution}", home="", node_name="ConvolutionWeight")
def convolution_weight_gradient(x: Array, y: Array, shape, stride, padding, dilation, groups):
    """The gradient of a convolution's weight, from the output's gradient ``x`` and the input ``y``."""
    return kernels.conv.conv_weight_gradient(x, y, shape, stride, padding, dilation, groups)


@convolution_weight_gradient.gradient("x")
def _(g, y, stride, padding, dilation, groups):
    return convolution(y, g, None, stride, padding, dilation, groups)


@convolution_weight_gradient.gradient("y")
def _(g, x, y_shape, stride, padding, dilation, groups):
    return convolution_input_gradient(x, g, y_shape, stride, padding, dilation, groups)


@function(torch=True, functional=True, method=False)
def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Cross-correlation of images with filters.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        weight: (F, C / groups, kH, kW).
        bias: (F,), or None.
        stride: step between windows.
        padding: zeros added on each side, or ``"same"`` (the output has the input's size) or ``"valid"`` (none).
        dilation: step between the elements of a window.
        groups: input and output channels are connected within groups only.

    Returns:
        (N, F, H', W') with ``H' = (H + 2 * padding - dilation * (kH - 1) - 1) // stride + 1``.

    Raises:
        RuntimeError: channels, groups or sizes that do not fit (both shapes named).
    """
    return _convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def _convolve(
    operator: str,
    ndim: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    groups: int,
) -> Tensor:
    x, w = check_tensor(operator, "input", input)._array, check_tensor(operator, "weight", weight)._array
    if x.ndim not in (ndim + 1, ndim + 2) or w.ndim != ndim + 2:
        raise RuntimeError(
            f"Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {operator} and a {ndim + 2}D weight, "
            f"but got input of size: {list(x.shape)} and weight of size {list(w.shape)}"
        )
    if x.dtype != w.dtype:
        raise RuntimeError(f"{operator}: input type {x.dtype.name} and weight type {w.dtype.name} should be the same")
    if not isinstance(groups, int) or groups < 1:
        raise RuntimeError(f"{operator}: non-positive groups is not supported, but got {groups}")
    stride = tuple_of(operator, "stride", stride, ndim)
    dilation = tuple_of(operator, "dilation", dilation, ndim)
    for name, values in (("stride", stride), ("dilation", dilation)):
        if min(values) < 1:
            raise RuntimeError(f"{operator}: non-positive {name} is not supported, but got {values}")
    channels = x.shape[-ndim - 1]
    if channels != w.shape[1] * groups:
        raise RuntimeError(
            f"{operator}: input has {channels} channels, but weight {tuple(w.shape)} with groups={groups} expects "
            f"{w.shape[1] * groups}."
        )
    batched = input if x.ndim == ndim + 2 else input.unsqueeze(0)
    if isinstance(padding, str):
        if padding not in ("same", "valid"):
            raise RuntimeError(f"Invalid padding string {padding!r}, expected 'same' or 'valid'")
        if padding == "same" and max(stride) > 1:
            raise RuntimeError("padding='same' is not supported for strided convolutions")
        totals = [d * (k - 1) for d, k in zip(dilation, w.shape[2:], strict=True)] if padding == "same" else [0] * ndim
        padding = tuple(total // 2 for total in totals)
        if any(total % 2 for total in totals):
            # An even window needs one more zero at the end than at the start.
            from ..shape import pad_constant

            extra = [w for total in reversed(totals) for w in (0, total % 2)]
            batched = apply(pad_constant, (batched, tuple(extra), 0.0), {})
    padding = tuple_of(operator, "padding", padding, ndim)
    if min(padding) < 0:
        raise RuntimeError(f"{operator}: negative padding is not supported, but got {padding}")
    out = apply(convolution, (batched, weight, bias, stride, padding, dilation, groups), {})
    return out if x.ndim == ndim + 2 else out.squeeze(0)
