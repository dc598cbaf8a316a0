"""torch.compile: PyTorch's workloads, the function or the model compiled."""

from __future__ import annotations

from functools import partial

import torch

from benchmarks import layers, overhead, training
from benchmarks.rivals import programs
from benchmarks.workload import Library

_LIBRARY = Library("torch", compiled=torch.compile)
_FAMILIES = {**overhead.WORKLOADS, **layers.WORKLOADS, **training.WORKLOADS}
_TITLES = (
    programs.CHAIN, *programs.PERCEPTRONS, *programs.POINTWISE, "GELU, 1 M", "softmax, 1000x1000",
    "layer norm, 1000x1000",
)  # fmt: skip

WORKLOADS = {title: partial(_FAMILIES[title].make, _LIBRARY) for title in _TITLES}
