"""Rows of a table, and the sum of gradients into them."""

from __future__ import annotations

import numpy as np

from ... import kernels
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, _, coarse
from ...rows.writes import write
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from ..index import index_array

__all__ = ["embedding", "embedding_rows", "embedding_sum"]


@coarse(latex=r"w_{i}", home="", node_name="Embedding")
def embedding_rows(weight: Array, indices, padding_idx):
    return weight[indices]


@embedding_rows.gradient("weight")
def _(g, weight_shape, indices, padding_idx):
    return embedding_sum(g, weight_shape[0], indices, padding_idx)


@coarse(latex=r"\sum_{j : i_j = i} x_j", home="", node_name="EmbeddingDense")
def embedding_sum(x: Array, rows, indices, padding_idx):
    out = kernels.scatter.scatter_add_rows((rows, *x.shape[indices.ndim :]), indices, x)
    if padding_idx >= 0:
        out[padding_idx] = 0
    return out


@embedding_sum.gradient("x")
def _(g, indices, padding_idx):
    taken = embedding_rows(g, indices, padding_idx)
    if padding_idx < 0:
        return taken
    mask = (indices == padding_idx)[..., None]
    return _.where(wrap(mask) if isinstance(taken, Tensor) else mask, 0.0, taken)


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
        sparse: accepted; gradients are dense.

    Raises:
        IndexError: a place outside of ``weight``.
    """
    indices = index_array("embedding", input)
    rows = check_tensor("embedding", "weight", weight)._array
    if rows.ndim != 2:
        raise RuntimeError(f"'weight' must be 2-D, but got shape {list(rows.shape)}")
    if indices.size and (indices.min() < 0 or indices.max() >= rows.shape[0]):
        raise IndexError(f"embedding: index out of range in self: {indices.max()} for weight {list(rows.shape)}")
    padding = -1
    if padding_idx is not None:
        if not -rows.shape[0] <= padding_idx < rows.shape[0]:
            raise AssertionError(f"Padding_idx must be within num_embeddings: {padding_idx} for {rows.shape[0]} rows")
        padding = padding_idx % rows.shape[0]
    if max_norm is not None:
        _renormalize(weight, np.unique(indices), max_norm, norm_type)
    out = apply(embedding_rows, (weight, indices, padding), {})
    if scale_grad_by_freq and out.requires_grad:
        counts = np.bincount(indices.reshape(-1), minlength=rows.shape[0])[indices]
        out.register_hook(lambda g: g / wrap(counts[..., None].astype(rows.dtype)))
    return out


def _renormalize(weight: Tensor, used: np.ndarray, max_norm: float, norm_type: float) -> None:
    from ...graph import no_grad

    with no_grad():
        rows = weight._array[used]
        norms = np.linalg.norm(rows, norm_type, axis=1)
        too_long = norms > max_norm
        scaled = weight.clone()
        scaled._array[used[too_long]] *= (max_norm / (norms[too_long] + 1e-7))[:, None].astype(rows.dtype)
        write(weight, scaled, "embedding_renorm_")
