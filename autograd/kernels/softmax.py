"""Softmax and its relatives along one dimension, and what takes their gradients back."""

from __future__ import annotations

from typing import Any

from .along import Along

__all__ = [
    "log_partition",
    "log_softmax",
    "log_softmax_gradient",
    "logsumexp",
    "logsumexp_gradient",
    "shares",
    "softmax",
    "softmax_gradient",
]

_: Any = None
highest: Any = None
total: Any = None


@Along
def softmax(x):
    e = _.raised_decay(highest(x) - x)
    return e / total(e)


@Along
def softmax_gradient(g, out):
    mean = total(g * out)
    return out * (g - mean)


@Along
def log_softmax(x):
    top = highest(x)
    rest = _.log(total(_.decay(top - x)))
    return x - top - rest


@Along
def log_softmax_gradient(g, out):
    sum = total(g)
    return g - _.exp(out) * sum


@Along
def logsumexp(x):
    peak = highest(x)
    top = _.where(_.isfinite(peak), peak, 0.0)
    sum = total(_.exp(x - top))  # NaN if any is, which the highest may not be
    return _.where(_.isinf(peak), peak + sum, _.log(sum) + top)


@Along
def logsumexp_gradient(g, x, out):
    # Where all is -inf, x - out would be NaN.
    whole = _.where(_.isinf(out), 0.0, out)
    return g * _.exp(x - whole)


@Along
def log_partition(x):
    """logsumexp in two parts, whose sum would lose digits: the largest element, and what the others add to it."""
    top = highest(x)
    rest = _.log(total(_.decay(top - x)))
    return top, rest


@Along
def shares(amount, x, top, rest):
    """``amount`` shared out as softmax says, of which `log_partition` gave the parts."""
    return amount * _.exp(x - top - rest)
