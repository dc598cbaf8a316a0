"""Indexing, reading and writing: ``x[...]``, gather and scatter, selection by masks and index tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import kernels
from ..tensor import Tensor, check_dim, wrap
from .convert import blank, check_tensor, copy_into, number_array, records, set_element
from .dispatch import NUMBERS, apply, broadcast_shape
from .public import function, inplace
from .shape import reshape, slice_view, unsqueeze
from .table import TABLE, Array, _, coarse
from .writes import type_name, write, write_out


def _as_index(operator: str, index: Any, dim: int | None = None) -> np.ndarray:
    array = index._array if isinstance(index, Tensor) else np.asarray(index)
    if array.dtype.kind not in "iu":
        raise RuntimeError(f"{operator}(): expected an integer index tensor, but got {array.dtype.name}")
    return array


def _check_range(operator: str, index: np.ndarray, n: int, dim: int) -> None:
    if index.size and (index.min() < -n or index.max() >= n):
        wrong = index[(index < -n) | (index >= n)].flat[0]
        raise IndexError(f"{operator}: index {wrong} is out of bounds for dimension {dim} with size {n}")


# --- x[index] ------------------------------------------------------------------------------------------------------


@coarse(latex=r"x_{i_1 i_2 \cdots}", home="", node_name="Index")
def index(x: Array, indices):
    return x[indices]


@index.gradient("x")
def _(g, x_shape, indices):
    return index_add_zeros(g, x_shape, indices)


@coarse(latex=r"\sum_{i \mapsto j} x_i", home="", node_name="IndexPut")
def index_add_zeros(x: Array, shape, indices):
    """Zeros of ``shape`` to which ``x`` was added at ``indices``; repeated places add up."""
    first = indices[0]
    if len(indices) == 1 and isinstance(first, np.ndarray) and first.dtype.kind in "iu":
        return kernels.scatter.scatter_add_rows(shape, first, x)
    out = np.zeros(shape, x.dtype)
    if any(isinstance(i, np.ndarray) and i.dtype.kind in "iu" for i in indices):
        np.add.at(out, indices, x)
    else:
        out[indices] = x
    return out


@index_add_zeros.gradient("x")
def _(g, indices):
    return index(g, indices)


@coarse(latex=r"x \text{ with } y \text{ at } i", home="", node_name="IndexPut")
def index_write(x: Array, y: Array, indices, accumulate=False):
    out = x.copy()
    if accumulate:
        np.add.at(out, indices, y)
    else:
        out[indices] = y
    return out


@index_write.gradient("x")
def _(g, indices, accumulate):
    return g if accumulate else index_write(g, np.zeros(()), indices)


@index_write.gradient("y")
def _(g, y_shape, indices):
    from .nodes import sum_to

    return sum_to(index(g, indices), y_shape)


def _normalize(index: Any) -> tuple[Any, ...]:
    """The index as a tuple, sequences of numbers and tensors as arrays."""
    if isinstance(index, list) and any(isinstance(item, (slice, type(None), type(Ellipsis))) for item in index):
        index = tuple(index)
    items = index if isinstance(index, tuple) else (index,)
    result: list[Any] = []
    for item in items:
        if isinstance(item, Tensor):
            array = item._array
            if array.ndim == 0 and array.dtype.kind in "iu":
                result.append(int(array))
                continue
            item = array
        elif isinstance(item, (list, range)):
            item = np.asarray([i.item() if isinstance(i, Tensor) else i for i in item])
            if item.size == 0:
                item = item.astype(np.int64)
        elif isinstance(item, np.integer):
            item = int(item)
        elif isinstance(item, (bool, np.bool_)):
            item = np.asarray(item)
        elif isinstance(item, np.ndarray) and item.ndim == 0 and item.dtype.kind in "iu":
            item = int(item)
        if isinstance(item, np.ndarray) and item.dtype.kind not in "iub":
            raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, but got {item.dtype}")
        if isinstance(item, np.ndarray) and item.dtype == np.uint8:
            item = item.astype(np.bool_)
        if isinstance(item, str):
            raise TypeError("new(): invalid data type 'str': tensors have no named fields")
        if not isinstance(item, (int, slice, type(None), type(Ellipsis), np.ndarray)):
            raise IndexError(
                "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices "
                f"(got {type(item).__name__})"
            )
        result.append(item)
    return tuple(result)


def _split_index(shape: tuple[int, ...], items: tuple[Any, ...]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """A basic index, then an advanced one on its result: numbers and slices are always applied first.

    Raises:
        IndexError: too many indices, out of range, or a mask of another shape.
        ValueError: a negative step.
    """
    used = sum((item.ndim if item.dtype.kind == "b" else 1) if isinstance(item, np.ndarray) else 1
               for item in items if item is not None and item is not Ellipsis)  # fmt: skip
    if used > len(shape):
        raise IndexError(f"too many indices for tensor of dimension {len(shape)}")
    basic: list[Any] = []
    advanced: list[Any] = []
    dim = 0
    seen_ellipsis = False
    for item in items:
        if item is Ellipsis:
            skipped = 0 if seen_ellipsis else len(shape) - used
            seen_ellipsis = True
            basic += [slice(None)] * skipped
            advanced += [slice(None)] * skipped
            dim += skipped
        elif item is None:
            basic.append(None)
            advanced.append(slice(None))
        elif isinstance(item, np.ndarray):
            if item.dtype.kind == "b":
                for d in range(item.ndim):
                    if item.shape[d] != shape[dim + d]:
                        raise IndexError(
                            f"The shape of the mask {list(item.shape)} at index {d} does not match the shape of the "
                            f"indexed tensor {list(shape)} at index {dim + d}"
                        )
                if item.ndim == 0:
                    basic.append(None)
                    advanced.append(np.zeros(int(bool(item)), np.int64))
                    continue
                basic += [slice(None)] * item.ndim
                dim += item.ndim
            else:
                n = shape[dim]
                if item.size and (item.min() < -n or item.max() >= n):
                    wrong = item[(item < -n) | (item >= n)].flat[0]
                    raise IndexError(f"index {wrong} is out of bounds for dimension {dim} with size {n}")
                basic.append(slice(None))
                dim += 1
            advanced.append(item)
        elif isinstance(item, slice):
            step = 1 if item.step is None else int(item.step)
            if step <= 0:
                raise ValueError("step must be greater than zero")
            basic.append(slice(*(None if v is None else int(v) for v in (item.start, item.stop, item.step))))
            advanced.append(slice(None))
            dim += 1
        else:
            n = shape[dim]
            if not -n <= item < n:
                raise IndexError(f"index {item} is out of bounds for dimension {dim} with size {n}")
            basic.append(item)
            dim += 1
    while advanced and isinstance(advanced[-1], slice):
        advanced.pop()
    return tuple(basic), tuple(advanced)


def getitem(self: Tensor, index_: Any) -> Tensor:
    """``self[index]``: a view for numbers, slices, None and Ellipsis; a copy where a mask or index tensor is used."""
    if type(index_) is int:
        shape = self._array.shape
        if not shape:
            raise IndexError(
                "invalid index of a 0-dim tensor. Use `tensor.item()` in Python to convert a 0-dim tensor to a number"
            )
        if not -shape[0] <= index_ < shape[0]:
            raise IndexError(f"index {index_} is out of bounds for dimension 0 with size {shape[0]}")
        return apply(slice_view, (self, (index_,)), {})
    basic, advanced = _split_index(self._array.shape, _normalize(index_))
    result = self
    if not advanced or any(item != slice(None) for item in basic):
        result = apply(slice_view, (self, basic), {})
    return apply(index, (result, advanced), {}) if advanced else result


def setitem(self: Tensor, index_: Any, value: Any) -> None:
    """``self[index] = value``: recorded, also through views, when either side requires grad."""
    if index_ is False:
        return
    basic, advanced = _split_index(self._array.shape, _normalize(Ellipsis if index_ is True else index_))
    if isinstance(value, (np.ndarray, *NUMBERS)):
        dtype = self._array.dtype
        value = wrap(number_array(value, dtype, "fill_") if np.ndim(value) == 0 else np.asarray(value, dtype))
    elif not isinstance(value, Tensor):
        raise TypeError(f"can't assign a {type(value).__name__} to a {self.type()}")
    masks = [item for item in advanced if isinstance(item, np.ndarray)]
    fills = value._array.ndim == 0 and len(masks) == 1 and masks[0].dtype.kind == "b"
    if masks and not fills and value.dtype is not self.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{type_name(self._array.dtype)} for the destination and {type_name(value._array.dtype)} for the source."
        )
    if not records(self, value):
        target = self._array[basic if Ellipsis in basic else (*basic, Ellipsis)]
        shape = target[advanced].shape if advanced else target.shape
        set_element(self, target, advanced or (Ellipsis,), _fitting(value._array, shape))
        return
    view = apply(slice_view, (self, basic), {}) if any(item != slice(None) for item in basic) else self
    shape = view._array[advanced].shape if advanced else view._array.shape
    fitted = _fitting(value._array, shape)
    if fitted.shape != value._array.shape:
        value = apply(reshape, (value, fitted.shape), {})
    if advanced:
        write(view, apply(index_write, (view, value.to(self.dtype), advanced), {}), "index_put_")
    else:
        write(view, apply(copy_into, (view, value), {}), "copy_")


def _fitting(value: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``value`` without leading dimensions of size 1 that the place does not have."""
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = value[0]
    try:
        np.broadcast_to(value, shape)
    except ValueError:
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(value.shape)} cannot be broadcast to indexing result of "
            f"shape {list(shape)}"
        ) from None
    return value


