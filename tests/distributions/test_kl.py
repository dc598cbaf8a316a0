"""Kullback-Leibler divergences: all pairs that PyTorch knows, and how a formula is found."""

import numpy as np
import pytest
from distribution_cases import Library
from parity import agree

import autograd
from autograd import distributions
from autograd.distributions import Bernoulli, Gamma, LogNormal, Normal, kl_divergence, register_kl
from autograd.distributions.kl import _KL_REGISTRY

# Some of each kind, so that every pair has places where p's values are q's and places where they are not. (With bounds
# that are the same PyTorch calls the divergence of a uniform and a continuous Bernoulli distribution infinite.)
EXPRESSIONS = """
Bernoulli(t(0.3, 0.7)) | Bernoulli(logits=t(-1.0, 2.0)) | Bernoulli(t(0.0, 1.0)) | Bernoulli(t(1.0, 0.3))
Beta(t(0.5, 2.0), t(1.5, 0.7)) | Beta(t(3.0, 1.0), t(1.0, 2.0))
Binomial(t(4.0, 4.0), t(0.3, 0.6)) | Binomial(4, logits=t(0.5, -1.0)) | Binomial(t(3.0, 4.0), t(0.3, 0.6))
Categorical(t([0.2, 0.8], [1.0, 0.0])) | Categorical(logits=t([0.0, 2.0], [1.0, -1.0]))
Cauchy(t(0.0, 1.0), t(1.0, 2.0)) | Cauchy(t(3.0, 1.0), t(0.5, 2.0))
Chi2(t(2.0, 5.0))
ContinuousBernoulli(t(0.3, 0.8)) | ContinuousBernoulli(logits=t(-2.0, 1.0))
Dirichlet(t([0.5, 2.0], [3.0, 1.0])) | Dirichlet(t([1.5, 1.0], [2.0, 0.4]))
Exponential(t(0.5, 3.0)) | Exponential(t(2.0, 1.0))
Gamma(t(0.5, 3.0), t(1.0, 2.0)) | Gamma(t(4.0, 1.0), t(0.3, 5.0))
Geometric(t(0.3, 0.7)) | Geometric(logits=t(1.0, -1.0))
Gumbel(t(0.0, 1.0), t(1.0, 2.0)) | Gumbel(t(-1.0, 2.0), t(3.0, 0.5))
HalfNormal(t(1.0, 2.0)) | HalfNormal(t(0.5, 3.0))
Independent(Normal(t(0.0, 1.0), t(1.0, 2.0)), 1) | Independent(Normal(t(0.5, 0.5), t(3.0, 1.0)), 1)
Laplace(t(0.0, 1.0), t(1.0, 2.0)) | Laplace(t(0.5, -1.0), t(3.0, 0.7))
LogNormal(t(0.0, 1.0), t(1.0, 2.0)) | LogNormal(t(0.5, -1.0), t(3.0, 0.7))
LowRankMultivariateNormal(t([0.0, 1.0], [2.0, 0.0]), t([1.0], [2.0]), t(1.0, 0.5))
LowRankMultivariateNormal(t(0.5, 1.0), t([1.0, 0.0], [2.0, 1.0]), t(2.0, 0.5))
MultivariateNormal(t([0.0, 1.0], [2.0, 0.0]), spd(2, 2))
MultivariateNormal(t(0.5, 1.0), scale_tril=spd(2, lower=True))
Normal(t(0.0, 1.0), t(1.0, 2.0)) | Normal(t(0.5, -1.0), t(3.0, 0.7))
OneHotCategorical(t([0.2, 0.8], [0.5, 0.5])) | OneHotCategorical(logits=t([0.0, 2.0], [1.0, -1.0]))
Pareto(t(0.5, 1.0), t(3.0, 2.5)) | Pareto(t(1.0, 0.5), t(0.7, 1.5)) | Pareto(t(0.01, 0.02), t(4.0, 5.0))
Poisson(t(0.5, 3.0)) | Poisson(t(2.0, 0.1))
TransformedDistribution(Normal(t(0.0, 1.0), 1.0), [ExpTransform(), AffineTransform(0.0, 2.0)])
TransformedDistribution(Normal(t(0.5, 1.0), 2.0), [ExpTransform(), AffineTransform(0.0, 2.0)])
Uniform(t(0.2, 0.1), t(0.7, 0.9)) | Uniform(t(-1e-9, -1.0), t(1.1, 2.0)) | Uniform(t(0.3, 0.1), t(0.5, 5.0))
"""
KINDS: dict[str, list[str]] = {}
for _expression in EXPRESSIONS.strip().replace("\n", " | ").split(" | "):
    KINDS.setdefault(_expression.split("(")[0], []).append(_expression)


def divergence(library, p, q):
    side = Library(library)
    (p, first), (q, second) = side.build(p, True), side.build(q, True)
    value = library.distributions.kl_divergence(p, q)
    return value, side.gradients(value, [*first, *second])


