"""In-place operators and views: values, gradients, versions, and when they refuse. PyTorch is the oracle."""

from __future__ import annotations

import random

import numpy as np
import pytest

import autograd

DATA = np.linspace(0.3, 2.6, 24).reshape(2, 3, 4)


def start(lib, requires_grad=True):
    """A leaf and a result of it that may be written to."""
    x = lib.tensor(DATA.tolist(), dtype=lib.float64, requires_grad=requires_grad)
    return x, x * 1.5


def facts(tensor):
    return tensor.detach().clone(), tensor.requires_grad, tensor.is_leaf, tensor.grad_fn is None, tensor._version


# --- Operators -----------------------------------------------------------------------------------------------------

OPERATORS = {
    "add_": lambda lib, y: y.add_(2),
    "add_ alpha": lambda lib, y: y.add_(lib.ones_like(y), alpha=3),
    "sub_": lambda lib, y: y.sub_(0.5),
    "sub_ alpha": lambda lib, y: y.sub_(lib.ones_like(y), alpha=2),
    "mul_": lambda lib, y: y.mul_(3),
    "mul_ self": lambda lib, y: y.mul_(y),
    "div_": lambda lib, y: y.div_(lib.full_like(y, 4)),
    "div_ rounding": lambda lib, y: y.div_(0.3, rounding_mode="floor"),
    "pow_": lambda lib, y: y.pow_(2),
    "remainder_": lambda lib, y: y.remainder_(0.7),
    "fmod_": lambda lib, y: y.fmod_(0.7),
    "floor_divide_": lambda lib, y: y.floor_divide_(0.7),
    "neg_": lambda lib, y: y.neg_(),
    "abs_": lambda lib, y: y.abs_(),
    "exp_": lambda lib, y: y.exp_(),
    "log_": lambda lib, y: y.log_(),
    "sqrt_": lambda lib, y: y.sqrt_(),
    "rsqrt_": lambda lib, y: y.rsqrt_(),
    "reciprocal_": lambda lib, y: y.reciprocal_(),
    "square_": lambda lib, y: y.square_(),
    "sin_": lambda lib, y: y.sin_(),
    "cos_": lambda lib, y: y.cos_(),
    "tanh_": lambda lib, y: y.tanh_(),
    "sigmoid_": lambda lib, y: y.sigmoid_(),
    "relu_": lambda lib, y: y.sub_(2).relu_(),
    "relu_ of torch": lambda lib, y: lib.relu_(y.sub_(2)),
    "clamp_": lambda lib, y: y.clamp_(1, 2),
    "clamp_ min": lambda lib, y: y.clamp_(min=1),
    "clamp_min_": lambda lib, y: y.clamp_min_(1),
    "clamp_max_": lambda lib, y: y.clamp_max_(2),
    "floor_": lambda lib, y: y.floor_(),
    "round_": lambda lib, y: y.round_(),
    "trunc_": lambda lib, y: y.trunc_(),
    "sign_": lambda lib, y: y.sign_(),
    "zero_": lambda lib, y: y.zero_(),
    "fill_": lambda lib, y: y.fill_(3),
    "fill_ tensor": lambda lib, y: y.fill_(y.detach().sum()),
    "copy_": lambda lib, y: y.copy_(lib.ones(3, 4)),
    "copy_ float32": lambda lib, y: y.copy_(lib.ones(4, dtype=lib.float32, requires_grad=True) * 0.1),
    "copy_ int": lambda lib, y: y.copy_(lib.arange(4)),
    "masked_fill_": lambda lib, y: y.masked_fill_(y > 2, 0.5),
    "masked_fill_ broadcast": lambda lib, y: y.masked_fill_(lib.tensor([True, False, False, True]), 0.5),
    "lerp_": lambda lib, y: y.lerp_(lib.ones_like(y), 0.25),
    "addcmul_": lambda lib, y: y.addcmul_(lib.ones_like(y), lib.full_like(y, 2), value=0.5),
    "addcdiv_": lambda lib, y: y.addcdiv_(lib.ones_like(y), lib.full_like(y, 2), value=0.5),
    "scatter_": lambda lib, y: y.scatter_(2, lib.tensor([[[0], [1], [2]]]), 7.0),
    "scatter_add_": lambda lib, y: y.scatter_add_(2, lib.tensor([[[0, 0], [1, 1], [2, 3]]]), lib.ones_like(y)),
    "index_put_": lambda lib, y: y.index_put_((lib.tensor([0, 1]),), lib.zeros(3, 4, dtype=lib.float64)),
    "index_put_ accumulate": lambda lib, y: y.index_put_(
        (lib.tensor([0, 0]),), lib.ones(3, 4, dtype=lib.float64), accumulate=True
    ),
    "tril_": lambda lib, y: y.tril_(),
    "triu_": lambda lib, y: y.triu_(1),
    "index_add_": lambda lib, y: y.index_add_(1, lib.tensor([0, 2]), lib.ones(2, 2, 4, dtype=lib.float64), alpha=2),
    "index_fill_": lambda lib, y: y.index_fill_(1, lib.tensor([0, 2]), 5.0),
    "index_copy_": lambda lib, y: y.index_copy_(1, lib.tensor([0, 2]), lib.ones(2, 2, 4, dtype=lib.float64)),
    "masked_scatter_": lambda lib, y: y.masked_scatter_(y > 3, lib.ones(24, dtype=lib.float64)),
    "logical_not_": lambda lib, y: y.logical_not_(),
    "eq_": lambda lib, y: y.eq_(y),
    "gt_": lambda lib, y: y.gt_(2),
    "cumsum_": lambda lib, y: y.cumsum_(1),
    "nan_to_num_": lambda lib, y: y.nan_to_num_(),
    "logit_": lambda lib, y: y.div_(10).logit_(),
    "requires_grad_": lambda lib, y: y.requires_grad_(),
    "t_": lambda lib, y: y[0].clone().t_(),
    "transpose_": lambda lib, y: y.transpose_(0, 1),
    "squeeze_": lambda lib, y: y.squeeze_(),
    "unsqueeze_": lambda lib, y: y.unsqueeze_(0),
    "detach_": lambda lib, y: y.detach_(),
    "set_data": lambda lib, y: setattr(y, "data", lib.ones(2, 3, 4, dtype=lib.float64)) or y,
}


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("requires_grad", [True, False], ids=["recorded", "plain"])
def test_operators(both, name, requires_grad):
    def program(lib):
        x, y = start(lib, requires_grad)
        result = OPERATORS[name](lib, y)
        outcome = [facts(result), facts(y)]
        if name != "t_":
            outcome.append(result is y)
        if y.requires_grad:
            y.cos().sum().backward()
            outcome.append(x.grad)
        return outcome

    both(program, rtol=1e-9)


