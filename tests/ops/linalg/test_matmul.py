"""Matrix products, linear and einsum: shapes, dtypes, memory layouts and refusals, against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike

SHAPES = [(4,), (1, 4), (3, 4), (2, 3, 4), (1, 3, 4), (5, 1, 3, 4), (2, 0, 4), (0, 3, 4)]


def numbers(*shapes, dtype="float64"):
    generator = np.random.default_rng(0)
    return [np.asarray(generator.uniform(-1, 1, shape), dtype) for shape in shapes]


@pytest.mark.parametrize("right", [(4,), (4, 1), (4, 5), (2, 4, 5), (5, 2, 4, 3), (1, 4, 2), (4, 0)])
def test_all_shapes(right, ours, theirs):
    for left in SHAPES:
        batch = left[:-2], right[:-2]
        try:
            np.broadcast_shapes(*batch)
        except ValueError:
            continue
        if 0 in left and len(right) == 4:
            continue
        for dtype, scale in (("float64", (1e-12, 1e-13)), ("float32", (1e-5, 1e-6))):
            twins = (lambda x, y, L=L: L.matmul(x, y) for L in (ours, theirs))
            arrays = numbers(left, right, dtype=dtype)
            agree_with_gradients(ours, theirs, *twins, arrays, *scale, f"{left} @ {right}")


def test_layouts(ours, theirs):
    """Transposed, strided and expanded operands."""
    layouts = {
        "transposed": lambda x: x.mT,
        "strided": lambda x: x[..., ::2],
        "offset": lambda x: x[..., 1:, 1:],
        "expanded": lambda x: x[..., :1].expand(*x.shape[:-1], 4),
        "backward strides": lambda x: x.permute(*range(x.ndim - 2), -1, -2).contiguous().mT,
    }
    for (name, left), right in itertools.product(layouts.items(), layouts.values()):
        for shape in ((6, 6), (2, 6, 6)):

            def product(x, y, left=left, right=right):
                a, b = left(x), right(y)
                n = min(a.shape[-1], b.shape[-2])
                return a[..., :n] @ b[..., :n, :]

            agree_with_gradients(ours, theirs, product, product, numbers(shape, shape), what=f"{name} {shape}")


@pytest.mark.parametrize("dtype", ["float16", "float32", "int8", "int32", "int64", "uint8", "bool"])
def test_dtypes(dtype, ours, theirs):
    generator = np.random.default_rng(0)
    kinds = "float" in dtype
    x, y = (generator.uniform(-2, 2, s) if kinds else generator.integers(0, 2, s) for s in ((3, 4), (4, 2)))
    calls = [
        lambda L, x, y: x @ y,
        lambda L, x, y: L.mm(x, y),
        lambda L, x, y: L.mv(x, y[:, 0]),
        lambda L, x, y: L.dot(x[0], y[:, 0]),
        lambda L, x, y: L.bmm(x[None], y[None]),
        lambda L, x, y: L.outer(x[0], y[:, 0]),
        lambda L, x, y: x[0] @ y,
        lambda L, x, y: L.addmm(y[:1], x, y),
    ]
    for i, call in enumerate(calls):
        agree_on(ours, theirs, call, [x.astype(dtype), y.astype(dtype)], 4e-3, 2e-3, what=f"call {i}")


def test_large(ours, theirs):
    """Sizes at which other code paths may be chosen."""
    for m, k, n in ((1, 300, 300), (300, 1, 300), (257, 129, 65), (300, 300, 1), (2, 1000, 2)):
        arrays = numbers((m, k), (k, n), dtype="float32")
        agree_with_gradients(ours, theirs, *(lambda x, y, L=L: L.mm(x, y) for L in (ours, theirs)), arrays, 2e-4, 2e-5)


def test_special_values(ours, theirs):
    x = np.array([[np.nan, 1.0], [np.inf, 0.0], [0.0, -np.inf]])
    agree_on(ours, theirs, lambda L, x: x @ x.t(), [x])
    agree_on(ours, theirs, lambda L, x: L.addmm(x * np.nan, x, x[:2].t(), beta=0), [np.ones((2, 2))])


CALLS = {
    "out": lambda L, x, y: L.matmul(x, y, out=L.empty(3, 2, dtype=L.float64)),
    "mm out": lambda L, x, y: L.mm(x, y, out=L.empty(0, dtype=L.float64)),
    "methods": lambda L, x, y: [x.mm(y), x.matmul(y), x.mv(y[:, 0]), x[0].dot(y[:, 0]), x[None].bmm(y[None])],
    "outer": lambda L, x, y: [L.outer(x[0], y[0]), L.ger(x[0], y[0]), x[0].outer(y[0])],
    "addmm": lambda L, x, y: L.addmm(L.ones(2, dtype=L.float64), x, y, beta=2, alpha=0.5),
    "addmm method": lambda L, x, y: L.ones(3, 2, dtype=L.float64).addmm(x, y),
    "addmm_": lambda L, x, y: L.ones(3, 2, dtype=L.float64).addmm_(x, y, beta=0.5),
    "addmv": lambda L, x, y: L.addmv(L.ones(3, dtype=L.float64), x, y[:, 0], alpha=2),
    "baddbmm": lambda L, x, y: L.baddbmm(L.ones(1, 3, 2, dtype=L.float64), x[None], y[None]),
    "named": lambda L, x, y: [L.matmul(input=x, other=y), L.mm(input=x, mat2=y)],
    "linear": lambda L, x, y: [L.F.linear(x, y.t()), L.F.linear(x[0], y.t()), L.F.linear(x[None], y.t(), y[0])],
    "linear vector weight": lambda L, x, y: L.F.linear(x, y[:, 0]),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name, ours, theirs):
    agree_on(ours, theirs, CALLS[name], numbers((3, 4), (4, 2)), what=name)


EQUATIONS = [
    ("ij,jk->ik", (3, 4), (4, 2)),
    ("ij,jk", (3, 4), (4, 2)),
    ("ij,kj->ki", (3, 4), (2, 4)),
    ("ij,ij->", (3, 4), (3, 4)),
    ("ij,ij->ij", (3, 4), (3, 4)),
    ("ij->ji", (3, 4)),
    ("ij->", (3, 4)),
    ("ij->j", (3, 4)),
    ("ba", (3, 4)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("iij->j", (3, 3, 2)),
    ("iji->ij", (3, 2, 3)),
    ("i,j->ij", (3,), (4,)),
    ("i,i", (3,), (3,)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("...ij,...jk->...ik", (2, 1, 3, 4), (5, 4, 2)),
    ("...i,...i->...", (2, 3), (3,)),
    ("i...,i...->...", (3, 2), (3, 1)),
    ("...ij->...ji", (2, 3, 4)),
    ("a...b->b...", (2, 3, 4)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    ("ij,j,i->", (2, 3), (3,), (2,)),
    (" i j , j k -> i k ", (2, 3), (3, 4)),
    ("ij,j->i", (3, 1), (4,)),
    ("ik,jk->ij", (2, 3), (4, 3)),
    ("ijk,ilm,njm,nlk,abc->", (2, 2, 2), (2, 2, 2), (2, 2, 2), (2, 2, 2), (1, 1, 1)),
    ("Aa,aB->AB", (2, 3), (3, 4)),
    (",ij->ij", (), (2, 3)),
]


@pytest.mark.parametrize(("equation", "shapes"), [(e, s) for e, *s in EQUATIONS], ids=[e for e, *_ in EQUATIONS])
def test_einsum(equation, shapes, ours, theirs):
    twins = (lambda *t, L=L: L.einsum(equation, *t) for L in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, numbers(*shapes), what=equation)


def test_einsum_forms(ours, theirs):
    calls = {
        "list": lambda L, x, y: L.einsum("ij,jk", [x, y]),
        "sublists": lambda L, x, y: L.einsum(x, [0, 1], y, [1, 2], [0, 2]),
        "sublists implicit": lambda L, x, y: L.einsum(x, [0, 1], y, [1, 2]),
        "sublist ellipsis": lambda L, x, y: L.einsum(x, [Ellipsis, 1], [1, Ellipsis]),
    }
    for name, call in calls.items():
        agree_on(ours, theirs, call, numbers((3, 4), (4, 2)), what=name)


REFUSED = {
    "inner": (lambda L: L.zeros(2, 3) @ L.zeros(4, 2), ["[2, 3]", "[4, 2]", "3", "4"]),
    "vector": (lambda L: L.zeros(3) @ L.zeros(4), ["[3]", "[4]"]),
    "matrix vector": (lambda L: L.zeros(2, 3) @ L.zeros(2), ["[2, 3]", "[2]"]),
    "batches": (lambda L: L.zeros(2, 2, 3) @ L.zeros(3, 3, 2), ["[2, 2, 3]", "[3, 3, 2]"]),
    "0-d": (lambda L: L.tensor(1.0) @ L.zeros(2), ["matmul", "0D", "1D"]),
    "dtypes": (lambda L: L.zeros(2, 2) @ L.zeros(2, 2, dtype=L.float64), ["float32", "float64"]),
    "number": (lambda L: L.zeros(2, 2) @ 2.0, []),
    "mm of vectors": (lambda L: L.mm(L.zeros(2), L.zeros(2)), ["mm", "[2]"]),
    "mm batched": (lambda L: L.mm(L.zeros(1, 2, 2), L.zeros(2, 2)), ["mm", "[1, 2, 2]"]),
    "mm inner": (lambda L: L.mm(L.zeros(2, 3), L.zeros(2, 3)), ["[2, 3]"]),
    "bmm batch": (lambda L: L.bmm(L.zeros(2, 2, 2), L.zeros(3, 2, 2)), ["bmm", "[2, 2, 2]", "[3, 2, 2]"]),
    "mv": (lambda L: L.mv(L.zeros(2, 3), L.zeros(2)), ["[2, 3]", "[2]"]),
    "dot": (lambda L: L.dot(L.zeros(2), L.zeros(3)), ["[2]", "[3]"]),
    "dot of matrices": (lambda L: L.dot(L.zeros(2, 2), L.zeros(2)), ["dot", "[2, 2]"]),
    "outer": (lambda L: L.outer(L.zeros(2, 2), L.zeros(2)), ["outer", "[2, 2]"]),
    "addmm": (lambda L: L.addmm(L.zeros(3, 3), L.zeros(2, 3), L.zeros(3, 2)), ["[3, 3]", "[2, 2]"]),
    "linear": (lambda L: L.F.linear(L.zeros(2, 3), L.zeros(4, 2)), ["linear", "[2, 3]", "[4, 2]"]),
    "linear bias": (lambda L: L.F.linear(L.zeros(2, 3), L.zeros(4, 3), L.zeros(3)), ["linear", "[3]", "[4, 3]"]),
    "einsum operands": (lambda L: L.einsum("ij,jk", L.zeros(2, 2)), ["einsum", "2", "1"]),
    "einsum dims": (lambda L: L.einsum("ijk", L.zeros(2, 2)), ["einsum", "ijk", "[2, 2]"]),
    "einsum sizes": (lambda L: L.einsum("ij,jk", L.zeros(2, 3), L.zeros(4, 2)), ["'j'", "3", "4"]),
    "einsum output": (lambda L: L.einsum("ij->k", L.zeros(2, 2)), ["'k'"]),
    "einsum output twice": (lambda L: L.einsum("ij->ii", L.zeros(2, 2)), ["'i'", "more than once"]),
    "einsum subscript": (lambda L: L.einsum("i1", L.zeros(2, 2)), ["'1'"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


def test_numpy_on_the_left(ours):
    x = ours.of(np.eye(2), True)
    product = np.ones((3, 2)) @ x
    assert type(product) is type(x)
    assert product.requires_grad
