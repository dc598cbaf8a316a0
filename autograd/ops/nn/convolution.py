"""Convolution over one, two or three axes, and transposed convolution. Their gradients are convolutions again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from ... import kernels
from ...dtypes import SCALAR_NAMES
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.readings import F32, F64
from ...rows.table import Array, _, coarse
from ...tensor import Tensor
from ..convert import check_tensor
from ..shape import pad_constant
from .windows import tuple_of

__all__ = [
    "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d",
    "convolution", "convolve", "convolve_transpose", "convolve_weight_gradient",
]  # fmt: skip


@coarse(latex=r"b_f + \sum_{c, k} w_{fck} \, x_{c, i s + k d - p}", home="", node_name="Convolution")
def convolve(x: Array, weight: Array, bias: Array, stride, padding, dilation, groups):
    return kernels.conv.conv_forward(x, weight, bias, stride, padding, dilation, groups)


@convolve.gradient("x")
def _(g, weight, x_shape, stride, padding, dilation, groups):
    return convolve_transpose(g, weight, None, tuple(x_shape[2:]), stride, padding, dilation, groups)


@convolve.gradient("weight")
def _(g, x, weight_shape, stride, padding, dilation, groups):
    return convolve_weight_gradient(g, x, weight_shape, stride, padding, dilation, groups)


@convolve.gradient("bias")
def _(g):
    return _sum_of_maps(g)


@coarse(latex=r"b_c + \sum_{f, i s + k d - p = j} w_{fck} \, x_{fi}", home="", node_name="Convolution")
def convolve_transpose(x: Array, weight: Array, bias: Array, size, stride, padding, dilation, groups):
    """The transposed convolution, which is the gradient of a convolution's input; ``size`` is its spatial size."""
    shape = (x.shape[0], weight.shape[1] * groups, *size)
    out = kernels.conv.conv_input_gradient(x, weight, shape, stride, padding, dilation, groups)
    if bias is not None:
        out += bias.reshape(-1, *[1] * len(size))
    return out


@convolve_transpose.gradient("x")
def _(g, weight, stride, padding, dilation, groups):
    return convolve(g, weight, None, stride, padding, dilation, groups)


@convolve_transpose.gradient("weight")
def _(g, x, weight_shape, stride, padding, dilation, groups):
    return convolve_weight_gradient(x, g, weight_shape, stride, padding, dilation, groups)


@convolve_transpose.gradient("bias")
def _(g):
    return _sum_of_maps(g)


@coarse(latex=r"\partial L / \partial w \text{ of a convolution}", home="", node_name="ConvolutionWeight")
def convolve_weight_gradient(x: Array, y: Array, shape, stride, padding, dilation, groups):
    """The gradient of a convolution's weight, from the output's gradient ``x`` and the input ``y``."""
    return kernels.conv.conv_weight_gradient(x, y, shape, stride, padding, dilation, groups)


@convolve_weight_gradient.gradient("x")
def _(g, y, stride, padding, dilation, groups):
    return convolve(y, g, None, stride, padding, dilation, groups)


@convolve_weight_gradient.gradient("y")
def _(g, x, y_shape, stride, padding, dilation, groups):
    return convolve_transpose(x, g, None, tuple(y_shape[2:]), stride, padding, dilation, groups)


def _sum_of_maps(g: Array) -> Array:
    return _.sum(g, (0, *range(2, g.ndim)))


# --- What users call -----------------------------------------------------------------------------------------------

_CONVOLUTION = """Cross-correlation of ``input`` with the filters ``weight`` over {axes} spatial ax{es}.

Args:
    input: (N, C, {sizes}), or (C, {sizes}) without a batch.
    weight: (F, C / groups, {kernel}).
    bias: (F,), or None.
    stride: step between windows, for all axes or one for each.
    padding: zeros added on each side, or ``"same"`` (the output has the input's size) or ``"valid"`` (none).
    dilation: step between the elements of a window.
    groups: input and output channels are connected within groups only.

Returns:
    (N, F, {outputs}) with ``out = (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1``.

Raises:
    RuntimeError: channels, groups or sizes that do not fit (both shapes named).

>>> import autograd
>>> autograd.conv{axes}d(autograd.ones(1, 2, {fives}), autograd.ones(3, 2, {twos}), padding="same").shape
torch.Size([1, 3, {fives}])
"""

