"""Losses: how far outputs are from targets, as one number to minimize."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

from autograd.tensor import Tensor

from . import functional as F
from .distance import PairwiseDistance
from .linear import Linear
from .module import Module

__all__ = [
    "BCELoss", "BCEWithLogitsLoss", "CTCLoss", "CosineEmbeddingLoss", "CrossEntropyLoss", "GaussianNLLLoss",
    "HingeEmbeddingLoss", "HingeLoss", "HuberLoss", "KLDivLoss", "L1Loss", "LinearCrossEntropyLoss", "LogisticLoss",
    "MSELoss", "MarginRankingLoss", "MultiLabelMarginLoss", "MultiLabelSoftMarginLoss", "MultiMarginLoss", "NLLLoss",
    "NLLLoss2d", "PoissonNLLLoss", "SmoothL1Loss", "SoftMarginLoss", "SquareLoss", "TripletMarginLoss",
    "TripletMarginWithDistanceLoss",
]  # fmt: skip


class _Loss(Module):
    """What losses share: how the losses of the elements become one number."""

    def __init__(self, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean") -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            from autograd.ops.nn.losses import chosen_reduction  # the losses are loaded at the first call

            reduction = chosen_reduction(reduction, size_average, reduce)
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
        ValueError: an unknown reduction, at the first call.

    >>> import autograd, nn
    >>> nn.L1Loss()(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 5.0]))
    tensor(1.5000)
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
        ValueError: an unknown reduction, at the first call.

    >>> import autograd, nn
    >>> nn.BCELoss()(autograd.tensor([0.5, 0.9]), autograd.tensor([0.0, 1.0]))
    tensor(0.3993)
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
        ValueError: an unknown reduction, at the first call.

    >>> import autograd, nn
    >>> nn.BCEWithLogitsLoss()(autograd.tensor([0.0, 2.0]), autograd.tensor([0.0, 1.0]))
    tensor(0.4100)
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
        ValueError: an unknown reduction, at the first call.

    >>> import autograd, nn
    >>> log_probs = autograd.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    >>> nn.NLLLoss()(log_probs, autograd.tensor([1, 0]))
    tensor(0.4904)
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
        own = self._buffers  # as in `Linear`: found as an attribute, the weight takes 0.7 us
        weight = own["weight"] if type(self) is CrossEntropyLoss and "weight" in own else self.weight
        return F.cross_entropy(  # by position: keywords take 0.5 us to sort out
            input, target, weight, None, self.ignore_index, None, self.reduction, self.label_smoothing
        )


class HuberLoss(_Loss):
    r"""A parabola up to an error of δ, a straight line of slope δ from there.

    Args:
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola ends, above 0.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    Raises:
        TypeError: ``delta`` is not a number.

    >>> import autograd, nn
    >>> nn.HuberLoss(reduction="none")(autograd.tensor([0.5, 3.0]), autograd.zeros(2))
    tensor([0.1250, 2.5000])
    """

    def __init__(
        self,
        reduction: str = "mean",
        delta: float = 1.0,
    ) -> None:
        if not isinstance(delta, (int, float)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class SmoothL1Loss(_Loss):
    r"""`HuberLoss` with δ = β, divided by β: absolute error with a rounded tip.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola ends; with 0 the absolute error.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.SmoothL1Loss(reduction="none")(autograd.tensor([0.5, 3.0]), autograd.zeros(2))
    tensor([0.1250, 2.5000])
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class KLDivLoss(_Loss):
    r"""Kullback-Leibler divergence of log-probabilities from a target distribution: :math:`y (\ln y - x)`.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"batchmean"`` (the divergence), ``"mean"`` (of all elements), ``"sum"`` or ``"none"``.
        log_target: the target holds log-probabilities, too.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.KLDivLoss(reduction="batchmean")(autograd.zeros(1, 2), autograd.tensor([[0.5, 0.5]]))
    tensor(-0.6931)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    r"""Negative log-likelihood of counts under Poisson distributions: :math:`e^x - y x`.

    Args:
        log_input: the input holds logarithms of the rates; otherwise the rates.
        full: add Stirling's approximation of ln(y!).
        size_average: use ``reduction``.
        eps: added to a rate before its logarithm is taken.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.PoissonNLLLoss()(autograd.tensor([0.0, 1.0]), autograd.tensor([1.0, 2.0]))
    tensor(0.8591)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input, target, log_input=self.log_input, full=self.full, eps=self.eps, reduction=self.reduction
        )


