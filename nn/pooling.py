"""Pooling: one value for each window of an image."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["AvgPool2d", "MaxPool2d"]

Size = int | Sequence[int]


class MaxPool2d(Module):
    r"""The largest value in each window.

    .. math::
        y[n, c, i, j] = \max_{u, v} x[n, c, i \cdot s + u, j \cdot s + v]

    Args:
        kernel_size: height and width of the window, or one number for both.
        stride: step between windows; ``kernel_size`` by default.
        padding: rows and columns of -inf added on each side.
        dilation: distance between the pixels of a window.
        return_indices: give the position of each maximum in its plane, too.
        ceil_mode: keep windows that reach over the edge.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C, H', W')`` or ``(C, H', W')`` with
          ``H' = (H + 2·padding - dilation·(kernel_size - 1) - 1) // stride + 1``

    >>> import autograd, nn
    >>> nn.MaxPool2d(2)(autograd.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        dilation: Size = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return F.max_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class AvgPool2d(Module):
    r"""The mean of each window.

    .. math::
        y[n, c, i, j] = \frac{1}{k^2} \sum_{u, v} x[n, c, i \cdot s + u, j \cdot s + v]

    Args:
        kernel_size: height and width of the window, or one number for both.
        stride: step between windows; ``kernel_size`` by default.
        padding: rows and columns of zeros added on each side.
        ceil_mode: keep windows that reach over the edge.
        count_include_pad: count the added zeros in the mean.
        divisor_override: divide by this instead of the number of elements.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C, H', W')`` or ``(C, H', W')`` with ``H' = (H + 2·padding - kernel_size) // stride + 1``

    >>> import autograd, nn
    >>> nn.AvgPool2d(2)(autograd.arange(16.0).reshape(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"
