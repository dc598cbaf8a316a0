"""New tensors, number by number against PyTorch: sequences of every dtype, options, memory formats, sharing."""

from __future__ import annotations

import numpy as np
import pytest

import autograd

DTYPES = [
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "complex64",
    "complex128",
    "bool",
]
RANGES = [
    (5,), (0,), (2.5,), (1, 7), (-3, 4, 2), (7, -3, -3), (0, 1, 0.1), (0.5, 5), (1, 1), (0, 10.5, 3), (100, 300, 7),
    (-1.5, 2, 0.25), (0, 5, 2.0), (True,), (3, 0, -1), (1e-3, 1, 0.3), (0, 1000, 1), (2**33, 2**33 + 3),
]  # fmt: skip
SPANS = [
    (0, 1, 5),
    (3, 10, 4),
    (-1, 1, 1),
    (0, 1, 0),
    (5, -5, 11),
    (0.1, 0.7, 7),
    (-100, 100, 17),
    (1, 1, 3),
    (0, 3, 100),
    (0.5, 2.5, 1),
]


def outcome(function, *args, **kwargs):
    try:
        made = function(*args, **kwargs)
    except Exception as error:
        return type(error).__name__
    return str(made.dtype), tuple(made.shape), made.tolist()


@pytest.mark.parametrize("dtype", [None, *DTYPES])
@pytest.mark.parametrize(
    ("name", "cases"), [("arange", RANGES), ("range", RANGES), ("linspace", SPANS), ("logspace", SPANS)]
)
@pytest.mark.filterwarnings("ignore")
def test_sequences(name, cases, dtype, torch):
    wrong = []
    for args in cases:
        if name == "logspace" and dtype not in (None, "float16", "float32", "float64") and abs(args[1]) > 4:
            continue  # the powers do not fit
        if dtype == "float16" and args[0] == 2**33:
            continue  # infinite: PyTorch's own functions do not agree how many elements there are
        if name == "range" and dtype is not None and "int" in dtype and int(args[-1]) != args[-1]:
            continue  # PyTorch divides by a step of 0, and the process ends
        options = [{} if dtype is None else {"dtype": getattr(lib, dtype)} for lib in (autograd, torch)]
        ours = outcome(getattr(autograd, name), *args, **options[0])
        theirs = outcome(getattr(torch, name), *args, **options[1])
        if ours == theirs:
            continue
        floats = len(ours) == len(theirs) == 3 and ours[:2] == theirs[:2] and not ours[0].startswith("torch.int")
        tolerance = 1e-2 if dtype == "float16" else 1e-6
        if not (floats and np.allclose(ours[2], theirs[2], rtol=tolerance, atol=1e-7)):
            wrong.append((args, ours, theirs))
    assert not wrong


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "value", [0, 1, -1, 255, 256, -129, 2**31, 2**63 - 1, 1.7, -0.5, 65504.0, 7e4, 1e39, 1e300, float("inf"),
              float("-inf"), float("nan"), True, 1j, 2 + 0j, 1 + 2j]
)  # fmt: skip
def test_numbers_that_fit_and_those_that_do_not(value, dtype, torch):
    for call in (
        lambda lib, kind: lib.full((2,), value, dtype=kind),
        lambda lib, kind: lib.ones(2, dtype=kind).fill_(value),
        lambda lib, kind: lib.full_like(lib.ones(2, dtype=kind), value),
        lambda lib, kind: lib.ones(1).new_full((2,), value, dtype=kind),
        lambda lib, kind: lib.scalar_tensor(value, dtype=kind),
        lambda lib, kind: lib.fill(lib.ones(2, dtype=kind), value),
    ):
        ours, theirs = (outcome(call, lib, getattr(lib, dtype)) for lib in (autograd, torch))
        if ours == "RuntimeError" and theirs == ("torch.float16", (), float("inf")):
            continue  # scalar_tensor alone does not mind
        if isinstance(ours, tuple) and isinstance(theirs, tuple):
            assert ours[:2] == theirs[:2]
            assert np.array_equal(ours[2], theirs[2], equal_nan=True), (value, dtype)
        else:
            assert ours == theirs, (value, dtype)


