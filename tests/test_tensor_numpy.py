"""Tensors beside NumPy and other libraries: operators with ndarrays, shared memory, DLPack."""

from __future__ import annotations

import numpy as np
import pytest

import autograd

OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">="]


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("shape", [(3,), (2, 3), ()])
def test_an_ndarray_on_either_side_gives_a_tensor(operator, shape):
    array = np.full(shape, 2.0, dtype="float32")
    x = autograd.tensor([1.0, 2.0, 3.0], requires_grad=operator in "+-*/")
    expected = autograd.tensor(array)
    names = {"a": array, "x": x, "t": expected}
    for ours, theirs in ((f"a {operator} x", f"t {operator} x"), (f"x {operator} a", f"x {operator} t")):
        got, want = eval(ours, names), eval(theirs, names)
        assert type(got) is autograd.Tensor, ours
        assert got.tolist() == want.tolist()
        assert got.requires_grad == want.requires_grad
        assert got.shape == want.shape


@pytest.mark.parametrize("operator", [*OPERATORS, "@"])
@pytest.mark.parametrize("value", [np.float32(2), np.float64(2), np.int64(2), np.bool_(True)])
def test_numpy_scalars_are_numbers(operator, value):
    x = autograd.tensor([1.0, 2.0, 3.0])
    if operator == "@":
        with pytest.raises(TypeError):
            x @ value
        return
    if operator == "-" and isinstance(value, np.bool_):
        with pytest.raises(RuntimeError, match="bool"):
            x - value
        return
    for source in (f"x {operator} v", f"v {operator} x"):
        got, want = eval(source, {"x": x, "v": value}), eval(source, {"x": x, "v": value.item()})
        assert type(got) is autograd.Tensor, source
        assert got.dtype is want.dtype
        assert got.tolist() == want.tolist()


def test_matmul_with_an_ndarray():
    a, x = np.eye(3, dtype="float32"), autograd.arange(9.0).view(3, 3)
    assert type(a @ x) is type(x @ a) is autograd.Tensor
    assert (a @ x).tolist() == (x @ a).tolist() == x.tolist()


@pytest.mark.parametrize("other", ["'a'", "None", "[1.0, 2.0]", "object()"])
@pytest.mark.parametrize("operator", OPERATORS)
def test_operators_with_what_is_no_number(both, operator, other):
    both(lambda lib: eval(f"x {operator} {other}", {"x": lib.ones(2)}))


def test_dlpack_shares_memory_both_ways(torch):
    ours = autograd.arange(6.0).view(2, 3)
    theirs = torch.from_dlpack(ours)
    theirs[0, 0] = 9
    assert ours[0, 0].item() == 9
    back = autograd.from_dlpack(torch.arange(4, dtype=torch.int32))
    assert back.dtype is autograd.int32
    assert back.tolist() == [0, 1, 2, 3]
    other = torch.ones(3)
    shared = autograd.from_dlpack(other)
    shared[1] = 5
    assert other.tolist() == [1, 5, 1]
    array = np.from_dlpack(ours)
    assert np.shares_memory(array, ours.numpy())
    assert autograd.from_dlpack(np.ones(3)).dtype is autograd.float64
    assert torch.from_dlpack(ours.t()).stride() == (1, 3)
    with pytest.raises(BufferError, match="require"):
        np.from_dlpack(autograd.ones(2, requires_grad=True))


def test_numpy_functions_read_tensors():
    x = autograd.arange(4.0)
    assert np.allclose(np.sin(x.numpy()), x.sin().numpy())
    assert np.array_equal(np.concatenate([x, x]), np.concatenate([x.numpy()] * 2))
    assert np.shares_memory(np.asarray(x), x.numpy())
    assert not np.shares_memory(np.array(x), x.numpy())
    assert np.array(x, dtype="int32").tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(x, dtype="float64", copy=False)
    array = np.zeros(4)
    array[:] = x
    assert array.tolist() == [0, 1, 2, 3]
    assert np.arange(10)[autograd.tensor([1, 2])].tolist() == [1, 2]
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(autograd.ones(2, requires_grad=True))
