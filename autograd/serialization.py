"""`save` and `load`: tensors, state dicts and other objects in files, in PyTorch's own format.

A file is a zip archive of uncompressed records: ``data.pkl``, a pickle of the object in which each tensor is a view of
a numbered storage, and ``data/0``, ``data/1``, ... with the bytes of these storages. Tensors that share memory share a
storage, and share memory again when loaded. PyTorch reads what is written here with ``torch.load``, and `load` reads
what PyTorch wrote, since version 0.4.

A pickle is a program, and running a stranger's is running their code. `load` therefore reads it with a small machine of
its own, `safe_pickle.SafeReader`, which knows numbers, texts, containers, tensors and arrays, and refuses the rest.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import struct
import sys
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from . import dtypes
from .devices import device
from .files import written_atomically
from .legacy import NAMES
from .safe_pickle import (
    DAMAGE,
    SafeReader,
    add_safe_globals,
    clear_safe_globals,
    get_safe_globals,
    meaning,
    parameter_class,
    safe_globals,
)
from .storage import TypedStorage, UntypedStorage, memory_of
from .tensor import Tensor, wrap

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

ALIGNMENT = 64  # where a storage's bytes start in the file: at a multiple of this, so that they can be mapped
LOCAL_HEADER = 30  # bytes of a record's header, before its name
MAGIC, LEGACY_PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # the first numbers of files before PyTorch 1.6


# --- Names that PyTorch's pickles use ------------------------------------------------------------------------------


class Name:
    """A global of PyTorch's that is written and read by name alone."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self, *args: Any) -> Any:  # pickle takes only what looks like a function
        raise TypeError(f"{self.module}.{self.name} is a name in a file")


def _names(module: str, names: str) -> dict[str, Name]:
    return {name: Name(module, name) for name in names.split()}


UTILS = _names(
    "torch._utils",
    "_rebuild_nested_tensor _rebuild_parameter _rebuild_parameter_with_state _rebuild_tensor_v2 _rebuild_tensor_v3",
)
NESTED = _names("torch.nested._internal.nested_tensor", "NestedTensor _rebuild_njt")
TORCH = _names("torch", " ".join([*(f"{name}Storage" for name in NAMES.values()), "Size", "device", "Tensor"]))
UNTYPED = Name("torch.storage", "UntypedStorage")
FROM_TYPE = Name("torch._tensor", "_rebuild_from_type_v2")
LAYOUT = Name("torch.serialization", "_get_layout")


# --- Writing -------------------------------------------------------------------------------------------------------


class Storage:
    """A storage of a file that is being written: its key, and the memory that it holds."""

    def __init__(self, key: str, memory: np.ndarray, dtype: np.dtype) -> None:
        self.key, self.memory, self.dtype = key, memory, dtype


# The pickler written in C looks every global up in its module, and PyTorch's are not there.
Pickler: Any = pickle._Pickler


