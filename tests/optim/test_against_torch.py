"""Every optimizer against PyTorch: its own samples of arguments, states, errors, and state dicts both ways."""

from __future__ import annotations

import copy
import inspect

import numpy as np
import pytest

import autograd
import nn
import optim

NAMES = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
]
DENSE = [name for name in NAMES if name != "SparseAdam"]
REAL_ONLY = ["Adafactor", "Muon"]
STEPS = 20
# Muon computes with 8 bits of precision; L-BFGS doubles rounding errors from step to step.
TOLERANCE = {"float32": 5e-5, "float64": 1e-9, "complex64": 5e-5, "Muon": 1e-2, "LBFGS": 2e-2}


def entry(name):
    common = pytest.importorskip("torch.testing._internal.common_optimizers")
    return next(info for info in common.optim_db if info.optim_cls.__name__ == name)


def as_ours(value, torch):
    if isinstance(value, torch.Tensor):
        return autograd.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: as_ours(item, torch) for key, item in value.items()}
    return tuple(as_ours(item, torch) for item in value) if isinstance(value, tuple) else value


def as_theirs(value, torch):
    if isinstance(value, autograd.Tensor):
        return torch.tensor(value.detach().numpy())
    if isinstance(value, dict):
        return {key: as_theirs(item, torch) for key, item in value.items()}
    return [as_theirs(item, torch) for item in value] if isinstance(value, list) else value


def draw(rng, shape, dtype):
    array = rng.standard_normal(shape)
    array = array + 1j * rng.standard_normal(shape) if dtype == "complex64" else array
    return np.asarray(array).astype(dtype)


class Pair:
    """One optimizer in both libraries, on the same parameters."""

    def __init__(self, torch, name, arguments, dtype, seed=0):
        self.torch, self.name, self.dtype, self.rng = torch, name, dtype, np.random.default_rng(seed)
        shapes = [(3, 4), (5, 2), (150, 120)] if name == "Muon" else [(3, 4), (5,), (), (2, 3, 2), (150, 120)]
        starts = [draw(self.rng, shape, dtype) for shape in (shapes[:-1] if name == "LBFGS" else shapes)]
        self.mine = [nn.Parameter(autograd.tensor(start)) for start in starts]
        self.their = [torch.nn.Parameter(torch.tensor(start)) for start in starts]
        self.targets = [draw(self.rng, start.shape, dtype) for start in starts]
        self.ours = getattr(optim, name)(self.mine, **as_ours(arguments, torch))
        self.theirs = getattr(torch.optim, name)(self.their, **arguments)

    def loss(self, library, params):
        targets = [library.tensor(target) for target in self.targets]
        parts = [(p - t).abs() for p, t in zip(params, targets, strict=True)]
        return sum((part * part).sum() + (part**4).sum() * 0.1 for part in parts)

    def step(self):
        if self.name == "LBFGS":
            for library, optimizer, params in ((autograd, self.ours, self.mine), (self.torch, self.theirs, self.their)):

                def closure(library=library, optimizer=optimizer, params=params):
                    optimizer.zero_grad()
                    loss = self.loss(library, params)
                    loss.backward()
                    return loss

                optimizer.step(closure)
            return
        for p, q in zip(self.mine, self.their, strict=True):
            gradient = draw(self.rng, q.shape, self.dtype)
            p.grad, q.grad = autograd.tensor(gradient), self.torch.tensor(gradient)
        self.ours.step()
        self.theirs.step()

    def agree(self):
        tolerance = TOLERANCE.get(self.name, TOLERANCE[self.dtype])
        for p, q in zip(self.mine, self.their, strict=True):
            np.testing.assert_allclose(p.detach().numpy(), q.detach().numpy(), tolerance, tolerance)
        mine, theirs = self.ours.state_dict(), self.theirs.state_dict()
        assert mine["state"].keys() == theirs["state"].keys()
        for number, state in theirs["state"].items():
            assert mine["state"][number].keys() == state.keys()
            for key, value in state.items():
                got = mine["state"][number][key]
                if not isinstance(value, self.torch.Tensor):
                    assert type(got) is type(value), key
                    continue
                assert str(got.dtype) == str(value.dtype), key
                assert tuple(got.shape) == tuple(value.shape), key
                if self.name != "LBFGS":
                    np.testing.assert_allclose(got.numpy(), value.numpy(), tolerance, tolerance, err_msg=key)


