"""Compiled loops of :mod:`autograd.kernels.scans`; arrays are flat, a work item is one run.

A run is ``length`` rows of ``width`` elements, and goes from row to row. Indices are made unsigned, which spares
numba's test for negative ones.
"""

from __future__ import annotations

import numpy as np
from numba import uint64

from .compiled import compiled

__all__ = ["accumulate_runs", "extreme_runs"]


@compiled()
def accumulate_runs(start, stop, x, out, length, width, is_product):
    """Running sums or products in float64, each rounded once."""
    neutral = 1.0 if is_product else 0.0
    for run in range(start, stop):
        first = run * length * width
        if width == 1:
            total = neutral
            for i in range(first, first + length):
                total = total * x[uint64(i)] if is_product else total + x[uint64(i)]
                out[uint64(i)] = total
            continue
        totals = np.full(width, neutral)
        for row in range(first, first + length * width, width):
            for i in range(width):
                element = x[uint64(row + i)]
                total = totals[uint64(i)] * element if is_product else totals[uint64(i)] + element
                totals[uint64(i)] = total
                out[uint64(row + i)] = total


@compiled()
def extreme_runs(start, stop, x, values, places, length, width, largest):
    """The largest or smallest element of the run so far, and where it lies; a NaN is more than any number."""
    for run in range(start, stop):
        first = run * length * width
        if width == 1:
            # A branch, which a processor foresees: choosing without one takes twice as long.
            step = 0
            while step < length:
                extreme, place = x[uint64(first + step)], step
                values[uint64(first + step)], places[uint64(first + step)] = extreme, place
                step += 1
                while step < length:
                    element = x[uint64(first + step)]
                    if (element >= extreme if largest else element <= extreme) or element != element:
                        break
                    values[uint64(first + step)], places[uint64(first + step)] = extreme, place
                    step += 1
            continue
        values[first : first + width] = x[first : first + width]
        places[first : first + width] = 0
        for step in range(1, length):
            row = first + step * width
            for i in range(row, row + width):
                element, extreme = x[uint64(i)], values[uint64(i - width)]
                leads = (element >= extreme if largest else element <= extreme) or element != element
                values[uint64(i)] = element if leads else extreme
                places[uint64(i)] = step if leads else places[uint64(i - width)]
