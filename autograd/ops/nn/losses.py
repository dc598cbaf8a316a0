"""Losses of numbers and probabilities: how far a prediction is from its target, element by element."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ...graph import no_grad
from ...kernels.ones import FEW, ONES
from ...kernels.sums import Sum
from ...rows.dispatch import apply, broadcast_shape, signature_of
from ...rows.nodes import sum_to
from ...rows.public import function
from ...rows.table import TABLE, Array, CoarseRow, PointwiseRow, _, pointwise
from ...tensor import Tensor
from ..convert import check_tensor
from ..rearrange import broadcast_tensors

__all__ = [
    "absolute_error",
    "bernoulli_error",
    "bernoulli_error_of_logits",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_pair",
    "chosen_reduction",
    "gaussian_nll_loss",
    "hinge_loss",
    "huber_error",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "logistic_loss",
    "mse_loss",
    "poisson_nll_loss",
    "raised_to",
    "reduced",
    "smooth_error",
    "smooth_l1_loss",
    "soft_margin_loss",
    "square_loss",
    "squared_error",
    "total_of",
]

REDUCTIONS = ("none", "mean", "sum")


def chosen_reduction(reduction: str, size_average: Any = None, reduce: Any = None) -> str:
    """``reduction``, or what the older arguments say in its place.

    Raises:
        ValueError: an unknown ``reduction``.
    """
    if size_average is not None or reduce is not None:
        averaged, summed = (True if old is None else old for old in (size_average, reduce))
        reduction = "none" if not summed else "mean" if averaged else "sum"
        warnings.warn(
            f"size_average and reduce args will be deprecated, please use reduction='{reduction}' instead.",
            UserWarning,
            stacklevel=3,
        )
    if reduction not in REDUCTIONS:
        raise ValueError(f"{reduction} is not a valid value for reduction: use 'none', 'mean' or 'sum'")
    return reduction


def reduced(loss: Tensor, reduction: str) -> Tensor:
    """The loss per element, its mean or its sum."""
    if reduction == "none":
        return loss
    return loss.mean() if reduction == "mean" else loss.sum()


def raised_to(low: float, x: Tensor) -> Tensor:
    """``max(x, low)``, whose gradient is passed on as if nothing had been raised."""
    raised = x.clone()
    with no_grad():
        raised.clamp_(min=low)
    return raised


def total_of(losses: np.ndarray) -> Any:
    """Their sum; of float16 in float32, as a float16 total ends at 65504."""
    if losses.ndim == 1 and losses.size <= FEW and losses.dtype.char in ONES:
        return losses.dot(ONES[losses.dtype.char][losses.size])
    return np.add.reduce(losses, None, np.float32 if losses.dtype == np.float16 else losses.dtype)


def check_pair(operator: str, input: Any, target: Any) -> None:
    a = check_tensor(operator, "input", input)._array.shape
    b = check_tensor(operator, "target", target)._array.shape
    if a != b:
        warnings.warn(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}). This will "
            "likely lead to incorrect results due to broadcasting. Please ensure they have the same size.",
            UserWarning,
            stacklevel=3,
        )


@pointwise(latex=r"(x - y)^2", home="", node_name="MseLoss", accepts="floats")
def squared_error(x, y):
    return (x - y) * (x - y)


@squared_error.gradient("x")
def _(g, x, y):
    return g * (2 * (x - y))


@squared_error.gradient("y")
def _(g, x, y):
    return g * (2 * (y - x))


@pointwise(
    latex=r"|x - y|", home="", node_name="Abs", refuses_bool="use ^ or logical_xor() instead", complex="distance"
)
def absolute_error(x, y):
    return _.abs(x - y)


@absolute_error.gradient("x")
def _(g, x, y):
    return g * _.sign(x - y)


@absolute_error.gradient("y")
def _(g, x, y):
    return g * _.sign(y - x)


@pointwise(
    latex=r"|x - y| < \delta \; ? \; \tfrac{1}{2} (x - y)^2 : \delta (|x - y| - \tfrac{1}{2} \delta)",
    home="",
    node_name="HuberLoss",
    accepts="floats",
)
def huber_error(x, y, delta=1.0):
    return _.where(_.abs(x - y) < delta, 0.5 * (x - y) * (x - y), delta * (_.abs(x - y) - 0.5 * delta))


@huber_error.gradient("x")
def _(g, x, y, delta):
    return g * _.minimum(_.maximum(x - y, -delta), delta)


@huber_error.gradient("y")
def _(g, x, y, delta):
    return g * _.minimum(_.maximum(y - x, -delta), delta)


@pointwise(
    latex=r"|x - y| < \beta \; ? \; \frac{(x - y)^2}{2 \beta} : |x - y| - \tfrac{1}{2} \beta",
    home="",
    node_name="SmoothL1Loss",
    accepts="floats",
)
def smooth_error(x, y, beta=1.0):
    return _.where(_.abs(x - y) < beta, 0.5 * (x - y) * (x - y) / beta, _.abs(x - y) - 0.5 * beta)


@smooth_error.gradient("x")
def _(g, x, y, beta):
    return g * _.minimum(_.maximum((x - y) / beta, -1.0), 1.0)


@smooth_error.gradient("y")
def _(g, x, y, beta):
    return g * _.minimum(_.maximum((y - x) / beta, -1.0), 1.0)


@pointwise(
    latex=r"-(y \ln x + (1 - y) \ln(1 - x))",
    domain=(0.1, 0.9),
    home="",
    node_name="BinaryCrossEntropy",
    accepts="floats",
)
def bernoulli_error(x, y):
    return (y - 1) * _.maximum(_.log1p(-x), -100.0) - y * _.maximum(_.log(x), -100.0)


@bernoulli_error.gradient("x")
def _(g, x, y):
    return g * (x - y) / _.maximum(x * (1 - x), 1e-12)


@bernoulli_error.gradient("y")
def _(g, x):
    return g * (_.log1p(-x) - _.log(x))


@pointwise(
    latex=r"\max(x, 0) - x y + \ln(1 + e^{-|x|})", home="", node_name="BinaryCrossEntropyWithLogits", accepts="floats"
)
def bernoulli_error_of_logits(x, y):
    return _.maximum(x, 0.0) - x * y + _.log1p(_.exp(-_.abs(x)))


@bernoulli_error_of_logits.gradient("x")
def _(g, x, y):
    return g * (_.sigmoid(x) - y)


@bernoulli_error_of_logits.gradient("y")
def _(g, x):
    return -g * x


def _reducible(row: PointwiseRow, node_name: str | Callable[..., str]) -> CoarseRow:
    """The mean or the sum of a pointwise loss as one operator, named as PyTorch names it."""

    of_all = Sum(row.forward, 2)

    def total(x: Array, y: Array, reduction, options):
        total = of_all((x, y), options)
        size = x.size if x.shape == y.shape else math.prod(np.broadcast_shapes(x.shape, y.shape))
        return np.asarray(total / size if reduction == "mean" else total, x.dtype)

    total.__name__ = f"total_{row.name}"
    reduction_row = CoarseRow(total, latex=rf"\sum {row.latex}", home="", node_name=node_name)

    def backward_for(position: int) -> Any:
        plan = row.plan((position == 0, position == 1))

        def rule(g, x, y, reduction, options):
            if reduction == "mean":
                g = _.div(g, math.prod(np.broadcast_shapes(tuple(x.shape), tuple(y.shape))))
            values = {"x": x, "y": y}
            saved = tuple(values[name] for name in plan.saved)
            shape = (x, y)[position].shape
            if isinstance(g, Tensor):
                g = TABLE["expand"](g, np.broadcast_shapes(tuple(x.shape), tuple(y.shape)))
                return sum_to(plan.on_recorders(g, saved, options)[0], shape)
            return sum_to(plan.program((g, *saved), options, g.dtype, max(x.size, y.size))[0], shape)

        return rule

    reduction_row.gradient("x")(backward_for(0))
    reduction_row.gradient("y")(backward_for(1))
    return reduction_row


def _mean_or_sum(reduction: str) -> str:
    return "SumBackward0" if reduction == "sum" else "MeanBackward0"


total_squared_error = _reducible(squared_error, "MseLoss")
total_absolute_error = _reducible(absolute_error, _mean_or_sum)
total_huber_error = _reducible(huber_error, "HuberLoss")
total_smooth_error = _reducible(smooth_error, "SmoothL1Loss")
total_bernoulli_error = _reducible(bernoulli_error, "BinaryCrossEntropy")
total_bernoulli_error_of_logits = _reducible(bernoulli_error_of_logits, "BinaryCrossEntropyWithLogits")


def _pointwise_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    reduction: str,
    each: PointwiseRow,
    total: CoarseRow,
    options: tuple[Any, ...] = (),
) -> Tensor:
    if input.dtype is not target.dtype:  # at the same shape a 0-d operand has its say in the result's dtype
        input, target = broadcast_tensors(input, target)
    elif weight is None and reduction != "none" and input.is_floating_point():
        signature_of(each, [input, target])
        broadcast_shape(each, [input._array, target._array])
        return apply(total, (input, target, reduction, options), {})
    loss = apply(each, (input, target, *options), {})
    return reduced(loss if weight is None else loss * weight, reduction)


def _weighted(input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, rows: Any) -> Tensor:
    """A regression loss: its mean divides by the sum of the weights."""
    if weight is None:
        return _pointwise_loss(input, target, None, reduction, *rows)
    if weight.shape != input.shape:
        raise ValueError(f"Weights and input must have the same size: {list(weight.shape)} and {list(input.shape)}")
    if reduction == "mean":
        return _pointwise_loss(input, target, weight, "sum", *rows) / weight.sum()
    return _pointwise_loss(input, target, weight, reduction, *rows)


@function(torch=False, functional=True, method=False)
def mse_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The squared error ``(input - target)^2``: its mean, its sum, or each element's.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.mse_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 4.0]))
    tensor(2.)
    """
    check_pair("mse_loss", input, target)
    reduction = chosen_reduction(reduction, size_average, reduce)
    return _weighted(input, target, weight, reduction, (squared_error, total_squared_error))


