"""PyTorch's places of layers: ``nn.modules.conv.Conv2d`` is ``nn.Conv2d``. No copies, only the table below."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

# PyTorch's module -> those of `nn` that hold what it holds.
PLACES = {
    "activation": "activation multihead",
    "adaptive": "adaptive",
    "batchnorm": "batchnorm",
    "channelshuffle": "channelshuffle",
    "container": "container parameter_container",
    "conv": "conv",
    "distance": "distance",
    "dropout": "dropout",
    "flatten": "flatten",
    "fold": "fold",
    "instancenorm": "instancenorm",
    "lazy": "lazy",
    "linear": "linear",
    "loss": "loss",
    "module": "module hooks state_dict",
    "normalization": "normalization",
    "padding": "padding",
    "pixelshuffle": "pixelshuffle",
    "pooling": "pooling adaptive_pooling fractional_pooling unpooling",
    "rnn": "rnn rnn_cells",
    "sparse": "embedding",
    "transformer": "transformer",
    "upsampling": "upsampling",
    "utils": "tuples state_dict",
}

# Bases of layers that have other names here.
NAMES = {
    "_AdaptiveAvgPoolNd": "_AdaptiveAvgPool",
    "_AdaptiveMaxPoolNd": "_AdaptiveMaxPool",
    "_AvgPoolNd": "_AvgPool",
    "_DropoutNd": "_Dropout",
    "_IncompatibleKeys": "IncompatibleKeys",
    "_LPPoolNd": "_LPPool",
    "_MaxPoolNd": "_MaxPool",
    "_MaxUnpoolNd": "_MaxUnpool",
}


def _finder(place: str) -> Callable[[str], Any]:
    def find(name: str) -> Any:
        sources = [importlib.import_module(f"nn.{source}") for source in PLACES[place].split()]
        if name == "__all__":
            return [each for source in sources for each in source.__all__]
        for source in sources:
            if hasattr(source, NAMES.get(name, name)):
                return getattr(source, NAMES.get(name, name))
        raise AttributeError(f"module 'nn.modules.{place}' has no attribute {name!r}")

    return find


for _place in PLACES:
    _module = ModuleType(f"{__name__}.{_place}", f"Where PyTorch has what is in: {PLACES[_place]}.")
    _module.__getattr__ = _finder(_place)  # type: ignore[method-assign]
    sys.modules[_module.__name__] = globals()[_place] = _module


def __getattr__(name: str) -> Any:
    import nn

    if not name.startswith("_") and isinstance(found := getattr(nn, name, None), type):
        return found
    raise AttributeError(f"module 'nn.modules' has no attribute {name!r}")
