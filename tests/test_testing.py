"""gradcheck finds wrong gradients and passes right ones; assert_close says what PyTorch's says."""

import numpy as np
import pytest

import autograd
from autograd.testing import GradcheckError, assert_close, gradcheck, gradgradcheck, make_tensor


def double(*values, requires_grad=True):
    return autograd.tensor(values, dtype=autograd.float64, requires_grad=requires_grad)


def detached(x):
    """The value of x squared, half of whose gradient is lost."""
    return x.detach() * x


@pytest.mark.parametrize("fast", [False, True])
def test_right_gradients_pass(fast):
    x, y = double(0.5, 2.0), double(1.0, -1.0)
    assert gradcheck(lambda a, b: (a * b, a.log()), (x, y), fast_mode=fast)
    assert gradgradcheck(lambda a, b: (a * b.exp(), a.log()), (x, y), fast_mode=fast)
    assert gradcheck(lambda a, n: a**n, (x, 3), fast_mode=fast)
    assert gradcheck(lambda a: a.sum(), [x], fast_mode=fast)


@pytest.mark.parametrize("fast", [False, True])
def test_wrong_gradients_fail(fast):
    x = double(0.5, 2.0)
    assert gradcheck(detached, x, raise_exception=False, fast_mode=fast) is False
    with pytest.raises(GradcheckError, match="output 1 with respect to input 1"):
        gradcheck(lambda a, b: (a + b, a * detached(b)), (x, double(1.0, 3.0)), fast_mode=fast)
    with pytest.raises(RuntimeError):
        gradcheck(detached, x, fast_mode=fast)


def test_the_message_names_the_worst_entry():
    with pytest.raises(GradcheckError) as raised:
        gradcheck(lambda x: x.detach() * x * double(0.0, 1.0, requires_grad=False), double(0.5, 2.0))
    text = str(raised.value)
    assert "1 of 4 entries" in text
    assert "output element 1, input element 1: backward 2, numerical 4" in text


def test_wrong_second_gradients_fail():
    class Cube:
        """The gradient is right, its own gradient is not."""

        def __call__(self, x):
            return (3 * x.detach() * x.detach()) * x - 2 * x.detach() ** 3

    assert gradcheck(Cube(), double(0.5, 2.0))
    assert not gradgradcheck(Cube(), double(0.5, 2.0), raise_exception=False)


def test_options():
    x = double(0.5, 2.0)
    assert gradcheck(lambda a: a * 1.001 - a.detach() * 0.001, x, atol=1e-2)
    assert not gradcheck(lambda a: a * 1.001 - a.detach() * 0.001, x, atol=1e-6, rtol=0, raise_exception=False)
    assert gradcheck(autograd.sin, x, eps=1e-4, atol=1e-6)
    assert gradgradcheck(autograd.sin, x, double(1.0, 2.0))
    assert gradgradcheck(autograd.sin, x, gen_non_contig_grad_outputs=True)
    assert gradcheck(lambda a: (a.sin(), a.cos()), x, check_undefined_grad=True, check_grad_dtypes=True)


def test_a_backward_pass_that_changes_is_found():
    calls = []

    def unstable(x):
        y = x * 1
        y.register_hook(lambda g: calls.append(0) or g * (1 + 1e-4 * len(calls)))
        return y

    with pytest.raises(GradcheckError, match="reentrant"):
        gradcheck(unstable, double(1.0), atol=1, rtol=1)
    assert gradcheck(unstable, double(1.0), atol=1, rtol=1, nondet_tol=1.0)


def test_inputs_are_checked_and_left_as_they_were():
    x = double(0.5, 2.0)
    before = x.tolist()
    gradcheck(autograd.exp, x)
    assert x.tolist() == before
    assert x.grad is None
    with pytest.raises(ValueError, match="requires_grad=True"):
        gradcheck(autograd.exp, double(1.0, requires_grad=False))
    with pytest.raises(RuntimeError, match="stride 0"):
        gradcheck(autograd.exp, double(1.0).expand(3))
    with pytest.raises(ZeroDivisionError):
        gradcheck(lambda a: a * (1 / 0), x)
    assert x.tolist() == before


