"""Distributions as expressions that mean the same in both libraries; ``t`` makes a parameter, ``f`` one in float32."""

import numpy as np
from parity import outcome

CASES = """
Bernoulli(t(0.3, 0.7, 1.0)) | Bernoulli(logits=t([-1.0, 2.0], [0.0, 0.5])) | Bernoulli(0.4)
Beta(t(0.5, 2.0, 3.0), t(1.5, 0.7, 4.0)) | Beta(2, 3.0) | Beta(t([0.3, 0.5], [1.0, 40.0]), 0.6)
Binomial(t(3.0, 5.0), t(0.2, 0.9)) | Binomial(5, logits=t(0.3, -2.0)) | Binomial(4, t([0.0, 1.0], [0.5, 0.2]))
Binomial(0, t(0.5, 0.1))
Categorical(t(0.2, 0.5, 0.3)) | Categorical(logits=t([1.0, -1.0, 0.5], [0.0, 0.0, 3.0]))
Categorical(t([1.0, 0.0], [3.0, 1.0]))
Cauchy(t(0.0, 1.0), t(1.0, 2.5)) | Cauchy(0.0, 1.0)
Chi2(t(0.5, 3.0, 7.0)) | Chi2(2.0)
ContinuousBernoulli(t(0.3, 0.5, 0.9)) | ContinuousBernoulli(logits=t(-2.0, 1.0, 0.001)) | ContinuousBernoulli(0.2)
Dirichlet(t(0.5, 1.5, 3.0)) | Dirichlet(t([1.0, 2.0], [0.4, 0.7], [5.0, 30.0]))
Exponential(t(0.5, 3.0)) | Exponential(2.0)
FisherSnedecor(t(2.0, 5.0, 1.0), t(1.5, 6.0, 3.0)) | FisherSnedecor(3.0, 5.0)
Gamma(t(0.5, 2.0, 9.0), t(1.0, 0.3, 4.0)) | Gamma(1.0, 2.0) | Gamma(t([0.05], [25.0]), t(1.0, 3.0))
GeneralizedPareto(f(0.0, 1.0, 0.0), f(1.0, 2.0, 0.5), f(0.0, 0.3, -0.4)) | GeneralizedPareto(0.0, 1.0, f(1.2, -0.9))
Geometric(t(0.2, 0.8, 1.0)) | Geometric(logits=t(0.3, -1.0)) | Geometric(0.5)
Gumbel(t(0.0, 1.0), t(1.0, 2.5)) | Gumbel(0.0, 1.0)
HalfCauchy(t(1.0, 2.5)) | HalfCauchy(1.0)
HalfNormal(t(1.0, 2.5)) | HalfNormal(1.0)
InverseGamma(t(0.5, 1.5, 3.0), t(1.0, 0.3, 4.0)) | InverseGamma(1.0, 2.0)
Kumaraswamy(t(0.5, 2.0, 3.0), t(1.5, 0.7, 4.0)) | Kumaraswamy(1.0, 2.0)
LKJCholesky(2, t(0.5, 1.0, 3.0)) | LKJCholesky(4, t(1.5)) | LKJCholesky(3, 0.5)
Laplace(t(0.0, 1.0), t(1.0, 2.5)) | Laplace(0.0, 1.0)
LogNormal(t(0.0, 1.0), t(1.0, 0.5)) | LogNormal(0.0, 1.0)
LogisticNormal(t(0.0, 1.0), t(1.0, 0.5)) | LogisticNormal(t([0.0, 1.0], [-1.0, 2.0]), 0.5) | LogisticNormal(0.0, 1.0)
LowRankMultivariateNormal(t(0.0, 1.0, 2.0), t([1.0], [2.0], [-1.0]), t(1.0, 2.0, 0.5))
LowRankMultivariateNormal(t([0.0, 1.0], [2.0, 3.0]), t([1.0, 0.5, 0.1], [2.0, 0.3, 0.2]), t(1.0, 2.0))
MixtureSameFamily(Categorical(t(0.3, 0.7)), Normal(t(-1.0, 2.0), t(1.0, 0.5)))
MixtureSameFamily(Categorical(t([0.3, 0.7], [0.5, 0.5])), Independent(Normal(t([[0.0], [1.0]], [[2.0], [3.0]]), 1), 1))
MixtureSameFamily(Categorical(t(0.3, 0.7)), MultivariateNormal(t([0.0, 1.0], [2.0, -1.0]), spd(2, 2)))
Multinomial(5, t(0.2, 0.5, 0.3)) | Multinomial(3, logits=t([1.0, -1.0, 0.5], [0.0, 0.0, 3.0]))
Multinomial(1, t(1.0, 0.0))
MultivariateNormal(t(0.0, 1.0), spd(2)) | MultivariateNormal(t(0.0, 1.0), precision_matrix=spd(2))
MultivariateNormal(t([0.0, 1.0, 2.0], [1.0, 2.0, 3.0]), scale_tril=spd(3, lower=True))
MultivariateNormal(t(0.0, 1.0), spd(2, 3))
NegativeBinomial(t(3.0, 5.5), t(0.2, 0.9)) | NegativeBinomial(2.0, logits=t(0.3, -2.0)) | NegativeBinomial(5, 0.3)
Normal(t(0.0, 1.0), t(1.0, 2.5)) | Normal(0.0, 1.0) | Normal(t([0.0], [1.0]), t(1.0, 2.0, 3.0)) | Normal(0, 1)
OneHotCategorical(t(0.2, 0.5, 0.3)) | OneHotCategorical(logits=t([1.0, -1.0, 0.5], [0.0, 0.0, 3.0]))
OneHotCategoricalStraightThrough(t(0.2, 0.5, 0.3))
OneHotCategoricalStraightThrough(logits=t([1.0, -1.0], [0.0, 0.0]))
Pareto(t(1.0, 2.0), t(3.0, 0.5)) | Pareto(1.0, 3.0) | Pareto(1.0, t(1.5, 2.5))
Poisson(t(0.5, 3.0, 20.0)) | Poisson(2.0) | Poisson(t(0.0, 1.0))
RelaxedBernoulli(t(0.7), t(0.2, 0.6)) | RelaxedBernoulli(t(1.5), logits=t(-1.0, 2.0))
RelaxedOneHotCategorical(t(0.7), t(0.2, 0.5, 0.3))
RelaxedOneHotCategorical(t(1.5), logits=t([-1.0, 2.0], [1.0, 0.0]))
StudentT(t(0.5, 1.5, 7.0), t(0.0, 1.0, 2.0), t(1.0, 2.0, 0.5)) | StudentT(3.0) | StudentT(t(2.0, 4.0), 1.0)
Uniform(t(0.0, -1.0), t(1.0, 2.5)) | Uniform(0.0, 1.0)
VonMises(t(0.0, 1.0, -3.0), t(1.0, 5.0, 0.01)) | VonMises(t(0.5), t(80.0)) | VonMises(t(0.0, 3.0), t(1e-6, 700.0))
Weibull(t(1.0, 2.0), t(3.0, 1.5)) | Weibull(1.0, 1.0)
Wishart(t(4.0), spd(2)) | Wishart(5.5, scale_tril=spd(3, lower=True)) | Wishart(t(3.0, 7.0), precision_matrix=spd(2))
Independent(Normal(t([0.0, 1.0], [2.0, 3.0]), 1.0), 1) | Independent(Bernoulli(t(0.2, 0.5)), 1)
Independent(Bernoulli(t(0.2, 0.5)), 0) | Independent(Dirichlet(t([1.0, 2.0], [0.4, 0.7])), 1)
TransformedDistribution(Normal(t(0.0, 1.0), 1.0), [ExpTransform(), AffineTransform(1.0, -2.0)])
TransformedDistribution(Uniform(t(0.0, 0.1), 1.0), SigmoidTransform().inv)
TransformedDistribution(Normal(t(0.0, 1.0, 2.0), 1.0), StickBreakingTransform())
TransformedDistribution(Gamma(t(2.0, 3.0), 1.0), AffineTransform(t([1.0], [2.0]), 3.0))
TransformedDistribution(MultivariateNormal(t(0.0, 1.0), spd(2)), AffineTransform(t(1.0, 2.0), t(2.0, 3.0), event_dim=1))
TransformedDistribution(Normal(t(0.0, 1.0, 2.0, 3.0), 1.0), ReshapeTransform((4,), (2, 2)))
TransformedDistribution(Laplace(t(0.0, 1.0), 2.0), [TanhTransform()])
TransformedDistribution(Normal(0.0, t(1.0)), [])
"""
CASES = [case.strip() for line in CASES.strip().splitlines() for case in line.split(" | ")]


