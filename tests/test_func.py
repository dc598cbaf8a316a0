"""autograd.func against torch.func: the same program in both libraries."""

import numpy as np
import pytest

import autograd
from autograd import func

# PyTorch's forward mode and linearize warn of their own code.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Attempted to insert a get_attr Node"),
]


def raised(outcome):
    return isinstance(outcome, tuple) and outcome[0] == "raised"


def x3(L):
    return L.tensor([1.0, 2.0, 3.0])


def waves(L, *shape):
    return (L.arange(int(np.prod(shape))).float().reshape(*shape) * 0.37).sin()


def captured(L):
    w = x3(L).requires_grad_()
    result = L.func.grad(lambda x: (x * w).sum() * w[0])(x3(L))
    return result, L.autograd.grad(result.sum(), w)


def of_a_leaf(L):
    w = x3(L).requires_grad_()
    gradient, value = L.func.grad_and_value(lambda x: (x * x * x).sum())(w)
    return gradient, value, L.autograd.grad(gradient.sum() + value, w)


def without_grad_mode(L):
    with L.no_grad():
        return L.func.grad(lambda x: (x * x * x).sum())(x3(L).requires_grad_())


def half_without_grad_mode(L):
    def f(x):
        with L.no_grad():
            c = x * x
        return (x * c).sum()

    return L.func.grad(f)(x3(L))


def writes_to_its_input(L):
    def f(x):
        y = x * 1
        y[0] = 2 * x[1]
        y[1:].add_(x[0])
        return (y.mul_(3) * x).sum()

    return L.func.grad(f)(x3(L)), L.func.jvp(f, (x3(L),), (x3(L),))


def twice(L):
    output, pullback = L.func.vjp(lambda x: x * x, x3(L))
    return output, pullback(x3(L)), pullback(x3(L) * 2)


def nested_structures(L):
    output, pullback = L.func.vjp(lambda x, y: {"a": x * y, "b": [x]}, x3(L), x3(L))
    return output, pullback({"a": x3(L), "b": [x3(L)]})


def with_aux(L):
    output, pullback, aux = L.func.vjp(lambda x: (x * x, {"z": x + 1}), x3(L), has_aux=True)
    return output, pullback(x3(L)), aux


def linear(L):
    output, push = L.func.linearize(lambda x: x.sin() * x.sum(), x3(L))
    return output, push(x3(L)), push(x3(L) * 3)


def perturbations(L):
    one, three = L.tensor(1.0), L.tensor(3.0)
    forward = L.func.jvp(lambda x: x * L.func.jvp(lambda y: x * y, (one,), (one,))[1], (three,), (one,))
    backward = L.func.grad(lambda x: x * L.func.grad(lambda y: x * y)(one))(three)
    return forward, backward


