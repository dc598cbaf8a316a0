"""Borders around sequences, images and volumes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = [
    "CircularPad1d", "CircularPad2d", "CircularPad3d", "ConstantPad1d", "ConstantPad2d", "ConstantPad3d",
    "ReflectionPad1d", "ReflectionPad2d", "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d",
    "ReplicationPad3d", "ZeroPad1d", "ZeroPad2d", "ZeroPad3d",
]  # fmt: skip


class _PadNd(Module):
    """A border around the last ``axes`` dimensions, of the kind that ``mode`` says; subclasses set both.

    Args:
        padding: widths (before, after) of the last dimension, then of the one before it, and so on, or one number for
            all; negative ones crop.

    Shape:
        - Input: ``(N, C, *)`` or ``(C, *)`` with as many spatial dimensions as the layer's name says
        - Output: the same, each spatial dimension longer by its two widths
    """

    axes: int
    mode: str
    value: Any = None

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__()
        self.padding = tuple(padding) if isinstance(padding, Sequence) else (padding,) * (2 * self.axes)

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, self.mode, self.value)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ConstantPadNd(_PadNd):
    """A border of one value, around the last ``axes`` dimensions of a tensor of any shape."""

    mode = "constant"

    def __init__(self, padding: int | Sequence[int], value: float) -> None:
        super().__init__(padding)
        self.value = value

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPadNd):
    """A constant border of zeros; the layer with as many axes stands behind this class in the bases."""

    def __init__(self, padding: int | Sequence[int]) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return str(self.padding)


class _ReflectionPadNd(_PadNd):
    """A border in which the input is mirrored at its outermost elements; it is shorter than the input."""

    mode = "reflect"


class _ReplicationPadNd(_PadNd):
    """A border that repeats the outermost elements."""

    mode = "replicate"


class _CircularPadNd(_PadNd):
    """A border in which the input goes on at its other end; it is at most as long as the input."""

    mode = "circular"

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim - self.axes not in (1, 2):
            raise ValueError(f"expected {self.axes + 1}D or {self.axes + 2}D input (got {input.ndim}D input)")
        return super().forward(input)


class ConstantPad1d(_ConstantPadNd):
    """A border of the number ``value`` around sequences.

    Args:
        padding: widths (before, after), or one number for all; negative ones crop.
        value: of the border.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ConstantPad1d((2, 1), 7.0)(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[7., 7., 1., 2., 3., 7.]])
    """

    axes = 1


class ConstantPad2d(_ConstantPadNd):
    """A border of the number ``value`` around images.

    Args:
        padding: widths (left, right, top, bottom), or one number for all; negative ones crop.
        value: of the border.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ConstantPad2d((1, 0, 0, 1), 7.0)(autograd.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[7., 1., 2.],
             [7., 3., 4.],
             [7., 7., 7.]]])
    """

    axes = 2


class ConstantPad3d(_ConstantPadNd):
    """A border of the number ``value`` around volumes.

    Args:
        padding: widths (left, right, top, bottom, front, back), or one number for all; negative ones crop.
        value: of the border.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ConstantPad3d((3, 3, 1, 0, 2, 2), 7.0)(autograd.ones(1, 4, 5, 6, 7)).shape
    torch.Size([1, 4, 9, 7, 13])
    """

    axes = 3


class ZeroPad1d(_ZeroPad, ConstantPad1d):
    """A border of zeros around sequences.

    Args:
        padding: widths (before, after), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ZeroPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 0., 1., 2., 3., 0.]])
    """


class ZeroPad2d(_ZeroPad, ConstantPad2d):
    """A border of zeros around images.

    Args:
        padding: widths (left, right, top, bottom), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ZeroPad2d((1, 0, 0, 1))(autograd.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[0., 1., 2.],
             [0., 3., 4.],
             [0., 0., 0.]]])
    """


class ZeroPad3d(_ZeroPad, ConstantPad3d):
    """A border of zeros around volumes.

    Args:
        padding: widths (left, right, top, bottom, front, back), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ZeroPad3d((3, 3, 1, 0, 2, 2))(autograd.ones(1, 4, 5, 6, 7)).shape
    torch.Size([1, 4, 9, 7, 13])
    """


class ReflectionPad1d(_ReflectionPadNd):
    """A border around sequences in which they are mirrored at their outermost elements, shorter than they are.

    Args:
        padding: widths (before, after), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ReflectionPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 2., 1., 2., 3., 2.]])
    """

    axes = 1


class ReflectionPad2d(_ReflectionPadNd):
    """A border around images in which they are mirrored at their outermost elements, shorter than they are.

    Args:
        padding: widths (left, right, top, bottom), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ReflectionPad2d((1, 0, 0, 1))(autograd.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 1., 2.],
             [4., 3., 4.],
             [2., 1., 2.]]])
    """

    axes = 2


class ReflectionPad3d(_ReflectionPadNd):
    """A border around volumes in which they are mirrored at their outermost elements, shorter than they are.

    Args:
        padding: widths (left, right, top, bottom, front, back), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ReflectionPad3d((3, 3, 1, 0, 2, 2))(autograd.ones(1, 4, 5, 6, 7)).shape
    torch.Size([1, 4, 9, 7, 13])
    """

    axes = 3


class ReplicationPad1d(_ReplicationPadNd):
    """A border around sequences that repeats their outermost elements.

    Args:
        padding: widths (before, after), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ReplicationPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 1., 2., 3., 3.]])
    """

    axes = 1


class ReplicationPad2d(_ReplicationPadNd):
    """A border around images that repeats their outermost elements.

    Args:
        padding: widths (left, right, top, bottom), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ReplicationPad2d((1, 0, 0, 1))(autograd.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[1., 1., 2.],
             [3., 3., 4.],
             [3., 3., 4.]]])
    """

    axes = 2


class ReplicationPad3d(_ReplicationPadNd):
    """A border around volumes that repeats their outermost elements.

    Args:
        padding: widths (left, right, top, bottom, front, back), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.ReplicationPad3d((3, 3, 1, 0, 2, 2))(autograd.ones(1, 4, 5, 6, 7)).shape
    torch.Size([1, 4, 9, 7, 13])
    """

    axes = 3


class CircularPad1d(_CircularPadNd):
    """A border around sequences in which they go on at their other end, at most as long as they are.

    Args:
        padding: widths (before, after), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, L)`` or ``(C, L)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.CircularPad1d((2, 1))(autograd.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 3., 1., 2., 3., 1.]])
    """

    axes = 1


class CircularPad2d(_CircularPadNd):
    """A border around images in which they go on at their other end, at most as long as they are.

    Args:
        padding: widths (left, right, top, bottom), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, H, W)`` or ``(C, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.CircularPad2d((1, 0, 0, 1))(autograd.tensor([[[1.0, 2.0], [3.0, 4.0]]]))
    tensor([[[2., 1., 2.],
             [4., 3., 4.],
             [2., 1., 2.]]])
    """

    axes = 2


class CircularPad3d(_CircularPadNd):
    """A border around volumes in which they go on at their other end, at most as long as they are.

    Args:
        padding: widths (left, right, top, bottom, front, back), or one number for all; negative ones crop.

    Shape:
        - Input: ``(N, C, D, H, W)`` or ``(C, D, H, W)``
        - Output: the same with longer spatial dimensions

    >>> import autograd, nn
    >>> nn.CircularPad3d((3, 3, 1, 0, 2, 2))(autograd.ones(1, 4, 5, 6, 7)).shape
    torch.Size([1, 4, 9, 7, 13])
    """

    axes = 3
