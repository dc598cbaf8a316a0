"""Images sampled at points, and the points of affine maps, against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

MODES = ("bilinear", "nearest", "bicubic")
PADDINGS = ("zeros", "border", "reflection")
# image, points
SHAPES = [((2, 3, 5, 4), (2, 3, 6, 2)), ((1, 2, 1, 6), (1, 4, 2, 2)), ((2, 2, 3, 4, 5), (2, 2, 3, 2, 3))]
OPTIONS = list(itertools.product(MODES, PADDINGS, (False, True)))
DTYPES = {"float64": (1e-9, 1e-10), "float32": (1e-3, 1e-4)}


def points(kind, shape):
    if kind == "anywhere":
        return rng.uniform(-1.7, 1.7, shape)
    return rng.integers(-3, 4, shape) / 2  # on edges, corners and between pixels


@pytest.mark.parametrize("kind", ["anywhere", "on edges"])
@pytest.mark.parametrize(("mode", "padding", "align"), OPTIONS)
def test_values_and_gradients(mode, padding, align, kind, ours, theirs, reading):
    expression = lambda L, x, grid: L.F.grid_sample(x, grid, mode, padding, align)
    for image, grid in SHAPES:
        if mode == "bicubic" and len(image) == 5:
            continue
        arrays = [rng.standard_normal(image), points(kind, grid)]
        for dtype, scale in DTYPES.items():
            pair = twins(ours, theirs, expression)
            agree_with_gradients(ours, theirs, *pair, [a.astype(dtype) for a in arrays], *scale, f"{image} {dtype}")


@pytest.mark.parametrize(("mode", "padding", "align"), OPTIONS)
def test_points_that_are_no_numbers(mode, padding, align, ours, theirs, reading):
    places = [[[[np.nan, 0], [0, np.nan], [np.inf, 0], [-np.inf, 0.1], [1e30, 0.2], [0.3, -1e30]]]]
    call = lambda L, x, grid: L.F.grid_sample(x, grid, mode, padding, align)
    agree_on(ours, theirs, call, [np.arange(16, dtype="float32").reshape(1, 1, 4, 4), np.array(places, "float32")])


def test_functions_of_the_main_namespace(ours, theirs):
    image, volume = rng.standard_normal((1, 2, 4, 5)), rng.standard_normal((1, 2, 3, 4, 5))
    flat, deep = points("anywhere", (1, 3, 3, 2)), points("anywhere", (1, 2, 2, 2, 3))
    for mode, padding, align in itertools.product(range(2), range(3), (False, True)):
        for name, arrays in (
            ("grid_sampler", [image, flat]),
            ("grid_sampler", [volume, deep]),
            ("grid_sampler_2d", [image, flat]),
            ("grid_sampler_3d", [volume, deep]),
        ):
            agree_on(ours, theirs, lambda L, x, g: getattr(L, name)(x, g, mode, padding, align), arrays, what=name)


MAPS = [((2, 2, 3), (2, 1, 3, 4)), ((1, 2, 3), (1, 3, 1, 5)), ((2, 3, 4), (2, 1, 2, 3, 4)), ((1, 2, 3), (1, 1, 1, 1))]


@pytest.mark.filterwarnings("ignore:.*affine_grid")
@pytest.mark.parametrize(("theta", "size"), MAPS)
def test_affine_grid(theta, size, ours, theirs):
    for align, dtype in itertools.product((False, True), ("float64", "float32")):
        array = rng.standard_normal(theta).astype(dtype)
        for expression in (
            lambda L, t: L.F.affine_grid(t, size, align),
            lambda L, t: L.affine_grid_generator(t, size, align),
        ):
            agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [array], what=f"{align} {dtype}")


def test_a_map_that_moves_nothing(ours):
    image = ours.of(rng.standard_normal((1, 2, 4, 5)))
    grid = ours.F.affine_grid(ours.of([[[1.0, 0, 0], [0, 1, 0]]]).double(), image.shape, align_corners=False)
    np.testing.assert_allclose(ours.F.grid_sample(image, grid, align_corners=False).numpy(), image.numpy(), 1e-12)


def test_unsaid_corners_warn(ours, theirs):
    results = []
    for library in (ours, theirs):
        with pytest.warns(UserWarning, match="align_corners"):
            grid = library.F.affine_grid(library.of(np.eye(2, 3)[None]), (1, 1, 2, 3))
        with pytest.warns(UserWarning, match="align_corners"):
            results.append(library.F.grid_sample(library.of(np.ones((1, 1, 3, 3))), grid))
    agree(*results)


def sampled(image=(1, 1, 4, 4), grid=(1, 2, 2, 2), **options):
    return lambda L: L.F.grid_sample(L.zeros(*image), L.zeros(*grid), align_corners=False, **options)


def mapped(theta=(1, 2, 3), size=(1, 1, 2, 2)):
    return lambda L: L.F.affine_grid(L.zeros(*theta), size, align_corners=False)


REFUSED = {
    "mode": (sampled(mode="cubic"), ["mode", "cubic"]),
    "padding": (sampled(padding_mode="mirror"), ["padding_mode", "mirror"]),
    "dims": (sampled((1, 4, 4)), ["[1, 4, 4]", "[1, 2, 2, 2]"]),
    "dims of points": (sampled(grid=(1, 2, 2, 2, 3)), ["[1, 1, 4, 4]", "[1, 2, 2, 2, 3]"]),
    "batch": (sampled(grid=(2, 2, 2, 2)), ["batch", "[2, 2, 2, 2]"]),
    "coordinates": (sampled(grid=(1, 2, 2, 3)), ["size 2", "[1, 2, 2, 3]"]),
    "empty": (sampled((1, 1, 0, 4)), ["[1, 1, 0, 4]"]),
    "bicubic volume": (sampled((1, 1, 2, 2, 2), (1, 2, 2, 2, 3), mode="bicubic"), ["bicubic"]),
    "dtypes": (
        lambda L: L.F.grid_sample(L.zeros(1, 1, 2, 2), L.zeros(1, 1, 1, 2).double(), align_corners=False),
        ["float32", "float64"],
    ),
    "integers": (
        lambda L: L.F.grid_sample(L.zeros(1, 1, 2, 2).long(), L.zeros(1, 1, 1, 2).long(), align_corners=False),
        ["Long"],
    ),
    "not a volume": (lambda L: L.grid_sampler_3d(L.zeros(1, 1, 2, 2), L.zeros(1, 1, 1, 2), 0, 0, False), ["5D"]),
    "matrices": (mapped((1, 3, 3)), ["(1, 3, 3)"]),
    "sizes": (mapped(size=(1, 1, 2)), ["(1, 1, 2)"]),
    "no size": (mapped(size=(1, 1, 0, 2)), ["(1, 1, 0, 2)"]),
    "batch of matrices": (mapped(size=(2, 1, 2, 2)), []),
    "integer matrices": (lambda L: L.F.affine_grid(L.zeros(1, 2, 3).long(), (1, 1, 2, 2), False), ["int64"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
