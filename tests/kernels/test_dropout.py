"""Dropout's product: the compiled reading is NumPy's, in every layout, and for what is not finite."""

import numpy as np
import pytest

from autograd.kernels import jit
from autograd.kernels.dropout import Bits, masked_scale


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("mask_shape", [(4, 6, 10, 5), (4, 6, 1, 1), ()])
def test_agrees_with_numpy(dtype, mask_shape):
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 6, 10, 5)).astype(dtype)
    x.flat[:6] = np.inf, -np.inf, np.nan, -0.0, np.finfo(dtype).max, np.finfo(dtype).min
    mask = np.asarray(rng.random(mask_shape) < 0.5)
    for each in (x, np.asfortranarray(x), x[:, ::2].repeat(2, 1)):
        with jit.using("always"), np.errstate(all="ignore"):
            found = masked_scale(each, mask, dtype(1.25))
            want = each * mask * dtype(1.25)
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, want)
        np.testing.assert_array_equal(np.signbit(found), np.signbit(want))
        if dtype != np.float16:
            assert found.strides == each.strides


@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (8,), (3, 5), (2, 3, 4, 5)])
def test_bits(shape):
    """The mask as it was, in its order in memory, in an eighth of it."""
    mask = np.random.default_rng(0).random(shape) < 0.5
    for each in (mask, np.asfortranarray(mask), np.moveaxis(mask, -1, 0) if mask.ndim > 1 else mask):
        bits = Bits(each)
        assert np.array_equal(bits.array(), each)
        assert bits.array().strides == each.strides
        assert bits.bits.nbytes == -(-each.size // 8)


def test_a_mask_may_be_bits():
    mask = np.random.default_rng(0).random((4, 300)) < 0.5
    x = np.random.default_rng(1).standard_normal(mask.shape).astype("float32")
    for mode in ("never", "always"):
        with jit.using(mode):
            np.testing.assert_array_equal(masked_scale(x, Bits(mask), 2), masked_scale(x, mask, 2))
