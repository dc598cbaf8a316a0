"""Every row of the operator table, in every reading, against PyTorch and against finite differences.

A new row is tested by existing: pointwise rows are sampled in their domain, coarse rows must occur in a sample.
"""

import itertools
import math
from functools import partial

import numpy as np
import pytest
from operator_samples import (
    ATTRIBUTES,
    CASES,
    EXEMPT,
    EXPRESSIONS,
    KINKS,
    LOOSE,
    NO_DIFFERENCES,
    POINTWISE,
    SPECIAL_OPEN,
    arrays_for,
    oracle,
    sample,
)
from parity import TOLERANCE, agree, agree_with_gradients, backward, outcome, weights

import autograd
from autograd.rows.public import FUNCTIONAL, TORCH
from autograd.rows.table import TABLE, PointwiseRow
from autograd.testing import gradcheck, gradgradcheck
from autograd.value import Value

DIFFERENTIABLE = [row for row in POINTWISE if row.rules]
SPECIAL = [float("nan"), float("inf"), -float("inf"), 0.0, -0.0, 1.5, -2.0]

# The sign of a zero result is its own: IEEE 754 leaves it open for maxima, and nothing divides by the others.
OTHER_ZERO = {
    *("relu", "relu6", "fmax", "fmin", "maximum", "minimum", "logsigmoid", "remainder"),
    *("clamp_between", "clamp_from_below", "clamp_from_above"),
}

# Rows that PyTorch does not promote, as it does all others.
ERRORS = {
    "squared_error",
    "absolute_error",
    "huber_error",
    "smooth_error",
    "bernoulli_error",
    "bernoulli_error_of_logits",
}
UNPROMOTED = {"gated", "lerp", "prelu_kernel", *ERRORS}

named = {"ids": lambda row: row.name}
every_row = pytest.mark.parametrize("row", POINTWISE, **named)
every_differentiable_row = pytest.mark.parametrize("row", DIFFERENTIABLE, **named)
every_case = pytest.mark.parametrize(("name", "expression", "shapes"), CASES, ids=[case[0] for case in CASES])


def compare(row, ours, theirs, arrays, attributes=(), layout=lambda x: x, gradients=True, scale=(None, None)):
    """The row and PyTorch's function on the same arrays: values, and the gradients of all inputs."""
    twin = oracle(row, theirs)
    what = f"{row.name}{attributes} of {[a.tolist() if a.size < 10 else a.shape for a in arrays]}"
    mine, other = (lambda *t, f=f: f(*map(layout, t), *attributes) for f in (row, twin))
    rtol, atol = LOOSE.get((row.name, str(arrays[-1].dtype)), scale)
    if gradients and row.rules:
        agree_with_gradients(ours, theirs, mine, other, arrays, rtol, atol, what)
    else:
        agree(mine(*map(ours.of, arrays)), other(*map(theirs.of, arrays)), rtol, atol, what)


# --- Pointwise rows ------------------------------------------------------------------------------------------------


def test_every_row_is_known(theirs):
    missing = [row.name for row in POINTWISE if oracle(row, theirs) is None]
    assert not missing, f"rows without a function in PyTorch need an entry in EXPRESSIONS: {missing}"
    assert set(EXPRESSIONS) <= set(TABLE)
    assert set(KINKS) <= set(TABLE)
    assert set(ATTRIBUTES) == {row.name for row in POINTWISE if row.attributes}


@every_row
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_value_and_gradient(row, dtype, reading, ours, theirs):
    arrays = sample(row, [(5, 7)] * len(row.inputs), dtype=dtype)
    compare(row, ours, theirs, arrays)
    if row.attributes:
        compare(row, ours, theirs, arrays, ATTRIBUTES[row.name])


@every_row
def test_half_precision(row, ours, theirs):
    halves = sample(row, [(5, 7)] * len(row.inputs), dtype="float16")
    _, refused = outcome(oracle(row, theirs), *map(theirs.of, halves))
    if refused:
        with pytest.raises(refused):
            row(*map(ours.of, halves))
        return
    _, without_gradients = outcome(backward, theirs, oracle(row, theirs), halves)
    compare(row, ours, theirs, halves, gradients=not without_gradients, scale=(4e-3, 4e-3))