@pytest.mark.parametrize("name", ["add_", "mul_", "exp_", "copy_ float32", "masked_fill_", "zero_", "clamp_"])
@pytest.mark.parametrize(
    "target",
    [
        lambda y: y[0], lambda y: y[:, 1:], lambda y: y[..., 0], lambda y: y.transpose(0, 2), lambda y: y.view(6, 4)[::2],
        lambda y: y.permute(2, 0, 1)[1:3].select(1, 0), lambda y: y.diagonal(0, 1, 2), lambda y: y.unsqueeze(0).squeeze(0),
        lambda y: y.flatten(1).narrow(1, 2, 5), lambda y: y[None, :, 0], lambda y: y.view(-1)[3], lambda y: y.reshape(24)[1::3],
        lambda y: y.mT, lambda y: y.detach(), lambda y: y.view_as(y), lambda y: y.expand(2, 3, 4), lambda y: y.unflatten(2, (2, 2))[..., 1],
        lambda y: y.movedim(0, -1)[1], lambda y: y.swapaxes(0, 1), lambda y: y.ravel(),
    ],
)  # fmt: skip
def test_operators_through_views(both, name, target):
    def program(lib):
        x, y = start(lib)
        before = y.sum()
        view = target(y)
        if name.startswith("masked"):
            view.masked_fill_(view > 2, 0.5)
        elif name.startswith("copy_"):
            view.copy_(lib.ones(view.shape, requires_grad=True) * 0.1)
        else:
            OPERATORS[name](lib, view)
        outcome = [facts(view), facts(y), y._base is None, view._base is y]
        (y.cos().sum() + view.sum() + before).backward()
        return [*outcome, x.grad]

    both(program, rtol=1e-9)


