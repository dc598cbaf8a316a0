"""What `autograd.autocast` does to the functions called inside: some compute in the smaller dtype, some in float32.

The lists are those of PyTorch on the CPU. Functions are told by the names under which users call them; what they call
in turn is left alone.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import get_ident
from typing import Any

from .. import dtypes
from ..tensor import Tensor

__all__ = ["active", "call_cast", "cast", "is_cast"]

# Thread -> the smaller dtype, where autocast is on. Functions look whether it is empty, which costs nothing.
active: dict[int, dtypes.dtype] = {}

_PRODUCTS = """
    addbmm addmm baddbmm bmm conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d einsum
    linear matmul mm multi_dot prelu scaled_dot_product_attention tensordot vecdot
"""
_LINEAR_ALGEBRA = """
    cdist cholesky cholesky_ex cholesky_inverse cholesky_solve cond det eig eigh eigvals eigvalsh fft fft2 fftn
    geqrf hfft hfft2 hfftn householder_product ifft ifft2 ifftn ihfft ihfft2 ihfftn inv inv_ex inverse irfft irfft2
    irfftn ldl_factor ldl_factor_ex ldl_solve lstsq lu lu_factor lu_solve lu_unpack matrix_rank ormqr pca_lowrank
    pinverse polar qr rfft rfft2 rfftn solve solve_ex stft svd svd_lowrank svdvals tensorinv tensorsolve trace
    triangular_solve view_as_complex
"""
_LONG = """
    prod quantile nanquantile
"""
_LOSSES = """
    binary_cross_entropy binary_cross_entropy_with_logits cosine_embedding_loss cross_entropy ctc_loss
    hinge_embedding_loss huber_loss kl_div l1_loss linear_cross_entropy margin_ranking_loss mse_loss
    multi_margin_loss multilabel_margin_loss nll_loss poisson_nll_loss smooth_l1_loss soft_margin_loss
    triplet_margin_loss
"""
_IMAGES = """
    adaptive_avg_pool3d adaptive_max_pool3d avg_pool3d fractional_max_pool2d fractional_max_pool3d grid_sample
    grid_sampler_2d grid_sampler_3d max_pool3d max_unpool1d max_unpool2d max_unpool3d
"""
SMALLER = frozenset(_PRODUCTS.split())
FLOAT32 = frozenset(f"{_LINEAR_ALGEBRA} {_LONG} {_LOSSES} {_IMAGES}".split())
WIDEST = frozenset(("cat", "concat", "concatenate", "index_copy", "stack"))
ALL = SMALLER | FLOAT32 | WIDEST


def is_cast(name: str) -> bool:
    """Whether the function of that name casts its tensors, here and now."""
    return name in ALL and get_ident() in active


def call_cast(function: Callable[..., Any], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The function on cast tensors, with autocast off inside."""
    here = get_ident()
    smaller = active.pop(here)
    try:
        if name in WIDEST:
            wide = any(tensor.dtype is dtypes.float32 for tensor in _tensors((args, kwargs)))
            target = dtypes.float32 if wide else smaller
        else:
            target = smaller if name in SMALLER else dtypes.float32
        return function(*cast(args, target), **cast(kwargs, target))
    finally:
        active[here] = smaller


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [tensor for item in items for tensor in _tensors(item)]


def cast(value: Any, target: dtypes.dtype) -> Any:
    """Floating-point tensors in the dtype, in sequences too; float64 stays what it is."""
    if isinstance(value, Tensor):
        return value.to(target) if value.is_floating_point() and value.dtype is not dtypes.float64 else value
    if type(value) in (list, tuple):
        return type(value)(cast(item, target) for item in value)
    if isinstance(value, dict):
        return {name: cast(item, target) for name, item in value.items()}
    return value
