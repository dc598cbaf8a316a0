"""Masked tensors: how they are made, what they tell, their layouts, their printed form and their place in the graph."""

import copy
import pickle
import warnings

import numpy as np
import pytest
from masked_tensors import MASK, NUMBERS, OTHER_MASK, agree_masked, masked, weighted
from parity import agree, outcome, refuse_alike

PLACES = np.array([[0, 0, 1], [0, 1, 2]])
VALUES = np.array([0.5, 2.0, 3.0])
KEPT = np.array([True, False, True])
FULL = np.nan_to_num(NUMBERS)


def coo(L, requires_grad=False):
    data, mask = (L.sparse_coo_tensor(L.of(PLACES), L.of(values), (2, 3)) for values in (VALUES, KEPT))
    return L.masked.masked_tensor(data, mask, requires_grad)


def csr(L, requires_grad=False):
    starts, columns = L.of(np.array([0, 2, 3])), L.of(PLACES[1])
    data, mask = (L.sparse_csr_tensor(starts, columns, L.of(values), (2, 3)) for values in (VALUES, KEPT))
    return L.masked.masked_tensor(data, mask, requires_grad)


PRINTED = {
    "matrix": masked,
    "vector": lambda L: masked(L, NUMBERS[0], MASK[0]),
    "three dimensions": lambda L: masked(L, NUMBERS[None], MASK[None]),
    "number": lambda L: masked(L, np.array(1.5), np.array(True)),
    "integer": lambda L: masked(L, np.array(3), np.array(True)),
    "nothing": lambda L: masked(L, np.array(1.5), np.array(False)),
    "large": lambda L: masked(L, np.array([1e10, -3.5, 2]), KEPT),
    "integers": lambda L: masked(L, np.array([100, 2, 33333]), KEPT),
    "bools": lambda L: masked(L, MASK),
    "halves": lambda L: masked(L).half(),
    "infinite": lambda L: masked(L, np.array([np.inf, 1.0, np.nan]), KEPT),
    "no rows": lambda L: masked(L, NUMBERS[:0], MASK[:0]),
    "with a history": lambda L: masked(L, requires_grad=True) * 2,
    "coordinates": coo,
    "rows": csr,
}


@pytest.mark.parametrize("make", PRINTED.values(), ids=PRINTED)
def test_printed(make, ours, theirs):
    assert repr(make(ours)) == repr(make(theirs))
    assert str(make(ours)) == f"{make(ours)}" == str(make(theirs))


FACTS = {
    "shape": lambda x: tuple(x.shape),
    "size": lambda x: (tuple(x.size()), x.size(-1)),
    "ndim": lambda x: (x.ndim, x.dim(), x.ndimension()),
    "numel": lambda x: (x.numel(), x.nelement()),
    "len": len,
    "dtype": lambda x: (str(x.dtype), x.is_floating_point(), x.is_complex(), x.element_size()),
    "layout": lambda x: (str(x.layout), x.is_sparse, x.is_sparse_coo(), x.is_sparse_csr()),
    "requires_grad": lambda x: (x.requires_grad, x.is_leaf, x.grad_fn, x.grad),
    "item": lambda x: (x[0, 0].item(), float(x[0, 0]), int(x[1, 2]), bool(x[0, 0])),
    "same size": lambda x: x.is_same_size(x),
}


@pytest.mark.parametrize("fact", FACTS.values(), ids=FACTS)
def test_facts(fact, ours, theirs):
    assert fact(masked(ours)) == fact(masked(theirs))
    assert fact(masked(ours, requires_grad=True)) == fact(masked(theirs, requires_grad=True))


def test_facts_of_layouts(ours, theirs):
    for make in (coo, csr):
        for name in ("shape", "size", "ndim", "numel", "len", "dtype", "layout", "requires_grad", "same size"):
            assert FACTS[name](make(ours)) == FACTS[name](make(theirs)), name
    for x, y in ((masked(ours), masked(theirs)), (masked(ours).t(), masked(theirs).t())):
        assert (x.stride(), x.stride(0), x.is_contiguous()) == (y.stride(), y.stride(0), y.is_contiguous())
    refuse_alike(ours, theirs, lambda L: coo(L).is_contiguous())


