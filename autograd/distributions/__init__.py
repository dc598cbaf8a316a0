"""Probability distributions (PyTorch's ``torch.distributions``): samples, densities, gradients through either.

A distribution of parameters with gradients gives ``rsample()``, samples that move with the parameters (a variational
auto-encoder's), and ``log_prob(sample)``, whose gradient weighs what was sampled (a policy gradient's).

>>> import autograd
>>> autograd.distributions.Normal(0.0, 1.0).log_prob(autograd.tensor(0.0))
tensor(-0.9189)
"""

from . import constraints, transforms, utils
from .bernoulli import Bernoulli
from .binomial import Binomial
from .categorical import Categorical
from .constraint_registry import biject_to, transform_to
from .continuous_bernoulli import ContinuousBernoulli
from .distribution import Distribution
from .exp_family import ExponentialFamily
from .gamma import Gamma
from .geometric import Geometric
from .independent import Independent
from .multinomial import Multinomial
from .negative_binomial import NegativeBinomial
from .normal import Normal
from .one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from .relaxed_bernoulli import RelaxedBernoulli
from .relaxed_categorical import RelaxedOneHotCategorical
from .transformed_distribution import TransformedDistribution
from .transforms import (
    AbsTransform,
    AffineTransform,
    CatTransform,
    ComposeTransform,
    CorrCholeskyTransform,
    CumulativeDistributionTransform,
    ExpTransform,
    IndependentTransform,
    LowerCholeskyTransform,
    PositiveDefiniteTransform,
    PowerTransform,
    ReshapeTransform,
    SigmoidTransform,
    SoftmaxTransform,
    SoftplusTransform,
    StackTransform,
    StickBreakingTransform,
    TanhTransform,
    Transform,
    identity_transform,
)

__all__ = [
    "AbsTransform",
    "AffineTransform",
    "Bernoulli",
    "Binomial",
    "CatTransform",
    "Categorical",
    "ComposeTransform",
    "ContinuousBernoulli",
    "CorrCholeskyTransform",
    "CumulativeDistributionTransform",
    "Distribution",
    "ExpTransform",
    "ExponentialFamily",
    "Gamma",
    "Geometric",
    "Independent",
    "IndependentTransform",
    "LowerCholeskyTransform",
    "Multinomial",
    "NegativeBinomial",
    "Normal",
    "OneHotCategorical",
    "OneHotCategoricalStraightThrough",
    "PositiveDefiniteTransform",
    "PowerTransform",
    "RelaxedBernoulli",
    "RelaxedOneHotCategorical",
    "ReshapeTransform",
    "SigmoidTransform",
    "SoftmaxTransform",
    "SoftplusTransform",
    "StackTransform",
    "StickBreakingTransform",
    "TanhTransform",
    "Transform",
    "TransformedDistribution",
    "biject_to",
    "constraints",
    "identity_transform",
    "transform_to",
    "transforms",
    "utils",
]
