"""``nn.functional``: names, signatures, in-place activations."""

from __future__ import annotations

import inspect
import pickle

import pytest

import autograd
import nn
import nn.functional as F

# Those with more options than PyTorch's, and those that PyTorch hides behind ``*args``.
OTHER = {"layer_norm", "sigmoid", "tanh", "softsign", "tanhshrink"}


def parameters_of(function):
    try:
        found = inspect.signature(function).parameters.values()
    except ValueError:
        return None
    return [(p.name, p.kind, p.default) for p in found]


def test_signatures_are_those_of_torch(torch):
    compared = 0
    for name in sorted(set(F.__all__) & set(dir(torch.nn.functional)) - OTHER):
        expected = parameters_of(getattr(torch.nn.functional, name))
        if expected is None or expected[0][0] == "args":
            continue
        assert parameters_of(getattr(F, name)) == expected, name
        compared += 1
    assert compared > 70


@pytest.mark.parametrize("name", sorted(F._IN_PLACE))
def test_in_place_by_position_and_by_name(name):
    options = (0.5, 2.0) if name == "threshold" else tuple(F._IN_PLACE[name].values())
    expected = getattr(F, name)(autograd.tensor([-1.5, -0.2, 0.7]), *options)
    for args, kwargs in (((*options, True), {}), (options, {"inplace": True})):
        x = autograd.tensor([-1.5, -0.2, 0.7])
        assert getattr(F, name)(x, *args, **kwargs) is x
        assert x.tolist() == expected.tolist()


@pytest.mark.parametrize("activation", [F.relu, F.gelu, F.silu, autograd.tanh])
def test_a_layer_with_a_function_is_pickled(activation):
    layer = nn.TransformerEncoderLayer(4, 2, 8, activation=activation)
    copy = pickle.loads(pickle.dumps(layer))
    assert copy.activation is activation