PYTHON_OPERATORS = {
    "+=": "y += 2; y += lib.ones(4)",
    "-=": "y -= 0.5; y -= y",
    "*=": "y *= 3; y *= y",
    "/=": "y /= 4",
    "**=": "y **= 2",
    "%=": "y %= 0.7",
    "//=": "y //= 0.7",
    "@= matrix": "y = y[0, :, :3].clone(); y @= lib.eye(3, dtype=lib.float64)",
    "&= of floats": "y &= y",
    "int &=": "y = lib.arange(6); y &= 3; y |= 8; y ^= 1",
    "bool |=": "y = lib.tensor([True, False]); y |= lib.tensor([True, True])",
    "int += float": "y = lib.arange(3); y += 0.5",
    "int += int": "y = lib.arange(3); y += 2",
    "int /= int": "y = lib.arange(3); y /= 2",
    "int **= int": "y = lib.arange(3); y **= 2",
    "bool += int": "y = lib.tensor([True]); y += 1",
    "float32 += float64": "y = lib.ones(3); y += lib.ones(3, dtype=lib.float64)",
    "0-d += 1-d": "y = lib.tensor(1.0); y += lib.ones(1)",
    "+= larger": "y += lib.ones(5, 2, 3, 4)",
    "+= mismatch": "y += lib.ones(5)",
    "+= list": "y += [1, 2]",
    "+= None": "y += None",
    "+= str": "y += 'a'",
}


@pytest.mark.parametrize("source", PYTHON_OPERATORS.values(), ids=PYTHON_OPERATORS)
def test_python_operators(both, source):
    def program(lib):
        x, y = start(lib)
        names = {"lib": lib, "y": y}
        exec(source, names)
        outcome = facts(names["y"])
        if names["y"] is y:
            y.sum().backward()
        return outcome, names["y"] is y, x.grad

    both(program)


INDICES = {
    "int": "0",
    "negative": "-1",
    "slice": "slice(None, 1)",
    "step": "(slice(None), slice(0, 3, 2))",
    "ellipsis": "(..., 2)",
    "none": "(None, 0)",
    "tuple": "(1, slice(1, 3), 0)",
    "element": "(1, 2, 3)",
    "list": "[0]",
    "list pair": "([0, 1], [2, 0])",
    "tensor": "lib.tensor([1, 0])",
    "0-d tensor": "lib.tensor(1)",
    "mask": "lib.tensor([True, False])",
    "full mask": "y.detach() > 2",
    "mask in the middle": "(0, lib.tensor([True, False, True]))",
    "split by a slice": "([0, 1], slice(None), [2, 0])",
    "broadcast": "(lib.tensor([[0], [1]]), lib.tensor([0, 2]))",
    "repeated": "(slice(None), lib.tensor([0, 2, 2]))",
    "uint8 tensor int32": "lib.tensor([1, 0], dtype=lib.int32)",
    "bool": "True",
    "bool False": "False",
    "empty list": "[]",
    "everything": "slice(None)",
    "empty tuple": "()",
    "ellipsis alone": "...",
    "out of range": "5",
    "out of range list": "[0, 7]",
    "too many": "(0, 0, 0, 0)",
    "float": "0.5",
    "str": "'a'",
    "float tensor": "lib.tensor([0.5])",
    "mask of another shape": "lib.tensor([True, False, True])",
    "slice with 0 step": "slice(0, 2, 0)",
    "negative step": "slice(None, None, -1)",
}
VALUES = {
    "number": lambda lib, part: 7,
    "bool": lambda lib, part: True,
    "0-d": lambda lib, part: lib.tensor(2.5, requires_grad=True) * 2,
    "full": lambda lib, part: lib.full(part.shape, 0.5, dtype=lib.float64, requires_grad=True) * 3,
    "broadcast": lambda lib, part: lib.ones((1, *part.shape[-1:]), requires_grad=True).double() * 3,
    "float32": lambda lib, part: lib.full(part.shape, 0.5),
    "int": lambda lib, part: lib.ones(part.shape, dtype=lib.int64),
    "too large": lambda lib, part: lib.ones(9, *part.shape),
    "itself": lambda lib, part: part.clone() * 2,
}