def registered(torch):
    pairs = torch.distributions.kl._KL_REGISTRY
    return sorted((p.__name__, q.__name__) for p, q in pairs if p.__name__ != "ExponentialFamily")


def test_the_same_pairs_are_known(torch):
    ours = {(p.__name__, q.__name__) for p, q in _KL_REGISTRY}
    # The rule of transformed distributions covers it.
    missing = set(registered(torch)) - ours - {("HalfNormal", "HalfNormal")}
    assert not missing


@pytest.mark.parametrize("kind", KINDS)
def test_every_pair(torch, kind):
    found = [q for p, q in registered(torch) if p == kind and q in KINDS]
    found += [kind] if kind in ("Chi2", "LogNormal") else []
    assert found
    for q in found:
        for first in KINDS[kind]:
            for second in KINDS[q]:
                try:
                    other, gradients = divergence(torch, first, second)
                except NotImplementedError:
                    with pytest.raises(NotImplementedError):
                        divergence(autograd, first, second)
                    continue
                mine, my_gradients = divergence(autograd, first, second)
                agree(mine, other, 1e-8, 1e-9, f"KL({first} || {second})")
                if np.isfinite(other.detach().numpy()).all():
                    agree(my_gradients, gradients, 1e-6, 1e-7, f"gradient of KL({first} || {second})")


def test_bregman_divergence_of_one_kind():
    # A Wishart matrix of one row is a gamma number. (PyTorch adds up the wrong axes of a batch.)
    def wishart(df, variance):
        return distributions.Wishart(autograd.tensor(df), autograd.tensor(variance)[:, None, None])

    def gamma(df, variance):
        return Gamma(autograd.tensor(df) / 2, 0.5 / autograd.tensor(variance))

    p, q = ([3.0, 4.0], [1.0, 2.0]), ([5.0, 2.0], [0.5, 3.0])
    expected = kl_divergence(gamma(*p), gamma(*q))
    agree(kl_divergence(wishart(*p), wishart(*q)), expected, 1e-5, 1e-5)
    bernoulli = [Bernoulli(autograd.tensor([p, 0.5])) for p in (0.2, 0.7)]
    general = _KL_REGISTRY[distributions.ExponentialFamily, distributions.ExponentialFamily]
    agree(general(*bernoulli), kl_divergence(*bernoulli), 1e-5, 1e-6)


def test_borders():
    unit = distributions.Uniform(0.0, 1.0)
    for p, q in ((unit, distributions.ContinuousBernoulli(0.5)), (distributions.Beta(1.0, 1.0), unit)):
        assert kl_divergence(p, q).item() == pytest.approx(0, abs=1e-6)
    never, rare = distributions.Poisson(0.0), distributions.Poisson(3.0)
    assert kl_divergence(never, rare).item() == 3
    assert kl_divergence(rare, never).item() == float("inf")


REFUSED = """
kl_divergence(Normal(0.0, 1.0), Bernoulli(0.5)) | kl_divergence(Cauchy(0.0, 1.0), StudentT(2.0))
kl_divergence(Gamma(1.0, 1.0), Poisson(1.0)) | kl_divergence(LogNormal(0.0, 1.0), HalfNormal(1.0))
kl_divergence(MultivariateNormal(L.zeros(2), L.eye(2)), MultivariateNormal(L.zeros(3), L.eye(3)))
kl_divergence(Binomial(3, L.tensor([0.5])), Binomial(4, L.tensor([0.5])))
kl_divergence(Independent(Normal(L.zeros(2), 1.0), 1), Independent(Normal(L.zeros(2), 1.0), 0))
register_kl(3, Normal) | register_kl(Normal, 3)
"""


@pytest.mark.parametrize("expression", [e for line in REFUSED.strip().splitlines() for e in line.split(" | ")])
def test_refused(both, expression):
    result = both(lambda L: eval(expression, {**vars(L.distributions), "L": L}))
    assert result[0] == "raised"


def test_the_most_derived_classes_win():
    class Bell(Normal):
        pass

    class SmallBell(Bell):
        pass

    standard = (0.0, 1.0)
    assert kl_divergence(SmallBell(*standard), Bell(1.0, 1.0)).item() == 0.5
    before = dict(_KL_REGISTRY)
    try:
        register_kl(Bell, Bell)(lambda p, q: "bells")
        assert kl_divergence(SmallBell(*standard), Bell(*standard)) == "bells"
        assert kl_divergence(Normal(*standard), Bell(*standard)).item() == 0
        register_kl(SmallBell, Normal)(lambda p, q: "left")
        register_kl(Normal, SmallBell)(lambda p, q: "right")
        with pytest.warns(RuntimeWarning, match="Ambiguous"):
            assert kl_divergence(SmallBell(*standard), SmallBell(*standard)) == "left"
    finally:
        _KL_REGISTRY.clear()
        _KL_REGISTRY.update(before)
        register_kl(Normal, Normal)(before[Normal, Normal])  # forgets what was found for the classes above
    assert kl_divergence(LogNormal(*standard), LogNormal(1.0, 1.0)).item() == 0.5
