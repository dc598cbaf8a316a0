"""Maximum and average over windows of the last two axes, and their gradients.

Shapes: ``x`` (N, C, H, W), the output (N, C, *out) with ``out = (size + 2 * padding - dilation * (kernel - 1) - 1)
/ stride + 1``, rounded down or, with ``ceil_mode``, up, unless the last window would begin in the padding after the
input. ``kernel``, ``stride``, ``padding`` and ``dilation`` are pairs of integers: (height, width). A single spatial
axis is pooled as a height of 1. Sums run in a fixed order whatever the threads do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod

import numpy as np

from . import jit, threads

__all__ = [
    "avg_pool2d_forward",
    "avg_pool2d_gradient",
    "max_pool2d_forward",
    "max_pool2d_gather",
    "max_pool2d_gradient",
    "pool_output_size",
]

GRAIN = 16384  # elements worth a thread
LARGEST_PLANE = 1 << 31  # the compiled maximum counts in int32

LOOP_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


def pool_output_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool = False,
    name: str = "pool",
) -> tuple[int, ...]:
    """Spatial sizes of a pooling's output; ``name`` is the operator's, for errors.

    Raises:
        RuntimeError: a window has no elements, is larger than the padded input, or may lie in the padding alone.

    >>> pool_output_size((5, 5), (2, 2), (2, 2), (0, 0), (1, 1)), pool_output_size((5,), (2,), (2,), (0,), (1,), True)
    ((2, 2), (3,))
    """
    result = []
    for s, k, step, pad, d in zip(size, kernel, stride, padding, dilation, strict=True):
        extent = d * (k - 1) + 1
        if min(k, step, d) < 1:
            raise RuntimeError(
                f"{name}: kernel_size {tuple(kernel)}, stride {tuple(stride)} and dilation {tuple(dilation)} must be "
                f"positive."
            )
        if not 0 <= 2 * pad <= extent:
            raise RuntimeError(
                f"{name}: padding {tuple(padding)} must not be negative, nor more than half of the window, {extent}."
            )
        out = (s + 2 * pad - extent + (step - 1 if ceil_mode else 0)) // step + 1
        if ceil_mode and (out - 1) * step >= s + pad:
            out -= 1
        if s < 1 or out < 1:
            raise RuntimeError(
                f"{name}: input of size {tuple(size)} with padding {tuple(padding)} is too small for a window of "
                f"kernel_size {tuple(kernel)} and dilation {tuple(dilation)}."
            )
        starts = np.arange(out) * step - pad
        if d > s and (_first(starts, d) >= np.minimum(starts + extent, s)).any():
            raise RuntimeError(
                f"{name}: with dilation {tuple(dilation)} and padding {tuple(padding)}, some window on an input of "
                f"size {tuple(size)} has all its elements in the padding. Use a smaller dilation."
            )
        result.append(out)
    return tuple(result)


def max_pool2d_forward(
    x: np.ndarray,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The largest element of each window, and its position in its plane, ``row * W + column``, as int64.

    Of equal elements the first one counts, of several NaN the last; padding is never chosen.

    Raises:
        RuntimeError: see `pool_output_size`.

    >>> max_pool2d_forward(np.array([[[[1., 3., 2.]]]]), (1, 2), (1, 1), (0, 0), (1, 1))
    (array([[[[3., 3.]]]]), array([[[[1, 1]]]]))
    """
    size = x.shape[2:]
    out_size = pool_output_size(size, kernel, stride, padding, dilation, ceil_mode, "max_pool2d")
    shape = (*x.shape[:2], *out_size)
    if _use_loops(x) and prod(size) < LARGEST_PLANE:
        from .pooling_loops import max_planes

        out, indices = np.empty(shape, x.dtype), np.empty(shape, np.int64)
        sizes = (size, out_size, *(tuple(pair) for pair in (kernel, stride, padding, dilation)))
        _run(max_planes, x, np.ascontiguousarray(x).reshape(-1), out.reshape(-1), indices.reshape(-1), *sizes)
        return out, indices
    lowest = -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min
    padded = _padded(x, out_size, kernel, stride, padding, dilation, lowest)
    out = np.full(shape, lowest, x.dtype)
    corners = [np.arange(o) * s - p for o, s, p in zip(out_size, stride, padding, strict=True)]
    first_y, first_x = (_first(c, d) for c, d in zip(corners, dilation, strict=True))
    indices = np.empty(shape, np.int64)
    indices[...] = first_y[:, None] * size[1] + first_x
    for (ky, kx), window in _windows(padded, out_size, kernel, stride, dilation):
        larger = (window > out) | np.isnan(window)
        where = (corners[0] + ky * dilation[0])[:, None] * size[1] + corners[1] + kx * dilation[1]
        np.copyto(out, window, where=larger)
        np.copyto(indices, where, where=larger)
    return out, indices


