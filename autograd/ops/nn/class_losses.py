"""Losses of classes: how improbable a prediction makes the class that is right."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from ...kernels import softmax as kernel
from ...kernels.halves import FLOATING
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.readings import F32, F64, I64
from ...rows.table import Array, _, coarse
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from ..index import along
from ..reduce import log_softmax_along
from .losses import chosen_reduction, reduced, total_of

__all__ = [
    "class_cross_entropy", "cross_entropy", "likelihood_spread", "linear_cross_entropy", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "negative_log_likelihood", "nll_loss", "one_hot",
]  # fmt: skip


@coarse(latex=r"-w_{y_i} x_{i y_i}", extras=("total",), home="", node_name="NllLoss")
def negative_log_likelihood(x: Array, target, weight, ignore_index, reduction):
    """``x`` (N, C, ...) of log-probabilities; ``target`` (N, ...) of classes, as an ndarray; ``ignore_index`` is None
    where no target is to be ignored."""
    scale, safe = _class_weights(x.dtype, target, weight, ignore_index)
    return _weighed(-x[_places(safe)], scale, reduction)


def _places(classes: np.ndarray) -> tuple[np.ndarray, ...]:
    """Index that picks the element at ``classes[n, ...]`` of each example, of an array (N, C, ...)."""
    if classes.ndim == 1:
        return _counted(classes.size), classes
    first, *others = along(classes.ndim, classes)
    return (first, classes, *others)


@lru_cache(16)
def _counted(n: int) -> np.ndarray:
    return np.arange(n)


def _weighed(losses: np.ndarray, scale: np.ndarray | None, reduction: str) -> tuple[np.ndarray, Any]:
    """The losses times ``scale``, or their sum or mean; and the sum of ``scale``, by which the mean divides."""
    losses = losses if scale is None else _where_counted(scale, losses * scale)
    total = float(losses.size) if scale is None else total_of(scale)
    if reduction == "none":
        return losses, total
    return np.asarray(total_of(losses) / total if reduction == "mean" else total_of(losses), losses.dtype), total


def _class_weights(
    dtype: np.dtype, target: np.ndarray, weight: Any, ignore_index: int | None
) -> tuple[np.ndarray | None, np.ndarray]:
    """Each target's weight, 0 where it is ignored, and the targets with ignored ones made valid; no weights where
    all count alike."""
    if ignore_index is None:
        return None if weight is None else weight[target], target
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
    values = _of_each_loss(x, scale, total, reduction)
    out = np.zeros(shape, dtype)
    out[_places(safe)] = -values
    return out


def _of_each_loss(g: np.ndarray, scale: np.ndarray | None, total: Any, reduction: str) -> np.ndarray:
    """The gradient of each example's loss, or of all of them where they count alike."""
    values = (g if scale is None else g * scale) / (total if reduction == "mean" else 1)
    return values if scale is None else _where_counted(scale, values)


@likelihood_spread.gradient("x")
def _(g, total, target, weight, ignore_index, reduction):
    loss = negative_log_likelihood(g, target, weight, ignore_index, "none" if reduction == "none" else "sum")
    return _.div(loss, total) if reduction == "mean" else loss


@coarse(
    latex=r"w_{y_i} (\ln \sum_j e^{x_{ij}} - x_{i y_i})",
    extras=("total", "top", "rest"),
    home="",
    node_name="NllLoss",
)
def class_cross_entropy(x: Array, target, weight, ignore_index, reduction):
    """`negative_log_likelihood` of ``log_softmax(x)``, which is never formed."""
    scale, safe = _class_weights(x.dtype, target, weight, ignore_index)
    top, rest = kernel.log_partition(1, x)
    losses = rest[:, 0] - (x[_places(safe)] - top[:, 0])
    return *_weighed(losses, scale, reduction), top, rest


