"""Tensor as an object: how it is made, what it tells, how it leaves, copies and refuses. PyTorch is the oracle."""

from __future__ import annotations

import copy
import math
import pickle

import numpy as np
import pytest

import autograd
import nn

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]


def run(source, x="lib.ones(2)"):
    """A program from an expression or from statements that assign ``r``; ``lib`` is the library, ``x`` a tensor."""

    def program(lib):
        names = {"lib": lib, "np": np, "math": math, "copy": copy, "pickle": pickle}
        names["nn"] = nn if lib is autograd else lib.nn
        names["x"] = eval(x, names)
        if "r = " in source:
            exec(source, names)
            return names["r"]
        return eval(source, names)

    return program


def check_all(sources):
    """Decorator: the test runs each source in both libraries."""
    return pytest.mark.parametrize("source", sources)


# --- Construction --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@check_all(
    [
        "lib.tensor([[1, 0], [2, 3]], dtype={})",
        "lib.tensor(1, dtype={})",
        "lib.tensor([], dtype={})",
        "lib.tensor([0.0, 1.5], dtype={})",
        "lib.tensor([True, False], dtype={})",
        "lib.zeros(2, 3, dtype={})",
        "lib.ones((2, 3), dtype={})",
        "lib.full((2,), 1, dtype={})",
        "lib.zeros_like(lib.ones(2, 2), dtype={})",
        "lib.tensor(np.array([1, 0]), dtype={})",
        "lib.as_tensor([1, 0], dtype={})",
        "lib.arange(3).to({})",
        "lib.tensor([1.0, 0.0]).type({})",
        "lib.ones(2).new_zeros(3, dtype={})",
        "lib.ones(2, dtype={}).new_tensor([1, 0])",
        "lib.ones(2, dtype={}).new_full((2,), 1)",
        "lib.ones(2, dtype={}).new_ones(2)",
        "lib.empty(0, 3, dtype={})",
        "lib.eye(2, dtype={})",
        "repr({}), {}.itemsize, {}.is_floating_point, {}.is_signed, {}.is_complex",
        "x = lib.ones(1, dtype={}); r = (x.is_floating_point(), x.is_signed(), x.element_size())",
        "lib.ones(1, dtype={}).type()",
        "lib.tensor([1, 0], dtype={}).tolist()",
        "lib.tensor(1, dtype={}).item()",
        "bool(lib.tensor(1, dtype={})), int(lib.tensor(1, dtype={})), float(lib.tensor(1, dtype={}))",
        "lib.tensor([1, 0, 3], dtype={}).sum().dtype",
        "lib.tensor([3, 0], dtype={}).requires_grad_().requires_grad",
        "lib.tensor([3, 0], dtype={}, requires_grad=True).requires_grad",
        "str(lib.tensor([3, 0], dtype={}))",
        "lib.tensor([1, 0], dtype={}).numpy().dtype.name",
    ],
)
def test_every_dtype(both, source, dtype):
    both(run(source.replace("{}", f"lib.{dtype}")))


