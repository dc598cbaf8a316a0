"""Checkpoints against torch.utils.checkpoint: the same program in both libraries."""

import gc
import warnings
import weakref

import pytest

import autograd
from autograd import utils  # noqa: F401  (`autograd.utils.checkpoint`, as programs say it)
from autograd.utils.checkpoint import checkpoint, set_checkpoint_debug_enabled, set_checkpoint_early_stop


@pytest.fixture(autouse=True)
def oracle():
    """PyTorch loads its module of this name only when it is asked for."""
    pytest.importorskip("torch.utils.checkpoint")


def leaves(L):
    return L.tensor([1.0, 2.0, 3.0], requires_grad=True), L.tensor([0.5, 1.0, 2.0], requires_grad=True)


def run(L, reentrant, how):
    x, w = leaves(L)
    runs = []

    def f(x):
        runs.append(L.is_grad_enabled())
        y = (x * w).sin()
        return (y.exp() + y.sigmoid()) * 2, y.sum()

    a, b = L.utils.checkpoint.checkpoint(f, x, use_reentrant=reentrant)
    total = a.sum() + b
    if how == "backward":
        total.backward()
        return x.grad, w.grad, runs
    if how == "grad":
        return L.autograd.grad(total, [x, w]), runs
    if how == "twice":
        first = L.autograd.grad(total, [x, w], retain_graph=True)
        return first, L.autograd.grad(total, [x, w]), len(runs)
    if how == "second derivative":
        (g,) = L.autograd.grad(total, x, create_graph=True)
        return g, L.autograd.grad(g.sum(), [x, w])
    total.backward()
    total.backward()
    return None


def written(L, reentrant):
    x, w = leaves(L)

    def f(x):
        y = x * w
        y.mul_(y.sin())
        y.exp_()
        y[0] = 2
        return y.relu_()

    L.utils.checkpoint.checkpoint(f, x, use_reentrant=reentrant).sum().backward()
    return x.grad, w.grad


def nested(L, reentrant):
    x, w = leaves(L)
    call = L.utils.checkpoint.checkpoint

    def inner(x):
        return (x * w).sin().exp()

    def outer(x):
        return call(inner, x.cos(), use_reentrant=reentrant) * x

    call(outer, x, use_reentrant=reentrant).sum().backward()
    return x.grad, w.grad


def random_numbers(L, reentrant, preserve=True):
    L.manual_seed(0)
    x, w = leaves(L)

    def f(x):
        return L.nn.functional.dropout(x * w) * L.rand(3)

    y = L.utils.checkpoint.checkpoint(f, x, use_reentrant=reentrant, preserve_rng_state=preserve)
    y.sum().backward()
    return y, x.grad, w.grad, L.rand(2)


def structures(L, reentrant):
    x, w = leaves(L)
    call = L.utils.checkpoint.checkpoint
    y = call(lambda d, several: {"out": d["a"] * several[0]}, {"a": x}, [w], use_reentrant=reentrant)
    y["out"].sum().backward()
    return x.grad, w.grad


def in_pieces(L, reentrant, segments=2):
    L.manual_seed(0)
    x, _ = leaves(L)
    layers = L.nn.Sequential(L.nn.Linear(3, 3), L.nn.ReLU(), L.nn.Linear(3, 3), L.nn.Tanh(), L.nn.Linear(3, 1))
    y = L.utils.checkpoint.checkpoint_sequential(layers, segments, x[None], use_reentrant=reentrant)
    y.sum().backward()
    return y, x.grad, [p.grad for p in layers.parameters()]


def without_recording(L, reentrant):
    x, _ = leaves(L)
    with L.no_grad():
        return L.utils.checkpoint.checkpoint(lambda x: x * 2, x, use_reentrant=reentrant)


