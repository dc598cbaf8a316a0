"""Linear maps along single axes: each output is a weighted sum of a few inputs of its row.

Interpolation and adaptive averages are such maps, one for each axis, and the gradient of each is the transposed map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, lru_cache
from math import prod

import numpy as np

from . import jit, threads

__all__ = ["AxisMap", "cubic_map", "filter_map", "linear_map", "mean_map", "nearest_map", "resample", "resample_bytes"]

GRAIN = 16384  # elements worth a thread
KEPT = 64  # maps of each kind; a network asks for the same ones in every step
LOOP_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))


class AxisMap:
    """A sparse matrix by rows: ``y[i] = Σ weights[k] x[places[k]]`` for ``k`` from ``bounds[i]`` to ``bounds[i + 1]``.

    >>> AxisMap(2, np.array([0, 2, 3]), np.array([0, 1, 1]), np.array([0.5, 0.5, 1.0])).transposed.places
    array([0, 0, 1])
    """

    def __init__(self, inputs: int, bounds: np.ndarray, places: np.ndarray, weights: np.ndarray) -> None:
        self.inputs, self.bounds, self.places, self.weights = inputs, bounds, places, weights

    @property
    def outputs(self) -> int:
        return len(self.bounds) - 1

    @cached_property
    def picks(self) -> bool:
        """Whether each output is one of the inputs."""
        return len(self.weights) == self.outputs and bool(
            (np.diff(self.bounds) == 1).all() and (self.weights == 1).all()
        )

    def _rows(self) -> np.ndarray:
        """The output of each weight."""
        return np.repeat(np.arange(self.outputs), np.diff(self.bounds))

    def rounded(self) -> tuple[AxisMap, int]:
        """The map in integers of 16 bits, one weight for each pair of output and input, and by how many bits they are
        shifted."""
        pairs, which = np.unique(self._rows() * self.inputs + self.places, return_inverse=True)
        weights = np.bincount(which, self.weights)
        bits = next(p for p in range(23) if p == 22 or int(0.5 + weights.max() * (1 << (p + 1))) >= 1 << 15)
        bounds = np.searchsorted(pairs, np.arange(self.outputs + 1) * self.inputs)
        scaled = np.trunc(weights * (1 << bits) + np.copysign(0.5, weights)).astype(np.int32)
        return AxisMap(self.inputs, bounds, pairs % self.inputs, scaled), bits

    @cached_property
    def transposed(self) -> AxisMap:
        """The map back, from outputs to inputs."""
        rows = self._rows()
        order = np.argsort(self.places, kind="stable")
        bounds = np.zeros(self.inputs + 1, np.int64)
        np.cumsum(np.bincount(self.places, minlength=self.inputs), out=bounds[1:])
        return AxisMap(self.outputs, bounds, rows[order], self.weights[order])


# --- Maps ----------------------------------------------------------------------------------------------------------


def _dense(inputs: int, places: np.ndarray, weights: np.ndarray) -> AxisMap:
    """A map in which all outputs have as many inputs: (outputs, taps)."""
    bounds = np.arange(len(places) + 1) * places.shape[1]
    return AxisMap(inputs, bounds, places.reshape(-1), weights.reshape(-1))


def _ranges(inputs: int, first: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For outputs that each see a range of inputs: bounds, places, and the output of each place."""
    bounds = np.concatenate([[0], np.cumsum(counts)])
    rows = np.repeat(np.arange(len(first)), counts)
    return bounds, np.arange(bounds[-1]) - bounds[rows] + first[rows], rows


@lru_cache(KEPT)
def mean_map(inputs: int, outputs: int) -> AxisMap:
    """Means over regions that cover the axis evenly: ``i`` reaches from ``⌊i n / m⌋`` to ``⌈(i + 1) n / m⌉``.

    >>> mean_map(3, 2).weights
    array([0.5, 0.5, 0.5, 0.5])
    """
    i = np.arange(outputs)
    first = i * inputs // outputs if outputs else i
    counts = -(-(i + 1) * inputs // outputs) - first if outputs else i
    bounds, places, rows = _ranges(inputs, first, counts)
    return AxisMap(inputs, bounds, places, 1.0 / counts[rows])


@lru_cache(KEPT)
def nearest_map(inputs: int, outputs: int, scale: float, dtype: np.dtype, exact: bool) -> AxisMap:
    """The input at, or with ``exact`` nearest to, ``scale`` times each output's place.

    Args:
        scale: inputs for each output.
        dtype: in which the places are computed, which decides where two inputs are equally near.
    """
    i = np.arange(outputs).astype(dtype)
    places = ((i + dtype.type(0.5)) * dtype.type(scale) if exact else i * dtype.type(scale)).astype(np.float32)
    places = np.minimum(np.floor(places).astype(np.int64), inputs - 1)
    return _dense(inputs, places[:, None], np.ones((outputs, 1)))


def _centers(outputs: int, scale: float, dtype: np.dtype, align_corners: bool) -> np.ndarray:
    """The place of each output among the inputs."""
    i, step, half = np.arange(outputs).astype(dtype), dtype.type(scale), dtype.type(0.5)
    return i * step if align_corners else (i + half) * step - half


@lru_cache(KEPT)
def linear_map(inputs: int, outputs: int, scale: float, dtype: np.dtype, align_corners: bool) -> AxisMap:
    """Linear interpolation between the two nearest inputs."""
    at = np.maximum(_centers(outputs, scale, dtype, align_corners), 0)
    at = np.arange(outputs).astype(dtype) if inputs == outputs else at
    left = np.minimum(at.astype(np.int64), inputs - 1)
    right = np.clip(at - left.astype(dtype), 0, 1)
    places = np.stack([left, np.minimum(left + 1, inputs - 1)], axis=1)
    return _dense(inputs, places, np.stack([1 - right, right], axis=1))


@lru_cache(KEPT)
def cubic_map(inputs: int, outputs: int, scale: float, dtype: np.dtype, align_corners: bool) -> AxisMap:
    """Cubic convolution of the four nearest inputs (Keys, 1981; A = -0.75), the edges repeated."""
    at = _centers(outputs, scale, dtype, align_corners)
    left = np.floor(at)
    part = np.clip(at - left, 0, 1)[:, None]
    offsets = np.arange(-1, 3)
    places = np.clip(left.astype(np.int64)[:, None] + offsets, 0, inputs - 1)
    return _dense(inputs, places, _cubic(part - offsets.astype(dtype), -0.75))


def _triangle(x: np.ndarray) -> np.ndarray:
    return np.maximum(1 - np.abs(x), 0)


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = (((x - 5) * x + 8) * x - 4) * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0))


