"""Images of another size: each axis is resampled by a linear map, and the gradient is the transposed map."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import kernels
from ...rows.dispatch import apply
from ...rows.public import function
from ...tensor import Tensor
from ..convert import check_tensor
from .resampling import resample
from .windows import check_numbers

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

# Mode -> the numbers of spatial axes that it is for.
AXES = {
    "nearest": (1, 2, 3),
    "nearest-exact": (1, 2, 3),
    "area": (1, 2, 3),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "lanczos": (2,),
    "trilinear": (3,),
}
WITHOUT_CORNERS = ("nearest", "nearest-exact", "area")
ANTIALIASED = ("bilinear", "bicubic", "lanczos")
OF_BYTES = ("nearest", "nearest-exact", "bilinear", "bicubic", "lanczos")


@function(home="nn.functional")
def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """``input`` (N, C, *size) with spatial axes of another size.

    Args:
        size: the new size, one integer for all axes or one for each.
        scale_factor: the new size by the old one, in place of ``size``.
        mode: ``"nearest"``, ``"nearest-exact"`` (which measures from the pixels' centers), ``"linear"`` for one axis,
            ``"bilinear"``, ``"bicubic"`` or ``"lanczos"`` for two, ``"trilinear"`` for three, or ``"area"``: adaptive
            average pooling.
        align_corners: corners are the centers of the corner pixels; else the outer edges of these.
        recompute_scale_factor: measure by the ratio of the sizes, which are integers, instead of by ``scale_factor``.
        antialias: filter with as many pixels as the image shrinks by; ``"bilinear"``, ``"bicubic"``, ``"lanczos"``.

    Raises:
        ValueError: both or neither of ``size`` and ``scale_factor``, or options that do not fit the mode.
        NotImplementedError: the mode is not for so many axes, or not for this dtype.

    >>> import autograd
    >>> from nn.functional import interpolate
    >>> interpolate(autograd.tensor([[[1., 3.]]]), scale_factor=2, mode="linear")
    tensor([[[1.0000, 1.5000, 2.5000, 3.0000]]])
    """
    check_tensor("interpolate", "input", input)
    if mode in WITHOUT_CORNERS and align_corners is not None:
        raise ValueError(f"interpolate: align_corners={align_corners} has no meaning for mode '{mode}'")
    old = tuple(input.shape[2:])
    new, scales = _sizes(old, size, scale_factor)
    if recompute_scale_factor and size is not None:
        raise ValueError("interpolate: recompute_scale_factor is not meaningful with an explicit size")
    if recompute_scale_factor:
        scales = None
    if antialias and (mode not in ANTIALIASED or len(old) != 2):
        raise ValueError(
            f"interpolate: antialias is for 4-D inputs and the modes {', '.join(ANTIALIASED)}, but got "
            f"{input.ndim}-D and mode '{mode}'"
        )
    if len(old) not in AXES.get(mode, ()):
        raise NotImplementedError(
            f"interpolate: got a {input.ndim}-D input and mode '{mode}'; "
            + "; ".join(f"{name} needs {' or '.join(f'{n + 2}-D' for n in axes)}" for name, axes in AXES.items())
        )
    if mode == "lanczos" and (align_corners or not antialias):
        raise ValueError("interpolate: mode 'lanczos' needs antialias=True and align_corners=False")
    if mode == "area":
        from .adaptive_pooling import adaptive_mean

        return adaptive_mean(f"adaptive_avg_pool{len(old)}d", len(old), input, new)
    if 0 in input.shape[1:] or min(new) < 1:
        raise RuntimeError(f"interpolate: non-empty input and output expected, but got {list(input.shape)} to {new}")
    check_numbers("interpolate", input._array.dtype, *["uint8"] if mode in OF_BYTES else [])
    maps = _maps(old, new, scales, mode, bool(align_corners), antialias, input._array.dtype)
    name = "".join(part.capitalize() for part in mode.split("-"))
    return apply(resample, (input, f"Upsample{name}{len(old)}D{'Aa' * antialias}", maps), {})


def _sizes(old: Sequence[int], size: Any, scale_factor: Any) -> tuple[list[int], list[float] | None]:
    """The new sizes, and the factors where these were given."""
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"interpolate: exactly one of size and scale_factor should be defined, but got {size} and {scale_factor}"
        )
    name, given = ("size", size) if scale_factor is None else ("scale_factor", scale_factor)
    values = list(given) if isinstance(given, (list, tuple)) else [given] * len(old)
    if len(values) != len(old):
        raise ValueError(
            f"interpolate: input and {name} must have the same number of spatial dimensions, but got an input of "
            f"spatial size {tuple(old)} and {name}={given}"
        )
    if scale_factor is not None:
        scales = [float(value) for value in values]
        return [int(n * scale) for n, scale in zip(old, scales, strict=True)], scales
    for value in values:
        whole = isinstance(value, (int, np.integer)) or (isinstance(value, Tensor) and not value.is_floating_point())
        if not whole:
            raise TypeError(f"interpolate: expected size to be integers, but got {type(value).__name__}")
    return [int(value) for value in values], None


def _maps(
    old: Sequence[int],
    new: Sequence[int],
    scales: Sequence[float] | None,
    mode: str,
    align_corners: bool,
    antialias: bool,
    dtype: np.dtype,
) -> list[Any]:
    """One map for each axis."""
    maps = kernels.resample
    # Where the pixels lie is computed in the precision in which PyTorch does it, as a place may be halfway.
    doubles = dtype == np.float64 or (dtype == np.uint8 and mode not in WITHOUT_CORNERS)
    kind = np.dtype(np.float64 if doubles else np.float32)
    found = []
    for axis, (n, m) in enumerate(zip(old, new, strict=True)):
        if align_corners:
            scale = float(kind.type(n - 1) / kind.type(m - 1)) if m > 1 else 0.0
        else:
            given = None if scales is None else scales[axis]
            scale = 1.0 / given if given is not None and given > 0 else float(kind.type(n) / kind.type(m))
        if n == m and (antialias or dtype == np.uint8):
            found.append(maps.nearest_map(n, n, 1.0, kind, False))
        elif mode in WITHOUT_CORNERS:
            found.append(maps.nearest_map(n, m, scale, kind, mode == "nearest-exact"))
        elif antialias:
            found.append(maps.filter_map(n, m, scale, kind, mode))
        else:
            interpolation = maps.cubic_map if mode == "bicubic" else maps.linear_map
            found.append(interpolation(n, m, scale, kind, align_corners))
    return found


def _deprecated(name: str) -> None:
    warnings.warn(f"`nn.functional.{name}` is deprecated. Use `nn.functional.interpolate` instead.", stacklevel=4)


@function(home="nn.functional")
def upsample(
    input: Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", align_corners: bool | None = None
) -> Tensor:
    """The old name of `interpolate`."""
    _deprecated("upsample")
    return interpolate(input, size, scale_factor, mode, align_corners)


@function(home="nn.functional")
def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode ``"nearest"``."""
    _deprecated("upsample_nearest")
    return interpolate(input, size, scale_factor)


@function(home="nn.functional")
def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """`interpolate` with mode ``"bilinear"`` and ``align_corners``."""
    _deprecated("upsample_bilinear")
    return interpolate(input, size, scale_factor, "bilinear", align_corners=True)
