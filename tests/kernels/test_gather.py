"""Small arrays side by side: every element once, whatever the sizes, dtypes and strides."""

from __future__ import annotations

import numpy as np
import pytest

from autograd.kernels.gather import SMALL, gathered

LARGE = np.arange(SMALL + 1.0)
CASES = {
    "none": ([], 0),
    "one": ([np.arange(3.0)], 1),
    "small": ([np.arange(6.0).reshape(2, 3), np.array(7.0), np.zeros(0)], 1),
    "strides": ([np.arange(6.0).reshape(2, 3).T, np.arange(8.0)[::2], np.broadcast_to(np.array(1.0), (2, 2))], 1),
    "large": ([np.arange(3.0), LARGE, np.arange(2.0), LARGE], 3),
    "dtypes": ([np.ones(2, np.float32), np.ones(2), np.ones(1, np.float32), np.ones(1, np.float16)], 3),
}


@pytest.mark.parametrize(("arrays", "count"), CASES.values(), ids=CASES)
def test_every_element_once(arrays, count):
    found = gathered(arrays)
    assert len(found) == count
    for dtype in {array.dtype for array in arrays} | {flat.dtype for flat in found}:
        flat, given = ([a.ravel() for a in group if a.dtype == dtype] for group in (found, arrays))
        np.testing.assert_array_equal(np.sort(np.concatenate(flat)), np.sort(np.concatenate(given)))
    assert all(flat.ndim == 1 for flat in found)


def test_large_arrays_are_not_copied():
    assert gathered([np.zeros(1), LARGE])[1].base is LARGE
