"""Saved values in the keeping of `graph.saved_tensors_hooks`: packed when they are saved, unpacked for the rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ..graph import state
from ..tensor import Tensor, wrap

__all__ = ["Packed", "pack_tensor", "unpack_tensor"]


class _Wrapped:
    """What a pack hook made of one saved tensor."""

    __slots__ = ("memory", "value")

    def __init__(self, value: Any, memory: int) -> None:
        self.value, self.memory = value, memory


class Packed:
    """Stands for the tuple of a node's saved values: walking through it unpacks them, one after the other.

    Args:
        saved: the values, of which ``versions`` have a version counter.
        pack, unpack: the hooks.
    """

    __slots__ = ("_items", "_pack", "_unpack")

    def __init__(
        self, saved: Sequence[Any], versions: int, pack: Callable[[Tensor], Any], unpack: Callable[[Any], Tensor]
    ) -> None:
        self._pack, self._unpack = pack, unpack
        # Numbers are 0-d arrays without a version counter, and no tensors to the hooks.
        scalars = [value for value in saved if isinstance(value, np.ndarray) and not value.ndim]
        arrays = sum(isinstance(value, np.ndarray) for value in saved)
        numbers = scalars if arrays - versions == len(scalars) else []
        self._items = [value if any(value is n for n in numbers) else self._packed(value) for value in saved]

    def _packed(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._packed(item) for item in value]
        if not isinstance(value, np.ndarray):
            return value
        return _Wrapped(pack_tensor(self._pack, wrap(value)), id(value))

    def _unpacked(self, item: Any) -> Any:
        if isinstance(item, list):
            return [self._unpacked(each) for each in item]
        return unpack_tensor(self._unpack, item.value)._array if isinstance(item, _Wrapped) else item

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Any]:
        return map(self._unpacked, self._items)

    def copy_before_write(self, array: np.ndarray) -> None:
        """Packs a copy in place of ``array``, which is about to be overwritten by the operator that saved it."""
        for i, item in enumerate(self._items):
            if isinstance(item, _Wrapped) and item.memory == id(array):
                self._items[i] = self._packed(array.copy())


def pack_tensor(pack: Callable[[Tensor], Any], tensor: Tensor) -> Any:
    """What the hook makes of ``tensor``.

    Raises:
        RuntimeError: the hook wrote to it.
    """
    before, state.grad = state.grad, False
    try:
        value = pack(tensor)
    finally:
        state.grad = before
    if tensor._version:
        raise RuntimeError(
            "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook can not "
            "be modified by in-place operations as this can lead to unexpected side-effects. Return a new tensor."
        )
    return value


def unpack_tensor(unpack: Callable[[Any], Tensor], value: Any) -> Tensor:
    """The tensor that the hook makes of a packed ``value``.

    Raises:
        TypeError: it gives something else.
    """
    tensor = unpack(value)
    if not isinstance(tensor, Tensor):
        raise TypeError(
            f"Output of saved tensor unpack_hook expected to be a Tensor but got result of type {type(tensor)}"
        )
    return tensor
