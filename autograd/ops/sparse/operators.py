"""Which operators know sparse tensors, and what they do with them. Those on two matrices are in `products`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...dtypes import promote_types, result_type
from ...graph import state
from ...rows.table import TABLE
from ...tensor import Tensor, check_dim, wrap
from ..structured import numbers_of
from .tensor import CsrTensor, SparseTensor, at_places, build, flat_places, is_sparse, on_sparse, summed, taken

__all__ = ["coalesced", "placed_sum", "to_coo"]


def to_coo(tensor: SparseTensor) -> SparseTensor:
    """The tensor in coordinate form: itself, or the same values."""
    if not isinstance(tensor, CsrTensor):
        return tensor
    return build(tensor._places, numbers_of(tensor), tensor._size, True)


def placed_sum(places: np.ndarray, values: Tensor, size: Sequence[int]) -> SparseTensor:
    """The sparse tensor with sorted places, in which values of one place are added up."""
    flat = flat_places(places, size)
    if (flat[1:] > flat[:-1]).all():
        return build(places, values, size, True, title="CoalesceBackward0")
    _, first, number = np.unique(flat, return_index=True, return_inverse=True)
    return build(places[:, first], summed(values, number, len(first)), size, True, title="CoalesceBackward0")


def coalesced(tensor: SparseTensor) -> SparseTensor:
    """The tensor with sorted places, none of them twice."""
    return tensor if tensor._coalesced else placed_sum(tensor._places, numbers_of(tensor), tensor._size)


# --- One operand: zero stays zero -------------------------------------------------------------------------------------


def _on_values(name: str) -> None:
    def function(x: SparseTensor, *args: Any) -> SparseTensor:
        x = coalesced(x)
        return x.like(getattr(numbers_of(x), name)(*args))

    on_sparse(name)(function)


_ODD = (
    "abs asin asinh atan atanh ceil deg2rad erf erfinv expm1 floor frac isinf isnan isneginf isposinf log1p rad2deg "
    "relu sgn sign signbit sin sinh sqrt tan tanh trunc conj_physical angle"
)
for _name in _ODD.split():
    _on_values(_name)


@on_sparse("neg")
def _neg(x: SparseTensor) -> SparseTensor:
    return x.like(-numbers_of(x))


@on_sparse("round", "round_to_even")
def _round(x: SparseTensor, decimals: int = 0) -> SparseTensor:
    x = coalesced(x)
    return x.like(numbers_of(x).round(decimals=decimals))


@on_sparse("pow")
def _pow(x: Any, exponent: Any) -> SparseTensor:
    if not is_sparse(x) or is_sparse(exponent) or not exponent > 0:
        raise NotImplementedError("pow() of a sparse tensor takes a positive number as the exponent; use to_dense()")
    x = coalesced(x)
    return x.like(numbers_of(x) ** exponent)


@on_sparse("clone")
def _clone(x: SparseTensor, memory_format: Any = None) -> SparseTensor:
    return x.like(numbers_of(x).clone())


@on_sparse("to")
def _to(x: Any, *args: Any, **kwargs: Any) -> SparseTensor:
    if not is_sparse(x):
        return x.to(args[0].dtype)
    values = numbers_of(x)
    result = values.to(*(wrap(a._numbers) if is_sparse(a) else a for a in args), **kwargs)
    return x if result is values else x.like(result)


@on_sparse("zeros_like", "empty_like")
def _zeros_like(x: SparseTensor, *, dtype: Any = None, **options: Any) -> Any:
    kind = dtypes.to_numpy_dtype(dtype or x.dtype)
    if options.get("layout") is dtypes.strided:
        return wrap(np.zeros(x._size, kind))
    nothing = wrap(np.zeros((0, *x._numbers.shape[1:]), kind))
    starts = np.zeros(x._size[0] + 1, np.int64) if isinstance(x, CsrTensor) else None
    result = build(np.zeros((x.sparse_dim(), 0), np.int64), nothing, x._size, True, starts)
    return result.requires_grad_() if options.get("requires_grad") else result


def _zero_(self: SparseTensor) -> SparseTensor:
    return self.become(_zeros_like(self), "zero_")


SparseTensor.zero_ = _zero_  # type: ignore[attr-defined]


# --- Two operands ----------------------------------------------------------------------------------------------------


def _merged(x: SparseTensor, y: SparseTensor, operator: str) -> SparseTensor:
    """The sum of two sparse tensors, of x's layout."""
    if x._size != y._size:
        raise RuntimeError(
            f"{operator}: expected sizes of 'self' and 'other' to match, but {list(x._size)} != {list(y._size)}"
        )
    if x.layout is not y.layout:
        raise RuntimeError(f"{operator}: expected 'other' to be of layout {x.layout}, but got {y.layout}")
    dtype = promote_types(x.dtype, y.dtype)
    x, y = _to(x, dtype), _to(y, dtype)
    if x._coalesced and y._coalesced and np.array_equal(x._places, y._places):
        return x.like(numbers_of(x) + numbers_of(y))
    places = np.concatenate([x._places, y._places], axis=1)
    values = TABLE["concatenate_along"]([numbers_of(x), numbers_of(y)], 0)
    if not (x._coalesced and y._coalesced):
        return build(places, values, x._size)
    result = placed_sum(places, values, x._size)
    return result.to_sparse_csr() if isinstance(x, CsrTensor) else result