@np.errstate(all="ignore")
def max_pool2d_gradient(g: np.ndarray, indices: np.ndarray, x_shape: Sequence[int]) -> np.ndarray:
    """Gradient of `max_pool2d_forward`: zeros of shape ``x_shape``, plus each ``g`` at the element that it was.

    Raises:
        RuntimeError: ``g`` and ``indices`` differ in shape, or in samples or channels from ``x_shape``.
        IndexError: an index lies outside its plane.

    >>> max_pool2d_gradient(np.ones((1, 1, 1, 2)), np.array([[[[1, 1]]]]), (1, 1, 1, 3))
    array([[[[0., 2., 0.]]]])
    """
    _check_indices(g, indices, x_shape, "the output's gradient")
    planes, elements, positions = prod(x_shape[:2]), prod(x_shape[2:]), prod(g.shape[2:])
    if g.dtype in LOOP_DTYPES and jit.use_loops(g.size):
        from .pooling_loops import scatter_planes

        gx, failed = np.zeros(tuple(x_shape), g.dtype), np.zeros(1, np.bool_)
        flat = (np.ascontiguousarray(g).reshape(-1), np.ascontiguousarray(indices, np.int64).reshape(-1))
        # One thread: page faults of the fresh array take most of the time, and more so in two threads (measured).
        scatter_planes(0, planes, *flat, gx.reshape(-1), positions, elements, failed)
        if failed[0]:
            raise _outside(indices, x_shape)
        return gx
    if indices.size and (indices.min() < 0 or indices.max() >= elements):
        raise _outside(indices, x_shape)
    flat_index = indices.reshape(planes, positions) + np.arange(planes)[:, None] * elements
    gx = np.bincount(flat_index.reshape(-1), weights=g.reshape(-1), minlength=planes * elements)
    return gx.astype(g.dtype, copy=False).reshape(tuple(x_shape))


