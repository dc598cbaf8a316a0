"""Loss functions: how far a prediction is from its target."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from ...rows.dispatch import apply, broadcast_shape, compute_dtype
from ...rows.nodes import sum_to
from ...rows.public import function
from ...rows.table import TABLE, Array, CoarseRow, PointwiseRow, _, coarse, pointwise
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from ..reduce import log_softmax_along

REDUCTIONS = ("none", "mean", "sum")


def chosen_reduction(reduction: str, size_average: Any = None, reduce: Any = None) -> str:
    """``reduction``, or what the older arguments say in its place.

    Raises:
        ValueError: an unknown ``reduction``.
    """
    if size_average is not None or reduce is not None:
        reduction = "none" if reduce is False else "sum" if size_average is False else "mean"
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


def _total(losses: np.ndarray) -> Any:
    """Their sum; of float16 in float32, as a float16 total ends at 65504."""
    return np.add.reduce(losses, None, np.float32 if losses.dtype == np.float16 else losses.dtype)


def _check_pair(operator: str, input: Any, target: Any) -> None:
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
    latex=r"|x - y|", home="", node_name="L1Loss", refuses_bool="use ^ or logical_xor() instead", complex="distance"
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


def _reducible(row: PointwiseRow, node_name: str) -> CoarseRow:
    """The mean or the sum of a pointwise loss as one operator, named as PyTorch names it."""

    def total(x: Array, y: Array, reduction):
        losses = row.compute(x, y)
        total = _total(losses)
        return np.asarray(total / losses.size if reduction == "mean" else total, losses.dtype)

    total.__name__ = f"total_{row.name}"
    reduction_row = CoarseRow(total, latex=rf"\sum {row.latex}", home="", node_name=node_name)

    def backward_for(position: int) -> Any:
        plan = row.plan((position == 0, position == 1))

        def rule(g, x, y, reduction):
            if reduction == "mean":
                g = _.div(g, math.prod(np.broadcast_shapes(tuple(x.shape), tuple(y.shape))))
            values = {"x": x, "y": y}
            saved = tuple(values[name] for name in plan.saved)
            shape = (x, y)[position].shape
            if isinstance(g, Tensor):
                g = TABLE["expand"](g, np.broadcast_shapes(tuple(x.shape), tuple(y.shape)))
                return sum_to(plan.on_recorders(g, saved, ())[0], shape)
            return sum_to(plan.program((g, *saved), (), g.dtype, max(x.size, y.size))[0], shape)

        return rule

    reduction_row.gradient("x")(backward_for(0))
    reduction_row.gradient("y")(backward_for(1))
    return reduction_row


total_squared_error = _reducible(squared_error, "MseLoss")
total_absolute_error = _reducible(absolute_error, "Mean")
total_bernoulli_error = _reducible(bernoulli_error, "BinaryCrossEntropy")
total_bernoulli_error_of_logits = _reducible(bernoulli_error_of_logits, "BinaryCrossEntropyWithLogits")


def _pointwise_loss(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, each: PointwiseRow, total: CoarseRow
) -> Tensor:
    if weight is None and reduction != "none" and input.dtype is target.dtype and not input.is_complex():
        compute_dtype(each, [input, target])
        broadcast_shape(each, [input._array, target._array])
        return apply(total, (input, target, reduction), {})
    loss = apply(each, (input, target), {})
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
    """The squared error ``(input - target)^2``: its mean, its sum, or each element's."""
    _check_pair("mse_loss", input, target)
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
    """The absolute error ``|input - target|``: its mean, its sum, or each element's."""
    _check_pair("l1_loss", input, target)
    reduction = chosen_reduction(reduction, size_average, reduce)
    return _weighted(input, target, weight, reduction, (absolute_error, total_absolute_error))


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
    """
    a = check_tensor("binary_cross_entropy_with_logits", "input", input)._array
    b = check_tensor("binary_cross_entropy_with_logits", "target", target)._array
    if a.shape != b.shape:
        raise ValueError(f"Target size ({target.size()}) must be the same as input size ({input.size()})")
    reduction = chosen_reduction(reduction, size_average, reduce)
    if pos_weight is None:
        rows = bernoulli_error_of_logits, total_bernoulli_error_of_logits
        return _pointwise_loss(input, target, weight, reduction, *rows)
    log_weight = (pos_weight - 1) * target + 1
    loss = (1 - target) * input + log_weight * _.softplus(-input)
    return reduced(loss if weight is None else loss * weight, reduction)


# --- Classes -------------------------------------------------------------------------------------------------------


@coarse(latex=r"-w_{y_i} x_{i y_i}", extras=("total",), home="", node_name="NllLoss")
def negative_log_likelihood(x: Array, target, weight, ignore_index, reduction):
    """``x`` (N, C, ...) of log-probabilities; ``target`` (N, ...) of classes, as an ndarray."""
    scale, safe = _class_weights(x.dtype, target, weight, ignore_index)
    losses = _where_counted(scale, -np.take_along_axis(x, safe[:, None], 1)[:, 0] * scale)
    total = _total(scale)
    if reduction == "none":
        return losses, total
    return np.asarray(_total(losses) / total if reduction == "mean" else _total(losses), x.dtype), total


def _class_weights(
    dtype: np.dtype, target: np.ndarray, weight: Any, ignore_index: int
) -> tuple[np.ndarray, np.ndarray]:
    """Each target's weight, 0 where it is ignored, and the targets with ignored ones made valid."""
    kept = target != ignore_index
    safe = np.where(kept, target, 0)
    scale = kept.astype(dtype) if weight is None else weight[safe] * kept
    return scale, safe


