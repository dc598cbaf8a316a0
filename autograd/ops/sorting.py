"""Order along a dimension: sort, the largest elements, medians, quantiles and modes.

Everywhere NaN counts as larger than all numbers. Gradients go to the places that the results came from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..kernels import jit, selection
from ..rows.dispatch import apply
from ..rows.public import function
from ..rows.results import result_type
from ..rows.table import Array, _, coarse
from ..rows.widening import widened
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim, wrap
from .convert import check_tensor
from .reduce import shared_equally, taken

__all__ = ["argsort", "kthvalue", "median", "mode", "msort", "nanmedian", "nanquantile", "quantile", "sort", "topk"]

SORT, TOPK, KTHVALUE, MODE, MEDIAN, NANMEDIAN = (
    result_type(name, "values indices") for name in ("sort", "topk", "kthvalue", "mode", "median", "nanmedian")
)

RADIX = 32768  # from this length on PyTorch sorts integers digit by digit


def order_along(x: np.ndarray, dim: int, descending: bool = False) -> np.ndarray:
    """Places of the sorted elements along ``dim``; equal ones keep their order."""
    if descending and x.dtype.kind in "iub":
        x, descending = ~x, False
    elif descending and not np.isnan(x).any():
        x, descending = -x, False
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    backwards = np.argsort(np.flip(x, dim), axis=dim, kind="stable")
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def order_like_pytorch(x: np.ndarray, dim: int, descending: bool = False) -> np.ndarray:
    """The same, equal elements in the order in which PyTorch's sort leaves them that need not keep it."""
    n = x.shape[dim]
    if n <= selection.SHORT or (x.ndim == 1 and n >= RADIX and x.dtype.kind in "iu" and not descending):
        return order_along(x, dim, descending)  # insertion sort and radix sort do keep the order
    moved = np.moveaxis(x, dim, -1)
    rows = moved.reshape(-1, n)
    if jit.use_loops(x.size):
        places = _selected(rows, 0, selection.FULL_SORT, descending)
    else:
        places = order_along(rows, 1, descending)
        equal = _has_equal(np.take_along_axis(rows, places, 1))
        if equal.any():
            places[equal] = _selected(rows[equal], 0, selection.FULL_SORT, descending)
    return np.moveaxis(places.reshape(moved.shape), -1, dim)


def _has_equal(ordered: np.ndarray) -> np.ndarray:
    """For each row of sorted elements whether some are equal; NaN equals NaN."""
    a, b = ordered[:, 1:], ordered[:, :-1]
    equal = a == b
    if ordered.dtype.kind == "f":
        equal |= (a != a) & (b != b)
    return equal.any(axis=1)


def _selected(rows: np.ndarray, rank: int, way: int, descending: bool = False) -> np.ndarray:
    """The places in which PyTorch's algorithm arranges rows."""
    keys = _as_integers(rows)
    return selection.selected(~keys if descending else keys, rank, way)


def _as_integers(x: np.ndarray) -> np.ndarray:
    """Integers in the order of the elements, equal where these are; NaN, which equals NaN here, is the largest."""
    if x.dtype.kind != "f":
        return x.astype(np.int64)
    kind = np.dtype(f"i{x.itemsize}")
    largest = np.iinfo(kind).max
    bits = (x + x.dtype.type(0)).view(kind)  # adding makes -0 a 0
    return np.where(np.isnan(x), largest, np.where(bits < 0, bits ^ largest, bits)).astype(np.int64)


def _pick(input: Tensor, dim: int, places: np.ndarray, pair: Any, keepdim: bool = True) -> Any:
    """The pair of the elements at ``places`` and the places, the reduced dimension dropped unless ``keepdim``."""
    name = pair.__name__.capitalize()
    values = apply(taken, (input, dim, places, keepdim, name), {})
    return pair(values, wrap(np.array(places if keepdim else places.squeeze(dim), np.int64, order="C")))


def _of_0d(input: Tensor, pair: Any) -> Any:
    return pair(input.clone(), wrap(np.zeros((), np.int64)))


def _ordered(operator: str, input: Any, error: type[Exception] = RuntimeError) -> np.ndarray:
    """The elements, to be compared: of bfloat16 in float32."""
    x = check_tensor(operator, "input", input)._array
    if x.dtype.kind == "c":
        raise error(f"{operator}(): complex numbers have no order; take .real, .imag or .abs()")
    return widened(x)


def _check_some(operator: str, x: np.ndarray, dim: int) -> None:
    if x.shape[dim] == 0:
        raise IndexError(
            f"{operator}(): Expected reduction dim {dim} to have non-zero size, but input has shape {list(x.shape)}."
        )


# --- Sorting --------------------------------------------------------------------------------------------------------


