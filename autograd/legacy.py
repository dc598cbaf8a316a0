"""PyTorch's old ways of making tensors: `FloatTensor` and its kind, `Tensor.new`, `Variable`, default tensor types."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import dtypes
from .devices import device as _device
from .from_data import array_from
from .tensor import Tensor, check_differentiable, shared_counter, wrap

__all__ = [
    "TYPES", "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
    "IntTensor", "LongTensor", "ShortTensor", "Variable", "legacy_array", "set_default_tensor_type", "tensortype",
    "type_named",
]  # fmt: skip


def legacy_array(operator: str, dtype: np.dtype, *args: Any, device: Any = None, **named: Any) -> np.ndarray:
    """What the old constructors hold: memory of the given sizes, or a conversion of one sequence.

    Args:
        operator: the constructor's name, for errors.
        dtype: the type of the elements.
        args: nothing, sizes, a `Size`, a sequence or array of data, a tensor or a storage of that type.
        named: ``data=`` or ``size=``, the one argument by keyword.

    Raises:
        TypeError: a number that is no int, text, or a tensor of another dtype.
        RuntimeError: a negative size, or a device other than the CPU.
    """
    if device is not None and _device(device).type != "cpu":
        raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {_device(device)} was passed")
    if named:
        if args or len(named) > 1 or named.keys() - {"data", "size", "other"}:
            raise TypeError(
                f"{operator}() received an invalid combination of arguments: it takes sizes, or one sequence as data, "
                f"and a device, but got {', '.join(named)}"
            )
        args = tuple(named.values())
    if len(args) == 1 and not isinstance(args[0], dtypes.Size):
        data = args[0]
        if isinstance(data, Tensor):
            if data._array.dtype != dtype:
                raise TypeError(
                    f"{operator}(): expected a tensor of {dtypes.from_numpy_dtype(dtype)}, but got {data.dtype}; "
                    f"convert it with .to({str(dtypes.from_numpy_dtype(dtype)).removeprefix('torch.')})"
                )
            return data._array
        if (shared := getattr(data, "_as_array", None)) is not None:
            return shared(dtype)
        if isinstance(data, str):
            raise TypeError(f"{operator}(): invalid data type 'str'")
        if isinstance(data, (Sequence, np.ndarray)):
            return array_from(data, dtype)
    sizes = args[0] if len(args) == 1 and isinstance(args[0], dtypes.Size) else args
    for size in sizes:
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
        if not whole and not (isinstance(size, Tensor) and size._array.ndim == 0 and len(args) > 1):
            raise TypeError(f"{operator}(): data must be a sequence (got {type(size).__name__})")
        if size < 0:
            raise RuntimeError(f"{operator}: trying to create tensor with negative dimension {size}: {list(sizes)}")
    return np.empty(tuple(int(size) for size in sizes) if args else (0,), dtype)


class tensortype(type):
    """The type of `FloatTensor` and its kind: ``isinstance`` looks at the dtype, calling one makes a tensor."""

    dtype: dtypes.dtype
    is_cuda: bool

    layout = dtypes.strided
    is_sparse = False

    def __call__(cls, *args: Any, **named: Any) -> Tensor:
        cls.require()
        return wrap(legacy_array(cls.__name__, cls.dtype.numpy, *args, **named))

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor) and value.dtype is cls.dtype and not cls.is_cuda

    def __repr__(cls) -> str:
        return f"<class '{cls.__module__}.{cls.__name__}'>"

    def require(cls) -> None:
        """Raises TypeError for a type of tensors on a GPU."""
        if cls.is_cuda:
            raise TypeError(
                f"type {cls.__module__}.{cls.__name__} not available. Torch not compiled with CUDA enabled: chalkgrad "
                f"computes on the CPU; use {cls.__name__}."
            )


def tensor_type(dtype: dtypes.dtype, is_cuda: bool = False) -> tensortype:
    """The old type of the tensors of a dtype, such as `FloatTensor`."""
    facts = {"dtype": dtype, "is_cuda": is_cuda, "__module__": "torch.cuda" if is_cuda else "torch"}
    facts["__doc__"] = (
        f"``{NAMES[dtype.name]}Tensor(2, 3)`` is uninitialized memory of {dtype}, ``{NAMES[dtype.name]}Tensor([1, 2])``"
        " converts a sequence, and ``isinstance`` with it asks for that dtype."
    )
    return tensortype(f"{NAMES[dtype.name]}Tensor", (), facts)


# The dtypes that have old types of tensors and storages, and their names there; the younger unsigned ones have none.
NAMES = {name: title for name, title in dtypes.SCALAR_NAMES.items() if not title.startswith("UInt")}

# dtype name -> the type of its tensors.
TYPES = {name: tensor_type(dtypes.DTYPES[name]) for name in NAMES}
HalfTensor, FloatTensor, DoubleTensor = TYPES["float16"], TYPES["float32"], TYPES["float64"]
CharTensor, ShortTensor, IntTensor, LongTensor = TYPES["int8"], TYPES["int16"], TYPES["int32"], TYPES["int64"]
ByteTensor, BoolTensor, BFloat16Tensor = TYPES["uint8"], TYPES["bool"], TYPES["bfloat16"]

_BY_NAME = {f"torch.{each.__name__}": each for each in TYPES.values()}
_BY_NAME |= {f"torch.cuda.{each.__name__}": tensor_type(each.dtype, is_cuda=True) for each in TYPES.values()}


def type_named(name: str) -> tensortype:
    """The type called ``'torch.FloatTensor'``.

    Raises:
        ValueError: there is none.
    """
    if name in ("torch.Tensor", "torch.cuda.Tensor"):
        name = name.replace("Tensor", f"{NAMES[dtypes.get_default_dtype().name]}Tensor")
    try:
        return _BY_NAME[name]
    except KeyError:
        raise ValueError(f"invalid type: {name!r}") from None


def set_default_tensor_type(t: tensortype | str) -> None:
    """Makes the dtype of ``t``, such as ``DoubleTensor`` or ``'torch.DoubleTensor'``, the default dtype.

    Raises:
        TypeError: not the type of floating-point tensors, or one of a GPU.
    """
    kind = type_named(t) if isinstance(t, str) else t
    if not isinstance(kind, tensortype):
        raise TypeError(f"invalid type object: {t!r}: only floating-point types are supported as the default type")
    kind.require()
    dtypes.set_default_dtype(kind.dtype)


class _VariableMeta(type):
    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, Tensor)


class Variable(metaclass=_VariableMeta):
    """``Variable(x)``, from when tensors could not be differentiated: the same memory as a new leaf of the graph.

    Raises:
        TypeError: ``data`` is not a Tensor.

    >>> import autograd
    >>> Variable(autograd.ones(2), requires_grad=True)
    tensor([1., 1.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Tensor:  # type: ignore[misc]
        if data is None:
            data = Tensor()
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(data).__name__}")
        if volatile:
            warnings.warn("volatile was removed and now has no effect. Use no_grad() instead.", stacklevel=2)
        if requires_grad:
            check_differentiable(data._array.dtype)
        result = wrap(data._array)
        result._counter = shared_counter(data)
        return result.requires_grad_(requires_grad)
