"""What all optimizers share, compared with PyTorch: hooks, groups, state dicts of all kinds."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd
import nn
import optim
from optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook, required


def modules(lib):
    return (optim, nn) if lib is autograd else (lib.optim, lib.nn)


def test_state_dict_hooks(both):
    def program(lib):
        package, layers = modules(lib)
        w = layers.Parameter(lib.ones(2))
        optimizer, calls = package.SGD([w], lr=0.5), []
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("pre"))
        optimizer.register_state_dict_pre_hook(lambda o: calls.append("before pre"), prepend=True)
        handle = optimizer.register_state_dict_post_hook(lambda o, d: {**d, "more": 1})
        optimizer.register_state_dict_post_hook(lambda o, d: calls.append(sorted(d)))
        optimizer.register_load_state_dict_pre_hook(lambda o, d: calls.append("load"))
        optimizer.register_load_state_dict_pre_hook(
            lambda o, d: {**d, "param_groups": [{**d["param_groups"][0], "lr": 9.0}]}, prepend=True
        )
        optimizer.register_load_state_dict_post_hook(lambda o: calls.append(o.param_groups[0]["lr"]))
        saved = optimizer.state_dict()
        handle.remove()
        without = optimizer.state_dict()
        optimizer.load_state_dict(saved)
        return calls, sorted(saved), sorted(without), saved["param_groups"][0]["lr"]

    both(program)


def test_hooks_on_the_steps_of_all_optimizers(both):
    def program(lib):
        package, layers = modules(lib)
        base = package.optimizer if lib is autograd else __import__("sys").modules["torch.optim.optimizer"]
        calls = []
        w = layers.Parameter(lib.ones(2))
        optimizer = package.SGD([w])
        handles = [
            base.register_optimizer_step_pre_hook(lambda o, a, k: calls.append("all before")),
            optimizer.register_step_pre_hook(lambda o, a, k: calls.append("before")),
            optimizer.register_step_post_hook(lambda o, a, k: calls.append("after")),
            base.register_optimizer_step_post_hook(lambda o, a, k: calls.append("all after")),
        ]
        optimizer.step()
        for handle in handles:
            handle.remove()
        optimizer.step()
        return calls

    both(program)


def test_a_pre_hook_may_change_the_arguments(both):
    def program(lib):
        package, layers = modules(lib)
        w = layers.Parameter(lib.ones(2))
        optimizer = package.SGD([w])
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((args[0], lambda: lib.tensor(7.0)), kwargs))
        return optimizer.step(lambda: lib.tensor(3.0))

    def ours(lib):
        w = nn.Parameter(lib.ones(2))
        optimizer = optim.SGD([w])
        optimizer.register_step_pre_hook(lambda o, args, kwargs: ((lambda: lib.tensor(7.0),), kwargs))
        return optimizer.step(lambda: lib.tensor(3.0))

    assert ours(autograd).item() == 7.0

    def wrong(lib):
        package, layers = modules(lib)
        optimizer = package.SGD([layers.Parameter(lib.ones(2))])
        optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
        optimizer.step()

    assert both(wrong)[:2] == ("raised", "RuntimeError")


def test_handles_of_global_hooks_work_as_contexts():
    calls = []
    optimizer = optim.SGD([nn.Parameter(autograd.ones(1))])
    with (
        register_optimizer_step_pre_hook(lambda *_: calls.append(1)),
        register_optimizer_step_post_hook(lambda *_: calls.append(2)),
    ):
        optimizer.step()
    optimizer.step()
    assert calls == [1, 2]


def test_an_option_that_every_group_must_give(both):
    def program(lib):
        package, layers = modules(lib)
        needed = required if lib is autograd else __import__("sys").modules["torch.optim.optimizer"].required

        class Own(package.Optimizer):
            def __init__(self, params):
                super().__init__(params, {"lr": needed})

        return Own([layers.Parameter(lib.ones(1))])

    assert both(program)[:2] == ("raised", "ValueError")
    assert repr(required) == "<required parameter>"


def test_printed_form_of_several_groups(both):
    def program(lib):
        package, layers = modules(lib)
        groups = [{"params": [layers.Parameter(lib.ones(1))]}, {"params": [layers.Parameter(lib.ones(2))], "lr": 0.5}]
        return repr(package.SGD(groups, lr=0.1))

    both(program)


@pytest.mark.parametrize("options", [{}, {"max_iter": 2.5}, {"max_iter": 4.0}, {"max_iter": 0}], ids=str)
@pytest.mark.parametrize("groups", [1, 2])
def test_lbfgs_has_one_group_and_may_count_in_floats(groups, options, both):
    def program(lib):
        package, layers = modules(lib)
        w = layers.Parameter(lib.tensor([3.0, 2.0]))
        optimizer = package.LBFGS([w], **options)
        for _ in range(groups - 1):
            optimizer.add_param_group({"params": [layers.Parameter(lib.ones(1))]})

        def closure():
            optimizer.zero_grad()
            loss = (w**4).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(2)]
        return losses, w, optimizer.state[w]["func_evals"], optimizer.state[w]["n_iter"]

    both(program)


def test_a_group_is_the_dict_that_was_given():
    group = {"params": [nn.Parameter(autograd.ones(1))]}
    optimizer = optim.SGD([group], lr=0.5)
    assert optimizer.param_groups[0] is group
    assert group["lr"] == 0.5


@pytest.mark.parametrize(
    "name", ["Adam", "RMSprop", "Adagrad", "Rprop", "ASGD", "Adadelta", "NAdam", "RAdam", "Adamax"]
)
def test_state_dicts_of_older_programs(name):
    w = nn.Parameter(autograd.ones(2))
    optimizer = getattr(optim, name)([w])
    w.grad = autograd.ones(2)
    optimizer.step()
    saved = copy.deepcopy(optimizer.state_dict())
    for switch in ("foreach", "maximize", "capturable", "differentiable", "fused"):
        saved["param_groups"][0].pop(switch, None)
    saved["state"][0]["step"] = 1
    fresh = getattr(optim, name)([w])
    fresh.load_state_dict(saved)
    assert fresh.state_dict()["param_groups"] == optimizer.state_dict()["param_groups"]
    assert fresh.state[w]["step"].dtype == autograd.float32
    fresh.step()
    assert fresh.state[w]["step"].item() == 2.0


def test_the_number_of_steps_takes_the_default_dtype(both):
    def program(lib):
        package, layers = modules(lib)
        w = layers.Parameter(lib.ones(2))
        found = []
        for fused in (None, True):
            w.grad = lib.ones(2)
            optimizer = package.Adam([w], fused=fused)
            lib.set_default_dtype(lib.float64)
            try:
                optimizer.step()
            finally:
                lib.set_default_dtype(lib.float32)
            found.append(str(optimizer.state[w]["step"].dtype))
        return found

    both(program)


def test_fused_wants_floating_point():
    w = autograd.ones(2, dtype=autograd.complex64, requires_grad=True)
    w.grad = autograd.ones(2, dtype=autograd.complex64)
    with pytest.raises(RuntimeError, match="floating point"):
        optim.Adam([w], fused=True).step()


@pytest.mark.parametrize("name", ["SGD", "Adam", "Adagrad", "LBFGS", "Muon"])
def test_copies_and_pickles_go_on_alike(name):
    def run(optimizer):
        (w,) = optimizer.param_groups[0]["params"]

        def closure():
            optimizer.zero_grad()
            loss = (w**4).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return w.detach().numpy().copy()

    optimizer = getattr(optim, name)([nn.Parameter(autograd.tensor([[1.0, 2.0], [0.5, -1.0]]))], lr=0.01)
    run(optimizer)
    others = [copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))]
    expected = run(optimizer)
    for other in others:
        np.testing.assert_allclose(run(other), expected, rtol=1e-6)
    assert len({id(o.param_groups[0]["params"][0]) for o in (optimizer, *others)}) == 3


def test_any_order_in_memory_gives_the_same_steps():
    """A parameter that lies in memory by columns is updated as one that lies by rows."""
    start = np.arange(6.0, dtype=np.float32).reshape(2, 3)
    results = []
    for order in "CF":
        w = nn.Parameter(autograd.tensor(start))
        w._array = np.array(start, order=order)
        optimizer = optim.Adam([w], lr=0.1)
        for _ in range(3):
            w.grad = autograd.tensor(start + 1)
            optimizer.step()
        results.append(w.detach().numpy())
    np.testing.assert_array_equal(*results)
