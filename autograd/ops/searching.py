"""Distinct values, places in sorted sequences, membership, counts and histograms: nothing here has a gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..dtypes import from_numpy_dtype, promote_numpy
from ..kernels.halves import FLOATING
from ..rows.dispatch import NUMBERS
from ..rows.public import TORCH, function
from ..rows.results import result_type
from ..rows.widening import widened
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim, wrap
from .convert import check_tensor

__all__ = [
    "bincount", "bucketize", "histc", "histogram", "histogramdd", "isin", "searchsorted", "unique",
    "unique_consecutive",
]  # fmt: skip

HISTOGRAM, HISTOGRAMDD = (result_type(name, "hist bin_edges") for name in ("histogram", "histogramdd"))


# --- Distinct values ------------------------------------------------------------------------------------------------


@function()
def unique(
    input: Tensor, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False,
    dim: int | None = None,
) -> Any:  # fmt: skip
    """The distinct elements in ascending order, or the distinct slices along ``dim``. Each NaN is distinct.

    Args:
        return_inverse: also for each element the place of its value in the result.
        return_counts: also how often each value occurs.

    >>> import autograd
    >>> autograd.unique(autograd.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))
    """
    return _distinct("unique", input, dim, return_inverse, return_counts, True)


@function()
def unique_consecutive(
    input: Tensor, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements, or the slices along ``dim``, without those that equal the one before.

    >>> import autograd
    >>> autograd.unique_consecutive(autograd.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    return _distinct("unique_consecutive", input, dim, return_inverse, return_counts, False)


def _distinct(operator: str, input: Tensor, dim: int | None, inverse: bool, counts: bool, ordering: bool) -> Any:
    x = check_tensor(operator, "input", input)._array
    if x.dtype.kind == "c":
        raise NotImplementedError(f"\"{operator}\" not implemented for '{type_name(x.dtype)}'; take .real and .imag")
    if dim is None:
        rows, rest = x.reshape(-1, 1), None
    else:
        at = check_dim(operator, dim, x.ndim)
        if not x.ndim:
            raise IndexError(f"{operator}: Dimension specified as {dim} but tensor has no dimensions")
        moved = np.moveaxis(x, at, 0)
        rest = moved.shape[1:]
        if 0 in rest:
            raise RuntimeError(
                f"{operator}: There are 0 sized dimensions in {list(x.shape)}, and they aren't selected, so unique "
                "cannot be applied"
            )
        rows = moved.reshape(len(moved), math.prod(rest))
    order = None
    if ordering and (inverse or rows.shape[1] != 1):
        order = np.argsort(rows[:, 0], kind="stable") if rows.shape[1] == 1 else np.lexsort(rows.T[::-1])
        ordered = rows[order]
    else:  # values alone are sorted in a fraction of the time
        ordered = np.sort(rows, axis=0) if ordering else rows
    starts = np.ones(len(ordered), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    values = ordered[starts]
    values = values[:, 0].copy() if rest is None else np.moveaxis(values.reshape(-1, *rest), 0, at)
    results = [wrap(values)]
    if inverse:
        groups = np.cumsum(starts) - 1
        places = np.empty(len(rows), np.int64)
        places[slice(None) if order is None else order] = groups
        results.append(wrap(places.reshape(x.shape) if rest is None else places))
    if counts:
        results.append(wrap(np.diff(np.append(np.flatnonzero(starts), len(rows)))))
    return tuple(results) if len(results) > 1 else results[0]


# --- Places in sorted sequences -------------------------------------------------------------------------------------


@function(method=False, arguments={"input": "self"})
def searchsorted(
    sorted_sequence: Tensor, self: Any, *, out_int32: bool = False, right: bool = False, side: str | None = None,
    sorter: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Where to insert values into a sorted sequence so that it stays sorted: before equal elements, or behind them.

    Args:
        sorted_sequence: one sequence, or one in each row, with the leading dimensions of ``input``.
        input: values, a tensor or a number.
        out_int32: indices as int32 instead of int64.
        right: behind equal elements; the same as ``side="right"``.
        sorter: places that sort an unsorted sequence, of its shape.

    Raises:
        RuntimeError: shapes or dtypes that do not match, ``side`` and ``right`` that contradict each other.

    >>> import autograd
    >>> autograd.searchsorted(autograd.tensor([1, 3, 5]), autograd.tensor([3, 6]), right=True)
    tensor([2, 3])
    """
    return _places("searchsorted", sorted_sequence, self, out_int32, right, side, sorter)


