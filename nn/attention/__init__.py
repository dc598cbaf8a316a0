"""Which kernels attention may choose from, as ``torch.nn.attention``.

Here `scaled_dot_product_attention` has one kernel. It answers to the two names that PyTorch has on the CPU, ``MATH``
and ``FLASH_ATTENTION``; where neither is allowed it raises, as there.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from autograd.backends import cuda

__all__ = ["SDPBackend", "sdpa_kernel"]


class SDPBackend(enum.Enum):
    """Names of kernels of `scaled_dot_product_attention`.

    >>> import nn.attention
    >>> nn.attention.SDPBackend.MATH
    <SDPBackend.MATH: 0>
    """

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __int__(self) -> int:
        return self.value


# The switches of `autograd.backends.cuda`, which are the same ones.
_SWITCHES = {
    SDPBackend.MATH: "math",
    SDPBackend.FLASH_ATTENTION: "flash",
    SDPBackend.EFFICIENT_ATTENTION: "mem_efficient",
    SDPBackend.CUDNN_ATTENTION: "cudnn",
}


@contextmanager
def sdpa_kernel(backends: list[SDPBackend] | SDPBackend, set_priority: bool = False) -> Iterator[dict[str, Any]]:
    """Within the block attention may use these kernels only.

    Args:
        backends: one or a list.
        set_priority: whether their order matters: with one kernel there is nothing to choose.

    Raises:
        AssertionError: ``backends`` is neither; attention in the block raises RuntimeError if it may use no kernel.

    >>> import autograd, nn.functional as F
    >>> from nn.attention import SDPBackend, sdpa_kernel
    >>> q = autograd.ones(1, 2, 3)
    >>> with sdpa_kernel(SDPBackend.MATH):
    ...     F.scaled_dot_product_attention(q, q, q).shape
    torch.Size([1, 2, 3])
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            "sdpa_kernel: backends must be an instance of SDPBackend or a list of them, but got "
            f"{type(backends).__name__}"
        )
    allowed = [backends] if isinstance(backends, SDPBackend) else backends
    before = set(cuda.sdp_kernels)
    _allow({name for kernel, name in _SWITCHES.items() if kernel in allowed})
    try:
        yield {}
    finally:
        _allow(before)


def _allow(names: set[str]) -> None:
    cuda.sdp_kernels.clear()
    cuda.sdp_kernels.update(names)
