"""Small parameters that are computed together: like one after the other, whatever they are and wherever they lie."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import jit
from autograd.kernels import threads
from autograd.kernels.gather import SMALL
from optim.gathering import Layout

ALGORITHMS = {
    "SGD": {"lr": 0.1, "weight_decay": 0.1},
    "SGD with momentum": {"lr": 0.1, "momentum": 0.9, "dampening": 0.3},
    "Adam": {"lr": 0.1, "amsgrad": True},
    "AdamW": {"lr": 0.1},
    "NAdam": {"lr": 0.1},
    "RAdam": {"lr": 0.1, "betas": (0.5, 0.6)},
    "Adamax": {"lr": 0.1},
    "Adagrad": {"lr": 0.1, "lr_decay": 0.5},
    "Adadelta": {"weight_decay": 0.1},
    "RMSprop": {"lr": 0.01, "momentum": 0.5, "centered": True},
    "Rprop": {"lr": 0.1},
    "ASGD": {"lr": 0.1, "t0": 2, "lambd": 0.1},
}


def plain(lib, draw):
    return [draw(shape) for shape in [(3, 4), (5,), (), (0,), (2, 3, 2)]]


def mixed_sizes(lib, draw):
    return [draw(shape) for shape in [(3, 4), (SMALL + 1,), (5,), (SMALL,), (150, 120), (7,)]]


def mixed_dtypes(lib, draw):
    kinds = ["float32", "float64", "complex64", "float32", "float64", "complex64"]
    return [draw((2, n), kind) for n, kind in enumerate(kinds, 1)]


def views_of_one_storage(lib, draw):
    storage = draw((24,))
    return [storage[:6].view(2, 3), storage[6:10], storage[10:22].view(3, 4), draw((3,))]


def overlapping_views(lib, draw):
    storage = draw((24,))
    return [storage[:12], storage[6:18].view(3, 4), draw((3,))]


def any_strides(lib, draw):
    return [draw((3, 4)).t(), draw((8,))[::2], draw((2, 3)), draw((4,))]


GROUPS = [plain, mixed_sizes, mixed_dtypes, views_of_one_storage, overlapping_views, any_strides]


def train(lib, name, options, group, steps=4, absent=lambda step, place: False, twice=False):
    """Parameters and state after some steps on random gradients."""
    rng = np.random.default_rng(0)

    def draw(shape, dtype="float32"):
        array = np.asarray(rng.standard_normal(shape))
        array = array + 1j * rng.standard_normal(shape) if dtype[0] == "c" else array
        return lib.tensor(array.astype(dtype))

    params = [param.detach().requires_grad_() for param in group(lib, draw)]
    package = optim if lib is autograd else lib.optim
    optimizer = getattr(package, name.split()[0])(params * (2 if twice else 1), **options)
    for step in range(steps):
        for place, param in enumerate(params):
            gradient = draw(tuple(param.shape), str(param.dtype).removeprefix("torch."))
            param.grad = None if absent(step, place) else gradient
        optimizer.step()
    state = [dict(sorted(optimizer.state[param].items())) for param in params]
    return [param.detach() for param in params], state


def assert_same(ours, theirs):
    for p, q in zip(ours[0], theirs[0], strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), 2e-5, 2e-5)
    for mine, their in zip(ours[1], theirs[1], strict=True):
        assert mine.keys() == their.keys()
        for key, value in their.items():
            if value is not None:
                np.testing.assert_allclose(mine[key].numpy(), value.numpy(), 2e-5, 2e-5, err_msg=key)


@pytest.mark.parametrize("mode", ["never", "auto", "always"])
@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.__name__)
@pytest.mark.parametrize("name", ALGORITHMS)
def test_any_parameters(torch, name, group, mode):
    with jit.using(mode):
        assert_same(train(autograd, name, ALGORITHMS[name], group), train(torch, name, ALGORITHMS[name], group))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_parameters_without_gradients_now_and_then(torch, name):
    def absent(step, place):
        return (step + place) % 3 == 0

    options = ALGORITHMS[name]
    assert_same(train(autograd, name, options, plain, absent=absent), train(torch, name, options, plain, absent=absent))


@pytest.mark.filterwarnings("ignore:optimizer contains a parameter group with duplicate")
@pytest.mark.parametrize("name", ALGORITHMS)
def test_a_parameter_twice_in_a_group_is_updated_twice(torch, name):
    options = {**ALGORITHMS[name], "foreach": False}
    assert_same(train(autograd, name, options, plain, twice=True), train(torch, name, options, plain, twice=True))


def test_gradients_that_lie_in_parameters(both):
    def program(lib):
        first, second, third = (lib.tensor([1.0, 2.0 * n]).requires_grad_() for n in range(3))
        first.grad, second.grad, third.grad = lib.tensor([1.0, 1.0]), first.data, second.data.view(2)
        (optim if lib is autograd else lib.optim).SGD([first, second, third], lr=0.5).step()
        return first, second, third

    both(program)


@pytest.mark.parametrize("kind", ["float16", "bfloat16"])
def test_halves(both, kind):
    def program(lib):
        dtype = getattr(lib, kind)
        params = [lib.linspace(-1, 1, n + 2).to(dtype).requires_grad_() for n in range(3)]
        optimizer = (optim if lib is autograd else lib.optim).SGD(params, lr=0.5)
        for param in params:
            param.grad = param.detach() * 0.25
        optimizer.step()
        return [param.detach().float() for param in params]

    both(program)


def test_data_and_state_that_are_replaced(both):
    def program(lib):
        params = [lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)]
        optimizer = (optim if lib is autograd else lib.optim).SGD(params, lr=0.5, momentum=0.5)
        for step in range(4):
            for param in params:
                param.grad = lib.ones(*param.shape)
            optimizer.step()
            if step == 1:
                params[1].data = lib.zeros(3)
            if step == 2:
                optimizer.load_state_dict(optimizer.state_dict())
        return params, [optimizer.state[param]["momentum_buffer"] for param in params]

    both(program)


def test_a_tensor_as_learning_rate_and_a_schedule(both):
    def program(lib):
        params = [lib.ones(2, requires_grad=True), lib.ones(3, requires_grad=True)]
        rate = lib.tensor(0.5)
        optimizer = (optim if lib is autograd else lib.optim).Adam(params, lr=rate)
        for step in range(3):
            for param in params:
                param.grad = lib.ones(*param.shape)
            rate.fill_(0.5 / (step + 1))
            optimizer.step()
        return params

    both(program)


def layout_of(*columns):
    return Layout(columns)


def test_what_is_gathered():
    def parts(*columns):
        return [part.places for part in layout_of(*columns).together]

    a, b, c, large = np.zeros(3), np.zeros((2, 2)), np.zeros(4, np.float32), np.zeros(SMALL + 1)
    assert parts([a, b, c]) == [[0, 1]]
    assert parts([a, large, b, c]) == [[0, 2]]
    assert parts([a, b], [np.zeros(3), np.zeros((2, 2), order="F")]) == []
    assert parts([a, b], None, [np.zeros(3), np.zeros((2, 2))]) == [[0, 1]]
    assert parts([a, b, a]) == []
    assert parts([large[:3], large[3:7]]) == [[0, 1]]
    assert parts([large[:3], large[2:7]]) == []
    with jit.using("always"):
        assert parts([a, large, b, c]) == [[0, 1, 2], [3]]
        assert parts([a, b], [np.zeros(3), np.zeros((2, 2), order="F")]) == [[0]]
        assert parts([a, b, a]) == []
        assert parts([np.zeros(3, np.float16)]) == []
    layout = layout_of([large[:3], a])
    assert layout.is_apart_from([b, c.copy()])
    assert not layout.is_apart_from([b, large[5:]])


def test_one_pass_for_a_group(monkeypatch, number_of_threads_restored):
    """A loop is called once for all parameters of a dtype, and cut into pieces wherever they begin and end."""
    sizes = (5, 0, 40_000, 1, 300, 0)
    results = []
    for count in (1, 3):
        threads.set_num_threads(count)
        calls, run = [], threads.run
        monkeypatch.setattr(
            threads, "run", lambda *given, run=run, **named: calls.append(given) or run(*given, **named)
        )
        params = [autograd.linspace(-1, 1, size).requires_grad_() for size in sizes]
        params.append(autograd.ones(7, dtype=autograd.float64, requires_grad=True))
        optimizer = optim.Adam(params, lr=0.1)
        for _ in range(2):
            for param in params:
                param.grad = param.detach().cos()
            calls.clear()
            optimizer.step()
            assert [given[1] for given in calls] == [sum(sizes), 7]
        monkeypatch.undo()
        results.append([param.detach().numpy() for param in params])
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mode", ["never", "always"])
def test_an_array_in_the_place_of_one_that_is_gone(mode):
    """What is known of arrays ends with them, though the next one may get their identity."""
    with jit.using(mode):
        param = nn.Parameter(autograd.zeros(3))
        optimizer = optim.SGD([param], lr=1.0)
        for step in range(50):
            spare = autograd.full((3,), float(step))
            for _ in range(2):  # the second may lie where the first parameter's array object was
                param.data = autograd.full((3,), float(step))
            param.grad = autograd.ones(3)
            optimizer.step()
            assert param.tolist() == [step - 1.0] * 3
            assert spare.tolist() == [float(step)] * 3
    array, other = np.zeros(3), np.zeros(3)
    with jit.using("always"):
        layout = layout_of([array], None, [other])
        ids = [[id(array)], None, [id(other)]]
        assert layout.is_of(ids)
        assert not layout.is_of([[id(array)], None, [id(array)]])
        assert not layout.is_of([[id(array)], [id(other)], None])
        with jit.using("never"):
            assert not layout.is_of(ids)
        del other
        assert not layout.is_of(ids)


def test_gradients_that_lie_in_another_order(both):
    """Of a group that goes through a loop one gradient is transposed, one of another kind the next time."""

    def program(lib):
        params = [lib.linspace(-1, 1, 30000).view(150, 200).requires_grad_(), lib.ones(3, requires_grad=True)]
        optimizer = (optim if lib is autograd else lib.optim).SGD(params, lr=0.5, momentum=0.5)
        for step in range(3):
            order = lib.linspace(0, 1, 30000).view(200, 150).t() if step else lib.linspace(0, 1, 30000).view(150, 200)
            params[0].grad, params[1].grad = order, lib.ones(3)
            optimizer.step()
        return params

    both(program)


def test_nothing_outlives_the_optimizer():
    params = [nn.Parameter(autograd.ones(n)) for n in (2, 3, SMALL + 1)]
    optimizer = optim.Adam(params)
    for param in params:
        param.grad = autograd.ones(*param.shape)
    optimizer.step()
    remembered = [weakref.ref(state["exp_avg"]._array) for state in optimizer.state.values()]
    gc.disable()
    try:
        del optimizer
        assert not any(reference() is not None for reference in remembered)
    finally:
        gc.enable()
