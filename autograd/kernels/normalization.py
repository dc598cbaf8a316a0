"""Standardized arrays and their gradients, for every kind of normalization.

All of them look at their input as ``(N, G, K, S)`` and take means along two of these axes: along (2, 3) where each
sample's groups are standardized by themselves (layers, groups, instances), along (0, 3) where each channel is across
the batch. Weight and bias belong to the axes (1, 2). Mean and ``scale = 1 / sqrt(variance + eps)`` keep all four axes.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from . import jit, threads
from .contiguous import contiguous
from .memory import LINE, at_line, empty

__all__ = ["gradients", "has_loops", "inverse_deviation", "moments", "standardize", "standardized", "wide_dtype"]

ROWS, CHANNELS = (2, 3), (0, 3)
GRAIN = 16384  # elements worth a thread
# Of the sum over rows that is the gradient of a weight, whatever the number of threads: at most so many, none smaller.
PARTS, PART = 32, 1 << 17
# Elements from which on weight and bias are copied if they do not begin with a line of the cache: a vector that lies in
# two is read twice. Measured for 1000 x 1000, a tenth of the kernels' time.
MANY = 1 << 18

Optional = np.ndarray | None


def wide_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of sums: float16 is too narrow for them."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


def has_loops(x: np.ndarray) -> bool:
    """Whether compiled loops are used for ``x``."""
    return x.dtype.kind == "f" and x.dtype.itemsize <= 8 and x.size > 0 and jit.use_loops(x.size)


def _is_matrix(x_shape: tuple[int, ...], axes: tuple[int, ...]) -> bool:
    """Whether channels are the columns of a matrix: they have one place each, and no groups."""
    return axes != ROWS and x_shape[3] == 1


def _matrix(value: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of the shape (N, 1, K, 1), or one row of it, as the matrix (N, K)."""
    return np.ascontiguousarray(np.broadcast_to(value, (value.shape[0], 1, shape[2], 1)), dtype).reshape(-1, shape[2])


