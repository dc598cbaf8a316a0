"""The memory behind tensors: a storage is all of it, while a tensor sees some of its elements in some order.

`UntypedStorage` counts bytes, `TypedStorage` elements of a dtype; `FloatStorage` and its kind are the types of the
latter. Both share the memory: what is written through one is seen by every tensor in it.
"""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from . import dtypes
from .devices import CPU, device, require_cpu
from .from_data import array_from
from .legacy import NAMES
from .tensor import Tensor, root_of, wrap

__all__ = [
    "STORAGES", "BFloat16Storage", "BoolStorage", "ByteStorage", "CharStorage", "ComplexDoubleStorage",
    "ComplexFloatStorage", "DoubleStorage", "FloatStorage", "HalfStorage", "IntStorage", "LongStorage", "ShortStorage",
    "TypedStorage", "UntypedStorage", "from_file", "memory_of",
]  # fmt: skip


class _Memory:
    """A stretch of memory for NumPy to look at, kept alive by the array that owns it."""

    def __init__(self, owner: np.ndarray, address: int, nbytes: int) -> None:
        self.owner = owner
        self.__array_interface__ = {
            "shape": (nbytes,),
            "typestr": "|u1",
            "data": (address, not owner.flags.writeable),
            "version": 3,
        }


def memory_of(array: np.ndarray) -> np.ndarray:
    """The bytes of all the memory that an array's owner holds: 1-D, sharing it."""
    owner = root_of(array)
    if owner.size == 0:
        return np.empty(0, np.uint8)
    reach = [(n - 1) * step for n, step in zip(owner.shape, owner.strides, strict=True)]
    first = owner.ctypes.data + sum(min(0, distance) for distance in reach)
    length = sum(map(abs, reach)) + owner.itemsize
    return np.asarray(_Memory(owner, first, length))


class _Storage:
    """What typed and untyped storages have in common."""

    _items: np.ndarray  # 1-D: bytes, or elements

    is_cuda = is_sparse = False

    @property
    def device(self) -> device:
        """Always ``device('cpu')``."""
        return CPU

    def __len__(self) -> int:
        return self._items.size

    def size(self) -> int:
        """Number of elements; of bytes for an untyped storage."""
        return self._items.size

    def nbytes(self) -> int:
        """Number of bytes."""
        return self._items.nbytes

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._items.itemsize

    def data_ptr(self) -> int:
        """Address of the first element."""
        return self._items.ctypes.data

    def _place(self, index: Any) -> int:
        if not isinstance(index, (int, np.integer)):
            raise RuntimeError(f"can't index a {type(self)} with {type(index)}")
        if not -self._items.size <= index < self._items.size:
            raise IndexError(f"index {index} out of range for storage of size {self._items.size}")
        return int(index)

    def __getitem__(self, index: Any) -> Any:
        return self._items[self._place(index)].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._items[index if isinstance(index, slice) else self._place(index)] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items.tolist())

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._items.tolist()

    def fill_(self, value: Any) -> Any:
        """Writes ``value`` into every element."""
        self._items[...] = value
        return self

    def cpu(self) -> Any:
        """Itself: memory is on the CPU."""
        return self

    def cuda(self, device: Any = None, non_blocking: bool = False) -> Any:
        """Raises AssertionError: there is only the CPU."""
        require_cpu("cuda" if device is None or isinstance(device, int) else device, "cuda")
        return self

    def pin_memory(self, device: Any = None) -> Any:
        """Raises RuntimeError: there is no accelerator."""
        raise RuntimeError("Cannot access accelerator device when none is available: pin_memory() needs one.")

    def is_pinned(self, device: Any = None) -> bool:
        """False: no memory is pinned."""
        return False

    def is_shared(self) -> bool:
        """Whether processes share this memory."""
        from .kernels.memory import is_shared

        root = root_of(self._items)
        return is_shared(root_of(root.base.owner) if isinstance(root.base, _Memory) else root)

    def _lines(self) -> str:
        return " " + "\n ".join(map(str, self._items.tolist())) + "\n"