@class_cross_entropy.gradient("x")
def _(g, x, x_shape, x_dtype, total, top, rest, target, weight, ignore_index, reduction):
    if isinstance(g, np.ndarray) and isinstance(x, np.ndarray):
        scale, safe = _class_weights(x.dtype, target, weight, ignore_index)
        amounts = np.empty(top.shape, x.dtype)
        amounts[:, 0] = amount = _of_each_loss(g, scale, total, reduction)
        out = kernel.shares(1, amounts, x, top, rest)
        out[_places(safe)] -= amount
        return out
    spread = _.likelihood_spread(g, x_shape, x_dtype, total, target, weight, ignore_index, reduction)
    return _.sub(spread, _.mul(_.softmax_along(x, 1), _.sum(spread, 1, True)))


UNSIGNED = {size: np.dtype(f"u{size}") for size in (1, 2, 4, 8)}


def _check_shapes(operator: str, x: np.ndarray, target: np.ndarray) -> None:
    """Raises unless ``target`` holds an integer for each row of ``x``."""
    if x.dtype.kind not in FLOATING:
        raise NotImplementedError(f"{operator} not implemented for {x.dtype.name} input; convert with .float()")
    if x.ndim == 0:
        raise ValueError(f"{operator}: Expected 1 or more dimensions of classes (got 0)")
    examples = target.shape[0] if target.ndim else 0
    if x.ndim > 1 and examples != x.shape[0]:
        raise ValueError(
            f"Expected input batch_size ({x.shape[0]}) to match target batch_size ({examples}): {operator} "
            f"got input {list(x.shape)} and target {list(target.shape)}."
        )
    if target.dtype.kind not in "iu":
        raise RuntimeError(f"{operator}: expected target to hold classes of type int64, but got {target.dtype.name}")
    if x.ndim == 1 and target.ndim == 1 and examples != 1:
        raise ValueError(f"{operator}: For 1D input, 1D target must have size 1, but got target size: {examples}")
    wanted = x.shape[:1] + x.shape[2:] if x.ndim > 1 else ()
    if target.shape != wanted and not (x.ndim == 1 and target.shape == (1,)):
        raise RuntimeError(
            f"{operator}: expected target size {list(wanted)} for input {list(x.shape)}, got {list(target.shape)}"
        )