DERIVATIVES = {
    "grad": lambda L: L.func.grad(lambda x: (x * x).sum())(x3(L)),
    "grad of a dict": lambda L: L.func.grad(lambda d: d["a"].sum() * 2)({"a": x3(L), "b": x3(L)[:2]}),
    "grad by several": lambda L: L.func.grad(lambda x, k, y: (x * y).sum() * k, argnums=(0, -1))(x3(L), 2, x3(L)),
    "grad with aux": lambda L: L.func.grad(lambda x: (x.sum(), x * 2), has_aux=True)(x3(L)),
    "grad and value with aux": lambda L: L.func.grad_and_value(lambda x: (x.sum(), [x]), has_aux=True)(x3(L)),
    "grad of a constant": lambda L: L.func.grad(lambda x: x.detach().sum())(x3(L)),
    "third grad": lambda L: L.func.grad(L.func.grad(L.func.grad(lambda x: x.sin())))(L.tensor(2.0)),
    "captured": captured,
    "of a leaf": of_a_leaf,
    "without grad mode": without_grad_mode,
    "half without grad mode": half_without_grad_mode,
    "writes": writes_to_its_input,
    "vjp twice": twice,
    "vjp of structures": nested_structures,
    "vjp with aux": with_aux,
    "linearize": linear,
    "perturbations": perturbations,
    "jvp": lambda L: L.func.jvp(lambda x: x @ x.outer(x), (x3(L),), (x3(L),)),
    "jvp of structures": lambda L: L.func.jvp(lambda d: [d["a"] * d["b"]], ({"a": x3(L), "b": x3(L)},), ({"a": x3(L), "b": x3(L)},)),  # noqa: E501
    "jvp with aux": lambda L: L.func.jvp(lambda x: (x * x, x + 1), (x3(L),), (x3(L),), has_aux=True),
    "jvp of a constant": lambda L: L.func.jvp(lambda x: L.ones(2), (x3(L),), (x3(L),)),
    "jvp of integers": lambda L: L.func.jvp(lambda x: x > 2, (x3(L),), (x3(L),)),
    "forward over reverse": lambda L: L.func.jvp(L.func.grad(lambda x: (x**3).sum() * x[0]), (x3(L),), (x3(L),)),
    "reverse over forward": lambda L: L.func.grad(lambda x: L.func.jvp(lambda x: (x**3).sum() * x[0], (x,), (x3(L),))[1])(x3(L)),  # noqa: E501
    "jacrev": lambda L: L.func.jacrev(lambda x, y: (x[:2] * y.sum(), {"s": y.prod()}), argnums=(0, 1))(x3(L), waves(L, 2)),  # noqa: E501
    "jacfwd": lambda L: L.func.jacfwd(lambda x, y: (x[:2] * y.sum(), {"s": y.prod()}), argnums=(0, 1))(x3(L), waves(L, 2)),  # noqa: E501
    "jacrev with aux": lambda L: L.func.jacrev(lambda x: (x * x, x + 1), has_aux=True, chunk_size=2)(x3(L)),
    "jacfwd with aux": lambda L: L.func.jacfwd(lambda x: (x * x, x + 1), has_aux=True)(x3(L)),
    "jacrev of numbers": lambda L: L.func.jacrev(lambda x: x.exp())(L.tensor(1.0)),
    "jacfwd of matrices": lambda L: L.func.jacfwd(lambda x: x @ x.T)(waves(L, 2, 3)),
    "hessian": lambda L: L.func.hessian(lambda x: (x * x.sum()).prod())(x3(L)),
    "hessian by several": lambda L: L.func.hessian(lambda x, y: (x * y).sum() ** 2, argnums=(0, 1))(x3(L), x3(L)),
    "reverse over reverse": lambda L: L.func.jacrev(L.func.jacrev(lambda x: (x * x.sum()).prod()))(x3(L)),
    "forward over forward": lambda L: L.func.jacfwd(L.func.jacfwd(lambda x: (x * x.sum()).prod()))(x3(L)),
    "third derivative": lambda L: L.func.jacfwd(L.func.hessian(lambda x: (x.sin() * x.sum()).sum()))(x3(L)),
    "hvp of a hessian": lambda L: L.func.jvp(L.func.hessian(lambda x: (x**4).sum()), (x3(L),), (x3(L),)),
}  # fmt: skip


ASKING_OUTSIDE = ("captured", "of a leaf")  # for a gradient of what the transform gave


@pytest.mark.parametrize("mode", ["enable_grad", "no_grad"])
@pytest.mark.parametrize("name", DERIVATIVES)
def test_derivatives(both, name, mode):
    def program(L):
        with getattr(L, mode)():
            return DERIVATIVES[name](L)

    outcome = both(program, rtol=1e-4, atol=1e-5)
    assert raised(outcome) == (mode == "no_grad" and name in ASKING_OUTSIDE), outcome


def partly(mode):
    """``x -> (x * x) * x``, the first product in another mode."""

    def program_of(transform):
        def program(L):
            def f(x):
                with getattr(L, mode)():
                    c = x * x
                return c * x

            return transform(L, f)

        return program

    return program_of


