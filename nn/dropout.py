"""Regularization by random zeros."""

from __future__ import annotations

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _Dropout(Module):
    """What dropout layers share: a probability."""

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_Dropout):
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

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_Dropout):
    """Zeroes whole channels (rows) with probability ``p`` while training and scales the others.

    Neighbors in a feature map say much the same, so that zeroing single elements regularizes little. Tompson et al.,
    "Efficient Object Localization Using Convolutional Networks" (2015).

    Args:
        p: probability that a channel is zeroed.
        inplace: write into the input.

    Shape:
        - Input, output: ``(N, C, L)`` or ``(C, L)``, the same

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> import autograd, nn
    >>> x = nn.Dropout1d(0.5)(autograd.ones(8, 4, 3))
    >>> set(x.sum(2).flatten().tolist()) <= {0.0, 6.0}  # whole channels
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_Dropout):
    """Zeroes whole channels (images) with probability ``p`` while training and scales the others.

    Neighbors in a feature map say much the same, so that zeroing single elements regularizes little. Tompson et al.,
    "Efficient Object Localization Using Convolutional Networks" (2015).

    Args:
        p: probability that a channel is zeroed.
        inplace: write into the input.

    Shape:
        - Input, output: ``(N, C, H, W)`` or ``(C, H, W)``, the same

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> import autograd, nn
    >>> x = nn.Dropout2d(0.5)(autograd.ones(8, 4, 3, 3))
    >>> set(x.sum((2, 3)).flatten().tolist()) <= {0.0, 18.0}  # whole channels
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_Dropout):
    """Zeroes whole channels (volumes) with probability ``p`` while training and scales the others.

    Neighbors in a feature map say much the same, so that zeroing single elements regularizes little. Tompson et al.,
    "Efficient Object Localization Using Convolutional Networks" (2015).

    Args:
        p: probability that a channel is zeroed.
        inplace: write into the input.

    Shape:
        - Input, output: ``(N, C, D, H, W)`` or ``(C, D, H, W)``, the same

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> import autograd, nn
    >>> x = nn.Dropout3d(0.5)(autograd.ones(8, 4, 1, 3, 3))
    >>> set(x.sum((2, 3, 4)).flatten().tolist()) <= {0.0, 18.0}  # whole channels
    True
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_Dropout):
    """Sets elements to the value that `SELU` tends to with probability ``p`` while training; scales and shifts.

    Mean and variance of standardized inputs stay 0 and 1. Klambauer et al., "Self-Normalizing Neural Networks" (2017).

    Args:
        p: probability.
        inplace: kept and shown; a new tensor is returned, as in PyTorch.

    Shape:
        - Input, output: any, the same

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> import autograd, nn
    >>> nn.AlphaDropout(0.2).eval()(autograd.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_Dropout):
    """Sets whole channels to the value that `SELU` tends to with probability ``p`` while training; scales and shifts.

    Mean and variance of standardized inputs stay 0 and 1. Klambauer et al., "Self-Normalizing Neural Networks" (2017).

    Args:
        p: probability.
        inplace: kept and shown; a new tensor is returned, as in PyTorch.

    Shape:
        - Input, output: ``(N, C, *)``, the same

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> import autograd, nn
    >>> x = nn.FeatureAlphaDropout(0.5)(autograd.zeros(8, 4, 3))
    >>> x.std(2).max()  # channels are kept or left out as a whole
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training)
