"""Pickles of strangers, read without running them: a machine that knows what tensors are made of, and nothing else."""

from __future__ import annotations

import contextlib
import pickle
import struct
import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from . import dtypes
from .devices import device
from .legacy import NAMES
from .storage import TypedStorage, UntypedStorage
from .tensor import Tensor, wrap

__all__ = [
    "DAMAGE", "SafeReader", "add_safe_globals", "clear_safe_globals", "get_safe_globals", "meaning",
    "parameter_class", "safe_globals",
]  # fmt: skip


def parameter_class() -> Any:
    import importlib

    return importlib.import_module("nn.parameter").Parameter


# --- Rebuilding ----------------------------------------------------------------------------------------------------


def _rebuild_tensor(storage: Any, offset: Any, size: Any, stride: Any) -> Tensor:
    """The view of a storage that a pickle describes; NumPy refuses one that leaves the storage."""
    if not isinstance(storage, TypedStorage):
        raise pickle.UnpicklingError(f"a tensor's storage is a {type(storage).__name__}")
    items = storage._items
    step = items.itemsize
    try:
        array = np.ndarray(tuple(size), items.dtype, items, offset * step, [n * step for n in stride])
    except (TypeError, ValueError) as error:
        raise pickle.UnpicklingError(
            f"a tensor of shape {tuple(size)}, strides {tuple(stride)} and offset {offset} does not lie in its storage "
            f"of {items.size} elements: {error}"
        ) from None
    return wrap(array)


def _rebuild_tensor_v2(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, metadata: Any = None
) -> Tensor:
    return _rebuild_tensor(storage, offset, size, stride).requires_grad_(bool(requires_grad))


def _rebuild_tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, dtype: Any, metadata: Any = None
) -> Tensor:
    typed = TypedStorage(wrap_storage=storage.untyped(), dtype=dtype)
    return _rebuild_tensor(typed, offset, size, stride).requires_grad_(bool(requires_grad))


def _rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Any:
    return parameter_class()(data, bool(requires_grad))


def _rebuild_parameter_with_state(data: Any, requires_grad: Any, hooks: Any, state: Any) -> Any:
    parameter = _rebuild_parameter(data, requires_grad, hooks)
    return _with_attributes(parameter, state)


def _with_attributes(tensor: Any, state: Any) -> Any:
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise pickle.UnpicklingError("a tensor's attributes are no dict of names")
    tensor.__dict__.update(state)
    return tensor


class Ignored:
    """A note of PyTorch's compiler on a tensor, of which nothing is kept."""

    def __setstate__(self, state: Any) -> None:
        """What it says is left out."""


def _rebuild_nested_tensor(buffer: Any, sizes: Any, strides: Any, offsets: Any) -> Tensor:
    from .ops.nested.construct import components

    return components(buffer, sizes, strides, offsets)


def _rebuild_njt(parts: Any) -> Tensor:
    from .ops.nested.construct import nested_tensor_from_jagged

    known = {name: len(length) for name, length in parts["_metadata_cache"].items()}
    return nested_tensor_from_jagged(
        parts["values"], parts["offsets"], parts["lengths"], parts["_ragged_idx"], **known
    ).requires_grad_(bool(parts["requires_grad"]))


def _rebuild_from_type_v2(rebuild: Any, kind: Any, args: Any, state: Any) -> Any:
    if rebuild is _rebuild_njt:
        return rebuild(*args)
    if rebuild not in (_rebuild_tensor_v2, _rebuild_tensor_v3, _rebuild_parameter):
        raise pickle.UnpicklingError("a tensor is rebuilt by something else than its own functions")
    tensor = rebuild(*args)
    if kind is not Tensor and type(tensor) is not kind:
        tensor = tensor.as_subclass(kind)
    return _with_attributes(tensor, state)


def _get_layout(name: Any) -> Any:
    if name != "torch.strided":
        raise pickle.UnpicklingError(f"the layout {name} is not available; chalkgrad's tensors are strided")
    return dtypes.strided


def _encode(text: Any, encoding: Any) -> bytes:
    """How bytes are written in old pickles: as text of the same code points."""
    if encoding not in ("latin1", "latin-1"):
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return str.encode(text, "latin1")


def _numpy_dtype(code: Any, align: Any = False, copy: Any = False) -> np.dtype:
    found = np.dtype(str(code), copy=True)
    if found.kind not in "biufcSU" or found.fields:
        raise pickle.UnpicklingError(f"an array of NumPy's type {code!r}")
    return found


def _numpy_array(kind: Any, shape: Any, code: Any) -> np.ndarray:
    return np.empty(0)  # what it holds follows as its state


def _numpy_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError("an array of NumPy's without a simple type")
    return np.frombuffer(data, dtype).reshape(shape, order=order).copy(order="K")


