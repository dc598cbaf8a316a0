"""Printing: PyTorch's ``repr`` is the expected text, for a table of arrays and options and for drawn ones."""

from __future__ import annotations

import contextlib
import itertools
import math
import threading

import numpy as np
import pytest

from autograd import printing
from autograd.printing import format_tensor, printoptions, set_printoptions

NAN, INF = math.nan, math.inf
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
DTYPES = ["float16", "float32", "float64", "complex64", "complex128", "bool", *INTEGERS]


def _text(array, suffixes=(), default="float32", **options):
    array = np.asarray(array)
    name = f"torch.{array.dtype}"
    with printoptions(**options) if options else contextlib.nullcontext():
        return format_tensor(array, suffixes=suffixes, default_dtype=np.dtype(default), dtype_name=name)


def _assert_as_torch(torch, array, suffixes=(), default="float32", graph=None, **options):
    tensor = torch.from_numpy(np.array(array))
    tensor = graph(tensor) if graph else tensor
    torch_default = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, default))
    try:
        with torch._tensor_str.printoptions(**options):
            expected = repr(tensor)
    finally:
        torch.set_default_dtype(torch_default)
    with printoptions(**options):
        assert _text(array, suffixes, default) == expected, (array.dtype, array.shape, default, options)


# Literal expectations


LITERALS = [
    (np.float32(1), {}, "tensor(1.)"),
    (np.float64(0.1), {}, "tensor(0.1000, dtype=torch.float64)"),
    (np.array(3), {}, "tensor(3)"),
    (np.array([True, False]), {}, "tensor([ True, False])"),
    (np.array([1, -20], np.int8), {}, "tensor([  1, -20], dtype=torch.int8)"),
    (np.float32([1, -2.5, NAN, INF]), {}, "tensor([ 1.0000, -2.5000,     nan,     inf])"),
    (np.float32([1, 2000]), {}, "tensor([1.0000e+00, 2.0000e+03])"),
    (np.float32([0, -0.0, NAN, -INF]), {}, "tensor([0., -0., nan, -inf])"),
    (np.complex64([1 + 2j, -0.5j]), {}, "tensor([1.+2.0000j, -0.-0.5000j])"),
    (np.float32([0.5, 3]), {"precision": 2}, "tensor([0.50, 3.00])"),
    (np.float32([0.5, 3]), {"sci_mode": True, "precision": 1}, "tensor([5.0e-01, 3.0e+00])"),
    (np.float32([1e-9, 1]), {"sci_mode": False}, "tensor([0.0000, 1.0000])"),
    (np.empty(0, np.float32), {}, "tensor([])"),
    (np.empty(0, np.int64), {}, "tensor([], dtype=torch.int64)"),
    (np.empty((0, 3), np.float64), {}, "tensor([], size=(0, 3), dtype=torch.float64)"),
    (np.arange(2000), {}, "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"),
    (np.arange(8), {"threshold": 4, "edgeitems": 1}, "tensor([0,  ..., 7])"),
    (np.arange(8), {"threshold": 4, "edgeitems": 0}, "tensor([...], size=(8,))"),
    (np.arange(8), {"linewidth": 20}, "tensor([0, 1, 2, 3,\n        4, 5, 6, 7])"),
    (
        np.arange(8.0, dtype=np.float32).reshape(2, 2, 2),
        {},
        "tensor([[[0., 1.],\n         [2., 3.]],\n\n        [[4., 5.],\n         [6., 7.]]])",
    ),
]


def test_literal_texts():
    for array, options, expected in LITERALS:
        assert _text(array, **options) == expected


def test_suffixes_follow_the_dtype_and_wrap():
    x = np.ones(2)
    assert _text(x, ["requires_grad=True"]) == "tensor([1., 1.], dtype=torch.float64, requires_grad=True)"
    assert _text(x, ["requires_grad=True"], default="float64") == "tensor([1., 1.], requires_grad=True)"
    wrapped = "tensor([1., 1.],\n       dtype=torch.float64,\n       requires_grad=True)"
    assert _text(x, ["requires_grad=True"], linewidth=30) == wrapped


def test_prefix_sets_the_indent():
    x = np.ones((2, 1), np.float32)
    assert format_tensor(x, prefix="Masked(", default_dtype=np.float32, dtype_name="torch.float32") == (
        "Masked([[1.],\n        [1.]])"
    )
    text = format_tensor(x, prefix="(", suffixes=["a" * 80], default_dtype=np.float32, dtype_name="")
    assert text == "([[1.],\n  [1.]],\n " + "a" * 80 + ")"


def test_complex_default_follows_the_float_default():
    z = np.array([1j])
    assert "dtype=torch.complex128" in _text(z, default="float32")
    assert "dtype" not in _text(z, default="float64")
    assert "dtype=torch.complex64" in _text(z.astype(np.complex64), default="float64")


def test_only_the_printed_corners_are_read():
    # A terabyte-sized view over one element: anything that visits all of it would never come back.
    x = np.broadcast_to(np.float32(1), (10**6, 3, 10**6))
    assert _text(x).count("1.") == 6 * 3 * 6
    assert _text(np.broadcast_to(np.complex64(1), (7, 10**9)), edgeitems=1).count("1.") == 4