class GaussianNLLLoss(_Loss):
    r"""Negative log-likelihood under normal distributions: :math:`\tfrac{1}{2} (\ln v + (x - y)^2 / v)`.

    Args:
        full: add the constant ln(2π) / 2.
        eps: the smallest variance.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(*)``, the same
        - Variances: ``(*)``, or without the last dimension, or with one dimension of 1
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.GaussianNLLLoss()(autograd.tensor([1.0]), autograd.tensor([3.0]), autograd.tensor([4.0]))
    tensor(1.1931)
    """

    def __init__(
        self,
        *,
        full: bool = False,
        eps: float = 1e-6,
        reduction: str = "mean",
    ) -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(input, target, var, full=self.full, eps=self.eps, reduction=self.reduction)


class SoftMarginLoss(_Loss):
    r"""The logistic loss of scores: :math:`\ln(1 + e^{-y x})` for targets of 1 and -1.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.SoftMarginLoss()(autograd.tensor([0.0, 2.0]), autograd.tensor([1.0, -1.0]))
    tensor(1.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.soft_margin_loss(input, target, reduction=self.reduction)


class MultiMarginLoss(_WeightedLoss):
    r"""The hinge loss of several classes: :math:`\tfrac{1}{C} \sum_{j \ne y} \max(0, m - x_y + x_j)^p`.

    Args:
        p: 1 or 2.
        margin: m, by how much the right class should lead.
        weight: ``(C,)``, a factor for each right class.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(N, C)`` or ``(C,)``
        - Target: ``(N,)`` or ``()``, classes
        - Output: a scalar; the target's shape with ``reduction="none"``

    Raises:
        ValueError: another ``p``, or a weight that is not one-dimensional.

    >>> import autograd, nn
    >>> nn.MultiMarginLoss()(autograd.tensor([[0.1, 0.2, 0.8]]), autograd.tensor([2]))
    tensor(0.2333)
    """

    def __init__(
        self,
        p: int = 1,
        margin: float = 1.0,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        if p not in (1, 2):
            raise ValueError(f"MultiMarginLoss: only p == 1 and p == 2 supported, but got {p}")
        if weight is not None and weight.dim() != 1:
            raise ValueError(f"MultiMarginLoss: expected weight to be None or 1D tensor, got {weight.dim()}D instead")
        super().__init__(weight, size_average, reduce, reduction)
        self.p = p
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multi_margin_loss(
            input, target, p=self.p, margin=self.margin, weight=self.weight, reduction=self.reduction
        )


class MultiLabelMarginLoss(_Loss):
    r"""The hinge loss of several right classes y: :math:`\tfrac{1}{C} \sum_{y} \sum_{j} \max(0, 1 - x_y + x_j)`.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(N, C)`` or ``(C,)``
        - Target: the same, right classes ended by -1
        - Output: a scalar; ``(N,)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> x, y = autograd.tensor([[0.1, 0.2, 0.4, 0.8]]), autograd.tensor([[3, 0, -1, 1]])
    >>> nn.MultiLabelMarginLoss()(x, y)
    tensor(0.8500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_margin_loss(input, target, reduction=self.reduction)


class MultiLabelSoftMarginLoss(_WeightedLoss):
    r"""Binary cross-entropy of the logits of each class, averaged over the classes.

    Args:
        weight: ``(C,)``, a factor for each class.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(N, C)``
        - Output: a scalar; ``(N,)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.MultiLabelSoftMarginLoss()(autograd.tensor([[0.0, 2.0]]), autograd.tensor([[0.0, 1.0]]))
    tensor(0.4100)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.multilabel_soft_margin_loss(input, target, weight=self.weight, reduction=self.reduction)


class HingeEmbeddingLoss(_Loss):
    r"""Of distances: :math:`x` for pairs that belong together (:math:`y = 1`), :math:`\max(0, m - x)` for others (-1).

    Args:
        margin: m, how far others should be apart.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.HingeEmbeddingLoss()(autograd.tensor([0.2, 0.3]), autograd.tensor([1, -1]))
    tensor(0.4500)
    """

    def __init__(
        self,
        margin: float = 1.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_embedding_loss(input, target, margin=self.margin, reduction=self.reduction)


class MarginRankingLoss(_Loss):
    r"""The first score should be larger where y = 1, smaller where y = -1: :math:`\max(0, m - y (x_1 - x_2))`.

    Args:
        margin: m, by how much.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Inputs, target: ``(*)``, the same
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> x, y = autograd.tensor([1.0, 2.0]), autograd.tensor([3.0, 1.0])
    >>> nn.MarginRankingLoss()(x, y, autograd.tensor([1, 1]))
    tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.margin_ranking_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class CosineEmbeddingLoss(_Loss):
    r"""For pairs that belong together (y = 1) :math:`1 - \cos`, for others (-1) :math:`\max(0, \cos - m)`.

    Args:
        margin: m, the cosine up to which others may be similar.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Inputs: ``(N, D)`` or ``(D,)``
        - Target: ``(N,)`` or ``()``
        - Output: a scalar; the target's shape with ``reduction="none"``

    >>> import autograd, nn
    >>> x, y = autograd.tensor([[1.0, 0.0]]), autograd.tensor([[0.0, 1.0]])
    >>> nn.CosineEmbeddingLoss()(x, y, autograd.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self,
        margin: float = 0.0,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.margin = margin

    def forward(self, input1: Tensor, input2: Tensor, target: Tensor) -> Tensor:
        return F.cosine_embedding_loss(input1, input2, target, margin=self.margin, reduction=self.reduction)


class TripletMarginLoss(_Loss):
    r"""An anchor should be nearer to the positive than to the negative: :math:`\max(0, d(a, p) - d(a, n) + m)`.

    Args:
        margin: m, by how much, above 0.
        p: of the norm.
        eps: added to each difference.
        swap: take ``d(p, n)`` where that is smaller than ``d(a, n)``.
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Inputs: ``(N, D)`` or ``(D,)``
        - Output: a scalar; ``(N,)`` with ``reduction="none"``

    Raises:
        ValueError: a margin that is not positive.

    >>> import autograd, nn
    >>> anchor, positive, negative = autograd.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.5]]])
    >>> nn.TripletMarginLoss()(anchor, positive, negative)
    tensor(0.5000)
    """

    def __init__(
        self,
        margin: float = 1.0,
        p: float = 2.0,
        eps: float = 1e-6,
        swap: bool = False,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        if margin <= 0:
            raise ValueError(f"TripletMarginLoss: expected margin to be greater than 0, got {margin} instead")
        super().__init__(size_average, reduce, reduction)
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_loss(
            anchor,
            positive,
            negative,
            margin=self.margin,
            p=self.p,
            eps=self.eps,
            swap=self.swap,
            reduction=self.reduction,
        )


class TripletMarginWithDistanceLoss(_Loss):
    r"""`TripletMarginLoss` with a distance of one's own.

    Args:
        distance_function: of two batches of vectors; `PairwiseDistance` by default.
        margin: by how much the positive should be nearer, above 0.
        swap: take ``d(p, n)`` where that is smaller than ``d(a, n)``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Inputs: ``(N, D)`` or whatever the distance takes
        - Output: a scalar; the distance's shape with ``reduction="none"``

    Raises:
        ValueError: a margin that is not positive.

    >>> import autograd, nn
    >>> loss = nn.TripletMarginWithDistanceLoss(distance_function=lambda x, y: (x - y).abs().sum(-1))
    >>> loss(*autograd.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[0.0, 1.5]]]))
    tensor(0.5000)
    """

    def __init__(
        self,
        *,
        distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
        margin: float = 1.0,
        swap: bool = False,
        reduction: str = "mean",
    ) -> None:
        if margin <= 0:
            raise ValueError(
                f"TripletMarginWithDistanceLoss: expected margin to be greater than 0, got {margin} instead"
            )
        super().__init__(reduction=reduction)
        self.distance_function = PairwiseDistance() if distance_function is None else distance_function
        self.margin = margin
        self.swap = swap

    def forward(self, anchor: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
        return F.triplet_margin_with_distance_loss(
            anchor,
            positive,
            negative,
            distance_function=self.distance_function,
            margin=self.margin,
            swap=self.swap,
            reduction=self.reduction,
        )


class NLLLoss2d(NLLLoss):
    """The old name of `NLLLoss` for images.

    >>> import autograd, nn
    >>> log_probs = autograd.full((1, 2, 3, 3), 0.5).log()
    >>> nn.NLLLoss()(log_probs, autograd.ones(1, 3, 3, dtype=autograd.int64))
    tensor(0.6931)
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn("`NLLLoss2d` has been deprecated. Please use `NLLLoss` instead.", FutureWarning, stacklevel=2)
        super().__init__(*args, **kwargs)


