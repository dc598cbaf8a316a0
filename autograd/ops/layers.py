"""The operators behind layers: convolution, pooling, embedding."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import kernels
from ..tensor import Tensor, wrap
from .convert import check_tensor
from .dispatch import apply
from .index import index_array
from .public import function
from .table import Array, _, coarse
from .writes import write


def tuple_of(operator: str, name: str, value: Any, count: int) -> tuple[int, ...]:
    """One integer for each spatial dimension, from one for all or a sequence.

    Raises:
        TypeError: not integers.
        RuntimeError: another number of them.
    """
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    values = values * count if len(values) == 1 else values
    for v in values:
        if not isinstance(v, (int, np.integer)) or isinstance(v, bool):
            raise TypeError(f"{operator}(): argument '{name}' must be tuple of ints, but found {type(v).__name__}")
    if len(values) != count:
        raise RuntimeError(f"{operator}: expected {name} to be a single integer or {count} of them, but got {values}")
    return tuple(int(v) for v in values)


# --- Convolution ---------------------------------------------------------------------------------------------------


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
            from .shape import pad_constant

            extra = [w for total in reversed(totals) for w in (0, total % 2)]
            batched = apply(pad_constant, (batched, tuple(extra), 0.0), {})
    padding = tuple_of(operator, "padding", padding, ndim)
    if min(padding) < 0:
        raise RuntimeError(f"{operator}: negative padding is not supported, but got {padding}")
    out = apply(convolution, (batched, weight, bias, stride, padding, dilation, groups), {})
    return out if x.ndim == ndim + 2 else out.squeeze(0)


# --- Pooling -------------------------------------------------------------------------------------------------------


@coarse(latex=r"\max_k x_{i s + k}", extras=("indices",), home="", node_name="MaxPool2DWithIndices", complex=False)
def max_pool(x: Array, kernel, stride, padding, dilation, ceil_mode):
    return kernels.pooling.max_pool2d_forward(x, kernel, stride, padding, dilation, ceil_mode)


@max_pool.gradient("x")
def _(g, indices, x_shape):
    return max_pool_spread(g, x_shape, indices)


@coarse(latex=r"0 \text{ except } x \text{ at the maxima}", home="")
def max_pool_spread(x: Array, shape, indices):
    return kernels.pooling.max_pool2d_gradient(x, indices._array if isinstance(indices, Tensor) else indices, shape)


@max_pool_spread.gradient("x")
def _(g, indices):
    return max_pool_gather(g, indices)


@coarse(latex=r"x \text{ at the maxima}", home="")
def max_pool_gather(x: Array, indices):
    return kernels.pooling.max_pool2d_gather(x, indices._array if isinstance(indices, Tensor) else indices)


@max_pool_gather.gradient("x")
def _(g, indices, x_shape):
    return max_pool_spread(g, x_shape, indices)


@function(functional=True, method=False)
def max_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of ``input`` (N, C, H, W) or (C, H, W); NaN wins, ties take the first.

    Args:
        kernel_size: height and width of the window.
        stride: step between windows; the window's size by default.
        padding: minus infinity added on each side, at most half the window.
        dilation: step between the elements of a window.
        ceil_mode: let the last window reach over the edge.
        return_indices: also return where in its plane each maximum was.
    """
    arguments = _window("max_pool2d", input, kernel_size, stride, padding)
    dilation = tuple_of("max_pool2d", "dilation", dilation, 2)
    batched = input if input.ndim == 4 else input.unsqueeze(0)
    if return_indices:
        places = kernels.pooling.max_pool2d_forward(batched._array, *arguments, dilation, ceil_mode)[1]
    out = apply(max_pool, (batched, *arguments, dilation, ceil_mode), {})
    out = out if input.ndim == 4 else out.squeeze(0)
    return (out, wrap(places.reshape(out._array.shape))) if return_indices else out


