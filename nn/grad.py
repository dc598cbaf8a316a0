"""Gradients of convolutions without the convolution: nothing is recorded first. As ``torch.nn.grad``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from autograd.ops.nn.convolution import convolve_weight_gradient
from autograd.ops.nn.windows import tuple_of
from autograd.rows.dispatch import apply
from autograd.tensor import Tensor

from . import functional as F

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]

Sizes = int | Sequence[int]

_INPUT = """The gradient of the input of `conv{axes}d`.

Args:
    input_size: shape of the input, (N, C, {sizes}).
    weight: (F, C / groups, {kernel}).
    grad_output: gradient of the output.
    stride: of the convolution, as the other arguments.
    padding: zeros added on both sides.
    dilation: step between elements of a filter.
    groups: channels are split into so many groups.

Raises:
    RuntimeError: such a convolution has no output of the shape of ``grad_output``.

>>> import autograd, nn.grad
>>> nn.grad.conv{axes}d_input((1, 1{threes}), autograd.ones(1, 1{twos}), autograd.ones(1, 1{twos})).sum()
tensor({total}.)
"""
_WEIGHT = """The gradient of the weight of `conv{axes}d`.

Args:
    input: (N, C, {sizes}).
    weight_size: shape of the weight, (F, C / groups, {kernel}).
    grad_output: gradient of the output.
    stride: of the convolution, as the other arguments.
    padding: zeros added on both sides.
    dilation: step between elements of a filter.
    groups: channels are split into so many groups.

Raises:
    RuntimeError: such a convolution has no output of the shape of ``grad_output``.

>>> import autograd, nn.grad
>>> nn.grad.conv{axes}d_weight(autograd.ones(1, 1{threes}), (1, 1{twos}), autograd.ones(1, 1{twos})).sum()
tensor({total}.)
"""


def _input_over(axes: int) -> Callable[..., Tensor]:
    name, transposed = f"conv{axes}d_input", f"conv_transpose{axes}d"

    def gradient(
        input_size: Sequence[int],
        weight: Tensor,
        grad_output: Tensor,
        stride: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Tensor:
        around = stride, padding, dilation
        size = _output_size(name, axes, input_size, weight.shape, grad_output, *around, groups)
        left = tuple(rest for _, rest in size)
        return getattr(F, transposed)(grad_output, weight, None, stride, padding, left, groups, dilation)

    return _published(gradient, name, _INPUT, axes)


def _weight_over(axes: int) -> Callable[..., Tensor]:
    name = f"conv{axes}d_weight"

    def gradient(
        input: Tensor,
        weight_size: Sequence[int],
        grad_output: Tensor,
        stride: Sizes = 1,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        groups: int = 1,
    ) -> Tensor:
        around = stride, padding, dilation
        _output_size(name, axes, input.shape, weight_size, grad_output, *around, groups)
        steps = (tuple_of(name, n, v, axes) for n, v in zip(("stride", "padding", "dilation"), around, strict=True))
        return apply(convolve_weight_gradient, (grad_output, input, tuple(weight_size), *steps, groups), {})

    return _published(gradient, name, _WEIGHT, axes)


def _output_size(
    name: str,
    axes: int,
    input_size: Sequence[int],
    weight_size: Sequence[int],
    grad_output: Tensor,
    stride: Sizes,
    padding: Sizes,
    dilation: Sizes,
    groups: int,
) -> list[tuple[int, int]]:
    """Windows along each axis, and what the last of them leaves over."""
    if len(input_size) != axes + 2 or len(weight_size) != axes + 2:
        raise RuntimeError(
            f"{name}: expected an input and a weight of {axes + 2} dimensions, but got sizes {list(input_size)} and "
            f"{list(weight_size)}"
        )
    steps = tuple_of(name, "stride", stride, axes)
    if min(steps) < 1:
        raise RuntimeError(f"{name}: non-positive stride is not supported, but got {steps}")
    spans = zip(
        input_size[2:],
        weight_size[2:],
        steps,
        tuple_of(name, "padding", padding, axes),
        tuple_of(name, "dilation", dilation, axes),
        strict=True,
    )
    size = [divmod(n + 2 * p - d * (k - 1) - 1, s) for n, k, s, p, d in spans]
    size = [(windows + 1, rest) for windows, rest in size]
    expected = [input_size[0], weight_size[0], *(windows for windows, _ in size)]
    if input_size[1] != weight_size[1] * groups or list(grad_output.shape) != expected:
        raise RuntimeError(
            f"{name}: a convolution of an input of size {list(input_size)} with a weight of size {list(weight_size)} "
            f"and groups={groups} has an output of size {expected}, but grad_output has {list(grad_output.shape)}"
        )
    return size


def _published(gradient: Callable[..., Tensor], name: str, text: str, axes: int) -> Callable[..., Tensor]:
    gradient.__name__ = gradient.__qualname__ = name
    gradient.__doc__ = text.format(
        axes=axes,
        sizes=", ".join("DHW"[-axes:] if axes > 1 else "L"),
        kernel=", ".join(("kD", "kH", "kW")[-axes:]),
        threes=", 3" * axes,
        twos=", 2" * axes,
        total=4**axes,
    )
    return gradient


conv1d_input, conv2d_input, conv3d_input = (_input_over(axes) for axes in (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = (_weight_over(axes) for axes in (1, 2, 3))