class LinearCrossEntropyLoss(_WeightedLoss):
    r"""A last linear layer and the `CrossEntropyLoss` of its logits.

    Args:
        in_features: F, size of each input sample.
        num_classes: C.
        out_features: further dimensions of the target, for a loss at several places.
        bias: whether the layer has one.
        device: ``"cpu"``.
        dtype: of the layer's parameters.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        weight: ``(C,)``, a factor for each class.
        ignore_index: targets of this value count for nothing.
        label_smoothing: this share of each target is spread evenly over all classes.
        options: accepted; how PyTorch cuts the batch into pieces.

    Shape:
        - Input: ``(N, F)`` or ``(F,)``
        - Target: ``(N, *out_features)``, classes; or ``(N, C, *out_features)``, probabilities
        - Output: a scalar; the shape of the classes with ``reduction="none"``

    Raises:
        RuntimeError: a weight of another shape, or smoothing outside of [0, 1].

    >>> import autograd, nn
    >>> loss = nn.LinearCrossEntropyLoss(4, 3, bias=False)
    >>> loss(autograd.zeros(2, 4), autograd.tensor([0, 2]))
    tensor(1.0986, grad_fn=<NllLossBackward0>)
    """

    def __init__(
        self,
        in_features: int,
        num_classes: int,
        *,
        out_features: tuple[int, ...] = (),
        bias: bool = False,
        device: Any = None,
        dtype: Any = None,
        reduction: str = "mean",
        weight: Tensor | None = None,
        ignore_index: int | None = None,
        label_smoothing: float = 0.0,
        options: Any = None,
    ) -> None:
        if weight is not None and weight.shape != (num_classes,):
            raise RuntimeError(f"expected weight shape to be {(num_classes,)}, got {tuple(weight.shape)}")
        if not 0 <= label_smoothing <= 1:
            raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
        super().__init__(weight, reduction=reduction)
        self.num_classes = num_classes
        self.out_features = out_features
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing
        outputs = math.prod(out_features, start=num_classes)
        self.linear = Linear(in_features, outputs, bias=bias, device=device, dtype=dtype)
        self.options = options

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        shape = self.num_classes, *self.out_features
        bias = self.linear.bias
        return F.linear_cross_entropy(
            input,
            self.linear.weight.reshape(*shape, self.linear.in_features),
            target,
            linear_bias=None if bias is None else bias.reshape(shape),
            weight=self.weight,
            reduction=self.reduction,
            ignore_index=self.ignore_index,
            label_smoothing=self.label_smoothing,
            options=self.options,
        )

    def extra_repr(self) -> str:
        return (
            f"in_features={self.linear.in_features}, num_classes={self.num_classes}, "
            f"out_features={self.out_features}, bias={self.linear.bias is not None}, reduction={self.reduction}, "
            f"ignore_index={self.ignore_index}, label_smoothing={self.label_smoothing}, options={self.options}"
        )