@function()
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Any:
    """A pair (values, indices): the elements in order along ``dim``, and where they were.

    With ``stable=True`` equal elements keep their order; else they come in the order of PyTorch's faster sort.

    >>> import autograd
    >>> autograd.sort(autograd.tensor([3, 1, 2]), descending=True)
    torch.return_types.sort(
    values=tensor([3, 2, 1]),
    indices=tensor([0, 2, 1]))
    """
    x = _ordered("sort", input)
    at = check_dim("sort", dim, x.ndim)
    if not x.ndim:
        return _of_0d(input, SORT)
    return _pick(input, at, (order_along if stable else order_like_pytorch)(x, at, descending), SORT)


@function()
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool | None = None) -> Tensor:
    """The places of the elements in order along ``dim``: the indices of `sort`.

    >>> import autograd
    >>> autograd.argsort(autograd.tensor([3, 1, 2]))
    tensor([1, 2, 0])
    """
    x = _ordered("argsort", input)
    at = check_dim("argsort", dim, x.ndim)
    if not x.ndim:
        return wrap(np.zeros((), np.int64))
    return wrap(np.ascontiguousarray((order_along if stable else order_like_pytorch)(x, at, descending)))


@function()
def msort(input: Tensor) -> Tensor:
    """The elements in order along the first dimension.

    >>> import autograd
    >>> autograd.msort(autograd.tensor([3, 1, 2]))
    tensor([1, 2, 3])
    """
    return sort(check_tensor("msort", "input", input), 0)[0]


@function()
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    """A pair (values, indices) of the ``k`` largest elements along ``dim``, or the smallest, the best one first.

    Raises:
        RuntimeError: ``k`` out of range, a bool tensor.

    >>> import autograd
    >>> autograd.topk(autograd.tensor([1.0, 5.0, 3.0]), 2).indices
    tensor([1, 2])
    """
    x = _ordered("topk", input)
    at = check_dim("topk", dim, x.ndim)
    n = x.shape[at] if x.ndim else 1
    if not 0 <= k <= n:
        raise RuntimeError(
            f"topk: selected index k out of range: k={k}, dimension {at} of {list(x.shape)} has size {n}"
        )
    if x.dtype.kind == "b":
        raise RuntimeError("topk does not support bool dtypes on CPU; convert with .byte()")
    if not x.ndim:
        return _of_0d(input, TOPK) if k else TOPK(input.reshape(1)[:0], wrap(np.zeros(0, np.int64)))
    return _pick(input, at, _best(x, k, at, largest), TOPK)


FEW = 64  # so few elements are sorted as fast as parted


def _best(x: np.ndarray, k: int, dim: int, largest: bool) -> np.ndarray:
    moved = np.moveaxis(x, dim, -1)
    n = moved.shape[-1]
    if k == 0:
        return np.zeros((*x.shape[:dim], 0, *x.shape[dim + 1 :]), np.int64)
    rows = moved.reshape(-1, n)
    m = min(k + 1, n)  # the next one tells whether there was a choice
    if n <= FEW or m == n:
        places = order_along(rows, 1, largest)[:, :m]
        values = np.take_along_axis(rows, places, 1)
    else:
        parted = np.argpartition(rows, n - m if largest else m - 1, axis=1)
        chosen = parted[:, n - m :] if largest else parted[:, :m]
        values = np.take_along_axis(rows, chosen, 1)
        order = order_along(values, 1, largest)
        places, values = np.take_along_axis(chosen, order, 1), np.take_along_axis(values, order, 1)
    places = places[:, :k]
    if (equal := _has_equal(values)).any():
        # PyTorch's choice between its two ways.
        way = selection.HEAP if k * 64 <= n else selection.INTROSELECT
        places = places.copy()
        places[equal] = _selected(rows[equal], k - 1, way, largest)[:, :k]
    return np.moveaxis(places.reshape(*moved.shape[:-1], k), -1, dim)


# --- One element by its rank ----------------------------------------------------------------------------------------


@function()
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Any:
    """A pair (values, indices): the ``k``-th smallest element along ``dim``, counted from 1.

    Raises:
        RuntimeError: ``k`` out of range.

    >>> import autograd
    >>> autograd.kthvalue(autograd.tensor([4.0, 2.0, 3.0]), 2)
    torch.return_types.kthvalue(
    values=tensor(3.),
    indices=tensor(2))
    """
    x = check_tensor("kthvalue", "input", input)._array
    at = check_dim("kthvalue", dim, x.ndim)
    if x.ndim:
        _check_some("kthvalue", x, at)
    n = x.shape[at] if x.ndim else 1
    if not 1 <= k <= n:
        raise RuntimeError(f"kthvalue(): selected number k={k} out of range for dimension {at} of size {n}")
    if not x.ndim:
        return _of_0d(input, KTHVALUE)
    x = _ordered("kthvalue", input, NotImplementedError)
    if x.dtype.kind == "b":
        raise NotImplementedError("\"kthvalue_cpu\" not implemented for 'Bool'; convert with .byte()")
    moved = np.moveaxis(x, at, -1)
    rows = moved.reshape(-1, n)
    places = np.argpartition(rows, k - 1, axis=1)[:, k - 1 : k]
    value = np.take_along_axis(rows, places, 1)
    several = (np.count_nonzero(rows == value, axis=1) != 1) & (n > 1)  # a NaN equals nothing, not even itself
    if several.any():
        places[several] = _selected(rows[several], k - 1, selection.QUICK)[:, k - 1 : k]
    return _pick(input, at, np.moveaxis(places.reshape(*moved.shape[:-1], 1), -1, at), KTHVALUE, keepdim)


