"""Compiled loops of :mod:`autograd.kernels.gamma` and :mod:`autograd.kernels.counts`."""

from __future__ import annotations

from types import FunctionType

from numba import njit

from . import counts, gamma
from .compiled import compiled
from .twister import pair

__all__ = ["LOOPS"]

# Closures would be copied to wherever they are called: that takes several times as long to compile.
names = {**vars(gamma), **vars(counts)}
for part in (pair, *counts.PARTS):
    names[part.__name__] = njit(nogil=True, no_cfunc_wrapper=True)(FunctionType(part.__code__, names, part.__name__))
LOOPS = {
    loop: compiled()(FunctionType(loop.__code__, names, loop.__name__))
    for loop in (gamma.gamma_numbers, counts.poisson_numbers, counts.binomial_numbers)
}
