"""Hooks on saved tensors and on several gradients, gradient edges: against torch.autograd.graph."""

import gc
import weakref

import pytest

import autograd
from autograd import graph


def leaves(L):
    return L.tensor([1.0, 2.0, 3.0], requires_grad=True), L.tensor([0.5, 1.0, 2.0], requires_grad=True)


def packed(L, how):
    x, w = leaves(L)
    pairs = {
        "arrays": (lambda t: t.numpy().copy(), lambda v: L.tensor(v)),
        "themselves": (lambda t: t, lambda t: t),
        "half": (lambda t: t.half(), lambda t: t.float()),
        "numbers": (lambda t: 3, lambda v: 3),
        "in place": (lambda t: t.mul_(2), lambda t: t),
    }
    pack, unpack = pairs.get(how, pairs["arrays"])
    with L.autograd.graph.saved_tensors_hooks(pack, unpack):
        y = (x * w).sin()
        if how == "written":
            y = y * 1
            y.exp_()
            y.mul_(w)
            y[0] = 3
        z = L.cat([y, y]).softmax(0) * L.outer(x, w).reshape(-1)[:6]
        a, b = (z.view(2, 3) @ w).split(1)
    if how == "recorded pass":
        (g,) = L.autograd.grad((a * b).sum(), x, create_graph=True)
        return g, L.autograd.grad(g.sum(), [x, w])
    (a * b).sum().backward()
    return x.grad, w.grad


def counts(L):
    """How many tensors some operators save."""
    x, _ = leaves(L)
    results = []
    for f in (
        lambda x: x * x,
        lambda x: x.exp(),
        lambda x: x.sin(),
        lambda x: x + 1,
        lambda x: x @ x,
        lambda x: x.sum(),
        lambda x: x.softmax(0),
        lambda x: x.relu(),
        lambda x: x.pow(3),
        lambda x: x / x,
    ):
        calls = []
        with L.autograd.graph.saved_tensors_hooks(lambda t, calls=calls: calls.append(1) or t, lambda t: t):
            f(x)
        results.append(len(calls))
    return results


def innermost(L):
    x, _ = leaves(L)
    log = []
    hooks = L.autograd.graph.saved_tensors_hooks
    with hooks(lambda t: log.append("outer") or t, lambda t: t):
        x.exp()
        with hooks(lambda t: log.append("inner") or t, lambda t: t):
            x.exp()
        x.exp()
    x.exp()
    return log


def disabled(L):
    with L.autograd.graph.disable_saved_tensors_hooks("not here"), L.autograd.graph.saved_tensors_hooks(id, id):
        pass


def saved_on_cpu(L):
    x, _ = leaves(L)
    with L.autograd.graph.save_on_cpu():
        y = x.exp() * x
    y.sum().backward()
    return x.grad


def mutated(L, inside=True):
    x = L.tensor([1.0, 2.0], requires_grad=True)
    with L.autograd.graph.allow_mutation_on_saved_tensors():
        y = x.sin()
        z = y * y
        y.mul_(3)
        w = z.exp()
        z.zero_()
        if inside:
            w.sum().backward()
    if not inside:
        w.sum().backward()
    return x.grad


def several(L, mode, part=False):
    log = []
    a, b, c, d = (L.tensor([float(i)], requires_grad=True) for i in range(1, 5))
    handle = L.autograd.graph.register_multi_grad_hook([a, b, c, d], lambda g: log.append(g), mode=mode)
    y = (a * b).sum() + c.sum()
    if part:
        y.backward(inputs=[a, b])
    else:
        y.backward()
    (a * b * c * d).sum().backward()
    handle.remove()
    (a * b).sum().backward()
    return log if mode == "all" else len(log)


