"""Lazy layers: what an uninitialized parameter allows, how it gets its shape, saving and loading."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
from nn.lazy import LazyModuleMixin
from nn.parameter import UninitializedBuffer, UninitializedParameter, is_lazy

USES = {
    "shape": lambda L, p: p.shape,
    "size": lambda L, p: tuple(p.size()),
    "dtype": lambda L, p: p.dtype,
    "ndim of data": lambda L, p: p.data.ndim,
    "dim": lambda L, p: p.dim(),
    "numel": lambda L, p: p.numel(),
    "requires_grad": lambda L, p: p.requires_grad,
    "requires_grad_": lambda L, p: p.requires_grad_(True) if not p.requires_grad else p.fill_(1),
    "is_leaf": lambda L, p: p.is_leaf,
    "grad": lambda L, p: p.grad,
    "detach": lambda L, p: p.detach(),
    "clone": lambda L, p: p.clone(),
    "add": lambda L, p: p + 1,
    "radd": lambda L, p: 1 + p,
    "relu": lambda L, p: L.relu(p),
    "cat": lambda L, p: L.cat([p, p]),
    "index": lambda L, p: p[0],
    "fill_": lambda L, p: p.fill_(1),
    "zero_": lambda L, p: p.zero_(),
    "item": lambda L, p: p.item(),
    "len": lambda L, p: len(p),
    "type": lambda L, p: p.type(L.float64),
    "equal": lambda L, p: p == p,
    "share": lambda L, p: p.share_memory_(),
    "is_floating_point": lambda L, p: p.is_floating_point(),
    "is_complex": lambda L, p: p.is_complex(),
    "to": lambda L, p: p.to(L.float64).dtype,
    "half": lambda L, p: p.half().dtype,
    "to itself": lambda L, p: p.to("cpu") is p,
    "hash": lambda L, p: hash(p) == hash(p),
    "repr": lambda L, p: repr(p),
}


def made(library, kind, **kwargs):
    return getattr(library.nn.parameter, kind)(**kwargs)


@pytest.mark.parametrize("kind", ["UninitializedParameter", "UninitializedBuffer"])
@pytest.mark.parametrize("use", USES)
def test_what_is_allowed(torch, kind, use):
    results = []
    for library, modules in ((autograd, nn), (torch, torch.nn)):
        try:
            results.append(str(USES[use](library, getattr(modules.parameter, kind)())))
        except Exception as error:
            results.append(type(error))
    assert results[0] == results[1]


def test_materialize():
    weight = UninitializedParameter(dtype=autograd.float64)
    assert is_lazy(weight)
    weight.materialize((2, 3))
    assert type(weight) is nn.Parameter
    assert weight.shape == (2, 3)
    assert weight.dtype is autograd.float64
    (weight.fill_(2.0) if not weight.requires_grad else weight).sum().backward()
    assert weight.grad.tolist() == [[1.0] * 3] * 2
    buffer = UninitializedBuffer()
    buffer.materialize((4,), dtype=autograd.int64)
    assert type(buffer) is autograd.Tensor
    assert buffer.dtype is autograd.int64
    assert not is_lazy(buffer)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies(copied):
    parameter = copied(UninitializedParameter(False, dtype=autograd.float16))
    assert (type(parameter), parameter.requires_grad, parameter.dtype) == (
        UninitializedParameter,
        False,
        autograd.float16,
    )
    assert copied(UninitializedBuffer(persistent=False)).persistent is False
    layer = nn.LazyLinear(2)
    again = copied(layer)
    assert again(autograd.ones(1, 3)).shape == (1, 2)
    assert type(again) is nn.Linear
    assert not again._forward_pre_hooks
    assert type(layer) is nn.LazyLinear
    assert len(layer._forward_pre_hooks) == 1


LAYERS = [("LazyLinear", (3,), {}, (5, 4)), ("LazyLinear", (3, False), {}, (2, 5, 4))]


@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS, ids=str)
def test_lazy_layers(torch, name, args, kwargs, shape):
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    outputs = []
    for library, modules in ((autograd, nn), (torch, torch.nn)):
        library.manual_seed(0)
        layer = getattr(modules, name)(*args, **kwargs)
        assert layer.has_uninitialized_params()
        before = (repr(layer), list(layer.state_dict()), layer.cls_to_become.__name__)
        y = layer(library.tensor(x))
        assert type(layer) is getattr(modules, before[2])
        assert not hasattr(layer, "_initialize_hook")
        outputs.append((before, repr(layer), y.detach().numpy(), [p.detach().numpy() for p in layer.parameters()]))
    assert outputs[0][:2] == outputs[1][:2]
    np.testing.assert_allclose(outputs[0][2], outputs[1][2], rtol=1e-5, atol=1e-6)
    for mine, theirs in zip(outputs[0][3], outputs[1][3], strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_conversion_before_the_first_batch():
    layer = nn.LazyLinear(2).double()
    assert is_lazy(layer.weight)
    assert layer(autograd.ones(1, 3, dtype=autograd.float64)).dtype is autograd.float64


def test_saving_and_loading():
    lazy, ready = nn.LazyLinear(2), nn.Linear(3, 2)
    state = lazy.state_dict()
    assert [is_lazy(value) for value in state.values()] == [True, True]
    nn.LazyLinear(2).load_state_dict(state)
    with pytest.raises(RuntimeError, match="shape of an uninitialized"):
        ready.load_state_dict(state)
    with pytest.raises(RuntimeError, match="Missing"):
        lazy.load_state_dict({"weight": ready.weight.detach()})
    assert is_lazy(lazy.weight)
    lazy.load_state_dict(ready.state_dict())
    assert lazy.weight.tolist() == ready.weight.tolist()
    assert type(lazy) is nn.LazyLinear
    x = autograd.ones(1, 3)
    assert lazy(x).tolist() == ready(x).tolist()
    assert repr(lazy) == repr(ready)


def test_what_a_lazy_module_forgot():
    class Forgetful(LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = UninitializedParameter()

        def forward(self, x):
            return x * self.weight

    with pytest.raises(NotImplementedError, match="Forgetful"):
        Forgetful()(autograd.ones(2))
    Forgetful.initialize_parameters = lambda self, x: None
    with pytest.raises(RuntimeError, match="not been fully initialized"):
        Forgetful()(autograd.ones(2))
    Forgetful.initialize_parameters = lambda self, x: self.weight.materialize(x.shape)
    module = Forgetful()
    module(autograd.ones(2))
    assert type(module) is Forgetful
    assert module.weight.shape == (2,)
