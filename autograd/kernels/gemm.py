"""Matrix products: compiled tiles where they are faster than NumPy's BLAS, and NumPy elsewhere.

``product(a, b, added)`` is ``a @ b + added``: one pass over the result for a linear layer with bias. Operands may have
any strides: transposes are not copied.
"""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Any

import numpy as np

from . import jit, threads
from .memory import empty, room

__all__ = ["compile_for", "matrix_product", "product", "use_tiles"]

REAL = "fd"  # the type characters of float32 and float64
# Products that weigh as much as one element of a pointwise loop: tiles begin at 64 * `jit.threshold`, about 100 cubed.
# Measured, float32 and one thread, time of OpenBLAS and of tiles over MKL's: 64 cubed 0.8 and 1.0 (with the second
# operand transposed 1.2 and 1.0), 96 cubed 1.0 and 1.2 (1.8 and 1.2), 128 cubed 1.3 and 1.1, from 256 on 1.1 and 1.05;
# float64 is alike. Smaller ones do not pay for importing numba.
WEIGHT = 64
GRAIN = 1 << 18  # products worth a thread: about 3 us
# Of large products more pieces than threads, so that a thread that lost its core leaves some to the others; of smaller
# ones as many, since each packs what it needs of both operands anew. Measured with two threads, two pieces above each
# other and side by side: 128 cubed 17.7 and 20.5 us, 192 cubed 46 and 51, 128 x 784 by 784 x 256 204 and 190; 2048 x
# 512 by 512 x 128 885 and 937; 1024 cubed in four pieces, above each other and two by two, 7.3 and 6.8 ms.
LARGE, PIECES_PER_THREAD = 1 << 28, 2
PIECE_ROWS, PIECE_COLUMNS = 4, 2  # the fewest tiles in a piece
PACK_A, PACK_B = 16, 32  # products that take as long as packing one number
# Products whose result begins with a line of the cache: with one thread 128 x 256 by 256 x 256 take 3 % less so, 512
# cubed 2 %, with two threads 128 x 784 by 784 x 256 4 %; but 128 cubed, which finding the line holds up, 4 % more.
LINED_UP = 1 << 23
SHARED_LINE = 2500  # and as long as a row that two threads write to, of which a line of the cache may hold both parts

# A transposed second operand costs OpenBLAS more than a copy of it in rows does, where that is small beside the
# product: with one thread 64 cubed 8.1 and 6.8 us, 32 x 64 by 64 x 64 5.4 and 4.4; but 32 cubed 1.5 and 1.7, 32 x 128
# by 128 x 128 18.9 and 20.
LEAST_TURNED, ROWS_TURNED, MOST_TURNED = 1 << 17, 32, 1 << 13

_add, _maximum = np.add, np.maximum  # a global name is found faster than an attribute of a module
_nothing = {char: np.empty((0, 0, 0), char) for char in REAL}


_fewest = 0  # products of two matrices that run in tiles


def _notice() -> None:
    global _fewest
    mode = jit.mode() if jit.numba_available() else "never"
    _fewest = {"always": 0, "auto": WEIGHT * jit.threshold, "never": 1 << 62}[mode]


_notice()
jit.listeners.append(_notice)


