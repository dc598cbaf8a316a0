"""Views by strides and bytes, windows, parts, copies of views, resizing: as PyTorch's, in memory and in the graph."""

import numpy as np
import pytest
from parity import agree, agree_in_memory, agree_on, agree_with_gradients, outcome, refuse_alike

import autograd
from autograd.testing import gradcheck, gradgradcheck

X = np.arange(24.0).reshape(2, 3, 4)

VIEWS = {
    "as_strided": lambda L, x: L.as_strided(x, (2, 3), (5, 2), 1),
    "as_strided overlapping": lambda L, x: x.as_strided((4, 4), (1, 1)),
    "as_strided repeated": lambda L, x: x.as_strided((3, 2), (0, 7)),
    "as_strided of a part": lambda L, x: x[1].as_strided((2, 2), (4, 1)),
    "as_strided out of a part": lambda L, x: x[1, 1:].as_strided((3,), (4,), 2),
    "as_strided of transposed": lambda L, x: x.transpose(0, 2).as_strided((3,), (1,), 4),
    "as_strided 0-d": lambda L, x: x.as_strided((), (), 3),
    "as_strided empty": lambda L, x: x.as_strided((0, 3), (99, 1)),
    "unfold": lambda L, x: x.unfold(2, 2, 1),
    "unfold wide": lambda L, x: x.unfold(-1, 4, 1),
    "unfold steps": lambda L, x: x[:, :, ::2].unfold(1, 2, 2),
    "unfold twice": lambda L, x: x.unfold(1, 2, 1).unfold(2, 3, 1),
    "unfold 0-d": lambda L, x: x[0, 0, 1].unfold(0, 1, 1),
    "unfold nothing": lambda L, x: x.unfold(0, 0, 1),
}

COPIES = {
    "alias_copy": lambda L, x: L.alias_copy(x),
    "as_strided_copy": lambda L, x: L.as_strided_copy(x, (2, 3), (5, 2), 1),
    "diagonal_copy": lambda L, x: L.diagonal_copy(x, 1, 1, 2),
    "expand_copy": lambda L, x: L.expand_copy(x[:, :1], (2, 2, 4)),
    "narrow_copy": lambda L, x: L.narrow_copy(x, 2, 1, 2),
    "narrow_copy method": lambda L, x: x.narrow_copy(0, 1, 1),
    "permute_copy": lambda L, x: L.permute_copy(x, (2, 0, 1)),
    "select_copy": lambda L, x: L.select_copy(x, 1, -1),
    "slice_copy": lambda L, x: L.slice_copy(x, 2, 0, 4, 2),
    "slice_copy ends": lambda L, x: L.slice_copy(x, start=-1),
    "split_copy": lambda L, x: L.split_copy(x, 3, 2)[1],
    "split_with_sizes_copy": lambda L, x: L.split_with_sizes_copy(x, [1, 3], dim=2)[1],
    "squeeze_copy": lambda L, x: L.squeeze_copy(x[:1]),
    "squeeze_copy dim": lambda L, x: L.squeeze_copy(x[:1], 0),
    "t_copy": lambda L, x: L.t_copy(x[0]),
    "transpose_copy": lambda L, x: L.transpose_copy(x, 0, 2),
    "unbind_copy": lambda L, x: L.unbind_copy(x, 1)[2],
    "unfold_copy": lambda L, x: L.unfold_copy(x, 1, 2, 1),
    "unsqueeze_copy": lambda L, x: L.unsqueeze_copy(x, 1),
    "view_copy": lambda L, x: L.view_copy(x, (4, 6)),
    "select_scatter": lambda L, x: L.select_scatter(x, x[:, 0], 1, -1),
    "slice_scatter": lambda L, x: L.slice_scatter(x, x[..., :2], 2, 0, 4, 2),
    "slice_scatter ends": lambda L, x: x.slice_scatter(x[:1] * 2, start=1),
    "slice_scatter whole": lambda L, x: x.slice_scatter(x * 2),
    "diagonal_scatter": lambda L, x: L.diagonal_scatter(x, x[:, 0, :3], 1, 1, 2),
    "select_scatter casts": lambda L, x: x.select_scatter(L.ones(3, 4, dtype=L.int64), 0, 0),
}


@pytest.mark.parametrize("name", [*VIEWS, *COPIES])
def test_result_and_gradient(name, ours, theirs):
    call = {**VIEWS, **COPIES}[name]
    twins = (lambda x, L=library: call(L, x) * 2 for library in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [X])


@pytest.mark.parametrize("name", [*VIEWS, *COPIES])
def test_memory(name, ours, theirs):
    agree_in_memory(ours, theirs, {**VIEWS, **COPIES}[name], X, name)


@pytest.mark.parametrize("dtype", ["float16", "complex128", "int32", "bool"])
def test_other_dtypes(dtype, ours, theirs):
    for name, call in {**VIEWS, **COPIES}.items():
        if not (dtype == "bool" and "slice_scatter" in name):
            agree_on(ours, theirs, call, [X.astype(dtype)], what=name)


