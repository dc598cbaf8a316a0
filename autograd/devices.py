"""Devices: where tensors live. Every name of PyTorch's can be written down, and one exists here: the CPU."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

__all__ = ["CPU", "default_device", "device", "get_default_device", "require_cpu", "set_default_device"]

KNOWN = (
    "cpu", "cuda", "ipu", "xpu", "mkldnn", "opengl", "opencl", "ideep", "hip", "ve", "fpga", "maia", "xla", "lazy",
    "vulkan", "mps", "meta", "hpu", "mtia", "privateuseone",
)  # fmt: skip
NO_ACCELERATOR = "Cannot access accelerator device when none is available: chalkgrad computes on the CPU."


class device:
    """The name of a place for tensors, such as ``device('cpu')`` or ``device('cuda:1')``.

    Any device can be named, and compared with others; tensors are made on the CPU alone, and an operator that is told
    to use another one raises. As a context manager it is the default device inside the block.

    Args:
        type: ``"cpu"``, ``"cuda:0"``, ..., or another device.
        index: its number, where the name has none.

    Raises:
        RuntimeError: a name that PyTorch does not know, a malformed or negative index, or a bare number, which means
            an accelerator.
        TypeError: neither a name nor a device.

    >>> device("cuda", 1)
    device(type='cuda', index=1)
    """

    __module__ = "autograd"

    __slots__ = ("_outer", "index", "type")

    type: str
    index: int | None

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        if isinstance(type, device):
            type, index = type.type, type.index
        if isinstance(type, int) and not isinstance(type, bool):
            raise RuntimeError("Device index must not be negative" if type < 0 else NO_ACCELERATOR)
        if not isinstance(type, str):
            raise TypeError(f"device(): expects a name such as 'cpu', but got {type!r}")
        if index is not None and not isinstance(index, int):
            raise TypeError(f"device(): argument 'index' (position 2) must be int, not {index.__class__.__name__}")
        if not type:
            raise RuntimeError("Device string must not be empty")
        name, colon, number = type.partition(":")
        if name not in KNOWN:
            raise RuntimeError(f"Expected one of {', '.join(KNOWN)} device type at start of device string: {type}")
        if colon:
            if not (number.isascii() and number.isdigit()) or (len(number) > 1 and number[0] == "0"):
                raise RuntimeError(f"Invalid device string: {type!r}")
            if index is not None:
                raise RuntimeError(f"type (string) must not include an index because index was passed too: {type}")
            index = int(number)
        if index is not None and index < 0:
            raise RuntimeError(f"Device index must not be negative, but got {index}")
        self.type = name
        self.index = index

    def __repr__(self) -> str:
        index = "" if self.index is None else f", index={self.index}"
        return f"device(type={self.type!r}{index})"

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __eq__(self, other: object) -> Any:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __reduce__(self) -> Any:
        return device, (str(self),)

    def __enter__(self) -> device:
        self._outer = default_device.chosen
        set_default_device(self)
        return self

    def __exit__(self, *error: Any) -> None:
        default_device.chosen = self._outer

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As a decorator: the function runs with this default device."""

        @wraps(function)
        def inside(*args: Any, **kwargs: Any) -> Any:
            with device(self):
                return function(*args, **kwargs)

        return inside


CPU = device("cpu")


class _Default:
    chosen: device | None = None


default_device = _Default()


def require_cpu(given: Any, operator: str = "") -> None:
    """Raises unless ``given``, a name, a device or None, is the CPU: as PyTorch does where it was built without others.

    Raises:
        AssertionError: CUDA or XPU.
        NotImplementedError: any other device.
        TypeError: neither a name nor a device.
    """
    if given is None or given is CPU:
        return
    if not isinstance(given, (str, device, int)):
        where = f"{operator}(): " if operator else ""
        raise TypeError(f"{where}argument 'device' must be torch.device, not {type(given).__name__}")
    place = device(given)
    if place.type == "cpu":
        return
    remedy = f"device '{place}' is not available: chalkgrad computes on the CPU; use device('cpu')."
    if place.type in ("cuda", "xpu"):
        raise AssertionError(f"Torch not compiled with {place.type.upper()} enabled: {remedy}")
    raise NotImplementedError(remedy)  # PyTorch's type for a backend that is not there


def set_default_device(device: Any) -> None:
    """Makes tensors without a ``device`` argument be made there; None for the CPU.

    Raises:
        AssertionError: CUDA or XPU, which are not there.
        RuntimeError: any other device than the CPU.
    """
    require_cpu(device, "set_default_device")
    default_device.chosen = None if device is None else _device(device)


def get_default_device() -> device:
    """Where tensors without a ``device`` argument are made: the CPU."""
    return CPU if default_device.chosen is None else default_device.chosen


_device = device


# Classes that say they are from `autograd`: doctest would pass them over.
__test__ = {"device": device}
