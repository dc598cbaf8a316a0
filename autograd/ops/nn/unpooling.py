"""The way back from max-pooling: elements at the places that they were taken from, zeros elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import kernels
from ...rows.dispatch import apply
from ...rows.table import Array, coarse
from ...tensor import Tensor
from ..convert import check_tensor
from .pooling import max_pool_gather
from .windows import batch_of_images, check_numbers, over_axes, tuple_of

__all__ = ["max_unpool"]


@coarse(
    latex=r"0 \text{ except } x \text{ at its places}",
    home="",
    node_name=lambda shape: f"MaxUnpool{len(shape) - 2}D",
    complex=False,
)
def max_unpool(x: Array, indices, shape):
    return kernels.pooling_places.write_to_planes(x, indices, shape)


@max_unpool.gradient("x")
def _(g, indices):
    return max_pool_gather(g, indices)


def _unpooled_size(
    operator: str, size: Any, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> tuple[int, ...]:
    """The given size, or the smallest that pooling brings to ``size``."""
    axes = len(kernel)
    smallest = [(n - 1) * s + k - 2 * p for n, k, s, p in zip(size, kernel, stride, padding, strict=True)]
    chosen = smallest if output_size is None else list(output_size)
    chosen = chosen[2:] if len(chosen) == axes + 2 else chosen
    if len(chosen) != axes:
        raise ValueError(
            f"{operator}: output_size should be a sequence containing {axes} or {axes + 2} elements, but got {chosen}"
        )
    for dim, (n, m, s) in enumerate(zip(chosen, smallest, stride, strict=True)):
        if output_size is not None and not m - s < n < m + s:
            raise ValueError(
                f"{operator}: invalid output_size {chosen} (dim {dim} must be between {m - s} and {m + s})"
            )
        if n < 0:
            raise ValueError(f"{operator}: output_size must not be negative, but got {chosen}")
    return tuple(int(n) for n in chosen)


@over_axes("max_unpool{}d", 1, 2, 3, home="nn.functional")
def max_unpool_function(axes: int) -> Callable[..., Any]:
    """Each element of ``input`` (N, C, *size) or (C, *size) at its place in a larger plane, zeros elsewhere.

    Args:
        indices: as max-pooling returns them: int64, of the input's shape.
        kernel_size: that of the pooling, one number for all axes or one for each.
        stride: that of the pooling; the window's size by default.
        padding: that of the pooling.
        output_size: the pooling's input size, of which several lead to one output size; the smallest by default.

    Raises:
        ValueError: an output size that the pooling does not lead from.
        RuntimeError: indices of another shape or dtype, or outside of the plane.

    >>> import autograd
    >>> from nn.functional import max_pool1d, max_unpool1d
    >>> values, indices = max_pool1d(autograd.tensor([[1., 4., 3., 2.]]), 2, return_indices=True)
    >>> max_unpool1d(values, indices, 2)
    tensor([[0., 4., 3., 0.]])
    """
    operator = f"max_unpool{axes}d"

    def unpool(
        input: Tensor, indices: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Tensor:
        kernel = tuple_of(operator, "kernel_size", kernel_size, axes)
        step = kernel if stride is None else tuple_of(operator, "stride", stride, axes)
        around = tuple_of(operator, "padding", padding, axes)
        places = check_tensor(operator, "indices", indices)._array
        batch = batch_of_images(operator, input, axes)
        size = _unpooled_size(operator, batch.shape[2:], kernel, step, around, output_size)
        check_numbers(operator, batch._array.dtype)
        if places.dtype != "int64":
            raise RuntimeError(f"{operator}: elements in indices should be type int64 but got: {indices.dtype}")
        if places.shape != tuple(input.shape):
            raise RuntimeError(
                f"{operator}: Expected shape of indices to be same as that of the input tensor {list(input.shape)}, "
                f"but got indices of shape {list(places.shape)}"
            )
        if min(step) < 1:
            raise RuntimeError(f"{operator}: strides should be greater than zero, but got stride: {list(step)}")
        out = apply(max_unpool, (batch, places.reshape(batch.shape), (*batch.shape[:2], *size)), {})
        return out if batch is input else out.squeeze(0)

    return unpool
