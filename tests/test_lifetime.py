"""How long things live and how long they take: no recursion, no cycles, no growth, linear cost."""

from __future__ import annotations

import gc
import sys
import time
import weakref
from contextlib import contextmanager

import numpy as np
import pytest

import autograd
from autograd import Value


@contextmanager
def no_collector():
    """Inside, only reference counts free anything."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def low_recursion_limit(extra=150):
    """Inside, anything that recurses along the graph fails at once."""
    before, depth, frame = sys.getrecursionlimit(), 0, sys._getframe()
    while frame is not None:
        depth, frame = depth + 1, frame.f_back
    sys.setrecursionlimit(depth + extra)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


# --- Depth ---------------------------------------------------------------------------------------------------------


def chain_of_writes(x, n):
    x = x.clone()
    for _ in range(n):
        x.mul_(1.0)
    return x


CHAINS = {
    "unary": lambda x, n: chain(x, n, lambda y: -y),
    "binary": lambda x, n: chain(x, n, lambda y: y * 1.0),
    "two inputs": lambda x, n: chain(x, n, lambda y: y + x),
    "saved": lambda x, n: chain(x, n, lambda y: y.sin()),
    "reduction": lambda x, n: chain(x, n, lambda y: y.sum(0, keepdim=True)),
    "several outputs": lambda x, n: chain(x, n, lambda y: y.split(1)[0]),
    "copies": lambda x, n: chain(x, n, lambda y: y.clone()),
    "writes": chain_of_writes,
}


def chain(x, n, step):
    for _ in range(n):
        x = step(x)
    return x


@pytest.mark.parametrize("kind", CHAINS)
def test_deep_chains_run_and_are_released_without_recursion(kind):
    x = autograd.ones(1, requires_grad=True)
    with low_recursion_limit():
        y = CHAINS[kind](x, 20_000).sum()
        y.backward()
        del y
        y = CHAINS[kind](x, 20_000).sum()  # dropped without a backward pass
        del y
        autograd.grad(CHAINS[kind](x, 2_000).sum(), x, retain_graph=True)
    assert np.isfinite(x.grad.item())


def test_200000_nodes():
    x = autograd.ones(1, requires_grad=True)
    with low_recursion_limit():
        y = chain(x, 200_000, lambda y: y * 1.0)
        y.backward()
        del y
        assert x.grad.item() == 1.0
        y = chain(x, 200_000, lambda y: y.sin())
        del y


@pytest.mark.slow
def test_a_million_nodes():
    x = autograd.ones(1, requires_grad=True)
    with low_recursion_limit(), no_collector():
        y = chain(x, 1_000_000, lambda y: y + x)
        y.backward()
        assert x.grad.item() == 1_000_001
        last = weakref.ref(y.grad_fn)
        del y
        assert last() is None


def test_a_deep_graph_of_gradients():
    x = autograd.ones(1, requires_grad=True)
    with low_recursion_limit():
        (g,) = autograd.grad(chain(x, 3_000, lambda y: y.sin()).sum(), x, create_graph=True)
        g.sum().backward()
        del g
    assert np.isfinite(x.grad.item())


def test_deep_value_chains():
    x = Value(0.5)
    with low_recursion_limit():
        y = chain(x, 50_000, lambda y: y * 0.9999 + x * 0.0001)
        y.backward()
        del y
    assert 0.9 < x.grad < 1.1


def test_a_wide_graph_of_many_leaves():
    leaves = [autograd.ones(1, requires_grad=True) for _ in range(20_000)]
    with low_recursion_limit():
        autograd.stack(leaves).sum().backward()
    assert all(leaf.grad.item() == 1 for leaf in leaves)


# --- Cost ----------------------------------------------------------------------------------------------------------


def seconds(run, repeats=3):
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
    return best


LINEAR = {
    "chain": lambda n: CHAINS["two inputs"](autograd.ones(1, requires_grad=True), n).sum().backward(),
    "fan": lambda n: fan(n).backward(),
    "ladder": lambda n: ladder(n).backward(),
    "writes": lambda n: CHAINS["writes"](autograd.ones(1, requires_grad=True), n).sum().backward(),
    "writes through a view": lambda n: writes_through_a_view(n).backward(),
    "unbind": lambda n: sum(autograd.ones(n, requires_grad=True).unbind()).backward(),
}


def fan(n):
    x = autograd.ones(1, requires_grad=True)
    y = x * 2
    total = y * 0
    for _ in range(n):
        total = total + y
    return total.sum()


def ladder(n):
    a = b = autograd.ones(1, requires_grad=True)
    for _ in range(n // 2):
        a, b = (a + b) * 0.5, (a - b) * 0.5
    return (a + b).sum()


def writes_through_a_view(n):
    x = autograd.ones(2, requires_grad=True).clone()
    for i in range(n):
        x[i % 2].mul_(1.0)
    return x.sum()


@pytest.mark.parametrize("kind", LINEAR)
def test_cost_is_linear(kind):
    run = LINEAR[kind]
    run(100)
    small, large = seconds(lambda: run(500)), seconds(lambda: run(5_000), repeats=2)
    assert large < 40 * small + 0.05, f"10 times the nodes took {large / small:.0f} times as long"


# --- Lifetime ------------------------------------------------------------------------------------------------------


def test_an_intermediate_nobody_saved_dies_at_once():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        y = x + 1
        array, tensor = weakref.ref(y._array), weakref.ref(y)
        z = y + 2
        del y
        assert tensor() is None
        assert array() is None
        z.sum().backward()


def test_a_saved_array_lives_until_its_rule_ran():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        y = x + 1
        tensor, array = weakref.ref(y), weakref.ref(y._array)
        z = (y * y).sum()
        del y
        assert tensor() is None, "edges must point to nodes, not tensors"
        assert array() is not None, "the product needs its operands"
        z.backward()
        assert array() is None, "backward must free what was saved, although the root is alive"


def test_retain_graph_keeps_saved_arrays_as_long_as_the_graph():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        y = x + 1
        array = weakref.ref(y._array)
        z = (y * y).sum()
        del y
        z.backward(retain_graph=True)
        assert array() is not None
        del z
        assert array() is None


def test_nodes_die_with_the_last_tensor():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        y = x.exp()
        z = (y * 2).sum()
        nodes = [weakref.ref(y.grad_fn), weakref.ref(z.grad_fn)]
        del y
        assert nodes[0]() is not None
        del z
        assert [node() for node in nodes] == [None, None]


def test_the_backward_pass_frees_while_it_goes():
    freed = []
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        arrays = []
        y = x
        for i in range(5):
            y = y * 1.0
            y = y.exp() * 0.1
            arrays.append(weakref.ref(y._array))
            if i == 0:
                y.register_hook(lambda g: freed.append([array() is None for array in arrays]))
        y = y.sin().sum()
        y.backward()
    assert freed[0][1:] == [True] * 4


def test_a_leaf_and_its_gradient_are_no_cycle():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        (x * x).sum().backward()
        watched = weakref.ref(x), weakref.ref(x.grad), weakref.ref(x.grad._array)
        del x
        assert [ref() for ref in watched] == [None] * 3


def test_a_view_keeps_its_base_and_nothing_else_does():
    with no_collector():
        base = autograd.ones(4)
        watched = weakref.ref(base)
        view = base[:2]
        del base
        assert watched() is not None
        del view
        assert watched() is None


def test_writes_through_views_make_no_cycle():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        y = x * 2
        y[:2].mul_(3)
        y[0] = x[1]
        y.view(2, 2)[1].exp_()
        watched = weakref.ref(y), weakref.ref(y.grad_fn)
        y.sum().backward()
        del y
        assert [ref() for ref in watched] == [None, None]


def test_an_error_in_the_backward_pass_leaves_no_cycle():
    with no_collector():
        x = autograd.ones(4, requires_grad=True)
        y = x.exp()
        watched = weakref.ref(y.grad_fn)
        with pytest.raises(RuntimeError) as caught:
            y.backward()
        del y, caught
        assert watched() is None


def small_model():
    generator = np.random.default_rng(0)
    weights = [autograd.tensor(generator.normal(size=s), dtype=autograd.float32) for s in [(3, 8), (8,), (8, 2)]]
    data = autograd.tensor(generator.normal(size=(16, 3)), dtype=autograd.float32)
    return [w.requires_grad_() for w in weights], data


def training_step(weights, data):
    w, b, v = weights
    hidden = data @ w + b
    hidden[:, 0].mul_(2)
    hidden = hidden.relu()
    loss = ((hidden @ v).softmax(1)[:, 0].log().mean() - hidden.max(1)[0].sum() * 1e-3) ** 2
    loss.backward()
    with autograd.no_grad():
        for weight in weights:
            weight -= 0.01 * weight.grad
            weight.grad = None
    return loss.item()


def second_order_step(weights, data):
    w, b, v = weights
    loss = (((data @ w + b).tanh() @ v) ** 2).mean()
    grads = autograd.grad(loss, weights, create_graph=True)
    (loss + sum((g * g).sum() for g in grads)).backward()
    for weight in weights:
        weight.grad = None


@pytest.mark.parametrize("step", [training_step, second_order_step])
def test_a_training_step_leaves_nothing_for_the_collector(step):
    weights, data = small_model()
    step(weights, data)
    with no_collector():
        for _ in range(3):
            step(weights, data)
        assert gc.collect() == 0


@pytest.mark.parametrize("step", [training_step, second_order_step])
def test_training_does_not_grow(step):
    weights, data = small_model()
    for _ in range(50):
        step(weights, data)
    with no_collector():
        before = len(gc.get_objects())
        for _ in range(1000 if step is training_step else 200):
            step(weights, data)
        after = len(gc.get_objects())
    assert after - before < 20


def test_values_leave_nothing_for_the_collector():
    def step():
        x, y = Value(2.0), Value(3.0)
        z = (x * y + x.tanh()) ** 2
        z.backward()
        return z.data

    step()
    with no_collector():
        step()
        assert gc.collect() == 0


def test_accumulation_reuses_its_buffer():
    x = autograd.ones(1000, requires_grad=True)
    (x * x).sum().backward()
    array = x.grad._array
    (x * x).sum().backward()
    assert x.grad._array is array


def test_a_long_loop_under_no_grad_keeps_no_history():
    with no_collector(), autograd.no_grad():
        x = autograd.ones(4)
        first = weakref.ref(x._array)
        for _ in range(10):
            x = x * 2
        assert first() is None
        assert x.grad_fn is None
