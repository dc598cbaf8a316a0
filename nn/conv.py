"""Convolution and transposed convolution over one, two or three axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .lazy import LazyModuleMixin
from .module import Module
from .parameter import Parameter, UninitializedParameter

__all__ = [
    "Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d",
    "LazyConv1d", "LazyConv2d", "LazyConv3d", "LazyConvTranspose1d", "LazyConvTranspose2d", "LazyConvTranspose3d",
]  # fmt: skip

Sizes = int | Sequence[int]
PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class _ConvNd(Module):
    """Convolution over ``axes`` spatial axes, which a subclass sets."""

    axes: int
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, but got {groups}")
        if in_channels % groups:
            raise ValueError(f"in_channels must be divisible by groups, but got {in_channels} and {groups}")
        if out_channels % groups:
            raise ValueError(f"out_channels must be divisible by groups, but got {out_channels} and {groups}")
        if padding_mode not in PADDING_MODES:
            raise ValueError(f"padding_mode must be one of {PADDING_MODES}, but got padding_mode='{padding_mode}'")
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = sizes("kernel_size", kernel_size, self.axes)
        self.stride = sizes("stride", stride, self.axes)
        self.dilation = sizes("dilation", dilation, self.axes)
        self.padding = padding if isinstance(padding, str) else sizes("padding", padding, self.axes)
        self.output_padding = (0,) * self.axes
        self.groups = groups
        self.padding_mode = padding_mode
        self._border = self._border_of(self.padding)
        self.weight = Parameter(autograd.empty(self._weight_shape(), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _weight_shape(self) -> tuple[int, ...]:
        first, second = self.out_channels, self.in_channels
        if self.transposed:
            first, second = second, first
        return first, second // self.groups, *self.kernel_size

    def _border_of(self, padding: str | tuple[int, ...]) -> list[int]:
        """The padding as `F.pad` takes it: before and after, the last axis first."""
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
            if padding == "same" and max(self.stride) > 1:
                raise ValueError("padding='same' is not supported for strided convolutions")
            totals = [d * (k - 1) * (padding == "same") for d, k in zip(self.dilation, self.kernel_size, strict=True)]
        else:
            totals = [2 * width for width in padding]
        return [width for total in reversed(totals) for width in (total // 2, total - total // 2)]

    def reset_parameters(self) -> None:
        """Draws new weights."""
        # a = sqrt(5) makes the bound of kaiming_uniform_ 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in > 0:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        own: Any = self._parameters  # as in `Linear`
        if type(self) in PLAIN and "weight" in own and "bias" in own:
            return self._conv_forward(input, own["weight"], own["bias"])
        return self._conv_forward(input, self.weight, self.bias)

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The convolution with another weight and bias than the layer's own."""
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._border, mode=self.padding_mode), 0
        convolve = getattr(F, f"conv{self.axes}d")
        return convolve(input, weight, bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        for name, usual in (("padding", 0), ("dilation", 1), ("output_padding", 0)):
            if getattr(self, name) != (usual,) * self.axes:
                text += f", {name}={getattr(self, name)}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class Conv1d(_ConvNd):
    r"""Cross-correlation of sequences with learned kernels.

    Args: those of `Conv2d`, with one axis.

    Shape:
        - Input: ``(N, in_channels, L)`` or ``(in_channels, L)``
        - Output: ``(N, out_channels, L')`` or ``(out_channels, L')``, with ``L'`` as in `Conv2d`

    >>> import autograd, nn
    >>> nn.Conv1d(16, 33, 3, stride=2)(autograd.randn(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    axes = 1


class Conv2d(_ConvNd):
    r"""Cross-correlation of images with learned kernels.

    .. math::
        y[n, o] = b[o] + \sum_c w[o, c] \star x[n, c]

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output: the number of kernels.
        kernel_size: size of a kernel along each axis, or one number for all.
        stride: step between positions of the kernel.
        padding: what is added on each side of each axis; ``"valid"`` is nothing, ``"same"`` keeps the size.
        dilation: distance between the elements that a kernel touches.
        groups: the channels are split into this many groups, which do not see each other.
        bias: whether there is a ``b``.
        padding_mode: what is added: ``"zeros"``, ``"reflect"``, ``"replicate"`` or ``"circular"``.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: ``(N, in_channels, H, W)`` or ``(in_channels, H, W)``
        - Output: ``(N, out_channels, H', W')`` with
          ``H' = (H + 2·padding - dilation·(kernel_size - 1) - 1) // stride + 1``

    Attributes:
        weight: ``(out_channels, in_channels / groups, *kernel_size)``, drawn from U(-√k, √k) with
            k = groups / (in_channels · number of elements of a kernel).
        bias: ``(out_channels,)``, drawn from the same distribution; None without one.

    Raises:
        ValueError: channels that ``groups`` does not divide, or an unknown padding.

    >>> import autograd, nn
    >>> nn.Conv2d(16, 33, 3, stride=2)(autograd.randn(2, 16, 50, 100)).shape
    torch.Size([2, 33, 24, 49])
    """

    axes = 2


class Conv3d(_ConvNd):
    r"""Cross-correlation of volumes, or of films, with learned kernels.

    Args: those of `Conv2d`, with three axes.

    Shape:
        - Input: ``(N, in_channels, D, H, W)`` or ``(in_channels, D, H, W)``
        - Output: ``(N, out_channels, D', H', W')`` or ``(out_channels, D', H', W')``, each size as in `Conv2d`

    >>> import autograd, nn
    >>> nn.Conv3d(3, 5, (3, 5, 2), padding=(1, 2, 0))(autograd.randn(2, 3, 6, 8, 9)).shape
    torch.Size([2, 5, 6, 8, 8])
    """

    axes = 3


PLAIN = {Conv1d, Conv2d, Conv3d}


class _ConvTransposeNd(_ConvNd):
    """Transposed convolution over ``axes`` spatial axes, which a subclass sets."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        if padding_mode != "zeros":
            raise ValueError(
                f'Only "zeros" padding mode is supported for {type(self).__name__}, but got {padding_mode!r}'
            )
        around = sizes("padding", padding, self.axes)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, around, dilation, groups, bias, padding_mode, device, dtype
        )
        self.output_padding = sizes("output_padding", output_padding, self.axes)

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        """The transposed convolution.

        Args:
            input: see the class.
            output_size: the spatial size that the result is to have, or its whole shape: a stride leaves a choice.

        Raises:
            ValueError: the result cannot have that size.
        """
        added = self.output_padding if output_size is None else self._output_padding(input.shape, output_size)
        convolve = getattr(F, f"conv_transpose{self.axes}d")
        return convolve(input, self.weight, self.bias, self.stride, self.padding, added, self.groups, self.dilation)

    def _output_padding(self, shape: Sequence[int], output_size: Sequence[int]) -> tuple[int, ...]:
        """What must be added to the smallest result for it to have a wanted size."""
        axes = self.axes
        if len(output_size) not in (axes, len(shape)):
            raise ValueError(
                f"ConvTranspose{axes}D: for {len(shape)}D input, output_size must have {axes} or {len(shape)} "
                f"elements (got {len(output_size)})"
            )
        around: Any = self.padding
        least = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(shape[-axes:], self.stride, around, self.dilation, self.kernel_size, strict=True)
        ]
        added = tuple(size - low for size, low in zip(output_size[-axes:], least, strict=True))
        if any(not 0 <= a < s for a, s in zip(added, self.stride, strict=True)):
            most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
            raise ValueError(
                f"requested an output size of {list(output_size)}, but valid sizes range from {least} to {most} "
                f"(for an input of {list(shape[-axes:])})"
            )
        return added


