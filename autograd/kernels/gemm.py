"""Matrix products: compiled tiles where they are faster than NumPy's BLAS, and NumPy elsewhere.

``product(a, b, added, relu)`` is ``a @ b + added``, rectified: one pass over the result for a linear layer with bias
and activation. Operands may have any strides: transposes are not copied.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from . import jit, threads

__all__ = ["compile_for", "product", "use_tiles"]

REAL = (np.dtype(np.float32), np.dtype(np.float64))
# Products that weigh as much as one element of a pointwise loop: from 64 * `jit.threshold`, about 100 x 100 x 100,
# tiles have caught up with BLAS.
WEIGHT = 64
GRAIN = 1 << 21  # products worth a thread: about 25 us
# Tiles side by side in a piece: a panel of A is packed anew for each piece, a block of B for each row of pieces.
PIECE_COLUMNS, PIECE_ROWS = 8, 4

_nothing = {dtype: np.empty((0, 0, 0), dtype) for dtype in REAL}
_floors = {dtype: (dtype.type(-np.inf), dtype.type(0)) for dtype in REAL}


def use_tiles(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether ``a @ b`` runs in compiled tiles."""
    if a.ndim < 2 or b.ndim < 2 or a.dtype != b.dtype or a.dtype not in REAL:
        return False
    rows, depth, columns = a.shape[-2], a.shape[-1], b.shape[-1]
    if rows < 2 or columns < 2 or depth == 0:
        return False  # a vector meets each element of the matrix once: memory alone counts, and BLAS is as good
    batch = max(math.prod(a.shape[:-2]), math.prod(b.shape[:-2]))
    return batch > 0 and jit.use_loops(batch * rows * depth * columns // WEIGHT)


def product(a: np.ndarray, b: np.ndarray, added: np.ndarray | None = None, *, relu: bool = False) -> np.ndarray:
    """``a @ b + added``, with negative numbers replaced by 0 if ``relu``.

    Args:
        a: (..., m, k), or (k,).
        b: (..., k, n), or (k,); leading dimensions broadcast.
        added: any shape that broadcasts to the result's, of its dtype.

    Raises:
        ValueError: shapes do not fit.

    >>> product(np.eye(2), np.ones((2, 3)), np.array([1., 2., -3.]), relu=True)
    array([[2., 3., 0.],
           [2., 3., 0.]])
    """
    if not use_tiles(a, b) or (added is not None and added.dtype != a.dtype):
        out = np.dot(a, b) if a.ndim <= 2 and b.ndim <= 2 else np.matmul(a, b)
        if added is not None:
            out = np.add(out, added, out=out) if isinstance(out, np.ndarray) else out + added
        return np.maximum(out, 0) if relu else out
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"product: {a.shape} and {b.shape} do not fit: {a.shape[-1]} != {b.shape[-2]}")
    if a.ndim == b.ndim == 2:
        batch, shape = 1, (a.shape[0], b.shape[1])
        a, b = a[None], b[None]
    else:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        batch, shape = math.prod(leading), (*leading, a.shape[-2], b.shape[-1])
        a, b = _stack(a, leading), _stack(b, leading)
    out = np.empty(shape, a.dtype)
    d = _nothing[a.dtype] if added is None else _fit(added, shape)
    m, n = shape[-2:]
    cuts = _cuts(batch, m, n, a.shape[2], a.dtype.itemsize) if threads.get_num_threads() > 1 else (1, 1)
    pieces = batch * cuts[0] * cuts[1]
    grain = -(-GRAIN * pieces // (batch * m * n * a.shape[2]))
    floor = _floors[a.dtype][relu]
    operands = (_unbroken(a), _unbroken(b), out.reshape(batch, m, n), d, floor)
    threads.run(_kernel(a.dtype), pieces, *operands, *cuts, grain=grain)
    return out


def _stack(matrices: np.ndarray, leading: tuple[int, ...]) -> np.ndarray:
    """As (batch, rows, columns), or (1, rows, columns) where one matrix meets all others."""
    own, matrix = matrices.shape[:-2], matrices.shape[-2:]
    if own != leading and math.prod(own) != 1:
        matrices = np.broadcast_to(matrices, (*leading, *matrix))
    return matrices if matrices.ndim == 3 else matrices.reshape(-1, *matrix)


def _unbroken(matrices: np.ndarray) -> np.ndarray:
    """With its rows or its columns in one piece."""
    size = matrices.itemsize
    return matrices if size in matrices.strides[1:] else np.ascontiguousarray(matrices)


def _fit(added: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """As three dimensions that are 1 or the result's, with its rows in one piece.

    Raises:
        ValueError: it does not broadcast to the shape.
    """
    if np.broadcast_shapes(added.shape, shape) != shape:
        raise ValueError(f"product: {added.shape} does not broadcast to the result's shape {shape}")
    leading = added.shape[:-2]
    if math.prod(leading) != 1 and leading != shape[:-2]:
        added = np.broadcast_to(added, (*shape[:-2], *added.shape[-2:]))
    added = added.reshape(-1, *(1, 1, *added.shape)[-2:])
    return added if added.shape[2] == 1 or added.strides[2] == added.itemsize else np.ascontiguousarray(added)


def _cuts(batch: int, rows: int, columns: int, depth: int, size: int) -> tuple[int, int]:
    """Pieces that one pair of matrices is cut into, along the rows and along the columns of the result."""
    from .gemm_tile import host_tile

    tile = host_tile(size * 8)
    most = min(threads.get_num_threads() * threads.PIECES_PER_THREAD, batch * rows * depth * columns // GRAIN)
    wanted = -(-most // batch)
    across = max(1, min(wanted, columns // (PIECE_COLUMNS * tile.columns)))
    return max(1, min(-(-wanted // across), rows // (PIECE_ROWS * tile.rows))), across


@cache
def _kernel(dtype: np.dtype) -> Callable[..., None]:
    from .gemm_loops import multiply_pieces
    from .memory import keep_freed_memory

    keep_freed_memory()
    return compile_for(multiply_pieces, dtype)


def compile_for(loops: Any, dtype: np.dtype) -> Callable[..., None]:
    """`gemm_loops.multiply_pieces` for a type and for all layouts: it takes addresses and strides from the arrays.

    Called without numba's search for a version that fits the arguments, which takes as long as a product of 32 x 32.
    """
    from numba import from_dtype, types

    real, index = from_dtype(dtype), types.intp
    given, written = types.Array(real, 3, "A", readonly=True, aligned=False), types.Array(real, 3, "C")
    return loops.compile(types.void(index, index, given, given, written, given, real, index, index))
