"""Models on several devices. There is one, the CPU, so that these run a model as it is; names in state dicts change.

`DataParallel` and `DistributedDataParallel` put ``module.`` before every name, as they do in PyTorch.
"""

from .data_parallel import DataParallel, data_parallel
from .distributed import DistributedDataParallel
from .parallel_apply import parallel_apply
from .replicate import replicate
from .scatter_gather import gather, scatter, scatter_kwargs

__all__ = [
    "DataParallel",
    "DistributedDataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
    "scatter_kwargs",
]
