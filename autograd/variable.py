"""PyTorch's path to the old name of `Tensor`."""

from .legacy import Variable

__all__ = ["Variable"]
