"""Reverse-mode automatic differentiation with PyTorch's API: what PyTorch has at ``torch.X`` is ``autograd.X``."""

from __future__ import annotations

import importlib
from typing import Any

from . import dtypes as _dtypes
from .devices import get_default_device, set_default_device
from .differentiation import backward, grad
from .dtypes import (
    Size,
    SymInt,
    bfloat16,
    bool,
    can_cast,
    channels_last,
    channels_last_3d,
    complex64,
    complex128,
    contiguous_format,
    device,
    dtype,
    float16,
    float32,
    float64,
    get_default_dtype,
    int8,
    int16,
    int32,
    int64,
    jagged,
    layout,
    legacy_contiguous_format,
    memory_format,
    preserve_format,
    promote_types,
    result_type,
    set_default_dtype,
    sparse_coo,
    sparse_csr,
    strided,
    uint8,
    uint16,
    uint32,
    uint64,
)
from .graph import (
    detect_anomaly,
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_detect_anomaly,
    set_grad_enabled,
)
from .kernels import jit
from .kernels.threads import get_num_threads, set_num_threads
from .ops.random import Generator, default_generator
from .rows import deferred as _deferred
from .rows.public import TORCH as _TORCH
from .tensor import Tensor
from .version import __version__

half, float, double = float16, float32, float64
short, int, long = int16, int32, int64
cfloat, cdouble = complex64, complex128
e, inf, nan, pi = 2.718281828459045, _dtypes.np.inf, _dtypes.np.nan, 3.141592653589793
newaxis = None

globals().update(_TORCH)

# Loaded on first use: `import autograd` stays as light as NumPy.
_LATER = {
    "amp": "GradScaler autocast get_autocast_dtype is_autocast_enabled",
    "checks": (
        "_check _check_index _check_is_size _check_not_implemented _check_tensor_all _check_tensor_all_with "
        "_check_type _check_value _check_with"
    ),
    "compiler": "compile",
    "control_flow": "cond",
    "cuda": "Event OutOfMemoryError Stream",
    "draw": "draw",
    "func": "vmap",
    "function": "Function",
    "graph": ("is_anomaly_check_nan_enabled is_multithreading_enabled set_anomaly_enabled set_multithreading_enabled"),
    "legacy": (
        "BFloat16Tensor BoolTensor ByteTensor CharTensor DoubleTensor FloatTensor HalfTensor IntTensor LongTensor "
        "ShortTensor Variable set_default_tensor_type"
    ),
    "limits": "finfo iinfo",
    "printing": "set_printoptions",
    "profiler": "ProfilerActivity",
    "serialization": "load save",
    "settings": (
        "are_deterministic_algorithms_enabled get_deterministic_debug_mode get_float32_matmul_precision "
        "get_num_interop_threads has_lapack has_mkl has_openmp is_deterministic_algorithms_warn_only_enabled "
        "is_warn_always_enabled set_deterministic_debug_mode set_float32_matmul_precision set_flush_denormal "
        "set_num_interop_threads set_warn_always typename use_deterministic_algorithms"
    ),
    "symbolic": "sym_float sym_int sym_ite sym_max sym_min sym_not sym_sqrt sym_sum",
    "storage": (
        "BFloat16Storage BoolStorage ByteStorage CharStorage ComplexDoubleStorage ComplexFloatStorage DoubleStorage "
        "FloatStorage HalfStorage IntStorage LongStorage ShortStorage Storage TypedStorage UntypedStorage from_file"
    ),
    "testing": "gradcheck gradgradcheck",
    "value": "Value",
}
_MODULES = (
    "__config__ accelerator amp anomaly_mode backends compiler cpu cuda datasets distributions fft forward_ad func "
    "function functional grad_mode graph linalg masked mps nested profiler random return_types serialization signal "
    "sparse special storage testing types utils variable xpu"
)
_LAZY: dict[str, tuple[str, str | None]] = {
    **{name: (f"autograd.{name}", None) for name in _MODULES.split()},
    **{name: (f"autograd.{module}", name) for module, names in _LATER.items() for name in names.split()},
    "autograd": ("autograd", None),  # programs that say `torch.autograd.grad`
    "nn": ("nn", None),
    "optim": ("optim", None),
}

__all__ = sorted(
    {
        *_deferred.names("torch"),
        *_LAZY,
        "bfloat16", "channels_last_3d", "get_default_device", "layout", "legacy_contiguous_format", "memory_format",
        "newaxis", "set_default_device",
        "can_cast", "cdouble", "cfloat", "channels_last", "complex64", "complex128", "contiguous_format",
        "preserve_format", "result_type", "sparse_coo", "sparse_csr", "strided", "Generator",
        "Size", "SymInt", "Tensor", "backward", "bool", "default_generator", "detect_anomaly", "device", "double",
        "dtype", "e", "enable_grad", "float", "float16", "float32", "float64", "get_default_dtype", "get_num_threads",
        "grad", "half", "inf", "inference_mode", "int", "int16", "int32", "int64", "int8", "is_anomaly_enabled",
        "is_grad_enabled", "is_inference_mode_enabled", "jagged", "jit", "long", "nan", "no_grad", "ops", "pi",
        "promote_types", "set_default_dtype", "set_detect_anomaly", "set_grad_enabled", "set_num_threads", "short",
        "uint8", "uint16", "uint32", "uint64", "__version__",
    }
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        module_name, attribute = _LAZY[name]
        module = importlib.import_module(module_name)
        value = module if attribute is None else getattr(module, attribute)
    elif name.startswith("_foreach_"):
        value = getattr(importlib.import_module("autograd.foreach"), name)
    else:
        try:
            value = _deferred.find("torch", name)
        except AttributeError:
            raise AttributeError(f"module 'autograd' has no attribute {name!r}") from None
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