def pushed(L, f):
    return L.func.jvp(f, (x3(L),), (x3(L),))


FORWARD_IN_MODES = {
    "no_grad": partly("no_grad")(pushed),
    "inference": partly("inference_mode")(pushed),
    "around": lambda L: L.inference_mode()(lambda: pushed(L, lambda x: x.sin() * x))(),
    "twice": partly("no_grad")(lambda L, f: pushed(L, lambda x: pushed(L, f)[1])),
    "jacfwd": partly("no_grad")(lambda L, f: L.func.jacfwd(f)(x3(L))),
    "jvp of vmap": partly("no_grad")(lambda L, f: pushed(L, L.vmap(f))),
    "vmap of jvp": partly("no_grad")(lambda L, f: L.vmap(lambda x: L.func.jvp(f, (x,), (x,)))(waves(L, 2, 3))),
    "grad of jvp": partly("no_grad")(lambda L, f: L.func.grad(lambda x: L.func.jvp(f, (x,), (x3(L),))[1].sum())(x3(L))),
    "jvp of grad": lambda L: pushed(L, L.no_grad()(L.func.grad(lambda x: (x**3).sum()))),
    "captured": partly("no_grad")(lambda L, f: pushed(L, lambda x, w=x3(L).requires_grad_(): f(x * w))),
}


@pytest.mark.parametrize("name", FORWARD_IN_MODES)
def test_forward_mode_does_not_need_grad_mode(both, name):
    assert not raised(both(FORWARD_IN_MODES[name], rtol=1e-4, atol=1e-5))


