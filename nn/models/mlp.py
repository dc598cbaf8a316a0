"""The multilayer perceptron."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from ..activation import ReLU
from ..container import Sequential
from ..linear import Linear
from ..module import Module

__all__ = ["MLP"]


class MLP(Sequential):
    """Linear layers with an activation function between them, none after the last.

    Args:
        sizes: features of the input, of each hidden layer and of the output.
        activation: makes the layer that stands between two linear ones.

    Shape:
        - Input: ``(*, sizes[0])``
        - Output: ``(*, sizes[-1])``

    Raises:
        ValueError: fewer than two sizes, or one that is not a positive int.

    >>> import nn
    >>> nn.models.MLP(2, 16, 1, activation=nn.Tanh)
    MLP(
      (0): Linear(in_features=2, out_features=16, bias=True)
      (1): Tanh()
      (2): Linear(in_features=16, out_features=1, bias=True)
    )
    """

    def __init__(self, *sizes: int, activation: Callable[[], Module] = ReLU) -> None:
        if len(sizes) < 2:
            raise ValueError(f"MLP needs the sizes of an input and an output, such as MLP(2, 16, 1), but got {sizes}")
        for size in sizes:
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"MLP: sizes must be positive ints, but got {size!r} in {sizes}")
        layers: list[Module] = []
        for in_features, out_features in itertools.pairwise(sizes):
            if layers:
                layers.append(activation())
            layers.append(Linear(in_features, out_features))
        super().__init__()
        self.extend(layers)

    def __getitem__(self, index: int | slice) -> Any:
        layers = list(self)[index]
        return Sequential(*layers) if isinstance(index, slice) else layers
