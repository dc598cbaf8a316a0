"""Pooling to a given size, whatever the input's."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from .pooling import _Pool

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
]


class _AdaptiveMaxPool(_Pool):
    _function = "adaptive_max_pool"
    _shown = ("output_size",)

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def forward(self, input: Tensor) -> Any:
        return self._pool(input, self.output_size, self.return_indices)


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """The largest value in each of ``output_size`` regions that cover a sequence evenly.

    Args:
        output_size: length of the result.
        return_indices: give the position of each maximum, too.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: ``(N, C, output_size)`` or ``(C, output_size)``

    >>> import autograd, nn
    >>> nn.AdaptiveMaxPool1d(2)(autograd.tensor([[1., 5., 2., 4., 3.]]))
    tensor([[5., 4.]])
    """

    _axes = 1


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """The largest value in each of ``output_size`` regions that cover an image evenly.

    Args:
        output_size: height and width of the result, or one number for both; None keeps the input's.
        return_indices: give the position of each maximum in its plane, too.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    >>> import autograd, nn
    >>> nn.AdaptiveMaxPool2d((None, 2))(autograd.rand(1, 64, 10, 9)).shape
    torch.Size([1, 64, 10, 2])
    """

    _axes = 2


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """The largest value in each of ``output_size`` regions that cover a volume evenly.

    Args:
        output_size: depth, height and width of the result, or one number for all; None keeps the input's.
        return_indices: give the position of each maximum in its volume, too.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    >>> import autograd, nn
    >>> nn.AdaptiveMaxPool3d(3)(autograd.rand(1, 4, 10, 9, 8)).shape
    torch.Size([1, 4, 3, 3, 3])
    """

    _axes = 3


class _AdaptiveAvgPool(_Pool):
    _function = "adaptive_avg_pool"
    _shown = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, input: Tensor) -> Tensor:
        return self._pool(input, self.output_size)


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` regions that cover a sequence evenly.

    Args:
        output_size: length of the result.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: ``(N, C, output_size)`` or ``(C, output_size)``

    >>> import autograd, nn
    >>> nn.AdaptiveAvgPool1d(2)(autograd.tensor([[1., 2., 3., 4.]]))
    tensor([[1.5000, 3.5000]])
    """

    _axes = 1


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` regions that cover an image evenly; with 1, of the whole image.

    Args:
        output_size: height and width of the result, or one number for both; None keeps the input's.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    >>> import autograd, nn
    >>> nn.AdaptiveAvgPool2d((None, 7))(autograd.rand(1, 64, 10, 9)).shape
    torch.Size([1, 64, 10, 7])
    """

    _axes = 2


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """The mean of each of ``output_size`` regions that cover a volume evenly.

    Args:
        output_size: depth, height and width of the result, or one number for all; None keeps the input's.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    >>> import autograd, nn
    >>> nn.AdaptiveAvgPool3d((5, 7, 9))(autograd.rand(1, 4, 8, 9, 10)).shape
    torch.Size([1, 4, 5, 7, 9])
    """

    _axes = 3