class Writer(Pickler):
    """Pickles an object as PyTorch does, and collects the storages that its tensors look into."""

    def __init__(self, file: Any, protocol: int = 2, view_metadata: bool = False) -> None:
        super().__init__(file, protocol)
        self.storages: dict[Any, Storage] = {}
        self.view_metadata = (None,) if view_metadata else ()

    def storage_of(self, array: np.ndarray) -> tuple[Storage, int]:
        """The storage that holds an array's memory, and the place of its first element there."""
        memory = memory_of(array)
        offset = array.ctypes.data - memory.ctypes.data if array.size else 0
        if offset % array.itemsize:
            raise RuntimeError("save: a tensor does not start at a whole element of its memory; clone() it first")
        key = (memory.ctypes.data if array.size else 0, memory.size, array.dtype)
        if key not in self.storages:
            self.storages[key] = Storage(str(len(self.storages)), memory, array.dtype)
        return self.storages[key], offset // array.itemsize

    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, (TypedStorage, UntypedStorage)):
            obj, _ = self.storage_of(obj._items)
        if not isinstance(obj, Storage):
            return None
        if obj.dtype.name not in NAMES:
            if self.view_metadata:
                raise RuntimeError(f"save: the format before PyTorch 1.6 has no {obj.dtype.name}; use the present one")
            return ("storage", UNTYPED, obj.key, "cpu", obj.memory.size, *self.view_metadata)
        kind = TORCH[f"{NAMES[obj.dtype.name]}Storage"]
        count = obj.memory.size // obj.dtype.itemsize
        return ("storage", kind, obj.key, "cpu", count, *self.view_metadata)

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Name):
            return obj.name
        if isinstance(obj, dtypes.dtype):
            return obj.name
        if isinstance(obj, Tensor):
            return self.tensor(obj)
        if isinstance(obj, dtypes.Size):
            return TORCH["Size"], (tuple(obj),)
        if isinstance(obj, device):
            return TORCH["device"], ((obj.type,) if obj.index is None else (obj.type, obj.index))
        if isinstance(obj, dtypes.layout):
            return LAYOUT, (repr(obj),)
        return NotImplemented

    def tensor(self, tensor: Tensor) -> tuple[Any, tuple[Any, ...]]:
        """How a tensor is rebuilt."""
        attributes = {name: value for name, value in tensor.__dict__.items() if name != "_kept_grad"}
        if type(tensor).__name__ == "Parameter" and isinstance(tensor, parameter_class()):
            args: tuple[Any, ...] = (wrap(tensor._array), tensor.requires_grad, OrderedDict())
            if attributes:
                return UTILS["_rebuild_parameter_with_state"], (*args, attributes)
            return UTILS["_rebuild_parameter"], args
        if tensor.is_nested:
            return self.nested(tensor)
        array = tensor._array
        if any(step < 0 or step % array.itemsize for step in array.strides):
            array = np.ascontiguousarray(array)
        storage, offset = self.storage_of(array)
        strides = wrap(array).stride()
        rebuild = UTILS["_rebuild_tensor_v2"]
        args = (storage, offset, tuple(array.shape), strides, tensor.requires_grad, OrderedDict())
        if array.dtype.name not in NAMES:
            rebuild, args = UTILS["_rebuild_tensor_v3"], (*args, tensor.dtype)
        if type(tensor) is Tensor and not attributes:
            return rebuild, args
        kind = TORCH["Tensor"] if type(tensor) is Tensor else type(tensor)
        return FROM_TYPE, (rebuild, kind, args, attributes)

    def nested(self, tensor: Any) -> tuple[Any, tuple[Any, ...]]:
        """How a nested tensor is rebuilt."""
        values = tensor.detach().values()
        if tensor.layout is dtypes.strided:
            places = tensor._nested_tensor_strides(), tensor._nested_tensor_storage_offsets()
            values.requires_grad_(tensor.requires_grad)
            return UTILS["_rebuild_nested_tensor"], (values, tensor._nested_tensor_size(), *places)
        known = {
            f"{which}_seqlen": wrap(np.zeros((length, 0), np.float32)) for which, length in tensor._extremes.items()
        }
        parts = {
            "values": values, "offsets": tensor.offsets(), "lengths": tensor.lengths(),
            "_ragged_idx": tensor._ragged_idx, "_metadata_cache": known, "requires_grad": tensor.requires_grad,
        }  # fmt: skip
        return FROM_TYPE, (NESTED["_rebuild_njt"], NESTED["NestedTensor"], (parts,), {})

    def save_global(self, obj: Any, name: str | None = None) -> None:
        if isinstance(obj, Name):
            module, name = obj.module, obj.name
        elif isinstance(obj, dtypes.dtype):
            module, name = "torch", obj.name
        else:
            return super().save_global(obj, name)
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)


