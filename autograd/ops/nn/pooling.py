"""The largest element, the mean, or a norm of each window."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import inf, prod
from typing import Any

import numpy as np

from ... import kernels
from ...rows.dispatch import apply
from ...rows.table import Array, coarse
from ...rows.widening import widened
from ...tensor import Tensor, wrap
from .windows import batch_of_images, check_numbers, over_axes, tuple_of

__all__ = [
    "avg_pool", "avg_pool_spread", "largest_elements", "max_pool", "max_pool_gather", "max_pool_spread",
    "mean_of_windows",
]  # fmt: skip

INTEGERS = ("uint8", "int8", "int16", "int32", "int64")
Find = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

# --- Largest elements ------------------------------------------------------------------------------------------------


@coarse(latex=r"\max_k x_{i s + k}", extras=("indices",), home="", node_name=lambda name: name, complex=False)
def max_pool(x: Array, name, find):
    return find(x)


@max_pool.gradient("x")
def _(g, indices, x_shape):
    return max_pool_spread(g, x_shape, indices)


@coarse(latex=r"0 \text{ except } x \text{ at the maxima}", home="")
def max_pool_spread(x: Array, shape, indices):
    return kernels.pooling_places.add_to_planes(x, _array_of(indices), shape)


@max_pool_spread.gradient("x")
def _(g, indices):
    return max_pool_gather(g, indices)


@coarse(latex=r"x \text{ at the maxima}", home="")
def max_pool_gather(x: Array, indices):
    return kernels.pooling_places.pick_from_planes(x, _array_of(indices))


@max_pool_gather.gradient("x")
def _(g, indices, x_shape):
    return max_pool_spread(g, x_shape, indices)


def _array_of(indices: Any) -> np.ndarray:
    return indices._array if isinstance(indices, Tensor) else indices


def largest_elements(batch: Tensor, input: Tensor, name: str, find: Find, return_indices: bool) -> Any:
    """What ``find`` finds in a batch of images, recorded under PyTorch's ``name``: values, or values and places.

    Args:
        batch: as `batch_of_images` made it of ``input``.
        find: from an array (N, C, *size) to the elements and to their places in their planes.
    """
    if return_indices:
        found = find(widened(batch._array))
        out = apply(max_pool, (batch, name, lambda x: found), {}), wrap(found[1].astype(np.int64, copy=False))
        return out if batch is input else tuple(each.squeeze(0) for each in out)
    out = apply(max_pool, (batch, name, find), {})
    return out if batch is input else out.squeeze(0)


def _largest(
    operator: str,
    axes: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    return_indices: bool,
) -> Any:
    window = _window(operator, axes, kernel_size, stride, padding)
    dilation = tuple_of(operator, "dilation", dilation, axes)
    batch = batch_of_images(operator, input, axes)
    check_numbers(operator, batch._array.dtype, *INTEGERS if axes > 1 or return_indices else ())
    kernel, step, around = window
    find = partial(
        kernels.pooling.max_pool_forward,
        kernel=kernel, stride=step, padding=around, dilation=dilation, ceil_mode=ceil_mode,
    )  # fmt: skip
    return largest_elements(batch, input, f"MaxPool{axes}DWithIndices", find, return_indices)


def _window(operator: str, axes: int, kernel_size: Any, stride: Any, padding: Any) -> tuple[Any, Any, Any]:
    kernel = tuple_of(operator, "kernel_size", kernel_size, axes)
    step = kernel if stride is None or stride in ([], ()) else tuple_of(operator, "stride", stride, axes)
    return kernel, step, tuple_of(operator, "padding", padding, axes)


@over_axes("max_pool{}d", 1, 2, 3, functional=True)
def max_pool_function(axes: int) -> Callable[..., Any]:
    """The largest element of each window of ``input`` (N, C, *size) or (C, *size); NaN wins, ties take the first.

    Args:
        kernel_size: the window's size, one number for all axes or one for each.
        stride: step between windows; the window's size by default.
        padding: minus infinity added on each side, at most half the window.
        dilation: step between the elements of a window.
        ceil_mode: let the last window reach over the edge.
        return_indices: also return where in its plane each maximum was, counted in logical order.

    Raises:
        RuntimeError: sizes that do not fit.

    >>> import autograd
    >>> from nn.functional import max_pool2d
    >>> max_pool2d(autograd.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    operator = f"max_pool{axes}d"

    def max_pool(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return _largest(operator, axes, input, kernel_size, stride, padding, dilation, ceil_mode, return_indices)

    return max_pool


@over_axes("max_pool{}d_with_indices", 1, torch=True)
@over_axes("max_pool{}d_with_indices", 1, 2, 3, home="nn.functional")
def max_pool_with_indices(axes: int) -> Callable[..., Any]:
    """The largest element of each window, and where in its plane it was: ``max_pool`` with ``return_indices``."""
    operator = f"max_pool{axes}d_with_indices"

    def with_indices(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        return _largest(operator, axes, input, kernel_size, stride, padding, dilation, ceil_mode, True)

    return with_indices


# --- Means -----------------------------------------------------------------------------------------------------------


@coarse(latex=r"\frac{1}{n} \sum_k x_{i s + k}", home="", node_name=lambda kernel: f"AvgPool{len(kernel)}D")
def avg_pool(x: Array, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return kernels.pooling.avg_pool_forward(x, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


@avg_pool.gradient("x")
def _(g, x_shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return avg_pool_spread(g, x_shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


@coarse(latex=r"\text{each } x \text{ shared by its window}", home="")
def avg_pool_spread(x: Array, shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return kernels.pooling.avg_pool_gradient(
        x, shape, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


@avg_pool_spread.gradient("x")
def _(g, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override):
    return avg_pool(g, kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)


def mean_of_windows(
    operator: str,
    axes: int,
    input: Tensor,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None = None,
) -> Tensor:
    """`avg_pool` of a batch of images or of one."""
    window = _window(operator, axes, kernel_size, stride, padding)
    batch = batch_of_images(operator, input, axes)
    check_numbers(operator, batch._array.dtype, "int64")
    if axes == 3 and any(n < k for n, k in zip(batch.shape[2:], window[0], strict=True)):
        raise RuntimeError(
            f"{operator}: input of size {tuple(batch.shape[2:])} is smaller than kernel_size {window[0]}"
        )
    out = apply(avg_pool, (batch, *window, ceil_mode, count_include_pad, divisor_override), {})
    return out if batch is input else out.squeeze(0)


@over_axes("avg_pool{}d", 1, functional=True)
@over_axes("avg_pool{}d", 2, 3, home="nn.functional")
def avg_pool_function(axes: int) -> Callable[..., Any]:
    """The mean of each window of ``input`` (N, C, *size) or (C, *size).

    Args:
        kernel_size: the window's size, one number for all axes or one for each.
        stride: step between windows; the window's size by default.
        padding: zeros added on each side, at most half the window.
        ceil_mode: let the last window reach over the edge.
        count_include_pad: count the zeros of the padding in the mean.
        divisor_override: divide by this instead of the number of elements; not for one axis.

    Raises:
        RuntimeError: sizes that do not fit, or a divisor of 0.

    >>> import autograd
    >>> from nn.functional import avg_pool1d
    >>> avg_pool1d(autograd.tensor([[1., 2., 3., 4., 5., 6., 7.]]), kernel_size=3, stride=2)
    tensor([[2., 4., 6.]])
    """
    operator = f"avg_pool{axes}d"

    def avg_pool_1(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> Tensor:
        return mean_of_windows(operator, axes, input, kernel_size, stride, padding, ceil_mode, count_include_pad)

    def avg_pool(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Tensor:
        return mean_of_windows(
            operator, axes, input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
        )

    return avg_pool_1 if axes == 1 else avg_pool


# --- Norms -----------------------------------------------------------------------------------------------------------


@over_axes("lp_pool{}d", 1, 2, 3, home="nn.functional")
def lp_pool_function(axes: int) -> Callable[..., Any]:
    """The norm ``(Σ x^p)^(1/p)`` of each window of ``input`` (N, C, *size) or (C, *size).

    Args:
        norm_type: ``p``; infinity gives the largest absolute value, minus infinity the smallest.
        kernel_size: the window's size, one number for all axes or one for each.
        stride: step between windows; the window's size by default.
        ceil_mode: let the last window reach over the edge; its mean counts as that of a whole window.

    Raises:
        RuntimeError: sizes that do not fit.

    >>> import autograd
    >>> from nn.functional import lp_pool1d
    >>> lp_pool1d(autograd.tensor([[3., 4., 6., 8.]]), 2, kernel_size=2)
    tensor([[ 5., 10.]])
    """
    operator = f"lp_pool{axes}d"

    def lp_pool(
        input: Tensor, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False
    ) -> Tensor:
        window = (kernel_size, stride, 0)
        if abs(norm_type) == inf:
            sign = 1 if norm_type > 0 else -1
            return sign * _largest(operator, axes, sign * input.abs(), *window, 1, ceil_mode, False)
        mean = mean_of_windows(operator, axes, input.pow(norm_type), *window, ceil_mode, True)
        # `relu` makes the gradient 0 where all elements are.
        total = mean.sign() * mean.abs().relu() * prod(tuple_of(operator, "kernel_size", kernel_size, axes))
        return total.pow(1.0 / norm_type)

    return lp_pool
