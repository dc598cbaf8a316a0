"""Hooks of all modules, hooks of older kinds, hooks on registration; state that modules save in their own way."""

from __future__ import annotations

import copy
import importlib
import pickle

import pytest

import autograd
import nn
from nn import hooks


def module_of(L):
    return importlib.import_module("torch.nn.modules.module") if L is not autograd else nn.modules.module


def net(L):
    L.manual_seed(0)
    return L.nn.Sequential(L.nn.Linear(3, 2), L.nn.Tanh(), L.nn.Linear(2, 1))


def with_hook(L, register, hook, **kwargs):
    """What a hook of all modules saw, and the gradient that came out."""
    seen = []
    handle = getattr(module_of(L), register)(lambda *args: hook(seen, *args), **kwargs)
    try:
        x = L.ones(2, 3, requires_grad=True)
        y = net(L)(x)
        y.sum().backward()
    finally:
        handle.remove()
    return seen, y, x.grad


def name(module):
    return type(module).__name__


EVERYWHERE = {
    "before": ("register_module_forward_pre_hook", lambda seen, m, args: seen.append((name(m), len(args))), {}),
    "before, changed": ("register_module_forward_pre_hook", lambda seen, m, args: args[0] * 2, {}),
    "after": ("register_module_forward_hook", lambda seen, m, args, out: seen.append((name(m), out)), {}),
    "after, changed": ("register_module_forward_hook", lambda seen, m, args, out: out * 2, {}),
    "after, with keywords": (
        "register_module_forward_hook",
        lambda seen, m, args, kwargs, out: seen.append((name(m), kwargs)),
        {"with_kwargs": True},
    ),
    "backward": (
        "register_module_full_backward_hook",
        lambda seen, m, into, out: seen.append((name(m), into[0], out[0])),
        {},
    ),
    "backward, changed": ("register_module_full_backward_hook", lambda seen, m, into, out: (into[0] * 2,), {}),
    "before backward": (
        "register_module_full_backward_pre_hook",
        lambda seen, m, out: seen.append((name(m), out[0])),
        {},
    ),
    "parameters": (
        "register_module_parameter_registration_hook",
        lambda seen, m, key, value: seen.append((name(m), key, tuple(value.shape))),
        {},
    ),
    "buffers": (
        "register_module_buffer_registration_hook",
        lambda seen, m, key, value: seen.append((name(m), key)),
        {},
    ),
    "modules": (
        "register_module_module_registration_hook",
        lambda seen, m, key, value: seen.append((name(m), key, name(value))),
        {},
    ),
}


@pytest.mark.parametrize("kind", EVERYWHERE)
def test_hooks_of_all_modules(both, kind):
    register, hook, kwargs = EVERYWHERE[kind]
    both(lambda L: with_hook(L, register, hook, **kwargs), label=kind)
    registries = (hooks.FORWARD, hooks.FORWARD_PRE, hooks.BACKWARD, hooks.BACKWARD_PRE, *hooks.REGISTRATION.values())
    assert not any(registries)


def test_a_hook_on_registration_replaces():
    handle = hooks.register_module_parameter_registration_hook(lambda m, key, value: nn.Parameter(value.data * 0))
    try:
        layer = nn.Linear(2, 1)
    finally:
        handle.remove()
    assert layer.bias.shape == (1,)
    handle = hooks.register_module_module_registration_hook(lambda m, key, value: nn.Identity())
    try:
        model = nn.Sequential(nn.ReLU())
    finally:
        handle.remove()
    assert type(model[0]) is nn.Identity


@pytest.mark.filterwarnings("ignore:Using.*non-full backward hook")
def test_backward_hooks_of_the_old_kind(both):
    def program(L):
        seen = []
        layer = L.nn.Tanh()
        layer.register_backward_hook(lambda m, into, out: seen.append((name(m), into[0], out[0])))
        x = L.ones(2, requires_grad=True)
        (layer(x * 2) * 3).sum().backward()
        return seen, x.grad

    def changed(L):
        layer = L.nn.Tanh()
        layer.register_backward_hook(lambda m, into, out: (into[0] * 5,))
        x = L.ones(2, requires_grad=True)
        layer(x * 2).sum().backward()
        return x.grad

    def mixed(L):
        layer = L.nn.Tanh()
        layer.register_full_backward_hook(lambda m, into, out: None)
        layer.register_backward_hook(lambda m, into, out: None)

    for each in (program, changed, mixed):
        both(each)


@pytest.mark.parametrize(
    "forward", [lambda x: (x * 2) * 3, lambda x: [x * 2], lambda x: (x * 2, x * 3), lambda x: x * 2], ids=range(4)
)
def test_backward_hooks_of_the_old_kind_warn_of_what_they_miss(torch, forward):
    warned = []
    for library in (autograd, torch):
        kind = type("Own", (library.nn.Module,), {"forward": lambda self, x: forward(x)})
        layer = kind()
        layer.register_backward_hook(lambda m, into, out: None)
        x = library.ones(2, requires_grad=True) * 1
        with pytest.WarningsRecorder(_ispytest=True) as record:
            import warnings

            warnings.simplefilter("always")
            layer(x)
        warned.append([each.category for each in record])
    assert warned[0] == warned[1]