@every_row
def test_memory_layouts(row, reading, ours, theirs):
    """Broadcast, transposed, strided, reversed by a view, expanded, 0-d and empty operands."""
    count = len(row.inputs)
    shapes = [(3, 4), (4,), (3, 1)][:count] if count > 1 else [(3, 4)]
    groups = [shapes, [()] * count, [(0, 4)] * count, shapes[::-1], [(2, 3, 4)] + [()] * (count - 1)]
    layouts = [
        lambda x: x[::2, 1:],
        lambda x: x.t(),
        lambda x: x[:, :1].expand(6, 6),
        lambda x: x.view(2, 3, 2, 3).permute(2, 0, 3, 1)[..., 0],
    ]
    if reading == "always" and row.name not in EVERY_LAYOUT:
        groups, layouts = groups[:3], layouts[:1]
    for chosen in groups:
        compare(row, ours, theirs, sample(row, chosen))
    for layout in layouts:
        compare(row, ours, theirs, sample(row, [(6, 6)] * count), layout=layout)


# Each layout is another loop to compile, and loops are generated alike for all rows.
EVERY_LAYOUT = {"tanh", "gelu_tanh", "mul", "div", "where", "lerp", "eq"}


@every_row
def test_special_values(row, reading, ours, theirs):
    """NaN, infinities and signed zeros in all combinations."""
    if row.name == "bernoulli_error":
        pytest.skip("PyTorch refuses inputs outside of [0, 1]")
    left_out, _ = SPECIAL_OPEN.get(row.name, ((), ""))
    special = [x for x in SPECIAL if repr(x) not in map(repr, left_out)]
    points = np.array(list(itertools.product(special, repeat=len(row.inputs)))).T
    for dtype in ("float32", "float64"):
        arrays = [x.astype(bool if name == "condition" else dtype) for name, x in zip(row.inputs, points, strict=True)]
        compare(row, ours, theirs, arrays, gradients=row.name != "softsign")  # PyTorch's is NaN at infinity, not 0
        mine = row(*map(ours.of, arrays)).numpy()
        if mine.dtype.kind == "f" and row.name not in OTHER_ZERO:
            other = oracle(row, theirs)(*map(theirs.of, arrays)).numpy()
            zeros = (mine == 0) & (other == 0)
            wrong = zeros & (np.signbit(mine) != np.signbit(other))
            assert not wrong.any(), f"sign of zero at {[x[wrong] for x in arrays]}"


@every_differentiable_row
def test_mixed_precision_gradients(row, ours, theirs):
    """Each gradient has its input's dtype and shape, whatever the operands were promoted and broadcast to."""
    count = len(row.inputs)
    if row.name in UNPROMOTED or count == 1:
        pytest.skip("one dtype")
    for kinds in (("float32", "float64", "float64"), ("float64", "float16", "float32")):
        arrays = sample(row, [(3, 4), (4,), (3, 1)][:count])
        arrays = [a if a.dtype == bool else a.astype(kind) for a, kind in zip(arrays, kinds)]
        compare(row, ours, theirs, arrays, scale=(2e-3, 2e-3))


@every_differentiable_row
def test_subgradients(row, reading, ours, theirs):
    """Where the derivative jumps, it is PyTorch's."""
    points = [(kink,) + (0.5,) * (len(row.inputs) - 1) for kink in row.kinks] + KINKS.get(row.name, [])
    if not points:
        pytest.skip("smooth")
    arrays = [np.asarray(column, np.float64) for column in zip(*points, strict=True)]
    compare(row, ours, theirs, arrays)
    compare(row, ours, theirs, [x.astype(np.float32) for x in arrays])


@every_row
def test_result_dtypes(row, ours, theirs):
    """Result dtype, value and refusal for all pairs of dtypes, for 0-d tensors and for Python numbers."""
    dtypes = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
    twin = oracle(row, theirs)
    rest = len(row.inputs) - 1
    for kinds in [(a, b) for a in dtypes for b in dtypes] if rest else [(a,) for a in dtypes]:
        if row.name in UNPROMOTED and len(set(kinds)) > 1:
            continue
        first, *others = [
            np.array([1, 0, 1, 1], bool) if name == "condition" else np.array([1, 1, 1, 1], kind)
            for name, kind in zip(row.inputs, (kinds[0], *kinds[1:] * rest), strict=True)
        ]
        forms = [[first, *others]]
        if rest:
            forms += [[first, *(x[0:1].reshape(()) for x in others)], [first[0:1].reshape(()), *others]]
            forms += [[first, *(x[0].item() for x in others)]]
        for operands in forms:
            given = [[lib.of(x) if isinstance(x, np.ndarray) else x for x in operands] for lib in (ours, theirs)]
            (mine, my_error), (other, their_error) = outcome(row, *given[0]), outcome(twin, *given[1])
            what = f"{row.name} of {[f'{x.dtype}[{x.ndim}]' if isinstance(x, np.ndarray) else x for x in operands]}"
            if their_error in (TypeError, AttributeError) or (row.name, kinds[0]) in WIDER:
                continue  # PyTorch takes no number here; we do
            assert my_error is their_error, f"{what}: {my_error or mine.dtype}, PyTorch's {their_error or other.dtype}"
            if other is not None:
                agree(mine, other, *LOOSE.get((row.name, str(other.numpy().dtype)), ()), what=what)


