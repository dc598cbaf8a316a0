"""The rectified linear unit, and the mask that its gradient needs: a bit for each element."""

from __future__ import annotations

import numpy as np

from . import jit, threads
from .memory import empty

__all__ = ["passed", "rectify"]

GRAIN = 4096  # words worth a thread


def _has_loops(x: np.ndarray) -> bool:
    return x.dtype.char in "fd" and x.flags.c_contiguous and jit.use_loops(x.size)


def rectify(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``max(x, 0)``, and for each element a bit that says whether a gradient passes: x > 0, or NaN.

    Returns:
        The result, and ``ceil(x.size / 8)`` bytes: row by row, the first element in the lowest bit.
    """
    if not _has_loops(x):
        passes = ~(x <= 0)
        return np.where(passes, x, x.dtype.type(0)), np.packbits(passes, bitorder="little")
    from .rectifier_loops import WORD, rectify_words

    out, bits = empty(x.shape, x.dtype), np.empty(-(-x.size // 8), np.uint8)
    words = -(-x.size // WORD)
    threads.run(rectify_words, words, x.reshape(-1), out.reshape(-1), bits, grain=GRAIN)
    return out, bits


def passed(g: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """``g`` where the bit is set, elsewhere 0.

    Args:
        g: of the shape of what the bits are from.
    """
    if not _has_loops(g):
        mask = np.unpackbits(bits, count=g.size, bitorder="little").view(np.bool_)
        return np.where(mask.reshape(g.shape), g, g.dtype.type(0))
    from .rectifier_loops import WORD, pass_words

    out = empty(g.shape, g.dtype)
    threads.run(pass_words, -(-g.size // WORD), g.reshape(-1), out.reshape(-1), bits, grain=GRAIN)
    return out
