"""New tensors: from data, filled, in sequence."""

from __future__ import annotations

import builtins
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import default_dtype, to_numpy_dtype
from ..graph import state
from ..kernels.layout import is_spread
from ..tensor import INFERENCE, Tensor, array_from, check_differentiable, wrap
from .public import function
from .writes import write_out


def _finish(array: np.ndarray, requires_grad: bool, device: Any = None, out: Tensor | None = None) -> Tensor:
    if device is not None:
        dtypes.device(device)
    if out is not None:
        return write_out(out, wrap(array), "out")
    result = wrap(array)
    if state.inference:
        result._counter = INFERENCE
    if requires_grad:
        result.requires_grad_()
    return result


def _dtype(dtype: Any, default: np.dtype) -> np.dtype:
    return default if dtype is None else to_numpy_dtype(dtype)


def _shape(operator: str, size: Sequence[Any]) -> tuple[int, ...]:
    if len(size) == 1 and isinstance(size[0], (list, tuple)):
        size = size[0]
    shape = []
    for n in size:
        if isinstance(n, (Tensor, np.integer)):
            n = int(n)
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(f"{operator}(): argument 'size' must be tuple of ints, but found {type(n).__name__}")
        if n < 0:
            raise RuntimeError(f"{operator}: trying to create tensor with negative dimension {n}: {list(size)}")
        shape.append(n)
    return tuple(shape)


@function(method=False)
def tensor(
    data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, pin_memory: bool = False
) -> Tensor:
    """A new leaf tensor holding a copy of ``data``: a number, nested sequences, an ndarray or a tensor.

    Python floats become the default dtype (float32), ints int64, bools bool.

    Raises:
        ValueError: sequences of different lengths at one depth.
        TypeError: something that is not a number.
        RuntimeError: ``requires_grad`` for an integer type.

    >>> import autograd
    >>> autograd.tensor([[1.0, 2.0], [3.0, 4.0]])
    tensor([[1., 2.],
            [3., 4.]])
    """
    if isinstance(data, Tensor):
        warnings.warn(
            "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
            "sourceTensor.detach().clone().requires_grad_(True), rather than tensor(sourceTensor).",
            UserWarning,
            stacklevel=2,
        )
    wanted = _dtype(dtype, None)  # type: ignore[arg-type]
    array = array_from(data, wanted)
    if requires_grad:
        check_differentiable(array.dtype)
    return _finish(array, requires_grad, device)


