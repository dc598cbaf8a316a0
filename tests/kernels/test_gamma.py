"""How gamma and beta numbers move with their parameters, against integrals of many digits; the numbers themselves."""

import numpy as np
import pytest

from autograd.kernels import jit
from autograd.kernels.gamma import beta_gradient, gamma_gradient
from autograd.kernels.streams import MT19937Stream

mpmath = pytest.importorskip("mpmath")


def moved(distribution, density, parameter):
    """``-(dF/da) / f``, by differences of 40 digits."""
    with mpmath.workdps(40):
        return float(-mpmath.diff(distribution, mpmath.mpf(parameter)) / density)


@pytest.mark.parametrize("shape", [0.01, 0.3, 1.0, 2.5, 9.0, 60.0, 2000.0])
def test_gamma_numbers(shape):
    for quantile in (-3, -1, -0.1, 0, 0.2, 1, 3):
        # Roughly as many standard deviations from the mean.
        x = max(shape + quantile * shape**0.5, shape / 50)
        density = mpmath.exp(-x + (shape - 1) * mpmath.log(x) - mpmath.loggamma(shape))
        want = moved(lambda a: mpmath.gammainc(a, 0, mpmath.mpf(x), regularized=True), density, shape)
        got = gamma_gradient(np.array([shape]), np.array([x]))[0]
        assert got == pytest.approx(want, rel=1e-11), (shape, x)


@pytest.mark.parametrize(("a", "b"), [(0.1, 0.2), (1.0, 1.0), (2.5, 0.4), (7.0, 11.0), (300.0, 40.0)])
def test_beta_numbers(a, b):
    mean, spread = a / (a + b), (a * b / (a + b + 1)) ** 0.5 / (a + b)
    for quantile in (-2, -0.5, 0, 0.3, 1.5):
        x = min(max(mean + quantile * spread, 0.02), 0.98)
        density = mpmath.mpf(x) ** (a - 1) * (1 - mpmath.mpf(x)) ** (b - 1) / mpmath.beta(a, b)
        want = moved(lambda p: mpmath.betainc(p, b, 0, mpmath.mpf(x), regularized=True), density, a)
        got = beta_gradient(*(np.array([value]) for value in (x, a, a + b)))[0] * (1 - x)
        assert got == pytest.approx(want, rel=1e-11), (a, b, x)


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_stream_is_the_same(torch, dtype, mode):
    shapes = np.array([0.05, 0.5, 0.999, 1, 1.001, 2, 30, 5000, 0, 7] * 30, dtype)
    for seed in (0, 1, 12345):
        stream, generator = MT19937Stream(seed), torch.Generator().manual_seed(seed)
        theirs = torch._standard_gamma(torch.from_numpy(shapes), generator=generator).numpy()
        with jit.using(mode):
            ours = np.maximum(stream.gamma(shapes).astype(dtype), np.finfo(dtype).tiny)
        np.testing.assert_array_equal(ours, theirs)
        # A normal number may wait in the generator, and comes out next.
        np.testing.assert_array_equal(stream.normal(3, "float64"), torch.empty(3).double().normal_(generator=generator))


def test_moments():
    drawn = MT19937Stream(4).gamma(np.full(20_000, 2.5))
    assert drawn.mean() == pytest.approx(2.5, abs=0.05)
    assert drawn.var() == pytest.approx(2.5, abs=0.1)
    assert np.isnan(MT19937Stream(4).gamma(np.array([-1.0, np.nan]))).all()
