"""Scaled dot-product attention against PyTorch's, and against its formula where PyTorch has another."""

import math

import numpy as np
import pytest
from parity import agree, agree_with_gradients, refuse_alike

rng = np.random.default_rng(0)
Q, K, V = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((2, 3, 7, 4)), rng.standard_normal((2, 3, 7, 6))
SEEN = rng.random((5, 7)) < 0.6
BLIND = SEEN & (np.arange(5)[:, None] != 2)

CASES = {
    "plain": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v),
    "causal": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, is_causal=True),
    "scale": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, scale=0.3),
    "seen": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, L.of(SEEN)),
    "nothing seen": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, L.of(BLIND)),
    "added": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, L.of(SEEN * 2.0).to(q.dtype)),
    "minus infinity": lambda L, q, k, v: L.F.scaled_dot_product_attention(
        q, k, v, L.of(np.where(BLIND, 0.5, -np.inf)).to(q.dtype)
    ),
    "mask of examples": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, L.of(np.ones((2, 1, 5, 7)) > 0)),
    "one head": lambda L, q, k, v: L.F.scaled_dot_product_attention(q[0, 0], k[0, 0], v[0, 0]),
    "grouped heads": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k[:, :1], v[:, :1], enable_gqa=True),
    "broadcast": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k[:1], v[:1]),
    "no keys": lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k[:, :, :0], v[:, :, :0]),
    "no queries": lambda L, q, k, v: L.F.scaled_dot_product_attention(q[:, :, :0], k, v),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_attention(name, dtype, ours, theirs):
    arrays = [x.astype(dtype) for x in (Q, K, V)]
    twins = (lambda *t, L=library: CASES[name](L, *t) for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, arrays, *((1e-5, 1e-6) if dtype == "float32" else (1e-9, 1e-11)), name)


def test_a_mask_that_is_learned(ours, theirs):
    arrays = [Q, K, V, rng.standard_normal((3, 5, 7))]
    twins = (lambda *t, L=library: L.F.scaled_dot_product_attention(*t) for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, arrays, 1e-9, 1e-11)


def test_dropout_draws_pytorchs_mask(ours, theirs):
    outcomes = []
    for L in (ours, theirs):
        L.manual_seed(3)
        outcomes.append(L.F.scaled_dot_product_attention(L.of(Q), L.of(K), L.of(V), dropout_p=0.4))
    agree(*outcomes)


def test_second_derivatives(ours):
    from autograd.testing import gradcheck, gradgradcheck

    tensors = [ours.of(x[:1, :1], True) for x in (Q, K, V)]
    for name in ("causal", "nothing seen", "minus infinity"):
        assert gradcheck(lambda *t, name=name: CASES[name](ours, *t), tensors, fast_mode=True)
        assert gradgradcheck(lambda *t, name=name: CASES[name](ours, *t), tensors, fast_mode=True)


@pytest.mark.parametrize("name", CASES)
def test_compiled_at_any_size(name, ours, theirs):
    pytest.importorskip("numba")
    arrays = [x.astype("float32") for x in (Q, K, V)]
    twins = (lambda *t, L=library: CASES[name](L, *t) for library in (ours, theirs))
    with ours.autograd.jit.using("always"):
        agree_with_gradients(ours, theirs, *twins, arrays, 1e-5, 1e-6, name)


@pytest.mark.parametrize("name", ["plain", "causal", "scale", "grouped heads"])
def test_heads_side_by_side(name, ours, theirs):
    arrays = [rng.standard_normal((2, 150, 4, width)).astype("float32") for width in (24, 24, 40)]
    twins = (
        lambda *t, L=library: CASES[name](L, *(x.transpose(1, 2) for x in t)).transpose(1, 2)
        for library in (ours, theirs)
    )
    agree_with_gradients(ours, theirs, *twins, arrays, 1e-4, 1e-5, name)


@pytest.mark.parametrize("reading", ["never", "always"])
def test_nothing_as_large_as_the_scores_is_kept(reading, ours):
    if reading == "always":
        pytest.importorskip("numba")
    kept = []
    tensors = [ours.of(rng.standard_normal((2, 50, 4)), True) for _ in range(3)]
    with ours.autograd.jit.using(reading):
        with ours.autograd.graph.saved_tensors_hooks(lambda x: (kept.append(tuple(x.shape)), x)[1], lambda x: x):
            out = ours.F.scaled_dot_product_attention(*tensors, is_causal=True)
        out.sum().backward()
    assert sorted(kept) == [*[(2, 50)] * 2, *[(2, 50, 4)] * 4]


@pytest.mark.parametrize("wanted", [(0,), (1,), (2,), (0, 1, 2)])
@pytest.mark.parametrize("reading", ["never", "always"])
def test_second_derivatives_of_the_row(reading, wanted, ours):
    if reading == "always":
        pytest.importorskip("numba")
    from autograd.testing import gradcheck, gradgradcheck

    tensors = [ours.of(x[:1, :1], i in wanted) for i, x in enumerate((Q, K, V))]
    with ours.autograd.jit.using(reading):
        for name in ("plain", "causal"):
            assert gradcheck(lambda *t, name=name: CASES[name](ours, *t), tensors)
            assert gradgradcheck(lambda *t, name=name: CASES[name](ours, *t), tensors)


def test_it_is_the_formula(ours):
    scores = Q @ K.swapaxes(-1, -2) / math.sqrt(4)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    out = ours.F.scaled_dot_product_attention(*map(ours.of, (Q, K, V)))
    np.testing.assert_allclose(out.numpy(), weights @ V, rtol=1e-12)


REFUSED = {
    "vectors": lambda L: L.F.scaled_dot_product_attention(L.zeros(4), L.zeros(4), L.zeros(4)),
    "sizes": lambda L: L.F.scaled_dot_product_attention(L.zeros(5, 4), L.zeros(7, 3), L.zeros(7, 3)),
    "keys and values": lambda L: L.F.scaled_dot_product_attention(L.zeros(5, 4), L.zeros(7, 4), L.zeros(6, 4)),
    "dtypes": lambda L: L.F.scaled_dot_product_attention(L.zeros(5, 4), L.zeros(7, 4).double(), L.zeros(7, 4)),
    "mask and causal": lambda L: L.F.scaled_dot_product_attention(
        L.zeros(5, 4), L.zeros(7, 4), L.zeros(7, 4), L.zeros(5, 7), is_causal=True
    ),
    "mask of integers": lambda L: L.F.scaled_dot_product_attention(
        L.zeros(5, 4), L.zeros(7, 4), L.zeros(7, 4), L.zeros(5, 7).long()
    ),
    "mask shape": lambda L: L.F.scaled_dot_product_attention(
        L.zeros(5, 4), L.zeros(7, 4), L.zeros(7, 4), L.zeros(4, 7)
    ),
    "probability": lambda L: L.F.scaled_dot_product_attention(
        L.zeros(5, 4), L.zeros(7, 4), L.zeros(7, 4), dropout_p=1.5
    ),
    "groups": lambda L: L.F.scaled_dot_product_attention(
        L.zeros(8, 5, 4), L.zeros(3, 7, 4), L.zeros(3, 7, 4), enable_gqa=True
    ),
    "heads": lambda L: L.F.scaled_dot_product_attention(L.zeros(8, 5, 4), L.zeros(2, 7, 4), L.zeros(2, 7, 4)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, REFUSED[name])