def test_as_strided_scatter(ours, theirs):
    """Values are PyTorch's; its gradient is wrong where places are overwritten, so ours meets differences."""
    call = lambda L, x: L.as_strided_scatter(x, x[0, 0] * 2, (4,), (5,), 2)  # noqa: E731
    agree_on(ours, theirs, call, [X])
    x = ours.of(X, True)
    assert gradcheck(lambda x: call(ours, x), (x,))
    assert gradgradcheck(lambda x: call(ours, x) ** 2, (x,))
    assert gradcheck(lambda x: x.transpose(0, 2).as_strided_scatter(x[0, 0], (4,), (5,), 2) ** 2, (x,))


WRITES = {
    "as_strided": lambda L, x: x.as_strided((3,), (5,), 1).mul_(3),
    "as_strided of a view": lambda L, x: x[1].t().as_strided((2, 2), (4, 1)).copy_(x[0, 0, 0]),
    "unfold": lambda L, x: x.unfold(2, 2, 2)[..., 0].fill_(5.0),
    "diagonal": lambda L, x: x.diagonal(0, 1, 2).mul_(2),
    "expanded none": lambda L, x: x[None, :, None].add_(1),
    "one window": lambda L, x: x.unfold(2, 3, 1).__setitem__((0, 0, 0), x[0, 1, :3]),
    "windows by places": lambda L, x: x.unfold(2, 3, 1).__setitem__((0, L.tensor([0, 2]), 1), 7.0),
    "as_strided assigned": lambda L, x: x.as_strided((2, 2), (12, 1)).__setitem__(0, 9.0),
}


@pytest.mark.parametrize("name", WRITES)
def test_writes_through_views(name, ours, theirs):
    """What is written to a view reaches its base and other views, with gradients."""

    def program(L, x):
        y = x * 1
        other = y[..., 1:]
        WRITES[name](L, y)
        return y * y, other * 3

    total = lambda L, x: sum(part.sum() for part in program(L, x))  # noqa: E731
    agree(program(ours, ours.of(X)), program(theirs, theirs.of(X)))
    agree_with_gradients(ours, theirs, *(lambda x, L=L: total(L, x) for L in (ours, theirs)), [X])


def test_bytes(ours, theirs):
    """``view(dtype)``: the same memory, as PyTorch reads it, or its error."""
    dtypes = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "complex64", "complex128"]
    layouts = {
        "rows": lambda x: x,
        "columns": lambda x: x.t(),
        "every other": lambda x: x[:, ::2],
        "part": lambda x: x[:, :4],
        "odd": lambda x: x[:, :3],
        "0-d": lambda x: x[0, 0],
        "empty": lambda x: x[:0],
    }
    for dtype in dtypes:
        array = np.arange(1, 33).reshape(4, 8).astype(dtype)
        for target in dtypes:
            for name, layout in layouts.items():
                what = f"{dtype} as {target}, {name}"
                (a, my_error), (b, error) = (
                    outcome(lambda L=L: layout(L.of(array)).view(getattr(L, target))) for L in (ours, theirs)
                )
                assert my_error is error, f"{what}: {my_error or a}, PyTorch's {error or b}"
                if b is not None:
                    assert a.stride() == b.stride() or not b.numel(), what
                    np.testing.assert_array_equal(a.numpy(), b.numpy(), err_msg=what)
    x = ours.of(X)
    x.view(autograd.int64)[0, 0, 1] = 0
    assert x[0, 0, 1] == 0
    assert not ours.of(X, True).view(autograd.int64).requires_grad
    agree_on(ours, theirs, lambda L, x: L.view_copy(x, L.int64), [X])
    agree_on(ours, theirs, lambda L, x: L.detach_copy(x), [X])
    agree_on(ours, theirs, lambda L, x: [x.view(dtype=L.int64), x.view(size=(4, 6))], [X])


def test_resize(ours, theirs):
    calls = {
        "smaller": lambda L, x: x.resize_(2, 2),
        "tuple": lambda L, x: x.resize_((3, 8)),
        "to nothing": lambda L, x: x.resize_(0),
        "part": lambda L, x: x[1].resize_(2, 3),
        "transposed": lambda L, x: x.transpose(0, 2).resize_(3, 2),
        "same": lambda L, x: x.transpose(0, 2).resize_(4, 3, 2),
        "as": lambda L, x: x.resize_as_(L.zeros(2, 5)),
        "function": lambda L, x: L.resize_as_(x, L.zeros(4)),
        "back into its memory": lambda L, x: x[0].resize_(2, 3, 4),
    }
    for name, call in calls.items():
        agree_on(ours, theirs, call, [X], what=name)
        a, b = call(ours, ours.of(X)), call(theirs, theirs.of(X))
        assert a.stride() == b.stride(), name
        assert a.storage_offset() == b.storage_offset(), name
    for L in (ours, theirs):
        x = L.tensor(X)
        grown = x.resize_(3, 3, 4)
        assert grown is x
        assert tuple(x.shape) == (3, 3, 4)
        np.testing.assert_array_equal(x[:2].numpy(), X)
        with pytest.warns(UserWarning, match="non-inplace resize is deprecated"):
            assert tuple(L.of(X).resize(4, 6).shape) == (4, 6)
        with pytest.warns(UserWarning, match="non-inplace resize_as is deprecated"):
            assert tuple(L.of(X).resize_as(L.zeros(24)).shape) == (24,)