@pytest.mark.parametrize("index", INDICES)
def test_reading_an_index(both, index):
    def program(lib):
        x, y = start(lib)
        part = y[eval(INDICES[index], {"lib": lib, "y": y})]
        is_view = part._base is y
        part.cos().sum().backward()
        return part.detach(), part._version, x.grad, is_view

    both(program, rtol=1e-9)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("index", [name for name in INDICES if name != "repeated"])
def test_assigning_to_an_index(both, index, value):
    def program(lib):
        x, y = start(lib)
        at = eval(INDICES[index], {"lib": lib, "y": y})
        part = y.detach().clone()[at]
        new = VALUES[value](lib, part)
        y[at] = new
        outcome = facts(y)
        y.cos().sum().backward()
        return outcome, x.grad

    both(program, rtol=1e-9)


@pytest.mark.parametrize("value", ["number", "full", "0-d", "int"])
def test_assigning_to_an_index_of_a_view(both, value):
    def program(lib):
        x, y = start(lib)
        view = y.transpose(0, 1)[1:]
        view[1] = VALUES[value](lib, view[1].detach())
        view[:, 0, [0, 2]] = 0.25
        y.sin().sum().backward()
        return facts(y), facts(view), x.grad

    both(program, rtol=1e-9)


# --- When writing is refused ---------------------------------------------------------------------------------------


def leaf(lib):
    x, _ = start(lib)
    x.add_(1)


def leaf_index(lib):
    x, _ = start(lib)
    x[0] = 1


def leaf_operator(lib):
    x, _ = start(lib)
    x *= 2


def view_of_leaf(lib):
    x, _ = start(lib)
    x[0].add_(1)


def leaf_in_no_grad(lib):
    x, _ = start(lib)
    with lib.no_grad():
        x.add_(1)
        x[0].mul_(2)
        x -= 0.5
    return facts(x)


def leaf_data(lib):
    x, _ = start(lib)
    x.data.add_(1)
    x.detach().add_(1)
    return facts(x)


def constant_becomes_recorded(lib):
    x = lib.ones(2, requires_grad=True)
    y = lib.zeros(2)
    view = y[:1]
    y += x
    y.sum().backward()
    return facts(y), view.requires_grad, view.grad_fn is None, x.grad


def constant_written_through_its_view(lib):
    x = lib.ones(2, requires_grad=True)
    y = lib.zeros(2)
    y[:1].add_(x[:1] * 3)
    y.sum().backward()
    return facts(y), x.grad


def view_in_no_grad(lib):
    x, y = start(lib)
    with lib.no_grad():
        view = y[0]
    view.add_(1)


def view_in_no_grad_written_inside(lib):
    x, y = start(lib)
    with lib.no_grad():
        view = y[0]
        view.add_(1)
    y.sum().backward()
    return facts(y), x.grad


def view_in_no_grad_of_constant(lib):
    y = lib.zeros(4)
    with lib.no_grad():
        view = y[:2]
    view.add_(1)
    return facts(view), facts(y)


def view_in_no_grad_of_constant_recorded(lib):
    y = lib.zeros(4)
    with lib.no_grad():
        view = y[:2]
    view.add_(lib.ones(2, requires_grad=True))


def base_written_after_view_in_no_grad(lib):
    x, y = start(lib)
    with lib.no_grad():
        view = y[0]
    y.mul_(2)
    return view.grad_fn


