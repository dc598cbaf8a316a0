"""Distances between vectors."""

from __future__ import annotations

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    r"""The norm of the differences: :math:`\lVert x_1 - x_2 + \epsilon \rVert_p`, along the last dimension.

    Args:
        p: which norm.
        eps: added to each difference.
        keepdim: keep the last dimension, of size 1.

    Shape:
        - Inputs: ``(N, D)`` or ``(D,)``
        - Output: ``(N,)`` or ``()``

    >>> import autograd, nn
    >>> nn.PairwiseDistance(p=1)(autograd.zeros(1, 2), autograd.ones(1, 2))
    tensor([2.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    r"""The cosine of the angle between vectors: :math:`x_1 \cdot x_2 / (|x_1| |x_2|)`.

    Args:
        dim: along which the vectors lie.
        eps: the smallest length to divide by.

    Shape:
        - Inputs: ``(*, D, *)``
        - Output: without the dimension ``dim``

    >>> import autograd, nn
    >>> nn.CosineSimilarity()(autograd.tensor([[1.0, 0.0]]), autograd.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