def test_parts(ours, theirs):
    agree(masked(ours).get_data(), masked(theirs).get_data())
    agree(masked(ours).get_mask(), masked(theirs).get_mask())
    for value in (0, 7.5, float("nan")):
        agree(masked(ours).to_tensor(value), masked(theirs).to_tensor(value))
    for make in (coo, csr):
        agree(make(ours).get_data().to_dense(), make(theirs).get_data().to_dense())
        agree(make(ours).get_mask().to_dense(), make(theirs).get_mask().to_dense())


def test_is_masked_tensor(ours, theirs):
    for L in (ours, theirs):
        x = masked(L)
        assert isinstance(x, L.masked.MaskedTensor)
        assert isinstance(x, L.Tensor)
        assert [L.masked.is_masked_tensor(value) for value in (x, x.get_data(), x.get_mask(), 3)] == [True] + [
            False
        ] * 3
        assert type(x + 1) is L.masked.MaskedTensor


def test_copies_and_what_is_shared(ours, theirs):
    """The constructors copy; `get_data` and `get_mask` do not; views are copies."""
    results = []
    for L in (ours, theirs):
        numbers, mask = L.of(FULL), L.of(MASK)
        x = L.masked.masked_tensor(numbers, mask)
        y = L.masked.as_masked_tensor(numbers, mask)
        numbers.zero_()
        mask.zero_()
        data = x.get_data()
        row, detached = x[0], x.detach()
        x.positive().add_(5)
        (x * 1).get_mask().logical_not_()
        row.add_(10)
        detached.add_(20)
        x.add_(1)
        results.append([x, y, data, row, detached])
    agree_masked(*results)


def test_warnings(ours, theirs):
    def count(L, requires_grad, make):
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            make(L)(L.of(FULL, requires_grad), L.of(MASK))
        return [(w.category, str(w.message)[:42]) for w in found]

    makers = [lambda L: L.masked.masked_tensor, lambda L: L.masked.MaskedTensor, lambda L: L.masked.as_masked_tensor]
    for make in makers:
        for requires_grad in (False, True):
            mine = count(ours, requires_grad, make)
            assert mine == count(theirs, requires_grad, make)
            assert len(mine) == 1 + requires_grad


REFUSED = {
    "list": lambda L: L.masked.masked_tensor([1.0], [True]),
    "list as mask": lambda L: L.masked.as_masked_tensor(L.of(FULL), [True]),
    "numbers as mask": lambda L: masked(L, mask=NUMBERS),
    "dimensions": lambda L: masked(L, mask=MASK[0]),
    "shape": lambda L: masked(L, mask=MASK.T.copy()),
    "layouts": lambda L: L.masked.masked_tensor(L.of(FULL), L.of(MASK).to_sparse()),
    "complex": lambda L: masked(L, FULL + 1j),
    "bfloat16": lambda L: L.masked.masked_tensor(L.of(FULL).bfloat16(), L.of(MASK)),
    "uint8": lambda L: masked(L, FULL.astype(np.uint8)),
    "integers with a gradient": lambda L: masked(L, FULL.astype(np.int64), requires_grad=True),
    "masked data": lambda L: L.masked.masked_tensor(masked(L), L.of(MASK)),
    "masked mask": lambda L: L.masked.masked_tensor(L.of(FULL), masked(L, MASK)),
    "other places": lambda L: L.masked.masked_tensor(
        L.sparse_coo_tensor(L.of(PLACES), L.of(VALUES), (2, 3)),
        L.sparse_coo_tensor(L.of(np.array([[0, 0, 1], [0, 1, 1]])), L.of(KEPT), (2, 3)),
    ),
    "rows of a vector": lambda L: masked(L, FULL[0], MASK[0]).to_sparse_csr(),
    "data as grad": lambda L: setattr(masked(L, requires_grad=True), "grad", L.of(FULL[0])),
    "len": lambda L: len(masked(L, np.array(1.0), np.array(True))),
    "no scalar": lambda L: masked(L, requires_grad=True).backward(),
    "no history": lambda L: masked(L).sum().backward(),
}


@pytest.mark.parametrize("expression", REFUSED.values(), ids=REFUSED)
def test_refusals(expression, ours, theirs):
    refuse_alike(ours, theirs, expression)


# --- Layouts ----------------------------------------------------------------------------------------------------------


