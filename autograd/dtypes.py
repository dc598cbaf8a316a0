"""Element types, shapes and devices, named and printed as PyTorch does, and the rules of type promotion.

Of PyTorch's types complex32 is absent: NumPy has no complex numbers of half precision.
"""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from .devices import device
from .kernels.halves import FLOATING, INEXACT

__all__ = [
    "DTYPES",
    "SCALAR_NAMES",
    "Size",
    "SymInt",
    "default_dtype",
    "device",
    "dtype",
    "from_numpy_dtype",
    "get_default_dtype",
    "known",
    "promote_types",
    "result_dtype",
    "set_default_dtype",
    "to_numpy_dtype",
    "wider",
]


class dtype:
    """Type of a tensor's elements, such as ``autograd.float32``; one object for each type."""

    __module__ = "autograd"

    __slots__ = ("is_complex", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.is_floating_point = self.numpy.kind in FLOATING
        self.is_complex = self.numpy.kind == "c"
        self.is_signed = self.numpy.kind in "ifc"
        self.itemsize = self.numpy.itemsize

    def to_complex(self) -> dtype:
        """The complex dtype whose parts are of this type: complex128 for float64, else complex64.

        Raises:
            RuntimeError: an integer type or bool.
        """
        if not (self.is_floating_point or self.is_complex):
            raise RuntimeError(f"to_complex: {self} has no complex counterpart; convert to a floating-point type first")
        return from_numpy_dtype(complex_of(self.numpy))

    def to_real(self) -> dtype:
        """The dtype of the real and imaginary parts; itself for a type that is not complex."""
        return from_numpy_dtype(real_of(self.numpy))

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:
        return _by_name, (self.name,)


class _Bfloat16(dtype):
    """The type whose NumPy counterpart comes from the package ml_dtypes, imported when it is first asked for."""

    __slots__ = ()

    def __init__(self) -> None:
        self.name, self.itemsize = "bfloat16", 2
        self.is_floating_point, self.is_complex, self.is_signed = True, False, True

    @property
    def numpy(self) -> np.dtype:  # type: ignore[override]
        return _numpy_bfloat16()


float16, float32, float64 = dtype("float16"), dtype("float32"), dtype("float64")
int8, int16, int32, int64 = dtype("int8"), dtype("int16"), dtype("int32"), dtype("int64")
uint8, uint16, uint32, uint64 = dtype("uint8"), dtype("uint16"), dtype("uint32"), dtype("uint64")
bool = dtype("bool")
complex64, complex128 = dtype("complex64"), dtype("complex128")

bfloat16 = _Bfloat16()

DTYPES: dict[str, dtype] = {
    d.name: d
    for d in (
        *(float16, bfloat16, float32, float64, complex64, complex128),
        *(int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool),
    )
}
# What PyTorch's messages and old types call them.
SCALAR_NAMES = {
    "float16": "Half", "bfloat16": "BFloat16", "float32": "Float", "float64": "Double", "complex64": "ComplexFloat",
    "complex128": "ComplexDouble", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long", "uint8": "Byte",
    "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64", "bool": "Bool",
}  # fmt: skip
ALIASES = {
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
    "cfloat": complex64,
    "cdouble": complex128,
}
_FROM_NUMPY = {d.numpy: d for d in DTYPES.values() if d is not bfloat16}

# Types that NumPy does not compute with well -> the type they are computed in. Empty until bfloat16 is first used, so
# that looking whether something is to be widened costs nothing before.
wider: dict[np.dtype, np.dtype] = {}


@cache
def _numpy_bfloat16() -> np.dtype:
    from ml_dtypes import bfloat16 as scalar

    numpy = np.dtype(scalar)
    wider[numpy] = float32.numpy
    _FROM_NUMPY[numpy] = bfloat16
    return numpy


def _by_name(name: str) -> dtype:
    return DTYPES[name]


def from_numpy_dtype(numpy_dtype: np.dtype) -> dtype:
    """The dtype of an array's elements.

    Raises:
        TypeError: tensors have no such type.
    """
    try:
        return _FROM_NUMPY[numpy_dtype]
    except KeyError:
        native = numpy_dtype.newbyteorder("=")
        if native in _FROM_NUMPY:
            return _FROM_NUMPY[native]
    return check_numpy_dtype(numpy_dtype)


def known(array: np.ndarray) -> np.ndarray:
    """The array; or a view of it whose dtype is the very object that `from_numpy_dtype` knows.

    NumPy has one object for each dtype, which operators look for by identity; but unpickling and changes of the byte
    order make others, which are only equal: measured for a linear layer of 32 x 2 by 16, 4.1 and 9.8 us.
    """
    numpy_dtype = from_numpy_dtype(array.dtype).numpy
    return array if array.dtype is numpy_dtype else array.view(numpy_dtype)


def check_numpy_dtype(numpy_dtype: np.dtype) -> dtype:
    """The dtype for an array of the user's.

    Raises:
        TypeError: tensors have no such type; or bfloat16, of which PyTorch takes no arrays either.
    """
    found = None if numpy_dtype in wider else _FROM_NUMPY.get(numpy_dtype.newbyteorder("="))
    if found is None:
        names = ", ".join(name for name in DTYPES if name != "bfloat16")
        raise TypeError(f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: {names}.")
    return found


def to_numpy_dtype(given: Any) -> np.dtype:
    """NumPy's type for a dtype, or for Python's ``float``, ``int``, ``bool`` and ``complex``.

    Raises:
        TypeError: not a dtype.
    """
    if isinstance(given, dtype):
        return given.numpy
    if given is float:
        return float64.numpy
    if given is int:
        return int64.numpy
    if given is _bool:
        return bool.numpy
    if given is complex:
        return complex128.numpy
    raise TypeError(f"dtype must be a dtype such as autograd.float32, but got {given!r}")


_bool: TypeAlias = builtins.bool


class _Default:
    dtype = float32
    numpy = float32.numpy


default_dtype = _Default()


def get_default_dtype() -> dtype:
    """The dtype of tensors made from Python floats: float32, unless `set_default_dtype` changed it."""
    return default_dtype.dtype


def set_default_dtype(d: dtype) -> None:
    """Makes ``d`` the dtype of tensors made from Python floats.

    Raises:
        TypeError: not a floating-point dtype.
    """
    if not isinstance(d, dtype) or not d.is_floating_point:
        raise TypeError(f"only floating-point types are supported as the default type, but got {d!r}")
    default_dtype.dtype, default_dtype.numpy = d, d.numpy


_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "V": 2, "c": 3}
_BAREBONES = {uint16.numpy, uint32.numpy, uint64.numpy}


@cache
def promote_numpy(a: np.dtype, b: np.dtype) -> np.dtype:
    """The smallest type that both convert to; an integer beside a float takes the float's type, whatever its size.

    Raises:
        RuntimeError: an unsigned type of more than 8 bits with anything but itself and floats, as in PyTorch.
    """
    if a == b:
        return a
    if (a in _BAREBONES and b.kind not in FLOATING) or (b in _BAREBONES and a.kind not in FLOATING):
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{SCALAR_NAMES[a.name]} and {SCALAR_NAMES[b.name]}; convert one of them with .to()"
        )
    category_a, category_b = _CATEGORY[a.kind], _CATEGORY[b.kind]
    if category_a >= 2 > category_b:
        return a
    if category_b >= 2 > category_a:
        return b
    return np.promote_types(wider.get(a, a), wider.get(b, b))


