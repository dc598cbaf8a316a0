"""Borders around images: constant ones, and ones that continue the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...dtypes import SCALAR_NAMES
from ...kernels import borders
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, coarse
from ...tensor import Tensor
from ..convert import check_tensor, number_array
from ..shape import pad_constant

__all__ = ["add_border", "constant_pad_nd", "pad", "pad_border"]

NODES = {"reflect": "ReflectionPad", "replicate": "ReplicationPad", "circular": "CircularPad"}


@coarse(
    latex=r"x \text{ continued beyond its border}",
    home="",
    node_name=lambda widths, mode: f"{NODES[mode]}{len(widths)}D",
)
def pad_border(x: Array, widths, mode):
    return borders.with_borders(x, widths, mode)


@pad_border.gradient("x")
def _(g, widths, mode):
    return add_border(g, widths, mode)


@coarse(latex=r"\partial L / \partial x \text{ of a border}", home="", node_name="AddBorder")
def add_border(x: Array, widths, mode):
    return borders.add_borders(x, widths, mode)


@add_border.gradient("x")
def _(g, widths, mode):
    return pad_border(g, widths, mode)


@function(torch=False, functional=True, method=False)
def pad(input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None) -> Tensor:
    """``input`` with a border.

    Args:
        input: any shape; for the modes other than ``constant``, a channel and the padded dimensions, and a batch
            or none.
        pad: widths (before, after) of the last dimension, then of the one before it, and so on; negative ones crop.
        mode: ``constant``; ``reflect`` mirrors at the outermost elements, ``replicate`` repeats them, ``circular``
            goes on at the other end.
        value: of a constant border; 0 by default.

    Raises:
        NotImplementedError: an unknown mode, or one that does not pad so many dimensions.
        RuntimeError: an odd number of widths, more than the dimensions, or a border longer than what it continues.

    >>> import autograd, nn
    >>> nn.functional.pad(autograd.tensor([[1, 2, 3]]), (2, 1), "reflect")
    tensor([[3, 2, 1, 2, 3, 2]])
    """
    check_tensor("pad", "input", input)
    if isinstance(value, complex):
        raise TypeError("pad(): argument 'value' must be float, not complex")
    pairs = _pairs("pad", pad, input.ndim)
    if mode == "constant":
        return constant_pad_nd(input, pad, 0 if value is None else value)
    if mode not in NODES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}: use constant, reflect, replicate or circular")
    if value is not None and value != 0:
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if not 1 <= len(pairs) <= 3 or input.ndim - len(pairs) not in (1, 2):
        raise NotImplementedError(f"Padding size {len(pad)} is not supported for {input.ndim}D input tensor in {mode}")
    crop = tuple(min(width, 0) for width in pad)
    if mode == "circular":
        _check_circular(input.shape, pairs)
        # What is cropped does not come in at the other end.
        input, crop = _cropped(input, crop), ()
    else:
        _check_continued(input, pairs, mode)
    around = tuple((max(before, 0), max(after, 0)) for before, after in pairs)
    return _cropped(apply(pad_border, (input, around, mode), {}), crop)


@function(method=False)
def constant_pad_nd(input: Tensor, pad: Sequence[int], value: Any = 0) -> Tensor:
    """``input`` with a border of ``value``; ``pad`` as in `nn.functional.pad`.

    Raises:
        RuntimeError: an odd number of widths, more than the dimensions, or more cropped than there is.

    >>> import autograd
    >>> autograd.constant_pad_nd(autograd.tensor([1, 2]), (1, 2), 7)
    tensor([7, 1, 2, 7, 7])
    """
    pairs = _pairs("constant_pad_nd", pad, check_tensor("constant_pad_nd", "input", input).ndim)
    for dim, (before, after) in enumerate(pairs, input.ndim - len(pairs)):
        if input.shape[dim] + min(before, 0) + min(after, 0) < 0:
            raise RuntimeError(
                f"constant_pad_nd: padding ({before}, {after}) takes more away than dimension {dim} of input "
                f"{list(input.shape)} has"
            )
    number = value.item() if isinstance(value, Tensor) else value
    filling = number_array(number, input._array.dtype, "constant_pad_nd").item()
    return apply(pad_constant, (input, tuple(map(int, pad)), filling), {})


def _pairs(operator: str, pad: Any, ndim: int) -> list[tuple[int, int]]:
    """The widths (before, after) of the last dimensions, in their order."""
    if not isinstance(pad, (tuple, list)) or not all(isinstance(width, (int, np.integer)) for width in pad):
        raise TypeError(f"{operator}(): argument 'pad' must be tuple of ints, but got {pad!r}")
    if len(pad) % 2:
        raise RuntimeError(f"Padding length must be divisible by 2, but {operator} got {len(pad)} widths")
    if len(pad) > 2 * ndim:
        raise RuntimeError(
            f"Padding length should be less than or equal to two times the input dimension, but {operator} got "
            f"padding length {len(pad)} and input of dimension {ndim}"
        )
    return list(zip(pad[-2::-2], pad[::-2], strict=True))


def _cropped(input: Tensor, crop: tuple[int, ...]) -> Tensor:
    return apply(pad_constant, (input, crop, 0), {}) if any(crop) else input


def _check_circular(shape: Sequence[int], pairs: list[tuple[int, int]]) -> None:
    for dim, (before, after) in enumerate(pairs, len(shape) - len(pairs)):
        rest = shape[dim] + min(before, 0) + min(after, 0)
        if rest < 0:
            raise RuntimeError(f"Negative padding ({before}, {after}) is resulting in an empty dimension {dim}")
        if max(before, after) > rest:
            raise RuntimeError(
                f"Padding ({before}, {after}) causes wrapping around more than once: dimension {dim} of input "
                f"{list(shape)} has {rest} elements to repeat"
            )


def _check_continued(input: Tensor, pairs: list[tuple[int, int]], mode: str) -> None:
    shape, axes = input.shape, len(pairs)
    if input._array.dtype.kind == "b":
        raise NotImplementedError(f'"{mode} padding" not implemented for {SCALAR_NAMES[input.dtype.name]!r}')
    if 0 in shape[input.ndim - axes - 1 :]:
        raise RuntimeError(
            f"{mode} padding: expected {axes + 1}D or {axes + 2}D (batch mode) tensor with possibly 0 batch size and "
            f"other non-zero dimensions for input, but got: {list(shape)}"
        )
    sizes = []
    for dim, (before, after) in enumerate(pairs, input.ndim - axes):
        sizes.append(shape[dim] + before + after)
        if mode == "reflect" and max(before, after) >= shape[dim]:
            raise RuntimeError(
                f"Padding size should be less than the corresponding input dimension, but got: padding "
                f"({before}, {after}) at dimension {dim} of input {list(shape)}"
            )
    if min(sizes) < 0 or max(sizes) < 1:
        raise RuntimeError(f"{mode} padding: input {list(shape)} is too small. Calculated output sizes: {sizes}")
