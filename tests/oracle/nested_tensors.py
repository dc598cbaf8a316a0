"""Nested tensors of both libraries, and what is compared of them."""

import re

import numpy as np

import nn.functional as F

LAYOUTS = ["strided", "jagged"]
SIZES = [(2, 3), (4, 3), (1, 3)]


def arrays(sizes=SIZES, seed=0):
    generator = np.random.default_rng(seed)
    return [generator.uniform(-2, 2, size) for size in sizes]


def make(L, layout, sizes=SIZES, seed=0, **options):
    return L.nested.nested_tensor([L.tensor(a) for a in arrays(sizes, seed)], layout=getattr(L, layout), **options)


def jag(L, **options):
    return make(L, "jagged", **options)


def heads(L, layout, seed=0):
    """(B, length, heads, size) with the heads in front of the ragged dimension."""
    return make(L, layout, [(2, 2, 4), (3, 2, 4)], seed).transpose(1, 2)


def holes(L):
    """A jagged tensor whose components do not fill the values."""
    values, offsets, lengths = np.arange(12.0).reshape(6, 2), np.array([0, 2, 3, 6]), np.array([1, 1, 2])
    return L.nested.nested_tensor_from_jagged(L.tensor(values), L.tensor(offsets), L.tensor(lengths))


def vector(L, *shape):
    return L.tensor(np.random.default_rng(5).uniform(-1, 1, shape))


def described(x):
    """A result as its kind and its components: nested tensors are told apart by their structure."""
    if isinstance(x, (tuple, list)):
        return [described(item) for item in x]
    if not getattr(x, "is_nested", False):
        return x
    kind = [str(x.layout), x.dim(), str(x.dtype), x.numel(), x.requires_grad]
    if str(x.layout) == "torch.jagged":
        kind += [re.sub(r"j\d+", "j", str(x.shape)), x._ragged_idx, x.is_contiguous(), x.offsets(), x.lengths()]
    return [*kind, list(x.unbind())]


def functional(L):
    return L.nn.functional if L.__name__ == "torch" else F
