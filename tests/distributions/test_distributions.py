"""Every distribution against PyTorch's: what is known of it, densities, samples and their gradients."""

import numpy as np
import pytest
from distribution_cases import CASES, Library, found
from parity import agree

import autograd

PLAIN = ("batch_shape", "event_shape", "has_rsample", "has_enumerate_support")


@pytest.fixture
def pair(torch):
    return Library(autograd), Library(torch)


# Where PyTorch computes with less: polynomials for Bessel functions, factorials in float32; or is given float32.
LESS = {"VonMises": 1e-4, "Multinomial": 1e-6, "GeneralizedPareto": 1e-6}


def agree_to(tolerance, mine, other, what):
    """Results are the same, up to a tolerance; up to that of float32 where the parameters are plain numbers."""
    tolerance = max(tolerance, *(less if kind in what else 0 for kind, less in LESS.items()))
    if "float32" in str(getattr(other, "dtype", "")):
        tolerance = max(tolerance, 2e-5)
    agree(mine, other, tolerance, tolerance, what)


def compare(pair, expression, look, tolerance=1e-9, gradient_tolerance=1e-9):
    """``look(distribution, library)`` and its gradients in the parameters are the same in both libraries."""
    results = []
    for side in pair:
        distribution, parameters = side.build(expression, requires_grad=True)
        result = found(lambda: look(distribution, side))
        gradients = found(lambda: side.gradients(result, parameters)) if hasattr(result, "requires_grad") else []
        results.append((result, gradients))
    (mine, my_gradients), (other, other_gradients) = results
    agree_to(tolerance, mine, other, expression)
    if not isinstance(other_gradients, list):
        assert my_gradients == other_gradients or "Wishart" in expression, expression
        return
    for g, h in zip(my_gradients, other_gradients, strict=True):
        agree_to(gradient_tolerance, g, h, f"gradient of {expression}")


def value_of(pair, expression, shape=(3,)):
    """Numbers that PyTorch drew."""
    torch = pair[1].library
    torch.manual_seed(0)
    return np.asarray(found(lambda: pair[1].build(expression)[0].sample(shape)))


@pytest.mark.parametrize("expression", CASES)
def test_what_is_known(pair, expression):
    mine, other = (side.build(expression)[0] for side in pair)
    for name in PLAIN:
        assert getattr(mine, name) == getattr(other, name), name
    assert repr(mine) == repr(other)
    assert repr(found(lambda: mine.support)) == repr(found(lambda: other.support))
    assert {k: repr(v) for k, v in mine.arg_constraints.items()} == {
        k: repr(v) for k, v in other.arg_constraints.items()
    }
    for name in ("mean", "mode", "variance", "stddev", "logits", "probs", "scale_tril", "covariance_matrix"):
        if name == "mode" and "Kumaraswamy" in expression:
            continue  # PyTorch's is NaN everywhere
        if hasattr(type(other), name):
            compare(pair, expression, lambda d, _: getattr(d, name))


@pytest.mark.parametrize("expression", CASES)
def test_entropy(pair, expression):
    compare(pair, expression, lambda d, _: d.entropy())
    compare(pair, expression, lambda d, _: d.perplexity())


@pytest.mark.parametrize("expression", CASES)
def test_densities(pair, expression):
    value = value_of(pair, expression)
    compare(pair, expression, lambda d, side: d.log_prob(side.tensor(value)))
    compare(pair, expression, lambda d, side: d.cdf(side.tensor(value)))
    chances = np.linspace(0.1, 0.9, max(1, value.size)).reshape(value.shape)
    compare(pair, expression, lambda d, side: d.icdf(side.tensor(chances)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("expression", CASES)
def test_samples(torch, expression, dtype):
    for shape in ((), (3, 2)) if dtype == "float64" else ((2,),):
        drawn = []
        for library in (autograd, torch):
            side = Library(library, dtype)
            distribution, _ = side.build(expression)
            library.manual_seed(5)
            drawn.append((found(lambda: distribution.sample(shape)), library.rand(1)))
        (mine, my_next), (other, other_next) = drawn
        agree_to(1e-12, mine, other, expression)
        agree(my_next, other_next, 0, 0, expression)


@pytest.mark.parametrize("expression", CASES)
def test_samples_that_move_with_the_parameters(pair, expression):
    def draw(d, side):
        side.library.manual_seed(2)
        return d.rsample((4,))

    # PyTorch has approximations of how gamma and Dirichlet numbers move.
    compare(pair, expression, draw, gradient_tolerance=1e-3)


@pytest.mark.parametrize("expression", CASES)
def test_expanded(pair, expression):
    value = value_of(pair, expression)

    def larger(d):
        return d.expand((3, *d.batch_shape))

    mine, other = (larger(side.build(expression)[0]) for side in pair)
    assert repr(mine) == repr(other)
    assert (mine.batch_shape, mine.event_shape) == (other.batch_shape, other.event_shape)
    compare(pair, expression, lambda d, side: larger(d).log_prob(side.tensor(value)))
    compare(pair, expression, lambda d, _: larger(d).mean)
    if "Multinomial" not in expression:  # PyTorch's expanded one has lost what its entropy needs
        compare(pair, expression, lambda d, _: larger(d).entropy())

    def draw(d, side):
        side.library.manual_seed(2)
        return larger(d).sample((2,))

    compare(pair, expression, draw)


@pytest.mark.parametrize("expression", CASES)
def test_enumerated(pair, expression):
    compare(pair, expression, lambda d, _: d.enumerate_support())
    compare(pair, expression, lambda d, _: d.enumerate_support(expand=False))
