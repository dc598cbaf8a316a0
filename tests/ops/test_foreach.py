"""Operators on lists of tensors: what PyTorch's give, in and out of place."""

import numpy as np
import pytest
from parity import agree, refuse_alike

import autograd
from autograd import foreach

X = [np.linspace(0.1, 0.9, 6).reshape(2, 3), np.linspace(0.2, 0.8, 4)]
Y = [np.linspace(1.0, 2.0, 6).reshape(2, 3), np.linspace(-1.0, 1.5, 4) + 0.1]
Z = [np.full((2, 3), 0.3), np.full(4, 0.7)]


def lists(L):
    return [[L.of(each.copy()) for each in arrays] for arrays in (X, Y, Z)]


CASES = {
    **{name: [lambda x, y, z: ()] for name in foreach.UNARY},
    **{name: [lambda x, y, z: (y,), lambda x, y, z: (0.5,), lambda x, y, z: ([0.5, 2.0],)] for name in foreach.BINARY},
    "addcmul": [lambda x, y, z: (y, z), lambda x, y, z: (y, z, 0.5), lambda x, y, z: (y, z, [0.5, 2.0])],
    "addcdiv": [lambda x, y, z: (y, z), lambda x, y, z: (y, z, 0.5), lambda x, y, z: (y, z, [0.5, 2.0])],
    "lerp": [lambda x, y, z: (y, z), lambda x, y, z: (y, 0.25)],
}


@pytest.mark.parametrize("name", CASES)
def test_like_pytorch(name, ours, theirs):
    for arguments in CASES[name]:
        results = []
        for L in (ours, theirs):
            x, y, z = lists(L)
            results.append([*getattr(L, f"_foreach_{name}")(x, *arguments(x, y, z))])
            if name != "clone":
                returned = getattr(L, f"_foreach_{name}_")(x, *arguments(x, y, z))
                results[-1] += [returned is x, *x]
        agree(*results)


OTHERS = {
    "alpha": lambda L, x, y, z: (L._foreach_add(x, y, alpha=-2), L._foreach_add_(x, y, alpha=2), x),
    "alpha of sub": lambda L, x, y, z: L._foreach_sub(x, y, alpha=3),
    "value": lambda L, x, y, z: L._foreach_addcmul(x, y, z, value=3.0),
    "factors in a tensor": lambda L, x, y, z: L._foreach_addcdiv(x, y, z, L.of(np.array([1.0, 2.0]))),
    "one tensor": lambda L, x, y, z: (L._foreach_mul(x, L.of(np.array(2.0))), L._foreach_div(x, L.of(np.array(2.0)))),
    "power of a number": lambda L, x, y, z: L._foreach_pow(2.0, x),
    "norm": lambda L, x, y, z: (L._foreach_norm(x), L._foreach_norm(x, 1), L._foreach_norm(x, float("inf"))),
    "norm dtype": lambda L, x, y, z: L._foreach_norm([each.float() for each in x], dtype=L.float64),
    "powsum": lambda L, x, y, z: L._foreach_powsum(x, 3),
    "max": lambda L, x, y, z: L._foreach_max(x),
    "copy_": lambda L, x, y, z: (L._foreach_copy_(x, y), x)[1],
    "zero_": lambda L, x, y, z: (L._foreach_zero_(x), x)[1],
    "mm": lambda L, x, y, z: L._foreach_mm(x[:1], [y[0].t()]),
}  # fmt: skip


@pytest.mark.parametrize("call", OTHERS.values(), ids=OTHERS)
def test_arguments(call, ours, theirs):
    flat = [list(_flat(call(L, *lists(L)))) for L in (ours, theirs)]
    agree(*flat)


def _flat(value):
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _flat(each)
    elif value is not None:
        yield value


def test_gradients_flow(ours, theirs):
    results = []
    for L in (ours, theirs):
        x = [L.of(each, True) for each in X]
        sum(each.sum() for each in L._foreach_mul(L._foreach_exp(x), 2.0)).backward()
        results.append([each.grad for each in x])
    agree(*results)


def test_every_name_of_pytorch_s_is_here(torch):
    names = {name for name in dir(torch) if name.startswith("_foreach_")}
    assert names == set(foreach.__all__)
    assert all(callable(getattr(autograd, name)) for name in names)


@pytest.mark.parametrize(
    "bad",
    [
        lambda L: L._foreach_add([], []),
        lambda L: L._foreach_add(lists(L)[0], lists(L)[1][:1]),
        lambda L: L._foreach_mul(lists(L)[0], [1.0]),
        lambda L: L._foreach_exp(lists(L)[0][0]),
    ],
)
def test_refusals(bad, ours, theirs):
    refuse_alike(ours, theirs, bad)
