"""Channels that become pixels, and back (Shi et al., 2016)."""

from __future__ import annotations

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Channels as pixels: an image ``r = upscale_factor`` times as high and wide from ``r²`` times as many channels.

    Args:
        upscale_factor: ``r``.

    Shape:
        - Input: ``(*, C·r², H, W)``
        - Output: ``(*, C, H·r, W·r)``

    >>> import autograd, nn
    >>> nn.PixelShuffle(3)(autograd.rand(1, 9, 4, 4)).shape
    torch.Size([1, 1, 12, 12])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Pixels as channels, the reverse of `PixelShuffle`.

    Args:
        downscale_factor: ``r``.

    Shape:
        - Input: ``(*, C, H·r, W·r)``
        - Output: ``(*, C·r², H, W)``

    >>> import autograd, nn
    >>> nn.PixelUnshuffle(3)(autograd.rand(1, 1, 12, 12)).shape
    torch.Size([1, 9, 4, 4])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"
