"""The matrix of image columns behind :mod:`autograd.kernels.conv`, one cache-sized box at a time.

A column is the window under one output position; a line is one tap of one channel. The whole matrix is larger than
the image by the number of taps, so it is never made: a *box* of output positions (some samples, or a part of one)
goes through a buffer that stays in the cache. One and two spatial axes are lifted to three, the first of size 1.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from . import jit, threads
from .contiguous import contiguous

__all__ = ["Box", "Boxes", "Geometry", "by_group", "conv_output_size", "span", "use_conv_loops"]

# Measured: smaller boxes lose to handing work over between threads, larger ones leave the cache.
BOX_BYTES = 1 << 22
# Elements worth a thread: many, because after a product the other core is still busy in BLAS' waiting loop.
GRAIN = 1 << 18

LOOP_DTYPES = (np.dtype(np.float32), np.dtype(np.float64))

_kept = threading.local()


class Geometry(NamedTuple):
    """Sizes of one convolution; spatial ones are (depth, height, width)."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    size: tuple[int, ...]
    out: tuple[int, ...]
    axes: int
    samples: int
    channels: int
    filters: int
    groups: int

    @staticmethod
    def of(
        x_shape: Sequence[int],
        weight_shape: Sequence[int],
        stride: Sequence[int],
        padding: Sequence[int],
        dilation: Sequence[int],
        groups: int,
    ) -> Geometry:
        """Checks that the sizes fit, and lifts them.

        Raises:
            RuntimeError: they do not.
        """
        return Geometry._of(tuple(x_shape), tuple(weight_shape), tuple(stride), tuple(padding), tuple(dilation), groups)

    @staticmethod
    @lru_cache(256)  # measured: 7.7 us to make one, 0.5 to find it
    def _of(
        x_shape: tuple[int, ...],
        weight_shape: tuple[int, ...],
        stride: tuple[int, ...],
        padding: tuple[int, ...],
        dilation: tuple[int, ...],
        groups: int,
    ) -> Geometry:
        axes = len(x_shape) - 2
        if axes not in (1, 2, 3) or len(weight_shape) != axes + 2:
            raise RuntimeError(
                f"conv: input {tuple(x_shape)} and weight {tuple(weight_shape)} must both have 3, 4 or 5 dimensions."
            )
        name = f"conv{axes}d"
        if groups < 1 or weight_shape[0] % groups:
            raise RuntimeError(
                f"{name}: groups={groups} must divide the number of filters, {weight_shape[0]} in weight "
                f"{tuple(weight_shape)}."
            )
        if x_shape[1] != weight_shape[1] * groups:
            raise RuntimeError(
                f"{name}: input has {x_shape[1]} channels, but weight {tuple(weight_shape)} with groups={groups} "
                f"expects {weight_shape[1] * groups}."
            )
        out = conv_output_size(x_shape[2:], weight_shape[2:], stride, padding, dilation)
        ones, zeros = (1,) * (3 - axes), (0,) * (3 - axes)
        return Geometry(
            kernel=(*ones, *weight_shape[2:]),
            stride=(*ones, *stride),
            padding=(*zeros, *padding),
            dilation=(*ones, *dilation),
            size=(*ones, *x_shape[2:]),
            out=(*ones, *out),
            axes=axes,
            samples=x_shape[0],
            channels=x_shape[1],
            filters=weight_shape[0],
            groups=groups,
        )

    @property
    def name(self) -> str:
        return f"conv{self.axes}d"

    @property
    def lines(self) -> int:
        return self.channels * prod(self.kernel)

    @property
    def positions(self) -> int:
        return prod(self.out)

    def spatial_out(self) -> tuple[int, ...]:
        return self.out[3 - self.axes :]

    def array(self) -> np.ndarray:
        return np.array(self[:6], dtype=np.int64)

    def turned_round(self) -> Geometry:
        """The convolution of ``g`` that makes the gradient of the input, where the stride is 1."""
        padding = ((k - 1) * d - p for k, d, p in zip(self.kernel, self.dilation, self.padding, strict=True))
        return self._replace(
            padding=tuple(padding),
            size=self.out,
            out=self.size,
            channels=self.filters,
            filters=self.channels,
        )

    def is_pointwise(self) -> bool:
        """Whether each output position sees the input position of the same index and no other."""
        return prod(self.kernel) == 1 and self.size == self.out and not any(self.padding)


class Box(NamedTuple):
    """Output positions: of some whole samples, or a run of rows (or of whole slices) of a single one."""

    first: int
    samples: int
    first_depth: int
    depths: int
    first_row: int
    rows: int


