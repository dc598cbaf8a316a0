"""``torch.__config__``: what chalkgrad computes with."""

from __future__ import annotations

import os
import platform

import numpy as np

from .kernels.threads import get_num_threads
from .version import __version__

__all__ = ["parallel_info", "show"]


def show() -> str:
    """A description of the versions and libraries in use, one a line."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    lines = [
        f"chalkgrad {__version__}",
        f"Python {platform.python_version()}",
        f"NumPy {np.__version__}",
        f"BLAS: {blas.get('name', 'unknown')} {blas.get('version', '')}".rstrip(),
    ]
    return "chalkgrad runs on:\n" + "".join(f"  - {line}\n" for line in lines)


def parallel_info() -> str:
    """A description of the threads that kernels run on."""
    variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    set_to = "".join(f"\t{name} : {os.environ.get(name, '[not set]')}\n" for name in variables)
    return (
        f"Parallel:\n\tget_num_threads() : {get_num_threads()}\n"
        f"\tos.cpu_count() : {os.cpu_count()}\nEnvironment variables:\n{set_to}"
    )
