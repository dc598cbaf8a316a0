"""Tensors as text, character for character as PyTorch prints them.

A tensor above ``threshold`` elements is first cut down to its corners; everything after that sees only what
is printed, so the text of a tensor of any size takes less than a millisecond. Nothing here knows tensors: a
NumPy array goes in, text comes out, and what only the graph knows (``requires_grad=True``) arrives as
ready-made suffixes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral, Real
from typing import Any

import numpy as np

from .kernels.halves import FLOATING

__all__ = ["format_parts", "format_tensor", "printoptions", "set_printoptions"]


@dataclass(frozen=True)
class _Options:
    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: float = 80
    sci_mode: bool | None = None


_PROFILES = {
    "default": _Options(),
    "short": _Options(precision=2, edgeitems=2),
    "full": _Options(threshold=math.inf),
}
# Replaced as a whole and never changed in place: a tensor being printed keeps the options it started with.
_options = _PROFILES["default"]


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: float | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Sets how tensors are printed, in every thread; an option left at ``None`` keeps its value.

    ``sci_mode`` is the exception, as in PyTorch: each call that does not pass it makes it automatic again.

    Args:
        precision: digits after the decimal point (4).
        threshold: number of elements above which a tensor is summarized (1000); ``math.inf`` for never.
        edgeitems: entries kept at both ends of each axis of a summarized tensor (3); 0 also prints the size.
        linewidth: characters on a line (80).
        profile: ``"default"``, ``"short"`` (2 digits, 2 edge items) or ``"full"`` (never summarized); the
            other arguments then change the profile.
        sci_mode: scientific notation always (``True``), never (``False``) or where the values ask for it
            (``None``): above 1e8, below 1e-4, or more than a factor of 1000 apart.

    Raises:
        TypeError: an option of the wrong type.
        ValueError: an unknown profile, a negative ``precision`` or ``edgeitems``, a NaN.

    >>> import numpy as np
    >>> set_printoptions(precision=2)
    >>> format_tensor(np.array([0.125, 3.0]), default_dtype=np.float64, dtype_name="torch.float64")
    'tensor([0.12, 3.00])'
    >>> set_printoptions(profile="default")
    """
    global _options
    if profile is not None and profile not in _PROFILES:
        raise ValueError(f"set_printoptions: profile must be one of {sorted(_PROFILES)}, but got {profile!r}.")
    for name, count in (("precision", precision), ("edgeitems", edgeitems)):
        if count is None:
            continue
        if not isinstance(count, Integral) or isinstance(count, bool):
            raise TypeError(f"set_printoptions: {name} must be an int, but got {count!r}.")
        if count < 0:
            raise ValueError(f"set_printoptions: {name} must not be negative, but got {count}.")
    for name, limit in (("threshold", threshold), ("linewidth", linewidth)):
        if limit is None:
            continue
        if not isinstance(limit, Real) or isinstance(limit, bool):
            raise TypeError(f"set_printoptions: {name} must be a number, but got {limit!r}.")
        if math.isnan(limit):
            raise ValueError(f"set_printoptions: {name} must not be NaN; pass math.inf for no limit.")
    if sci_mode is not None and not isinstance(sci_mode, (bool, np.bool_)):
        raise TypeError(f"set_printoptions: sci_mode must be True, False or None, but got {sci_mode!r}.")

    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    base = _options if profile is None else _PROFILES[profile]
    _options = replace(base, sci_mode=sci_mode, **changes)


@contextmanager
def printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: float | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> Iterator[None]:
    """:func:`set_printoptions` for the length of a ``with`` block.

    >>> import numpy as np
    >>> with printoptions(sci_mode=True):
    ...     format_tensor(np.array(1500.0), default_dtype=np.float64, dtype_name="torch.float64")
    'tensor(1.5000e+03)'
    """
    global _options
    before = _options
    set_printoptions(precision, threshold, edgeitems, linewidth, profile, sci_mode)
    try:
        yield
    finally:
        _options = before