@function(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of ``data`` that shares its memory where it can: a tensor or ndarray of the same dtype."""
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return tensor(data, dtype=dtype, device=device)


asarray = function(method=False, aliases=("asarray",))(as_tensor)


@function(method=False)
def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the memory of ``ndarray``: a write to either is seen in both.

    Raises:
        TypeError: not an ndarray, or of a type that tensors do not have.
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.from_numpy_dtype(ndarray.dtype)
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and writing to the tensor will be refused. Copy the array first if "
            "you want to write to it.",
            UserWarning,
            stacklevel=2,
        )
    if any(step % max(ndarray.itemsize, 1) for step in ndarray.strides):
        raise ValueError("given numpy array strides not a multiple of the element byte size; copy() it first")
    return wrap(ndarray if ndarray.dtype.isnative else ndarray.astype(ndarray.dtype.newbyteorder("=")))


@function(method=False)
def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares the memory of any object that exports DLPack."""
    if isinstance(ext_tensor, Tensor):
        return ext_tensor.detach()
    return wrap(np.from_dlpack(ext_tensor))


def _filled(name: str, value: Any) -> None:
    def create(
        *sizes: Any,
        size: Any = None,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        shape, kind = _shape(name, sizes if size is None else (size,)), _dtype(dtype, default_dtype.numpy)
        array = np.empty(shape, kind) if value is None else np.full(shape, value, kind)
        return _finish(array, requires_grad, device, out)

    create.__name__ = name
    what = "uninitialized memory" if value is None else f"{value}s"
    create.__doc__ = f"A tensor of the given size, given as ints or a tuple, holding {what}."
    function(method=False)(create)

    def like(
        input: Tensor,
        *,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        if not isinstance(input, Tensor):
            raise TypeError(f"{name}_like(): argument 'input' must be Tensor, not {type(input).__name__}")
        kind = _dtype(dtype, input._array.dtype)
        like_order = np.empty_like(input._array, kind, order="C" if is_spread(input._array) else "K")
        array = like_order if value is None else np.full_like(like_order, value)
        return _finish(array, requires_grad, device)

    like.__name__ = f"{name}_like"
    like.__doc__ = f"A tensor of ``input``'s shape and dtype, holding {what}."
    function(method=False)(like)

    def new(
        self: Tensor, *size: Any, dtype: Any = None, device: Any = None, requires_grad: bool = False, **_: Any
    ) -> Tensor:
        return create(*size, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)

    new.__name__ = f"new_{name}"
    new.__doc__ = f"A tensor of the given size and this tensor's dtype, holding {what}."
    function(torch=False, method=True)(new)


for _name, _value in (("zeros", 0), ("ones", 1), ("empty", None)):
    _filled(_name, _value)


@function(method=False)
def full(
    size: Any,
    fill_value: Any,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A tensor of the given size in which every element is ``fill_value``, whose type decides the dtype."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    if isinstance(size, int):
        size = (size,)
    kind = _dtype(dtype, dtypes.number_dtype(fill_value))
    return _finish(np.full(_shape("full", (tuple(size),)), fill_value, kind), requires_grad, device, out)


@function(method=False)
def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
) -> Tensor:
    """A tensor of ``input``'s shape and dtype in which every element is ``fill_value``."""
    if isinstance(fill_value, Tensor):
        fill_value = fill_value.item()
    return _finish(np.full_like(input._array, fill_value, _dtype(dtype, input._array.dtype)), requires_grad, device)


@function(torch=False, method=True)
def new_full(
    self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of the given size and this tensor's dtype in which every element is ``fill_value``."""
    return full(size, fill_value, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


@function(torch=False, method=True)
def new_tensor(
    self: Tensor, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A copy of ``data`` in this tensor's dtype."""
    return tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def _number(value: Any) -> Any:
    return value.item() if isinstance(value, Tensor) else value


@function(method=False)
def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``start, start + step, ...`` below ``end``; int64 when all three are integers, else the default dtype.

    Raises:
        RuntimeError: a step of 0, or one that leads away from ``end``.
    """
    if end is None:
        start, end = 0, start
    start, end, step = _number(start), _number(end), _number(step)
    if step == 0:
        raise RuntimeError("arange: step must be nonzero")
    if (end - start) * step < 0:
        raise RuntimeError(f"arange: upper bound and lower bound inconsistent with step sign: {start}, {end}, {step}")
    whole = all(isinstance(value, (int, np.integer)) for value in (start, end, step))
    kind = _dtype(dtype, dtypes.int64.numpy if whole else default_dtype.numpy)
    if whole:
        array = np.arange(start, end, step).astype(kind)
    else:
        count = max(0, math.ceil((end - start) / step))
        array = (start + np.arange(count) * float(step)).astype(kind)
    return _finish(array, requires_grad, device, out)


@function(method=False)
def range(start: Any, end: Any, step: Any = 1, **options: Any) -> Tensor:
    """``start, start + step, ...`` up to ``end`` inclusive, in the default dtype (PyTorch's legacy form)."""
    count = math.floor((end - start) / step) + 1
    array = (start + np.arange(count) * float(step)).astype(_dtype(options.get("dtype"), default_dtype.numpy))
    return _finish(array, options.get("requires_grad", False), options.get("device"))


def _spaced(start: float, end: float, steps: int, kind: np.dtype) -> np.ndarray:
    if steps < 0:
        raise RuntimeError(f"number of steps must be non-negative, but got {steps}")
    if steps == 1:
        return np.full(1, start, kind)
    work = np.dtype(np.float64) if kind.kind != "f" else kind
    step = work.type((end - start) / max(steps - 1, 1))
    ahead = np.arange(steps)
    # Both halves count from their own end, so that the last element is exactly `end`.
    low = work.type(start) + step * ahead.astype(work)
    high = work.type(end) - step * (steps - 1 - ahead).astype(work)
    return np.where(ahead < steps // 2, low, high).astype(kind)


@function(method=False)
def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included.

    >>> import autograd
    >>> autograd.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    array = _spaced(_number(start), _number(end), steps, _dtype(dtype, default_dtype.numpy))
    return _finish(array, requires_grad, device, out)


@function(method=False)
def logspace(
    start: Any,
    end: Any,
    steps: int,
    base: float = 10.0,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """``base`` to evenly spaced powers from ``start`` to ``end``."""
    kind = _dtype(dtype, default_dtype.numpy)
    exponents = _spaced(_number(start), _number(end), steps, np.dtype(np.float64))
    return _finish((float(base) ** exponents).astype(kind), requires_grad, device, out)


@function(method=False)
def eye(
    n: int,
    m: int | None = None,
    *,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """The identity matrix of ``n`` rows and ``m`` columns (``n`` by default)."""
    if n < 0 or (m is not None and m < 0):
        raise RuntimeError(f"eye: sizes must be non-negative, but got {n} and {m}")
    return _finish(np.eye(n, m, dtype=_dtype(dtype, default_dtype.numpy)), requires_grad, device, out)


@function(method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Grids of coordinates from 1-D tensors: output ``k`` varies along dimension ``k`` of the grid.

    With ``indexing="xy"`` the first two dimensions change places: the first tensor varies along dimension 1.
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if indexing not in ("ij", "xy"):
        raise RuntimeError(f'meshgrid: indexing must be one of "xy" or "ij", but received: {indexing}')
    swap = indexing == "xy" and len(tensors) > 1
    order = [1, 0, *builtins.range(2, len(tensors))] if swap else list(builtins.range(len(tensors)))
    sizes = [tensors[i].numel() for i in order]
    grids: list[Any] = [None] * len(tensors)
    for position, i in enumerate(order):
        shape = [1] * len(tensors)
        shape[position] = sizes[position]
        grids[i] = tensors[i].reshape(shape).expand(sizes)
    return tuple(grids)


@function(method=False)
def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor."""
    return isinstance(obj, Tensor)


@function(method=False)
def numel(input: Tensor) -> int:
    """Number of elements."""
    return input.numel()


@function(method=False)
def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype is float16, float32 or float64."""
    return input.is_floating_point()


__all__ = [
    "arange",
    "as_tensor",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "is_floating_point",
    "is_tensor",
    "linspace",
    "logspace",
    "meshgrid",
    "new_full",
    "new_tensor",
    "numel",
    "range",
    "tensor",
]
