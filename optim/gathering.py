"""Many small parameters as one: side by side in flat arrays, so that a formula is read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from autograd.kernels.silence import silently
from autograd.tensor import root_of

__all__ = ["SMALL", "Layout", "Part"]

SMALL = 2048  # elements: of larger parameters the copies cost more than the calls that they save (measured)

Columns = Sequence[Sequence[np.ndarray] | None]


class Layout:
    """Which parameters may lie side by side: small ones of one dtype, contiguous, and apart from each other in memory.

    Args:
        ids: which arrays they are. Large ones are not kept alive by what is known of them.
        columns: parameters, and for each kind of state as many arrays of the same shapes; None where it is absent.

    Attributes:
        size: number of elements of all parameters.
        parts: small parameters of each dtype.
        alone: places of the other parameters.
    """

    def __init__(self, ids: list[int | None], columns: Columns) -> None:
        self.ids = ids
        present = [column for column in columns if column is not None]
        arrays = [array for column in present for array in column]
        self._owners = {id(root_of(array)) for array in arrays}
        self.size = sum(param.size for param in present[0])
        by_dtype: dict[np.dtype, list[int]] = {}
        if _are_apart(arrays):
            for place, (param, *state) in enumerate(zip(*present, strict=True)):
                if param.size <= SMALL and all(_is_alike(param, array) for array in (param, *state)):
                    by_dtype.setdefault(param.dtype, []).append(place)
        self.parts = [Part(columns, places) for places in by_dtype.values() if len(places) > 1]
        together = {place for part in self.parts for place in part.places}
        self.alone = [place for place in range(len(present[0])) if place not in together]

    def is_apart_from(self, arrays: Sequence[np.ndarray]) -> bool:
        """Whether other arrays, such as the gradients, share no memory with what is written."""
        owners = self._owners
        return owners.isdisjoint(map(id, arrays)) and owners.isdisjoint([id(array.base) for array in arrays])


class Part:
    """Small arrays of one dtype and their flat arrays: ``flat``, for each column of a `Layout`."""

    def __init__(self, columns: Columns, places: list[int]) -> None:
        chosen = [None if column is None else [column[place] for place in places] for column in columns]
        params = next(column for column in chosen if column is not None)
        self.places, self._shapes = places, [param.shape for param in params]
        ends = list(accumulate(param.size for param in params))
        self.flat = [None if column is None else np.empty(ends[-1], params[0].dtype) for column in chosen]
        self._rows: list[tuple[np.ndarray, list[np.ndarray]]] = []
        self._pieces: list[tuple[np.ndarray, np.ndarray]] = []
        for flat, column in zip(self.flat, chosen, strict=True):
            if flat is not None and column is not None:
                self._rows.append((flat, [array.reshape(-1) for array in column]))
                pieces = zip(np.split(flat, ends[:-1]), self._shapes, strict=True)
                self._pieces += zip(column, [piece.reshape(shape) for piece, shape in pieces], strict=True)
        self._constants: dict[str, Any] = {}
        self._numbers: dict[str, Any] = {}

    def gather(self, gradients: Sequence[np.ndarray]) -> np.ndarray | None:
        """The gradients side by side, after all columns; None where one is of another shape or of a wider dtype."""
        if len(gradients) != len(self.places):
            gradients = [gradients[place] for place in self.places]
        if [gradient.shape for gradient in gradients] != self._shapes:
            return None
        together = np.concatenate([gradient.ravel() for gradient in gradients])
        for flat, arrays in self._rows:
            np.concatenate(arrays, 0, flat)
        return together if together.dtype == self._rows[0][0].dtype else None

    def scatter(self) -> None:
        """The flat arrays' values back to where they were gathered."""
        for array, piece in self._pieces:
            array[...] = piece

    def numbers(self, constants: dict[str, Any], dtype: np.dtype) -> dict[str, Any]:
        """Constants as arrays without dimensions, which NumPy takes in half the time of Python's numbers."""
        if constants != self._constants:
            silently(self._set_numbers, constants, dtype)
        return self._numbers

    def _set_numbers(self, constants: dict[str, Any], dtype: np.dtype) -> None:
        if not self._numbers:
            self._numbers = {name: np.empty((), dtype) for name in constants}
        for name, value in constants.items():
            if value is True or value is False:
                self._numbers[name] = value
            else:
                self._numbers[name].fill(value)
        self._constants = constants


def _is_alike(param: np.ndarray, array: np.ndarray) -> bool:
    return array.flags.c_contiguous and array.dtype == param.dtype and array.shape == param.shape


def _are_apart(arrays: Sequence[np.ndarray]) -> bool:
    bounds = sorted(np.lib.array_utils.byte_bounds(array) for array in arrays if array.size)
    return all(stop <= start for (_, stop), (start, _) in pairwise(bounds))
