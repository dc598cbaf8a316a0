"""Masked tensors in our library and in PyTorch: made of the same arrays, and compared."""

import numpy as np
from parity import agree

MASK = np.array([[True, False, True], [False, False, True]])
OTHER_MASK = np.array([[True, True, False], [True, False, True]])
NUMBERS = np.array([[0.1, 0.2, 0.3], [0.4, np.nan, 0.6]])
CONDITION = np.array([[True, True, False], [False, True, False]])


def masked(L, numbers=NUMBERS, mask=MASK, requires_grad=False):
    return L.masked.masked_tensor(L.of(numbers), L.of(mask), requires_grad)


def described(x):
    """A tensor as what is comparable of it: kind, layout, size, mask, and the elements that count."""
    if isinstance(x, (tuple, list)):
        return [described(item) for item in x]
    if type(x).__name__ != "MaskedTensor":
        return x
    dense = x.detach().to_dense()
    facts = [type(x).__name__, str(x.layout), tuple(x.shape), str(x.dtype), repr(x)]
    return [*facts, dense.get_mask(), dense.get_data().masked_fill(dense.get_mask().logical_not(), 0)]


def agree_masked(mine, other, what=""):
    agree(described(mine), described(other), what=what)


def weighted(L, y):
    """A number that depends on every element that counts, with a weight of its own."""
    if y.layout is not L.strided:
        y = y.to_dense()
    return (y * L.of(np.arange(1.0, y.numel() + 1).reshape(tuple(y.shape)))).sum() if y.ndim else y * 3
