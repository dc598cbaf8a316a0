"""Vectors of ones: a product with one adds up rows in half the time of `np.add.reduce`, where they are few or short."""

from __future__ import annotations

import numpy as np

__all__ = ["FEW", "ONES"]

FEW = 256  # numbers up to which a vector is kept for each: longer sums should round more evenly than a product does


class _Ones(dict[int, np.ndarray]):
    def __init__(self, dtype: np.dtype) -> None:
        self.dtype = dtype

    def __missing__(self, n: int) -> np.ndarray:
        ones = self[n] = np.ones(n, self.dtype)
        ones.flags.writeable = False
        return ones


ONES = {char: _Ones(np.dtype(char)) for char in "fd"}  # by the dtype's character
