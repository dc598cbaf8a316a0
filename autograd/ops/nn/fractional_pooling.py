"""The largest element of windows at pseudo-random steps (Graham, "Fractional max-pooling", 2014)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ... import kernels
from ...rows.public import TORCH
from ...tensor import Tensor
from ..convert import check_tensor
from .pooling import largest_elements
from .windows import batch_of_images, check_numbers, over_axes, tuple_of

__all__: list[str] = []


def _largest(
    operator: str,
    axes: int,
    input: Tensor,
    kernel_size: Any,
    output_size: Any,
    output_ratio: Any,
    return_indices: bool,
    samples: Tensor | None,
) -> Any:
    if output_size is None and output_ratio is None:
        raise ValueError(f"{operator} requires specifying either an output_size or an output_ratio")
    check_tensor(operator, "input", input)
    if output_size is None:
        ratios = tuple(output_ratio) if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * axes
        if len(ratios) != axes:
            raise ValueError(f"{operator} requires output_ratio to be one number or {axes} of them, but got {ratios}")
        output_size = [int(n * ratio) for n, ratio in zip(input.shape[-axes:], ratios, strict=True)]
    kernel = tuple_of(operator, "kernel_size", kernel_size, axes)
    sizes = tuple_of(operator, "output_size", output_size, axes)
    batch = batch_of_images(operator, input, axes)
    size, expected = batch.shape[2:], (*batch.shape[:2], axes)
    check_numbers(operator, batch._array.dtype)
    if min(kernel) < 1 or min(sizes) < 0:
        raise RuntimeError(
            f"{operator}: kernel_size {kernel} and output_size {sizes} must not be negative, nor a window empty"
        )
    # Of three axes PyTorch wants one element more than needed.
    if any(m + k - 1 + (axes == 3) > n for n, m, k in zip(size, sizes, kernel, strict=True)):
        raise RuntimeError(
            f"{operator}: kernel_size {kernel} is too large for output_size {sizes} of an input of size {tuple(size)}"
        )
    if samples is None:
        samples = TORCH["rand"](*expected, dtype=input.dtype)
    places = check_tensor(operator, "_random_samples", samples)._array
    if samples.dtype != input.dtype:
        raise RuntimeError(f"{operator}: expected _random_samples to have the dtype of input, {input.dtype}")
    if places.ndim != 3 or places.shape[0] < expected[0] or places.shape[1:] != expected[1:]:
        raise RuntimeError(
            f"{operator}: expected _random_samples of shape {expected}, or more of them, but got {places.shape}"
        )
    # PyTorch keeps the samples of two axes as (width, height), those of three as (depth, height, width).
    places = places[: expected[0], :, :: -1 if axes == 2 else 1]
    regions = kernels.pooling_regions.fractional_regions(size, sizes, kernel, places.reshape(-1, axes))

    def find(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return kernels.pooling_regions.max_of_regions(x, regions)

    return largest_elements(batch, input, f"FractionalMaxPool{axes}D", find, return_indices)


@over_axes("fractional_max_pool{}d", 2, 3, home="nn.functional")
def fractional_max_pool(axes: int) -> Callable[..., Any]:
    """The largest element of windows of ``input`` (N, C, *size) or (C, *size) whose steps are drawn at random.

    Args:
        kernel_size: the window's size, one number for all axes or one for each.
        output_size: of the result.
        output_ratio: the result's size by the input's, from 0 to 1, where ``output_size`` is not given.
        return_indices: also return where in its plane each maximum was, counted in logical order.
        _random_samples: (N, C, axes), from 0 to 1; drawn by default.

    Raises:
        ValueError: neither size nor ratio.
        RuntimeError: sizes that do not fit.

    >>> import autograd
    >>> from nn.functional import fractional_max_pool2d
    >>> fractional_max_pool2d(autograd.rand(1, 1, 8, 8), 2, output_ratio=0.7).shape
    torch.Size([1, 1, 5, 5])
    """
    operator = f"fractional_max_pool{axes}d"

    def pool(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> Any:
        return _largest(operator, axes, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)

    return pool


@over_axes("fractional_max_pool{}d_with_indices", 2, 3, home="nn.functional")
def fractional_max_pool_with_indices(axes: int) -> Callable[..., Any]:
    """The largest elements and where they were: ``fractional_max_pool`` with ``return_indices``."""
    operator = f"fractional_max_pool{axes}d_with_indices"

    def pool(
        input: Tensor,
        kernel_size: Any,
        output_size: Any = None,
        output_ratio: Any = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> Any:
        return _largest(operator, axes, input, kernel_size, output_size, output_ratio, True, _random_samples)

    return pool
