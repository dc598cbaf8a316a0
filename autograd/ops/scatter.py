"""Scatters that reduce, and flat indexing: rarer relatives of what `index` holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..kernels.scatter import reduce_at
from ..rows.dispatch import apply, broadcast_shape
from ..rows.public import function
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim, wrap
from .convert import check_tensor, number_array
from .index import check_places, check_range, check_scatter, check_slices, index, index_array, index_write, nonzero
from .shape import expand, reshape

__all__ = ["index_reduce", "multiplied", "put", "scatter_reduce", "take", "take_along_dim"]

REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@coarse(latex=r"\operatorname{reduce}_{jk \mapsto i} (x_i, y_{jk})", home="", node_name="ScatterReduce")
def scatter_reduced(x: Array, y: Array, dim, places, reduce, include_self):
    return reduce_at(x, y, dim, places, reduce, include_self)


@scatter_reduced.gradient("x", "y")
def _(g, x, y, out, dim, places, reduce, include_self):
    gather, add, write = TABLE["gather_along"], TABLE["scatter_write"], TABLE["scatter_write"]
    zero, one = np.zeros(()), np.ones(())
    covered = y if tuple(y.shape) == places.shape else _covered(y, places.shape)
    if reduce == "prod":
        to_x, to_y = _of_product(g, x, covered, out, dim, places, include_self)
    else:
        if reduce == "sum":
            to_x, shares = g, g
        elif reduce == "mean":
            start = _.blank(x) + 1 if include_self else _.blank(x)
            count = add(start, one, dim, places, True)
            shares = g / _.where(count == 0, 1.0, count)
            to_x = shares
        else:  # elements that are the extremum share its gradient
            own = _.to(x == out, x.dtype)
            given = _.to(covered == gather(out, dim, places), x.dtype)
            shares = g / add(own, given, dim, places, True)
            to_x = own * shares
        to_y = gather(shares, dim, places)
        if reduce in ("amax", "amin"):
            to_y = given * to_y
    if not include_self:
        to_x = write(to_x, zero, dim, places)
    if tuple(to_y.shape) != tuple(y.shape):
        to_y = _padded(to_y, y.shape)
    return to_x, to_y


def _covered(y: Any, shape: tuple[int, ...]) -> Any:
    """The part of ``y`` that the index covers."""
    return TABLE["slice_view"](y, tuple(slice(0, n) for n in shape))


def _padded(g: Any, shape: Any) -> Any:
    from .index import pad_to

    return pad_to(g, shape)


def _of_product(g: Any, x: Any, y: Any, out: Any, dim: int, places: np.ndarray, include_self: bool) -> tuple[Any, Any]:
    """Gradients of a product: those of the other factors, also where one of them is 0.

    A single 0 among the ``y`` of a place is replaced by 1 in a product of its own; of several, each has the others.
    """
    gather = TABLE["gather_along"]
    others = scatter_reduced(_.blank(x) + 1, y, dim, places, "prod", True)
    zeros = _.to(y == 0, y.dtype)
    count = gather(TABLE["scatter_write"](_.blank(x), zeros, dim, places, True), dim, places)
    single = _.logical_and(y == 0, count == 1)
    without = scatter_reduced(x, _.where(single, 1.0, y), dim, places, "prod", include_self)
    at_zero = gather(g * without, dim, places)
    elsewhere = gather(g * out, dim, places) / _.where(y == 0, 1.0, y)
    return g * others, _.where(single, at_zero, elsewhere)


def _scatter_reduced(
    input: Tensor, dim: int, places: np.ndarray, src: Tensor, reduce: str, include_self: bool
) -> Tensor:
    if not places.size:
        return input.clone()
    if not input.ndim or not places.ndim or not src.ndim:  # a scalar is one element
        single = input.clone().reshape(-1)  # with a place of its own in memory: what is saved of it stays as it is
        flat = _scatter_reduced(single, 0, places.reshape(-1), src.reshape(-1), reduce, include_self)
        return flat.reshape(input.shape)
    return apply(scatter_reduced, (input, src, dim, places, reduce, include_self), {})


@function(inplace=True)
def scatter_reduce(
    input: Tensor, dim: int, index: Tensor, src: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` in which ``src[i][j]`` is combined into ``[index[i][j]][j]`` (for ``dim=0``).

    Args:
        input: shape of the result.
        dim: the dimension along which the index counts.
        index: int32 or int64, no larger than ``src``, nor than ``input`` along the other dimensions.
        src: of ``input``'s dtype.
        reduce: ``"sum"``, ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` take part where something is combined.

    Raises:
        RuntimeError: another ``reduce``, dtypes that differ, or an index that does not fit.

    >>> import autograd
    >>> x, places = autograd.tensor([1.0, 2.0]), autograd.tensor([0, 0, 1])
    >>> x.scatter_reduce(0, places, autograd.tensor([5.0, 3.0, 1.0]), "amax")
    tensor([5., 2.])
    """
    if reduce not in REDUCTIONS:
        raise RuntimeError(f"scatter_reduce: reduce argument must be one of {', '.join(REDUCTIONS)}, got {reduce!r}")
    check_tensor("scatter_reduce", "src", src)
    at, places = check_scatter("scatter_reduce", input, dim, index, src)
    if reduce == "mean" and input._array.dtype.kind == "b":
        raise NotImplementedError("scatter_reduce: \"mean\" not implemented for 'Bool'; convert with .float()")
    if reduce in ("amax", "amin") and input.is_complex():
        raise NotImplementedError(
            f'scatter_reduce: "{reduce}" not implemented for complex numbers, which have no order'
        )
    return _scatter_reduced(input, at, places, src, reduce, include_self)


