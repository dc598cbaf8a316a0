"""Copies: between element types, and of values into memory that exists already."""

from __future__ import annotations

import builtins
import warnings
from typing import Any

import numpy as np

from .. import dtypes
from ..devices import require_cpu
from ..dtypes import cast
from ..graph import is_recording
from ..kernels.contiguous import copied
from ..kernels.halves import FLOATING
from ..rows.dispatch import NUMBERS, apply, as_number
from ..rows.nodes import sum_to
from ..rows.public import function, inplace, publish_writing
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import check_write, write
from ..tensor import Tensor, check_dim, count_write, in_memory_order, node_of, wrap


@coarse(latex=r"x", home="", node_name="ToCopy", keeps_layout=True)
def to(x: Array, dtype):
    return cast(x, dtype.numpy if isinstance(dtype, dtypes.dtype) else dtype)


@to.gradient("x")
def _(g, x_dtype):
    return _.to(g, x_dtype)


@coarse(latex=r"x", node_name="Clone", keeps_layout=True)
def clone(x: Array, memory_format=None):
    """A copy, through which gradients flow; its elements lie in memory as those of ``x``, or as the format says."""
    if memory_format is None or memory_format is dtypes.preserve_format:
        return x.copy(order="K")
    return laid_out(x, memory_format)


@clone.gradient("x")
def _(g):
    return g


def laid_out(array: np.ndarray, memory_format: Any) -> np.ndarray:
    """A copy of an array with its elements in the order of a memory format.

    Raises:
        RuntimeError: the format is for another number of dimensions.
    """
    if memory_format is dtypes.contiguous_format:
        return copied(array)
    ordered = in_memory_order(array, memory_format)
    if ordered is None:
        rank = 4 if memory_format is dtypes.channels_last else 5
        raise RuntimeError(f"required rank {rank} tensor to use {memory_format.name} format, but got {array.ndim}")
    return np.moveaxis(copied(ordered), -1, 1)


@coarse(latex=r"0", home="", keeps_layout=True)
def blank(x: Array):
    return np.zeros_like(x)


@blank.gradient("x")
def _(g):
    return blank(g)


@coarse(latex=r"y", home="", node_name="CopyBackwards", keeps_layout=True)
def copy_into(x: Array, y: Array):
    if y.ndim > x.ndim:
        raise RuntimeError(
            f"output with shape {list(x.shape)} doesn't match the broadcast shape {list(y.shape)} in copy_"
        )
    try:
        spread = np.broadcast_to(y, x.shape)
        return spread if spread.dtype == x.dtype else cast(spread, x.dtype)
    except ValueError:
        raise RuntimeError(
            f"copy_: the source of shape {list(y.shape)} cannot be broadcast to the target's shape {list(x.shape)}"
        ) from None


@copy_into.gradient("x")
def _(g):
    return blank(g)


@copy_into.gradient("y")
def _(g, y_shape, y_dtype):
    return _.to(sum_to(g, y_shape), y_dtype)


@coarse(latex=r"x \text{ with a part replaced}", home="", node_name="torch::autograd::CopySlices", keeps_layout=True)
def view_scatter(x: Array, y: Array, steps):
    from ..tensor import replay

    out = x.copy(order="K")
    part = replay(steps, out)
    if np.may_share_memory(part, out):
        part[...] = y
    else:  # a view by strides exists in the memory of the tensor it was made for alone: its places still tell
        out = np.ascontiguousarray(out)
        out.reshape(-1)[replay(steps, np.arange(out.size).reshape(out.shape))] = y
    return out


@view_scatter.gradient("x")
def _(g, steps):
    from ..tensor import replay

    return view_scatter(g, np.zeros(replay(steps, g).shape), steps)


@view_scatter.gradient("y")
def _(g, steps):
    from ..tensor import replay

    return replay(steps, g)


@inplace("copy_")
def copy_(self: Tensor, other: Tensor, non_blocking: bool = False) -> Tensor:
    """Writes the values of ``other``, a tensor, array or number, broadcast and cast, into this tensor."""
    if isinstance(other, (np.ndarray, complex, *NUMBERS)):
        other = wrap(np.asarray(other))
    return apply(copy_into, (self, check_tensor("copy_", "other", other)), {})


LARGEST = {"float16": 65504.0, "bfloat16": 3.3895313892515355e38, "float32": 3.4028234663852886e38}


def number_array(value: Any, dtype: np.dtype, operator: str) -> np.ndarray:
    """A number as a 0-d array of a type that can hold it; -1 wraps around in an unsigned type.

    Raises:
        RuntimeError: the type cannot hold the number.
        OverflowError: an integer of more than 64 bits.
    """
    if dtype.kind in FLOATING and -65504 <= value.real <= 65504 and value.__class__ is not complex:
        return np.asarray(value, dtype)
    if dtype.kind == "b":
        return np.asarray(bool(value), dtype)
    if isinstance(value, (complex, np.complexfloating)) and dtype.kind != "c":
        fits = value.imag == 0
        value = value.real
    else:
        fits = True
    if dtype.kind in "iu":
        if isinstance(value, int) and not -(2**63) <= value < 2 ** (64 if dtype == np.uint64 else 63):
            raise OverflowError(f"{operator}(): int too big to convert: {value} does not fit into int64")
        limits = np.iinfo(dtype)
        wraps = dtype.kind == "u" and isinstance(value, (int, np.integer))
        if fits and (-limits.max if wraps else limits.min) <= value <= limits.max:
            return as_number(int(value), dtype)
    elif fits:
        parts = (value.real, value.imag) if dtype.kind == "c" else (value,)
        largest = LARGEST.get(dtypes.real_of(dtype).name, np.inf)
        if not any(largest < abs(part) < np.inf for part in parts):
            return np.asarray(value, dtype)
    raise RuntimeError(f"{operator}(): value cannot be converted to type {dtype.name} without overflow: {value}")


