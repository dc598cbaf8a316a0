"""Images sampled at points: a weighted sum of the pixels around each, differentiable by pixels and points."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from functools import reduce
from operator import mul

import numpy as np

from ... import kernels
from ...rows.dispatch import apply
from ...rows.public import TORCH, function
from ...rows.table import Array, _, coarse
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from .windows import check_numbers

__all__ = [
    "affine_grid", "affine_grid_generator", "grid_sample", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d",
    "taps_pick", "taps_spread", "taps_weigh", "with_slope",
]  # fmt: skip

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")

# --- Rows ------------------------------------------------------------------------------------------------------------
# The derivatives of one trilinear form, see `kernels.taps`: those of each are the two others.


@coarse(latex=r"\sum_t w_{tp} x_{i_{tp}}", home="", node_name="GridSampler", complex=False)
def taps_pick(x: Array, weights: Array, places):
    return kernels.taps.pick(x, weights, places)


@taps_pick.gradient("x")
def _(g, weights, places, x_shape):
    return taps_spread(g, weights, places, x_shape[2])


@taps_pick.gradient("weights")
def _(g, x, places):
    return taps_weigh(g, x, places)


@coarse(latex=r"\sum_{t, p: i_{tp} = s} w_{tp} x_p", home="", complex=False)
def taps_spread(x: Array, weights: Array, places, size):
    return kernels.taps.spread(x, weights, places, size)


@taps_spread.gradient("x")
def _(g, weights, places):
    return taps_pick(g, weights, places)


@taps_spread.gradient("weights")
def _(g, x, places):
    return taps_weigh(x, g, places)


@coarse(latex=r"\sum_c x_{cp} y_{c i_{tp}}", home="", complex=False)
def taps_weigh(x: Array, y: Array, places):
    return kernels.taps.weigh(x, y, places)


@taps_weigh.gradient("x")
def _(g, y, places):
    return taps_pick(y, g, places)


@taps_weigh.gradient("y")
def _(g, x, places, y_shape):
    return taps_spread(x, g, places, y_shape[2])


@coarse(latex=r"\text{given values, given slope}", home="", complex=False)
def with_slope(x: Array, values, slope):
    """A piecewise linear function of ``x`` by its values and its slope at each element."""
    return values


@with_slope.gradient("x")
def _(g, slope):
    return _.mul(g, wrap(slope) if isinstance(g, Tensor) else slope)


# --- Sampling --------------------------------------------------------------------------------------------------------


@function(home="nn.functional")
def grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """The values of images ``input`` (N, C, H, W) or (N, C, D, H, W) at the points ``grid`` (N, *out, 2 or 3).

    A point is (x, y) or (x, y, z), from -1 to 1 within the image.

    Args:
        mode: ``"bilinear"`` (between the pixels around the point), ``"nearest"``, or for 4-D inputs ``"bicubic"``.
        padding_mode: what is around the image: ``"zeros"``, its ``"border"``, or its ``"reflection"``.
        align_corners: -1 and 1 are the centers of the corner pixels; else the outer edges of these.

    Returns:
        (N, C, *out)

    Raises:
        ValueError: an unknown mode.
        RuntimeError: shapes that do not fit.

    >>> import autograd
    >>> from nn.functional import grid_sample
    >>> image = autograd.tensor([[[[1., 2.], [3., 4.]]]])
    >>> grid_sample(image, autograd.tensor([[[[0., 0.], [1., -1.]]]]), align_corners=True)
    tensor([[[[2.5000, 2.0000]]]])
    """
    for name, value, known in (("mode", mode, MODES), ("padding_mode", padding_mode, PADDINGS)):
        if value not in known:
            raise ValueError(f"grid_sample: expected {name} to be one of {known}, but got: {value!r}")
    if align_corners is None:
        warnings.warn(_CORNERS.format("grid_sample"), stacklevel=3)
        align_corners = False
    return _sampled("grid_sampler", input, grid, mode, padding_mode, align_corners)


_CORNERS = "{}: align_corners is False by default since PyTorch 1.3.0; say which one is meant"


def _by_numbers(operator: str, input: Tensor, grid: Tensor, mode: int, padding: int, align_corners: bool) -> Tensor:
    if mode not in range(len(MODES)) or padding not in range(len(PADDINGS)):
        raise RuntimeError(
            f"{operator}: interpolation_mode is a place in {MODES}, padding_mode one in {PADDINGS}, but got {mode} and "
            f"{padding}"
        )
    return _sampled(operator, input, grid, MODES[mode], PADDINGS[padding], align_corners)


@function(method=False)
def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sample` with numbers for modes: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros, 1 border, 2 reflection."""
    return _by_numbers("grid_sampler", input, grid, interpolation_mode, padding_mode, align_corners)


