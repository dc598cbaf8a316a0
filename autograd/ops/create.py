"""New tensors: from data, filled, in sequence.

Every function that makes a tensor takes PyTorch's options by keyword: ``dtype``, ``layout`` (strided), ``device`` (the
CPU), ``requires_grad``, ``pin_memory`` (False: there is no accelerator) and, where it has one, ``out``.
"""

from __future__ import annotations

import builtins
import functools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..devices import require_cpu
from ..dtypes import default_dtype, to_numpy_dtype
from ..from_data import array_from
from ..graph import state
from ..kernels.halves import is_half
from ..kernels.layout import is_spread
from ..kernels.memory import empty as new_array
from ..rows.dispatch import as_number
from ..rows.public import function
from ..rows.writes import type_name, write_out
from ..tensor import INFERENCE, Tensor, check_differentiable, in_memory_order, wrap
from .convert import check_tensor, laid_out, number_array


def _finish(array: np.ndarray, requires_grad: bool, device: Any = None, out: Tensor | None = None) -> Tensor:
    if device is not None:
        require_cpu(device)
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
    """The shape that ``f(2, 3)``, ``f((2, 3))`` and ``f(size=(2, 3))`` ask for.

    Raises:
        TypeError: no sizes at all, or one that is no integer.
        RuntimeError: a negative size.
    """
    if len(size) == 1 and isinstance(size[0], (list, tuple)):
        size = size[0]
    elif not size:
        raise TypeError(f'{operator}() missing 1 required positional arguments: "size"')
    shape = []
    for n in size:
        if n.__class__ is not int:
            if isinstance(n, (bool, np.bool_)) or not (
                isinstance(n, (int, np.integer)) or (isinstance(n, Tensor) and n._array.ndim == 0)
            ):
                raise TypeError(f"{operator}(): argument 'size' must be tuple of ints, but found {type(n).__name__}")
            n = n.__index__()
        if n > 2**63 - 1:
            raise TypeError(f"{operator}(): argument 'size' must fit into int64, but found {n}")
        if n < 0:
            raise RuntimeError(f"{operator}: trying to create tensor with negative dimension {n}: {list(size)}")
        shape.append(n)
    return tuple(shape)


