"""autograd.forward_ad against torch.autograd.forward_ad: the same program in both libraries."""

import gc
import weakref

import pytest

import autograd
from autograd import forward_ad

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")


def x3(L):
    return L.tensor([1.0, 2.0, 3.0])


def t3(L):
    return L.tensor([1.0, 0.0, -2.0])


def pushed(f):
    """A program: value and tangent of ``f(L, x)``."""

    def program(L):
        fw = L.autograd.forward_ad
        with fw.dual_level():
            dual = fw.make_dual(x3(L), t3(L))
            primal, tangent = fw.unpack_dual(f(L, dual))
            return primal, tangent

    return program


def written(L, x):
    y = x.clone()
    y[0] = x[1] * 2
    y[1:].mul_(3)
    y.exp_()
    return y


def written_over(L, x):
    y = L.ones(3)
    y.copy_(x)
    z = y[1:]
    y.mul_(3)  # not by itself: there PyTorch's tangent is twice the right one
    return z


def no_tangent(L, x):
    return x.detach() * 2


def custom(L, x):
    class Cube(L.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x)
            return x**3

        @staticmethod
        def jvp(ctx, t):
            return 3 * ctx.saved_tensors[0] ** 2 * t

    return Cube.apply(x) * x


FUNCTIONS = {
    "pointwise": lambda L, x: x.sin() * x.exp() / (1 + x),
    "numbers": lambda L, x: 2 - x * 3 + 2**x,
    "broadcast": lambda L, x: x + L.ones(2, 3),
    "promotion": lambda L, x: x * L.ones(3, dtype=L.float64),
    "constant derivative": lambda L, x: x.floor() + x.round(),
    "reduction": lambda L, x: x.softmax(0).sum() * x.var(),
    "matrix": lambda L, x: L.outer(x, x) @ x,
    "several": lambda L, x: x.split([1, 2])[1] * x.unbind()[0],
    "views": lambda L, x: x.view(3, 1).expand(3, 2).t()[1],
    "cat": lambda L, x: L.cat([x, L.ones(2), x * x]),
    "sorting": lambda L, x: (-x).sort()[0] + x.cumsum(0),
    "indexing": lambda L, x: x[L.tensor([2, 2, 0])],
    "written": written,
    "written over": written_over,
    "detached": no_tangent,
    "comparison": lambda L, x: x > 1,
    "solve": lambda L, x: L.linalg.solve(L.outer(x, x) + L.eye(3), x),
    "loss": lambda L, x: L.nn.functional.cross_entropy(x[None], L.tensor([1])),
    "custom": custom,
}


def without_grad(program):
    def in_mode(L):
        with L.no_grad():
            return program(L)

    return in_mode