def _where_counted(scale: np.ndarray, values: np.ndarray) -> np.ndarray:
    # An ignored element counts nothing, also where 0 times its value is NaN.
    return np.where(scale == 0, np.zeros((), values.dtype), values)


@negative_log_likelihood.gradient("x")
def _(g, total, x_shape, x_dtype, target, weight, ignore_index, reduction):
    return likelihood_spread(g, x_shape, x_dtype, total, target, weight, ignore_index, reduction)


@coarse(latex=r"-w_{y_i} g \text{ at class } y_i", home="")
def likelihood_spread(x: Array, shape, dtype, total, target, weight, ignore_index, reduction):
    scale, safe = _class_weights(dtype, target, weight, ignore_index)
    values = _where_counted(scale, -x * scale / (total if reduction == "mean" else 1))
    out = np.zeros(shape, dtype)
    np.put_along_axis(out, safe[:, None], np.asarray(values, dtype)[:, None], 1)
    return out


@likelihood_spread.gradient("x")
def _(g, total, target, weight, ignore_index, reduction):
    loss = negative_log_likelihood(g, target, weight, ignore_index, "none" if reduction == "none" else "sum")
    return _.div(loss, total) if reduction == "mean" else loss


def _check_classes(operator: str, x: np.ndarray, target: np.ndarray, weight: Any, ignore_index: int) -> None:
    """Raises unless ``target`` holds a class for each row of ``x``."""
    if x.dtype.kind != "f":
        raise NotImplementedError(f"{operator} not implemented for {x.dtype.name} input; convert with .float()")
    if x.ndim == 0:
        raise RuntimeError(f"{operator}: input must have classes along a dimension, but it is 0-dimensional")
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"{operator}: expected target to hold classes of type int64, but got {target.dtype.name}")
    wanted = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if target.shape != wanted:
        if x.ndim > 1 and target.ndim and target.shape[0] != x.shape[0]:
            raise ValueError(
                f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({target.shape[0]}): {operator} "
                f"got input {list(x.shape)} and target {list(target.shape)}."
            )
        raise RuntimeError(
            f"{operator}: expected target size {list(wanted)} for input {list(x.shape)}, got {list(target.shape)}"
        )
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    valid = target[target != ignore_index]
    if valid.size and (valid.min() < 0 or valid.max() >= classes):
        wrong = valid[(valid < 0) | (valid >= classes)].flat[0]
        raise IndexError(f"{operator}: Target {wrong} is out of bounds for {classes} classes.")
    if weight is not None and weight._array.dtype != x.dtype:
        raise RuntimeError(f"{operator}: weight has dtype {weight._array.dtype.name}, but input has {x.dtype.name}")
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"{operator}: weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight.shape)}"
        )


