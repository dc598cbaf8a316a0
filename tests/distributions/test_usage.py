"""Programs that use distributions, errors of bad parameters, and what users derive from them."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import autograd
from autograd.distributions import Categorical, Distribution, Normal, constraints
from autograd.testing import gradcheck

REFUSED = """
Normal(0.0, -1.0) | Normal(L.nan, 1.0) | Normal("0", 1.0) | Normal(0.0, L.tensor([1.0, 0.0]))
Normal(L.ones(2), L.ones(3)) | Bernoulli() | Bernoulli(0.5, 0.1) | Bernoulli(1.5)
Bernoulli(logits=L.tensor([L.nan])) | Bernoulli([0.5]) | Categorical(L.tensor(1.0))
Categorical(L.tensor([-1.0, 2.0])) | Categorical() | Categorical(logits=L.tensor([L.nan]))
OneHotCategorical(L.ones(2), logits=L.ones(2)) | Multinomial(L.tensor([3]), L.ones(2))
Multinomial(3, L.tensor([-1.0, 2.0])) | Binomial(-1, 0.5) | Binomial(1.5, 0.5)
Binomial(L.tensor([3.0, 4.0]), 0.5).enumerate_support() | Binomial(3) | Beta(0.0, 1.0) | Gamma(1.0, 0.0)
Dirichlet(L.tensor(1.0)) | Dirichlet(L.tensor([0.0, 1.0])) | Uniform(1.0, 0.0) | Chi2(-1.0) | Exponential(0.0)
Poisson(-1.0) | Geometric(0.0) | NegativeBinomial(1.0, 1.0) | ContinuousBernoulli(2.0, validate_args=True)
StudentT(0.0) | Pareto(0.0, 1.0) | Weibull(1.0, -1.0) | VonMises(0.0, 0.0) | HalfNormal(-1.0) | HalfCauchy(0.0)
Kumaraswamy(0.0, 1.0) | Cauchy(0.0, 0.0) | Laplace(0.0, -2.0) | Gumbel(0.0, 0.0) | LKJCholesky(1)
LKJCholesky(3, -1.0) | Wishart(1.0, L.eye(3)) | Wishart(4.0, L.ones(2)) | Wishart(4.0, -L.eye(2))
MultivariateNormal(L.zeros(2)) | MultivariateNormal(L.zeros(2), L.eye(2), L.eye(2))
MultivariateNormal(L.tensor(0.0), L.eye(1)) | MultivariateNormal(L.zeros(2), L.ones(2))
MultivariateNormal(L.zeros(2), -L.eye(2)) | LowRankMultivariateNormal(L.zeros(2), L.zeros(3, 1), L.ones(2))
LowRankMultivariateNormal(L.zeros(2), L.zeros(2), L.ones(2))
LowRankMultivariateNormal(L.zeros(2), L.zeros(2, 1), L.ones(3))
LowRankMultivariateNormal(L.zeros(()), L.zeros(2, 1), L.ones(2))
LowRankMultivariateNormal(L.zeros(2), L.zeros(2, 1), -L.ones(2)) | Independent(Normal(L.zeros(2), 1.0), 2)
MixtureSameFamily(Normal(0.0, 1.0), Normal(0.0, 1.0)) | MixtureSameFamily(Categorical(L.ones(2)), 3)
MixtureSameFamily(Categorical(L.ones(2)), Normal(L.zeros(3), 1.0))
MixtureSameFamily(Categorical(L.ones(4, 2)), Normal(L.zeros(3, 2), 1.0))
TransformedDistribution(Normal(0.0, 1.0), [1]) | TransformedDistribution(Normal(0.0, 1.0), StickBreakingTransform())
Normal(0.0, 1.0).log_prob(1.0) | Normal(L.zeros(2), 1.0).log_prob(L.zeros(3)) | Bernoulli(0.5).log_prob(L.tensor(0.5))
Normal(0.0, 1.0).log_prob(L.tensor(L.nan)) | Categorical(L.ones(2)).log_prob(L.tensor(2))
Uniform(0.0, 1.0).cdf(L.tensor(2.0)) | MultivariateNormal(L.zeros(2), L.eye(2)).log_prob(L.zeros(3))
Exponential(1.0).log_prob(L.tensor(-1.0)) | Multinomial(3, L.ones(2)).log_prob(L.tensor([3.0, 1.0]))
Dirichlet(L.ones(2)).log_prob(L.tensor([0.5, 0.6])) | OneHotCategorical(L.ones(2)).log_prob(L.tensor([1.0, 1.0]))
Poisson(1.0).log_prob(L.tensor(-1.0)) | Independent(Bernoulli(L.tensor([0.2, 0.5])), 1).enumerate_support()
Normal(0.0, 1.0).enumerate_support() | Poisson(1.0).rsample() | Poisson(1.0).entropy()
Gamma(1.0, 1.0).icdf(L.tensor(0.5)) | Multinomial(2, L.ones(2)).mode | Distribution().sample() | Distribution().mean
Distribution.set_default_validate_args(3) | Categorical(L.ones(2)).rsample() | Normal(L.zeros(2), 1.0).expand((3,))
MultivariateNormal(L.zeros(2), scale_tril=L.ones(2, 2))
"""


@pytest.mark.parametrize("expression", REFUSED.strip().replace("\n", " | ").split(" | "))
def test_refused(both, expression):
    result = both(lambda L: eval(expression, {**vars(L.distributions), "L": L}))
    assert result[0] == "raised"


UNCHECKED = """
Normal(0.0, -1.0, validate_args=False).loc | Normal(0.0, 1.0, validate_args=False).log_prob(L.tensor(L.nan))
Uniform(0.0, 1.0, validate_args=False).log_prob(L.tensor(2.0))
Bernoulli(0.5, validate_args=False).log_prob(L.tensor(0.5))
HalfNormal(1.0, validate_args=False).log_prob(L.tensor(-1.0))
Uniform(0.0, 1.0, validate_args=False).cdf(L.tensor(2.0)) | Normal(0.0, 1.0, validate_args=False).log_prob(1.0)
Gamma(1.0, 2.0, validate_args=False).log_prob(1.0)
HalfCauchy(1.0, validate_args=False).expand((2,)).log_prob(L.tensor([-1.0, 1.0]))
"""


@pytest.mark.parametrize("expression", UNCHECKED.strip().replace("\n", " | ").split(" | "))
def test_not_validated(both, expression):
    result = both(lambda L: eval(expression, {**vars(L.distributions), "L": L}))
    assert result[0] != "raised"


def test_default_validation():
    assert Distribution._validate_args
    try:
        Distribution.set_default_validate_args(False)
        assert Normal(0.0, -1.0).scale.item() == -1
    finally:
        Distribution.set_default_validate_args(True)
    with pytest.raises(
        ValueError, match=r"Expected parameter scale .* of distribution Normal\(loc: 0.0, scale: -1.0\)"
    ):
        Normal(0.0, -1.0)


def test_variational_autoencoder(both):
    def program(L):
        L.manual_seed(0)
        encoder, decoder = L.nn.Linear(6, 4), L.nn.Linear(2, 6)
        x = L.rand(5, 6).round()
        mu, log_sigma = encoder(x).chunk(2, dim=-1)
        posterior = L.distributions.Normal(mu, log_sigma.exp())
        z = posterior.rsample()
        likelihood = L.distributions.Independent(L.distributions.Bernoulli(logits=decoder(z)), 1)
        prior = L.distributions.Normal(L.zeros_like(mu), 1.0)
        divergence = L.distributions.kl_divergence(posterior, prior).sum(-1)
        loss = (divergence - likelihood.log_prob(x)).mean()
        loss.backward()
        return [loss, *(p.grad for p in [*encoder.parameters(), *decoder.parameters()])]

    both(program)


def test_policy_gradient(both):
    def program(L):
        L.manual_seed(1)
        policy = L.nn.Linear(3, 4)
        losses, actions = [], []
        for step in range(6):
            chances = L.softmax(policy(L.ones(3) * step / 5), dim=-1)
            choice = L.distributions.Categorical(chances)
            action = choice.sample()
            actions.append(action.item())
            losses.append(-choice.log_prob(action) * (step - 2) - 0.01 * choice.entropy())
        L.stack(losses).sum().backward()
        return [
            actions,
            policy.weight.grad,
            L.distributions.Categorical(logits=policy(L.ones(3))).log_prob(L.tensor(2)),
        ]

    both(program)


def test_modules_of_their_own_name():
    from autograd.distributions.categorical import Categorical as Same
    from autograd.distributions.kl import kl_divergence
    from autograd.distributions.transforms import ExpTransform
    from autograd.distributions.utils import broadcast_all

    assert Same is Categorical
    assert kl_divergence is autograd.distributions.kl_divergence
    assert ExpTransform is autograd.distributions.ExpTransform
    assert len(broadcast_all(1, 2.0)) == 2


def test_a_distribution_of_the_users_own():
    class Halved(Distribution):
        arg_constraints = {"scale": constraints.positive}
        support = constraints.interval(0.0, 1.0)

        def __init__(self, scale, validate_args=None):
            self.scale = scale
            super().__init__(scale.shape, validate_args=validate_args)

        def rsample(self, sample_shape=()):
            return autograd.rand(self._extended_shape(sample_shape)) * self.scale / 2

    halved = Halved(autograd.tensor([1.0, 2.0]))
    assert halved.expand((3, 2)).sample((4,)).shape == (4, 3, 2)
    assert repr(halved) == "Halved(scale: torch.Size([2]))"
    with pytest.raises(ValueError, match="Expected parameter scale"):
        Halved(autograd.tensor([0.0]))

    class Plain(Distribution):
        pass

    with pytest.warns(UserWarning, match="arg_constraints"):
        plain = Plain()
    with pytest.warns(UserWarning, match="support"):
        plain._validate_sample(autograd.tensor(0.0))

    class Other(Normal):
        def __init__(self, shift):
            super().__init__(shift, 1.0)

    with pytest.raises(NotImplementedError, match=r"must also define a custom .expand\(\)"):
        Other(1.0)._get_checked_instance(Normal)


def test_copies_and_samples_by_count():
    normal = Normal(autograd.tensor([1.0, 2.0]), 1.0)
    for twin in (copy.deepcopy(normal), pickle.loads(pickle.dumps(normal))):
        assert twin.log_prob(autograd.zeros(2)).tolist() == normal.log_prob(autograd.zeros(2)).tolist()
    with pytest.warns(FutureWarning, match="sample_n"):
        assert normal.sample_n(3).shape == (3, 2)


def test_gradients_by_differences():
    # PyTorch's Wishart numbers have no gradient, for it overwrites some; a factor's moves as differences say.
    lower = autograd.tensor([[1.5, 0.0], [0.3, 0.8]], dtype=autograd.float64, requires_grad=True)

    def drawn(lower):
        autograd.manual_seed(4)
        return autograd.distributions.Wishart(4.0, scale_tril=lower.tril(), validate_args=False).rsample()

    assert gradcheck(drawn, lower)
    df = autograd.tensor(4.0, dtype=autograd.float64, requires_grad=True)
    (slope,) = autograd.grad(autograd.distributions.Wishart(df, scale_tril=lower).rsample((4000,)).mean(0)[0, 0], df)
    # The mean is df times the covariance.
    assert slope.item() == pytest.approx(1.5**2, rel=0.1)


def test_modes_and_means_of_what_pytorch_does_not_know():
    kumaraswamy = autograd.distributions.Kumaraswamy(autograd.tensor([2.0, 0.5]), autograd.tensor([3.0, 2.0]))
    x = autograd.linspace(0.001, 0.999, 999).unsqueeze(-1)
    highest = x[kumaraswamy.log_prob(x)[:, 0].argmax()].item()
    assert kumaraswamy.mode[0].item() == pytest.approx(highest, abs=1e-3)
    assert np.isnan(kumaraswamy.mode[1].item())


def test_singular_matrices_are_drawn_again():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        low = autograd.distributions.Wishart(autograd.tensor(1.05), autograd.eye(2))
        autograd.manual_seed(0)
        drawn = low.sample((200,))
    assert any("Low df" in str(warning.message) for warning in caught)
    assert any("Singular" in str(warning.message) for warning in caught)
    assert low.support.check(drawn).all()
