"""Convolution on plain arrays against PyTorch, in both readings."""

import sys
import threading

import numpy as np
import pytest
from guarding import GUARD

from autograd.kernels import conv, conv_columns, jit, threads

if jit.numba_available():
    from autograd.kernels import conv_direct

# Of the largest element: sums cancel.
TOLERANCE = {"float32": 3e-6, "float64": 1e-14}

# x, weight, stride, padding, dilation, groups
CASES = {
    "plain": ((2, 3, 7, 8), (4, 3, 3, 3), (1, 1), (0, 0), (1, 1), 1),
    "lenet": ((3, 1, 28, 28), (20, 1, 5, 5), (1, 1), (0, 0), (1, 1), 1),
    "stride": ((2, 3, 9, 8), (4, 3, 3, 2), (2, 3), (0, 0), (1, 1), 1),
    "padding": ((2, 3, 5, 6), (4, 3, 3, 3), (1, 1), (1, 2), (1, 1), 1),
    "padding wider than the image": ((1, 2, 2, 1), (3, 2, 3, 4), (1, 2), (3, 5), (1, 1), 1),
    "dilation": ((2, 3, 9, 10), (4, 3, 3, 3), (1, 1), (0, 0), (2, 3), 1),
    "everything": ((2, 6, 11, 9), (4, 3, 3, 2), (2, 3), (2, 1), (2, 1), 2),
    "rows that no window reaches": ((2, 2, 8, 8), (3, 2, 2, 2), (3, 3), (0, 0), (1, 1), 1),
    "stride beyond the kernel": ((2, 2, 9, 9), (3, 2, 1, 1), (4, 3), (0, 0), (1, 1), 1),
    "depthwise": ((2, 6, 7, 7), (6, 1, 3, 3), (1, 1), (1, 1), (1, 1), 6),
    "depthwise, everything": ((2, 3, 9, 10), (3, 1, 3, 2), (2, 3), (2, 1), (2, 1), 3),
    "depthwise 1-d": ((2, 4, 13), (4, 1, 3), (2,), (2,), (2,), 4),
    "depthwise 3-d": ((2, 3, 6, 5, 7), (3, 1, 2, 3, 3), (2, 1, 1), (1, 0, 2), (1, 2, 1), 3),
    "depthwise, no samples": ((0, 3, 7, 8), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3),
    "one map": ((3, 1, 7, 8), (1, 1, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "depthwise, two filters": ((2, 3, 7, 7), (6, 1, 3, 3), (2, 2), (1, 1), (1, 1), 3),
    "pointwise": ((2, 6, 5, 4), (8, 3, 1, 1), (1, 1), (0, 0), (1, 1), 2),
    "pointwise with padding": ((2, 6, 5, 4), (8, 6, 1, 1), (1, 1), (1, 1), (1, 1), 1),
    "pointwise, stride and padding keep the size": ((2, 3, 1, 1), (4, 3, 1, 1), (3, 3), (1, 1), (1, 1), 1),
    "whole image": ((3, 2, 4, 5), (4, 2, 4, 5), (1, 1), (0, 0), (1, 1), 1),
    "no samples": ((0, 3, 7, 8), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "1-d": ((2, 4, 13), (6, 2, 3), (2,), (2,), (2,), 2),
    "3-d": ((2, 4, 6, 5, 7), (6, 2, 3, 2, 3), (2, 1, 2), (1, 0, 2), (1, 2, 1), 2),
}


# Where the compiled loops cut: tiles of 12 filters and 32 positions (less elsewhere), vectors that go on in the next
# row, blocks of 288 taps, strides that leave taps or remainders out, images cut into bands.
EDGES = {
    **{
        f"{filters} filters": ((2, 2, 5, 6), (filters, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1)
        for filters in (1, 4, 5, 8, 9, 11, 12, 13, 23, 24, 25, 33, 65)
    },
    **{
        f"{width} wide": ((2, 3, 4, width), (5, 3, 2, 3), (1, 1), (0, 1), (1, 1), 1)
        for width in (1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 34, 48, 63, 65, 300)
    },
    **{
        f"padding {padding}": ((2, 3, 6, 5), (4, 3, 3, 2), (1, 1), padding, dilation, 1)
        for padding in ((0, 0), (1, 0), (2, 1), (3, 2), (0, 5))
        for dilation in ((1, 1), (2, 3))
    },
    **{
        f"stride {stride}": ((3, 2, 7, 8), (6, 2, 3, 2), stride, (1, 1), (1, 1), 1)
        for stride in ((1, 2), (2, 1), (2, 2), (3, 3), (5, 4), (9, 9))
    },
    **{
        f"depthwise, {height} x {width}": ((2, 3, height, width), (3, 1, 3, 3), (1, 1), (1, 1), (1, 1), 3)
        for height, width in ((1, 16), (4, 15), (5, 17), (7, 33), (8, 8), (12, 16), (13, 7), (25, 48), (6, 100))
    },
    "depthwise, 5 x 5": ((2, 3, 14, 15), (3, 1, 5, 5), (1, 1), (2, 2), (1, 1), 3),
    "depthwise, 7 x 7": ((2, 3, 11, 35), (3, 1, 7, 7), (1, 1), (3, 3), (1, 1), 3),
    "depthwise, 4 x 2": ((2, 3, 9, 40), (3, 1, 4, 2), (1, 1), (2, 1), (1, 1), 3),
    "depthwise, no window reaches the image": ((1, 2, 1, 1), (2, 1, 1, 1), (5, 5), (2, 2), (1, 1), 2),
    "depthwise 3-d, plain": ((2, 3, 4, 9, 7), (3, 1, 3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 3),
    "stride and dilation share a factor": ((2, 2, 11, 12), (3, 2, 3, 3), (2, 4), (1, 2), (2, 2), 1),
    "many taps": ((2, 70, 5, 5), (13, 70, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "groups": ((3, 26, 6, 7), (39, 2, 3, 3), (1, 1), (1, 1), (1, 1), 13),
    "groups, stride": ((3, 6, 6, 7), (9, 2, 3, 3), (2, 2), (1, 1), (1, 1), 3),
    "one output": ((5, 4, 3, 3), (7, 4, 3, 3), (1, 1), (0, 0), (1, 1), 1),
    "sizes of one": ((1, 2, 1, 1), (2, 2, 1, 1), (1, 1), (1, 2), (1, 1), 1),
    "1-d, long": ((2, 3, 700), (5, 3, 9), (1,), (4,), (1,), 1),
    "1-d, stride": ((2, 3, 70), (5, 3, 9), (4,), (3,), (2,), 1),
    "3-d, plain": ((2, 3, 5, 4, 6), (13, 3, 3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 1),
    "3-d, stride": ((2, 2, 5, 6, 7), (4, 2, 3, 2, 3), (2, 3, 2), (1, 0, 1), (1, 1, 2), 1),
    "tall": ((1, 2, 90, 3), (3, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "many samples": ((33, 12, 4, 5), (13, 12, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "many samples, groups, stride": ((20, 24, 5, 6), (18, 12, 3, 2), (2, 1), (2, 1), (1, 2), 2),
    "many samples, 1-d": ((17, 8, 9), (16, 8, 4), (1,), (5,), (1,), 1),
    "many samples, 3-d": ((32, 8, 3, 2, 4), (9, 8, 2, 2, 3), (1, 1, 1), (1, 0, 1), (1, 1, 1), 1),
    "many channels": ((2, 40, 5, 6), (14, 40, 3, 2), (1, 1), (1, 1), (1, 1), 1),
    "many channels, stride and dilation": ((3, 36, 9, 10), (5, 36, 3, 2), (2, 3), (2, 1), (1, 2), 1),
    "many channels, 3-d": ((2, 33, 5, 3, 4), (6, 33, 3, 2, 2), (2, 1, 1), (1, 0, 1), (1, 1, 1), 1),
    "many channels a power of two": ((3, 128, 7, 6), (14, 64, 3, 3), (1, 1), (1, 1), (1, 1), 2),
}


@pytest.fixture(params=[None, 2000, 1], ids=["boxes", "small boxes", "boxes of one row"])
def boxes(request, monkeypatch):
    """Boxes as large as the cache, or so small that images are cut."""
    plans = []
    if jit.numba_available():
        plans = [conv_direct._forward_plan, conv_direct._gradient_plan, conv_direct.gradient_pays]
    if request.param:
        monkeypatch.setattr(conv_columns, "BOX_BYTES", request.param)
        if plans:
            monkeypatch.setattr(conv_direct, "BOX_BYTES", request.param)
    for plan in plans:
        plan.cache_clear()
    yield
    for plan in plans:
        plan.cache_clear()


def arrays(case, dtype, seed=0):
    x_shape, weight_shape, *_ = case
    generator = np.random.default_rng(seed)
    return [generator.standard_normal(shape).astype(dtype) for shape in (x_shape, weight_shape, weight_shape[:1])]


def expected(case, x, weight, bias):
    """PyTorch's output, an output gradient, and the gradients of x and weight."""
    torch = pytest.importorskip("torch")
    *_, stride, padding, dilation, groups = case
    x, weight, bias = (torch.tensor(a, requires_grad=True) for a in (x, weight, bias))
    convolve = getattr(torch.nn.functional, f"conv{x.ndim - 2}d")
    out = convolve(x, weight, bias, stride, padding, dilation, groups)
    g = torch.tensor(np.random.default_rng(1).standard_normal(out.shape)).to(out.dtype)
    gx, gw = torch.autograd.grad(out, (x, weight), g)
    return (value.detach().numpy() for value in (out, g, gx, gw))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_agrees_with_torch(reading, dtype, boxes):
    for name, case in {**CASES, **EDGES}.items():
        x_shape, weight_shape, *options = case
        x, weight, bias = arrays(case, dtype)
        out, g, gx, gw = expected(case, x, weight, bias)
        results = {
            "out": (conv.conv_forward(x, weight, bias, *options), out),
            "gx": (conv.conv_input_gradient(g, weight, x_shape, *options), gx),
            "gw": (conv.conv_weight_gradient(g, x, weight_shape, *options), gw),
            "no bias": (
                conv.conv_forward(x, weight, None, *options),
                out - bias.reshape(-1, *[1] * (x.ndim - 2)),
            ),
        }
        for what, (ours, theirs) in results.items():
            assert ours.dtype == dtype, (name, what)
            assert ours.shape == theirs.shape, (name, what)
            assert ours.flags.c_contiguous, (name, what)
            atol = TOLERANCE[dtype] * np.abs(theirs).max(initial=1)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol, err_msg=f"{name}: {what}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_input_gradient_in_tiles(dtype, boxes):
    """Also where columns would be faster."""
    pytest.importorskip("numba")
    pays = set()
    for name, case in {**CASES, **EDGES}.items():
        x_shape, weight_shape, *options = case
        x, weight, bias = arrays(case, dtype)
        if not x.size:
            continue
        _, g, gx, _ = expected(case, x, weight, bias)
        geometry = conv_columns.Geometry.of(x_shape, weight_shape, *options)
        ours = conv_direct.input_gradient(g, weight, x_shape, geometry, np.dtype(dtype))
        np.testing.assert_allclose(ours, gx, rtol=0, atol=TOLERANCE[dtype] * np.abs(gx).max(initial=1), err_msg=name)
        pays.add(conv_direct.gradient_pays(geometry, x.itemsize))
    assert pays == {True, False}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_samples_side_by_side(dtype, monkeypatch):
    """Also where vectors of positions would be faster."""
    pytest.importorskip("numba")
    from autograd.kernels import conv_abreast

    correlate, taken = conv_abreast.correlate, []
    monkeypatch.setattr(conv_abreast, "correlate", lambda *args: taken.append(args) or correlate(*args))
    monkeypatch.setattr(conv_direct, "_abreast_pays", lambda *args, is_gradient: True)
    wanted = 0
    for name, case in {**CASES, **EDGES}.items():
        x_shape, weight_shape, stride, *options = case
        x, weight, bias = arrays(case, dtype)
        if not x.size:
            continue
        out, g, gx, _ = expected(case, x, weight, bias)
        geometry = conv_columns.Geometry.of(x_shape, weight_shape, stride, *options)
        results = [(conv_direct.forward(x, weight, bias, geometry, x.dtype), out)]
        if max(stride) == 1:
            results.append((conv_direct.input_gradient(g, weight, x_shape, geometry, x.dtype), gx))
        wanted += len(results)
        for ours, theirs in results:
            assert ours.shape == theirs.shape, name
            atol = TOLERANCE[dtype] * np.abs(theirs).max(initial=1)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol, err_msg=name)
    assert len(taken) == wanted > 0


def test_when_samples_lie_side_by_side():
    pytest.importorskip("numba")

    def pays(samples, size, stride=1, channels=32):
        shapes = (samples, channels, size, size), (32, channels, 3, 3)
        geometry = conv_columns.Geometry.of(*shapes, (stride, stride), (1, 1), (1, 1), 1)
        return [conv_direct._abreast_pays(geometry, 4, is_gradient=is_gradient) for is_gradient in (False, True)]

    assert pays(64, 5) == [True, True]
    assert pays(64, 5, stride=2) == [True, False]
    assert pays(1, 5) == [False, False]
    assert pays(64, 64) == [False, False]
    assert pays(64, 5, channels=2) == [False, False]
    assert pays(64, 5, channels=4096) == [False, True]  # no room for so many


# Where Winograd's algorithm cuts: tiles of 2 x 2, vectors of tiles, panels of filters, blocks of samples or of rows of
# tiles, 128 channels; and padding, which the gradient of the input turns round.
WINOGRAD = {
    **{
        f"{height} x {width}": ((3, 5, height, width), (7, 5, 3, 3), (1, 1), (1, 1), (1, 1), 1)
        for height, width in ((1, 1), (1, 8), (2, 3), (4, 4), (5, 31), (7, 7), (9, 32), (16, 16), (6, 33), (31, 67))
    },
    **{
        f"padding {padding}": ((2, 3, 6, 9), (4, 3, 3, 3), (1, 1), padding, (1, 1), 1)
        for padding in ((0, 0), (0, 1), (2, 0), (2, 2), (3, 1), (1, 6))
    },
    **{
        f"{filters} filters": ((2, 3, 5, 8), (filters, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1)
        for filters in (1, 4, 8, 12, 23, 24, 25, 60, 65, 150)
    },
    "many channels": ((2, 130, 6, 5), (9, 130, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "many samples": ((70, 3, 5, 4), (4, 3, 3, 3), (1, 1), (1, 1), (1, 1), 1),
    "groups": ((3, 26, 6, 7), (39, 2, 3, 3), (1, 1), (1, 1), (1, 1), 13),
    "wide": ((1, 2, 5, 700), (3, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1),
}


@pytest.fixture(params=[None, 1], ids=["blocks", "small blocks"])
def winograd(request, monkeypatch):
    """Winograd's algorithm wherever it can be used, with blocks as large as the cache, or so small that maps are cut;
    how often it was used."""
    pytest.importorskip("numba")
    from autograd.kernels import conv_winograd

    taken = []

    def counted(function):
        def count(*args, **options):
            taken.append(function(*args, **options))
            return taken[-1]

        return count

    def is_possible(geometry, itemsize, *, is_gradient):
        turned = geometry.turned_round() if is_gradient else geometry
        return conv_winograd.products(turned, itemsize) < float("inf")

    for name in ("correlate", "weight_gradient"):
        monkeypatch.setattr(conv_winograd, name, counted(getattr(conv_winograd, name)))
    monkeypatch.setattr(conv_direct, "_winograd_pays", is_possible)
    monkeypatch.setattr(
        conv_direct, "_winograd_pays_for_weight", lambda *args: conv_winograd.weight_products(*args) < float("inf")
    )
    monkeypatch.setattr(conv_direct, "_abreast_pays", lambda *args, is_gradient: False)
    if request.param:
        monkeypatch.setattr(conv_winograd, "BLOCK_BYTES", request.param)
        monkeypatch.setattr(conv_winograd, "WEIGHT_BYTES", request.param)
    conv_winograd._tiles.cache_clear()
    yield taken
    conv_winograd._tiles.cache_clear()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_winograd(dtype, winograd):
    """Also where the direct sum would be faster."""
    for name, case in WINOGRAD.items():
        x_shape, _, *options = case
        x, weight, bias = arrays(case, dtype)
        out, g, gx, gw = expected(case, *(a.astype(np.float64) for a in (x, weight, bias)))
        g, geometry = g.astype(dtype), conv_columns.Geometry.of(x_shape, weight.shape, *options)
        for ours, theirs in (
            (conv_direct.forward(x, weight, bias, geometry, x.dtype), out),
            (conv_direct.input_gradient(g, weight, x_shape, geometry, x.dtype), gx),
            (conv_direct.weight_gradient(g, x, weight.shape, geometry, x.dtype), gw),
        ):
            assert ours.shape == theirs.shape, name
            atol = TOLERANCE[dtype] * np.abs(theirs).max(initial=1)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol, err_msg=name)
    assert winograd == [True] * 3 * len(WINOGRAD)


def test_winograd_is_exact_for_small_integers(winograd):
    # Its transforms add, subtract and halve.
    generator = np.random.default_rng(0)
    x, weight = (generator.integers(-9, 10, shape).astype(np.float32) for shape in ((2, 20, 9, 8), (5, 20, 3, 3)))
    options = ((1, 1), (1, 1), (1, 1))
    geometry = conv_columns.Geometry.of(x.shape, weight.shape, *options, 1)
    ours = conv_direct.forward(x, weight, None, geometry, x.dtype)
    assert winograd == [True]
    np.testing.assert_array_equal(ours, conv.conv_forward(x.astype(int), weight.astype(int), None, *options))


def test_winograd_leaves_what_is_not_finite(winograd):
    # What is added and subtracted again would leave NaN: the sum is computed anew, directly.
    case = ((2, 20, 9, 8), (5, 20, 3, 3), (1, 1), (1, 1), (1, 1), 1)
    x, weight, bias = arrays(case, "float32")
    geometry = conv_columns.Geometry.of(x.shape, weight.shape, *case[2:])
    for value in (np.nan, np.inf, -np.inf, 3e38):
        x[1, 3, 4, 5] = value
        out = conv_direct.forward(x, weight, bias, geometry, x.dtype)
        gx = conv_direct.input_gradient(out, weight, x.shape, geometry, x.dtype)
        gw = conv_direct.weight_gradient(np.ones_like(out), x, weight.shape, geometry, x.dtype)
        assert winograd[-3:] == [False, False, False]
        changed = np.zeros(out.shape, bool)
        changed[1, :, 3:6, 4:7] = True
        assert np.array_equal(np.abs(out) > 1e30 if value == 3e38 else ~np.isfinite(out), changed), value
        assert np.isfinite(gx[0]).all()
        assert not np.isfinite(gx[1, :, 4, 5]).all()
        assert np.isfinite(gw).sum() == (gw.size if value == 3e38 else gw.size // 20 * 19)


def test_when_winograd_pays():
    pytest.importorskip("numba")

    def pays(samples, channels, size, kernel=3, stride=1, groups=1):
        shapes = (samples, channels, size, size), (channels, channels // groups, kernel, kernel)
        geometry = conv_columns.Geometry.of(*shapes, (stride, stride), (1, 1), (1, 1), groups)
        found = [conv_direct._winograd_pays(geometry, 4, is_gradient=is_gradient) for is_gradient in (False, True)]
        return [*found, conv_direct._winograd_pays_for_weight(geometry, 4)]

    assert pays(8, 128, 16) == pays(16, 64, 32) == [True, True, True]
    assert pays(8, 128, 16, kernel=5) == pays(8, 128, 16, stride=2) == [False, False, False]
    assert pays(8, 4, 32) == [False, False, False]  # the transforms cost more than the products
    assert pays(8, 128, 28, groups=128) == [False, False, False]
    assert pays(1, 512, 4) == [False, False, False]  # so does that of the filters
    assert pays(1, 4096, 28) == [False, False, False]  # no room for so many


OUTSIDE = """
from autograd.kernels import conv, conv_direct, conv_winograd
from autograd.kernels.conv_columns import Geometry

rng = np.random.default_rng(0)
never, always = (lambda *args, is_gradient: False), (lambda *args, is_gradient: True)
for way in ("direct", "abreast", "winograd"):
    conv_direct._abreast_pays = always if way == "abreast" else never
    conv_direct._winograd_pays = always if way == "winograd" else never
    conv_direct._winograd_pays_for_weight = lambda *args: way == "winograd"
    for samples, channels, filters, height, width, groups in (
        (1, 3, 5, 7, 9, 1), (2, 8, 12, 6, 33, 1), (17, 6, 26, 4, 5, 2), (3, 70, 40, 5, 8, 1), (2, 4, 4, 9, 20, 4)
    ):
        if way == "winograd" and channels == groups:
            continue
        for dtype in ("f", "d"):
            for padding in (0, 1, 2):
                options = (1, 1), (padding, padding), (1, 1), groups
                x = rng.standard_normal((samples, channels, height, width)).astype(dtype)
                weight = rng.standard_normal((filters, channels // groups, 3, 3)).astype(dtype)
                bias = rng.standard_normal(filters).astype(dtype)
                geometry = Geometry.of(x.shape, weight.shape, *options)
                g = rng.standard_normal((samples, filters, *geometry.spatial_out())).astype(dtype)
                found = []
                for before in (True, False):
                    conv_direct.empty = lambda shape, dtype: guarded(np.zeros(shape, dtype), before)
                    x, weight, bias, g = (guarded(array, before) for array in (x, weight, bias, g))
                    found.append(conv_direct.forward(x, weight, bias, geometry, x.dtype).tobytes())
                    found.append(conv_direct.input_gradient(g, weight, x.shape, geometry, x.dtype).tobytes())
                    gw = guarded(weight, before)
                    if way == "winograd":
                        assert conv_winograd.weight_gradient(g.reshape(-1), x.reshape(-1), gw.reshape(-1), geometry)
                    else:
                        gw = conv_direct.weight_gradient(g, x, weight.shape, geometry, x.dtype)
                    found.append(gw.tobytes())
                assert found[:3] == found[3:], (way, x.shape, weight.shape, options)
                kept.clear()
print("inside")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects pages with mprotect(2)")
def test_touches_nothing_outside_its_operands(subprocess_python):
    pytest.importorskip("numba")
    assert subprocess_python(GUARD + OUTSIDE) == "inside\n"


def test_torch_grad_functions(reading):
    torch = pytest.importorskip("torch")
    case = CASES["everything"]
    x_shape, weight_shape, stride, padding, dilation, groups = case
    x, weight, bias = arrays(case, "float64")
    _, g, _, _ = expected(case, x, weight, bias)
    x, weight, g = (torch.tensor(a) for a in (x, weight, g))
    gx = torch.nn.grad.conv2d_input(x_shape, weight, g, stride, padding, dilation, groups)
    gw = torch.nn.grad.conv2d_weight(x, weight_shape, g, stride, padding, dilation, groups)
    ours = conv.conv_input_gradient(g.numpy(), weight.numpy(), x_shape, stride, padding, dilation, groups)
    np.testing.assert_allclose(ours, gx.numpy(), atol=1e-12)
    ours = conv.conv_weight_gradient(g.numpy(), x.numpy(), weight_shape, stride, padding, dilation, groups)
    np.testing.assert_allclose(ours, gw.numpy(), atol=1e-12)


def test_transposed_convolution(reading):
    torch = pytest.importorskip("torch")
    generator = np.random.default_rng(0)
    x, weight = generator.standard_normal((2, 4, 5, 6)), generator.standard_normal((4, 3, 3, 2))
    options = ((3, 2), (1, 0), (1, 2))
    out = torch.nn.functional.conv_transpose2d(
        torch.tensor(x), torch.tensor(weight), None, options[0], options[1], (2, 1), 2, options[2]
    ).numpy()
    np.testing.assert_allclose(conv.conv_transpose(x, weight, out.shape, *options, 2), out, atol=1e-12)


def test_non_contiguous_and_read_only(reading):
    case = CASES["everything"]
    x_shape, weight_shape, *options = case
    x, weight, bias = arrays(case, "float64")
    out = conv.conv_forward(x, weight, bias, *options)
    g = np.random.default_rng(2).standard_normal(out.shape)
    gx = conv.conv_input_gradient(g, weight, x_shape, *options)
    gw = conv.conv_weight_gradient(g, x, weight_shape, *options)
    for change in (
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=-1)[..., ::2],
        lambda a: a[..., ::-1].copy()[..., ::-1],
    ):
        strided = [change(a) for a in (x, weight, bias, g)]
        for a in strided:
            a.flags.writeable = False
        np.testing.assert_array_equal(conv.conv_forward(*strided[:3], *options), out)
        np.testing.assert_array_equal(conv.conv_input_gradient(strided[3], strided[1], x_shape, *options), gx)
        np.testing.assert_array_equal(conv.conv_weight_gradient(strided[3], strided[0], weight_shape, *options), gw)
    constant = np.broadcast_to(np.float64(2), x_shape)
    np.testing.assert_array_equal(
        conv.conv_forward(constant, weight, None, *options),
        conv.conv_forward(constant.copy(), weight, None, *options),
    )


def test_results_are_the_callers_own(reading):
    # The columns live in a buffer that the next call overwrites: no result may be a view of it.
    case = CASES["padding"]
    x_shape, weight_shape, *options = case
    x, weight, bias = arrays(case, "float64")
    g = conv.conv_forward(x, weight, bias, *options)

    def compute(scale):
        return [
            conv.conv_forward(scale * x, weight, bias, *options),
            conv.conv_input_gradient(scale * g, weight, x_shape, *options),
            conv.conv_weight_gradient(scale * g, x, weight_shape, *options),
        ]

    first = compute(1)
    copies = [a.copy() for a in first]
    compute(3)
    for a, b in zip(first, copies, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("x_shape", "filters", "groups", "stride"),
    [
        ((6, 4, 14, 15), 4, 1, 1),
        ((6, 4, 14, 15), 4, 4, 1),
        ((6, 4, 14, 15), 72, 1, 2),
        ((6, 4, 14, 15), 72, 2, 1),
        ((70, 24, 4, 5), 30, 2, 1),  # with samples and with channels side by side
        ((6, 24, 18, 15), 60, 1, 1),  # by Winograd's algorithm
    ],
)
def test_same_bits_whatever_the_threads(reading, x_shape, filters, groups, stride, monkeypatch):
    if reading == "never" and filters > 4:
        pytest.skip("BLAS cuts larger products according to its own threads")
    modules = [conv_columns]
    if jit.numba_available():
        from autograd.kernels import conv_abreast, conv_winograd

        modules += [conv_direct, conv_abreast, conv_winograd]
    for module in modules:
        monkeypatch.setattr(module, "GRAIN", 1)
    case = (x_shape, (filters, x_shape[1] // groups, 3, 3), (stride, 1), (1, 1), (1, 1), groups)
    x_shape, weight_shape, *options = case
    x, weight, bias = arrays(case, "float32")
    g = conv.conv_forward(x, weight, bias, *options)

    def compute(results):
        results.append(
            [
                conv.conv_forward(x, weight, bias, *options).tobytes(),
                conv.conv_input_gradient(g, weight, x_shape, *options).tobytes(),
                conv.conv_weight_gradient(g, x, weight_shape, *options).tobytes(),
            ]
        )

    before, results = threads.get_num_threads(), []
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            for _ in range(3):
                compute(results)
        callers = [threading.Thread(target=compute, args=(results,)) for _ in range(4)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
    finally:
        threads.set_num_threads(before)
    assert len(results) == 13
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize("dtype", ["int64", "float16", "complex128", "longdouble"])
def test_other_types_take_the_numpy_reading(dtype):
    case = ((2, 2, 5, 5), (3, 2, 3, 3), (1, 1), (1, 1), (1, 1), 1)
    generator = np.random.default_rng(0)
    x, weight, bias = (generator.integers(-3, 4, shape).astype(float) for shape in (case[0], case[1], (3,)))
    wanted = conv.conv_forward(x, weight, bias, *case[2:])
    with jit.using("always"):
        out = conv.conv_forward(x.astype(dtype), weight.astype(dtype), bias.astype(dtype), *case[2:])
    assert out.dtype == dtype
    np.testing.assert_array_equal(out.astype(np.complex128), wanted)


def test_halves_are_added_in_single_precision():
    x, weight = np.full((1, 1, 4096), 1.001, np.float16), np.ones((1, 1, 4096), np.float16)
    out = conv.conv_forward(x, weight, None, (1,), (0,), (1,))
    assert out.dtype == np.float16
    assert out.item() == np.float16(4096 * float(x[0, 0, 0]))


def test_nan_and_infinity_pass_through(reading):
    # Without warnings, which the test run makes errors: 0 * inf is a value.
    x, weight = np.ones((1, 1, 4, 4), np.float32), np.ones((1, 1, 2, 2), np.float32)
    x[0, 0, 0, 0], x[0, 0, 3, 3] = np.nan, np.inf
    out = conv.conv_forward(x, weight, None, (1, 1), (0, 0), (1, 1))
    assert np.isnan(out[0, 0, 0, 0])
    assert np.isinf(out[0, 0, 2, 2])
    assert np.isfinite(out).sum() == 7


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("groups", [1, 2])
def test_nothing_leaks_from_where_no_window_is(reading, value, stride, groups):
    # A vector of positions goes on behind a row's end, and around an image there are zeros: what is computed there is
    # not to be seen, unlike 0 * NaN of the padding, which PyTorch leaves out or not, depending on sizes.
    torch = pytest.importorskip("torch")
    options = ((stride, stride), (1, 1), (1, 1), groups)
    for where in ("x", "weight", "g"):
        x, weight, g = np.ones((2, 2, 7, 9), "f"), np.ones((4 - groups, 2 // groups, 3, 3), "f"), None
        g = np.ones_like(conv.conv_forward(x, weight, None, *options))
        {"x": x, "weight": weight, "g": g}[where][0, 0, 0, 0] = value
        t, w = (torch.tensor(a, requires_grad=True) for a in (x, weight))
        out = torch.nn.functional.conv2d(torch.nn.functional.pad(t, (1, 1, 1, 1)), w, None, stride, groups=groups)
        gx, gw = torch.autograd.grad(out, (t, w), torch.tensor(g))
        results = [
            (conv.conv_forward(x, weight, None, *options), out.detach()),
            (conv.conv_input_gradient(g, weight, x.shape, *options), gx),
            (conv.conv_weight_gradient(g, x, weight.shape, *options), gw),
        ]
        for ours, theirs in results:
            np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, err_msg=where)


def test_empty(reading):
    options = ((1, 1), (1, 1), (1, 1))
    for samples, channels, filters in ((0, 2, 3), (2, 0, 3), (2, 2, 0)):
        x, weight = np.ones((samples, channels, 4, 4), "f"), np.ones((filters, channels, 3, 3), "f")
        out = conv.conv_forward(x, weight, None, *options)
        assert out.shape == (samples, filters, 4, 4)
        assert not out.any() or channels
        assert not conv.conv_input_gradient(out, weight, x.shape, *options).any() or filters
        gw = conv.conv_weight_gradient(out, x, weight.shape, *options)
        assert gw.shape == weight.shape
        assert not gw.any() or samples


def test_errors():
    x, weight = np.zeros((1, 3, 5, 5)), np.zeros((4, 3, 3, 3))
    plain = ((1, 1), (0, 0), (1, 1))
    table = [
        (
            lambda: conv.conv_forward(x, np.zeros((4, 2, 3, 3)), None, *plain),
            "input has 3 channels.*expects 2",
        ),
        (lambda: conv.conv_forward(x, weight, None, *plain, 3), "groups=3 must divide .* 4"),
        (lambda: conv.conv_forward(x, weight, None, *plain, 0), "groups=0"),
        (lambda: conv.conv_forward(x, weight, np.zeros(3), *plain), r"bias has shape \(3,\)"),
        (lambda: conv.conv_forward(x, np.zeros((4, 3, 6, 6)), None, *plain), "larger than the input"),
        (lambda: conv.conv_forward(x, np.zeros((4, 3, 0, 3)), None, *plain), "must be positive"),
        (lambda: conv.conv_forward(x[0], weight, None, *plain), "3, 4 or 5 dimensions"),
        (
            lambda: conv.conv_input_gradient(np.zeros((1, 4, 4, 4)), weight, x.shape, *plain),
            r"\(1, 4, 3, 3\)",
        ),
        (
            lambda: conv.conv_weight_gradient(np.zeros((1, 4, 4, 4)), x, weight.shape, *plain),
            r"\(1, 4, 3, 3\)",
        ),
    ]
    for call, message in table:
        with pytest.raises(RuntimeError, match=message):
            call()