def _numpy_scalar(dtype: np.dtype, data: Any) -> Any:
    if not isinstance(dtype, np.dtype) or dtype.hasobject:
        raise pickle.UnpicklingError("a number of NumPy's without a simple type")
    return np.frombuffer(data, dtype, 1)[0]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor_v2,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": _rebuild_parameter_with_state,
    "torch._utils._rebuild_nested_tensor": _rebuild_nested_tensor,
    "torch.nested._internal.nested_tensor._rebuild_njt": _rebuild_njt,
    "torch._dynamo.decorators._DimRange": Ignored,
    "torch._tensor._rebuild_from_type_v2": _rebuild_from_type_v2,
    "torch.serialization._get_layout": _get_layout,
    "torch.Size": dtypes.Size,
    "torch.device": device,
    "collections.OrderedDict": OrderedDict,
    "collections.Counter": Counter,
    "collections.defaultdict": defaultdict,
    "_codecs.encode": _encode,
    "numpy.dtype": _numpy_dtype,
    **{f"numpy.{core}.multiarray._reconstruct": _numpy_array for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _numpy_buffer for core in ("core", "_core")},
    **{f"numpy.{core}.multiarray.scalar": _numpy_scalar for core in ("core", "_core")},
    **{
        f"{module}.{kind.__name__}": kind
        for module in ("builtins", "__builtin__")
        for kind in (bool, bytearray, bytes, complex, dict, float, frozenset, int, list, set, slice, str, tuple)
    },
}
VALUES: dict[str, Any] = {
    "torch.Tensor": Tensor,
    "torch.nested._internal.nested_tensor.NestedTensor": Tensor,
    "numpy.ndarray": np.ndarray,
    "torch.storage.UntypedStorage": UntypedStorage,
    "torch.UntypedStorage": UntypedStorage,
    **{f"torch.{name}Storage": dtypes.DTYPES[dtype] for dtype, name in NAMES.items()},
    **{f"torch.{name}": dtype for name, dtype in dtypes.DTYPES.items()},
}


def meaning(module: str, name: str) -> Any:
    """What a name in a pickle stands for, if it is one of PyTorch's or of Python's harmless ones; else None."""
    path = f"{module}.{name}"
    if path in ("torch.nn.parameter.Parameter", "nn.parameter.Parameter"):
        return parameter_class()
    if path == "nn.parameter.Buffer":
        return sys.modules[parameter_class().__module__].Buffer
    return FUNCTIONS.get(path, VALUES.get(path))


# --- Safe classes of the user's ------------------------------------------------------------------------------------

_safe: dict[str, Any] = {}


def _path(each: Any) -> tuple[str, Any]:
    if isinstance(each, tuple):
        value, path = each
        return path, value
    return f"{each.__module__}.{each.__qualname__}", each


def add_safe_globals(safe_globals: Iterable[Any]) -> None:
    """Lets `load` make objects of these classes, and call these functions, when a file names them.

    Args:
        safe_globals: classes and functions, or pairs of one and the name ``"module.name"`` that stands in the file.
    """
    _safe.update(_path(each) for each in safe_globals)


def get_safe_globals() -> list[Any]:
    """The classes and functions that were declared safe."""
    return list(_safe.values())