@function(method=False, arguments={"self": "input"})
def bucketize(input: Any, boundaries: Tensor, *, out_int32: bool = False, right: bool = False) -> Tensor:
    """The bucket of each value: `searchsorted` with one sequence of ``boundaries``.

    >>> import autograd
    >>> autograd.bucketize(autograd.tensor([1, 4]), autograd.tensor([1, 3, 5]))
    tensor([0, 2])
    """
    if check_tensor("bucketize", "boundaries", boundaries)._array.ndim != 1:
        raise RuntimeError(f"bucketize: boundaries tensor must be 1 dimension, but got {list(boundaries.shape)}")
    return _places("bucketize", boundaries, input, out_int32, right, None, None)


def _places(
    operator: str, sequence: Tensor, values: Any, out_int32: bool, right: bool, side: str | None, sorter: Tensor | None
) -> Tensor:
    edges = check_tensor(operator, "sorted_sequence", sequence)._array
    number = isinstance(values, NUMBERS)
    v = np.asarray(values) if number else check_tensor(operator, "input", values)._array
    if side not in (None, "left", "right"):
        raise RuntimeError(f"{operator}(): side can only be 'left' or 'right' but got {side}")
    if side == "left" and right:
        raise RuntimeError(f"{operator}(): side and right can't be set to opposites, got side of left while right=True")
    if edges.ndim == 0:
        raise RuntimeError(f"{operator}(): the sequence should have at least 1 dimension, but got a 0-d tensor")
    if v.ndim == 0 and edges.ndim != 1:
        raise RuntimeError(
            f"{operator}(): input value can be a scalar only when boundaries tensor dimension is 1, but its shape is "
            f"{list(edges.shape)}"
        )
    if edges.ndim != 1 and (edges.ndim != v.ndim or edges.shape[:-1] != v.shape[:-1]):
        raise RuntimeError(
            f"{operator}(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor "
            f"and input value tensor must match, but we got {list(edges.shape)} and {list(v.shape)}"
        )
    if v.size and (edges.dtype.kind + v.dtype.kind == "bb" or "c" in (edges.dtype.kind, v.dtype.kind)):
        raise NotImplementedError(f'"{operator}_out_cpu" not implemented for bool and complex numbers')
    order = None
    if sorter is not None:
        order = check_tensor(operator, "sorter", sorter)._array
        if order.shape != edges.shape:
            raise RuntimeError(
                f"{operator}(): boundary and sorter must have the same size, but got boundary tensor "
                f"{list(edges.shape)} and got sorter tensor {list(order.shape)}"
            )
        if order.dtype != np.int64:
            raise RuntimeError(f"{operator}(): sorter must be a tensor of long dtype but got dtype {sorter.dtype}")
        if order.size and (order.min() < 0 or order.max() >= edges.shape[-1]):
            raise RuntimeError(f"{operator}(): sorter index out of range: a place outside of 0..{edges.shape[-1] - 1}")
        edges = np.take_along_axis(edges, order, -1)
    found = _bisect(widened(edges), widened(v), right or side == "right")
    return wrap(np.asarray(found, np.int32 if out_int32 else np.int64))


def _bisect(edges: np.ndarray, v: np.ndarray, behind: bool) -> np.ndarray:
    """Where to insert ``v`` before or ``behind`` equal elements. Nothing is larger than NaN: it goes behind all."""
    n = edges.shape[-1]
    with_nan = any(array.dtype.kind == "f" and np.isnan(array).any() for array in (edges, v))
    if edges.ndim == 1 and not with_nan:
        return np.asarray(np.searchsorted(edges, v, "right" if behind else "left"))
    low, high = np.zeros(v.shape, np.int64), np.full(v.shape, n)
    for _step in range(n.bit_length()):
        middle = (low + high) // 2
        place = np.minimum(middle, n - 1)
        item = edges[place] if edges.ndim == 1 else np.take_along_axis(edges, place, -1)
        further = (low < high) & ~(item > v if behind else item >= v)
        low, high = np.where(further, middle + 1, low), np.where(further | (low >= high), high, middle)
    return low


