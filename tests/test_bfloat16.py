"""bfloat16 and the unsigned integers of 16, 32 and 64 bits: as in PyTorch, computed in float32 and rounded once."""

from __future__ import annotations

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest

import autograd
import nn
from autograd import bfloat16

VALUES = [1.0, -2.5, 3.1415926, 1e-3, 100.3, 0.0]

# What one computes with x of bfloat16, y of float32, h of float16 and i of int64.
PROGRAMS = [
    "x, x + 1, 1.5 - x, x * 0.1, x / 3, x ** 2, x // 0.3, x % 0.7, -x, x + y, x + h, x + i, x * i[0], x + y[0]",
    "x == x, x > 1, x.isnan(), x.argmax(), x.argsort(), x.int(), x.half(), x.double(), x.bool(), x.to(lib.complex64)",
    "x.exp(), x.sigmoid(), x.tanh(), x.sqrt(), x.erf(), x.round(), x.floor(), x.sign(), x.clamp(-1, 1), x.atan2(x)",
    "x * 1e10, h * 1e6, h + 1e5, h / 1e6, 1e6 * h[3], x == 0.1, x.maximum(x) > 1e10",
    "x.sum(), x.mean(), x.prod(), x.var(), x.norm(), x.amax(), x.cumsum(0), x.logsumexp(0), x.softmax(0), x.median()",
    "y.sum(dtype=lib.bfloat16), x.sum(dtype=lib.float32), y.softmax(0, dtype=lib.bfloat16), x.cumsum(0, dtype=y.dtype)",
    "x @ x, x.outer(x), x.reshape(2, 3) @ x.reshape(3, 2), lib.einsum('i,i->', x, x), lib.nextafter(x, x + 1)",
    "x.sort(), x.topk(2), x.unique(), x.kthvalue(2), lib.searchsorted(x.sort().values, x), lib.isin(x, x[:2])",
    "lib.cat([x, x]), lib.cat([x, y]), lib.stack([x, x]), lib.where(x > 0, x, y), x.flip(0), x.roll(1), x.gather(0, i)",
    "x[1], x[1:3], x[i], x[x > 0], x.masked_fill(x > 0, 7.7)",
    "x.index_add(0, i, x), x.scatter(0, i, 2.2), x.reshape(3, 2).T",
    "x.clone().add_(y), x.clone().mul_(3), x.clone().zero_()",
    "x.clone().fill_(1.1), x.clone().copy_(y), x.clone().exp_()",
    "lib.zeros(2, dtype=x.dtype), lib.full((2,), 1.1, dtype=x.dtype)",
    "lib.arange(0, 3, 0.3, dtype=x.dtype), lib.eye(2).to(x)",
    "lib.linspace(0, 1, 7, dtype=x.dtype), lib.tensor([x[0], x[1]])",
    "lib.tensor([x[0], 2.0]), lib.zeros_like(x), x.new_ones(2)",
    "repr(x), repr(x[0]), repr(x[:0]), repr(x * 1e10), x.tolist(), x[2].item(), float(x[2]), f'{x[2]:.3f}', 1.0 in x",
    "x.type(), x.element_size(), x.is_floating_point(), x.untyped_storage().nbytes(), x.stride(), x.view(lib.int16)",
    "x.type(lib.FloatTensor), y.type('torch.BFloat16Tensor')",
    "isinstance(x, lib.BFloat16Tensor), lib.BFloat16Tensor([1, 2.3])",
    "lib.BFloat16Storage([1, 2.3]).tolist(), x.storage().type(), x.bfloat16() is x, y.bfloat16(), y.view(lib.bfloat16)",
    "lib.finfo(x.dtype), x.dtype.to_complex(), x.dtype.is_signed",
    "x.dtype.itemsize, lib.allclose(x, x), lib.equal(x, x)",
    "lib.add(y, y, out=lib.zeros(6, dtype=x.dtype))",
    "lib.tensor([lib.inf, lib.nan], dtype=x.dtype).nan_to_num(), x.frexp()",
    # Refused
    "x.numpy()",
    "lib.linalg.inv(x.reshape(2, 3)[:, :2])",
    "lib.fft.fft(x)",
    "x.quantile(0.5)",
    "x.clone().fill_(3.5e38)",
    "x @ y",
    "lib.nn.functional.linear(x, y.reshape(1, 6))",
    "x.requires_grad_().clone().int().requires_grad_()",
]


