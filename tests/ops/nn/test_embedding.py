"""Rows of a table and their bags: values, dense and sparse gradients, refusals, against PyTorch."""

import numpy as np
import pytest
from parity import agree, agree_with_gradients, refuse_alike

TABLE = np.random.default_rng(0).standard_normal((6, 3))
FLAT, OFFSETS = np.array([1, 2, 4, 5, 4, 3, 2, 1]), np.array([0, 0, 3, 8])
SQUARE = np.array([[1, 2, 2], [5, 0, 1]])
FACTORS = np.random.default_rng(1).uniform(0.5, 2, 8)

BAGS = {
    "rows of a matrix": (SQUARE, None, {}),
    "offsets": (FLAT, OFFSETS, {}),
    "offsets, last": (FLAT, OFFSETS, {"include_last_offset": True}),
    "padding": (FLAT, OFFSETS, {"padding_idx": 4}),
    "padding from the end": (SQUARE, None, {"padding_idx": -5}),
    "only padding": (np.array([[2, 2]]), None, {"padding_idx": 2}),
    "short numbers": (FLAT.astype(np.int32), OFFSETS.astype(np.int32), {}),
    "nothing": (FLAT[:0], OFFSETS[:2], {}),
    "no bags": (SQUARE[:0], None, {}),
}


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("case", BAGS.values(), ids=BAGS)
def test_bags(case, mode, ours, theirs):
    indices, offsets, options = case

    def of(L):
        where = None if offsets is None else L.of(offsets if offsets.size < 3 else np.minimum(offsets, len(indices)))
        return lambda table: L.F.embedding_bag(L.of(indices), table, where, mode=mode, **options)

    agree_with_gradients(ours, theirs, of(ours), of(theirs), [TABLE])


def test_factors_and_frequency(ours, theirs):
    def weighted(L):
        return lambda table, factors: L.F.embedding_bag(
            L.of(FLAT), table, L.of(OFFSETS), mode="sum", per_sample_weights=factors, padding_idx=1
        )

    agree_with_gradients(ours, theirs, weighted(ours), weighted(theirs), [TABLE, FACTORS])
    for mode in ("sum", "mean"):

        def scaled(L, mode=mode):
            # Of bags PyTorch looks up the frequency of another row, unless all are equally frequent.
            equally = L.of(np.array([[0, 1, 2], [2, 0, 1]]))
            return lambda table: L.F.embedding_bag(equally, table, mode=mode, scale_grad_by_freq=True)

        agree_with_gradients(ours, theirs, scaled(ours), scaled(theirs), [TABLE])


def test_long_rows_are_scaled_down_in_place(ours, theirs):
    results = []
    for L in (ours, theirs):
        table = L.of(TABLE * 3)
        results.append([L.F.embedding_bag(L.of(SQUARE), table, max_norm=1.5), table])
    agree(*results)


def test_derivatives(ours):
    from autograd.testing import gradcheck, gradgradcheck

    table, factors = ours.of(TABLE, True), ours.of(FACTORS, True)
    for mode in ("sum", "mean", "max"):
        bag = lambda table, mode=mode: ours.F.embedding_bag(ours.of(SQUARE), table, mode=mode) ** 2
        assert gradcheck(bag, table)
        assert gradgradcheck(bag, table)
    weighted = lambda table, factors: ours.F.embedding_bag(
        ours.of(FLAT), table, ours.of(OFFSETS), mode="sum", per_sample_weights=factors
    )
    assert gradcheck(weighted, (table, factors))
    assert gradgradcheck(weighted, (table, factors))


LOOKUPS = {
    "plain": lambda L, w: L.F.embedding(L.of(SQUARE), w, sparse=True),
    "padding": lambda L, w: L.F.embedding(L.of(SQUARE), w, padding_idx=2, sparse=True),
    "bag": lambda L, w: L.F.embedding_bag(L.of(SQUARE), w, mode="sum", sparse=True),
    "mean": lambda L, w: L.F.embedding_bag(L.of(FLAT), w, L.of(OFFSETS), sparse=True),
    "scaled table": lambda L, w: L.F.embedding(L.of(SQUARE), w * 2, sparse=True),
    "twice": lambda L, w: L.F.embedding(L.of(SQUARE), w, sparse=True) * L.F.embedding(L.of(SQUARE + 0), w, sparse=True),
    "the gradient goes elsewhere too": lambda L, w: L.F.embedding(L.of(SQUARE), w, sparse=True) + w[:3].detach(),
}


