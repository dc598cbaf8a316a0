"""Kullback-Leibler divergences between families of distributions.

``KL(p || q) = -H(p) - E[ln q(x)]``. The logarithm of a density consists of few functions of x (itself, its square, its
logarithm, an exponential), and their means under p are known. It is infinite where p has values that q has not.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import autograd

from ..tensor import Tensor
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .continuous_bernoulli import ContinuousBernoulli
from .exponential import Exponential
from .gamma import Gamma
from .gumbel import Gumbel
from .kl import register_kl
from .laplace import Laplace
from .normal import HALF_LOG_TAU, Normal
from .pareto import Pareto
from .poisson import Poisson
from .uniform import Uniform
from .utils import euler_constant

__all__: list[str] = []


# --- Where values lie ------------------------------------------------------------------------------------------------


@functools.singledispatch
def bounds(p: Any) -> tuple[Any, Any]:
    """The smallest and the largest value."""
    return -math.inf, math.inf


@bounds.register(Beta)
@bounds.register(ContinuousBernoulli)
def _(p):
    return 0.0, 1.0


@bounds.register(Exponential)
@bounds.register(Gamma)
def _(p):
    return 0.0, math.inf


@bounds.register
def _(p: Pareto):
    return p.scale, math.inf


@bounds.register
def _(p: Uniform):
    return p.low, p.high


# --- Means of functions of x -----------------------------------------------------------------------------------------


@functools.singledispatch
def log_mean(p: Any) -> Tensor:
    """``E[ln x]``."""
    raise NotImplementedError(f"E[ln x] is not known for {type(p).__name__}")


@log_mean.register
def _(p: Beta):
    return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()


@log_mean.register
def _(p: Exponential):
    return -euler_constant - p.rate.log()


@log_mean.register
def _(p: Gamma):
    return p.concentration.digamma() - p.rate.log()


@log_mean.register
def _(p: Pareto):
    return p.scale.log() + p.alpha.reciprocal()


@log_mean.register
def _(p: Uniform):
    return _log_mean_between(p.low, p.high)


def _log_mean_between(low: Tensor, high: Tensor) -> Tensor:
    return (autograd.xlogy(high, high) - autograd.xlogy(low, low)) / (high - low) - 1


@functools.singledispatch
def decay_mean(p: Any, t: Tensor) -> Tensor:
    """``E[exp(-t x)]`` for t > 0."""
    raise NotImplementedError(f"E[exp(-t x)] is not known for {type(p).__name__}")


@decay_mean.register
def _(p: Exponential, t):
    return p.rate / (p.rate + t)


@decay_mean.register
def _(p: Gamma, t):
    return (1 + t / p.rate) ** -p.concentration


@decay_mean.register
def _(p: Gumbel, t):
    return autograd.exp(autograd.lgamma(1 + t * p.scale) - t * p.loc)


@decay_mean.register
def _(p: Normal, t):
    return autograd.exp(t * (0.5 * t * p.variance - p.loc))


@decay_mean.register
def _(p: Uniform, t):
    return (autograd.exp(-t * p.low) - autograd.exp(-t * p.high)) / (t * (p.high - p.low))


@functools.singledispatch
def distance_mean(p: Any, center: Tensor) -> Tensor:
    """``E[|x - center|]``."""
    raise NotImplementedError(f"E[|x - center|] is not known for {type(p).__name__}")


@distance_mean.register
def _(p: Laplace, center):
    distance = (p.loc - center).abs()
    return distance + p.scale * autograd.exp(-distance / p.scale)


@distance_mean.register
def _(p: Normal, center):
    z = (p.loc - center) / (math.sqrt(2) * p.scale)
    return p.scale * math.sqrt(2) * (autograd.exp(-z * z) / math.sqrt(math.pi) + z * autograd.erf(z))


# --- Means of ln q(x) ------------------------------------------------------------------------------------------------


@functools.singledispatch
def mean_log_prob(q: Any, p: Any) -> Tensor:
    """``E[ln q(x)]`` of x drawn from p."""
    raise NotImplementedError(f"E[ln q(x)] is not known for {type(q).__name__}")


@mean_log_prob.register
def _(q: Beta, p):
    # The one p with a mean of ln(1 - x) here is uniform.
    log_rest = _log_mean_between(1 - p.high, 1 - p.low)
    powers = (q.concentration1 - 1) * log_mean(p) + (q.concentration0 - 1) * log_rest
    return powers - q._log_normalizer(*q._natural_params)


@mean_log_prob.register
def _(q: ContinuousBernoulli, p):
    return p.mean * q.logits + autograd.log1p(-q.probs) + q._cont_bern_log_norm()


@mean_log_prob.register
def _(q: Exponential, p):
    return q.rate.log() - q.rate * p.mean


@mean_log_prob.register
def _(q: Gamma, p):
    a, rate = q.concentration, q.rate
    return a * rate.log() - autograd.lgamma(a) + (a - 1) * log_mean(p) - rate * p.mean


@mean_log_prob.register
def _(q: Gumbel, p):
    t = q.scale.reciprocal()
    return t * (q.loc - p.mean) - autograd.exp(t * q.loc) * decay_mean(p, t) - q.scale.log()


@mean_log_prob.register
def _(q: Laplace, p):
    return -autograd.log(2 * q.scale) - distance_mean(p, q.loc) / q.scale


@mean_log_prob.register
def _(q: Normal, p):
    square = p.variance + (p.mean - q.loc).pow(2)
    return -0.5 * square / q.variance - q.scale.log() - HALF_LOG_TAU


@mean_log_prob.register
def _(q: Pareto, p):
    return q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * log_mean(p)


@mean_log_prob.register
def _(q: Uniform, p):
    return -autograd.log(q.high - q.low)


# --- Pairs -----------------------------------------------------------------------------------------------------------


def _infinite(p: Any, q: Any) -> Tensor:
    return autograd.full_like(p.mean, math.inf)


def _crossed(p: Any, q: Any) -> Tensor:
    (low, high), (q_low, q_high) = bounds(p), bounds(q)
    outside = autograd.as_tensor(low < q_low) | autograd.as_tensor(high > q_high)
    if outside.all():
        return _infinite(p, q)
    return autograd.where(outside, math.inf, -p.entropy() - mean_log_prob(q, p))


_UNBOUNDED = (Gumbel, Laplace, Normal)
_PAIRS = {
    Beta: (Exponential, Gamma, Pareto, Uniform, *_UNBOUNDED),
    ContinuousBernoulli: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform, *_UNBOUNDED),
    Exponential: (Beta, ContinuousBernoulli, Gamma, Pareto, Uniform, *_UNBOUNDED),
    Gamma: (Beta, Exponential, Pareto, Uniform, *_UNBOUNDED),
    Gumbel: (Exponential, Gamma, Gumbel, Normal, Uniform),
    Laplace: (Laplace, Normal),
    Normal: (Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto, Uniform),
    Pareto: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform, *_UNBOUNDED),
    Uniform: (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform, *_UNBOUNDED),
}
for _q, _kinds in _PAIRS.items():
    for _p in _kinds:
        register_kl(_p, _q)(_crossed)

for _q in (Bernoulli, Binomial):
    register_kl(Poisson, _q)(_infinite)


@register_kl(Bernoulli, Poisson)
def _bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    # ln k! is 0 for both values.
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)
