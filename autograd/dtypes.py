"""Element types, shapes and devices, named and printed as PyTorch does, and the rules of type promotion."""

from __future__ import annotations

import builtins
from functools import cache
from typing import Any, TypeAlias

import numpy as np

__all__ = [
    "DTYPES",
    "Size",
    "default_dtype",
    "device",
    "dtype",
    "from_numpy_dtype",
    "get_default_dtype",
    "promote_types",
    "result_dtype",
    "set_default_dtype",
    "to_numpy_dtype",
]


class dtype:
    """Type of a tensor's elements, such as ``autograd.float32``; one object for each type."""

    __slots__ = ("is_complex", "is_floating_point", "is_signed", "itemsize", "name", "numpy")

    def __init__(self, name: str) -> None:
        self.name = name
        self.numpy = np.dtype(name)
        self.is_floating_point = self.numpy.kind == "f"
        self.is_complex = self.numpy.kind == "c"
        self.is_signed = self.numpy.kind in "ifc"
        self.itemsize = self.numpy.itemsize

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:
        return _by_name, (self.name,)


float16, float32, float64 = dtype("float16"), dtype("float32"), dtype("float64")
int8, int16, int32, int64 = dtype("int8"), dtype("int16"), dtype("int32"), dtype("int64")
uint8 = dtype("uint8")
bool = dtype("bool")

DTYPES: dict[str, dtype] = {d.name: d for d in (float16, float32, float64, int8, int16, int32, int64, uint8, bool)}
ALIASES = {
    "half": float16,
    "float": float32,
    "double": float64,
    "short": int16,
    "int": int32,
    "long": int64,
}
_FROM_NUMPY = {d.numpy: d for d in DTYPES.values()}


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
        names = ", ".join(DTYPES)
        raise TypeError(
            f"can't convert np.ndarray of type {numpy_dtype}. The only supported types are: {names}."
        ) from None


def to_numpy_dtype(given: Any) -> np.dtype:
    """NumPy's type for a dtype, or for Python's ``float``, ``int`` and ``bool``.

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


_CATEGORY = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


@cache
def promote_numpy(a: np.dtype, b: np.dtype) -> np.dtype:
    """The smallest type that both convert to; an integer beside a float takes the float's type, whatever its size."""
    category_a, category_b = _CATEGORY[a.kind], _CATEGORY[b.kind]
    if category_a == 2 and category_b < 2:
        return a
    if category_b == 2 and category_a < 2:
        return b
    return np.promote_types(a, b)


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
    tensors, Python numbers. The later kinds matter only when their category (bool, integer, float) is higher.
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
        return promote_numpy(strong, weak)
    return strong


def number_dtype(value: Any) -> np.dtype:
    """The type that a Python number counts as in promotion."""
    if isinstance(value, (_bool, np.bool_)):
        return bool.numpy
    if isinstance(value, (int, np.integer)):
        return int64.numpy
    return default_dtype.numpy


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple of ints with PyTorch's printed form."""

    __slots__ = ()

    def numel(self) -> int:
        """Product of the sizes."""
        product = 1
        for n in self:
            product *= n
        return product

    def __repr__(self) -> str:
        return f"torch.Size({list(self)})"

    def __add__(self, other: Any) -> Size:
        return Size(tuple(self) + tuple(other))

    def __radd__(self, other: Any) -> Size:
        return Size(tuple(other) + tuple(self))

    def __mul__(self, times: Any) -> Size:
        return Size(tuple(self) * times)

    __rmul__ = __mul__

    def __getitem__(self, index: Any) -> Any:
        item = tuple.__getitem__(self, index)
        return Size(item) if isinstance(index, slice) else item

    def __reduce__(self) -> Any:
        return Size, (tuple(self),)


class device:
    """Where a tensor lives. There is one place: ``device('cpu')``.

    Raises:
        RuntimeError: any other device; the remedy is to leave the argument out.
    """

    __slots__ = ("index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        if not isinstance(type, str):
            raise TypeError(f"device expects a name such as 'cpu', but got {type!r}")
        name, _, number = type.partition(":")
        if name != "cpu" or (number and not number.isdigit()):
            raise RuntimeError(f"device {type!r} is not available: chalkgrad computes on the CPU; use device('cpu').")
        self.type = name
        self.index = int(number) if number else index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> Any:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, (str(self),)


CPU = device("cpu")


class Option:
    """A named option that is accepted because there is only one way: memory layouts and formats."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name


strided = Option("strided")
contiguous_format, channels_last, preserve_format = (
    Option(name) for name in ("contiguous_format", "channels_last", "preserve_format")
)


def result_type(*operands: Any) -> dtype:
    """The dtype of an operator's result on two operands, tensors or numbers: 0-d tensors and numbers are weak.

    >>> import autograd
    >>> autograd.result_type(autograd.tensor([1, 2], dtype=autograd.int32), 1.0)
    torch.float32
    """
    kinds: dict[str, np.dtype] = {}
    for operand in operands:
        array = getattr(operand, "_array", None)
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
    return _CATEGORY[from_.numpy.kind] <= _CATEGORY[to.numpy.kind]
