"""Rows of a table, and the sum of gradients into them."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence

import numpy as np

from ...dtypes import int64
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, _, coarse
from ...rows.writes import write
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from ..index import index_add_zeros, index_array

__all__ = ["embedding", "embedding_bag", "embedding_rows", "sparse_gradient"]


@coarse(latex=r"w_{i}", home="", node_name="Embedding")
def embedding_rows(weight: Array, indices, padding_idx, sparse=False):
    return weight[indices]


@embedding_rows.gradient("weight")
def _(g, weight_shape, indices, padding_idx, sparse):
    if sparse:
        return sparse_gradient(g, weight_shape, indices, padding_idx)
    if padding_idx >= 0:
        mask = (indices == padding_idx)[..., None]
        g = _.where(wrap(mask) if isinstance(g, Tensor) else mask, 0.0, g)
    return index_add_zeros(g, weight_shape, (indices,))


def sparse_gradient(g: Array, shape: Sequence[int], indices: np.ndarray, padding_idx: int) -> Tensor:
    """The gradient of a table as a sparse tensor: one row for each index, none for the padding."""
    from ..sparse.tensor import build

    rows = g if isinstance(g, Tensor) else wrap(g.copy())  # others may hold what comes back to this node
    flat, rows = indices.reshape(-1), rows.reshape(-1, *shape[1:])
    if padding_idx >= 0:
        kept = np.flatnonzero(flat != padding_idx)
        flat, rows = flat[kept], rows[wrap(kept)]
    return build(flat[None].astype(np.int64), rows, shape)


def _check(operator: str, input: Tensor, weight: Tensor, padding_idx: int | None) -> tuple[np.ndarray, np.ndarray, int]:
    """The indices, the table and the row that gets no gradient (-1 for none)."""
    indices = index_array(operator, input)
    rows = check_tensor(operator, "weight", weight)._array
    if rows.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, but got shape {list(rows.shape)}")
    if indices.size and (indices.min() < 0 or indices.max() >= rows.shape[0]):
        wrong = indices.min() if indices.min() < 0 else indices.max()
        raise IndexError(f"{operator}: index out of range in self: {wrong} for weight {list(rows.shape)}")
    if padding_idx is None:
        return indices, rows, -1
    if not -rows.shape[0] <= padding_idx < rows.shape[0]:
        error = AssertionError if operator == "embedding" else RuntimeError
        raise error(f"padding_idx must be within num_embeddings: {padding_idx} for {rows.shape[0]} rows")
    return indices, rows, padding_idx % rows.shape[0]


def _rows(weight: Tensor, indices: np.ndarray, padding: int, scale_grad_by_freq: bool, sparse: bool) -> Tensor:
    out = apply(embedding_rows, (weight, indices, padding, sparse), {})
    if scale_grad_by_freq and out.requires_grad:
        counts = np.bincount(indices.reshape(-1), minlength=len(weight))[indices]
        scale = wrap(counts[..., None].astype(weight._array.dtype))

        def divide(g: Tensor) -> Tensor:
            if sparse:
                raise RuntimeError("embedding_backward: scale_grad_by_freq not supported with sparse gradients")
            return g / scale

        out.register_hook(divide)
    return out


@function(torch=False, functional=True, method=False)
def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of ``weight`` (V, D) at the places in ``input`` (any shape of ints): shape (*input.shape, D).

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows in use that are longer are scaled down to this length, in place.
        scale_grad_by_freq: divide a row's gradient by how often it was used.
        sparse: the gradient of ``weight`` is a sparse tensor, with the rows that were used.

    Raises:
        IndexError: a place outside of ``weight``.

    >>> import autograd, nn
    >>> table = autograd.arange(6.0).reshape(3, 2)
    >>> nn.functional.embedding(autograd.tensor([2, 0]), table)
    tensor([[4., 5.],
            [0., 1.]])
    """
    indices, _array, padding = _check("embedding", input, weight, padding_idx)
    if max_norm is not None:
        _renormalize(weight, np.unique(indices), max_norm, norm_type)
    return _rows(weight, indices, padding, scale_grad_by_freq, sparse)


