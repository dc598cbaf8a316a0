"""Comparing tensors, and making random ones to compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..devices import require_cpu
from ..graph import no_grad
from ..kernels.halves import FLOATING, INEXACT, finfo
from ..ops.create import as_tensor
from ..ops.random import default_generator
from ..rows.widening import widened
from ..tensor import Tensor, wrap

__all__ = ["assert_close", "make_tensor"]

_TOLERANCES = {
    dtypes.float16: (1e-3, 1e-5),
    dtypes.bfloat16: (1.6e-2, 1e-5),
    dtypes.float32: (1.3e-6, 1e-5),
    dtypes.float64: (1e-7, 1e-7),
    dtypes.complex64: (1.3e-6, 1e-5),
    dtypes.complex128: (1e-7, 1e-7),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: str | Callable[[str], str] | None = None,
) -> None:
    """Raises unless ``|actual - expected| <= atol + rtol * |expected|`` everywhere.

    Args:
        actual: a Tensor, an ndarray, a number, or a sequence or mapping of them, at any depth.
        expected: the same structure.
        allow_subclasses: a tensor of another class may stand beside a Tensor; else both are of one class.
        rtol: relative tolerance; with ``atol``, or neither. By default by dtype: float16 (1e-3, 1e-5), bfloat16
            (1.6e-2, 1e-5), float32 (1.3e-6, 1e-5), float64 (1e-7, 1e-7), complex as their parts, others equal; of two
            dtypes the larger.
        atol: absolute tolerance.
        equal_nan: NaN equals NaN.
        check_device, check_layout: accepted: there is one device and one layout.
        check_dtype: dtypes must be the same.
        check_stride: strides must be the same.
        msg: what the error says instead, or a function of what it would have said.

    Raises:
        AssertionError: how many elements differ, the greatest differences and where, or shapes, dtypes, keys, lengths.
        TypeError: types that cannot be compared.
        ValueError: one tolerance without the other.

    >>> import autograd
    >>> assert_close(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 2.0000001]))
    >>> assert_close(autograd.tensor([1.0, 2.0]), autograd.tensor([1.0, 3.0]))
    Traceback (most recent call last):
    ...
    AssertionError: Tensor-likes are not close!
    <BLANKLINE>
    Mismatched elements: 1 / 2 (50.0%)
    Greatest absolute difference: 1.0 at index (1,) (up to 1e-05 allowed)
    Greatest relative difference: 0.3333333432674408 at index (1,) (up to 1.3e-06 allowed)
    """
    if (rtol is None) != (atol is None):
        missing = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {missing}.")
    tolerances = None if rtol is None or atol is None else (rtol, atol)
    for where, a, b in _pairs(actual, expected, ""):
        if not allow_subclasses and type(a) is not type(b):
            raise TypeError(f"No comparison pair was able to handle inputs of type {type(a)} and {type(b)}.")
        problem = _difference(a, b, tolerances, equal_nan, check_dtype, check_stride)
        if problem:
            text = f"{problem}\n\nThe failure occurred for item {where}" if where else problem
            raise AssertionError(msg(text) if callable(msg) else msg or text)


def _pairs(actual: Any, expected: Any, where: str) -> Iterator[tuple[str, Any, Any]]:
    """The leaves of two equal structures, with their place as text; an unequal structure ends in AssertionError."""
    suffix = f"\n\nThe failure occurred for item {where}" if where else ""
    if isinstance(actual, Mapping) and isinstance(expected, Mapping):
        missing = [key for key in expected if key not in actual]
        extra = [key for key in actual if key not in expected]
        if missing or extra:
            lines = ["The keys of the mappings do not match:"]
            lines += [f"Missing keys in the actual mapping: {sorted(missing)}"] if missing else []
            lines += [f"Additional keys in the actual mapping: {sorted(extra)}"] if extra else []
            raise AssertionError("\n".join(lines) + suffix)
        for key in expected:
            yield from _pairs(actual[key], expected[key], f"{where}[{key!r}]")
    elif (_is_sequence(actual) and _is_sequence(expected)) or _are_nested(actual, expected):
        if len(actual) != len(expected):
            raise AssertionError(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}{suffix}")
        for i, (a, b) in enumerate(zip(actual, expected, strict=True)):
            yield from _pairs(a, b, f"{where}[{i}]")
    else:
        yield where, actual, expected


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _are_nested(actual: Any, expected: Any) -> bool:
    """Whether both are nested tensors of one layout, which are compared component by component."""
    tensors = isinstance(actual, Tensor) and isinstance(expected, Tensor)
    return tensors and actual.is_nested and expected.is_nested and actual.layout is expected.layout


def _difference(
    actual: Any,
    expected: Any,
    tolerances: tuple[float, float] | None,
    equal_nan: bool,
    check_dtype: bool,
    check_stride: bool,
) -> str | None:
    """What is different, or None."""
    if actual is None and expected is None:
        return None
    numbers = isinstance(actual, (int, float, complex)) and isinstance(expected, (int, float, complex))
    arrays = all(isinstance(value, (Tensor, np.ndarray)) for value in (actual, expected))
    if not numbers and not (arrays and isinstance(actual, Tensor) == isinstance(expected, Tensor)):
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.")
    if numbers and check_dtype and type(actual) is not type(expected):
        return f"The (d)types do not match: {type(actual)} != {type(expected)}."
    if numbers:
        types = (type(actual), type(expected))
        kind = dtypes.complex128 if complex in types else dtypes.float64 if float in types else dtypes.int64
        a, b = (np.asarray(value, dtypes.to_numpy_dtype(kind)) for value in (actual, expected))
    else:
        actual, expected = as_tensor(actual), as_tensor(expected)
        if actual.shape != expected.shape:
            return f"The values for attribute 'shape' do not match: {actual.shape} != {expected.shape}."
        if check_stride and actual.stride() != expected.stride():
            return f"The values for attribute 'stride()' do not match: {actual.stride()} != {expected.stride()}."
        if check_dtype and actual.dtype is not expected.dtype:
            return f"The values for attribute 'dtype' do not match: {actual.dtype} != {expected.dtype}."
        a, b = actual.detach()._array, expected.detach()._array
    if tolerances is None:
        known = [_TOLERANCES.get(dtypes.from_numpy_dtype(array.dtype), (0.0, 0.0)) for array in (a, b)]
        tolerances = max(r for r, _ in known), max(t for _, t in known)
    if a.dtype != b.dtype:
        a, b = widened(a), widened(b)
    return _mismatch(a, b, *tolerances, equal_nan)


def _mismatch(a: np.ndarray, b: np.ndarray, rtol: float, atol: float, equal_nan: bool) -> str | None:
    common = np.promote_types(a.dtype, b.dtype)
    common = np.dtype(np.int64) if common.kind in "iub" else common
    a, b = a.astype(common), b.astype(common)
    exact = rtol == 0 and atol == 0
    close = a == b if exact and not equal_nan else np.isclose(widened(a), widened(b), rtol, atol, equal_nan)
    if close.all():
        return None
    with np.errstate(all="ignore"):
        absolute = np.abs(a - b)
        wide = (gaps if gaps.dtype.kind in FLOATING else gaps.astype(np.float32) for gaps in (absolute, np.abs(b)))
        relative = np.divide(*wide)
    # Elements that agree do not count, as 0 / 0 where both are zero.
    absolute, relative = (np.where(close, np.asarray(0, gaps.dtype), gaps) for gaps in (absolute, relative))
    verdict = "equal" if exact else "close"
    allowed = ["", ""] if exact else [f" (up to {atol} allowed)", f" (up to {rtol} allowed)"]
    if a.ndim == 0:
        return (
            f"Scalars are not {verdict}!\n\nExpected {b.item()} but got {a.item()}.\n"
            f"Absolute difference: {absolute.item()}{allowed[0]}\n"
            f"Relative difference: {relative.item()}{allowed[1]}"
        )
    wrong = close.size - int(close.sum())
    lines = [
        f"Tensor-likes are not {verdict}!\n",
        f"Mismatched elements: {wrong} / {close.size} ({wrong / close.size:.1%})",
    ]
    for name, gaps, limit in (("absolute", absolute, allowed[0]), ("relative", relative, allowed[1])):
        place = tuple(int(i) for i in np.unravel_index(int(gaps.argmax()), gaps.shape))
        lines.append(f"Greatest {name} difference: {gaps[place].item()} at index {place}{limit}")
    return "\n".join(lines)


def make_tensor(
    *shape: Any,
    dtype: dtypes.dtype,
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    device: Any = None,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of random values, drawn evenly from the numbers of ``dtype`` in ``[low, high)``; of complex ones both
    parts.

    Args:
        shape: sizes, or one sequence of them.
        dtype: of the result.
        low: lowest value; -9 by default, 0 for uint8 and bool.
        high: upper limit; 9 by default, 10 for integers, 2 for bool.
        requires_grad: of the result.
        noncontiguous: every second element of a larger memory.
        exclude_zero: put the smallest number above 0 (1 for integers) for each 0.
        device: the CPU.
        memory_format: the order of the elements in memory.

    Raises:
        ValueError: an empty range, or ``memory_format`` with ``noncontiguous``.

    >>> import autograd
    >>> x = make_tensor(2, 3, dtype=autograd.float32, low=-1, high=1)
    >>> x.shape, bool((x.abs() <= 1).all())
    (torch.Size([2, 3]), True)
    """
    require_cpu(device, "make_tensor")
    if noncontiguous and memory_format is not None:
        raise ValueError(f"make_tensor: noncontiguous=True and memory_format={memory_format} exclude each other")
    sizes = tuple(shape[0]) if len(shape) == 1 and isinstance(shape[0], (tuple, list)) else shape
    kind = dtypes.to_numpy_dtype(dtype)
    unsigned = kind.kind in "ub"
    low = (0.0 if unsigned else -9.0) if low is None else low
    high = (2.0 if kind.kind == "b" else 9.0 if kind.kind in INEXACT else 10.0) if high is None else high
    if not low < high:
        raise ValueError(f"make_tensor: low={low} must be below high={high}")
    drawn = (*sizes[:-1], 2 * sizes[-1]) if noncontiguous and sizes else sizes
    with no_grad():
        count = as_tensor(np.empty(math.prod(drawn) * (2 if kind.kind == "c" else 1), np.float64))
        numbers = count.uniform_(float(low), float(high), generator=default_generator).numpy()
    numbers = (numbers.view(np.complex128) if kind.kind == "c" else numbers).reshape(drawn)
    values = (numbers if kind.kind in INEXACT else np.floor(numbers)).astype(kind)
    if exclude_zero:
        values[values == 0] = finfo(kind).tiny if kind.kind in INEXACT else 1
    values = values[..., ::2] if noncontiguous and sizes else values
    result = wrap(np.asarray(values))
    if memory_format is not None:
        result = result.clone(memory_format=memory_format)
    return result.requires_grad_(requires_grad)
