"""What operators do with nested tensors: with the packed numbers where they can, else component by component."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...rows.table import TABLE, PointwiseRow
from ...tensor import Tensor, check_dim, wrap
from ..index import index
from ..structured import numbers_of
from .tensor import JaggedTensor, NestedTensor, StridedNested, jagged, on_nested, pack, strided

__all__ = [
    "along_last",
    "by_component",
    "concatenated",
    "each",
    "elementwise",
    "inner_dim",
    "mapped",
    "padded",
    "unpadded",
]


def concatenated(parts: Sequence[Tensor], dim: int) -> Tensor:
    return TABLE["concatenate_along"](list(parts), dim)


def mapped(found: Any, function: Callable[[Any], Any]) -> Any:
    """The function of a result, or of each of several, in a tuple of the same kind."""
    if not isinstance(found, (tuple, list)):
        return function(found)
    kind: Any = type(found)
    return getattr(kind, "_make", kind)(map(function, found))


# --- Element by element ----------------------------------------------------------------------------------------------

# Those that are no pointwise rows, and those that write and are no methods made from others.
_NAMES = (
    "add addcdiv addcmul alpha_dropout angle bernoulli bitwise_and bitwise_left_shift bitwise_not bitwise_or "
    "bitwise_right_shift bitwise_xor celu clamp clamp_max clamp_min clip conj conj_physical copy cpu div divide "
    "dropout empty_like fill float_power frexp full_like gcd gelu hardtanh igamma igammac imag isclose isreal lcm "
    "ldexp lerp logit masked_fill mvlgamma nan_to_num native_dropout ones_like polygamma positive rand_like "
    "randint_like randn_like real resolve_conj round rrelu selu sgn softshrink sub subtract threshold to true_divide "
    "type type_as where zero zeros_like zeta"
)
_ELEMENTWISE = frozenset(_NAMES.split())
_WRITERS = "fill_ zero_ normal_ uniform_ random_ bernoulli_ exponential_ geometric_ log_normal_ cauchy_ apply_"


def elementwise(name: str, function: Callable[..., Any]) -> Callable[..., Any] | None:
    """What an operator does that works element by element: the same with the numbers. None for any other."""
    row = function if isinstance(function, PointwiseRow) else getattr(function, "row", None)
    if name.removesuffix("_") not in _ELEMENTWISE and not isinstance(row, PointwiseRow):
        return None
    return lambda *args, **kwargs: on_numbers(function, name, args, kwargs)


def on_numbers(function: Callable[..., Any], name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The function of the numbers, as numbers of a nested tensor. Dense operands are broadcast to its components."""
    kwargs = {key: value for key, value in kwargs.items() if value is not dtypes.jagged}
    pattern = next(value for value in (*args, *kwargs.values()) if isinstance(value, NestedTensor))
    if name.endswith("_"):
        if args[0] is not pattern:
            raise NotImplementedError(f"{name}() cannot write a nested tensor to a dense one; unbind() it")
        pattern.refuse_leaf(name)
    own = numbers_of(pattern)
    before, requires_grad = own._node, kwargs.pop("requires_grad", False)

    def fitting(value: Any) -> Any:
        return own if value is pattern else _fitting(pattern, value, name) if isinstance(value, Tensor) else value

    result = function(*map(fitting, args), **{key: fitting(value) for key, value in kwargs.items()})
    if result is own:
        return pattern if own._node is before else pattern.follow(own)
    nested = mapped(result, pattern.like)
    return nested.requires_grad_() if requires_grad else nested


def _writer(name: str) -> None:
    dense = getattr(Tensor, name)
    setattr(NestedTensor, name, lambda self, *args, **kwargs: on_numbers(dense, name, (self, *args), kwargs))


for _name in _WRITERS.split():
    _writer(_name)


def _fitting(pattern: NestedTensor, value: Any, name: str) -> Tensor:
    """The operand as numbers that stand beside those of the pattern, or broadcast to them."""
    if isinstance(value, NestedTensor):
        if isinstance(pattern, JaggedTensor) and isinstance(value, JaggedTensor):
            end = pattern._ragged_idx + 1
            if pattern.shape[:end] == value.shape[:end]:
                return numbers_of(value)
        elif value.is_same_size(pattern):
            return numbers_of(value)
        raise RuntimeError(
            f"cannot call binary pointwise function {name} with nested tensors of other structure: "
            f"{_described(pattern)} and {_described(value)}"
        )
    if value.ndim == 0:
        return value
    if value.ndim > pattern.ndim:
        raise NotImplementedError(f"{name}(): a dense operand of more dimensions than the nested one; unbind() both")
    if isinstance(pattern, JaggedTensor):
        while value.ndim and value.shape[0] == 1:
            value = value.squeeze(0)
        if value.ndim <= pattern.ndim - 2:
            return value
    if value.ndim == pattern.ndim and value.shape[0] != len(pattern):
        raise RuntimeError(
            f"cannot call binary pointwise function {name} with a nested tensor of {len(pattern)} components and a "
            f"dense one of shape {list(value.shape)}"
        )
    if isinstance(pattern, JaggedTensor) and value.ndim == pattern.ndim:
        size = list(value.shape)
        size[pattern._ragged_idx] = max(pattern._get_max_seqlen(), 1)
        return unpadded(value.expand(size), pattern)
    beside = value.unbind() if value.ndim == pattern.ndim else [value] * len(pattern)
    return numbers_of(pack([x.expand(size) for x, size in zip(beside, pattern.sizes().tolist(), strict=True)]))