@function(torch=False, functional=True, method=False)
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """``-weight[target] * input[target]`` for log-probabilities ``input`` (N, C, ...) and classes ``target`` (N, ...).

    The mean divides by the sum of the weights used.

    Raises:
        RuntimeError: shapes or types that do not fit.
        IndexError: a class out of range.
    """
    x = check_tensor("nll_loss", "input", input)._array
    classes = check_tensor("nll_loss", "target", target)._array
    _check_classes("nll_loss", x, classes, weight, ignore_index)
    reduction = chosen_reduction(reduction, size_average, reduce)
    single = x.ndim == 1
    rows = input.unsqueeze(0) if single else input
    places = classes.reshape(1) if single else classes
    factors = None if weight is None else weight._array
    loss = apply(negative_log_likelihood, (rows, places, factors, ignore_index, reduction), {})
    return loss.reshape(()) if single and reduction == "none" else loss


@function(torch=False, functional=True, method=False)
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    ignore_index: int = -100,
    reduce: Any = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy between ``softmax(input)`` and ``target``: ``-sum_c q_c log p_c``.

    Args:
        input: logits (N, C, ...) or (C,).
        target: classes (N, ...) of int64, or probabilities of the input's shape.
        weight: a factor for each class.
        ignore_index: a class that counts nothing.
        label_smoothing: how much of each target is spread evenly over the classes, in [0, 1].

    Raises:
        RuntimeError: shapes or types that do not fit (both shapes named).
        IndexError: a class out of range.
    """
    x = check_tensor("cross_entropy", "input", input)._array
    goal = check_tensor("cross_entropy", "target", target)._array
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    reduction = chosen_reduction(reduction, size_average, reduce)
    of_classes = not (goal.dtype.kind == "f" and goal.shape == x.shape)
    if of_classes:
        _check_classes("cross_entropy", x, goal, weight, ignore_index)
    elif ignore_index >= 0:
        raise RuntimeError(f"ignore_index is not supported for floating point target, but got {ignore_index}")
    elif x.dtype.kind != "f":
        raise NotImplementedError(f"cross_entropy not implemented for {x.dtype.name} input; convert with .float()")
    axis = 0 if x.ndim == 1 else 1
    log_p = apply(log_softmax_along, (input, axis), {})
    if of_classes and label_smoothing == 0:
        return nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)
    shape = [1] * x.ndim
    shape[axis] = -1
    weighted = log_p if weight is None else log_p * weight.reshape(shape)
    count = x.shape[axis]
    if not of_classes:
        mixed = target if label_smoothing == 0 else target * (1 - label_smoothing) + label_smoothing / count
        loss = -(weighted * mixed).sum(axis)
        if reduction == "mean":
            return loss.sum() / max(loss.numel(), 1) if x.ndim > 1 else loss
        return loss.sum() if reduction == "sum" else loss
    hard = nll_loss(log_p, target, weight, ignore_index=ignore_index, reduction=reduction)
    smooth = -weighted.sum(axis)
    kept = wrap(goal != ignore_index)
    smooth = TABLE["where"](kept, smooth, 0.0)
    if reduction == "sum":
        smooth = smooth.sum()
    elif reduction == "mean":
        scale = kept.sum() if weight is None else (weight._array[np.where(kept._array, goal, 0)] * kept._array).sum()
        smooth = smooth.sum() / (scale if isinstance(scale, Tensor) else wrap(np.asarray(scale)))
    return hard * (1 - label_smoothing) + smooth * (label_smoothing / count)


__all__ = [
    "absolute_error",
    "bernoulli_error",
    "bernoulli_error_of_logits",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "chosen_reduction",
    "cross_entropy",
    "l1_loss",
    "likelihood_spread",
    "mse_loss",
    "negative_log_likelihood",
    "nll_loss",
    "reduced",
    "squared_error",
]
