"""The Mersenne Twister as PyTorch's CPU generator holds it: seed, words, unit interval, normal pairs, state.

NumPy has the same 32-bit Mersenne Twister (Matsumoto & Nishimura 1998) with the same seeding; this module
turns its words into numbers by PyTorch's rules and lays its state out as PyTorch does.
"""

from __future__ import annotations

import math
import operator
import os
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import jit

__all__ = ["DEFAULT_SEED", "Twister", "pair"]

# The seed of a PyTorch generator that nobody seeded.
DEFAULT_SEED = 67280421310721
WORD, LOW24, LOW53 = (1 << 32) - 1, (1 << 24) - 1, (1 << 53) - 1
KEYS = 624
# Words become numbers in pieces that stay in the cache: 1.8 instead of 3.4 ms per million float32.
PIECE = 1 << 16
# Beyond so many words of 64 bits NumPy puts them together faster: 3.4 ns for each, not 5.7, and 3 us for the call.
FEW = 1 << 10

# PyTorch's generator state in memory; the gaps between the fields are padding.
STATE = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "key", "spare", "has_spare", "float_spare"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", KEYS), "<f8", "<i4", "V8"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040, 5048],
        "itemsize": 5056,
    }
)


class Twister:
    """A Mersenne Twister, the seed that started it and the spare normal of the last pair.

    Seeding and the state hold the lock; ``words``, ``long_words``, ``unit``, ``each``, ``hits`` and ``pairs`` expect
    their caller to. NumPy's random module is imported by the first draw. Twisters can be copied and pickled.
    """

    def __init__(self, seed: int = DEFAULT_SEED) -> None:
        self._lock = threading.Lock()
        self._engine: Any = None
        self.seed(seed)

    # Seed and state

    def seed(self, seed: int) -> None:
        """Starts the stream anew from a 64-bit ``seed``; a negative one counts as ``2**64 + seed``.

        Only the low 32 bits choose the sequence, as in PyTorch.

        Raises:
            RuntimeError: not an integer.
            ValueError: outside ``[-2**63, 2**64)``.
        """
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        seed = operator.index(seed)
        if not -(1 << 63) <= seed < 1 << 64:
            raise ValueError(f"Overflow when unpacking long long: seed {seed} is outside [-2**63, 2**64)")
        with self._lock:
            self._seed, self._fresh = seed % (1 << 64), True
            self._spare: float | None = None
            self._float_spare = bytes(8)
            if self._engine is not None:
                self._engine.seed(self._seed & WORD)

    def seed_from_entropy(self) -> int:
        """Starts the stream from 64 bits of the operating system's randomness and returns them."""
        seed = int.from_bytes(os.urandom(8), "little")
        self.seed(seed)
        return seed

    def initial_seed(self) -> int:
        """The seed that started the stream, in ``[0, 2**64)``."""
        return self._seed

    def get_state(self) -> np.ndarray:
        """The state as ``torch.get_rng_state()`` lays it out: 5056 bytes (uint8), spare normal included."""
        state = np.zeros((), STATE)
        with self._lock:
            twister = self._started().state["state"]
            state["seed"], state["seeded"], state["key"] = self._seed, 1, twister["key"]
            position = 0 if self._fresh else twister["pos"]
            state["left"], state["next"] = (1 if self._fresh else KEYS + 1 - position), position
            state["float_spare"] = np.void(self._float_spare)
            if self._spare is not None:
                state["spare"], state["has_spare"] = self._spare, 1
        return np.frombuffer(state.tobytes(), np.uint8).copy()

    def set_state(self, state: np.ndarray) -> None:
        """Goes on from a state that ``get_state()`` or ``torch.get_rng_state()`` saved.

        Raises:
            TypeError: not uint8.
            RuntimeError: not 5056 bytes, or not the state of a Mersenne Twister.
        """
        state = np.asarray(state)
        if state.dtype != np.uint8:
            raise TypeError(f"set_state: the state must be uint8, but got {state.dtype}")
        if state.size != STATE.itemsize:
            raise RuntimeError(f"set_state: expected a state of {STATE.itemsize} bytes, but got {state.size}")
        saved = np.frombuffer(state.tobytes(), STATE)[0]
        left, position = int(saved["left"]), int(saved["next"])
        fresh = (left, position) == (1, 0)
        if saved["seeded"] != 1 or not (fresh or (1 <= position <= KEYS and left + position == KEYS + 1)):
            raise RuntimeError(f"Invalid mt19937 state: seeded={saved['seeded']}, left={left}, next={position}")
        twister = {"key": saved["key"].astype(np.uint32), "pos": KEYS if fresh else position}
        with self._lock:
            self._started().state = {"bit_generator": "MT19937", "state": twister}
            self._seed, self._fresh = int(saved["seed"]), fresh
            self._spare = float(saved["spare"]) if saved["has_spare"] else None
            self._float_spare = saved["float_spare"].tobytes()

    def __getstate__(self) -> np.ndarray:
        return self.get_state()

    def __setstate__(self, state: np.ndarray) -> None:
        self.__init__()  # type: ignore[misc]
        self.set_state(state)

    # Words; the caller holds the lock

    def _started(self) -> Any:
        if self._engine is None:
            from numpy.random import MT19937, RandomState

            self._twister = MT19937(0)
            self._engine = RandomState(self._twister)
            self._engine.seed(self._seed & WORD)
        return self._twister

    def words(self, count: int) -> np.ndarray:
        """``count`` words of 32 bits, as uint64."""
        self._fresh = self._fresh and count == 0
        return self._started().random_raw(count)

    def long_words(self, count: int) -> np.ndarray:
        """``count`` words of 64 bits, the first drawn half above the second."""
        if count > FEW:
            self._fresh = False
            self._started()
            return self._engine.randint(0, 1 << 64, count, np.uint64)
        words = self.words(2 * count)
        pairs = words[0::2] << np.uint64(32)
        pairs |= words[1::2]
        return pairs

    def unit(self, count: int, dtype: np.dtype) -> np.ndarray:
        """Uniform on [0, 1), float64 for float64 and float32 otherwise."""
        wide = dtype == np.float64
        out = np.empty(count, np.float64 if wide else np.float32)
        for start in range(0, count, PIECE):
            piece = out[start : start + PIECE]
            words = self.long_words(piece.size) if wide else self.words(piece.size)
            words &= np.uint64(LOW53 if wide else LOW24)
            piece[:] = words.view(np.int64)
            np.multiply(piece, out.dtype.type(2.0**-53 if wide else 2.0**-24), out=piece)
        return out

    def each(
        self, loop: Callable[..., tuple[int, int, float]], columns: Sequence[np.ndarray], *facts: Any
    ) -> np.ndarray:
        """One number in float64 for each row of ``columns``, by a loop that takes as many float64 uniforms as it needs.

        Args:
            loop: ``loop(*columns, *facts, u, start, spare, out)`` fills ``out`` from ``start`` on and returns how many
                of the uniforms ``u`` it took, the row before which they came to an end, and the spare normal, or NaN.
                A row that it cannot finish takes none.
            columns: float64 vectors.
        """
        size = columns[0].size
        is_compiled = jit.use_loops(size)
        given: Sequence[Any] = columns
        out: Any = np.zeros(size)
        if is_compiled:
            from .rejection_loops import LOOPS

            loop = LOOPS[loop]
        else:
            given, out = [column.tolist() for column in columns], [0.0] * size
        done, spare = 0, math.nan if self._spare is None else self._spare
        ahead = 4 * size + 16
        while done < size:
            state, fresh, before = self._started().state, self._fresh, done
            u: Any = self.unit(min(ahead, PIECE), np.dtype(np.float64))
            used, done, spare = loop(*given, *facts, u if is_compiled else u.tolist(), done, spare, out)
            self._twister.state, self._fresh = state, fresh
            self.words(2 * used)
            ahead = 2 * ahead if done == before else 4 * (size - done) + 16
        self._spare = None if math.isnan(spare) else spare
        return np.asarray(out)

    def hits(self, count: int, p: float) -> np.ndarray:
        """Which of ``count`` float64 uniforms are below ``p``."""
        out = np.empty(count, np.bool_)
        # u < p without leaving the integers: u has 53 bits, and scaling p by 2**53 is exact.
        threshold = np.uint64(math.ceil(p * 2.0**53))
        for start in range(0, count, PIECE):
            piece = out[start : start + PIECE]
            np.less(self.long_words(piece.size) & np.uint64(LOW53), threshold, out=piece)
        return out

    def pairs(self, count: int) -> np.ndarray:
        """Standard normals in float64, two per four words; an odd one waits in ``_spare``."""
        spare = [] if self._spare is None or count == 0 else [self._spare]
        pairs = (count - len(spare) + 1) // 2
        u = self.unit(2 * pairs, np.dtype(np.float64)).reshape(-1, 2)
        z = np.empty((pairs, 2))
        if count < 16:
            # The C library's functions are PyTorch's to the last bit; NumPy's vectors are not.
            for row, (u1, u2) in zip(z, u.tolist(), strict=True):
                row[:] = pair(u1, u2)
        else:
            radius, angle = np.sqrt(-2.0 * np.log1p(-u[:, 1])), 2.0 * math.pi * u[:, 0]
            z[:, 0], z[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
        z = np.concatenate([spare, z.ravel()])
        if count:
            self._spare = float(z[count]) if z.size > count else None
        return z[:count]


def pair(u1: float, u2: float) -> tuple[float, float]:
    """Two standard normals of two uniforms (Box-Muller), by the C library's functions."""
    radius, angle = math.sqrt(-2.0 * math.log1p(-u2)), 2.0 * math.pi * u1
    return radius * math.cos(angle), radius * math.sin(angle)
