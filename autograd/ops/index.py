"""Indexing, reading and writing: ``x[...]``, gather and scatter, selection by masks and index tensors."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes, kernels
from ..kernels.scatter import flat_places
from ..rows.dispatch import NUMBERS, apply, broadcast_shape
from ..rows.public import TORCH, function
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import check_overlap, type_name, write
from ..tensor import Tensor, check_dim, wrap
from .convert import blank, check_tensor, copy_into, number_array, records, set_element
from .shape import expand, reshape, slice_view, unsqueeze

INTEGERS = {"int64": (np.dtype(np.int64),), "int32/int64": (np.dtype(np.int32), np.dtype(np.int64))}


def index_array(operator: str, index: Any, kinds: str = "int32/int64", error: type[Exception] = RuntimeError) -> Any:
    """The array of an index tensor.

    Raises:
        TypeError: not a tensor.
        RuntimeError: (or ``error``) its dtype is none of ``kinds``.
    """
    array = check_tensor(operator, "index", index)._array
    if array.dtype not in INTEGERS[kinds]:
        raise error(f"{operator}(): Expected dtype {kinds} for index, but got {index.dtype}; convert it with .long()")
    return array


def check_range(operator: str, index: np.ndarray, n: int, dim: int, low: int, error: type[Exception]) -> None:
    """Raises ``error`` unless all indices lie from ``low`` to ``n - 1``."""
    if index.size and (index.min() < low or index.max() >= n):
        wrong = index[(index < low) | (index >= n)].flat[0]
        raise error(f"{operator}(): index {wrong} is out of bounds for dimension {dim} with size {n}")


def _warn_of_bytes() -> None:
    warnings.warn(
        "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
        UserWarning,
        stacklevel=4,
    )


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


FEW = 4096  # elements


@coarse(latex=r"x \text{ with } y \text{ at } i", home="", node_name="IndexPut")
def index_write(x: Array, y: Array, indices, accumulate=False):
    places = indices[-1] if indices else None
    if accumulate and isinstance(places, np.ndarray) and places.dtype.kind in "iu" and places.ndim == 1:
        dim = len(indices) - 1
        whole = all(isinstance(item, slice) and item == slice(None) for item in indices[:-1])
        # Measured: adding up slices first is 6 times faster, unless they are few in a large tensor.
        if whole and y.size >= FEW and 4 * y.size >= x.size and y.shape[:dim] == x.shape[:dim] and y.ndim == x.ndim:
            slices = np.moveaxis(y, dim, 0)
            total = kernels.scatter.scatter_add_rows((x.shape[dim], *slices.shape[1:]), places, slices)
            return x + np.moveaxis(total, 0, dim)
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
    from ..rows.nodes import sum_to

    return sum_to(index(g, indices), y_shape)


PLAIN = {int, slice, type(None), type(Ellipsis)}


def _normalize(index: Any) -> tuple[Any, ...]:
    """The index as a tuple, sequences of numbers and tensors as arrays."""
    if isinstance(index, list) and any(isinstance(item, (slice, type(None), type(Ellipsis))) for item in index):
        index = tuple(index)
    items = index if isinstance(index, tuple) else (index,)
    result: list[Any] = []
    for item in items:
        if type(item) in PLAIN:
            result.append(item)
            continue
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
        if isinstance(item, np.ndarray) and item.dtype.name not in ("int64", "int32", "uint8", "bool"):
            raise IndexError(f"tensors used as indices must be long, int, byte or bool tensors, but got {item.dtype}")
        if isinstance(item, np.ndarray) and item.dtype == np.uint8:
            _warn_of_bytes()
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
    used = 0
    for item in items:
        if item is not None and item is not Ellipsis:
            used += item.ndim if isinstance(item, np.ndarray) and item.dtype.kind == "b" else 1
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
            if item.step is not None and int(item.step) <= 0:
                raise ValueError("step must be greater than zero")
            basic.append(slice(*[None if v is None else int(v) for v in (item.start, item.stop, item.step)]))
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
    is_whole = all(item == slice(None) for item in basic)
    if not advanced or not is_whole:
        if is_whole and type(index_) is not slice:
            basic = (Ellipsis,)
        result = apply(slice_view, (self, basic), {})
    return apply(index, (result, advanced), {}) if advanced else result


def setitem(self: Tensor, index_: Any, value: Any) -> None:
    """``self[index] = value``: recorded, also through views, when either side requires grad."""
    if index_ is False:
        return
    basic, advanced = _split_index(self._array.shape, _normalize(Ellipsis if index_ is True else index_))
    if isinstance(value, (np.ndarray, *NUMBERS)):
        dtype = self._array.dtype
        many = isinstance(value, np.ndarray) and value.ndim > 0
        value = wrap(np.asarray(value, dtype) if many else number_array(value, dtype, "fill_"))
    elif not isinstance(value, Tensor):
        raise TypeError(f"can't assign a {type(value).__name__} to a {self.type()}")
    masks = [item for item in advanced if isinstance(item, np.ndarray)]
    fills = value._array.ndim == 0 and len(masks) == 1 and masks[0].dtype.kind == "b"
    if fills:
        _refuse_bytes(index_ if isinstance(index_, tuple) else (index_,))
    if masks and not fills and value.dtype is not self.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{type_name(self._array.dtype)} for the destination and {type_name(value._array.dtype)} for the source."
        )
    if masks:
        check_overlap(self, (value,), "index_put_")
    elif value._array.base is not None and np.may_share_memory(value._array, self._array):
        check_overlap(apply(slice_view, (self, basic), {}), (value,), "copy_")
    if not records(self, value):
        target = self._array[basic if Ellipsis in basic else (*basic, Ellipsis)]
        shape = target[advanced].shape if advanced else target.shape
        operator = "index_put_" if advanced else "copy_"
        set_element(self, target, advanced or (Ellipsis,), _fitting(value._array, shape), operator)
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


def _refuse_bytes(items: Sequence[Any]) -> None:
    if any(isinstance(item, Tensor) and item._array.dtype == np.uint8 for item in items):
        raise RuntimeError("masked_fill_ only supports boolean masks, but got mask with dtype torch.uint8")


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


@function(inplace=True)
def index_put(input: Tensor, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Tensor:
    """A copy of ``input`` with ``values`` at the places given by index tensors; with ``accumulate`` added there.

    Args:
        input: any shape.
        indices: masks, or integer tensors that broadcast together, for the first dimensions.
        values: of ``input``'s dtype; they broadcast to the shape of ``input[indices]``.
        accumulate: add, so that repeated places add up.

    Raises:
        TypeError: ``indices`` or ``values`` are no tensors.
        IndexError: more indices than dimensions, or out of range.
        RuntimeError: ``values`` have another dtype, or do not broadcast.

    >>> import autograd
    >>> x = autograd.zeros(3)
    >>> x.index_put((autograd.tensor([0, 0]),), autograd.ones(2), accumulate=True)
    tensor([2., 0., 0.])
    """
    if isinstance(indices, Tensor) or not isinstance(indices, (tuple, list)):
        raise TypeError(f"index_put(): argument 'indices' must be tuple of Tensors, not {type(indices).__name__}")
    for i, item in enumerate(indices):
        if not isinstance(item, Tensor):
            raise TypeError(f"index_put(): expected Tensor as element {i} in argument 0, but got {type(item).__name__}")
    check_tensor("index_put", "values", values)
    # Integer tensors of one element are indices as well here, and keep their dimension.
    items = [_normalize(item if item.ndim or item._array.dtype.kind == "b" else item.reshape(1))[0] for item in indices]
    places = _split_index(input._array.shape, tuple(items))[1]
    if not accumulate and values.ndim == 0 and len(items) == 1 and items[0].dtype.kind == "b":
        _refuse_bytes(indices)
        values = values.to(input.dtype)
    if values.dtype is not input.dtype:
        raise RuntimeError(
            "Index put requires the source and destination dtypes match, got "
            f"{type_name(input._array.dtype)} for the destination and {type_name(values._array.dtype)} for the source."
        )
    shape = input._array[places].shape
    if values.ndim > len(shape) or any(
        n not in (1, m) for n, m in zip(reversed(values.shape), reversed(shape), strict=False)
    ):
        raise RuntimeError(
            f"shape mismatch: value tensor of shape {list(values.shape)} cannot be broadcast to indexing result of "
            f"shape {list(shape)}"
        )
    return apply(index_write, (input, values, places, accumulate), {})


# --- Along one dimension -------------------------------------------------------------------------------------------


def along(dim: int, places: np.ndarray) -> tuple[np.ndarray, ...]:
    """Index that picks ``places[i, j, ...]`` along ``dim``, not negative, and ``i, j, ...`` along the others."""
    ndim = places.ndim
    return tuple(
        [places if d == dim else np.arange(n).reshape(n, *(1,) * (ndim - d - 1)) for d, n in enumerate(places.shape)]
    )


def check_places(operator: str, x: np.ndarray, dim: int, places: np.ndarray, like: str) -> int:
    """The dimension as a non-negative index, after checks of the shape and range of ``places`` along it.

    Raises:
        RuntimeError: another number of dimensions, larger than ``x`` along another one, or out of range.
    """
    at = check_dim(operator, dim, x.ndim)
    if not places.size:
        return at
    if max(places.ndim, 1) != max(x.ndim, 1):
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
    check_range(operator, places, x.shape[at] if x.ndim else 1, at, 0, RuntimeError)
    return at


def _corner(y: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """The part of ``y`` that an index of ``shape`` takes, in one dimension; a 0-d ``y`` stands for all of it."""
    return y[tuple(slice(0, n) for n in shape)].reshape(-1) if y.ndim else y


@coarse(latex=r"x_{\ldots\, i_{jk}\, \ldots}", home="", node_name="Gather")
def gather_along(x: Array, dim, places):
    if not places.size:
        return np.empty(places.shape, x.dtype)
    if x.ndim == 0 or places.ndim == 0:
        return x.reshape(-1)[places]
    return x[along(dim, places)]


@gather_along.gradient("x")
def _(g, x_shape, dim, places):
    return scatter_add_zeros(g, x_shape, dim, places)


@coarse(latex=r"\sum_{jk \mapsto i} x_{jk}", home="", node_name="ScatterAdd")
def scatter_add_zeros(x: Array, shape, dim, places):
    out = np.zeros(shape, x.dtype)
    if not places.size:
        return out
    if not shape or not places.ndim:
        np.add.at(out.reshape(-1), places.reshape(-1), x.reshape(-1))
    elif places.shape[dim] == 1:
        # One place along the dimension: no two elements meet, and a plain write is many times faster.
        out[along(dim, places)] = x[tuple(slice(0, n) for n in places.shape)]
    else:
        np.add.at(out.reshape(-1), flat_places(shape, dim, places), _corner(x, places.shape))
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
def gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Tensor:
    """``out[i][j] = input[index[i][j]][j]`` for ``dim=0``, and so on for the other dimensions.

    Raises:
        RuntimeError: an index that is no int32 or int64 tensor of ``input``'s number of dimensions, larger than it
            along another dimension, or out of range.

    >>> import autograd
    >>> autograd.gather(autograd.tensor([[1, 2], [3, 4]]), 1, autograd.tensor([[0, 0], [1, 0]]))
    tensor([[1, 1],
            [4, 3]])
    """
    check_tensor("gather", "input", input)
    empty = check_tensor("gather", "index", index)._array.size == 0
    places = index._array if empty else index_array("gather", index)
    return apply(gather_along, (input, check_places("gather", input._array, dim, places, "input"), places), {})


@coarse(
    latex=r"x \text{ with } y \text{ at } i", home="", node_name=lambda y_shape: f"ScatterBackward{0 if y_shape else 1}"
)
def scatter_write(x: Array, y: Array, dim, places, accumulate=False):
    out = x.copy()
    flat, source = flat_places(x.shape, dim, places), _corner(y, places.shape)
    if accumulate:
        np.add.at(out.reshape(-1), flat, source)
    else:
        out.reshape(-1)[flat] = source
    return out


@scatter_write.gradient("x")
def _(g, dim, places, accumulate, y_shape):
    return g if accumulate else scatter_write(g, np.zeros(()), dim, places)


@scatter_write.gradient("y")
def _(g, y_shape, dim, places):
    taken = gather_along(g, dim, places)
    if not y_shape:
        return _.sum(taken)
    return taken if tuple(taken.shape) == tuple(y_shape) else pad_to(taken, y_shape)


def check_scatter(operator: str, input: Tensor, dim: int, index: Tensor, src: Any) -> tuple[int, np.ndarray]:
    """The dimension and the places of a scatter, after checks of all shapes and dtypes.

    Raises:
        RuntimeError: index or ``src`` have another number of dimensions or do not cover the index, another dtype, or
            an index is out of range.
    """
    array = check_tensor(operator, "input", input)._array
    empty = check_tensor(operator, "index", index)._array.size == 0
    places = index._array if empty else index_array(operator, index)
    at = check_places(operator, array, dim, places, "self")
    if not isinstance(src, Tensor):
        return at, places
    if src.dtype is not input.dtype:
        raise RuntimeError(f"{operator}(): Expected self.dtype to be equal to src.dtype: {input.dtype}, {src.dtype}")
    if places.size and max(src.ndim, 1) != max(places.ndim, 1):
        raise RuntimeError(
            f"Index tensor must have the same number of dimensions as src tensor: {operator} got index "
            f"{list(places.shape)} and src {list(src.shape)}"
        )
    if places.size and any(n > m for n, m in zip(places.shape, src._array.shape, strict=False)):
        raise RuntimeError(
            f"Expected index {list(places.shape)} to be no larger than src {list(src.shape)} in {operator}()"
        )
    return at, places


def _scatter(operator: str, input: Tensor, dim: int, index: Tensor, src: Any, accumulate: bool) -> Tensor:
    at, places = check_scatter(operator, input, dim, index, src)
    if not places.size:
        return input.clone()
    if not input.ndim or not places.ndim or (isinstance(src, Tensor) and not src.ndim):  # a scalar is one element
        src = src.reshape(-1) if isinstance(src, Tensor) else src
        single = input.clone().reshape(-1)  # with a place of its own in memory: what is saved of it stays as it is
        return _scatter(operator, single, 0, index.reshape(-1), src, accumulate).reshape(input.shape)
    if not isinstance(src, Tensor):
        src = wrap(number_array(src, input._array.dtype, operator))
    return apply(scatter_write, (input, src, at, places, accumulate), {})


@function(inplace=True)
def scatter(
    input: Tensor, dim: int, index: Tensor, src: Any = None, *, value: Any = None, reduce: str | None = None
) -> Tensor:
    """A copy of ``input`` with ``out[index[i][j]][j] = src[i][j]`` (for ``dim=0``); ``src`` may be a number.

    ``reduce="add"`` adds and ``reduce="multiply"`` multiplies instead.

    >>> import autograd
    >>> autograd.zeros(3).scatter(0, autograd.tensor([0, 2]), 5.0)
    tensor([5., 0., 5.])
    """
    if reduce not in (None, "add", "multiply"):
        raise RuntimeError(f"scatter: reduce argument must be either add or multiply, but got {reduce!r}")
    if src is None:
        src = value.item() if isinstance(value, Tensor) else value
    if not isinstance(src, (Tensor, *NUMBERS, complex)):
        raise TypeError(f"scatter(): argument 'src' must be Tensor or Number, not {type(src).__name__}")
    if reduce is not None and isinstance(src, Tensor):
        warnings.warn(
            "The reduce argument of torch.scatter with Tensor src is deprecated and will be removed in a future "
            "PyTorch release. Use torch.scatter_reduce instead for more reduction options.",
            UserWarning,
            stacklevel=3,
        )
    if reduce == "multiply":
        from .scatter import multiplied

        return multiplied(input, dim, index, src)
    return _scatter("scatter", input, dim, index, src, reduce == "add")


@function(inplace=True)
def scatter_add(input: Tensor, dim: int, index: Tensor, src: Tensor) -> Tensor:
    """A copy of ``input`` with ``src[i][j]`` added at ``[index[i][j]][j]`` (for ``dim=0``)."""
    return _scatter("scatter_add", input, dim, index, check_tensor("scatter_add", "src", src), True)


@coarse(latex=r"x_{\ldots\, i_j\, \ldots}", home="", node_name="IndexSelect")
def select_indices(x: Array, dim, places):
    return np.take(x, places, axis=dim)


@select_indices.gradient("x")
def _(g, x_shape, dim, places):
    return index_add_zeros(g, x_shape, (*[slice(None)] * dim, places))


@function()
def index_select(input: Tensor, dim: int, index: Tensor) -> Tensor:
    """The slices of ``input`` along ``dim`` at the places in the 1-D ``index``.

    Raises:
        IndexError: an index of two and more dimensions, or out of range.
        RuntimeError: it is no int32 or int64 tensor.
    """
    array = check_tensor("index_select", "input", input)._array
    places = np.atleast_1d(index_array("index_select", index))
    if places.ndim != 1:
        raise IndexError(f"index_select(): Index is supposed to be a vector, but got dim: {places.ndim}")
    at = check_dim("index_select", dim, array.ndim)
    if not array.ndim and places.size != 1:
        raise RuntimeError(f"index_select(): Index to scalar can have only 1 value, got {places.size} value(s)")
    check_range("index_select", places, array.shape[at] if array.ndim else 1, at, 0, IndexError)
    return apply(select_indices, (input, at, places), {}) if array.ndim else input.clone()


# --- Masks ---------------------------------------------------------------------------------------------------------


@function(inplace=True)
def masked_fill(input: Tensor, mask: Tensor, value: Any) -> Tensor:
    """``input`` with ``value``, a number or a 0-d tensor, where ``mask`` is True.

    Raises:
        RuntimeError: the mask is not bool, ``value`` has dimensions, or the dtype cannot hold it.

    >>> import autograd
    >>> autograd.masked_fill(autograd.arange(3), autograd.tensor([True, False, True]), 9)
    tensor([9, 1, 9])
    """
    _check_mask("masked_fill_", mask)
    return apply(TABLE["fill_where"], (input, mask, _fill_value("masked_fill_", input, value)), {})


def _check_mask(operator: str, mask: Any) -> None:
    if check_tensor(operator, "mask", mask)._array.dtype.kind != "b":
        raise RuntimeError(f"{operator} only supports boolean masks, but got mask with dtype {mask.dtype}")


def _fill_value(operator: str, input: Tensor, value: Any) -> Tensor:
    """The value that fills places of ``input``, as a 0-d tensor of its dtype."""
    if not isinstance(value, Tensor):
        if not isinstance(value, (*NUMBERS, complex)):
            raise TypeError(f"{operator}(): argument 'value' must be Number or Tensor, not {type(value).__name__}")
        return wrap(number_array(value, input._array.dtype, operator))
    if value._array.ndim:
        raise RuntimeError(
            f"{operator} only supports a 0-dimensional value tensor, but got tensor with {value.ndim} dimension(s)."
        )
    if value.is_complex() and not input.is_complex():
        raise RuntimeError(f"{operator}: value of {value.dtype} cannot be converted to {input.dtype}")
    return value.to(input.dtype)


@function()
def masked_select(input: Tensor, mask: Tensor) -> Tensor:
    """The elements where ``mask`` is True, in one dimension.

    >>> import autograd
    >>> autograd.masked_select(autograd.arange(3), autograd.tensor([True, False, True]))
    tensor([0, 2])
    """
    _check_mask("masked_select", mask)
    shape = broadcast_shape(TABLE["where"], (input._array, mask._array))
    return getitem(input.expand(shape), mask.expand(shape))


@function()
def where(condition: Tensor, input: Any = None, other: Any = None) -> Any:
    """``input`` where ``condition`` is True, else ``other``; with the condition alone, the places where it is True.

    Raises:
        TypeError: one of ``input`` and ``other`` alone.
        RuntimeError: the condition is not bool, or a number that the tensor's integer type cannot hold.

    >>> import autograd
    >>> x = autograd.tensor([-1.0, 2.0])
    >>> autograd.where(x > 0, x, 0.0)
    tensor([0., 2.])
    >>> autograd.where(x > 0)
    (tensor([1]),)
    """
    check_tensor("where", "condition", condition)
    if input is None and other is None:
        return nonzero(condition, as_tuple=True)
    if input is None or other is None:
        raise TypeError("where() takes a condition alone, or with both 'input' and 'other'")
    if condition._array.dtype == np.uint8:
        warnings.warn(
            "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future "
            "version of PyTorch. Use a boolean condition instead.",
            UserWarning,
            stacklevel=3,
        )
        condition = condition.to(dtypes.bool)
    for number, tensor in ((input, other), (other, input)):
        if type(number) is int and isinstance(tensor, Tensor) and tensor._array.dtype.kind in "iu":
            number_array(number, tensor._array.dtype, "where")  # its check
    return apply(TABLE["where"], (condition, input, other), {})


def _where_method(self: Tensor, condition: Tensor, other: Any) -> Tensor:
    """This tensor where ``condition`` is True, else ``other``."""
    return TORCH["where"](condition, self, other)


Tensor.where = _where_method  # type: ignore[attr-defined]


@function()
def nonzero(input: Tensor, *, as_tuple: bool = False) -> Any:
    """Places of the elements that are not 0: one row each, or a tuple with one tensor per dimension.

    >>> import autograd
    >>> autograd.tensor([[0, 3], [5, 0]]).nonzero()
    tensor([[0, 1],
            [1, 0]])
    """
    array = check_tensor("nonzero", "input", input)._array
    if as_tuple:
        return tuple(wrap(places.copy()) for places in np.nonzero(np.atleast_1d(array)))
    count = int(np.count_nonzero(array))
    # PyTorch's rows lie one column after the other.
    out = np.ndarray((count, array.ndim), np.int64, np.empty(count * array.ndim + 1, np.int64), 0, (8, 8 * count))
    for column, places in zip(out.T, np.nonzero(array) if array.ndim else (), strict=True):
        column[...] = places
    return wrap(out)


@coarse(latex=r"x_{ij} \text{ on one side of the diagonal}", home="", node_name=lambda name: name.capitalize())
def triangle(x: Array, name, diagonal):
    return (np.tril if name == "tril" else np.triu)(x, diagonal)


@triangle.gradient("x")
def _(g, name, diagonal):
    return triangle(g, name, diagonal)


def _triangle(name: str, doc: str) -> None:
    def compute(input: Tensor, diagonal: int = 0) -> Tensor:
        if check_tensor(name, "input", input)._array.ndim < 2:
            raise RuntimeError(f"{name}: input tensor must have at least 2 dimensions, but got {list(input.shape)}")
        return apply(triangle, (input, name, diagonal), {})

    compute.__name__, compute.__doc__ = name, doc
    function(inplace=True)(compute)


_triangle("tril", "The lower triangle of matrices, from ``diagonal`` down; zeros above.")
_triangle("triu", "The upper triangle of matrices, from ``diagonal`` up; zeros below.")


# --- Slices along one dimension, written ----------------------------------------------------------------------------


def check_slices(
    operator: str, input: Tensor, dim: int, index: Tensor, source: Tensor, kinds: str, error: type[Exception]
) -> tuple[int, np.ndarray]:
    """The dimension and the places of an operator that writes the slices of ``source``, after all checks.

    Raises:
        IndexError: an index of two and more dimensions; for some operators another number of indices than slices.
        RuntimeError: another dtype, number or shape of the slices.
    """
    places = np.atleast_1d(index_array(operator, index, kinds))
    if places.ndim > 1:
        raise IndexError(f"{operator}(): Index is supposed to be a vector, but got shape {list(index.shape)}")
    at = check_dim(operator, dim, check_tensor(operator, "input", input).ndim)
    if check_tensor(operator, "source", source).dtype is not input.dtype:
        raise RuntimeError(
            f"{operator}(): self and source expected to have the same dtype: {input.dtype}, {source.dtype}"
        )
    own, given = list(input.shape or (1,)), list(source.shape or (1,))
    if not input.ndim and source.ndim and operator != "index_copy":
        raise RuntimeError(f"{operator}(): source of shape {list(source.shape)} must be 0-d as self is")
    if at >= len(given) or given[at] != places.size:
        raise error(
            f"{operator}(): Number of indices ({places.size}) should be equal to source.size({at}): source has shape "
            f"{list(source.shape)}"
        )
    if [*given[:at], *given[at + 1 :]] != [*own[:at], *own[at + 1 :]] or (
        input.ndim and not source.ndim and operator != "index_copy"
    ):
        raise RuntimeError(
            f"{operator}(): source tensor shape must match self tensor shape, excluding the specified dimension {at}. "
            f"Got self.shape = {list(input.shape)} source.shape = {list(source.shape)}"
        )
    return at, places


def _write_slices(input: Tensor, at: int, places: np.ndarray, source: Tensor, accumulate: bool) -> Tensor:
    if not input.ndim:
        return _write_slices(input.clone().reshape(1), 0, places, source.reshape(1), accumulate).reshape(())
    return apply(index_write, (input, source, (*[slice(None)] * at, places), accumulate), {})


@function(inplace=True)
def index_add(input: Tensor, dim: int, index: Tensor, source: Tensor, *, alpha: Any = 1) -> Tensor:
    """A copy of ``input`` with ``alpha`` times the slices of ``source`` added along ``dim`` at places ``index``.

    >>> import autograd
    >>> autograd.zeros(3).index_add(0, autograd.tensor([0, 0, 2]), autograd.ones(3), alpha=2)
    tensor([4., 0., 2.])
    """
    at, places = check_slices("index_add", input, dim, index, source, "int32/int64", RuntimeError)
    error = IndexError if input.ndim < 2 else RuntimeError
    check_range("index_add", places, input.shape[at] if input.ndim else 1, at, 0, error)
    if alpha != 1:
        source = source * wrap(np.asarray(alpha).astype(input._array.dtype))
    return _write_slices(input, at, places, source, True)


@function(inplace=True)
def index_copy(input: Tensor, dim: int, index: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` with its slices along ``dim`` at the places in ``index`` replaced by those of ``source``."""
    at, places = check_slices("index_copy", input, dim, index, source, "int64", IndexError)
    check_range("index_copy", places, input.shape[at] if input.ndim else 1, at, 0, IndexError)
    return _write_slices(input, at, places, source, False)


