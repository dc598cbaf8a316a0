"""bfloat16 in rows: computed in float32 and rounded once at the end, as PyTorch does on the CPU.

Pointwise rows do so in `Program`; this is for rows with a kernel of their own and for their gradient rules, none of
which ever meets the type. Who calls something here asks first whether `wider` holds any type at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    return any(array.dtype in wider for array in _inputs(row, arguments)) or _wanted(row, arguments) in wider


def run_wide(row: Any, arguments: Sequence[Any]) -> Any:
    """What a row's forward gives for arrays, computed in the wider type.

    Results are rounded to the dtype that the row is asked for, which its inputs take first, else to that of its first
    floating-point input. Its ``extras``, which the rules alone see, are not. A row of ``one_dtype`` sees a mixture as
    it is, and refuses it.
    """
    wanted = _wanted(row, arguments)
    inputs = [array for array in _inputs(row, arguments) if array.dtype.kind in FLOATING]
    if wanted in wider:
        arguments = [_cast(argument, wanted) for argument in arguments]
    if not (row.one_dtype and len({array.dtype for array in inputs}) > 1):
        arguments = [widened(argument) for argument in arguments]
    result = silently(row.forward, *arguments)
    target = wanted or next((array.dtype for array in inputs), None)
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


def _inputs(row: Any, arguments: Sequence[Any]) -> Iterator[ndarray]:
    for position in row.input_positions:
        value = arguments[position]
        for item in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(item, ndarray):
                yield item


def _cast(value: Any, dtype: np.dtype) -> Any:
    return value.astype(dtype) if isinstance(value, ndarray) and value.dtype.kind == "f" else value


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