def test_sparse_data_where_the_mask_is(ours, theirs):
    """The data may have other places than the mask, which decides."""
    for convert in (lambda x: x.to_sparse(), lambda x: x.to_sparse_csr()):
        agree_masked(*(L.masked.masked_tensor(convert(L.of(FULL + 1)), convert(L.of(MASK))) for L in (ours, theirs)))


CONVERTED = {
    "to_dense": lambda x: x.to_dense(),
    "to_sparse": lambda x: x.to_sparse(),
    "to_sparse_coo": lambda x: x.to_sparse_coo(),
    "to_sparse_csr": lambda x: x.to_sparse_csr(),
    "there and back": lambda x: x.to_sparse().to_dense(),
    "rows and back": lambda x: x.to_sparse_csr().to_dense(),
}
MADE = {"dense": masked, "coo": coo, "csr": csr}


@pytest.mark.parametrize("convert", CONVERTED.values(), ids=CONVERTED)
@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_layouts(make, convert, ours, theirs):
    mine = convert(make(ours))
    other, error = outcome(convert, make(theirs))
    if error is None:
        agree_masked(mine, other)
    assert (mine.to_dense().to_tensor(0) == make(ours).to_dense().to_tensor(0)).all()
    x = make(ours, requires_grad=True)
    weighted(ours, convert(x)).backward()
    assert x.grad.layout is x.layout
    weights = np.arange(1.0, 7).reshape(2, 3)
    agree(x.grad.to_dense().to_tensor(0), x.get_mask().to_dense() * ours.of(weights))


SPARSE = {
    "exp": lambda L, x: x.exp(),
    "sin": lambda L, x: L.sin(x),
    "pow": lambda L, x: x**2,
    "plus 1": lambda L, x: x + 1,
    "float": lambda L, x: x.float() * 1.5,
    "product": lambda L, x: x * x.exp(),
    "==": lambda L, x: x == x,
    "clone": lambda L, x: x.clone(),
    "sum": lambda L, x: x.sum(),
    "amax": lambda L, x: x.amax(),
    "amin": lambda L, x: x.amin(),
    "prod": lambda L, x: x.prod(),
    "detach": lambda L, x: x.detach(),
    "select": lambda L, x: x[0],
}


@pytest.mark.parametrize("expression", SPARSE.values(), ids=SPARSE)
@pytest.mark.parametrize("make", [coo, csr], ids=["coo", "csr"])
def test_sparse(make, expression, ours, theirs):
    """Values as in PyTorch, which records nothing here; gradients as those of the dense masked tensor."""
    other, error = outcome(expression, theirs, make(theirs))
    mine = expression(ours, make(ours))
    if error is None:
        agree_masked(mine, other)
    if not mine.dtype.is_floating_point:
        return
    x, y = make(ours, requires_grad=True), make(ours).to_dense().requires_grad_()
    out = expression(ours, x)
    if out.requires_grad:
        weighted(ours, out).backward()
        weighted(ours, expression(ours, y)).backward()
        assert x.grad.layout is x.layout
        agree(x.grad.to_dense().to_tensor(0), y.grad.to_tensor(0))


def test_sparse_in_place_and_places(ours, theirs):
    x = coo(ours)
    x.add_(1).sin_()
    agree_masked(x.to_dense(), (coo(theirs).to_dense() + 1).sin())
    with pytest.raises(RuntimeError, match="leaf"):
        coo(ours, requires_grad=True).add_(1)
    assert coo(ours).argmax().to_tensor(-1).item() == coo(theirs).argmax().to_tensor(-1).item() == 5
    assert csr(ours).argmin().to_tensor(-1).item() == 0
    for name in ("mean", "var", "std"):  # PyTorch counts what is masked out, too
        agree(getattr(coo(ours), name)().to_tensor(0), getattr(coo(ours).to_dense(), name)().to_tensor(0))


# --- In the graph -----------------------------------------------------------------------------------------------------


def test_leaves_and_history(ours, theirs):
    results = []
    for L in (ours, theirs):
        x = L.of(FULL, True)
        made, kept = L.masked.masked_tensor(x, L.of(MASK)), L.masked.as_masked_tensor(x, L.of(MASK))
        results.append([made.requires_grad, made.is_leaf, kept.requires_grad, kept.is_leaf])
    agree(*results)