def split_written(lib):
    x, y = start(lib)
    y.split(1)[0].add_(1)


def unbind_written(lib):
    x, y = start(lib)
    y.unbind(0)[1].mul_(2)


def chunk_written(lib):
    x, y = start(lib)
    a, b = y.chunk(2, 1)
    b[0] = 1


def split_of_constant_written(lib):
    y = lib.zeros(4)
    a, b = y.split(2)
    a.add_(1)
    return facts(y), facts(a), facts(b)


def split_of_constant_written_with_recorded(lib):
    y = lib.zeros(4)
    y.split(2)[0].add_(lib.ones(2, requires_grad=True))


def base_of_split_written(lib):
    x, y = start(lib)
    a, b = y.unbind(0)
    y.mul_(2)
    try:
        (a * b).sum().backward()
    except RuntimeError:
        return "refused"
    return x.grad


def split_written_in_no_grad(lib):
    x, y = start(lib)
    a, b = y.unbind(0)
    with lib.no_grad():
        a.mul_(2)
    y.sum().backward()
    return facts(y), x.grad


def iteration_written(lib):
    x, y = start(lib)
    for row in y:
        row.add_(1)


def expanded(lib):
    lib.ones(1).expand(3).add_(1)


def expanded_index(lib):
    y = lib.ones(1, 2).expand(3, 2)
    y[0] = 2
    return y


def expanded_of_one(lib):
    y = lib.ones(1, 3).expand(1, 3)
    y.add_(1)
    return y


def expanded_filled(lib):
    return lib.ones(1).expand(3).fill_(2)


def expanded_zeroed(lib):
    return lib.ones(1).expand(3).zero_()


def float_into_int(lib):
    lib.arange(3).add_(0.5)


def float_into_int_copy(lib):
    return lib.arange(3).copy_(lib.tensor([0.9, -1.7, 2.5]))


def float_into_int_index(lib):
    y = lib.arange(3)
    y[0] = 2.9
    y[1:] = lib.tensor([-1.5, 3.5])
    return y


def float_into_bool_fill(lib):
    return lib.zeros(2, dtype=lib.bool).fill_(0.5)


def float_into_int_fill(lib):
    return lib.zeros(2, dtype=lib.int64).fill_(2.5)


def float_into_int_masked_fill(lib):
    return lib.arange(3).masked_fill_(lib.tensor([True, False, True]), 2.5)


def float_into_int_clamp(lib):
    return lib.arange(5).clamp_(1.5, 3.5)


def exp_of_int(lib):
    lib.arange(3).exp_()


def double_into_half(lib):
    return lib.ones(2, dtype=lib.float16).add_(lib.ones(2, dtype=lib.float64))


def broadcast_target(lib):
    lib.ones(1).add_(lib.ones(3))


def copy_wrong_shape(lib):
    lib.ones(2).copy_(lib.ones(3))


def copy_leading_ones(lib):
    return lib.zeros(3).copy_(lib.ones(1, 3))


def detach_of_view(lib):
    x, y = start(lib)
    y[0].detach_()


def detach_and_go_on(lib):
    x, y = start(lib)
    z = y * 2
    y.detach_()
    z.sum().backward()
    return facts(y), x.grad


def requires_grad_of_view_of_constant(lib):
    y = lib.ones(4)
    view = y[:2]
    view.requires_grad_()
    view.add_(1)


def overlapping_source(lib):
    y = lib.arange(6.0)
    y[1:].copy_(y[:-1].clone())
    y[:3] += y[3:]
    return y


def transposed_source(lib):
    y = lib.arange(9.0).view(3, 3)
    y += y.t().clone()
    return y


def saved_by_an_earlier_rule(lib):
    x, y = start(lib)
    z = y.exp()
    y.mul_(2)
    z.sum().backward()
    return x.grad


def output_saved_by_an_earlier_rule(lib):
    x, y = start(lib)
    z = y.exp()
    z.mul_(2)
    z.sum().backward()


def own_output_saved(lib):
    x, y = start(lib)
    y.exp_().sigmoid_()
    y.sum().backward()


