"""Distinct values, sorted sequences, membership, counts and histograms, against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree_on, refuse_alike

INF, NAN = float("inf"), float("nan")
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]


def numbers(dtype, shape=(4, 5), seed=0):
    return np.random.default_rng(seed).integers(0, 2 if dtype == "bool" else 4, shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["unique", "unique_consecutive"])
def test_distinct_values(name, dtype, ours, theirs):
    for shape in [(4, 5), (9,), (3, 2, 2), (), (0,), (2, 0, 3)]:
        x = numbers(dtype, shape)
        for dim, inverse, counts in itertools.product((None, 0, -1, 1), (False, True), (False, True)):

            def expression(L, x, options=(inverse, counts, dim)):
                keys = ("return_inverse", "return_counts", "dim")
                return getattr(L, name)(x, **dict(zip(keys, options, strict=True)))

            agree_on(ours, theirs, expression, [x], what=f"{name} {shape} {dim} {inverse} {counts}")


def test_distinct_nans_and_zeros(ours, theirs):
    x = np.array([NAN, 1.0, NAN, -0.0, 0.0, INF, -INF, 1.0])
    for name in ("unique", "unique_consecutive"):
        call = lambda L, x: getattr(L, name)(x, return_inverse=True, return_counts=True)  # noqa: B023, E731
        agree_on(ours, theirs, call, [x], what=name)
    agree_on(ours, theirs, lambda L, x: [x.unique(), x.unique_consecutive(), x.unique(False)], [x])


@pytest.mark.parametrize("dtype", DTYPES)
def test_sorted_sequences(dtype, ours, theirs):
    edges = np.sort(numbers(dtype, (3, 6)), -1)
    values = numbers(dtype, (3, 4), 1)
    calls = [
        lambda L, e, v: [L.searchsorted(e, v), L.searchsorted(e, v, right=True), L.searchsorted(e, v, side="right")],
        lambda L, e, v: [L.searchsorted(e[0], v, out_int32=True), L.searchsorted(e[0], v[0, 0], side="left")],
        lambda L, e, v: [L.bucketize(v, e[1]), L.bucketize(v, e[1], right=True, out_int32=True)],
        lambda L, e, v: L.searchsorted(e.flip(-1), v, sorter=L.argsort(e.flip(-1), stable=True)),
        lambda L, e, v: [L.searchsorted(e[0], 2), L.bucketize(1.5, e[2]), L.searchsorted(e[0], v[:0])],
        lambda L, e, v: L.searchsorted(sorted_sequence=e, input=v),
        lambda L, e, v: L.searchsorted(e[0][:0], v),
    ]
    for i, call in enumerate(calls):
        if dtype == "bool" and i in (3, 4):
            continue  # a sorter and numbers have other dtypes there
        agree_on(ours, theirs, call, [edges, values], what=f"call {i} {dtype}")


def test_sorted_sequences_of_another_dtype(ours, theirs):
    for kind in ("float32", "int8", "int64"):
        values = np.array([[0.5, 2.0], [-1.0, 3.0]])
        agree_on(ours, theirs, lambda L, e, v: L.searchsorted(e, v), [np.arange(4).astype(kind), values])


def test_sorted_sequences_with_nan(ours, theirs):
    edges, values = np.array([1.0, 2.0, INF, NAN, NAN]), np.array([NAN, INF, -INF, 1.0, 1.5])
    for right in (False, True):
        agree_on(ours, theirs, lambda L, e, v: L.bucketize(v, e, right=right), [edges, values])  # noqa: B023


@pytest.mark.parametrize("dtype", DTYPES)
def test_isin(dtype, ours, theirs):
    calls = [
        lambda L, a, b: [
            L.isin(a, b),
            L.isin(a, b, invert=True),
            L.isin(a, b[:0]),
            L.isin(elements=a, test_elements=b),
        ],
        lambda L, a, b: [L.isin(a, 2), L.isin(1, b), L.isin(a.unique(), b.unique(), assume_unique=True)],
        lambda L, a, b: L.isin(a, b.double()),
    ]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [numbers(dtype), numbers(dtype, (2,), 3)], what=f"call {i} {dtype}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_bincount(dtype, ours, theirs):
    x = numbers(dtype, (9,))
    calls = [
        lambda L, x: [L.bincount(x), x.bincount(minlength=7), x[:0].bincount(), x[:0].bincount(minlength=2)],
        lambda L, x: [L.bincount(x, x.float() / 3), L.bincount(x, x.double() / 3), L.bincount(x, weights=x)],
    ]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [x], what=f"call {i} {dtype}")


@pytest.mark.parametrize("dtype", DTYPES)
def test_histograms(dtype, ours, theirs):
    x = numbers(dtype, (4, 5)) if dtype[0] != "f" else np.random.default_rng(0).normal(size=(4, 5)).astype(dtype)
    edges = np.array([-1.0, -0.2, 0.5, 2.0])
    calls = [
        lambda L, x: [L.histc(x, 4), x.histc(5, -1, 1), L.histc(x, bins=3, min=0, max=0), L.histc(x * 0)],
        lambda L, x: [*L.histogram(x, 4), *x.histogram(5, range=(-1.0, 1.0)), *L.histogram(x * 0, 3)],
        lambda L, x: [*L.histogram(x, L.of(edges).to(x.dtype), weight=x * x, density=True)],
        lambda L, x: list(L.histogramdd(x[:, :2], [2, 3]))[0],
        lambda L, x: list(L.histogramdd(x[:, :2], 3, density=True, weight=x[:, 2] ** 2)[1]),
        lambda L, x: list(L.histogramdd(x[:, :2], (L.of(edges).to(x.dtype),) * 2, density=True))[0],
        lambda L, x: list(L.histogramdd(x[:, :2], [2, 3], range=(-1.0, 1.0, -2.0, 2.0)))[0],
    ]
    for i, call in enumerate(calls):
        if i < 6 or dtype[0] == "f":  # PyTorch stumbles over a range for integers before it refuses them
            agree_on(ours, theirs, call, [x], what=f"call {i} {dtype}")


def test_histogram_edges_and_outsiders(ours, theirs):
    x = np.array([0.0, 1.0, 1.0, 2.0, 3.0, 3.0, 3.5, -1.0, NAN])
    agree_on(ours, theirs, lambda L, x: L.histc(x, 3, 0, 3), [x])
    agree_on(ours, theirs, lambda L, x: list(L.histogram(x, 3, range=(0.0, 3.0))), [x])
    agree_on(ours, theirs, lambda L, x: list(L.histogram(x, L.of(np.array([0.0, 1, 3])))), [x])
    one, other = (repr(L.histogram(L.of(x[:4]), 2)) for L in (ours, theirs))
    assert one == other


def test_out(ours, theirs):
    x = numbers("float64", (9,))
    for name, args in (("histc", (4,)), ("bucketize", (x,)), ("searchsorted", (x,)), ("isin", (x,))):

        def expression(L, x, name=name, args=args):
            given = [L.of(np.sort(a)) if isinstance(a, np.ndarray) else a for a in args]
            result = getattr(L, name)(x, *given)
            return getattr(L, name)(x, *given, out=L.empty(0, dtype=result.dtype))

        agree_on(ours, theirs, expression, [np.sort(x)], what=name)


REFUSED = {
    "unique of 0-d along": (lambda L: L.unique(L.of(3.0), dim=0), ["dim", "0"]),
    "unique dim": (lambda L: L.unique(L.zeros(2), dim=1), ["[-1, 0]"]),
    "unique of nothing": (lambda L: L.unique(L.zeros(0, 3), dim=1), ["[0, 3]"]),
    "unique of a list": (lambda L: L.unique([1.0]), ["list"]),
    "sequence shapes": (lambda L: L.searchsorted(L.zeros(2, 3), L.zeros(3, 2)), ["[2, 3]", "[3, 2]"]),
    "sequence and number": (lambda L: L.searchsorted(L.zeros(2, 3), 1.0), ["[2, 3]"]),
    "sequence of 0-d": (lambda L: L.searchsorted(L.of(1.0), L.zeros(2)), ["searchsorted"]),
    "side": (lambda L: L.searchsorted(L.zeros(2), L.zeros(2), side="middle"), ["side", "middle"]),
    "side and right": (lambda L: L.searchsorted(L.zeros(2), L.zeros(2), side="left", right=True), ["side", "right"]),
    "sorter shape": (lambda L: L.searchsorted(L.zeros(2), L.zeros(2), sorter=L.of([0])), ["sorter", "[2]", "[1]"]),
    "sorter dtype": (lambda L: L.searchsorted(L.zeros(2), L.zeros(2), sorter=L.zeros(2)), ["sorter", "float32"]),
    "sorter range": (lambda L: L.searchsorted(L.zeros(2), L.zeros(2), sorter=L.of([0, 2])), ["sorter", "1"]),
    "boundaries": (lambda L: L.bucketize(L.zeros(2), L.zeros(2, 2)), ["boundaries", "[2, 2]"]),
    "isin of numbers": (lambda L: L.isin(1, 2), ["isin"]),
    "isin of bools": (lambda L: L.isin(L.of([True]), L.of([True])), ["Bool"]),
    "bincount negative": (lambda L: L.bincount(L.of([1, -2])), ["bincount", "-2"]),
    "bincount of floats": (lambda L: L.bincount(L.of([1.0])), ["bincount", "long()"]),
    "bincount shape": (lambda L: L.bincount(L.of([[1]])), ["[1, 1]"]),
    "bincount weights": (lambda L: L.bincount(L.of([1, 2]), L.of([1.0])), ["[2]", "[1]"]),
    "bincount minlength": (lambda L: L.bincount(L.of([1, 2]), minlength=-1), ["minlength", "-1"]),
    "histc bins": (lambda L: L.histc(L.zeros(2), 0), ["bins", "0"]),
    "histc limits": (lambda L: L.histc(L.zeros(2), 2, 3, 1), ["min", "3", "1"]),
    "histc range": (lambda L: L.histc(L.of([1.0, NAN])), ["finite"]),
    "histogram bins": (lambda L: L.histogram(L.zeros(2), 0), ["bins", "0"]),
    "histogram range": (lambda L: L.histogram(L.zeros(2), 2, range=(1.0, 0.0)), ["histogram", "1.0"]),
    "histogram range length": (lambda L: L.histogram(L.zeros(2), 2, range=(1.0,)), ["range", "2"]),
    "histogram weight": (lambda L: L.histogram(L.zeros(2), 2, weight=L.zeros(3)), ["weight", "[3]"]),
    "histogram weight dtype": (lambda L: L.histogram(L.zeros(2), 2, weight=L.of([1, 2])), ["weight", "Long"]),
    "histogram edges": (lambda L: L.histogram(L.zeros(2), L.zeros(2, 2)), ["bins", "[2, 2]"]),
    "histogramdd shape": (lambda L: L.histogramdd(L.zeros(2), [2]), ["histogramdd", "[2]"]),
    "histogramdd bins": (lambda L: L.histogramdd(L.zeros(2, 2), [2]), ["histogramdd", "2", "1"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
