"""The windows of images as columns of a matrix, and columns added back into images, for one image after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from .conv_columns import Box, Boxes, Geometry

__all__ = ["columns_to_images", "images_to_columns"]


def images_to_columns(
    x: np.ndarray,
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """``x`` (N, C, *spatial) as (N, C * taps, positions): in each column the elements of one window, channel after
    channel.

    >>> images_to_columns(np.arange(4).reshape(1, 1, 4), (2,), (1,), (0,), (1,))
    array([[[0, 1, 2],
            [1, 2, 3]]])
    """
    geometry = Geometry.of(x.shape, (1, x.shape[1], *kernel), stride, padding, dilation, 1)
    boxes = Boxes(geometry, x.dtype)
    out = np.empty((geometry.samples, geometry.lines, geometry.positions), x.dtype)
    image = boxes.image(x)
    for i, box in _samples(geometry):
        boxes.pack(image, box, out[i])
    return out


def columns_to_images(
    columns: np.ndarray,
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> np.ndarray:
    """The transpose of `images_to_columns`: images of a spatial ``size``, in which overlapping windows add up.

    >>> columns_to_images(np.ones((1, 2, 3)), (4,), (2,), (1,), (0,), (1,))
    array([[[1., 2., 2., 1.]]])
    """
    channels = columns.shape[1] // int(np.prod(kernel))
    shape = (columns.shape[0], channels, *size)
    geometry = Geometry.of(shape, (1, channels, *kernel), stride, padding, dilation, 1)
    boxes = Boxes(geometry, columns.dtype)
    columns = np.ascontiguousarray(columns)
    image = boxes.blank_image()
    for i, box in _samples(geometry):
        boxes.unpack(columns[i], image, box)
    return np.ascontiguousarray(boxes.crop(image)).reshape(shape)


def _samples(geometry: Geometry) -> Iterator[tuple[int, Box]]:
    """A box for each whole sample."""
    depth, height, _ = geometry.out
    for i in range(geometry.samples):
        yield i, Box(i, 1, 0, depth, 0, height)
