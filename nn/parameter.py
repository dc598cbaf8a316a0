"""Tensors that a module owns: parameters, which are trained, and buffers, which are not; and those of no shape yet."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

import autograd
from autograd.dtypes import Size, default_dtype, dtype, from_numpy_dtype
from autograd.tensor import StructureError, Tensor, _make, wrap

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter"]


class Parameter(Tensor):
    """A tensor that a module registers as one of its parameters when it is assigned as an attribute.

    It shares the memory of ``data`` and is a leaf of the graph.

    Args:
        data: the initial value; an empty tensor by default.
        requires_grad: whether operators on it are recorded.

    Raises:
        TypeError: ``data`` is not a Tensor.
        RuntimeError: ``data`` is not floating-point, and ``requires_grad`` is set.

    >>> import autograd, nn
    >>> nn.Parameter(autograd.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        parameter: Any = _made(cls, data, "Parameter")
        if requires_grad:
            parameter.requires_grad_()
        return parameter

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) not in memo:
            # Like PyTorch's: the value is copied, the gradient is not.
            copied = _made(_plain(type(self)), self.detach().clone(), "Parameter")
            memo[id(self)] = copied.requires_grad_(self.requires_grad)
        return memo[id(self)]

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]
        return "Parameter containing:\n" + super().__repr__(**options)


