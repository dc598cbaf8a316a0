"""The same expression in our library and in PyTorch: results, gradients, errors, views."""

import warnings

import numpy as np
import pytest

TOLERANCE = {"float16": (2e-3, 1e-4), "float32": (3e-6, 2e-6), "float64": (1e-11, 1e-12)}
TOLERANCE |= {"complex64": TOLERANCE["float32"], "complex128": TOLERANCE["float64"]}


def agree(mine, other, rtol=None, atol=None, what=""):
    """Structure, dtypes, shapes and values of our result and PyTorch's are the same."""
    if isinstance(other, (tuple, list)) and not hasattr(other, "numel"):
        assert len(mine) == len(other), what
        for a, b in zip(mine, other, strict=True):
            agree(a, b, rtol, atol, what)
        return
    if not hasattr(other, "numpy"):
        assert mine == other, f"{what}: ours {mine!r}, PyTorch's {other!r}"
        return
    assert str(mine.dtype) == str(other.dtype), what
    assert tuple(mine.shape) == tuple(other.shape), what
    if rtol is None:
        rtol, atol = TOLERANCE.get(str(mine.dtype).removeprefix("torch."), (0, 0))
    mine, other = mine.detach().numpy(), other.detach().resolve_conj().numpy()
    np.testing.assert_allclose(mine, other, rtol, atol, equal_nan=True, err_msg=what)


def outcome(function, *args, **kwargs):
    """The result, or the type of the error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs), None
    except Exception as error:
        return None, type(error)


def numbers(dtype, shape=(2, 3, 4), seed=0, below=6):
    """An array of numbers from -3 to 3; of integers from 0 and ``below``; of bools."""
    generator = np.random.default_rng(seed)
    if dtype == "bool":
        return generator.random(shape) < 0.7
    values = generator.uniform(-3, 3, shape) if dtype.startswith("float") else generator.integers(0, below, shape)
    return values.astype(dtype)


def twins(ours, theirs, expression):
    """``expression(library, *tensors)`` as a function of the tensors, in each library."""
    return [lambda *t, L=library: expression(L, *t) for library in (ours, theirs)]


def weights(shape):
    return np.random.default_rng(7).uniform(0.5, 1.5, tuple(shape))


def backward(library, function, arrays, create_graph=False):
    """Value of ``function`` and the gradients of ``sum(weights * value)`` for the floating-point ``arrays``."""
    tensors = [library.of(array, array.dtype.kind == "f") for array in arrays]
    out = function(*tensors)
    inputs = [tensor for tensor in tensors if tensor.requires_grad]
    if not out.requires_grad:
        return out, []
    seed = library.of(np.asarray(weights(out.shape), str(out.dtype).removeprefix("torch.")))
    grad = library.autograd.grad if hasattr(library, "autograd") else library.grad
    return out, grad(out, inputs, seed, create_graph=create_graph, allow_unused=True)


def agree_with_gradients(ours, theirs, mine, other, arrays, rtol=None, atol=None, what=""):
    """Value and gradients of our function and of PyTorch's are the same."""
    value, gradients = backward(ours, mine, arrays)
    their_value, their_gradients = backward(theirs, other, arrays)
    agree(value, their_value, rtol, atol, what)
    for a, b, array in zip(gradients, their_gradients, [x for x in arrays if x.dtype.kind == "f"], strict=True):
        # An input that takes no part may have the gradient None in one library and 0 in the other.
        a, b = (library.of(np.zeros_like(array)) if g is None else g for library, g in ((ours, a), (theirs, b)))
        agree(a, b, rtol, atol, what)


def agree_on(ours, theirs, expression, arrays, rtol=None, atol=None, what=""):
    """An expression without gradients gives the same in both libraries, or the same type of error."""
    (mine, my_error), (other, their_error) = (
        outcome(expression, library, *map(library.of, arrays)) for library in (ours, theirs)
    )
    assert my_error is their_error, f"{what}: ours {my_error or mine}, PyTorch's {their_error or other}"
    if their_error is None:
        agree(mine, other, rtol, atol, what)


def refuse_alike(ours, theirs, expression, words=()):
    """A bad call raises the same type of error as in PyTorch, `LinAlgError` for its own, and our message says
    ``words``."""
    with pytest.raises(Exception) as theirs_raised:
        expression(theirs)
    with pytest.raises(Exception) as raised:
        expression(ours)
    of_linalg = theirs_raised.type is theirs.linalg.LinAlgError
    expected = ours.linalg.LinAlgError if of_linalg else theirs_raised.type
    assert raised.type is expected, f"{raised.value!r} where PyTorch raises {theirs_raised.value!r}"
    for word in words:
        assert str(word) in str(raised.value), f"{word!r} is missing in: {raised.value}"


def same_memory(a, b):
    """Whether two tensors lie in the same memory."""
    return bool(np.shares_memory(a.detach().numpy(), b.detach().numpy()))


def strides_of(tensor):
    """The steps in memory of the dimensions along which there is a step."""
    return [step for step, n in zip(tensor.stride(), tensor.shape, strict=True) if n > 1]


def agree_in_memory(ours, theirs, call, array, what=""):
    """The result of ``call(L, x)``, one tensor or several: a view where PyTorch's is, with its strides."""
    mine, other = ours.of(array), theirs.of(array)
    a, b = call(ours, mine), call(theirs, other)
    agree(a, b, what=what)
    for x, y in zip(a, b, strict=True) if isinstance(b, tuple) else [(a, b)]:
        assert same_memory(x, mine) == same_memory(y, other), what
        if y.numel() > 1:
            assert strides_of(x) == strides_of(y), what
            assert x.storage_offset() == y.storage_offset(), what