def _check_classes(operator: str, x: np.ndarray, target: np.ndarray, weight: Any, ignore_index: int) -> int | None:
    """Raises unless ``target`` holds a class for each row of ``x``; ``ignore_index`` if it is there, else None."""
    is_usual = x.ndim == 2 and target.ndim == 1 and target.dtype is I64 and (x.dtype is F32 or x.dtype is F64)
    if not is_usual or len(x) != len(target):
        _check_shapes(operator, x, target)
    classes = x.shape[1] if x.ndim > 1 else x.shape[0]
    # Negative classes become very large ones: one search instead of two, by place, which is the shorter one.
    unsigned = target.view(UNSIGNED[target.itemsize])
    all_fit = not target.size or unsigned.item(unsigned.argmax()) < classes
    if not all_fit:
        wrong = target[((target < 0) | (target >= classes)) & (target != ignore_index)]
        if wrong.size:
            raise IndexError(f"{operator}: Target {wrong[0]} is out of bounds for {classes} classes.")
    if weight is not None and weight._array.dtype != x.dtype:
        raise RuntimeError(f"{operator}: weight has dtype {weight._array.dtype.name}, but input has {x.dtype.name}")
    if weight is not None and weight._array.shape != (classes,):
        raise RuntimeError(
            f"{operator}: weight tensor should be defined either for all {classes} classes or no classes but got "
            f"weight tensor of shape: {list(weight.shape)}"
        )
    return None if all_fit and (ignore_index < 0 or ignore_index not in target) else ignore_index


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
        ValueError: batches of different sizes.
        RuntimeError: other shapes, or types, that do not fit.
        IndexError: a class out of range.

    >>> import autograd
    >>> from nn import functional as F
    >>> log_probs = autograd.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    >>> F.nll_loss(log_probs, autograd.tensor([1, 0]), reduction="none")
    tensor([0.2877, 0.6931])
    """
    x = check_tensor("nll_loss", "input", input)._array
    classes = check_tensor("nll_loss", "target", target)._array
    ignored = _check_classes("nll_loss", x, classes, weight, ignore_index)
    reduction = chosen_reduction(reduction, size_average, reduce)
    return _chosen(negative_log_likelihood, input, classes, weight, ignored, reduction)


def _chosen(
    row: Any, x: Tensor, classes: np.ndarray, weight: Tensor | None, ignore_index: int | None, reduction: str
) -> Tensor:
    """The row of arguments that were checked."""
    single = x._array.ndim == 1
    rows = x.unsqueeze(0) if single else x
    places = classes.reshape(1) if single else classes
    factors = None if weight is None else weight._array
    loss = apply(row, (rows, places, factors, ignore_index, reduction), {})
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

    >>> import autograd
    >>> from nn import functional as F
    >>> logits = autograd.tensor([[2.0, 0.0], [0.0, 1.0]])
    >>> F.cross_entropy(logits, autograd.tensor([0, 1]))
    tensor(0.2201)
    >>> F.cross_entropy(logits, autograd.tensor([[0.5, 0.5], [0.0, 1.0]]))
    tensor(0.7201)
    """
    x = check_tensor("cross_entropy", "input", input)._array
    goal = check_tensor("cross_entropy", "target", target)._array
    if not 0.0 <= label_smoothing <= 1.0:
        raise RuntimeError(f"label_smoothing must be between 0.0 and 1.0. Got: {label_smoothing}")
    reduction = chosen_reduction(reduction, size_average, reduce)
    of_classes = not (goal.dtype.kind in FLOATING and goal.shape == x.shape)
    ignored = None
    if of_classes:
        ignored = _check_classes("cross_entropy", x, goal, weight, ignore_index)
    elif ignore_index >= 0:
        raise RuntimeError(f"ignore_index is not supported for floating point target, but got {ignore_index}")
    elif x.dtype.kind not in FLOATING:
        raise NotImplementedError(f"cross_entropy not implemented for {x.dtype.name} input; convert with .float()")
    axis = 0 if x.ndim == 1 else 1
    if of_classes and label_smoothing == 0:
        return _chosen(class_cross_entropy, input, goal, weight, ignored, reduction)
    log_p = apply(log_softmax_along, (input, axis), {})
    shape = [1] * x.ndim
    shape[axis] = -1
    weighted = log_p if weight is None else log_p * weight.reshape(shape)
    count = x.shape[axis]
    if not of_classes:
        mixed = target if label_smoothing == 0 else target * (1 - label_smoothing) + label_smoothing / count
        loss = -(weighted * mixed).sum(axis)
        if reduction == "mean":
            return loss.sum() / loss.numel() if x.ndim > 1 else loss
        return loss.sum() if reduction == "sum" else loss
    hard = _chosen(negative_log_likelihood, log_p, goal, weight, ignored, reduction)
    smooth = -weighted.sum(axis)
    goal = goal.reshape(smooth.shape)  # the class of one example may come as a vector of one
    kept = wrap(goal != ignore_index)
    smooth = _.where(kept, smooth, 0.0)
    if reduction == "sum":
        smooth = smooth.sum()
    elif reduction == "mean":
        scale = kept.sum() if weight is None else (weight._array[np.where(kept._array, goal, 0)] * kept._array).sum()
        smooth = smooth.sum() / (scale if isinstance(scale, Tensor) else wrap(np.asarray(scale)))
    return hard * (1 - label_smoothing) + smooth * (label_smoothing / count)


@function(torch=False, functional=True, method=False)
def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """`cross_entropy` of a last layer's logits: ``input @ linear_weight.T + linear_bias``.

    Args:
        input: features (N, F) or (F,).
        linear_weight: (C, ..., F) for C classes, with further dimensions for a loss at several places.
        target: classes (N, ...), or probabilities of the logits' shape (N, C, ...).
        linear_bias: (C, ...), or None.
        weight, reduction, ignore_index, label_smoothing: as in `cross_entropy`.
        options: accepted; how PyTorch cuts the batch into pieces.

    Raises:
        RuntimeError: shapes that do not fit (both named), or ``ignore_index`` with probabilities.

    >>> import autograd
    >>> from nn import functional as F
    >>> x, weight = autograd.ones(2, 4), autograd.zeros(3, 4)
    >>> F.linear_cross_entropy(x, weight, autograd.tensor([0, 2]))
    tensor(1.0986)
    """
    if input.ndim not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.ndim}")
    if linear_weight.ndim < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.ndim}")
    classes, *places, features = linear_weight.shape
    if input.shape[-1] != features:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {features}, respectively"
        )
    if linear_bias is not None and tuple(linear_bias.shape) != (classes, *places):
        raise RuntimeError(f"expected linear_bias shape {(classes, *places)}, got {tuple(linear_bias.shape)}")
    if places and input.ndim == 1:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {features}), got unbatched input with shape {tuple(input.shape)}"
        )
    shape = (*input.shape[:-1], classes, *places)
    if target.shape == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = _.linear(input, linear_weight.reshape(-1, features), bias).reshape(shape)
    ignored = -100 if ignore_index is None else ignore_index
    return cross_entropy(
        logits, target, weight, ignore_index=ignored, reduction=reduction, label_smoothing=label_smoothing
    )


