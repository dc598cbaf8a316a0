"""Transforms against PyTorch's: both directions, Jacobians, shapes, equality, caches, and those of constraints."""

import numpy as np
import pytest
from distribution_cases import Library, found
from parity import agree

import autograd
from autograd.distributions import transforms as T

# name: shape of the argument
TRANSFORMS = {
    "AbsTransform()": (3,),
    "AffineTransform(1.0, -2.0)": (3,),
    "AffineTransform(t(1.0, 2.0), t(0.5, -3.0))": (3, 2),
    "AffineTransform(t(1.0, 2.0), t(0.5, -3.0), event_dim=1)": (3, 2),
    "AffineTransform(0, 4, event_dim=1)": (3, 2),
    "CatTransform([ExpTransform(), TanhTransform()], dim=0, lengths=[2, 1])": (3, 2),
    "CatTransform([ExpTransform(), identity_transform], dim=-1)": (3, 2),
    "ComposeTransform([ExpTransform(), PowerTransform(t(2.0)), AffineTransform(1.0, 3.0)])": (3,),
    "ComposeTransform([StickBreakingTransform(), AffineTransform(0.0, 2.0)])": (3, 2),
    "ComposeTransform([])": (3,),
    "CorrCholeskyTransform()": (2, 6),
    "CumulativeDistributionTransform(Normal(t(0.5), t(2.0)))": (3,),
    "ExpTransform()": (3,),
    "ExpTransform().inv.inv": (3,),
    "IndependentTransform(ExpTransform(), 1)": (3, 2),
    "IndependentTransform(AffineTransform(t(1.0, 2.0), 2.0), 2)": (4, 3, 2),
    "LowerCholeskyTransform()": (2, 3, 3),
    "PositiveDefiniteTransform()": (2, 3, 3),
    "ReshapeTransform((2, 3), (6,))": (4, 2, 3),
    "SigmoidTransform()": (3,),
    "SoftmaxTransform()": (2, 3),
    "SoftplusTransform()": (3,),
    "StackTransform([ExpTransform(), TanhTransform()], dim=1)": (3, 2),
    "StickBreakingTransform()": (2, 3),
    "TanhTransform()": (3,),
    "ComposeTransform([SigmoidTransform().inv.inv, PowerTransform(t(3.0)), ExpTransform().inv]).inv.inv": (3,),
}
CONSTRAINTS = """
real | real_vector | positive | nonnegative | unit_interval | simplex | corr_cholesky | lower_cholesky
greater_than(t(1.0)) | greater_than_eq(-2) | less_than(3.0) | interval(-1.0, t(2.0)) | half_open_interval(0.0, 2.0)
independent(positive, 1) | positive_definite | positive_semidefinite | stack([positive, real]) | cat([positive, real])
boolean | one_hot | symmetric | nonnegative_integer | dependent
"""
CONSTRAINTS = CONSTRAINTS.strip().replace("\n", " | ").split(" | ")


@pytest.fixture
def pair(torch):
    return Library(autograd), Library(torch)


def compare(pair, look):
    """``look(side)`` is the same in both libraries; the gradient of tensors in x, too."""
    mine, other = (found(lambda side=side: look(side)) for side in pair)
    agree(mine, other, 1e-9, 1e-11)
    return mine


@pytest.mark.parametrize("expression", TRANSFORMS)
def test_transforms(pair, expression):
    shape = TRANSFORMS[expression]
    numbers = np.random.default_rng(0).normal(size=shape)

    def results(side):
        f, parameters = side.build(expression, requires_grad=True)
        x = side.tensor(numbers, requires_grad=True)
        y = f(x)
        back = f.inv(y)
        steps = [y, back]
        if f.bijective:
            steps += [f.log_abs_det_jacobian(x, y), f.inv.log_abs_det_jacobian(y, x)]
        gradients = [side.gradients(step, [x, *parameters]) for step in steps]
        return steps, gradients

    def facts(side):
        f, parameters = side.build(expression)
        same, _ = side.build(expression)
        facts = [f.bijective, f.inv.inv is f, f == same, f == f.inv, repr(f), repr(f.inv), f.with_cache(1).bijective]
        facts += [repr(found(lambda: part)) for part in (f.domain, f.codomain)]
        facts += [f.domain.event_dim, f.codomain.event_dim, found(lambda: f.event_dim)]
        facts += [tuple(f.forward_shape(shape)), tuple(f.inv.forward_shape(f.forward_shape(shape)))]
        return facts

    assert isinstance(compare(pair, results), tuple)
    assert isinstance(compare(pair, facts), list)
    compare(pair, lambda side: side.build(expression)[0].sign)


@pytest.mark.parametrize("expression", CONSTRAINTS)
@pytest.mark.parametrize("registry", ["biject_to", "transform_to"])
def test_transforms_to_constraints(pair, registry, expression):
    shape = (2, 3, 3) if "definite" in expression or expression == "lower_cholesky" else (2, 3)
    if expression.startswith(("stack", "cat")):
        shape = (2,)

    def transformed(side):
        side.build("0")
        names = {**vars(side.library.distributions.constraints), "t": side.tensor}
        constraint = eval(expression, names)
        f = getattr(side.library.distributions, registry)(constraint)
        y = f(side.tensor(np.random.default_rng(0).normal(size=shape)))
        return [y, constraint.check(y), repr(f), f.inv(y)]

    compare(pair, transformed)


def test_a_cache_gives_the_argument_itself():
    f = T.TanhTransform(cache_size=1)
    x = autograd.tensor([50.0])
    assert f.inv(f(x)) is x
    assert f(x) is f(x)
    assert f.inv.with_cache(0).inv._cache_size == 0
    chain = T.ComposeTransform([T.ExpTransform(), T.AffineTransform(0.0, 2.0)], cache_size=1)
    assert chain.inv(chain(x)) is x
    assert T.TanhTransform().inv(T.TanhTransform()(x)).item() == float("inf")
    assert f.with_cache(1) is f


REFUSED = """
ExpTransform(cache_size=2) | ReshapeTransform((2,), (3,)) | CatTransform([1]) | StackTransform([ExpTransform(), 2])
CorrCholeskyTransform().forward_shape((4,)) | CorrCholeskyTransform().inverse_shape((2, 3)) | AbsTransform().sign
StickBreakingTransform().forward_shape(()) | SoftmaxTransform().forward_shape(()) | SoftmaxTransform().sign
ReshapeTransform((2,), (1, 2)).forward_shape((3,)) | ReshapeTransform((2,), (1, 2)).inverse_shape((2,))
AbsTransform().log_abs_det_jacobian(L.ones(1), L.ones(1)) | CorrCholeskyTransform().event_dim
CatTransform([ExpTransform()], 3)(L.ones(2)) | StackTransform([ExpTransform()], 0)(L.ones(2)) | Transform()(L.ones(2))
CatTransform([ExpTransform()], 0, [2, 3]) | IndependentTransform(ExpTransform(), 2)(L.ones(2))
Transform().inv(L.ones(1)) | biject_to(3) | biject_to.register(3, lambda c: c) | transform_to.register(int)(lambda c: c)
"""


@pytest.mark.parametrize("expression", REFUSED.strip().replace("\n", " | ").split(" | "))
def test_refused(both, expression):
    result = both(lambda L: eval(expression, {**vars(L.distributions), "L": L}))
    assert result[0] == "raised"
