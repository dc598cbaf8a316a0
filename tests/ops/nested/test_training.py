"""Nested tensors as parameters and buffers, in functions of the user's own, and stepped by optimizers."""

import copy
import io
import pickle

import pytest
from nested_tensors import LAYOUTS

import autograd
import nn
import optim

SIZES = (2, 3), (4, 3)


def parts(L):
    first, second = (L.arange(float(n * m)).reshape(n, m) for n, m in SIZES)
    return [first + 1, second - 3]


def nest(L, layout, requires_grad=False):
    return L.nested.nested_tensor(parts(L), layout=getattr(L, layout), requires_grad=requires_grad)


def shown(x):
    return [part.tolist() for part in x.detach().unbind()]


def loss(L, x):
    return L.nested.to_padded_tensor(x * x, 0.0).sum()


def model(L, layout):
    module = L.nn.Module()
    module.w = L.nn.Parameter(nest(L, layout))
    module.register_buffer("b", nest(L, layout))
    return module


# --- Parameters ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", LAYOUTS)
def test_parameters(ours, theirs, layout):
    def facts(L):
        p = L.nn.Parameter(nest(L, layout))
        q = L.nn.Parameter(p, requires_grad=False)
        derived = [p + 1, p.detach(), p.data, p.clone()]
        loss(L, p).backward()
        b = L.nn.Buffer(p.data)
        return (
            [isinstance(x, L.nn.Parameter) for x in (p, q, *derived)],
            [x.requires_grad for x in (p, q, b)],
            (p.is_leaf, p.is_nested, b.persistent, isinstance(b, L.nn.Buffer)),
            (shown(p), shown(p.grad), shown(b)),
        )

    assert facts(ours) == facts(theirs)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))], ids=["deepcopy", "pickle"])
def test_copies_are_parameters(ours, theirs, layout, copied):
    def facts(L):
        p = copied(L.nn.Parameter(nest(L, layout)))
        return isinstance(p, L.nn.Parameter), p.requires_grad, p.is_leaf, shown(p)

    assert facts(ours) == facts(theirs)


def test_other_structures_are_parameters_too(ours, theirs):
    def facts(L):
        p = L.nn.Parameter(L.eye(2).to_sparse())
        m = L.nn.Parameter(L.masked.masked_tensor(L.ones(2), L.tensor([True, False])))
        return [
            (isinstance(x, L.nn.Parameter), x.requires_grad, x.is_leaf, x.is_sparse, isinstance(x + x, L.nn.Parameter))
            for x in (p, m)
        ], p.to_dense().tolist()

    assert facts(ours) == facts(theirs)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_modules(ours, theirs, layout):
    def facts(L):
        module = model(L, layout)
        loss(L, module.w).backward()
        module.zero_grad(set_to_none=False)
        zeros = shown(module.w.grad)
        module.zero_grad()
        file = io.BytesIO()
        L.save(module.state_dict(), file)
        file.seek(0)
        wide = model(L, layout).double()
        return (
            [name for name, _ in module.named_parameters()],
            list(module.state_dict()),
            (zeros, module.w.grad),
            shown(L.load(file)["w"]),
            (str(wide.w.dtype), isinstance(wide.w, L.nn.Parameter), str(wide.b.dtype)),
            module.requires_grad_(False).w.requires_grad,
        )

    assert facts(ours) == facts(theirs)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("assign", [False, True])
def test_load_state_dict(layout, assign):
    module = model(autograd, layout)
    loaded = {name: value * 2 for name, value in module.state_dict().items()}
    module.load_state_dict(loaded, assign=assign)
    assert isinstance(module.w, nn.Parameter)
    assert module.w.requires_grad
    assert shown(module.w) == shown(loaded["w"])
    other = autograd.nested.nested_tensor([autograd.ones(3, 3), autograd.ones(1, 3)], layout=module.w.layout)
    for wrong in (autograd.ones(3), other):
        with pytest.raises(RuntimeError, match="size mismatch for w"):
            module.load_state_dict({**loaded, "w": wrong}, assign=assign)
    assert shown(module.w) == shown(loaded["w"])


