"""The way back from max-pooling."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.tensor import Tensor

from .pooling import Size, _each, _Pool

__all__ = [
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]


class _MaxUnpool(_Pool):
    _function = "max_unpool"
    _shown = ("kernel_size", "stride", "padding")

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        super().__init__()
        self.kernel_size = _each(kernel_size, self._axes)
        self.stride = _each(stride if stride is not None else kernel_size, self._axes)
        self.padding = _each(padding, self._axes)

    def forward(self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        return self._pool(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool1d(_MaxUnpool):
    """The way back from `MaxPool1d`: each maximum at its place, zeros elsewhere.

    Args:
        kernel_size: that of the pooling.
        stride: that of the pooling; ``kernel_size`` by default.
        padding: that of the pooling.

    Shape:
        - Input and indices: ``(N, C, L)`` or ``(C, L)``
        - Output: of ``output_size``, the third argument of a call, or of the smallest length that the pooling brings
          to ``L``: ``(L - 1)·stride - 2·padding + kernel_size``

    >>> import autograd, nn
    >>> values, indices = nn.MaxPool1d(2, return_indices=True)(autograd.tensor([[1., 4., 3., 2.]]))
    >>> nn.MaxUnpool1d(2)(values, indices)
    tensor([[0., 4., 3., 0.]])
    """

    _axes = 1


class MaxUnpool2d(_MaxUnpool):
    """The way back from `MaxPool2d`: each maximum at its place in its plane, zeros elsewhere.

    Args:
        kernel_size: that of the pooling.
        stride: that of the pooling; ``kernel_size`` by default.
        padding: that of the pooling.

    Shape:
        - Input and indices: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: of ``output_size``, the third argument of a call, or of the smallest size that the pooling brings to
          ``(H, W)``

    >>> import autograd, nn
    >>> values, indices = nn.MaxPool2d(2, return_indices=True)(autograd.arange(4.0).reshape(1, 2, 2))
    >>> nn.MaxUnpool2d(2)(values, indices, output_size=(2, 3))
    tensor([[[0., 0., 0.],
             [3., 0., 0.]]])
    """

    _axes = 2


class MaxUnpool3d(_MaxUnpool):
    """The way back from `MaxPool3d`: each maximum at its place in its volume, zeros elsewhere.

    Args:
        kernel_size: that of the pooling.
        stride: that of the pooling; ``kernel_size`` by default.
        padding: that of the pooling.

    Shape:
        - Input and indices: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: of ``output_size``, the third argument of a call, or of the smallest size that the pooling brings to
          ``(D, H, W)``

    >>> import autograd, nn
    >>> values, indices = nn.MaxPool3d(2, return_indices=True)(autograd.rand(1, 1, 4, 4, 4))
    >>> nn.MaxUnpool3d(2)(values, indices).shape
    torch.Size([1, 1, 4, 4, 4])
    """

    _axes = 3
