"""The graph: backward and grad with all their options, accumulation, errors. PyTorch is the oracle."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd.graph import Leaf, Node, run_backward, topological_order

# --- backward() and grad() -----------------------------------------------------------------------------------------


def leaf(lib, *values, dtype="float32"):
    return lib.tensor(list(values), dtype=getattr(lib, dtype), requires_grad=True)


def grad_of(lib):
    return lib.grad if lib is autograd else lib.autograd.grad


def backward_of(lib):
    return lib.backward if lib is autograd else lib.autograd.backward


def diamond(lib):
    x = leaf(lib, 0.3, -1.2)
    a = x * 2
    b, c = a.sin(), a * a
    (b * c + a).sum().backward()
    return x.grad


def wide_diamond(lib):
    x = leaf(lib, 0.5)
    y = x
    for _ in range(20):
        y = y + y * y * 0.1
    y.sum().backward()
    return x.grad


def accumulates(lib):
    x = leaf(lib, 1.0, 2.0)
    grads = []
    for factor in (1.0, 3.0):
        (x * factor).sum().backward()
        grads.append(x.grad.clone())
    return grads


def accumulates_in_place(lib):
    x = leaf(lib, 1.0, 2.0)
    (x * x).sum().backward()
    first = x.grad
    (x * x).sum().backward()
    return first is x.grad, first


def same_tensor_twice(lib):
    x = leaf(lib, 1.5, -2.0)
    (x * x + x / x + x - x).sum().backward()
    return x.grad


def retain_graph(lib):
    x = leaf(lib, 1.0, 2.0)
    y = (x.exp() * x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return x.grad


def second_pass_through_freed(lib):
    x = leaf(lib, 1.0)
    y = x.exp().sum()
    y.backward()
    y.backward()


def second_pass_without_saved_values(lib):
    x = leaf(lib, 1.0)
    y = (x + x).sum()
    y.backward()
    y.backward()
    return x.grad


def shared_part_freed(lib):
    x = leaf(lib, 1.0)
    shared = x.exp()
    shared.sum().backward()
    (shared * 2).sum().backward()


def create_graph(lib):
    x = leaf(lib, 1.0, 2.0, dtype="float64")
    results = []
    y = (x**4).sum()
    for _ in range(4):
        (g,) = grad_of(lib)(y, x, create_graph=True)
        results.append(g)
        y = g.sum()
    return [(r.detach(), r.requires_grad) for r in results]


def create_graph_through_backward(lib):
    import warnings

    x = leaf(lib, 2.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (x**3).sum().backward(create_graph=True)
    g = x.grad
    requires, has_history = g.requires_grad, g.grad_fn is not None
    x.grad = None
    g.sum().backward()
    return requires, has_history, x.grad


def create_graph_keeps_saved(lib):
    x = leaf(lib, 2.0)
    y = (x**3).sum()
    grad_of(lib)(y, x, create_graph=True)
    y.backward()
    return x.grad


def create_graph_without_retain(lib):
    x = leaf(lib, 2.0)
    y = (x**3).sum()
    grad_of(lib)(y, x, create_graph=True, retain_graph=False)
    y.backward()


def gradient_argument(lib):
    x = leaf(lib, 1.0, 2.0, 3.0)
    (x * x).backward(lib.tensor([1.0, 0.0, -2.0]))
    return x.grad


def gradient_as_input_of_second_order(lib):
    x, v = leaf(lib, 1.0, 2.0), leaf(lib, 0.5, -1.0)
    (g,) = grad_of(lib)(x.exp(), x, grad_outputs=v, create_graph=True)
    return grad_of(lib)(g.sum(), (x, v))


def several_roots(lib):
    x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0)
    a, b = (x * x).sum(), y * x
    backward_of(lib)([a, b], [None, lib.tensor([1.0, 10.0])])
    return x.grad, y.grad


def same_root_twice(lib):
    x = leaf(lib, 2.0)
    y = (x * x).sum()
    backward_of(lib)([y, y])
    return x.grad


def same_root_twice_beside_another(lib):
    x = leaf(lib, 2.0)
    y = x * x
    z, w = y * 2, y * 3
    return grad_of(lib)([z, z, w, z], x, grad_outputs=[lib.ones(1)] * 4), grad_of(lib)([w, z, z], y, [lib.ones(1)] * 3)


def root_inside_other_root(lib):
    x = leaf(lib, 2.0)
    y = x * x
    z = y * 3
    return grad_of(lib)([z, y], x, grad_outputs=[lib.ones(1), lib.ones(1)])


def root_is_a_leaf(lib):
    x = leaf(lib, 2.0)
    x.backward()
    return x.grad, grad_of(lib)(x, x)


def grad_of_intermediate(lib):
    x = leaf(lib, 1.0, 2.0)
    y = x * 2
    z = (y * y).sum()
    return grad_of(lib)(z, [x, y])


def grad_of_input_twice(lib):
    x = leaf(lib, 1.0)
    return grad_of(lib)((x * x).sum(), [x, x])


def grad_through_given_intermediate(lib):
    x = leaf(lib, 1.0)
    y = x * 2
    z = y.exp() * x
    return grad_of(lib)(z.sum(), [y, x])


def grad_leaves_grad_alone(lib):
    x, w = leaf(lib, 1.0), leaf(lib, 2.0)
    g = grad_of(lib)((x * w).sum(), x)
    return g, x.grad, w.grad


def unused(lib):
    x, y = leaf(lib, 1.0), leaf(lib, 1.0)
    return grad_of(lib)((x * 2).sum(), [x, y])


def unused_allowed(lib):
    x, y = leaf(lib, 1.0), leaf(lib, 1.0)
    return grad_of(lib)((x * 2).sum(), [x, y], allow_unused=True)


def unused_materialized(lib):
    x, y = leaf(lib, 1.0), leaf(lib, 1.0, 2.0)
    return grad_of(lib)((x * 2).sum(), [x, y], materialize_grads=True)


def materialize_against_allow_unused(lib):
    x = leaf(lib, 1.0)
    return grad_of(lib)((x * 2).sum(), [x], allow_unused=False, materialize_grads=True)


def inputs_of_backward(lib):
    x, w = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0)
    (x * w).sum().backward(inputs=[w])
    return x.grad, w.grad


def inputs_one_tensor(lib):
    x, w = leaf(lib, 1.0), leaf(lib, 3.0)
    (x * w).sum().backward(inputs=x)
    return x.grad, w.grad


def inputs_empty(lib):
    x = leaf(lib, 1.0)
    (x * x).sum().backward(inputs=[])


def inputs_intermediate(lib):
    x = leaf(lib, 1.0)
    y = x * 3
    y.retain_grad()
    (y * y).sum().backward(inputs=[y])
    return x.grad, y.grad


def no_inputs(lib):
    x = leaf(lib, 1.0)
    grad_of(lib)((x * x).sum(), [])


def non_scalar(lib):
    (leaf(lib, 1.0, 2.0) * 2).backward()


def one_element_of_two_dimensions(lib):
    x = lib.ones(1, 1, requires_grad=True)
    (x * 2).backward()
    return x.grad


def wrong_gradient_shape(lib):
    (leaf(lib, 1.0, 2.0) * 2).backward(lib.ones(3))


def gradient_of_wrong_type(lib):
    (leaf(lib, 1.0) * 2).backward(2.0)


def gradients_too_few(lib):
    x = leaf(lib, 1.0)
    backward_of(lib)([x * 2, x * 3], [lib.ones(1)])


def nothing_requires_grad(lib):
    lib.ones(1).sum().backward()


def input_does_not_require_grad(lib):
    x, y = leaf(lib, 1.0), lib.ones(1)
    grad_of(lib)((x * y).sum(), y)


def saved_input_changed(lib):
    x, y = leaf(lib, 1.0), lib.ones(1)
    z = x * y
    y.add_(1)
    z.sum().backward()


def saved_output_changed(lib):
    x = leaf(lib, 1.0)
    y = x.exp()
    y.mul_(2)
    y.sum().backward()


def unsaved_input_changed(lib):
    x = leaf(lib, 1.0)
    y = x * 2
    z = y + 1
    y.mul_(5)
    z.sum().backward()
    return x.grad


def saved_through_view_changed(lib):
    x, y = leaf(lib, 1.0, 2.0), lib.ones(2)
    z = x * y
    y[0] = 4
    z.sum().backward()


def saved_through_data_changed(lib):
    x, y = leaf(lib, 1.0), lib.ones(1)
    z = x * y
    y.data.add_(1)
    z.sum().backward()
    return x.grad


def saved_through_detach_changed(lib):
    x, y = leaf(lib, 1.0), lib.ones(1)
    z = x * y
    y.detach().add_(1)
    z.sum().backward()


def broadcasting(lib):
    x, y, s = lib.ones(3, 1, requires_grad=True), leaf(lib, 1.0, 2.0), lib.tensor(2.0, requires_grad=True)
    (x * y + s / x).sum().backward()
    return x.grad, y.grad, s.grad


def promoted(lib):
    x, y = leaf(lib, 1.0, 2.0), leaf(lib, 3.0, 4.0, dtype="float64")
    z = x * y
    z.sum().backward()
    return z.detach(), x.grad, y.grad


def gradient_is_cast(lib):
    x = leaf(lib, 1.0, 2.0)
    x.double().sum().backward()
    return x.grad


def through_several_outputs(lib):
    x = leaf(lib, 1.0, 2.0, 3.0)
    a, b, c = x.unbind()
    (a * b).backward()
    return x.grad


def through_one_of_several_outputs(lib):
    x = lib.ones(4, 2, requires_grad=True)
    first, second = x.split(2)
    (second * 3).sum().backward()
    return x.grad, grad_of(lib)((x.chunk(2)[0] ** 2).sum(), x)


def max_with_indices(lib):
    x = lib.tensor([[1.0, 3.0], [5.0, 2.0]], requires_grad=True)
    values, indices = x.max(1)
    values.sum().backward()
    return values.detach(), indices, x.grad


def grad_none_in_the_middle(lib):
    x = leaf(lib, 1.0)
    (x.sign() + x.round()).sum().backward()
    return x.grad


def detached_branch(lib):
    x = leaf(lib, 2.0)
    (x * x.detach()).sum().backward()
    return x.grad


PROGRAMS = [
    value
    for name, value in list(globals().items())
    if callable(value)
    and getattr(value, "__module__", "") == __name__
    and getattr(value, "__code__", None)
    and value.__code__.co_varnames[: value.__code__.co_argcount] == ("lib",)
    and not name.endswith("_of")
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_like_torch(both, program):
    both(program)


def test_recording_a_pass_into_grad_warns_of_the_cycle():
    x = autograd.ones(1, requires_grad=True)
    with pytest.warns(UserWarning, match="reference cycle"):
        (x**3).sum().backward(create_graph=True)


def test_errors_name_the_remedy():
    x = autograd.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"scalar.*\[2\]"):
        x.backward()
    y = x.exp().sum()
    y.backward()
    with pytest.raises(RuntimeError, match="ExpBackward0.*retain_graph=True"):
        y.backward()
    a, b = autograd.ones(2, requires_grad=True), autograd.ones(2)
    c = a * b
    b += 1
    with pytest.raises(RuntimeError, match=r"argument 'other' of shape \[2\] that MulBackward0 saved is at version 1"):
        c.sum().backward()
    with pytest.raises(RuntimeError, match="allow_unused=True"):
        autograd.grad(x.sum(), a)


def test_a_failed_check_leaves_grads_and_saved_values_alone():
    x = autograd.ones(2, requires_grad=True)
    y = x.exp()
    with pytest.raises(RuntimeError):
        y.backward()
    with pytest.raises(RuntimeError):
        y.backward(autograd.ones(3))
    assert x.grad is None
    y.sum().backward()
    assert x.grad is not None


def test_grad_arrays_belong_to_one_tensor_each():
    x = autograd.ones(3, requires_grad=True)
    y = autograd.ones(3, requires_grad=True)
    seed = autograd.ones(3)
    (x + y).backward(seed)
    x.grad.mul_(5)
    assert seed.tolist() == [1, 1, 1]
    assert y.grad.tolist() == [1, 1, 1]
    a, b = autograd.grad((x + y).sum(), (x, y))
    a.zero_()
    assert b.tolist() == [1, 1, 1]


def test_a_gradient_that_is_an_expanded_view_is_writable():
    x = autograd.ones(2, 3, requires_grad=True)
    x.sum().backward()
    x.grad.add_(autograd.ones(2, 3))
    (g,) = autograd.grad(x.sum(), x)
    g.add_(1)
    assert x.grad.tolist() == g.tolist() == [[2.0] * 3] * 2


# --- The graph without tensors -------------------------------------------------------------------------------------


class Times(Node):
    def __init__(self, factor, *edges):
        super().__init__(edges)
        self.factor = factor

    def vjp(self, g):
        return [g * self.factor] * len(self.edges)


def test_the_graph_works_on_any_numbers():
    x, y = Leaf(), Leaf()
    shared = Times(2, x, y)
    root = Times(10, shared, x)
    assert run_backward([root], [1.0]) == []
    assert (x.grad, y.grad) == (30.0, 20.0)
    assert run_backward([root], [1.0], inputs=[shared, y], accumulate=False) == [10.0, 20.0]
    assert (x.grad, y.grad) == (30.0, 20.0)


def test_topological_order_visits_each_node_once_and_before_its_causes():
    rng = np.random.default_rng(0)
    for _ in range(50):
        nodes = []
        for _ in range(40):
            causes = rng.choice(len(nodes), size=rng.integers(0, 4)) if nodes else []
            nodes.append(Times(1, *(nodes[i] for i in causes)))
        roots = [nodes[i] for i in rng.integers(0, 40, size=3)]
        order = list(topological_order([*roots, roots[0]]))
        place = {node: i for i, node in enumerate(order)}
        assert len(place) == len(order)
        assert set(roots) <= place.keys()
        for node in order:
            assert all(place[edge] > place[node] for edge in node.edges)


def test_a_node_without_a_rule_says_so():
    with pytest.raises(NotImplementedError, match="Node has no gradient rule"):
        run_backward([Node((Leaf(),))], [1.0])