@function(method=False)
def grid_sampler_2d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of images (N, C, H, W)."""
    _check_dims("grid_sampler_2d", input, 4)
    return _by_numbers("grid_sampler_2d", input, grid, interpolation_mode, padding_mode, align_corners)


@function(method=False)
def grid_sampler_3d(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`grid_sampler` of volumes (N, C, D, H, W)."""
    _check_dims("grid_sampler_3d", input, 5)
    return _by_numbers("grid_sampler_3d", input, grid, interpolation_mode, padding_mode, align_corners)


def _check_dims(operator: str, input: Tensor, dims: int) -> None:
    if check_tensor(operator, "input", input)._array.ndim != dims:
        raise RuntimeError(f"{operator}(): expected {dims}D input, but got input with sizes {list(input.shape)}")


def _check(operator: str, x: np.ndarray, points: np.ndarray, mode: str) -> None:
    shapes = f"input with sizes {list(x.shape)} and grid with sizes {list(points.shape)}"
    if x.ndim not in (4, 5) or x.ndim != points.ndim:
        raise RuntimeError(
            f"{operator}(): expected 4D or 5D input and grid with same number of dimensions, got {shapes}"
        )
    if x.shape[0] != points.shape[0]:
        raise RuntimeError(f"{operator}(): expected grid and input to have same batch size, but got {shapes}")
    if points.shape[-1] != x.ndim - 2:
        raise RuntimeError(f"{operator}(): expected grid to have size {x.ndim - 2} in last dimension, but got {shapes}")
    if 0 in x.shape[2:]:
        raise RuntimeError(f"{operator}(): expected input to have non-empty spatial dimensions, but got {shapes}")
    if mode == "bicubic" and x.ndim == 5:
        raise RuntimeError(f"{operator}(): bicubic interpolation only supports 4D input, but got {shapes}")
    if x.dtype != points.dtype:
        raise RuntimeError(
            f"{operator}(): expected input and grid to have same dtype, but got {x.dtype} and {points.dtype}"
        )
    check_numbers(operator, x.dtype)


def _sampled(operator: str, input: Tensor, grid: Tensor, mode: str, padding: str, align_corners: bool) -> Tensor:
    x, points = check_tensor(operator, "input", input)._array, check_tensor(operator, "grid", grid)._array
    _check(operator, x, points, mode)
    batch, channels, *size = x.shape
    at = [
        _unnormalized(grid.select(-1, len(size) - 1 - axis).reshape(batch, -1), n, align_corners)
        for axis, n in enumerate(size)
    ]
    outside = [(n, padding, align_corners) for n in size]
    if mode == "bicubic":
        taps = [_cubic_taps(c, *facts) for c, facts in zip(at, outside, strict=True)]
    else:
        inner = [_padded(c, *facts) for c, facts in zip(at, outside, strict=True)]
        taps = [(_nearest_tap if mode == "nearest" else _linear_taps)(c) for c in inner]
    weights, places = [], []
    for combination in itertools.product(*(zip(*each, strict=True) for each in taps)):
        weights.append(reduce(mul, (weight for weight, _ in combination)))
        places.append(_flat_places([place for _, place in combination], size))
    out = apply(
        taps_pick,
        (input.reshape(batch, channels, -1), TORCH["stack"](weights, 1), np.stack(places, 1)),
        {},
    )
    return out.reshape(batch, channels, *points.shape[1:-1])


def _unnormalized(c: Tensor, size: int, align_corners: bool) -> Tensor:
    """From -1 .. 1 to the numbers of the pixels."""
    return (c + 1) * ((size - 1) / 2) if align_corners else (c + 1) * (size / 2) - 0.5


def _padded(c: Tensor, size: int, padding: str, align_corners: bool) -> Tensor:
    """The places in the image that stand for those outside of it."""
    if padding == "zeros":
        return c
    return apply(with_slope, (c, *_inside(c._array, size, padding, align_corners)), {})


def _inside(at: np.ndarray, size: int, padding: str, align_corners: bool) -> tuple[np.ndarray, np.ndarray]:
    """`_padded` of an array, and its slope, which is 0 on the border itself."""
    slope = np.ones_like(at)
    if padding == "reflection":
        # There and back between two mirrors: the centers of the outermost pixels, or their edges.
        low = at.dtype.type(0 if align_corners else -0.5)
        period = at.dtype.type(2 * (size - 1 if align_corners else size))
        if period == 0:
            return np.zeros_like(at), np.zeros_like(at)
        way = np.abs(at - low)
        way -= np.trunc(way / period) * period
        slope = np.where((at < low) ^ (way > period - way), -slope, slope)
        at = np.minimum(way, period - way) + low
    within = (at > 0) & (at < size - 1)
    return np.where(at > 0, np.minimum(at, at.dtype.type(size - 1)), 0).astype(at.dtype), slope * within


# For each axis the weights of the pixels around each point, and their numbers along the axis.
Taps = tuple[Sequence[Tensor], Sequence[np.ndarray]]


def _nearest_tap(c: Tensor) -> Taps:
    at = c._array
    return [apply(with_slope, (c, np.ones_like(at), np.zeros_like(at)), {})], [np.rint(at)]