@check_all(
    [
        "lib.tensor([1, 2])",
        "lib.tensor([1, 2.5])",
        "lib.tensor([True, 2])",
        "lib.tensor([True, False])",
        "lib.tensor([True, 0.5])",
        "lib.tensor(3)",
        "lib.tensor(3.0)",
        "lib.tensor(True)",
        "lib.tensor([])",
        "lib.tensor([[], []])",
        "lib.tensor([[[]]])",
        "lib.tensor(())",
        "lib.tensor((1, (2.0)))",
        "lib.tensor([(1, 2), [3, 4]])",
        "lib.tensor(range(3))",
        "lib.tensor([range(2), range(2)])",
        "lib.tensor([[1, 2], [3]])",
        "lib.tensor([[1], 2])",
        "lib.tensor([1, [2]])",
        "lib.tensor([[1, 2], [3, [4]]])",
        "lib.tensor([[[1], [2]], [[3], [4, 5]]])",
        "lib.tensor([1, None])",
        "lib.tensor(None)",
        "lib.tensor('a')",
        "lib.tensor(['a'])",
        "lib.tensor({1: 2})",
        "lib.tensor(object())",
        "lib.tensor([object()])",
        "lib.tensor(2**63)",
        "lib.tensor(2**62)",
        "lib.tensor([-(2**63)])",
        "lib.tensor(300, dtype=lib.uint8)",
        "lib.tensor(-1, dtype=lib.uint8)",
        "lib.tensor(2**40, dtype=lib.int32)",
        "lib.tensor(1e10, dtype=lib.int32)",
        "lib.tensor(2.9, dtype=lib.int64)",
        "lib.tensor([-2.9], dtype=lib.int8)",
        "lib.tensor(1e300)",
        "lib.tensor([float('nan'), float('inf')])",
        "lib.tensor(np.float64(1.5))",
        "lib.tensor(np.int32(3))",
        "lib.tensor(np.bool_(True))",
        "lib.tensor([np.float64(1.5), np.float64(2)])",
        "lib.tensor([np.float32(1.5)])",
        "lib.tensor([np.int32(1), np.int32(2)])",
        "lib.tensor(np.array([1.5, 2], dtype='float32'))",
        "lib.tensor(np.array([1.5, 2]))",
        "lib.tensor(np.array(2.5))",
        "lib.tensor(np.array([True]))",
        "lib.tensor(np.zeros((2, 0)))",
        "lib.tensor(np.array(['a']))",
        "lib.tensor(np.array([None]))",
        "lib.tensor([lib.tensor(1), lib.tensor(2)])",
        "lib.tensor([lib.tensor(1.5), 2])",
        "lib.tensor([[lib.tensor(1.5)], [2]])",
        "lib.tensor([1.0], requires_grad=True)",
        "lib.tensor([1], requires_grad=True)",
        "lib.tensor([1.0], dtype='float32')",
        "lib.tensor([1.0], dtype=float)",
        "lib.tensor([1.0], dtype=int)",
        "lib.tensor([1.0], dtype=bool)",
        "lib.tensor([1.0], device='cpu')",
        "lib.tensor([1.0], device=lib.device('cpu'))",
        "lib.tensor([1.0], wrong=1)",
        "lib.tensor()",
        "lib.tensor(1, 2)",
        "lib.Tensor([1, 2])",
        "lib.Tensor(2, 3).shape",
        "lib.Tensor().shape",
        "lib.Tensor([[1, 2], [3, 4]]).dtype",
        "lib.Tensor(lib.tensor([1.0]))",
        "lib.Tensor(lib.Size([2, 3])).shape",
        "lib.Tensor(2.5)",
        "lib.as_tensor(lib.ones(2)).shape",
        "lib.as_tensor(3)",
        "lib.asarray([1.5])",
        "lib.from_numpy([1])",
        "lib.from_numpy(np.float32(3))",
        "lib.from_numpy(np.array(['a']))",
        "lib.from_numpy(np.ones(2, dtype='datetime64[s]'))",
        "lib.is_tensor(lib.ones(1)), lib.is_tensor([1])",
        "lib.zeros(2, -1)",
        "lib.zeros(2.0)",
        "lib.zeros('a')",
        "lib.zeros(()).shape",
        "lib.zeros([2, 3]).shape",
        "lib.zeros(lib.Size([2])).shape",
        "lib.zeros(size=(2,)).shape",
        "lib.ones(2, requires_grad=True)",
        "lib.ones(2, dtype=lib.int64, requires_grad=True)",
        "lib.full((2,), 3), lib.full((2,), 3.0), lib.full((2,), True)",
        "lib.ones_like(lib.ones(2, 3).t()).stride()",
        "lib.ones_like(lib.ones(2, requires_grad=True)).requires_grad",
        "lib.arange(5), lib.arange(1.0, 2.0, 0.25), lib.arange(5, 1, -2), lib.arange(0)",
        "lib.arange(3, dtype=lib.float16)",
        "lib.arange(1, 5, 0)",
        "lib.arange(5, 1)",
        "lib.linspace(0, 1, 5), lib.linspace(1, 1, 1), lib.linspace(0, 1, 0)",
        "lib.eye(2, 3), lib.eye(0)",
    ],
)
def test_construction(both, source):
    both(run(source))


