"""Complex tensors against PyTorch: promotion, values, refusals, gradients, views, printing."""

import itertools
import operator
import warnings

import numpy as np
import pytest
from parity import outcome

import autograd
from autograd.testing import gradcheck, gradgradcheck

COMPLEX = ["complex64", "complex128"]
# Without float16: the complex type of its precision exists in PyTorch only.
REAL = ["float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
PAIRS = [(a, b) for a, b in itertools.product(COMPLEX + REAL, COMPLEX + REAL) if {a, b} & set(COMPLEX)]
NUMBERS = [2, 2.5, True, -1, 1.5 - 2j]
OPERATORS = ["add", "sub", "mul", "truediv", "pow", "floordiv", "mod", "eq", "ne", "lt", "ge", "and_", "or_"]
FUNCTIONS = ["maximum", "minimum", "fmax", "atan2", "hypot", "fmod", "remainder", "logical_and", "xlogy", "logaddexp"]
UNARY = str.split("""
    abs neg exp exp2 log log2 log10 sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sigmoid relu
    floor ceil round trunc sign sgn square reciprocal isnan isinf isfinite isreal logical_not signbit erf expm1 log1p
    frac sinc angle real conj conj_physical resolve_conj is_complex
""")
REDUCTIONS = [
    "sum()", "prod()", "mean()", "any()", "all()", "max()", "min()", "amax()", "argmax()", "cumsum(0)",
    "sum(0)", "mean(0)", "var()", "std(0)", "norm()", "norm(1)", "norm(float('inf'))", "logsumexp(0)", "softmax(0)",
    "log_softmax(0)", "count_nonzero()", "max(0)[1]", "sum(dtype=lib.complex128)", "prod(dtype=lib.complex64)",
    "cumsum(0, dtype=lib.complex128)", "sort()", "median()",
]  # fmt: skip


def operand(lib, dtype, kind):
    values = [1, 0, 3] if dtype == "bool" else [1 + 2j, 2 - 0.5j, -1.5j] if dtype in COMPLEX else [1, 2, 3]
    tensor = lib.tensor(values, dtype=getattr(lib, dtype))
    return tensor if kind == "vector" else tensor[1].clone()


def attempt(compute):
    """The result, or that it is refused: with which of PyTorch's two types of error is the kernel's own affair."""
    value, error = outcome(compute)
    return value if error is None else "refused" if issubclass(error, (RuntimeError, TypeError)) else error.__name__


@pytest.mark.parametrize("kinds", list(itertools.product(["vector", "0-d"], ["vector", "0-d"])), ids=str)
@pytest.mark.parametrize("name", OPERATORS)
def test_two_tensors(both, name, kinds):
    for a, b in PAIRS:
        both(
            lambda lib, a=a, b=b: attempt(
                lambda: getattr(operator, name)(operand(lib, a, kinds[0]), operand(lib, b, kinds[1]))
            ),
            label=f"{a} {name} {b}",
        )


@pytest.mark.parametrize("kind", ["vector", "0-d"])
@pytest.mark.parametrize("name", OPERATORS)
def test_tensor_and_number(both, name, kind):
    numbers = [(dtype, number) for dtype in COMPLEX for number in NUMBERS] + [(dtype, 1.5 - 2j) for dtype in REAL]
    for (dtype, number), reflected in itertools.product(numbers, [False, True]):

        def program(lib, dtype=dtype, number=number, reflected=reflected):
            pair = (operand(lib, dtype, kind), number)
            return attempt(lambda: getattr(operator, name)(*(reversed(pair) if reflected else pair)))

        both(program, label=f"{dtype} {name} {number}, reflected {reflected}")


@pytest.mark.parametrize("name", ["iadd", "isub", "imul", "itruediv", "ipow"])
def test_in_place(both, name):
    for a, b in [*PAIRS, *((dtype, 1.5 - 2j) for dtype in COMPLEX + REAL)]:

        def program(lib, a=a, b=b):
            other = operand(lib, b, "vector") if isinstance(b, str) else b
            return attempt(lambda: getattr(operator, name)(operand(lib, a, "vector"), other))

        both(program, label=f"{a} {name} {b}")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_two(both, name):
    for a, b in itertools.product(COMPLEX, COMPLEX):
        both(
            lambda lib, a=a, b=b: attempt(
                lambda: getattr(lib, name)(operand(lib, a, "vector"), operand(lib, b, "0-d"))
            ),
            label=f"{name}({a}, {b})",
        )


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one(both, name):
    for dtype in COMPLEX:
        both(
            lambda lib, dtype=dtype: attempt(lambda: getattr(lib, name)(operand(lib, dtype, "vector"))),
            label=f"{name}({dtype})",
        )


@pytest.mark.parametrize("call", REDUCTIONS)
def test_reductions(both, call):
    for dtype in COMPLEX:

        def program(lib, dtype=dtype):
            return attempt(lambda: eval(f"x.{call}", {"x": operand(lib, dtype, "vector"), "lib": lib}))

        both(program, label=f"{dtype}: {call}")


EXPRESSIONS = [
    "x.dtype.to_real(), lib.float64.to_complex(), x.dtype.to_complex(), x.is_complex(), x.is_signed(), x.type()",
    "x.dtype.is_complex, x.dtype.is_floating_point, x.dtype.itemsize, x.element_size(), lib.is_complex(x.real)",
    "lib.promote_types(x.dtype, lib.int64), lib.promote_types(x.dtype, lib.float64), lib.result_type(x, 1j)",
    "lib.can_cast(x.dtype, lib.float32), lib.can_cast(lib.float32, x.dtype)",
    "x.real, x.imag, x.real.real, lib.real(x), lib.imag(x)",
    "x.real.imag",
    "lib.imag(x.real)",
    "x.H, x.mH, x.adjoint(), x.mT, x[0].adjoint()",
    "x[0].mH",
    "x[None].H",
    "x.conj().is_conj() in (True, False), x.real.conj() is not None, x.resolve_conj(), x.resolve_neg(), x.is_neg()",
    "lib.view_as_real(x), lib.view_as_real(x.t()), lib.view_as_real(x)[..., 1]",
    "lib.view_as_real(x.real)",
    "lib.view_as_complex(lib.view_as_real(x)), lib.view_as_complex(lib.view_as_real(x).transpose(0, 1))",
    "lib.view_as_complex(x.real)",
    "lib.view_as_complex(lib.view_as_real(x).permute(2, 0, 1))",
    "lib.view_as_complex(lib.ones(2, 3, 2)[:, :, :1])",
    "lib.view_as_complex(lib.ones(2, 2).long())",
    "lib.complex(x.real, x.imag), lib.complex(x.real, x.imag[0])",
    "lib.complex(x.real, x.imag.half())",
    "lib.complex(x.real.long(), x.real.long())",
    "lib.complex(x.real, x.real[:, :1].expand(2, 2).t()[:1].expand(3, 2))",
    "lib.polar(x.real.abs(), x.imag)",
    "lib.polar(x.real, 1)",
    "x.to(lib.complex64), x.cdouble(), x.cfloat(), x.real.to(x.dtype), x.real.cfloat(), x.type_as(x.real.long() * 1j)",
    "lib.tensor(1 + 2j), lib.tensor([1, 2j]), lib.tensor([[1.5, 2j]], dtype=lib.complex128), lib.as_tensor([1j, 2.0])",
    "lib.tensor(1 + 2j, dtype=lib.float32)",
    "lib.zeros(2, dtype=x.dtype), lib.ones_like(x), lib.full((2,), 1j), lib.eye(2, dtype=x.dtype), x.new_ones(2)",
    "x[0, 0].item(), x.tolist(), complex(x[0, 0])",
    "float(x[0, 0])",
    "int(x[0, 0])",
    "bool(x[0, 0]), bool(x[0, 0] * 0)",
    "x @ x.t(), x.t().matmul(x[:, 0]), lib.mm(x, x.t()), lib.dot(x[0], x[1]), lib.einsum('ij,kj->ik', x, x)",
    "x @ x.real.t()",
    "x.sum(0), x.mean(), x.flip(0), x.reshape(-1), x.transpose(0, 1), x.cumsum(1), lib.cat([x, x.real]), x.roll(1, 0)",
    "x[x.real > 0], x[lib.tensor([1, 0])], x[:, 1:], x.masked_fill(x.real > 0, 1j), lib.where(x.real > 0, x, x.real)",
    "x == x.conj(), lib.isclose(x, x + 1e-9), lib.allclose(x, x), lib.equal(x, x.clone()), x.ne(0)",
    "lib.lerp(x, x * 2, 0.5j), lib.addcmul(x, x, x, value=2j), lib.addcdiv(x, x, x, value=1j), lib.add(x, x, alpha=1j)",
    "lib.add(x.real, x.real, alpha=1j)",
    "x.clamp(0, 1)",
    "x.softmax(0)",
    "x + 'a'",
    "1j in x, 7 in x, 3 in x",
    "lib.logcumsumexp(x[1], 0), lib.diff(x), lib.kron(x, x), lib.tensordot(x, x.t(), 1), lib.outer(x[0], x[1])",
    "lib.addmm(x @ x.t(), x, x.t(), beta=1j, alpha=2 - 1j), lib.vdot(x[0], x[1]), lib.cov(x), lib.dist(x, x * 2)",
    "lib.addmm(lib.ones(1, 1), lib.ones(1, 1), lib.ones(1, 1), alpha=2j)",
    "x.masked_fill(x.real > 0, 2j), x.index_fill(0, lib.tensor([0]), 1j), x.tril(), x.var(0), lib.std_mean(x, 1)",
    "x.real.masked_fill(x.real > 0, 2j)",
    "x.imag.storage_offset(), x.imag.stride(), x.t().imag.stride(), x.element_size(), x.real.is_contiguous()",
    "x.unique()", "x.argsort()", "x.clamp_(0)", "x // 1", "x & 1", "x > 1", "x.histc()", "x.bincount()",
    "x.quantile(0.5)",
    "lib.linalg.eigvals(lib.tensor([[1.0, 2.0], [0.0, 3.0]])), lib.linalg.vector_norm(x, 1), lib.linalg.inv(x[:, :2])",
    "x.view(x.real.dtype), x.real.contiguous().view(-1)[:2].view(x.dtype)",
    "lib.ones(2).mul_(1j)",
]  # fmt: skip


@pytest.mark.parametrize("source", EXPRESSIONS)
def test_expressions(both, source):
    for dtype in COMPLEX:

        def program(lib, dtype=dtype):
            x = lib.tensor([[1 + 2j, -0.5j, 0], [3, -1 - 1j, 2.5 + 0.5j]], dtype=getattr(lib, dtype))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return eval(source, {"lib": lib, "x": x})

        both(program, label=f"{source} of {dtype}")


WRITES = [
    "x.real[0] = 5.0",
    "x.imag = 2.0",
    "x.real = x.imag",
    "x.real.mul_(2)",
    "lib.view_as_real(x)[..., 1] = 7",
    "x[0] = 1j",
    "x[:, 1] = x.real[:, 0].to(x.dtype)",
    "x.copy_(x.real)",
    "x.fill_(2 - 1j)",
    "x.zero_()",
    "x.conj_physical_()",
    "x.sgn_()",
    "x.add_(1j).mul_(x).exp_()",
    "x.abs_()",
    "x.real[0, 0] = 1j",
]


@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("source", WRITES)
def test_writes(both, source, recorded):
    """Through the parts, too; recorded writes have the same gradients."""

    def program(lib):
        start = lib.tensor([[1 + 2j, -0.5j], [3, -1 - 1j]], dtype=lib.complex128, requires_grad=recorded)
        x = start * (1 + 0.5j)
        exec(source, {"lib": lib, "x": x})
        if recorded:
            (x * x.conj()).real.sum().backward()
        return x.detach(), start.grad

    both(program)


HOLOMORPHIC = str.split("""
    neg exp exp2 log log2 log10 sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh sigmoid square
    reciprocal expm1 log1p sinc
""")
GRADIENTS = {
    **{name: f"x.{name}()" for name in [*HOLOMORPHIC, "abs", "sgn", "angle", "conj", "sum", "mean", "prod"]},
    "arithmetic": "(x + y) * (x - 2j) / y - 1j / x",
    "powers": "x ** y + x ** 3 + x ** (1 - 0.5j) + 2.5 ** x + (1 + 1j) ** y",
    "of real": "x.abs() * y.real ** 2 + x.imag * y.imag",
    "from real": "lib.complex(x.real, y.abs()) * lib.polar(y.abs(), x.imag)",
    "mixed": "x.real * y + x.real.exp() * 1j + y * lib.tensor([2.0, 3.0])",
    "mixed precision": "x * y.to(lib.complex64).to(lib.complex128) * x.real",
    "products": "(x @ y.mT + x.mH @ y) @ x",
    "sums": "lib.einsum('ij,ik->jk', x, y.conj()) + x.sum(0) * y.cumsum(1)",
    "movement": "lib.cat([x, y.t()])[1:].flip(0).roll(1, 1) * lib.stack([x, x.conj(), y]).reshape(-1, 2)[:3]",
    "indexing": "x[x.real > 0].sum() * x[lib.tensor([1, 0])] + lib.where(y.imag > 0, x, y * y)",
    "selection": "x.gather(1, lib.tensor([[0], [1]])) * x.masked_fill(x.real > 0, 2j) + y.unbind(0)[1]",
    "lerp": "lib.lerp(x, y, 0.3j) + lib.addcmul(x, x, y, value=2j) + lib.addmm(x, x, y, beta=1j, alpha=2 - 1j)",
    "logaddexp": "lib.logaddexp(x, y)",
    "norms": "x.norm() * y.norm(1) + x.norm(3, dim=0) * y.norm(float('inf'), dim=1) + x.norm(0)",
    "moments": "x.var() * y.std(0) + y.var(1, unbiased=False)",
    "logsumexp": "x.logsumexp(0) * y.logsumexp((0, 1))",
    "activations": "lib.nn.functional.tanhshrink(x) * y",
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients(both, name):
    """First and second derivatives are PyTorch's, and agree with finite differences."""
    x0 = np.array([[0.7 + 0.4j, -0.8 + 1.1j], [0.3 - 0.9j, -0.6 - 0.5j]])
    y0 = np.array([[1.2 - 0.3j, 0.4 + 0.8j], [-0.7 + 0.6j, 0.9 + 1.3j]])

    def function(lib, x, y):
        return eval(GRADIENTS[name], {"lib": lib, "x": x, "y": y})

    def program(lib):
        x, y = (lib.tensor(z.tolist(), dtype=lib.complex128, requires_grad=True) for z in (x0, y0))
        out = function(lib, x, y)
        g = lib.tensor(1.5 - 0.5j, dtype=lib.complex128).expand(out.shape)
        g = (g if out.is_complex() else g.real) * lib.ones_like(out)
        grad = getattr(lib.autograd, "grad", None) if hasattr(lib, "autograd") else lib.grad
        once = grad(out, (x, y), g, create_graph=True, allow_unused=True)
        norm = sum((z * z.conj()).real.sum() for z in once if z is not None)
        twice = grad(norm, (x, y), allow_unused=True) if norm.requires_grad else ()
        zero = lib.zeros(())
        return out.detach(), [zero if z is None else z.detach() for z in (*once, *twice)]

    both(program, rtol=1e-6, atol=1e-8)
    x, y = (autograd.tensor(z, requires_grad=True) for z in (x0, y0))
    used = [t for t, n in ((x, "x"), (y, "y")) if f"{n}" in GRADIENTS[name].replace("exp", "").replace("max", "")]
    pair = used if len(used) == 2 else [x]
    check = (lambda x, y: function(autograd, x, y)) if len(pair) == 2 else (lambda x: function(autograd, x, None))
    if name != "mixed precision":
        assert gradcheck(check, pair)
        assert gradgradcheck(check, pair)


def test_a_wrong_complex_gradient_is_found():
    x = autograd.tensor([1 + 2j, 0.5j], dtype=autograd.complex128, requires_grad=True)
    for wrong in (lambda x: x.detach() * x, lambda x: x * x.conj().detach(), lambda x: x.real.detach() * x.imag):
        assert not gradcheck(wrong, x, raise_exception=False)
        assert not gradcheck(wrong, x, raise_exception=False, fast_mode=True)


def test_gradients_are_implicit_for_real_scalars_only(both):
    def program(lib, real):
        x = lib.tensor([1 + 2j, 3j], requires_grad=True)
        out = (x * x).sum()
        (out.real if real else out).backward()
        return x.grad

    both(lambda lib: program(lib, True))
    both(lambda lib: program(lib, False))


@pytest.mark.parametrize("complex_output", [False, True])
def test_a_gradient_has_the_kind_of_its_output(both, complex_output):
    def program(lib):
        x = lib.tensor([1 + 2j, 3j], requires_grad=True)
        out = x * 2 if complex_output else x.abs()
        out.backward(lib.ones(2) if complex_output else lib.ones(2) * 1j)

    both(program)


def test_casting_to_real_warns():
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        x = autograd.tensor([1 + 2j]).to(autograd.float32)
    assert x.tolist() == [1.0]
    with warnings.catch_warnings():  # but not where the engine does so itself
        warnings.simplefilter("error")
        y = autograd.tensor([1.0], requires_grad=True)
        (y * (1 + 2j)).abs().sum().backward()
        (y.to(autograd.complex64) * 1j).imag.sum().backward()


def test_real_gradients_stay_real():
    x = autograd.tensor([1.0, 2.0], requires_grad=True)
    (x * autograd.tensor([1j, 2 + 1j])).abs().sum().backward()
    assert x.grad.dtype is autograd.float32
    np.testing.assert_allclose(x.grad.numpy(), [1.0, 5**0.5], rtol=1e-6)


def test_printing(both):
    both(lambda lib: repr(lib.tensor([1 + 2j, -0.5j])))
    both(lambda lib: repr(lib.tensor([[1e-3 + 2e5j, 1j]], dtype=lib.complex128)))
    both(lambda lib: repr(lib.tensor(1.25 - 1j, requires_grad=True)))
    both(lambda lib: repr((lib.tensor([1j], requires_grad=True) * 2).abs()))
    both(lambda lib: repr(lib.zeros(0, dtype=lib.complex64)))
    both(lambda lib: f"{lib.tensor(1 + 2j):.2f}")
    both(lambda lib: str(lib.complex64) + str(lib.cdouble))


NODES = ["x.real", "x.imag", "x.abs()", "x.angle()", "x.sgn()", "lib.view_as_real(x)", "x.conj_physical()", "x.acosh()"]


@pytest.mark.parametrize("source", NODES)
def test_node_names(both, source):
    def program(lib):
        name = eval(source, {"lib": lib, "x": lib.tensor([1 + 2j], requires_grad=True)}).grad_fn.name()
        return name.replace("ConjPhysical", "Conj")  # one row computes both

    both(program)


TRANSFORMS = {
    "holomorphic": lambda L, z: (z * z).exp() / (z + 2),
    "parts": lambda L, z: z.abs() * z.real + z.imag.sin(),
    "conjugates": lambda L, z: z @ z.mH + L.einsum("ij,jk->ik", z, z.conj()),
    "directions": lambda L, z: L.view_as_real(z.sgn()) + L.complex(z.angle(), z.abs()).real.unsqueeze(-1),
    "frequencies": lambda L, z: L.fft.irfft(L.fft.fft(z), dim=0),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms(both, name):
    """Forward mode gives the derivative in a direction, vmap what single calls give; Jacobians are of real numbers."""
    z0, t0 = (np.random.default_rng(seed).normal(size=(2, 3, 3, 2)) @ [1, 1j] for seed in (0, 1))

    def program(lib):
        z, t = (lib.tensor(array.tolist(), dtype=lib.complex128) for array in (z0, t0))

        def function(z):
            return TRANSFORMS[name](lib, z)

        out, pull = lib.func.vjp(function, z[0])
        gradients = lib.func.vmap(lib.func.grad(lambda z: function(z).abs().sum()))(z)
        return lib.func.jvp(function, (z[0],), (t[0],)), out, pull(out), lib.func.vmap(function)(z), gradients

    both(program, rtol=1e-8, atol=1e-9)
    for transform in ("jacrev", "jacfwd"):
        both(lambda lib: getattr(lib.func, transform)(lambda z: z * z)(lib.tensor([1j, 2.0])))
        both(lambda lib: getattr(lib.func, transform)(lambda x: x * 1j)(lib.tensor([1.0, 2.0])))


def test_random_complex_numbers():
    x = autograd.testing.make_tensor(3, 5, dtype=autograd.complex64, low=-2, high=1, noncontiguous=True)
    assert x.dtype is autograd.complex64
    for part in (x.real, x.imag):
        assert ((part >= -2) & (part < 1)).all()
    assert not autograd.equal(x.real, x.imag)
    autograd.testing.assert_close(x * 1, x)
    autograd.testing.assert_close(1 + 2j, 1 + 2j)
    y = x.clone()
    y[0, 0] += 1e-3j
    with pytest.raises(AssertionError, match="1 / 15"):
        autograd.testing.assert_close(y, x)


def test_nan_to_num(both):
    special = [complex("nan"), complex("inf"), complex(1, float("-inf")), 2j]
    both(lambda lib: lib.nan_to_num(lib.tensor(special), 3.0, posinf=4.0))


# Where PyTorch's vectorized and scalar code differ, or NumPy takes another of the values that C leaves open.
OPEN = {"rsqrt", "log1p"}


@pytest.mark.parametrize("name", sorted({*HOLOMORPHIC, "abs", "sgn", "angle", "isnan", "isinf", "isfinite"} - OPEN))
def test_special_values(both, name):
    """Zeros of both signs, infinities and NaN in both parts: the branches that C99 chooses."""
    parts = [0.0, -0.0, 1.5, -2.0, float("inf"), -float("inf"), float("nan"), 1e-3, 30.0]
    numbers = np.array([complex(a, b) for a, b in itertools.product(parts, parts)])
    for dtype in COMPLEX:
        both(
            lambda lib, dtype=dtype: getattr(lib, name)(lib.from_numpy(numbers.astype(dtype))),
            rtol=1e-4 if dtype == "complex64" else 1e-9,
            label=name,
        )
    both(lambda lib: [getattr(lib, name)(lib.tensor(z)) for z in (0j, 1 - 2j, -1j)])


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(
    "power", ["x ** x", "x ** y", "y ** x", "x ** 0", "x ** 1", "x ** 2", "x ** 3", "x ** -1", "x ** 1j", "0 ** x"]
)
def test_powers_of_zero(power, dtype, both):
    """exp(y log x), as C has it: 0 ** 0 is NaN, but for an exponent that is a Python number."""

    def program(lib):
        x = lib.tensor([0, 0, 1 + 1j, 0.5], dtype=getattr(lib, dtype))
        y = lib.tensor([2, 0.5j, 0, 1 - 2j], dtype=getattr(lib, dtype))
        return eval(power, {"x": x, "y": y})

    both(program)
