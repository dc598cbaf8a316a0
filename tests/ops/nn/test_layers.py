"""Embedding, dropout and parametric activations against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike, twins

import autograd

rng = np.random.default_rng(0)


def test_embedding(ours, theirs, reading):
    weight = rng.standard_normal((5, 3))
    places = [
        np.array([0, 4, 4, 1]),
        np.array([[1, 1], [2, 0]]),
        np.array(3),
        np.zeros((0,), int),
        np.zeros((2, 0), int),
    ]
    for index, options in itertools.product(
        places, ({}, {"padding_idx": 1}, {"padding_idx": -1}, {"scale_grad_by_freq": True})
    ):
        expression = lambda L, w, index=index, options=options: L.F.embedding(L.of(index), w, **options)
        agree_with_gradients(
            ours, theirs, *twins(ours, theirs, expression), [weight], what=f"{index.tolist()} {options}"
        )
    int32 = lambda L, w: L.F.embedding(L.of(np.array([1, 2], np.int32)), w)
    agree_with_gradients(ours, theirs, *twins(ours, theirs, int32), [weight])


def test_embedding_max_norm(ours, theirs):
    for norm in (1.0, 2.0, float("inf")):
        weights = [library.of(np.arange(12.0).reshape(4, 3)) for library in (ours, theirs)]
        rows = [
            L.F.embedding(L.of([1, 3, 3]), w, max_norm=2.0, norm_type=norm) for L, w in zip((ours, theirs), weights)
        ]
        agree(*rows, 1e-6, 1e-6)
        agree(*weights, 1e-6, 1e-6)


def test_prelu(ours, theirs):
    for shape, count in (((2, 3, 4), 3), ((2, 3), 1), ((3,), 1), ((2, 3, 2, 2), 3)):
        arrays = [rng.standard_normal(shape), rng.uniform(0.1, 0.5, count)]
        agree_with_gradients(ours, theirs, *twins(ours, theirs, lambda L, x, w: L.F.prelu(x, w)), arrays)
        agree_with_gradients(ours, theirs, *twins(ours, theirs, lambda L, x, w: L.prelu(x, w)), arrays)


def test_dropout_draws_pytorchs_mask(torch, ours, theirs):
    for p in (0.1, 0.5, 0.9):
        for shape in ((7,), (40, 50)):
            results = []
            for library in (ours, theirs):
                library.manual_seed(3)
                x = library.ones(*shape, requires_grad=True)
                y = library.F.dropout(x, p)
                (y * y).sum().backward()
                results.append((y, x.grad))
            agree(results[0][0], results[1][0])
            agree(results[0][1], results[1][1], 1e-6, 1e-6)


def test_dropout_forms(ours, theirs):
    calls = [
        lambda L, x: L.F.dropout(x, 0.5, training=False),
        lambda L, x: L.F.dropout(x, 0.0),
        lambda L, x: L.F.dropout(x, 1.0),
        lambda L, x: L.dropout(x, 0.0, True),
        lambda L, x: L.F.dropout(x.clone(), 1.0, True, True),
    ]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [rng.standard_normal((3, 4))], what=f"call {i}")
    assert set(autograd.dropout(autograd.ones(1000), 0.5, True).tolist()) == {0.0, 2.0}


REFUSED = {
    "embedding range": (lambda L: L.F.embedding(L.of([4]), L.zeros(4, 2)), ["4", "[4, 2]"]),
    "embedding negative": (lambda L: L.F.embedding(L.of([-1]), L.zeros(4, 2)), ["embedding", "-1"]),
    "embedding floats": (lambda L: L.F.embedding(L.zeros(2), L.zeros(4, 2)), ["embedding", "float32"]),
    "embedding padding": (lambda L: L.F.embedding(L.of([0]), L.zeros(4, 2), padding_idx=4), ["4"]),
    "embedding weight": (lambda L: L.F.embedding(L.of([0]), L.zeros(4)), ["weight"]),
    "dropout": (lambda L: L.F.dropout(L.zeros(2), 1.5), ["1.5"]),
    "prelu": (lambda L: L.F.prelu(L.zeros(2, 3), L.zeros(2)), ["2", "3"]),
    "gelu": (lambda L: L.F.gelu(L.zeros(2), approximate="exact"), ["exact"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
