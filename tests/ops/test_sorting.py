"""Sorting, order statistics, quantiles and modes, against PyTorch."""

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike

INF, NAN = float("inf"), float("nan")
DTYPES = ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]


def different(dtype, shape=(3, 4, 5), seed=0):
    """No two elements are equal where the dtype has so many: the places are unique then."""
    order = np.random.default_rng(seed).permutation(int(np.prod(shape)))
    return (order - 20 if dtype[0] in "fi" else order).reshape(shape).astype(dtype)


CALLS = {
    "sort": lambda L, x: [*L.sort(x), *x.sort(1), *x.sort(0, True), *L.sort(x, stable=True, dim=1, descending=True)],
    "sort 0-d": lambda L, x: [*x[0, 0, 0].sort(), *x[:0].sort(1), *x[:, :0].sort(1)],
    "argsort": lambda L, x: [L.argsort(x), x.argsort(0, True), L.argsort(x, dim=1, stable=True), x[0, 0, 0].argsort()],
    "msort": lambda L, x: [L.msort(x), x.msort()],
    "topk": lambda L, x: [*L.topk(x, 2), *x.topk(3, 1, False), *x.topk(k=3, dim=0), *x.topk(0), *x[0, 0, 0].topk(1)],
    "kthvalue": lambda L, x: [*L.kthvalue(x, 2), *x.kthvalue(4, 1, True), *x[0, 0, 0].kthvalue(1), *x[:0].kthvalue(2)],
    "median": lambda L, x: [L.median(x), *x.median(1), *x.median(dim=0, keepdim=True), x[0, 0, 0].median()],
    "nanmedian": lambda L, x: [L.nanmedian(x), *x.nanmedian(1), *x.nanmedian(-1, True), *x[0, 0, 0].nanmedian(0)],
    "quantile": lambda L, x: [L.quantile(x, 0.3), x.quantile(L.of([0.5, 0.1]).to(x.dtype), 1, True)],
}
# The places of equal elements are PyTorch's own affair where it says so (topk, kthvalue, median): bool has no other.
OPEN = {("median", "bool"), ("nanmedian", "bool"), ("sort", "bool")}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", CALLS)
def test_dtypes(name, dtype, ours, theirs):
    agree_on(ours, theirs, CALLS[name], [different(dtype)], what=f"{name} {dtype}")


MANY = {
    "sort": lambda L, x: [*x.sort(dim=1, stable=True), *L.sort(x, dim=1, descending=True, stable=True)],
    "argsort": lambda L, x: [x.argsort(stable=True), x.argsort(descending=True, stable=True)],
    "mode": lambda L, x: [L.mode(x).values, x.mode(0).values, x.mode(dim=1, keepdim=True)[0]],
    "topk": lambda L, x: [x.topk(3)[0], x.topk(2, 0, largest=False)[0]],
    "median": lambda L, x: [x.median(), x.median(1)[0], x.nanmedian(), x.nanmedian(0)[0]],
    "kthvalue": lambda L, x: [x.kthvalue(3)[0], x.kthvalue(2, 0)[0]],
}


@pytest.mark.parametrize("name", MANY)
def test_equal_elements_and_nan(name, ours, theirs):
    """Stable order, NaN as the largest, values where the places are not defined."""
    x = np.array([[1.0, 2, 2, 0, 2], [NAN, 1, INF, NAN, -INF], [3, 3, 0, 0, 3], [NAN, NAN, NAN, NAN, NAN]])
    if name != "mode":  # PyTorch sorts with a comparison that NaN breaks
        agree_on(ours, theirs, MANY[name], [x], what=name)
    agree_on(ours, theirs, MANY[name], [np.random.default_rng(1).integers(0, 3, (6, 9))], what=name)


def test_places_lead_to_the_values(ours):
    x = ours.of(np.random.default_rng(2).integers(0, 5, (7, 40)))
    for values, places in (x.topk(9), x.topk(3, largest=False), x.sort(descending=True)):
        agree(x.gather(1, places), values)
        assert all(len(set(row)) == len(row) for row in places.tolist())
    for values, places in (x.kthvalue(11, keepdim=True), x.median(1, True), x.mode(1, True)):
        agree(x.gather(1, places), values)