class Buffer(Tensor):
    """A tensor that a module registers as a buffer when it is assigned as an attribute.

    Buffers follow their module's dtype and are saved with it, but optimizers do not see them: running statistics,
    tables of constants.

    Args:
        data: the initial value; an empty tensor by default. The memory is shared.
        persistent: whether it is part of the module's ``state_dict``.

    Raises:
        TypeError: ``data`` is not a Tensor.

    >>> import autograd, nn
    >>> layer = nn.Module()
    >>> layer.mean = nn.Buffer(autograd.zeros(2))
    >>> list(layer.state_dict())
    ['mean']
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        buffer: Any = _made(cls, data, "Buffer")
        if data is not None and data.requires_grad:
            buffer.requires_grad_()
        buffer.persistent = persistent
        return buffer


def _made(cls: Any, data: Tensor | None, kind: str) -> Any:
    """A tensor of class ``cls`` in the memory of ``data``, outside the graph."""
    if data is None:
        return _make(cls, np.empty(0, default_dtype.numpy))
    if not isinstance(data, Tensor):
        raise TypeError(f"{kind}() takes a Tensor, but got {type(data).__name__}; convert with autograd.tensor first")
    try:
        return _make(cls, data._array)
    except StructureError:
        result: Any = data.detach()
        result.__class__ = _structured(cls, result.__class__)
        return result


@functools.cache
def _structured(cls: Any, kind: Any) -> type[Tensor]:
    """The class of sparse, nested or masked tensors that are parameters or buffers."""
    return type(cls.__name__, (cls, kind), {"__slots__": (), "__reduce_ex__": _reduced, "_plain": cls})


def _plain(cls: Any) -> type[Tensor]:
    """The class of parameters or buffers that makes those of class ``cls``, whatever their data are."""
    return getattr(cls, "_plain", cls)


def _reduced(self: Tensor, protocol: Any) -> Any:
    return _rebuild, (_plain(type(self)), self.detach(), self.requires_grad, dict(self.__dict__))


def _rebuild(cls: type[Tensor], data: Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    result = _made(cls, data, cls.__name__).requires_grad_(requires_grad)
    result.__dict__.update(attributes)
    return result


# --- Parameters and buffers whose shape is not known yet -----------------------------------------------------------

_slot: Any = Tensor._array  # where a tensor's array stands; the class below looks like one that has none


class UninitializedTensorMixin:
    """What uninitialized parameters and buffers share: they know their dtype, and any operator refuses them."""

    cls_to_become: ClassVar[type[Tensor]] = Tensor
    requires_grad: bool

    @property
    def _array(self) -> np.ndarray:
        raise ValueError(
            f"Attempted to use an uninitialized parameter ({type(self).__name__}). Call the lazy module with a batch "
            "first: its forward() finds the shapes and initializes the parameters."
        )

    @_array.setter
    def _array(self, array: np.ndarray) -> None:
        _slot.__set__(self, array)

    def materialize(self, shape: Sequence[int], device: Any = None, dtype: dtype | None = None) -> None:
        """Turns this object into an ordinary parameter or tensor of ``shape``, its memory not initialized.

        Args:
            shape: of the tensor to be.
            device: ``"cpu"``.
            dtype: the one it has by default.
        """
        self._array = autograd.empty(shape, device=device, dtype=self.dtype if dtype is None else dtype)._array
        self.__class__ = self.cls_to_become  # type: ignore[assignment]

    @property
    def shape(self) -> Size:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    @property
    def dtype(self) -> dtype:
        return from_numpy_dtype(_slot.__get__(self).dtype)

    @property
    def data(self) -> Tensor:
        return wrap(_slot.__get__(self))

    @data.setter
    def data(self, value: Tensor) -> None:
        self._array = value.data._array

    def size(self, dim: int | None = None) -> Any:
        return self.data.size(dim)

    def is_floating_point(self) -> bool:
        return self.data.is_floating_point()

    def is_complex(self) -> bool:
        return self.data.is_complex()

    def copy_(self, src: Tensor, non_blocking: bool = False) -> Any:
        self.data.copy_(src, non_blocking)
        return self

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        return self._array  # which raises: it cannot be changed before there is a shape

    def share_memory_(self) -> Any:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def _converted(self, data: Tensor) -> Tensor:
        return data

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, None, self.dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            function, arguments = self.__reduce_ex__(None)
            memo[id(self)] = function(*arguments)
        return memo[id(self)]


def _conversion(name: str) -> Callable[..., Tensor]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Tensor:
        data = self.data
        result = getattr(data, name)(*args, **kwargs)
        return self if result is data else self._converted(result)

    method.__name__ = name
    return method


for _name in ("char", "cpu", "cuda", "double", "float", "half", "int", "long", "short", "to"):
    setattr(UninitializedTensorMixin, _name, _conversion(_name))


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter whose shape is not known yet: `materialize` gives it one and makes it a `Parameter`.

    Args:
        requires_grad: whether operators on it are recorded.
        device: ``"cpu"``.
        dtype: of the elements to be; the default dtype by default.

    >>> import nn
    >>> weight = nn.UninitializedParameter()
    >>> weight.materialize((2, 3))
    >>> type(weight).__name__, weight.shape
    ('Parameter', torch.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> UninitializedParameter:
        parameter: Any = Parameter(autograd.empty(0, device=device, dtype=dtype), requires_grad)
        parameter.__class__ = cls
        return parameter


class UninitializedBuffer(UninitializedTensorMixin, Buffer):  # type: ignore[misc]
    """A buffer whose shape is not known yet: `materialize` gives it one and makes it a Tensor.

    Args:
        requires_grad: whether operators on it are recorded.
        device: ``"cpu"``.
        dtype: of the elements to be; the default dtype by default.
        persistent: whether it is part of the module's ``state_dict``.

    >>> import autograd, nn
    >>> mean = nn.UninitializedBuffer()
    >>> mean.materialize((2,))
    >>> type(mean).__name__, mean.shape
    ('Tensor', torch.Size([2]))
    """

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> UninitializedBuffer:
        buffer: Any = Buffer(autograd.empty(0, device=device, dtype=dtype), persistent=persistent)
        if requires_grad:
            buffer.requires_grad_()
        buffer.__class__ = cls
        return buffer

    def _converted(self, data: Tensor) -> Tensor:
        return type(self)(self.requires_grad, None, data.dtype, self.persistent)

    def __reduce_ex__(self, protocol: Any) -> Any:
        return type(self), (self.requires_grad, None, self.dtype, self.persistent)


def is_lazy(param: Any) -> bool:
    """Whether ``param`` is an uninitialized parameter or buffer."""
    return isinstance(param, UninitializedTensorMixin)
