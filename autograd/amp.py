"""Mixed precision: `autocast`, under which products compute in a smaller dtype, and `GradScaler`."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable
from threading import get_ident
from typing import Any

import numpy as np

from . import dtypes
from .devices import device as _device
from .kernels.gather import gathered
from .kernels.silence import silently
from .rows.casting import active, cast
from .tensor import Tensor, count_write

__all__ = [
    "GradScaler", "autocast", "custom_bwd", "custom_fwd", "get_autocast_dtype", "is_autocast_available",
    "is_autocast_enabled",
]  # fmt: skip


class autocast(contextlib.ContextDecorator):
    """Lets functions inside the block compute in a smaller dtype; as a decorator, those of a function.

    Products (`matmul`, `linear`, convolutions, ...) take and give tensors of the smaller dtype; losses, linear algebra
    and a few others compute in float32 whatever they get; `cat` and `stack` take the widest dtype among theirs.
    Everything else computes in the dtypes of its operands. float64 is left alone.

    On the CPU this saves memory, not time: NumPy gains nothing from smaller types.

    Args:
        device_type: ``"cpu"``. For a device that is not there a warning says that nothing is done.
        dtype: the smaller dtype, bfloat16 or float16; bfloat16 by default.
        enabled: False to switch it off inside.
        cache_enabled: accepted; each use of a parameter converts it anew.

    Raises:
        ValueError: ``device_type`` is no text.
        RuntimeError: there is no such kind of device.

    >>> import autograd
    >>> with autocast("cpu"):
    ...     (autograd.ones(2, 2) @ autograd.ones(2, 2)).dtype
    torch.bfloat16
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        _require_text(device_type)
        self.device = _device(device_type).type
        self.fast_dtype = dtype or get_autocast_dtype(self.device)
        if enabled and self.device != "cpu":
            warnings.warn(
                f"User provided device_type of '{device_type}', but it is not available: autocast is disabled.",
                UserWarning,
                stacklevel=2,
            )
            enabled = False
        elif enabled and self.fast_dtype not in (dtypes.bfloat16, dtypes.float16):
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\nCPU Autocast only "
                f"supports dtype of torch.bfloat16, torch.float16 currently, not {self.fast_dtype}.",
                UserWarning,
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._cache_enabled = True if cache_enabled is None else cache_enabled
        self._before: list[dtypes.dtype | None] = []  # one block may be entered within itself

    def __enter__(self) -> autocast:
        if self.device == "cpu":
            self._before.append(active.get(get_ident()))
            _set(self.fast_dtype if self._enabled else None)
        return self

    def __exit__(self, *error: Any) -> None:
        if self.device == "cpu":
            _set(self._before.pop())


def _set(dtype: dtypes.dtype | None) -> None:
    if dtype is None:
        active.pop(get_ident(), None)
    else:
        active[get_ident()] = dtype


def is_autocast_enabled(device_type: str = "cuda") -> bool:
    """Whether an `autocast` is on, in this thread and for that kind of device.

    >>> with autocast("cpu"):
    ...     is_autocast_enabled("cpu")
    True
    """
    return _device(device_type).type == "cpu" and get_ident() in active


def get_autocast_dtype(device_type: str) -> dtypes.dtype:
    """The smaller dtype that `autocast` takes for that kind of device."""
    if _device(device_type).type != "cpu":
        return dtypes.float16
    return active.get(get_ident(), dtypes.bfloat16)