def _filling(self: Tensor, value: Any, operator: str) -> Tensor:
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(
                f"{operator} only supports 0-dimension value tensor but got tensor with {value.ndim} dimensions: "
                f"{list(value.shape)}"
            )
    else:
        value = wrap(_number(self, value, operator))
    return apply(copy_into, (self, value), {})


def _number(self: Tensor, value: Any, operator: str) -> np.ndarray:
    if not isinstance(value, (*NUMBERS, complex)):
        raise TypeError(f"{operator}(): argument 'value' must be a number, not {value.__class__.__name__}")
    return number_array(value, self._array.dtype, operator)


def _overwrite(self: Tensor, value: Any, operator: str) -> Tensor:
    """One number in every element: straight into the memory where nothing is recorded."""
    if records(self, value):
        return write(self, _filling(self, value, operator), operator)
    if value.__class__ is not int or value:
        value = _filling(self, value, operator)._array if isinstance(value, Tensor) else _number(self, value, operator)
    check_write(self, operator, False)
    self._array[...] = value
    count_write(self)
    return self


def fill_(self: Tensor, value: Any) -> Tensor:
    """Writes ``value``, a number or a 0-d tensor, into every element.

    >>> import autograd
    >>> autograd.ones(2).fill_(3)
    tensor([3., 3.])
    """
    return _overwrite(self, value, "fill_")


@function(method=False)
def fill(input: Tensor, value: Any) -> Tensor:
    """A tensor of ``input``'s shape and dtype in which every element is ``value``, a number or a 0-d tensor.

    >>> import autograd
    >>> autograd.fill(autograd.ones(2), 3)
    tensor([3., 3.])
    """
    return clone_of(check_tensor("fill", "input", input)).fill_(value)


def zero_(self: Tensor) -> Tensor:
    """Writes 0 into every element."""
    return _overwrite(self, 0, "zero_")


for _written in (fill_, zero_):
    setattr(Tensor, _written.__name__, _written)
    publish_writing(_written)


# The arguments of `to` by position, by what the first one is.
TO: dict[str, tuple[str, ...]] = {
    "dtype": ("dtype", "non_blocking", "copy"),
    "other": ("other", "non_blocking", "copy"),
    "device": ("device", "dtype", "non_blocking", "copy"),
}


