"""Images of another size against PyTorch."""

import itertools

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike, twins

rng = np.random.default_rng(0)

SHAPES = {1: (2, 3, 7), 2: (2, 3, 6, 5), 3: (1, 2, 4, 5, 3)}
MODES = {
    1: ["nearest", "nearest-exact", "area", "linear"],
    2: ["nearest", "nearest-exact", "area", "bilinear", "bicubic", "lanczos"],
    3: ["nearest", "nearest-exact", "area", "trilinear"],
}
WITH_CORNERS = ("linear", "bilinear", "bicubic", "trilinear")
TARGETS = [
    {"size": 4},
    {"size": 11},
    {"size": 1},
    {"scale_factor": 2},
    {"scale_factor": 0.6},
    {"scale_factor": 1.7, "recompute_scale_factor": True},
    {"scale_factor": 2.4, "recompute_scale_factor": False},
]


def calls():
    """Axes and arguments: every mode with every target, and with the options that it has."""
    for axes, modes in MODES.items():
        for mode, target in itertools.product(modes, TARGETS):
            yield axes, {"mode": mode, **target, **({"antialias": True} if mode == "lanczos" else {})}
            if mode in WITH_CORNERS:
                yield axes, {"mode": mode, **target, "align_corners": True}
            if mode in ("bilinear", "bicubic"):
                yield axes, {"mode": mode, **target, "antialias": True}
    yield 2, {"size": (3, 9), "mode": "bilinear"}
    yield 2, {"scale_factor": (2.0, 0.5), "mode": "bicubic"}
    yield 3, {"size": [2, 7, 3]}


@pytest.mark.parametrize(("axes", "options"), list(calls()))
def test_values_and_gradients(axes, options, ours, theirs, reading):
    expression = lambda L, x: L.F.interpolate(x, **options)
    for dtype, scale in (("float64", (1e-10, 1e-11)), ("float32", (1e-4, 1e-5))):
        x = rng.standard_normal(SHAPES[axes]).astype(dtype)
        agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), [x], *scale, dtype)


DTYPES = ["float16", "uint8", "int64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_dtypes(dtype, ours, theirs, reading):
    for axes, options in calls():
        if (dtype == "float16" and options.get("antialias")) or (dtype == "uint8" and options.get("size") == 1):
            continue  # PyTorch refuses halves there, and fails on an assertion of its own; we do not
        halves = dtype == "float16"
        x = rng.uniform(0, 1 if halves else 256, SHAPES[axes]).astype(dtype)
        scale = (4e-3, 4e-3) if halves else (0, 0)
        agree_on(ours, theirs, lambda L, x: L.F.interpolate(x, **options), [x], *scale, f"{axes} {options}")


def test_what_is_not_a_number_stays_where_it_is(ours, theirs, reading):
    x = rng.standard_normal((1, 2, 6, 6))
    x[0, 0, 2, 3], x[0, 1, 4, 4] = np.nan, np.inf
    for mode in ("nearest", "bilinear", "bicubic", "area"):
        agree_on(ours, theirs, lambda L, x: L.F.interpolate(x, 9, mode=mode), [x], what=mode)


def test_layouts(ours, theirs, reading):
    call = lambda L, x: L.F.interpolate(x.permute(0, 3, 1, 2)[:, :, ::2], (4, 7), mode="bilinear")
    agree_with_gradients(ours, theirs, *twins(ours, theirs, call), [rng.standard_normal((2, 6, 5, 3))])


@pytest.mark.parametrize("name", ["upsample", "upsample_nearest", "upsample_bilinear"])
def test_old_names_warn(name, ours, theirs):
    x, results = rng.standard_normal((1, 1, 3, 3)), []
    for library in (ours, theirs):
        with pytest.warns(UserWarning, match=f"{name}` is deprecated"):
            results.append(getattr(library.F, name)(library.of(x), scale_factor=2))
    agree(*results)


def resized(shape=(1, 1, 4, 4), **options):
    return lambda L: L.F.interpolate(L.zeros(*shape), **options)


REFUSED = {
    "neither": (resized(), ["size", "scale_factor"]),
    "both": (resized(size=2, scale_factor=2), ["size", "scale_factor"]),
    "sizes": (resized(size=(2, 3, 4)), ["(4, 4)", "(2, 3, 4)"]),
    "factors": (resized(scale_factor=(2.0,)), ["(4, 4)", "(2.0,)"]),
    "type of size": (resized(size=(2.5, 2)), ["float"]),
    "type of one size": (resized(size=2.5), ["float"]),
    "corners": (resized(size=2, align_corners=True), ["align_corners", "nearest"]),
    "recomputed": (resized(size=2, recompute_scale_factor=True), ["recompute_scale_factor"]),
    "antialias": (resized(size=2, antialias=True), ["antialias", "nearest"]),
    "antialias of a sequence": (resized((1, 1, 4), size=2, mode="linear", antialias=True), ["antialias"]),
    "mode": (resized(size=2, mode="quadratic"), ["quadratic"]),
    "mode for other axes": (resized((1, 1, 4), size=2, mode="bilinear"), ["3-D", "bilinear"]),
    "dims": (resized((4, 4), scale_factor=2), ["2-D"]),
    "lanczos": (resized(size=2, mode="lanczos"), ["lanczos", "antialias"]),
    "lanczos at corners": (resized(size=2, mode="lanczos", antialias=True, align_corners=True), ["align_corners"]),
    "nothing": (resized(size=0), ["[0, 0]"]),
    "too small": (resized(scale_factor=0.1), ["[0, 0]"]),
    "no channels": (resized((1, 0, 4, 4), size=2), ["[1, 0, 4, 4]"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