def complex_of(real: np.dtype) -> np.dtype:
    """The complex type for a floating-point one: there is none of half precision, float16 takes complex64."""
    return complex128.numpy if real in (float64.numpy, complex128.numpy) else complex64.numpy


def real_of(given: np.dtype) -> np.dtype:
    """The type of a complex type's parts; any other type itself."""
    if given.kind != "c":
        return given
    return float64.numpy if given == complex128.numpy else float32.numpy


def cast(array: np.ndarray, to: np.dtype) -> np.ndarray:
    """A copy in another type; of complex numbers that become real the real part."""
    if array.dtype.kind == "c" and to.kind not in "cb":
        array = array.real
    return array.astype(to)


def promote_types(type1: dtype, type2: dtype) -> dtype:
    """The smallest dtype that both convert to, by PyTorch's table.

    >>> import autograd
    >>> autograd.promote_types(autograd.int64, autograd.float16)
    torch.float16
    """
    for given in (type1, type2):
        if not isinstance(given, dtype):
            raise TypeError(f"promote_types expects dtypes, but got {given!r}")
    return from_numpy_dtype(promote_numpy(type1.numpy, type2.numpy))


def result_dtype(dimensioned: np.dtype | None, zero_dim: np.dtype | None, number: np.dtype | None) -> np.dtype:
    """The type that an operator computes in.

    Each argument is the promoted type of one kind of operand, None without any: tensors with dimensions, 0-d
    tensors, Python numbers. The later kinds matter only when their category (bool, integer, float, complex) is
    higher; a float that meets a weak complex number keeps its precision.
    """
    weak = _combine(zero_dim, number)
    result = _combine(dimensioned, weak)
    if result is None:
        raise TypeError("an operator needs at least one operand")
    return result