def multiplied(input: Tensor, dim: int, index: Tensor, src: Any) -> Tensor:
    """``scatter(reduce="multiply")``."""
    if not isinstance(src, Tensor):
        value = number_array(src, input._array.dtype, "scatter")
        src = wrap(np.broadcast_to(value, index.shape))
    at, places = check_scatter("scatter", input, dim, index, src)
    return _scatter_reduced(input, at, places, src, "prod", True)


@function(inplace=True)
def index_reduce(
    input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str, *, include_self: bool = True
) -> Tensor:
    """A copy of ``input`` in which the slices of ``source`` along ``dim`` are combined into those at ``index``.

    Args:
        input: shape of the result.
        dim: the dimension of the slices.
        index: one int32 or int64 place for each slice of ``source``.
        source: of ``input``'s dtype, and of its shape but for ``dim``.
        reduce: ``"prod"``, ``"mean"``, ``"amax"`` or ``"amin"``.
        include_self: whether the elements of ``input`` take part where something is combined.

    Raises:
        IndexError: an index out of range, or of two and more dimensions.
        RuntimeError: another ``reduce``, or dtypes or shapes that do not fit.

    >>> import autograd
    >>> autograd.ones(2).index_reduce(0, autograd.tensor([0, 0]), autograd.tensor([2.0, 3.0]), "prod")
    tensor([6., 1.])
    """
    if reduce not in REDUCTIONS[1:]:
        raise RuntimeError(f"index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got {reduce}.")
    kind = check_tensor("index_reduce", "input", input)._array.dtype.kind
    refused = (kind == "b" and reduce == "mean") or (kind == "c" and reduce in ("amax", "amin"))
    if refused or (kind in "bc" and input.ndim < 2):
        raise NotImplementedError(
            f"\"index_reduce\" with reduce={reduce!r} not implemented for '{type_name(input._array.dtype)}'"
        )
    at, places = check_slices("index_reduce", input, dim, index, source, "int32/int64", RuntimeError)
    check_range("index_reduce", places, input.shape[at] if input.ndim else 1, at, 0, IndexError)
    if input.ndim:
        places = np.broadcast_to(places.reshape(-1, *[1] * (input.ndim - 1 - at)), source.shape)
    return _scatter_reduced(input, at, places, source, reduce, include_self)


# --- By the number of the element -----------------------------------------------------------------------------------


def _check_flat(operator: str, input: Tensor, places: np.ndarray) -> None:
    n = check_tensor(operator, "input", input).numel()
    if places.size and not n:
        raise IndexError(f"{operator}(): index of shape {list(places.shape)} into an empty tensor {list(input.shape)}")
    if places.size and (places.min() < -n or places.max() >= n):
        wrong = places[(places < -n) | (places >= n)].flat[0]
        raise IndexError(f"{operator}(): out of range: tried to access index {wrong} on a tensor of {n} elements.")