def test_data_is_copied_or_shared_as_promised():
    array = np.ones(3)
    shared, copied, viewed = autograd.from_numpy(array), autograd.tensor(array), autograd.as_tensor(array)
    array[0] = 5
    assert shared.tolist() == viewed.tolist() == [5, 1, 1]
    assert copied.tolist() == [1, 1, 1]
    shared[1] = 7
    assert array.tolist() == [5, 7, 1]
    assert np.shares_memory(shared.numpy(), array)
    x = autograd.ones(3)
    assert autograd.as_tensor(x) is x
    assert autograd.as_tensor(x, dtype=autograd.float64) is not x
    with pytest.warns(UserWarning, match="clone"):
        y = autograd.tensor(x)
    y[0] = 3
    assert x.tolist() == [1, 1, 1]


def test_more_kinds_of_data_than_torch_takes():
    assert autograd.tensor([np.array([1, 2]), np.array([3, 4])]).tolist() == [[1, 2], [3, 4]]
    assert autograd.tensor(np.arange(6.0).reshape(2, 3)[::-1, ::2]).tolist() == [[3, 5], [0, 2]]
    backwards = np.arange(3.0)[::-1]
    x = autograd.from_numpy(backwards)
    x[0] = 9
    assert backwards.tolist() == [9, 1, 0]
    assert (x * 2).tolist() == [18, 2, 0]
    assert autograd.tensor(np.ones(2, dtype=">f4")).dtype is autograd.float32


@pytest.mark.parametrize(
    "move", [lambda x: x.to("cuda"), lambda x: x.cuda(), lambda x: x.to(autograd.device("cuda:0"))]
)
def test_there_is_no_other_device(move):
    with pytest.raises(AssertionError, match=r"device 'cuda.*CPU"):
        move(autograd.ones(1))


# --- Facts ---------------------------------------------------------------------------------------------------------


@check_all(
    [
        "x.shape, x.size(), x.size(0), x.size(-1), x.ndim, x.dim(), x.numel(), x.nelement()",
        "x.size(3)",
        "x.size(-4)",
        "x.stride(), x.stride(0), x.stride(-1), x.storage_offset()",
        "x.stride(5)",
        "x.t(), x.T",
        "x[0].t().stride(), x[0].T.shape, x.mT.shape, x[1, 1:].storage_offset(), x[:, ::2].stride()",
        "x.transpose(0, 2).is_contiguous(), x.is_contiguous(), x[0].is_contiguous(), x[:, 1].is_contiguous()",
        "x.transpose(0, 2).contiguous().stride(), x.contiguous() is x",
        "x.expand(5, 2, 3, 4).stride(), x.unsqueeze(-1).shape",
        "x.dtype, x.device, str(x.device), x.layout, x.is_cuda, x.is_sparse, x.itemsize, x.nbytes, x.is_cpu",
        "x.requires_grad, x.is_leaf, x.grad_fn, x.grad, x.output_nr, x.retains_grad, x._is_view(), x._version",
        "x.is_floating_point(), x.is_complex(), x.is_signed(), lib.is_tensor(x)",
        "s = x.shape; r = (type(s).__name__, repr(s), s[0], s[1:], s.numel(), s + (5,), tuple(s))",
        "x.shape == (2, 3, 4), x.shape == lib.Size([2, 3, 4]), hash(x.shape) == hash((2, 3, 4)), list(x.shape)",
        "x.shape * 2, (1,) + x.shape, x.shape.index(3), x.shape.count(2)",
        "x.item()",
        "x[0, 0, 1].item(), type(x[0, 0, 1].item()).__name__",
        "x[:0].item()",
        "lib.ones(1, 1).item()",
        "x.tolist(), x[0, 0, 0].tolist(), x[:0].tolist(), x[:, :0].tolist()",
        "len(x), len(x[:0])",
        "len(x[0, 0, 0])",
        "[row.shape for row in x], [float(v) for v in x[0, 0]]",
        "list(x[0, 0, 0])",
        "iter(x[0, 0, 0])",
        "bool(x)",
        "bool(x[:0])",
        "bool(lib.ones(1, 1)), bool(lib.tensor(0.0)), bool(lib.tensor(float('nan')))",
        "not lib.zeros(1)",
        "3.0 in x, 100 in x, lib.tensor(3.0) in x, True in x",
        "'a' in x",
        "None in x",
        "[1.0] in x",
        "float(lib.tensor(2)), int(lib.tensor(2.9)), complex(lib.tensor(2.0)), int(lib.tensor([-2.9]))",
        "float(x)",
        "int(lib.tensor(float('nan')))",
        "[10, 20, 30][lib.tensor(1)], list(range(5))[lib.tensor(1) : lib.tensor([3])]",
        "[10, 20][lib.tensor(1.0)]",
        "[10, 20][lib.tensor([0, 1])]",
        "[10, 20][lib.tensor(True)]",
        "range(lib.tensor(3)), math.sqrt(lib.tensor(4.0)), round(lib.tensor(2.6)), 'a' * lib.tensor(2)",
        "f'{lib.tensor(2.5):.3f} {lib.tensor(7):4d} {lib.tensor(2.5)}'",
        "f'{lib.ones(2)}'",
        "f'{lib.ones(2):.2f}'",
        "f'{lib.ones(1):.2f}'",
        "'%.2f' % lib.tensor(1.5)",
        "hash(x) == hash(x), x in {x}, len({x, x, x.clone()}), {x: 1}[x]",
        "(x == x).all(), (x == 'a')",
        "x == None, x != None",
        "(x is None), (x.eq(1)).sum()",
        "x[0, 0] == [0.0, 1.0, 2.0, 3.0]",
        "x.nonexistent",
        "lib.nonexistent",
        "hasattr(x, 'nonexistent'), hasattr(x, 'grad'), 'sum' in dir(x)",
        "x.label = 'name'; r = (x.label, x.clone().__dict__, x.detach().__dict__)",
        "x.numpy().shape, x.numpy().dtype.name, x.detach().cpu().numpy().sum()",
        "divmod(lib.tensor(7), 3)",
        "+x is x, abs(-x).sum(), (-x).sum(), ~lib.tensor([True, False]), ~lib.tensor([1, 2])",
        "~x",
        "-lib.tensor([True])",
        "lib.tensor([True]) - lib.tensor([True])",
        "x is x.cpu(), x is x.to('cpu'), x.to(lib.device('cpu')) is x, x.get_device()",
        "lib.device('gpu')",
        "d = lib.device('cpu'); r = (str(d), repr(d), d == lib.device('cpu'), lib.device('cpu', 0).index)",
        "lib.device('cpu').type, lib.device('cpu').index, hash(lib.device('cpu')) == hash(lib.device('cpu'))",
        "x.is_same_size(x), lib.numel(x), lib.is_floating_point(x)",
    ],
)
def test_facts(both, source):
    both(run(source, "lib.arange(24.0).view(2, 3, 4)"))