Tensor.__getitem__ = getitem  # type: ignore[method-assign]
Tensor.__setitem__ = setitem  # type: ignore[method-assign]


@inplace("index_put_")
def index_put_(self: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """Writes ``values`` at the places given by index tensors; with ``accumulate`` adds them."""
    advanced = _split_index(self._array.shape, _normalize(tuple(indices)))[1]
    return apply(index_write, (self, values.to(self.dtype), advanced, accumulate), {})


# --- Along one dimension -------------------------------------------------------------------------------------------


def _along(x: np.ndarray, dim: int, places: np.ndarray) -> tuple[Any, ...]:
    """Index that picks ``places[i, j, ...]`` along ``dim`` and ``i, j, ...`` along the others."""
    grids = list(np.ogrid[tuple(slice(0, n) for n in places.shape)])
    grids[dim] = places
    return tuple(grids)


def _check_gather(operator: str, x: np.ndarray, dim: int, places: np.ndarray, like: str) -> int:
    at = check_dim(operator, dim, x.ndim)
    if places.ndim != x.ndim and not (x.ndim == 0 or places.ndim == 0):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as {like} tensor: {operator} got index "
            f"{list(places.shape)} and {like} {list(x.shape)}"
        )
    for d in range(min(places.ndim, x.ndim)):
        if d != at and places.shape[d] > x.shape[d]:
            raise RuntimeError(
                f"Size does not match at dimension {d} expected index {list(places.shape)} to be no larger than "
                f"{like} {list(x.shape)} apart from dimension {at}"
            )
    n = x.shape[at] if x.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= n):
        wrong = places[(places < 0) | (places >= n)].flat[0]
        raise RuntimeError(f"index {wrong} is out of bounds for dimension {at} with size {n}")
    return at