def _window(operator: str, input: Tensor, kernel_size: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    if check_tensor(operator, "input", input)._array.ndim not in (3, 4):
        raise RuntimeError(
            f"{operator}: non-empty 3D or 4D (batch mode) tensor expected for input, got {list(input.shape)}"
        )
    kernel = tuple_of(operator, "kernel_size", kernel_size, 2)
    step = kernel if stride is None or stride == [] else tuple_of(operator, "stride", stride, 2)
    around = tuple_of(operator, "padding", padding, 2)
    if min(kernel) < 1 or min(step) < 1:
        raise RuntimeError(f"{operator}: kernel_size {kernel} and stride {step} should be greater than zero")
    if min(around) < 0 or any(p > k // 2 for p, k in zip(around, kernel, strict=True)):
        raise RuntimeError(
            f"{operator}: pad should be at most half of effective kernel size, but got pad={around} and "
            f"kernel_size={kernel}"
        )
    return kernel, step, around


@coarse(latex=r"\frac{1}{n} \sum_k x_{i s + k}", home="", node_name="AvgPool2D")
def avg_pool(x: Array, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return kernels.pooling.avg_pool2d_forward(
        x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@avg_pool.gradient("x")
def _(g, x_shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return avg_pool_spread(g, x_shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


@coarse(latex=r"\text{each } x \text{ shared by its window}", home="")
def avg_pool_spread(x: Array, shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return kernels.pooling.avg_pool2d_gradient(
        x, shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@avg_pool_spread.gradient("x")
def _(g, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return avg_pool(g, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


@function(torch=False, functional=True, method=False)
def avg_pool2d(
    input: Tensor,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """The mean of each window of ``input`` (N, C, H, W) or (C, H, W).

    Args:
        count_include_pad: count the zeros of the padding in the mean.
        divisor_override: divide by this instead of the number of elements.
    """
    kernel, step, around = _window("avg_pool2d", input, kernel_size, stride, padding)
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d: divisor_override must be not zero")
    batched = input if input.ndim == 4 else input.unsqueeze(0)
    out = apply(avg_pool, (batched, kernel, step, around, ceil_mode, count_include_pad, divisor_override), {})
    return out if input.ndim == 4 else out.squeeze(0)


# --- Embedding -----------------------------------------------------------------------------------------------------


@coarse(latex=r"w_{i}", home="", node_name="Embedding")
def embedding_rows(weight: Array, indices, padding_idx):
    return weight[indices]


@embedding_rows.gradient("weight")
def _(g, weight_shape, indices, padding_idx):
    return embedding_sum(g, weight_shape[0], indices, padding_idx)


@coarse(latex=r"\sum_{j : i_j = i} x_j", home="", node_name="EmbeddingDense")
def embedding_sum(x: Array, rows, indices, padding_idx):
    out = kernels.scatter.scatter_add_rows((rows, *x.shape[indices.ndim :]), indices, x)
    if padding_idx >= 0:
        out[padding_idx] = 0
    return out


@embedding_sum.gradient("x")
def _(g, indices, padding_idx):
    taken = embedding_rows(g, indices, padding_idx)
    if padding_idx < 0:
        return taken
    mask = (indices == padding_idx)[..., None]
    return _.where(wrap(mask) if isinstance(taken, Tensor) else mask, 0.0, taken)


@function(torch=False, functional=True, method=False)
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` (V, D) at the places in ``input`` (any shape of ints): shape (*input.shape, D).

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows in use that are longer are scaled down to this length, in place.
        scale_grad_by_freq: divide a row's gradient by how often it was used.
        sparse: accepted; gradients are dense.

    Raises:
        IndexError: a place outside of ``weight``.
    """
    indices = index_array("embedding", input)
    rows = check_tensor("embedding", "weight", weight)._array
    if rows.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, but got shape {list(rows.shape)}")
    if indices.size and (indices.min() < 0 or indices.max() >= rows.shape[0]):
        raise IndexError(f"embedding: index out of range in self: {indices.max()} for weight {list(rows.shape)}")
    padding = -1
    if padding_idx is not None:
        if not -rows.shape[0] <= padding_idx < rows.shape[0]:
            raise AssertionError(f"Padding_idx must be within num_embeddings: {padding_idx} for {rows.shape[0]} rows")
        padding = padding_idx % rows.shape[0]
    if max_norm is not None:
        _renormalize(weight, np.unique(indices), max_norm, norm_type)
    out = apply(embedding_rows, (weight, indices, padding), {})
    if scale_grad_by_freq and out.requires_grad:
        counts = np.bincount(indices.reshape(-1), minlength=rows.shape[0])[indices]
        out.register_hook(lambda g: g / wrap(counts[..., None].astype(rows.dtype)))
    return out


def _renormalize(weight: Tensor, used: np.ndarray, max_norm: float, norm_type: float) -> None:
    from ..graph import no_grad

    with no_grad():
        rows = weight._array[used]
        norms = np.linalg.norm(rows, norm_type, axis=1)
        too_long = norms > max_norm
        scaled = weight.clone()
        scaled._array[used[too_long]] *= (max_norm / (norms[too_long] + 1e-7))[:, None].astype(rows.dtype)
        write(weight, scaled, "embedding_renorm_")


__all__ = [
    "avg_pool",
    "avg_pool2d",
    "avg_pool_spread",
    "conv2d",
    "convolution",
    "convolution_input_gradient",
    "convolution_weight_gradient",
    "embedding",
    "embedding_rows",
    "embedding_sum",
    "max_pool",
    "max_pool2d",
    "max_pool_gather",
    "max_pool_spread",
    "tuple_of",
]