# --- Margins -------------------------------------------------------------------------------------------------------


def _scores(operator: str, input: Tensor) -> np.ndarray:
    """The array of scores: (N, C), (C,), or one score of one class.

    Raises:
        RuntimeError: another shape.
        NotImplementedError: no floating-point numbers.
    """
    x = check_tensor(operator, "input", input)._array
    if x.ndim > 2 or 0 in x.shape[-1:]:
        raise RuntimeError(
            f"{operator}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(x.shape)}"
        )
    if x.dtype.kind not in FLOATING:
        raise NotImplementedError(f"{operator} not implemented for {x.dtype.name} input; convert with .float()")
    return x


def _labels(operator: str, target: Tensor, low: int, classes: int) -> np.ndarray:
    y = check_tensor(operator, "target", target)._array
    if y.dtype != np.int64:
        raise RuntimeError(f"{operator}: expected scalar type Long for the target, but found {y.dtype.name}")
    if y.size and not (y.min() >= low and y.max() < classes):
        raise RuntimeError(f"{operator}: target out of range: {y.min()} to {y.max()} for {classes} classes")
    return y


@function(torch=False, functional=True, method=False)
def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """The hinge loss of several classes: ``sum_j max(0, margin - x_y + x_j)^p / C`` over all classes j but y.

    Args:
        input: scores (N, C) or (C,).
        target: the right classes y: (N,), or one.
        p: 1 or 2.
        margin: by how much the right class should lead.
        weight: (C,), a factor for each right class.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        ValueError: another ``p``, or a weight that is not one-dimensional.
        RuntimeError: shapes that do not fit, or a class out of range.

    >>> import autograd
    >>> scores = autograd.tensor([[0.5, 1.0, 0.25]])
    >>> autograd.nn.functional.multi_margin_loss(scores, autograd.tensor([1]))
    tensor(0.2500)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    if p not in (1, 2):
        raise ValueError(f"multi_margin_loss: only p == 1 and p == 2 supported, but got {p}")
    if weight is not None and weight.ndim != 1:
        raise ValueError(f"multi_margin_loss: weight must be one-dimensional, but got shape {list(weight.shape)}")
    x = _scores("multi_margin_loss", input)
    rows = input.reshape(-1, x.shape[-1] if x.ndim else 1)
    count, classes = rows.shape
    y = _labels("multi_margin_loss", target, 0, classes)
    if y.ndim > 1 or y.size != count:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{count}], but got {list(y.shape)}"
        )
    if weight is not None and weight.shape[0] != classes:
        raise RuntimeError(f"multi_margin_loss: inconsistent weight size, expected {classes} but got {weight.shape}")
    right = y.reshape(count, 1)
    others = wrap((np.arange(classes) != right).astype(x.dtype))
    lacking = (margin - rows.gather(1, wrap(right)) + rows).relu() * others
    if p == 2:
        lacking = lacking * lacking
    if weight is not None:
        lacking = lacking * wrap(weight._array[right])
    loss = lacking.sum(1) / classes
    return reduced(loss.reshape(y.shape) if x.ndim < 2 else loss, reduction)


@function(torch=False, functional=True, method=False)
def multilabel_margin_loss(
    input: Tensor, target: Tensor, size_average: Any = None, reduce: Any = None, reduction: str = "mean"
) -> Tensor:
    """The hinge loss of several right classes: ``sum_y sum_j max(0, 1 - x_y + x_j) / C``, y right, j wrong.

    Args:
        input: scores (N, C) or (C,).
        target: of the same shape: the right classes, ended by a -1 where there are fewer than C.
        reduction: ``"mean"``, ``"sum"`` or ``"none"``.

    Raises:
        RuntimeError: shapes that differ, or a class out of range.

    >>> import autograd
    >>> from nn import functional as F
    >>> x, y = autograd.tensor([[0.1, 0.2, 0.4, 0.8]]), autograd.tensor([[3, 0, -1, 1]])
    >>> F.multilabel_margin_loss(x, y)
    tensor(0.8500)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    x = _scores("multilabel_margin_loss", input)
    rows = input.reshape(-1, x.shape[-1] if x.ndim else 1)
    count, classes = rows.shape
    y = _labels("multilabel_margin_loss", target, -1, classes)
    if y.shape != x.shape and not (x.ndim == 0 and y.shape == (1,)):
        raise RuntimeError(
            f"multilabel_margin_loss: inconsistent target size: {list(y.shape)} for input of size: {list(x.shape)}"
        )
    labels = y.reshape(count, classes)
    valid = np.logical_and.accumulate(labels >= 0, axis=1)
    safe = np.where(valid, labels, 0)
    right = np.zeros((count, classes), x.dtype)
    np.maximum.at(right, (np.arange(count)[:, None], safe), valid.astype(x.dtype))
    pairs = wrap(valid[:, :, None] * (1 - right)[:, None, :])
    lacking = (1 - rows.gather(1, wrap(safe)).unsqueeze(2) + rows.unsqueeze(1)).relu() * pairs
    loss = lacking.sum((1, 2)) / classes
    return reduced(loss.reshape(()) if x.ndim < 2 else loss, reduction)