def arguments_of(name, torch, dtype):
    return [sample.kwargs for sample in entry(name).optim_inputs_func(device="cpu", dtype=getattr(torch, dtype))]


OWN = {
    "SGD": [{"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.1, "maximize": True}],
    "Adam": [
        {"betas": (0.0, 0.0), "eps": 1e-2},
        {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.2, "amsgrad": True, "maximize": True},
    ],
    "AdamW": [{"lr": 0.1, "betas": (0.3, 0.5), "weight_decay": 0.3, "amsgrad": True}],
    "NAdam": [{"lr": 0.1, "momentum_decay": 0.1, "betas": (0.5, 0.8), "weight_decay": 0.1}],
    "RAdam": [{"lr": 0.1, "betas": (0.5, 0.6)}, {"lr": 0.1, "betas": (0.5, 0.9), "maximize": True}],
    "RMSprop": [{"lr": 0.01, "alpha": 0.5, "momentum": 0.5, "centered": True, "weight_decay": 0.1, "maximize": True}],
    "Rprop": [{"lr": 0.1, "etas": (0.3, 1.7), "step_sizes": (0.05, 0.2)}],
    "ASGD": [{"lr": 0.1, "lambd": 0.1, "alpha": 0.5, "t0": 5, "weight_decay": 0.1}],
    "Adagrad": [{"lr": 0.1, "lr_decay": 0.5, "initial_accumulator_value": 0.3, "eps": 0.1, "maximize": True}],
    "Adadelta": [{"rho": 0.3, "eps": 1e-2, "weight_decay": 0.1, "maximize": True}],
    "Adamax": [{"lr": 0.1, "betas": (0.2, 0.4), "eps": 0.1, "weight_decay": 0.1, "maximize": True}],
    "Adafactor": [{"lr": 0.5, "beta2_decay": -0.3, "eps": (1e-3, 0.1), "d": 2.0, "weight_decay": 0.1}],
    "Muon": [{"lr": 0.1, "momentum": 0.5, "nesterov": False, "ns_steps": 3, "adjust_lr_fn": "match_rms_adamw"}],
    "LBFGS": [{"line_search_fn": "strong_wolfe", "max_iter": 4, "history_size": 3, "lr": 0.5}],
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("name", DENSE)
def test_twenty_steps_for_every_set_of_arguments(torch, name, dtype):
    if dtype == "complex64" and name in REAL_ONLY:
        pytest.skip("PyTorch refuses complex parameters")
    tried = 0
    for arguments in arguments_of(name, torch, dtype) + OWN[name]:
        pair = Pair(torch, name, arguments, dtype)
        for _ in range(STEPS if name != "LBFGS" else 3):
            pair.step()
        pair.agree()
        if not any(isinstance(value, torch.Tensor) for value in arguments.values()):
            assert repr(pair.ours) == repr(pair.theirs)
        tried += 1
    assert tried > 2


@pytest.mark.parametrize("name", DENSE)
def test_each_library_goes_on_from_the_state_of_the_other(torch, name):
    for arguments in OWN[name]:
        pair = Pair(torch, name, arguments, "float32")
        for _ in range(3):
            pair.step()
        mine, theirs = pair.ours.state_dict(), pair.theirs.state_dict()
        assert mine["param_groups"] == theirs["param_groups"]
        fresh = Pair(torch, name, {}, "float32")
        for ours, their, p, q in zip(fresh.mine, fresh.their, pair.mine, pair.their, strict=True):
            ours.data, their.data = p.data, q.data
        fresh.ours.load_state_dict(copy.deepcopy(theirs))
        fresh.theirs.load_state_dict(as_theirs(mine, torch))
        for _ in range(3):
            fresh.step()
        fresh.agree()


@pytest.mark.parametrize("name", NAMES)
def test_bad_arguments_raise_the_same_errors(torch, name):
    refused = list(entry(name).optim_error_inputs_func(device="cpu", dtype=torch.float32))
    tried = 0
    for sample in refused:
        given = sample.optimizer_error_input
        params = given.params
        if params is None:
            params = [torch.nn.Parameter(torch.zeros(2, 2)) for _ in range(2)]
        if "layout=torch.sparse_coo" in str(params):
            continue
        converted = translate(params, torch, {})
        if sample.error_on.name == "CONSTRUCTION_ERROR":
            with pytest.raises(sample.error_type):
                getattr(torch.optim, name)(params, **given.kwargs)
            with pytest.raises(sample.error_type):
                getattr(optim, name)(converted, **as_ours(given.kwargs, torch))
            tried += 1
    assert tried > 3


def translate(value, torch, known):
    """Our tensors for PyTorch's, one for each; ``known`` holds those that were met before."""
    if isinstance(value, torch.Tensor):
        if value not in known:
            ours = autograd.tensor(value.detach().numpy())
            known[value] = nn.Parameter(ours) if isinstance(value, torch.nn.Parameter) else ours
        return known[value]
    if isinstance(value, dict):
        return {key: translate(item, torch, known) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(translate(item, torch, known) for item in value)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_those_of_torch(torch, name):
    def parameters(kind):
        return [(p.name, p.kind, p.default) for p in inspect.signature(kind).parameters.values()]

    assert parameters(getattr(optim, name)) == parameters(getattr(torch.optim, name))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "LBFGS"])
def test_signatures_of_functions_are_those_of_torch(torch, name):
    function = {"SparseAdam": "sparse_adam"}.get(name, name.lower())
    modules = {"adafactor": "_adafactor", "muon": "_muon", "sparse_adam": "_functional"}
    __import__(f"torch.optim.{modules.get(function, function)}")
    theirs = getattr(__import__("sys").modules[f"torch.optim.{modules.get(function, function)}"], function)
    ours = getattr(__import__("sys").modules[f"optim.{function}"], function)

    def parameters(kind):
        return [(p.name, p.kind, p.default) for p in inspect.signature(kind).parameters.values()]

    assert parameters(ours) == parameters(theirs)


def test_functions_take_lists_of_tensors(both):
    def program(lib):
        import importlib

        package = "torch.optim" if lib.__name__ == "torch" else "optim"
        adam = importlib.import_module(f"{package}.adamw").adamw
        sgd = importlib.import_module(f"{package}.sgd").sgd
        params, grads = [lib.tensor([1.0, 2.0])], [lib.tensor([0.5, -0.5])]
        moments = [[lib.zeros(2)], [lib.zeros(2)], []]
        steps = [lib.tensor(0.0)]
        options = {"beta1": 0.9, "beta2": 0.99, "lr": 0.1, "weight_decay": 0.1, "eps": 1e-8, "maximize": False}
        with lib.no_grad():
            adam(params, grads, *moments, steps, amsgrad=False, **options)
        buffers = [None]
        options = {"weight_decay": 0.1, "momentum": 0.9, "lr": 0.1, "dampening": 0.5, "nesterov": False}
        for _ in range(2):
            with lib.no_grad():
                sgd(params, grads, buffers, maximize=True, **options)
        return params, moments, steps, buffers

    both(program)


@pytest.mark.parametrize("name", ["Adam", "NAdam", "Adagrad"])
def test_functions_refuse_what_is_no_tensor_of_steps(name):
    function = getattr(__import__("sys").modules[f"optim.{name.lower()}"], name.lower())
    lists = {"Adam": 3, "NAdam": 3, "Adagrad": 1}[name]
    options = {
        "Adam": {"amsgrad": False, "beta1": 0.9, "beta2": 0.9, "eps": 0.1, "maximize": False},
        "NAdam": {"beta1": 0.9, "beta2": 0.9, "momentum_decay": 0.0, "eps": 0.1},
        "Adagrad": {"lr_decay": 0.0, "eps": 0.1, "maximize": False},
    }[name]
    with pytest.raises(RuntimeError, match="singleton tensors"):
        function([], [], *([[]] * lists), [1], lr=0.1, weight_decay=0, **options)
    if name != "NAdam":
        with pytest.raises(AssertionError, match="grad_scale"):
            function([], [], *([[]] * lists), [], grad_scale=autograd.ones(()), lr=0.1, weight_decay=0, **options)
