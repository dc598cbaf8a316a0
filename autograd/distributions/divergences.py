"""Kullback-Leibler divergences within families of distributions; those between families are in `crossed`."""

from __future__ import annotations

import math
from typing import Any

import autograd

from ..tensor import Tensor
from .bernoulli import Bernoulli
from .beta import Beta
from .binomial import Binomial
from .categorical import Categorical
from .cauchy import Cauchy
from .dirichlet import Dirichlet
from .exp_family import ExponentialFamily
from .exponential import Exponential
from .functions import softplus
from .gamma import Gamma
from .geometric import Geometric
from .independent import Independent
from .kl import kl_divergence, register_kl
from .lowrank_multivariate_normal import LowRankMultivariateNormal
from .multivariate_normal import MultivariateNormal
from .normal import Normal
from .one_hot_categorical import OneHotCategorical
from .poisson import Poisson
from .transformed_distribution import TransformedDistribution
from .utils import sum_rightmost

__all__: list[str] = []


def _weighted(p: Tensor, q: Tensor, difference: Tensor) -> Tensor:
    """``p * difference``; infinite where q is 0 and p is not, 0 where p is 0."""
    return autograd.where(p == 0, 0.0, autograd.where(q == 0, math.inf, p * difference))


@register_kl(Bernoulli, Bernoulli)
def _bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    one = _weighted(p.probs, q.probs, softplus(-q.logits) - softplus(-p.logits))
    return one + _weighted(1 - p.probs, 1 - q.probs, softplus(q.logits) - softplus(p.logits))


@register_kl(Beta, Beta)
def _beta(p: Beta, q: Beta) -> Tensor:
    return _dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _binomial(p: Binomial, q: Binomial) -> Tensor:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    one_trial = p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p()
    return autograd.where(p.total_count > q.total_count, math.inf, p.total_count * one_trial)


@register_kl(Categorical, Categorical)
def _categorical(p: Categorical, q: Categorical) -> Tensor:
    return _weighted(p.probs, q.probs, p.logits - q.logits).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _one_hot_categorical(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _categorical(p._categorical, q._categorical)


@register_kl(Cauchy, Cauchy)
def _cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


@register_kl(Dirichlet, Dirichlet)
def _dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    a, b = p.concentration, q.concentration
    mean_logs = a.digamma() - a.sum(-1, keepdim=True).digamma()
    return q._log_normalizer(b) - p._log_normalizer(a) + ((a - b) * mean_logs).sum(-1)


@register_kl(Exponential, Exponential)
def _exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return ratio - ratio.log() - 1


@register_kl(Gamma, Gamma)
def _gamma(p: Gamma, q: Gamma) -> Tensor:
    a, b = p.concentration, q.concentration
    shapes = autograd.lgamma(b) - autograd.lgamma(a) + (a - b) * autograd.digamma(a)
    return b * (p.rate / q.rate).log() + shapes + (q.rate - p.rate) * (a / p.rate)


@register_kl(Geometric, Geometric)
def _geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - autograd.log1p(-q.probs) / p.probs - q.logits


@register_kl(Normal, Normal)
def _normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(Poisson, Poisson)
def _poisson(p: Poisson, q: Poisson) -> Tensor:
    return _weighted(p.rate, q.rate, p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(MultivariateNormal, MultivariateNormal)
def _multivariate_normal(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two multivariate normals with different event shapes cannot be computed: "
            f"{p.event_shape} and {q.event_shape}"
        )
    # tr(Q^-1 P) is the sum of q's squared lengths of the columns of a factor of P.
    batch_shape = autograd.broadcast_shapes(p.batch_shape, q.batch_shape)
    columns = p._covariance_factor().mT
    columns = columns.expand((*batch_shape, *columns.shape[-2:])).movedim(-2, 0)
    lengths = q._squared_distance(columns).sum(0) + q._squared_distance(q.loc - p.loc)
    return 0.5 * (q._log_det() - p._log_det() + lengths - p.event_shape[0])


@register_kl(ExponentialFamily, ExponentialFamily)
def _exponential_family(p: ExponentialFamily, q: ExponentialFamily) -> Tensor:
    """The Bregman divergence of the log-normalizer."""
    if type(p) is not type(q):
        raise NotImplementedError(
            f"KL(p || q) of different exponential families, {type(p).__name__} and {type(q).__name__}, is no Bregman "
            "divergence; register_kl() a formula for them"
        )
    parameters, normalizer, means = p._normalizer_and_gradients()
    result = q._log_normalizer(*q._natural_params) - normalizer
    for ours, theirs, mean in zip(parameters, q._natural_params, means, strict=True):
        product = (theirs - ours) * mean
        result = result - sum_rightmost(product, product.dim() - len(q.batch_shape))
    return result


@register_kl(TransformedDistribution, TransformedDistribution)
def _transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms:
        raise NotImplementedError("KL(p || q) of transformed distributions needs the same transforms in both")
    if p.event_shape != q.event_shape:
        raise NotImplementedError(f"KL(p || q) needs the same event shape, but got {p.event_shape}, {q.event_shape}")
    extra = len(p.event_shape) - len(p.base_dist.event_shape)
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), extra)


@register_kl(Independent, Independent)
def _independent(p: Independent, q: Independent) -> Tensor:
    count = p.reinterpreted_batch_ndims
    if count != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            f"KL(p || q) needs the same reinterpreted_batch_ndims, but got {count}, {q.reinterpreted_batch_ndims}"
        )
    return sum_rightmost(kl_divergence(p.base_dist, q.base_dist), count)