class ConvTranspose1d(_ConvTransposeNd):
    r"""Transposed convolution of sequences: the gradient of a `Conv1d` with respect to its input.

    Args: those of `ConvTranspose2d`, with one axis.

    Shape:
        - Input: ``(N, in_channels, L)`` or ``(in_channels, L)``
        - Output: ``(N, out_channels, L')`` or ``(out_channels, L')``, with ``L'`` as in `ConvTranspose2d`

    >>> import autograd, nn
    >>> nn.ConvTranspose1d(16, 33, 3, stride=2)(autograd.randn(20, 16, 24)).shape
    torch.Size([20, 33, 49])
    """

    axes = 1


class ConvTranspose2d(_ConvTransposeNd):
    r"""Transposed convolution of images: the gradient of a `Conv2d` with respect to its input, with learned kernels.

    Each element of the input adds a multiple of the kernels to its window of the output.

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output.
        kernel_size: size of a kernel along each axis, or one number for all.
        stride: step between windows of the output.
        padding: what is taken away on each side of each axis of the output.
        output_padding: what is added at the end of each axis of the output.
        groups: the channels are split into this many groups, which do not see each other.
        bias: whether a bias is added.
        dilation: distance between the elements of a window.
        padding_mode: only ``"zeros"``.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: ``(N, in_channels, H, W)`` or ``(in_channels, H, W)``
        - Output: ``(N, out_channels, H', W')`` with
          ``H' = (H - 1)·stride - 2·padding + dilation·(kernel_size - 1) + output_padding + 1``

    Attributes:
        weight: ``(in_channels, out_channels / groups, *kernel_size)``, drawn from U(-√k, √k) with
            k = groups / (out_channels · number of elements of a kernel).
        bias: ``(out_channels,)``, drawn from the same distribution; None without one.

    Raises:
        ValueError: channels that ``groups`` does not divide, or another padding mode than zeros.

    >>> import autograd, nn
    >>> down, up = nn.Conv2d(16, 16, 3, stride=2, padding=1), nn.ConvTranspose2d(16, 16, 3, stride=2, padding=1)
    >>> x = autograd.randn(1, 16, 12, 12)
    >>> up(down(x)).shape, up(down(x), output_size=x.shape).shape
    (torch.Size([1, 16, 11, 11]), torch.Size([1, 16, 12, 12]))
    """

    axes = 2


