"""bfloat16 in rows: computed in float32 and rounded once at the end, as PyTorch does on the CPU.

Pointwise rows do so in `Program`; this is for rows with a kernel of their own and for their gradient rules, none of
which ever meets the type. Who calls something here asks first whether `wider` holds any type at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import wider
from ..kernels.halves import FLOATING
from ..kernels.silence import silently
from ..tensor import Tensor

__all__ = ["is_narrow", "run_wide", "widened"]

ndarray = np.ndarray


def is_narrow(row: Any, arguments: Sequence[Any]) -> bool:
    """Whether a row's inputs, or the dtype that it is asked for, are of a type that is computed in a wider one."""
    return any(array.dtype in wider for array in _arrays(arguments[position] for position in row.input_positions)) or (
        _wanted(row, arguments) in wider
    )


def run_wide(row: Any, arguments: Sequence[Any]) -> Any:
    """What a row's forward gives for arrays, computed in the wider type.

    Results are rounded to the dtype that the row is asked for, else to that of its first floating-point input. Its
    ``extras``, which the rules alone see, are not.
    """
    result = silently(row.forward, *map(widened, arguments))
    target = _wanted(row, arguments)
    if target is None:
        inputs = _arrays(arguments[position] for position in row.input_positions)
        target = next((array.dtype for array in inputs if array.dtype.kind in FLOATING), None)
    if target not in wider:
        return result
    return (_rounded(result[0], target), *result[1:]) if row.extras else _rounded(result, target)


def widened(value: Any) -> Any:
    """An array, a Tensor, a dtype, or a sequence of these in the wider type; anything else itself."""
    if isinstance(value, (list, tuple)):
        items = [widened(item) for item in value]
        return items if type(value) is list else tuple(items) if type(value) is tuple else value
    if isinstance(value, ndarray):
        return value.astype(wider[value.dtype]) if value.dtype in wider else value
    if isinstance(value, Tensor):
        return value.to(dtypes.from_numpy_dtype(wider[value._array.dtype])) if value._array.dtype in wider else value
    if isinstance(value, np.dtype):
        return wider.get(value, value)
    if value is dtypes.bfloat16:
        return dtypes.float32
    return value


def _arrays(values: Iterable[Any]) -> Iterator[ndarray]:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _arrays(value)
        elif isinstance(value, ndarray):
            yield value


def _wanted(row: Any, arguments: Sequence[Any]) -> np.dtype | None:
    """The row's argument ``dtype``, if it has one and it is given."""
    dtype = arguments[row.parameters.index("dtype")] if "dtype" in row.attributes else None
    return dtype.numpy if isinstance(dtype, dtypes.dtype) else None if dtype is None else np.dtype(dtype)


def _rounded(result: Any, target: np.dtype) -> Any:
    if isinstance(result, (list, tuple)):
        return [_rounded(each, target) for each in result]
    if isinstance(result, (ndarray, np.generic)) and result.dtype == wider[target]:
        return np.asarray(result).astype(target)
    return result
