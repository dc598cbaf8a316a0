"""Maxima of windows at pseudo-random steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.tensor import Tensor

from .pooling import Size, _each, _Pool

__all__ = [
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
]


class _FractionalMaxPool(_Pool):
    _function = "fractional_max_pool"
    _shown = ()

    def __init__(
        self,
        kernel_size: Size,
        output_size: Size | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        name = type(self).__name__
        self.kernel_size = _each(kernel_size, self._axes)
        if self._axes == 3 and min(self.kernel_size) <= 0:
            raise ValueError(f"{name}: kernel_size must be greater than 0, but got {kernel_size}")
        if (output_size is None) == (output_ratio is None):
            raise ValueError(
                f"{name}: exactly one of output_size and output_ratio must be given, but got {output_size} and "
                f"{output_ratio}"
            )
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = None if output_size is None else _each(output_size, self._axes)
        self.output_ratio = None if output_ratio is None else _each(output_ratio, self._axes)
        if self.output_ratio is not None and not all(0 < ratio < 1 for ratio in self.output_ratio):
            raise ValueError(f"{name}: output_ratio must be between 0 and 1, but got {output_ratio}")

    def forward(self, input: Tensor) -> Any:
        return self._pool(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest value in windows at pseudo-random steps (Graham, "Fractional max-pooling", 2014).

    Args:
        kernel_size: height and width of the window, or one number for both.
        output_size: height and width of the result, or one number for both.
        output_ratio: the result's size by the input's, between 0 and 1; in place of ``output_size``.
        return_indices: give the position of each maximum in its plane, too.
        _random_samples: ``(N, C, 2)``, from 0 to 1, in place of those drawn for each call.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    Raises:
        ValueError: not exactly one of size and ratio, or a ratio that is not between 0 and 1.

    >>> import autograd, nn
    >>> nn.FractionalMaxPool2d(3, output_ratio=0.5)(autograd.rand(2, 16, 50, 32)).shape
    torch.Size([2, 16, 25, 16])
    """

    _axes = 2


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest value in windows of a volume at pseudo-random steps: `FractionalMaxPool2d` for three axes.

    Args:
        kernel_size: depth, height and width of the window, or one number for all.
        output_size: depth, height and width of the result, or one number for all.
        output_ratio: the result's size by the input's, between 0 and 1; in place of ``output_size``.
        return_indices: give the position of each maximum in its volume, too.
        _random_samples: ``(N, C, 3)``, from 0 to 1, in place of those drawn for each call.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: ``(N, C, *output_size)`` or ``(C, *output_size)``

    Raises:
        ValueError: not exactly one of size and ratio, a ratio that is not between 0 and 1, or an empty window.

    >>> import autograd, nn
    >>> nn.FractionalMaxPool3d(2, output_size=(4, 3, 2))(autograd.rand(1, 2, 9, 8, 7)).shape
    torch.Size([1, 2, 4, 3, 2])
    """

    _axes = 3
