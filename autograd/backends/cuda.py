"""``torch.backends.cuda``: not built, with switches that may be set and change nothing, but for those of attention."""

from __future__ import annotations

__all__ = [
    "cudnn_sdp_enabled", "enable_cudnn_sdp", "enable_flash_sdp", "enable_math_sdp", "enable_mem_efficient_sdp",
    "flash_sdp_enabled", "is_built", "math_sdp_enabled", "matmul", "mem_efficient_sdp_enabled",
]  # fmt: skip


class _Matmul:
    """Switches for matrix products on a GPU."""

    allow_tf32 = False
    allow_fp16_reduced_precision_reduction = True
    allow_bf16_reduced_precision_reduction = True


matmul = _Matmul()


def is_built() -> bool:
    """False."""
    return False


# --- Kernels of attention ------------------------------------------------------------------------------------------

# Those that `scaled_dot_product_attention` may use; it has one, which answers to "math" and "flash".
sdp_kernels = {"math", "flash", "mem_efficient", "cudnn"}


def _enable(kernel: str, enabled: bool) -> None:
    if not isinstance(enabled, bool):
        raise RuntimeError(f"set_sdp_use_{kernel} expects a bool, but got {type(enabled).__name__}")
    (sdp_kernels.add if enabled else sdp_kernels.discard)(kernel)


def enable_math_sdp(enabled: bool) -> None:
    """Whether attention may use the kernel ``MATH``."""
    _enable("math", enabled)


def enable_flash_sdp(enabled: bool) -> None:
    """Whether attention may use the kernel ``FLASH_ATTENTION``."""
    _enable("flash", enabled)


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Whether attention may use the kernel ``EFFICIENT_ATTENTION``, which is not there."""
    _enable("mem_efficient", enabled)


def enable_cudnn_sdp(enabled: bool) -> None:
    """Whether attention may use the kernel ``CUDNN_ATTENTION``, which is not there."""
    _enable("cudnn", enabled)


def math_sdp_enabled() -> bool:
    """Whether attention may use the kernel ``MATH``."""
    return "math" in sdp_kernels


def flash_sdp_enabled() -> bool:
    """Whether attention may use the kernel ``FLASH_ATTENTION``."""
    return "flash" in sdp_kernels


def mem_efficient_sdp_enabled() -> bool:
    """Whether attention may use the kernel ``EFFICIENT_ATTENTION``."""
    return "mem_efficient" in sdp_kernels


def cudnn_sdp_enabled() -> bool:
    """Whether attention may use the kernel ``CUDNN_ATTENTION``."""
    return "cudnn" in sdp_kernels