def _only_shape(operator: str, size: Any) -> tuple[int, ...]:
    """The shape of a function that takes it as one tuple."""
    if not isinstance(size, (list, tuple)):
        raise TypeError(f"{operator}(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    return _shape(operator, (size,))


def check_options(operator: str, layout: Any, pin_memory: Any, requires_grad: Any) -> None:
    """Raises unless the options of a new tensor are such as can be had here."""
    if layout is not None and layout is not dtypes.strided:
        if not isinstance(layout, dtypes.layout):
            raise TypeError(f"{operator}(): argument 'layout' must be torch.layout, not {type(layout).__name__}")
        raise NotImplementedError(f"{operator}(): layout {layout} is not available; chalkgrad's tensors are strided")
    if pin_memory:
        raise RuntimeError(f"{operator}(): pin_memory=True requires an accelerator, and there is none; leave it out")
    if requires_grad is not None and requires_grad is not False and not isinstance(requires_grad, (bool, np.bool_)):
        raise TypeError(f"{operator}(): argument 'requires_grad' must be bool, not {type(requires_grad).__name__}")


def creation(
    *, method: bool = False, has_out: bool = False, aliases: Sequence[str] = ()
) -> Callable[[Callable[..., np.ndarray]], Callable[..., Tensor]]:
    """Decorator: a function that returns a new array, of a ``dtype`` it is given, becomes one that makes a tensor.

    Args:
        method: a method of Tensor, instead of a function.
        has_out: takes ``out=``, whose dtype is then the default one.
        aliases: other names.
    """

    def register(written: Callable[..., np.ndarray]) -> Callable[..., Tensor]:
        name = written.__name__

        @functools.wraps(written)
        def create(
            *args: Any,
            out: Tensor | None = None,
            layout: Any = None,
            device: Any = None,
            pin_memory: bool = False,
            requires_grad: bool = False,
            **kwargs: Any,
        ) -> Tensor:
            if layout is not None or pin_memory is not False or requires_grad is not False:
                check_options(name, layout, pin_memory, requires_grad)
            require_cpu(device, name)
            if out is not None:
                if not has_out:
                    raise TypeError(f"{name}() got an unexpected keyword argument 'out'")
                given = kwargs.get("dtype")
                if given is not None and to_numpy_dtype(given) != check_tensor(name, "out", out)._array.dtype:
                    raise RuntimeError(f"{name}(): dtype {given} does not match dtype of out parameter ({out.dtype})")
                kwargs["dtype"] = check_tensor(name, "out", out).dtype
            array = written(*args, **kwargs)
            if requires_grad:
                check_differentiable(array.dtype)
            return _finish(array, requires_grad, None, out)

        function(torch=not method, method=method, aliases=aliases)(create)
        return create

    return register


# --- From data -----------------------------------------------------------------------------------------------------


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
    return _tensor(data, dtype, device, requires_grad, pin_memory)


def _tensor(data: Any, dtype: Any, device: Any, requires_grad: bool, pin_memory: bool = False) -> Tensor:
    check_options("tensor", None, pin_memory, requires_grad)
    require_cpu(device, "tensor")
    data = getattr(data, "_items", data)  # of a storage
    array = array_from(data, None if dtype is None else to_numpy_dtype(dtype))
    if requires_grad:
        check_differentiable(array.dtype)
    return _finish(array, requires_grad)


@function(torch=False, method=True)
def new_tensor(
    self: Tensor,
    data: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """A copy of ``data`` in this tensor's dtype.

    >>> import autograd
    >>> autograd.ones(2, dtype=autograd.float64).new_tensor([1, 2])
    tensor([1., 2.], dtype=torch.float64)
    """
    return _tensor(data, dtype or self.dtype, device, requires_grad)


@function(method=False)
def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor of ``data`` that shares its memory where it can: a tensor or ndarray of the same dtype.

    >>> import autograd, numpy
    >>> autograd.as_tensor(numpy.array([1, 2]))
    tensor([1, 2])
    """
    if isinstance(data, Tensor):
        require_cpu(device, "as_tensor")
        return data if dtype is None else data.to(dtype)
    if isinstance(data, np.ndarray):
        require_cpu(device, "as_tensor")
        shared = from_numpy(data)
        return shared if dtype is None else shared.to(dtype)
    return _tensor(data, dtype, device, False)


@function(method=False)
def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool = False
) -> Tensor:
    """A tensor of ``obj``: a tensor, ndarray, DLPack capsule, buffer, number or sequence.

    Args:
        dtype: of the result; that of ``obj`` by default.
        copy: True for memory of its own, False for the memory of ``obj``, None to share where that is possible.
        requires_grad: whether operators on the result are recorded.

    Raises:
        ValueError: ``copy=False``, but the memory cannot be shared.

    >>> import autograd
    >>> autograd.asarray([1.0, 2.0], requires_grad=True)
    tensor([1., 2.], requires_grad=True)
    """
    require_cpu(device, "asarray")
    wanted = None if dtype is None else to_numpy_dtype(dtype)
    shared: Tensor | None = None
    if isinstance(obj, Tensor):
        shared = obj
    elif isinstance(obj, np.ndarray):
        shared = from_numpy(obj)
    elif not isinstance(obj, (np.generic, str)) and hasattr(obj, "__dlpack__"):
        shared = from_dlpack(obj)
    elif isinstance(obj, (bytes, bytearray, memoryview)):
        from .construct import frombuffer

        shared = frombuffer(obj, dtype=dtype or dtypes.get_default_dtype())
    if shared is None:
        if copy is False:
            raise ValueError("asarray: can't alias an arbitrary sequence into a tensor; leave copy out")
        return _tensor(obj, dtype, device, requires_grad)
    if wanted is not None and shared._array.dtype != wanted:
        if copy is False:
            raise ValueError(
                f"asarray: can't alias a tensor with dtype {type_name(shared._array.dtype)} into dtype "
                f"{type_name(wanted)}; leave copy out"
            )
        shared = shared.to(dtypes.from_numpy_dtype(wanted))
    elif copy:
        shared = shared.clone()
    return shared.requires_grad_() if requires_grad else shared


@function(method=False)
def from_numpy(ndarray: np.ndarray) -> Tensor:
    """A tensor that shares the memory of ``ndarray``: a write to either is seen in both.

    Raises:
        TypeError: not an ndarray, or of a type that tensors do not have.
        ValueError: strides that are no multiple of the element's size, or the byte order of other machines.

    >>> import autograd
    >>> import numpy as np
    >>> array = np.zeros(2)
    >>> x = autograd.from_numpy(array)
    >>> array[0] = 5  # they share memory
    >>> x
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(ndarray).__name__})")
    dtypes.check_numpy_dtype(ndarray.dtype)
    if not ndarray.flags.writeable:
        warnings.warn(
            "The given NumPy array is not writable, and writing to the tensor will be refused. Copy the array first if "
            "you want to write to it.",
            UserWarning,
            stacklevel=2,
        )
    if any(step % max(ndarray.itemsize, 1) for step in ndarray.strides):
        raise ValueError("given numpy array strides not a multiple of the element byte size; copy() it first")
    if not ndarray.dtype.isnative:
        raise ValueError(
            f"from_numpy: the array's byte order ({ndarray.dtype}) is not this machine's, so that its memory cannot be "
            "shared; convert it with autograd.tensor"
        )
    return wrap(dtypes.known(ndarray))


