"""Hashes of tensors, against PyTorch."""

import numpy as np
import pytest

import autograd

DTYPES = ["bool", "uint8", "int8", "int32", "int64", "float16", "bfloat16", "float32", "float64"]

CALLS = {
    "all": lambda L, x: L.hash_tensor(x),
    "method": lambda L, x: x.hash_tensor(),
    "dim": lambda L, x: [L.hash_tensor(x, dim) for dim in (0, 1, -1, (0, 2), [1], [])],
    "keepdim": lambda L, x: [L.hash_tensor(x, 1, keepdim=True), L.hash_tensor(x, (0, 2), keepdim=True, mode=0)],
    "strides": lambda L, x: L.hash_tensor(x.mT[:, ::2], 1),
    "0-d": lambda L, x: L.hash_tensor(x[0, 0, 0]),
    "empty": lambda L, x: L.hash_tensor(x[:, :0], 0),
    "out": lambda L, x: L.hash_tensor(x, 0, out=L.empty(0, dtype=L.uint64)),
}


def numbers(L, dtype):
    return L.tensor(np.random.default_rng(0).integers(0, 100, (2, 3, 4))).to(getattr(L, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_hashes(both, name, dtype):
    both(lambda L: CALLS[name](L, numbers(L, dtype)))


def test_bits_of_special_numbers(both):
    both(lambda L: [L.hash_tensor(L.tensor(x)) for x in (-0.0, float("nan"), float("inf"), -1, 2**63 - 1)])


REFUSED = {
    "mode": lambda L: L.hash_tensor(L.ones(2), mode=1),
    "dim": lambda L: L.hash_tensor(L.ones(2), 1),
    "twice": lambda L: L.hash_tensor(L.ones(2, 2), (0, 0)),
    "no elements": lambda L: L.hash_tensor(L.ones(0)),
    "no elements along it": lambda L: L.hash_tensor(L.ones(2, 0), 1),
    "complex": lambda L: L.hash_tensor(L.ones(2, dtype=L.complex64)),
    "unsigned": lambda L: L.hash_tensor(L.ones(2, dtype=L.uint64)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert both(REFUSED[name])[0] == "raised"


def test_batches():
    x = autograd.arange(6).reshape(2, 3)
    assert autograd.vmap(autograd.hash_tensor)(x).tolist() == autograd.hash_tensor(x, 1).tolist()