class ConvTranspose3d(_ConvTransposeNd):
    r"""Transposed convolution of volumes: the gradient of a `Conv3d` with respect to its input.

    Args: those of `ConvTranspose2d`, with three axes.

    Shape:
        - Input: ``(N, in_channels, D, H, W)`` or ``(in_channels, D, H, W)``
        - Output: ``(N, out_channels, D', H', W')`` or ``(out_channels, D', H', W')``, each size as in `ConvTranspose2d`

    >>> import autograd, nn
    >>> nn.ConvTranspose3d(4, 2, (3, 5, 2), stride=(2, 1, 1))(autograd.randn(1, 4, 3, 4, 5)).shape
    torch.Size([1, 2, 7, 8, 6])
    """

    axes = 3


def sizes(name: str, value: Sizes, count: int) -> tuple[int, ...]:
    """One number for each axis, from one for all or a sequence.

    Raises:
        TypeError: neither an int nor so many of them.
    """
    values = (value,) * count if isinstance(value, int) else tuple(value) if isinstance(value, Sequence) else ()
    if len(values) != count or not all(isinstance(v, int) for v in values):
        raise TypeError(f"{name} must be an int or {count} of them, but got {value!r}")
    return values


# --- Layers that take `in_channels` from their first input ---------------------------------------------------------