def format_tensor(
    array: np.ndarray,
    *,
    suffixes: Sequence[str] = (),
    prefix: str = "tensor(",
    default_dtype: np.dtype | type,
    dtype_name: str,
) -> str:
    """What PyTorch's ``repr`` gives for a tensor with these values.

    Args:
        array: the values: booleans, integers, floats or complex numbers of up to 64 bits (128 for complex).
        suffixes: what follows the values, such as ``"grad_fn=<MulBackward0>"``. One that would pass the line
            width starts a new line.
        prefix: opening text; its length indents the lines below.
        default_dtype: the default float dtype. It, its complex dtype, int64 and bool go without saying;
            of an empty tensor, whose values give no hint, only ``default_dtype`` does.
        dtype_name: the dtype as printed after ``dtype=``, when it is.

    Raises:
        TypeError: ``array`` is not an ndarray, or its dtype has no counterpart among PyTorch's.

    >>> import numpy as np
    >>> x = np.array([[1.0, np.nan], [-2.5, 0.0]])
    >>> print(format_tensor(x, default_dtype=np.float32, dtype_name="torch.float64"))
    tensor([[ 1.0000,     nan],
            [-2.5000,  0.0000]], dtype=torch.float64)
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"format_tensor: array must be a numpy.ndarray, but got {type(array).__name__}.")
    dtype = array.dtype
    if dtype.kind not in "biufVc" or dtype.itemsize > (16 if dtype.kind == "c" else 8):
        raise TypeError(f"format_tensor: cannot print dtype {dtype}; convert to bool, int, float or complex.")

    options = _options
    summarize = array.size > options.threshold
    if array.size == 0:
        values = "[]"
    elif summarize and options.edgeitems == 0 and array.ndim > 0:
        values = "[...]"
    else:
        values = _format_values(array, summarize, len(prefix), options)

    notes = []
    shape_hidden = array.ndim != 1 if array.size == 0 else options.edgeitems == 0
    if shape_hidden:
        notes.append(f"size={array.shape}")
    if dtype not in _unnamed_dtypes(np.dtype(default_dtype), empty=array.size == 0):
        notes.append(f"dtype={dtype_name}")
    return _append_suffixes(prefix + values, [*notes, *suffixes], len(prefix), options.linewidth) + ")"


def format_parts(parts: dict[str, np.ndarray], suffixes: Sequence[str], on_new_line: bool) -> str:
    """What PyTorch's ``repr`` gives for a tensor made of several arrays.

    Args:
        parts: the arrays by name.
        suffixes: what follows them.
        on_new_line: whether the suffixes begin a line.

    >>> import numpy as np
    >>> print(format_parts({"indices": np.array([[2]]), "values": np.array([5])}, ["size=(3,)"], True))
    tensor(indices=tensor([[2]]),
           values=tensor([5]),
           size=(3,))
    """
    indent = len("tensor(")
    texts = []
    for name, array in parts.items():
        prefix = f"{name}=tensor("
        summarize = array.size > _options.threshold
        values = _format_values(array, summarize, indent + len(prefix), _options) if array.size else "[]"
        texts.append(prefix + values + (")" if array.size else f", size={array.shape})"))
    text = "tensor(" + (",\n" + " " * indent).join(texts)
    if on_new_line:
        text += ",\n" + " " * indent + suffixes[0]
        suffixes = suffixes[1:]
    return _append_suffixes(text, suffixes, indent, _options.linewidth) + ")"


def _unnamed_dtypes(default: np.dtype, empty: bool) -> tuple[np.dtype, ...]:
    if empty:
        return (default,)
    default_complex = np.complex128 if default == np.float64 else np.complex64
    return (default, np.dtype(default_complex), np.dtype(np.int64), np.dtype(np.bool_))


def _format_values(array: np.ndarray, summarize: bool, indent: int, options: _Options) -> str:
    edge = options.edgeitems
    cut = [summarize and size > 2 * edge for size in array.shape]
    if any(cut):
        ends = [*range(edge), *range(-edge, 0)]
        kept = [ends if is_cut else range(size) for is_cut, size in zip(cut, array.shape, strict=True)]
        array = array[np.ix_(*kept)]
    cells, width = _cells(array, options)
    if array.ndim == 0:
        return cells[0].lstrip()

    # Grouped from the innermost axis outward: `blocks` holds the text of every entry along `axis`.
    blocks = cells
    for axis in reversed(range(array.ndim)):
        size, depth = array.shape[axis], array.ndim - axis
        margin = " " * (indent + axis + 1)
        groups = [blocks[start : start + size] for start in range(0, len(blocks), size)]
        if cut[axis]:
            dots = " ..." if depth == 1 else "..."
            groups = [[*group[:edge], dots, *group[edge:]] for group in groups]
        if depth == 1:
            per_line = _per_line(options.linewidth - indent - axis, width, len(groups[0]))
            groups = [
                [", ".join(group[start : start + per_line]) for start in range(0, len(group), per_line)]
                for group in groups
            ]
        separator = "," + "\n" * max(1, depth - 1) + margin
        blocks = ["[" + separator.join(group) + "]" for group in groups]
    return blocks[0]


def _per_line(room: float, width: int, count: int) -> int:
    return math.floor(min(max(room / (width + len(", ")), 1), count))


def _cells(array: np.ndarray, options: _Options) -> tuple[list[str], int]:
    """Text of every element, padded to a common width, and the width that line breaking reckons with."""
    if array.dtype.kind == "c":
        reals, real_width = _cells(array.real, options)
        imags, imag_width = _cells(array.imag, options)
        cells = [_join_complex(real, imag.lstrip()) for real, imag in zip(reals, imags, strict=True)]
        return cells, real_width + imag_width + len("j")
    if array.dtype.kind in FLOATING:
        texts, width = _float_texts(array, options)
    else:
        texts = [str(value) for value in array.ravel().tolist()]
        width = max(map(len, texts))
    return [text.rjust(width) for text in texts], width


def _join_complex(real: str, imag: str) -> str:
    sign = "" if imag.startswith(("+", "-")) else "+"
    return f"{real}{sign}{imag}j"


def _float_texts(array: np.ndarray, options: _Options) -> tuple[list[str], int]:
    values = array.ravel().astype(np.float64)
    # Zeros, infinities and NaNs neither choose the notation nor widen the column.
    counted = np.isfinite(values) & (values != 0)
    magnitudes = np.abs(values[counted])
    if magnitudes.size == 0:
        return [_integer_text(value) for value in values.tolist()], 1

    smallest, largest = float(magnitudes.min()), float(magnitudes.max())
    integers = bool((np.ceil(magnitudes) == magnitudes).all())
    scientific = options.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1e3 or largest > 1e8 or (not integers and smallest < 1e-4)
    write: Callable[[float], str]
    if scientific:
        write = f"{{:.{options.precision}e}}".format
    elif integers:
        write = _integer_text
    else:
        write = f"{{:.{options.precision}f}}".format
    texts = [write(value) for value in values.tolist()]
    return texts, max(len(text) for text, counts in zip(texts, counted.tolist(), strict=True) if counts)


def _integer_text(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else str(value)


def _append_suffixes(text: str, suffixes: Sequence[str], indent: int, linewidth: float) -> str:
    # Two more than the line has: PyTorch counts so, and its line breaks are only met by doing the same.
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if column + len(suffix) + len(", ") > linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
        else:
            text += ", " + suffix
            column += len(", ") + len(suffix)
    return text