@function(torch=False, functional=True, method=False)
def multilabel_soft_margin_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: str = "mean",
) -> Tensor:
    """Binary cross-entropy of the logits of each class, averaged over the classes.

    Args:
        input: logits (..., C).
        target: 1 or 0 for each class, of the same shape.
        weight: a factor for each class.
        reduction: ``"mean"``, ``"sum"`` or ``"none"`` (one loss for each example).

    >>> import autograd
    >>> from nn import functional as F
    >>> F.multilabel_soft_margin_loss(autograd.tensor([[0.0, 2.0]]), autograd.tensor([[0.0, 1.0]]))
    tensor(0.4100)
    """
    reduction = chosen_reduction(reduction, size_average, reduce)
    each = -(target * _.logsigmoid(input) + (1 - target) * _.logsigmoid(-input))
    return reduced((each if weight is None else each * weight).sum(input.ndim - 1) / input.shape[-1], reduction)


# --- Classes as vectors ----------------------------------------------------------------------------------------------


@function(torch=False, functional=True, method=False)
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """Classes as vectors with a 1 at the place of the class: shape ``(*tensor.shape, num_classes)``, int64.

    Args:
        tensor: classes, int64, of any shape.
        num_classes: how many there are; one more than the largest by default.

    Raises:
        RuntimeError: no int64, a negative class, or one that is too large.

    >>> import autograd
    >>> autograd.nn.functional.one_hot(autograd.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    classes = check_tensor("one_hot", "tensor", tensor)._array
    if classes.dtype != np.int64:
        raise RuntimeError(
            f"one_hot is only applicable to index tensor of type LongTensor, but got {classes.dtype.name}"
        )
    if not classes.size and num_classes <= 0:
        raise RuntimeError("one_hot: Can not infer total number of classes from empty tensor; pass num_classes")
    if classes.size and classes.min() < 0:
        raise RuntimeError(f"one_hot: Class values must be non-negative, but got {classes.min()}")
    if num_classes == -1:
        num_classes = int(classes.max()) + 1
    elif classes.size and classes.max() >= num_classes:
        raise RuntimeError(
            f"one_hot: Class values must be smaller than num_classes, but got {classes.max()} and {num_classes}"
        )
    return wrap((classes[..., None] == np.arange(num_classes)).astype(np.int64))