@coarse(latex=r"x_{\ldots\, i_{jk}\, \ldots}", home="", node_name="Gather")
def gather_along(x: Array, dim, places):
    if x.ndim == 0:
        return np.broadcast_to(x, places.shape).copy()
    return x[_along(x, dim, places)] if places.ndim else x[places][()]


@gather_along.gradient("x")
def _(g, x_shape, dim, places):
    return scatter_add_zeros(g, x_shape, dim, places)


@coarse(latex=r"\sum_{jk \mapsto i} x_{jk}", home="", node_name="ScatterAdd")
def scatter_add_zeros(x: Array, shape, dim, places):
    out = np.zeros(shape, x.dtype)
    if x.ndim == 0 or not shape:
        np.add.at(out.reshape(-1), places.reshape(-1), x.reshape(-1))
        return out
    where = _along(x, dim, places)
    # One place along the dimension: no two elements meet, and a plain write is many times faster.
    if places.shape[dim] == 1:
        out[where] = x[tuple(slice(0, n) for n in places.shape)]
    else:
        np.add.at(out, where, x[tuple(slice(0, n) for n in places.shape)])
    return out


@scatter_add_zeros.gradient("x")
def _(g, x_shape, dim, places):
    taken = gather_along(g, dim, places)
    return taken if taken.shape == tuple(x_shape) else pad_to(taken, x_shape)


def pad_to(x: Any, shape: Sequence[int]) -> Any:
    """``x`` followed by zeros up to ``shape``."""
    from .shape import pad_constant

    widths = [w for n, m in zip(reversed(x.shape), reversed(shape), strict=True) for w in (0, m - n)]
    return pad_constant(x, tuple(widths), 0)