def _lanczos(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0)


# Name -> (what is at distance x, up to which distance it is not 0).
FILTERS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], int]] = {
    "bilinear": (_triangle, 1),
    "bicubic": (lambda x: _cubic(x, -0.5), 2),
    "lanczos": (_lanczos, 3),
}


@lru_cache(KEPT)
def filter_map(inputs: int, outputs: int, scale: float, dtype: np.dtype, name: str) -> AxisMap:
    """Interpolation by a filter that grows with ``scale``, so that shrinking an image averages: anti-aliasing."""
    weigh, reach = FILTERS[name]
    step = dtype.type(scale)
    stretch = max(step, dtype.type(1))
    support = dtype.type(reach) * stretch
    centers = (np.arange(outputs).astype(dtype) + dtype.type(0.5)) * step
    first = np.maximum((centers - support + dtype.type(0.5)).astype(np.int64), 0)
    last = np.minimum((centers + support + dtype.type(0.5)).astype(np.int64), inputs)
    bounds, places, rows = _ranges(inputs, first, last - first)
    weights = weigh((places - centers[rows] + dtype.type(0.5)) / stretch)
    return AxisMap(inputs, bounds, places, weights / np.bincount(rows, weights, outputs)[rows])


# --- Their application -----------------------------------------------------------------------------------------------


@np.errstate(all="ignore")
def resample(x: np.ndarray, maps: Sequence[AxisMap]) -> np.ndarray:
    """``x`` with one map applied along each of its last axes; halves are added up in single precision.

    >>> resample(np.array([[1., 2., 6.]]), [mean_map(3, 1)])
    array([[3.]])
    """
    steps = [(axis - len(maps), each) for axis, each in enumerate(maps)]
    # What shrinks comes first: the less work for the others.
    steps.sort(key=lambda step: step[1].outputs / max(step[1].inputs, 1))
    kind = x.dtype
    for axis, each in steps:
        if each.picks:
            x = np.take(x, each.places, axis)
        else:
            x = _along(x.astype(np.float32) if x.dtype == np.float16 else x, axis, each)
    return x.astype(kind, copy=False)


def resample_bytes(x: np.ndarray, maps: Sequence[AxisMap]) -> np.ndarray:
    """`resample` of integers from 0 to 255, rounded after each axis, the last one first, as PyTorch and Pillow do.

    >>> resample_bytes(np.array([[10, 21]], np.uint8), [mean_map(2, 1)])
    array([[16]], dtype=uint8)
    """
    for axis, each in zip(range(-1, -len(maps) - 1, -1), reversed(maps), strict=True):
        if not each.picks:
            whole, bits = each.rounded()
            sums = _along(x.astype(np.int32), axis, whole) + (1 << (bits - 1))
            x = np.clip(sums >> bits, 0, 255).astype(np.uint8)
        else:
            x = np.take(x, each.places, axis)
    return x


def _along(x: np.ndarray, axis: int, each: AxisMap) -> np.ndarray:
    shape = list(x.shape)
    shape[axis] = each.outputs
    outer, inner = prod(shape[:axis]), prod(shape[axis:][1:])
    if x.dtype in LOOP_DTYPES and jit.use_loops(max(x.size, prod(shape))):
        from .resample_loops import map_rows

        out = np.empty(shape, x.dtype)
        threads.run(
            map_rows, outer, np.ascontiguousarray(x).reshape(-1), out.reshape(-1), each.inputs, inner,
            each.bounds, each.places, each.weights.astype(x.dtype),
            grain=-(-GRAIN * outer // max(x.size, out.size, 1)),
        )  # fmt: skip
        return out
    rows = x.reshape(outer, each.inputs, inner)
    out, counts = np.zeros((outer, each.outputs, inner), x.dtype), np.diff(each.bounds)
    weights = each.weights.astype(x.dtype)[:, None]
    for tap in range(int(counts.max(initial=0))):
        longer = slice(None) if tap < counts.min() else counts > tap
        at = each.bounds[:-1][longer] + tap
        out[:, longer] += rows[:, each.places[at]] * weights[at]
    return out.reshape(shape)