@function(method=False)
def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor that shares the memory of any object that exports DLPack, or of a capsule from `to_dlpack`.

    >>> import autograd, numpy
    >>> autograd.from_dlpack(numpy.ones(2))
    tensor([1., 1.], dtype=torch.float64)
    """
    require_cpu(device, "from_dlpack")
    if isinstance(ext_tensor, Tensor):
        shared = ext_tensor.detach()
    elif hasattr(ext_tensor, "__dlpack__"):
        shared = wrap(dtypes.known(np.from_dlpack(ext_tensor)))
    else:
        shared = wrap(np.asarray(_Capsule(ext_tensor)))
    return shared.clone() if copy else shared


class _Capsule:
    """A bare DLPack capsule, in the form that NumPy takes; what has no flag for it may be written to."""

    def __init__(self, capsule: Any) -> None:
        self.capsule = capsule
        self.array = np.from_dlpack(self)
        facts = self.array.__array_interface__
        self.__array_interface__ = {**facts, "data": (facts["data"][0], False)}

    def __dlpack__(self, **_: Any) -> Any:
        return self.capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0  # the CPU


@function(method=False)
def to_dlpack(tensor: Tensor) -> Any:
    """A DLPack capsule of the tensor's memory, for one reader."""
    return check_tensor("to_dlpack", "tensor", tensor).__dlpack__()


# --- Filled --------------------------------------------------------------------------------------------------------


def _empty(shape: tuple[int, ...], kind: np.dtype, memory_format: Any) -> np.ndarray:
    """Memory in a format; `preserve_format` is for functions that have something to preserve."""
    if memory_format is None or memory_format is dtypes.contiguous_format:
        return new_array(shape, kind)
    if memory_format is dtypes.preserve_format:
        raise RuntimeError("empty: unsupported memory format Preserve; pass contiguous_format or channels_last")
    return laid_out(np.empty(shape, kind), memory_format)