# --- Conversions ---------------------------------------------------------------------------------------------------


@check_all(
    [
        "x.to(lib.float64), x.to(dtype=lib.int32), x.to('cpu', lib.float16), x.to(lib.ones(1, dtype=lib.float64))",
        "x.to(lib.float32) is x, x.to(x) is x, x.to('cpu') is x, x.float() is x, x.type(lib.float32) is x, x.to() is x",
        "x.to(lib.float32, copy=True) is x, x.to(lib.float32, copy=True)",
        "x.to(float), x.to(int), x.to(bool)",
        "x.to('float64')",
        "x.to(None)",
        "x.to(np.float64)",
        "x.float(), x.double(), x.half(), x.int(), x.long(), x.short(), x.char(), x.byte(), x.bool()",
        "x.type(), x.type(lib.float64), x.type('torch.LongTensor'), x.long().type(), x.bool().type(), x.half().type()",
        "x.type('torch.NoSuchTensor')",
        "x.type_as(lib.ones(1, dtype=lib.int16))",
        "lib.tensor([-1.0, 300.0, 1.9]).int(), lib.tensor([-1, 300]).short()",
        "lib.tensor([1e300], dtype=lib.float64).float(), lib.tensor([70000.0]).half()",
        "lib.tensor([256, -1]).byte(), lib.tensor([128]).char(), lib.tensor([0.0, 0.1, float('nan')]).bool()",
        "lib.ones(2, requires_grad=True).double().requires_grad, lib.ones(2, requires_grad=True).long().requires_grad",
        "lib.ones(2, requires_grad=True).to(lib.float32).is_leaf",
        "lib.ones(2, requires_grad=True).numpy()",
        "lib.ones(2, requires_grad=True).detach().numpy(), lib.ones(2, requires_grad=True).numpy(force=True)",
        "np.asarray(lib.ones(2, requires_grad=True))",
        "np.asarray(x), np.asarray(x, dtype='float64')",
        "np.sum(x.numpy()), np.stack([x.numpy(), x.numpy()])",
        "x.requires_grad_(); r = (x[0].item(), x.tolist(), x[0].tolist())",
        "float(lib.ones(1, requires_grad=True).detach())",
        "lib.get_default_dtype(), lib.float, lib.double, lib.half, lib.long, lib.int, lib.short",
        "lib.float is lib.float32, lib.promote_types(lib.int8, lib.uint8), lib.promote_types(lib.bool, lib.float16)",
        "lib.set_default_dtype(lib.int64)",
        "lib.set_default_dtype('float64')",
        "pickle.loads(pickle.dumps(lib.float32)) is lib.float32, copy.deepcopy(lib.int64) is lib.int64",
        "pickle.loads(pickle.dumps(lib.Size([2, 3]))), copy.copy(lib.Size([2]))",
        "copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))",
        "x.requires_grad_(); y = copy.deepcopy(x); r = (y, y.is_leaf, y is x)",
        "x.requires_grad_(); (x * x).sum().backward(); y = copy.deepcopy(x); r = (y.grad, y.grad is x.grad)",
        "x.requires_grad_(); r = copy.deepcopy(x * 2)",
        "x.requires_grad_(); y = pickle.loads(pickle.dumps(x)); r = (y, y.is_leaf, y.grad)",
        "x.requires_grad_(); y = pickle.loads(pickle.dumps(x * 2)); r = (y, y.is_leaf, y.grad)",
        "x.label = 'a'; r = (copy.deepcopy(x).label, copy.copy(x).label, pickle.loads(pickle.dumps(x)).label)",
        "a = [x, x]; b = copy.deepcopy(a); r = (b[0] is b[1], b[0] is x)",
        "y = copy.copy(x); y[0] = 9; r = x",
        "y = copy.deepcopy(x); y[0] = 9; r = x",
        "pickle.loads(pickle.dumps(x[::2])), pickle.loads(pickle.dumps(x.view(2, 2).t()))",
        "copy.deepcopy(lib.arange(6.0).view(2, 3).t()).stride(), lib.arange(6.0).view(2, 3).t().clone().stride()",
        "y = x.clone(); y += 1; r = (x, y._version, y.is_leaf)",
        "y = x.detach(); y += 1; r = (x, x._version, y._version, y.requires_grad)",
        "y = x.data; y += 1; r = (x, x._version, y._version)",
        "x.data = lib.zeros(5); r = (x, x.shape, x._version)",
        "x.data = 3",
        "x.data = lib.zeros(2, dtype=lib.int64); r = x.dtype",
        "x.requires_grad_(); x.data = lib.zeros(2, dtype=lib.int64); r = x.dtype",
        "x.requires_grad_(); y = x * 2; x.data.mul_(3); y.sum().backward(); r = (x, x.grad, x._version)",
        "x.requires_grad_(); r = (x.clone().requires_grad, x.clone().is_leaf, x.detach().is_leaf)",
        "x.requires_grad_(); y = x.clone(); y.sum().backward(); r = x.grad",
        "x.requires_grad_(); y = x.detach().clone().requires_grad_(); r = (y.is_leaf, y.requires_grad)",
        "x.requires_grad_(); x.requires_grad_(False); r = (x.requires_grad, (x * 2).requires_grad)",
        "x.requires_grad = True; r = (x.requires_grad, (x * 2).grad_fn is None)",
        "x.requires_grad = 1; r = x.requires_grad",
        "x.requires_grad_('yes'); r = 0",
        "x.requires_grad = None; r = 0",
        "x.requires_grad_(); y = x * 2; y.requires_grad_(False); r = 0",
        "x.requires_grad_(); y = x * 2; y.requires_grad = False; r = 0",
        "x.requires_grad_(); y = x * 2; r = y.requires_grad_().requires_grad",
        "lib.arange(3).requires_grad_()",
        "lib.ones(1).bool().requires_grad_(False).requires_grad",
        "y = lib.arange(3); y.requires_grad = True; r = 0",
        "x.requires_grad_(); x.grad = lib.ones(4); r = x.grad",
        "x.grad = lib.ones(4); r = x.grad",
        "x.requires_grad_(); x.grad = lib.ones(3); r = 0",
        "x.requires_grad_(); x.grad = lib.ones(4, dtype=lib.float64); r = 0",
        "x.requires_grad_(); x.grad = 3; r = 0",
        "x.requires_grad_(); x.grad = x; r = 0",
        "x.requires_grad_(); x.grad = lib.ones(4); x.grad = None; r = x.grad",
        "x.requires_grad_(); x.grad = lib.ones(4); del x.grad; r = x.grad",
        "x.requires_grad_(); g = lib.ones(4); x.grad = g; x.sum().backward(); r = (x.grad is g, g)",
        "x.requires_grad_(); x.sum().backward(); x.requires_grad_(False); r = x.grad",
        "x.requires_grad_(); x.sum().backward(); x.requires_grad_(False).requires_grad_(); r = x.grad",
        "x.shape = (2, 2); r = 0",
        "x.dtype = lib.float64; r = 0",
        "x.is_leaf = True; r = 0",
        "x.grad_fn = None; r = 0",
        "p = nn.Parameter(x); r = (p.requires_grad, p.is_leaf, isinstance(p, lib.Tensor), type(p * 2) is lib.Tensor)",
        "p = nn.Parameter(x); r = p.data_ptr() == x.data_ptr()",
        "p = nn.Parameter(x); r = (type(copy.deepcopy(p)).__name__, type(pickle.loads(pickle.dumps(p))).__name__)",
        "p = nn.Parameter(x); r = ([type(t).__name__ for t in (p.detach(), p.data, p.clone())], repr(p))",
        "p = nn.Parameter(x, requires_grad=False); r = (p.requires_grad, repr(p), type(p[0]) is lib.Tensor)",
        "p = nn.Parameter(x); p.data = lib.zeros(2); r = (type(p) is nn.Parameter, p.requires_grad, p.shape)",
        "nn.Parameter(lib.arange(3))",
        "p = nn.Parameter(x); y = p; y -= 1; r = 0",
    ],
)
def test_conversions_and_copies(both, source):
    both(run(source, "lib.tensor([0.0, 1.5, -2.5, 3.0])"))


