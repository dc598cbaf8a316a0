"""Dimensions of nested tensors: exchanged, merged, split, cut, put together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...rows.table import TABLE
from ...tensor import Tensor, check_dim, wrap
from ..structured import numbers_of
from .operators import concatenated, each, inner_dim, of_parts, padded_to, unpadded
from .tensor import JaggedTensor, NestedTensor, StridedNested, jagged, on_nested, pack

__all__: list[str] = []


@on_nested("unbind")
def _unbind(x: Any, dim: int = 0) -> Any:
    return x.unbind(dim)


@on_nested("unsqueeze")
def _unsqueeze(x: Any, dim: int) -> Any:
    inside = inner_dim("unsqueeze", x, dim, ragged=True, more=1)
    return each(x, lambda part: part.unsqueeze(inside), _moved(x, inside, 1, at_ragged=True))


def _moved(x: NestedTensor, inside: int, by: int, at_ragged: bool = False) -> int | None:
    """The ragged dimension after components got ``by`` more dimensions at ``inside``."""
    if not isinstance(x, JaggedTensor):
        return None
    return x._ragged_idx + by * (inside < x._ragged_idx - 1 + at_ragged)


@on_nested("squeeze")
def _squeeze(x: Any, dim: Any = None) -> Any:
    if isinstance(dim, (tuple, list)) and len(dim) == 1:
        dim = dim[0]
    if not isinstance(dim, int):
        raise RuntimeError("squeeze(): of a nested tensor takes one dimension; pass dim")
    inside = inner_dim("squeeze", x, dim)
    if x.size(dim) != 1:
        return each(x, lambda part: part.view(part.shape))
    return each(x, lambda part: part.squeeze(inside), _moved(x, inside, -1))


@on_nested("select", "select_int")
def _select(x: Any, dim: int, index: int) -> Any:
    if check_dim("select", dim, x.ndim) == 0:
        return x.unbind()[index]
    inside = inner_dim("select", x, dim)
    if x.layout is dtypes.jagged and x._lengths is not None:
        raise ValueError("select(): not yet supported on dim != 0 for non-contiguous nested tensor with holes")
    return each(x, lambda part: part.select(inside, index), _moved(x, inside, -1))


@on_nested("narrow")
def _narrow(x: Any, dim: int, start: int, length: int) -> Any:
    if isinstance(x, StridedNested) and check_dim("narrow", dim, x.ndim) == 0:
        return pack(x.unbind()[start : start + length], x.dtype)
    inside = inner_dim("narrow", x, dim)
    return each(x, lambda part: part.narrow(inside, start, length))


@on_nested("split")
def _split(x: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    inside = inner_dim("split", x, dim)
    return each(x, lambda part: part.split(split_size_or_sections, inside))


@on_nested("split_with_sizes")
def _split_with_sizes(x: Any, split_sizes: Any, dim: int = 0) -> Any:
    inside = inner_dim("split_with_sizes", x, dim)
    return each(x, lambda part: part.split(split_sizes, inside))


@on_nested("chunk")
def _chunk(x: Any, chunks: int, dim: int = 0) -> Any:
    if check_dim("chunk", dim, x.ndim) == 0 and x.layout is dtypes.jagged:
        parts = x.unbind()
        step = -(-len(parts) // chunks) or 1
        return tuple([of_parts(x, parts[i : i + step]) for i in range(0, len(parts), step)])
    inside = inner_dim("chunk", x, dim)
    return each(x, lambda part: part.chunk(chunks, inside))


@on_nested("transpose", "swapaxes", "swapdims")
def _transpose(x: Any, dim0: int, dim1: int) -> Any:
    order = list(range(x.ndim))
    i, j = check_dim("transpose", dim0, x.ndim), check_dim("transpose", dim1, x.ndim)
    order[i], order[j] = order[j], order[i]
    return _permute(x, order, "Transpose")


@on_nested("matrix_transpose", "adjoint")
def _matrix_transpose(x: Any) -> Any:
    return _transpose(x, -2, -1)


@on_nested("permute")
def _permute(x: Any, dims: Sequence[int], operator: str = "Permute") -> Any:
    order = [check_dim("permute", d, x.ndim) for d in dims]
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"permute(): dims {list(dims)} are no order of the {x.ndim} dimensions of the nested tensor")
    if order[0] != 0:
        error = ValueError if isinstance(x, JaggedTensor) else RuntimeError
        raise error(f"{operator} is not supported on the batch dimension of a nested tensor")
    ragged = order.index(x._ragged_idx) if isinstance(x, JaggedTensor) else None
    return each(x, lambda part: part.permute([d - 1 for d in order[1:]]), ragged)


@on_nested("movedim", "moveaxis")
def _movedim(x: Any, source: Any, destination: Any) -> Any:
    pairs = ([source], [destination]) if isinstance(source, int) else (source, destination)
    moved = {check_dim("movedim", to, x.ndim): check_dim("movedim", d, x.ndim) for d, to in zip(*pairs, strict=True)}
    rest = iter([d for d in range(x.ndim) if d not in moved.values()])
    return _permute(x, [moved[d] if d in moved else next(rest) for d in range(x.ndim)])


@on_nested("reshape", "view", "view_as_shape", "_unsafe_view")
def _reshape(x: Any, *shape: Any, name: str = "view") -> Any:
    wanted = list(shape[0] if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape)
    if isinstance(x, JaggedTensor):
        own, end = list(x.shape), x._ragged_idx + 1
        if len(wanted) < end or any(n not in (-1, m) for n, m in zip(wanted[:end], own, strict=False)):
            raise RuntimeError(f"{name}(): cannot view shape {tuple(own)} as {wanted}")
        inner = wanted[1:]
        inner[end - 2] = x._numbers.shape[end - 2]
        return x.like(getattr(numbers_of(x), name)(inner))
    if not wanted or wanted[0] != len(x):
        raise RuntimeError(
            f"{name}: nested tensors keep their {len(x)} components, but the shape begins otherwise: {wanted}"
        )
    repeated = wanted.count(-1) > 1  # they keep the sizes of the component

    def reshaped(part: Tensor) -> Tensor:
        return part.reshape([part.shape[d] if n == -1 and repeated else n for d, n in enumerate(wanted[1:])])

    return each(x, reshaped)


@on_nested("reshape_as", "view_as")
def _reshape_as(x: Any, other: Any) -> Any:
    if isinstance(x, JaggedTensor):
        return _reshape(x, other.shape)
    return pack([part.reshape(like.shape) for part, like in zip(x.unbind(), other.unbind(), strict=True)])


NestedTensor.reshape_as = NestedTensor.view_as = _reshape_as  # type: ignore[attr-defined]  # they would ask for shapes


@on_nested("flatten")
def _flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    first, last = (inner_dim("flatten", x, dim) for dim in (start_dim, end_dim))
    if isinstance(x, JaggedTensor) and first < x._ragged_idx - 1 < last:
        raise RuntimeError("flatten(): not supported for NestedTensor on ragged dim")
    return each(x, lambda part: part.flatten(first, last), _moved(x, first, first - last))


@on_nested("unflatten")
def _unflatten(x: Any, dim: int, sizes: Sequence[int]) -> Any:
    inside = inner_dim("unflatten", x, dim)
    return each(x, lambda part: part.unflatten(inside, sizes), _moved(x, inside, len(sizes) - 1))


@on_nested("expand", "broadcast_to")
def _expand(x: Any, *size: Any, implicit: bool = False) -> Any:
    wanted = list(size[0] if isinstance(size[0], (tuple, list)) else size)
    if isinstance(x, StridedNested):
        if len(wanted) != x.ndim or wanted[0] not in (-1, len(x)):
            raise RuntimeError(f"expand(): nested tensors keep their {len(x)} components, but the size is {wanted}")
        return each(x, lambda part: part.expand(wanted[1:]))
    end = x._ragged_idx + 1
    if len(wanted) != x.ndim or any(n not in (-1, m) for n, m in zip(wanted[:end], x.shape, strict=False)):
        raise RuntimeError(f"expand(): cannot expand shape {tuple(x.shape)} -> {wanted}")
    return x.like(numbers_of(x).expand([-1 if d == x._ragged_idx else wanted[d] for d in range(1, x.ndim)]))


@on_nested("expand_as")
def _expand_as(x: Any, other: Any) -> Any:
    if isinstance(x, NestedTensor):
        return _expand(x, other.shape) if isinstance(x, JaggedTensor) else x
    return other.like(x.expand(other._numbers.shape))


@on_nested("cat", "concatenate_along", "concat", "concatenate")
def _cat(tensors: Sequence[Any], dim: int = 0) -> Any:
    first = next(x for x in tensors if x.is_nested)
    several = [x if x.is_nested else _expand_as(x, first) for x in tensors]
    if check_dim("cat", dim, first.ndim) == 0 and isinstance(first, StridedNested):
        return pack([part for x in several for part in x.unbind()])
    inside = inner_dim("cat", first, dim)
    return _together(several, lambda parts: concatenated(parts, inside))


@on_nested("stack", "stack_along")
def _stack(tensors: Sequence[Any], dim: int = 0) -> Any:
    first = tensors[0]
    if not all(isinstance(x, NestedTensor) and x.ndim == first.ndim for x in tensors):
        raise RuntimeError("stack(): expected nested tensors of equally many dimensions")
    inside = inner_dim("stack", first, dim, more=1)
    return _together(tensors, lambda parts: TABLE["stack_along"](parts, inside), _moved(first, inside, 1))


def _together(
    several: Sequence[Any], function: Callable[[list[Tensor]], Tensor], ragged_idx: int | None = None
) -> NestedTensor:
    """The function of components of several nested tensors."""
    first = several[0]
    if isinstance(first, StridedNested):
        return pack([function(list(parts)) for parts in zip(*(x.unbind() for x in several), strict=True)])
    end = first._ragged_idx + 1
    if any(x.shape[:end] != first.shape[:end] for x in several):
        raise RuntimeError("expected all nested tensors to have the same nested structure")
    return first.like(function([numbers_of(x) for x in several]), ragged_idx)


@on_nested("masked_select")
def _masked_select(x: Any, mask: Any) -> Any:
    if not isinstance(x, JaggedTensor) or x.ndim > 2 or not mask.is_same_size(x):
        raise RuntimeError(
            "masked_select() of a nested tensor takes a jagged one of two dimensions, and a mask like it"
        )
    before = np.concatenate([[0], mask._numbers.cumsum()])
    values = numbers_of(x).masked_select(wrap(mask._numbers))
    return jagged(values, wrap(before[x._offsets._array]))


@on_nested("index_put")
def _index_put(x: Any, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Any:
    if not isinstance(x, JaggedTensor) or x._lengths is not None or len(indices) > x.ndim:
        raise RuntimeError(f"index_put() takes a jagged tensor without holes and up to {x.ndim} indices")
    ragged = x._ragged_idx
    if len(indices) <= ragged:
        dense = padded_to(x, 0, x._get_max_seqlen()).index_put(indices, values, accumulate)
        return x.like(unpadded(dense, x))
    component, along = indices[0]._array, indices[ragged]._array
    if (along >= x.counts()[component]).any():
        raise RuntimeError("index_put(): some indices in the ragged dimension are out of bounds")
    places = wrap(x._offsets._array[component] + along)
    inner = (*indices[1:ragged], places, *indices[ragged + 1 :])
    return x.like(numbers_of(x).index_put(inner, values, accumulate))


@on_nested("index_put_")
def _index_put_(x: Any, indices: Sequence[Tensor], values: Tensor, accumulate: bool = False) -> Any:
    return x.overwrite(_index_put(x, indices, values, accumulate), "index_put_")