@function(method=False, arguments={"element": "elements", "test_element": "test_elements"})
def isin(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Tensor:
    """For each element whether it is one of ``test_elements``, or with ``invert`` whether it is none of them.

    Raises:
        RuntimeError: bool elements.
        TypeError: two numbers.

    >>> import autograd
    >>> autograd.isin(autograd.tensor([1, 2, 3]), autograd.tensor([3, 1]))
    tensor([ True, False,  True])
    """
    if isinstance(elements, NUMBERS) and isinstance(test_elements, NUMBERS):
        raise TypeError("isin(): at least one of elements and test_elements must be a Tensor, but got two numbers")
    a, b = (
        np.asarray(given) if isinstance(given, NUMBERS) else check_tensor("isin", name, given)._array
        for name, given in (("elements", elements), ("test_elements", test_elements))
    )
    for array in (a, b):
        if array.dtype.kind in "bc":
            raise RuntimeError(f"Unsupported input type encountered for isin(): {type_name(array.dtype)}")
    kind = promote_numpy(a.dtype, b.dtype)
    return wrap(np.asarray(np.isin(a.astype(kind), b.astype(kind), assume_unique=False, invert=invert)))


# --- Counts ---------------------------------------------------------------------------------------------------------


@function()
def bincount(input: Tensor, weights: Tensor | None = None, minlength: int = 0) -> Tensor:
    """How often each of the numbers 0, 1, ... occurs, or the sum of its ``weights``.

    Raises:
        RuntimeError: not one dimension, a negative number, weights of another length.

    >>> import autograd
    >>> autograd.bincount(autograd.tensor([0, 2, 2]), minlength=4)
    tensor([1, 0, 2, 0])
    """
    x = check_tensor("bincount", "input", input)._array
    if x.dtype.kind not in "iu":
        raise NotImplementedError(f"\"bincount_cpu\" not implemented for '{type_name(x.dtype)}'; convert with .long()")
    if x.ndim != 1 or (x.size and x.min() < 0):
        what = f"shape {list(x.shape)}" if x.ndim != 1 else f"the number {x.min()}"
        raise RuntimeError(f"bincount only supports 1-d non-negative integral inputs, but got {what}.")
    if minlength < 0:
        raise RuntimeError(f"bincount: minlength should be >= 0, but got {minlength}")
    if weights is None:
        return wrap(np.bincount(x.astype(np.int64), None, minlength))
    w = check_tensor("bincount", "weights", weights)._array
    if w.shape != x.shape:
        raise RuntimeError(
            f"bincount: weights should be 1-d and have the same length as input {list(x.shape)}, but got "
            f"{list(w.shape)}"
        )
    sums = np.bincount(x.astype(np.int64), w.astype(np.float64), minlength)
    return wrap(sums.astype(np.float32 if w.dtype == np.float32 else np.float64))


@function()
def histc(input: Tensor, bins: int = 100, min: float = 0, max: float = 0) -> Tensor:
    """How many elements fall into each of ``bins`` equal bins from ``min`` to ``max``.

    Elements outside are not counted. Where ``min`` equals ``max``, the smallest and largest element take their place.

    Raises:
        RuntimeError: no bins, ``max`` below ``min``, a range that is not finite.

    >>> import autograd
    >>> autograd.histc(autograd.tensor([1.0, 2.0, 1.0]), bins=4, min=0, max=3)
    tensor([0., 2., 1., 0.])
    """
    x = check_tensor("histc", "input", input)._array
    if x.dtype.kind not in FLOATING:
        raise NotImplementedError(
            f"\"histogram_cpu\" not implemented for '{type_name(x.dtype)}'; convert with .float()"
        )
    if bins <= 0:
        raise RuntimeError(f"histc(): bins must be > 0, but got {bins}")
    low, high = float(min), float(max)
    if low == high and x.size:
        low, high = float(x.min()), float(x.max())
    if low == high:
        low, high = low - 1, high + 1
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"histc(): range of [{low}, {high}] is not finite")
    if high < low:
        raise RuntimeError(f"histc(): max must be larger than min, but got min={min} and max={max}")
    inside = x[(x >= low) & (x <= high)]
    kind = x.dtype.type
    place = ((inside - kind(low)) * kind(bins) / (kind(high) - kind(low))).astype(np.int64)
    return wrap(np.bincount(np.minimum(place, bins - 1), minlength=bins).astype(x.dtype))