@function(torch=False, functional=True, method=False)
def embedding_bag(
    input: Tensor,
    weight: Tensor,
    offsets: Tensor | None = None,
    max_norm: float | None = None,
    norm_type: float = 2,
    scale_grad_by_freq: bool = False,
    mode: str = "mean",
    sparse: bool = False,
    per_sample_weights: Tensor | None = None,
    include_last_offset: bool = False,
    padding_idx: int | None = None,
) -> Tensor:
    """Rows of ``weight`` (V, D), reduced over bags of indices: shape (bags, D). An empty bag gives zeros.

    Args:
        input: indices, (bags, N), or (N) with ``offsets``.
        offsets: (bags) where each bag begins in ``input``.
        max_norm: rows in use that are longer are scaled down to this length, in place.
        norm_type: the p of that length.
        scale_grad_by_freq: divide a row's gradient by how often it was used.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: the gradient of ``weight`` is a sparse tensor.
        per_sample_weights: factors of the rows, of the shape of ``input``; with ``mode="sum"`` only.
        include_last_offset: ``offsets`` has one entry more, the end of the last bag.
        padding_idx: a row that is left out.

    Raises:
        ValueError: shapes, or options that do not go together.
        IndexError: an index outside of ``weight``.

    >>> import autograd, nn
    >>> table = autograd.arange(6.0).reshape(3, 2)
    >>> nn.functional.embedding_bag(autograd.tensor([2, 0, 1]), table, autograd.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [2., 3.]])
    """
    if weight.dtype is int64 and input.is_floating_point():
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=3,
        )
        weight, input = input, weight
    _check_bags(input, weight, scale_grad_by_freq, mode, sparse, per_sample_weights)
    starts = _starts(input, offsets, include_last_offset)
    indices, rows, padding = _check("embedding_bag", input, weight, padding_idx)
    if max_norm is not None:
        _renormalize(weight, np.unique(indices), max_norm, norm_type)
    indices, bags = indices.reshape(-1), len(starts)
    bag = np.searchsorted(starts, np.arange(indices.size), "right") - 1
    factors = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    if padding >= 0:
        kept = np.flatnonzero(indices != padding)
        indices, bag = indices[kept], bag[kept]
        factors = None if factors is None else factors[wrap(kept)]
    taken = _rows(weight, indices, -1, scale_grad_by_freq, sparse)
    if mode == "max":
        return _largest(taken, bag, bags)
    out = index_add_zeros(taken if factors is None else taken * factors.unsqueeze(1), (bags, rows.shape[1]), (bag,))
    if mode == "sum":
        return out
    counts = np.maximum(np.bincount(bag, minlength=bags), 1)
    return out / wrap(counts[:, None].astype(rows.dtype))


def _check_bags(
    input: Tensor, weight: Tensor, scale_grad_by_freq: bool, mode: str, sparse: bool, per_sample_weights: Tensor | None
) -> None:
    """Refuses what `embedding_bag` cannot combine."""
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.ndim != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.ndim}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError(f"mode has to be one of sum, mean or max, but got {mode!r}")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            f"embedding_bag: per_sample_weights was not None. It is only supported for mode='sum' (got mode={mode!r})."
        )
    if per_sample_weights is not None and per_sample_weights.dtype is not weight.dtype:
        raise RuntimeError(
            f"expected per_sample_weights to be of the dtype of weight, {weight.dtype}, but got "
            f"{per_sample_weights.dtype}"
        )


def _starts(input: Tensor, offsets: Tensor | None, include_last: bool) -> np.ndarray:
    """Where in the flat input the bags begin.

    Raises:
        ValueError: ``offsets`` beside bags of one size, or none where they are needed.
        RuntimeError: the first is not 0, or one is beyond the indices.
    """
    if input.ndim == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        return np.arange(input.shape[0]) * input.shape[1]
    if input.ndim != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.ndim}")
    if offsets is None or offsets.ndim != 1:
        raise ValueError(f"offsets has to be a 1D Tensor{' but got None' if offsets is None else ''}")
    starts = index_array("embedding_bag", offsets)
    if include_last and not starts.size:
        raise RuntimeError("include_last_offset: number of offsets should be at least 1")
    if starts.size and starts[0] != 0:
        raise RuntimeError(
            f"offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. "
            f"However, got {starts[0]}"
        )
    if starts.size and starts[-1] > len(input):
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length({len(input)}) but got offsets[-1] of {starts[-1]}"
        )
    return starts[:-1] if include_last else starts


def _largest(rows: Tensor, bag: np.ndarray, bags: int) -> Tensor:
    """For every bag and column the largest element, the first of equal ones."""
    array = rows._array
    width = array.shape[1]
    begins = np.searchsorted(bag, np.arange(bags + 1))
    number = np.zeros((bags, width), np.int64)
    for i, (begin, end) in enumerate(itertools.pairwise(begins)):
        if end > begin:
            number[i] = begin + array[begin:end].argmax(axis=0)
    empty = (np.diff(begins) == 0)[:, None]
    if not array.size:
        return index_add_zeros(rows, (bags, width), (bag,))  # zeros
    chosen = rows[wrap(number), wrap(np.arange(width))]
    return _.where(wrap(empty), 0.0, chosen)


def _renormalize(weight: Tensor, used: np.ndarray, max_norm: float, norm_type: float) -> None:
    from ...graph import no_grad

    with no_grad():
        rows = weight._array[used]
        norms = np.linalg.norm(rows, norm_type, axis=1)
        too_long = norms > max_norm
        scaled = weight.clone()
        scaled._array[used[too_long]] *= (max_norm / (norms[too_long] + 1e-7))[:, None].astype(rows.dtype)
        write(weight, scaled, "embedding_renorm_")
