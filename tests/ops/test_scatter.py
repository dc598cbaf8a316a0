"""Scatters that reduce and flat indexing: values, errors and dtypes as PyTorch's."""

import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, outcome, refuse_alike

from autograd.testing import gradcheck, gradgradcheck

X = np.array([[3.0, -1.0, 0.5, 2.0], [1.0, 4.0, -2.0, 0.0], [2.5, 1.5, 7.0, -3.0]])
Y = np.array([[1.0, 2.0, 0.5, -1.0], [3.0, -1.0, 4.0, 2.0]])
PLACES = np.array([[0, 0, 2, 1], [0, 2, 2, 1]])
REDUCTIONS = ("sum", "prod", "mean", "amax", "amin")


@pytest.mark.filterwarnings("ignore:index_reduce")
@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_reductions(reduce, include_self, ours, theirs):
    """`scatter_reduce` and `index_reduce`, also in place, with gradients; ties share them."""
    calls = {
        "function": lambda L, x, y: L.scatter_reduce(x, 0, L.of(PLACES), y, reduce, include_self=include_self),
        "in place": lambda L, x, y: (x * 1).scatter_reduce_(0, L.of(PLACES), y, reduce, include_self=include_self),
        "part": lambda L, x, y: x.scatter_reduce(1, L.of(PLACES[:, :1]), y, reduce, include_self=include_self),
        "ties": lambda L, x, y: (x * 0).scatter_reduce(0, L.of(PLACES), y * 0, reduce, include_self=include_self),
    }
    if reduce != "sum":
        indices = {"include_self": include_self}
        calls["slices"] = lambda L, x, y: L.index_reduce(x, 0, L.of([2, 2]), y, reduce, **indices)
        calls["columns"] = lambda L, x, y: x.index_reduce(1, L.of([1, 1, 0, 3]), x * 2, reduce, **indices)
        calls["slices in place"] = lambda L, x, y: (x * 1).index_reduce_(0, L.of([2, 2]), y, reduce, **indices)
    for name, call in calls.items():
        twins = (lambda x, y, L=L, call=call: call(L, x, y) for L in (ours, theirs))
        if name == "part":  # where the source is larger than the index PyTorch's backward pass fails
            agree_on(ours, theirs, call, [X, Y], what=name)
            assert gradcheck(lambda x, y, call=call: call(ours, x, y), (ours.of(X, True), ours.of(Y, True)))
        else:
            agree_with_gradients(ours, theirs, *twins, [X, Y], what=name)
    for dtype in ("float16", "float32", "int32", "int64", "uint8", "bool"):
        agree_on(ours, theirs, calls["function"], [np.abs(X).astype(dtype), np.abs(Y).astype(dtype)], what=dtype)
    for special in (np.nan, np.inf):
        odd = np.where(Y == 3, special, Y)
        agree_on(ours, theirs, calls["function"], [X, odd], what=f"{special}")
    agree_on(ours, theirs, lambda L: L.tensor(2.0).scatter_reduce(0, L.tensor(0), L.tensor(5.0), reduce), [])
    agree_on(ours, theirs, lambda L: L.zeros(0).scatter_reduce(0, L.of(np.zeros(0, int)), L.zeros(0), reduce), [])


def test_products_with_zeros(ours, theirs):
    """A factor's gradient is the product of the others, also where they or it are 0."""
    y = np.array([[1.0, 0.0, 0.5, 0.0], [0.0, -1.0, 4.0, 0.0]])
    for include_self in (True, False):
        call = lambda L, x, y: L.scatter_reduce(x, 0, L.of(PLACES), y, "prod", include_self=include_self)  # noqa: E731, B023
        agree_with_gradients(ours, theirs, *(lambda x, y, L=L: call(L, x, y) for L in (ours, theirs)), [X, y])
        assert gradcheck(lambda x, y: call(ours, x, y), (ours.of(X, True), ours.of(y, True)))
    single = np.where(PLACES == 1, 2.0, y)  # one 0 in each product: second derivatives, too
    single[1, 1] = 3.0
    single[0, 1] = 1.0
    twice = lambda x, y: x.scatter_reduce(0, ours.of(PLACES), y, "prod")  # noqa: E731
    assert gradgradcheck(twice, (ours.of(X, True), ours.of(single, True)))