class _LazyConv(LazyModuleMixin):
    """What lazy convolutions share; the convolution stands behind this class in the bases of a layer."""

    in_channels: int
    out_channels: int
    groups: int
    axes: int
    weight: UninitializedParameter
    bias: Any

    def _forget_sizes(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """Draws new weights, once the shapes are known."""
        if not self.has_uninitialized_params() and self.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Takes ``in_channels`` from ``input``."""
        if not self.has_uninitialized_params():
            return
        axes, shape = self.axes, input.shape
        if len(shape) not in (axes + 1, axes + 2):
            raise RuntimeError(
                f"Expected {axes + 1}D (unbatched) or {axes + 2}D (batched) input to {type(self).__name__}, but got "
                f"input of size: {list(shape)}"
            )
        channels = shape[-axes - 1]
        if channels % self.groups:
            raise ValueError(f"in_channels must be divisible by groups, but got {channels} and {self.groups}")
        self.in_channels = channels
        self.weight.materialize(self._weight_shape())
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyConvNd(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes | str = 0,
        dilation: Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._forget_sizes(out_channels, bias, device, dtype)


class _LazyConvTransposeNd(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Sizes,
        stride: Sizes = 1,
        padding: Sizes = 0,
        output_padding: Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._forget_sizes(out_channels, bias, device, dtype)


class LazyConv1d(_LazyConvNd, Conv1d):  # type: ignore[misc]
    """A `Conv1d` that takes ``in_channels`` from its first input; its other arguments are those of `Conv1d`.

    >>> import autograd, nn
    >>> nn.LazyConv1d(3, 2)(autograd.ones(1, 4, 5)).shape
    torch.Size([1, 3, 4])
    """

    cls_to_become = Conv1d


class LazyConv2d(_LazyConvNd, Conv2d):  # type: ignore[misc]
    """A `Conv2d` that takes ``in_channels`` from its first input; its other arguments are those of `Conv2d`.

    >>> import autograd, nn
    >>> layer = nn.LazyConv2d(3, 2)
    >>> layer(autograd.ones(1, 4, 5, 5)).shape
    torch.Size([1, 3, 4, 4])
    >>> layer
    Conv2d(4, 3, kernel_size=(2, 2), stride=(1, 1))
    """

    cls_to_become = Conv2d


class LazyConv3d(_LazyConvNd, Conv3d):  # type: ignore[misc]
    """A `Conv3d` that takes ``in_channels`` from its first input; its other arguments are those of `Conv3d`.

    >>> import autograd, nn
    >>> nn.LazyConv3d(3, 2)(autograd.ones(1, 4, 5, 5, 5)).shape
    torch.Size([1, 3, 4, 4, 4])
    """

    cls_to_become = Conv3d


class LazyConvTranspose1d(_LazyConvTransposeNd, ConvTranspose1d):  # type: ignore[misc]
    """A `ConvTranspose1d` that takes ``in_channels`` from its first input; its other arguments are the same.

    >>> import autograd, nn
    >>> nn.LazyConvTranspose1d(3, 2)(autograd.ones(1, 4, 5)).shape
    torch.Size([1, 3, 6])
    """

    cls_to_become = ConvTranspose1d


class LazyConvTranspose2d(_LazyConvTransposeNd, ConvTranspose2d):  # type: ignore[misc]
    """A `ConvTranspose2d` that takes ``in_channels`` from its first input; its other arguments are the same.

    >>> import autograd, nn
    >>> nn.LazyConvTranspose2d(3, 2)(autograd.ones(1, 4, 5, 5)).shape
    torch.Size([1, 3, 6, 6])
    """

    cls_to_become = ConvTranspose2d


class LazyConvTranspose3d(_LazyConvTransposeNd, ConvTranspose3d):  # type: ignore[misc]
    """A `ConvTranspose3d` that takes ``in_channels`` from its first input; its other arguments are the same.

    >>> import autograd, nn
    >>> nn.LazyConvTranspose3d(3, 2)(autograd.ones(1, 4, 5, 5, 5)).shape
    torch.Size([1, 3, 6, 6, 6])
    """

    cls_to_become = ConvTranspose3d
