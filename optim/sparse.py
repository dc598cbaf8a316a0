"""Updates by sparse gradients, which touch only the elements that the gradient has."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor, count_write

__all__ = ["add_at", "values_at"]


def values_at(dense: Tensor, gradient: Any) -> Tensor:
    """The elements of ``dense`` at the places of a coalesced sparse tensor, as its values lie."""
    return dense.detach()[tuple(gradient._indices())]


def add_at(dense: Tensor, gradient: Any, values: Tensor) -> None:
    """Adds ``values`` at the places of a sparse tensor, in place and unrecorded."""
    places = tuple(index._array for index in gradient.coalesce()._indices())
    dense._array[places] += values._array
    count_write(dense)