@function(inplace=True)
def index_fill(input: Tensor, dim: int, index: Tensor, value: Any) -> Tensor:
    """A copy of ``input`` with ``value`` in its slices along ``dim`` at the places in ``index``."""
    places = np.atleast_1d(index_array("index_fill", index, "int64", IndexError))
    if places.ndim > 1:
        raise RuntimeError(f"index_fill(): Index has to be a vector/scalar, but got shape {list(index.shape)}")
    at = check_dim("index_fill", dim, input.ndim)
    n = input.shape[at] if input.ndim else 1
    check_range("index_fill", places, n, at, -n, IndexError)
    chosen = np.zeros(n, np.bool_)
    chosen[places] = True
    chosen = chosen.reshape((-1, *[1] * (input.ndim - 1 - at)) if input.ndim else ())
    return apply(TABLE["fill_where"], (input, wrap(chosen), _fill_value("index_fill_", input, value)), {})


@function(inplace=True)
def masked_scatter(input: Tensor, mask: Tensor, source: Tensor) -> Tensor:
    """A copy of ``input`` in which the elements where ``mask`` is True come from ``source``, in order.

    Raises:
        RuntimeError: the mask is not bool, or ``source`` has another dtype or too few elements.

    >>> import autograd
    >>> x = autograd.arange(3)
    >>> autograd.masked_scatter(x, autograd.tensor([True, False, True]), autograd.tensor([7, 8]))
    tensor([7, 1, 8])
    """
    _check_mask("masked_scatter_", mask)
    if check_tensor("masked_scatter", "source", source).dtype is not input.dtype:
        raise RuntimeError(
            f"masked_scatter: expected self and source to have same dtypes but got {input.dtype} and {source.dtype}"
        )
    shape = broadcast_shape(TABLE["where"], (input._array, mask._array))
    chosen = np.broadcast_to(mask._array, shape)
    count = int(np.count_nonzero(chosen))
    if source._array.size < count:
        raise RuntimeError(
            f"masked_scatter: expected source to hold at least {count} elements, got {source._array.size}"
        )
    values = getitem(apply(reshape, (source, (-1,)), {}), slice(0, count))
    if input._array.shape != shape:
        input = apply(expand, (input, shape), {})
    return apply(index_write, (input, values, (chosen,)), {})


__all__ = [
    "blank", "check_places", "check_range", "check_scatter", "check_slices", "gather", "gather_along", "getitem",
    "index", "index_add_zeros", "index_array", "index_write", "masked_fill", "masked_scatter", "masked_select",
    "nonzero", "pad_to", "scatter_add_zeros", "select_indices", "setitem", "unsqueeze", "where",
]  # fmt: skip