def test_hooks_on_state_of_the_old_kind(both):
    def program(L):
        layer = L.nn.Linear(2, 1)
        layer._register_state_dict_hook(lambda m, state, prefix, metadata: {**state, "more": 1, **metadata})
        return sorted(layer.state_dict())

    def public(L):
        layer = L.nn.Linear(2, 1)
        layer.register_state_dict_post_hook(lambda m, state, prefix, metadata: {})
        layer.state_dict()

    def loading(L):
        layer, seen = L.nn.Linear(2, 1), []
        layer._register_load_state_dict_pre_hook(lambda state, prefix, *rest: seen.append((sorted(state), prefix)))
        layer._register_load_state_dict_pre_hook(
            lambda m, state, prefix, *rest: seen.append((name(m), prefix)), with_module=True
        )
        layer.load_state_dict(layer.state_dict())
        return seen

    def positional(L):
        with pytest.warns(FutureWarning):
            return sorted(L.nn.Linear(2, 1).state_dict({"x": 1}, "p.", True))

    for each in (program, public, loading, positional):
        both(each)


def versioned(L):
    class Versioned(L.nn.Module):
        _version = 3

        def __init__(self):
            super().__init__()
            self.weight = L.nn.Parameter(L.ones(2))

        def _save_to_state_dict(self, destination, prefix, keep_vars):
            super()._save_to_state_dict(destination, prefix, keep_vars)
            destination[prefix + "scaled"] = destination.pop(prefix + "weight") * 2

        def _load_from_state_dict(self, state_dict, prefix, local_metadata, *rest):
            self.seen = local_metadata.get("version")
            state_dict[prefix + "weight"] = state_dict.pop(prefix + "scaled") / 2
            super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)

    return Versioned


def test_modules_that_save_in_their_own_way(both):
    def program(L):
        kind = versioned(L)
        source, target = (L.nn.Sequential(kind(), L.nn.Linear(1, 1)) for _ in range(2))
        with L.no_grad():
            source[0].weight.mul_(5)
        state = source.state_dict()
        loaded = str(target.load_state_dict(state))
        again = str(target.load_state_dict(dict(state)))
        versions = {key: value["version"] for key, value in state._metadata.items()}
        return sorted(state), versions, loaded, again, target[0].weight, target[0].seen

    both(program)


SUBMODULES = {
    "there": ("1", False),
    "new": ("3", False),
    "new, strict": ("3", True),
    "below": ("4.first", False),
    "of nothing": ("x.y", False),
    "no name": ("", False),
    "no module": ("0.weight", False),
}


@pytest.mark.parametrize("case", SUBMODULES)
def test_set_submodule(both, case):
    target, strict = SUBMODULES[case]

    def program(L):
        model = net(L)
        model.add_module("4", L.nn.ModuleDict({"first": L.nn.ReLU()}))
        model.set_submodule(target, L.nn.Sigmoid(), strict)
        return repr(model)

    both(program, label=case)


def test_other_methods_of_modules(both):
    def program(L):
        layer = L.nn.Linear(3, 2).to_empty(device="cpu")
        other = L.nn.Linear(3, 2).bfloat16()
        return layer.weight.shape, layer.weight.requires_grad, str(other.weight.dtype), L.nn.Module._version

    def arguments(L):
        L.nn.Module(3)

    def keywords(L):
        L.nn.Module(other=3)

    def no_module(L):
        net(L).set_submodule("0", 3)

    def not_a_parameter(L):
        net(L).get_parameter("0.in_features")

    for each in (program, arguments, keywords, no_module, not_a_parameter):
        both(each)


def test_several_bases():
    class Other:
        def __init__(self, value):
            self.value = value

    class Both(nn.Module, Other):
        call_super_init = True

    assert Both(3).value == 3


def double(module, args):
    return (args[0] * 2,)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_handles_stay_with_their_copy(copied):
    layer = nn.Identity()
    layer.handle = layer.register_forward_pre_hook(double)
    again = copied(layer)
    assert again(autograd.ones(1)).tolist() == [2.0]
    again.handle.remove()
    assert again(autograd.ones(1)).tolist() == [1.0]
    assert layer(autograd.ones(1)).tolist() == [2.0]


def test_state_from_before_a_registry_existed():
    layer = nn.Linear(2, 1)
    state = {key: value for key, value in layer.__dict__.items() if not key.endswith("hooks")}
    restored = nn.Linear.__new__(nn.Linear)
    restored.__setstate__(state)
    assert restored(autograd.ones(2)).shape == (1,)
    assert list(restored.state_dict()) == ["weight", "bias"]
