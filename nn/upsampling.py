"""Images of another size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["Upsample", "UpsamplingBilinear2d", "UpsamplingNearest2d"]


class Upsample(Module):
    """Sequences, images or volumes of another size, as `nn.functional.interpolate` makes them.

    Args:
        size: the new size, one integer for all spatial axes or one for each.
        scale_factor: the new size by the old one, in place of ``size``.
        mode: ``"nearest"``, ``"nearest-exact"``, ``"linear"``, ``"bilinear"``, ``"bicubic"``, ``"trilinear"`` or
            ``"area"``.
        align_corners: corners are the centers of the corner pixels; else the outer edges of these.
        recompute_scale_factor: measure by the ratio of the sizes instead of by ``scale_factor``.

    Shape:
        - Input: ``(N, C, L)``, ``(N, C, H, W)`` or ``(N, C, D, H, W)``
        - Output: as many axes, the spatial ones of the new size

    >>> import autograd, nn
    >>> nn.Upsample(scale_factor=2)(autograd.tensor([[[[1., 2.]]]]))
    tensor([[[[1., 1., 2., 2.],
              [1., 1., 2., 2.]]]])
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale_factor: float | tuple[float, ...] | None = None,
        mode: str = "nearest",
        align_corners: bool | None = None,
        recompute_scale_factor: bool | None = None,
    ) -> None:
        super().__init__()
        self.name = type(self).__name__
        self.size = size
        self.scale_factor: Any = None
        if isinstance(scale_factor, tuple):
            self.scale_factor = tuple(float(factor) for factor in scale_factor)
        elif scale_factor:
            self.scale_factor = float(scale_factor)
        self.mode = mode
        self.align_corners = align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.interpolate(
            input,
            self.size,
            self.scale_factor,
            self.mode,
            self.align_corners,
            recompute_scale_factor=self.recompute_scale_factor,
        )

    def extra_repr(self) -> str:
        name = "size" if self.scale_factor is None else "scale_factor"
        return f"{name}={getattr(self, name)!r}, mode={self.mode!r}"


class UpsamplingNearest2d(Upsample):
    """Images of another size, each pixel that of the input at its place.

    Args:
        size: height and width of the result, or one number for both.
        scale_factor: the new size by the old one, in place of ``size``.

    Shape:
        - Input: ``(N, C, H, W)``
        - Output: ``(N, C, H', W')``

    >>> import autograd, nn
    >>> nn.UpsamplingNearest2d(size=(1, 4))(autograd.tensor([[[[1., 2.]]]]))
    tensor([[[[1., 1., 2., 2.]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | tuple[float, float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="nearest")


class UpsamplingBilinear2d(Upsample):
    """Images of another size, bilinear between the input's pixels, corners on corners.

    Args:
        size: height and width of the result, or one number for both.
        scale_factor: the new size by the old one, in place of ``size``.

    Shape:
        - Input: ``(N, C, H, W)``
        - Output: ``(N, C, H', W')``

    >>> import autograd, nn
    >>> nn.UpsamplingBilinear2d(size=(1, 3))(autograd.tensor([[[[1., 2.]]]]))
    tensor([[[[1.0000, 1.5000, 2.0000]]]])
    """

    def __init__(
        self, size: int | Sequence[int] | None = None, scale_factor: float | tuple[float, float] | None = None
    ) -> None:
        super().__init__(size, scale_factor, mode="bilinear", align_corners=True)