class UntypedStorage(_Storage):
    """Memory as bytes.

    Args:
        source: a number of bytes, or a sequence of them.

    >>> import autograd
    >>> autograd.ones(2).untyped_storage().nbytes()
    8
    """

    def __init__(self, source: Any = 0, *, device: Any = None) -> None:
        require_cpu(device, "UntypedStorage")
        self._items = _new_items("UntypedStorage", source, np.dtype(np.uint8))

    @classmethod
    def _around(cls, memory: np.ndarray) -> UntypedStorage:
        storage = cls.__new__(cls)
        storage._items = memory
        return storage

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return UntypedStorage._around(self._items[index])
        return super().__getitem__(index)

    def _as_array(self, dtype: np.dtype) -> np.ndarray:
        return self._items[: self._items.size // dtype.itemsize * dtype.itemsize].view(dtype)

    def untyped(self) -> UntypedStorage:
        """Itself."""
        return self

    def clone(self) -> UntypedStorage:
        """A copy."""
        return UntypedStorage._around(self._items.copy())

    def copy_(self, source: Any, non_blocking: bool | None = None) -> UntypedStorage:
        """Writes the bytes of another storage of this size."""
        _require_size(self.nbytes(), source.nbytes())
        self._items[...] = source._as_array(np.dtype(np.uint8))
        return self

    def __repr__(self) -> str:
        return f"{self._lines()}[torch.storage.UntypedStorage(device=cpu) of size {self.nbytes()}]"


class TypedStorage(_Storage):
    """Memory as elements of one dtype.

    Args:
        source: a number of elements, a sequence of them, or nothing.
        dtype: the default dtype by default.
        wrap_storage: an untyped storage whose memory to use.

    >>> import autograd
    >>> autograd.ones(2, 3)[1].storage().size()
    6
    """

    def __init__(self, source: Any = 0, *, wrap_storage: Any = None, dtype: Any = None, device: Any = None) -> None:
        require_cpu(device, "TypedStorage")
        kind = dtypes.default_dtype.numpy if dtype is None else dtypes.to_numpy_dtype(dtype)
        if wrap_storage is None:
            self._items = _new_items("TypedStorage", source, kind)
        else:
            self._items = wrap_storage._as_array(kind)

    @classmethod
    def _around(cls, memory: np.ndarray, kind: np.dtype) -> TypedStorage:
        storage = TypedStorage.__new__(TypedStorage)
        storage._items = memory[: memory.size // kind.itemsize * kind.itemsize].view(kind)
        return storage

    @property
    def dtype(self) -> dtypes.dtype:
        """Type of the elements."""
        return dtypes.from_numpy_dtype(self._items.dtype)

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return super().__getitem__(index)

    def _as_array(self, dtype: np.dtype) -> np.ndarray:
        if dtype == np.uint8 and self._items.dtype != dtype:
            raise RuntimeError(f"Expected a Storage of type Byte or an UntypedStorage, but got type {self._name()}")
        if dtype != self._items.dtype:
            wanted = dtypes.SCALAR_NAMES[dtype.name]
            raise RuntimeError(f"Expected a Storage of type {wanted}, but got type {self._name()}")
        return self._items

    def _name(self) -> str:
        return dtypes.SCALAR_NAMES[self._items.dtype.name]

    def untyped(self) -> UntypedStorage:
        """The same memory as bytes."""
        return UntypedStorage._around(self._items.view(np.uint8))

    def clone(self) -> TypedStorage:
        """A copy."""
        return self._converted(self._items.dtype)

    def copy_(self, source: Any, non_blocking: bool | None = None) -> TypedStorage:
        """Writes the elements of another storage of this size, converted."""
        _require_size(self.size(), len(source))
        self._items[...] = source._items
        return self

    def _converted(self, kind: np.dtype) -> TypedStorage:
        return TypedStorage._around(dtypes.cast(self._items, kind).view(np.uint8), kind)

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of its type, such as ``torch.FloatStorage``; with ``dtype``, a copy converted to it."""
        if dtype is None:
            return f"torch.{self._name()}Storage" if self._items.dtype.name in NAMES else "torch.storage.TypedStorage"
        if isinstance(dtype, str):
            dtype = next((each for each in STORAGES.values() if dtype == f"torch.{each.__name__}"), dtype)
        if not isinstance(dtype, (dtypes.dtype, _StorageType)):
            raise ValueError(f"invalid type: {dtype!r}")
        kind = (dtype.dtype if isinstance(dtype, _StorageType) else dtype).numpy
        return self if kind == self._items.dtype else self._converted(kind)

    def __repr__(self) -> str:
        facts = f"dtype={self.dtype}, device=cpu"
        return f"{self._lines()}[torch.storage.TypedStorage({facts}) of size {self.size()}]"


def _require_size(own: int, other: int) -> None:
    if own != other:
        raise RuntimeError(f"copy_: this storage has size {own}, but the source has size {other}")


def _new_items(operator: str, source: Any, kind: np.dtype) -> np.ndarray:
    if isinstance(source, (int, np.integer)) and not isinstance(source, bool):
        if source < 0:
            raise RuntimeError(f"{operator}: a storage cannot have a negative size: {source}")
        return np.empty(source, kind)
    if isinstance(source, str):
        raise TypeError(f"{operator}: invalid data type 'str'")
    if not isinstance(source, (Sequence, np.ndarray)):
        raise TypeError(f"{operator}: takes a size, or a sequence of numbers, but got {type(source).__name__}")
    return array_from(list(source), kind).reshape(-1)


def _conversion(name: str, dtype: dtypes.dtype) -> None:
    def convert(self: TypedStorage) -> TypedStorage:
        return self.type(dtype)

    convert.__name__, convert.__doc__ = name, f"This storage as {dtype}; itself if it is of that type."
    setattr(TypedStorage, name, convert)


for _name, _dtype in (
    *((alias, each) for alias, each in dtypes.ALIASES.items() if alias not in ("cfloat", "cdouble")),
    ("bool", dtypes.bool), ("byte", dtypes.uint8), ("char", dtypes.int8), ("bfloat16", dtypes.bfloat16),
    ("complex_float", dtypes.complex64), ("complex_double", dtypes.complex128),
):  # fmt: skip
    _conversion(_name, _dtype)


class _StorageType(type):
    """The type of `FloatStorage` and its kind: calling one makes a `TypedStorage`; ``isinstance`` asks the dtype."""

    dtype: dtypes.dtype

    is_cuda = is_sparse = False

    def __call__(cls, source: Any = 0, *, wrap_storage: Any = None, device: Any = None) -> TypedStorage:
        return TypedStorage(source, wrap_storage=wrap_storage, dtype=cls.dtype, device=device)

    def __instancecheck__(cls, value: Any) -> bool:
        return isinstance(value, TypedStorage) and value.dtype is cls.dtype

    def __repr__(cls) -> str:
        return f"<class 'torch.{cls.__name__}'>"

    def from_buffer(cls, buffer: Any, byte_order: str | None = None, count: int = -1, offset: int = 0) -> TypedStorage:
        """A copy of an object with Python's buffer protocol.

        Args:
            byte_order: ``"native"``, ``"little"`` or ``"big"``; needed for elements of more than one byte.
            count: number of elements; all by default.
            offset: bytes to skip.

        Raises:
            RuntimeError: no byte order.
            ValueError: another one, or the buffer does not hold that many elements.
        """
        kind = cls.dtype.numpy
        if byte_order is None and kind.itemsize > 1:
            raise RuntimeError(f"{cls.__name__}.from_buffer: missing required argument 'byte_order'")
        if byte_order not in ("native", "little", "big", None):
            raise ValueError(
                f"{cls.__name__}.from_buffer: byte_order must be 'little' or 'big', but got {byte_order!r}"
            )
        items = np.frombuffer(buffer, kind, count, offset).copy()
        return TypedStorage._around((items.byteswap() if _foreign(byte_order) else items).view(np.uint8), kind)


def _foreign(byte_order: str | None) -> bool:
    return byte_order in ("little", "big") and byte_order != sys.byteorder


# dtype name -> the type of its storages.
STORAGES = {name: _StorageType(f"{NAMES[name]}Storage", (), {"dtype": dtypes.DTYPES[name]}) for name in NAMES}
HalfStorage, FloatStorage, DoubleStorage = STORAGES["float16"], STORAGES["float32"], STORAGES["float64"]
Storage = FloatStorage
CharStorage, ShortStorage, IntStorage = STORAGES["int8"], STORAGES["int16"], STORAGES["int32"]
LongStorage, ByteStorage, BoolStorage = STORAGES["int64"], STORAGES["uint8"], STORAGES["bool"]
BFloat16Storage = STORAGES["bfloat16"]
ComplexFloatStorage, ComplexDoubleStorage = STORAGES["complex64"], STORAGES["complex128"]


def from_file(
    filename: str,
    shared: bool | None = None,
    size: int = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """A vector in the memory of a file, which is read when its elements are first looked at.

    Args:
        filename: of the file.
        shared: write changes to the file, which is made, or made longer, where necessary; by default they are not.
        size: number of elements.
        dtype: of the elements, as they lie in the file; the default dtype by default.
        layout: `strided`.
        device: ``"cpu"``.
        pin_memory: accepted.
        requires_grad: record operators on the result.

    Raises:
        RuntimeError: the file cannot be opened, or is too short and not ``shared``.
        ValueError: another layout.

    >>> import autograd, os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "numbers")
    >>> written = autograd.from_file(path, shared=True, size=3).copy_(autograd.tensor([1.0, 2.0, 3.0]))
    >>> autograd.from_file(path, size=2)
    tensor([1., 2.])
    """
    if not isinstance(filename, (str, bytes)):
        raise TypeError(f"from_file(): argument 'filename' (position 1) must be str, not {type(filename).__name__}")
    require_cpu(device, "from_file")
    if layout not in (None, dtypes.strided):
        raise ValueError(f"from_file(): a file has the layout strided, got {layout}")
    kind = (dtype or dtypes.get_default_dtype()).numpy
    length = size * kind.itemsize
    if length < 0:
        raise RuntimeError(f"from_file(): size must be at least 0, got {size}")
    try:
        with open(filename, "a+b" if shared else "rb") as file:
            found = file.seek(0, os.SEEK_END)
            if found < length and not shared:
                raise RuntimeError(
                    f"file <{filename}> size <{found}> is smaller than the required mapping size <{length}>"
                )
            if found < length:
                file.truncate(length)
            access = mmap.ACCESS_WRITE if shared else mmap.ACCESS_COPY
            memory = mmap.mmap(file.fileno(), length, access=access) if length else bytearray()
    except OSError as error:
        raise RuntimeError(f"unable to open file <{filename}>: {error.strerror} ({error.errno})") from error
    return wrap(np.frombuffer(memory, np.uint8).view(kind)).requires_grad_(requires_grad)