def conv_output_size(
    size: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """Spatial sizes of a convolution's output.

    Raises:
        RuntimeError: the dilated kernel is larger than the padded input, or has no taps.

    >>> conv_output_size((28, 28), (5, 5), (1, 1), (0, 0), (1, 1))
    (24, 24)
    """
    extent = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    padded = tuple(s + 2 * p for s, p in zip(size, padding, strict=True))
    if any(k < 1 for k in kernel):
        raise RuntimeError(f"conv{len(padded)}d: the kernel size must be positive, but got {tuple(kernel)}.")
    if any(p < e for p, e in zip(padded, extent, strict=True)):
        raise RuntimeError(
            f"conv{len(padded)}d: the kernel, {extent} with its dilation, is larger than the input, {padded} with "
            f"its padding. Use a smaller kernel or more padding."
        )
    return tuple((p - e) // s + 1 for p, e, s in zip(padded, extent, stride, strict=True))


class Boxes:
    """Iterates over the boxes of a convolution, and moves them between images, columns and outputs.

    An image is (N, C, depth, height, width). The NumPy reading copies windows of an image padded beforehand;
    the compiled one knows where the image ends.
    """

    def __init__(self, geometry: Geometry, dtype: np.dtype) -> None:
        self.geometry, self.dtype = geometry, dtype
        lines, rows = geometry.lines, geometry.samples * geometry.out[0] * geometry.out[1]
        self.loops = use_conv_loops(geometry, dtype)
        self.padding = (0, 0, 0) if self.loops else geometry.padding
        self.array = geometry.array()
        row_bytes = (lines + geometry.filters) * geometry.out[2] * dtype.itemsize
        self.rows = max(1, min(rows, BOX_BYTES // max(row_bytes, 1)))
        self.room_for_columns = lines * self.rows * geometry.out[2]

    @cached_property
    def buffer(self) -> np.ndarray:
        """Room for the columns and the outputs of one box."""
        return _scratch(self.room_for_columns + self.geometry.filters * self.rows * self.geometry.out[2], self.dtype)

    def __iter__(self) -> Iterator[Box]:
        samples, (depth, height, _) = self.geometry.samples, self.geometry.out
        together = max(1, self.rows // (depth * height))
        depths = max(1, min(depth, self.rows // height))
        rows = min(height, self.rows)
        for first in range(0, samples, together):
            for z in range(0, depth, depths):
                for y in range(0, height, rows):
                    yield Box(
                        first,
                        min(together, samples - first),
                        z,
                        min(depths, depth - z),
                        y,
                        min(rows, height - y),
                    )

    def columns(self, box: Box) -> np.ndarray:
        """Room for (groups, C / groups * taps, samples * positions)."""
        length = box.samples * _length(box, self.geometry)
        matrix = self.buffer[: self.geometry.lines * length].reshape(self.geometry.lines, length)
        return by_group(matrix, self.geometry.groups)

    def outputs(self, box: Box) -> np.ndarray:
        """Room for (groups, F / groups, samples * positions)."""
        length = box.samples * _length(box, self.geometry)
        start, filters = self.room_for_columns, self.geometry.filters
        return by_group(self.buffer[start : start + filters * length].reshape(filters, length), self.geometry.groups)

    def image(self, x: np.ndarray) -> np.ndarray:
        """``x`` as a contiguous image, padded if the reading needs it."""
        shape = (self.geometry.samples, self.geometry.channels, *self.geometry.size)
        if not any(self.padding):
            return contiguous(x, self.dtype).reshape(shape)
        image = self.blank_image()
        self.crop(image)[...] = x.reshape(shape)
        return image

    def blank_image(self) -> np.ndarray:
        """Zeros, padded if the reading needs it."""
        size = [s + 2 * p for s, p in zip(self.geometry.size, self.padding, strict=True)]
        return np.zeros((self.geometry.samples, self.geometry.channels, *size), self.dtype)

    def crop(self, image: np.ndarray) -> np.ndarray:
        """The part of ``image`` that is not padding."""
        z, y, x = (slice(p, p + s) for s, p in zip(self.geometry.size, self.padding, strict=True))
        return image[:, :, z, y, x]

    def pack(self, image: np.ndarray, box: Box, columns: np.ndarray | None = None) -> np.ndarray:
        """The box's columns, in the shared buffer or where ``columns`` says."""
        geometry, columns = self.geometry, self.columns(box) if columns is None else columns
        if self.loops:
            from .conv_loops import image_to_columns

            arguments = (image.reshape(-1), geometry.channels, columns.reshape(-1), self.array, tuple(box))
            self._run(image_to_columns, box.samples * geometry.channels, columns.size, *arguments)
            return columns
        extent = [d * (k - 1) + 1 for k, d in zip(geometry.kernel, geometry.dilation, strict=True)]
        windows = sliding_window_view(image[box.first : box.first + box.samples], extent, (2, 3, 4))
        taps = tuple(slice(None, None, d) for d in geometry.dilation)
        chosen = (slice(None), slice(None), *self._windows(box, (0, 0, 0)), *taps)
        windows = windows[chosen]
        lines = columns.reshape(geometry.channels, *geometry.kernel, box.samples, *windows.shape[2:5])
        lines[...] = windows.transpose(1, 5, 6, 7, 0, 2, 3, 4)
        return columns

    def unpack(self, columns: np.ndarray, gx: np.ndarray, box: Box) -> None:
        """Adds each column to the window of ``gx`` that it belongs to."""
        geometry = self.geometry
        if self.loops:
            from .conv_loops import columns_to_image

            arguments = (columns.reshape(-1), gx.reshape(-1), geometry.channels, self.array, tuple(box))
            self._run(columns_to_image, box.samples * geometry.channels, columns.size, *arguments)
            return
        shape = (geometry.channels, *geometry.kernel, box.samples, box.depths, box.rows, geometry.out[2])
        lines, samples = columns.reshape(shape), gx[box.first : box.first + box.samples]
        for tap in np.ndindex(geometry.kernel):
            start = [k * d for k, d in zip(tap, geometry.dilation, strict=True)]
            windows = (slice(None), slice(None), *self._windows(box, start))
            line = (slice(None), *tap)
            samples[windows] += lines[line].swapaxes(0, 1)

    def gather(self, g: np.ndarray, box: Box) -> np.ndarray:
        """The box of ``g`` (N, F, positions) as (groups, F / groups, samples * positions)."""
        geometry = self.geometry
        if box.samples == 1:
            return by_group(g[box.first, :, span(box, geometry)], geometry.groups)
        outputs = self.outputs(box)
        lines = outputs.reshape(geometry.filters, box.samples, geometry.positions)
        lines[...] = g[box.first : box.first + box.samples].swapaxes(0, 1)
        return outputs

    def place(self, outputs: np.ndarray, bias: np.ndarray | None, out: np.ndarray, box: Box) -> None:
        """Writes (groups, F / groups, samples * positions) plus ``bias`` to the box's samples of ``out``."""
        geometry = self.geometry
        target = out[box.first : box.first + box.samples]
        target[...] = outputs.reshape(geometry.filters, box.samples, geometry.positions).swapaxes(0, 1)
        if bias is not None:
            target += bias[:, None]

    def _run(self, kernel: Callable[..., None], items: int, elements: int, *arguments: object) -> None:
        threads.run(kernel, items, *arguments, grain=-(-GRAIN * items // max(elements, 1)))

    def _windows(self, box: Box, start: Sequence[int]) -> list[slice]:
        """Where the windows of a box begin in the padded image, moved by ``start``."""
        runs = ((box.first_depth, box.depths), (box.first_row, box.rows), (0, self.geometry.out[2]))
        return [
            slice(first * s + offset, (first + count - 1) * s + offset + 1, s)
            for (first, count), s, offset in zip(runs, self.geometry.stride, start, strict=True)
        ]


def use_conv_loops(geometry: Geometry, dtype: np.dtype) -> bool:
    """Whether a convolution is to run through compiled loops."""
    numbers = geometry.lines * geometry.samples * geometry.positions
    return dtype in LOOP_DTYPES and numbers * geometry.filters > 0 and jit.use_loops(numbers)


def span(box: Box, geometry: Geometry) -> slice:
    """The positions of a box within one sample; they are a run, since a box is cut along one axis only."""
    start = (box.first_depth * geometry.out[1] + box.first_row) * geometry.out[2]
    return slice(start, start + _length(box, geometry))


def by_group(matrix: np.ndarray, groups: int) -> np.ndarray:
    """(lines, columns) as a view (groups, lines / groups, columns)."""
    return matrix.reshape(groups, matrix.shape[0] // groups, matrix.shape[1])


def _length(box: Box, geometry: Geometry) -> int:
    return box.depths * box.rows * geometry.out[2]


def _scratch(size: int, dtype: np.dtype) -> np.ndarray:
    """Room for one box, the thread's own; kept, because a fresh array's page faults cost more than packing it."""
    array = getattr(_kept, dtype.str, None)
    if array is None or array.size < size:
        array = np.empty(size, dtype)
        if array.nbytes <= BOX_BYTES:
            setattr(_kept, dtype.str, array)
    return array[:size]