PROGRAMS = {
    "backward": lambda L, r: run(L, r, "backward"),
    "grad": lambda L, r: run(L, r, "grad"),
    "twice": lambda L, r: run(L, r, "twice"),
    "second derivative": lambda L, r: run(L, r, "second derivative"),
    "freed": lambda L, r: run(L, r, "freed"),
    "written": written,
    "nested": nested,
    "random numbers": random_numbers,
    "other random numbers": lambda L, r: random_numbers(L, r, preserve=False)[0],
    "structures": structures,
    "in pieces": in_pieces,
    "one piece": lambda L, r: in_pieces(L, r, 1),
    "without recording": without_recording,
    "unknown keyword": lambda L, r: L.utils.checkpoint.checkpoint(lambda x: x, L.ones(1), use_reentrant=r, other=1),
    "debug": lambda L, r: L.utils.checkpoint.checkpoint(lambda x: x * 2, leaves(L)[0], use_reentrant=r, debug=True),
    "determinism": lambda L, r: L.utils.checkpoint.checkpoint(
        lambda x: x, leaves(L)[0], use_reentrant=r, determinism_check="never"
    ),
    "unknown keyword in pieces": lambda L, r: L.utils.checkpoint.checkpoint_sequential([], 1, 1, r, other=2),
    "no gradients": lambda L, r: L.utils.checkpoint.checkpoint(lambda x: x * 2, L.ones(2), use_reentrant=r),
}


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.filterwarnings("ignore:Memory efficient")
@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(both, name, reentrant):
    both(lambda L: PROGRAMS[name](L, reentrant))


@pytest.mark.parametrize("call", ["checkpoint", "checkpoint_sequential"])
def test_use_reentrant_should_be_said(both, call):
    def program(L):
        x, _ = leaves(L)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            if call == "checkpoint":
                L.utils.checkpoint.checkpoint(lambda x: x * 2, x)
            else:
                L.utils.checkpoint.checkpoint_sequential([lambda x: x * 2], 1, x)
        return [warning.category.__name__ for warning in caught]

    assert both(program) == ["list", ["UserWarning"]] or both(program)


def changing(first, second, **options):
    """A function that computes something else when it is run again."""
    runs = []

    def f(x):
        runs.append(None)
        return (first if len(runs) == 1 else second)(x)

    x, _ = leaves(autograd)
    checkpoint(f, x, use_reentrant=False, **options).sum().backward()


def deep(x):
    return x.sin().exp()


CHANGES = {
    "another dtype": (deep, lambda x: x.sin().double().exp(), "different metadata"),
    "fewer": (deep, lambda x: x.sin(), "different number"),
    "more": (lambda x: x.sin(), deep, "more tensors"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_another_computation_is_noticed(name):
    first, second, message = CHANGES[name]
    with pytest.raises(utils.checkpoint.CheckpointError, match=message):
        changing(first, second, early_stop=False)
    with (
        set_checkpoint_early_stop(False),
        set_checkpoint_debug_enabled(True),
        pytest.raises(utils.checkpoint.CheckpointError, match="Recomputation: "),
    ):
        changing(first, second)


def test_early_stop_and_unchecked_types():
    changing(lambda x: x.sin(), deep)  # all that is needed is there before the difference
    changing(deep, lambda x: x.sin().double().float().exp(), determinism_check="none", early_stop=False)


def test_contexts_stand_around_both_runs():
    entered = []

    class Note:
        def __init__(self, name):
            self.name = name

        def __enter__(self):
            entered.append(self.name)

        def __exit__(self, *error):
            entered.append(f"/{self.name}")

    x, _ = leaves(autograd)
    y = checkpoint(deep, x, use_reentrant=False, context_fn=lambda: (Note("first"), Note("second")))
    assert entered == ["first", "/first"]
    y.sum().backward()
    assert entered == ["first", "/first", "second", "/second"]


@pytest.mark.parametrize("reentrant", [True, False])
def test_intermediate_values_are_not_kept(reentrant):
    references = []

    def f(x):
        y = x.sin()
        references.append(weakref.ref(y._array))
        return y.exp().sum()

    x = autograd.ones(1000, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        y = checkpoint(f, x, use_reentrant=reentrant)
        assert references[0]() is None
        y.backward()
        assert references[1]() is None
    finally:
        gc.enable()


def test_nested_checkpoints_keep_the_outer_input_alone():
    references = []

    def inner(x):
        return x.exp()

    def outer(x):
        y = x.sin()
        references.append(weakref.ref(y._array))
        return checkpoint(inner, y, use_reentrant=False).sum()

    x = autograd.ones(1000, requires_grad=True)
    checkpoint(outer, x, use_reentrant=False).backward()
    gc.collect()
    assert references[0]() is None
