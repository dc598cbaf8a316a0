"""How far vectors are from each other, and the losses that pull pairs of them together or push them apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import dtypes
from ...rows.public import function
from ...rows.table import _
from ...tensor import Tensor
from ..convert import check_tensor
from ..rearrange import broadcast_tensors
from .losses import chosen_reduction, raised_to, reduced

__all__ = [
    "cosine_embedding_loss", "cosine_similarity", "hinge_embedding_loss", "margin_ranking_loss", "pairwise_distance",
    "triplet_margin_loss", "triplet_margin_with_distance_loss",
]  # fmt: skip


@function(functional=True, method=False)
def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """The cosine of the angle between vectors: ``x1 . x2 / (max(|x1|, eps) max(|x2|, eps))``.

    Args:
        x1: any shape.
        x2: a shape that broadcasts with it.
        dim: along which the vectors lie; it is gone from the result.
        eps: the smallest length to divide by.

    >>> import autograd
    >>> autograd.cosine_similarity(autograd.tensor([[1.0, 0.0]]), autograd.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    check_tensor("cosine_similarity", "x1", x1)
    check_tensor("cosine_similarity", "x2", x2)
    dtype = dtypes.result_type(x1, x2)
    if not dtype.is_floating_point:
        raise RuntimeError(f"cosine_similarity: expected common dtype to be floating point, yet it is {dtype}")
    a, b = broadcast_tensors(x1.to(dtype), x2.to(dtype))
    a, b = (x / raised_to(eps, x.norm(2, dim, keepdim=True)) for x in (a, b))
    return (a * b).sum(dim)


@function(functional=True, method=False)
def pairwise_distance(x1: Tensor, x2: Tensor, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> Tensor:
    """The p-norm of ``x1 - x2 + eps`` along the last dimension.

    Args:
        x1: vectors (N, D) or (D,).
        x2: as many, or one for all.
        p: which norm.
        eps: added to each difference, so that the derivative exists where both are equal.
        keepdim: keep the last dimension, of size 1.

    >>> import autograd
    >>> autograd.pairwise_distance(autograd.tensor([[3.0, 4.0]]), autograd.zeros(1, 2))
    tensor([5.0000])
    """
    check_tensor("pairwise_distance", "x1", x1)
    check_tensor("pairwise_distance", "x2", x2)
    return (x1 - x2 + eps).norm(p, -1, keepdim)


@function(torch=False, functional=True, method=False)
def cosine_embedding_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """For pairs that belong together (target 1) ``1 - cos``, for others (target -1) ``max(0, cos - margin)``.

    Args:
        input1: vectors (N, D) or (D,).
        input2: likewise.
        target: 1 or -1 for each pair: (N,), or one number.
        margin: the cosine up to which others may be similar.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuntimeError: numbers of dimensions that do not fit.

    >>> import autograd
    >>> from nn import functional as F
    >>> x, y = autograd.tensor([[1.0, 0.0]]), autograd.tensor([[0.0, 1.0]])
    >>> F.cosine_embedding_loss(x, y, autograd.tensor([1]))
    tensor(1.)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    if target.ndim > 1:
        raise RuntimeError(
            f"cosine_embedding_loss: 0D or 1D target tensor expected, multi-target not supported: {list(target.shape)}"
        )
    if input1.ndim != target.ndim + 1 or input2.ndim != target.ndim + 1:
        raise RuntimeError(
            f"cosine_embedding_loss: {target.ndim}D target tensor expects {target.ndim + 1}D input tensors, but found "
            f"inputs with sizes {list(input1.shape)} and {list(input2.shape)}"
        )
    tiny = 1e-12
    lengths = ((input1 * input1).sum(-1) + tiny) * ((input2 * input2).sum(-1) + tiny)
    cosine = (input1 * input2).sum(-1) / lengths.sqrt()
    apart = (cosine - margin).clamp(min=0)
    loss = _.where(target == 1, 1 - cosine, 0.0) + _.where(target == -1, apart, 0.0)
    return reduced(loss, reduction)


@function(torch=False, functional=True, method=False)
def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Of distances: the distance for pairs that belong together (target 1), ``max(0, margin - distance)`` for others.

    Args:
        input: distances of any shape.
        target: 1 or -1, of the same shape.
        margin: how far others should be apart.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.hinge_embedding_loss(autograd.tensor([0.2, 0.3]), autograd.tensor([1, -1]))
    tensor(0.4500)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    apart = _.where(target != 1, (margin - input).clamp(min=0), 0.0)
    return reduced(apart + _.where(target != -1, input, 0.0), reduction)


@function(torch=False, functional=True, method=False)
def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, margin - target * (input1 - input2))``: the first should be larger where the target is 1, smaller at -1.

    Args:
        input1: scores of any shape.
        input2: scores of the same number of dimensions.
        target: 1 or -1, likewise.
        margin: by how much.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuntimeError: different numbers of dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> x, y = autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 1.0])
    >>> F.margin_ranking_loss(x, y, autograd.tensor([1, 1]))
    tensor(1.)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    if not input1.ndim == input2.ndim == target.ndim:
        raise RuntimeError(
            "margin_ranking_loss: All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()}"
        )
    return reduced((-target * (input1 - input2) + float(margin)).clamp(min=0), reduction)


@function(torch=False, functional=True, method=False)
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2,
    eps: float = 1e-6,
    swap: bool = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``max(0, d(anchor, positive) - d(anchor, negative) + margin)`` with the distance of `pairwise_distance`.

    Balntas et al., "Learning shallow convolutional feature descriptors with triplet losses" (2016).

    Args:
        anchor: vectors (N, D) or (D,).
        positive: vectors that should be near.
        negative: vectors that should be far.
        margin: by how much farther, above 0.
        p: of the norm.
        eps: of `pairwise_distance`.
        swap: take ``d(positive, negative)`` where that is smaller.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: a margin that is not positive.
        RuntimeError: different numbers of dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> anchor, positive, negative = autograd.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.5]]])
    >>> F.triplet_margin_loss(anchor, positive, negative)
    tensor(0.5000)
    """

    def distance(a: Tensor, b: Tensor) -> Tensor:
        return pairwise_distance(a, b, p, eps)

    reduction = chosen_reduction(reduction, size_average, reduce)
    return triplet_margin_with_distance_loss(
        anchor, positive, negative, distance_function=distance, margin=margin, swap=swap, reduction=reduction
    )


@function(torch=False, functional=True, method=False)
def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of the caller's; `pairwise_distance` by default.

    Raises:
        ValueError: a margin that is not positive.
        RuntimeError: different numbers of dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> triple = autograd.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.5]]])
    >>> F.triplet_margin_with_distance_loss(*triple, distance_function=lambda x, y: (x - y).abs().sum(-1))
    tensor(0.5000)
    """
    reduction = chosen_reduction(reduction)
    if margin <= 0:
        raise ValueError(f"triplet_margin_loss: margin must be greater than 0, got {margin}")
    if not anchor.ndim == positive.ndim == negative.ndim:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {anchor.ndim}D, positive {positive.ndim}D, and negative {negative.ndim}D inputs"
        )
    distance = distance_function or pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = far.minimum(distance(positive, negative))
    return reduced((margin + near - far).clamp(min=0), reduction)
