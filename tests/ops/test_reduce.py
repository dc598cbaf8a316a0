"""Reductions, scans, softmax and comparisons: all forms of their arguments, against PyTorch."""

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, numbers, refuse_alike

import autograd

DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]
DIMS = [None, 0, -1, (0,), (0, 2), (-1, 0)]
INF, NAN = float("inf"), float("nan")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sum", "mean", "amax", "amin", "std", "var", "logsumexp", "all", "any", "norm"])
def test_over_several_dims(name, dtype, ours, theirs):
    loose = (4e-3, 2e-3) if dtype == "float16" else (None, None)
    for dim in DIMS:
        for keepdim in (False, True):

            def expression(L, x, dim=dim, keepdim=keepdim):
                if dim is None:
                    return getattr(L, name)(x) if name != "logsumexp" else x.logsumexp((0, 1, 2), keepdim=keepdim)
                return getattr(x, name)(dim=dim, keepdim=keepdim)

            agree_on(ours, theirs, expression, [numbers(dtype)], *loose, what=f"{name} dim={dim} keepdim={keepdim}")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["prod", "argmax", "argmin", "max", "min", "cumsum", "softmax", "log_softmax"])
def test_over_one_dim(name, dtype, ours, theirs):
    loose = (4e-3, 2e-3) if dtype == "float16" else (None, None)
    calls = [
        lambda L, x: getattr(L, name)(x, 1),
        lambda L, x: getattr(x, name)(dim=-1),
        lambda L, x: getattr(L, name)(x, -3),
        lambda L, x: getattr(L, name)(input=x, dim=2),
    ]
    if "soft" not in name and name != "cumsum":
        calls += [lambda L, x: getattr(L, name)(x), lambda L, x: getattr(x, name)(1, keepdim=True)]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [numbers(dtype)], *loose, what=f"{name}, call {i}, {dtype}")


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "cumsum", "softmax", "log_softmax"])
def test_dtype_argument(name, ours, theirs):
    for dtype in ("float32", "float64", "int64", "bool"):
        for target in ("float16", "float32", "float64", "int64", "int32"):
            args = () if name in ("sum", "mean", "prod") else (1,)
            agree_on(
                ours,
                theirs,
                lambda L, x: getattr(L, name)(x, *args, dtype=getattr(L, target)),
                [numbers(dtype, (3, 4))],
                what=f"{name} {dtype} dtype={target}",
            )