def test_default_dtype_decides_for_python_floats(both):
    def program(lib):
        lib.set_default_dtype(lib.float64)
        try:
            made = (
                lib.tensor(1.5),
                lib.tensor([1, 2]),
                lib.ones(2),
                lib.arange(2.0),
                lib.full((1,), 2.0),
                lib.tensor([]),
            )
            made += (
                lib.tensor(np.float32(1)),
                lib.tensor([1]) / 2,
                lib.arange(3) + 0.5,
                lib.Tensor([1]),
                lib.linspace(0, 1, 2),
            )
            return made, [repr(t) for t in made], repr(lib.ones(2, dtype=lib.float32)), lib.get_default_dtype()
        finally:
            lib.set_default_dtype(lib.float32)

    both(program)


# --- repr ----------------------------------------------------------------------------------------------------------

PRINTED = [
    "lib.tensor(1.0)", "lib.tensor([1, 2])", "lib.tensor([True])", "lib.tensor([])", "lib.ones(2, 2)",
    "lib.zeros(0, 3)", "lib.tensor([1.5, float('nan'), float('inf')])", "lib.ones(2, dtype=lib.float64)",
    "lib.ones(2, dtype=lib.int32)", "lib.tensor([1e-8, 1.0])", "lib.arange(2000)",
    "lib.ones(2, requires_grad=True)", "lib.ones((), requires_grad=True)",
    "lib.ones(2, dtype=lib.float64, requires_grad=True)", "x + 1", "x - x", "x * 2", "x / x", "x ** 2",
    "-x", "x.abs()", "x.exp()", "x.log()", "x.sum()", "x.mean()", "x.sum(0)", "x.mean(0)", "x @ x",
    "x.mm(x)", "x[0]", "x[0, 0]", "x[:, 1]", "x[[0, 1]]", "x[x > 0]", "x.t()", "x.transpose(0, 1)",
    "x.view(4)", "x.view(-1)", "x.reshape(4)", "x.flatten()", "x.unsqueeze(0)", "x.squeeze()",
    "x.permute(1, 0)", "x.expand(3, 2, 2)", "x.clone()", "x.double()", "x.relu()", "x.sigmoid()",
    "x.tanh()", "x.softmax(0)", "x.log_softmax(0)", "x.max()", "x.min()", "x.max(0)[0]", "x.amax()",
    "x.prod()", "x.std()", "x.var()", "x.norm()", "x.clamp(0, 1)", "x.clamp(min=0)", "x.clamp(max=1)",
    "lib.cat([x, x])", "lib.stack([x, x])", "x.split(1)[0]", "x.chunk(2)[1]", "x.unbind()[0]",
    "lib.where(x > 0, x, x)", "x.masked_fill(x > 0, 1.0)", "x.gather(0, lib.zeros(1, 2, dtype=lib.int64))",
    "x.index_select(0, lib.tensor([0]))", "x.cumsum(0)", "x.sqrt()", "x.rsqrt()", "x.sin()", "x.cos()",
    "x.pow(3)", "lib.maximum(x, x)", "x.logsumexp(0)", "x.tril()", "x.triu()", "x.repeat(2, 1)",
    "x.flip(0)", "x.roll(1)", "x.diagonal()", "x.dot(x) if x.ndim == 1 else x[0].dot(x[1])", "x.mv(x[0])",
    "x.select(0, 0)", "x.narrow(0, 0, 1)", "x.sub(1)", "x.reciprocal()", "x.sign()", "x.round()",
    "x.floor()", "x.erf()", "x.expm1()", "x.log1p()", "x.atan2(x)", "x.remainder(2)", "x.fmod(2)",
    "x.lerp(x, 0.5)", "lib.addmm(x, x, x)",
    "x.bmm(x) if x.ndim == 3 else x.unsqueeze(0).bmm(x.unsqueeze(0))", "x.detach()", "x.clone().mul_(2)",
    "x.clone().add_(1)", "x * x.detach()", "x > 0", "lib.outer(x[0], x[0])", "x.T", "x.mT",
    "x.unflatten(1, (2, 1))", "x.movedim(0, 1)", "x.scatter(0, lib.zeros(1, 2, dtype=lib.int64), 1.0)",
    "x.logaddexp(x)", "x.contiguous()", "x.t().contiguous()", "x.to(lib.float16)",
]  # fmt: skip


