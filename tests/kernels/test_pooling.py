"""Pooling on plain arrays against PyTorch, in both readings."""

import itertools

import numpy as np
import pytest

from autograd.kernels import pooling, pooling_places, pooling_regions, threads

DTYPES = ("float32", "float64")

# x, kernel, stride, padding, dilation
MAX_CASES = [
    ((2, 3, 8, 8), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((2, 3, 9, 7), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((2, 3, 9, 7), (3, 3), (2, 2), (1, 1), (1, 1)),
    ((1, 2, 9, 10), (3, 2), (1, 3), (1, 0), (2, 3)),
    ((1, 2, 7, 7), (5, 5), (1, 1), (2, 2), (1, 1)),
    ((1, 2, 5, 6), (3, 3), (4, 5), (1, 1), (1, 1)),
    ((1, 2, 5, 5), (3, 3), (2, 2), (1, 1), (2, 2)),
    ((1, 2, 1, 11), (1, 3), (1, 2), (0, 1), (1, 1)),
    ((0, 3, 8, 8), (2, 2), (2, 2), (0, 0), (1, 1)),
    ((2, 1, 6, 5), (6, 5), (1, 1), (0, 0), (1, 1)),
    ((2, 3, 9), (3,), (2,), (1,), (1,)),
    ((2, 3, 11), (3,), (2,), (1,), (2,)),
    ((2, 2, 4, 5, 6), (2, 3, 2), (2, 1, 2), (1, 1, 0), (1, 1, 1)),
    ((1, 2, 7, 6, 5), (2, 3, 2), (1, 2, 1), (0, 1, 1), (3, 1, 2)),
]
AVG_CASES = [case[:4] for case in MAX_CASES if case[4] == (1, 1)]


def images(shape, dtype):
    """Ordinary values, many equal ones, and ones with NaN and infinities."""
    generator = np.random.default_rng(0)
    yield generator.standard_normal(shape).astype(dtype)
    yield generator.integers(-2, 2, shape).astype(dtype)
    strange = generator.standard_normal(shape).astype(dtype)
    strange[generator.random(shape) < 0.2] = np.nan
    strange[generator.random(shape) < 0.3] = -np.inf
    strange[generator.random(shape) < 0.1] = np.inf
    yield strange
    yield np.full(shape, -np.inf, dtype)


def output_gradient(shape, dtype):
    return np.random.default_rng(1).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_max_agrees_with_torch(reading, dtype):
    torch = pytest.importorskip("torch")
    for case, ceil_mode in itertools.product(MAX_CASES, (False, True)):
        max_pool = getattr(torch.nn.functional, f"max_pool{len(case[1])}d")
        for image in images(case[0], dtype):
            x = torch.tensor(image, requires_grad=True)
            theirs, places = max_pool(x, *case[1:], ceil_mode, return_indices=True)
            out, indices = pooling.max_pool_forward(image, *case[1:], ceil_mode)
            assert (out.dtype, indices.dtype) == (dtype, np.int32)
            np.testing.assert_array_equal(out, theirs.detach().numpy(), err_msg=str((case, ceil_mode)))
            np.testing.assert_array_equal(indices, places.numpy(), err_msg=str((case, ceil_mode)))
            g = output_gradient(out.shape, dtype)
            (gx,) = torch.autograd.grad(theirs, x, torch.tensor(g))
            ours = pooling_places.add_to_planes(g, indices, case[0])
            assert ours.dtype == dtype
            np.testing.assert_allclose(ours, gx.numpy(), rtol=1e-5, atol=1e-6)
            picked = pooling_places.pick_from_planes(image, indices)
            np.testing.assert_array_equal(picked, out)


@pytest.mark.parametrize("dtype", DTYPES)
def test_average_agrees_with_torch(reading, dtype):
    torch = pytest.importorskip("torch")
    tolerance = {"rtol": 1e-5, "atol": 1e-6} if dtype == "float32" else {"rtol": 1e-13, "atol": 1e-14}
    for case, ceil_mode, count, divisor in itertools.product(AVG_CASES, (False, True), (True, False), (None, 3, -2)):
        image = np.random.default_rng(0).standard_normal(case[0]).astype(dtype)
        axes = len(case[1])
        options = (*case[1:], ceil_mode, count, *(divisor,) * (axes > 1))
        x = torch.tensor(image, requires_grad=True)
        theirs = getattr(torch.nn.functional, f"avg_pool{axes}d")(x, *options)
        out = pooling.avg_pool_forward(image, *options)
        assert out.dtype == dtype
        assert out.shape == theirs.shape
        np.testing.assert_allclose(out, theirs.detach().numpy(), **tolerance, err_msg=str((case, options)))
        g = output_gradient(out.shape, dtype)
        (gx,) = torch.autograd.grad(theirs, x, torch.tensor(g))
        ours = pooling.avg_pool_gradient(g, case[0], *options)
        assert ours.dtype == dtype
        assert ours.flags.c_contiguous
        np.testing.assert_allclose(ours, gx.numpy(), **tolerance, err_msg=str((case, options)))


def test_average_of_nan_and_infinity(reading):
    torch = pytest.importorskip("torch")
    for image in images((2, 3, 7, 7), "float32"):
        theirs = torch.nn.functional.avg_pool2d(torch.tensor(image), 3, 2, 1).numpy()
        ours = pooling.avg_pool_forward(image, (3, 3), (2, 2), (1, 1))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_large_planes_use_threads():
    # Enough elements for several threads, in the reading that the size alone chooses.
    torch = pytest.importorskip("torch")
    image = np.random.default_rng(0).standard_normal((4, 8, 40, 42)).astype(np.float32)
    theirs, places = torch.nn.functional.max_pool2d(torch.tensor(image), 3, 2, 1, return_indices=True)
    averages = torch.nn.functional.avg_pool2d(torch.tensor(image), 3, 2, 1).numpy()
    pairs = ((3, 3), (2, 2), (1, 1))
    g = output_gradient(theirs.shape, "float32")
    before, gradients = threads.get_num_threads(), set()
    try:
        for count in (1, 2, 5):
            threads.set_num_threads(count)
            out, indices = pooling.max_pool_forward(image, *pairs, (1, 1))
            np.testing.assert_array_equal(out, theirs.numpy())
            np.testing.assert_array_equal(indices, places.numpy())
            np.testing.assert_allclose(pooling.avg_pool_forward(image, *pairs), averages, rtol=1e-5, atol=1e-6)
            gx = pooling.avg_pool_gradient(g, image.shape, *pairs)
            gradients.add(gx.tobytes() + pooling_places.add_to_planes(g, indices, image.shape).tobytes())
    finally:
        threads.set_num_threads(before)
    assert len(gradients) == 1


def test_non_contiguous_and_read_only(reading):
    image = np.random.default_rng(0).standard_normal((2, 3, 8, 9))
    pairs = ((3, 2), (2, 1), (1, 1))
    out, indices = pooling.max_pool_forward(image, *pairs, (1, 1))
    g = output_gradient(out.shape, "float64")
    average, gradient = (
        pooling.avg_pool_forward(image, *pairs),
        pooling_places.add_to_planes(g, indices, image.shape),
    )
    spread = pooling.avg_pool_gradient(g, image.shape, *pairs)
    for change in (np.asfortranarray, lambda a: np.repeat(a, 2, axis=-1)[..., ::2]):
        x, h, places = change(image), change(g), change(indices)
        for a in (x, h, places):
            a.flags.writeable = False
        ours, found = pooling.max_pool_forward(x, *pairs, (1, 1))
        np.testing.assert_array_equal(ours, out)
        np.testing.assert_array_equal(found, indices)
        np.testing.assert_array_equal(pooling_places.pick_from_planes(x, places), out)
        np.testing.assert_array_equal(pooling_places.add_to_planes(h, places, image.shape), gradient)
        np.testing.assert_array_equal(pooling.avg_pool_forward(x, *pairs), average)
        np.testing.assert_array_equal(pooling.avg_pool_gradient(h, image.shape, *pairs), spread)


def test_max_of_integers(reading):
    image = np.random.default_rng(0).integers(-100, -50, (2, 3, 5, 5))
    pairs = ((3, 3), (2, 2), (1, 1), (1, 1))
    out, indices = pooling.max_pool_forward(image, *pairs)
    wanted, places = pooling.max_pool_forward(image.astype(float), *pairs)
    assert out.dtype == np.int64
    np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(indices, places)


def test_errors(reading):
    x, ones = np.zeros((1, 1, 4, 4)), (1, 1)
    index = np.zeros((1, 1, 2, 2), np.int64)
    table = [
        (RuntimeError, "more than half", lambda: pooling.max_pool_forward(x, (2, 2), ones, (2, 0), ones)),
        (RuntimeError, "negative", lambda: pooling.max_pool_forward(x, (2, 2), ones, (-1, 0), ones)),
        (RuntimeError, "too small", lambda: pooling.max_pool_forward(x, (5, 2), ones, (0, 0), ones)),
        (
            RuntimeError,
            "too small",
            lambda: pooling.max_pool_forward(x[:, :, :0], (2, 2), ones, (1, 1), ones),
        ),
        (RuntimeError, "positive", lambda: pooling.max_pool_forward(x, (2, 2), (0, 1), (0, 0), ones)),
        (
            RuntimeError,
            "all its elements",
            lambda: pooling.max_pool_forward(x, (2, 2), ones, (1, 1), (5, 5)),
        ),
        (RuntimeError, "more than half", lambda: pooling.avg_pool_forward(x, (2, 2), ones, (2, 0))),
        (
            RuntimeError,
            "divisor_override",
            lambda: pooling.avg_pool_forward(x, (2, 2), ones, (0, 0), divisor_override=0),
        ),
        (
            RuntimeError,
            r"\(1, 1, 3, 3\)",
            lambda: pooling.avg_pool_gradient(x, x.shape, (2, 2), ones, (0, 0)),
        ),
        (RuntimeError, "must agree", lambda: pooling_places.add_to_planes(x, index, x.shape)),
        (RuntimeError, "must agree", lambda: pooling_places.add_to_planes(index * 1.0, index, (1, 2, 4, 4))),
        (RuntimeError, "to 16", lambda: pooling_places.add_to_planes(index * 1.0, index + 16, x.shape)),
        (RuntimeError, "from -1", lambda: pooling_places.add_to_planes(index * 1.0, index - 1, x.shape)),
        (RuntimeError, "to 16", lambda: pooling_places.pick_from_planes(x, index + 16)),
    ]
    for error, message, call in table:
        with pytest.raises(error, match=message):
            call()


def test_regions(reading):
    """Regions of equal size are windows; samples of several planes are drawn for each."""
    image = np.random.default_rng(0).integers(-3, 3, (2, 3, 8, 6)).astype(float)
    image[0, 0, 2, 3] = np.nan
    out, places = pooling_regions.max_of_regions(image, pooling_regions.adaptive_regions((8, 6), (4, 2)))
    wanted, indices = pooling.max_pool_forward(image, (2, 3), (2, 3), (0, 0), (1, 1))
    np.testing.assert_array_equal(out, wanted)
    np.testing.assert_array_equal(places, indices)
    samples = np.random.default_rng(1).random((6, 2))
    regions = pooling_regions.fractional_regions((8, 6), (3, 4), (2, 2), samples)
    out, places = pooling_regions.max_of_regions(image, regions)
    planes = image.reshape(6, 48)
    np.testing.assert_array_equal(out.reshape(6, 12), np.take_along_axis(planes, places.reshape(6, 12), 1))
    for plane, ((ys, _), (xs, _)) in enumerate(
        zip(*[[(f[p], e[p]) for p in range(6)] for f, e in regions], strict=True)
    ):
        windows = [[image.reshape(6, 8, 6)[plane, y : y + 2, x : x + 2].max() for x in xs] for y in ys]
        np.testing.assert_array_equal(out.reshape(6, 3, 4)[plane], windows)


def test_regions_come_round_again(reading):
    image = np.random.default_rng(0).standard_normal((2, 3, 9, 8))
    regions = pooling_regions.fractional_regions((9, 8), (4, 3), (2, 2), np.random.default_rng(1).random((3, 2)))
    together = pooling_regions.max_of_regions(image, regions)
    for example in range(2):
        alone = pooling_regions.max_of_regions(image[example : example + 1], regions)
        for mine, other in zip(together, alone, strict=True):
            np.testing.assert_array_equal(mine[example : example + 1], other)


def test_writing_to_planes():
    x, indices = np.array([[[5.0, 6.0, 7.0]]]), np.array([[[2, 0, 2]]])
    assert pooling_places.write_to_planes(x, indices, (1, 1, 4)).tolist() == [[[6, 0, 7, 0]]]
    with pytest.raises(RuntimeError, match="from 0 to 2"):
        pooling_places.write_to_planes(x, indices, (1, 1, 2))