def own_output_saved_once(lib):
    x, y = start(lib)
    y.sigmoid_()
    y.sum().backward()
    return x.grad


def view_before_and_after(lib):
    x, y = start(lib)
    early = y[0]
    y.mul_(2)
    late = y[0]
    early.add_(1)
    (early * late).sum().backward()
    return facts(early), facts(late), x.grad


def two_views_of_views(lib):
    x, y = start(lib)
    a = y.view(6, 4)
    b = a[2:5]
    c = b.t()
    c.mul_(2)
    a[3].add_(lib.ones(4, dtype=lib.float64))
    b[:, 0] = c[1]
    (y.sin() * 2).sum().backward()
    return facts(y), facts(a), facts(b), facts(c), x.grad


def second_order_through_writes(lib):
    x = lib.tensor([0.5, 1.5], dtype=lib.float64, requires_grad=True)
    y = x * 1.0
    y.mul_(x)
    y[0] = y[1] * x[0]
    y[1:].mul_(y[0].clone())
    grad = lib.grad if lib is autograd else lib.autograd.grad
    (g,) = grad(y.sum(), x, create_graph=True)
    (h,) = grad((g * g).sum(), x)
    return g.detach(), h


def gradient_written(lib):
    x, y = start(lib)
    y.sum().backward()
    version = x.grad._version
    x.grad.mul_(2)
    x.grad.zero_()
    y = x * 2
    y.sum().backward()
    return x.grad, version, x.grad.requires_grad


def out_argument(lib):
    x, y = lib.ones(2), lib.zeros(2)
    result = lib.add(x, 1, out=y)
    return result is y, facts(y)


def out_argument_recorded(lib):
    lib.add(lib.ones(2, requires_grad=True), 1, out=lib.zeros(2))


REFUSALS = [
    value
    for name, value in list(globals().items())
    if getattr(value, "__module__", "") == __name__ and getattr(value, "__code__", None)
    and value.__code__.co_varnames[: value.__code__.co_argcount] == ("lib",)
]  # fmt: skip


@pytest.mark.parametrize("program", REFUSALS, ids=lambda program: program.__name__)
def test_like_torch(both, program):
    both(program, rtol=1e-9)


@pytest.mark.parametrize("write", [lambda y: y.add_(lambda: 0), lambda y: y.add_(autograd.ones(7)), lambda y: y.add_(0.5)])
def test_a_refused_write_changes_nothing(write):
    y = autograd.arange(3)
    view = y[1:]
    with pytest.raises((TypeError, RuntimeError)):
        write(y)
    assert y.tolist() == [0, 1, 2]
    assert (y._version, view._version) == (0, 0)


def test_read_only_memory_is_not_written_to():
    array = np.ones(3)
    array.flags.writeable = False
    with pytest.warns(UserWarning, match="not writ"):
        x = autograd.from_numpy(array)
    with pytest.raises(RuntimeError, match="read-only"):
        x.add_(1)
    assert array.tolist() == [1, 1, 1]


# --- Random programs -----------------------------------------------------------------------------------------------

