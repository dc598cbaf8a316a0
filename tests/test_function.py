"""Operators of the user's own, against torch.autograd.Function: the same program in both libraries."""

import gc
import weakref

import pytest

import autograd
from autograd import Function


def leaf(L, *values):
    return L.tensor(list(values) or [1.0, 2.0, 3.0], requires_grad=True)


def make(L, forward, backward=None, **more):
    """A `Function` of static methods."""
    methods = {"forward": forward, "backward": backward, **more}
    methods = {name: staticmethod(m) if callable(m) else m for name, m in methods.items() if m is not None}
    return type("Mine", (L.autograd.Function,), methods)


def exponential(L):
    def forward(ctx, x):
        result = x.exp()
        ctx.save_for_backward(result)
        return result

    def backward(ctx, g):
        (result,) = ctx.saved_tensors
        return g * result

    x = leaf(L)
    y = make(L, forward, backward).apply(x)
    (g,) = L.autograd.grad(y.sum(), x, create_graph=True)
    return y, y.grad_fn.name(), g, L.autograd.grad(g.sum(), x)


def several_outputs(L):
    def forward(ctx, x, k, unused=None):
        ctx.save_for_backward(x)
        ctx.k = k
        return x * k, x * x, x > 1, "text", None

    def backward(ctx, a, b, *rest):
        (x,) = ctx.saved_tensors
        return a * ctx.k + b * 2 * x, None, None

    f = make(L, forward, backward)
    results = []
    for choose in (lambda a, b: a + b, lambda a, b: a, lambda a, b: b):
        x = leaf(L)
        a, b, mask, text, nothing = f.apply(x, 3.0)
        choose(a, b).sum().backward()
        results.append((a, b, mask, text, nothing, x.grad, a.output_nr, b.output_nr, mask.requires_grad))
    return results


def no_materialization(L):
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 2, x * 3

    def backward(ctx, a, b):
        seen.append((a is None, b is None))
        return a * 2

    x = leaf(L)
    make(L, forward, backward).apply(x)[0].sum().backward()
    return seen, x.grad


def non_differentiable(L):
    def forward(ctx, x):
        mask = x * 2
        ctx.mark_non_differentiable(mask)
        return x * 3, mask

    def backward(ctx, g, none):
        return g * 3

    x = leaf(L)
    y, mask = make(L, forward, backward).apply(x)
    y.sum().backward()
    return y, mask, x.grad


def dirty(L, on_view=False):
    def forward(ctx, x):
        x.mul_(2)
        ctx.mark_dirty(x)
        return x

    x = leaf(L)
    y = x * 1
    target = y[1:] if on_view else y
    result = make(L, forward, lambda ctx, g: g * 2).apply(target)
    (y * y).sum().backward()
    return result is target, y, x.grad


def hands_on_its_input(L):
    x = leaf(L)
    y = make(L, lambda ctx, x: x, lambda ctx, g: g * 5).apply(x)
    y.sum().backward()
    return y is x, y, x.grad


def setup_context(L):
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y, g * x, None

    x, y = leaf(L), leaf(L, 3.0, 4.0, 5.0)
    f = make(L, lambda x, y, k: x * y * k, backward, setup_context=setup_context)
    z = f.apply(x, y, 1)
    (g,) = L.autograd.grad(z.sum(), x, create_graph=True)
    return z, z.grad_fn.needs_input_grad, g, L.autograd.grad(g.sum(), [x, y], allow_unused=True)


def needs_input_grad(L):
    seen = []

    def backward(ctx, g):
        seen.append(ctx.needs_input_grad)
        return g, None, g

    f = make(L, lambda ctx, x, y, z: x + y + z, backward)
    x = leaf(L)
    f.apply(x, 2.0, x.detach()).sum().backward()
    return seen, x.grad


def extra_gradients(L):
    x = leaf(L)
    make(L, lambda ctx, x: x * 2, lambda ctx, g: (g * 2, None, None)).apply(x).sum().backward()
    return x.grad


def broadcast_gradient(L):
    x = leaf(L, 2.0)
    make(L, lambda ctx, x: x * L.ones(3), lambda ctx, g: g.double()).apply(x).sum().backward()
    return x.grad