@function()
def take(input: Tensor, index: Tensor) -> Tensor:
    """The elements at the places in ``index``, which counts through ``input`` as if it had one dimension.

    Raises:
        IndexError: a place out of range.
        RuntimeError: the index is not int64.

    >>> import autograd
    >>> autograd.tensor([[1, 2], [3, 4]]).take(autograd.tensor([0, -1]))
    tensor([1, 4])
    """
    places = index_array("take", index, "int64")
    _check_flat("take", input, places)
    return apply(_index, (apply(reshape, (input, (-1,)), {}), (places,)), {})


_index = index


@function(inplace=True)
def put(input: Tensor, index: Tensor, source: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``source`` at the places in ``index``, which counts as if there was one dimension.

    Args:
        input: any shape.
        index: int64, any shape.
        source: as many elements as ``index`` has.
        accumulate: add to what is there.

    Raises:
        IndexError: a place out of range, or another number of elements.
        RuntimeError: the index is not int64, or the dtypes differ.

    >>> import autograd
    >>> autograd.zeros(2, 2).put(autograd.tensor([1, 2]), autograd.tensor([5.0, 6.0]))
    tensor([[0., 5.],
            [6., 0.]])
    """
    places = index_array("put", index, "int64")
    if check_tensor("put", "source", source).dtype is not input.dtype:
        raise RuntimeError(f"put(): self and source expected to have the same dtype: {input.dtype}, {source.dtype}")
    if source.numel() != places.size:
        raise IndexError(
            f"put(): Expected source and index to have the same number of elements, but got source.numel() = "
            f"{source.numel()}, index.numel() = {places.size}"
        )
    _check_flat("put", input, places)
    flat, values = apply(reshape, (input, (-1,)), {}), apply(reshape, (source, (-1,)), {})
    written = apply(index_write, (flat, values, (places.reshape(-1),), accumulate), {})
    return apply(reshape, (written, tuple(input.shape)), {})


@function()
def take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Tensor:
    """`gather` for indices that broadcast with ``input`` along the other dimensions, such as ``argsort`` gives.

    Args:
        input: any shape.
        indices: int64; of as many dimensions as ``input``.
        dim: the dimension along which they count; without it both are taken as flat.

    Raises:
        RuntimeError: indices that are not int64, do not broadcast or lie out of range.

    >>> import autograd
    >>> x = autograd.tensor([[3, 1, 2]])
    >>> autograd.take_along_dim(x, autograd.tensor([[1, 2, 0]]), dim=1)
    tensor([[1, 2, 3]])
    """
    places = index_array("take_along_dim", indices, "int64")
    if dim is None:
        input, places, dim = apply(reshape, (input, (-1,)), {}), places.reshape(-1), 0
    if type(dim) is int and input.ndim != places.ndim:
        raise RuntimeError(
            "take_along_dim(): input and indices should have the same number of dimensions, but got "
            f"{input.ndim} dimensions for input, and {places.ndim} dimensions for indices"
        )
    at = check_dim("take_along_dim", dim, input.ndim)
    if not input.ndim:
        return apply(TABLE["gather_along"], (input, 0, places), {})
    own, wanted = list(input.shape), list(places.shape)
    own[at] = wanted[at] = 1
    common = broadcast_shape(TABLE["where"], [np.broadcast_to(np.False_, own), np.broadcast_to(np.False_, wanted)])
    n = input.shape[at]
    wide = apply(expand, (input, (*common[:at], n, *common[at + 1 :])), {})
    places = np.broadcast_to(places, (*common[:at], places.shape[at], *common[at + 1 :]))
    places = np.where(places < 0, places + n, places)
    check_places("take_along_dim", wide._array, at, places, "input")
    return apply(TABLE["gather_along"], (wide, at, places), {})


@function()
def argwhere(input: Tensor) -> Tensor:
    """Places of the elements that are not 0, one row each.

    >>> import autograd
    >>> autograd.argwhere(autograd.tensor([0, 5, 6]))
    tensor([[1],
            [2]])
    """
    return nonzero(input)


@function()
def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """`nonzero` in ``size`` rows: the first ones where there are more, rows of ``fill_value`` where there are fewer.

    >>> import autograd
    >>> autograd.nonzero_static(autograd.tensor([0, 5, 6]), size=3)
    tensor([[ 1],
            [ 2],
            [-1]])
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, but got {size}")
    out = np.full((size, input.ndim), fill_value, np.int64)
    found = nonzero(input)._array[:size]
    out[: len(found)] = found
    return wrap(out)
