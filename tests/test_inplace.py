"""In-place operators and assignment to indices: values, gradients, versions. PyTorch is the oracle."""

from __future__ import annotations

import numpy as np
import pytest

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
        "y[0]",
        "y[:, 1:]",
        "y[..., 0]",
        "y.transpose(0, 2)",
        "y.view(6, 4)[::2]",
        "y.permute(2, 0, 1)[1:3].select(1, 0)",
        "y.diagonal(0, 1, 2)",
        "y.unsqueeze(0).squeeze(0)",
        "y.flatten(1).narrow(1, 2, 5)",
        "y[None, :, 0]",
        "y.view(-1)[3]",
        "y.reshape(24)[1::3]",
        "y.mT",
        "y.detach()",
        "y.view_as(y)",
        "y.expand(2, 3, 4)",
        "y.unflatten(2, (2, 2))[..., 1]",
        "y.movedim(0, -1)[1]",
        "y.swapaxes(0, 1)",
        "y.ravel()",
    ],
)
def test_operators_through_views(both, name, target):
    def program(lib):
        x, y = start(lib)
        before = y.sum()
        view = eval(target, {"y": y})
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
