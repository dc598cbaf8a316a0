"""Type promotion, over all pairs of dtypes and kinds of operands: PyTorch's table is the expected one."""

from __future__ import annotations

import copy
import itertools
import operator
import pickle

import numpy as np
import pytest

import autograd

DTYPES = ["float16", "bfloat16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
UNSIGNED = ["uint16", "uint32", "uint64"]
ALL = [*DTYPES, *UNSIGNED, "complex64", "complex128"]
NUMBERS = [2, 2.5, True, -1]
ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip
COMPARISONS = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
BITWISE = {"&": operator.and_, "|": operator.or_, "^": operator.xor}
OPERATORS = {**ARITHMETIC, **COMPARISONS, **BITWISE}
FUNCTIONS = [
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "atan2",
    "hypot",
    "fmod",
    "remainder",
    "logical_and",
    "xlogy",
    "logaddexp",
]
UNARY = [
    "abs", "neg", "exp", "log", "sqrt", "rsqrt", "sin", "tanh", "sigmoid", "relu", "floor", "ceil", "round",
    "trunc", "sign", "square", "reciprocal", "isnan", "isinf", "isfinite", "logical_not", "signbit", "erf",
    "expm1", "log1p", "atan", "frac",
]  # fmt: skip
REDUCTIONS = [
    "sum()", "prod()", "mean()", "any()", "all()", "max()", "min()", "amax()", "argmax()", "cumsum(0)",
    "sum(0)", "mean(0)", "var()", "std()", "norm()", "logsumexp(0)", "softmax(0)", "count_nonzero()",
    "max(0)[1]", "sum(dtype=lib.float64)", "mean(dtype=lib.float64)", "prod(dtype=lib.int64)",
    "cumsum(0, dtype=lib.float32)",
]  # fmt: skip


def operand(lib, dtype, kind):
    values = [1, 0, 3] if dtype == "bool" else [1, 2, 3]
    tensor = lib.tensor(values, dtype=getattr(lib, dtype))
    return tensor if kind == "vector" else tensor[0].clone() if kind == "0-d" else tensor[:, None]


def attempt(compute):
    try:
        return compute()
    except (RuntimeError, TypeError, NotImplementedError) as error:
        return type(error).__name__


@pytest.fixture
def where_torch_computes(both, torch):
    """`both`, but for types that PyTorch has no kernel for: there we may give a result."""

    def compare(program, **options):
        if program(torch) != "NotImplementedError":
            both(program, **options)

    return compare


@pytest.mark.parametrize("kinds", [("vector", "vector"), ("vector", "0-d"), ("0-d", "vector"), ("0-d", "0-d")], ids=str)
@pytest.mark.parametrize("sign", OPERATORS)
def test_tensor_with_tensor(both, sign, kinds):
    compute = OPERATORS[sign]
    for a, b in itertools.product(DTYPES, DTYPES):
        both(
            lambda lib, a=a, b=b: attempt(lambda: compute(operand(lib, a, kinds[0]), operand(lib, b, kinds[1]))),
            rtol=5e-3,
            label=f"{a} {kinds[0]} {sign} {b} {kinds[1]}",
        )


@pytest.mark.parametrize("kind", ["vector", "0-d"])
@pytest.mark.parametrize("sign", OPERATORS)
def test_tensor_with_number(both, sign, kind):
    compute = OPERATORS[sign]
    for dtype, number, reflected in itertools.product(DTYPES, NUMBERS, [False, True]):
        if sign in BITWISE and number == 2.5:
            continue

        def program(lib, dtype=dtype, number=number, reflected=reflected):
            tensor = operand(lib, dtype, kind)
            return attempt(lambda: compute(number, tensor) if reflected else compute(tensor, number))

        order = f"{number} {sign} {dtype}" if reflected else f"{dtype} {sign} {number}"
        both(program, rtol=5e-3, label=f"{kind}: {order}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_two(where_torch_computes, name):
    for a, b, kind in itertools.product(DTYPES, DTYPES, ["vector", "0-d"]):

        def program(lib, a=a, b=b, kind=kind):
            return attempt(lambda: getattr(lib, name)(operand(lib, a, "vector"), operand(lib, b, kind)))

        where_torch_computes(program, rtol=5e-3, atol=1e-3, label=f"{name}({a}, {b} {kind})")


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(where_torch_computes, name):
    for dtype in DTYPES:
        where_torch_computes(
            lambda lib, dtype=dtype: attempt(lambda: getattr(lib, name)(operand(lib, dtype, "vector"))),
            rtol=5e-3,
            atol=1e-3,
            label=f"{name}({dtype})",
        )


@pytest.mark.parametrize("call", REDUCTIONS)
def test_reductions(where_torch_computes, call):
    for dtype in DTYPES:
        where_torch_computes(
            lambda lib, dtype=dtype: attempt(
                lambda: eval(f"x.{call}", {"x": operand(lib, dtype, "vector"), "lib": lib})
            ),
            rtol=5e-3,
            label=f"{dtype}: {call}",
        )


@pytest.mark.parametrize("sign", ["+", "-", "*", "/", "**", "&"])
def test_in_place_keeps_the_type_or_refuses(both, sign):
    compute = getattr(
        operator, {"+": "iadd", "-": "isub", "*": "imul", "/": "itruediv", "**": "ipow", "&": "iand"}[sign]
    )
    for a, b in itertools.product(DTYPES, [*DTYPES, 2, 2.5, True]):
        if sign == "&" and b == 2.5:
            continue

        def program(lib, a=a, b=b):
            return attempt(
                lambda: compute(operand(lib, a, "vector"), operand(lib, b, "vector") if isinstance(b, str) else b)
            )

        both(program, rtol=5e-3, label=f"{a} {sign}= {b}")


@pytest.mark.parametrize(
    "source",
    [
        "lib.where(lib.tensor([True, False]), a, b)",
        "lib.where(lib.tensor([True, False]), a, 1.5)",
        "lib.where(lib.tensor([True, False]), 2, b)",
        "lib.cat([a, b])",
        "lib.stack([a, b])",
        "lib.lerp(a, a, 0.5)",
        "a.clamp(0, 1)",
        "a.clamp(0.5, 1.5)",
        "a.clamp(min=b)",
        "lib.add(a, b, alpha=2)",
        "lib.sub(a, b, alpha=0.5)",
        "lib.div(a, b, rounding_mode='floor')",
        "lib.div(a, b, rounding_mode='trunc')",
        "lib.addcmul(a, a, b)",
        "a.dot(b)",
        "a[:, None] @ b[None]",
        "a.new_ones(2) + b",
        "lib.isclose(a, b)",
        "lib.equal(a, b)",
        "a.masked_fill(lib.tensor([True, False]), 1)",
        "lib.promote_types(a.dtype, b.dtype)",
        "lib.result_type(a, b), lib.result_type(a, 1.5), lib.result_type(a[0], b), lib.result_type(2, b)",
        "lib.can_cast(a.dtype, b.dtype)",
    ],
)
def test_other_operators(where_torch_computes, source):
    for a, b in itertools.product(DTYPES, DTYPES):

        def program(lib, a=a, b=b):
            names = {"lib": lib, "a": operand(lib, a, "vector")[:2], "b": operand(lib, b, "vector")[:2]}
            return attempt(lambda: eval(source, names))

        where_torch_computes(program, rtol=5e-3, label=f"{source} with {a}, {b}")


def test_gradients_come_back_in_the_operands_types(both):
    for a, b, sign in itertools.product(["float16", "float32", "float64"], ["float16", "float32", "float64"], "+-*/"):

        def program(lib, a=a, b=b, sign=sign):
            x = operand(lib, a, "vector").requires_grad_()
            y = operand(lib, b, "column").requires_grad_()
            s = operand(lib, b, "0-d").requires_grad_()
            z = OPERATORS[sign](x, y) * s
            z.sum().backward()
            return z.detach(), x.grad, y.grad, s.grad

        both(program, rtol=1e-2, atol=1e-3, label=f"{a} {sign} {b}")


def test_integers_wrap_around_and_divide_as_in_torch(both):
    for source in [
        "lib.tensor([127], dtype=lib.int8) + 1",
        "lib.tensor([0], dtype=lib.uint8) - 1",
        "lib.tensor([200], dtype=lib.uint8) * 2",
        "-lib.tensor([3], dtype=lib.uint8)",
        "lib.tensor([-7, 7, -7, 7]) // lib.tensor([2, 2, -2, -2])",
        "lib.tensor([-7, 7, -7, 7]) % lib.tensor([2, 2, -2, -2])",
        "lib.tensor([-7.0, 7.0, -7.0, 7.0]) // lib.tensor([2.0, 2.0, -2.0, -2.0])",
        "lib.tensor([-7.0, 7.0, -7.0, 7.0]) % lib.tensor([2.0, 2.0, -2.0, -2.0])",
        "lib.fmod(lib.tensor([-7, 7]), 2)",
        "lib.tensor([1.0, -1.0, 0.0]) // 0",
        "lib.tensor([1.0, -1.0, 0.0]) % 0",
        "lib.tensor([1.0, -1.0, 0.0]) / 0",
        "lib.tensor([1, 2]) // 0",
        "lib.tensor([1, 2]) % 0",
        "lib.tensor([2, 3]) ** 2",
        "lib.tensor([2, 3]) ** -1",
        "lib.tensor([2, 3]) ** 0.5",
        "2 ** lib.tensor([2, 3])",
        "2.0 ** lib.tensor([2, 3])",
        "lib.tensor([-8.0]) ** (1 / 3)",
        "lib.tensor([2**62]) * 4",
        "lib.tensor([1e38]) * 100",
        "lib.tensor([60000.0], dtype=lib.float16) * 2",
        "lib.tensor([2**53 + 1]).double()",
        "lib.tensor([2**24 + 1]) + 0.0",
        "lib.tensor([2**53 + 1]) == 2**53 + 1.0",
        "lib.tensor([True, False]) + lib.tensor([True, True])",
        "lib.tensor([True, False]) * 3, lib.tensor([True]) + 1.5",
        "lib.tensor([0.1]) == 0.1, lib.tensor([0.1], dtype=lib.float64) == 0.1",
        "lib.tensor([300], dtype=lib.int16) == 300.0, lib.tensor([5], dtype=lib.uint8) > -1",
    ]:
        both(lambda lib, source=source: attempt(lambda: eval(source, {"lib": lib})), label=source)


@pytest.fixture
def both_without_complex32(both):
    """`both`, but for complex32, which NumPy has not: complex64 stands for it."""

    def name_of(dtype):
        return str(dtype).replace("complex32", "complex64")

    return lambda program, label: both(lambda lib: name_of(program(lib)), label=label)


@pytest.mark.parametrize("a", ALL)
def test_every_pair_of_dtypes(both, both_without_complex32, a):
    for b in ALL:
        for call in ("promote_types", "can_cast"):
            both(lambda lib: getattr(lib, call)(getattr(lib, a), getattr(lib, b)), label=f"{call}({a}, {b})")
        for sizes in itertools.product([(2,), ()], repeat=2):

            def program(lib):
                x, y = (lib.zeros(size, dtype=getattr(lib, name)) for name, size in zip((a, b), sizes, strict=True))
                return lib.result_type(x, y)

            both_without_complex32(program, label=f"result_type of {a} {sizes[0]} and {b} {sizes[1]}")


@pytest.mark.parametrize("a", ALL)
def test_every_dtype_with_numbers(both_without_complex32, a):
    for number, size in itertools.product([True, 2, 2.5, 1j], [(2,), ()]):

        def program(lib):
            return lib.result_type(lib.zeros(size, dtype=getattr(lib, a)), number)

        both_without_complex32(program, label=f"result_type of {a} {size} and {number}")


def test_dtype_objects():
    for name in DTYPES:
        dtype = getattr(autograd, name)
        assert repr(dtype) == f"torch.{name}"
        assert dtype.numpy.name == name
        assert pickle.loads(pickle.dumps(dtype)) is dtype
        assert autograd.ones(1).to(dtype).dtype is dtype
    assert autograd.Size([2, 3]) == (2, 3)
    assert repr(autograd.Size([2, 3])) == "torch.Size([2, 3])"


@pytest.mark.parametrize("wrong", ["float32", np.float32, None, 3])
def test_what_is_no_dtype_is_refused(wrong):
    with pytest.raises(TypeError):
        autograd.promote_types(wrong, autograd.float32)
    with pytest.raises(TypeError):
        autograd.set_default_dtype(wrong)


@pytest.mark.parametrize("name", ALL)
def test_one_object_for_each_dtype(name):
    """However an array got here: operators look for their dtype by identity, and take a longer way without."""
    dtype = getattr(autograd, name)
    tensor = autograd.ones(3, dtype=dtype)
    found = [pickle.loads(pickle.dumps(tensor)), copy.deepcopy(tensor), tensor.clone(), tensor[1:], tensor + tensor]
    if name != "bfloat16":  # of which NumPy has no arrays
        array = pickle.loads(pickle.dumps(np.ones(3, name)))
        swapped = array.astype(array.dtype.newbyteorder())
        found += [make(array) for make in (autograd.tensor, autograd.from_numpy, autograd.as_tensor)]
        found.append(autograd.tensor(swapped))
        if name not in UNSIGNED:
            found.append(autograd.from_dlpack(array))
        array[0] = 0
        assert found[6][0] == 0, "from_numpy shares memory"
    for each in found:
        assert each.dtype is dtype
        assert each._array.dtype is dtype.numpy