def _combine(strong: np.dtype | None, weak: np.dtype | None) -> np.dtype | None:
    if strong is None or weak is None:
        return weak if strong is None else strong
    if _CATEGORY[weak.kind] > _CATEGORY[strong.kind]:
        if strong.kind in FLOATING:
            return complex_of(strong)
        return weak if weak.kind in INEXACT else promote_numpy(strong, weak)
    return strong


def number_dtype(value: Any) -> np.dtype:
    """The type that a Python number counts as in promotion."""
    if isinstance(value, (_bool, np.bool_)):
        return bool.numpy
    if isinstance(value, (int, np.integer)):
        return int64.numpy
    if isinstance(value, (complex, np.complexfloating)):
        return complex_of(default_dtype.numpy)
    return default_dtype.numpy


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints with PyTorch's printed form.

    Raises:
        TypeError: an item is not an integer.

    >>> Size([2, 3]).numel()
    6
    """

    __module__ = "autograd"

    __slots__ = ()

    def __new__(cls, sizes: Any = ()) -> Size:
        self = tuple.__new__(cls, sizes)
        for item in self:
            if item.__class__ is not int:
                return tuple.__new__(cls, [_whole(position, item) for position, item in enumerate(self)])
        return self

    def numel(self) -> int:
        """Product of the sizes."""
        product = 1
        for n in self:
            product *= n
        return product

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __add__(self, other: Any) -> Size:
        if not isinstance(other, tuple):
            raise TypeError(f"can only concatenate tuple (not {type(other).__name__}) to torch.Size")
        return Size(tuple(self) + other)

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self)) if isinstance(other, tuple) else NotImplemented

    def __mul__(self, times: Any) -> Size:
        return Size(tuple(self) * times)

    __rmul__ = __mul__

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return tuple.__new__(Size, item) if isinstance(index, slice) else item

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)


class SymInt:
    """The size of a nested tensor along its ragged dimension, which is another for each component: ``j1``, or a
    multiple of it, ``3*j1``. It equals itself alone, and is at least 2.

    Args:
        number: sizes of one number belong to the same lengths.
        factor: what it is multiplied by.
    """

    __module__ = "autograd"

    __slots__ = ("factor", "number")

    def __init__(self, number: int, factor: int = 1) -> None:
        self.number, self.factor = number, factor

    def __repr__(self) -> str:
        return f"j{self.number}" if self.factor == 1 else f"{self.factor}*j{self.number}"

    def __hash__(self) -> int:
        return hash(self.number)

    def __eq__(self, other: object) -> Any:
        return isinstance(other, SymInt) and (self.number, self.factor) == (other.number, other.factor)

    def __mul__(self, times: Any) -> SymInt:
        if isinstance(times, SymInt):
            raise ValueError(f"the product of two ragged sizes, {self} and {times}, is no size")
        return SymInt(self.number, self.factor * times) if isinstance(times, int) else NotImplemented

    __rmul__ = __mul__

    def __ge__(self, other: Any) -> Any:
        if isinstance(other, SymInt) and self.number == other.number:
            return self.factor >= other.factor
        if isinstance(other, int) and other <= 2:
            return True
        raise ValueError(f"whether {self} >= {other} is indeterminate")

    def __le__(self, other: Any) -> Any:
        if isinstance(other, SymInt) and self.number == other.number:
            return self.factor <= other.factor
        if isinstance(other, int) and other < 2:
            return False
        raise ValueError(f"whether {self} <= {other} is indeterminate")

    def __gt__(self, other: Any) -> Any:
        return not self <= other

    def __lt__(self, other: Any) -> Any:
        return not self >= other


def _whole(position: int, item: Any) -> Any:
    if isinstance(item, SymInt):
        return item
    if isinstance(item, (str, float)) or not hasattr(item, "__index__"):
        raise TypeError(f"torch.Size() takes an iterable of 'int' (item {position} is '{type(item).__name__}')")
    return item.__index__()


class _Option:
    """A named option of which this library has one value, or treats all values alike."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


