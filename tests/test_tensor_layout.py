"""Where elements lie in memory: strides of results, views that are possible and those that are not. Oracle: PyTorch."""

from __future__ import annotations

import itertools

import pytest

import autograd

LAYOUTS = [
    "x", "x.transpose(0, 2)", "x.permute(1, 2, 0)", "x[:, ::2]", "x[:, :, 1:]", "x[0].expand(2, 3, 4)",
    "x[:, :1].expand(2, 3, 4)", "x[..., :1].expand(2, 3, 4)", "x.transpose(0, 1)[:, :1].expand(3, 2, 4)",
    "x[0, 0, 0].expand(2, 3)", "x[:1]", "x[:, :0]", "x.mT[..., 0]", "x.unsqueeze(1).transpose(0, 3)",
    "x.flip(0)", "x.diagonal(0, 1, 2)",
]  # fmt: skip
MAKERS = [
    "y.clone()", "y * 2", "y.exp()", "-y", "y + y", "y > 0", "y.double()", "y.contiguous()",
    "lib.zeros_like(y)", "lib.rand_like(y)", "y.relu()", "y.clamp(0, 1)", "lib.where(y > 0, y, y)", "y.sum(-1)",
    "y.softmax(-1)", "y.detach().clone() + 0", "y.round()", "lib.maximum(y, y)", "y.masked_fill(y > 0, 1.0)",
    "y + y.sum()", "y * y[..., :1]",
]  # fmt: skip


def steps(lib, layout, maker):
    """Distances in memory along the dimensions that have more than one element, for a result."""
    y = eval(layout, {"x": lib.arange(24.0).view(2, 3, 4)})
    z = eval(maker, {"lib": lib, "y": y})
    return [step for n, step in zip(z.shape, z.stride(), strict=True) if n > 1], z.is_contiguous()


@pytest.mark.parametrize("mode", ["never", "always"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_result_can_be_viewed_wherever_torchs_can(torch, layout, mode):
    with autograd.jit.using(mode):
        for maker in MAKERS:
            ours, theirs = steps(autograd, layout, maker), steps(torch, layout, maker)
            assert ours[1] or ours == theirs, maker


OPERANDS = [
    "x", "x.to(lib.int32)", "x.reshape(4, 3, 2).permute(2, 1, 0)", "x.reshape(3, 2, 4).transpose(0, 1)",
    "x.reshape(2, 4, 3).mT", "x.reshape(3, 4, 2).permute(2, 0, 1)", "x[0].expand(2, 3, 4)",
    "x[:, :1].expand(2, 3, 4)", "x[..., :1].expand(2, 3, 4)", "x[:1]", "x[:, :1]", "x[..., :1]", "x[0]",
    "x[0, 0, 0]", "lib.ones(2, 3, 8)[..., ::2]", "lib.ones(3, 3, 4)[1:]", "lib.ones(4, 3, 4).permute(2, 1, 0)[::2]",
]  # fmt: skip
OPERATORS = ["y + z", "y < z", "y / z", "lib.where(y > 3, y, z)", "lib.fmod(z, y + 1)", "lib.lerp(y * 1., z * 1., 0.5)"]


@pytest.mark.parametrize("operand", OPERANDS)
def test_the_first_operand_with_an_order_gives_it_to_the_result(torch, operand):
    def made(lib, other, operator):
        x = lib.arange(24.0).view(2, 3, 4)
        y, z = (eval(each, {"lib": lib, "x": x}) for each in (operand, other))
        result = eval(operator, {"lib": lib, "y": y, "z": z})
        return [step for n, step in zip(result.shape, result.stride(), strict=True) if n > 1]

    for other in OPERANDS:
        for operator in OPERATORS:
            assert made(autograd, other, operator) == made(torch, other, operator), (other, operator)


@pytest.mark.parametrize(
    "source",
    [
        "x.view(4, 6)", "x.view(-1)", "x.view(2, -1)", "x.view(5, 5)", "x.view(-1, -1)", "x.view(-1, 0)",
        "x.view(2, 3, 4, 1)", "x.transpose(0, 1).view(-1)", "x.transpose(0, 1).view(3, 2, 2, 2)",
        "x.transpose(1, 2).view(2, 12)", "x[:, ::2].view(4, 4)", "x[:, ::2].view(2, 8)",
        "x[..., :2].view(6, 2)", "x[0].expand(2, 3, 4).view(2, 12)", "x[0].expand(2, 3, 4).view(24)",
        "x.transpose(0, 1).reshape(6, 4)", "x[:0].view(0, 5)", "x[:0].view(-1)", "x[:0].view(-1, 0)",
        "x.view(())", "x[0, 0, 0].view(1, 1)", "x.view(2, 12).view(24)._base is x._base",
        "x.reshape(-1)._is_view(), x.transpose(0, 1).reshape(-1)._is_view()",
        "x.flatten()._base is None, x.ravel().shape, x.flatten(0, 1).shape, x.flatten(1).shape",
        "x.view_as(lib.ones(4, 6)).shape",
    ]
)  # fmt: skip
def test_view_and_reshape(both, source):
    both(lambda lib: eval(source, {"lib": lib, "x": lib.arange(24.0).view(2, 3, 4)}))


MADE = {
    "rows": lambda L: L.arange(35.0).view(5, 7) + 0,
    "columns": lambda L: L.arange(35.0).view(7, 5).t() + 0,
    "one row": lambda L: L.ones(7) + 0,
    "one column": lambda L: L.ones(5, 1) + 0,
    "permuted": lambda L: L.arange(70.0).view(7, 5, 2).permute(2, 1, 0) + 0,
}
MIXED = {
    "mul": lambda L, a, b: a * b,
    "add": lambda L, a, b: a + b,
    "fmod": lambda L, a, b: L.fmod(a, b),
    "lt": lambda L, a, b: a < b,
    "where": lambda L, a, b: L.where(a > b, a, b),
    "addcmul": lambda L, a, b: L.addcmul(a, b, a),
    "rsub": lambda L, a, b: 1 - a * b,
    "clamp": lambda L, a, b: L.clamp(a, b, b + 1),
}


@pytest.mark.parametrize("name", MIXED)
def test_results_and_gradients_of_mixed_layouts(both, name):
    """Of tensors that are no views; the first time and again, as the first call takes another way; and the gradient of
    a leaf lies as the leaf does."""

    def strides(L):
        found = []
        for first, second in itertools.product(MADE.values(), repeat=2):
            for _ in range(2):
                a, b = first(L), second(L)
                found.append(tuple(MIXED[name](L, a, b).stride()))
                a = a.clone().requires_grad_()
                y = MIXED[name](L, a, b)
                if y.requires_grad:
                    y.backward(L.ones_like(y))
                    found += [tuple(y.stride()), tuple(a.grad.stride()), a.grad.tolist()]
        return found

    both(strides)
