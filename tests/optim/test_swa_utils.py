"""Averages of weights against PyTorch's."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
import nn
import optim
from optim import swa_utils


def libraries(torch):
    return {"ours": (autograd, nn, optim), "theirs": (torch, torch.nn, torch.optim)}


AVERAGES = {
    "mean": lambda swa: {},
    "mean by a function": lambda swa: {"avg_fn": swa.get_swa_avg_fn()},
    "mean of lists": lambda swa: {"multi_avg_fn": swa.get_swa_multi_avg_fn()},
    "exponential": lambda swa: {"avg_fn": swa.get_ema_avg_fn(0.7)},
    "exponential of lists": lambda swa: {"multi_avg_fn": swa.get_ema_multi_avg_fn(0.7)},
    "own": lambda swa: {"avg_fn": lambda averaged, new, n: averaged * 0.5 + new * 0.25 + n},
}


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("case", AVERAGES)
def test_averaged_models(torch, case, use_buffers):
    states = {}
    for key, (lib, layers, package) in libraries(torch).items():
        rng = np.random.default_rng(0)
        model = layers.Sequential(layers.Linear(3, 4), layers.Linear(4, 4))
        model.register_buffer("scale", lib.ones(4))
        averaged = package.swa_utils.AveragedModel(model, use_buffers=use_buffers, **AVERAGES[case](package.swa_utils))
        for _ in range(5):
            with lib.no_grad():
                for tensor in (*model.parameters(), *model.buffers()):
                    drawn = np.asarray(rng.standard_normal(tuple(tensor.shape)) * 10)
                    tensor.copy_(lib.tensor(drawn).to(tensor.dtype))
            averaged.update_parameters(model)
        assert averaged(lib.zeros(2, 3)).shape == (2, 4)
        states[key] = {name: value.detach().numpy() for name, value in averaged.state_dict().items()}
    assert states["ours"].keys() == states["theirs"].keys()
    assert states["ours"]["n_averaged"] == 5
    for name, value in states["theirs"].items():
        np.testing.assert_allclose(states["ours"][name], value, rtol=1e-5, atol=1e-5, err_msg=name)


def test_buffers_of_integers_are_averaged_too():
    model = nn.BatchNorm1d(2)
    averaged = swa_utils.AveragedModel(model, use_buffers=True)
    for n in (2, 4):
        model.num_batches_tracked.fill_(n)
        averaged.update_parameters(model)
    assert averaged.module.num_batches_tracked.item() == 3


def test_the_model_is_copied_and_can_be_saved():
    model = nn.Linear(2, 1)
    averaged = swa_utils.AveragedModel(model, device="cpu")
    averaged.update_parameters(model)
    with autograd.no_grad():
        model.weight.zero_()
    assert averaged.module.weight.abs().sum() > 0
    other = swa_utils.AveragedModel(model)
    other.load_state_dict(averaged.state_dict())
    assert other.n_averaged == 1


def test_errors():
    with pytest.raises(AssertionError, match="Only one"):
        swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=lambda *_: None, multi_avg_fn=lambda *_: None)
    for make in (swa_utils.get_ema_avg_fn, swa_utils.get_ema_multi_avg_fn):
        with pytest.raises(ValueError, match="Invalid decay"):
            make(1.5)


@pytest.mark.parametrize("pairs", [False, True])
def test_update_bn(torch, pairs):
    statistics = {}
    for key, (lib, layers, package) in libraries(torch).items():
        rng = np.random.default_rng(0)
        model = layers.Sequential(layers.BatchNorm1d(3, momentum=0.3), layers.ReLU(), layers.BatchNorm1d(3)).eval()
        batches = [lib.tensor(rng.standard_normal((5, 3)).astype(np.float32) * 2 + 1) for _ in range(4)]
        package.swa_utils.update_bn([(x, None) for x in batches] if pairs else batches, model)
        assert not model.training
        assert [model[0].momentum, model[2].momentum] == [0.3, 0.1]
        statistics[key] = {name: value.numpy() for name, value in model.state_dict().items()}
    for name, value in statistics["theirs"].items():
        np.testing.assert_allclose(statistics["ours"][name], value, rtol=1e-5, err_msg=name)


def test_update_bn_leaves_other_models_alone():
    model = nn.Linear(1, 1)
    swa_utils.update_bn(iter(()), model)
    assert model.training


@pytest.mark.parametrize(
    "options",
    [
        {"swa_lr": 0.05},
        {"swa_lr": [0.05], "anneal_epochs": 5, "anneal_strategy": "linear"},
        {"swa_lr": 0.3, "anneal_epochs": 0},
    ],
    ids=str,
)
def test_swalr(torch, options):
    rates = {}
    for key, (lib, _layers, package) in libraries(torch).items():
        optimizer = package.SGD([lib.ones(1, requires_grad=True)], lr=0.1)
        before = package.lr_scheduler.ExponentialLR(optimizer, 0.9)
        schedule = package.swa_utils.SWALR(optimizer, **options)
        rates[key] = []
        for i in range(50):
            optimizer.step()
            if i % 7 == 3:
                before.step()
            schedule.step()
            rates[key].append(schedule.get_last_lr()[0])
        state = schedule.state_dict()
        fresh = package.swa_utils.SWALR(optimizer, **options)
        fresh.load_state_dict(state)
        assert fresh.last_epoch == 50
    assert rates["ours"] == pytest.approx(rates["theirs"], rel=1e-9)
