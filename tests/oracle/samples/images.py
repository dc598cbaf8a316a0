"""Samples of pooling, of images of another size, and of images sampled at points."""

import numpy as np

line, image, volume = ((2, 2, 7),), ((1, 2, 4, 5),), ((1, 2, 4, 3, 4),)
GRID = np.random.default_rng(5).uniform(-1.2, 1.2, (1, 3, 2, 2))
GRID_3D = np.random.default_rng(5).uniform(-1.2, 1.2, (1, 2, 2, 1, 3))
RANDOM = np.random.default_rng(6).uniform(0, 1, (1, 2, 3))


def unpooled(dims, size=None):
    def expression(L, x):
        values, indices = getattr(L.F, f"max_pool{dims}d")(x, 2, return_indices=True)
        return getattr(L.F, f"max_unpool{dims}d")(values, indices, 2, output_size=size)

    return expression


def sampled(mode, padding, align, grid=GRID):
    return lambda L, x: L.F.grid_sample(x, L.of(grid).to(x.dtype), mode, padding, align)


def moved(mode, padding, align, points=GRID):
    """The gradient of points, away from where it jumps."""
    return lambda L, x, y: L.F.grid_sample(x, L.of(points).to(x.dtype) + y * 0.001, mode, padding, align)


SAMPLES = {
    "pooling": [
        (lambda L, x: L.F.max_pool1d(x, 3, 2, 1), line),
        (lambda L, x: L.F.max_pool2d(x, 2), image),
        (lambda L, x: L.F.max_pool2d(x, 3, 2, 1, ceil_mode=True), ((1, 2, 6, 5),)),
        (lambda L, x: L.F.max_pool2d(x, (2, 1), stride=1, dilation=2), ((2, 5, 4),)),
        (lambda L, x: L.F.max_pool3d(x, 2, 1, 1), volume),
        (lambda L, x: L.F.avg_pool1d(x, 3, 2, 1), line),
        (lambda L, x: L.F.avg_pool2d(x, 2), image),
        (lambda L, x: L.F.avg_pool2d(x, 3, 2, 1, True, False), ((1, 2, 6, 5),)),
        (lambda L, x: L.F.avg_pool2d(x, (2, 1), divisor_override=3), ((2, 5, 4),)),
        (lambda L, x: L.F.avg_pool3d(x, 2, 1, 1, False, False), volume),
        (lambda L, x: L.F.lp_pool1d(x * x + 1, 3, 2), line),
        (lambda L, x: L.F.lp_pool2d(x, 2, (2, 3), 1), image),
    ],
    "pooling to a size": [
        (lambda L, x: L.F.adaptive_max_pool1d(x, 3), line),
        (lambda L, x: L.F.adaptive_max_pool2d(x, (3, None)), image),
        (lambda L, x: L.F.adaptive_avg_pool1d(x, 3), line),
        (lambda L, x: L.F.adaptive_avg_pool2d(x, (3, 7)), image),
        (lambda L, x: L.F.adaptive_avg_pool2d(x, 1), image),
        (lambda L, x: L.F.adaptive_avg_pool3d(x, 2), volume),
    ],
    "pooling at random": [
        (lambda L, x: L.F.fractional_max_pool2d(x, 2, 3, _random_samples=L.of(RANDOM[..., :2]).to(x.dtype)), image),
        (lambda L, x: L.F.fractional_max_pool3d(x, 1, 2, _random_samples=L.of(RANDOM).to(x.dtype)), volume),
    ],
    "unpooling": [(unpooled(1), line), (unpooled(2, (4, 5)), image), (unpooled(3), ((1, 4, 2, 6),))],
    "other sizes": [
        (lambda L, x: L.F.interpolate(x, 5), line),
        (lambda L, x: L.F.interpolate(x, scale_factor=1.7, mode="nearest-exact"), image),
        (lambda L, x: L.F.interpolate(x, 11, mode="linear"), line),
        (lambda L, x: L.F.interpolate(x, (7, 3), mode="bilinear", align_corners=True), image),
        (lambda L, x: L.F.interpolate(x, scale_factor=(0.6, 2.3), mode="bicubic"), image),
        (lambda L, x: L.F.interpolate(x, 3, mode="bicubic", antialias=True), image),
        (lambda L, x: L.F.interpolate(x, 5, mode="trilinear"), volume),
        (lambda L, x: L.F.interpolate(x, 2, mode="area"), volume),
    ],
    "points": [
        (sampled("bilinear", "zeros", False), image),
        (sampled("nearest", "reflection", True), image),
        (sampled("bicubic", "border", False), image),
        (sampled("bilinear", "border", True, GRID_3D), volume),
        (moved("bilinear", "zeros", True), (*image, (1, 3, 2, 2))),
        (moved("bilinear", "reflection", False), (*image, (1, 3, 2, 2))),
        (moved("bicubic", "zeros", False), (*image, (1, 3, 2, 2))),
        (moved("bilinear", "border", False, GRID_3D), (*volume, (1, 2, 2, 1, 3))),
        (lambda L, x: L.F.affine_grid(x, (2, 1, 3, 2), False), ((2, 2, 3),)),
        (lambda L, x: L.F.affine_grid(x, (1, 1, 2, 3, 2), True), ((1, 3, 4),)),
    ],
    "shuffles": [
        (lambda L, x: L.pixel_shuffle(x, 2), ((1, 8, 2, 3),)),
        (lambda L, x: L.pixel_unshuffle(x, 2), ((3, 4, 2),)),
        (lambda L, x: L.channel_shuffle(x, 2), ((2, 4, 3),)),
    ],
}
