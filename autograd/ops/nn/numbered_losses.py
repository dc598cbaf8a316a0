"""The losses that PyTorch has beside its functions of tensors, too, where ``reduction`` is a number: 0, 1 or 2 for
``"none"`` (the default), ``"mean"`` and ``"sum"``."""

from __future__ import annotations

from typing import Any

from ...rows.public import FUNCTIONAL, function
from ...tensor import Tensor
from . import class_losses, ctc, distances, losses  # noqa: F401 (they publish the functions below)
from .losses import REDUCTIONS, reduced

__all__ = [
    "binary_cross_entropy_with_logits", "cosine_embedding_loss", "ctc_loss", "hinge_embedding_loss", "kl_div",
    "margin_ranking_loss", "poisson_nll_loss", "triplet_margin_loss",
]  # fmt: skip


def _named(operator: str, reduction: Any) -> str:
    """The reduction that a number stands for; PyTorch takes all others for 0."""
    if type(reduction) is not int:
        raise TypeError(f"{operator}(): argument 'reduction' must be int, not {type(reduction).__name__}")
    return REDUCTIONS[reduction] if 0 <= reduction < len(REDUCTIONS) else "none"


@function(method=False)
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Tensor | None = None, pos_weight: Tensor | None = None, reduction: int = 0
) -> Tensor:
    """`nn.functional.binary_cross_entropy_with_logits` with a number for ``reduction``.

    >>> import autograd
    >>> autograd.binary_cross_entropy_with_logits(autograd.tensor([0.0]), autograd.tensor([1.0]), reduction=2)
    tensor(0.6931)
    """
    how = _named("binary_cross_entropy_with_logits", reduction)
    loss = FUNCTIONAL["binary_cross_entropy_with_logits"]
    return loss(input, target, weight, reduction=how, pos_weight=pos_weight)


@function(method=False)
def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """`nn.functional.kl_div` with a number for ``reduction``.

    >>> import autograd
    >>> autograd.kl_div(autograd.tensor([0.5, 0.5]).log(), autograd.tensor([1.0, 0.0]), 2)
    tensor(0.6931)
    """
    how = _named("kl_div", reduction)
    return reduced(FUNCTIONAL["kl_div"](input, target, reduction="none", log_target=log_target), how)


@function(method=False)
def cosine_embedding_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.cosine_embedding_loss` with a number for ``reduction``.

    >>> import autograd
    >>> autograd.cosine_embedding_loss(autograd.eye(2), autograd.eye(2), autograd.tensor([1.0, -1.0]), 0.0, 0)
    tensor([0., 1.])
    """
    how = _named("cosine_embedding_loss", reduction)
    return FUNCTIONAL["cosine_embedding_loss"](input1, input2, target, margin, reduction=how)


@function(method=False)
def hinge_embedding_loss(input: Tensor, target: Tensor, margin: float = 1.0, reduction: int = 0) -> Tensor:
    """`nn.functional.hinge_embedding_loss` with a number for ``reduction``.

    >>> import autograd
    >>> autograd.hinge_embedding_loss(autograd.tensor([0.5, 0.5]), autograd.tensor([1.0, -1.0]), 2.0, 0)
    tensor([0.5000, 1.5000])
    """
    how = _named("hinge_embedding_loss", reduction)
    return FUNCTIONAL["hinge_embedding_loss"](input, target, margin, reduction=how)


@function(method=False)
def margin_ranking_loss(
    input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 0
) -> Tensor:
    """`nn.functional.margin_ranking_loss` with a number for ``reduction``.

    >>> import autograd
    >>> autograd.margin_ranking_loss(autograd.zeros(2), autograd.ones(2), autograd.tensor([1.0, -1.0]), 0.0, 0)
    tensor([1., 0.])
    """
    how = _named("margin_ranking_loss", reduction)
    return FUNCTIONAL["margin_ranking_loss"](input1, input2, target, margin, reduction=how)


@function(method=False)
def triplet_margin_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    margin: float = 1.0,
    p: float = 2.0,
    eps: float = 1e-6,
    swap: bool = False,
    reduction: int = 0,
) -> Tensor:
    """`nn.functional.triplet_margin_loss` with a number for ``reduction``.

    >>> import autograd
    >>> a, b = autograd.tensor([[0.0, 0.0]]), autograd.tensor([[3.0, 4.0]])
    >>> autograd.triplet_margin_loss(a, b, a, reduction=2)
    tensor(6.0000)
    """
    how = _named("triplet_margin_loss", reduction)
    return FUNCTIONAL["triplet_margin_loss"](anchor, positive, negative, margin, p, eps, swap, reduction=how)


@function(method=False)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """`nn.functional.ctc_loss` with a number for ``reduction``.

    >>> import autograd
    >>> log_probs = autograd.zeros(3, 1, 2).log_softmax(2)
    >>> autograd.ctc_loss(log_probs, autograd.tensor([[1]]), (3,), (1,), 0, 2)
    tensor(0.2877)
    """
    how = _named("ctc_loss", reduction)
    return FUNCTIONAL["ctc_loss"](log_probs, targets, input_lengths, target_lengths, blank, how, zero_infinity)


@function(method=False)
def poisson_nll_loss(
    input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int
) -> Tensor:  # fmt: skip
    """`nn.functional.poisson_nll_loss` with a number for ``reduction``.

    >>> import autograd
    >>> autograd.poisson_nll_loss(autograd.zeros(2), autograd.ones(2), True, False, 1e-8, 2)
    tensor(2.)
    """
    how = _named("poisson_nll_loss", reduction)
    return FUNCTIONAL["poisson_nll_loss"](input, target, log_input, full, eps=eps, reduction=how)
