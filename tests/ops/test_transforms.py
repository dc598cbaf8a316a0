"""Every row of the operator table under forward mode and under vmap: both must agree with reverse mode and with loops.

Forward mode: ``<u, J t> = <J^T u, t>`` for random u and t. vmap: the results, and the gradients through them, are those
of the function on one example after the other.
"""

import numpy as np
import pytest
from operator_samples import ATTRIBUTES, CASES, NO_DIFFERENCES, POINTWISE, arrays_for, sample

import autograd
from autograd import func

every_row = pytest.mark.parametrize("row", POINTWISE, ids=lambda row: row.name)
every_case = pytest.mark.parametrize(("name", "expression", "shapes"), CASES, ids=[case[0] for case in CASES])

# Shapes of the inputs, broadcast against each other, 0-d examples among them.
SHAPES = {1: [((3,),), ((),)], 2: [((2, 3), (3,)), ((3,), ()), ((), (2,))], 3: [((2, 3), (3,), ()), ((), (2,), (2, 1))]}


def random_like(tensors, seed):
    generator = np.random.default_rng(seed)
    return [autograd.tensor(generator.uniform(-1, 1, tuple(t.shape)), dtype=t.dtype) for t in tensors]


def floats(value):
    """The differentiable tensors of a result."""
    several = value if isinstance(value, (tuple, list)) else (value,)
    return [v for v in several if isinstance(v, autograd.Tensor) and v.is_floating_point()]


def inner(a, b):
    return sum(float((x * y).sum()) for x, y in zip(a, b, strict=True))


def check_forward_mode(function, arrays):
    tensors = [autograd.from_numpy(array) for array in arrays]
    moving = [i for i, t in enumerate(tensors) if t.is_floating_point()]

    def of_moving(*values):
        given = list(tensors)
        for i, value in zip(moving, values, strict=True):
            given[i] = value
        return tuple(floats(function(*given)))

    primals = [tensors[i] for i in moving]
    expected = of_moving(*primals)
    if not primals or not expected:
        return
    tangents = random_like(primals, 1)
    values, pushed = func.jvp(of_moving, tuple(primals), tuple(tangents))
    for value, want in zip(values, expected, strict=True):
        autograd.testing.assert_close(value, want, rtol=1e-12, atol=1e-12, equal_nan=True)
    cotangents = random_like(expected, 2)
    pulled = func.vjp(of_moving, *primals)[1](tuple(cotangents))
    left, right = inner(cotangents, pushed), inner(pulled, tangents)
    assert left == pytest.approx(right, rel=1e-8, abs=1e-8, nan_ok=True)


def check_vmap(function, batches, has_gradients=True):
    tensors = [autograd.from_numpy(batch) for batch in batches]
    moving = [t for t in tensors if t.is_floating_point()]
    for t in moving:
        t.requires_grad_()

    def flat(*examples):
        result = function(*examples)
        return tuple(result) if isinstance(result, (tuple, list)) else (result,)

    expected = [flat(*(t[i].clone() for t in tensors)) for i in range(len(batches[0]))]
    mapped = func.vmap(flat, randomness="same")(*tensors)
    wanted = [autograd.stack(column) for column in zip(*expected, strict=True)]
    assert len(mapped) == len(wanted)
    for got, want in zip(mapped, wanted, strict=True):
        assert got.dtype is want.dtype
        autograd.testing.assert_close(got.detach(), want.detach(), rtol=1e-9, atol=1e-11, equal_nan=True)
    results = [[v for v in floats(values) if v.requires_grad] for values in (mapped, wanted)]
    assert len(results[0]) == len(results[1])
    if results[1] and has_gradients:
        seeds = random_like(results[1], 3)
        got, want = (autograd.grad(r, moving, seeds, allow_unused=True, materialize_grads=True) for r in results)
        for a, b in zip(got, want, strict=True):
            autograd.testing.assert_close(a, b, rtol=1e-8, atol=1e-9, equal_nan=True)


def pointwise_arrays(row, lead=()):
    for shapes in SHAPES[len(row.inputs)]:
        yield [np.asarray(array) for array in sample(row, [(*lead, *shape) for shape in shapes])]


@every_row
def test_forward_mode_of_pointwise_rows(row):
    attributes = ATTRIBUTES.get(row.name, ())
    for arrays in pointwise_arrays(row):
        if row.refuses_backward:
            with pytest.raises(NotImplementedError, match=row.name):
                check_forward_mode(row, arrays)
            continue
        check_forward_mode(lambda *tensors: row(*tensors, *attributes), arrays)


@every_row
def test_vmap_of_pointwise_rows(row):
    attributes = ATTRIBUTES.get(row.name, ())
    for arrays in pointwise_arrays(row, (3,)):
        check_vmap(lambda *tensors: row(*tensors, *attributes), arrays, not row.refuses_backward)


@every_case
def test_forward_mode_of_coarse_rows(ours, name, expression, shapes):
    if "rounds to float32" in NO_DIFFERENCES.get(name, ""):
        pytest.skip("both sides round to float32, in different orders")
    check_forward_mode(lambda *tensors: expression(ours, *tensors), arrays_for(shapes))


@every_case
def test_vmap_of_coarse_rows(ours, name, expression, shapes):
    if name.startswith("sparse-"):
        with pytest.raises(RuntimeError):  # PyTorch's vmap takes no sparse tensors either
            func.vmap(lambda *tensors: expression(ours, *tensors))(*map(ours.of, arrays_for([(3, *s) for s in shapes])))
    elif shapes:
        check_vmap(lambda *tensors: expression(ours, *tensors), arrays_for([(3, *shape) for shape in shapes]))