def save(
    obj: Any, f: Any, pickle_module: Any = None, pickle_protocol: int = 2, _use_new_zipfile_serialization: bool = True
) -> None:
    """Writes an object to a file: a tensor, a ``state_dict``, a dict of anything that can be pickled.

    A file given by its name is written beside its place and then put there: it is old or new, never half.

    Args:
        obj: what to save. Of a tensor all the memory that it looks into is saved; ``clone()`` a small part first.
        f: name of the file, or an object with ``write``.
        pickle_module: None or Python's ``pickle``.
        pickle_protocol: version of the pickle.

    Raises:
        RuntimeError: the folder does not exist.
        TypeError: ``f`` is neither a name nor a file.

    >>> import autograd, io
    >>> file = io.BytesIO()
    >>> autograd.save({"step": 3, "weight": autograd.ones(2)}, file)
    >>> file.seek(0)
    0
    >>> autograd.load(file)
    {'step': 3, 'weight': tensor([1., 1.])}
    """
    _require_pickle(pickle_module)
    write = _write_archive if _use_new_zipfile_serialization else _write_legacy
    if not isinstance(f, (str, os.PathLike)):
        if not hasattr(f, "write"):
            raise TypeError(f"save(): f must be a path or a file with write(), not {type(f).__name__}")
        write(obj, f, "archive", pickle_protocol)
        return
    path = Path(os.path.realpath(f))
    if not path.parent.is_dir():
        raise RuntimeError(f"save(): parent directory {path.parent} does not exist; make it first")
    if path.exists() and not path.is_file():
        with open(path, "wb") as file:  # a pipe or a device; of a folder the error
            return write(obj, file, path.stem, pickle_protocol)
    with written_atomically(path) as beside:
        write(obj, beside, path.stem, pickle_protocol)


def _require_pickle(module: Any) -> None:
    if module is not None and module is not pickle:
        raise ValueError(f"pickle_module: only Python's own pickle can be used, but got {module!r}; leave it out")


def _write_archive(obj: Any, file: Any, name: str, protocol: int) -> None:
    program = io.BytesIO()
    writer = Writer(program, protocol)
    writer.dump(obj)
    with zipfile.ZipFile(file, "w") as archive:

        def record(path: str, content: Any) -> None:
            info = zipfile.ZipInfo(f"{name}/{path}", (1980, 1, 1, 0, 0, 0))
            start = archive.start_dir + LOCAL_HEADER + len(info.filename.encode())
            gap = -(start + 4) % ALIGNMENT
            info.extra = b"FB" + struct.pack("<H", gap) + b"Z" * gap
            archive.writestr(info, content)

        record("data.pkl", program.getvalue())
        record(".format_version", b"1")
        record(".storage_alignment", str(ALIGNMENT).encode())
        record("byteorder", sys.byteorder.encode())
        for storage in writer.storages.values():
            record(f"data/{storage.key}", storage.memory.data)
        record("version", b"3\n")


