"""L1 and L2 penalties: their gradients are those of the formulas."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim


def parameters():
    rng = np.random.default_rng(0)
    return [nn.Parameter(autograd.tensor(rng.standard_normal(shape))) for shape in ((3, 2), (4,), ())]


@pytest.mark.parametrize(
    ("penalty", "value", "gradient"),
    [
        (optim.l1_penalty, lambda w: 0.3 * abs(w).sum(), lambda w: 0.3 * np.sign(w)),
        (optim.l2_penalty, lambda w: 0.15 * (w**2).sum(), lambda w: 0.3 * w),
    ],
    ids=["l1", "l2"],
)
def test_values_and_gradients(penalty, value, gradient):
    given = parameters()
    result = penalty(iter(given), 0.3)
    result.backward()
    arrays = [w.detach().numpy() for w in given]
    assert result.item() == pytest.approx(sum(value(w) for w in arrays))
    for w, array in zip(given, arrays, strict=True):
        np.testing.assert_allclose(w.grad.numpy(), gradient(array))
    assert penalty(given[0], 0.3).item() == pytest.approx(value(arrays[0]))
    with pytest.raises(ValueError, match="no parameters"):
        penalty([], 0.3)


def test_complex_parameters():
    w = autograd.tensor([3 + 4j])
    assert optim.l1_penalty(w, 2.0).item() == pytest.approx(10.0)
    assert optim.l2_penalty(w, 2.0).item() == pytest.approx(25.0)


def test_l2_is_weight_decay():
    penalized, decayed = parameters(), parameters()
    optim.l2_penalty(penalized, 0.3).backward()
    for w in decayed:
        w.grad = autograd.zeros_like(w)
    optim.SGD(penalized, lr=0.5).step()
    optim.SGD(decayed, lr=0.5, weight_decay=0.3).step()
    for a, b in zip(penalized, decayed, strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy())


def test_l1_drives_weights_to_zero():
    w = nn.Parameter(autograd.tensor([0.05, -2.0]))
    optimizer = optim.SGD([w], lr=0.1)
    for _ in range(30):
        optimizer.zero_grad()
        (0.5 * ((w - autograd.tensor([0.2, -2.0])) ** 2).sum() + optim.l1_penalty(w, 0.5)).backward()
        optimizer.step()
    assert abs(w[0].item()) < 0.1
    assert w[1].item() == pytest.approx(-1.5, abs=0.05)
