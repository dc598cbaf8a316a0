"""Sparse tensors: values, layouts, gradients, printing and refusals as in PyTorch."""

import copy
import pickle

import numpy as np
import pytest
from parity import agree, outcome, refuse_alike

import autograd

INDICES = np.array([[0, 1, 1, 0], [2, 0, 2, 2]])  # the place (0, 2) twice
NUMBERS = np.array([3.0, 4.0, -5.0, 0.5])
DENSE = np.arange(6.0).reshape(2, 3) + 1
MATRIX = np.linspace(-1, 1, 12).reshape(3, 4)


@pytest.fixture(autouse=True)
def quiet():
    """PyTorch warns that compressed rows are in beta."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        yield


def coo(L, numbers=NUMBERS, indices=INDICES, size=(2, 3), **options):
    return L.sparse_coo_tensor(L.of(indices), L.of(numbers), size, **options)


def csr(L):
    return L.sparse_csr_tensor(L.of(np.array([0, 1, 3])), L.of(np.array([2, 0, 2])), L.of(NUMBERS[:3]), (2, 3))


def other(L):
    return coo(L, np.array([2.0, 7.0]), np.array([[0, 1], [2, 1]]))


def described(x):
    """A tensor of any layout as its kind and its parts."""
    if not hasattr(x, "layout"):
        return [x]
    kind = [str(x.layout), tuple(x.shape), str(x.dtype)]
    if x.is_sparse:
        return [*kind, x.is_coalesced(), x._nnz(), x.sparse_dim(), x.dense_dim(), x._indices(), x._values()]
    if x.is_sparse_csr:
        return [*kind, x._nnz(), x.crow_indices(), x.col_indices(), x.values()]
    return [*kind, x]


UNARY = (
    "abs asin asinh atan ceil expm1 floor log1p neg relu round sgn sign sin sinh sqrt tan tanh trunc isnan deg2rad erf"
)
EXPRESSIONS = {
    "as made": lambda L: coo(L),
    "coalesce": lambda L: coo(L).coalesce(),
    "coalesce twice": lambda L: coo(L).coalesce().coalesce(),
    "size from indices": lambda L: L.sparse_coo_tensor(L.of(INDICES), L.of(NUMBERS)),
    "from lists": lambda L: L.sparse_coo_tensor([[0, 1], [1, 0]], [1, 2], (2, 2)),
    "dtype": lambda L: coo(L, dtype=L.float32),
    "nothing": lambda L: L.sparse_coo_tensor((2, 3), dtype=L.float64),
    "nothing of size 0": lambda L: L.sparse_coo_tensor(L.of(np.zeros((2, 0), np.int64)), L.of(np.zeros(0)), (0, 3)),
    "hybrid": lambda L: coo(L, np.arange(6.0).reshape(2, 3), np.array([[0, 2]]), (4, 3)),
    "hybrid to_dense": lambda L: coo(L, np.arange(6.0).reshape(2, 3), np.array([[0, 2]]), (4, 3)).to_dense(),
    "to_dense": lambda L: coo(L).to_dense(),
    "to_dense of bool": lambda L: coo(L).bool().to_dense(),
    "to_dense of int": lambda L: coo(L).long().to_dense(),
    "to_sparse": lambda L: L.of(DENSE - 3).to_sparse(),
    "to_sparse_coo": lambda L: L.of(DENSE - 3).to_sparse_coo(),
    "to_sparse 1": lambda L: L.of(DENSE - 3).to_sparse(1),
    "to_sparse layout": lambda L: L.of(DENSE - 3).to_sparse(layout=L.sparse_csr),
    "to_sparse_csr": lambda L: coo(L).to_sparse_csr(),
    "to_sparse of csr": lambda L: csr(L).to_sparse(),
    "csr": csr,
    "csr to_dense": lambda L: csr(L).to_dense(),
    "csr + csr": lambda L: csr(L) + csr(L),
    "csr * 2": lambda L: csr(L) * 2,
    "-csr": lambda L: -csr(L),
    "csr @ dense": lambda L: csr(L) @ L.of(MATRIX),
    "csr @ csr": lambda L: (csr(L) @ csr(L).to_dense().t().to_sparse_csr()).to_dense(),
    "csr mv": lambda L: csr(L).mv(L.of(MATRIX[:, 0])),
    "csr sum": lambda L: csr(L).sum(),
    "sampled_addmm": lambda L: L.sparse.sampled_addmm(csr(L), L.of(DENSE), L.of(MATRIX[:, :3]), beta=0.5, alpha=2.0),
    "clone": lambda L: coo(L).clone(),
    "detach": lambda L: coo(L).detach(),
    "float": lambda L: coo(L).float(),
    "to": lambda L: coo(L).to(L.float32),
    "to the same": lambda L: coo(L).to("cpu"),
    "zeros_like": lambda L: L.zeros_like(coo(L)),
    "zero_": lambda L: coo(L).zero_(),
    "dense + sparse": lambda L: L.of(DENSE) + coo(L),
    "dense - sparse": lambda L: L.of(DENSE) - coo(L),
    "add alpha": lambda L: L.add(L.of(DENSE), coo(L), alpha=3),
    "add_ alpha": lambda L: L.of(DENSE).add_(coo(L), alpha=-3),
    "sparse + sparse": lambda L: (coo(L) + other(L)).coalesce(),
    "sparse - sparse": lambda L: (coo(L) - other(L)).coalesce(),
    "of sorted": lambda L: coo(L).coalesce() + other(L).coalesce(),
    "of the same places": lambda L: coo(L).coalesce() + coo(L).coalesce(),
    "sparse * sparse": lambda L: (coo(L) * other(L)).to_dense(),
    "sparse * dense": lambda L: coo(L).coalesce() * L.of(DENSE),
    "dense * sparse": lambda L: L.of(DENSE) * coo(L).coalesce(),
    "sparse * 2": lambda L: 2 * coo(L),
    "sparse / 2": lambda L: coo(L) / 2,
    "mul_": lambda L: coo(L).mul_(2),
    "div_": lambda L: coo(L).div_(2),
    "sparse add_": lambda L: coo(L).add_(other(L)).coalesce(),
    "copy_": lambda L: coo(L).copy_(other(L)),
    "power": lambda L: coo(L) ** 2,
    "mm": lambda L: L.mm(coo(L), L.of(MATRIX)),
    "spmm": lambda L: L.spmm(coo(L), L.of(MATRIX)),
    "dense @ sparse": lambda L: L.of(DENSE).t() @ coo(L),
    "sparse @ vector": lambda L: coo(L) @ L.of(MATRIX[:, 1]),
    "sparse @ sparse": lambda L: coo(L) @ coo(L).t(),
    "sparse.mm": lambda L: L.sparse.mm(coo(L), coo(L).t()),
    "sparse.addmm": lambda L: L.sparse.addmm(L.of(np.ones((2, 4))), coo(L), L.of(MATRIX), beta=2.0, alpha=0.5),
    "addmm": lambda L: L.addmm(L.of(np.ones((2, 4))), coo(L), L.of(MATRIX), beta=2.0, alpha=0.5),
    "bmm": lambda L: L.bmm(L.stack([coo(L), other(L)]), L.of(np.stack([MATRIX, MATRIX]))),
    "linear": lambda L: L.F.linear(L.of(MATRIX.T), coo(L)),
    "sum": lambda L: coo(L).sum(),
    "sum 0": lambda L: coo(L).sum(0),
    "sparse.sum": lambda L: L.sparse.sum(coo(L)),
    "sparse.sum 1": lambda L: L.sparse.sum(coo(L), 1),
    "sparse.sum both": lambda L: L.sparse.sum(coo(L), (0, 1)),
    "sparse.sum dtype": lambda L: L.sparse.sum(coo(L), dtype=L.float32),
    "softmax": lambda L: L.sparse.softmax(coo(L), 1),
    "log_softmax": lambda L: L.sparse.log_softmax(coo(L), 0),
    "softmax dtype": lambda L: L.sparse.softmax(coo(L).float(), 0, dtype=L.float64),
    "norm": lambda L: coo(L).norm(),
    "t": lambda L: coo(L).t(),
    "T": lambda L: coo(L).T,
    "transpose": lambda L: coo(L).transpose(0, 1),
    "permute": lambda L: coo(L).permute(1, 0),
    "unsqueeze": lambda L: coo(L).unsqueeze(1),
    "select": lambda L: coo(L).coalesce()[1],
    "element": lambda L: coo(L).coalesce()[1, 2],
    "index_select": lambda L: coo(L).coalesce().index_select(1, L.of(np.array([2, 2, 0]))).coalesce(),
    "cat": lambda L: L.cat([coo(L), other(L)]),
    "stack": lambda L: L.stack([coo(L), other(L)], 1),
    "sparse_mask": lambda L: L.of(DENSE).sparse_mask(coo(L).coalesce()),
    "mask of sparse": lambda L: coo(L).coalesce().sparse_mask(other(L).coalesce()),
    "sparse_resize_": lambda L: coo(L).sparse_resize_((3, 4), 2, 0),
    "facts": lambda L: [len(coo(L)), coo(L).dim(), coo(L).numel(), coo(L).is_floating_point(), coo(L).is_sparse_csr],
    "facts of dense": lambda L: [L.of(DENSE).sparse_dim(), L.of(DENSE).dense_dim(), L.of(DENSE).is_sparse],
    **{
        name: lambda L, name=name: getattr(coo(L) / 10, name)()
        for name in UNARY.split()
    },
}  # fmt: skip


@pytest.mark.parametrize("expression", EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_values_and_layouts(expression, ours, theirs):
    mine, other = expression(ours), expression(theirs)
    many = isinstance(other, list)
    agree(mine if many else described(mine), other if many else described(other))


# Inputs are the values of a sparse tensor and a dense matrix; the result is a number.
DIFFERENTIATED = {
    "to_dense": lambda L, x, y: (coo_of(L, x).to_dense() ** 2).sum(),
    "coalesce": lambda L, x, y: (coo_of(L, x).coalesce().values() ** 2).sum(),
    "mm": lambda L, x, y: ((coo_of(L, x) @ y) ** 2).sum(),
    "sparse.mm": lambda L, x, y: (L.sparse.mm(coo_of(L, x), y) ** 2).sum(),
    "twice sparse": lambda L, x, y: (L.sparse.mm(coo_of(L, x), coo_of(L, x * x).t()).to_dense() ** 2).sum(),
    "add": lambda L, x, y: ((y[:2, :3] + coo_of(L, x)) ** 3).sum(),
    "mul": lambda L, x, y: (coo_of(L, x).coalesce() * y[:2, :3]).to_dense().pow(2).sum(),
    "softmax": lambda L, x, y: (L.sparse.softmax(coo_of(L, x), 1).to_dense() ** 2).sum(),
    "sum": lambda L, x, y: (coo_of(L, x) * 3).sum() ** 2,
    "sparse.sum": lambda L, x, y: (L.sparse.sum(coo_of(L, x), 0).to_dense() ** 2).sum(),
    "tanh": lambda L, x, y: (coo_of(L, x).tanh().to_dense() ** 2).sum(),
}


def coo_of(L, values):
    return L.sparse_coo_tensor(L.of(INDICES), values, (2, 3))


THEIRS = {name: each for name, each in DIFFERENTIATED.items() if name not in ("mul", "tanh")}  # it has no derivative


@pytest.mark.parametrize("expression", THEIRS.values(), ids=THEIRS)
def test_gradients_of_values_and_dense_operands(expression, ours, theirs):
    gradients = []
    for L in (ours, theirs):
        x, y = L.of(NUMBERS, True), L.of(MATRIX, True)
        expression(L, x, y).backward()
        gradients.append([x.grad, y.grad])
    agree(*gradients)


@pytest.mark.parametrize("expression", DIFFERENTIATED.values(), ids=DIFFERENTIATED)
def test_second_derivatives(expression, ours):
    from autograd.testing import gradcheck, gradgradcheck

    inputs = ours.of(NUMBERS, True), ours.of(MATRIX, True)
    assert gradcheck(lambda x, y: expression(ours, x, y) + 0 * y.sum(), inputs)
    assert gradgradcheck(lambda x, y: expression(ours, x, y) + 0 * (y * y * x.sum()).sum(), inputs)


LEAVES = {
    "sparse.mm": lambda L, s, y: (L.sparse.mm(s, y) ** 2).sum(),
    "mm": lambda L, s, y: ((s @ y) ** 2).sum(),
    "to_dense": lambda L, s, y: (s.to_dense() ** 2).sum(),
    "sum": lambda L, s, y: s.sum() * 3,
    "sparse.sum": lambda L, s, y: L.sparse.sum(s) * 3,
    "twice": lambda L, s, y: ((s + s).to_dense() ** 2).sum(),
    "dense + sparse": lambda L, s, y: (y[:2, :3] + s).sum(),
    "both ways": lambda L, s, y: L.sparse.sum(s) + s.sum(),
}


@pytest.mark.parametrize("expression", LEAVES.values(), ids=LEAVES)
def test_gradients_of_sparse_leaves(expression, ours, theirs):
    """Sparse or dense as in PyTorch; a second pass adds to the first."""
    results = []
    for L in (ours, theirs):
        s = coo(L).coalesce().requires_grad_()
        for _ in range(2):
            expression(L, s, L.of(MATRIX)).backward()
        results.append([s.is_leaf, *described(s.grad.coalesce() if s.grad.is_sparse else s.grad)])
    agree(*results)


PRINTED = {
    "coordinates": coo,
    "rows": csr,
    "empty": lambda L: L.sparse_coo_tensor((2, 3), dtype=L.float64),
    "hybrid": lambda L: coo(L, np.arange(6.0).reshape(2, 3), np.array([[0, 2]]), (4, 3)).float().requires_grad_(),
    "many": lambda L: L.of(np.arange(1.0, 2001)).to_sparse(),
    "made by an operator": lambda L: coo_of(L, L.of(NUMBERS, True)),
}


@pytest.mark.parametrize("make", PRINTED.values(), ids=PRINTED)
def test_repr(make, ours, theirs):
    assert repr(make(ours)) == repr(make(theirs))


REFUSED = {
    "numbers of values": lambda L: L.sparse_coo_tensor(L.of(INDICES), L.of(NUMBERS[:1]), (2, 3)),
    "dimensions of indices": lambda L: L.sparse_coo_tensor(L.of(INDICES[0]), L.of(NUMBERS), (2, 3)),
    "dimensions of size": lambda L: coo(L, size=(2,)),
    "index out of range": lambda L: coo(L, size=(1, 3), check_invariants=True),
    "indices uncoalesced": lambda L: coo(L).indices(),
    "values uncoalesced": lambda L: coo(L).values(),
    "sparse + dense": lambda L: coo(L) + L.of(DENSE),
    "sparse + 1": lambda L: coo(L) + 1,
    "sparse / dense": lambda L: coo(L) / L.of(DENSE),
    "shapes of a product": lambda L: coo(L) @ L.of(DENSE),
    "numpy": lambda L: coo(L).numpy(),
    "item": lambda L: coo(L).item(),
    "bool": lambda L: bool(coo(L)),
    "view": lambda L: coo(L).reshape(6),
    "exp": lambda L: coo(L).exp(),
    "max": lambda L: coo(L).max(),
    "sigmoid": lambda L: L.sigmoid(coo(L)),
    "==": lambda L: coo(L) == coo(L),
    "allclose": lambda L: L.allclose(coo(L), coo(L)),
    "dense coalesce": lambda L: L.of(DENSE).coalesce(),
    "dense indices": lambda L: L.of(DENSE).indices(),
    "dense values": lambda L: L.of(DENSE).values(),
    "dense _nnz": lambda L: L.of(DENSE)._nnz(),
    "rows have no indices": lambda L: csr(L).indices(),
    "coordinates have no rows": lambda L: coo(L).crow_indices(),
}


@pytest.mark.parametrize("bad", REFUSED.values(), ids=REFUSED)
def test_refusals(bad, ours, theirs):
    refuse_alike(ours, theirs, bad)


def test_a_dense_operator_names_the_remedy(ours):
    _, error = outcome(coo(ours).softmax, 0)
    assert error is NotImplementedError
    with pytest.raises(NotImplementedError, match="to_dense"):
        coo(ours).exp()
    with pytest.raises(NotImplementedError, match="values"):
        pickle.dumps(coo(ours))


def test_saving_is_refused_and_copying_is_not(ours, tmp_path):
    import autograd

    with pytest.raises(NotImplementedError):
        autograd.save({"s": coo(ours)}, tmp_path / "s.pt")
    s = coo(ours).requires_grad_()
    agree(described(copy.deepcopy(s)), described(s))


def test_sparse_and_dense_gradients_of_one_tensor_add_up(ours, theirs):
    results = []
    for L in (ours, theirs):
        for order in (False, True):
            table = L.of(MATRIX, True)
            parts = [L.F.embedding(L.of(np.array([0, 2, 0])), table, sparse=True).sum(), (table**2).sum()]
            for part in parts[::-1] if order else parts:
                part.backward()
            results.append([table.grad.is_sparse, table.grad])
    agree(results[:2], results[2:])


DIAGONALS = [
    ([0, -1, -2], (3, 3)),
    ([2, 0, 1], (2, 5)),
    ([0, 1, 3], (3, 3)),
    ([-1, 3, 0], (5, 5)),
    ([1, -1, 0], (4, 3)),
]


@pytest.mark.parametrize(("offsets", "shape"), DIAGONALS)
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support")
def test_matrices_of_diagonals(both, offsets, shape):
    def program(L):
        diagonals = L.arange(1.0, 10.0).reshape(3, 3)
        found = L.sparse.spdiags(diagonals, L.tensor(offsets), shape)
        rows = L.sparse.spdiags(diagonals, L.tensor(offsets), shape, layout=L.sparse_csr)
        one = L.sparse.spdiags(diagonals[0], L.tensor(offsets[0]), shape)
        return (
            (found._indices(), found._values(), found.is_coalesced(), found.to_dense()),
            (rows.crow_indices(), rows.col_indices(), rows.values()),
            (one._indices(), one._values(), tuple(one.shape)),
        )

    both(program)


REFUSED_DIAGONALS = {
    "twice": lambda L, d: L.sparse.spdiags(d, L.tensor([0, 0, 1]), (3, 3)),
    "too few": lambda L, d: L.sparse.spdiags(d, L.tensor([0, 1]), (3, 3)),
    "floats": lambda L, d: L.sparse.spdiags(d, L.tensor([0.0, 1.0, 2.0]), (3, 3)),
    "int32": lambda L, d: L.sparse.spdiags(d, L.tensor([0, 1, 2], dtype=L.int32), (3, 3)),
    "a matrix of offsets": lambda L, d: L.sparse.spdiags(d, L.tensor([[0, 1, 2]]), (3, 3)),
    "a list": lambda L, d: L.sparse.spdiags(d, [0, 1, 2], (3, 3)),
    "three dimensions": lambda L, d: L.sparse.spdiags(d, L.tensor([0, 1, 2]), (3, 3, 3)),
    "a batch": lambda L, d: L.sparse.spdiags(d[None], L.tensor([0, 1, 2]), (3, 3)),
    "strided": lambda L, d: L.sparse.spdiags(d, L.tensor([0, 1, 2]), (3, 3), layout=L.strided),
}


@pytest.mark.parametrize("name", REFUSED_DIAGONALS)
def test_matrices_of_diagonals_are_refused(both, name):
    assert both(lambda L: REFUSED_DIAGONALS[name](L, L.ones(3, 3)))[0] == "raised"


def test_gradients_of_diagonals():
    diagonals = autograd.arange(1.0, 10.0).reshape(3, 3).requires_grad_()
    matrix = autograd.sparse.spdiags(diagonals, autograd.tensor([0, 1, 7]), (3, 3)).to_dense()
    (matrix * matrix).sum().backward()
    assert diagonals.grad.tolist() == [[2.0, 4.0, 6.0], [0.0, 10.0, 12.0], [0.0] * 3]
    narrow = autograd.sparse.spdiags(diagonals, autograd.tensor([0, -2, 7]), (4, 2)).to_dense()  # PyTorch reads beyond
    assert narrow.tolist() == [[1.0, 0.0], [0.0, 2.0], [4.0, 0.0], [0.0, 5.0]]


def test_whether_places_are_checked(both):
    def program(L):
        switch = L.sparse.check_sparse_tensor_invariants
        seen = [switch.is_enabled()]
        with switch():
            seen.append(switch.is_enabled())
            with switch(False):
                seen.append(switch.is_enabled())
        seen += [switch(True)(switch.is_enabled)(), switch.is_enabled()]
        switch.enable()
        seen.append(switch.is_enabled())
        switch.disable()
        outer = switch()
        with outer, pytest.raises(RuntimeError, match="already activated"), outer:
            pass
        return seen, switch.is_enabled()

    both(program)


SPARSE_PRODUCTS = {
    "smm": lambda L, s, t, d: [L.smm(s, d), s.smm(d)],
    "hspmm": lambda L, s, t, d: [L.hspmm(s, d)],
    "sspaddmm": lambda L, s, t, d: [L.sspaddmm(t, s, d), t.sspaddmm(s, d, beta=2, alpha=-1)],
    "two dense": lambda L, s, t, d: L.smm(d.mT, d),
    "shapes": lambda L, s, t, d: L.smm(s, d[:2]),
    "dense input": lambda L, s, t, d: L.sspaddmm(d, s, d),
    "another input": lambda L, s, t, d: L.sspaddmm(s, s, d),
    "nothing": lambda L, s, t, d: [L.smm(s * 0, d), L.hspmm((s.to_dense() * 0).to_sparse(), d)],
}


@pytest.mark.parametrize("name", SPARSE_PRODUCTS)
def test_sparse_results_of_products(both, name):
    def program(L):
        s = L.tensor([[0.0, 2, 0], [0, 0, 0], [1, 0, 3]]).to_sparse()
        t = L.tensor([[1.0, 0], [0, 2], [0, 0]]).to_sparse()
        found = SPARSE_PRODUCTS[name](L, s, t, L.arange(6.0).reshape(3, 2))
        return [(y._indices(), y._values(), tuple(y.shape), y.sparse_dim(), y.to_dense()) for y in found]

    both(program)


def test_gradients_of_sparse_products():
    s, d = autograd.tensor([[0.0, 2, 0], [1, 0, 3]]).to_sparse(), autograd.arange(6.0).reshape(3, 2).requires_grad_()
    factor = autograd.tensor([[1.0, 2], [3, 4]])
    (expected,) = autograd.grad((s.to_dense() @ d * factor).sum(), d)
    for product in (autograd.smm(s, d), autograd.hspmm(s, d)):
        (found,) = autograd.grad((product.to_dense() * factor).sum(), d)
        assert found.tolist() == expected.tolist()


CLEARED = {
    "larger": lambda s: s.sparse_resize_and_clear_((4, 5), 2, 0),
    "hybrid": lambda s: s.sparse_resize_and_clear_((4, 5, 2), 2, 1),
    "smaller": lambda s: s.sparse_resize_and_clear_((1, 1), 1, 1),
    "dimensions": lambda s: s.sparse_resize_and_clear_((4,), 2, 0),
    "leaf": lambda s: s.requires_grad_().sparse_resize_and_clear_((4, 5), 2, 0),
    "dense": lambda s: s.to_dense().sparse_resize_and_clear_((4, 5), 2, 0),
}


@pytest.mark.parametrize("name", CLEARED)
def test_sizes_of_cleared_tensors(both, name):
    def program(L):
        s = L.tensor([[0.0, 2, 0], [1, 0, 3]]).to_sparse()
        found = CLEARED[name](s)
        facts = found is s, tuple(s.shape), s.sparse_dim(), s.dense_dim(), s.is_coalesced()
        return facts, s._indices(), s._values(), s.to_dense()

    both(program)