def test_a_jagged_tensor_of_other_offsets_is_another_shape(ours, theirs):
    for L in (ours, theirs):
        with pytest.raises(RuntimeError, match="size mismatch"):
            model(L, "jagged").load_state_dict(model(L, "jagged").state_dict())


@pytest.mark.parametrize("layout", LAYOUTS)
def test_data_is_set(layout):
    p = nn.Parameter(nest(autograd, layout))
    p.data = nest(autograd, layout) * 3
    assert shown(p) == shown(nest(autograd, layout) * 3)
    assert isinstance(p, nn.Parameter)
    with pytest.raises(RuntimeError, match="own kind"):
        p.data = autograd.ones(3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_gradients_are_checked_when_set(layout):
    p = nn.Parameter(nest(autograd, layout))
    p.grad = p.detach() * 2
    assert shown(p.grad) == shown(p * 2)
    with pytest.raises(RuntimeError, match="assigned grad has shape"):
        p.grad = autograd.ones(3)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_clipping(layout):
    def dense_and_nested(clip, *args):
        p, flat = nn.Parameter(nest(autograd, layout)), nn.Parameter(autograd.ones(3))
        twins = [nn.Parameter(part) for part in parts(autograd)] + [nn.Parameter(flat.detach().clone())]
        (loss(autograd, p) + (flat**2).sum()).backward()
        sum((t * t).sum() for t in twins).backward()
        totals = clip([p, flat], *args), clip(twins, *args)
        return totals, [*p.grad.unbind(), flat.grad], [t.grad for t in twins]

    for clip, argument in ((nn.utils.clip_grad_norm_, 1.0), (nn.utils.clip_grad_value_, 1.5)):
        totals, found, wanted = dense_and_nested(clip, argument)
        for a, b in zip(found, wanted, strict=True):
            autograd.testing.assert_close(a, b)
        if totals[0] is not None:
            autograd.testing.assert_close(*totals)


# --- Functions of the user's own -------------------------------------------------------------------------------------


def functions(L):
    class Square(L.autograd.Function if hasattr(L, "autograd") else L.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    base = Square.__mro__[1]

    class Apart(base):  # with setup_context
        @staticmethod
        def forward(x):
            return x.exp()

        @staticmethod
        def setup_context(ctx, inputs, output):
            ctx.save_for_backward(output)

        @staticmethod
        def backward(ctx, g):
            (y,) = ctx.saved_tensors
            return g * y

    class Written(base):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return 2 * g

    class Same(base):
        @staticmethod
        def forward(ctx, x):
            return x

        @staticmethod
        def backward(ctx, g):
            return 3 * g

    class Two(base):
        @staticmethod
        def forward(ctx, x):
            return x * 2, x.clone()

        @staticmethod
        def backward(ctx, g, h):  # h is zeros: nobody used the second output
            return 2 * g + h

    class Padded(base):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return L.nested.to_padded_tensor(x, 0.0)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return x * 2

    class Nothing(base):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            return None

    return {f.__name__: f for f in (Square, Apart, Written, Same, Two, Padded, Nothing)}


NAMES = ["Square", "Apart", "Written", "Same", "Two", "Padded", "Nothing"]


def through(L, layout, name):
    x = nest(L, layout, requires_grad=True)
    y = functions(L)[name].apply(x * 1)
    y = y[0] if isinstance(y, tuple) else y
    (loss(L, y) if y.is_nested else (y * y).sum()).backward()
    return y.is_nested, shown(y) if y.is_nested else y.tolist(), None if x.grad is None else shown(x.grad)


@pytest.mark.parametrize("name", NAMES)
def test_functions(ours, theirs, name):
    found, wanted = through(ours, "jagged", name), through(theirs, "jagged", name)
    assert found[0] == wanted[0]
    for mine, other in zip(found[1:], wanted[1:], strict=True):
        assert (mine is None) == (other is None)
        for a, b in zip(mine or (), other or (), strict=True):
            autograd.testing.assert_close(autograd.tensor(a), autograd.tensor(b))
    assert through(ours, "strided", name) == found  # where PyTorch fails


@pytest.mark.parametrize("layout", LAYOUTS)
def test_functions_go_back_twice(layout):
    x = nest(autograd, layout, requires_grad=True)
    y = functions(autograd)["Square"].apply(x)
    (g,) = autograd.grad(loss(autograd, y), x, create_graph=True)
    (h,) = autograd.grad(loss(autograd, g), x)
    assert shown(g) == shown(4 * x**3)
    assert shown(h) == shown(96 * x**5)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_functions_save_through_hooks(layout):
    x = nest(autograd, layout, requires_grad=True)
    seen = []

    def pack(tensor):
        seen.append(tensor.is_nested)
        return tensor

    with autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = functions(autograd)["Apart"].apply(x)
    assert seen == [True]
    (g,) = autograd.grad(loss(autograd, y), x)
    autograd.testing.assert_close(g, 2 * y.detach() * y.detach())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("wrong", ["padded", "other"])
def test_gradients_of_functions_have_the_sizes_of_inputs(layout, wrong):
    class Wrong(autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, g):
            other = [autograd.ones(3, 3), autograd.ones(1, 3)]
            return (
                g.to_padded_tensor(0.0) if wrong == "padded" else autograd.nested.nested_tensor(other, layout=g.layout)
            )

    x = nest(autograd, layout, requires_grad=True)
    with pytest.raises(RuntimeError, match="invalid gradient at index 0"):
        loss(autograd, Wrong.apply(x)).backward()


def test_functions_hand_sparse_gradients_on(ours, theirs):
    def run(L):
        class Chosen(L.autograd.Function if hasattr(L, "autograd") else L.Function):
            @staticmethod
            def forward(ctx, x):
                return x[0]

            @staticmethod
            def backward(ctx, g):
                return L.sparse_coo_tensor(L.tensor([[0]]), g[None], (3, 2))

        x = L.ones(3, 2, requires_grad=True)
        Chosen.apply(x).sum().backward()
        return x.grad.is_sparse, x.grad.to_dense().tolist()

    assert run(ours) == run(theirs)


# --- Optimizers ------------------------------------------------------------------------------------------------------

OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("SGD", {"maximize": True}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True, "weight_decay": 0.1, "foreach": True}),
    *[(name, {}) for name in ("AdamW", "Adagrad", "Adadelta", "RMSprop", "NAdam", "RAdam", "Adamax", "ASGD", "Rprop")],
]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("name", "options"), OPTIMIZERS)
def test_optimizers_step_nested_tensors_as_their_components(layout, name, options):
    nested, flat = nn.Parameter(nest(autograd, layout)), nn.Parameter(autograd.ones(3))
    twins = [*(nn.Parameter(part) for part in parts(autograd)), nn.Parameter(autograd.ones(3))]
    optimizers = [getattr(optim, name)(params, lr=0.1, **options) for params in ([nested, flat], twins)]
    for step in range(4):
        if step == 2:  # others, with the state of the first ones
            saved = [copy.deepcopy(optimizer.state_dict()) for optimizer in optimizers]
            optimizers = [getattr(optim, name)(params, lr=0.1, **options) for params in ([nested, flat], twins)]
            for optimizer, state in zip(optimizers, saved, strict=True):
                optimizer.load_state_dict(state)
        for optimizer in optimizers:
            optimizer.zero_grad()
        (loss(autograd, nested) + (flat**2).sum()).backward()
        sum((t * t).sum() for t in twins).backward()
        for optimizer in optimizers:
            optimizer.step()
    for found, wanted in zip([*nested.unbind(), flat], twins, strict=True):
        autograd.testing.assert_close(found.detach(), wanted.detach())
        assert not (found == 1).all()
    state = [
        value for value in optimizers[0].state[nested].values() if isinstance(value, autograd.Tensor) and value.ndim
    ]
    assert all(value.is_nested for value in state)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_of_sgd_is_that_of_pytorch(ours, theirs, layout):
    def stepped(L):
        p = L.nn.Parameter(nest(L, layout))
        loss(L, p).backward()
        L.optim.SGD([p], lr=0.1).step()
        return p.detach().unbind()

    for found, wanted in zip(stepped(ours), stepped(theirs), strict=True):
        autograd.testing.assert_close(found, autograd.tensor(wanted.numpy()))


def test_steps_are_noticed_by_what_was_saved():
    p = nn.Parameter(nest(autograd, "jagged"))
    y = p * p
    p.grad = p.detach().clone()
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss(autograd, y).backward()
