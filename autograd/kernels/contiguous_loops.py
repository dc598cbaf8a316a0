"""The compiled loop of :mod:`autograd.kernels.contiguous`."""

from __future__ import annotations

from .compiled import compiled
from .contiguous import BAND, CHUNK
from .gemm_tile import tile_lanes, transpose_rows
from .scalar import inline

__all__ = ["turn_planes"]


@inline
def turn_band(zero, size, x, out, width, x_step, out_step):
    """Makes as many rows as a vector has lanes, and ``width`` numbers in each, the columns of a band. Squares overlap
    where the width is no multiple."""
    lanes = tile_lanes(zero)
    whole = width // lanes * lanes
    transpose_rows(zero, x, x_step, out, out_step, lanes, whole)
    if whole < width:
        last = width - lanes
        transpose_rows(zero, x + last * size, x_step, out + last * out_step, out_step, lanes, lanes)


@compiled()
def turn_planes(start, stop, zero, size, x, out, steps):
    """Turns matrices, a work item being a chunk of rows of the result and a band of its columns.

    Args:
        zero: a number of the elements' size.
        size: this one, in bytes.
        x: the address of the matrices.
        out: that of the result.
        steps: rows and columns of a result, chunks and bands of each; bytes from one of its columns to the next in
            ``x``, and from row to row in ``out``; numbers of matrices along two of three outer dimensions, and the
            bytes from one to the next along all three, in ``x`` and in ``out``.
    """
    length, height, chunks, bands, x_step, out_step = steps[0], steps[1], steps[2], steps[3], steps[4], steps[5]
    lanes = tile_lanes(zero)
    for item in range(start, stop):
        band, rest = item % bands, item // bands
        chunk, plane = rest % chunks, rest // chunks
        first, second, third = plane // steps[7] // steps[6], plane // steps[7] % steps[6], plane % steps[7]
        source = x + first * steps[8] + second * steps[9] + third * steps[10]
        target = out + first * steps[11] + second * steps[12] + third * steps[13]
        row, column = chunk * CHUNK, band * (BAND // size)
        width = length - row if chunk == chunks - 1 else CHUNK
        across = height - column if band == bands - 1 else BAND // size
        for at in range(0, across, lanes):
            left = column + min(at, across - lanes)
            begin, end = source + left * x_step + row * size, target + row * out_step + left * size
            turn_band(zero, size, begin, end, width, x_step, out_step)
