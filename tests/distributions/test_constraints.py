"""Constraints against PyTorch's: which values belong to a set, what a set says of itself."""

import numpy as np
import pytest
from distribution_cases import Library
from parity import agree

import autograd

HALF = np.random.default_rng(1).normal(size=(2, 3, 3))
POSITIVE = HALF @ HALF.swapaxes(-1, -2) + np.eye(3)
LOWER = np.linalg.cholesky(POSITIVE)
ROWS = LOWER / np.linalg.norm(LOWER, axis=-1, keepdims=True)
NUMBERS = np.array([-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, np.nan, np.inf, -np.inf])
VECTORS = np.array(
    [[0.2, 0.8, 0.0], [1.0, 0.0, 0.0], [0.5, 0.6, 0.0], [1.0, 1.0, 0.0], [2.0, -1.0, 0.0], [3.0, 1.0, 1.0]]
)
MATRICES = np.concatenate([HALF, POSITIVE, LOWER, ROWS, -POSITIVE, np.zeros((1, 3, 3)), HALF + HALF.swapaxes(-1, -2)])
CASES = """
boolean | nonnegative_integer | positive_integer | integer_interval(0, 2) | real | positive | nonnegative
greater_than(0.5) | greater_than_eq(0.5) | less_than(1.0) | unit_interval | interval(-1.0, 0.5)
half_open_interval(0.0, 1.0) | one_hot | real_vector | simplex | multinomial(4)
independent(positive, 1) | cat([positive, real], 1, [1, 2])
stack([positive, real, boolean], 1) | stack([positive, real, boolean], -1) | MixtureSameFamilyConstraint(simplex)
MixtureSameFamilyConstraint(positive) | lower_triangular | lower_cholesky | corr_cholesky | square | symmetric
positive_semidefinite | positive_definite | dependent | dependent(is_discrete=True, event_dim=1) | independent(real, 0)
independent(dependent, 1)
"""


@pytest.mark.parametrize("expression", CASES.strip().replace("\n", " | ").split(" | "))
def test_constraints(torch, expression):
    def facts(library):
        side, module = Library(library), library.distributions.constraints
        constraint = eval(expression, vars(module))
        found = [repr(constraint), module.is_dependent(constraint)]
        for ask in ("is_discrete", "event_dim"):
            try:
                found.append(getattr(constraint, ask))
            except NotImplementedError:
                found.append("not known")
        for values in (NUMBERS, VECTORS, MATRICES, MATRICES[:, :2]):
            try:
                found.append(constraint.check(side.tensor(values)))
            except Exception as error:
                # What does not fit is refused; how differs between LAPACK's and our own errors.
                found.append("refused" if values.ndim < 3 or values.shape[-2] == 2 else type(error))
        return found

    agree(facts(autograd), facts(torch))


REFUSED = """
independent(3, 1) | independent(real, -1) | independent(real, 0.5) | cat([real], 0, [1, 2]) | cat([1]) | stack([2])
cat([real], 3).check(L.ones(2)) | stack([real], 3).check(L.ones(2)) | independent(real, 2).check(L.ones(2))
dependent.check(L.ones(2)) | dependent.event_dim | dependent.is_discrete | MixtureSameFamilyConstraint(1)
"""


@pytest.mark.parametrize("expression", REFUSED.strip().replace("\n", " | ").split(" | "))
def test_refused(both, expression):
    result = both(lambda L: eval(expression, {**vars(L.distributions.constraints), "L": L}))
    assert result[0] == "raised"


def test_a_dependent_property_is_a_constraint_of_the_class():
    uniform = autograd.distributions.Uniform
    constraints = autograd.distributions.constraints
    assert constraints.is_dependent(uniform.support)
    assert uniform.support.event_dim == 0
    assert not uniform.support.is_discrete
    assert not constraints.is_dependent(uniform(0.0, 1.0).support)