def _empty_like(input: Any, dtype: Any, memory_format: Any, operator: str) -> np.ndarray:
    array = check_tensor(operator, "input", input)._array
    kind = _dtype(dtype, array.dtype)
    if memory_format is None or memory_format is dtypes.preserve_format:
        if array.flags.c_contiguous or is_spread(array):
            return new_array(array.shape, kind)
        return np.empty_like(array, kind, subok=False)
    return _empty(array.shape, kind, memory_format)


def _full(shape: tuple[int, ...], value: Any, kind: np.dtype) -> np.ndarray:
    array = new_array(shape, kind)
    array.fill(value)
    return array


def _filled(name: str, value: Any) -> None:
    def create(*sizes: Any, size: Any = None, dtype: Any = None, memory_format: Any = None) -> np.ndarray:
        shape, kind = _shape(name, sizes if size is None else (size,)), _dtype(dtype, default_dtype.numpy)
        if memory_format is not None and value is not None:
            raise TypeError(f"{name}() got an unexpected keyword argument 'memory_format'")
        return _empty(shape, kind, memory_format) if value is None else _full(shape, value, kind)

    create.__name__ = name
    what = "uninitialized memory" if value is None else f"{value}s"
    create.__doc__ = f"A tensor of the given size, given as ints or a tuple, holding {what}."
    creation(has_out=True)(create)

    def like(input: Tensor, *, dtype: Any = None, memory_format: Any = None) -> np.ndarray:
        array = _empty_like(input, dtype, memory_format, f"{name}_like")
        if value is not None:
            array.fill(value)
        return array

    like.__name__ = f"{name}_like"
    like.__doc__ = f"A tensor of ``input``'s shape and dtype, holding {what}."
    creation()(like)

    def new(self: Tensor, *sizes: Any, size: Any = None, dtype: Any = None) -> np.ndarray:
        shape = _shape(f"new_{name}", sizes if size is None else (size,))
        kind = _dtype(dtype, self._array.dtype)
        return new_array(shape, kind) if value is None else _full(shape, value, kind)

    new.__name__ = f"new_{name}"
    new.__doc__ = f"A tensor of the given size and this tensor's dtype, holding {what}."
    creation(method=True)(new)


for _name, _value in (("zeros", 0), ("ones", 1), ("empty", None)):
    _filled(_name, _value)


def _fill_value(operator: str, value: Any) -> Any:
    if isinstance(value, Tensor) and value._array.ndim == 0:
        return value.item()
    if not isinstance(value, (int, float, complex, np.number, np.bool_)):
        raise TypeError(f"{operator}(): argument 'fill_value' (position 2) must be Number, not {type(value).__name__}")
    return value


@creation(has_out=True)
def full(size: Any, fill_value: Any, *, dtype: Any = None) -> np.ndarray:
    """A tensor of the given size in which every element is ``fill_value``, whose type decides the dtype.

    Raises:
        TypeError: ``size`` is no tuple of ints, or ``fill_value`` no number.
        RuntimeError: the dtype cannot hold the value.

    >>> import autograd
    >>> autograd.full((2, 3), 7)
    tensor([[7, 7, 7],
            [7, 7, 7]])
    """
    shape, value = _only_shape("full", size), _fill_value("full", fill_value)
    number = number_array(value, _dtype(dtype, dtypes.number_dtype(value)), "full")
    return _full(shape, number, number.dtype)


@creation()
def full_like(input: Tensor, fill_value: Any, *, dtype: Any = None, memory_format: Any = None) -> np.ndarray:
    """A tensor of ``input``'s shape and dtype in which every element is ``fill_value``.

    >>> import autograd
    >>> autograd.full_like(autograd.ones(2), 3)
    tensor([3., 3.])
    """
    value = _fill_value("full_like", fill_value)
    array = _empty_like(input, dtype, memory_format, "full_like")
    array[...] = number_array(value, array.dtype, "full_like")
    return array


@creation(method=True)
def new_full(self: Tensor, size: Any, fill_value: Any, *, dtype: Any = None) -> np.ndarray:
    """A tensor of the given size and this tensor's dtype in which every element is ``fill_value``."""
    shape, value = _only_shape("new_full", size), _fill_value("new_full", fill_value)
    number = number_array(value, _dtype(dtype, self._array.dtype), "new_full")
    return _full(shape, number, number.dtype)


