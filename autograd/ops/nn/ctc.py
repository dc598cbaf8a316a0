"""Connectionist temporal classification: a loss of texts whose letters have no places in time."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...kernels import ctc
from ...rows.dispatch import apply
from ...rows.public import function
from ...rows.table import Array, coarse
from ...tensor import Tensor, wrap
from ..convert import check_tensor
from .losses import chosen_reduction, reduced

__all__ = ["alignment_loss", "alignment_loss_gradient", "ctc_loss"]


@coarse(latex=r"-\ln \sum_a \prod_t p_{t, a_t}", extras=("walk",), home="", node_name="CtcLoss", complex=False)
def alignment_loss(x: Array, labels, input_lengths, target_lengths, blank, zero_infinity):
    return ctc.alignments(x, labels, input_lengths, target_lengths, blank)


@alignment_loss.gradient("x")
def _(g, x, walk, labels, input_lengths, target_lengths, blank, zero_infinity):
    return alignment_loss_gradient(g, x, walk, labels, input_lengths, target_lengths, blank, zero_infinity)


@coarse(latex=r"\partial L / \partial \ln p", home="", node_name="CtcLossBackward", complex=False)
def alignment_loss_gradient(g: Array, x: Array, walk, labels, input_lengths, target_lengths, blank, zero_infinity):
    losses = ctc.alignments(x, labels, input_lengths, target_lengths, blank)[0]
    return ctc.alignments_gradient(g, x, losses, walk, labels, input_lengths, target_lengths, blank, zero_infinity)


@alignment_loss_gradient.gradient("g", "x")
def _(g):
    raise RuntimeError("derivative for aten::_ctc_loss_backward is not implemented: PyTorch has none either")


def _lengths(name: str, given: Any, count: int, most: int) -> np.ndarray:
    lengths = np.atleast_1d(given._array if isinstance(given, Tensor) else np.asarray(given, np.int64))
    if lengths.dtype.kind not in "iu":
        raise RuntimeError(f"ctc_loss: {name} must be integral, but got {lengths.dtype.name}")
    if lengths.shape != (count,):
        raise RuntimeError(f"ctc_loss: {name} must be of size batch_size, {count}, but got {list(lengths.shape)}")
    if count and not (lengths.min() >= 0 and lengths.max() <= most):
        raise RuntimeError(f"ctc_loss: Expected {name} between 0 and {most}, but got {lengths.tolist()}")
    return lengths


@function(torch=False, functional=True, method=False)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    """``-log p(target)``, where p adds up all alignments of the target with the input, with blanks in between.

    Graves et al., "Connectionist Temporal Classification: Labelling Unsegmented Sequence Data with Recurrent Neural
    Networks" (2006). The gradient is that of logits below a log-softmax, as in PyTorch.

    Args:
        log_probs: (T, N, C), or (T, C) for one example: logarithms of probabilities.
        targets: (N, S), or all targets one after the other; classes other than ``blank``.
        input_lengths: (N,), at most T.
        target_lengths: (N,), at most S.
        blank: the class that says nothing.
        reduction: ``"mean"`` (each loss divided by its target's length, then the mean), ``"sum"`` or ``"none"``.
        zero_infinity: count 0 where a target is too long for its input, with zero gradients.

    Raises:
        RuntimeError: lengths or shapes that do not fit, a class or a blank out of range.

    >>> import autograd
    >>> log_probs = autograd.full((2, 1, 2), 0.5).log()
    >>> autograd.nn.functional.ctc_loss(log_probs, autograd.tensor([[1]]), [2], [1]).exp()  # 1 / p, p = 3 of 4 paths
    tensor(1.3333)
    """
    x = check_tensor("ctc_loss", "log_probs", log_probs)._array
    text = check_tensor("ctc_loss", "targets", targets)._array.astype(np.int64, copy=False)
    if x.dtype not in (np.float32, np.float64):
        raise NotImplementedError(f"ctc_loss is not implemented for {x.dtype.name}; convert with .float()")
    if x.ndim not in (2, 3):
        raise RuntimeError(f"ctc_loss: log_probs should be (T, N, C) or (T, C), but got shape {list(x.shape)}")
    rows = log_probs if x.ndim == 3 else log_probs.unsqueeze(1)
    steps, count, classes = rows.shape
    if not 0 <= blank < classes:
        raise RuntimeError(f"ctc_loss: blank must be in label range [0, {classes}), but got {blank}")
    times = _lengths("input_lengths", input_lengths, count, steps)
    if x.ndim == 2 and text.ndim == 1:
        text = text[None]
    letters = _lengths("target_lengths", target_lengths, count, text.shape[-1] if text.ndim else 0)
    if text.ndim == 1:
        if text.size != letters.sum():
            raise RuntimeError(f"ctc_loss: Expected targets to have size {letters.sum()}, but got {list(text.shape)}")
        padded = np.full((count, letters.max(initial=0)), blank)
        padded[np.arange(padded.shape[1]) < letters[:, None]] = text
        text = padded
    elif text.ndim != 2 or len(text) != count:
        raise RuntimeError(f"ctc_loss: Expected targets of shape ({count}, S), but got {list(text.shape)}")
    used = np.arange(text.shape[1]) < letters[:, None]
    if (used & ((text < 0) | (text >= classes))).any():
        raise RuntimeError(f"ctc_loss: a target is out of range for {classes} classes")
    reduction = chosen_reduction(reduction)
    labels = ctc.spaced(np.where(used, text, blank), blank)
    loss = apply(alignment_loss, (rows, labels, times, letters, blank, zero_infinity), {})
    if zero_infinity:
        loss = loss.masked_fill(wrap(np.isinf(loss._array)), 0)
    if reduction == "mean":
        loss = loss / wrap(np.maximum(letters, 1).astype(x.dtype))
    return reduced(loss if x.ndim == 3 else loss.squeeze(0), reduction)