UPSTREAM = {
    "itself": lambda L, x: x,
    "exp": lambda L, x: x.exp(),
    "broadcast": lambda L, x: x[:1].expand(2, 3).sin(),
    "product": lambda L, x: x * (x.detach() + 2),
    "transposed": lambda L, x: (x.t() * 3).t(),
}


@pytest.mark.parametrize("expression", UPSTREAM.values(), ids=UPSTREAM)
def test_a_masked_gradient_goes_on_through_plain_tensors(expression, ours, theirs):
    results = []
    for L in (ours, theirs):
        x = L.of(FULL, True)
        weighted(L, L.masked.as_masked_tensor(expression(L, x), L.of(MASK)) * 2).backward()
        results.append(x.grad)
    agree_masked(*results)


def test_plain_and_masked_gradients_meet(ours):
    """The sum counts everywhere, in one pass and in two; PyTorch refuses it, or hides what the mask hides."""
    expected = ours.of(np.exp(FULL + 1) + np.where(MASK, FULL, 0))
    for order in (1, -1):
        x, w = masked(ours, requires_grad=True), ours.of(FULL + 1, True)
        for y in [(x * w).sum(), w.exp().sum()][::order]:
            y.backward()
        agree(w.grad, expected)
        assert type(w.grad) is ours.Tensor
    x, w = masked(ours, requires_grad=True), ours.of(FULL + 1, True)
    (w.exp().sum() + (x * w).sum()).backward()
    agree(w.grad.to_tensor(-1), expected)
    (x * 2).backward(ours.of(FULL))
    agree(x.grad, ours.of(FULL * 2 + np.where(MASK, FULL + 1, 0)))


def test_upstream_of_what_pytorch_cannot_go_back_through(ours):
    x = ours.of(FULL, True)
    kept = ours.masked.as_masked_tensor(x.tanh().clamp(0.15, 0.5) * x[1].sigmoid(), ours.of(MASK))
    kept.sum().backward()
    y = ours.of(FULL, True)
    ((y.tanh().clamp(0.15, 0.5) * y[1].sigmoid()) * ours.of(MASK)).sum().backward()
    agree(x.grad.to_tensor(0), y.grad)


BACK = {
    "get_data": lambda L, x: (x.get_data().nan_to_num() ** 2).sum(),
    "to_tensor": lambda L, x: (x.to_tensor(1.0) ** 2).sum(),
    "both": lambda L, x: (x * x).sum().to_tensor(0) * 2 + x.to_tensor(0.0).sum(),
}


@pytest.mark.parametrize("expression", BACK.values(), ids=BACK)
def test_back_from_plain_tensors(expression, ours, theirs):
    results = []
    for L in (ours, theirs):
        x = masked(L, requires_grad=True)
        for _ in range(2):
            expression(L, x).backward()
        results.append(x.grad)
    agree_masked(*results)


SECOND = {
    "cube": lambda L, x: (x * x * x).sum(),
    "sin": lambda L, x: x.sin().sum(),
    "quotient": lambda L, x: (x / (x + 1)).sum(),
}
SECOND_OF_OURS = {
    "sum": lambda L, x: (x.sum(0) ** 2).sum(),
    "var": lambda L, x: x.var(),
    "softmax": lambda L, x: (x.softmax(1) * x).sum(),
    "select": lambda L, x: (x[0] ** 3).sum(),
    "where": lambda L, x: (L.where(L.of(OTHER_MASK), x.exp(), x**3)).sum(),
    "prod": lambda L, x: x.prod(),
}


@pytest.mark.parametrize("expression", SECOND.values(), ids=SECOND)
def test_second_gradients(expression, ours, theirs):
    results = []
    for L in (ours, theirs):
        x = masked(L, FULL + 0.5, requires_grad=True)
        (first,) = L.autograd.grad(expression(L, x), x, create_graph=True)
        (second,) = L.autograd.grad((first * first).sum(), x)
        results.append([first, second])
    agree_masked(*results)