def clear_safe_globals() -> None:
    """Takes all of that back."""
    _safe.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: Iterable[Any]) -> Iterator[None]:
    """`add_safe_globals` for the length of a ``with`` block."""
    before = dict(_safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _safe.clear()
        _safe.update(before)


# --- Reading -------------------------------------------------------------------------------------------------------

PUSHED = {  # instructions that carry a value
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES",
    "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_SET": set, "EMPTY_TUPLE": tuple, "NONE": lambda: None,
    "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
}  # fmt: skip
# What goes wrong while something else is read than what was written.
DAMAGE = (
    AttributeError, IndexError, KeyError, NotImplementedError, OverflowError, TypeError, ValueError, struct.error,
)  # fmt: skip
DICTS = (dict, OrderedDict, Counter, defaultdict)


class SafeReader:
    """Reads a pickle without running code that is not on a list: of a stranger's file nothing else is executed.

    Args:
        file: where the pickle starts.
        persistent_load: gives the storage that an id stands for.
    """

    def __init__(self, file: Any, persistent_load: Callable[[Any], Any]) -> None:
        self.file, self.persistent_load = file, persistent_load
        self.stack: list[Any] = []
        self.marked: list[list[Any]] = []  # the stacks below the marks
        self.memo: dict[int, Any] = {}
        self.outside = False  # an error is not the pickle's
        self.callable = {id(each) for each in FUNCTIONS.values()} | {id(each) for each in _safe.values()}
        self.classes = tuple(each for each in _safe.values() if isinstance(each, type))

    def load(self) -> Any:
        """The object that the pickle describes.

        Raises:
            pickle.UnpicklingError: it names something that is not on the list, or it is damaged.
        """
        from pickletools import genops

        try:
            for opcode, argument, _ in genops(self.file):
                if opcode.name == "STOP":
                    return self.stack.pop()
                self.step(opcode.name, argument)
        except pickle.UnpicklingError:
            raise
        except DAMAGE as error:
            if self.outside:
                raise
            raise pickle.UnpicklingError(f"load: the file is damaged, or no file of tensors: {error!r}") from error
        raise EOFError("load: the file ends before the object is complete")

    def step(self, name: str, argument: Any) -> None:
        """One instruction of the pickle."""
        stack = self.stack
        if name in PUSHED:
            stack.append(argument)
        elif name in EMPTY:
            stack.append(EMPTY[name]())
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            self.memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            self.memo[len(self.memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(self.memo[argument])
        elif name == "MARK":
            self.marked.append(stack)
            self.stack = []
        elif name in ("PROTO", "FRAME"):
            pass
        else:
            handler = getattr(self, f"do_{name.lower()}", None)
            if handler is None:
                raise pickle.UnpicklingError(f"load: the pickle's instruction {name} is not safe; {REMEDY}")
            handler(argument)

    def since_mark(self) -> list[Any]:
        items, self.stack = self.stack, self.marked.pop()
        return items

    def do_pop(self, _: Any) -> None:
        self.stack.pop()

    def do_pop_mark(self, _: Any) -> None:
        self.since_mark()

    def do_dup(self, _: Any) -> None:
        self.stack.append(self.stack[-1])

    def do_tuple(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append(tuple(items))

    def do_tuple1(self, _: Any) -> None:
        self.stack[-1:] = [(self.stack[-1],)]

    def do_tuple2(self, _: Any) -> None:
        self.stack[-2:] = [(self.stack[-2], self.stack[-1])]

    def do_tuple3(self, _: Any) -> None:
        self.stack[-3:] = [(self.stack[-3], self.stack[-2], self.stack[-1])]

    def do_list(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append(items)

    def do_dict(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append(dict(zip(items[::2], items[1::2], strict=True)))

    def do_frozenset(self, _: Any) -> None:
        items = self.since_mark()
        self.stack.append(frozenset(items))

    def do_append(self, _: Any) -> None:
        item = self.stack.pop()
        self.require(list).append(item)

    def do_appends(self, _: Any) -> None:
        items = self.since_mark()
        self.require(list).extend(items)

    def do_additems(self, _: Any) -> None:
        items = self.since_mark()
        self.require(set).update(items)

    def do_setitem(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.require(*DICTS)[key] = value

    def do_setitems(self, _: Any) -> None:
        items = self.since_mark()
        target = self.require(*DICTS)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key] = value

    def require(self, *kinds: type) -> Any:
        target = self.stack[-1]
        if type(target) not in (*kinds, *self.classes):
            raise pickle.UnpicklingError(f"load: the pickle adds items to a {type(target).__name__}; {REMEDY}")
        return target

    def do_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.find(module, name)

    def do_stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.find(module, name)

    def find(self, module: str, name: str) -> None:
        known = _safe.get(f"{module}.{name}")
        if known is None:
            known = meaning(module, name)
        if known is None:
            raise pickle.UnpicklingError(
                f"load: the file asks for {module}.{name}, which is not on the list of safe names. {REMEDY}"
            )
        self.stack.append(known)

    def do_reduce(self, _: Any) -> None:
        args, function = self.stack.pop(), self.stack.pop()
        self.stack.append(self.call(function, args))

    def do_newobj(self, _: Any) -> None:
        args, cls = self.stack.pop(), self.stack.pop()
        if cls in self.classes:
            self.stack.append(cls.__new__(cls, *args))
        else:
            self.stack.append(self.call(cls, args))

    def call(self, function: Any, args: Any) -> Any:
        if id(function) not in self.callable or type(args) is not tuple:
            raise pickle.UnpicklingError(f"load: the pickle calls {function!r}; {REMEDY}")
        return function(*args)

    def do_binpersid(self, _: Any) -> None:
        reference = self.stack.pop()
        self.outside = True
        storage = self.persistent_load(reference)
        self.outside = False
        self.stack.append(storage)

    def do_build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        kind = type(target)
        if kind is Ignored:
            target.__setstate__(state)
        elif kind in DICTS:
            target.__dict__.update(state)
        elif kind is np.ndarray:
            _, shape, dtype, _, data = state
            if not isinstance(dtype, np.dtype) or dtype.hasobject or not isinstance(data, bytes):
                raise pickle.UnpicklingError("load: an array of NumPy's that is not of numbers")
            target.__setstate__((1, shape, dtype, bool(state[3]), data))
        elif isinstance(target, np.dtype):
            if state[1] not in ("<", ">", "|", "=") or any(part is not None for part in state[2:5]):
                raise pickle.UnpicklingError("load: a type of NumPy's that is not simple")
            if state[1] == (">" if sys.byteorder == "little" else "<"):
                self.stack[-1] = target.newbyteorder()
                self.memo.update({place: self.stack[-1] for place, each in self.memo.items() if each is target})
        elif kind in self.classes:
            if hasattr(target, "__setstate__"):
                target.__setstate__(state)
            else:
                target.__dict__.update(state)
        else:
            raise pickle.UnpicklingError(f"load: the pickle sets the state of a {kind.__name__}; {REMEDY}")


REMEDY = (
    "If the file comes from a source that you trust, allow the name with add_safe_globals, or pass weights_only=False, "
    "which runs whatever code the file holds."
)
