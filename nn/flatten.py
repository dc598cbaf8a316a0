"""Layers that change the shape only."""

from __future__ import annotations

from collections.abc import Sequence

from autograd.tensor import Tensor

from .module import Module

__all__ = ["Flatten", "Unflatten"]


class Flatten(Module):
    """Makes one dimension of the dimensions ``start_dim`` to ``end_dim``.

    Args:
        start_dim: the first of them; 1 keeps the batch.
        end_dim: the last of them.

    Shape:
        - Input: ``(*, S_start, …, S_end, *)``
        - Output: ``(*, S_start · … · S_end, *)``

    >>> import autograd, nn
    >>> nn.Flatten()(autograd.zeros(32, 1, 5, 5)).shape
    torch.Size([32, 25])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, input: Tensor) -> Tensor:
        return input.flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one dimension into several.

    Args:
        dim: the dimension to split.
        unflattened_size: the sizes of the new dimensions; one of them may be -1.

    Shape:
        - Input: ``(*, S_dim, *)``
        - Output: ``(*, *unflattened_size, *)``

    Raises:
        TypeError: ``dim`` is not an int, or the sizes are not a sequence of ints.

    >>> import autograd, nn
    >>> nn.Unflatten(1, (2, 5))(autograd.zeros(3, 10)).shape
    torch.Size([3, 2, 5])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int):
            raise TypeError(f"Unflatten: dim must be an int, but got {type(dim).__name__}")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError(
                "unflattened_size must be a tuple of ints, but found type " + type(unflattened_size).__name__
            )
        for position, size in enumerate(unflattened_size):
            if not isinstance(size, int):
                raise TypeError(
                    "unflattened_size must be tuple of ints, but found element of type "
                    f"{type(size).__name__} at pos {position}"
                )
        self.dim = dim
        self.unflattened_size = unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