@function()
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False, out: Tensor | None = None) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``, and so on for the other dimensions."""
    places = _as_index("gather", check_tensor("gather", "index", index))
    at = _check_gather("gather", check_tensor("gather", "input", input)._array, dim, places, "input")
    return apply(gather_along, (input, at, places), {})


@coarse(
    latex=r"x \text{ with } y \text{ at } i", home="", node_name=lambda y_shape: f"ScatterBackward{0 if y_shape else 1}"
)
def scatter_write(x: Array, y: Array, dim, places, accumulate=False):
    out = x.copy()
    source = y[tuple(slice(0, n) for n in places.shape)] if y.ndim else y
    if accumulate:
        np.add.at(out, _along(x, dim, places), source)
    else:
        out[_along(x, dim, places)] = source
    return out


@scatter_write.gradient("x")
def _(g, dim, places, accumulate, y_shape):
    return g if accumulate else scatter_write(g, np.zeros(()), dim, places)


@scatter_write.gradient("y")
def _(g, y_shape, dim, places):
    taken = gather_along(g, dim, places)
    if not y_shape:
        return _.sum(taken)
    return taken if taken.shape == tuple(y_shape) else pad_to(taken, y_shape)


def _scatter(operator: str, input: Tensor, dim: int, index: Tensor, src: Any, accumulate: bool) -> Tensor:
    places = _as_index(operator, check_tensor(operator, "index", index))
    at = _check_gather(operator, input._array, dim, places, "self")
    if isinstance(src, Tensor):
        if src.dtype is not input.dtype:
            raise RuntimeError(
                f"{operator}(): Expected self.dtype to be equal to src.dtype: {input.dtype}, {src.dtype}"
            )
        if any(n > m for n, m in zip(places.shape, src._array.shape, strict=False)):
            raise RuntimeError(
                f"Expected index {list(places.shape)} to be no larger than src {list(src.shape)} in {operator}()"
            )
    else:
        src = wrap(np.asarray(src, input._array.dtype))
    return apply(scatter_write, (input, src, at, places, accumulate), {})


@function(inplace=True)
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of ``input`` with ``out[index[i][j]][j] = src[i][j]`` (for ``dim=0``); ``src`` may be a number.

    ``reduce="add"`` adds instead.
    """
    if reduce not in (None, "add"):
        raise RuntimeError(f"scatter: reduce must be 'add' or None, but got {reduce!r}")
    return _scatter("scatter", input, dim, index, value if src is None else src, reduce == "add")