@creation()
def scalar_tensor(s: Any, *, dtype: Any = None) -> np.ndarray:
    """A 0-d tensor of a number, in the default dtype unless another is given.

    >>> import autograd
    >>> autograd.scalar_tensor(3)
    tensor(3.)
    """
    value = _fill_value("scalar_tensor", s)
    return number_array(value, _dtype(dtype, default_dtype.numpy), "scalar_tensor")


# --- In sequence ---------------------------------------------------------------------------------------------------


def _number(operator: str, name: str, value: Any, kinds: Any = (int, float, complex, np.number, np.bool_)) -> Any:
    if isinstance(value, Tensor) and value._array.ndim == 0:
        return value.item()
    if not isinstance(value, kinds):
        raise TypeError(f"{operator}(): argument '{name}' must be Number, not {type(value).__name__}")
    return value.item() if isinstance(value, np.generic) else value


def _check_sequence(operator: str, kind: np.dtype) -> None:
    if kind.kind in "bc":
        raise NotImplementedError(f"\"{operator}_cpu\" not implemented for '{type_name(kind)}'")


def _check_range(operator: str, start: Any, end: Any, step: Any) -> None:
    for value in (start, end, step):
        if isinstance(value, complex):
            raise RuntimeError(f"{operator}: value cannot be converted to type double without overflow: {value}")
    if not (step > 0 or step < 0):
        raise RuntimeError(f"{operator}: step must be nonzero, but got {step}")
    if not (math.isfinite(start) and math.isfinite(end)):
        raise RuntimeError(f"{operator}: unsupported range: {start} -> {end}")
    if (end - start) * step < 0:
        raise RuntimeError(
            f"{operator}: upper bound and lower bound inconsistent with step sign: {start}, {end}, {step}"
        )


def _counted(start: Any, step: Any, count: int, kind: np.dtype) -> np.ndarray:
    """``start + i * step`` for ``i`` below ``count``, computed as PyTorch does: in int64, double or float."""
    if kind.kind in "iu":
        return (int(start) + np.arange(count) * int(step)).astype(kind)
    work = np.dtype(np.float32 if is_half(kind) else np.float64)
    return (work.type(start) + np.arange(count, dtype=work) * work.type(step)).astype(kind)


def _whole_step(step: Any, kind: np.dtype) -> int:
    if int(step) == 0:
        raise ValueError(f"step must be nonzero, but {step} is 0 as {kind}")
    return int(step)


_MISSING: Any = object()