def test_array_is_left_alone():
    for layout in (lambda x: x, lambda x: x.T, lambda x: x[::-1, ::2], lambda x: x.astype(">f8")):
        x = layout(np.linspace(-1, 1, 24).reshape(4, 6))
        before = x.copy()
        x.flags.writeable = False
        plain = np.ascontiguousarray(x, dtype=np.float64)
        assert _text(x, default=x.dtype) == _text(plain, default="float64")
        np.testing.assert_array_equal(x, before)


# Options


def test_set_printoptions_keeps_what_is_not_passed_except_sci_mode():
    x = np.float32([0.5, 3])
    with printoptions(profile="default"):
        set_printoptions(precision=1, sci_mode=True)
        assert _text(x) == "tensor([5.0e-01, 3.0e+00])"
        set_printoptions(linewidth=70)
        assert _text(x) == "tensor([0.5, 3.0])"
        set_printoptions(profile="short")
        assert _text(x) == "tensor([0.50, 3.00])"
        set_printoptions(profile="short", precision=3)
        assert _text(x) == "tensor([0.500, 3.000])"
        set_printoptions(profile="full")
        assert _text(np.zeros(1500, np.float32)).count("0.") == 1500


def test_printoptions_restores_after_an_error_and_when_nested():
    x = np.float32(0.5)
    with printoptions(precision=1):
        with printoptions(precision=2):
            assert _text(x) == "tensor(0.50)"
        with pytest.raises(ZeroDivisionError), printoptions(precision=2):
            raise ZeroDivisionError
        assert _text(x) == "tensor(0.5)"
    assert _text(x) == "tensor(0.5000)"


def test_options_reach_every_thread():
    texts = []
    with printoptions(precision=1):
        thread = threading.Thread(target=lambda: texts.append(_text(np.float32(0.5))))
        thread.start()
        thread.join()
    assert texts == ["tensor(0.5)"]


def test_no_limit_on_the_line():
    assert "\n" not in _text(np.zeros(500), ["requires_grad=True"], linewidth=INF)
    assert _text(np.zeros(3), linewidth=-INF).count("\n") == 3


def test_bad_options_change_nothing():
    table = [
        ({"precision": 2.5}, TypeError, "precision must be an int, but got 2.5"),
        ({"precision": True}, TypeError, "precision must be an int"),
        ({"precision": -1}, ValueError, "precision must not be negative, but got -1"),
        ({"edgeitems": -1}, ValueError, "edgeitems must not be negative, but got -1"),
        ({"edgeitems": "3"}, TypeError, "edgeitems must be an int, but got '3'"),
        ({"threshold": "all"}, TypeError, "threshold must be a number, but got 'all'"),
        ({"threshold": NAN}, ValueError, "threshold must not be NaN"),
        ({"linewidth": None, "profile": "long"}, ValueError, "profile must be one of .*'full'.* got 'long'"),
        ({"linewidth": 1j}, TypeError, "linewidth must be a number"),
        ({"sci_mode": "auto"}, TypeError, "sci_mode must be True, False or None, but got 'auto'"),
    ]
    before = printing._options
    for options, error, message in table:
        with pytest.raises(error, match=message):
            set_printoptions(**{"precision": 1, **options})
        with pytest.raises(error, match=message), printoptions(**options):
            raise AssertionError("entered")
        assert printing._options is before


def test_bad_arrays():
    bad = [[1.0], np.float32(1), np.array(["a"]), np.array([None]), np.zeros(2, "M8[s]")]
    if np.dtype(np.longdouble).itemsize > 8:
        bad += [np.zeros(2, np.longdouble), np.zeros(2, np.clongdouble)]
    for value in bad:
        with pytest.raises(TypeError, match=r"format_tensor: (array must be a numpy.ndarray|cannot print dtype)"):
            format_tensor(value, default_dtype=np.float32, dtype_name="torch.float32")


# PyTorch's text


OPTIONS = [
    {},
    {"profile": "short"},
    {"profile": "full"},
    {"precision": 0},
    {"precision": 10},
    {"threshold": 5, "edgeitems": 1},
    {"threshold": 5, "edgeitems": 2, "linewidth": 33},
    {"threshold": 0, "edgeitems": 0},
    {"threshold": -1},
    {"edgeitems": 0},
    {"linewidth": 0},
    {"linewidth": 120, "precision": 6},
    {"sci_mode": True},
    {"sci_mode": False, "precision": 3},
]

