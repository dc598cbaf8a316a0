"""One formula in its readings: NumPy, compiled loops, Tensors that record."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import jit
from autograd.rows.table import _
from optim.rule import BLOCK, Rule


@Rule
def momentum(g, theta, b, last, *, lr, kept, maximize, remembers):
    if maximize:
        g = -g
    step = g
    if remembers:
        b = kept * b + g
        step = _.maximum(b, last)
        last = step
    scale = 2.0 if maximize else 0.5
    return theta - lr * scale * step, b, last


def by_hand(g, theta, b, last, lr, kept, maximize, remembers):
    g = -g if maximize else g
    step = g
    if remembers:
        b = kept * b + g
        step = last = np.maximum(b, last)
    return theta - lr * (2.0 if maximize else 0.5) * step, b, last


def arrays(shape, dtype, count=4):
    rng = np.random.default_rng(0)
    drawn = [rng.standard_normal(shape) for _ in range(2 * count)]
    pairs = [(a + 1j * b) if dtype[0] == "c" else a for a, b in zip(drawn[::2], drawn[1::2], strict=True)]
    return [np.asarray(array).astype(dtype) for array in pairs]


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (BLOCK + 7,)], ids=str)
@pytest.mark.parametrize("maximize", [False, True])
@pytest.mark.parametrize("remembers", [False, True])
def test_readings_agree(mode, dtype, shape, maximize, remembers):
    options = {"lr": 0.25, "kept": 0.5, "maximize": maximize, "remembers": remembers}
    g, *written = arrays(shape, dtype)
    expected = by_hand(g, *written, **options)
    tensors = [autograd.tensor(array) for array in written]
    given = [[tensor] for tensor in tensors] if remembers else [tensors[:1], None, None]
    with jit.using(mode), autograd.no_grad():
        momentum([autograd.tensor(g)], given, **options)
    for tensor, array, before in zip(tensors, expected, written, strict=True):
        array = array if remembers or tensor is tensors[0] else before
        assert str(tensor.numpy().dtype) == dtype
        np.testing.assert_allclose(tensor.numpy(), array, rtol=4e-3 if dtype == "float16" else 1e-6, atol=1e-3)


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("orders", ["CF", "FC", "FF"])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_any_order_in_memory(mode, orders, dtype):
    g, theta, b, last = arrays((30, 7), dtype)
    options = {"lr": 0.25, "kept": 0.5, "maximize": True, "remembers": False}
    expected = by_hand(g, theta, b, last, **options)[0]
    gradient, param = autograd.tensor(g), autograd.tensor(theta)
    gradient._array, param._array = (np.array(a, order=o) for a, o in zip((g, theta), orders, strict=True))
    with jit.using(mode), autograd.no_grad():
        momentum([gradient], [[param], None, None], **options)
    np.testing.assert_allclose(param.numpy(), expected, rtol=1e-6)
    np.testing.assert_array_equal(gradient.numpy(), g)


def test_recorded_updates_pass_gradients():
    def update(g, theta, b):
        theta, b, last = theta.clone(), b.clone(), autograd.zeros(3, dtype=autograd.float64)
        momentum([g], [[theta], [b], [last]], lr=0.25, kept=0.5, maximize=False, remembers=True)
        return theta, b

    inputs = [autograd.tensor(a).requires_grad_() for a in arrays((3,), "float64", 3)]
    assert autograd.gradcheck(update, inputs)


def test_a_write_is_counted_and_overflow_is_silent():
    theta, g = autograd.full((2,), 1e38), autograd.full((2,), -1e38)
    version = theta._version
    with autograd.no_grad():
        momentum([g], [[theta], None, None], lr=1e3, kept=0.0, maximize=False, remembers=False)
    assert theta._version > version
    assert np.isinf(theta.numpy()).all()
