"""Sums without NaN, moments, covariance, norms, segments: all forms of their arguments, against PyTorch."""

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, numbers, refuse_alike

INF, NAN = float("inf"), float("nan")
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]


CALLS = {
    "nansum": lambda L, x: [L.nansum(x), x.nansum(1), x.nansum((0, 2), True), x.nansum(dim=-1, keepdim=True)],
    "nansum dtype": lambda L, x: L.nansum(x, 1, dtype=L.float64),
    "nanmean": lambda L, x: [L.nanmean(x), x.nanmean(1), x.nanmean((0, 2), True), L.nanmean(x[:0])],
    "nanmean dtype": lambda L, x: L.nanmean(x, 1, dtype=L.float64),
    "sum_to_size": lambda L, x: [
        x.sum_to_size(3, 4),
        x.sum_to_size((2, 1, 4)),
        x.sum_to_size(1),
        x.sum_to_size(2, 3, 4),
    ],
    "trace": lambda L, x: [L.trace(x[0]), x[1].t().trace(), x[0, :0].trace()],
    "aminmax": lambda L, x: [
        *L.aminmax(x),
        *x.aminmax(dim=1),
        *L.aminmax(x, dim=-1, keepdim=True),
        *x[0, 0, 0].aminmax(),
    ],
    "var_mean": lambda L, x: [*L.var_mean(x), *L.var_mean(x, 1, False), *L.var_mean(x, (0, 2), correction=2)],
    "std_mean": lambda L, x: [
        *L.std_mean(x, False),
        *L.std_mean(x, dim=-1, keepdim=True),
        *L.std_mean(x, 0, True, True),
    ],
    "cov": lambda L, x: [L.cov(x[0]), x[0].cov(correction=0), x[0, 0].cov(), L.cov(x[0, 0, 0])],
    "cov weighted": lambda L, x: L.cov(x[0], fweights=L.of([1, 0, 2, 3]), aweights=L.of(np.array([1.0, 2, 3, 0.5]))),
    "corrcoef": lambda L, x: [L.corrcoef(x[0]), x[0, 0].corrcoef()],
    "dist": lambda L, x: [L.dist(x, x[0], p) for p in (0, 0.5, 1, 2, 3, INF, -INF)],
    "renorm": lambda L, x: [x.renorm(p, d, 1.5) for p in (0.5, 1, 2, INF) for d in (0, 1, -1)],
    "norms": lambda L, x: [x.norm(p, d) for p in (0, 0.5, 1, 1.5, 2, 3, INF, -INF) for d in (0, (0, 2), None)],
    "frobenius_norm": lambda L, x: [L.frobenius_norm(x, ()), L.frobenius_norm(x, (0, 1), True), L.frobenius_norm(x, 1)],
    "norm_except_dim": lambda L, x: [L.norm_except_dim(x, 2, d) for d in (0, 1, 2, -1)] + [L.norm_except_dim(x, 1)],
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
@pytest.mark.filterwarnings("ignore")
def test_dtypes(name, dtype, ours, theirs):
    loose = (8e-3, 8e-3) if dtype == "float16" else (2e-5, 2e-6) if dtype == "float32" else (None, None)
    agree_on(ours, theirs, CALLS[name], [numbers(dtype)], *loose, what=f"{name} {dtype}")


@pytest.mark.parametrize("name", ["nansum", "nanmean", "aminmax", "dist", "norms"])
def test_special_values(name, ours, theirs):
    x = np.array([[[1.0, NAN, 2.0], [INF, 1.0, -INF], [-INF, -INF, -INF], [NAN, NAN, NAN]]] * 2)
    agree_on(ours, theirs, CALLS[name], [x], what=name)


AT_ZERO = np.array([[0.0, 0.0, 0.0], [3.0, 0.0, -3.0], [1.0, 2.0, -2.0]])


@pytest.mark.parametrize("p", [0, 0.5, 1, 1.5, 2, 3, INF, -INF])
def test_gradients_of_norms_at_zero_and_ties(p, ours, theirs):
    for dim in (None, 1):
        twins = (lambda x: x.norm(p, dim) for _ in (ours, theirs))  # noqa: B023
        agree_with_gradients(ours, theirs, *twins, [AT_ZERO], what=f"p={p} dim={dim}")


def test_gradients_of_ties(ours, theirs):
    for name in ("aminmax along", "aminmax", "renorm at the limit"):

        def expression(L, x, name=name):
            if name == "renorm at the limit":
                return L.renorm(x, 2, 0, 3.0)
            low, high = L.aminmax(x, dim=1) if "along" in name else L.aminmax(x)
            return low * 2 + high

        twins = (lambda x, L=L: expression(L, x) for L in (ours, theirs))
        agree_with_gradients(ours, theirs, *twins, [AT_ZERO], what=name)


@pytest.mark.parametrize("reduce", ["sum", "mean", "max", "min", "prod"])
def test_segments(reduce, ours, theirs):
    x = numbers("float64", (5, 4))
    calls = [
        lambda L, x: L.segment_reduce(x, reduce, lengths=L.of([2, 0, 3])),
        lambda L, x: L.segment_reduce(x, reduce, offsets=L.of([0, 1, 5]), initial=0.5),
        lambda L, x: L.segment_reduce(x, reduce, lengths=L.of([[1, 3], [2, 2], [4, 0], [0, 4], [3, 1]]), axis=1),
        lambda L, x: L.segment_reduce(x[:, 0], reduce, lengths=L.of([1, 1, 3]), unsafe=True),
    ]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [x], what=f"call {i}")
    twins = (lambda x, L=L: L.segment_reduce(x, reduce, lengths=L.of([2, 3])) for L in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [x])