# Arrays, between commas: near each threshold of the notation, without magnitude, at the ends of the range.
FLOATS = [
    [float(value) for value in row.split()]
    for row in """
        0,  -0,  1,  -1 0,  1 -0,  1.5,  1 2 3,  1 1000,  1 1001,  1.5 1500,  1.5 1502,  0.1 100,  0.1 101
        1e8,  100000008,  100000001.5,  1e9,  1e-4,  0.99e-4,  1.01e-4,  1e-4 0.5,  0.99999,  9.99999 -10
        nan,  inf,  -inf,  nan inf -inf,  nan 1,  -inf 1,  nan 0.5,  inf 1e10,  0 nan 1e-7,  -nan
        6e-8 6e4,  5e-324,  1e308,  5e-324 1e308,  1e-45 3e38,  9007199254740992 1,  1e22
    """.replace("\n", ",").split(",")
    if row.strip()
]
SHAPES = [(0,), (0, 3), (2, 0), (1, 0, 4), (), (1,), (3, 4), (1, 1, 1, 1), (2, 3, 4), (2, 2, 3, 2, 2)]


def _arrays():
    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        for shape in SHAPES:
            yield rng.integers(0, 100, shape).astype(dtype)
        yield np.arange(40).astype(dtype)
        yield np.arange(1200).reshape(60, 20).astype(dtype)
    for dtype in ("float16", "float32", "float64"):
        for values in FLOATS:
            with np.errstate(over="ignore"):
                yield np.array(values).astype(dtype)
                yield np.array(values[0]).astype(dtype)
        for scale in (1e-6, 1e-3, 1, 1e3):
            yield (scale * rng.standard_normal((7, 13))).astype(dtype)
        yield rng.standard_normal((11, 12, 13)).astype(dtype)
    for real, imag in itertools.product(FLOATS[::3], FLOATS[1::4]):
        values = np.empty(max(len(real), len(imag)), np.complex128)
        values.real, values.imag = np.resize(real, values.shape), np.resize(imag, values.shape)
        yield values
        yield values[0].reshape(())
    for dtype in ("complex64", "complex128"):
        yield (rng.standard_normal((9, 150)) + 1j * rng.standard_normal((9, 150))).astype(dtype)
    for dtype in INTEGERS:
        info = np.iinfo(dtype)
        yield np.array([info.min, 0, info.max], dtype)


def test_table_as_torch():
    torch = pytest.importorskip("torch")
    for array in _arrays():
        for options in OPTIONS:
            # PyTorch takes long over every element, and a long tensor shows nothing a short one does not.
            if array.size <= 1000 or options.get("profile") != "full":
                _assert_as_torch(torch, array, **options)


def test_default_dtype_as_torch():
    torch = pytest.importorskip("torch")
    for default, dtype, shape in itertools.product(("float16", "float32", "float64"), DTYPES, ((), (2,), (0,), (0, 2))):
        _assert_as_torch(torch, np.ones(shape, dtype), default=default)


def test_suffixes_as_torch():
    torch = pytest.importorskip("torch")
    requires_grad = ["requires_grad=True"], lambda x: x.requires_grad_()
    grad_fn = ["grad_fn=<MulBackward0>"], lambda x: x.requires_grad_() * 1
    for (suffixes, graph), dtype in itertools.product((requires_grad, grad_fn), ("float32", "float64", "complex128")):
        for shape in ((), (0,), (0, 3), (1,), (5,), (6,), (7,), (30,), (3, 2), (2, 2, 2)):
            for linewidth in (10, *range(20, 100, 3)):
                array = np.full(shape, 0.5, dtype)
                _assert_as_torch(torch, array, suffixes, graph=graph, linewidth=linewidth)


def test_drawn_arrays_as_torch():
    torch = pytest.importorskip("torch")
    hypothesis = pytest.importorskip("hypothesis")
    st = pytest.importorskip("hypothesis.strategies")
    arrays = pytest.importorskip("hypothesis.extra.numpy")

    def optional(strategy):
        return st.none() | strategy

    options = st.fixed_dictionaries(
        {
            "precision": optional(st.integers(0, 12)),
            "threshold": optional(st.integers(-1, 60)),
            "edgeitems": optional(st.integers(0, 4)),
            "linewidth": optional(st.integers(-5, 150)),
            "profile": st.sampled_from((None, "default", "short", "full")),
            "sci_mode": st.sampled_from((None, True, False)),
        }
    )

    @st.composite
    def drawn(draw):
        dtype = np.dtype(draw(st.sampled_from(DTYPES)))
        shape = draw(arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=9))
        if dtype.kind not in "fc" or draw(st.booleans()):
            return draw(arrays.arrays(dtype, shape))
        # Values of like magnitude, which independent draws hardly ever are.
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        parts = []
        for _ in range(2):
            values = rng.standard_normal(shape) * 10.0 ** draw(st.integers(-9, 9))
            values = np.round(values) if draw(st.booleans()) else values
            special = rng.choice([0.0, -0.0, NAN, INF, -INF], shape)
            parts.append(np.where(rng.random(shape) < draw(st.sampled_from((0, 0.3))), special, values))
        values = np.empty(shape, np.complex128)
        values.real, values.imag = parts
        with np.errstate(over="ignore"):
            return np.asarray((values if dtype.kind == "c" else values.real).astype(dtype))

    @hypothesis.settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @hypothesis.given(drawn(), options, st.sampled_from(("float16", "float32", "float64")))
    def check(array, drawn_options, default):
        _assert_as_torch(torch, array, default=default, **drawn_options)

    check()