VIEWS = [
    lambda r, t: t[r.randrange(t.shape[0])] if t.ndim and t.shape[0] else t.view_as(t),
    lambda r, t: t[r.randrange(2) :] if t.ndim else t.unsqueeze(0),
    lambda r, t: t[..., :: r.choice((1, 2))] if t.ndim else t.view(1),
    lambda r, t: t.transpose(0, -1) if t.ndim > 1 else t.unsqueeze(r.choice((0, -1))),
    lambda r, t: t.reshape(-1),
    lambda r, t: t.view(-1),
    lambda r, t: t.unsqueeze(r.randrange(t.ndim + 1)),
    lambda r, t: t.squeeze(),
    lambda r, t: t.diagonal(0, 0, -1) if t.ndim > 1 else t.view_as(t),
    lambda r, t: t.permute(*r.sample(range(t.ndim), t.ndim)),
    lambda r, t: t.expand(2, *t.shape),
    lambda r, t: t.detach(),
    lambda r, t: t.narrow(-1, 0, max(t.shape[-1] - 1, 0)) if t.ndim else t.view_as(t),
    lambda r, t: r.choice(t.unbind(0)) if t.ndim and t.shape[0] else t.view_as(t),
    lambda r, t: r.choice(t.split(1, -1)) if t.ndim and t.shape[-1] else t.view_as(t),
    lambda r, t: r.choice(t.chunk(2, 0)) if t.ndim else t.view_as(t),
]
WRITES = [
    lambda r, t, s: t.mul_(r.choice((0.5, 2.0))),
    lambda r, t, s: t.add_(s.sum()),
    lambda r, t, s: t.sin_(),
    lambda r, t, s: t.zero_(),
    lambda r, t, s: t.copy_(s.reshape(-1)[:1].sum()),
    lambda r, t, s: t.add_(1) if overlaps(t) else t.masked_fill_(t.detach() > 0.5, 0.25),
    lambda r, t, s: t.clamp_(-1, 1),
    lambda r, t, s: t.mul_(s.mean()),
    lambda r, t, s: t.__setitem__(..., s.sum() * 0.1),
    lambda r, t, s: t.__setitem__(0, r.choice((0.5, 2))),
    lambda r, t, s: t.add_(1) if overlaps(t) else t.__setitem__(t.detach() < 0, 0.1),
    lambda r, t, s: t.tanh_(),
    lambda r, t, s: t.add_(t),
    lambda r, t, s: t.mul_(t),
]
READS = [
    lambda r, t, s: t * 2,
    lambda r, t, s: t.exp() * 0.1,
    lambda r, t, s: t * s.sum(),
    lambda r, t, s: t.clone(),
    lambda r, t, s: t.cos(),
    lambda r, t, s: t.sum(0) if t.ndim else t + 1,
]


def overlaps(t):
    return any(n > 1 and step == 0 for n, step in zip(t.shape, t.stride(), strict=True))


def random_program(lib, seed, length=14):
    """Views, writes and reads of a few tensors; after each step what happened, in the end all values and gradients."""
    r = random.Random(seed)
    leaves = [lib.tensor(DATA[0, :2, :3].tolist(), dtype=lib.float64, requires_grad=r.random() < 0.8) for _ in range(2)]
    pool = [*leaves, leaves[0] * 1.5, leaves[1].sin(), lib.ones(2, 3, dtype=lib.float64)]
    log = []
    for _ in range(length):
        number, kind, off = r.randrange(len(pool)), r.random(), r.random() < 0.1
        source = r.choice(pool)
        choice = r.choice(VIEWS if kind < 0.4 else WRITES if kind < 0.75 else READS)
        state = r.getstate()
        try:
            with lib.set_grad_enabled(not off or kind < 0.4):
                result = choice(r, pool[number]) if kind < 0.4 else choice(r, pool[number], source)
            if result is not None:
                pool.append(result)
            log.append("done")
        except (RuntimeError, IndexError):
            log.append("refused")
        log.append([history(t) for t in pool])
        r.setstate(state)
        r.random()
    values = [t.detach().clone() for t in pool]
    total = leaves[0].sum() * 0 + leaves[1].sum() * 0
    for t in pool:
        if history(t) != "refused":
            total = total + t.cos().sum()
    try:
        total.backward()
        gradients = [leaf.grad for leaf in leaves if leaf.is_leaf]
    except RuntimeError as error:
        gradients = type(error).__name__
    return log, values, gradients


def history(t):
    """What is known of a tensor's history; multi-output views whose base was written to refuse to tell."""
    try:
        return t._version, t.requires_grad, t.is_leaf, t.grad_fn is None
    except RuntimeError:
        return "refused"


@pytest.mark.parametrize("block", range(10))
def test_random_programs_of_views_and_writes(both, block):
    for seed in range(block * 100, block * 100 + 100):
        both(lambda lib, seed=seed: random_program(lib, seed), rtol=1e-9, atol=1e-9, label=f"seed {seed}")