_TRANSPOSED = """Transposed convolution over {axes} spatial ax{es}: the gradient of `conv{axes}d` by its input.

Each element of ``input`` adds a multiple of the filters to its window of the output.

Args:
    input: (N, F, {sizes}), or (F, {sizes}) without a batch.
    weight: (F, C / groups, {kernel}).
    bias: (C,), or None.
    stride: step between windows of the output, for all axes or one for each.
    padding: elements taken away on each side of the output.
    output_padding: elements added at the end of each axis; several sizes have a convolution of the same size.
    groups: input and output channels are connected within groups only.
    dilation: step between the elements of a window.

Returns:
    (N, C, {outputs}) with ``out = (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1``.

Raises:
    RuntimeError: channels, groups or sizes that do not fit (both shapes named).

>>> import autograd
>>> autograd.conv_transpose{axes}d(autograd.ones(1, 2, {twos}), autograd.ones(2, 3, {twos}), stride=3).shape
torch.Size([1, 3, {fives}])
"""


def _published(name: str, text: str, axes: int, written: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``written`` as a public function with its documentation for so many axes."""
    several = {"sizes": "D H W", "kernel": "kD kH kW", "outputs": "D' H' W'", "fives": "5 5 5", "twos": "2 2 2"}
    written.__name__ = written.__qualname__ = name
    written.__doc__ = text.format(
        axes=axes, es="is" if axes == 1 else "es", **{k: ", ".join(v.split()[-axes:]) for k, v in several.items()}
    )
    return function(functional=True, method=False)(written)


def _over(axes: int) -> Callable[..., Tensor]:
    def convolution(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
    ) -> Tensor:
        if isinstance(padding, str):
            input, padding = _named_padding(name, axes, input, weight, stride, padding, dilation)
        return _convolution(name, axes, input, weight, bias, stride, padding, dilation, False, 0, groups)

    name = f"conv{axes}d"
    return _published(name, _CONVOLUTION, axes, convolution)


def _transposed_over(axes: int) -> Callable[..., Tensor]:
    def convolution(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        dilation: Any = 1,
    ) -> Tensor:
        return _convolution(name, axes, input, weight, bias, stride, padding, dilation, True, output_padding, groups)

    name = f"conv_transpose{axes}d"
    return _published(name, _TRANSPOSED, axes, convolution)


conv1d, conv2d, conv3d = map(_over, (1, 2, 3))
conv_transpose1d, conv_transpose2d, conv_transpose3d = map(_transposed_over, (1, 2, 3))


@function(method=False)
def convolution(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    transposed: bool,
    output_padding: Sequence[int],
    groups: int,
) -> Tensor:
    """`conv1d` to `conv3d`, or where ``transposed``, `conv_transpose1d` to `conv_transpose3d`: as many axes as
    ``weight`` has behind its first two. There must be a batch, and all arguments are given.

    Raises:
        RuntimeError: channels, groups or sizes that do not fit (both shapes named).

    >>> import autograd
    >>> autograd.convolution(autograd.ones(1, 2, 5), autograd.ones(3, 2, 2), None, [1], [0], [1], False, [0], 1).shape
    torch.Size([1, 3, 4])
    """
    x, w = check_tensor("convolution", "input", input), check_tensor("convolution", "weight", weight)
    if w.ndim not in (3, 4, 5):
        raise RuntimeError(f"convolution: weight should have 3, 4 or 5 dimensions, but got {list(w.shape)}")
    if x.ndim != w.ndim:
        raise RuntimeError(
            f"Expected {w.ndim}-dimensional input for {w.ndim}-dimensional weight {list(w.shape)}, but got "
            f"{x.ndim}-dimensional input of size {list(x.shape)} instead"
        )
    sizes = {"stride": stride, "padding": padding, "dilation": dilation, "output_padding": output_padding}
    for name, value in sizes.items():
        if not isinstance(value, (tuple, list)):
            raise TypeError(f"convolution(): argument '{name}' must be tuple of ints, not {type(value).__name__}")
    return _convolution(
        "convolution", w.ndim - 2, x, w, bias, stride, padding, dilation, transposed, output_padding, groups
    )


@function(functional=True, method=False)
def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """`conv1d` of a sequence that lies time first.

    Args:
        input: (T, N, C).
        weight: (kernel, C, F).
        bias: (F,).
        pad: zeros added at both ends.

    Returns:
        (T + 2 * pad - kernel + 1, N, F).

    Raises:
        RuntimeError: dimensions or channels that do not fit.

    >>> import autograd
    >>> autograd.conv_tbc(autograd.ones(5, 2, 3), autograd.ones(3, 3, 4), autograd.zeros(4)).shape
    torch.Size([3, 2, 4])
    """
    for name, value, ndim in (("input", input, 3), ("weight", weight, 3), ("bias", bias, 1)):
        if check_tensor("conv_tbc", name, value).ndim != ndim:
            raise RuntimeError(f"conv_tbc: {name} must have {ndim} dimension(s), but got {list(value.shape)}")
    if (
        weight.shape[0] == input.shape[0] + 2 * pad + 1
    ):  # one step too short: there is no window, which is no error here
        longer = apply(pad_constant, (input, (0, 0, 0, 0, 0, 1), 0), {})
        return conv_tbc(longer, weight, bias, pad)[:0]
    return conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad).permute(2, 0, 1)


def _named_padding(
    operator: str, axes: int, input: Tensor, weight: Tensor, stride: Any, padding: str, dilation: Any
) -> tuple[Tensor, Any]:
    """What ``"same"`` and ``"valid"`` stand for: the input, with another zero at the end of axes that need an odd
    number of them, and the zeros to add on both sides."""
    if padding not in ("same", "valid"):
        raise RuntimeError(f"{operator}: Invalid padding string {padding!r}, expected 'same' or 'valid'")
    if padding == "valid":
        return input, 0
    if max(tuple_of(operator, "stride", stride, axes)) > 1:
        raise RuntimeError(f"{operator}: padding='same' is not supported for strided convolutions")
    kernel = check_tensor(operator, "weight", weight).shape[2:]
    totals = [d * (k - 1) for d, k in zip(tuple_of(operator, "dilation", dilation, len(kernel)), kernel, strict=True)]
    extra = [width for total in reversed(totals) for width in (0, total % 2)]
    padded = apply(pad_constant, (input, tuple(extra), 0), {}) if any(extra) else input
    return padded, [total // 2 for total in totals]


COMMON = (F32, F64)


def _convolution(
    operator: str,
    axes: int,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
) -> Tensor:
    """Any of the convolutions, its arguments checked."""
    x, w = check_tensor(operator, "input", input)._array, check_tensor(operator, "weight", weight)._array
    if bias is not None:
        check_tensor(operator, "bias", bias)
    if not isinstance(groups, (int, np.integer)) or isinstance(groups, bool):
        raise TypeError(f"{operator}(): argument 'groups' must be int, not {type(groups).__name__}")
    if x.ndim not in (axes + 1, axes + 2) or w.ndim != axes + 2:
        raise RuntimeError(
            f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {operator} and a {axes + 2}D weight, "
            f"but got input of size: {list(x.shape)} and weight of size {list(w.shape)}"
        )
    if not (x.dtype is w.dtype and x.dtype in COMMON and (bias is None or bias._array.dtype is x.dtype)):
        _check_dtypes(operator, input, weight, bias, transposed)
    stride = _sizes(operator, "stride", stride, axes, 1)
    padding = _sizes(operator, "padding", padding, axes, 0)
    dilation = _sizes(operator, "dilation", dilation, axes, 1)
    batched = input if x.ndim == axes + 2 else input.unsqueeze(0)
    shape = batched._array.shape
    _check_channels(operator, shape, w.shape, None if bias is None else bias._array.shape, groups, transposed)
    if transposed:
        added = _sizes(operator, "output_padding", output_padding, axes, 0)
        size = _transposed_size(operator, x.shape[-axes:], w.shape[2:], stride, padding, dilation, added)
        more = [a // s for a, s in zip(added, stride, strict=True)]
        if any(more):
            # A convolution of that size gives more elements than the input has: they are zeros.
            batched = apply(pad_constant, (batched, tuple(width for n in reversed(more) for width in (0, n)), 0), {})
        out = apply(convolve_transpose, (batched, weight, bias, size, stride, padding, dilation, groups), {})
    else:
        out = apply(convolve, (batched, weight, bias, stride, padding, dilation, groups), {})
        if not shape[1]:
            out = out[:, :0]  # as in PyTorch, from no channels come none
    return out if x.ndim == axes + 2 else out.squeeze(0)


def _sizes(operator: str, name: str, value: Any, axes: int, lowest: int) -> tuple[int, ...]:
    values = tuple_of(operator, name, value, axes)
    if min(values) < lowest:
        raise RuntimeError(
            f"{operator}: {'non-positive' if lowest else 'negative'} {name} is not supported, but got {values}"
        )
    return values


def _check_dtypes(operator: str, input: Tensor, weight: Tensor, bias: Tensor | None, transposed: bool) -> None:
    for name, other in (("weight", weight), ("bias", bias)):
        if other is not None and other.dtype != input.dtype:
            raise RuntimeError(f"{operator}: input type {input.dtype} and {name} type {other.dtype} should be the same")
    # Of transposed convolutions PyTorch has none for small integers.
    kind = input._array.dtype.kind
    if kind == "b" or (transposed and kind in "iu" and input._array.dtype.itemsize < 8):
        raise NotImplementedError(f'"{operator}" not implemented for {SCALAR_NAMES[input.dtype.name]!r}')


def _check_channels(
    operator: str,
    shape: Sequence[int],
    weight: Sequence[int],
    bias: Sequence[int] | None,
    groups: int,
    transposed: bool,
) -> None:
    if groups < 1:
        raise RuntimeError(f"{operator}: non-positive groups is not supported, but got {groups}")
    if weight[0] < groups or weight[0] % groups:
        raise RuntimeError(
            f"Given groups={groups}, expected weight of {operator} to be at least {groups} at dimension 0 and "
            f"divisible by it, but got weight of size {list(weight)}"
        )
    expected, filters = (weight[0], weight[1] * groups) if transposed else (weight[1] * groups, weight[0])
    if shape[1] != expected:
        raise RuntimeError(
            f"{operator}: input has {shape[1]} channels, but weight {tuple(weight)} with groups={groups} expects "
            f"{expected}."
        )
    if bias is not None and tuple(bias) != (filters,):
        raise RuntimeError(
            f"Given weight of size {list(weight)}, expected bias to be 1-dimensional with {filters} elements, but got "
            f"bias of size {list(bias)} instead"
        )
    if shape[0] and shape[1] and not prod(shape[2:]):
        raise RuntimeError(f"{operator}: only a batch or channels may be empty, but got input of size {list(shape)}")


def _transposed_size(
    operator: str,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    added: Sequence[int],
) -> tuple[int, ...]:
    """Spatial size of a transposed convolution's output."""
    if any(a >= max(s, d) for a, s, d in zip(added, stride, dilation, strict=True)):
        raise RuntimeError(
            f"{operator}: output padding must be smaller than either stride or dilation, but got output_padding "
            f"{tuple(added)}, stride {tuple(stride)} and dilation {tuple(dilation)}"
        )
    if min(kernel) < 1:
        raise RuntimeError(f"{operator}: kernel size should be greater than zero, but got {tuple(kernel)}")
    out = tuple(
        (n - 1) * s - 2 * p + d * (k - 1) + a + 1
        for n, k, s, p, d, a in zip(size, kernel, stride, padding, dilation, added, strict=True)
    )
    if min(out) < 1:
        raise RuntimeError(
            f"{operator}: given input size per channel {tuple(size)}, calculated output size per channel {out}: "
            f"it is too small"
        )
    return out