def test_set(ours, theirs):
    for L in (ours, theirs):
        source, x = L.of(X), L.zeros(2, dtype=L.float64)
        assert x.set_(source) is x
        assert x.is_set_to(source)
        assert not x.is_set_to(source[0])
        x[0, 0, 0] = 99
        assert source[0, 0, 0] == 99
        x.set_(source, 2, (2, 2), (3, 1))
        np.testing.assert_array_equal(x.numpy(), [[2, 3], [5, 6]])
        x.set_(source.untyped_storage(), 1, (3,))
        assert x.tolist() == [1, 2, 3]
        assert x.set_(source.untyped_storage()).numel() == 24
        assert x.set_().numel() == 0


def test_facts(ours, theirs):
    for call in (
        lambda x: x.dim_order(),
        lambda x: x.permute(2, 0, 1).dim_order(),
        lambda x: x[:0].stride(),
        lambda x: x[:, :0].stride(),
        lambda x: x[:, None].stride(),
        lambda x: x[..., None].stride(),
        lambda x: x.expand(1, 1, 2, 3, 4).stride(),
        lambda x: x[0].expand(1, 5, 3, 4).stride(),
        lambda x: x.swapaxes_(0, 1).stride(),
        lambda x: x.as_strided_((2, 2), (3, 1)).stride(),
        lambda x: x.t_().stride() if x.ndim == 2 else None,
        lambda x: x[:1].squeeze_(0).stride(),
    ):
        assert call(ours.of(X)) == call(theirs.of(X))


REFUSED = {
    "as_strided lengths": (lambda L: L.zeros(4).as_strided((2,), (1, 2)), ["[1, 2]", "[2]"]),
    "as_strided negative": (lambda L: L.zeros(4).as_strided((2,), (-1,)), ["[-1]"]),
    "as_strided outside": (lambda L: L.zeros(4).as_strided((3,), (2,)), ["[3]", "[2]", "4"]),
    "as_strided offset": (lambda L: L.zeros(4).as_strided((2,), (1,), -1), ["-1"]),
    "as_strided_scatter": (lambda L: L.zeros(4).as_strided_scatter(L.zeros(3), (2,), (1,)), ["[3]", "[2]"]),
    "unfold size": (lambda L: L.zeros(4).unfold(0, 5, 1), ["5", "4"]),
    "unfold step": (lambda L: L.zeros(4).unfold(0, 2, 0), ["step 0"]),
    "unfold dim": (lambda L: L.zeros(4).unfold(1, 2, 1), ["Dimension out of range"]),
    "view float": (lambda L: L.zeros(4).view(2.5), ["float"]),
    "view nothing": (lambda L: L.zeros(4).view(), ["view"]),
    "select_scatter": (lambda L: L.zeros(2, 3).select_scatter(L.zeros(2), 0, 0), ["[2]", "[3]"]),
    "select_scatter index": (lambda L: L.zeros(2, 3).select_scatter(L.zeros(3), 0, 5), ["5", "[2, 3]"]),
    "slice_scatter": (lambda L: L.zeros(4).slice_scatter(L.zeros(3), 0, 0, 2), ["[3]", "[2]"]),
    "slice_scatter step": (lambda L: L.zeros(4).slice_scatter(L.zeros(2), 0, 0, 4, -1), ["-1"]),
    "diagonal_scatter": (lambda L: L.zeros(3, 3).diagonal_scatter(L.zeros(2)), ["[2]", "[3]"]),
    "slice_copy step": (lambda L: L.slice_copy(L.zeros(4), 0, 1, 3, 0), ["0"]),
    "resize_ negative": (lambda L: L.zeros(3).resize_(-1), ["-1"]),
    "resize_ float": (lambda L: L.zeros(3).resize_(2.5), ["float"]),
    "resize_ recorded": (lambda L: L.zeros(3).requires_grad_().resize_(2), ["grad"]),
    "set_ dtype": (lambda L: L.zeros(2).set_(L.zeros(2, dtype=L.float64)), ["float64", "float32"]),
    "set_ recorded": (lambda L: L.zeros(2).requires_grad_().set_(L.zeros(2)), ["grad"]),
    "as_strided_ leaf": (lambda L: L.zeros(2).requires_grad_().as_strided_((1,), (1,)), ["leaf"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