@coarse(latex=r"\text{the middle one of } x", home="", node_name=lambda ignore_nan: f"{'Nan' * ignore_nan}Median")
def middle(x: Array, ignore_nan):
    flat = x.reshape(-1)
    wrong = np.isnan(flat) if flat.dtype.kind == "f" else np.zeros(flat.shape, bool)
    if ignore_nan and not wrong.all():
        flat, wrong = flat[~wrong], wrong[:0]
    if flat.size == 0 or wrong.any():
        return np.full((), np.nan).astype(x.dtype)
    rank = (flat.size - 1) // 2
    return np.asarray(np.partition(flat, rank)[rank])


@middle.gradient("x")
def _(g, x, out):
    return shared_equally(g, x, out)


def _median(name: str, pair: Any, ignore_nan: bool) -> Callable[..., Any]:
    def compute(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
        x = _ordered(name, input, NotImplementedError)
        at = None if dim is None else check_dim(name, dim, x.ndim)
        if at is not None and x.ndim:
            _check_some(name, x, at)
        if x.dtype.kind == "b":
            raise NotImplementedError(f"\"{name}_cpu\" not implemented for 'Bool'; convert with .byte()")
        if at is None:
            return apply(middle, (input, ignore_nan), {})
        if not x.ndim:
            return _of_0d(input, pair)
        return _pick(input, at, _middle_places(x, at, ignore_nan), pair, keepdim)

    compute.__name__ = name
    rule = "NaN is left out" if ignore_nan else "where there is a NaN, that"
    compute.__doc__ = f"""The lower median: the element of rank ``(n - 1) // 2``; {rule}.

    Of all elements; along ``dim`` a pair (values, indices).

    Raises:
        IndexError: no elements along ``dim``.

    >>> import autograd
    >>> autograd.{name}(autograd.tensor([4.0, 1.0, 2.0, 3.0]))
    tensor(2.)
    """
    return function()(compute)


def _middle_places(x: np.ndarray, dim: int, ignore_nan: bool) -> np.ndarray:
    n = x.shape[dim]
    wrong = np.isnan(x) if x.dtype.kind == "f" else None
    if wrong is None or not wrong.any():
        rank = (n - 1) // 2
        value = np.take(np.partition(x, rank, axis=dim), [rank], axis=dim)
        # Of equal elements the one that a stable sort would put there.
        before = np.count_nonzero(x < value, axis=dim, keepdims=True)
        return np.argmax(np.cumsum(x == value, axis=dim) > rank - before, axis=dim, keepdims=True)
    left = n - np.count_nonzero(wrong, axis=dim, keepdims=True)
    ranks = np.maximum(left - 1, 0) // 2
    middle = np.take_along_axis(order_along(x, dim), ranks, dim)
    return middle if ignore_nan else np.where(left < n, np.argmax(wrong, axis=dim, keepdims=True), middle)


median = _median("median", MEDIAN, False)
nanmedian = _median("nanmedian", NANMEDIAN, True)


@function()
def mode(input: Tensor, dim: int = -1, keepdim: bool = False) -> Any:
    """A pair (values, indices): the most frequent element along ``dim``, of several the smallest, at its last place.

    >>> import autograd
    >>> autograd.mode(autograd.tensor([3, 1, 1, 3, 2])).values
    tensor(1)
    """
    at = check_dim("mode", dim, check_tensor("mode", "input", input)._array.ndim)
    if not input._array.ndim:
        return _of_0d(input, MODE)
    x = _ordered("mode", input, NotImplementedError)
    _check_some("mode", x, at)
    moved = np.moveaxis(x, at, -1)
    n = moved.shape[-1]
    rows = moved.reshape(-1, n)
    order = order_like_pytorch(rows, 1)
    ordered = np.take_along_axis(rows, order, 1)
    # The number of equal elements up to each place reaches its maximum first at the end of the winning run.
    starts = np.ones(rows.shape, bool)
    starts[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    steps = np.arange(n)
    lengths = steps - np.maximum.accumulate(np.where(starts, steps, 0), axis=1)
    winner = np.argmax(lengths, axis=1, keepdims=True)
    places = np.take_along_axis(order, winner, 1).reshape(*moved.shape[:-1], 1)
    return _pick(input, at, np.moveaxis(places, -1, at), MODE, keepdim)


# --- Quantiles ------------------------------------------------------------------------------------------------------

LARGEST = 2**24  # ranks of longer dimensions have no exact float32


def _quantile(name: str, ignore_nan: bool) -> Callable[..., Tensor]:
    def compute(
        input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear"
    ) -> Tensor:
        return _interpolated(name, input, q, dim, keepdim, interpolation, ignore_nan)

    compute.__name__ = name
    rule = "NaN is left out" if ignore_nan else "NaN where there is one"
    compute.__doc__ = f"""The ``q``-quantiles of all elements or along ``dim``; {rule}.

    The quantile has the rank ``q * (n - 1)`` among the sorted elements; between two of them ``interpolation`` decides.

    Args:
        q: a number from 0 to 1, or a 1-D tensor of several, whose dimension comes first in the result.
        interpolation: ``"linear"``, ``"lower"``, ``"higher"``, ``"midpoint"`` or ``"nearest"``.

    Raises:
        RuntimeError: no elements, not float32 or float64, ``q`` out of range, an unknown interpolation.

    >>> import autograd
    >>> autograd.{name}(autograd.tensor([0.0, 1.0, 2.0, 3.0]), 0.5)
    tensor(1.5000)
    """
    return function()(compute)


def _interpolated(
    name: str, input: Tensor, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Tensor:
    x = check_tensor(name, "input", input)._array
    _check_quantile(name, x, q, interpolation)
    levels = q if isinstance(q, Tensor) else wrap(np.asarray(q, x.dtype))
    at = None if dim is None else check_dim(name, dim, x.ndim)
    rows = input.reshape(-1) if at is None else input.movedim(at, -1) if x.ndim else input.reshape(1)
    n = rows._array.shape[-1]
    if n > LARGEST:
        raise RuntimeError(f"{name}() input tensor is too large: {n} elements along the dimension, at most {LARGEST}")
    ordered = sort(rows, -1, stable=True)[0]
    wrong = np.isnan(ordered._array)
    last = n - 1 - np.count_nonzero(wrong, axis=-1, keepdims=True) if ignore_nan else np.asarray(n - 1)
    ranks = levels.reshape(-1) * wrap(np.maximum(last, 0).astype(x.dtype))
    if not ignore_nan and wrong.any():  # sorted to the end
        ranks = ranks.masked_fill(wrap(wrong.any(axis=-1, keepdims=True)), n - 1)
    ranks = ranks.expand((*rows._array.shape[:-1], ranks._array.shape[-1]))
    rounded = {"lower": Tensor.floor, "higher": Tensor.ceil, "nearest": Tensor.round}.get(interpolation)  # type: ignore[attr-defined]
    ranks = ranks if rounded is None else rounded(ranks)
    below = ranks.detach().long()
    result = ordered.gather(-1, below)
    if rounded is None:
        weights = ranks - below.to(ranks.dtype) if interpolation == "linear" else ranks.new_full((), 0.5)
        result = result.lerp(ordered.gather(-1, ranks.detach().ceil().long()), weights.expand(result.shape))
    result = result.movedim(-1, 0) if levels._array.ndim else result.squeeze(-1)
    if not keepdim:
        return result
    lead = tuple(levels.shape)
    if at is None or not x.ndim:
        return result.reshape(lead + (1,) * x.ndim)
    return result.unsqueeze(at + len(lead))


def _check_quantile(name: str, x: np.ndarray, q: Any, interpolation: str) -> None:
    if x.size == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty, but has shape {list(x.shape)}")
    if x.dtype.kind != "f" or x.itemsize < 4:
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype, but got {type_name(x.dtype)}")
    if isinstance(q, Tensor):
        if q._array.ndim > 1:
            raise RuntimeError(f"{name}() q must be a scalar or 1D tensor, but got shape {list(q.shape)}")
        if q._array.dtype != x.dtype:
            raise RuntimeError(
                f"{name}() q tensor must be same dtype as the input tensor: {type_name(x.dtype)}, but got {q.dtype}"
            )
    elif not isinstance(q, (int, float, np.number)):
        raise TypeError(f"{name}(): argument 'q' must be float or Tensor, not {type(q).__name__}")
    if interpolation not in ("linear", "lower", "higher", "midpoint", "nearest"):
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    values = q._array if isinstance(q, Tensor) else np.asarray(q)
    if not ((values >= 0) & (values <= 1)).all():
        raise RuntimeError(f"{name}() q values must be in the range [0, 1], but got {values.tolist()}")


quantile, nanquantile = _quantile("quantile", False), _quantile("nanquantile", True)
