"""All parameters of a group as one: a formula is read once for all of them.

Loops walk through a `Table` of arrays. NumPy takes small parameters side by side, copied into flat arrays: a `Part`.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from autograd.kernels import jit
from autograd.kernels.gather import SMALL
from autograd.kernels.on_arrays import undispatched
from autograd.kernels.silence import silently
from autograd.tensor import root_of

__all__ = ["Layout", "Part", "Table"]

side_by_side = undispatched(np.concatenate)

# An update weighs as much as four elements of a pointwise loop. Measured with one thread, NumPy and a loop: six
# parameters of 9,000 elements in all, SGD 43 and 21 us, Adam 79 and 33; one of 4096, 16 and 13, 32 and 21.
WEIGHT = 4

Columns = Sequence[Sequence[np.ndarray]]


class Layout:
    """Which parameters may be computed together: contiguous ones of one dtype, apart from each other in memory.

    Args:
        columns: arrays: the parameters, and for each kind of state as many of the same shapes, or None where it is not
            there. They are not kept alive by what is known of them, small ones in parts excepted.

    Attributes:
        ids: which arrays they are, column by column.
        loops: whether so many go through loops.
        absent: which of a rule's arguments are not there.
        together: the tables for loops, or else the parts; of each dtype one.
        alone: places of the other parameters.
    """

    def __init__(self, columns: Sequence[Sequence[np.ndarray] | None]) -> None:
        self.ids = [None if column is None else [*map(id, column)] for column in columns]
        self.absent = [False, *[column is None for column in columns]]
        present = [column for column in columns if column is not None]
        arrays = [array for column in present for array in column]
        self._alive = alive = [True]
        self._references = [weakref.ref(array, lambda _: alive.clear()) for array in arrays]
        roots = [root_of(array) for array in arrays]
        self._owners = {id(root) for root in roots} | {id(root.base) for root in roots if root.base is not None}
        self._weight = WEIGHT * sum(param.size for param in present[0])
        self.loops = jit.use_loops(self._weight)
        by_dtype: dict[np.dtype, list[int]] = {}
        if _are_apart(arrays):
            for place, (param, *state) in enumerate(zip(*present, strict=True)):
                fits = param.dtype.char in Table.kinds if self.loops else param.size <= SMALL
                if fits and all(_is_alike(param, array) for array in (param, *state)):
                    by_dtype.setdefault(param.dtype, []).append(place)
        self.together: list[Table | Part] = [
            Table(present, places) if self.loops else Part(present, places, self.absent)
            for places in by_dtype.values()
            if self.loops or len(places) > 1
        ]
        joined = {place for part in self.together for place in part.places}
        self.alone = [place for place in range(len(present[0])) if place not in joined]

    def is_of(self, ids: list[list[int] | None]) -> bool:
        """Whether these are the arrays' ids, and go through loops as before. An array that is gone may have left its id
        to another one."""
        known = self._alive and self.ids == ids
        return bool(known) and self.loops == jit.use_loops(self._weight)

    def is_apart_from(self, arrays: Sequence[np.ndarray]) -> bool:
        """Whether other arrays, such as the gradients, share no memory with what is written."""
        return self._owners.isdisjoint([id(array if array.base is None else array.base) for array in arrays])


class Table:
    """Which arrays the parameters of one dtype, their gradients and their state are.

    Attributes:
        rows: for each parameter the number of elements up to its end, and the ids of the gradient's array, of the
            parameter's and of its state's. Complex numbers count as two.
        places: places of the parameters in their columns.
        dtype: that of the parameters.
    """

    kinds = "fdFD"

    def __init__(self, columns: Columns, places: list[int]) -> None:
        params = [columns[0][place] for place in places]
        self.places, self.dtype = places, params[0].dtype
        self._shapes = [param.shape for param in params]
        self.rows = np.empty((len(places), 2 + len(columns)), np.int64)
        self.rows[:, 0] = np.cumsum([param.size for param in params]) * (2 if self.dtype.kind == "c" else 1)
        for number, column in enumerate(columns):
            self.rows[:, 2 + number] = [id(column[place]) for place in places]

    def gather(self, gradients: Sequence[np.ndarray]) -> bool:
        """Fills in the gradients' ids; False where one is not as its parameter is."""
        if len(gradients) != len(self.places):
            gradients = [gradients[place] for place in self.places]
        if [gradient.shape for gradient in gradients] != self._shapes:
            return False
        for gradient in gradients:
            if gradient.dtype != self.dtype or not gradient.flags.c_contiguous:
                return False
        self.rows[:, 1] = [*map(id, gradients)]
        return True


class Part:
    """Small parameters of one dtype, their gradients and their state, as rows of one array.

    Attributes:
        rows: what a rule takes: the gradients, parameters and state, None for what is absent.
        places: places of the parameters in their columns.
    """

    def __init__(self, columns: Columns, places: list[int], absent: list[bool]) -> None:
        chosen = [[column[place] for place in places] for column in columns]
        self.places, self._shapes = places, [param.shape for param in chosen[0]]
        ends = list(accumulate(param.size for param in chosen[0]))
        rows = np.empty((1 + len(chosen), ends[-1]), chosen[0][0].dtype)
        free = iter(rows)
        self.rows = [None if is_absent else next(free) for is_absent in absent]
        self._memory = rows.reshape(-1)
        self._arrays = [array.reshape(-1) for column in chosen for array in column]
        self._pieces: list[tuple[np.ndarray, np.ndarray]] = []
        for row, column in zip(rows[1:], chosen, strict=True):
            pieces = zip(np.split(row, ends[:-1]), self._shapes, strict=True)
            self._pieces += zip(column, [piece.reshape(shape) for piece, shape in pieces], strict=True)
        self._constants: dict[str, Any] = {}
        self._numbers: dict[str, Any] = {}

    def gather(self, gradients: Sequence[np.ndarray]) -> bool:
        """Fills the rows; False where a gradient is of another shape than its parameter, or of a wider dtype."""
        if len(gradients) != len(self.places):
            gradients = [gradients[place] for place in self.places]
        if [gradient.shape for gradient in gradients] != self._shapes:
            return False
        try:
            gathered = [gradient.ravel() for gradient in gradients] + self._arrays
            side_by_side(gathered, 0, self._memory, casting="safe")
        except TypeError:
            return False
        return True

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