def max_pool2d_gather(gg: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """Picks the elements at ``indices`` out of each plane of ``gg``: the gradient of `max_pool2d_gradient`.

    Raises:
        RuntimeError: ``gg`` and ``indices`` differ in samples or channels.
        IndexError: an index lies outside its plane.

    >>> max_pool2d_gather(np.array([[[[5., 6., 7.]]]]), np.array([[[[1, 1]]]]))
    array([[[[6., 6.]]]])
    """
    _check_indices(indices, indices, gg.shape, "the indices")
    if indices.size and (indices.min() < 0 or indices.max() >= prod(gg.shape[2:])):
        raise _outside(indices, gg.shape)
    planes = gg.reshape(*gg.shape[:2], prod(gg.shape[2:]))
    picked = np.take_along_axis(planes, indices.reshape(*indices.shape[:2], prod(indices.shape[2:])), axis=2)
    return picked.reshape(indices.shape)


@np.errstate(all="ignore")
def avg_pool2d_forward(
    x: np.ndarray,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """The sum of each window over its number of elements; padding counts as 0.

    Args:
        count_include_pad: whether padding counts among the elements; what ``ceil_mode`` adds behind it never does.
        divisor_override: divides the sum instead of the number of elements.

    Raises:
        RuntimeError: see `pool_output_size`; or ``divisor_override`` is 0; or ``x`` does not hold floats.

    >>> avg_pool2d_forward(np.array([[[[1., 3., 2.]]]]), (1, 2), (1, 1), (0, 0))
    array([[[[2. , 2.5]]]])
    """
    options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
    out_size, divisors = _averages(x.shape, x.dtype, *options)
    shape = (*x.shape[:2], *out_size)
    if _use_loops(x):
        from .pooling_loops import average_planes

        out = np.empty(shape, x.dtype)
        sizes = (x.shape[2:], out_size, *(tuple(pair) for pair in (kernel, stride, padding)))
        _run(
            average_planes,
            x,
            np.ascontiguousarray(x).reshape(-1),
            divisors.reshape(-1),
            out.reshape(-1),
            *sizes,
        )
        return out
    out = np.zeros(shape, x.dtype)
    padded = _padded(x, out_size, kernel, stride, padding, (1, 1), 0)
    for _, window in _windows(padded, out_size, kernel, stride, (1, 1)):
        out += window
    out /= divisors
    return out


@np.errstate(all="ignore")
def avg_pool2d_gradient(
    g: np.ndarray,
    x_shape: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """Gradient of `avg_pool2d_forward`: each ``g`` over its window's divisor, added to the whole window.

    Raises:
        RuntimeError: as `avg_pool2d_forward`; or ``g`` does not have the shape of its output.

    >>> avg_pool2d_gradient(np.ones((1, 1, 1, 2)), (1, 1, 1, 3), (1, 2), (1, 1), (0, 0))
    array([[[[0.5, 1. , 0.5]]]])
    """
    options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
    out_size, divisors = _averages(x_shape, g.dtype, *options)
    if g.shape != (*x_shape[:2], *out_size):
        raise RuntimeError(
            f"avg_pool2d: the output's gradient has shape {g.shape}, but the output has {(*x_shape[:2], *out_size)}."
        )
    if _use_loops(g):
        from .pooling_loops import spread_planes

        gx = np.zeros(tuple(x_shape), g.dtype)
        sizes = (tuple(x_shape[2:]), out_size, *(tuple(pair) for pair in (kernel, stride, padding)))
        _run(
            spread_planes,
            g,
            np.ascontiguousarray(g).reshape(-1),
            divisors.reshape(-1),
            gx.reshape(-1),
            *sizes,
        )
        return gx
    padded = np.zeros((*x_shape[:2], *_padded_size(x_shape[2:], out_size, kernel, stride, padding, (1, 1))), g.dtype)
    share = g / divisors
    for _, window in _windows(padded, out_size, kernel, stride, (1, 1)):
        window += share
    (top, left), (height, width) = padding, x_shape[2:]
    return np.ascontiguousarray(padded[:, :, top : top + height, left : left + width])


def _averages(
    x_shape: Sequence[int],
    dtype: np.dtype,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool,
    count_include_pad: bool,
    divisor_override: int | None,
) -> tuple[tuple[int, ...], np.ndarray]:
    """The output's spatial sizes, and each window's divisor."""
    if dtype.kind != "f":
        raise RuntimeError(f"avg_pool2d is not implemented for {dtype}; convert the input to a floating-point type.")
    if divisor_override == 0:
        raise RuntimeError("avg_pool2d: divisor_override must not be zero.")
    out_size = pool_output_size(x_shape[2:], kernel, stride, padding, (1, 1), ceil_mode, "avg_pool2d")
    if divisor_override is not None:
        return out_size, np.full(out_size, divisor_override, dtype)
    counts = []
    for size, out, k, s, p in zip(x_shape[2:], out_size, kernel, stride, padding, strict=True):
        start = np.arange(out) * s - p
        border = p if count_include_pad else 0
        counts.append(np.minimum(start + k, size + border) - np.maximum(start, -border))
    return out_size, np.multiply.outer(counts[0], counts[1]).astype(dtype)


def _first(starts: np.ndarray, dilation: int) -> np.ndarray:
    """The first tap, from each of ``starts`` in steps of ``dilation``, that is not before the input."""
    return starts + np.maximum(-(starts // dilation), 0) * dilation


def _padded_size(
    size: Sequence[int],
    out_size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> list[int]:
    """Room for the input with its padding, and for the windows that ``ceil_mode`` lets stand out behind it."""
    windows = zip(size, out_size, kernel, stride, padding, dilation, strict=True)
    return [max(p + n, (o - 1) * s + d * (k - 1) + 1) for n, o, k, s, p, d in windows]


def _padded(
    x: np.ndarray,
    out_size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    value: float,
) -> np.ndarray:
    size = _padded_size(x.shape[2:], out_size, kernel, stride, padding, dilation)
    if tuple(size) == x.shape[2:]:
        return x
    padded = np.full((*x.shape[:2], *size), value, x.dtype)
    (top, left), (height, width) = padding, x.shape[2:]
    padded[:, :, top : top + height, left : left + width] = x
    return padded


def _windows(
    padded: np.ndarray,
    out_size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> Iterator[tuple[tuple[int, ...], np.ndarray]]:
    """Each tap of the kernel, and the view of the elements that the windows have there."""
    for tap in np.ndindex(*kernel):
        starts = [k * d for k, d in zip(tap, dilation, strict=True)]
        y, x = (slice(b, b + (o - 1) * s + 1, s) for b, o, s in zip(starts, out_size, stride, strict=True))
        yield tap, padded[:, :, y, x]


def _use_loops(x: np.ndarray) -> bool:
    return x.dtype in LOOP_DTYPES and jit.use_loops(x.size)


def _run(kernel: Callable[..., None], x: np.ndarray, *arguments: object) -> None:
    planes = x.shape[0] * x.shape[1]
    threads.run(kernel, planes, *arguments, grain=-(-GRAIN * planes // max(x.size, 1)))


def _check_indices(g: np.ndarray, indices: np.ndarray, x_shape: Sequence[int], what: str) -> None:
    if g.shape != indices.shape or g.shape[:2] != tuple(x_shape[:2]):
        raise RuntimeError(
            f"max_pool2d: {what} has shape {g.shape}, the indices {indices.shape} and the input {tuple(x_shape)}; the "
            f"first two must agree, and all three in samples and channels."
        )


def _outside(indices: np.ndarray, x_shape: Sequence[int]) -> IndexError:
    return IndexError(
        f"max_pool2d: indices run from {indices.min()} to {indices.max()}, but a plane of the input {tuple(x_shape)} "
        f"has {prod(x_shape[2:])} elements."
    )