def use_tiles(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether ``a @ b`` runs in compiled tiles."""
    if a.ndim == 2 == b.ndim:
        products = a.size * b.shape[1]
    elif a.ndim < 2 or b.ndim < 2:
        return False
    else:
        products = max(a.size * b.shape[-1], b.size * a.shape[-2])  # the larger one, where one matrix meets many
    if not products or not jit.use_loops(products // WEIGHT):
        return False
    # A vector meets each element of the matrix once: memory alone counts, and BLAS is as good.
    return a.dtype.char in REAL and b.dtype == a.dtype and a.shape[-2] > 1 and b.shape[-1] > 1


def product(
    a: np.ndarray,
    b: np.ndarray,
    added: np.ndarray | None = None,
    *,
    out: np.ndarray | None = None,
) -> np.ndarray:
    """``a @ b + added``.

    Args:
        a: (..., m, k), or (k,).
        b: (..., k, n), or (k,); leading dimensions broadcast.
        added: any shape that broadcasts to the result's, of its dtype.
        out: of the result's shape and dtype, to be written into; overlaps no operand.

    Raises:
        ValueError: shapes do not fit.

    >>> product(np.eye(2), np.ones((2, 3)), np.array([1., 2., -3.]))
    array([[ 2.,  3., -2.],
           [ 2.,  3., -2.]])
    """
    if a.ndim == 2 == b.ndim and out is None:
        return matrix_product(a, b, added)
    return _product(a, b, added, out)


def matrix_product(
    a: np.ndarray, b: np.ndarray, added: np.ndarray | None = None, rectified: bool = False
) -> np.ndarray:
    """`product` of two matrices; ``rectified``, something being added, its maximum with 0."""
    rows, size = len(a), b.size
    products = rows * size
    if products < _fewest:
        if products >= LEAST_TURNED and rows >= ROWS_TURNED and size <= MOST_TURNED and b.flags.fnc:
            b = b.copy()
        result = a.dot(b)
        if added is None:
            return result
        _add(result, added, result)
        return _maximum(result, 0, out=result) if rectified else result
    if added is None and _are_plain(a, b):
        result = _new((a.shape[0], b.shape[1]), a)
        _multiply(a[None], b[None], result[None], _nothing[a.dtype.char])
        return result
    return _product(a, b, added, None, rectified)


def _product(
    a: np.ndarray, b: np.ndarray, added: np.ndarray | None, out: np.ndarray | None, rectified: bool = False
) -> np.ndarray:
    if not use_tiles(a, b) or (added is not None and added.dtype != a.dtype):
        result = _by_blas(a, b, added, out)
        return _maximum(result, 0, out=result) if rectified else result
    if a.shape[-1] != b.shape[-2]:
        raise ValueError(f"product: {a.shape} and {b.shape} do not fit: {a.shape[-1]} != {b.shape[-2]}")
    char = a.dtype.char
    if a.ndim == b.ndim == 2:
        batch, shape = 1, (a.shape[0], b.shape[1])
        a, b = a[None], b[None]
    elif a.ndim == b.ndim == 3 and len(a) == len(b):
        batch, shape = len(a), (*a.shape[:2], b.shape[2])
    else:
        leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        batch, shape = math.prod(leading), (*leading, a.shape[-2], b.shape[-1])
        a, b = _stack(a, leading), _stack(b, leading)
    if out is not None and (out.shape != shape or out.dtype != a.dtype):
        raise ValueError(f"product: out is {out.dtype}{list(out.shape)}, but the result is {a.dtype}{list(shape)}")
    # The result of two matrices is an array of its own, no view of one: a leaf keeps such a gradient without a copy.
    result = _new(shape, a) if out is None else out
    c = result.reshape(batch, *shape[-2:])
    # Where the kernel cannot write, or `reshape` made a copy: rows must be in one piece.
    written = (len(shape) < 4 or result.flags.c_contiguous) and (c.strides[2] == c.itemsize or c.shape[2] == 1)
    if not written:
        c = np.empty(c.shape, c.dtype)
    d = _nothing[char] if added is None else _fit(added, shape)
    _multiply(_unbroken(a), _unbroken(b), c, d, rectified)
    if not written:
        result[...] = c.reshape(shape)
    return result


def _multiply(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray, rectified: bool = False) -> None:
    """`gemm_loops.multiply_pieces` on all pieces."""
    count = threads.get_num_threads()
    kernel, (batch, rows, columns) = _kernel(c.dtype.char), c.shape
    if count == 1:
        kernel.alone(0, batch, a, b, c, d, rectified, 1, 1, room())
        return
    work = c.size * a.shape[2]
    down, across = _cuts(work, batch, rows, columns, c.itemsize, count)
    pieces = batch * down * across
    threads.run(kernel, pieces, a, b, c, d, rectified, down, across, grain=-(-GRAIN * pieces // work))


def _new(shape: tuple[int, ...], a: np.ndarray) -> np.ndarray:
    """Memory for the product of ``a`` and other matrices: from a line of the cache on where that pays."""
    return (empty if a.size * shape[-1] >= LINED_UP else np.empty)(shape, a.dtype)


def _are_plain(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether two matrices, large enough for tiles, fit and can be read where they lie."""
    (m, k), (depth, n), dtype = a.shape, b.shape, a.dtype
    return (
        k == depth > 0
        and m > 1 < n
        and dtype is b.dtype
        and dtype.char in REAL
        and dtype.itemsize in a.strides
        and dtype.itemsize in b.strides
    )


def _by_blas(a: np.ndarray, b: np.ndarray, added: np.ndarray | None, out: np.ndarray | None) -> np.ndarray:
    result = np.dot(a, b) if out is None and a.ndim <= 2 and b.ndim <= 2 else np.matmul(a, b, out=out)
    return result if added is None else np.add(result, added, out=result if result.ndim else None)


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
    if added.ndim == 1 and added.shape[0] == shape[-1] and added.flags.c_contiguous:  # a bias
        return added[None, None]
    if np.broadcast_shapes(added.shape, shape) != shape:
        raise ValueError(f"product: {added.shape} does not broadcast to the result's shape {shape}")
    leading = added.shape[:-2]
    if math.prod(leading) != 1 and leading != shape[:-2]:
        added = np.broadcast_to(added, (*shape[:-2], *added.shape[-2:]))
    added = added.reshape(-1, *(1, 1, *added.shape)[-2:])
    return added if added.shape[2] == 1 or added.strides[2] == added.itemsize else np.ascontiguousarray(added)


@lru_cache(1024)
def _cuts(work: int, batch: int, rows: int, columns: int, size: int, threads: int) -> tuple[int, int]:
    """Pieces that one pair of matrices is cut into, along the rows and along the columns of the result."""
    pieces = threads * (PIECES_PER_THREAD if work >= LARGE else 1)
    wanted = -(-min(pieces, work // GRAIN) // batch)
    if wanted < 2:
        return 1, 1
    from .gemm_tile import host_tile

    tile = host_tile(size * 8)
    low, depth = tile.heights()[-1], work // (batch * rows * columns)

    def duration(down: int, across: int) -> int:
        """Of all pieces, in products of numbers, for each step of the depth."""
        high = -(-rows // low // down) * low
        wide = -(-columns // tile.columns // across) * tile.columns
        shared = high * SHARED_LINE // depth if across > 1 else 0
        return -(-batch * down * across // threads) * (high * wide + PACK_A * high + PACK_B * wide + shared)

    most_down = max(1, min(wanted, rows // (PIECE_ROWS * tile.rows)))
    most_across = max(1, columns // (PIECE_COLUMNS * tile.columns))
    cuts = [(down, min(-(-wanted // down), most_across)) for down in range(1, most_down + 1)]
    return min(cuts, key=lambda cut: duration(*cut))


@cache
def _kernel(char: str) -> threads.Kernel:
    from .gemm_loops import multiply_pieces

    return compile_for(multiply_pieces, np.dtype(char))


def compile_for(loops: Any, dtype: np.dtype) -> threads.Kernel:
    """`gemm_loops.multiply_pieces` for a type and for all layouts: it takes addresses and strides from the arrays.

    Called without numba's search for a version that fits the arguments, which takes as long as a product of 32 x 32.
    """
    from numba import from_dtype, types

    real, index = from_dtype(dtype), types.intp
    given, written = types.Array(real, 3, "A", readonly=True, aligned=False), types.Array(real, 3, "A")
    return threads.Kernel(loops, types.void(index, index, given, given, written, given, index, index, index, index))