class CTCLoss(_Loss):
    r"""Connectionist temporal classification: :math:`-\ln \sum_a \prod_t p_{t, a_t}` over all alignments a of a text.

    Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
    Networks" (2006).

    Args:
        blank: the class that says nothing.
        reduction: ``"mean"`` (each loss divided by its target's length, then the mean), ``"sum"`` or ``"none"``.
        zero_infinity: count 0 where a target is too long for its input, with zero gradients.

    Shape:
        - Log-probabilities: ``(T, N, C)`` or ``(T, C)``
        - Targets: ``(N, S)``, or all of them one after the other
        - Lengths: ``(N,)`` or ``()``
        - Output: a scalar; ``(N,)`` or ``()`` with ``reduction="none"``

    >>> import autograd, nn
    >>> log_probs = autograd.zeros(4, 1, 3).log_softmax(2)
    >>> nn.CTCLoss()(log_probs, autograd.tensor([[1, 2]]), [4], [2])
    tensor(0.8432)
    """

    def __init__(self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any) -> Tensor:
        return F.ctc_loss(
            log_probs, targets, input_lengths, target_lengths, self.blank, self.reduction, self.zero_infinity
        )


class HingeLoss(_Loss):
    r""":math:`\max(0, 1 - y f)`: nothing once the score is right by a margin of 1.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(*)``, scores
        - Target: ``(*)``, 1 or -1
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.HingeLoss()(autograd.tensor([0.5, -2.0]), autograd.tensor([1.0, -1.0]))
    tensor(0.2500)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.hinge_loss(input, target, reduction=self.reduction)


class SquareLoss(_Loss):
    r""":math:`(1 - y f)^2`: a score that is right by more than 1 is punished, too.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(*)``, scores
        - Target: ``(*)``, 1 or -1
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.SquareLoss()(autograd.tensor([0.5, -2.0]), autograd.tensor([1.0, -1.0]))
    tensor(0.6250)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.square_loss(input, target, reduction=self.reduction)


class LogisticLoss(_Loss):
    r""":math:`-y \ln f`: the surprise at what happened; over one-hot classes, the cross-entropy.

    Args:
        size_average: use ``reduction``.
        reduce: use ``reduction``.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Shape:
        - Input: ``(*)``, probabilities
        - Target: ``(*)``, 1 or 0
        - Output: a scalar; ``(*)`` with ``reduction="none"``

    >>> import autograd, nn
    >>> nn.LogisticLoss(reduction="sum")(autograd.tensor([0.25, 0.75]), autograd.tensor([0.0, 1.0]))
    tensor(0.2877)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.logistic_loss(input, target, reduction=self.reduction)
