"""Borders on plain arrays: against NumPy's, and their transposes."""

import numpy as np
import pytest

from autograd.kernels.borders import add_borders, with_borders

MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}
CASES = [
    ((5,), [(2, 3)]),
    ((2, 4), [(3, 3)]),
    ((2, 4), [(0, 0)]),
    ((2, 4, 5), [(3, 0), (1, 4)]),
    ((2, 1, 3, 4), [(0, 0), (2, 1), (0, 3)]),
    ((0, 4), [(1, 2)]),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("shape", "widths"), CASES, ids=str)
def test_borders_and_their_transpose(mode, shape, widths):
    numbers = np.random.default_rng(0)
    x = numbers.standard_normal(shape)
    out = with_borders(x, widths, mode)
    every = [(0, 0)] * (len(shape) - len(widths)) + widths
    np.testing.assert_array_equal(out, np.pad(x, every, MODES[mode]))
    g = numbers.standard_normal(out.shape)
    kept = g.copy()
    back = add_borders(g, widths, mode)
    assert back.shape == shape
    np.testing.assert_allclose((back * x).sum(), (out * g).sum(), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(g, kept)
