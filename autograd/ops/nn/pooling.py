"""The largest element, or the mean, of each window."""

from __future__ import annotations

from typing import Any

from ... import kernels
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, coarse
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from .windows import tuple_of

__all__ = ["avg_pool", "avg_pool2d", "avg_pool_spread", "max_pool", "max_pool2d", "max_pool_gather", "max_pool_spread"]


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