@pytest.mark.parametrize("expression", (SECOND | SECOND_OF_OURS).values(), ids=SECOND | SECOND_OF_OURS)
def test_second_gradients_are_those_of_the_elements_that_count(expression, ours):
    weights, mask = ours.of(np.arange(1.0, 7).reshape(2, 3)), ours.of(MASK)

    def function(x):
        return expression(ours, ours.masked.as_masked_tensor(x, mask) * weights).to_tensor(0)

    def gradient(x):
        (g,) = ours.grad(function(x), x, create_graph=True)
        return g.to_tensor(0) if ours.masked.is_masked_tensor(g) else g

    x = ours.of(FULL + 0.5, True)
    masked_first = gradient(x)
    numeric = np.zeros((2, 3))
    for place in np.ndindex(2, 3):
        step = np.zeros((2, 3))
        step[place] = 1e-6
        high, low = (function(ours.of(FULL + 0.5 + sign * step)).item() for sign in (1, -1))
        numeric[place] = (high - low) / 2e-6
    np.testing.assert_allclose(masked_first.detach().numpy(), numeric, 1e-5, 1e-7)
    direction = ours.of(np.linspace(-1, 1, 6).reshape(2, 3))
    (second,) = ours.grad((masked_first * direction).sum(), x)
    second = second.to_tensor(0) if ours.masked.is_masked_tensor(second) else second
    high, low = (gradient(ours.of(FULL + 0.5 + sign * 1e-6 * direction.numpy(), True)) for sign in (1, -1))
    np.testing.assert_allclose(second.numpy(), ((high - low) / 2e-6).detach().numpy(), 1e-4, 1e-6)


def test_hooks_see_masked_gradients(ours, theirs):
    seen = []
    for L in (ours, theirs):
        found = []
        x = masked(L, requires_grad=True)
        y = x * 2
        y.retain_grad()
        y.register_hook(found.append)
        x.register_hook(lambda g: g * 10)
        y.sin().sum().backward()
        seen.append([*found, y.grad, x.grad])
    agree_masked(*seen)


def test_gradients_given(ours, theirs):
    results = []
    for L in (ours, theirs):
        x = masked(L, requires_grad=True)
        (x * 2).backward(masked(L, np.arange(6.0).reshape(2, 3)))
        (g,) = L.autograd.grad(x.exp(), x, masked(L, np.ones((2, 3))))
        results.append([x.grad, g])
    agree_masked(*results)


def test_writing_is_recorded_and_noticed(ours, theirs):
    results = []
    for L in (ours, theirs):
        x = masked(L, requires_grad=True)
        y = x * 2
        y.mul_(3).add_(x)
        y.sum().backward()
        results.append([y, x.grad])
    agree_masked(*results)
    x = masked(ours, requires_grad=True)
    squared, result = x * 1, x.exp()
    for y, z in ((squared, (squared * squared).sum()), (result, result.sum())):
        y.sin_()
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            z.backward()


def test_writing_to_views_and_reductions(ours):
    """Both are copies, so that nothing which the history saved changes."""
    for call, expected in (
        (lambda x: x.view(-1), [[2, 0, 2], [0, 0, 2]]),
        (lambda x: x.amax(0), [[2, 0, 0], [0, 0, 2]]),
    ):
        x = masked(ours, requires_grad=True)
        y = call(x * 1)
        y.mul_(2)
        y.sum().backward()
        agree(x.grad.to_tensor(0), ours.of(np.array(expected, float)))
        agree(x.get_data().detach(), ours.of(NUMBERS))


def test_copied_and_pickled(ours):
    for make in (masked, coo, csr):
        x = make(ours, requires_grad=True)
        x.sum().backward()
        y = copy.deepcopy(x)
        agree_masked(y, x)
        agree_masked(y.grad, x.grad)
        assert y.requires_grad
        assert y.is_leaf
        assert y.get_data() is not x.get_data()
    x = pickle.loads(pickle.dumps(masked(ours, requires_grad=True)))
    agree_masked(x, masked(ours))
    assert x.requires_grad
    assert x.is_leaf


def test_no_grad_records_nothing(ours):
    with ours.no_grad():
        x = masked(ours, requires_grad=True)
        assert not any(y.requires_grad for y in (x * 2, x.sum(), x[0], ours.where(x.get_mask(), x, 0)))
        x.add_(1)
    assert x.requires_grad
    assert x.is_leaf
    agree(x.get_data().detach(), ours.of(NUMBERS + 1))
