"""Regularization by random zeros."""

from __future__ import annotations

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["Dropout"]


class Dropout(Module):
    """Zeroes each element with probability ``p`` while training and scales the others by ``1 / (1 - p)``.

    In evaluation mode it gives its input back. Hinton et al., "Improving neural networks by preventing co-adaptation
    of feature detectors" (2012).

    Args:
        p: probability of a zero.
        inplace: write into the input.

    Shape:
        - Input, output: any, the same.

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> import autograd, nn
    >>> nn.Dropout(0.2).eval()(autograd.ones(3))
    tensor([1., 1., 1.])
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