@function(torch=False, functional=True, method=False)
def l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    weight: Tensor | None = None,
) -> Tensor:
    """The absolute error ``|input - target|``: its mean, its sum, or each element's.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.l1_loss(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 5.0]))
    tensor(1.5000)
    """
    check_pair("l1_loss", input, target)
    reduction = chosen_reduction(reduction, size_average, reduce)
    return _weighted(input, target, weight, reduction, (absolute_error, total_absolute_error))


@function(torch=False, functional=True, method=False)
def huber_loss(
    input: Tensor,
    target: Tensor,
    reduction: str = "mean",
    delta: float = 1.0,
    weight: Tensor | None = None,
) -> Tensor:
    """``(input - target)^2 / 2`` up to an error of ``delta``, and from there on a straight line of slope ``delta``.

    Huber, "Robust Estimation of a Location Parameter" (1964).

    Args:
        input: predictions of any shape.
        target: of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        delta: where the parabola ends, above 0.
        weight: a factor for each element.

    Raises:
        ValueError: weights of another shape.
        RuntimeError: ``delta`` is not positive.

    >>> import autograd
    >>> autograd.nn.functional.huber_loss(autograd.tensor([0.5, 3.0]), autograd.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    check_pair("huber_loss", input, target)
    if delta <= 0:
        raise RuntimeError(f"huber_loss does not support non-positive values for delta, but got {delta}")
    if weight is not None and weight.shape != input.shape:
        raise ValueError(f"Weights and input must have the same size: {list(weight.shape)} and {list(input.shape)}")
    reduction = chosen_reduction(reduction)
    if not input.is_floating_point() and target.dtype is not input.dtype:
        raise RuntimeError(f"huber_loss: result type {target.dtype} can't be cast to the input's {input.dtype}")
    rows = huber_error, total_huber_error
    return _pointwise_loss(input, target, weight, reduction, *rows, (float(delta),)).to(input.dtype)


@function(torch=False, functional=True, method=False)
def smooth_l1_loss(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    beta: float = 1.0,
) -> Tensor:
    """``(input - target)^2 / (2 beta)`` up to an error of ``beta``, and from there on ``|input - target| - beta / 2``.

    The Huber loss with ``delta = beta``, divided by ``beta``; with ``beta=0`` the absolute error. Girshick, "Fast
    R-CNN" (2015).

    Args:
        input: predictions of any shape.
        target: of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.
        beta: where the parabola ends, 0 or more.

    Raises:
        RuntimeError: a negative ``beta``.

    >>> import autograd
    >>> autograd.nn.functional.smooth_l1_loss(autograd.tensor([1.0, 3.0]), autograd.zeros(2), beta=2.0)
    tensor(1.1250)
    """
    if beta == 0:
        return l1_loss(input, target, size_average, reduce, reduction)
    check_pair("smooth_l1_loss", input, target)
    if beta < 0:
        raise RuntimeError(f"smooth_l1_loss does not support negative values for beta, but got {beta}")
    reduction = chosen_reduction(reduction, size_average, reduce)
    return _pointwise_loss(input, target, None, reduction, smooth_error, total_smooth_error, (float(beta),))


@function(torch=False, functional=True, method=False)
def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``-(target log input + (1 - target) log(1 - input))``, logarithms not below -100.

    Raises:
        ValueError: shapes that differ.
        RuntimeError: probabilities outside of [0, 1].

    >>> import autograd
    >>> from nn import functional as F
    >>> F.binary_cross_entropy(autograd.tensor([0.5, 0.9]), autograd.tensor([0.0, 1.0]))
    tensor(0.3993)
    """
    a = check_tensor("binary_cross_entropy", "input", input)._array
    b = check_tensor("binary_cross_entropy", "target", target)._array
    if a.shape != b.shape:
        raise ValueError(
            f"Using a target size ({target.size()}) that is different to the input size ({input.size()}) is "
            "deprecated. Please ensure they have the same size."
        )
    if a.size and not (a.min() >= 0 and a.max() <= 1):
        raise RuntimeError("all elements of input should be between 0 and 1; apply sigmoid(), or use logits")
    if a.dtype != b.dtype:
        raise RuntimeError(f"binary_cross_entropy: input has dtype {a.dtype.name}, but target has {b.dtype.name}")
    reduction = chosen_reduction(reduction, size_average, reduce)
    return _pointwise_loss(input, target, weight, reduction, bernoulli_error, total_bernoulli_error)


