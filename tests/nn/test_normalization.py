"""Layers of normalization against PyTorch's: running statistics, modes, refusals, lazy and converted layers."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn

rng = np.random.default_rng(0)

# name, arguments, keywords, shape of an input
LAYERS = [
    ("BatchNorm1d", (4,), {}, (6, 4)),
    ("BatchNorm1d", (4,), {}, (6, 4, 3)),
    ("BatchNorm2d", (4,), {}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"eps": 0.1, "momentum": 0.7}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"momentum": None}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"momentum": 0.0}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"affine": False}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"bias": False}, (3, 4, 2, 3)),
    ("BatchNorm2d", (4,), {"track_running_stats": False}, (3, 4, 2, 3)),
    ("BatchNorm3d", (4,), {}, (3, 4, 2, 3, 2)),
    ("SyncBatchNorm", (4,), {}, (6, 4)),
    ("InstanceNorm1d", (4,), {}, (3, 4, 5)),
    ("InstanceNorm1d", (4,), {"affine": True}, (4, 5)),
    ("InstanceNorm2d", (4,), {"affine": True, "track_running_stats": True}, (3, 4, 2, 3)),
    ("InstanceNorm2d", (4,), {"affine": True, "bias": False}, (4, 2, 3)),
    ("InstanceNorm3d", (4,), {"track_running_stats": True, "momentum": 0.5}, (3, 4, 2, 3, 2)),
    ("LayerNorm", (4,), {}, (3, 4)),
    ("LayerNorm", ((3, 4),), {"bias": False}, (2, 3, 4)),
    ("LayerNorm", ([3, 4], 0.1), {"elementwise_affine": False}, (2, 3, 4)),
    ("RMSNorm", (4,), {}, (3, 4)),
    ("RMSNorm", ((3, 4),), {"eps": 0.1, "elementwise_affine": False}, (2, 3, 4)),
    ("GroupNorm", (2, 4), {}, (3, 4, 5)),
    ("GroupNorm", (1, 4), {"affine": False}, (3, 4)),
    ("GroupNorm", (4, 4), {"bias": False, "eps": 0.1}, (3, 4, 2, 2)),
    ("LocalResponseNorm", (3,), {"alpha": 0.5, "beta": 0.7, "k": 2.0}, (2, 4, 3)),
    ("LocalResponseNorm", (2,), {}, (2, 4, 3, 3)),
]
LAZY = [
    ("LazyBatchNorm1d", (), {}, (6, 4)),
    ("LazyBatchNorm2d", (0.1,), {"momentum": None, "bias": False}, (3, 4, 2, 3)),
    ("LazyBatchNorm3d", (), {"affine": False, "track_running_stats": False}, (3, 4, 2, 3, 2)),
    ("LazyInstanceNorm1d", (), {"affine": True}, (3, 4, 5)),
    ("LazyInstanceNorm2d", (), {}, (3, 4, 2, 3)),
    ("LazyInstanceNorm3d", (), {"affine": True, "track_running_stats": True}, (3, 4, 2, 3, 2)),
]


def steps(library, layer, shape, dtype):
    """Three batches in training and one in evaluation: everything that comes out."""
    numbers = np.random.default_rng(1)
    results = []
    for step in range(4):
        if step == 3:
            layer.eval()
        x = library.tensor(numbers.standard_normal(shape).astype(dtype) * 2 + 1, requires_grad=True)
        y = layer(x)
        for parameter in layer.parameters():
            parameter.grad = None
        y.backward(library.tensor(numbers.standard_normal(shape).astype(dtype)))
        results += [y.detach().numpy(), x.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())]
        results += [buffer.numpy().copy() for buffer in layer.buffers()]
        with autograd.no_grad():
            for number, parameter in enumerate(layer.parameters()):
                parameter.data = parameter.data * 1.5 + number
    return results


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "args", "kwargs", "shape"), LAYERS + LAZY, ids=str)
def test_layer_is_that_of_torch(torch, name, args, kwargs, shape, dtype):
    outcomes = []
    for library, modules in ((autograd, nn), (torch, torch.nn)):
        layer = getattr(modules, name)(
            *args, **kwargs, **({} if "Local" in name else {"dtype": getattr(library, dtype)})
        )
        facts = [repr(layer), list(layer.state_dict()), [n for n, _ in layer.named_parameters()]]
        results = steps(library, layer, shape, dtype)
        facts += [repr(layer), type(layer).__name__]
        outcomes.append((facts, results))
    assert outcomes[0][0] == outcomes[1][0]
    tolerance = 1e-9 if dtype == "float64" else 3e-4
    for mine, theirs in zip(outcomes[0][1], outcomes[1][1], strict=True):
        assert mine.dtype == theirs.dtype
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


REFUSED = {
    "2d of a matrix": lambda L: L.nn.BatchNorm2d(4)(L.zeros(6, 4)),
    "1d of images": lambda L: L.nn.BatchNorm1d(4)(L.zeros(6, 4, 2, 2)),
    "3d of images": lambda L: L.nn.BatchNorm3d(4)(L.zeros(6, 4, 2, 2)),
    "other channels": lambda L: L.nn.BatchNorm2d(4)(L.zeros(6, 3, 2, 2)),
    "one value per channel": lambda L: L.nn.BatchNorm1d(4)(L.zeros(1, 4)),
    "sync of a vector": lambda L: L.nn.SyncBatchNorm(4)(L.zeros(4)),
    "sync of no channels": lambda L: L.nn.SyncBatchNorm(4)(L.zeros(4, 0)),
    "instance of a matrix": lambda L: L.nn.InstanceNorm2d(4)(L.zeros(6, 4)),
    "instance of other channels": lambda L: L.nn.InstanceNorm1d(4, affine=True)(L.zeros(6, 3, 2)),
    "instance of one place": lambda L: L.nn.InstanceNorm1d(4)(L.zeros(6, 4, 1)),
    "groups": lambda L: L.nn.GroupNorm(3, 4),
    "groups of another number of channels": lambda L: L.nn.GroupNorm(3, 6)(L.zeros(2, 4, 3)),
    "groups of a vector": lambda L: L.nn.GroupNorm(2, 6)(L.zeros(6)),
    "layer of another shape": lambda L: L.nn.LayerNorm(4)(L.zeros(2, 3)),
    "layer of fewer dimensions": lambda L: L.nn.LayerNorm((3, 4))(L.zeros(4)),
    "rms of another shape": lambda L: L.nn.RMSNorm(4)(L.zeros(2, 3)),
    "layer of integers": lambda L: L.nn.LayerNorm(3)(L.zeros(2, 3, dtype=L.int64)),
    "layer of another dtype": lambda L: L.nn.LayerNorm(3)(L.zeros(2, 3, dtype=L.float64)),
    "responses of a matrix": lambda L: L.nn.LocalResponseNorm(3)(L.zeros(2, 3)),
    "responses of a window of none": lambda L: L.nn.LocalResponseNorm(0)(L.zeros(2, 3, 4)),
    "responses of three dimensions": lambda L: L.nn.CrossMapLRN2d(3)(L.zeros(2, 3, 4)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(torch, name):
    errors = []
    for library in (torch, autograd):
        with pytest.raises(Exception) as raised:
            REFUSED[name](library)
        errors.append(raised.type)
    assert errors[0] is errors[1]


def test_a_refused_batch_is_not_tracked_in_the_statistics():
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="more than 1 value"):
        layer(autograd.zeros(1, 3))
    assert layer.running_mean.tolist() == [0.0] * 3
    assert layer.running_var.tolist() == [1.0] * 3


def test_instance_norm_warns_of_another_number_of_channels():
    with pytest.warns(UserWarning, match="does not match num_features"):
        nn.InstanceNorm1d(4)(autograd.zeros(2, 3, 5))


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_windows_across_maps(torch, size):
    x = rng.standard_normal((2, 7, 3, 2))
    ours, theirs = (library.nn.CrossMapLRN2d(size, 0.5, 0.7, 2.0) for library in (autograd, torch))
    assert repr(ours) == repr(theirs)
    mine, other = ours(autograd.tensor(x)).numpy(), theirs(torch.tensor(x)).numpy()
    np.testing.assert_allclose(mine, other, rtol=1e-12)
    assert autograd.gradcheck(ours, (autograd.tensor(x, requires_grad=True),))


def test_conversion_to_synchronized():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Sequential(nn.BatchNorm1d(3, affine=False)))
    model.eval()
    before = model[1]
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(model, "group")
    assert converted is model
    assert [type(model[1]), type(model[2][0])] == [nn.SyncBatchNorm] * 2
    assert model[1].weight is before.weight
    assert model[1].running_var is before.running_var
    assert not model[1].training
    assert model[1].process_group == "group"
    assert type(nn.SyncBatchNorm.convert_sync_batchnorm(before)) is nn.SyncBatchNorm


def test_what_was_saved_before_batches_were_counted():
    layer = nn.BatchNorm1d(2)
    layer(autograd.randn(4, 2))
    state = dict(layer.state_dict())
    del state["num_batches_tracked"]
    fresh = nn.BatchNorm1d(2)
    assert str(fresh.load_state_dict(state)) == "<All keys matched successfully>"
    assert fresh.num_batches_tracked.item() == 0
    current = layer.state_dict()
    del current["num_batches_tracked"]
    with pytest.raises(RuntimeError, match=r'Missing key\(s\) in state_dict: "num_batches_tracked"'):
        fresh.load_state_dict(current)
    with pytest.raises(RuntimeError, match="Unexpected running stats"):
        nn.InstanceNorm1d(2).load_state_dict({"running_mean": autograd.zeros(2)})


def test_a_weight_saved_for_the_backward_pass_must_not_change():
    layer = nn.LayerNorm(3)
    x = autograd.randn(2, 3, requires_grad=True)
    y = layer(x)
    with autograd.no_grad():
        layer.weight.add_(1)
    with pytest.raises(RuntimeError, match="modified by an inplace operation|has been written"):
        y.sum().backward()
