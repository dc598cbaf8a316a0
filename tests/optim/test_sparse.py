"""Sparse gradients against PyTorch: only what has a gradient changes."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim

# PyTorch's word about checks of sparse tensors that are off by default.
pytestmark = pytest.mark.filterwarnings("ignore:Sparse invariant checks")

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "maximize": True, "initial_accumulator_value": 0.5}),
    ("SparseAdam", {"lr": 0.1, "betas": (0.5, 0.9)}),
    ("SparseAdam", {"lr": 0.1, "maximize": True, "eps": 0.1}),
]
# Which rows of a 6 x 2 parameter a step touches; some come twice.
ROWS = [[0, 3], [3, 3, 1], [5], [], [0, 1, 2, 3]]


def gradients(lib, dense=False):
    rng = np.random.default_rng(0)
    for rows in ROWS:
        values = lib.tensor(rng.standard_normal((len(rows), 2)).astype(np.float32))
        sparse = lib.sparse_coo_tensor(lib.tensor([rows], dtype=lib.long), values, (6, 2))
        yield sparse.to_dense() if dense else sparse


def start(lib):
    return lib.tensor(np.random.default_rng(1).standard_normal((6, 2)).astype(np.float32)).requires_grad_()


@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_steps(both, name, options):
    def program(lib):
        package = optim if lib is autograd else lib.optim
        w = start(lib)
        optimizer = getattr(package, name)([w], **options)
        seen = []
        for gradient in gradients(lib):
            w.grad = gradient
            optimizer.step()
            seen.append(w.detach().clone())
        state = {key: value for key, value in optimizer.state[w].items() if key != "momentum_buffer"}
        return seen, state

    both(program)


@pytest.mark.parametrize("options", [{"lr": 0.1}, {"lr": 0.1, "momentum": 0.9}], ids=str)
def test_sgd_on_sparse_gradients_is_that_on_dense_ones(options):
    results = []
    for dense in (False, True):
        w = start(autograd)
        optimizer = optim.SGD([w], **options)
        for gradient in gradients(autograd, dense):
            w.grad = gradient
            optimizer.step()
        results.append(w.detach().numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)


REFUSED = {
    "Adam": {},
    "AdamW": {},
    "NAdam": {},
    "RAdam": {},
    "Adamax": {},
    "Adadelta": {},
    "RMSprop": {},
    "Rprop": {},
    "ASGD": {},
    "Adafactor": {},
    "Muon": {},
    "SGD": {"weight_decay": 0.1},
    "Adagrad": {"weight_decay": 0.1},
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(both, name):
    def program(lib):
        package = optim if lib is autograd else lib.optim
        w = start(lib)
        w.grad = next(gradients(lib))
        getattr(package, name)([w], **REFUSED[name]).step()

    assert both(program)[:2] == ("raised", "RuntimeError")


def test_sparse_adam_refuses(both):
    def dense(lib):
        w = start(lib)
        w.grad = lib.ones(6, 2)
        (optim if lib is autograd else lib.optim).SparseAdam([w]).step()

    def complex_parameters(lib):
        (optim if lib is autograd else lib.optim).SparseAdam([lib.ones(2, dtype=lib.complex64, requires_grad=True)])

    assert both(dense)[:2] == ("raised", "RuntimeError")
    assert both(complex_parameters)[:2] == ("raised", "ValueError")


def test_an_embedding_learns_the_words_it_met():
    if "sparse" not in nn.Embedding.__init__.__code__.co_varnames:
        pytest.skip("embeddings have no sparse gradients")
    autograd.manual_seed(0)
    words = nn.Embedding(6, 2, sparse=True)
    before = words.weight.detach().clone()
    optimizer = optim.SparseAdam(words.parameters(), lr=0.1)
    words(autograd.tensor([1, 4, 1])).sum().backward()
    optimizer.step()
    changed = (words.weight.detach() != before).any(1).tolist()
    assert changed == [False, True, False, False, True, False]
