"""Memory of arrays: where it begins, that it is kept for the next ones when it is freed, and shared between processes.

glibc gives the top of its heap back to the system when a few megabytes are free, and the next array of that size is
page faults again: measured, forward and backward of GELU on a million float32 took 3.0 ms so, and 0.8 ms with memory
kept. The limits are raised when this module is imported; other C libraries have no such setting.

Arrays of less than 4 MB lie in pages of 4 KB, anywhere in the machine's memory, and compete for places in its caches
as chance has it; for longer ones NumPy asks for pages of 2 MB. Asked for the whole heap: measured, forward and backward
of a layer norm of 1000 x 1000 took 497 us at best and 585 in the middle of 16 processes, without 544 and 675.
"""

from __future__ import annotations

import ctypes
import mmap
import sys
import threading
from math import prod

import numpy as np

__all__ = [
    "HEADER",
    "LINE",
    "ROOM",
    "Block",
    "address_of",
    "at_line",
    "empty",
    "is_root",
    "is_shared",
    "room",
    "shared_copy",
]

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # parameters of mallopt(3)
KEPT = 256 << 20
MAPPED_FROM = 64 << 20  # larger arrays are mapped and unmapped on their own, as before
RESERVED = MAPPED_FROM - (1 << 20), 4  # bytes, and how many times: less than what is kept
ROOM = 1 << 21
LINE = 64  # bytes of the cache's, and of the longest vector
HEADER = object.__basicsize__  # bytes of an object before what is its type's own: of an array, its data's address
SMALL = 4096  # bytes up to which an array lies where NumPy puts it, unless something else is asked for

_kept = threading.local()


def _keep_freed_memory() -> None:
    """Raises glibc's limits for trimming and mapping, where there is glibc."""
    if sys.platform != "linux" or not hasattr(libc := ctypes.CDLL(None), "mallopt"):
        return
    libc.mallopt(MMAP_THRESHOLD, MAPPED_FROM)
    libc.mallopt(TRIM_THRESHOLD, KEPT)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        _ask_for_large_pages(libc, mmap.MADV_HUGEPAGE)


def _ask_for_large_pages(libc: ctypes.CDLL, advice: int) -> None:
    """Grows the heap by addresses that the system shall back with large pages, once something is written there."""
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    size, times = RESERVED
    blocks = [libc.malloc(size) for _ in range(times)]
    for block in blocks:
        if block is not None:
            start = -(-block // mmap.PAGESIZE) * mmap.PAGESIZE
            libc.madvise(start, block + size - start, advice)
            libc.free(block)


class Block(np.ndarray):
    """Bytes among which an array lies that is no view of another one: the root of those that look into it."""


_word_at = ctypes.c_ssize_t.from_address


def address_of(array: np.ndarray) -> int:
    """Where the array's numbers lie: ``array.ctypes.data``, read where NumPy keeps it (measured, 0.13 and 0.85 us)."""
    return _word_at(id(array) + HEADER).value


def empty(shape: tuple[int, ...], dtype: np.dtype, small: int = SMALL) -> np.ndarray:
    """`numpy.empty` from the beginning of a line of the cache on, where NumPy promises 16 bytes.

    A vector that lies in two lines is read twice: measured, matrices whose second operand lies so take 13 % longer
    for 64 x 64 and 10 % for 128 x 128.

    Args:
        small: bytes up to which it is `numpy.empty` itself, which takes a microsecond less.
    """
    size = prod(shape) * dtype.itemsize
    if size <= small:
        return np.empty(shape, dtype)
    block = Block(size + LINE, np.uint8)
    return np.ndarray(shape, dtype, block, -address_of(block) % LINE)


def is_root(array: np.ndarray) -> bool:
    """Whether an array's memory was made for it, and not for one that it looks into or for something else."""
    base = array.base
    return base is None or type(base) is Block


def at_line(array: np.ndarray, small: int = SMALL) -> np.ndarray:
    """The array; or a copy that begins with a line of the cache, where it lies in one piece but not so."""
    if array.nbytes <= small or not array.flags.c_contiguous or address_of(array) % LINE == 0:
        return array
    result = empty(array.shape, array.dtype, small)
    result[...] = array
    return result


def room() -> int:
    """The address of `ROOM` bytes that belong to the thread, for what a kernel packs.

    They are one large page where the system has such: NumPy asks for them from 4 MB on, and where the page begins is
    found here. Packed into pages of 4 KB, which lie anywhere and compete for places in the cache, matrix products took
    5 to 10 % longer.
    """
    try:
        return _kept.address
    except AttributeError:
        memory = np.empty(2 * ROOM, np.uint8)
        start = -address_of(memory) % ROOM
        _kept.array = memory[start : start + ROOM]
        _kept.address = address_of(memory) + start
        return _kept.address


def shared_copy(array: np.ndarray) -> np.ndarray:
    """A copy in memory that processes forked afterwards share with this one; an empty array itself."""
    if array.size == 0:
        return array
    memory = mmap.mmap(-1, array.nbytes)
    shared = np.frombuffer(memory, array.dtype).reshape(array.shape)
    shared[...] = array
    return shared


def is_shared(array: np.ndarray) -> bool:
    """Whether an array's memory was made by `shared_copy`."""
    return array.size > 0 and isinstance(getattr(array.base, "obj", None), mmap.mmap)


_keep_freed_memory()