def _linear_taps(c: Tensor) -> Taps:
    left = np.floor(c._array)
    part = c - wrap(left)
    return [1 - part, part], [left, left + 1]


def _cubic_taps(c: Tensor, size: int, padding: str, align_corners: bool) -> Taps:
    """Cubic convolution of four pixels (Keys, 1981; A = -0.75)."""
    left = np.floor(c._array)
    part = c - wrap(left)
    places = [left + offset for offset in (-1, 0, 1, 2)]
    if padding != "zeros":
        places = [_inside(place, size, padding, align_corners)[0] for place in places]
    return [_far(part + 1), _near(part), _near(1 - part), _far(2 - part)], places


def _near(x: Tensor) -> Tensor:
    return (1.25 * x - 2.25) * x * x + 1


def _far(x: Tensor) -> Tensor:
    return ((x - 5) * x + 8) * x * -0.75 + 3


def _flat_places(along: Sequence[np.ndarray], size: Sequence[int]) -> np.ndarray:
    """Numbers of pixels in their plane; -1 outside."""
    flat, within = np.zeros(along[0].shape, np.int64), np.ones(along[0].shape, bool)
    for place, n in zip(along, size, strict=True):
        here = (place >= 0) & (place <= n - 1)
        flat = flat * n + np.where(here, place, 0).astype(np.int64)
        within &= here
    return np.where(within, flat, -1)


# --- Grids -----------------------------------------------------------------------------------------------------------


@function(home="nn.functional")
def affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Tensor:
    """The points at which `grid_sample` makes images of ``size`` that are moved by affine maps.

    Args:
        theta: the maps' matrices: (N, 2, 3) for images, (N, 3, 4) for volumes.
        size: (N, C, H, W) or (N, C, D, H, W) of the result of `grid_sample`.
        align_corners: as for `grid_sample`.

    Returns:
        (N, H, W, 2) or (N, D, H, W, 3)

    Raises:
        ValueError: integers, sizes that are not positive, or matrices of another shape.
        NotImplementedError: neither images nor volumes.

    >>> import autograd
    >>> from nn.functional import affine_grid
    >>> affine_grid(autograd.tensor([[[1., 0., 0.5], [0., 1., 0.]]]), (1, 1, 2, 2), align_corners=True)
    tensor([[[[-0.5000, -1.0000],
              [ 1.5000, -1.0000]],
    <BLANKLINE>
             [[-0.5000,  1.0000],
              [ 1.5000,  1.0000]]]])
    """
    check_tensor("affine_grid", "theta", theta)
    if align_corners is None:
        warnings.warn(_CORNERS.format("affine_grid"), stacklevel=3)
        align_corners = False
    if not theta.is_floating_point():
        raise ValueError(f"affine_grid: expected theta to have floating point type, but got {theta.dtype}")
    if len(size) not in (4, 5):
        raise NotImplementedError(f"affine_grid only supports 4D and 5D sizes, but got size {tuple(size)}")
    axes = len(size) - 2
    if theta.ndim != 3 or tuple(theta.shape[1:]) != (axes, axes + 1):
        raise ValueError(
            f"affine_grid: expected affine matrices of shape (N, {axes}, {axes + 1}) for size {tuple(size)}, but got "
            f"{tuple(theta.shape)}"
        )
    if align_corners and min(size[2:]) == 1:
        warnings.warn(
            "affine_grid: with align_corners=True the points of an axis of size 1 are all 0 since PyTorch 1.3.0",
            stacklevel=3,
        )
    elif min(size) <= 0:
        raise ValueError(f"affine_grid: expected non-zero, positive output size, but got {tuple(size)}")
    return affine_grid_generator(theta, size, align_corners)


@function(method=False)
def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """`affine_grid` without its checks of sizes."""
    check_tensor("affine_grid_generator", "theta", theta)
    if len(size) not in (4, 5):
        raise RuntimeError(f"affine_grid_generator needs 4d or 5d sizes, but got {tuple(size)}")
    batch, _channels, *spatial = size
    axes = [_from_minus_one(n, align_corners, theta._array.dtype) for n in spatial]
    # The innermost axis is x, the first coordinate; the 1 behind them meets the shift.
    mesh = [*np.meshgrid(*axes, indexing="ij")[::-1]]
    base = np.stack([*mesh, np.ones(spatial, theta._array.dtype)], -1).reshape(1, -1, len(spatial) + 1)
    points = TORCH["bmm"](wrap(base).expand(batch, -1, -1), theta.transpose(1, 2))
    return points.reshape(batch, *spatial, len(spatial))


def _from_minus_one(count: int, align_corners: bool, dtype: np.dtype) -> np.ndarray:
    """Points from -1 to 1: at both ends, or in the middle of ``count`` equal parts."""
    if count <= 1:
        return np.zeros(count, dtype)
    points = np.linspace(-1, 1, count).astype(dtype)
    return points if align_corners else points * dtype.type((count - 1) / count)