def names(lib):
    y = lib.tensor(VALUES)
    return {"lib": lib, "x": y.to(lib.bfloat16), "y": y, "h": y.half(), "i": lib.tensor([0, 2, 1, 5, 3, 4])}


@pytest.mark.parametrize("source", PROGRAMS)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")
def test_programs(both, source):
    both(lambda lib: eval(source, names(lib)), rtol=1e-2, atol=1e-3, label=source)


LAYERS = {
    "Linear": ("Linear(6, 3)", (4, 6)),
    "Conv1d": ("Conv1d(3, 2, 3, padding=1)", (2, 3, 8)),
    "Conv2d": ("Conv2d(3, 2, 3, stride=2)", (2, 3, 8, 8)),
    "BatchNorm1d": ("BatchNorm1d(3)", (4, 3, 5)),
    "LayerNorm": ("LayerNorm(6)", (4, 6)),
    "GroupNorm": ("GroupNorm(2, 4)", (2, 4, 3)),
    "MaxPool2d": ("MaxPool2d(2)", (1, 2, 4, 4)),
    "AvgPool2d": ("AvgPool2d(2)", (1, 2, 4, 4)),
    "GELU": ("GELU()", (4, 6)),
    "Softmax": ("Softmax(-1)", (4, 6)),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_forward_and_backward(both, name):
    source, shape = LAYERS[name]

    def program(lib):
        lib.manual_seed(3)
        layer = eval(f"lib.nn.{source}", {"lib": lib}).bfloat16()
        x = lib.randn(shape).bfloat16().requires_grad_()
        out = layer(x)
        (out * lib.arange(out.numel()).reshape(out.shape)).sum().backward()
        return out, x.grad, [(p.dtype, p.grad) for p in layer.parameters()]

    both(program, rtol=3e-2, atol=0.3 if name.endswith("Norm1d") or "Norm" in name else 3e-2)


def test_gradients_add_up_in_bfloat16(both):
    def program(lib):
        x = lib.tensor(VALUES, dtype=lib.bfloat16, requires_grad=True)
        for _ in range(3):
            (x * x * 1.1).sum().backward()
        (g,) = lib.autograd.grad((x**3).sum(), x, create_graph=True)
        (again,) = lib.autograd.grad(g.sum(), x)
        y = lib.tensor(VALUES, requires_grad=True)
        (y.to(lib.bfloat16) * x).sum().backward()
        return x.grad, g, again, y.grad, str((x + 1).grad_fn).split()[0]

    both(program, rtol=2e-2)


def test_saved_values_take_the_type_s_own_memory():
    x = autograd.ones(1000, dtype=bfloat16, requires_grad=True)
    weight = autograd.ones(2, 1000, dtype=bfloat16, requires_grad=True)
    node = nn.functional.linear(x, weight).grad_fn
    assert all(array.dtype.name == "bfloat16" for array in node.saved)
    assert any(array is x._array for array in node.saved)


@pytest.mark.parametrize(
    "call",
    [
        "rand(40, dtype=T)", "randn(9, dtype=T)", "randn(40, dtype=T)", "empty(40, dtype=T).uniform_(-2, 5)",
        "empty(40, dtype=T).normal_(3, 2)", "empty(40, dtype=T).exponential_()", "empty(40, dtype=T).cauchy_()",
        "empty(40, dtype=T).log_normal_()", "empty(40, dtype=T).geometric_(0.3)", "empty(40, dtype=T).bernoulli_(0.3)",
        "empty(40, dtype=T).random_()", "empty(40, dtype=T).random_(0, 100)", "randperm(100, dtype=T)",
        "nn.functional.dropout(lib.ones(40, dtype=T), 0.3)", "rand(40).to(T).bernoulli()",
        "randint(0, 9, (5,), dtype=T)",
    ],
)  # fmt: skip
def test_random_streams_are_pytorchs(both, call):
    def program(lib):
        lib.manual_seed(11)
        return eval(f"lib.{call}", {"lib": lib, "T": lib.bfloat16}), lib.rand(2)

    both(program, rtol=1e-6)


def test_copies_keep_the_type():
    x = autograd.tensor(VALUES, dtype=bfloat16)
    for y in (copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert y.dtype is bfloat16
        assert y.tolist() == x.tolist()
    assert pickle.loads(pickle.dumps(bfloat16)) is bfloat16
    x[1:3].mul_(2)
    assert x.view(autograd.int16).view(bfloat16)[1].item() == -5.0
    with pytest.raises(TypeError, match=r"\.float\(\)"):
        np.asarray(x)


def test_graphs_are_drawn():
    x = autograd.tensor(VALUES, dtype=bfloat16, requires_grad=True)
    assert "3.14e+00" in str(autograd.draw((x * 2).sum()))


def test_arrays_of_bfloat16_are_refused_as_in_pytorch():
    array = np.ones(2, ml_dtypes.bfloat16)
    autograd.ones(1).bfloat16()
    for call in (autograd.tensor, autograd.from_numpy, autograd.as_tensor):
        with pytest.raises(TypeError, match="can't convert"):
            call(array)


def test_as_the_default_dtype(both):
    def program(lib):
        before = lib.get_default_dtype()
        lib.set_default_dtype(lib.bfloat16)
        try:
            x = lib.tensor([1.5, 2.3])
            return (
                x,
                repr(x),
                lib.ones(2),
                lib.arange(3) / 2,
                lib.rand(2).dtype,
                lib.nn.Linear(2, 2).weight.dtype,
                x * 1j,
            )
        finally:
            lib.set_default_dtype(before)

    both(program, rtol=1e-2)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_optimizers(both, name):
    def program(lib):
        lib.manual_seed(0)
        model = lib.nn.Sequential(lib.nn.Linear(5, 8), lib.nn.Tanh(), lib.nn.Linear(8, 3)).bfloat16()
        optimizer = getattr(lib.optim, name)(model.parameters(), lr=0.03)
        x, y = lib.randn(16, 5).bfloat16(), lib.arange(16) % 3
        for _ in range(5):
            optimizer.zero_grad()
            loss = lib.nn.functional.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        return loss, [p.dtype for p in model.parameters()]

    both(program, rtol=2e-2)


UNSIGNED_PROGRAMS = [
    "x, repr(x), x.tolist(), x[0].item(), x.type(), x.is_signed()",
    "x.element_size(), lib.iinfo(x.dtype), x.storage().type()",
    "x[0], x[1:], x[lib.tensor([1, 0])], x[x == 1], x.reshape(2, 1)",
    "x.view(-1), x.clone(), lib.cat([x, x]), lib.stack([x, x])",
    "x == x, x != x, x * x, x / x, x & x, x | x, x ^ x, x.sum()",
    "x.prod(), x.sort(), x.unique(), lib.equal(x, x), x.any()",
    "x + 1.5, x + lib.ones(2), x * lib.ones(2, dtype=lib.float16)",
    "x.float(), x.long(), x.bool(), lib.where(x == x, x, x)",
    "lib.zeros(2, dtype=x.dtype), lib.full((2,), 3, dtype=x.dtype)",
    "x.clone().fill_(3), x.clone().copy_(lib.tensor([2, 3]))",
    "lib.tensor([1.7], dtype=x.dtype), lib.tensor([True], dtype=x.dtype), lib.tensor([3.9]).to(x.dtype)",
    "lib.tensor([lib.iinfo(x.dtype).max], dtype=x.dtype), lib.full((), lib.iinfo(x.dtype).max, dtype=x.dtype)",
    # Refused
    "x + lib.tensor([1, 2])",
    "lib.tensor([-1], dtype=lib.uint64)",
    "lib.tensor([2**40], dtype=lib.uint32)",
    "x.mean()",
    "x[lib.tensor([0], dtype=lib.uint16)]",
    "x.requires_grad_()",
    "x.dtype.to_complex()",
]


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64"])
@pytest.mark.parametrize("source", UNSIGNED_PROGRAMS)
@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated:UserWarning")
def test_unsigned_integers(both, source, dtype):
    both(lambda lib: eval(source, {"lib": lib, "x": lib.tensor([1, 2], dtype=getattr(lib, dtype))}), label=source)
