"""Neural networks: modules with parameters, layers, losses and their first values. As ``torch.nn``."""

import importlib
from typing import Any

from . import functional, init, modules, parallel, scalar, utils  # noqa: F401
from .activation import *
from .adaptive import *
from .adaptive_pooling import *
from .batchnorm import *
from .channelshuffle import *
from .container import *
from .conv import *
from .distance import *
from .dropout import *
from .embedding import *
from .flatten import *
from .fold import *
from .fractional_pooling import *
from .instancenorm import *
from .lazy import *
from .linear import *
from .loss import *
from .module import *
from .multihead import *
from .normalization import *
from .padding import *
from .parallel.data_parallel import *
from .parameter import *
from .parameter_container import *
from .pixelshuffle import *
from .pooling import *
from .rnn import *
from .rnn_cells import *
from .transformer import *
from .units import *
from .unpooling import *
from .upsampling import *


def __getattr__(name: str) -> Any:
    """A part that few programs use, loaded when it is first used."""
    if name in ("attention", "grad", "models"):
        return importlib.import_module(f"nn.{name}")
    raise AttributeError(f"module 'nn' has no attribute {name!r}")
