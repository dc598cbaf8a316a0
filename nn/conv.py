"""Convolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import autograd
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Conv2d"]

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


class Conv2d(Module):
    r"""Cross-correlation of images with learned kernels.

    .. math::
        y[n, o] = b[o] + \sum_c w[o, c] \star x[n, c]

    Args:
        in_channels: maps of the input.
        out_channels: maps of the output: the number of kernels.
        kernel_size: height and width of a kernel, or one number for both.
        stride: step between positions of the kernel.
        padding: rows and columns added on each side; ``"valid"`` is none, ``"same"`` keeps the size.
        dilation: distance between the pixels that a kernel touches.
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
            k = groups / (in_channels · kernel height · kernel width).
        bias: ``(out_channels,)``, drawn from the same distribution; None without one.

    Raises:
        ValueError: channels that ``groups`` does not divide, or an unknown padding.

    >>> import autograd, nn
    >>> nn.Conv2d(16, 33, 3, stride=2)(autograd.randn(2, 16, 50, 100)).shape
    torch.Size([2, 33, 24, 49])
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | Sequence[int],
        stride: int | Sequence[int] = 1,
        padding: int | str | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
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
        self.kernel_size = pair("kernel_size", kernel_size)
        self.stride = pair("stride", stride)
        self.dilation = pair("dilation", dilation)
        self.padding = padding if isinstance(padding, str) else pair("padding", padding)
        self.groups = groups
        self.padding_mode = padding_mode
        # As F.pad takes it: left, right, top, bottom.
        self._border = self._border_of(self.padding)
        shape = (out_channels, in_channels // groups, *self.kernel_size)
        self.weight = Parameter(autograd.empty(shape, device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(autograd.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _border_of(self, padding: str | tuple[int, int]) -> tuple[int, int, int, int]:
        if isinstance(padding, tuple):
            height, width = padding
            return width, width, height, height
        if padding not in ("same", "valid"):
            raise ValueError(f"Invalid padding string {padding!r}, should be one of 'same', 'valid'")
        if padding == "valid":
            return 0, 0, 0, 0
        if self.stride != (1, 1):
            raise ValueError("padding='same' is not supported for strided convolutions")
        height, width = (d * (k - 1) for d, k in zip(self.dilation, self.kernel_size, strict=True))
        return width // 2, width - width // 2, height // 2, height - height // 2

    def reset_parameters(self) -> None:
        """Draws new weights."""
        # a = sqrt(5) makes the bound of kaiming_uniform_ 1 / sqrt(fan_in).
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            bound = 1 / math.sqrt(fan_in) if fan_in > 0 else 0
            init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        padding: Any = self.padding
        if self.padding_mode != "zeros":
            input, padding = F.pad(input, self._border, mode=self.padding_mode), 0
        return F.conv2d(input, self.weight, self.bias, self.stride, padding, self.dilation, self.groups)

    def extra_repr(self) -> str:
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        if self.padding != (0, 0):
            text += f", padding={self.padding}"
        if self.dilation != (1, 1):
            text += f", dilation={self.dilation}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


def pair(name: str, value: int | Sequence[int]) -> tuple[int, int]:
    """One number for height and width, or a sequence of both.

    Raises:
        TypeError: neither an int nor two of them.
    """
    values = (value, value) if isinstance(value, int) else tuple(value) if isinstance(value, Sequence) else ()
    if len(values) != 2 or not all(isinstance(v, int) for v in values):
        raise TypeError(f"{name} must be an int or a pair of ints, but got {value!r}")
    return values[0], values[1]
