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


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tangents(both, name):
    outcome = both(pushed(FUNCTIONS[name]), rtol=1e-4, atol=1e-5)
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
            f(L, fw)

    return program


REFUSED = {
    "no level": lambda L: L.autograd.forward_ad.make_dual(x3(L), t3(L)),
    "exit without a level": lambda L: L.autograd.forward_ad.exit_dual_level(),
    "nested levels": inside(lambda L, fw: fw.enter_dual_level()),
    "another shape": inside(lambda L, fw: fw.make_dual(x3(L), L.ones(2))),
    "integers": inside(lambda L, fw: fw.make_dual(L.tensor([1]), L.ones(1))),
    "integer tangent": inside(lambda L, fw: fw.make_dual(L.ones(1), L.tensor([1]))),
    "twice": inside(lambda L, fw: fw.make_dual(fw.make_dual(x3(L), t3(L)), t3(L))),
    "no tensor": inside(lambda L, fw: fw.unpack_dual(3)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert both(REFUSED[name])[0] == "raised"


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
