"""The text of `guarded`, for tests whose process may end with a fault."""

GUARD = """
import ctypes, mmap
import numpy as np

protect = ctypes.CDLL(None).mprotect
kept = []

def guarded(array, before):
    # Between two pages that may not be touched, at the beginning or at the end.
    size = -(-array.nbytes // mmap.PAGESIZE) * mmap.PAGESIZE
    memory = mmap.mmap(-1, size + 2 * mmap.PAGESIZE)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    kept.append(memory)
    offset = mmap.PAGESIZE if before else mmap.PAGESIZE + size - array.nbytes
    copy = np.frombuffer(memory, array.dtype, array.size, offset).reshape(array.shape)
    copy[...] = array
    for page in (start, start + size + mmap.PAGESIZE):
        assert protect(ctypes.c_void_p(page), mmap.PAGESIZE, 0) == 0
    return copy
"""