def found(function):
    """The result, or the type of the error."""
    result, error = outcome(function)
    return error or result


class Library:
    """One of the two libraries: what an expression says, in its tensors."""

    def __init__(self, library, dtype="float64"):
        self.library, self.dtype = library, dtype

    def tensor(self, array, requires_grad=False):
        array = np.asarray(array)
        if array.dtype == np.float64:
            array = array.astype(self.dtype)
        return self.library.tensor(array.tolist(), dtype=getattr(self.library, str(array.dtype))).requires_grad_(
            requires_grad
        )

    def build(self, expression, requires_grad=False):
        """The object that an expression describes, and the parameters in it."""
        parameters = []

        def t(*numbers):
            array = np.array(numbers if len(numbers) > 1 or isinstance(numbers[0], list) else numbers[0])
            parameters.append(self.tensor(array, requires_grad))
            return parameters[-1]

        def f(*numbers):
            parameters.append(self.tensor(np.array(numbers, np.float32), requires_grad))
            return parameters[-1]

        def spd(n, *batch, lower=False):
            half = np.random.default_rng(n).normal(size=(*batch, n, n))
            matrix = half @ half.swapaxes(-1, -2) + np.eye(n)
            parameters.append(self.tensor(np.linalg.cholesky(matrix) if lower else matrix, requires_grad))
            return parameters[-1]

        names = {**vars(self.library.distributions), "t": t, "f": f, "spd": spd, "L": self.library}
        return eval(expression, names), parameters

    def gradients(self, value, parameters):
        """Of a weighted sum of ``value``, zeros for parameters it does not depend on."""
        if not value.requires_grad:
            return [self.library.zeros_like(p) for p in parameters]
        weights = self.tensor(np.random.default_rng(3).uniform(0.5, 1.5, tuple(value.shape)))
        grad = self.library.autograd.grad
        found = grad((value * weights.to(value.dtype)).sum(), parameters, allow_unused=True, retain_graph=True)
        return [self.library.zeros_like(p) if g is None else g for p, g in zip(parameters, found)]