@on_sparse("add")
def _add(x: Any, y: Any, *, alpha: Any = 1, operator: str = "add") -> Any:
    if is_sparse(x) and is_sparse(y):
        return _merged(x, y if alpha == 1 else y * alpha, operator)
    if is_sparse(x):
        raise RuntimeError(f"{operator}(sparse, dense) is not supported. Use {operator}(dense, sparse) instead.")
    if not isinstance(x, Tensor) or x.shape != y.shape:
        raise RuntimeError(
            f"{operator}: expected 'self' and 'other' to have same size, but self has size "
            f"{list(getattr(x, 'shape', []))} while other has size {list(y.shape)} (FYI: dense-sparse addition does "
            "not currently support broadcasting)"
        )
    y = y if alpha == 1 else y * alpha
    if state.push is not None:
        return x + y.to_dense()
    dtype = result_type(x, wrap(y._numbers))
    values = wrap(y._numbers, y._node).to(dtype) if y.dtype is not dtype else wrap(y._numbers, y._node)
    return TABLE["add_at_places"](values, x.to(dtype), y._places)


@on_sparse("sub")
def _sub(x: Any, y: Any, *, alpha: Any = 1) -> Any:
    return _add(x, y, alpha=-alpha, operator="sub")


@on_sparse("mul")
def _mul(x: Any, y: Any) -> SparseTensor:
    if not is_sparse(x):
        x, y = y, x
    if not is_sparse(y):
        if isinstance(y, Tensor) and y.ndim:
            if y.shape != x.shape:
                y = y.expand(x.shape)
            y = at_places(y, x._places)
        return x.like(numbers_of(x) * y)
    if x._size != y._size:
        raise RuntimeError(f"mul operands have incompatible sizes: {list(x._size)} and {list(y._size)}")
    both = isinstance(x, CsrTensor)
    x, y = coalesced(to_coo(x)), coalesced(to_coo(y))
    size = x._size[: x.sparse_dim()]
    _, mine, others = np.intersect1d(
        flat_places(x._places, size), flat_places(y._places, size), assume_unique=True, return_indices=True
    )
    values = taken(numbers_of(x), mine) * taken(numbers_of(y), others)
    result = build(x._places[:, mine], values, x._size, True)
    return result.to_sparse_csr() if both else result


@on_sparse("div")
def _div(x: Any, y: Any, *, rounding_mode: str | None = None) -> SparseTensor:
    if not is_sparse(x) or is_sparse(y) or (isinstance(y, Tensor) and y.ndim):
        raise RuntimeError(
            "Sparse division requires a scalar or zero-dim dense tensor divisor (got shape "
            f"{list(getattr(y, 'shape', []))} for divisor)"
        )
    values = numbers_of(x)
    return x.like(values / y if rounding_mode is None else values.div(y, rounding_mode=rounding_mode))


def _in_place(name: str, compute: Callable[..., Any]) -> None:
    def function(x: Any, *args: Any, **kwargs: Any) -> Any:
        result = compute(x, *args, **kwargs)
        if is_sparse(x):
            return x.become(result if result.dtype is x.dtype else _to(result, x.dtype), name)
        from ...rows.writes import write

        return write(x, result.to_dense() if is_sparse(result) else result, name)

    on_sparse(name)(function)