def is_autocast_available(device_type: str) -> bool:
    """Whether `autocast` does anything for that kind of device.

    >>> is_autocast_available("cpu")
    True
    """
    return _device(device_type).type == "cpu"


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: dtypes.dtype | None = None
) -> Callable[..., Any]:
    """Decorator for ``forward`` of a `Function`: what its operators and those of a backward with `custom_bwd` cast.

    Args:
        fwd: ``forward``, whose first argument is ``ctx``; left out, a decorator of it is returned.
        device_type: ``"cpu"``.
        cast_inputs: inside of `autocast`, ``forward`` gets its floating-point tensors (float64 aside) in this dtype
            and computes with autocast off; with None, it computes under autocast as it is.

    Raises:
        ValueError: ``device_type`` is no text.

    >>> import autograd
    >>> class Product(autograd.Function):
    ...     @staticmethod
    ...     @custom_fwd(device_type="cpu", cast_inputs=autograd.float32)
    ...     def forward(ctx, a, b):
    ...         return a @ b
    >>> half = autograd.ones(2, 2, dtype=autograd.bfloat16)
    >>> with autocast("cpu"):
    ...     Product.apply(half, half).dtype
    torch.float32
    """
    _require_text(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)
    forward = fwd

    @functools.wraps(forward)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        ctx._dtype, enabled = get_autocast_dtype(device_type), is_autocast_enabled(device_type)
        ctx._fwd_used_autocast = enabled and cast_inputs is None
        if not enabled or cast_inputs is None:
            return forward(ctx, *args, **kwargs)
        with autocast(device_type, enabled=False):
            return forward(ctx, *cast(args, cast_inputs), **cast(kwargs, cast_inputs))

    return decorated


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorator for ``backward`` of a `Function` whose forward has `custom_fwd`: both cast alike.

    Args:
        bwd: ``backward``, whose first argument is ``ctx``; left out, a decorator of it is returned.
        device_type: ``"cpu"``.

    Raises:
        ValueError: ``device_type`` is no text.
    """
    _require_text(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)
    backward = bwd

    @functools.wraps(backward)
    def decorated(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        with autocast(device_type, dtype=ctx._dtype, enabled=ctx._fwd_used_autocast):
            return backward(ctx, *args, **kwargs)

    return decorated


def _require_text(device_type: Any) -> None:
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type).__name__}`")


class GradScaler:
    """Keeps gradients of half precision from becoming 0: the loss is multiplied, the gradients divided before the step.

    A step whose gradients hold infinity or NaN is left out, and the factor is made smaller; after ``growth_interval``
    steps without any it is made larger.

    Args:
        device: where the tensors are. For one that is not there a warning says that nothing is scaled.
        init_scale: the first factor.
        growth_factor, backoff_factor: what it is multiplied with.
        growth_interval: number of steps.
        enabled: False to scale nothing.

    >>> import autograd, optim
    >>> w = autograd.ones(2, requires_grad=True)
    >>> optimizer, scaler = optim.SGD([w], lr=0.1), GradScaler("cpu")
    >>> scaler.scale(w.sum()).backward()
    >>> scaler.step(optimizer)
    >>> scaler.update()
    >>> w
    tensor([0.9000, 0.9000], requires_grad=True)
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled and _device(device).type != "cpu":
            warnings.warn(
                f"GradScaler is enabled, but {device} is not available: disabling.", UserWarning, stacklevel=2
            )
            enabled = False
        if enabled and not (growth_factor > 1.0 and 0 < backoff_factor < 1.0):
            raise AssertionError(
                f"GradScaler: growth_factor must be above 1 and backoff_factor below, but got {growth_factor} and "
                f"{backoff_factor}"
            )
        self._enabled = enabled
        self._scale, self._growth_factor, self._backoff_factor = float(init_scale), growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._unscaled: dict[int, bool] = {}  # optimizer -> whether its gradients are all finite

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The present factor."""
        return self._scale if self._enabled else 1.0

    def scale(self, outputs: Any) -> Any:
        """A tensor, or tensors in lists and tuples, times the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            return outputs * self._scale
        if not isinstance(outputs, (list, tuple)):
            raise ValueError(f"outputs must be a Tensor or an iterable of Tensors, but got {type(outputs).__name__}")
        return type(outputs)(self.scale(each) for each in outputs)

    def unscale_(self, optimizer: Any) -> None:
        """Divides the gradients of the optimizer's parameters by the factor: to clip them, for example.

        Raises:
            RuntimeError: it was done since the last `update`.
        """
        if not self._enabled:
            return
        if id(optimizer) in self._unscaled:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        params = [param for group in optimizer.param_groups for param in group["params"]]
        gradients = [gradient for param in params if (gradient := param.grad) is not None]
        arrays = [gradient._array for gradient in gradients]
        self._unscaled[id(optimizer)] = all(np.isfinite(flat).all() for flat in gathered(arrays))
        for gradient, array in zip(gradients, arrays, strict=True):
            silently(np.multiply, array, array.dtype.type(1 / self._scale), array)
            count_write(gradient)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """The optimizer's step on divided gradients, unless one of them is not finite; returns what the step does."""
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if id(optimizer) not in self._unscaled:
            self.unscale_(optimizer)
        return optimizer.step(*args, **kwargs) if self._unscaled[id(optimizer)] else None

    def update(self, new_scale: Any = None) -> None:
        """Makes the factor smaller or larger, or ``new_scale``; once after all steps of an iteration.

        Raises:
            AssertionError: there was no step.
        """
        if not self._enabled:
            return
        if new_scale is not None:
            self._scale = float(new_scale)
        elif not self._unscaled:
            raise AssertionError("No inf checks were recorded prior to update: call step() first.")
        elif not all(self._unscaled.values()):
            self._scale *= self._backoff_factor
            self._growth_tracker = 0
        else:
            self._growth_tracker += 1
            if self._growth_tracker == self._growth_interval:
                self._scale *= self._growth_factor
                self._growth_tracker = 0
        self._unscaled.clear()

    def state_dict(self) -> dict[str, Any]:
        """The factor and its settings; empty when nothing is scaled."""
        if not self._enabled:
            return {}
        return {
            "scale": self._scale,
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Takes over what `state_dict` gave.

        Raises:
            RuntimeError: it is empty: saved when nothing was scaled.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled GradScaler."
            )
        self._scale, self._growth_tracker = state_dict["scale"], state_dict["_growth_tracker"]
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
