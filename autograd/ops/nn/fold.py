"""The windows of an image as columns of a matrix, and back."""

from __future__ import annotations

from math import prod
from typing import Any

from ...dtypes import SCALAR_NAMES
from ...kernels import conv_fold
from ...kernels.conv_columns import conv_output_size
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, coarse
from ...tensor import Tensor
from ..convert import check_tensor
from .windows import tuple_of

__all__ = ["columns_to_image", "fold", "image_to_columns", "unfold"]


@coarse(latex=r"x_{c, i s + k d - p}", home="", node_name="Im2Col")
def image_to_columns(x: Array, kernel, stride, padding, dilation):
    return conv_fold.images_to_columns(x, kernel, stride, padding, dilation)


@image_to_columns.gradient("x")
def _(g, x_shape, kernel, stride, padding, dilation):
    return columns_to_image(g, tuple(x_shape[2:]), kernel, stride, padding, dilation)


@coarse(latex=r"\sum_{i s + k d - p = j} x_{cki}", home="", node_name="Col2Im")
def columns_to_image(x: Array, size, kernel, stride, padding, dilation):
    return conv_fold.columns_to_images(x, size, kernel, stride, padding, dilation)


@columns_to_image.gradient("x")
def _(g, kernel, stride, padding, dilation):
    return image_to_columns(g, kernel, stride, padding, dilation)


@function(torch=False, functional=True, method=False)
def unfold(input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Tensor:
    """The windows of ``input``, each as a column.

    Args:
        input: (N, C, H, W), or (C, H, W) for one image.
        kernel_size: height and width of the window.
        dilation: step between the elements of a window.
        padding: zeros added on each side.
        stride: step between windows.

    Returns:
        (N, C * kH * kW, L) with L windows.

    Raises:
        RuntimeError: sizes that do not fit.

    >>> import autograd, nn
    >>> nn.functional.unfold(autograd.arange(6.0).reshape(1, 1, 2, 3), 2)
    tensor([[[0., 1.],
             [1., 2.],
             [3., 4.],
             [4., 5.]]])
    """
    shape = list(check_tensor("unfold", "input", input).shape)
    kernel, *window = _window("unfold", input, kernel_size, stride, padding, dilation)
    if len(shape) not in (3, 4) or 0 in shape[-3:]:
        raise RuntimeError(
            f"Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input of unfold, but got: {shape}"
        )
    conv_output_size(shape[-2:], kernel, *window)
    if len(shape) == 4:
        return apply(image_to_columns, (input, kernel, *window), {})
    return apply(image_to_columns, (input.unsqueeze(0), kernel, *window), {}).squeeze(0)


@function(torch=False, functional=True, method=False)
def fold(
    input: Tensor, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Adds columns back into images: the transpose of `unfold`. Where windows overlap their elements add up.

    Args:
        input: (N, C * kH * kW, L), or (C * kH * kW, L) for one image.
        output_size: height and width of the images.
        kernel_size: height and width of the window.
        dilation: step between the elements of a window.
        padding: how far windows reach over the edge.
        stride: step between windows.

    Returns:
        (N, C, *output_size).

    Raises:
        RuntimeError: sizes that do not fit.

    >>> import autograd, nn
    >>> nn.functional.fold(autograd.ones(1, 4, 2), (2, 3), 2)
    tensor([[[[1., 2., 1.],
              [1., 2., 1.]]]])
    """
    shape = list(check_tensor("fold", "input", input).shape)
    size = tuple_of("fold", "output_size", output_size, 2)
    kernel, *window = _window("fold", input, kernel_size, stride, padding, dilation)
    if len(shape) not in (2, 3) or 0 in shape[-2:]:
        raise RuntimeError(
            f"Expected 2D or 3D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input of fold, but got: {shape}"
        )
    if shape[-2] % prod(kernel):
        raise RuntimeError(
            f"fold: expected the columns of input {shape} to be divisible by the product of kernel_size={kernel}"
        )
    blocks = conv_output_size(size, kernel, *window)
    if shape[-1] != prod(blocks):
        raise RuntimeError(
            f"fold: output_size={size}, kernel_size={kernel}, and stride, padding and dilation {(*window,)} lead to "
            f"{blocks[0]} * {blocks[1]} = {prod(blocks)} windows, but input {list(shape)} has {shape[-1]}"
        )
    if len(shape) == 3:
        return apply(columns_to_image, (input, size, kernel, *window), {})
    return apply(columns_to_image, (input.unsqueeze(0), size, kernel, *window), {}).squeeze(0)


def _window(
    operator: str, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any
) -> tuple[tuple[int, ...], ...]:
    """Height and width of the kernel, and stride, padding and dilation, checked."""
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding, "dilation": dilation}
    values = {name: tuple_of(operator, name, value, 2) for name, value in given.items()}
    for name, pair in values.items():
        if min(pair) < (name != "padding"):
            least = "non-negative" if name == "padding" else "greater than zero"
            raise RuntimeError(f"{operator}: {name} should be {least}, but got {pair}")
    if input.dtype.numpy.kind in "iu":
        raise NotImplementedError(f'"{operator}" not implemented for {SCALAR_NAMES[input.dtype.name]!r}')
    return tuple(values.values())