# (row, dtype) where PyTorch's answer depends on the form of the call, or is of another dtype.
WIDER = {
    ("hardtanh", "uint8"),  # the function refuses limits that an unsigned type has not, the row cannot
    ("square", "bool"),  # int64 in PyTorch, which squares with pow
    ("pow", "bool"),  # it depends on which operand is a number
    ("clamp_from_below", "bool"),
    ("clamp_from_above", "bool"),
}


@every_row
def test_floats(row, theirs):
    """`Value` computes the same number and the same derivatives."""
    arrays = sample(row, [()] * len(row.inputs), seed=3)
    seed = float(weights(()))
    numbers = [bool(x) if x.dtype == bool else float(x) for x in arrays]
    values = [Value(x) if not isinstance(x, bool) else x for x in numbers]
    out = row(*values)
    if not row.rules:
        with theirs.no_grad():
            other, gradients = oracle(row, theirs)(*map(theirs.of, arrays)), []
    else:
        other, gradients = backward(theirs, oracle(row, theirs), arrays)
    if row.result == "bool":
        assert out is bool(other.item())
        return
    rtol, atol = LOOSE.get((row.name, "float64"), (1e-12, 1e-14))
    assert math.isclose(out.data, other.item(), rel_tol=rtol, abs_tol=atol)
    if not row.rules:
        return
    out.backward(seed)
    inputs = [value for value in values if isinstance(value, Value)]
    for name, value, g in zip([n for n in row.inputs if n != "condition"], inputs, gradients, strict=True):
        assert math.isclose(value.grad, 0.0 if g is None else g.item(), rel_tol=10 * rtol, abs_tol=10 * atol), name


@every_differentiable_row
def test_gradients_of_gradients(row, reading, ours, theirs):
    """``create_graph=True``: first and second derivatives against finite differences."""
    arrays = sample(row, [(2, 3)] * len(row.inputs), seed=5)
    tensors = [ours.of(array, array.dtype.kind == "f") for array in arrays]
    assert gradcheck(row, tensors)
    assert gradgradcheck(row, tensors)


@every_row
def test_public_forms(row, ours):
    """Function, aliases, method, in-place method and ``out=`` give what the row gives."""
    arrays = sample(row, [(2, 3)] * len(row.inputs))
    home = {"torch": TORCH, "nn.functional": FUNCTIONAL}.get(row.home)
    expected = row(*map(ours.of, arrays)).numpy()
    if home is None:
        assert row.name not in TORCH or TORCH[row.name] is not row
        return
    for name in (row.name, *row.aliases):
        np.testing.assert_array_equal(home[name](*map(ours.of, arrays)).numpy(), expected)
        if row.method:
            tensors = list(map(ours.of, arrays))
            np.testing.assert_array_equal(getattr(tensors[0], name)(*tensors[1:]).numpy(), expected)
        if row.inplace:
            tensors = list(map(ours.of, arrays))
            result = (getattr(tensors[0], f"{name}_") if row.method else partial(home[f"{name}_"], tensors[0]))(
                *tensors[1:]
            )
            assert result is tensors[0]
            np.testing.assert_array_equal(result.numpy(), expected)
    if row.home == "torch":
        out = autograd.empty(2, 3, dtype=autograd.bool if row.result == "bool" else autograd.float64)
        assert home[row.name](*map(ours.of, arrays), out=out) is out
        np.testing.assert_array_equal(out.numpy(), expected)