def _to_arguments(args: tuple[Any, ...], given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of `to` by name: which they are is seen from the first."""
    if args:
        first = args[0]
        kind = "other" if isinstance(first, Tensor) else "dtype" if _is_dtype(first) else "device"
        names = TO[kind]
        if len(args) > len(names) or given.keys() & set(names[: len(args)]):
            raise TypeError(f"to() received an invalid combination of arguments: {', '.join(map(repr, args))}")
        given = {**dict(zip(names, args, strict=False)), **given}
    if unknown := given.keys() - {"dtype", "device", "other", "non_blocking", "copy", "memory_format"}:
        raise TypeError(f"to() got an unexpected keyword argument '{unknown.pop()}'")
    for name in ("non_blocking", "copy"):
        if not isinstance(given.get(name, False), (bool, np.bool_)):
            raise TypeError(f"to(): argument '{name}' must be bool, not {given[name].__class__.__name__}")
    if given.get("dtype") is not None and not _is_dtype(given["dtype"]):
        raise TypeError(f"to(): argument 'dtype' must be torch.dtype, not {given['dtype'].__class__.__name__}")
    require_cpu(given.get("device"), "to")
    return given


def _is_dtype(value: Any) -> bool:
    return isinstance(value, dtypes.dtype) or value in (float, int, bool, complex)


@function(torch=False, method=True)
def to(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    """This tensor in another dtype, named directly or by another tensor; itself when nothing changes.

    ``to(dtype)``, ``to(device, dtype)`` and ``to(other)``, each with ``non_blocking`` (which changes nothing),
    ``copy=True`` for a copy in any case, and ``memory_format``.

    Raises:
        AssertionError: a CUDA device.
        RuntimeError: another device than the CPU.
        TypeError: anything else that is neither a dtype, a device nor a tensor.

    >>> import autograd
    >>> autograd.tensor([1.5]).to(autograd.int64)
    tensor([1])
    """
    target: Any
    if len(args) == 1 and not kwargs and args[0].__class__ is dtypes.dtype:
        target, copy, memory_format = args[0], False, None
    else:
        given = _to_arguments(args, kwargs)
        target, other = given.get("dtype"), given.get("other")
        target = other.dtype if other is not None else target
        copy, memory_format = given.get("copy", False), given.get("memory_format")
    numpy = self._array.dtype if target is None else dtypes.to_numpy_dtype(target)
    if self._array.dtype.kind == "c" and numpy.kind not in "cb":
        warnings.warn(
            "Casting complex values to real discards the imaginary part; take .real", UserWarning, stacklevel=3
        )
    result = self if numpy == self._array.dtype else apply(TABLE["to"], (self, dtypes.from_numpy_dtype(numpy)), {})
    if memory_format is not None and memory_format is not dtypes.preserve_format:
        result = contiguous(result, memory_format)
    return clone_of(self) if copy and result is self else result


def clone_of(tensor: Tensor, memory_format: Any = None) -> Tensor:
    """A copy through which gradients flow."""
    return apply(TABLE["clone"], (tensor, memory_format), {})


@function(torch=False, method=True)
def type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of its type, such as ``torch.FloatTensor``; with ``dtype``, the tensor converted to it.

    Args:
        dtype: a dtype, one of the old tensor types, or the name of one.

    Raises:
        ValueError: there is no type of that name.
        RuntimeError: the type of tensors on a GPU.
    """
    from ..legacy import tensortype, type_named

    if dtype is None:
        return f"torch.{dtypes.SCALAR_NAMES[self.dtype.name]}Tensor"
    if isinstance(dtype, dtypes.dtype):
        return to(self, dtype)
    kind: Any = dtype
    if not isinstance(kind, tensortype):
        if not isinstance(kind, (str, builtins.type)):
            raise TypeError(f"type(): dtype must be a type, str, or dtype object, not {kind.__class__.__name__}")
        if isinstance(kind, builtins.type):
            kind = "torch.Tensor" if kind is Tensor else kind.__name__
        kind = type_named(kind)
    if kind.is_cuda:
        raise RuntimeError(f"type(): {kind} is not available: chalkgrad computes on the CPU; use a type of torch")
    return to(self, kind.dtype)


def _conversion(name: str, dtype: dtypes.dtype) -> None:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return self.to(dtype) if memory_format is None else self.to(dtype, memory_format=memory_format)

    convert.__name__ = name
    convert.__doc__ = f"This tensor as {dtype}."
    setattr(Tensor, name, convert)


for _name, _dtype in (
    *dtypes.ALIASES.items(), ("bool", dtypes.bool), ("byte", dtypes.uint8), ("char", dtypes.int8),
    ("bfloat16", dtypes.bfloat16),
):  # fmt: skip
    _conversion(_name, _dtype)


@function(torch=False, method=True)
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself: tensors live on the CPU."""
    return self if memory_format is None else to(self, memory_format=memory_format)


@function(torch=False, method=True)
def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: bool | None = None) -> Tensor:
    """Itself, in another dtype if one is given: tensors are dense."""
    return self if dtype is None else to(self, dtype)


@function(torch=False, method=True)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in ``other``'s dtype."""
    return to(self, check_tensor("type_as", "other", other).dtype)


@function(torch=False, method=True)
def contiguous(self: Tensor, memory_format: Any = dtypes.contiguous_format) -> Tensor:
    """Itself when its elements lie in order in memory, else a copy that does.

    Args:
        memory_format: ``channels_last`` (4-D) and ``channels_last_3d`` (5-D) for elements in the order
            ``(N, H, W, C)``; the shape stays.

    Raises:
        RuntimeError: the format is for another number of dimensions.
    """
    ordered = self._array if memory_format is dtypes.contiguous_format else in_memory_order(self._array, memory_format)
    if ordered is not None and ordered.flags.c_contiguous:
        return self
    if memory_format is dtypes.preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator; leave it out")
    return clone_of(self, memory_format)


@function(method=False)
def detach(input: Tensor) -> Tensor:
    """The numbers of ``input`` in the same memory, outside the graph."""
    return check_tensor("detach", "input", input).detach()


@function()
def detach_(self: Tensor) -> Tensor:
    """Takes this tensor out of the graph; a leaf afterwards, requiring no grad."""
    if self._view is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self._node = None
    return self


def set_element(target: Tensor, array: np.ndarray, index: Any, value: Any, operator: str) -> None:
    """``array[index] = value`` on the memory of ``target``, when nothing has to be recorded."""
    check_write(target, operator, False, array)
    array[index] = value
    count_write(target)


def records(*tensors: Any) -> bool:
    """Whether an operator on these would be recorded."""
    return is_recording() and any(isinstance(t, Tensor) and node_of(t) is not None for t in tensors)


def check_tensor(operator: str, name: str, value: Any) -> Tensor:
    """``value`` if it is a Tensor, else PyTorch's TypeError."""
    if not isinstance(value, Tensor):
        raise TypeError(f"{operator}(): argument '{name}' must be Tensor, not {value.__class__.__name__}")
    return value


__all__ = [
    "blank",
    "check_dim",
    "check_tensor",
    "clone",
    "copy_into",
    "records",
    "set_element",
    "to",
    "view_scatter",
    "write",
]