@pytest.mark.parametrize("lookup", LOOKUPS.values(), ids=LOOKUPS)
def test_sparse_gradients(lookup, ours, theirs):
    """Two passes add up; the gradient is sparse, of the same rows."""
    results = []
    for L in (ours, theirs):
        table = L.of(TABLE, True)
        for _ in range(2):
            (lookup(L, table) ** 2).sum().backward()
        gradient = table.grad
        results.append([gradient.is_sparse, tuple(gradient.shape), gradient.to_dense()])
        results[-1] += [gradient.coalesce().indices(), gradient.coalesce().values()]
    agree(*results)
    assert results[0][0]


def test_a_sparse_gradient_is_its_own(ours):
    """What shares the gradient with it does not see what is written to it."""
    table, other = ours.of(TABLE, True), ours.of(np.zeros((2, 3, 3)), True)
    (ours.F.embedding(ours.of(SQUARE), table, sparse=True) + other).backward(ours.of(np.ones((2, 3, 3))))
    table.grad.mul_(0)
    table.grad._values().fill_(7)
    assert other.grad.unique().tolist() == [1.0]


def test_hooks_and_grad_see_sparse_gradients(ours):
    import autograd

    table = ours.of(TABLE, True)
    seen = []
    table.register_hook(seen.append)
    (gradient,) = autograd.grad(ours.F.embedding(ours.of(SQUARE), table, sparse=True).sum(), table)
    assert gradient.is_sparse
    assert seen[0] is gradient


REFUSED = {
    "offsets of a matrix": (lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE), L.of(OFFSETS)), ["2D"]),
    "no offsets": (lambda L: L.F.embedding_bag(L.of(FLAT), L.of(TABLE)), ["None"]),
    "dimensions of offsets": (lambda L: L.F.embedding_bag(L.of(FLAT), L.of(TABLE), L.of(SQUARE)), ["1D"]),
    "dimensions": (lambda L: L.F.embedding_bag(L.of(SQUARE[None]), L.of(TABLE)), ["3"]),
    "dimensions of weight": (lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE[0])), ["1"]),
    "mode": (lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE), mode="min"), ["mode"]),
    "max by frequency": (
        lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE), mode="max", scale_grad_by_freq=True),
        ["frequency"],
    ),
    "sparse max": (lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE), mode="max", sparse=True), ["sparse"]),
    "factors of a mean": (
        lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE), per_sample_weights=L.of(TABLE[:2])),
        ["mean"],
    ),
    "shape of factors": (
        lambda L: L.F.embedding_bag(L.of(SQUARE), L.of(TABLE), mode="sum", per_sample_weights=L.of(TABLE)),
        ["same shape"],
    ),
    "first offset": (lambda L: L.F.embedding_bag(L.of(FLAT), L.of(TABLE), L.of(OFFSETS + 1)), ["offsets[0]"]),
    "last offset": (lambda L: L.F.embedding_bag(L.of(FLAT), L.of(TABLE), L.of(OFFSETS * 2)), ["8"]),
    "sparse by frequency": (
        lambda L: L.F.embedding(L.of(SQUARE), L.of(TABLE, True), scale_grad_by_freq=True, sparse=True).sum().backward(),
        ["scale_grad_by_freq"],
    ),
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
def test_refusals(bad, ours, theirs):
    refuse_alike(ours, theirs, *bad)


LAYERS = [
    ("Embedding", {}),
    ("Embedding", {"padding_idx": -1, "sparse": True, "max_norm": 1.0, "norm_type": 1.0}),
    ("EmbeddingBag", {}),
    ("EmbeddingBag", {"mode": "sum", "padding_idx": 0, "sparse": True}),
    ("EmbeddingBag", {"mode": "max", "max_norm": 1.0, "norm_type": 1.0, "padding_idx": -1}),
    ("EmbeddingBag", {"include_last_offset": True}),
]


@pytest.mark.parametrize(("name", "options"), LAYERS)
def test_layers(name, options, ours, theirs):
    import nn as our_nn

    results = []
    for L, their_nn in ((ours, our_nn), (theirs, pytest.importorskip("torch").nn)):
        L.manual_seed(3)
        layer = getattr(their_nn, name)(6, 3, **options)
        out = layer(L.of(SQUARE))
        out.sum().backward()
        gradient = layer.weight.grad
        results.append([repr(layer), list(layer.state_dict()), out, layer.weight, gradient.is_sparse])
        results[-1].append(gradient.to_dense())
        table = getattr(their_nn, name).from_pretrained(L.of(TABLE), **options)
        results[-1] += [repr(table), table.weight.requires_grad, table(L.of(SQUARE))]
    agree(*results)
