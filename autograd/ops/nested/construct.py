"""Nested tensors from lists, from packed values, and padded: what is in ``torch.nested``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...devices import require_cpu
from ...graph import no_grad
from ...rows.public import function
from ...tensor import Tensor, wrap
from ..create import as_tensor
from . import products, reductions, shapes  # noqa: F401
from .operators import concatenated, padded
from .tensor import JaggedTensor, NestedTensor, jagged, on_nested, pack, strided

__all__ = ["from_list"]


def _check_layout(layout: Any, what: str = "tensors") -> bool:
    """Whether the layout is the jagged one."""
    if layout is not None and layout is not dtypes.strided and layout is not dtypes.jagged:
        raise RuntimeError(f"Specified layout is unsupported for nested {what}: {layout}")
    return layout is dtypes.jagged


def from_list(parts: Sequence[Tensor], dtype: Any = None) -> JaggedTensor:
    """The nested tensor of jagged layout with these components.

    Raises:
        RuntimeError: no components, or 0-d ones, of several dtypes or numbers of dimensions, or ragged along more than
            one dimension.
    """
    if not parts:
        raise RuntimeError("Cannot construct a nested tensor from an empty tensor list")
    for what, found in (("dtype", {part.dtype for part in parts}), ("dim", {part.ndim for part in parts})):
        if len(found) > 1:
            raise RuntimeError(f"When constructing a nested tensor, all tensors in list must have the same {what}")
    if parts[0].ndim == 0:
        raise RuntimeError("Cannot construct a nested tensor from a list of zero-dim tensors")
    sizes = np.array([part.shape for part in parts], np.int64)
    ragged = np.flatnonzero((sizes != sizes[0]).any(axis=0))
    if len(ragged) > 1:
        raise RuntimeError(
            "Cannot represent given tensor list as a nested tensor with the jagged layout. Note that the jagged layout "
            "only allows for a single ragged dimension, but these tensors differ along "
            f"{[int(dim) for dim in ragged]}; use layout=torch.strided"
        )
    dim = int(ragged[0]) if len(ragged) else 0
    counts = sizes[:, dim]
    values = concatenated(parts, dim)
    return jagged(
        values if dtype is None else values.to(dtype),
        wrap(np.concatenate([[0], counts.cumsum()])),
        ragged_idx=dim + 1,
        extremes={"min": int(counts.min()), "max": int(counts.max())},
        title="NestedViewFromJaggedBackward0",
    )


def components(buffer: Tensor, sizes: Tensor, strides: Tensor, offsets: Tensor) -> NestedTensor:
    """The nested tensor of strided layout whose components lie at these places of a buffer: what a file says."""
    places = zip(sizes.tolist(), strides.tolist(), offsets.tolist(), strict=True)
    return pack([buffer.as_strided(size, steps, start) for size, steps, start in places], buffer.dtype)


def _packed(parts: Sequence[Tensor], dtype: Any) -> NestedTensor:
    if any(part.is_nested for part in parts):
        raise RuntimeError("We do not accept nested tensors as input to nested tensors; unbind() them")
    for i, part in enumerate(parts):
        if part.ndim != parts[0].ndim:
            raise RuntimeError(
                "All Tensors given to nested_tensor must have the same dimension. Found dimension "
                f"{part.ndim} for Tensor at index {i} and dimension {parts[0].ndim} for Tensor at index 0."
            )
    dtype = dtype or (parts[0].dtype if parts else None)
    return pack([part.to(dtype) for part in parts]) if parts else pack([], dtype=dtype)


@function(home="nested")
def nested_tensor(
    tensor_list: Sequence[Any],
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """A new leaf: the nested tensor with copies of the tensors of a list as its components.

    Args:
        tensor_list: tensors of equally many dimensions, or what `autograd.tensor` makes tensors of.
        dtype: by default that of the first.
        layout: `autograd.strided`, the default, where components may differ in all sizes, or `autograd.jagged`, where
            they differ along one dimension.
        requires_grad: record operators on the result.

    Raises:
        TypeError: not a list.
        RuntimeError: tensors that cannot be in one nested tensor, or an unknown layout.

    >>> import autograd
    >>> autograd.nested.nested_tensor([[1.0, 2.0], [3.0]])
    nested_tensor([
      tensor([1., 2.]),
      tensor([3.])
    ])
    """
    require_cpu(device, "nested_tensor")
    is_jagged = _check_layout(layout)
    if not isinstance(tensor_list, list) and not (is_jagged and isinstance(tensor_list, (tuple, Tensor))):
        raise TypeError("Only lists (List[Tensor] and List[List...[Scalar]]) are accepted in nested_tensor")
    with no_grad():
        parts = [as_tensor(item) for item in tensor_list]
        result: Any = from_list(parts, dtype) if is_jagged else _packed(parts, dtype)
    if pin_memory:
        return result.pin_memory()
    return result.requires_grad_() if requires_grad else result


@function(home="nested")
def as_nested_tensor(ts: Any, dtype: Any = None, device: Any = None, layout: Any = None) -> Tensor:
    """The nested tensor of a list's tensors, or of a tensor's slices, to which gradients flow.

    Args:
        ts: tensors of equally many dimensions, whose elements are copied, or one tensor of at least two; a nested
            tensor of this layout is returned as it is.
        dtype: by default that of the first.
        layout: `autograd.strided`, the default, or `autograd.jagged`.

    Raises:
        TypeError: neither a tensor nor a list of them.
        RuntimeError: tensors that cannot be in one nested tensor, or an unknown or another layout.

    >>> import autograd
    >>> x, y = autograd.ones(2, requires_grad=True), autograd.ones(1)
    >>> autograd.nested.as_nested_tensor([x, y]).to_padded_tensor(0.0).sum().backward()
    >>> x.grad
    tensor([1., 1.])
    """
    require_cpu(device, "as_nested_tensor")
    if not isinstance(ts, Tensor):
        if not isinstance(ts, (list, tuple)) or not all(isinstance(part, Tensor) for part in ts):
            raise TypeError(
                "as_nested_tensor(): Expected first argument to be a tensor or a list / tuple of tensors, but got "
                f"{type(ts).__name__}"
            )
        return from_list(ts, dtype) if _check_layout(layout) else _packed(ts, dtype)
    if ts.ndim < 2:
        raise RuntimeError("as_nested_tensor(): Expected tensor argument to have dim() > 1")
    if isinstance(ts, NestedTensor):
        if layout is not ts.layout:
            raise RuntimeError("as_nested_tensor(): Converting between nested tensor layouts is not supported")
        return ts if dtype is None else ts.to(dtype)
    count, length = ts.shape[:2]
    values = ts if dtype is None else ts.to(dtype)
    if not _check_layout(layout):
        return strided(values.reshape(-1), np.tile(np.array(ts.shape[1:], np.int64), (count, 1)))
    return jagged(
        values.contiguous().flatten(0, 1),
        wrap(np.arange(count + 1) * length),
        extremes={"min": length, "max": length},
        title="NestedViewFromJaggedBackward0",
    )


@function(home="nested")
def nested_tensor_from_jagged(
    values: Tensor,
    offsets: Tensor | None = None,
    lengths: Tensor | None = None,
    jagged_dim: int | None = None,
    min_seqlen: int | None = None,
    max_seqlen: int | None = None,
) -> Tensor:
    """The nested tensor of jagged layout in the memory of packed ``values``, to which gradients flow.

    Args:
        values: the components one behind another, (sum of lengths, ...).
        offsets: (components + 1), integers: where each begins, and where the last one ends.
        lengths: (components), integers: where not each component goes on to where the next one begins. Alone, it says
            what the offsets are.
        jagged_dim: the ragged dimension of the result, 1 by default: in ``values`` it is the one before.
        min_seqlen: the shortest length, if known.
        max_seqlen: the longest length, if known: that of the result of `to_padded_tensor`.

    Raises:
        RuntimeError: neither ``offsets`` nor ``lengths``.
        ValueError: ``jagged_dim`` is the batch dimension, or ``values`` are nested.
        AssertionError: ``offsets`` are no vector, or of another length than ``lengths``.

    >>> import autograd
    >>> x = autograd.nested.nested_tensor_from_jagged(autograd.arange(3), autograd.tensor([0, 1, 3]))
    >>> x.unbind()
    (tensor([0]), tensor([1, 2]))
    """
    if offsets is None:
        if lengths is None:
            raise RuntimeError("nested_tensor_from_jagged(): At least one of offsets or lengths is required.")
        offsets, lengths = wrap(np.concatenate([[0], lengths._array.cumsum()])), None
    dim = 1 if jagged_dim is None else jagged_dim
    if dim < 1:
        raise ValueError(f"Expected jagged_dim >=1, but got {jagged_dim}.")
    for name, value in (("values", values), ("offsets", offsets), ("lengths", lengths)):
        if not isinstance(value, Tensor) and (value is not None or name != "lengths"):
            kind = type(value).__name__
            raise TypeError(f"nested_tensor_from_jagged(): argument '{name}' must be Tensor, not {kind}")
    if values._is_structured:
        raise ValueError("nested_tensor_from_jagged(): expected values to be a dense tensor")
    if offsets.ndim != 1:
        raise AssertionError(f"offsets must be 1D, but got {offsets.ndim}D")
    if lengths is not None and len(lengths) != len(offsets) - 1:
        raise AssertionError(
            f"offsets and lengths batch sizes must match: offsets.shape[0] - 1 = {len(offsets) - 1}, "
            f"lengths.shape[0] = {len(lengths)}"
        )
    if dim > values.ndim:
        raise IndexError(f"jagged_dim={dim} is out of range: values have {values.ndim} dimensions")
    known = {which: n for which, n in (("min", min_seqlen), ("max", max_seqlen)) if n is not None}
    return jagged(values, offsets, lengths, dim, known, "NestedViewFromJaggedBackward0")


@function(home="nested")
def narrow(tensor: Tensor, dim: int, start: Any, length: Any, layout: Any = dtypes.strided) -> Tensor:
    """The nested tensor of parts of a tensor's slices: of slice i the part ``start[i] : start[i] + length[i]``.

    Args:
        tensor: (components, size, ...).
        dim: 1 for the jagged layout, whose result is a view; 0 for the strided one, which takes components.
        start: an integer; for the jagged layout also a tensor of them (components).
        length: likewise.

    Raises:
        RuntimeError: another dimension, an unknown layout, or numbers that do not fit.

    >>> import autograd
    >>> x = autograd.arange(6).reshape(2, 3)
    >>> autograd.nested.narrow(x, 1, 0, autograd.tensor([1, 3]), layout=autograd.jagged).unbind()
    (tensor([0]), tensor([3, 4, 5]))
    """
    for name, value in (("start", start), ("length", length)):
        if not isinstance(value, (int, Tensor)):
            raise RuntimeError(f"{name} must be an integer or a tensor")
    if not _check_layout(layout, "narrow"):
        if isinstance(start, Tensor) or isinstance(length, Tensor):
            raise RuntimeError("start and length must be integers for the strided layout")
        return as_nested_tensor(tensor.unbind()).narrow(dim, start, length)
    if dim != 1:
        raise RuntimeError("jagged layout only supports dim=1")
    if tensor.ndim < 2:
        raise AssertionError("tensor must at least be 2D for the nested narrow op to work")
    count, size = tensor.shape[:2]
    try:
        starts, counts = (np.broadcast_to(as_tensor(n)._array, (count,)).astype(np.int64) for n in (start, length))
    except ValueError:
        raise RuntimeError(
            "When constructing a jagged nested tensor using narrow(), your start and length must be Tensors that "
            "broadcast to input.shape[0]"
        ) from None
    begin = starts + size * np.arange(count)
    offsets = np.append(begin, begin[-1] + counts[-1])
    values = tensor.view(-1, *tensor.shape[2:])
    known = {"min": int(counts.min()), "max": int(counts.max())}
    if np.array_equal(begin[:-1] + counts[:-1], begin[1:]):  # no holes
        whole = values[int(offsets[0]) : int(offsets[-1])]
        return jagged(whole, wrap(offsets - offsets[0]), extremes=known, title="NestedViewFromJaggedBackward0")
    return jagged(values, wrap(offsets), wrap(counts), 1, known, "NestedViewFromJaggedBackward0")


@function(home="nested")
def masked_select(tensor: Tensor, mask: Tensor) -> Tensor:
    """The nested tensor of jagged layout that keeps of each row the elements where the mask is True.

    Args:
        tensor: (..., size).
        mask: of booleans; broadcasts to ``tensor``.

    Raises:
        RuntimeError: a tensor of another layout than the strided one, or a mask that is not one of booleans.

    >>> import autograd
    >>> x = autograd.arange(4).reshape(2, 2)
    >>> autograd.nested.masked_select(x, x > 0).unbind()
    (tensor([1]), tensor([2, 3]))
    """
    for name, value in (("tensor", tensor), ("mask", mask)):
        if value.layout is not dtypes.strided:
            raise RuntimeError(f"torch.nested.masked_select requires a strided {name}, given {value.layout}")
    values = tensor.masked_select(mask)
    counts = mask.expand(tensor.shape)._array.sum(axis=-1).reshape(-1)
    return jagged(values, wrap(np.concatenate([[0], counts.cumsum()])), title="NestedViewFromJaggedBackward0")


@function(torch=False, method=True)
def to_padded_tensor(input: Tensor, padding: float, output_size: Sequence[int] | None = None) -> Tensor:
    """The components of a nested tensor in a dense one, with ``padding`` behind their elements.

    Args:
        padding: a number.
        output_size: of the result; by default the largest size of a component along each dimension.

    Raises:
        NotImplementedError: a dense tensor.
        RuntimeError: a size that the components do not fit in, or a jagged tensor with holes.

    >>> import autograd
    >>> autograd.nested.nested_tensor([[1.0, 2.0], [3.0]]).to_padded_tensor(0.0)
    tensor([[1., 2.],
            [3., 0.]])
    """
    if not isinstance(input, NestedTensor):
        raise NotImplementedError("to_padded_tensor() takes a nested tensor, and a dense one has nothing to be padded")
    return padded(input, padding, output_size)


function(home="nested")(to_padded_tensor)
on_nested("to_padded_tensor")(to_padded_tensor)
