"""Pooling to a given size, whatever the input's: the maximum or the mean of regions that cover the input evenly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import kernels
from ...rows.dispatch import apply
from ...tensor import Tensor
from ..convert import check_tensor
from .pooling import largest_elements
from .resampling import resample
from .windows import batch_of_images, check_numbers, over_axes, tuple_of

__all__ = ["adaptive_mean"]


def _output_size(operator: str, axes: int, input: Tensor, output_size: Any) -> tuple[int, ...]:
    """One number for each axis, that of the input where None is given."""
    sizes = list(output_size) if isinstance(output_size, (tuple, list)) else [output_size] * axes
    if isinstance(output_size, (tuple, list)) and axes > 1 and input.ndim <= len(sizes):
        raise ValueError(
            f"{operator}: input dimension should be at least {len(sizes) + 1} for output_size {output_size}, but got "
            f"{list(input.shape)}"
        )
    if len(sizes) == axes and None in sizes:
        sizes = [n if size is None else size for n, size in zip(input.shape[-axes:], sizes, strict=True)]
    result = tuple_of(operator, "output_size", sizes, axes)
    if min(result) < 0:
        raise RuntimeError(
            f"{operator}: elements of output_size must be greater than or equal to 0, but received {result}"
        )
    return result


def _largest(operator: str, axes: int, input: Tensor, output_size: Any, return_indices: bool) -> Any:
    sizes = _output_size(operator, axes, check_tensor(operator, "input", input), output_size)
    batch = batch_of_images(operator, input, axes)
    check_numbers(operator, batch._array.dtype)
    regions = kernels.pooling_regions.adaptive_regions(batch.shape[2:], sizes)

    def find(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return kernels.pooling_regions.max_of_regions(x, regions)

    return largest_elements(batch, input, f"AdaptiveMaxPool{axes}D", find, return_indices)


@over_axes("adaptive_max_pool{}d", 1, 2, 3, home="nn.functional")
def adaptive_max_pool(axes: int) -> Callable[..., Any]:
    """The largest element of each of ``output_size`` regions of ``input`` (N, C, *size) or (C, *size).

    Region ``i`` of ``m`` along an axis of ``n`` elements reaches from ``⌊i n / m⌋`` to ``⌈(i + 1) n / m⌉``.

    Args:
        output_size: one number for all axes or one for each; None keeps the input's.
        return_indices: also return where in its plane each maximum was, counted in logical order.

    Raises:
        ValueError: as many sizes as ``input`` has dimensions.
        RuntimeError: a negative size, or another number of them.

    >>> import autograd
    >>> from nn.functional import adaptive_max_pool1d
    >>> adaptive_max_pool1d(autograd.tensor([[3., 1., 2., 5., 4.]]), 2)
    tensor([[3., 5.]])
    """
    operator = f"adaptive_max_pool{axes}d"

    def pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        return _largest(operator, axes, input, output_size, return_indices)

    return pool


@over_axes("adaptive_max_pool{}d_with_indices", 1, 2, 3, home="nn.functional")
def adaptive_max_pool_with_indices(axes: int) -> Callable[..., Any]:
    """The largest element of each region, and where it was: ``adaptive_max_pool`` with ``return_indices``."""
    operator = f"adaptive_max_pool{axes}d_with_indices"

    def pool(input: Tensor, output_size: Any, return_indices: bool = False) -> Any:
        return _largest(operator, axes, input, output_size, True)

    return pool


@over_axes("adaptive_max_pool{}d", 1)
def adaptive_max_pool_of_torch(axes: int) -> Callable[..., Any]:
    """The largest element of each of ``output_size`` regions of ``input`` (N, C, L) or (C, L), and where it was."""
    operator = f"adaptive_max_pool{axes}d"

    def pool(input: Tensor, output_size: Any) -> Any:
        return _largest(operator, axes, input, output_size, True)

    return pool


def adaptive_mean(operator: str, axes: int, input: Tensor, output_size: Any) -> Tensor:
    """The mean of each of ``output_size`` regions of a batch of images or of one."""
    sizes = _output_size(operator, axes, check_tensor(operator, "input", input), output_size)
    batch = batch_of_images(operator, input, axes)
    if set(sizes) == {1}:
        return input.mean(tuple(range(-axes, 0)), keepdim=True)
    check_numbers(operator, batch._array.dtype)
    maps = [kernels.resample.mean_map(n, m) for n, m in zip(batch.shape[2:], sizes, strict=True)]
    out = apply(resample, (batch, f"AdaptiveAvgPool{axes}D", maps), {})
    return out if batch is input else out.squeeze(0)


@over_axes("adaptive_avg_pool{}d", 1, functional=True)
@over_axes("adaptive_avg_pool{}d", 2, 3, home="nn.functional")
def adaptive_avg_pool(axes: int) -> Callable[..., Any]:
    """The mean of each of ``output_size`` regions of ``input`` (N, C, *size) or (C, *size).

    Region ``i`` of ``m`` along an axis of ``n`` elements reaches from ``⌊i n / m⌋`` to ``⌈(i + 1) n / m⌉``.

    Args:
        output_size: one number for all axes or one for each; None keeps the input's.

    Raises:
        ValueError: as many sizes as ``input`` has dimensions.
        RuntimeError: a negative size, or another number of them.

    >>> import autograd
    >>> from nn.functional import adaptive_avg_pool1d
    >>> adaptive_avg_pool1d(autograd.tensor([[3., 1., 2., 5., 4.]]), 2)
    tensor([[2.0000, 3.6667]])
    """
    operator = f"adaptive_avg_pool{axes}d"

    def pool(input: Tensor, output_size: Any) -> Tensor:
        return adaptive_mean(operator, axes, input, output_size)

    return pool