for _name, _compute in (("add_", _add), ("sub_", _sub), ("mul_", _mul), ("div_", _div)):
    _in_place(_name, _compute)


@on_sparse("copy_")
def _copy_(x: Any, y: Any, non_blocking: bool = False) -> Any:
    if not is_sparse(x) or not is_sparse(y):
        raise RuntimeError("copy_() between dense and sparse Tensors is not implemented; use to_dense() or to_sparse()")
    return x.become(_clone(_to(y, x.dtype)), "copy_")


# --- Dimensions ------------------------------------------------------------------------------------------------------


@on_sparse("permute")
def _permute(x: SparseTensor, dims: Sequence[int]) -> SparseTensor:
    order = [check_dim("permute", d, x.ndim) for d in dims]
    if sorted(order) != list(range(x.ndim)):
        raise RuntimeError(f"permute(sparse): dims {list(dims)} are no permutation of {x.ndim} dimensions")
    x, count = to_coo(x), x.sparse_dim()
    if sorted(order[:count]) != list(range(count)):
        raise RuntimeError("permute(sparse): sparse dimensions cannot be exchanged with dense ones")
    values = numbers_of(x)
    if order[count:] != list(range(count, x.ndim)):
        values = values.permute(0, *(d - count + 1 for d in order[count:]))
    kept = x._coalesced and order[:count] == list(range(count))
    return build(x._places[order[:count]], values, [x._size[d] for d in order], kept)


@on_sparse("transpose", "swapaxes", "swapdims")
def _transpose(x: SparseTensor, dim0: int, dim1: int) -> SparseTensor:
    order = list(range(x.ndim))
    i, j = check_dim("transpose", dim0, x.ndim), check_dim("transpose", dim1, x.ndim)
    order[i], order[j] = order[j], order[i]
    return _permute(x, order)


@on_sparse("t", "numpy_T", "matrix_transpose")
def _t(x: SparseTensor) -> SparseTensor:
    if x.ndim > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 sparse and 0 dense dimensions, but self is {x.ndim}D")
    return _permute(x, list(reversed(range(x.ndim))))


SparseTensor.T = property(_t)  # type: ignore[attr-defined]


@on_sparse("unsqueeze")
def _unsqueeze(x: SparseTensor, dim: int) -> SparseTensor:
    x = to_coo(x)
    dim = check_dim("unsqueeze", dim, x.ndim + 1)
    size = (*x._size[:dim], 1, *x._size[dim:])
    if dim > x.sparse_dim():
        return build(x._places, numbers_of(x).unsqueeze(dim - x.sparse_dim() + 1), size, x._coalesced)
    return build(np.insert(x._places, dim, 0, axis=0), numbers_of(x), size, x._coalesced)


@on_sparse("select", "select_int")
def _select(x: SparseTensor, dim: int, index: int) -> Any:
    x = to_coo(x)
    dim = check_dim("select", dim, x.ndim)
    n = x._size[dim]
    if not -n <= index < n:
        raise IndexError(f"select(): index {index} out of range for tensor of size {list(x._size)} at dimension {dim}")
    size = (*x._size[:dim], *x._size[dim + 1 :])
    if dim >= x.sparse_dim():
        return build(x._places, numbers_of(x).select(dim - x.sparse_dim() + 1, index % n), size, x._coalesced)
    hit = np.flatnonzero(x._places[dim] == index % n)
    values = taken(numbers_of(x), hit)
    if x.sparse_dim() == 1:
        return values.sum(0)
    return build(np.delete(x._places[:, hit], dim, 0), values, size)


@on_sparse("index_select")
def _index_select(x: SparseTensor, dim: int, index: Tensor) -> SparseTensor:
    x = to_coo(x)
    dim = check_dim("index_select", dim, x.ndim)
    wanted = np.where(index._array < 0, index._array + x._size[dim], index._array).astype(np.int64)
    if ((wanted < 0) | (wanted >= x._size[dim])).any():
        raise IndexError(f"index_select(): index out of range for dimension {dim} of size {x._size[dim]}")
    size = (*x._size[:dim], len(wanted), *x._size[dim + 1 :])
    if dim >= x.sparse_dim():
        return build(x._places, numbers_of(x).index_select(dim - x.sparse_dim() + 1, index), size, x._coalesced)
    # For every place the numbers of the wanted indices that are its own, as a range in their sorted order.
    order = np.argsort(wanted, kind="stable")
    low, high = (np.searchsorted(wanted[order], x._places[dim], side) for side in ("left", "right"))
    which = np.repeat(np.arange(len(low)), high - low)
    inside = np.arange(len(which)) - np.repeat(np.cumsum(high - low) - (high - low), high - low)
    places = x._places[:, which]
    places[dim] = order[low[which] + inside]
    return build(places, taken(numbers_of(x), which), size)