# --- Histograms -----------------------------------------------------------------------------------------------------


@function()
def histogram(
    input: Tensor, bins: Any = 100, *, range: Sequence[float] | None = None, weight: Tensor | None = None,
    density: bool = False,
) -> Any:  # fmt: skip
    """A pair (hist, bin_edges) of the elements' histogram; the last bin includes its right edge.

    Args:
        bins: their number, or a 1-D tensor of ascending edges.
        range: the outer edges where ``bins`` is a number; of the elements themselves by default.
        weight: what each element counts, in ``input``'s shape; 1 by default.
        density: divides by the total and by the widths, so that the integral is 1.

    >>> import autograd
    >>> autograd.histogram(autograd.tensor([1.0, 2.0, 1.0]), bins=4, range=(0.0, 3.0)).hist
    tensor([0., 2., 1., 0.])
    """
    x = check_tensor("histogram", "input", input)._array
    w = None if weight is None else check_tensor("histogram", "weight", weight)._array
    if w is not None and w.shape != x.shape:
        raise RuntimeError(
            f"histogram(): if weight tensor is provided it should have the same shape as the input tensor: "
            f"{list(x.shape)}, but got {list(w.shape)}"
        )
    given = bins if isinstance(bins, (Tensor, *NUMBERS)) else tuple(bins)
    given = given[0] if isinstance(given, tuple) and len(given) == 1 else given
    hist, edges = _histogram("histogram", x.reshape(-1, 1), [given], range, None if w is None else w.ravel(), density)
    return HISTOGRAM(wrap(hist), wrap(edges[0]))


@function(method=False)
def histogramdd(
    input: Tensor, bins: Any, range: Sequence[float] | None = None, weight: Tensor | None = None, density: bool = False
) -> Any:
    """A pair (hist, bin_edges) of the histogram of points, whose coordinates lie along the last dimension.

    Args:
        bins: the number of bins in all dimensions, or for each dimension a number, or a tensor of ascending edges.
        range: for each dimension the outer edges, one after the other; of the points themselves by default.
        weight: what each point counts; 1 by default.
        density: divides by the total and by the volumes, so that the integral is 1.

    >>> import autograd
    >>> autograd.histogramdd(autograd.tensor([[0.0, 1.0], [1.0, 0.0]]), bins=[2, 2]).hist
    tensor([[0., 1.],
            [1., 0.]])
    """
    x = check_tensor("histogramdd", "input", input)._array
    if x.ndim < 2:
        raise RuntimeError(f"histogramdd(): input tensor should have at least 2 dimensions, but got {list(x.shape)}")
    w = None if weight is None else check_tensor("histogramdd", "weight", weight)._array
    if w is not None and w.shape != x.shape[:-1]:
        raise RuntimeError(
            f"histogramdd(): if weight tensor is provided it should have the same shape as the input tensor excluding "
            f"its innermost dimension: {list(x.shape[:-1])}, but got {list(w.shape)}"
        )
    each = list(bins) if isinstance(bins, (tuple, list)) else [bins] * x.shape[-1]
    points = x.reshape(-1, x.shape[-1])
    hist, edges = _histogram("histogramdd", points, each, range, None if w is None else w.ravel(), density)
    return HISTOGRAMDD(wrap(hist), tuple(wrap(edge) for edge in edges))