def _write_legacy(obj: Any, file: Any, name: str, protocol: int) -> None:
    """The format before PyTorch 1.6: three pickles of facts, the object, then the storages one after another."""
    sizes = {"short": 2, "int": 4, "long": 4}
    facts = {"protocol_version": LEGACY_PROTOCOL, "little_endian": sys.byteorder == "little", "type_sizes": sizes}
    for header in (MAGIC, LEGACY_PROTOCOL, facts):
        pickle.dump(header, file, protocol)
    writer = Writer(file, protocol, view_metadata=True)
    writer.dump(obj)
    storages = sorted(writer.storages.values(), key=lambda storage: storage.key)
    pickle.dump([storage.key for storage in storages], file, protocol)
    for storage in storages:
        file.write(struct.pack("<q", storage.memory.size // storage.dtype.itemsize))
        file.write(storage.memory.data)


# --- Reading ---------------------------------------------------------------------------------------------------------


class TrustingReader(pickle.Unpickler):
    """Python's own unpickler, for files whose code may run."""

    def __init__(self, file: Any, persistent_load: Callable[[Any], Any]) -> None:
        super().__init__(file)
        self.storage = persistent_load

    def persistent_load(self, pid: Any) -> Any:
        return self.storage(pid)

    def find_class(self, module: str, name: str) -> Any:
        known = meaning(module, name) if module.partition(".")[0] == "torch" else None
        return super().find_class(module, name) if known is None else known


def _mapped(map_location: Any, storage: TypedStorage, location: str) -> TypedStorage:
    """The storage where ``map_location`` wants it; there is only the CPU.

    Raises:
        RuntimeError: it was saved on another device, or is wanted there.
    """
    target: Any = location
    if callable(map_location) and not isinstance(map_location, device):
        moved = map_location(storage, location)
        if moved is not None:
            return moved
    elif isinstance(map_location, dict):
        target = map_location.get(location, location)
    elif map_location is not None:
        target = map_location
    if device(target if isinstance(target, device) else str(target)).type != "cpu":
        raise RuntimeError(
            f"load: attempting to deserialize object on device '{target}', but chalkgrad computes on the CPU; pass "
            "map_location='cpu'."
        )
    return storage


def _storage(kind: Any, read: Callable[[int], np.ndarray], count: int, swap: bool) -> TypedStorage:
    """A storage of ``count`` elements; ``read`` gives so many bytes, writable."""
    if not isinstance(count, int) or count < 0:
        raise pickle.UnpicklingError(f"load: a storage of {count!r} elements")
    if kind is UntypedStorage:
        kind = dtypes.uint8
    if not isinstance(kind, dtypes.dtype):
        raise pickle.UnpicklingError(f"load: a storage of type {kind!r}, which chalkgrad has not")
    memory = read(count * kind.itemsize)
    return TypedStorage._around(_swapped(memory, kind) if swap else memory, kind.numpy)


def _swapped(memory: np.ndarray, kind: dtypes.dtype) -> np.ndarray:
    """The bytes of elements that were written on a machine of the other byte order."""
    part = kind.itemsize // 2 if kind.is_complex else kind.itemsize
    return memory.view(f"u{part}").byteswap().view(np.uint8)


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
) -> Any:
    """Reads what `save`, or PyTorch's, has written to a file.

    Args:
        f: name of the file, or an object with ``read`` and ``seek``.
        map_location: where to put what was saved on another device: ``"cpu"``, a dict from device to device, or a
            function ``(storage, location) -> storage``.
        pickle_module: None or Python's ``pickle``.
        weights_only: True (the default) reads tensors, numbers, texts and containers of these, and runs no code of
            the file. False also makes objects of any class, such as a whole module, and **runs whatever code the file
            holds**: for files of one's own.
        mmap: leave the storages in the file until they are used; ``f`` is a name then. What is written to the tensors
            does not reach the file.

    Raises:
        pickle.UnpicklingError: the file holds more than ``weights_only`` allows, or is damaged.
        RuntimeError: it is damaged, or was saved on a device that is not there.
        FileNotFoundError: there is no such file.

    >>> import autograd, io
    >>> file = io.BytesIO()
    >>> autograd.save([autograd.arange(3), "three"], file)
    >>> _ = file.seek(0)
    >>> autograd.load(file, map_location="cpu")
    [tensor([0, 1, 2]), 'three']
    """
    _require_pickle(pickle_module)
    reader = TrustingReader if weights_only is False else SafeReader
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _load(file, map_location, reader, os.fspath(f) if mmap else None)
    if mmap:
        raise ValueError("load(): f must be a file path in order to use mmap=True")
    for method in ("read", "seek", "tell"):
        if not hasattr(f, method):
            raise AttributeError(
                f"load(): f must be a path or a file that can be read and rewound, but {type(f).__name__} has no "
                f"{method}(); wrap its bytes in io.BytesIO"
            )
    return _load(f, map_location, reader, None)


@contextlib.contextmanager
def _undamaged(part: str) -> Iterator[None]:
    """Whatever goes wrong inside is the file's fault."""
    try:
        yield
    except (*DAMAGE, zipfile.BadZipFile, zlib.error) as error:
        raise RuntimeError(f"load: the file is damaged, in {part}: {error}") from error


def _load(file: Any, map_location: Any, reader: Any, mapped: str | None) -> Any:
    start = file.tell()
    first = file.read(4)
    file.seek(start)
    if not first:
        raise EOFError("load: the file is empty")
    if first == b"PK\x03\x04":
        return _load_archive(file, map_location, reader, mapped)
    if mapped:
        raise RuntimeError("load: mmap=True needs a file of PyTorch 1.6 or later; leave it out")
    return _load_legacy(file, map_location, reader)


def _load_archive(file: Any, map_location: Any, reader: Any, mapped: str | None) -> Any:
    with _undamaged("its list of records"):
        archive = zipfile.ZipFile(file)
        records = {info.filename.partition("/")[2]: info for info in archive.infolist()}
        if "data.pkl" not in records:
            raise RuntimeError("load: the zip archive holds no data.pkl: it was not written by save")
        order = archive.read(records["byteorder"]).decode() if "byteorder" in records else "little"
        program = archive.read(records["data.pkl"])
    storages: dict[str, TypedStorage] = {}

    def content(key: str) -> Callable[[int], np.ndarray]:
        def read(length: int) -> np.ndarray:
            info = records[f"data/{key}"]
            if info.file_size != length:
                raise pickle.UnpicklingError(f"load: storage {key} has {info.file_size} bytes instead of {length}")
            if not length:
                return np.empty(0, np.uint8)
            if info.compress_type != zipfile.ZIP_STORED:
                return np.frombuffer(bytearray(archive.read(info)), np.uint8)
            if mapped:
                return np.memmap(mapped, np.uint8, "c", _start(file, info), length).view(np.ndarray)
            return _read(file, _start(file, info), length, info.CRC)

        return read

    def persistent_load(pid: Any) -> TypedStorage:
        if type(pid) is not tuple or len(pid) != 5 or pid[0] != "storage":
            raise pickle.UnpicklingError(f"load: an unknown reference {pid!r}")
        _, kind, key, location, count = pid
        if key not in storages:
            with _undamaged(f"storage {key}"):
                found = _storage(kind, content(key), count, order != sys.byteorder)
            storages[key] = _mapped(map_location, found, location)
        return storages[key]

    return reader(io.BytesIO(program), persistent_load).load()


def _start(file: Any, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a record begin."""
    file.seek(info.header_offset + 26)
    name, extra = struct.unpack("<HH", file.read(4))
    return info.header_offset + LOCAL_HEADER + name + extra


def _read(file: Any, start: int, length: int, checksum: int) -> np.ndarray:
    """The bytes of a record, read straight into their place."""
    file.seek(start)
    memory = np.empty(length, np.uint8)
    rest = memory.data
    while len(rest):
        if hasattr(file, "readinto"):
            count = file.readinto(rest)
        else:
            part = file.read(len(rest))
            count = len(part)
            rest[:count] = part
        if not count:
            break
        rest = rest[count:]
    if len(rest) or zlib.crc32(memory.data) != checksum:
        raise RuntimeError("load: the file is damaged: a storage's checksum is wrong")
    return memory


def _load_legacy(file: Any, map_location: Any, reader: Any) -> Any:
    """The format before PyTorch 1.6: storages follow the object, which refers to them before they are read."""

    def refuse(pid: Any) -> Any:
        raise pickle.UnpicklingError("load: a reference to a tensor in the file's header")

    if file.read(1) != pickle.PROTO:
        raise pickle.UnpicklingError("load: not a file that save has written: it is neither a zip archive nor a pickle")
    file.seek(-1, os.SEEK_CUR)
    if SafeReader(file, refuse).load() != MAGIC:
        raise RuntimeError("load: a pickle, but not one that save has written; read it with pickle.load")
    if (version := SafeReader(file, refuse).load()) != LEGACY_PROTOCOL:
        raise RuntimeError(f"load: version {version} of the file's format is unknown")
    with _undamaged("its header"):
        swap = SafeReader(file, refuse).load().get("little_endian", True) != (sys.byteorder == "little")
    storages: dict[str, TypedStorage] = {}

    def persistent_load(pid: Any) -> TypedStorage:
        if type(pid) is not tuple or len(pid) != 6 or pid[0] != "storage":
            raise pickle.UnpicklingError(f"load: an unknown reference {pid!r}")
        _, kind, key, location, count, view = pid
        if view is not None:
            raise RuntimeError("load: a file of PyTorch 0.3 or older; save it anew with a later one")
        if key not in storages:
            with _undamaged(f"storage {key}"):
                blank = _storage(kind, lambda length: np.zeros(length, np.uint8), count, swap=False)
            storages[key] = blank
            _mapped(map_location, blank, location)
        return storages[key]

    result = reader(file, persistent_load).load()
    with _undamaged("its storages"):
        for key in SafeReader(file, refuse).load():
            storage = storages[key]
            (count,) = struct.unpack("<q", file.read(8))
            if count != storage.size():
                raise RuntimeError(
                    f"load: the file is damaged: storage {key} has {count}, not {storage.size()} elements"
                )
            data = np.frombuffer(file.read(storage.nbytes()), np.uint8)
            storage._items.view(np.uint8)[...] = _swapped(data, storage.dtype) if swap else data
    return result