def without_recording(L):
    f = make(L, lambda ctx, x: x * 2, lambda ctx, g: g)
    with L.no_grad():
        return f.apply(leaf(L)), f.apply(L.ones(2))


def inside_no_grad(L):
    seen = []

    def forward(ctx, x):
        seen.append((L.is_grad_enabled(), (x * 2).requires_grad))
        return x * 2

    def backward(ctx, g):
        seen.append(L.is_grad_enabled())
        return g

    x = leaf(L)
    y = make(L, forward, backward).apply(x)
    L.autograd.grad(y.sum(), x, retain_graph=True)
    L.autograd.grad(y.sum(), x, create_graph=True)
    return seen


def once(L):
    backward = L.autograd.function.once_differentiable(lambda ctx, g: g * ctx.saved_tensors[0])

    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x / 2

    x = leaf(L)
    y = make(L, forward, backward).apply(x)
    (plain,) = L.autograd.grad(y.sum(), x, retain_graph=True)
    (g,) = L.autograd.grad(y.sum(), x, create_graph=True)
    return plain, g.requires_grad, g.sum().backward()


def with_vjp(L):
    x = leaf(L)
    make(L, lambda ctx, x: x * 2, vjp=lambda ctx, g: g * 2).apply(x).sum().backward()
    return x.grad


def forward_mode(L):
    def forward(ctx, x, y, k):
        ctx.save_for_forward(x, y)
        return x * y * k, x + y

    def jvp(ctx, tx, ty, tk):
        x, y = ctx.saved_tensors
        return tx * y * 2 + x * ty * 2, tx + ty

    f = make(L, forward, jvp=jvp)
    fw = L.autograd.forward_ad
    with fw.dual_level():
        x, y = (fw.make_dual(L.tensor([1.0, 2.0]) * k, L.tensor([1.0, 1.0])) for k in (1, 3))
        return [tuple(fw.unpack_dual(out)) for out in f.apply(x, y, 2)]


def batched(L, **more):
    f = make(
        L,
        lambda x, k: x * x * k,
        lambda ctx, g: (2 * ctx.saved_tensors[0] * g * 3, None),
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]),
        **more,
    )
    x = L.tensor([[1.0, 2.0], [3.0, 4.0]])
    return L.vmap(lambda x: f.apply(x, 3))(x), L.vmap(L.func.grad(lambda x: f.apply(x, 3).sum()))(x)


def own_vmap(L):
    seen = []

    def vmap(info, in_dims, x, k):
        seen.append((info.batch_size, info.randomness, in_dims))
        return x.movedim(in_dims[0], 0) * k, 0

    f = make(L, lambda x, k: x * k, lambda ctx, g: (g, None), setup_context=lambda ctx, i, o: None, vmap=vmap)
    return L.vmap(lambda x: f.apply(x, 3))(L.tensor([[1.0, 2.0], [3.0, 4.0]])), seen