def _histogram(
    operator: str, points: np.ndarray, bins: list[Any], range: Sequence[float] | None, weight: np.ndarray | None,
    density: bool,
) -> tuple[np.ndarray, list[np.ndarray]]:  # fmt: skip
    """Counts and edges of the bins along each column of ``points``."""
    kind, count = points.dtype, points.shape[1]
    if kind.kind != "f" or (kind.itemsize < 4 and range is None and not isinstance(bins[0], Tensor)):
        raise NotImplementedError(f"\"{operator}\" not implemented for '{type_name(kind)}'; convert with .float()")
    if len(bins) != count:
        raise RuntimeError(
            f"{operator}(): expected {count} sequences of bin edges, one for each dimension, but got {len(bins)}"
        )
    if weight is not None and weight.dtype != kind:
        raise RuntimeError(
            f"{operator}(): if weight tensor is provided, input tensor and weight tensor should have the same dtype, "
            f"but got input({type_name(kind)}), and weight({type_name(weight.dtype)})"
        )
    edges = _bin_edges(operator, points, bins, range)
    inside = np.ones(len(points), bool)
    places = []
    for column, edge in zip(points.T, edges, strict=True):
        place = np.searchsorted(edge, column, "right") - 1
        place[column == edge[-1]] = len(edge) - 2
        inside &= (column >= edge[0]) & (column <= edge[-1])
        places.append(place)
    shape = tuple(len(edge) - 1 for edge in edges)
    flat = np.ravel_multi_index([place[inside] for place in places], shape)
    counted = None if weight is None else weight[inside].astype(np.float64)
    hist = np.bincount(flat, counted, math.prod(shape)).reshape(shape).astype(kind)
    if density:
        hist = hist / hist.sum(dtype=kind)
        for i, edge in enumerate(edges):
            hist = hist / np.diff(edge).reshape([-1 if d == i else 1 for d in np.arange(count)])
    return hist, edges


def _bin_edges(operator: str, points: np.ndarray, bins: list[Any], range: Sequence[float] | None) -> list[np.ndarray]:
    kind = points.dtype
    if isinstance(bins[0], Tensor):
        edges = [check_tensor(operator, "bins", each)._array for each in bins]
        for i, edge in enumerate(edges):
            if edge.ndim != 1 or edge.size < 2:
                raise RuntimeError(
                    f"{operator}(): bins tensor for dimension {i} should have one dimension and at least two "
                    f"elements, but got shape {list(edge.shape)}"
                )
            if edge.dtype != kind:
                raise RuntimeError(
                    f"{operator}(): input tensor and bins tensors should have the same dtype, but got input with dtype "
                    f"{type_name(kind)} and bins for dimension {i} with dtype {type_name(edge.dtype)}"
                )
        return [edge.copy() for edge in edges]
    for i, number in enumerate(bins):
        if not isinstance(number, (int, np.integer)):
            raise TypeError(f"{operator}(): argument 'bins' must be int or Tensor, not {type(number).__name__}")
        if number <= 0:
            raise RuntimeError(f"{operator}(): bins must be > 0, but got {number} for dimension {i}")
    if range is not None:
        if len(range) != 2 * len(bins):
            raise RuntimeError(
                f"{operator}(): for a {len(bins)}-dimensional histogram range should have {2 * len(bins)} "
                f"elements, but got {len(range)}"
            )
        low, high = np.asarray(range[::2], kind), np.asarray(range[1::2], kind)
    elif points.size:
        low, high = points.min(axis=0), points.max(axis=0)
    else:
        low, high = np.zeros(len(bins), kind), np.ones(len(bins), kind)
    for i, (left, right) in enumerate(zip(low, high, strict=True)):
        if not (math.isfinite(left) and math.isfinite(right)):
            raise RuntimeError(f"{operator}(): dimension {i}'s range [{left}, {right}] is not finite")
        if left > right:
            raise RuntimeError(
                f"{operator}(): min should not exceed max, but got min {left} max {right} for dimension {i}"
            )
    flat = low == high
    low, high = np.where(flat, low - kind.type(0.5), low), np.where(flat, high + kind.type(0.5), high)
    linspace, dtype = TORCH["linspace"], from_numpy_dtype(kind)
    return [
        linspace(float(left), float(right), number + 1, dtype=dtype)._array
        for left, right, number in zip(low, high, bins, strict=True)
    ]