@every_row
def test_large_and_small_agree(row, ours):
    """A tensor above the threshold goes through the compiled loop and agrees with NumPy's reading of its parts."""
    pytest.importorskip("numba")
    arrays = sample(row, [(20000,)] * len(row.inputs), dtype="float32")
    whole = row(*map(ours.of, arrays)).numpy()
    with autograd.jit.using("never"):
        part = row(*(ours.of(x[::100]) for x in arrays)).numpy()
    np.testing.assert_allclose(whole[::100], part, *TOLERANCE["float32"])


# --- Coarse rows ---------------------------------------------------------------------------------------------------


@every_case
def test_sample(name, expression, shapes, reading, ours, theirs):
    """Value and gradients of each sample in float64 and float32."""
    for dtype in ("float64", "float32"):
        arrays = arrays_for(shapes, dtype=dtype)
        twins = (lambda *t, L=library: expression(L, *t) for library in (ours, theirs))
        scale = (1e-10, 1e-11) if dtype == "float64" else (2e-5, 1e-5)
        agree_with_gradients(ours, theirs, *twins, arrays, *scale, name)


@every_case
def test_sample_derivatives(name, expression, shapes, ours):
    """First and second derivatives of each sample against finite differences."""
    tensors = [ours.of(array, True) for array in arrays_for(shapes, seed=2)]
    if name in NO_DIFFERENCES:
        pytest.skip(NO_DIFFERENCES[name])
    assert gradcheck(lambda *t: expression(ours, *t), tensors, fast_mode=True)
    assert gradgradcheck(lambda *t: expression(ours, *t), tensors, fast_mode=True)


def rows_in(tensors, found):
    """Names of all rows in the graphs of ``tensors``."""
    waiting = [tensor.grad_fn for tensor in tensors if tensor is not None and tensor.grad_fn is not None]
    seen = set()
    while waiting:
        node = waiting.pop()
        if node in seen:
            continue
        seen.add(node)
        if hasattr(node, "plan"):
            found.add(node.plan.row.name)
        waiting += [edge for edge in node.edges if edge is not None]
    return found


def test_every_coarse_row_occurs_in_a_sample(ours):
    found = set()
    for _, expression, shapes in CASES:
        tensors = [ours.of(array, True) for array in arrays_for(shapes)]
        out = expression(ours, *tensors)
        seed = autograd.ones_like(out).requires_grad_()
        gradients = autograd.grad(out, tensors, seed, create_graph=True, allow_unused=True)
        rows_in([out, *gradients], found)
        linked = [g for g in gradients if g is not None and g.requires_grad]
        if linked:
            total = sum((g * g).sum() for g in linked)
            rows_in(autograd.grad(total, [*tensors, seed], create_graph=True, allow_unused=True), found)
    missing = [
        n for n, row in TABLE.items() if n not in found and n not in EXEMPT and not isinstance(row, PointwiseRow)
    ]
    assert not missing, f"coarse rows that no sample in operator_samples.SAMPLES reaches: {missing}"


def test_integer_division_by_zero(ours, theirs):
    for name in ("floor_divide", "remainder", "fmod"):
        for library in (ours, theirs):
            with pytest.raises(RuntimeError, match="ZeroDivisionError"):
                getattr(library, name)(library.of([1, 2]), library.of([1, 0]))
            assert getattr(library, name)(library.of([1.0]), library.of([0.0])).isfinite().logical_not().all()


def test_bits(ours, theirs):
    for dtype in ("int8", "int16", "int32", "int64", "uint8", "bool"):
        a, b = np.array([0, 1, 5, 100], dtype), np.array([3, 1, 4, 7], dtype)
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
            agree(getattr(ours, name)(ours.of(a), ours.of(b)), getattr(theirs, name)(theirs.of(a), theirs.of(b)))
        agree(ours.bitwise_not(ours.of(a)), theirs.bitwise_not(theirs.of(a)))
        agree(~ours.of(a), ~theirs.of(a))
        agree(
            ours.of(a) & ours.of(b) | ours.of(a) ^ ours.of(b), theirs.of(a) & theirs.of(b) | theirs.of(a) ^ theirs.of(b)
        )
    for name in ("bitwise_and", "bitwise_not"):
        operands = [np.ones(2)] * (2 if name == "bitwise_and" else 1)
        for library in (ours, theirs):
            with pytest.raises(RuntimeError if library is ours else (RuntimeError, NotImplementedError)):
                getattr(library, name)(*map(library.of, operands))
