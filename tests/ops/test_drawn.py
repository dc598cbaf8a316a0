"""Shapes, dtypes and memory layouts drawn by Hypothesis: our result, its gradient and the error are PyTorch's."""

# ruff: noqa: SIM905
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import autograd

torch = pytest.importorskip("torch")

DTYPES = ["float32", "float64", "float16", "int64", "int32", "int16", "int8", "uint8", "bool"]
TOLERANCE = {"float16": 2e-2, "float32": 2e-5, "float64": 1e-9}

UNARY = (
    "abs acos asin atan ceil cos cosh deg2rad erf erfc exp exp2 expm1 floor frac isfinite isnan lgamma log "
    "log10 log1p log2 logical_not logit neg positive rad2deg reciprocal relu round rsqrt sigmoid sign signbit sin sinc "
    "sinh sqrt square tan tanh trunc"
).split()
BINARY = (
    "add sub mul div pow remainder fmod floor_divide atan2 maximum minimum fmax fmin eq ne lt le gt ge logical_and "
    "logical_or logical_xor bitwise_and bitwise_or bitwise_xor copysign hypot logaddexp xlogy heaviside"
).split()
REDUCTIONS = (
    "sum mean prod amax amin argmax argmin all any var std logsumexp cumsum softmax log_softmax median mode sort "
    "argsort unique_consecutive count_nonzero nansum nanmean cumprod"
).split()

quick = settings(derandomize=True, max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def layouts(draw, shape, dtype):
    """An array of the shape: contiguous, transposed, every other element of a larger one, or one element repeated."""
    kind = draw(st.sampled_from(["contiguous", "transposed", "strided", "repeated"]))
    seed = draw(st.integers(0, 2**16))
    generator = np.random.default_rng(seed)

    def numbers(size):
        values = generator.integers(0, 2, size) if dtype == "bool" else generator.integers(-3, 4, size)
        if dtype in ("float16", "float32", "float64"):
            values = values + generator.choice([0.0, 0.25, 0.5], size)
        return np.asarray(values).astype(dtype)

    if kind == "transposed":
        return numbers(shape[::-1]).T
    if kind == "strided" and shape:
        return numbers((*shape[:-1], shape[-1] * 2))[..., ::2]
    if kind == "repeated" and shape and shape[0]:
        return np.broadcast_to(numbers((1, *shape[1:])), shape)
    return numbers(shape)


@st.composite
def operands(draw, count):
    shapes = draw(hnp.mutually_broadcastable_shapes(num_shapes=count, max_dims=3, min_side=0, max_side=4)).input_shapes
    return [draw(layouts(shape, draw(st.sampled_from(DTYPES)))) for shape in shapes]


def outcome(library, name, arrays, *args, **kwargs):
    """What the function returns and the gradients of its sum, None where there are none to be had; or the error."""
    make = library.from_numpy
    tensors = []
    for array in arrays:
        if array.flags.writeable:
            tensor = make(array)
        else:
            tensor = make(array[:1].copy()).expand(array.shape)
        if array.dtype in ("float32", "float64"):
            tensor = tensor.detach().requires_grad_()
        tensors.append(tensor)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result = getattr(library, name)(*tensors, *args, **kwargs)
            parts = list(result) if isinstance(result, tuple) else [result]
            inputs = [tensor for tensor in tensors if tensor.requires_grad]
            roots = [part for part in parts if part.requires_grad]
    except Exception as error:
        return error, None
    if not roots:
        return parts, []
    try:
        grad = library.grad if library is autograd else library.autograd.grad
        return parts, grad(roots, inputs, [library.ones_like(root) for root in roots], allow_unused=True)
    except RuntimeError:
        return parts, None


def agree(name, arrays, *args, **kwargs):
    what = f"{name}({', '.join(f'{a.dtype}{list(a.shape)}' for a in arrays)}, {args}, {kwargs})"
    mine, theirs = (outcome(library, name, arrays, *args, **kwargs) for library in (autograd, torch))
    if isinstance(theirs[0], Exception) or isinstance(mine[0], Exception):
        same = isinstance(mine[0], type(theirs[0])) or type(mine[0]).__name__ == type(theirs[0]).__name__
        assert same, f"{what}: ours {mine[0]!r:.300}, PyTorch's {theirs[0]!r:.300}"
        return
    pairs = list(zip(mine[0], theirs[0], strict=True))
    if theirs[1] is not None:  # PyTorch may have none for what it computes: floor_divide, logaddexp of bools
        assert mine[1] is not None, what
        pairs += zip(mine[1], theirs[1], strict=True)
    for ours, other in pairs:
        if ours is None or other is None:
            present = ours if other is None else other
            assert present is None or not present.detach().numpy().any(), what
            continue
        assert str(ours.dtype) == str(other.dtype), f"{what}: {ours.dtype}, PyTorch's {other.dtype}"
        a, b = ours.detach().numpy(), other.detach().numpy()
        assert a.shape == b.shape, f"{what}: {a.shape}, PyTorch's {b.shape}"
        tolerance = TOLERANCE.get(str(a.dtype), 0)
        np.testing.assert_allclose(a, b, tolerance, tolerance, equal_nan=True, err_msg=what)


@pytest.mark.parametrize(("name", "count"), [*((name, 1) for name in UNARY), *((name, 2) for name in BINARY)])
def test_elementwise(name, count):
    @quick
    @given(operands(count))
    def check(arrays):
        agree(name, arrays)

    check()


@pytest.mark.parametrize("name", REDUCTIONS)
def test_along_a_dimension(name):
    @quick
    @given(operands(1), st.integers(-4, 3))
    def check(arrays, dim):
        # PyTorch's softmax refuses integers, but for empty tensors.
        assume("softmax" not in name or arrays[0].size or arrays[0].dtype.kind == "f")
        agree(name, arrays, dim=dim)

    check()
