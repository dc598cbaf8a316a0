"""Channels that become pixels and back, and channels that change places."""

from __future__ import annotations

from ...rows.public import function
from ...tensor import Tensor
from ..convert import check_tensor

__all__ = ["channel_shuffle", "native_channel_shuffle", "pixel_shuffle", "pixel_unshuffle"]


@function(functional=True, method=False)
def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Channels as pixels: (*, C r², H, W) becomes (*, C, H r, W r) for ``r = upscale_factor``.

    Raises:
        RuntimeError: fewer than 3 dimensions, or channels that ``r²`` does not divide.

    >>> import autograd
    >>> autograd.pixel_shuffle(autograd.arange(4).reshape(4, 1, 1), 2)
    tensor([[[0, 1],
             [2, 3]]])
    """
    r = _factor("pixel_shuffle", "upscale_factor", input, upscale_factor)
    *batch, channels, height, width = input.shape
    if channels % (r * r):
        raise RuntimeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={channels} is not divisible by {r * r}"
        )
    split = input.reshape(*batch, channels // (r * r), r, r, height, width)
    n = len(batch)
    order = (*range(n + 1), n + 3, n + 1, n + 4, n + 2)
    return split.permute(order).reshape(*batch, channels // (r * r), height * r, width * r)


@function(functional=True, method=False)
def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Pixels as channels, the reverse of `pixel_shuffle`: (*, C, H r, W r) becomes (*, C r², H, W).

    Raises:
        RuntimeError: fewer than 3 dimensions, or a height or width that ``r`` does not divide.

    >>> import autograd
    >>> autograd.pixel_unshuffle(autograd.arange(4).reshape(1, 2, 2), 2).flatten()
    tensor([0, 1, 2, 3])
    """
    r = _factor("pixel_unshuffle", "downscale_factor", input, downscale_factor)
    *batch, channels, height, width = input.shape
    if height % r or width % r:
        raise RuntimeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but {height} x {width} is "
            f"not divisible by {r}"
        )
    split = input.reshape(*batch, channels, height // r, r, width // r, r)
    n = len(batch)
    order = (*range(n + 1), n + 2, n + 4, n + 1, n + 3)
    return split.permute(order).reshape(*batch, channels * r * r, height // r, width // r)


def _factor(operator: str, name: str, input: Tensor, factor: int) -> int:
    if check_tensor(operator, "input", input)._array.ndim < 3:
        raise RuntimeError(
            f"{operator} expects input to have at least 3 dimensions, but got input with {input.ndim} dimension(s)"
        )
    if isinstance(factor, bool) or not isinstance(factor, int):
        raise TypeError(f"{operator}(): argument '{name}' must be int, not {type(factor).__name__}")
    if factor < 1:
        raise RuntimeError(f"{operator} expects a positive {name}, but got {factor}")
    return factor


@function(functional=True, method=False)
def channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """The channels of ``input`` (N, C, *), which are ``groups`` groups, taken from each group in turn.

    Raises:
        RuntimeError: fewer than 3 dimensions, or channels that ``groups`` does not divide.

    >>> import autograd
    >>> autograd.channel_shuffle(autograd.arange(6).reshape(1, 6, 1), 2).flatten()
    tensor([0, 3, 1, 4, 2, 5])
    """
    if check_tensor("channel_shuffle", "input", input)._array.ndim < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups < 1:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    batch, channels, *size = input.shape
    if channels % groups:
        raise RuntimeError(
            f"Number of channels must be divisible by groups. Got {channels} channels and {groups} groups."
        )
    return input.reshape(batch, groups, channels // groups, *size).transpose(1, 2).reshape(input.shape)


@function(functional=True, method=False)
def native_channel_shuffle(input: Tensor, groups: int) -> Tensor:
    """`channel_shuffle` by PyTorch's inner name."""
    return channel_shuffle(input, groups)