@check_all(PRINTED)
def test_repr_names_the_same_node(both, source):
    both(run(f"repr({source})", "lib.tensor([[0.5, 1.5], [2.5, 3.5]], requires_grad=True)"))


def test_repr_of_a_node():
    text = repr((autograd.ones(1, requires_grad=True) * 2).grad_fn)
    assert text.startswith("<MulBackward0 object at 0x")


# --- Subclasses ----------------------------------------------------------------------------------------------------


class Tagged(autograd.Tensor):
    """A tensor with a name."""


def test_a_subclass_takes_part_in_everything():
    x = Tagged([1.0, 2.0])
    x.tag = "weights"
    assert type(x) is Tagged
    x.requires_grad_()
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4]
    twin = copy.deepcopy(x)
    assert type(twin) is Tagged
    assert twin.tag == "weights"
    assert twin.requires_grad
    revived = pickle.loads(pickle.dumps(x))
    assert type(revived) is Tagged
    assert revived.tolist() == [1, 2]


def test_version_counts_like_torch(both):
    def program(lib):
        x, seen = lib.zeros(4), []

        def note(*tensors):
            seen.append([t._version for t in tensors])

        view, detached, twin = x[:2], x.detach(), x.clone()
        note(x, view, detached, twin)
        x.add_(1)
        note(x, view, detached, twin)
        view.mul_(2)
        detached[0] = 5
        note(x, view, detached, twin)
        x.data.add_(1)
        x.numpy()[0] = 3
        note(x, view, detached)
        x[1] = 2
        x[:2] = lib.ones(2)
        x[x > 0] = 1
        x[[0, 1]] = 4.0
        note(x, view)
        x.copy_(twin)
        x.zero_().fill_(2)
        x += 1
        note(x, twin)
        lib.add(x, 1, out=x)
        x.requires_grad_()
        note(x, x.t(), x.view(-1)[0])
        with lib.no_grad():
            x.uniform_()
            x.normal_()
        note(x, x.detach().clone())
        return seen

    both(program)
