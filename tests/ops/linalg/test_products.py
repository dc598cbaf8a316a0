"""Products of vectors, matrices and tensors: forms, dtypes and refusals, against PyTorch."""

import warnings

import numpy as np
import pytest
from parity import agree_on, agree_with_gradients, refuse_alike


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-2, 2, shape)


@pytest.fixture(autouse=True)
def quiet():
    """PyTorch warns of its older names and of old orders of arguments."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


CALLS = {
    "inner": (
        lambda L, x, y: [L.inner(x, y), x[0].inner(y[0]), L.inner(x[0, 0], y), L.inner(input=x, other=y)],
        (3, 4),
        (2, 4),
    ),
    "vdot": (lambda L, x, y: [L.vdot(x, y), x.vdot(y)], (4,), (4,)),
    "vecdot": (lambda L, x, y: [L.linalg.vecdot(x, y), L.linalg.vecdot(x, y, dim=0)], (3, 4), (1, 4)),
    "linalg.cross": (lambda L, x, y: [L.linalg.cross(x, y), L.linalg.cross(x.mT, y.mT, dim=-2)], (2, 3), (1, 3)),
    "cross": (lambda L, x, y: [L.cross(x, y), x.cross(y), L.cross(x, y, -1), L.cross(x, y, dim=1)], (3, 3), (3, 3)),
    "addbmm": (
        lambda L, c, x, y: [
            L.addbmm(c, x, y),
            c.addbmm(x, y, beta=2, alpha=0.5),
            c.clone().expand(2, 2).clone().addbmm_(x, y),
            L.addbmm(2, c, 3, x, y),
            L.addbmm(2, c, x, y),
            L.addbmm(input=c, batch1=x, batch2=y),
        ],
        (2,),
        (3, 2, 4),
        (3, 4, 2),
    ),
    "addr": (
        lambda L, c, x, y: [
            L.addr(c, x, y),
            c.addr(x, y, beta=2, alpha=0.5),
            c.clone().addr_(x, y, beta=0),
            L.addr(2, c, 3, x, y),
            L.addr(c, vec1=x, vec2=y),
            L.addr(c * np.nan, x, y, beta=0),
        ],
        (3, 2),
        (3,),
        (2,),
    ),
    "addmm": (
        lambda L, c, x, y: [
            L.addmm(2, c, 3, x, y),
            L.addmm(2, c, x, y),
            c.addmm(mat1=x, mat2=y),
            L.addmm(c, x, mat2=y, alpha=2),
            L.addmv(2, c[:, 0], 3, x, y[:, 0]),
            L.addmv(c[:, 0], mat=x, vec=y[:, 0]),
            L.addmv_(c[:, 0].clone(), x, y[:, 0], beta=0.5),
            L.baddbmm(2, c[None], 3, x[None], y[None]),
            L.baddbmm(c, batch1=x[None], batch2=y[None]),
        ],
        (3, 2),
        (3, 4),
        (4, 2),
    ),
    "keywords": (
        lambda L, x, y: [
            L.mm(input=x, mat2=y),
            L.mv(x, vec=y[:, 0]),
            L.dot(x[0], tensor=y[:, 0]),
            L.ger(x[0], vec2=y[0]),
        ],
        (3, 4),
        (4, 2),
    ),
    "tensordot": (
        lambda L, x, y: [
            L.tensordot(x, y),
            L.tensordot(x, y, dims=2),
            L.tensordot(x, y, 0),
            L.tensordot(x, y.mT, ([-1, 0], [2, 1]))[..., 0],
            L.tensordot(x, y, [[1], [0]]),
            L.tensordot(x, y, L.of(np.array([[1, 2], [0, 1]]))),
        ],
        (2, 3, 4),
        (3, 4, 2),
    ),
    "tensordot broadcast": (lambda L, x, y: [L.tensordot(x, y, 1), L.tensordot(y, x, ([1], [1]))], (2, 3), (1, 3)),
    "tensordot of numbers": (lambda L, x, y: L.tensordot(x, y, 0), (), ()),
    "kron": (lambda L, x, y: [L.kron(x, y), y.kron(x), L.kron(x[0, 0], y), L.kron(x, y[:0])], (2, 3), (2, 1, 2)),
    "multi_dot": (lambda L, x, y, z: L.linalg.multi_dot([x, y, z, z[0]]), (4, 3), (3, 5), (5, 5)),
    "multi_dot of vectors": (
        lambda L, x, y: [L.linalg.multi_dot([x, y]), L.linalg.multi_dot((x, y[:, None]))],
        (3,),
        (3,),
    ),
    "multi_dot of nothing": (lambda L, x, y: L.linalg.multi_dot([x, y, x]), (2, 0), (0, 2)),
    "chain_matmul": (
        lambda L, x, y: [L.chain_matmul(x), L.chain_matmul(x, y), L.chain_matmul(x, y, x)],
        (2, 3),
        (3, 2),
    ),
    "matmul": (lambda L, x, y: L.linalg.matmul(x, y), (2, 3), (3, 2)),
    "diagonal": (lambda L, x: [L.linalg.diagonal(x), L.linalg.diagonal(x, offset=1, dim1=0, dim2=2)], (2, 3, 4)),
    "vander": (lambda L, x: [L.linalg.vander(x), L.linalg.vander(x, N=3), L.linalg.vander(x[0], N=5)], (2, 4)),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name, ours, theirs):
    expression, *shapes = CALLS[name]
    arrays = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]
    agree_on(ours, theirs, expression, arrays, what=name)
    agree_on(ours, theirs, expression, [x.astype("float32") for x in arrays], 1e-5, 1e-5, what=name)


@pytest.mark.parametrize("dtype", ["float16", "int8", "int32", "int64", "uint8", "bool", "complex64"])
def test_dtypes(dtype, ours, theirs):
    """Results, promotion, and which of them is refused."""
    x = np.array([[1, 0, 3], [2, 1, 1], [0, 1, 1]]).astype(dtype)
    calls = {
        "inner": lambda L, x: L.inner(x, x),
        "vdot": lambda L, x: L.vdot(x[0], x[1]),
        "vecdot": lambda L, x: L.linalg.vecdot(x, x),
        "cross": lambda L, x: L.linalg.cross(x, x.mT),
        "addbmm": lambda L, x: L.addbmm(x, x[None], x[None]),
        "addr": lambda L, x: L.addr(x, x[0], x[1]),
        "addr promoted": lambda L, x: L.addr(x, x[0].int(), x[1]),
        "addr of floats": lambda L, x: L.addr(x, x[0], x[1].double()),
        "addr scaled": lambda L, x: L.addr(x, x[0], x[1], alpha=0.5),
        "addmm scaled": lambda L, x: L.addmm(x, x, x, alpha=0.5),
        "tensordot": lambda L, x: L.tensordot(x, x),
        "kron": lambda L, x: L.kron(x, x),
        "multi_dot": lambda L, x: L.linalg.multi_dot([x, x, x]),
        "vander": lambda L, x: L.linalg.vander(x),
        "outer": lambda L, x: L.outer(x[0], x[1].double()),
    }
    for name, call in calls.items():
        agree_on(ours, theirs, call, [x], 4e-3, 2e-3, what=f"{name} of {dtype}")


def test_gradients(ours, theirs):
    for name in ("inner", "vecdot", "linalg.cross", "addbmm", "addr", "kron", "multi_dot"):
        expression, *shapes = CALLS[name]
        arrays = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]

        def first(*tensors, L):
            result = expression(L, *tensors)
            return result if hasattr(result, "numel") else result[0]

        twins = (lambda *t, L=L: first(*t, L=L) for L in (ours, theirs))
        agree_with_gradients(ours, theirs, *twins, arrays, what=name)


def test_chains_are_multiplied_in_the_cheapest_order():
    """Against all orders, on sizes for which they differ by far."""
    from autograd.ops.linalg.products import _cheapest

    def cost(sizes, split, i, j):
        if i == j:
            return 0
        k = split(i, j)
        return cost(sizes, split, i, k) + cost(sizes, split, k + 1, j) + sizes[i] * sizes[k + 1] * sizes[j + 1]

    def best(sizes, i, j):
        return (
            0
            if i == j
            else min(
                best(sizes, i, k) + best(sizes, k + 1, j) + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)
            )
        )

    for seed in range(20):
        sizes = [int(n) for n in np.random.default_rng(seed).integers(1, 50, 7)]
        table = _cheapest(sizes)
        assert cost(sizes, lambda i, j, table=table: table[i][j], 0, 5) == best(sizes, 0, 5)


REFUSED = {
    "inner": (lambda L: L.inner(L.zeros(2), L.zeros(2, 3)), ["[2]", "[2, 3]"]),
    "inner dtypes": (lambda L: L.inner(L.zeros(2), L.zeros(2, dtype=L.float64)), ["inner", "Float", "Double"]),
    "vdot": (lambda L: L.vdot(L.zeros(2, 2), L.zeros(2)), ["[2, 2]"]),
    "vecdot integers": (lambda L: L.linalg.vecdot(L.of([1]), L.of([1])), ["Long"]),
    "vecdot shapes": (lambda L: L.linalg.vecdot(L.zeros(2), L.zeros(3)), ["2", "3"]),
    "vecdot dim": (lambda L: L.linalg.vecdot(L.zeros(2, 2), L.zeros(2, 2), dim=2), ["2"]),
    "cross": (lambda L: L.linalg.cross(L.zeros(2), L.zeros(2)), ["3", "[2]"]),
    "cross dim": (lambda L: L.cross(L.zeros(2, 2), L.zeros(2, 2)), ["3", "[2, 2]"]),
    "cross dims": (lambda L: L.linalg.cross(L.zeros(3), L.zeros(2, 3)), ["[3]", "[2, 3]"]),
    "cross dim range": (lambda L: L.linalg.cross(L.zeros(3), L.zeros(3), dim=2), ["2"]),
    "addbmm": (lambda L: L.addbmm(L.zeros(2, 2), L.zeros(1, 2, 3), L.zeros(1, 2, 2)), ["[1, 2, 3]", "[1, 2, 2]"]),
    "addbmm batches": (
        lambda L: L.addbmm(L.zeros(2, 2), L.zeros(3, 2, 2), L.zeros(1, 2, 2)),
        ["[3, 2, 2]", "[1, 2, 2]"],
    ),
    "addr": (lambda L: L.addr(L.zeros(3), L.zeros(2), L.zeros(2)), ["[3]", "[2, 2]"]),
    "addr dims": (lambda L: L.addr(L.zeros(2), L.zeros(2, 1), L.zeros(2)), ["vec1", "2-D"]),
    "addmm kinds": (lambda L: L.addmm(L.zeros(2, 2), 2, L.zeros(2, 2)), ["addmm"]),
    "addmm keyword": (lambda L: L.addmm(L.zeros(2), L.zeros(2, 2), L.zeros(2, 2), gamma=1), ["gamma"]),
    "addmm missing": (lambda L: L.addmm(L.zeros(2), L.zeros(2, 2)), ["addmm"]),
    "addmm dtypes": (lambda L: L.addmm(L.zeros(2), *[L.zeros(2, 2, dtype=L.float64)] * 2), ["float32", "float64"]),
    "baddbmm batches": (
        lambda L: L.baddbmm(L.zeros(1), L.zeros(3, 2, 2), L.zeros(1, 2, 2)),
        ["[3, 2, 2]", "[1, 2, 2]"],
    ),
    "tensordot": (lambda L: L.tensordot(L.zeros(2, 3), L.zeros(4, 2), 1), ["3", "4"]),
    "tensordot dims": (lambda L: L.tensordot(L.zeros(2, 3), L.zeros(3), 2), ["2", "[2, 3]", "[3]"]),
    "tensordot negative": (lambda L: L.tensordot(L.zeros(2), L.zeros(2), -1), ["-1"]),
    "tensordot lists": (lambda L: L.tensordot(L.zeros(2, 2), L.zeros(2, 2), ([0, 1], [0])), ["[0, 1]", "[0]"]),
    "tensordot twice": (lambda L: L.tensordot(L.zeros(2, 2), L.zeros(2, 2), ([0, 0], [0, 1])), ["[0, 0]"]),
    "tensordot range": (lambda L: L.tensordot(L.zeros(2), L.zeros(2), ([1], [0])), ["1"]),
    "tensordot dtypes": (lambda L: L.tensordot(L.zeros(2), L.zeros(2, dtype=L.float64), 1), ["Float", "Double"]),
    "multi_dot one": (lambda L: L.linalg.multi_dot([L.zeros(2, 2)]), ["2", "1"]),
    "multi_dot shapes": (lambda L: L.linalg.multi_dot([L.zeros(2, 3), L.zeros(2, 3)]), ["[2, 3]"]),
    "multi_dot dims": (lambda L: L.linalg.multi_dot([L.zeros(2), L.zeros(2), L.zeros(2)]), ["tensor 1", "1D"]),
    "chain_matmul none": (lambda L: L.chain_matmul(), []),
    "chain_matmul dims": (lambda L: L.chain_matmul(L.zeros(2, 2), L.zeros(2)), ["[2]"]),
    "vander": (lambda L: L.linalg.vander(L.zeros(3), N=1), ["N", "1"]),
    "vander bool": (lambda L: L.linalg.vander(L.of([True])), ["Bool"]),
    "kron": (lambda L: L.kron(L.zeros(2), 2.0), ["Tensor", "float"]),
    "diagonal": (lambda L: L.linalg.diagonal(L.zeros(3)), ["3"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    expression, words = REFUSED[name]
    refuse_alike(ours, theirs, expression, words if name != "diagonal" else [])