def _run(kernel: Callable[..., None], items: int, x: np.ndarray, *args: object) -> None:
    threads.run(kernel, items, *args, grain=max(1, GRAIN * items // x.size))


def _flat(x: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return contiguous(x, dtype).reshape(-1)


def moments(x: np.ndarray, axes: tuple[int, ...], centered: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of ``x`` along ``axes``; without ``centered``, 0 and the mean square."""
    dtype = wide_dtype(x.dtype)
    count = prod(x.shape[axis] for axis in axes)
    if has_loops(x) and _is_matrix(x.shape, axes):
        from .normalization_columns import column_moments

        places = (1, 1, x.shape[2], 1)
        mean, variance = column_moments(0, _matrix(x, x.shape, dtype))
        return mean.reshape(places), variance.reshape(places)
    if has_loops(x):
        from .normalization_loops import run_moments

        shape = (*x.shape[:2], 1, 1) if axes == ROWS else (*x.shape[:3], 1)
        means, squares = np.empty(shape), np.empty(shape)
        length = x.size // means.size
        _run(run_moments, means.size, x, _flat(x, dtype), means.reshape(-1), squares.reshape(-1), length, centered)
        if axes == ROWS:
            return means.astype(dtype), (squares / count).astype(dtype)
        mean = means.mean(0, keepdims=True)
        spread = ((means - mean) ** 2).sum(0, keepdims=True) * length
        return mean.astype(dtype), ((squares.sum(0, keepdims=True) + spread) / count).astype(dtype)
    wide = x.astype(dtype, copy=False)
    if not centered:
        return np.zeros(1, dtype), _mean(wide * wide, axes, count)
    mean = _mean(wide, axes, count)
    distance = wide - mean
    return mean, _mean(distance * distance, axes, count)


def _mean(x: np.ndarray, axes: tuple[int, ...], count: int) -> np.ndarray:
    # Measured: 1.5 us where x.mean takes 5, on few elements.
    return np.add.reduce(x, axes, keepdims=True) / count


def inverse_deviation(variance: np.ndarray, eps: float) -> np.ndarray:
    """``1 / sqrt(variance + eps)``."""
    return 1 / np.sqrt(variance + variance.dtype.type(eps))


def standardized(
    x: np.ndarray, mean: np.ndarray, scale: np.ndarray, weight: Optional, bias: Optional, axes: tuple[int, ...]
) -> np.ndarray:
    """``(x - mean) * scale * weight + bias``; weight and bias have shape (1, G, K, 1), or are None."""
    dtype = wide_dtype(x.dtype)
    out = np.empty(x.shape, dtype)
    if not has_loops(x):
        return _scaled(np.subtract(x, mean, out), scale, weight, bias).astype(x.dtype, copy=False)
    places = (1, *x.shape[1:3], 1)
    weight = np.ones(places, dtype) if weight is None else weight
    bias = np.zeros(places, dtype) if bias is None else bias
    if _is_matrix(x.shape, axes):
        from .normalization_columns import shift_columns

        columns = [_matrix(value, x.shape, dtype) for value in (x, mean, scale * weight, bias)]
        shift_columns(0, *columns, out=out)
    elif x.shape[3] > 1:
        from .normalization_loops import shift_planes

        planes = [_by_plane(value, x.shape, dtype) for value in (mean, scale * weight, bias)]
        _run(shift_planes, prod(x.shape[:3]), x, _flat(x, dtype), *planes, out.reshape(-1), x.shape[3])
    else:
        from .normalization_loops import shift_rows

        rows = [_by_row(value, x.shape, dtype) for value in (mean, scale)]
        places_of = [_flat(value, dtype) for value in (weight, bias)]
        arrays = (_flat(x, dtype), *rows, *places_of, out.reshape(-1))
        _run(shift_rows, prod(x.shape[:2]), x, *arrays, x.shape[2], x.shape[1])
    return out.astype(x.dtype, copy=False)


def standardize(
    x: np.ndarray, weight: Optional, bias: Optional, axes: tuple[int, ...], eps: float, centered: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`standardized` by moments of its own; mean and scale.

    Rows are read once: what was added up is still in the nearest cache when it is shifted.
    """
    if not has_loops(x):
        return _plainly_standardized(x, weight, bias, axes, eps, centered)
    if axes != ROWS or x.shape[3] > 1:
        mean, variance = moments(x, axes, centered)
        scale = inverse_deviation(variance, eps)
        return standardized(x, mean, scale, weight, bias, axes), mean, scale
    from .normalization_loops import standardize_rows

    dtype = wide_dtype(x.dtype)
    samples, groups, length, _ = x.shape
    weight = np.ones(groups * length, dtype) if weight is None else _flat(weight, dtype)
    bias = np.zeros(groups * length, dtype) if bias is None else _flat(bias, dtype)
    if x.size >= MANY:
        weight, bias = at_line(weight, 0), at_line(bias, 0)
    rows = samples * groups
    out, mean, scale = empty((x.size,), dtype), np.empty(rows, dtype), np.empty(rows, dtype)
    _run(standardize_rows, rows, x, _flat(x, dtype), weight, bias, out, mean, scale, length, groups, eps, centered)
    places = (samples, groups, 1, 1)
    return out.reshape(x.shape).astype(x.dtype, copy=False), mean.reshape(places), scale.reshape(places)


def _plainly_standardized(
    x: np.ndarray, weight: Optional, bias: Optional, axes: tuple[int, ...], eps: float, centered: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    dtype = wide_dtype(x.dtype)
    wide, count = x.astype(dtype, copy=False), prod([x.shape[axis] for axis in axes])
    mean = _mean(wide, axes, count) if centered else np.zeros(1, dtype)
    out = wide - mean
    scale = inverse_deviation(_mean(out * out, axes, count), eps)
    return _scaled(out, scale, weight, bias).astype(x.dtype, copy=False), mean, scale


def _scaled(out: np.ndarray, scale: np.ndarray, weight: Optional, bias: Optional) -> np.ndarray:
    """``out * scale * weight + bias``, in place."""
    out *= scale
    if weight is not None:
        out *= weight
    if bias is not None:
        out += bias
    return out


def gradients(
    g: np.ndarray,
    x: np.ndarray,
    view: tuple[int, ...],
    mean: np.ndarray,
    scale: np.ndarray,
    weight: Optional,
    axes: tuple[int, ...],
    centered: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients of `standardized` by ``x``, ``weight`` and ``bias``; those of weight and bias may be flat.

    Args:
        g: of any shape, as ``x``, whose gradient gets it.
        view: the shape (N, G, K, S).
        axes: along which mean and scale were taken from ``x``; () where they are constants.
    """
    dtype = wide_dtype(x.dtype)
    weight = np.ones((1, *view[1:3], 1), dtype) if weight is None else weight
    if not has_loops(x):
        way = _plain_gradients
    elif axes == ROWS and view[3] == 1:
        way = _row_gradients
    else:
        way = _plane_gradients
    out = empty(x.shape, dtype)
    of_weight, of_bias = way(_flat(g, dtype), _flat(x, dtype), mean, scale, weight, axes, centered, out, view)
    return out.astype(x.dtype, copy=False), of_weight, of_bias


def _plain_gradients(g, x, mean, scale, weight, axes, centered, out, shape):
    g = g.reshape(shape)
    standard = (x.reshape(shape) - mean) * scale
    product = g * standard
    of_x = weighted = g * weight
    if axes:
        count = prod(shape[axis] for axis in axes)
        of_x = weighted - standard * _mean(product * weight, axes, count)
        if centered:
            of_x -= _mean(weighted, axes, count)
    np.multiply(of_x, scale, out.reshape(shape))
    return tuple(np.add.reduce(each, CHANNELS, keepdims=True) for each in (product, g))


def _plane_gradients(g, x, mean, scale, weight, axes, centered, out, shape):
    is_matrix = _is_matrix(shape, axes)
    sums, products = (_column_products if is_matrix else _plane_products)(g, x, mean, shape)
    scale = scale.astype(np.float64)
    along_ones = along_x = np.zeros((1, 1, 1, 1))
    if axes:
        count = prod(shape[axis] for axis in axes)
        if centered:
            along_ones = (sums * weight).sum(axes, keepdims=True) / count
        along_x = (products * weight).sum(axes, keepdims=True) / count
    parts = (mean, scale * weight, -(scale**3) * along_x, -scale * along_ones)
    if is_matrix:
        from .normalization_columns import mix_columns

        columns = [_matrix(value, shape, out.dtype) for value in parts]
        mix_columns(0, g.reshape(-1, shape[2]), x.reshape(-1, shape[2]), *columns, out=out)
    else:
        from .normalization_loops import mix_planes

        planes = [_by_plane(value, shape, out.dtype) for value in parts]
        _run(mix_planes, prod(shape[:3]), out, g, x, *planes, out.reshape(-1), shape[3])
    return (products * scale).sum(CHANNELS, keepdims=True), sums.sum(CHANNELS, keepdims=True)


def _plane_products(g, x, mean, shape):
    """The sums of ``g`` and of ``g * (x - mean)`` over each plane."""
    from .normalization_loops import plane_products

    sums, products = np.empty((*shape[:3], 1)), np.empty((*shape[:3], 1))
    centers = _by_plane(mean, shape, x.dtype)
    _run(plane_products, sums.size, x, g, x, centers, sums.reshape(-1), products.reshape(-1), shape[3])
    return sums, products


def _column_products(g, x, mean, shape):
    """The same sums over columns."""
    from .normalization_columns import column_products

    columns = [each.reshape(-1, shape[2]) for each in (g, x)]
    found = column_products(0, *columns, _matrix(mean, shape, x.dtype))
    return tuple(each.astype(np.float64).reshape(1, 1, -1, 1) for each in found)


def _row_gradients(g, x, mean, scale, weight, axes, centered, out, shape):
    from .normalization_loops import row_gradients

    samples, groups, length, _ = shape
    count = samples * groups
    rows_of_part = max(-(-count // PARTS), PART // length, 1)
    parts = -(-count // rows_of_part)
    size, dtype = groups * length, out.dtype
    # Each part begins with a line of the cache: what lies in two lines is written much more slowly. Measured for
    # 1000 x 1000, 290 and 235 us.
    pitch = -(-size * dtype.itemsize // LINE) * LINE // dtype.itemsize if parts > 1 else size
    sums = empty((parts * pitch,), dtype), empty((parts * pitch,), dtype)
    weight = _flat(weight, dtype)
    if x.size >= MANY:
        weight = at_line(weight, 0)
    arrays = (_flat(mean, dtype), _flat(scale, dtype), weight, out.reshape(-1), *sums)
    _run(row_gradients, parts, out, g, x, *arrays, length, groups, rows_of_part, pitch, centered)
    return sums if parts == 1 else [np.add.reduce(each.reshape(parts, pitch)[:, :size]) for each in sums]


def _by_plane(value: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return _spread(value, (*shape[:3], 1), dtype)


def _by_row(value: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return _spread(value, (*shape[:2], 1, 1), dtype)


def _spread(value: np.ndarray, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    return _flat(value if value.shape == shape else np.broadcast_to(value, shape), dtype)
