"""Pooling: one value for each window of an image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
]

Size = int | Sequence[int]


def _each(value: Any, axes: int) -> tuple[Any, ...]:
    """One value for each spatial axis."""
    return tuple(value) if isinstance(value, Sequence) else (value,) * axes


class _Pool(Module):
    """Pooling by the function of ``nn.functional`` that a subclass names."""

    _function: str
    _axes: int
    _shown: tuple[str, ...]

    @property
    def _pool(self) -> Callable[..., Any]:
        return getattr(F, f"{self._function}{self._axes}d")

    def extra_repr(self) -> str:
        return ", ".join(f"{name}={getattr(self, name)}" for name in self._shown)


class _MaxPool(_Pool):
    _function = "max_pool"
    _shown = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")

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

    def forward(self, input: Tensor) -> Any:
        return self._pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class MaxPool1d(_MaxPool):
    r"""The largest value in each window of a sequence.

    .. math::
        y[n, c, i] = \max_u x[n, c, i \cdot s + u]

    Args:
        kernel_size: length of the window.
        stride: step between windows; ``kernel_size`` by default.
        padding: -inf added on each side, at most half the window.
        dilation: distance between the elements of a window.
        return_indices: give the position of each maximum, too.
        ceil_mode: keep windows that reach over the edge.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: ``(N, C, L')`` or ``(C, L')`` with
          ``L' = (L + 2·padding - dilation·(kernel_size - 1) - 1) // stride + 1``

    >>> import autograd, nn
    >>> nn.MaxPool1d(3, stride=2)(autograd.tensor([[1., 5., 2., 4., 3.]]))
    tensor([[5., 4.]])
    """

    _axes = 1


class MaxPool2d(_MaxPool):
    r"""The largest value in each window of an image.

    .. math::
        y[n, c, i, j] = \max_{u, v} x[n, c, i \cdot s + u, j \cdot s + v]

    Args:
        kernel_size: height and width of the window, or one number for both.
        stride: step between windows; ``kernel_size`` by default.
        padding: rows and columns of -inf added on each side, at most half the window.
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

    _axes = 2


class MaxPool3d(_MaxPool):
    r"""The largest value in each window of a volume.

    Args:
        kernel_size: depth, height and width of the window, or one number for all.
        stride: step between windows; ``kernel_size`` by default.
        padding: planes, rows and columns of -inf added on each side, at most half the window.
        dilation: distance between the voxels of a window.
        return_indices: give the position of each maximum in its volume, too.
        ceil_mode: keep windows that reach over the edge.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: ``(N, C, D', H', W')`` or ``(C, D', H', W')``, each size as that of `MaxPool2d`

    >>> import autograd, nn
    >>> nn.MaxPool3d(2)(autograd.arange(16.0).reshape(1, 2, 2, 4))
    tensor([[[[13., 15.]]]])
    """

    _axes = 3