CALLS = {
    "take": lambda L, x: L.take(x, L.of([[0, 11], [-1, 3]])),
    "take 0-d": lambda L, x: x.take(L.of(4)),
    "take nothing": lambda L, x: x.take(L.of(np.zeros((0, 2), int))),
    "put": lambda L, x: x.put(L.of([[0, -1]]), x[:1, :2] * 2),
    "put_": lambda L, x: (x * 1).put_(L.of([4, 4]), x[0, :2], accumulate=True),
    "take_along_dim": lambda L, x: L.take_along_dim(x, L.of([[0], [-1], [2]]), dim=1),
    "take_along_dim flat": lambda L, x: x.take_along_dim(L.of([[5, 0]])),
    "take_along_dim wide": lambda L, x: x[:1].take_along_dim(L.of([[0, 1], [2, 3]]), 1),
    "index_put": lambda L, x: L.index_put(x, (L.of([0, 1]), L.of([1])), x[2, 0]),
    "index_put mask": lambda L, x: x.index_put((L.of(X > 1),), x[0, 0]),
    "index_put rows": lambda L, x: x.index_put([L.of([0, 2])], x[:2] * 2),
    "index_put_ add": lambda L, x: (x * 1).index_put_((L.of([0, 0]),), x[1:] * 2, accumulate=True),
    "index_add": lambda L, x: L.index_add(x, 1, L.of([3, 0, 3]), x[:, :3], alpha=2),
    "index_add 0-d": lambda L, x: x[0, 0].index_add(0, L.of([0]), x[1, 1]),
    "index_copy": lambda L, x: x.index_copy(0, L.of([2, 0]), x[1:] * 3),
    "index_fill": lambda L, x: x.index_fill(1, L.of([3, 0, 0]), x[0, 1]),
    "index_fill_": lambda L, x: (x * 1).index_fill_(0, L.of(1), 5.0),
    "masked_scatter": lambda L, x: x.masked_scatter(L.of(X > 1), x * 2),
    "masked_scatter wide": lambda L, x: x[0].masked_scatter(L.of(X > 1), x * 2),
    "masked_fill wide": lambda L, x: x[0].masked_fill(L.of(X > 1), 9.0),
}


@pytest.mark.parametrize("name", CALLS)
def test_call(name, ours, theirs):
    agree_with_gradients(ours, theirs, *(lambda x, L=L: CALLS[name](L, x) for L in (ours, theirs)), [X])


@pytest.mark.parametrize("dtype", ["float16", "complex64", "int32", "uint8"])
def test_other_dtypes(dtype, ours, theirs):
    for name, call in CALLS.items():
        agree_on(ours, theirs, call, [np.abs(X).astype(dtype)], what=name)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int64", "complex128"])
@pytest.mark.parametrize("dim", [0, 1])
def test_many_slices(dtype, dim, ours, theirs):
    """Large sums of slices, which take another way than small ones."""
    random = np.random.default_rng(0)
    x, y = (random.integers(-9, 9, shape).astype(dtype) for shape in ((30, 40), (300, 40)))
    places = random.integers(0, 30, 300)
    agree_on(
        ours,
        theirs,
        lambda L, x, y: (x.t() if dim else x).index_add(dim, L.of(places), y.t() if dim else y),
        [x, y],
        5e-3 if dtype == "float16" else None,
        5e-2 if dtype == "float16" else None,
    )


def test_places(ours, theirs):
    calls = {
        "argwhere": lambda L, x: L.argwhere(x > 1),
        "argwhere method": lambda L, x: x.argwhere(),
        "argwhere 0-d": lambda L, x: L.argwhere(L.tensor(3)),
        "nonzero_static": lambda L, x: L.nonzero_static(x, size=4),
        "nonzero_static more": lambda L, x: x.nonzero_static(size=20, fill_value=7),
        "scatter multiply": lambda L, x: x.scatter(1, L.of([[0, 0], [1, 2], [3, 0]]), 2.0, reduce="multiply"),
        "scatter add": lambda L, x: x.scatter(1, L.of([[0, 0], [1, 2], [3, 0]]), 2.0, reduce="add"),
        "index_fill behind": lambda L, x: x.index_fill(1, L.of([-1, 0]), 5.0),
        "nonzero_static 0-d": lambda L, x: L.nonzero_static(L.tensor(1), size=2),
    }
    for name, call in calls.items():
        agree_on(ours, theirs, call, [X], what=name)
    for call in (lambda x: x.nonzero(), lambda x: x[:0].nonzero(), lambda x: x.nonzero(as_tuple=True)[0]):
        assert call(ours.of(X)).stride() == call(theirs.of(X)).stride()