PROGRAMS = {
    "exponential": exponential,
    "several outputs": several_outputs,
    "no materialization": no_materialization,
    "non-differentiable": non_differentiable,
    "dirty": dirty,
    "dirty view": lambda L: dirty(L, on_view=True),
    "hands on its input": hands_on_its_input,
    "setup_context": setup_context,
    "needs_input_grad": needs_input_grad,
    "extra gradients": extra_gradients,
    "broadcast gradient": broadcast_gradient,
    "without recording": without_recording,
    "inside no_grad": inside_no_grad,
    "vjp": with_vjp,
    "forward mode": forward_mode,
    "generated vmap": lambda L: batched(L, generate_vmap_rule=True),
    "own vmap": own_vmap,
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(both, name):
    outcome = both(PROGRAMS[name])
    assert not (isinstance(outcome, tuple) and outcome[0] == "raised"), outcome


def applied(L, forward, backward=None, *args, **more):
    x = leaf(L)
    y = make(L, forward, backward, **more).apply(x, *args)
    return L.autograd.grad(y.sum(), x)


def written_after_saving(L):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    x = leaf(L) * 1
    y = make(L, forward, lambda ctx, g: g * 2 * ctx.saved_tensors[0]).apply(x)
    x.add_(1)
    y.sum().backward()


def second_pass(L):
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    y = make(L, forward, lambda ctx, g: g * 2 * ctx.saved_tensors[0]).apply(leaf(L))
    y.sum().backward()
    y.sum().backward()


def dirty_leaf(L):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.mul_(2)

    return make(L, forward, lambda ctx, g: g).apply(leaf(L))


def forgotten_dirty(L):
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x + 1

    return make(L, forward, lambda ctx, g: g).apply(leaf(L) * 1)


def no_jvp(L):
    f = make(L, lambda ctx, x: x * 2, lambda ctx, g: g)
    with L.autograd.forward_ad.dual_level():
        return f.apply(L.autograd.forward_ad.make_dual(L.ones(2), L.ones(2)))


REFUSED = {
    "too many gradients": lambda L: applied(L, lambda ctx, x: x * 2, lambda ctx, g: (g, g)),
    "too few gradients": lambda L: applied(L, lambda ctx, x, y: x * 2, lambda ctx, g: g, 2),
    "gradient of a number": lambda L: applied(L, lambda ctx, x, y: x * 2, lambda ctx, g: (g, g), 2),
    "gradient of another shape": lambda L: applied(L, lambda ctx, x: x * 2, lambda ctx, g: L.ones(5)),
    "gradient that is a number": lambda L: applied(L, lambda ctx, x: x * 2, lambda ctx, g: 2.0),
    "no backward": lambda L: applied(L, lambda ctx, x: x * 2),
    "no forward": lambda L: make(L, None).apply(leaf(L)),
    "backward and vjp": lambda L: applied(L, lambda ctx, x: x * 2, lambda ctx, g: g, vjp=lambda ctx, g: g),
    "saved number": lambda L: applied(L, lambda ctx, x: ctx.save_for_backward(3), lambda ctx, g: g),
    "written after saving": written_after_saving,
    "second pass": second_pass,
    "dirty leaf": dirty_leaf,
    "forgotten dirty": forgotten_dirty,
    "once differentiable": once,
    "no jvp": no_jvp,
    "no vmap": batched,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert both(REFUSED[name])[0] == "raised"


def test_instances_are_discouraged():
    with pytest.warns(DeprecationWarning, match="should not be instantiated"):
        instance = Function()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        instance(autograd.ones(2))


class Square(Function):
    @staticmethod
    def forward(ctx, x):
        result = x * x
        ctx.save_for_backward(x, result)
        return result

    @staticmethod
    def backward(ctx, g):
        x, _ = ctx.saved_tensors
        return 2 * x * g


def test_gradcheck():
    x = autograd.tensor([1.0, -2.0], dtype=autograd.float64, requires_grad=True)
    assert autograd.gradcheck(Square.apply, x)
    assert autograd.gradgradcheck(Square.apply, x)


def test_dies_by_reference_counting():
    gc.collect()
    gc.disable()
    try:
        x = autograd.ones(3, requires_grad=True)
        y = Square.apply(x)
        node, memory = weakref.ref(y.grad_fn), weakref.ref(y)
        del y
        assert node() is None
        assert memory() is None
    finally:
        gc.enable()


def test_saved_inputs_are_the_tensors_themselves():
    x = autograd.ones(3, requires_grad=True)
    y = Square.apply(x)
    assert y.grad_fn.saved_tensors[0] is x
    assert y.grad_fn.next_functions[0][0].variable is x


def test_passes_saved_tensors_through_hooks():
    packed = []
    x = autograd.tensor([3.0], requires_grad=True)
    with autograd.graph.saved_tensors_hooks(lambda t: packed.append(t.tolist()) or t + 1, lambda t: t - 1):
        y = Square.apply(x)
    y.backward()
    assert packed == [[3.0], [9.0]]
    assert x.grad.tolist() == [6.0]


def test_anomaly_mode_names_the_line():
    def backward(ctx, g):
        raise ValueError("wrong")

    with autograd.detect_anomaly():
        y = make(autograd, lambda ctx, x: x * 2, backward).apply(leaf(autograd))
    with pytest.raises(ValueError, match="MineBackward was recorded at"):
        y.sum().backward()