REFUSED = {
    "grad of a vector": lambda L: L.func.grad(lambda x: x)(x3(L)),
    "grad of a number": lambda L: L.func.grad(lambda x: 3)(x3(L)),
    "grad by a missing argument": lambda L: L.func.grad(lambda x: x.sum(), argnums=1)(x3(L)),
    "grad by integers": lambda L: L.func.grad(lambda x: x.sum())(L.tensor([1, 2])),
    "grad by a float": lambda L: L.func.grad(lambda x: x.sum())(3.0),
    "grad without aux": lambda L: L.func.grad(lambda x: x.sum(), has_aux=True)(x3(L)),
    "argnums twice": lambda L: L.func.jacrev(lambda x: x, argnums=(0, 0))(x3(L)),
    "input written to": lambda L: L.func.grad(lambda x: x.mul_(2).sum())(x3(L)),
    "no argnums": lambda L: L.func.jacrev(lambda x: x, argnums=())(x3(L)),
    "argnums of letters": lambda L: L.func.jacrev(lambda x: x, argnums="a")(x3(L)),
    "jacrev of a float": lambda L: L.func.jacrev(lambda x: 3.0)(x3(L)),
    "jacrev of integers": lambda L: L.func.jacrev(lambda x: x > 1)(x3(L)),
    "vjp of another shape": lambda L: L.func.vjp(lambda x: x * 2, x3(L))[1](L.ones(2)),
    "vjp of another structure": lambda L: L.func.vjp(lambda x: (x, x), x3(L))[1](x3(L)),
    "jvp of no tuple": lambda L: L.func.jvp(lambda x: x, x3(L), x3(L)),
    "jvp of another shape": lambda L: L.func.jvp(lambda x: x, (x3(L),), (L.ones(2),)),
    "jvp of another structure": lambda L: L.func.jvp(lambda x: x, (x3(L),), (x3(L), x3(L))),
    "jvp of nothing": lambda L: L.func.jvp(lambda: L.ones(2), (), ()),
    "jvp of a number": lambda L: L.func.jvp(lambda x: 3, (x3(L),), (x3(L),)),
    "strict jvp": lambda L: L.func.jvp(lambda x: L.ones(2), (x3(L),), (x3(L),), strict=True),
    "functionalize": lambda L: L.func.functionalize(lambda x: x, remove="all"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(both, name):
    assert raised(both(REFUSED[name]))


# --- vmap ----------------------------------------------------------------------------------------------------------

# Functions of two vectors, each run four ways.
EXAMPLES = {
    "promotion": lambda L, x, y: x + y.double(),
    "promotion of numbers": lambda L, x, y: x.sum() * L.ones(2, dtype=L.float64),
    "integer division": lambda L, x, y: (x * 10).int() / 3,
    "where": lambda L, x, y: L.where(x > y, x, 0.0),
    "comparison": lambda L, x, y: x < y.sum(),
    "stack": lambda L, x, y: L.stack([x, L.ones(3), y]),
    "cat": lambda L, x, y: L.cat([x, L.ones(2), y], -1),
    "outer": lambda L, x, y: L.outer(x, y),
    "vector times matrix": lambda L, x, y: x @ L.ones(3, 2),
    "matrix times vector": lambda L, x, y: L.ones(2, 3) @ x,
    "batched matrix": lambda L, x, y: L.outer(x, y) @ y,
    "einsum": lambda L, x, y: L.einsum("i,j,ij->j", x, y, L.ones(3, 3)),
    "index tensor": lambda L, x, y: x[L.tensor([2, 0])],
    "mask": lambda L, x, y: x[L.tensor([True, False, True])],
    "slices": lambda L, x, y: x[..., None, 1:],
    "number": lambda L, x, y: x[-1],
    "batched index": lambda L, x, y: x[y.argsort()],
    "gather": lambda L, x, y: x.gather(0, y.argsort()),
    "masked_fill": lambda L, x, y: x.masked_fill(y > 0, 7.0),
    "moments": lambda L, x, y: (x.var(), x.std(0, keepdim=True), x.norm(), x.logsumexp(0), x.prod()),
    "reductions": lambda L, x, y: (L.outer(x, y).sum(-1, keepdim=True), L.outer(x, y).mean((0, 1)), (x > 0).any()),
    "largest": lambda L, x, y: (x.max(0).values, x.max(), x.argmax(), x.sort()[0], x.topk(2)[1]),
    "copies": lambda L, x, y: (x.flip(0), x.roll(1, 0), x.repeat(2, 2), x.expand(4, 3)),
    "views": lambda L, x, y: (x.view(3, 1), L.outer(x, y).reshape(-1), L.outer(x, y).T, x[:1].squeeze(0)),
    "parts": lambda L, x, y: (x.unbind(), x.split(2), x.chunk(2)),
    "diagonals": lambda L, x, y: (L.outer(x, y).diagonal(), L.outer(x, y).tril(), L.outer(x, y).triu(1)),
    "new tensors": lambda L, x, y: L.zeros_like(x) + x.new_ones(3) + L.ones(3),
    "facts": lambda L, x, y: x * x.shape[0] * x.numel() * x.dim() * x.size(-1) * len(x),
    "softmax": lambda L, x, y: (x.softmax(-1), x.log_softmax(0), x.cumsum(-1)),
    "losses": lambda L, x, y: L.nn.functional.mse_loss(x, y) + L.nn.functional.cross_entropy(x, y.softmax(0)),
    "numbers": lambda L, x, y: (x.sum() + 1, 1 - x, 2**x, x.clamp(-0.1, 0.1)),
    "constant": lambda L, x, y: L.ones(2),
    "iteration": lambda L, x, y: sum(v for v in x),
    "conversion": lambda L, x, y: x.to(L.float64),
    "determinant": lambda L, x, y: L.linalg.det(L.outer(x, y) + L.eye(3)),
    "padding": lambda L, x, y: L.nn.functional.pad(x, (1, 2)),
    "addmm": lambda L, x, y: L.addmm(L.outer(x, y), L.outer(x, y), L.ones(3, 3)),
    "item": lambda L, x, y: x * x.sum().item(),
    "control flow": lambda L, x, y: x if x.sum() > 0 else -x,
    "shape by values": lambda L, x, y: x.nonzero(),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_vmap(both, name):
    f = EXAMPLES[name]
    both(lambda L: L.vmap(lambda x, y: f(L, x, y))(waves(L, 2, 3), waves(L, 2, 3).cos()))
    if name != "constant":  # PyTorch reads memory that is not its own
        both(lambda L: L.vmap(lambda x, y: f(L, x, y), in_dims=(1, None), out_dims=-1)(waves(L, 3, 2), waves(L, 3)))


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n not in ("parts", "largest", "shape by values")])
def test_jacobians_of_examples(both, name):
    f = EXAMPLES[name]
    xy = lambda L: (waves(L, 3), waves(L, 3).cos())  # noqa: E731
    both(lambda L: L.func.jacfwd(lambda x, y: f(L, x, y), argnums=(0, 1))(*xy(L)), rtol=1e-4)
    both(lambda L: L.func.jvp(lambda x, y: f(L, x, y), xy(L), (waves(L, 3) * 2, waves(L, 3) * 3)), rtol=1e-4)


def per_example_gradients(L):
    loss = lambda w, x, y: ((x @ w).tanh() - y).pow(2).mean()  # noqa: E731
    return L.vmap(L.func.grad(loss), in_dims=(None, 0, 0))(waves(L, 4, 2), waves(L, 5, 4), waves(L, 5, 2))


def per_example_gradients_of_a_module(L):
    L.manual_seed(0)
    model = L.nn.Sequential(L.nn.Linear(4, 3), L.nn.Tanh(), L.nn.Linear(3, 2))
    parameters = {name: p.detach() for name, p in model.named_parameters()}

    def loss(parameters, x, y):
        output = L.func.functional_call(model, parameters, x[None])
        return L.nn.functional.cross_entropy(output, y[None])

    labels = L.tensor([0, 1, 1, 0, 1])
    return L.vmap(L.func.grad(loss), in_dims=(None, 0, 0))(parameters, waves(L, 5, 4), labels)


def ensemble(L):
    L.manual_seed(0)
    models = [L.nn.Linear(3, 2) for _ in range(4)]
    parameters, buffers = L.func.stack_module_state(models)
    run = lambda p, b, x: L.func.functional_call(models[0], (p, b), (x,))  # noqa: E731
    return parameters, buffers, L.vmap(run, in_dims=(0, 0, None))(parameters, buffers, waves(L, 5, 3))


def convolutions(L):
    x, w = waves(L, 2, 3, 2, 6, 6), waves(L, 4, 2, 3, 3)
    f = lambda x: L.nn.functional.max_pool2d(L.nn.functional.conv2d(x, w), 2)  # noqa: E731
    return L.vmap(f)(x), L.vmap(L.func.grad(lambda w, x: f(x).sum() * w.sum(), argnums=0), in_dims=(None, 0))(w, x)


def likelihoods(L):
    """Losses with a batch of targets: each reduction, with and without classes to leave out."""
    results = []
    F = L.nn.functional
    for reduction in ("mean", "sum", "none"):
        for shape, classes in (((4, 5), (4,)), ((4, 5, 2), (4, 2)), ((5,), ())):
            x = waves(L, 3, *shape)
            goal = (L.arange(3 * int(np.prod(classes))) % 5).reshape(3, *classes)
            for options in ({}, {"ignore_index": 1}, {"label_smoothing": 0.1}):
                f = lambda x, y: F.cross_entropy(x, y, reduction=reduction, **options)  # noqa: B023, E731
                results.append(L.vmap(f)(x, goal))
            results.append(L.vmap(lambda x, y: F.nll_loss(x, y, reduction=reduction))(x, goal))  # noqa: B023
            results.append(L.vmap(lambda x, y: F.cross_entropy(x, y, reduction=reduction))(x, x.softmax(1)))  # noqa: B023
            results.append(L.vmap(lambda y: F.cross_entropy(x[0], y, reduction=reduction))(goal))  # noqa: B023
    return results


def embeddings(L):
    F = L.nn.functional
    table, places = waves(L, 6, 2), L.arange(6).reshape(3, 2)
    loss = lambda w, i: (F.embedding(i, w) ** 2).sum()  # noqa: E731
    return (
        L.vmap(lambda i: F.embedding(i, table, padding_idx=1))(places),
        L.vmap(lambda w: F.embedding(places, w))(waves(L, 3, 6, 2)),
        L.vmap(L.func.grad(loss), in_dims=(None, 0))(table, places),
    )


def written(L):
    def f(x, y):
        x = x.clone()
        x[0] = y
        x[1:] += 1
        x.mul_(x).add_(y)
        return x

    return L.vmap(f)(waves(L, 2, 3), waves(L, 2))


def written_input(L):
    x = waves(L, 2, 3)
    result = L.vmap(lambda x: x.add_(1).exp_())(x)
    return result, x


def gradients_through(L):
    x = waves(L, 2, 3).requires_grad_()
    L.vmap(lambda a: a * a.sum())(x).sum().backward()
    return x.grad


def written_to_one_memory(L):
    y = L.zeros(3)
    return L.vmap(lambda x: y.add_(x))(waves(L, 2, 3))


def batched_grad(L):
    x = x3(L).requires_grad_()
    y = x.softmax(0) * x
    mapped = L.vmap(lambda v: L.autograd.grad(y, x, v, retain_graph=True)[0])(waves(L, 4, 3))
    return mapped, L.autograd.grad(y, x, waves(L, 4, 3), is_grads_batched=True)


VMAPS = {
    "per-example gradients": per_example_gradients,
    "per-example gradients of a module": per_example_gradients_of_a_module,
    "ensemble": ensemble,
    "convolutions": convolutions,
    "likelihoods": likelihoods,
    "embeddings": embeddings,
    "nested": lambda L: L.vmap(L.vmap(lambda x, y: x * y.sum(), in_dims=(0, None)), in_dims=(0, 1))(waves(L, 2, 3, 4), waves(L, 5, 2)),  # noqa: E501
    "jvp inside": lambda L: L.vmap(lambda x, t: L.func.jvp(lambda x: x.softmax(0) * x.sum(), (x,), (t,)))(waves(L, 2, 3), waves(L, 2, 3)),  # noqa: E501
    "tangents alone": lambda L: L.vmap(lambda t: L.func.jvp(lambda x: x.softmax(0) * x.sum(), (x3(L),), (t,))[1])(waves(L, 2, 3)),  # noqa: E501
    "tangents and captured": lambda L: L.vmap(lambda w, t: L.func.jvp(lambda x: x * w + w, (x3(L),), (t,))[1])(waves(L, 2, 3), waves(L, 2, 3)),  # noqa: E501
    "jvp around": lambda L: L.func.jvp(L.vmap(lambda x: x.log_softmax(0).cumsum(0)), (waves(L, 2, 3),), (waves(L, 2, 3),)),  # noqa: E501
    "hessians": lambda L: L.vmap(L.func.hessian(lambda x: (x.sin() * x.sum()).sum()))(waves(L, 2, 3)),
    "pullback": lambda L: L.vmap(L.func.vjp(lambda x: x.softmax(0) * x[1], x3(L))[1])(waves(L, 4, 3)),
    "written": written,
    "written input": written_input,
    "gradients through": gradients_through,
    "batched grad": batched_grad,
    "dict": lambda L: L.vmap(lambda d: d["a"] * d["b"], in_dims=({"a": 0, "b": None},))({"a": waves(L, 2, 3), "b": x3(L)}),  # noqa: E501
    "keywords": lambda L: L.vmap(lambda x, y=None: x * y)(waves(L, 2, 3), y=x3(L)),
    "becomes a view": lambda L: L.vmap(lambda x: x.clone().unsqueeze_(0).mul_(2).t_().squeeze_(-1) * x)(waves(L, 2, 3)),
    "negative dims": lambda L: L.vmap(lambda x: x * 2, in_dims=-1, out_dims=-1)(waves(L, 2, 3, 4)),
    "several out_dims": lambda L: L.vmap(lambda x: (x, x), out_dims=(0, 1))(waves(L, 2, 3)),
    "no out_dim": lambda L: L.vmap(lambda x: L.ones(2), out_dims=None)(x3(L)),
    "chunks": lambda L: L.vmap(lambda x: x * 2, chunk_size=2)(waves(L, 5, 3)),
    "no examples": lambda L: L.vmap(lambda x: x * 2)(L.ones(0, 3)),
    "same numbers": lambda L: (L.manual_seed(0), L.vmap(lambda x: x + L.rand(3), randomness="same")(waves(L, 5, 3)))[1],
    "different numbers": lambda L: (L.manual_seed(0), L.vmap(lambda x: x + L.rand(3), randomness="different")(waves(L, 5, 3)))[1],  # noqa: E501
    "different like": lambda L: (L.manual_seed(0), L.vmap(lambda x: L.rand_like(x), randomness="different")(waves(L, 5, 3)))[1],  # noqa: E501
}  # fmt: skip


@pytest.mark.parametrize("name", VMAPS)
def test_vmap_of_programs(both, name):
    assert not raised(both(VMAPS[name], rtol=1e-4, atol=1e-5))


REFUSED_BY_VMAP = {
    "no inputs": lambda L: L.vmap(lambda: 1)(),
    "nothing mapped": lambda L: L.vmap(lambda x: x, in_dims=None)(x3(L)),
    "two sizes": lambda L: L.vmap(lambda x, y: x)(x3(L), waves(L, 2)),
    "dim out of range": lambda L: L.vmap(lambda x: x, in_dims=3)(x3(L)),
    "dim of letters": lambda L: L.vmap(lambda x: x, in_dims="a")(x3(L)),
    "another structure": lambda L: L.vmap(lambda x: x, in_dims=(0, 0))(x3(L)),
    "no tensor": lambda L: L.vmap(lambda x: x)(3.0),
    "number returned": lambda L: L.vmap(lambda x: 3)(x3(L)),
    "batch without out_dim": lambda L: L.vmap(lambda x: x, out_dims=None)(x3(L)),
    "too many out_dims": lambda L: L.vmap(lambda x: (x, x), out_dims=(0, 1, 2))(waves(L, 2, 3)),
    "out_dim out of range": lambda L: L.vmap(lambda x: x, out_dims=3)(waves(L, 2, 3)),
    "chunk_size": lambda L: L.vmap(lambda x: x, chunk_size=0)(waves(L, 2, 3)),
    "randomness": lambda L: L.vmap(lambda x: x, randomness="any")(waves(L, 2, 3)),
    "random numbers": lambda L: L.vmap(lambda x: x + L.rand(3))(waves(L, 2, 3)),
    "dropout": lambda L: L.vmap(lambda x: L.nn.functional.dropout(x))(waves(L, 2, 3)),
    "backward": lambda L: L.vmap(lambda x: x.sum().backward())(waves(L, 2, 3).requires_grad_()),
    "requires_grad_": lambda L: L.vmap(lambda x: x.requires_grad_())(waves(L, 2, 3)),
    "one memory": written_to_one_memory,
}


@pytest.mark.parametrize("name", REFUSED_BY_VMAP)
def test_refused_by_vmap(both, name):
    assert raised(both(REFUSED_BY_VMAP[name]))


def test_a_batch_is_one_operator_on_the_whole():
    """Rows with a rule run once, whatever the number of examples."""
    calls = []

    def pack(tensor):
        calls.append(tuple(tensor.shape))
        return tensor

    x = waves(autograd, 7, 3).requires_grad_()
    with autograd.graph.saved_tensors_hooks(pack, lambda packed: packed):
        func.vmap(lambda x: x.exp().softmax(0) @ x)(x)
    assert calls == [(7, 3), (7, 3), (7, 1, 3), (7, 3, 1)]


# --- Modules -------------------------------------------------------------------------------------------------------


def call(L, *args, tied=False, **kwargs):
    L.manual_seed(0)
    module = L.nn.Sequential(L.nn.Linear(3, 3), L.nn.Linear(3, 3))
    if tied:
        module[1].weight = module[0].weight
    before = [p.detach().clone() for p in module.parameters()]
    result = L.func.functional_call(module, *args, **kwargs)
    after = [p.detach() for p in module.parameters()]
    return result, all(bool((a == b).all()) for a, b in zip(before, after, strict=True))


CALLS = {
    "one": lambda L: call(L, {"0.weight": L.ones(3, 3)}, x3(L)),
    "two dicts": lambda L: call(L, [{"0.weight": L.ones(3, 3)}, {"1.bias": L.ones(3)}], (x3(L),)),
    "tied": lambda L: call(L, {"0.weight": L.ones(3, 3)}, x3(L), tied=True),
    "not tied": lambda L: call(L, {"0.weight": L.ones(3, 3)}, x3(L), tied=True, tie_weights=False),
    "new name": lambda L: call(L, {"0.other": L.ones(3, 3)}, x3(L)),
    "strict": lambda L: call(L, {"0.weight": L.ones(3, 3)}, x3(L), strict=True),
    "name twice": lambda L: call(L, [{"0.weight": L.ones(3, 3)}, {"0.weight": L.ones(3)}], x3(L)),
    "number": lambda L: call(L, {"0.weight": 3}, x3(L)),
    "no dict": lambda L: call(L, 3, x3(L)),
    "no such module": lambda L: call(L, {"7.weight": L.ones(3, 3)}, x3(L)),
    "no models": lambda L: L.func.stack_module_state([]),
    "two kinds": lambda L: L.func.stack_module_state([L.nn.Linear(2, 2), L.nn.ReLU()]),
    "two modes": lambda L: L.func.stack_module_state([L.nn.Linear(2, 2), L.nn.Linear(2, 2).eval()]),
}


@pytest.mark.parametrize("name", CALLS)
def test_functional_call(both, name):
    both(CALLS[name])


def test_batch_norms_without_running_statistics(both):
    def program(L):
        model = L.nn.Sequential(
            L.nn.Linear(2, 3), L.nn.BatchNorm1d(3), L.nn.Sequential(L.nn.BatchNorm1d(3, affine=False))
        )
        found = L.func.replace_all_batch_norm_modules_(model)
        alone = L.func.replace_all_batch_norm_modules_(L.nn.BatchNorm1d(3))
        outside = L.nn.BatchNorm1d(3, track_running_stats=False)
        batches = L.arange(24.0).reshape(2, 4, 3) ** 2
        return (
            found is model,
            sorted(model.state_dict()),
            [(n.running_mean, n.running_var, n.num_batches_tracked, n.track_running_stats) for n in (model[1], alone)],
            L.func.replace_all_batch_norm_modules_(outside).track_running_stats,
            L.func.vmap(alone)(batches).detach(),
        )

    both(program)


def test_batches_are_looked_at(both):
    def program(L):
        seen = []

        def look(x):
            def inside(y):
                seen.append([L.func.debug_unwrap(y, recurse=recurse).shape for recurse in (True, False)])
                return y

            return L.func.vmap(inside)(x)

        x = L.arange(24.0).reshape(2, 3, 4)
        L.func.vmap(look)(x)
        return [list(map(tuple, shapes)) for shapes in seen], L.func.debug_unwrap(x) is x

    both(program)
