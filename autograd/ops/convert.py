"""Copies: between element types, and of values into memory that exists already."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..devices import require_cpu
from ..dtypes import cast, default_dtype
from ..graph import state
from ..tensor import Tensor, check_dim, count_write, node_of, wrap
from .dispatch import NUMBERS, apply
from .nodes import sum_to
from .public import function, inplace
from .table import TABLE, Array, _, coarse
from .writes import check_write, write


@coarse(latex=r"x", home="", node_name="ToCopy", keeps_layout=True)
def to(x: Array, dtype):
    return cast(x, dtype.numpy if isinstance(dtype, dtypes.dtype) else dtype)


@to.gradient("x")
def _(g, x_dtype):
    return _.to(g, x_dtype)


@coarse(latex=r"x", node_name="Clone", keeps_layout=True)
def clone(x: Array, memory_format=None):
    """A copy, through which gradients flow."""
    return x.copy(order="K")


@clone.gradient("x")
def _(g):
    return g


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


@coarse(latex=r"x \text{ with a part replaced}", home="", node_name="CopySlices")
def view_scatter(x: Array, y: Array, steps):
    from ..tensor import replay

    out = x.copy()
    replay(steps, out)[...] = y
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
def copy_(self: Tensor, src: Tensor, non_blocking: bool = False) -> Tensor:
    """Writes the values of ``src``, broadcast and cast, into this tensor."""
    if isinstance(src, (np.ndarray, *NUMBERS)):
        src = wrap(np.asarray(src))
    return apply(copy_into, (self, src), {})


@inplace("fill_")
def fill_(self: Tensor, value: Any) -> Tensor:
    """Writes ``value``, a number or a 0-d tensor, into every element."""
    if isinstance(value, Tensor):
        if value._array.ndim:
            raise RuntimeError(f"fill_ only supports a 0-dimension value tensor, but got shape {list(value.shape)}")
    elif not isinstance(value, NUMBERS):
        raise TypeError(f"fill_(): argument 'value' must be a number, not {type(value).__name__}")
    else:
        value = wrap(np.asarray(value, self._array.dtype))
    return apply(copy_into, (self, value), {})


@inplace("zero_")
def zero_(self: Tensor) -> Tensor:
    """Writes 0 into every element."""
    return apply(copy_into, (self, wrap(np.zeros((), self._array.dtype))), {})


def _target_dtype(args: tuple[Any, ...], kwargs: dict[str, Any]) -> dtypes.dtype | None:
    dtype = kwargs.get("dtype")
    if kwargs.get("device") is not None:
        require_cpu(kwargs["device"], "to")
    for argument in args:
        if isinstance(argument, Tensor):
            dtype = argument.dtype
        elif isinstance(argument, dtypes.dtype) or argument in (float, int, bool, complex):
            dtype = argument
        elif isinstance(argument, (str, dtypes.device)):
            require_cpu(argument, "to")
        elif argument is not None and not isinstance(argument, bool):
            raise TypeError(f"to() received an invalid argument: {argument!r}")
    return None if dtype is None else dtypes.from_numpy_dtype(dtypes.to_numpy_dtype(dtype))


@function(torch=False, method=True)
def to(
    self: Tensor,
    *args: Any,
    dtype: Any = None,
    device: Any = None,
    copy: bool = False,
    non_blocking: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """This tensor in another dtype, named directly or by another tensor; itself when nothing changes.

    Raises:
        RuntimeError: a device other than the CPU.
    """
    target = _target_dtype(args, {"dtype": dtype, "device": device})
    if target is None or target is self.dtype:
        return self.clone() if copy else self
    return apply(TABLE["to"], (self, target), {})


@function(torch=False, method=True)
def type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of its type, such as ``torch.FloatTensor``; with ``dtype``, the tensor converted to it."""
    if dtype is None:
        return f"torch.{_LEGACY[self.dtype.name]}Tensor"
    if isinstance(dtype, str):
        name = dtype.removeprefix("torch.").removesuffix("Tensor")
        matches = [d for d, legacy in _LEGACY.items() if legacy == name]
        if not matches:
            raise ValueError(f"invalid type: {dtype!r}")
        dtype = dtypes.DTYPES[matches[0]]
    return to(self, dtype)


_LEGACY = {
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "uint8": "Byte",
    "bool": "Bool",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}


def _conversion(name: str, dtype: dtypes.dtype) -> None:
    def convert(self: Tensor, memory_format: Any = None) -> Tensor:
        return to(self, dtype)

    convert.__name__ = name
    convert.__doc__ = f"This tensor as {dtype}."
    setattr(Tensor, name, convert)


for _name, _dtype in [*dtypes.ALIASES.items(), ("bool", dtypes.bool), ("byte", dtypes.uint8), ("char", dtypes.int8)]:
    _conversion(_name, _dtype)


@function(torch=False, method=True)
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself: tensors live on the CPU."""
    return self


@function(torch=False, method=True)
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """This tensor in ``other``'s dtype."""
    return to(self, other.dtype)


@function(torch=False, method=True)
def contiguous(self: Tensor, memory_format: Any = None) -> Tensor:
    """Itself when its elements lie in order in memory, else a copy that does."""
    return self if self._array.flags.c_contiguous else apply(_contiguous_copy, (self,), {})


@coarse(latex=r"x", home="", node_name="Clone")
def _contiguous_copy(x: Array):
    return np.ascontiguousarray(x)


@_contiguous_copy.gradient("x")
def _(g):
    return g


@function(torch=False, method=True)
def detach_(self: Tensor) -> Tensor:
    """Takes this tensor out of the graph; a leaf afterwards, requiring no grad."""
    if self._view is not None:
        raise RuntimeError("Can't detach views in-place. Use detach() instead.")
    self._node = None
    return self


def set_element(target: Tensor, array: np.ndarray, index: Any, value: Any) -> None:
    """``array[index] = value`` on the memory of ``target``, when nothing has to be recorded."""
    check_write(target, "index_put_", False, array)
    array[index] = value
    count_write(target)


def records(*tensors: Any) -> bool:
    """Whether an operator on these would be recorded."""
    return state.grad and any(isinstance(t, Tensor) and node_of(t) is not None for t in tensors)


def default_float() -> np.dtype:
    """NumPy's form of the default dtype."""
    return default_dtype.numpy


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
