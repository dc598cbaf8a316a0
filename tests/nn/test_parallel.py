"""Models on several devices, of which there is one."""

from __future__ import annotations

from collections import namedtuple

import pytest

import autograd
import nn
from nn import parallel

Pair = namedtuple("Pair", ["x", "y"])
CPUS = ["cpu", "cpu"]


@pytest.mark.parametrize("kind", [nn.DataParallel, parallel.DistributedDataParallel])
def test_wrappers(kind):
    model = nn.Linear(3, 2)
    wrapped = kind(model)
    x = autograd.ones(4, 3)
    assert wrapped(x).tolist() == model(x).tolist()
    assert wrapped(input=x).tolist() == model(x).tolist()
    assert list(wrapped.state_dict()) == ["module.weight", "module.bias"]
    wrapped(x).sum().backward()
    assert model.weight.grad is not None
    state = wrapped.state_dict()
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert list(state) == ["weight", "bias"]
    assert list(state._metadata) == [""]
    nn.Linear(3, 2).load_state_dict(state)


def test_wrappers_as_in_torch(both):
    def program(L):
        L.manual_seed(0)
        model = L.nn.DataParallel(L.nn.Sequential(L.nn.Linear(3, 2), L.nn.BatchNorm1d(2)))
        return repr(model), model(L.ones(4, 3)), list(model.state_dict()), list(model.state_dict()._metadata)

    both(program)


def test_distributed_needs_something_to_train_and_can_wait():
    with pytest.raises(RuntimeError, match="not needed"):
        parallel.DistributedDataParallel(nn.ReLU())
    model = parallel.DistributedDataParallel(nn.Linear(1, 1), find_unused_parameters=True)
    with model.no_sync():
        assert not model.require_backward_grad_sync
    assert model.require_backward_grad_sync
    with pytest.raises((RuntimeError, AssertionError), match="(?i)cuda"):
        parallel.DistributedDataParallel(nn.Linear(1, 1), device_ids=["cuda:0"])


def test_pieces_and_back():
    x = autograd.arange(10.0).reshape(5, 2).requires_grad_()
    nested = (x, [x, "text"], {"key": x}, Pair(x, 3))
    first, second = parallel.scatter(nested, CPUS)
    assert [first[0].shape, second[0].shape] == [(3, 2), (2, 2)]
    assert first[1][1] == second[1][1] == "text"
    assert type(first[3]) is Pair
    assert second[3].y == 3
    joined = parallel.gather([first[0], second[0]], "cpu")
    assert joined.tolist() == x.tolist()
    joined.sum().backward()
    assert x.grad.tolist() == [[1.0, 1.0]] * 5
    back = parallel.gather([({"k": x[:2]}, Pair(x[:2], None)), ({"k": x[2:]}, Pair(x[2:], None))], "cpu")
    assert back[0]["k"].tolist() == back[1].x.tolist() == x.tolist()
    assert back[1].y is None
    assert parallel.gather([autograd.tensor(1.0), autograd.tensor(2.0)], "cpu").tolist() == [1.0, 2.0]
    assert [t.tolist() for t in parallel.scatter(autograd.ones(2, 4), CPUS, dim=1)] == [[[1.0] * 2] * 2] * 2
    with pytest.raises(ValueError, match="same number of keys"):
        parallel.gather([{"a": x}, {}], "cpu")
    positional, named = parallel.scatter_kwargs((x,), {"scale": 2}, CPUS)
    assert [len(positional), named] == [2, ({"scale": 2}, {"scale": 2})]


def test_replicas_share_their_parameters():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    replicas = parallel.replicate(model, CPUS)
    inputs = [autograd.ones(3, 2), autograd.zeros(3, 2)]
    outputs = parallel.parallel_apply(replicas, inputs, [{}, {}], CPUS)
    parallel.gather(outputs, "cpu").sum().backward()
    assert model[0].weight.grad is not None
    assert replicas[0][0].weight is model[0].weight
    detached = parallel.replicate(model, ["cpu"], detach=True)[0]
    assert not detached(inputs[0]).requires_grad
    assert not replicas[0][1]._modules
    with pytest.raises(RuntimeError, match="uninitialized"):
        parallel.replicate(nn.LazyLinear(2), CPUS)
    with pytest.raises(AssertionError, match="not equal"):
        parallel.parallel_apply(replicas, inputs[:1])
    with pytest.raises((RuntimeError, AssertionError), match="(?i)cuda"):
        parallel.replicate(model, ["cuda:0"])
    assert parallel.data_parallel(model.eval(), inputs[0], ["cpu"]).tolist() == model(inputs[0]).tolist()