CHOICES = {
    "topk": lambda L, x, k: [*x.topk(k), *x.topk(k, largest=False)],
    "kthvalue": lambda L, x, k: [*x.kthvalue(k), *x.kthvalue(k, keepdim=True)],
    "median": lambda L, x, k: [*x.median(1), *x.nanmedian(1)],
    "mode": lambda L, x, k: [*x.mode(1)],
    "sort": lambda L, x, k: [*x.sort(1), x.argsort(1, descending=True), x.sort(dim=1, stable=True)[1]],
}


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 17, 64, 300, 3000])
@pytest.mark.parametrize("name", CHOICES)
def test_places_of_equal_elements(name, n, reading, ours, theirs):
    """PyTorch leaves open which of equal elements is taken; ours are the same nevertheless."""
    for seed, values in enumerate((2, max(2, n // 4), 10 * n)):
        x = np.random.default_rng(seed).integers(0, values, (6, n))
        for k in {1, min(3, n), (n + 1) // 2, n}:
            agree_on(ours, theirs, lambda L, x: CHOICES[name](L, x, k), [x], what=f"{name} {n} {k}")  # noqa: B023
            agree_on(ours, theirs, lambda L, x: CHOICES[name](L, x, k), [x.astype(np.float32)])  # noqa: B023


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", "bool"])
def test_sorting_long_vectors(dtype, ours, theirs):
    """PyTorch sorts long vectors of integers by their digits, which keeps the order of equal ones."""
    for n in (32767, 32768):
        x = np.random.default_rng(n).integers(0, 2 if dtype == "bool" else 100, n).astype(dtype)
        agree_on(ours, theirs, lambda L, x: [*x.sort(), x.argsort(descending=True), x.unsqueeze(0).argsort()], [x])


def test_places_of_equal_elements_along_other_dims(ours, theirs):
    x = np.random.default_rng(5).integers(0, 3, (4, 7, 5))
    for dim in (0, 1, -1):
        agree_on(ours, theirs, lambda L, x: [*x.topk(3, dim), *x.kthvalue(2, dim), *x.mode(dim)], [x])  # noqa: B023


@pytest.mark.parametrize("interpolation", ["linear", "lower", "higher", "midpoint", "nearest"])
@pytest.mark.parametrize("name", ["quantile", "nanquantile"])
def test_quantiles(name, interpolation, ours, theirs):
    x = np.random.default_rng(3).normal(size=(3, 4, 6))
    holes = np.where(np.random.default_rng(4).random(x.shape) < 0.3, NAN, x)
    holes[0, 1] = NAN
    for array in (x, holes, x.astype(np.float32), x[0, 0, 0]):
        for q in (0, 0.25, 0.5, 1, np.array([0.1, 0.9, 1.0], array.dtype), np.array(0.7, array.dtype)):
            for args in ((), (-1,), (0, True), (None, True)):

                def expression(L, x, q=q, args=args):
                    level = L.of(q) if isinstance(q, np.ndarray) else q
                    return getattr(L, name)(x, level, *args, interpolation=interpolation)

                agree_on(ours, theirs, expression, [array], what=f"{name} {q} {args} {array.shape}")


TIED = {
    "sort": lambda L, x: x.sort(dim=1, stable=True)[0],
    "median": lambda L, x: x.median(),
    "nanmedian": lambda L, x: x.nanmedian(),
    "quantile": lambda L, x: x.quantile(0.4, 0),
    "median of NaN": lambda L, x: (x / x * x).median(),
}


@pytest.mark.parametrize("name", TIED)
def test_gradients_at_ties(name, ours, theirs):
    x = np.array([[1.0, 2, 2, 0.5], [3, 3, -1, 3], [2, 2, -1, 0.5]])
    x[0, 0] = 0 if "NaN" in name else 1
    twins = (lambda *t, L=library: TIED[name](L, *t) for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [x])


def test_named_results_and_out(ours, theirs):
    x = np.array([[1.0, 3.0, 2.0], [2.0, 0.0, 5.0]])
    for name, args in (
        ("sort", ()),
        ("topk", (2,)),
        ("kthvalue", (2,)),
        ("median", (1,)),
        ("nanmedian", (1,)),
        ("mode", ()),
    ):
        mine, other = (getattr(L, name)(L.of(x), *args) for L in (ours, theirs))
        assert repr(mine) == repr(other)
        agree((mine.values, mine.indices), (other.values, other.indices))

        def written(L, x, name=name, args=args):
            out = L.empty(0, dtype=L.float64), L.empty(0, dtype=L.int64)
            getattr(L, name)(x, *args, out=out)
            return out

        agree_on(ours, theirs, written, [x], what=name)


OUTS = {
    "sort": lambda L, x, *out: L.sort(x, out=out),
    "topk": lambda L, x, *out: L.topk(x, 2, out=out),
    "max": lambda L, x, *out: L.max(x, 1, out=out),
    "kthvalue": lambda L, x, *out: L.kthvalue(x, 2, out=out),
    "aminmax": lambda L, x, *out: L.aminmax(x, dim=1, out=out),
    "amax": lambda L, x, first, second: L.amax(x, 1, out=first),
    "argmin": lambda L, x, first, second: L.argmin(x, 1, out=second),
    "quantile": lambda L, x, first, second: L.quantile(x, 0.5, out=first),
    "softmax": lambda L, x, first, second: L.softmax(x, 1, out=first),
}


@pytest.mark.parametrize("name", OUTS)
@pytest.mark.filterwarnings("ignore")
def test_out_of_another_dtype(name, ours, theirs):
    """Refused or cast as in PyTorch; where one of two is refused neither is written to."""
    kinds = ("float64", "float32", "int64", "int32")
    for first, second in [(a, b) for a in kinds for b in kinds]:
        given = [L.full((2,), 7, dtype=getattr(L, kind)) for L in (ours,) for kind in (first, second)]

        def expression(L, x, first=first, second=second):
            out = L.empty(0, dtype=getattr(L, first)), L.empty(0, dtype=getattr(L, second))
            return OUTS[name](L, x, *out)

        agree_on(ours, theirs, expression, [np.array([[1.0, 3.0, 2.0], [2.0, 0.0, 5.0]])], what=f"{first} {second}")
        if (first, second) == ("float64", "int32") and name in ("sort", "topk", "max", "kthvalue"):
            with pytest.raises(RuntimeError, match="dtype"):
                OUTS[name](ours, ours.of(np.ones((2, 3))), *given)
            assert given[0].tolist() == [7, 7]


REFUSED = {
    "topk k": (lambda L: L.zeros(2, 3).topk(4), ["topk", "4", "3"]),
    "topk negative k": (lambda L: L.zeros(2, 3).topk(-1), ["topk", "-1"]),
    "topk of bools": (lambda L: L.of([True]).topk(1), ["bool"]),
    "topk dim": (lambda L: L.zeros(2, 3).topk(1, 2), ["[-2, 1]"]),
    "sort dim": (lambda L: L.zeros(2).sort(1), ["[-1, 0]"]),
    "sort not a tensor": (lambda L: L.sort([1.0]), ["sort", "list"]),
    "kthvalue 0": (lambda L: L.zeros(2, 3).kthvalue(0), ["kthvalue", "0", "3"]),
    "kthvalue k": (lambda L: L.zeros(2, 3).kthvalue(3, 0), ["kthvalue", "3", "2"]),
    "kthvalue of none": (lambda L: L.zeros(2, 0).kthvalue(1), ["kthvalue", "[2, 0]"]),
    "median of none": (lambda L: L.zeros(2, 0).median(1), ["median", "[2, 0]"]),
    "median of bools": (lambda L: L.of([True]).median(), ["median", "Bool"]),
    "mode of none": (lambda L: L.zeros(2, 0).mode(), ["mode", "[2, 0]"]),
    "quantile of none": (lambda L: L.zeros(0).quantile(0.5), ["quantile", "[0]"]),
    "quantile of ints": (lambda L: L.of([1]).quantile(0.5), ["quantile", "Long"]),
    "quantile q": (lambda L: L.zeros(3).quantile(1.5), ["quantile", "1.5"]),
    "quantile q dtype": (lambda L: L.zeros(3).quantile(L.of(np.array([0.5]))), ["quantile", "Float"]),
    "quantile q shape": (lambda L: L.zeros(3).quantile(L.zeros(1, 1)), ["quantile", "[1, 1]"]),
    "quantile interpolation": (lambda L: L.zeros(3).quantile(0.5, interpolation="best"), ["quantile", "best"]),
    "quantile type": (lambda L: L.zeros(3).quantile("0.5"), ["quantile", "str"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
