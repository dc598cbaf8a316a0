"""Compiled loops of :mod:`autograd.kernels.normalization`; arrays are flat, a work item is one run of elements.

Sums may be taken in another order than the elements' (``reassoc``), which is what lets LLVM vectorize them, but always
in the same one: blocks of `BLOCK` in the elements' type, and the sums of blocks in float64.
"""

from __future__ import annotations

from math import sqrt

from numba import intp, njit, uint64

from .compiled import compiled
from .normalization_rows import mix_run, product_run, shift_run, square_run, sum_run
from .scalar import wide

__all__ = [
    "mix_planes",
    "plane_products",
    "row_gradients",
    "run_moments",
    "shift_planes",
    "shift_rows",
    "standardize_rows",
]

FASTMATH = {"contract", "arcp", "nsz", "reassoc"}
BLOCK = 1024


@njit(forceinline=True)
def place(array, first):
    """The address of an element."""
    return intp(array.ctypes.data) + first * array.itemsize


@njit(forceinline=True)
def shift_row(row, x, center, scale, weight, bias, out, length, patterns):
    first, pattern = row * length, row % patterns * length
    weights, biases = place(weight, pattern), place(bias, pattern)
    shift_run(center, scale, place(x, first), weights, biases, place(out, first), length, length * x.itemsize)


@njit(forceinline=True, fastmath=FASTMATH)
def run_sums(x, first, last, centered):
    """The mean of a run of elements (or 0), and the sum of the squared distances from it."""
    mean = zero = x.dtype.type(0)
    total = 0.0
    if centered:
        for block in range(first, last, BLOCK):
            total += sum_run(zero, place(x, block), min(BLOCK, last - block))
        mean = x.dtype.type(total / (last - first))
    total = 0.0
    for block in range(first, last, BLOCK):
        total += square_run(mean, place(x, block), min(BLOCK, last - block))
    return mean, total


@compiled(fastmath=FASTMATH)
def run_moments(start, stop, x, means, squares, length, centered):
    """`run_sums` of each run of ``length`` elements."""
    for run in range(start, stop):
        means[run], squares[run] = run_sums(x, run * length, (run + 1) * length, centered)


@compiled(fastmath=FASTMATH)
def standardize_rows(start, stop, x, weight, bias, out, means, scales, length, patterns, eps, centered):
    """`shift_rows` by what each row's mean and standard deviation turn out to be."""
    for row in range(start, stop):
        mean, squares = run_sums(x, row * length, (row + 1) * length, centered)
        variance = x.dtype.type(squares / length) + x.dtype.type(eps)
        means[row], scales[row] = mean, x.dtype.type(1) / x.dtype.type(sqrt(variance))
        shift_row(row, x, mean, scales[row], weight, bias, out, length, patterns)


@compiled(fastmath=FASTMATH)
def shift_planes(start, stop, x, centers, scales, shifts, out, length):
    """``(x - center) * scale + shift``, with numbers of their own for each plane."""
    wide()
    for plane in range(start, stop):
        center, scale, shift = centers[plane], scales[plane], shifts[plane]
        for i in range(plane * length, (plane + 1) * length):
            out[uint64(i)] = (x[uint64(i)] - center) * scale + shift


@compiled(fastmath=FASTMATH)
def shift_rows(start, stop, x, centers, scales, weight, bias, out, length, patterns):
    """``(x - center) * scale * weight + bias``: center and scale by row, weight and bias by place in the row."""
    for row in range(start, stop):
        shift_row(row, x, centers[row], scales[row], weight, bias, out, length, patterns)


@compiled(fastmath=FASTMATH)
def plane_products(start, stop, g, x, centers, sums, products, length):
    """For each plane the sums of ``g`` and of ``g * (x - center)``."""
    wide()
    for plane in range(start, stop):
        first, last = plane * length, (plane + 1) * length
        center = centers[plane]
        total = total_product = 0.0
        for block in range(first, last, BLOCK):
            part, product = g.dtype.type(0), g.dtype.type(0)
            for i in range(block, min(block + BLOCK, last)):
                part += g[uint64(i)]
                product += g[uint64(i)] * (x[uint64(i)] - center)
            total += part
            total_product += product
        sums[plane] = total
        products[plane] = total_product


@compiled(fastmath=FASTMATH)
def mix_planes(start, stop, g, x, centers, of_g, of_x, shifts, out, length):
    """``of_g * g + of_x * (x - center) + shift``, with numbers of their own for each plane."""
    wide()
    for plane in range(start, stop):
        center, a, b, shift = centers[plane], of_g[plane], of_x[plane], shifts[plane]
        for i in range(plane * length, (plane + 1) * length):
            out[uint64(i)] = a * g[uint64(i)] + b * (x[uint64(i)] - center) + shift


@compiled(fastmath=FASTMATH)
def row_gradients(
    start, stop, g, x, centers, scales, weight, out, of_weight, of_bias, length, patterns, rows, pitch, centered
):
    """Gradients of standardized rows, ``rows`` of them a work item, which adds up parts of its own of the weight's and
    the bias's gradients, ``pitch`` numbers from one part to the next."""
    for item in range(start, stop):
        parts = item * pitch
        for i in range(parts, parts + pitch):
            of_weight[uint64(i)] = of_bias[uint64(i)] = 0
        for row in range(item * rows, min((item + 1) * rows, len(centers))):
            center, scale = centers[row], scales[row]
            pattern = row % patterns * length
            first = row * length
            total = total_product = 0.0
            for block in range(0, length, BLOCK):
                of_here = parts + pattern + block
                part, product = product_run(
                    center, scale, place(g, first + block), place(x, first + block), place(weight, pattern + block),
                    place(of_weight, of_here), place(of_bias, of_here), min(BLOCK, length - block),
                    place(out, first + length + block),
                )  # fmt: skip
                total += part
                total_product += product
            shift = -g.dtype.type(total / length) * scale if centered else g.dtype.type(0)
            slope = -g.dtype.type(total_product / length * scale) * scale * scale
            mix_run(
                center, scale, slope, shift, place(g, first), place(x, first), place(weight, pattern),
                place(out, first), length, length * x.itemsize,
            )  # fmt: skip
