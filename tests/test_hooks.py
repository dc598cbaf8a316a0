"""Hooks on tensors and nodes, and kept gradients: when they run, in which order, what they see and may change."""

from __future__ import annotations

import gc
import weakref

import pytest

import autograd


def leaf(lib, *values):
    return lib.tensor(list(values), requires_grad=True)


def grad_of(lib):
    return lib.grad if lib is autograd else lib.autograd.grad


def hook_sees_the_complete_gradient(lib):
    x, seen = leaf(lib, 1.0, 2.0), []
    y = x * 3
    y.register_hook(lambda g: seen.append(g.clone()))
    (y * y + y).sum().backward()
    return seen, x.grad


def hook_replaces(lib):
    x = leaf(lib, 1.0, 2.0)
    y = x * 3
    y.register_hook(lambda g: g * 10)
    y.register_hook(lambda g: g + 1)
    y.sum().backward()
    return x.grad


def hook_on_leaf_replaces(lib):
    x = leaf(lib, 1.0, 2.0)
    x.register_hook(lambda g: g * 10)
    (x * x).sum().backward()
    (x * x).sum().backward()
    return x.grad


def hook_removed(lib):
    x, seen = leaf(lib, 1.0), []
    first = x.register_hook(lambda g: seen.append("first"))
    x.register_hook(lambda g: seen.append("second"))
    x.sum().backward()
    first.remove()
    first.remove()
    x.sum().backward()
    return seen


def hook_removes_itself(lib):
    x, seen = leaf(lib, 1.0), []
    handle = x.register_hook(lambda g: (seen.append("once"), handle.remove())[2:] or None)
    x.sum().backward()
    x.sum().backward()
    return seen


def hook_handle_as_context(lib):
    x, seen = leaf(lib, 1.0), []
    with x.register_hook(lambda g: seen.append(1)):
        x.sum().backward()
    x.sum().backward()
    return seen


def hook_on_constant(lib):
    lib.ones(1).register_hook(lambda g: g)


def hook_returns_no_tensor(lib):
    x = leaf(lib, 1.0)
    x.register_hook(lambda g: 3)
    x.sum().backward()


def hook_changes_shape(lib):
    x = leaf(lib, 1.0)
    x.register_hook(lambda g: lib.ones(2))
    x.sum().backward()


def hook_raises(lib):
    def refuse(g):
        raise KeyError("refused")

    x = leaf(lib, 1.0)
    x.register_hook(refuse)
    x.sum().backward()


def hook_with_grad(lib):
    x = leaf(lib, 2.0)
    y = x * x
    y.register_hook(lambda g: g * 5)
    return grad_of(lib)(y.sum(), x), grad_of(lib)((y * 2).sum(), y)


def hook_of_the_asked_input(lib):
    x = leaf(lib, 2.0)
    x.register_hook(lambda g: g * 5)
    return grad_of(lib)((x * x).sum(), x)


def hook_in_create_graph(lib):
    x = leaf(lib, 2.0)
    y = x * x
    y.register_hook(lambda g: g * x)
    (g,) = grad_of(lib)(y.sum(), x, create_graph=True)
    return g.detach(), grad_of(lib)(g.sum(), x)


def hook_is_not_recorded(lib):
    x, seen = leaf(lib, 2.0), []
    x.register_hook(lambda g: seen.append((lib.is_grad_enabled(), g.requires_grad)))
    (x * x).sum().backward()
    grad_of(lib)((x * x).sum(), x, create_graph=True)
    return seen


def retain_grad_keeps_the_last(lib):
    x = leaf(lib, 1.0, 2.0)
    y = x * 2
    before = y.retains_grad
    y.retain_grad()
    y.retain_grad()
    z = (y * y).sum()
    z.backward(retain_graph=True)
    first = y.grad.clone()
    z.backward()
    return before, y.retains_grad, first, y.grad, x.grad


def retain_grad_sees_earlier_and_later_hooks(lib):
    x = leaf(lib, 1.0)
    y = x * 2
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    y.register_hook(lambda g: g * 100)
    y.sum().backward()
    return y.grad, x.grad


def retain_grad_after_write(lib):
    x = leaf(lib, 1.0, 2.0)
    y = x * 2
    y.retain_grad()
    y.mul_(3)
    y.sum().backward()
    return y.grad, x.grad


def retain_grad_on_leaf_and_constant(lib):
    x = leaf(lib, 1.0)
    x.retain_grad()
    kept = x.retains_grad
    try:
        lib.ones(1).retain_grad()
    except RuntimeError:
        return kept, "refused"


def retain_grad_in_no_grad(lib):
    x = leaf(lib, 1.0)
    with lib.no_grad():
        y = x * 2
    y.retain_grad()