def test_strange_inputs():
    x = autograd.arange(6.0, dtype=autograd.float64).reshape(2, 3).requires_grad_()
    assert gradcheck(lambda a: a.t() ** 2, x)
    assert gradcheck(autograd.exp, x.detach().t().requires_grad_())
    assert gradcheck(autograd.exp, autograd.tensor(0.5, dtype=autograd.float64, requires_grad=True))
    assert gradcheck(autograd.exp, autograd.zeros(0, 3, dtype=autograd.float64).requires_grad_())
    assert gradgradcheck(lambda a: a, double(1.0))


PAIRS = {
    "equal": lambda t: (t([1.0, 2.0]), t([1.0, 2.0])),
    "close": lambda t: (t([1.0, 2.0]), t([1.0, 2.000001])),
    "not close": lambda t: (t([[1.0, 2.0, 3.0]]), t([[1.0, 5.0, 4.0]])),
    "0-d": lambda t: (t(1.0), t(2.0)),
    "ints": lambda t: (t([1, 2]), t([1, 3])),
    "bools": lambda t: (t([True, False]), t([True, True])),
    "dtypes": lambda t: (t([1.0]), t([1])),
    "shapes": lambda t: (t([1.0]), t([1.0, 2.0])),
    "nan": lambda t: (t([float("nan")]), t([float("nan")])),
    "infinities": lambda t: (t([float("inf"), 1.0]), t([1.0, float("inf")])),
    "both infinite": lambda t: (t([float("inf")]), t([float("inf")])),
    "zeros": lambda t: (t([1.0, 0.0]), t([0.0, 0.0])),
    "empty": lambda t: (t([]), t([])),
    "numbers": lambda t: (1.0, 2.0),
    "ints alone": lambda t: (1, 2),
    "number types": lambda t: (1, 1.0),
    "lists": lambda t: ([t([1.0]), t([2.0])], [t([1.0]), t([3.0])]),
    "tuple and list": lambda t: ((t(1.0),), [t(1.0)]),
    "lengths": lambda t: ([t(1.0)], []),
    "dicts": lambda t: ({"a": [t(1.0)]}, {"a": [t(2.0)]}),
    "keys": lambda t: ({"a": t(1.0), "c": 2}, {"b": t(2.0)}),
    "arrays": lambda t: (np.array([1.0]), np.array([2.0])),
    "none": lambda t: (None, None),
    "strings": lambda t: ("a", "a"),
    "mixed": lambda t: (t([1.0]), 1.0),
    "bfloat16, close": lambda t: (t([1.0, 2.0]).bfloat16(), t([1.0, 2.02]).bfloat16()),
    "bfloat16, not close": lambda t: (t([1.0, 2.0]).bfloat16(), t([1.0, 3.0]).bfloat16()),
    "bfloat16 and float32": lambda t: (t([1.0, 2.0]).bfloat16(), t([1.0, 2.5])),
}
OPTIONS = [{}, {"rtol": 0, "atol": 0}, {"rtol": 0.5, "atol": 0.1}, {"equal_nan": True}, {"check_dtype": False}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("name", PAIRS)
def test_assert_close_says_what_pytorch_says(name, options):
    torch = pytest.importorskip("torch")

    def outcome(library, compare):
        try:
            compare(*PAIRS[name](library.tensor), **options)
        except (AssertionError, TypeError, ValueError) as error:
            text = str(error).replace("autograd.Tensor", "torch.Tensor")
            return type(error), text
        return None

    assert outcome(autograd, assert_close) == outcome(torch, torch.testing.assert_close)


def test_assert_close_options():
    x = autograd.tensor([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(AssertionError, match=r"'stride\(\)' do not match: \(2,\) != \(1,\)"):
        assert_close(x[::2], autograd.tensor([1.0, 3.0]), check_stride=True)
    with pytest.raises(AssertionError, match="^hello$"):
        assert_close(x, x + 1, msg="hello")
    with pytest.raises(AssertionError, match="^Failed: Tensor-likes"):
        assert_close(x, x + 1, msg=lambda text: f"Failed: {text}")
    with pytest.raises(ValueError, match="got no atol"):
        assert_close(x, x, rtol=1.0)
    assert_close(x.half(), (x + 1e-3).half())
    assert_close(x.clone().requires_grad_(), x)


@pytest.mark.parametrize("name", ["float16", "bfloat16", "float32", "float64", "int8", "int64", "uint8", "bool"])
def test_make_tensor(name):
    dtype = getattr(autograd, name)
    x = make_tensor(20, 30, dtype=dtype)
    assert x.shape == (20, 30)
    assert x.dtype is dtype
    assert len(set(x.reshape(-1).tolist())) > 1
    nonzero = make_tensor((200,), dtype=dtype, low=0, high=2, exclude_zero=True)
    assert nonzero.all()
    strided = make_tensor(4, 5, dtype=dtype, noncontiguous=True)
    assert not strided.is_contiguous()
    assert strided.shape == (4, 5)
    if dtype.is_floating_point:
        x = make_tensor(3, dtype=dtype, low=1, high=2, requires_grad=True)
        assert x.requires_grad
        assert x.is_leaf
        assert x.min() >= 1
        assert x.max() <= 2
    with pytest.raises(ValueError, match="low"):
        make_tensor(2, dtype=dtype, low=1, high=1)


def test_make_tensor_follows_the_seed():
    autograd.manual_seed(1)
    first = make_tensor(5, dtype=autograd.float32)
    autograd.manual_seed(1)
    assert_close(make_tensor(5, dtype=autograd.float32), first, rtol=0, atol=0)


# --- Forward mode, batches -----------------------------------------------------------------------------------------


def _wrong_in_forward_mode(lib):
    base = lib.Function if lib is autograd else lib.autograd.Function

    class Triple(base):
        @staticmethod
        def forward(ctx, x):
            return x * 3

        @staticmethod
        def backward(ctx, g):
            return g * 3

        @staticmethod
        def jvp(ctx, tangent):
            return tangent * 2

    return Triple.apply


OPTIONS = [
    {"check_forward_ad": True},
    {"check_forward_ad": True, "check_backward_ad": False, "check_undefined_grad": False},
    {"check_forward_ad": True, "check_batched_forward_grad": True, "check_batched_grad": True},
    {"check_forward_ad": False, "check_backward_ad": False},
    {"check_backward_ad": False, "check_forward_ad": True},
    {"check_backward_ad": False, "check_forward_ad": True, "check_undefined_grad": False, "check_batched_grad": True},
    {"check_batched_forward_grad": True},
    {"check_batched_grad": True, "masked": False},
]


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch", "ignore:There is a performance drop")
@pytest.mark.parametrize("fast_mode", [False, True])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_forward_mode_and_batches(both, options, fast_mode):
    def program(lib, function):
        x = lib.tensor([[0.5, 1.5]], dtype=lib.float64, requires_grad=True)
        z = lib.tensor([[1 + 2j], [0.5j]], dtype=lib.complex128, requires_grad=True)
        check = (lib if lib is autograd else lib.autograd).gradcheck
        return check(function, (x, z), fast_mode=fast_mode, **options)

    both(lambda lib: program(lib, lambda x, z: (x.log() * z.exp(), (x.t() * z).abs().sum())))


def test_a_wrong_forward_rule_is_found(both):
    def program(lib, **options):
        x = lib.tensor([0.5, 1.5], dtype=lib.float64, requires_grad=True)
        check = (lib if lib is autograd else lib.autograd).gradcheck
        return check(_wrong_in_forward_mode(lib), x, raise_exception=False, **options)

    for fast_mode in (False, True):
        assert both(lambda lib: program(lib, fast_mode=fast_mode)) is True
        assert both(lambda lib: program(lib, check_forward_ad=True, fast_mode=fast_mode)) is False


def test_second_derivatives_in_forward_mode(both):
    def program(lib, **options):
        x = lib.tensor([0.5 + 1j, 1.5], dtype=lib.complex128, requires_grad=True)
        check = (lib if lib is autograd else lib.autograd).gradgradcheck
        return check(lambda x: x.exp() * x, x, **options)

    both(lambda lib: program(lib, check_fwd_over_rev=True))
    both(lambda lib: program(lib, check_fwd_over_rev=True, check_rev_over_rev=False, check_undefined_grad=False))