@creation(has_out=True)
def arange(start: Any = _MISSING, end: Any = _MISSING, step: Any = 1, *, dtype: Any = None) -> np.ndarray:
    """``start, start + step, ...`` below ``end``; int64 when all three are integers, else the default dtype.

    Raises:
        RuntimeError: a step of 0, or one that leads away from ``end``.
        TypeError: a bound that is no number.

    >>> import autograd
    >>> autograd.arange(1, 10, 3)
    tensor([1, 4, 7])
    """
    if end is _MISSING:
        start, end = 0, start
    if end is _MISSING or start is _MISSING:
        if end is _MISSING:
            raise TypeError("arange() received an invalid combination of arguments: it needs at least the end")
        start = 0
    if dtype is None and start.__class__ is end.__class__ is step.__class__ is int and (end - start) * step > 0:
        return np.arange(start, end, step)
    start, end, step = (_number("arange", *each) for each in (("start", start), ("end", end), ("step", step)))
    whole = all(isinstance(value, int) for value in (start, end, step))
    kind = _dtype(dtype, dtypes.int64.numpy if whole else default_dtype.numpy)
    _check_range("arange", start, end, step)
    _check_sequence("arange", kind)
    if kind == np.int64 and not whole:
        start, end, step = int(start), int(end), _whole_step(step, kind)
    if isinstance(start, int) and isinstance(end, int) and isinstance(step, int):
        count = max(0, -((start - end) // step))
    else:
        count = max(0, math.ceil((end - start) / step))
    return _counted(start, step, count, kind)


@creation(has_out=True)
def range(start: Any, end: Any, step: Any = 1, *, dtype: Any = None) -> np.ndarray:
    """``start, start + step, ...`` up to ``end`` inclusive, in the default dtype (PyTorch's legacy form).

    Raises:
        RuntimeError: a step of 0, or one that leads away from ``end``.
    """
    start, end, step = (_number("range", *each) for each in (("start", start), ("end", end), ("step", step)))
    kind = _dtype(dtype, default_dtype.numpy)
    _check_range("range", start, end, step)
    _check_sequence("range", kind)
    if kind.kind in "iu":
        start, end, step = int(start), int(end), _whole_step(step, kind)
    return _counted(start, step, math.floor((end - start) / step) + 1, kind)


def _steps(operator: str, start: Any, end: Any, steps: Any) -> tuple[Any, Any, int]:
    for name, value in (("start", start), ("end", end)):
        if isinstance(value, Tensor) and value._array.ndim:
            raise RuntimeError(
                f"{operator} only supports 0-dimensional start and end tensors, but got {name} with {value.ndim} "
                "dimension(s)."
            )
    start, end = _number(operator, "start", start), _number(operator, "end", end)
    if isinstance(steps, (bool, np.bool_)) or not isinstance(steps, (int, np.integer, Tensor)):
        raise TypeError(f"{operator}(): argument 'steps' must be int, not {type(steps).__name__}")
    steps = steps.__index__()
    if steps < 0:
        raise RuntimeError(f"{operator}: number of steps must be non-negative, but got {steps}")
    return start, end, steps


def _spaced(start: Any, end: Any, steps: int, kind: np.dtype) -> np.ndarray:
    """Evenly spaced numbers of a floating-point or complex type; of an integer type the doubles before they are cut."""
    if kind.kind in "iu":
        start, end = int(as_number(int(start), kind)), int(as_number(int(end), kind))
        kind = np.dtype(np.float64)
    first, last = kind.type(start), kind.type(end)
    if steps == 1:
        return np.full(1, first)
    step = (last - first) / kind.type(max(steps - 1, 1))
    ahead = np.arange(steps)
    # Both halves count from their own end, so that the last element is exactly `end`.
    half = steps // 2
    low = first + step * ahead[:half].astype(kind)
    high = last - step * (steps - 1 - ahead[half:]).astype(kind)
    return np.concatenate((low, high))


@creation(has_out=True)
def linspace(start: Any, end: Any, steps: int, *, dtype: Any = None) -> np.ndarray:
    """``steps`` evenly spaced numbers from ``start`` to ``end``, both included.

    Raises:
        RuntimeError: a negative number of steps, or bounds with dimensions.

    >>> import autograd
    >>> autograd.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    start, end, steps = _steps("linspace", start, end, steps)
    kind = _dtype(dtype, _sequence_dtype(start, end))
    if steps > 1 and kind.kind == "b":
        _check_sequence("linspace", kind)
    return _spaced(start, end, steps, kind if kind.kind != "b" else np.dtype(np.float64)).astype(kind)


def _sequence_dtype(*numbers: Any) -> np.dtype:
    if any(isinstance(value, complex) for value in numbers):
        return dtypes.number_dtype(1j)
    return default_dtype.numpy


@creation(has_out=True)
def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: Any = None) -> np.ndarray:
    """``base`` to evenly spaced powers from ``start`` to ``end``.

    >>> import autograd
    >>> autograd.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    start, end, steps = _steps("logspace", start, end, steps)
    kind = _dtype(dtype, _sequence_dtype(start, end))
    if steps > 1 and kind.kind == "b":
        _check_sequence("logspace", kind)
    # A single number is the power of the bound itself, several are those of what an integer type makes of the bounds.
    exact = kind.kind == "b" or (steps == 1 and kind.kind != "c")
    exponents = _spaced(start, end, steps, np.dtype(np.float64) if exact else kind)
    work = np.complex128 if kind.kind == "c" else np.float64
    with np.errstate(all="ignore"):
        return np.power(work(base), exponents.astype(work)).astype(kind)


@creation(has_out=True)
def eye(n: int, m: int | None = None, *, dtype: Any = None) -> np.ndarray:
    """The identity matrix of ``n`` rows and ``m`` columns (``n`` by default).

    >>> import autograd
    >>> autograd.eye(2, 3)
    tensor([[1., 0., 0.],
            [0., 1., 0.]])
    """
    for name, size in (("n", n), ("m", n if m is None else m)):
        if isinstance(size, (bool, np.bool_)) or not isinstance(size, (int, np.integer, Tensor)):
            raise TypeError(f"eye(): argument '{name}' must be int, not {type(size).__name__}")
        if size < 0:
            raise RuntimeError(f"eye(): {name} must be greater or equal to 0, got {size}")
    return np.eye(int(n), None if m is None else int(m), dtype=_dtype(dtype, default_dtype.numpy))


@function(method=False)
def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """Grids of coordinates from 1-D tensors: output ``k`` varies along dimension ``k`` of the grid.

    With ``indexing="xy"`` the first two dimensions change places: the first tensor varies along dimension 1.

    Raises:
        RuntimeError: no tensors, tensors of different dtypes or with more than one dimension, another ``indexing``.

    >>> import autograd
    >>> autograd.meshgrid(autograd.arange(2), autograd.arange(2))[0]
    tensor([[0, 0],
            [1, 1]])
    """
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    if not tensors:
        raise RuntimeError("meshgrid expects a non-empty TensorList")
    for each in tensors:
        check_tensor("meshgrid", "tensors", each)
        if each.ndim > 1:
            raise RuntimeError(f"meshgrid: expected 0D or 1D tensors, but got one of shape {list(each.shape)}")
        if each.dtype is not tensors[0].dtype:
            raise RuntimeError(f"meshgrid expects all tensors to have the same dtype: {tensors[0].dtype}, {each.dtype}")
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


# --- Questions -----------------------------------------------------------------------------------------------------


@function(method=False)
def is_tensor(obj: Any) -> bool:
    """Whether ``obj`` is a Tensor.

    >>> import autograd
    >>> autograd.is_tensor(autograd.ones(1)), autograd.is_tensor(1)
    (True, False)
    """
    return isinstance(obj, Tensor)


def _question(name: str) -> None:
    method = getattr(Tensor, name)

    def ask(input: Tensor) -> Any:
        return method(check_tensor(name, "input", input))

    ask.__name__, ask.__doc__ = name, method.__doc__
    function(method=False)(ask)


for _name in (
    "numel", "is_floating_point", "is_complex", "is_signed", "is_conj", "is_neg", "is_inference", "is_nonzero",
    "get_device",
):  # fmt: skip
    _question(_name)


@function(method=False)
def is_same_size(input: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape."""
    return check_tensor("is_same_size", "input", input).is_same_size(check_tensor("is_same_size", "other", other))


@function(method=False)
def is_storage(obj: Any) -> bool:
    """Whether ``obj`` is the memory of tensors, typed or untyped."""
    return hasattr(obj, "_as_array")


__all__ = [
    "arange",
    "as_tensor",
    "asarray",
    "check_options",
    "creation",
    "eye",
    "from_dlpack",
    "from_numpy",
    "full",
    "full_like",
    "in_memory_order",
    "is_same_size",
    "is_storage",
    "is_tensor",
    "linspace",
    "logspace",
    "meshgrid",
    "new_full",
    "new_tensor",
    "range",
    "scalar_tensor",
    "tensor",
    "to_dlpack",
]
