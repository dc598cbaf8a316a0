"""ReLU of many elements: what it keeps is a bit for each, and everything else is as it is for few."""

import weakref

import numpy as np
import pytest

import autograd
from autograd.rows.shortcuts import KEPT_LESS
from autograd.rows.table import TABLE
from nn import functional as F

pytest.importorskip("numba")
torch = pytest.importorskip("torch")

MANY = (KEPT_LESS // 128 + 1, 128)


def numbers(dtype=np.float32, shape=MANY):
    values = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    values.flat[:6] = np.nan, 0.0, -0.0, np.inf, -np.inf, np.finfo(dtype).smallest_subnormal
    return values


def rectified(x):
    """ReLU, and the row behind it."""
    y = F.relu(x)
    return y, y.grad_fn and y.grad_fn.plan.row


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_values_and_gradients(dtype):
    array, g = numbers(dtype), numbers(dtype)[::-1].copy()
    found = []
    for library in (autograd, torch):
        x = library.tensor(array, requires_grad=True)
        y = library.relu(x)
        assert type(y.grad_fn).__name__ == "ReluBackward0"
        y.backward(library.tensor(g))
        found.append((y.detach().numpy(), x.grad.numpy()))
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_bit_for_each_element():
    x = autograd.tensor(numbers(), requires_grad=True)
    y, row = rectified(x)
    assert row is TABLE["relu_of_many"]
    (bits,) = y.grad_fn.saved
    assert bits.nbytes == x.numel() // 8
    total, output = y.sum(), weakref.ref(y._array)
    del y
    assert output() is None, "nobody needs the output"
    total.backward()
    assert x.grad.sum() == (~(x.detach() <= 0)).sum()


def test_gradients_of_gradients():
    x = autograd.tensor(numbers()[1:], requires_grad=True)
    y = rectified(x)[0]
    (g,) = autograd.grad((y * y * x).nansum(), x, create_graph=True)
    (h,) = autograd.grad(g[10:].sum(), x)
    np.testing.assert_allclose(h[10:].numpy(), np.where(x[10:] > 0, 6 * x[10:].detach().numpy(), 0), 1e-6)


def test_who_looks_sees_relu():
    """Few elements, other layouts and dtypes, hooks, tangents and examples: there the output is kept, as in PyTorch."""
    x = autograd.tensor(numbers(), requires_grad=True)
    plain = TABLE["relu"]
    for other in (x[:4], x.t(), x.half(), x.bfloat16()):
        assert rectified(other)[1] is plain
    with autograd.no_grad():
        assert rectified(x)[1] is None
    seen = []
    with autograd.graph.saved_tensors_hooks(lambda t: seen.append(t.shape) or t, lambda t: t):
        assert rectified(x)[1] is plain
    assert seen == [x.shape]
    with autograd.detect_anomaly():
        assert rectified(x)[1] is plain
    primal, tangent = x.detach(), autograd.ones_like(x)
    value, slope = autograd.func.jvp(F.relu, (primal,), (tangent,))
    np.testing.assert_array_equal(slope.numpy(), np.where(primal.numpy() <= 0, 0, 1))
    np.testing.assert_array_equal(autograd.vmap(F.relu)(primal).numpy(), value.numpy())
    loops = autograd.vmap(autograd.func.grad(lambda row: F.relu(row).sum()))(primal)
    np.testing.assert_array_equal(loops.numpy(), slope.numpy())