def test_out(ours, theirs):
    """``out=`` takes the result's dtype alone, and its shape, with a warning where it had another."""
    calls = {
        "take": lambda L, x, out: L.take(x, L.of([0, 5]), out=out),
        "gather": lambda L, x, out: L.gather(x, 1, L.of([[0, 1]]), out=out),
        "take_along_dim": lambda L, x, out: L.take_along_dim(x, L.of([[0], [1], [2]]), 1, out=out),
        "scatter_reduce": lambda L, x, out: L.scatter_reduce(x, 1, L.of([[0]]), x, "sum", out=out),
        "index_add": lambda L, x, out: L.index_add(x, 1, L.of([0]), x[:, :1], out=out),
        "masked_select": lambda L, x, out: L.masked_select(x, x > 1, out=out),
        "where": lambda L, x, out: L.where(x > 1, x, x, out=out),
        "triu": lambda L, x, out: L.triu(x, out=out),
    }
    for name, call in calls.items():
        results = []
        for L in (ours, theirs):
            out = L.zeros(0, dtype=L.float64)
            assert call(L, L.of(X), out) is out
            results.append(out)
            with pytest.raises(RuntimeError):
                call(L, L.of(X).float(), L.zeros(0, dtype=L.float64))
            with pytest.warns(UserWarning, match="resized"):
                call(L, L.of(X), L.zeros(1, dtype=L.float64))
        agree(*results, what=name)


I = lambda L, values: L.tensor(values)  # noqa: E731, E741