@function(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with ``src[i][j]`` added at ``[index[i][j]][j]`` (for ``dim=0``)."""
    return _scatter("scatter_add", input, dim, index, src, True)


@coarse(latex=r"x_{\ldots\, i_j\, \ldots}", home="", node_name="IndexSelect")
def select_indices(x: Array, dim, places):
    return np.take(x, places, axis=dim)


@select_indices.gradient("x")
def _(g, x_shape, dim, places):
    return index_add_zeros(g, x_shape, (*[slice(None)] * dim, places))


@function()
def index_select(input: Tensor, dim: int, index: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The slices of ``input`` along ``dim`` at the places in the 1-D ``index``."""
    places = np.atleast_1d(_as_index("index_select", check_tensor("index_select", "index", index)))
    if places.ndim != 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, but got dim: {places.ndim}")
    at = check_dim("index_select", dim, input._array.ndim)
    n = input._array.shape[at] if input._array.ndim else 1
    if places.size and (places.min() < 0 or places.max() >= n):
        raise IndexError(f"index_select(): index out of range in self of shape {list(input.shape)} at dimension {at}")
    return apply(select_indices, (input, at, places), {})


# --- Masks ---------------------------------------------------------------------------------------------------------


@function(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``input`` with ``value``, a number or a 0-d tensor, where ``mask`` is True."""
    if check_tensor("masked_fill", "mask", mask)._array.dtype.kind != "b":
        raise RuntimeError(f"masked_fill_ only supports boolean masks, but got mask with dtype {mask.dtype}")
    if isinstance(value, Tensor) and value._array.ndim:
        raise RuntimeError(f"masked_fill only supports a 0-dimensional value tensor, but got {value._array.ndim}-D")
    if isinstance(value, Tensor):
        value = value.to(input.dtype)
    else:
        value = wrap(np.asarray(value, input._array.dtype))
    return apply(TABLE["fill_where"], (input, mask, value), {})


@function()
def masked_select(input: Tensor, mask: Tensor, *, out: Tensor | None = None) -> Tensor:
    """The elements where ``mask`` is True, in one dimension."""
    if check_tensor("masked_select", "mask", mask)._array.dtype.kind != "b":
        raise RuntimeError(f"masked_select: expected a bool mask, but got {mask.dtype}")
    shape = broadcast_shape(TABLE["where"], (input._array, mask._array))
    return getitem(input.expand(shape), mask.expand(shape))


@function()
def where(condition: Tensor, input: Any = None, other: Any = None, *, out: Tensor | None = None) -> Any:
    """``input`` where ``condition`` is True, else ``other``; with the condition alone, the places where it is True."""
    check_tensor("where", "condition", condition)
    if input is None and other is None:
        return tuple(wrap(places) for places in np.nonzero(condition._array))
    return apply(TABLE["where"], (condition, input, other), {})


def _where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """This tensor where ``condition`` is True, else ``other``."""
    return where(condition, self, other)


Tensor.where = _where_method  # type: ignore[attr-defined]


@function()
def nonzero(input: Tensor, *, out: Tensor | None = None, as_tuple: bool = False) -> Any:
    """Places of the elements that are not 0: one row each, or a tuple with one tensor per dimension."""
    array = input._array
    if as_tuple:
        return tuple(wrap(places) for places in np.nonzero(np.atleast_1d(array)))
    return wrap(np.argwhere(array))


@coarse(latex=r"x_{ij} \text{ on one side of the diagonal}", home="", node_name=lambda name: name.capitalize())
def triangle(x: Array, name, diagonal):
    return (np.tril if name == "tril" else np.triu)(x, diagonal)


@triangle.gradient("x")
def _(g, name, diagonal):
    return triangle(g, name, diagonal)


def _triangle(name: str, doc: str) -> None:
    def compute(input: Tensor, diagonal: int = 0, *, out: Tensor | None = None) -> Tensor:
        if check_tensor(name, "input", input)._array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, but got {list(input.shape)}")
        result = apply(triangle, (input, name, diagonal), {})
        return result if out is None else write_out(out, result, name)

    compute.__name__, compute.__doc__ = name, doc
    function(inplace=True)(compute)


_triangle("tril", "The lower triangle of matrices, from ``diagonal`` down; zeros above.")
_triangle("triu", "The upper triangle of matrices, from ``diagonal`` up; zeros below.")

__all__ = ["blank", "gather", "index", "masked_fill", "select_indices", "unsqueeze", "where"]


# --- Slices along one dimension, written ----------------------------------------------------------------------------


def _write_slices(operator: str, input: Tensor, dim: int, index: Tensor, source: Tensor, accumulate: bool) -> Tensor:
    places = np.atleast_1d(_as_index(operator, check_tensor(operator, "index", index)))
    at = check_dim(operator, dim, input._array.ndim)
    _check_range(operator, places, input._array.shape[at] if input._array.ndim else 1, at)
    if source.dtype is not input.dtype:
        raise RuntimeError(
            f"{operator}(): self and source expected to have the same dtype: {input.dtype}, {source.dtype}"
        )
    return apply(index_write, (input, source, (*[slice(None)] * at, places), accumulate), {})


@function(inplace=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of ``input`` with ``alpha`` times the slices of ``source`` added along ``dim`` at places ``index``."""
    return _write_slices("index_add", input, dim, index, source if alpha == 1 else source * alpha, True)


@function(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with its slices along ``dim`` at the places in ``index`` replaced by those of ``source``."""
    return _write_slices("index_copy", input, dim, index, source, False)


@function(inplace=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with ``value`` in its slices along ``dim`` at the places in ``index``."""
    source = value.to(input.dtype) if isinstance(value, Tensor) else wrap(np.asarray(value, input._array.dtype))
    return _write_slices("index_fill", input, dim, index, source, False)


@function(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` in which the elements where ``mask`` is True come from ``source``, in order."""
    chosen = np.broadcast_to(mask._array, input._array.shape)
    count = int(np.count_nonzero(chosen))
    if source._array.size < count:
        raise RuntimeError(
            f"masked_scatter: expected source to hold at least {count} elements, got {source._array.size}"
        )
    values = getitem(apply(reshape, (source, (-1,)), {}), slice(0, count))
    return apply(index_write, (input, values, (chosen,)), {})