def edges(L):
    x = L.tensor([1.0, 2.0], requires_grad=True)
    y = x * 3
    z = (y * y).sum()
    edge, of_leaf = map(L.autograd.graph.get_gradient_edge, (y, x))
    a, b = (x * 2).split(1)
    second = L.autograd.graph.get_gradient_edge(b)
    gradients = L.autograd.grad(z, [edge, of_leaf], retain_graph=True)
    through = L.autograd.grad(edge, x, grad_outputs=L.ones(2))
    return gradients, edge.output_nr, second.output_nr, through, L.autograd.grad((a * b).sum(), second)


def attributes(L):
    x, w = leaves(L)
    y = x.exp()
    y.sum().backward(retain_graph=True)
    product, power = x * w, x**3
    return (
        y.grad_fn._saved_result,
        product.grad_fn._saved_self,
        product.grad_fn._saved_other,
        power.grad_fn._saved_self,
        x.softmax(0).grad_fn._saved_dim % 3,
        hasattr((x + w).grad_fn, "_saved_self"),
    )


def freed_attribute(L):
    y = leaves(L)[0].exp()
    y.sum().backward()
    return y.grad_fn._saved_result


def counted(L):
    x = L.ones(2)
    L.autograd.graph.increment_version(x)
    L.autograd.graph.increment_version([x, x])
    return x._version


PROGRAMS = {
    **{f"packed {how}": lambda L, how=how: packed(L, how) for how in ("arrays", "themselves", "written")},
    "recorded pass": lambda L: packed(L, "recorded pass"),
    "half": lambda L: packed(L, "half"),
    "counts": counts,
    "innermost": innermost,
    "save_on_cpu": saved_on_cpu,
    "mutated": mutated,
    "all gradients": lambda L: several(L, "all"),
    "all gradients of a part": lambda L: several(L, "all", part=True),
    "any gradient": lambda L: several(L, "any"),
    "edges": edges,
    "versions": counted,
    "attributes": attributes,
}
REFUSED = {
    "number unpacked": lambda L: packed(L, "numbers"),
    "packed in place": lambda L: packed(L, "in place"),
    "disabled": disabled,
    "freed attribute": freed_attribute,
    "mutated outside": lambda L: mutated(L, inside=False),
    "mode": lambda L: several(L, "some"),
    "edge of a constant": lambda L: L.autograd.graph.get_gradient_edge(L.ones(2)),
    "hook on a constant": lambda L: L.autograd.graph.register_multi_grad_hook([L.ones(2)], print),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(both, name):
    outcome = both(PROGRAMS[name], rtol=2e-3 if name == "half" else 1e-5)
    assert not (isinstance(outcome, tuple) and outcome[0] == "raised"), outcome


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert both(REFUSED[name])[0] == "raised"


def test_hooks_see_every_kind_of_row():
    """With hooks that hand values on, gradients are those without."""
    x = autograd.rand(4, 3, requires_grad=True)
    weight = autograd.rand(2, 3, requires_grad=True)

    def f():
        y = autograd.nn.functional.linear(x, weight).relu()
        a, b = y.unbind(1)
        return (autograd.stack([a, b]).max(1).values * y.std() + autograd.einsum("ij,ij->", y, y)).sum()

    expected = autograd.grad(f(), [x, weight])
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = f()
    for ours, want in zip(autograd.grad(y, [x, weight]), expected, strict=True):
        autograd.testing.assert_close(ours, want)


def test_what_is_packed_dies_with_the_graph():
    class Package:
        def __init__(self, tensor):
            self.tensor = tensor

    packages = []

    def pack(tensor):
        package = Package(tensor)
        packages.append(weakref.ref(package))
        return package

    x = autograd.ones(3, requires_grad=True)
    gc.collect()
    gc.disable()
    try:
        with graph.saved_tensors_hooks(pack, lambda package: package.tensor):
            y, z = x.exp(), x.exp().sum()
        assert packages[0]() is not None
        del y
        assert packages[0]() is None
        z.backward()
        assert packages[1]() is None
    finally:
        gc.enable()


def test_short_paths_come_back_behind_the_hooks():
    x = autograd.ones(3, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        assert graph.is_watched()
        x.exp()
    assert not graph.is_watched()
    assert isinstance(x.exp().grad_fn.saved, tuple)
