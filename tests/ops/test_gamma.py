"""Gamma and Dirichlet numbers as functions of their parameters, against PyTorch's."""

import numpy as np
import pytest

import autograd

SHAPES = "L.tensor([[0.05, 0.7, 1.0], [2.5, 30.0, 0.0]])"
DRAWN = """
L._standard_gamma({shapes}) | L._standard_gamma({shapes}.double()) | L._standard_gamma({shapes}.T)
L._sample_dirichlet({shapes}) | L._sample_dirichlet({shapes}.double())
L._standard_gamma({shapes}[:, :0]) | L._standard_gamma(L.tensor(3.0))
L._standard_gamma({shapes}, L.Generator().manual_seed(3)) | L._sample_dirichlet({shapes}, L.Generator().manual_seed(3))
"""
EXPRESSIONS = DRAWN.format(shapes=SHAPES).strip().replace("\n", " | ").split(" | ")


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_drawn(both, expression):
    def program(L):
        L.manual_seed(11)
        return [eval(expression, {"L": L}), L.rand(2)]

    both(program, rtol=2e-7, atol=0)


@pytest.mark.parametrize("shape", [(4,), (2, 3)])
def test_gradients(both, shape):
    numbers = np.random.default_rng(0).uniform(0.2, 5, shape)

    def program(L):
        x = L.tensor(numbers.tolist(), dtype=L.float64, requires_grad=True)
        found = []
        # PyTorch's function has no derivative; its distribution has.
        for draw in (L._standard_gamma, lambda x: L.distributions.Dirichlet(x).rsample()):
            L.manual_seed(3)
            found += L.autograd.grad((draw(x) * L.arange(x.numel()).reshape(shape)).sum(), x)
        return found

    # PyTorch has approximations of three or four digits.
    both(program, rtol=1e-3, atol=1e-4)


def test_gradients_of_given_numbers(both):
    a, x = [0.3, 1.0, 4.0, 20.0], [0.1, 1.5, 3.0, 26.0]
    both(lambda L: L._standard_gamma_grad(L.tensor(a), L.tensor(x)), rtol=1e-3)
    both(lambda L: L._dirichlet_grad(L.tensor([0.2, 0.9]), L.tensor([1.0, 3.0]), L.tensor([2.5, 4.0])), rtol=1e-3)


REFUSED = """
L._standard_gamma(L.ones(2).long()) | L._standard_gamma(2.0) | L._sample_dirichlet(L.ones(2).int())
L._standard_gamma(L.ones(2), generator=1) | L._standard_gamma(L.ones(2).half()) | L._sample_dirichlet(L.ones(2).half())
"""


@pytest.mark.parametrize("expression", REFUSED.strip().replace("\n", " | ").split(" | "))
def test_refused(both, expression):
    assert both(lambda L: eval(expression, {"L": L}))[0] == "raised"


@pytest.mark.parametrize("draw", [autograd._standard_gamma, autograd._sample_dirichlet])
def test_no_second_derivative(draw):
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    (gradient,) = autograd.grad((draw(x) * autograd.tensor([1.0, 3.0])).sum(), x, create_graph=True)
    with pytest.raises(NotImplementedError, match="derivative for '_(standard_gamma|dirichlet)_grad'"):
        gradient.sum().backward()