class layout(_Option):
    """How a tensor's elements are kept: `strided` in memory, or only some, `sparse_coo` or `sparse_csr`, or those of
    components of many lengths one behind another, `jagged`."""

    __module__ = "autograd"

    __slots__ = ()


class memory_format(_Option):
    """The order of a tensor's dimensions in memory, such as `channels_last`."""

    __module__ = "autograd"

    __slots__ = ()


strided, jagged = layout("strided"), layout("jagged")
sparse_coo, sparse_csr = layout("sparse_coo"), layout("sparse_csr")
contiguous_format, preserve_format = memory_format("contiguous_format"), memory_format("preserve_format")
channels_last, channels_last_3d = memory_format("channels_last"), memory_format("channels_last_3d")
legacy_contiguous_format = contiguous_format


def result_type(*operands: Any, **named: Any) -> dtype:
    """The dtype of an operator's result on two operands, tensors or numbers: 0-d tensors and numbers are weak.

    Raises:
        TypeError: not two operands, or one that is neither a tensor nor a number.

    >>> import autograd
    >>> autograd.result_type(autograd.tensor([1, 2], dtype=autograd.int32), 1.0)
    torch.float32
    """
    operands += tuple(named.values())
    if len(operands) != 2 or named.keys() - {"tensor", "other", "tensor1", "tensor2", "scalar", "scalar1", "scalar2"}:
        raise TypeError(f"result_type() takes two tensors or numbers, but got {len(operands)} arguments")
    kinds: dict[str, np.dtype] = {}
    for operand in operands:
        array = getattr(operand, "_array", None)
        if array is None and not isinstance(operand, (int, float, complex, np.number, np.bool_)):
            raise TypeError(f"result_type() takes tensors and numbers, but got {type(operand).__name__}")
        kind = "number" if array is None else "dimensioned" if array.ndim else "zero_dim"
        each = number_dtype(operand) if array is None else array.dtype
        kinds[kind] = promote_numpy(kinds[kind], each) if kind in kinds else each
    return from_numpy_dtype(result_dtype(kinds.get("dimensioned"), kinds.get("zero_dim"), kinds.get("number")))


def can_cast(from_: dtype, to: dtype) -> _bool:
    """Whether a value of one dtype may be cast to another: not from floats to integers, nor from those to bool.

    >>> import autograd
    >>> autograd.can_cast(autograd.float32, autograd.int64)
    False
    """
    for name, given in (("from_", from_), ("to", to)):
        if not isinstance(given, dtype):
            raise TypeError(f"can_cast(): argument '{name}' must be torch.dtype, not {type(given).__name__}")
    return _CATEGORY[from_.numpy.kind] <= _CATEGORY[to.numpy.kind]


# Classes that say they are from `autograd`: doctest would pass them over.
__test__ = {"dtype": dtype, "Size": Size, "layout": layout, "memory_format": memory_format}