def _described(x: NestedTensor) -> str:
    return str(list(x.shape)) if isinstance(x, JaggedTensor) else f"sizes {x.sizes().tolist()}"


@on_nested("contiguous")
def _contiguous(x: Any, memory_format: Any = dtypes.contiguous_format) -> Any:
    if not x.is_contiguous() and x._lengths is not None:
        return of_parts(x, x.unbind())
    return on_numbers(Tensor.contiguous, "contiguous", [x], {})  # type: ignore[attr-defined]  # attached later


@on_nested("clone")
def _clone(x: Any, memory_format: Any = dtypes.preserve_format) -> Any:
    if isinstance(x, JaggedTensor) and x._lengths is not None and memory_format is dtypes.contiguous_format:
        return _contiguous(x)
    return on_numbers(Tensor.clone, "clone", [x], {"memory_format": memory_format})  # type: ignore[attr-defined]  # likewise


@on_nested("copy_")
def _copy_(x: Any, src: Any, non_blocking: bool = False) -> Any:
    if not (isinstance(x, NestedTensor) and isinstance(src, NestedTensor) and np.array_equal(x.sizes(), src.sizes())):
        raise RuntimeError(
            "copy_(): expected nested tensors of compatible shapes; unbind() one to copy into components"
        )
    x[:] = src
    return x


def _dense_like(name: str) -> None:
    on_nested(name)(lambda x, *args, **kwargs: getattr(numbers_of(x), name)(*args, **kwargs))


for _name in ("new_zeros", "new_ones", "new_empty", "new_full"):
    _dense_like(_name)


@on_nested("equal")
def _equal(x: Any, y: Any) -> bool:
    return (
        x.is_same_size(y)
        and x.dtype is y.dtype
        and all(a.equal(b) for a, b in zip(x.unbind(), y.unbind(), strict=True))
    )


@on_nested("allclose")
def _allclose(x: Any, y: Any, *args: Any, **kwargs: Any) -> bool:
    return all(a.allclose(b, *args, **kwargs) for a, b in zip(x.unbind(), y.unbind(), strict=True))


# --- Padded, and back ------------------------------------------------------------------------------------------------


def _padded_places(x: JaggedTensor, length: int) -> np.ndarray:
    """Where the values stand in (components x length, ...)."""
    return np.flatnonzero(np.arange(length) < x.counts()[:, None])


def padded_to(x: JaggedTensor, padding: Any, length: int) -> Tensor:
    """The components in a dense tensor, each with ``length`` along the ragged dimension: cut, or padded."""
    if x._lengths is not None:
        raise RuntimeError("to_padded_tensor(): not supported for nested tensors with holes")
    dim = x._ragged_idx - 1
    numbers = numbers_of(x).movedim(dim, 0)
    if length < x._get_max_seqlen():
        numbers = index(numbers, (np.concatenate([np.arange(n) < length for n in x.counts()]).nonzero()[0],))
    return _placed(numbers, _padded_places(x, length), (len(x), length), padding).movedim(1, dim + 1)


def padded(x: NestedTensor, padding: Any, size: Sequence[int] | None = None) -> Tensor:
    """The components of a nested tensor in a dense one, with ``padding`` behind their elements."""
    if isinstance(x, JaggedTensor):
        length: Any = size[x._ragged_idx] if size is not None else x._extremes.get("max", x._numbers.shape[0])
        return padded_to(x, padding, length)
    numbers = numbers_of(x)
    sizes = x.sizes()
    least = sizes.max(axis=0, initial=0)
    if len(sizes) and not numbers.numel():
        raise RuntimeError("to_padded_tensor: at least one constituent tensor should have non-zero numel")
    if size is not None and len(size) != x.ndim:
        raise RuntimeError("Length of output_size does not match NestedTensor dims. Broadcasting is not supported.")
    shape = (len(sizes), *least.tolist()) if size is None else tuple(size)
    if shape[0] < len(sizes) or (np.array(shape[1:]) < least).any():
        raise RuntimeError(
            f"Value in output_size is less than NestedTensor padded size: {list(shape)} < {[len(sizes), *least]}. "
            "Truncation is not supported."
        )
    occupied = np.zeros(shape, bool)
    for mask, component in zip(occupied, sizes, strict=False):
        mask[tuple(slice(n) for n in component)] = True
    return _placed(numbers, np.flatnonzero(occupied), shape, padding)