class _AvgPool(_Pool):
    _function = "avg_pool"
    _shown = ("kernel_size", "stride", "padding")

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
        return self._pool(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool1d(_Pool):
    r"""The mean of each window of a sequence.

    .. math::
        y[n, c, i] = \frac{1}{k} \sum_u x[n, c, i \cdot s + u]

    Args:
        kernel_size: length of the window.
        stride: step between windows; ``kernel_size`` by default.
        padding: zeros added on each side, at most half the window.
        ceil_mode: keep windows that reach over the edge.
        count_include_pad: count the added zeros in the mean.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: ``(N, C, L')`` or ``(C, L')`` with ``L' = (L + 2·padding - kernel_size) // stride + 1``

    >>> import autograd, nn
    >>> nn.AvgPool1d(3, stride=2)(autograd.tensor([[1., 2., 3., 4., 5., 6., 7.]]))
    tensor([[2., 4., 6.]])
    """

    _function = "avg_pool"
    _axes = 1
    _shown = ("kernel_size", "stride", "padding")

    def __init__(
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _each(kernel_size, 1)
        self.stride = _each(stride if stride is not None else kernel_size, 1)
        self.padding = _each(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return self._pool(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPool):
    r"""The mean of each window of an image.

    .. math::
        y[n, c, i, j] = \frac{1}{k^2} \sum_{u, v} x[n, c, i \cdot s + u, j \cdot s + v]

    Args:
        kernel_size: height and width of the window, or one number for both.
        stride: step between windows; ``kernel_size`` by default.
        padding: rows and columns of zeros added on each side, at most half the window.
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

    _axes = 2


class AvgPool3d(_AvgPool):
    """The mean of each window of a volume.

    Args:
        kernel_size: depth, height and width of the window, or one number for all.
        stride: step between windows; ``kernel_size`` by default.
        padding: planes, rows and columns of zeros added on each side, at most half the window.
        ceil_mode: keep windows that reach over the edge.
        count_include_pad: count the added zeros in the mean.
        divisor_override: divide by this instead of the number of elements.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: ``(N, C, D', H', W')`` or ``(C, D', H', W')``, each size as that of `AvgPool2d`

    >>> import autograd, nn
    >>> nn.AvgPool3d(2)(autograd.arange(16.0).reshape(1, 2, 2, 4))
    tensor([[[[6.5000, 8.5000]]]])
    """

    _axes = 3


class _LPPool(_Pool):
    _function = "lp_pool"
    _shown = ("norm_type", "kernel_size", "stride", "ceil_mode")

    def __init__(
        self, norm_type: float, kernel_size: Size, stride: Size | None = None, ceil_mode: bool = False
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def forward(self, input: Tensor) -> Tensor:
        return self._pool(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool1d(_LPPool):
    r"""The p-norm of each window of a sequence.

    .. math::
        y = \Big( \sum_{x \in X} x^p \Big)^{1/p}

    Args:
        norm_type: ``p``; with infinity the largest absolute value.
        kernel_size: length of the window.
        stride: step between windows; ``kernel_size`` by default.
        ceil_mode: keep windows that reach over the edge.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: ``(N, C, L')`` or ``(C, L')`` with ``L' = (L - kernel_size) // stride + 1``

    >>> import autograd, nn
    >>> nn.LPPool1d(2, 2)(autograd.tensor([[3., 4., 6., 8.]]))
    tensor([[ 5., 10.]])
    """

    _axes = 1


class LPPool2d(_LPPool):
    r"""The p-norm of each window of an image.

    .. math::
        y = \Big( \sum_{x \in X} x^p \Big)^{1/p}

    Args:
        norm_type: ``p``; with infinity the largest absolute value.
        kernel_size: height and width of the window, or one number for both.
        stride: step between windows; ``kernel_size`` by default.
        ceil_mode: keep windows that reach over the edge.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: ``(N, C, H', W')`` or ``(C, H', W')`` with ``H' = (H - kernel_size) // stride + 1``

    >>> import autograd, nn
    >>> nn.LPPool2d(1, (2, 1))(autograd.tensor([[[1., 2.], [3., 4.]]]))
    tensor([[[4., 6.]]])
    """

    _axes = 2


class LPPool3d(_LPPool):
    r"""The p-norm of each window of a volume.

    .. math::
        y = \Big( \sum_{x \in X} x^p \Big)^{1/p}

    Args:
        norm_type: ``p``; with infinity the largest absolute value.
        kernel_size: depth, height and width of the window, or one number for all.
        stride: step between windows; ``kernel_size`` by default.
        ceil_mode: keep windows that reach over the edge.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: ``(N, C, D', H', W')`` or ``(C, D', H', W')`` with ``D' = (D - kernel_size) // stride + 1``

    >>> import autograd, nn
    >>> nn.LPPool3d(2, 2)(autograd.ones(1, 2, 2, 2))
    tensor([[[[2.8284]]]])
    """

    _axes = 3
