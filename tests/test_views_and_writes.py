"""When writing is allowed, and what views and bases see of it: all as in PyTorch."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    "write", [lambda y: y.add_(lambda: 0), lambda y: y.add_(autograd.ones(7)), lambda y: y.add_(0.5)]
)
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


# --- A tensor that becomes a view of itself, while views of it are older ---------------------------------------------

BECOMING = {
    "t_": lambda y: y.t_(),
    "transpose_": lambda y: y.transpose_(0, 1),
    "swapaxes_": lambda y: y.swapaxes_(0, 1),
    "swapdims_": lambda y: y.swapdims_(-1, 0),
    "squeeze_": lambda y: y.squeeze_(),
    "unsqueeze_": lambda y: y.unsqueeze_(1),
    "twice": lambda y: y.unsqueeze_(0).transpose_(0, 2),
}


def gradient_through_the_older_view(lib, x, y, older, become):
    become(y)
    (older * older).sum().backward()
    return older, y, x.grad


def write_to_the_older_view(lib, x, y, older, become):
    become(y)
    older.mul_(3)
    y.square().sum().backward()
    return older, y, x.grad


def write_to_the_tensor(lib, x, y, older, become):
    become(y)
    y.mul_(3)
    (older * older).sum().backward()
    return older, y, x.grad


def write_before(lib, x, y, older, become):
    y.mul_(3)
    become(y)
    (older * older).sum().backward()
    return older, y, x.grad


def recorded_later(lib, x, y, older, become):
    y, older = y.detach(), older.detach()[:2]
    younger = y[:1]
    become(y)
    y.mul_(x.sum())
    older.sum().backward()
    return younger.requires_grad, y, x.grad


@pytest.mark.parametrize("operator", BECOMING)
@pytest.mark.parametrize(
    "program",
    [
        gradient_through_the_older_view,
        write_to_the_older_view,
        write_to_the_tensor,
        write_before,
        recorded_later,
    ],
)
@pytest.mark.parametrize("of_a_view", [False, True])
def test_older_views(program, operator, of_a_view, both):
    def run(lib):
        x = lib.arange(6.0).requires_grad_()
        y = (x * 2).view(2, 3) if of_a_view else x.view(2, 3) * 2
        return program(lib, x, y, y[0] if of_a_view else y[:, 1:], BECOMING[operator])

    both(run, label=f"{program.__name__} {operator}")


def test_leaf_becomes_a_view_of_itself(both):
    def run(lib):
        x = lib.arange(6.0).view(2, 3).clone().requires_grad_()
        with lib.no_grad():
            x.t_()
        (x * x).sum().backward()
        return x, x.is_leaf, x.grad

    both(run)
    both(lambda lib: lib.ones(2, 3, requires_grad=True).t_())


# --- out= that lies where an operand does ----------------------------------------------------------------------------

OUT = """
L.add(x, 1, out=o) | L.sub(x, 2, alpha=2, out=o) | L.mul(x, x, out=o) | L.pow(2, x, out=o) | L.exp(x, out=o)
L.eq(x, x, out=o) | L.logical_and(x, x, out=o) | L.special.erfcx(x, out=o) | L.clamp(x, 0, 1, out=o)
L.clamp_min(x, 0, out=o) | L.lerp(x, x, 0.5, out=o) | L.addcmul(x, x, x, out=o) | L.addcdiv(x, x, x, out=o)
L.div(x, 2, rounding_mode="floor", out=o) | L.round(x, decimals=1, out=o) | L.nan_to_num(x, out=o) | L.logit(x, out=o)
L.sgn(x, out=o) | L.igamma(x, x, out=o) | L.polygamma(1, x, out=o) | L.special.zeta(x, x, out=o) | L.diff(x, out=o[:3])
L.cumsum(x, 0, out=o) | L.cumprod(x, 0, out=o) | L.logcumsumexp(x, 0, out=o) | L.sort(x, out=(o, i)) | L.angle(x, out=o)
L.topk(x, 4, out=(o, i)) | L.renorm(x.view(2, 2), 2, 0, 1, out=o.view(2, 2)) | L.where(x > 1, x, x, out=o)
L.index_copy(x, 0, i[:1], x[:1] + 0, out=o) | L.gather(x, 0, i, out=o) | L.index_select(x, 0, i, out=o)
L.take(x, i, out=o) | L.masked_select(x, x > 1, out=o) | L.scatter(x, 0, i, x, out=o) | L.cat([x[:2], x[2:]], out=o)
L.stack([x[0], x[1], x[2], x[3]], out=o) | L.tril(x.view(2, 2), out=o.view(2, 2)) | L.softmax(x, 0, out=o)
L.bitwise_and(i[1:], 1, out=i[:-1]) | L.bitwise_not(i[1:], out=i[:-1]) | L.gcd(i[1:], i[1:], out=i[:-1])
L.mm(x.view(2, 2), x.view(2, 2), out=o.view(2, 2)) | L.amax(x.view(2, 2), 0, out=o[:2])
"""


@pytest.mark.parametrize("call", [call.strip() for line in OUT.split("\n") for call in line.split(" | ") if call])
def test_out_among_the_operands(call, torch):
    for start in (0, 1):
        raised = []
        for lib in (autograd, torch):
            memory = lib.tensor([1.0, 2.0, 3.0, 5.0, 7.0])
            names = {"L": lib, "x": memory[:4], "o": memory[start : start + 4], "i": lib.tensor([0, 1, 2, 3])}
            try:
                eval(call, names)
                raised.append(None)
            except Exception as error:
                raised.append(type(error))
        assert raised[0] is raised[1], f"ours {raised[0]}, PyTorch's {raised[1]}; out begins at {start}"