@function(torch=False, functional=True, method=False)
def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy of ``sigmoid(input)``, without overflow; ``pos_weight`` scales the positive part.

    Raises:
        ValueError: shapes that differ.
        NotImplementedError: logits that are no floating-point numbers.
        RuntimeError: targets that are none.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.binary_cross_entropy_with_logits(autograd.tensor([0.0, 2.0]), autograd.tensor([0.0, 1.0]))
    tensor(0.4100)
    """
    a = check_tensor("binary_cross_entropy_with_logits", "input", input)._array
    b = check_tensor("binary_cross_entropy_with_logits", "target", target)._array
    if a.shape != b.shape:
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    if not input.is_floating_point():
        raise NotImplementedError(
            f"binary_cross_entropy_with_logits not implemented for {input.dtype} input; convert with .float()"
        )
    if not target.is_floating_point():
        raise RuntimeError(
            f"binary_cross_entropy_with_logits: result type {input.dtype} can't be cast to the target's "
            f"{target.dtype}; convert the target with .float()"
        )
    reduction = chosen_reduction(reduction, size_average, reduce)
    if pos_weight is None:
        rows = bernoulli_error_of_logits, total_bernoulli_error_of_logits
        return _pointwise_loss(input, target, weight, reduction, *rows).to(target.dtype)
    log_weight = (pos_weight - 1) * target + 1
    loss = (1 - target) * input + log_weight * _.softplus(-input)
    return reduced(loss if weight is None else loss * weight, reduction).to(target.dtype)


# --- Divergences and likelihoods ------------------------------------------------------------------------------------


@function(torch=False, functional=True, method=False)
def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence of ``exp(input)`` from ``target``: ``target * (log target - input)``.

    Args:
        input: log-probabilities of any shape.
        target: probabilities, or with ``log_target`` their logarithms.
        reduction: ``"batchmean"`` (the sum over the first dimension's size: the divergence), ``"mean"``, ``"sum"`` or
            ``"none"``.

    Raises:
        RuntimeError: integers or complex numbers.

    >>> import autograd
    >>> p = autograd.tensor([[0.5, 0.5]])
    >>> autograd.nn.functional.kl_div(p.log(), autograd.tensor([[1.0, 0.0]]), reduction="batchmean")
    tensor(0.6931)
    """
    check_tensor("kl_div", "input", input)
    check_tensor("kl_div", "target", target)
    for tensor in (input, target):
        if not tensor.is_floating_point():
            raise RuntimeError(f"kl_div: {tensor.dtype} is not supported; convert with .float()")
    per_example = reduction == "batchmean"
    if size_average is None and reduce is None and reduction == "mean":
        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size. 'batchmean' "
            "divides only by the batch size, and aligns with the KL div math definition.",
            UserWarning,
            stacklevel=3,
        )
    reduction = chosen_reduction("sum" if per_example else reduction, size_average, reduce)
    each = target.exp() * (target - input) if log_target else _.xlogy(target, target) - target * input
    loss = reduced(each, reduction)
    return loss / input.shape[0] if per_example and input.ndim else loss