def hook_on_output_before_write(lib):
    x, seen = leaf(lib, 1.0, 2.0), []
    y = x * 2
    y.register_hook(lambda g: seen.append(g.clone()))
    y.mul_(3)
    y.register_hook(lambda g: seen.append(g.clone()))
    y.sum().backward()
    return seen


def post_accumulate(lib):
    x, seen = leaf(lib, 1.0), []
    x.register_hook(lambda g: seen.append("tensor hook"))
    x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.clone())))
    handle = x.register_post_accumulate_grad_hook(lambda p: seen.append("removed later"))
    (x * x).sum().backward()
    handle.remove()
    (x * x).sum().backward()
    return seen


def post_accumulate_takes_the_gradient(lib):
    x = leaf(lib, 1.0)

    def step(p):
        with lib.no_grad():
            p -= 0.1 * p.grad
        p.grad = None

    x.register_post_accumulate_grad_hook(step)
    (x * x).sum().backward()
    return x, x.grad


def post_accumulate_on_non_leaf(lib):
    (leaf(lib, 1.0) * 2).register_post_accumulate_grad_hook(print)


def post_accumulate_not_in_grad(lib):
    x, seen = leaf(lib, 1.0), []
    x.register_post_accumulate_grad_hook(lambda p: seen.append(1))
    grad_of(lib)((x * x).sum(), x)
    return seen


def node_hooks(lib):
    x, seen = leaf(lib, 1.0, 2.0), []
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(("hook", inputs[0].clone(), outputs[0].clone())))
    y.grad_fn.register_prehook(lambda outputs: seen.append(("prehook", outputs[0].clone())))
    (y * y).sum().backward()
    return seen


def node_hook_replaces(lib):
    x = leaf(lib, 1.0, 2.0)
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 7, *inputs[1:]))
    y.grad_fn.register_prehook(lambda outputs: (outputs[0] + 1,))
    y.sum().backward()
    return x.grad


def node_hooks_removed(lib):
    x, seen = leaf(lib, 1.0), []
    y = x * 3
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append(1)).remove()
    y.grad_fn.register_prehook(lambda outputs: seen.append(2)).remove()
    y.sum().backward()
    return seen


def node_hook_with_two_inputs(lib):
    x, w, seen = leaf(lib, 2.0), leaf(lib, 5.0), []
    y = x * w
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append([g.clone() for g in inputs]))
    y.sum().backward()
    return seen


def order_of_all(lib):
    x, seen = leaf(lib, 1.0), []
    y = x * 3
    y.register_hook(lambda g: seen.append("tensor"))
    y.grad_fn.register_prehook(lambda outputs: seen.append("pre"))
    y.grad_fn.register_hook(lambda inputs, outputs: seen.append("node"))
    y.register_hook(lambda g: seen.append("second tensor"))
    x.register_hook(lambda g: seen.append("leaf"))
    x.register_post_accumulate_grad_hook(lambda p: seen.append("post"))
    y.sum().backward()
    return seen


PROGRAMS = [
    value
    for name, value in list(globals().items())
    if getattr(value, "__module__", "") == __name__ and getattr(value, "__code__", None) and name != "grad_of"
    and value.__code__.co_varnames[: value.__code__.co_argcount] == ("lib",)
]  # fmt: skip


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_like_torch(both, program):
    both(program)


def test_grad_of_a_non_leaf_warns_and_names_retain_grad():
    y = autograd.ones(1, requires_grad=True) * 2
    with pytest.warns(UserWarning, match=r"retain_grad\(\)"):
        assert y.grad is None


def test_next_functions_walk_to_the_leaves(torch):
    def walk(node):
        return (
            [type(node).__name__ if node is None else node.name(), [walk(n) for n, _ in node.next_functions]]
            if node
            else None
        )

    def program(lib):
        x, w = lib.ones(2, 3, requires_grad=True), lib.ones(3, requires_grad=True)
        return walk(((x * w).sum(0) + x[0]).exp().grad_fn)

    assert program(autograd) == program(torch)


def test_accumulate_grad_node_knows_its_variable():
    x = autograd.ones(2, requires_grad=True)
    ((node, number),) = x.exp().grad_fn.next_functions
    assert (node.name(), number) == ("torch::autograd::AccumulateGrad", 0)
    assert node.variable is x


def test_hooks_make_no_reference_cycle():
    gc.collect()
    gc.disable()
    try:
        x = autograd.ones(2, requires_grad=True)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 2)
        x.register_post_accumulate_grad_hook(lambda p: None)
        y.sum().backward()
        watched = [weakref.ref(x), weakref.ref(y)]
        del x, y
        assert [ref() for ref in watched] == [None, None]
    finally:
        gc.enable()