@pytest.mark.filterwarnings("ignore")
def test_too_few_observations(ours, theirs):
    agree_on(
        ours, theirs, lambda L, x: [L.cov(x), L.cov(x, correction=3), L.cov(x[:, :0])], [numbers("float64", (2, 1))]
    )


def test_in_place_and_out(ours, theirs):
    agree_on(ours, theirs, lambda L, x: (x * 1).renorm_(2, 0, 1.0), [numbers("float32")])
    for name in ("nansum", "nanmean"):
        agree_on(ours, theirs, lambda L, x: getattr(L, name)(x, 1, out=L.empty(0)), [numbers("float32")], what=name)  # noqa: B023
    agree_on(ours, theirs, lambda L, x: tuple(L.aminmax(x, out=(L.empty(0), L.empty(0)))), [numbers("float32")])
    agree_on(ours, theirs, lambda L, x: L.norm(x, 2, 1, False, L.empty(0), L.float32), [numbers("float32")])


def test_named_results(ours, theirs):
    one, other = (repr(L.aminmax(L.of([3, 1]))) for L in (ours, theirs))
    assert one == other


REFUSED = {
    "nanmean of ints": (lambda L: L.nanmean(L.of([1])), ["nanmean", "Long"]),
    "sum_to_size": (lambda L: L.zeros(2, 3).sum_to_size(2, 2), ["[2, 2]", "[2, 3]"]),
    "sum_to_size of more": (lambda L: L.zeros(2).sum_to_size(1, 2), ["[1, 2]", "[2]"]),
    "trace": (lambda L: L.trace(L.zeros(2)), ["trace", "[2]"]),
    "trace of bools": (lambda L: L.trace(L.of([[True]])), ["Bool"]),
    "aminmax of none": (lambda L: L.aminmax(L.zeros(0)), ["aminmax", "dim"]),
    "aminmax of none along": (lambda L: L.aminmax(L.zeros(2, 0), dim=1), ["aminmax", "1", "[2, 0]"]),
    "aminmax dims": (lambda L: L.aminmax(L.zeros(2, 2), dim=(0, 1)), ["dim", "tuple"]),
    "var_mean of ints": (lambda L: L.var_mean(L.of([1, 2])), ["int64"]),
    "cov dims": (lambda L: L.cov(L.zeros(2, 2, 2)), ["cov", "[2, 2, 2]"]),
    "cov of bools": (lambda L: L.cov(L.of([True])), ["bool"]),
    "cov fweights": (lambda L: L.cov(L.zeros(2, 3), fweights=L.zeros(3)), ["fweights"]),
    "cov fweights length": (lambda L: L.cov(L.zeros(2, 3), fweights=L.of([1, 2])), ["fweights", "2", "3"]),
    "cov negative": (lambda L: L.cov(L.zeros(2, 3), fweights=L.of([1, 2, -3])), ["fweights", "-3"]),
    "cov aweights": (lambda L: L.cov(L.zeros(2, 3), aweights=L.of([1, 2, 3])), ["aweights"]),
    "cov no weight": (lambda L: L.cov(L.zeros(2, 3), fweights=L.of([0, 0, 0])), ["zero"]),
    "corrcoef dims": (lambda L: L.corrcoef(L.zeros(2, 2, 2)), ["corrcoef", "[2, 2, 2]"]),
    "renorm p": (lambda L: L.renorm(L.zeros(2, 2), 0, 0, 1), ["renorm", "0"]),
    "renorm maxnorm": (lambda L: L.renorm(L.zeros(2, 2), 1, 0, -1), ["maxnorm", "-1"]),
    "renorm dims": (lambda L: L.renorm(L.zeros(2), 1, 0, 1), ["renorm", "2"]),
    "renorm of ints": (lambda L: L.renorm(L.of([[1]]), 1, 0, 1), ["int64"]),
    "norm order": (lambda L: L.norm(L.zeros(2, 2), "best"), ["best"]),
    "norm of none": (lambda L: L.norm(L.zeros(0), INF), ["inf", "[0]"]),
    "segments twice": (lambda L: L.segment_reduce(L.zeros(3), "sum"), ["lengths", "offsets"]),
    "segments sum": (lambda L: L.segment_reduce(L.zeros(3), "sum", lengths=L.of([1, 1])), ["3", "[1, 1]"]),
    "segments axis": (lambda L: L.segment_reduce(L.zeros(3, 3), "sum", lengths=L.of([1, 1]), axis=1), ["axis", "1"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
