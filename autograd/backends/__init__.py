"""``torch.backends``: what PyTorch computes with, and its switches. Here NumPy, SciPy and numba compute."""

from __future__ import annotations

from . import cuda, cudnn, mkl, mkldnn, mps, openmp, opt_einsum

__all__ = ["cuda", "cudnn", "mkl", "mkldnn", "mps", "openmp", "opt_einsum"]
