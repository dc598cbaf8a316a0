"""Maximum and average over windows of the last one to three axes, and the average's gradient.

Shapes: ``x`` (N, C, *size), the output (N, C, *out) with ``out = (size + 2 * padding - dilation * (kernel - 1) - 1)
/ stride + 1``, rounded down or, with ``ceil_mode``, up, unless the last window would begin in the padding after the
input. ``kernel``, ``stride``, ``padding`` and ``dilation`` have one integer for each axis of ``size``. The compiled
loops have three axes: the first of fewer have size 1. Sums run in a fixed order whatever the threads do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import reduce
from math import prod

import numpy as np

from . import jit, threads
from .contiguous import contiguous

__all__ = [
    "avg_pool_forward", "avg_pool_gradient", "flat_index", "lowest_of", "max_pool_forward", "pool_output_size",
    "run_on_planes", "three_axes", "use_pooling_loops",
]  # fmt: skip

GRAIN = 16384  # elements worth a thread
LARGEST_PLANE = 1 << 31  # positions in a smaller one are int32

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
        if not 0 <= 2 * pad <= k:
            raise RuntimeError(
                f"{name}: padding {tuple(padding)} must not be negative, nor more than half of kernel_size "
                f"{tuple(kernel)}."
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


def max_pool_forward(
    x: np.ndarray,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """The largest element of each window, and its position in its plane, ``row * W + column``.

    Of equal elements the first one counts, of several NaN the last; padding is never chosen.

    Raises:
        RuntimeError: see `pool_output_size`.

    >>> max_pool_forward(np.array([[[[1., 3., 2.]]]]), (1, 2), (1, 1), (0, 0), (1, 1))
    (array([[[[3., 3.]]]]), array([[[[1, 1]]]], dtype=int32))
    """
    size = x.shape[2:]
    out_size = pool_output_size(size, kernel, stride, padding, dilation, ceil_mode, f"max_pool{len(size)}d")
    shape = (*x.shape[:2], *out_size)
    kind = np.int32 if prod(size) < LARGEST_PLANE else np.int64
    if use_pooling_loops(x) and kind is np.int32:
        from .pooling_loops import max_planes

        out, indices = np.empty(shape, x.dtype), np.empty(shape, kind)
        sizes = (*_loop_sizes(size, out_size, kernel, stride, padding), three_axes(dilation, 1))
        run_on_planes(max_planes, x, contiguous(x).reshape(-1), out.reshape(-1), indices.reshape(-1), *sizes)
        return out, indices
    lowest = lowest_of(x.dtype)
    padded = _padded(x, out_size, kernel, stride, padding, dilation, lowest)
    out = np.full(shape, lowest, x.dtype)
    corners = [np.arange(o) * s - p for o, s, p in zip(out_size, stride, padding, strict=True)]
    indices = np.empty(shape, kind)
    indices[...] = flat_index([_first(c, d) for c, d in zip(corners, dilation, strict=True)], size)
    for tap, window in _windows(padded, out_size, kernel, stride, dilation):
        larger = (window > out) | np.isnan(window)
        where = flat_index([c + k * d for c, k, d in zip(corners, tap, dilation, strict=True)], size)
        np.copyto(out, window, where=larger)
        np.copyto(indices, where, "same_kind", where=larger)
    return out, indices


@np.errstate(all="ignore")
def avg_pool_forward(
    x: np.ndarray,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """The sum of each window over its number of elements; padding counts as 0. Integers are divided as C does.

    Args:
        count_include_pad: whether padding counts among the elements; what ``ceil_mode`` adds behind it never does.
        divisor_override: divides the sum instead of the number of elements.

    Raises:
        RuntimeError: see `pool_output_size`; or ``divisor_override`` is 0.

    >>> avg_pool_forward(np.array([[[[1., 3., 2.]]]]), (1, 2), (1, 1), (0, 0))
    array([[[[2. , 2.5]]]])
    """
    options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
    kind = _sum_dtype(x.dtype)
    out_size, divisors = _averages(x.shape, kind, *options)
    shape = (*x.shape[:2], *out_size)
    if use_pooling_loops(x):
        from .pooling_loops import average_planes

        out = np.empty(shape, x.dtype)
        sizes = _loop_sizes(x.shape[2:], out_size, kernel, stride, padding)
        run_on_planes(average_planes, x, contiguous(x).reshape(-1), divisors.reshape(-1), out.reshape(-1), *sizes)
        return out
    out = np.zeros(shape, kind)
    ones = (1,) * len(out_size)
    padded = _padded(x, out_size, kernel, stride, padding, ones, 0)
    for _, window in _windows(padded, out_size, kernel, stride, ones):
        out += window
    if kind.kind == "f":
        return (out / divisors).astype(x.dtype, copy=False)
    quotient = out // divisors
    return quotient + ((quotient < 0) & (quotient * divisors != out))


@np.errstate(all="ignore")
def avg_pool_gradient(
    g: np.ndarray,
    x_shape: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> np.ndarray:
    """Gradient of `avg_pool_forward`: each ``g`` over its window's divisor, added to the whole window.

    Raises:
        RuntimeError: as `avg_pool_forward`; or ``g`` does not have the shape of its output.

    >>> avg_pool_gradient(np.ones((1, 1, 1, 2)), (1, 1, 1, 3), (1, 2), (1, 1), (0, 0))
    array([[[[0.5, 1. , 0.5]]]])
    """
    options = (kernel, stride, padding, ceil_mode, count_include_pad, divisor_override)
    kind = _sum_dtype(g.dtype)
    out_size, divisors = _averages(x_shape, kind, *options)
    if g.shape != (*x_shape[:2], *out_size):
        raise RuntimeError(
            f"avg_pool{len(out_size)}d: the output's gradient has shape {g.shape}, but the output has "
            f"{(*x_shape[:2], *out_size)}."
        )
    if use_pooling_loops(g):
        from .pooling_loops import spread_planes

        gx = np.empty(tuple(x_shape), g.dtype)
        sizes = _loop_sizes(x_shape[2:], out_size, kernel, stride, padding)
        run_on_planes(spread_planes, g, contiguous(g).reshape(-1), divisors.reshape(-1), gx.reshape(-1), *sizes)
        return gx
    ones = (1,) * len(out_size)
    padded = np.zeros((*x_shape[:2], *_padded_size(x_shape[2:], out_size, kernel, stride, padding, ones)), kind)
    share = g / divisors
    for _, window in _windows(padded, out_size, kernel, stride, ones):
        window += share
    return np.ascontiguousarray(padded[_inner(padding, x_shape[2:])], g.dtype)


def _sum_dtype(dtype: np.dtype) -> np.dtype:
    """Halves are added up in single precision, as PyTorch does."""
    return np.dtype(np.float32) if dtype == np.float16 else dtype


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
    name = f"avg_pool{len(kernel)}d"
    if divisor_override == 0:
        raise RuntimeError(f"{name}: divisor_override must be not zero.")
    out_size = pool_output_size(x_shape[2:], kernel, stride, padding, (1,) * len(kernel), ceil_mode, name)
    if divisor_override is not None:
        return out_size, np.full(out_size, divisor_override, dtype)
    counts = []
    for size, out, k, s, p in zip(x_shape[2:], out_size, kernel, stride, padding, strict=True):
        start = np.arange(out) * s - p
        border = p if count_include_pad else 0
        counts.append(np.minimum(start + k, size + border) - np.maximum(start, -border))
    return out_size, reduce(np.multiply.outer, counts).astype(dtype)


def _first(starts: np.ndarray, dilation: int) -> np.ndarray:
    """The first tap, from each of ``starts`` in steps of ``dilation``, that is not before the input."""
    return starts + np.maximum(-(starts // dilation), 0) * dilation


def flat_index(places: Sequence[np.ndarray], size: Sequence[int]) -> np.ndarray:
    """Numbers of the elements of an array of ``size`` at all combinations of the places along its axes.

    >>> flat_index([np.array([0, 2]), np.array([1])], (3, 4))
    array([[1],
           [9]])
    """
    flat = np.zeros((), np.int64)
    for along, n in zip(places, size, strict=True):
        flat = flat[..., None] * n + along
    return flat


def lowest_of(dtype: np.dtype) -> float:
    """What no element is smaller than."""
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


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
    padded[_inner(padding, x.shape[2:])] = x
    return padded


def _inner(padding: Sequence[int], size: Sequence[int]) -> tuple[slice, ...]:
    """Where the input lies in a padded array."""
    return (slice(None), slice(None), *(slice(p, p + n) for p, n in zip(padding, size, strict=True)))


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
        places = [slice(b, b + (o - 1) * s + 1, s) for b, o, s in zip(starts, out_size, stride, strict=True)]
        at = (slice(None), slice(None), *places)
        yield tap, padded[at]


# --- The way to the compiled loops ---------------------------------------------------------------------------------


def use_pooling_loops(x: np.ndarray) -> bool:
    """Whether pooling of this array is a compiled loop."""
    return x.dtype in LOOP_DTYPES and jit.use_loops(x.size)


def three_axes(values: Sequence[int], missing: int) -> tuple[int, ...]:
    """The numbers of one to three axes as those of three.

    >>> three_axes((4, 5), 1)
    (1, 4, 5)
    """
    return (*(missing,) * (3 - len(values)), *values)


def _loop_sizes(
    size: Sequence[int], out_size: Sequence[int], kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    return (*(three_axes(values, 1) for values in (size, out_size, kernel, stride)), three_axes(padding, 0))


def run_on_planes(kernel: Callable[..., None], x: np.ndarray, *arguments: object) -> None:
    """Calls a loop ``kernel(start, stop, *arguments)`` over the planes (sample, channel) of ``x``."""
    planes = x.shape[0] * x.shape[1]
    threads.run(kernel, planes, *arguments, grain=-(-GRAIN * planes // max(x.size, 1)))
