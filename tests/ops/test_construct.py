"""Tensors put together from others: values and gradients to second order against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import autograd

CASES = {
    "block_diag": ([(2, 3), (2,), (), (1, 2), (0, 2)], "lib.block_diag(*xs)"),
    "cartesian_prod": ([(3,), (2,), (4,)], "lib.cartesian_prod(*xs)"),
    "cartesian_prod of one": ([(3,)], "lib.cartesian_prod(*xs)"),
    "combinations": ([(5,)], "lib.combinations(xs[0])"),
    "combinations of three": ([(5,)], "lib.combinations(xs[0], r=3)"),
    "combinations with replacement": ([(4,)], "lib.combinations(xs[0], 3, with_replacement=True)"),
    "combinations of more than there are": ([(2,)], "lib.combinations(xs[0], 3)"),
    "diagflat": ([(2, 2)], "lib.diagflat(xs[0])"),
    "diagflat below": ([(3,)], "lib.diagflat(xs[0], -2)"),
    "fill": ([(3,), ()], "lib.fill(xs[0], xs[1])"),
    "meshgrid": ([(3,), (2,), ()], "sum(grid * grid for grid in lib.meshgrid(*xs, indexing='ij'))"),
    "meshgrid xy": ([(3,), (2,)], "lib.meshgrid(*xs, indexing='xy')[0]"),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name, torch):
    shapes, source = CASES[name]
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(shape) for shape in shapes]
    results = []
    for lib in (autograd, torch):
        xs = [lib.tensor(array, requires_grad=True) for array in arrays]
        out = eval(source, {"lib": lib, "xs": xs, "sum": sum})
        weight = lib.tensor(np.cos(np.arange(out.numel(), dtype=float)).reshape(tuple(out.shape)))
        grads = (lib if lib is autograd else lib.autograd).grad(
            (out * out * weight).sum(), xs, create_graph=True, allow_unused=True
        )
        second = [None] * len(xs)
        total = sum((g * g).sum() for g in grads if g is not None and g.requires_grad)
        if not isinstance(total, int):
            second = (lib if lib is autograd else lib.autograd).grad(total, xs, allow_unused=True)
        results.append([out, *grads, *second])
    for ours, theirs in zip(*results, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert tuple(ours.shape) == tuple(theirs.shape)
            assert np.allclose(ours.tolist(), theirs.tolist())


@pytest.mark.parametrize("options", [{}, {"N": 5, "increasing": True}, {"N": 1}, {"N": 2}], ids=str)
def test_vander(options, torch):
    x = autograd.tensor([0.5, -1.5, 2.0], dtype=autograd.float64, requires_grad=True)
    expected = torch.vander(torch.tensor(x.tolist(), dtype=torch.float64), **options)
    assert autograd.vander(x, **options).tolist() == expected.tolist()
    if options != {"N": 1}:  # ones. PyTorch writes over what the others' derivatives need: finite differences
        assert autograd.gradcheck(lambda x: autograd.vander(x, **options), (x,))
        assert autograd.gradgradcheck(lambda x: autograd.vander(x, **options), (x,))


@pytest.mark.parametrize(
    ("size", "stride"), [((2, 3), (1, 2)), ((2, 3), (3, 1)), ((4,), (0,)), ((), ()), ((2, 2), (5, 2)), ((0, 3), (3, 1))]
)
def test_strides(size, stride, torch):
    ours, theirs = (lib.empty_strided(size, stride) for lib in (autograd, torch))
    assert tuple(ours.shape) == tuple(theirs.shape)
    if 0 not in size:
        assert ours.stride() == theirs.stride()
        assert ours.storage().size() == theirs.untyped_storage().nbytes() // 4
    assert autograd.ones(1, dtype=autograd.float64).new_empty_strided(size, stride).dtype is autograd.float64


@pytest.mark.parametrize("shape", [(3, 4), (2, 3, 4), (7,), 7, (1, 1)])
def test_unravel_index_is_the_inverse_of_ravel(shape, torch):
    count = int(np.prod(shape))
    ours, theirs = (lib.unravel_index(lib.arange(-count, count), shape) for lib in (autograd, torch))
    assert [each.tolist() for each in ours] == [each.tolist() for each in theirs]
    assert [each.stride() for each in ours] == [each.stride() for each in theirs]


def test_a_read_only_buffer_is_not_written_to():
    with pytest.warns(UserWarning, match="not writable"):
        x = autograd.frombuffer(b"1234", dtype=autograd.uint8)
    with pytest.raises(RuntimeError, match="read-only"):
        x.fill_(0)
