"""Losses: how far outputs are from targets, as one number to minimize."""

from __future__ import annotations

import warnings

from autograd.tensor import Tensor

from . import functional as F
from .module import Module

__all__ = ["BCELoss", "BCEWithLogitsLoss", "CrossEntropyLoss", "L1Loss", "MSELoss", "NLLLoss"]

REDUCTIONS = ("none", "mean", "sum")


class _Loss(Module):
    """What losses share: how the losses of the elements become one number."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            if reduce is False:
                reduction = "none"
            else:
                reduction = "sum" if size_average is False else "mean"
            warnings.warn(
                f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
                UserWarning,
                stacklevel=3,
            )
        if reduction not in REDUCTIONS:
            raise ValueError(f"{reduction} is not a valid value for reduction; use one of {', '.join(REDUCTIONS)}")
        self.reduction = reduction


class _WeightedLoss(_Loss):
    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)
        self.weight: Tensor | None


class L1Loss(_Loss):
    r"""Absolute error: :math:`|x - y|`, averaged over all elements.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    Raises:
        ValueError: an unknown reduction.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    r"""Squared error: :math:`(x - y)^2`, averaged over all elements.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    Raises:
        ValueError: an unknown reduction.

    >>> import autograd, nn
    >>> nn.MSELoss()(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class BCELoss(_WeightedLoss):
    r"""Binary cross-entropy of probabilities: :math:`-w \, (y \ln p + (1 - y) \ln(1 - p))`.

    Logarithms are bounded below by -100. `BCEWithLogitsLoss` takes logits, and is more accurate.

    Args:
        weight: factors of the elements, broadcast to them.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(*)``, probabilities
        - Target: ``(*)``, between 0 and 1
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    Raises:
        ValueError: an unknown reduction.
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    r"""Binary cross-entropy of logits: `BCELoss` of ``sigmoid(input)``, in one stable step.

    Args:
        weight: factors of the elements, broadcast to them.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        pos_weight: factors of the positive part, one for each class: above 1 raises recall.

    Shape:
        - Input: ``(*)``, logits
        - Target: ``(*)``, between 0 and 1
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, pos_weight=self.pos_weight, reduction=self.reduction
        )


class NLLLoss(_WeightedLoss):
    r"""Negative log-likelihood: :math:`-w_y \, x_y`, where ``x`` holds log-probabilities and ``y`` is the class.

    The mean is weighted: the sum over samples, divided by the sum of their :math:`w_y`.

    Args:
        weight: ``(C,)``, a factor for each class.
        size_average: use ``reduction``.
        ignore_index: targets of this value count for nothing.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(N, C)``, ``(C,)`` or ``(N, C, *)``
        - Target: ``(N,)``, ``()`` or ``(N, *)``, classes
        - Output: a scalar; the target's shape with ``reduction="none"``

    Raises:
        ValueError: an unknown reduction.
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(input, target, weight=self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(_WeightedLoss):
    r"""Cross-entropy of logits: :math:`-w_y \ln \operatorname{softmax}(x)_y`, in one stable step.

    Args:
        weight: ``(C,)``, a factor for each class.
        size_average: use ``reduction``.
        ignore_index: targets of this value count for nothing.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``; the mean is weighted as in `NLLLoss`.
        label_smoothing: this share of each target is spread evenly over all classes.

    Shape:
        - Input: ``(N, C)``, ``(C,)`` or ``(N, C, *)``, logits
        - Target: ``(N,)``, ``()`` or ``(N, *)``, classes; or the input's shape, probabilities
        - Output: a scalar; the shape of the classes with ``reduction="none"``

    Raises:
        ValueError: an unknown reduction.

    >>> import autograd, nn
    >>> nn.CrossEntropyLoss()(autograd.zeros(3, 4), autograd.tensor([0, 1, 2]))
    tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )
