"""autograd.functional against torch.autograd.functional: every option, on functions of one tensor and of several."""

import itertools

import pytest

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning"),
]


def x3(L):
    return L.tensor([1.0, 2.0, 3.0])


def leaf(L):
    return x3(L).requires_grad_()


# function, inputs, v (for vjp and jvp)
PRODUCTS = {
    "vector": (lambda L, x: x * x.sum(), x3, x3),
    "several": (lambda L, x, y: (x * y, y.sum()), lambda L: (x3(L), x3(L) * 2), lambda L: (x3(L), x3(L))),
    "several out": (lambda L, x, y: (x * y, y.sum()), lambda L: (x3(L), x3(L)), lambda L: (x3(L), L.tensor(2.0))),
    "constant": (lambda L, x: L.ones(3), x3, x3),
    "detached": (lambda L, x: x.detach(), x3, x3),
    "identity": (lambda L, x: x, x3, x3),
    "one element out": (lambda L, x: x.sum(), x3, lambda L: None),
    "one element": (lambda L, x: x * 2, lambda L: L.tensor([2.0]), lambda L: None),
    "no v": (lambda L, x: x * 2, x3, lambda L: None),
    "v of another shape": (lambda L, x: x * 2, x3, lambda L: L.ones(2)),
    "v of two": (lambda L, x: x * 2, x3, lambda L: (x3(L), x3(L))),
    "one v for two": (lambda L, x, y: x * x, lambda L: (x3(L), x3(L)), x3),
    "unused": (lambda L, x, y: x * x, lambda L: (x3(L), x3(L)), lambda L: (x3(L), x3(L))),
    "number out": (lambda L, x: 3, x3, x3),
    "number beside": (lambda L, x: (x, 3), x3, x3),
    "number in": (lambda L, x: x, lambda L: 3, lambda L: None),
    "leaf": (lambda L, x: x * 2, leaf, x3),
    "leaves": (lambda L, x: x * x, leaf, leaf),
}
SCALARS = {
    "cubic": (lambda L, x: (x**3).sum() * x[0], x3, x3),
    "several": (lambda L, x, y: (x * y * y).sum(), lambda L: (x3(L), x3(L) * 2), lambda L: (x3(L), x3(L))),
    "linear": (lambda L, x: x.sum(), x3, x3),
    "constant": (lambda L, x: L.tensor(3.0), x3, x3),
    "vector": (lambda L, x: x, x3, x3),
    "tuple": (lambda L, x: (x.sum(),), x3, x3),
    "number": (lambda L, x: x**3, lambda L: L.tensor(3.0), lambda L: None),
    "unused": (lambda L, x, y: (x**2).sum(), lambda L: (x3(L), x3(L)), lambda L: (x3(L), x3(L))),
    "leaf": (lambda L, x: (x**3).sum(), leaf, x3),
    "partly linear": (lambda L, x, y: (x**2).sum() + y.sum(), lambda L: (x3(L), x3(L)), lambda L: (x3(L), x3(L))),
}


@pytest.mark.parametrize(("create_graph", "strict"), list(itertools.product([False, True], repeat=2)))
@pytest.mark.parametrize("name", ["vjp", "jvp", "vhp", "hvp"])
def test_products(both, name, create_graph, strict):
    for label, (f, inputs, v) in (PRODUCTS if name in ("vjp", "jvp") else SCALARS).items():

        def program(L, f=f, inputs=inputs, v=v):
            function = getattr(L.autograd.functional, name)
            return function(lambda *x: f(L, *x), inputs(L), v(L), create_graph=create_graph, strict=strict)

        both(program, label=label)


JACOBIANS = {
    "vector": (lambda L, x: x * x.sum(), x3),
    "several": (lambda L, x, y: (x * y, y.sum()), lambda L: (x3(L), x3(L) * 2)),
    "constant": (lambda L, x: L.ones(2), x3),
    "tuple": (lambda L, x: (x * 2,), x3),
    "scalar": (lambda L, x: x.sum(), leaf),
    "matrix": (lambda L, x: L.outer(x, x), x3),
    "number": (lambda L, x: 3, x3),
    "number in": (lambda L, x: x, lambda L: [x3(L)]),
}
HESSIANS = {
    "product": (lambda L, x: (x * x.sum()).prod(), x3),
    "several": (lambda L, x, y: (x * x * y * y * y).sum(), lambda L: (x3(L), x3(L)[:2].sum() * 2)),
    "constant": (lambda L, x: L.ones(1), x3),
    "tuple": (lambda L, x: (x.sum(),), x3),
    "vector": (lambda L, x: x * 2, lambda L: (x3(L),)),
    "linear": (lambda L, x: x.sum(), x3),
    "one element": (lambda L, x: (x**3).sum().reshape(1), x3),
}
OPTIONS = [
    {"create_graph": c, "strict": s, "vectorize": v, "strategy": strategy}
    for c, s, v in itertools.product([False, True], repeat=3)
    for strategy in ("reverse-mode", "forward-mode", "sideways")
]


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_jacobian(both, options):
    for label, (f, inputs) in JACOBIANS.items():

        def program(L, f=f, inputs=inputs):
            result = L.autograd.functional.jacobian(lambda *x: f(L, *x), inputs(L), **options)
            return detached(result)

        both(program, label=label)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_hessian(both, options):
    options = dict(options)
    strategy = options.pop("strategy")
    for label, (f, inputs) in HESSIANS.items():

        def program(L, f=f, inputs=inputs):
            function = L.autograd.functional.hessian
            return detached(function(lambda *x: f(L, *x), inputs(L), outer_jacobian_strategy=strategy, **options))

        both(program, label=label)


def detached(value):
    """Values alone: PyTorch says of constant blocks sometimes that they require grad, and sometimes gives lists."""
    return tuple(map(detached, value)) if isinstance(value, (tuple, list)) else value.detach()


@pytest.mark.parametrize("vectorize", [False, True])
def test_a_recorded_jacobian_can_be_differentiated(both, vectorize):
    def program(L):
        x = leaf(L)
        jacobian = L.autograd.functional.jacobian(lambda x: x**3, x, create_graph=True, vectorize=vectorize)
        return jacobian, L.autograd.grad(jacobian.sum(), x)

    both(program)


def test_gradients_reach_what_made_the_inputs(both):
    def program(L):
        w = leaf(L)
        outputs, product = L.autograd.functional.hvp(lambda x: (x**3).sum(), w * 2, x3(L), create_graph=True)
        return outputs, product, L.autograd.grad(product.sum() + outputs, w)

    both(program)
