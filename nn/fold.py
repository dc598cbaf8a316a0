"""The windows of images as columns, and back."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["Fold", "Unfold"]

Size = int | Sequence[int]


class Fold(Module):
    """Adds columns back into images, where overlapping windows add up: the transpose of `Unfold`.

    Args:
        output_size: height and width of the images, or one number for both.
        kernel_size: height and width of the window.
        dilation: distance between the elements of a window.
        padding: how far windows reach over the edge.
        stride: step between windows.

    Shape:
        - Input: ``(N, C · kernel height · kernel width, L)`` or without ``N``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    >>> import autograd, nn
    >>> nn.Fold((4, 5), (2, 2))(autograd.ones(1, 12, 12)).shape
    torch.Size([1, 3, 4, 5])
    """

    def __init__(
        self, output_size: Size, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return (
            f"output_size={self.output_size}, kernel_size={self.kernel_size}, dilation={self.dilation}, "
            f"padding={self.padding}, stride={self.stride}"
        )


class Unfold(Module):
    """The windows of images, each as a column.

    Args:
        kernel_size: height and width of the window, or one number for both.
        dilation: distance between the elements of a window.
        padding: zeros added on each side.
        stride: step between windows.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C · kernel height · kernel width, L)`` with L windows, or without ``N``

    >>> import autograd, nn
    >>> nn.Unfold((2, 3))(autograd.ones(2, 5, 3, 4)).shape
    torch.Size([2, 30, 4])
    """

    def __init__(self, kernel_size: Size, dilation: Size = 1, padding: Size = 0, stride: Size = 1) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.dilation = dilation
        self.padding = padding
        self.stride = stride

    def forward(self, input: Tensor) -> Tensor:
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, dilation={self.dilation}, padding={self.padding}, stride={self.stride}"