@pytest.mark.parametrize("mode", ["grad", "no_grad"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_tangents(both, name, mode):
    program = pushed(FUNCTIONS[name])
    outcome = both(program if mode == "grad" else without_grad(program), rtol=1e-4, atol=1e-5)
    assert not (isinstance(outcome, tuple) and outcome[0] == "raised"), outcome


def forward_over_reverse(L):
    fw = L.autograd.forward_ad
    x = x3(L).requires_grad_()
    with fw.dual_level():
        dual = fw.make_dual(x, t3(L))
        (g,) = L.autograd.grad((dual**3).sum() * dual[0], dual, create_graph=True)
        primal, tangent = fw.unpack_dual(g)
        return primal.detach(), tangent.detach()


def reverse_over_forward(L):
    fw = L.autograd.forward_ad
    x, t = x3(L).requires_grad_(), t3(L).requires_grad_()
    with fw.dual_level():
        primal, tangent = fw.unpack_dual(fw.make_dual(x, t).sin() * x)
    return primal, tangent, L.autograd.grad(tangent.sum() + primal.sum(), [x, t])


def captured(L):
    fw = L.autograd.forward_ad
    w = x3(L).requires_grad_()
    with fw.dual_level():
        tangent = fw.unpack_dual((fw.make_dual(x3(L), t3(L)) + w) ** 2).tangent
    return tangent, L.autograd.grad(tangent.sum(), w)


def without_grad_mode(L):
    fw = L.autograd.forward_ad
    with L.no_grad(), fw.dual_level():
        return tuple(fw.unpack_dual(fw.make_dual(x3(L).requires_grad_(), t3(L)) ** 2))


def two_levels_in_turn(L):
    fw = L.autograd.forward_ad
    results = []
    for _ in range(2):
        with fw.dual_level():
            results.append(tuple(fw.unpack_dual(fw.make_dual(x3(L), t3(L)).exp())))
    return results


def by_hand(L):
    fw = L.autograd.forward_ad
    level = fw.enter_dual_level()
    tangent = fw.unpack_dual(fw.make_dual(x3(L), t3(L)) * 2, level=level).tangent
    fw.exit_dual_level(level=level)
    return level, tangent, fw.unpack_dual(x3(L)).tangent


PROGRAMS = {
    "forward over reverse": forward_over_reverse,
    "reverse over forward": reverse_over_forward,
    "captured": captured,
    "without grad mode": without_grad_mode,
    "two levels in turn": two_levels_in_turn,
    "by hand": by_hand,
    "fields": lambda L: L.autograd.forward_ad.UnpackedDualTensor._fields,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs(both, name):
    outcome = both(PROGRAMS[name], rtol=1e-4, atol=1e-5)
    assert not (isinstance(outcome, tuple) and outcome[0] == "raised"), outcome


def inside(f):
    def program(L):
        fw = L.autograd.forward_ad
        with fw.dual_level():
            return f(L, fw)

    return program


def facts(x):
    return x.requires_grad, x.is_leaf, x.grad_fn is None


def dual_of(L, leaf=False):
    return L.autograd.forward_ad.make_dual(x3(L).requires_grad_(leaf), t3(L))


def tangent_of(L, x):
    tangent = L.autograd.forward_ad.unpack_dual(x).tangent
    return None if tangent is None else tangent.clone()  # it is written to where x is


def facts_of_duals(L, fw):
    plain, leaf = dual_of(L), dual_of(L, leaf=True)
    curved = fw.make_dual(x3(L), t3(L).requires_grad_())
    results = [plain, plain * 2, leaf, leaf * leaf, curved, curved * curved, plain > 1, L.addcmul(leaf, plain, plain)]
    seen = [facts(each) for each in results]
    for each in results[:6]:
        primal, tangent = fw.unpack_dual(each)
        seen += [facts(primal), facts(tangent)]
    return seen


def facts_after_the_level(L):
    fw = L.autograd.forward_ad
    with fw.dual_level():
        dual = dual_of(L)
        values = [dual, dual * 2, dual.as_subclass(L.Tensor), *dual.unbind()]
    values += [value * 3 for value in values]
    return [facts(value) for value in values], facts(values[0] * x3(L).requires_grad_())


def no_grad_half_way(L, fw):
    dual = dual_of(L, leaf=True)
    with L.no_grad():
        y = dual * dual
    return facts(y), tangent_of(L, y), tangent_of(L, y * dual)


def inference_around(L, fw):
    with L.inference_mode():
        dual = fw.make_dual(x3(L), t3(L))
        found = [tangent_of(L, y) for y in (dual, dual * 2, x3(L).copy_(dual))]
        with L.inference_mode(False):
            outside = fw.make_dual(L.ones(3), L.ones(3))
            found.append(tangent_of(L, outside))
    return [*found, tangent_of(L, dual), tangent_of(L, outside)]


def inference_half_way(L, fw):
    dual = dual_of(L)
    with L.inference_mode():
        y = dual * dual
    return tangent_of(L, y), tangent_of(L, y * dual), y.is_inference()


def forward_mode_off(L, fw):
    dual = dual_of(L)
    with fw._set_fwd_grad_enabled(False):
        y, seen, enabled = dual * 2, tangent_of(L, dual), fw._is_fwd_grad_enabled()
    return facts(y), tangent_of(L, y), seen, enabled, tangent_of(L, y * dual), fw._is_fwd_grad_enabled()


def requiring_grad_later(L, fw):
    y = (dual_of(L) * 2).requires_grad_()
    (g,) = L.autograd.grad((y * y).sum(), y)
    before = facts(y), tangent_of(L, y)
    return before, facts(y.requires_grad_(False)), tangent_of(L, y), facts(g), tangent_of(L, g)


def gradient_of_a_leaf(L, fw):
    w = x3(L).requires_grad_()
    dual = fw.make_dual(w, t3(L))
    (g,) = L.autograd.grad((dual**3).sum(), w)
    (dual**3).sum().backward()
    return facts(g), g, tangent_of(L, g), w.grad, tangent_of(L, w.grad)


def leaf_written_to(L, fw):
    w, v, dual = x3(L).requires_grad_(), x3(L).requires_grad_(), dual_of(L)
    with L.no_grad():
        w.mul_(dual)
        v[1:].mul_(dual[1:])
    return facts(w), w, tangent_of(L, w), facts(v), v, tangent_of(L, v)


def history_written_over(L, fw):
    w = x3(L).requires_grad_()
    y, z, dual = w * 1, w * 1, dual_of(L)
    y.copy_(dual)
    z[1] = dual[0]
    seen = facts(y), tangent_of(L, y), facts(z), tangent_of(L, z)
    return seen, L.autograd.grad(z.sum() + y.sum(), w)


def history_kept(L, fw):
    w = x3(L).requires_grad_()
    y, dual = w * 1, dual_of(L)
    y.retain_grad()
    with L.no_grad():
        y.mul_(dual)
    y.sum().backward()
    return facts(y), tangent_of(L, y), y.grad, w.grad


def views_written_to(L, fw):
    b, dual = L.ones(3), dual_of(L)
    v, other = b[1:], b[:2]
    v.mul_(dual[1:])
    seen = [facts(b), facts(v), tangent_of(L, b), tangent_of(L, v), tangent_of(L, other)]
    with L.no_grad():
        b.mul_(3)
        inside = b[1:]
        b.mul_(2)
    return [*seen, tangent_of(L, v), tangent_of(L, inside)]


def one_of_several_views_written_to(L, fw):
    with L.no_grad():
        b = dual_of(L) * 1
        first, *_ = b.unbind()
        first.mul_(4.0)
        return tangent_of(L, b), tangent_of(L, first)


def functions(L, fw):
    seen = []

    class Cube(L.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_forward(x)
            ctx.save_for_backward(x)
            seen.append(ctx.needs_input_grad)
            return x**3

        @staticmethod
        def backward(ctx, g):
            return 3 * ctx.saved_tensors[0] ** 2 * g

        @staticmethod
        def jvp(ctx, t):
            return 3 * ctx.saved_tensors[0] ** 2 * t

    for leaf in (False, True):
        dual = dual_of(L, leaf)
        with L.no_grad():
            unrecorded = Cube.apply(dual)
        for y in (Cube.apply(dual), unrecorded):
            seen += [facts(y), tangent_of(L, y), facts(tangent_of(L, y))]
    return seen


def packed(L, fw):
    count = []
    with L.autograd.graph.saved_tensors_hooks(lambda saved: count.append(1) or saved, lambda saved: saved):
        y = dual_of(L).exp() * dual_of(L)
    return tangent_of(L, y), len(count)


def without_jvp(L):
    class Cube(L.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x**3

    return Cube


def decorated(L):
    fw = L.autograd.forward_ad

    @fw.dual_level()
    def f():
        return tangent_of(L, dual_of(L) * 2)

    return f(), f()


WITH_MODES = {
    "facts": inside(facts_of_duals),
    "facts after the level": facts_after_the_level,
    "no_grad half-way": inside(no_grad_half_way),
    "inference around": inside(inference_around),
    "inference half-way": inside(inference_half_way),
    "forward mode off": inside(forward_mode_off),
    "requiring grad later": inside(requiring_grad_later),
    "gradient of a leaf": inside(gradient_of_a_leaf),
    "leaf written to": inside(leaf_written_to),
    "history written over": inside(history_written_over),
    "history kept": inside(history_kept),
    "views written to": inside(views_written_to),
    "one of several views written to": inside(one_of_several_views_written_to),
    "functions": inside(functions),
    "packed": inside(packed),
    "decorated": decorated,
    "numpy": inside(lambda L, fw: dual_of(L).numpy()),
    "printed": inside(lambda L, fw: (repr(dual_of(L)), repr(dual_of(L) * 2))),
}


@pytest.mark.parametrize("name", WITH_MODES)
def test_tangents_do_not_need_gradients(both, name):
    outcome = both(WITH_MODES[name], rtol=1e-4, atol=1e-5)
    assert not (isinstance(outcome, tuple) and outcome[0] == "raised"), outcome


def test_writing_numbers_takes_tangents_away():
    with forward_ad.dual_level(), autograd.no_grad():
        y, z = dual_of(autograd) * 2, dual_of(autograd) * 2
        y[0] = 5.0  # PyTorch's tangent of y becomes that of its part
        z.zero_()
        assert tangent_of(autograd, y).tolist() == [0, 0, -4]
        assert tangent_of(autograd, z).tolist() == tangent_of(autograd, y.normal_()).tolist() == [0, 0, 0]


REFUSED = {
    "no level": lambda L: L.autograd.forward_ad.make_dual(x3(L), t3(L)),
    "exit without a level": lambda L: L.autograd.forward_ad.exit_dual_level(),
    "nested levels": inside(lambda L, fw: fw.enter_dual_level()),
    "another shape": inside(lambda L, fw: fw.make_dual(x3(L), L.ones(2))),
    "integers": inside(lambda L, fw: fw.make_dual(L.tensor([1]), L.ones(1))),
    "integer tangent": inside(lambda L, fw: fw.make_dual(L.ones(1), L.tensor([1]))),
    "twice": inside(lambda L, fw: fw.make_dual(fw.make_dual(x3(L), t3(L)), t3(L))),
    "no tensor": inside(lambda L, fw: fw.unpack_dual(3)),
    "another level": inside(lambda L, fw: fw.exit_dual_level(level=2)),
    "gradient by a dual": inside(lambda L, fw: L.autograd.grad((dual := dual_of(L)).sum(), dual)),
    "hook": inside(lambda L, fw: dual_of(L).register_hook(print)),
    "retain_grad": inside(lambda L, fw: dual_of(L).retain_grad()),
    "out": inside(lambda L, fw: L.mul(dual_of(L), 2, out=L.zeros(3))),
    "out without grad mode": without_grad(inside(lambda L, fw: L.mul(dual_of(L), 2, out=L.zeros(3)))),
    "function without jvp": inside(lambda L, fw: without_jvp(L).apply(dual_of(L))),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert both(REFUSED[name])[0] == "raised"


def test_where_no_gradient_is_asked_for_nothing_is_kept():
    x = autograd.ones(3)
    gc.collect()
    gc.disable()
    try:
        with forward_ad.dual_level():
            y = forward_ad.make_dual(x, autograd.ones(3))
            z = y.exp()
            first = weakref.ref(y)
            del y
            assert first() is None
            assert z._node.edges == ()
        assert z._node is None
    finally:
        gc.enable()


def test_a_level_leaves_nothing_behind():
    x = autograd.ones(1000)
    gc.collect()
    gc.disable()
    try:
        with forward_ad.dual_level():
            y = forward_ad.make_dual(x, autograd.ones(1000)).sin()
            tangent = forward_ad.unpack_dual(y).tangent
            reference = weakref.ref(tangent)
        del tangent, y
        assert reference() is None
    finally:
        gc.enable()
    assert not autograd.graph.is_watched()
    assert autograd.graph.state.push is None


def test_an_error_ends_the_level():
    with pytest.raises(ZeroDivisionError), forward_ad.dual_level():
        raise ZeroDivisionError
    assert forward_ad.enter_dual_level() == 0
    forward_ad.exit_dual_level()


def test_a_level_inside_inference_mode_has_no_tangents(both):
    def program(L):
        fw = L.autograd.forward_ad
        outside = x3(L)
        with L.inference_mode(), fw.dual_level():
            found = []
            for x in (outside, x3(L)):
                dual = fw.make_dual(x, t3(L))
                found += [fw.unpack_dual(y).tangent is None for y in (dual, dual * 2, dual.view(3))]
                found += [dual.is_inference(), dual.tolist()]
        with L.inference_mode():
            return found, [part.tolist() for part in L.func.jvp(L.neg, (outside,), (t3(L),))]

    both(program)