def _placed(numbers: Tensor, places: np.ndarray, shape: Sequence[int], padding: Any) -> Tensor:
    """A tensor of ``padding`` with the numbers at places, which count its first dimensions as one."""
    rest = tuple(numbers.shape[1:])
    kind = numbers.dtype.numpy
    if kind.kind in "iu" and not np.isfinite(padding):
        padding = np.iinfo(kind).max if padding > 0 else np.iinfo(kind).min
    filled = wrap(np.full((int(np.prod(shape)), *rest), padding).astype(kind))
    return TABLE["index_write"](filled, numbers, (places,)).reshape(*shape, *rest)


def unpadded(x: Tensor, pattern: JaggedTensor) -> Tensor:
    """Of a dense tensor the elements that stand where those of a nested one would, padded: as its values."""
    dim = pattern._ragged_idx
    first = x.movedim(dim, 1)
    values = index(first.flatten(0, 1), (_padded_places(pattern, first.shape[1]),))
    return values.movedim(0, dim - 1)


# --- What knows dimensions -------------------------------------------------------------------------------------------


def inner_dim(name: str, x: NestedTensor, dim: int, ragged: bool = False, more: int = 0) -> int:
    """The dimension of a component; ``more`` is what the result has more of.

    Raises:
        RuntimeError: that of the batch; or the ragged one of a jagged tensor, unless ``ragged``.
    """
    dim = check_dim(name, dim, x.ndim + more)
    if dim == 0:
        raise RuntimeError(f"{name}(): not supported for NestedTensor on dim=0")
    if isinstance(x, JaggedTensor) and dim == x._ragged_idx and not ragged:
        raise RuntimeError(f"{name}(): not supported for NestedTensor on ragged dim")
    return dim - 1


def each(x: NestedTensor, function: Callable[[Tensor], Any], ragged_idx: int | None = None) -> Any:
    """The function of each component, where it treats alike what lies along a ragged dimension.

    Args:
        ragged_idx: the ragged dimension of a jagged result; that of ``x`` by default.
    """
    if isinstance(x, JaggedTensor):
        return mapped(function(numbers_of(x)), lambda values: x.like(values, ragged_idx))
    parts = [function(part) for part in x.unbind()]
    if parts and isinstance(parts[0], (tuple, list)):
        columns = iter(zip(*parts, strict=True))
        return mapped(parts[0], lambda _: pack(next(columns)))
    return pack(parts, x.dtype)


def of_parts(x: NestedTensor, parts: Sequence[Tensor]) -> NestedTensor:
    """Other components, ragged where those of ``x`` are."""
    if not isinstance(x, JaggedTensor):
        return pack(parts, x.dtype)
    dim = x._ragged_idx - 1
    offsets = wrap(np.concatenate([[0], np.cumsum([part.shape[dim] for part in parts], dtype=np.int64)]))
    return jagged(concatenated(parts, dim), offsets, None, x._ragged_idx)


def by_component(function: Callable[..., Tensor], first: Any, *others: NestedTensor) -> NestedTensor:
    """The function of components of the same number, each ragged where that of the first one is."""
    parts = [function(*several) for several in zip(first.unbind(), *(x.unbind() for x in others), strict=True)]
    if isinstance(first, StridedNested):
        return pack(parts, first.dtype)
    if first._lengths is None:
        dim = first._ragged_idx - 1
        # One component behind another in memory, too: `contiguous` once the ragged dimension is the second again.
        return first.like(concatenated([part.movedim(dim, 0) for part in parts], 0).movedim(0, dim))
    return of_parts(first, parts)


def along_last(name: str, x: NestedTensor, function: Callable[[Tensor], Tensor], count: int = 1) -> Any:
    """The function of each component, where it looks along the last ``count`` dimensions only: at once if it can."""
    if isinstance(x, StridedNested):
        sizes, kept = x.sizes(), x.ndim - 1 - count
        if len(sizes) and (sizes[:, kept:] == sizes[0, kept:]).all() and kept >= 0:
            rows = int(sizes[:, :kept].prod(axis=1).sum())
            result = function(numbers_of(x).reshape(rows, *sizes[0, kept:].tolist()))
            tail = np.tile(np.array(result.shape[1:], np.int64), (len(sizes), 1))
            return strided(result.reshape(-1), np.concatenate([sizes[:, :kept], tail], axis=1))
    elif x._ragged_idx >= x.ndim - count:
        raise RuntimeError(f"{name}(): not supported for NestedTensor on ragged dim")
    return each(x, function)
