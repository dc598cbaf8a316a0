"""Arrays from what users write down: numbers, nested lists, arrays, tensors, and any mixture of them."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import dtypes
from .dtypes import default_dtype
from .kernels.memory import empty
from .kernels.silence import silently
from .tensor import Tensor

__all__ = ["array_from"]

ndarray = np.ndarray


def array_from(data: Any, dtype: np.dtype | None = None) -> np.ndarray:
    """A new array from numbers, nested sequences, arrays or tensors; Python floats take the default dtype.

    Raises:
        ValueError: sequences of different lengths at one depth.
        TypeError: something that is not a number.
    """
    if isinstance(data, Tensor):
        return data._array.astype(dtype or data._array.dtype)
    if isinstance(data, (ndarray, np.generic)):
        array = empty(data.shape, dtype or dtypes.check_numpy_dtype(data.dtype).numpy)
        array[...] = data
        return array
    if isinstance(data, (str, bytes)):
        raise TypeError(f"new(): invalid data type '{data.__class__.__name__}'")
    if isinstance(data, (list, tuple, range)):
        data = _without_tensors(data)
        _check_rectangular(data)
    classes: dict[type, Any] = {}  # of the elements, with one of each
    for value in _examples(data):
        if isinstance(value, str):
            if classes:
                raise TypeError("new(): invalid data type 'str': a tensor holds numbers and bools")
            raise ValueError("too many dimensions 'str': a tensor holds numbers and bools")
        if not isinstance(value, (bool, int, float, complex, np.number, np.bool_, ndarray)) and not _is_bfloat16(value):
            raise RuntimeError(f"Could not infer dtype of {type(value).__name__}: a tensor holds numbers and bools")
        classes[value.__class__] = value
    try:
        array = np.array(data, np.float32 if any(map(_is_bfloat16, classes.values())) else None)
    except (ValueError, OverflowError) as error:
        raise type(error)(f"could not make a tensor: {error}") from None
    made_of_python = not isinstance(_first(data), (np.generic, ndarray))
    if array.dtype.kind == "O" or (array.dtype == np.uint64 and made_of_python and dtype != np.uint64):
        raise ValueError("Overflow when unpacking long long: an integer does not fit into int64")
    if dtype is None:
        if any(isinstance(value, np.generic) for value in classes.values()) and ndarray not in classes:
            dtype = functools.reduce(dtypes.promote_numpy, map(_element_dtype, classes.values()))
        elif array.dtype.kind == "f" and (made_of_python or array.size == 0):
            dtype = default_dtype.numpy
        elif array.dtype.kind == "c" and made_of_python:
            dtype = dtypes.complex_of(default_dtype.numpy)
        elif array.dtype.kind in "iu" and made_of_python:
            dtype = dtypes.int64.numpy
        else:
            dtype = array.dtype
    elif array.dtype.kind == "c" and dtype.kind not in "cb" and made_of_python:
        raise TypeError(f"must be real number, not complex: {dtype.name} has no imaginary part")
    elif dtype.kind in "iu" and array.size and made_of_python and array.dtype.kind in "iuf":
        limits = np.iinfo(dtype)
        if dtype == np.uint64 and array.dtype.kind == "f":
            raise TypeError("an integer is required for uint64, not a float; convert with .to(autograd.uint64)")
        if dtype == np.uint64 and array.min() < 0:
            raise OverflowError(f"can't convert negative value to unsigned int: {array.min()}")
        low = -limits.max - 1 if dtype.kind == "u" else limits.min  # as in PyTorch, -1 wraps around in uint8
        if not (array.min() >= low and array.max() <= limits.max):
            raise RuntimeError(f"value cannot be converted to type {dtype.name} without overflow")
    return silently(np.asarray, array, dtype, "C")


def _is_bfloat16(value: Any) -> bool:
    return isinstance(value, np.generic) and value.dtype in dtypes.wider


def _element_dtype(value: Any) -> np.dtype:
    return value.dtype if isinstance(value, np.generic) else dtypes.number_dtype(value)


def _without_tensors(data: Any, is_row: bool = False) -> Any:
    if isinstance(data, Tensor):
        if is_row:
            return data.tolist()
        if data._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars; use stack() for others")
        return data._array.reshape(-1)[0]  # a number of NumPy's
    if isinstance(data, range):
        return list(data)
    if isinstance(data, (list, tuple)) and _plain(data):
        return data
    if isinstance(data, (list, tuple)) and any(isinstance(item, (list, tuple, range, Tensor)) for item in data):
        has_rows = isinstance(data[0], (list, tuple, range))  # PyTorch goes by the first
        return [_without_tensors(item, has_rows) for item in data]
    return data


PLAIN = {float, int, bool, complex}


def _plain(data: Sequence[Any]) -> bool:
    """Whether a sequence holds Python's numbers only: found out without a step of Python's for each."""
    return PLAIN.issuperset(map(type, data))


def _check_rectangular(data: Any, depth: int = 0) -> None:
    if _plain(data):
        return
    lengths = {len(item) if isinstance(item, (list, tuple)) else -1 for item in data}
    if len(lengths) > 1:
        wanted, got = sorted(lengths)[-1], sorted(lengths)[0]
        if got < 0:
            if all(isinstance(item, (list, tuple, ndarray)) for item in data):
                return
            raise TypeError(f"not a sequence: a number stands beside a list of length {wanted} at dim {depth + 1}")
        raise ValueError(f"expected sequence of length {wanted} at dim {depth + 1} (got {got})")
    if lengths and lengths != {-1} and lengths != {0}:
        inner = {
            len(item[0]) if isinstance(item[0], (list, tuple)) else -1
            for item in data
            if isinstance(item, (list, tuple))
        }
        for item in data:
            _check_rectangular(item, depth + 1)
        if len(inner) > 1:
            wanted, got = max(inner), min(inner)
            raise ValueError(f"expected sequence of length {wanted} at dim {depth + 2} (got {max(got, 0)})")


def _examples(data: Any) -> Iterator[Any]:
    """One element of each class in each innermost sequence."""
    if not isinstance(data, (list, tuple)):
        yield data
        return
    found = dict(zip(map(type, data), data, strict=True))
    if any(issubclass(kind, (list, tuple)) for kind in found):
        for item in data:
            yield from _examples(item)
    else:
        yield from found.values()


def _first(data: Any) -> Any:
    while isinstance(data, (list, tuple)):
        if not data:
            return None
        data = data[0]
    return data.flat[0] if isinstance(data, ndarray) and data.size else data