REFUSED = {
    "take range": (lambda L: L.zeros(2, 3).take(I(L, [6])), ["6", "elements"]),
    "take int32": (lambda L: L.zeros(2, 3).take(I(L, [1]).int()), ["int32", "int64"]),
    "take of nothing": (lambda L: L.zeros(0).take(I(L, [0])), ["empty"]),
    "take list": (lambda L: L.zeros(2).take([0]), ["take", "list"]),
    "put range": (lambda L: L.zeros(2, 3).put(I(L, [-7]), L.zeros(1)), ["-7"]),
    "put number": (lambda L: L.zeros(2, 3).put(I(L, [0, 1]), L.zeros(3)), ["3", "2"]),
    "put dtype": (lambda L: L.zeros(2, 3).put(I(L, [0]), L.zeros(1, dtype=L.float64)), ["float64"]),
    "take_along_dim int32": (lambda L: L.zeros(2, 3).take_along_dim(I(L, [[0]]).int(), 1), ["int32"]),
    "take_along_dim dims": (lambda L: L.zeros(2, 3).take_along_dim(I(L, [0]), 1), ["2", "1"]),
    "take_along_dim shape": (lambda L: L.zeros(2, 3).take_along_dim(I(L, [[0]] * 3), 1), ["2", "3"]),
    "scatter_reduce name": (lambda L: L.zeros(3).scatter_reduce(0, I(L, [0]), L.zeros(1), "add"), ["add", "prod"]),
    "scatter_reduce number": (lambda L: L.zeros(3).scatter_reduce(0, I(L, [0]), 1.0, "sum"), ["src", "float"]),
    "scatter_reduce dtype": (
        lambda L: L.zeros(3).scatter_reduce(0, I(L, [0]), L.zeros(1, dtype=L.float64), "sum"),
        ["float64"],
    ),
    "scatter_reduce mean of bools": (
        lambda L: L.zeros(3).bool().scatter_reduce(0, I(L, [0]), L.zeros(1).bool(), "mean"),
        ["mean", "Bool"],
    ),
    "scatter_reduce range": (lambda L: L.zeros(3).scatter_reduce(0, I(L, [3]), L.zeros(1), "sum"), ["3"]),
    "scatter reduce": (lambda L: L.zeros(3).scatter(0, I(L, [0]), 1.0, reduce="sum"), ["sum", "multiply"]),
    "scatter int16": (lambda L: L.zeros(3).scatter(0, I(L, [0]).short(), 1.0), ["int16"]),
    "scatter dims": (lambda L: L.zeros(2, 3).scatter(1, I(L, [0]), 1.0), ["[1]", "[2, 3]"]),
    "scatter large index": (lambda L: L.zeros(2, 3).scatter(1, I(L, [[0]] * 3), 1.0), ["[3, 1]", "[2, 3]"]),
    "scatter overflow": (lambda L: L.zeros(3).char().scatter(0, I(L, [0]), 300), ["300"]),
    "scatter text": (lambda L: L.zeros(3).scatter(0, I(L, [0]), "a"), ["str"]),
    "index_reduce name": (lambda L: L.zeros(3).index_reduce(0, I(L, [0]), L.zeros(1), "sum"), ["sum"]),
    "index_reduce range": (lambda L: L.zeros(3).index_reduce(0, I(L, [3]), L.zeros(1), "prod"), ["3"]),
    "index_reduce number": (lambda L: L.zeros(3).index_reduce(0, I(L, [0, 1]), L.zeros(1), "prod"), ["2"]),
    "index_add range": (lambda L: L.zeros(3).index_add(0, I(L, [-1]), L.zeros(1)), ["-1"]),
    "index_add matrix": (lambda L: L.zeros(3).index_add(0, I(L, [[0]]), L.zeros(1)), ["[1, 1]"]),
    "index_add shape": (lambda L: L.zeros(2, 3).index_add(1, I(L, [0]), L.zeros(3, 1)), ["[2, 3]", "[3, 1]"]),
    "index_add number": (lambda L: L.zeros(2, 3).index_add(1, I(L, [0, 1]), L.zeros(2, 1)), ["2"]),
    "index_add dtype": (lambda L: L.zeros(3).index_add(0, I(L, [0]), L.zeros(1, dtype=L.float64)), ["float64"]),
    "index_copy range": (lambda L: L.zeros(3).index_copy(0, I(L, [3]), L.zeros(1)), ["3"]),
    "index_copy int32": (lambda L: L.zeros(3).index_copy(0, I(L, [0]).int(), L.zeros(1)), ["int32"]),
    "index_copy number": (lambda L: L.zeros(3).index_copy(0, I(L, [0, 1]), L.zeros(1)), ["2"]),
    "index_copy shape": (lambda L: L.zeros(2, 3).index_copy(1, I(L, [0]), L.zeros(3, 1)), ["[3, 1]"]),
    "index_fill range": (lambda L: L.zeros(3).index_fill(0, I(L, [3]), 1), ["3"]),
    "index_fill int32": (lambda L: L.zeros(3).index_fill(0, I(L, [0]).int(), 1), ["int32"]),
    "index_fill vector": (lambda L: L.zeros(3).index_fill(0, I(L, [0]), L.zeros(1)), ["0-dim"]),
    "index_put dtype": (lambda L: L.zeros(3).index_put((I(L, [0]),), L.zeros(1, dtype=L.float64)), ["Double"]),
    "index_put shape": (lambda L: L.zeros(2, 3).index_put((I(L, [0]),), L.zeros(2)), ["[2]", "[1, 3]"]),
    "index_put range": (lambda L: L.zeros(3).index_put((I(L, [3]),), L.zeros(1)), ["3"]),
    "index_put tensor": (lambda L: L.zeros(3).index_put(I(L, [0]), L.zeros(1)), ["indices", "Tensor"]),
    "index_put number": (lambda L: L.zeros(3).index_put((I(L, [0]),), 1.0), ["values", "float"]),
    "index_put slice": (lambda L: L.zeros(3).index_put((slice(None),), L.zeros(3)), ["slice"]),
    "index_put too many": (lambda L: L.zeros(3).index_put((I(L, [0]), I(L, [0])), L.zeros(1)), ["too many"]),
    "masked_scatter few": (lambda L: L.zeros(3).masked_scatter(L.ones(3).bool(), L.zeros(1)), ["3", "1"]),
    "masked_scatter dtype": (
        lambda L: L.zeros(3).masked_scatter(L.ones(3).bool(), L.zeros(3, dtype=L.float64)),
        ["float64"],
    ),
    "masked_scatter mask": (lambda L: L.zeros(3).masked_scatter(L.ones(3), L.zeros(3)), ["float32"]),
    "masked_fill text": (lambda L: L.zeros(3).masked_fill(L.ones(3).bool(), "a"), ["str"]),
    "masked_fill overflow": (lambda L: L.zeros(3).char().masked_fill(L.ones(3).bool(), 300), ["300"]),
    "masked_fill_ wide": (lambda L: L.zeros(3).masked_fill_(L.ones(2, 3).bool(), 1.0), ["[3]", "[2, 3]"]),
    "nonzero_static": (lambda L: L.nonzero_static(L.zeros(3), size=-1), ["-1"]),
    "where one": (lambda L: L.where(L.ones(3).bool(), L.zeros(3)), ["input", "other"]),
    "where overflow": (lambda L: L.where(L.ones(3).bool(), L.zeros(3).char(), 300), ["300"]),
    "gather out": (lambda L: (lambda x: L.gather(x, 0, I(L, [1, 0, 2]), out=x))(L.zeros(3)), ["memory location"]),
    "take out": (lambda L: L.take(L.zeros(3), I(L, [1, 0]), out=L.zeros(1).expand(2)), ["memory location"]),
    "cat out": (lambda L: (lambda x: L.cat([x, x], out=x))(L.zeros(3)), ["memory location"]),
    "cat out ints": (lambda L: L.cat([L.zeros(3)], out=L.zeros(3).int()), ["cat", "int32"]),
    "bytes as a mask": (lambda L: L.zeros(2).__setitem__(L.tensor([1, 0]).byte(), 1.0), ["masked_fill_"]),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.filterwarnings("ignore:indexing with dtype torch.uint8")
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


def test_scatter_with_reduce_is_deprecated(ours, theirs):
    def scatter(L):
        return L.of(X).scatter(1, L.of([[0], [1], [3]]), L.of(X) * 2, reduce="multiply")

    with pytest.warns(UserWarning, match="reduce argument of torch.scatter"):
        mine = scatter(ours)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch warns once in a process
        agree(mine, scatter(theirs))


def test_masks_of_bytes_are_deprecated(ours, theirs):
    for L in (ours, theirs):
        with pytest.warns(UserWarning, match="uint8 is now deprecated"):
            assert L.of(X[0])[L.tensor([1, 0, 1, 0]).byte()].tolist() == [3.0, 0.5]


OVERLAPS = {
    "scatter_": lambda L, a, b: a.scatter_(0, L.arange(len(b)), b),
    "index_add_": lambda L, a, b: a.index_add_(0, L.arange(len(b)), b),
    "put_": lambda L, a, b: a.put_(L.arange(len(b)), b),
    "index_put_": lambda L, a, b: a.index_put_((L.arange(len(b)),), b),
    "index_put_ index": lambda L, a, b: a.long().index_put_((L.arange(len(b)),), b.long()),
    "copy_": lambda L, a, b: a.copy_(b),
    "add_": lambda L, a, b: a.add_(b),
    "addcmul_": lambda L, a, b: a.addcmul_(b, b),
    "assigned": lambda L, a, b: a.__setitem__(slice(None), b),
    "assigned by places": lambda L, a, b: a.__setitem__(L.arange(len(b)), b),
    "masked_fill_": lambda L, a, b: (a > 2)[:1].masked_fill_((b > 0)[:1], False),
}
SHARED = {
    "itself": lambda x: (x, x),
    "shifted": lambda x: (x[1:], x[:-1]),
    "a view of itself": lambda x: (x, x[:]),
    "skipping": lambda x: (x[::2], x[1:4]),
    "apart": lambda x: (x[:3], x[3:]),
}


@pytest.mark.parametrize("name", OVERLAPS)
def test_overlapping_memory(name, ours, theirs):
    """Where an operand shares memory with what is written to: refused when PyTorch refuses it."""
    for how, parts in SHARED.items():
        (mine, my_error), (other, error) = (
            outcome(lambda L=L, parts=parts: OVERLAPS[name](L, *parts(L.arange(6.0)))) for L in (ours, theirs)
        )
        assert my_error is error, f"{how}: {my_error or mine}, PyTorch's {error or other}"
        if other is not None:
            agree(mine, other, what=how)


EXPANDED = {
    "number in front": (lambda L, x: x.__setitem__(0, 1.0), False),
    "mask": (lambda L, x: x.__setitem__(L.ones(2, 3).bool(), L.ones(6)), True),
    "places": (lambda L, x: x.__setitem__(L.tensor([0]), 1.0), True),
    "index_put_": (lambda L, x: x.index_put_((L.tensor([0]),), L.ones(1, 3)), True),
    "masked_fill_": (lambda L, x: x.masked_fill_(L.ones(2, 3).bool(), 2.0), True),
    "fill_": (lambda L, x: x.fill_(2.0), False),
}


@pytest.mark.parametrize("name", EXPANDED)
def test_writes_to_expanded_tensors(name, ours, theirs):
    """What PyTorch still allows, with a warning, where several elements share one place."""
    write, warns = EXPANDED[name]
    results = []
    for L in (ours, theirs):
        x = L.zeros(3)
        with pytest.warns(UserWarning, match="on expanded tensors is deprecated") if warns else nullcontext():
            write(L, x.expand(2, 3))
        results.append(x)
    agree(*results)
    refuse_alike(ours, theirs, lambda L: L.zeros(3).expand(2, 3).__setitem__((slice(None), 0), 1.0), ["copy_"])