CALLS = {
    "max of two": lambda L, x: L.max(x, x.flip(0)),
    "max.values": lambda L, x: x.max(1).values,
    "max unpacked": lambda L, x: list(L.max(x, dim=1)),
    "min keepdim": lambda L, x: tuple(L.min(x, 0, True)),
    "argmax keepdim": lambda L, x: L.argmax(x, 1, keepdim=True),
    "argmax flat keepdim": lambda L, x: x.argmax(keepdim=True),
    "var biased": lambda L, x: L.var(x, unbiased=False),
    "var dim biased": lambda L, x: L.var(x, 1, False),
    "var dim biased keepdim": lambda L, x: L.var(x, 1, False, True),
    "var correction": lambda L, x: x.var(correction=0),
    "std correction dim": lambda L, x: L.std(x, dim=(0, 1), correction=2, keepdim=True),
    "std bool": lambda L, x: x.std(False),
    "norm p": lambda L, x: [x.norm(p) for p in (0, 0.5, 1, 2, 3, INF, -INF, "fro")],
    "norm dims": lambda L, x: [L.norm(x, p, dim=(0, 1)) for p in (1, 2, 3)],
    "norm dim": lambda L, x: [L.norm(x, p=p, dim=0, keepdim=True) for p in (0, 1, 2, 3, INF, -INF)],
    "norm dtype": lambda L, x: x.float().norm(dtype=L.float64),
    "sum empty dims": lambda L, x: x.sum(()),
    "sum list": lambda L, x: x.sum([0, 1]),
    "mean list": lambda L, x: x.mean(dim=[1]),
    "amax all": lambda L, x: L.amax(x, ()),
    "amax list": lambda L, x: x.amax([0, 1], True),
    "cumsum 0-d": lambda L, x: x.sum().cumsum(0),
    "softmax 0-d": lambda L, x: [L.softmax(x.sum(), 0), L.log_softmax(x.sum(), -1)],
    "softmax 0-d infinite": lambda L, x: [f(x.sum() / 0.0, 0) for f in (L.softmax, L.log_softmax)],
    "F.softmax default": lambda L, x: L.F.softmin(x, dim=0),
    "count_nonzero": lambda L, x: [L.count_nonzero(x), L.count_nonzero(x > 0, dim=1), x.count_nonzero((0, 1))],
    "equal": lambda L, x: [L.equal(x, x), L.equal(x, -x), x.equal(x[:1])],
    "isclose": lambda L, x: [L.isclose(x, x + 1e-9), L.isclose(x, x * NAN, equal_nan=True), x.isclose(x + 1, 0, 1.5)],
    "allclose": lambda L, x: [L.allclose(x, x), x.allclose(x + 1), L.allclose(x, x + 1e-3, atol=1e-2, rtol=0)],
    "all any": lambda L, x: [x.all(), x.gt(0).any(1), (x > 0).all(dim=0, keepdim=True), L.any(x, -1)],
    "0-d": lambda L, x: [x.sum().sum(0), x.sum().mean(-1), x.sum().amax(0), x.sum().max(0)[1], x.sum().argmax(0)],
    "0-d prod": lambda L, x: [x.sum().prod(), x.sum().prod(0), x.sum().var(), x.sum().logsumexp(0)],
    "one element": lambda L, x: [x[:1, :1].var(), x[:1, :1].std(1), x[:1, :1].var(correction=0)],
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_call(name, ours, theirs):
    for dtype in ("float64", "float32"):
        agree_on(ours, theirs, CALLS[name], [numbers(dtype, (3, 4))], what=name)


@pytest.mark.parametrize(
    "name",
    ["sum", "mean", "prod", "amax", "amin", "max", "min", "argmax", "var", "std", "logsumexp", "softmax", "all", "any"],
)
def test_empty(name, ours, theirs):
    """No elements: the neutral element, NaN, or the same refusal."""
    for shape in ((0,), (2, 0), (0, 3)):
        for dim in (None, 0, -1):
            if dim is None and name in ("softmax", "logsumexp"):
                continue

            def expression(L, x, dim=dim):
                return getattr(L, name)(x) if dim is None else getattr(L, name)(x, dim)

            agree_on(ours, theirs, expression, [np.zeros(shape)], what=f"{name} of {shape} along {dim}")


@pytest.mark.filterwarnings("ignore")
def test_special_values(ours, theirs):
    x = np.array([[1.0, NAN, 2.0], [INF, 1.0, -INF], [-INF, -INF, -INF], [INF, 0.0, INF]])
    for name in (
        "sum",
        "mean",
        "prod",
        "amax",
        "amin",
        "max",
        "min",
        "argmax",
        "argmin",
        "std",
        "logsumexp",
        "softmax",
    ):
        for dim in (0, 1):
            agree_on(ours, theirs, lambda L, x: getattr(L, name)(x, dim), [x], what=f"{name} along {dim}")
    for name in ("cumsum", "log_softmax"):
        agree_on(ours, theirs, lambda L, x: getattr(L, name)(x, 1), [x], what=name)


TIES = np.array([[1.0, 2.0, 2.0, 0.0], [3.0, 3.0, 3.0, 3.0], [0.0, 0.0, -1.0, 0.0]])
TIED = {
    "max": lambda L, x: x.max(),
    "max along": lambda L, x: x.max(1)[0],
    "min along": lambda L, x: x.min(0).values,
    "amax": lambda L, x: x.amax(1),
    "amax all": lambda L, x: x.amax(),
    "amin": lambda L, x: x.amin((0, 1), keepdim=True),
    "prod with zeros": lambda L, x: x.prod(0),
    "prod of all": lambda L, x: x.prod(),
    "norm at 0": lambda L, x: (x * 0).norm(),
    "norm rows at 0": lambda L, x: (x * 0).norm(dim=1),
    "norm 1": lambda L, x: x.norm(1, dim=1),
    "norm inf": lambda L, x: x.norm(INF, dim=1),
    "norm 3": lambda L, x: x.norm(3, dim=0),
    "std of equal": lambda L, x: x.std(1),
    "logsumexp": lambda L, x: x.logsumexp(0),
}


@pytest.mark.parametrize("name", TIED)
def test_gradient_at_ties(name, ours, theirs):
    twins = (lambda *t, L=library: TIED[name](L, *t) for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [TIES])


def test_strange_memory(ours, theirs):
    """Transposed, strided and expanded inputs."""
    layouts = [
        lambda x: x.permute(2, 0, 1),
        lambda x: x[:, ::2, 1:],
        lambda x: x[:, :1].expand(2, 5, 4),
        lambda x: x[0].t(),
    ]
    for layout in layouts:
        for name in ("sum", "mean", "prod", "amax", "var", "softmax", "cumsum", "logsumexp"):
            twins = (lambda x, L=L: getattr(L, name)(layout(x), 1) for L in (ours, theirs))
            agree_with_gradients(ours, theirs, *twins, [numbers("float64")], what=name)


def test_out(ours, theirs):
    for name in ("sum", "mean", "amax", "amin", "cumsum", "logsumexp", "argmax", "all", "any"):

        def expression(L, x):
            out = L.zeros_like(getattr(L, name)(x, 1))
            result = getattr(L, name)(x, 1, out=out)
            assert result is out
            return out

        agree_on(ours, theirs, expression, [numbers("float64")], what=name)


REFUSED = {
    "dim out of range": (lambda L: L.zeros(2, 3).sum(2), ["Dimension out of range", "[-2, 1]", "2"]),
    "dim twice": (lambda L: L.zeros(2, 3).sum((0, 0)), ["sum"]),
    "dim twice, negative": (lambda L: L.zeros(2, 3).mean((1, -1)), ["mean"]),
    "dim a float": (lambda L: L.zeros(2, 3).sum(1.0), ["sum", "dim"]),
    "mean of ints": (lambda L: L.ones(2, dtype=L.int64).mean(), ["mean", "int64"]),
    "var of ints": (lambda L: L.ones(2, dtype=L.int64).var(), ["var"]),
    "softmax of ints": (lambda L: L.ones(2, dtype=L.int64).softmax(0), ["softmax"]),
    "max of empty": (lambda L: L.zeros(0).max(), ["max", "dim"]),
    "argmax of empty": (lambda L: L.zeros(2, 0).argmax(1), ["argmax", "1"]),
    "amax of empty": (lambda L: L.zeros(2, 0).amax(1), ["amax"]),
    "not a tensor": (lambda L: L.sum([1.0]), ["sum", "input", "list"]),
    "softmax dim": (lambda L: L.softmax(L.zeros(2, 3), 2), ["Dimension out of range"]),
    "cumsum dim": (lambda L: L.zeros(2, 3).cumsum(-3), ["Dimension out of range"]),
    "missing dim": (lambda L: L.cumsum(L.zeros(2)), ["cumsum", "dim"]),
    "unknown keyword": (lambda L: L.zeros(2).sum(axes=0), ["sum", "axes"]),
    "isclose dtypes": (lambda L: L.isclose(L.zeros(2), L.zeros(2, dtype=L.float64)), ["float32", "float64"]),
    "norm of ints": (lambda L: L.ones(2, dtype=L.int64).norm(), ["norm"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


def test_named_results(torch):
    x = autograd.tensor([[1.0, 3.0], [2.0, 0.0]])
    assert repr(x.max(1)) == repr(torch.tensor([[1.0, 3.0], [2.0, 0.0]]).max(1))
    assert x.min(0)._fields == ("values", "indices")
    agree(x.min(0).indices, torch.tensor([[1.0, 3.0], [2.0, 0.0]]).min(0).indices)