FACTORIES = {
    "zeros": lambda lib, **o: lib.zeros(2, 3, **o),
    "ones": lambda lib, **o: lib.ones((2, 3), **o),
    "full": lambda lib, **o: lib.full((2, 3), 2.5, **o),
    "zeros_like": lambda lib, **o: lib.zeros_like(lib.ones(2, 3), **o),
    "ones_like": lambda lib, **o: lib.ones_like(lib.ones(2, 3), **o),
    "full_like": lambda lib, **o: lib.full_like(lib.ones(2, 3), 2, **o),
    "new_zeros": lambda lib, **o: lib.ones(1).new_zeros(2, 3, **o),
    "new_ones": lambda lib, **o: lib.ones(1).new_ones((2, 3), **o),
    "new_full": lambda lib, **o: lib.ones(1).new_full((2, 3), 2, **o),
    "new_tensor": lambda lib, **o: lib.ones(1).new_tensor([1, 2], **o),
    "arange": lambda lib, **o: lib.arange(3.0, **o),
    "linspace": lambda lib, **o: lib.linspace(0, 1, 3, **o),
    "logspace": lambda lib, **o: lib.logspace(0, 1, 3, **o),
    "eye": lambda lib, **o: lib.eye(2, **o),
    "scalar_tensor": lambda lib, **o: lib.scalar_tensor(3, **o),
    "tril_indices": lambda lib, **o: lib.tril_indices(3, 3, **o),
}
OPTIONS = [
    "layout=lib.strided", "device='cpu'", "device=lib.device('cpu')", "pin_memory=False", "requires_grad=True",
    "requires_grad=False", "dtype=lib.float64", "dtype=lib.int64", "dtype=lib.int64, requires_grad=True",
    "dtype=lib.complex64, requires_grad=True", "pin_memory=True", "device='cuda'", "layout=3", "requires_grad=1",
    "dtype='float32'", "nothing=1", "dtype=float", "device=1.5",
]  # fmt: skip


@pytest.mark.parametrize("name", FACTORIES)
def test_options(name, torch):
    for option in OPTIONS:
        ours, theirs = (
            outcome(lambda lib, text=option: FACTORIES[name](lib, **eval(f"dict({text})")), lib)
            for lib in (autograd, torch)
        )
        assert ours == theirs, f"{name}({option})"
        if isinstance(ours, tuple):
            made = [eval(f"f(lib, {option})", {"f": FACTORIES[name], "lib": lib}) for lib in (autograd, torch)]
            assert made[0].requires_grad == made[1].requires_grad
            assert made[0].is_leaf


@pytest.mark.parametrize("name", ["zeros", "ones", "full", "arange", "linspace", "logspace", "eye"])
def test_out(name, torch):
    for dtype in ["float32", "float64", "int64"] + ["complex64"] * (name != "arange"):
        results = []
        for lib in (autograd, torch):
            out = lib.zeros(0, dtype=getattr(lib, dtype))
            result = FACTORIES[name](lib, out=out)
            assert result is out
            results.append((str(out.dtype), tuple(out.shape), out.tolist()))
        assert results[0][:2] == results[1][:2]
        assert np.allclose(results[0][2], results[1][2])
    out = autograd.zeros(3)
    with pytest.raises(RuntimeError, match="does not match dtype of out"):
        FACTORIES[name](autograd, out=out, dtype=autograd.float64)
    assert out.tolist() == [0, 0, 0]


@pytest.mark.parametrize("form", ["channels_last", "contiguous_format", "preserve_format"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 2, 2, 2)])
def test_memory_formats(form, shape, torch):
    calls = (
        "lib.zeros_like(x, memory_format=form)",
        "lib.empty_like(x.permute(0, 2, 3, 1), memory_format=form)",
        "lib.empty(x.shape, memory_format=form)",
        "x.contiguous(memory_format=form)",
        "x.transpose(1, 2).contiguous(memory_format=form)",
        "x.clone(memory_format=form)",
        "x.transpose(1, 3).clone(memory_format=form)",
        "x.to(memory_format=form)",
        "x.double(memory_format=form)",
        "x.is_contiguous(memory_format=form)",
        "x.to(memory_format=form).is_contiguous(memory_format=form)",
        "x.to(lib.float64, memory_format=form).to(lib.float32)",
    )
    for call in calls:
        results = []
        for lib in (autograd, torch):
            names = {"lib": lib, "x": lib.arange(float(np.prod(shape))).reshape(shape), "form": getattr(lib, form)}
            try:
                result = eval(call, names)
                results.append(result if isinstance(result, bool) else (tuple(result.stride()), str(result.dtype)))
            except Exception as error:
                results.append(type(error).__name__)
        assert results[0] == results[1], call


def test_gradients_pass_through_memory_formats():
    x = autograd.rand(2, 3, 4, 5, requires_grad=True)
    weight = autograd.rand(2, 3, 4, 5)
    (x.contiguous(memory_format=autograd.channels_last) * weight).sum().backward()
    assert x.grad.tolist() == weight.tolist()


def test_memory_is_shared_where_pytorch_shares_it():
    array = np.arange(3.0)
    for made in (autograd.from_numpy(array), autograd.as_tensor(array), autograd.asarray(array, copy=False)):
        assert np.shares_memory(made.numpy(), array)
    for made in (autograd.tensor(array), autograd.asarray(array, copy=True)):
        assert not np.shares_memory(made.numpy(), array)
    x = autograd.ones(2)
    assert autograd.as_tensor(x) is x
    assert autograd.asarray(x) is x
    assert autograd.asarray(x, copy=True) is not x
    capsule = autograd.from_dlpack(autograd.to_dlpack(x))
    capsule[0] = 5
    assert x[0] == 5
    memory = bytearray(8)
    autograd.frombuffer(memory, dtype=autograd.float32).fill_(1)
    assert np.frombuffer(memory, "f4").tolist() == [1, 1]