@on_sparse("cat", "concatenate_along", "concat", "concatenate")
def _cat(tensors: Sequence[Any], dim: int = 0) -> SparseTensor:
    if not all(is_sparse(x) for x in tensors):
        raise RuntimeError("cat(): all tensors must be sparse if one is; convert the others with to_sparse()")
    parts = [to_coo(x) for x in tensors]
    first = parts[0]
    dim = check_dim("cat", dim, first.ndim)
    for x in parts:
        if [n for d, n in enumerate(x._size) if d != dim] != [n for d, n in enumerate(first._size) if d != dim]:
            raise RuntimeError(f"cat(): sizes {list(first._size)} and {list(x._size)} differ beyond dimension {dim}")
    total = sum(x._size[dim] for x in parts)
    size = (*first._size[:dim], total, *first._size[dim + 1 :])
    if dim >= first.sparse_dim():
        raise NotImplementedError("cat() of sparse tensors along a dense dimension; convert with to_dense() first")
    places, before = [], 0
    for x in parts:
        shifted = x._places.copy()
        shifted[dim] += before
        before += x._size[dim]
        places.append(shifted)
    values = TABLE["concatenate_along"]([numbers_of(x) for x in parts], 0)
    return build(np.concatenate(places, axis=1), values, size)


@on_sparse("stack", "stack_along")
def _stack(tensors: Sequence[Any], dim: int = 0) -> SparseTensor:
    return _cat([_unsqueeze(x, dim) for x in tensors], dim)


# --- Reductions ------------------------------------------------------------------------------------------------------


@on_sparse("sum")
def _sum(x: SparseTensor, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    if dtype is not None:
        x = _to(x, dtype)
    if dim is None or dim == () or dim == []:
        if state.push is not None:  # a tangent has the values' places
            return numbers_of(x).sum()
        return TABLE["sum_of_sparse"](wrap(x._numbers, x._node), x._size)
    result = sum_along(x, dim)
    for d in sorted(check_dim("sum", d, x.ndim) for d in ([dim] if isinstance(dim, int) else dim)) if keepdim else ():
        result = result.unsqueeze(d)
    return result


def sum_along(x: SparseTensor, dim: Any) -> Any:
    """The sum along dimensions: sparse, unless no sparse dimension is left."""
    x = to_coo(x)
    given = [check_dim("sum", d, x.ndim) for d in ([dim] if isinstance(dim, int) else dim)]
    if len(set(given)) < len(given):
        raise RuntimeError(f"dim {max(given, key=given.count)} appears multiple times in the list of dims")
    count, values = x.sparse_dim(), numbers_of(x)
    if values.dtype.numpy.kind in "biu":
        values = values.to(dtypes.int64)
    dense = [d - count + 1 for d in given if d >= count]
    if dense:
        values = values.sum(dense)
    kept = [d for d in range(count) if d not in given]
    if not kept:
        return values.sum(0)
    size = [n for d, n in enumerate(x._size) if d not in given]
    if len(kept) == count:
        return build(x._places, values, size, x._coalesced)
    return placed_sum(x._places[kept], values, size)


@on_sparse("reshape", "flatten", "view_as_shape", "unflatten")
def _reshape(x: SparseTensor, *args: Any, **kwargs: Any) -> Any:
    raise RuntimeError("reshape is not implemented for sparse tensors; convert with to_dense() first")


@on_sparse("p_norm")
def _norm(x: SparseTensor, p: Any = 2, dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Tensor:
    if dim is not None and len([dim] if isinstance(dim, int) else dim) < x.ndim:
        raise RuntimeError("norm_sparse currently only supports full reductions")
    return numbers_of(coalesced(x)).norm(p)


@on_sparse("any")
def _any(x: SparseTensor, *args: Any) -> Tensor:
    if args and args[0] is not None:
        raise NotImplementedError("any() of a sparse tensor along a dimension; convert with to_dense() first")
    return numbers_of(coalesced(x)).any()