@function(torch=False, functional=True, method=False)
def poisson_nll_loss(
    input: Tensor,
    target: Tensor,
    log_input: bool = True,
    full: bool = False,
    size_average: Any = None,
    eps: float = 1e-8,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of counts ``target`` under a Poisson distribution with rate ``exp(input)``:
    ``exp(input) - target * input``.

    Args:
        input: logarithms of the rates; the rates themselves with ``log_input=False``: ``input - target log input``.
        target: counts, of the same shape.
        full: add Stirling's approximation of ``log(target!)`` where the target is above 1.
        eps: added to a rate before its logarithm is taken.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.poisson_nll_loss(autograd.tensor([0.0, 1.0]), autograd.tensor([1.0, 2.0]))
    tensor(0.8591)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    loss = input.exp() - target * input if log_input else input - target * (input + eps).log()
    if full:
        stirling = target * target.log() - target + 0.5 * (2 * math.pi * target).log()
        loss = loss + stirling.masked_fill(target <= 1, 0)
    return reduced(loss, reduction)


@function(torch=False, functional=True, method=False)
def gaussian_nll_loss(
    input: Tensor,
    target: Tensor,
    var: Tensor | float,
    full: bool = False,
    eps: float = 1e-6,
    reduction: str = "mean",
) -> Tensor:
    """Negative log-likelihood of ``target`` under normal distributions: ``(log var + (input - target)^2 / var) / 2``.

    Nix and Weigend, "Estimating the mean and variance of the target probability distribution" (1994).

    Args:
        input: means, of any shape.
        target: observations, of the same shape.
        var: variances: of the same shape, without the last dimension, with one dimension of 1, or one number.
        full: add the constant ``log(2 pi) / 2``.
        eps: the smallest variance; smaller ones count as this much and pass their gradient on.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: a negative variance, or variances of another shape.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.gaussian_nll_loss(autograd.tensor([1.0]), autograd.tensor([3.0]), autograd.tensor([4.0]))
    tensor(1.1931)
    """
    variances = input.new_full(input.shape, var) if isinstance(var, float) else var
    if (variances._array < 0).any():
        raise ValueError("var has negative entry/entries")
    if input.shape[:-1] == variances.shape != input.shape:
        variances = variances.unsqueeze(-1)
    sizes = zip(variances.shape, input.shape, strict=False)
    if variances.ndim != input.ndim or [size for size, full_size in sizes if size != full_size] not in ([], [1]):
        raise ValueError(f"var is of incorrect size: {list(variances.shape)} for input {list(input.shape)}")
    reduction = chosen_reduction(reduction)
    variances = raised_to(eps, variances)
    loss = 0.5 * (variances.log() + (input - target) ** 2 / variances)
    return reduced(loss + 0.5 * math.log(2 * math.pi) if full else loss, reduction)


@function(torch=False, functional=True, method=False)
def soft_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """The logistic loss of scores: ``log(1 + exp(-target * input))`` for targets of 1 and -1.

    Args:
        input: scores of any shape.
        target: 1 or -1, of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuntimeError: scores that are integers, or a target of more dimensions.

    >>> import autograd
    >>> from nn import functional as F
    >>> F.soft_margin_loss(autograd.tensor([0.0, 2.0]), autograd.tensor([1.0, -1.0]))
    tensor(1.4100)
    """
    check_tensor("soft_margin_loss", "input", input)
    check_tensor("soft_margin_loss", "target", target)
    if not (input.is_floating_point() or input.is_complex()):
        raise RuntimeError(f"soft_margin_loss: the result can't be cast to {input.dtype}; convert with .float()")
    reduction = chosen_reduction(reduction, size_average, reduce)
    wrongness = (-input * target).to(input.dtype)
    if wrongness.shape != input.shape:
        raise RuntimeError(
            f"soft_margin_loss: output with shape {list(input.shape)} doesn't match the broadcast shape "
            f"{list(wrongness.shape)} of input and target"
        )
    return reduced(wrongness.exp().log1p(), reduction)


# --- Losses of a score, as functions of how right it is ---------------------------------------------------------------


@function(torch=False, functional=True, method=False)
def hinge_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """``max(0, 1 - target * input)``: nothing once the score is right by a margin of 1.

    Args:
        input: scores of any shape.
        target: 1 or -1, of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import autograd
    >>> autograd.nn.functional.hinge_loss(autograd.tensor([0.5, 2.0]), autograd.tensor([1.0, 1.0]), "none")
    tensor([0.5000, 0.0000])
    """
    check_pair("hinge_loss", input, target)
    return reduced(_.relu(1 - target * input), chosen_reduction(reduction))


@function(torch=False, functional=True, method=False)
def square_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """``(1 - target * input)^2``: a score that is right by more than 1 is punished, too.

    Args:
        input: scores of any shape.
        target: 1 or -1, of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import autograd
    >>> autograd.nn.functional.square_loss(autograd.tensor([0.5, 2.0]), autograd.tensor([1.0, 1.0]), "none")
    tensor([0.2500, 1.0000])
    """
    check_pair("square_loss", input, target)
    return reduced(_.square(1 - target * input), chosen_reduction(reduction))


@function(torch=False, functional=True, method=False)
def logistic_loss(input: Tensor, target: Tensor, reduction: str = "mean") -> Tensor:
    """``-target * log(input)``: the surprise at what happened, of probabilities.

    Summed over the classes of a one-hot target it is the cross-entropy. Where the target is 0 nothing counts, also if
    the probability is 0.

    Args:
        input: probabilities of any shape.
        target: 1 or 0, or probabilities, of the same shape.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    >>> import autograd
    >>> autograd.nn.functional.logistic_loss(autograd.tensor([0.5, 0.5]), autograd.tensor([1.0, 0.0]), "sum")
    tensor(0.6931)
    """
    check_pair("logistic_loss", input, target)
    return reduced(-_.xlogy(target, input), chosen_reduction(reduction))
