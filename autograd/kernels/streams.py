"""PyTorch's CPU random streams on plain ndarrays: the same seed gives the same numbers, draw by draw.

Each distribution turns words of the Mersenne Twister into numbers by PyTorch's rule and takes as many,
so any sequence of draws stays in step:

- On the unit interval float32, float16 and bfloat16 have the low 24 bits of a word, float64 the low 53 of two.
- exponential, geometric, cauchy, log_normal and bernoulli with a number draw 53 bits whatever the dtype.
- normal makes blocks of 8 cosines and 8 sines from 16 elements on; below, pairs whose second half is kept.

Results equal PyTorch's bit for bit, except that NumPy's log, sin, cos and tan may differ in the last place (those of
float32 normals are made as PyTorch makes them on processors with AVX2).
On Intel processors PyTorch's exponential_, bernoulli_ of a number and what rests on them (dropout, sampling
without replacement) draw from MKL instead; this is the stream of all other processors.

Elements are drawn in C order. PyTorch fills a transposed or permuted target in the order of its memory: draw
the flat array and lay it out by descending stride.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence

import numpy as np
from numpy.typing import DTypeLike

from autograd.kernels import box_muller, sampling
from autograd.kernels.halves import FLOATING, INEXACT, finfo, is_half
from autograd.kernels.twister import PIECE, Twister

__all__ = ["MT19937Stream"]

Shape = int | Sequence[int]

# From this range on PyTorch takes two words per integer.
WIDE_RANGE = 1 << 28
# From this length on a permutation takes two words per element and swaps backward.
LONG_PERMUTATION = ((1 << 32) - 1) // 20


class MT19937Stream(Twister):
    """One random stream: a Mersenne Twister, its seed and the spare normal of the last pair.

    Every draw holds a lock, so threads may share a stream; each sees whole draws. NumPy's random module is
    imported by the first draw. Streams can be copied and pickled.

    >>> stream = MT19937Stream(1337)
    >>> stream.uniform(3)
    array([0.07831711, 0.49561673, 0.62309813], dtype=float32)
    >>> stream.integers(0, 10, (2, 3)).shape
    (2, 3)
    """

    # Continuous distributions

    def uniform(self, shape: Shape, dtype: DTypeLike = np.float32, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        """``low + (high - low) * u``, u uniform on [0, 1): ``torch.rand``, ``uniform_``.

        A value that rounds up to ``high`` becomes ``low``. Complex dtypes draw real and imaginary parts.

        Raises:
            RuntimeError: ``low > high``, or a bound or their difference is no finite number of the dtype.
        """
        dtype, shape = _checked("uniform_", dtype, INEXACT), _dimensions(shape)
        if dtype.kind == "c":
            return _complex(self.uniform((*shape, 2), _part(dtype), low, high), dtype)
        largest = float(finfo(dtype).max)
        for name, bound in (("from", low), ("to", high)):
            if not -largest <= bound <= largest:
                raise RuntimeError(f"uniform_: {name}={bound} is out of bounds for {dtype}")
        if low > high:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
        if high - low > largest:
            raise RuntimeError(f"uniform_: to - from exceeds the largest {dtype} ({largest}): {high} - {low}")
        with self._lock:
            unit = self.unit(math.prod(shape), dtype)
        if (low, high) == (0, 1) and not is_half(dtype):
            return unit.reshape(shape)
        out = unit if unit.dtype == dtype else np.empty(unit.shape, dtype)
        for start in range(0, unit.size, PIECE):
            piece = out[start : start + PIECE]
            piece[:] = sampling.between(unit[start : start + PIECE], low, high)
            piece[piece >= dtype.type(high)] = low
        return out.reshape(shape)

    def normal(
        self,
        shape: Shape,
        dtype: DTypeLike = np.float32,
        mean: float = 0.0,
        std: float = 1.0,
        contiguous: bool = True,
    ) -> np.ndarray:
        """``mean + std * z``, z standard normal: ``torch.randn``, ``normal_``, ``torch.normal`` with a size.

        Box-Muller: ``sqrt(-2 log(1 - u1)) * (cos, sin)(2 pi u2)``, in blocks of 16; what is left over is replaced by
        a block of its own, from the end. Fewer than 16 elements are drawn in pairs
        whose second half waits for the next such call. Complex dtypes have variance ``std**2 / 2`` per part.

        Args:
            contiguous: False draws in pairs at any size, as PyTorch does for targets that are not contiguous.

        Raises:
            RuntimeError: ``std`` is negative or NaN.
        """
        shape, size = _dimensions(shape), math.prod(_dimensions(shape))
        if not std >= 0:
            raise RuntimeError(f"normal expects std >= 0.0, but found std={std}")
        dtype = _checked("normal_", dtype, INEXACT) if size else np.dtype(dtype)
        if not size:
            return np.empty(shape, dtype)
        if dtype.kind == "c":
            parts = self.normal((*shape, 2), _part(dtype), mean, std / math.sqrt(2), contiguous)
            return _complex(parts, dtype)
        with self._lock:
            if size < 16 or not contiguous:
                z = self.pairs(size)
                z = z if (mean, std) == (0, 1) else sampling.fused(z, std, mean)
                return sampling.rounded(z, dtype).reshape(shape)
            whole, rest = size // 16 * 16, size % 16
            # Halves draw whole blocks only; the others also draw the numbers that the last block replaces.
            drawn = whole if is_half(dtype) else size
            u = self.unit(drawn + 16 if rest else size, dtype)
        if rest:
            u = np.concatenate([u[:whole], u[drawn:]])
        if dtype == np.float32:
            z = box_muller.box_muller(u, mean, std)
        else:
            z = sampling.box_muller(u)
            z = z if (mean, std) == (0, 1) else sampling.affine(z, std, mean)
        if rest:
            z, last = np.empty(size, z.dtype), z
            z[:whole], z[size - 16 :] = last[:whole], last[whole:]
        return sampling.rounded(z, dtype).reshape(shape)

    def log_normal(
        self, shape: Shape, dtype: DTypeLike = np.float32, mean: float = 1.0, std: float = 2.0
    ) -> np.ndarray:
        """``exp(mean + std * z)``, z standard normal and drawn in pairs at any size: ``log_normal_``.

        Raises:
            RuntimeError: ``std`` is not positive.
        """
        dtype, shape = _checked("log_normal_", dtype), _dimensions(shape)
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
        with self._lock:
            z = self.pairs(math.prod(shape))
        with np.errstate(over="ignore"):
            return sampling.rounded(np.exp(sampling.fused(z, std, mean)), dtype).reshape(shape)

    def exponential(self, shape: Shape, dtype: DTypeLike = np.float32, lambd: float = 1.0) -> np.ndarray:
        """``-log(1 - u) / lambd``: ``exponential_``.

        Raises:
            RuntimeError: ``lambd`` is not positive.
        """
        dtype, shape = _checked("exponential_", dtype, error=RuntimeError), _dimensions(shape)
        if not lambd > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={lambd}")
        with self._lock:
            return self._exponential(shape, dtype, lambd)

    def cauchy(
        self, shape: Shape, dtype: DTypeLike = np.float32, median: float = 0.0, sigma: float = 1.0
    ) -> np.ndarray:
        """``median + sigma * tan(pi * (u - 1/2))``: ``cauchy_``.

        Raises:
            RuntimeError: ``sigma`` is not positive.
        """
        dtype, shape = _checked("cauchy_", dtype, error=RuntimeError), _dimensions(shape)
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        with self._lock:
            u = self.unit(math.prod(shape), np.dtype(np.float64))
        return sampling.rounded(median + sigma * np.tan(math.pi * (u - 0.5)), dtype).reshape(shape)

    # Discrete distributions

    def geometric(self, shape: Shape, dtype: DTypeLike = np.float32, p: float = 0.5) -> np.ndarray:
        """Trials up to the first success, ``ceil(log(u) / log(1 - p))``: ``geometric_``; any real dtype.

        Raises:
            RuntimeError: ``p`` is not in (0, 1).
        """
        dtype, shape = _checked("geometric_", dtype, "fViu"), _dimensions(shape)
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
        with self._lock:
            u = self.unit(math.prod(shape), np.dtype(np.float64))
        with np.errstate(divide="ignore"):
            trials = np.ceil(np.log(u) / math.log1p(-p))
        if dtype.kind in FLOATING:
            return sampling.rounded(trials, dtype).reshape(shape)
        return trials.astype(np.int64).astype(dtype).reshape(shape)

    def bernoulli(
        self, p: float | np.ndarray, shape: Shape | None = None, dtype: DTypeLike | None = None
    ) -> np.ndarray:
        """1 with probability ``p``, else 0: ``bernoulli_(p)`` of a number, ``bernoulli(p)`` of an array.

        A number and an array of equal numbers give different draws, as in PyTorch.

        Args:
            p: a number, or an array of floats that broadcasts to ``shape``.
            shape: required with a number; an array's own shape by default.
            dtype: float32 with a number, the array's dtype by default.

        Raises:
            RuntimeError: a probability outside [0, 1].
            NotImplementedError: an array that is not floating-point, or a dtype that PyTorch does not fill.
            TypeError: a number without a shape.
        """
        if not isinstance(p, np.ndarray):
            if shape is None:
                raise TypeError(f"bernoulli: a number p={p} needs the shape of the result")
            if not 0 <= p <= 1:
                raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p}")
            dtype, shape = _checked("bernoulli_", np.float32 if dtype is None else dtype, "fViub"), _dimensions(shape)
            with self._lock:
                hits = self.hits(math.prod(shape), float(p))
            return hits.astype(dtype, copy=False).reshape(shape)
        kind = _checked("bernoulli", p.dtype)
        dtype = _checked("bernoulli", kind if dtype is None else dtype, "fViub")
        probabilities = np.broadcast_to(p, p.shape if shape is None else _dimensions(shape))
        if not ((p >= 0) & (p <= 1)).all():
            raise RuntimeError(f"bernoulli expects p to be in [0, 1], but got values from {p.min()} to {p.max()}")
        with self._lock:
            unit = self.unit(probabilities.size, kind)
        return (unit.reshape(probabilities.shape) < probabilities).astype(dtype)

    def integers(self, low: int, high: int | None, shape: Shape, dtype: DTypeLike = np.int64) -> np.ndarray:
        """Integers of ``[low, high)``: ``torch.randint``, ``random_(from, to)``.

        The draw is ``word % (high - low) + low``, of a 64-bit word where the range has 2**28 values or more.
        A range of all 64 bits takes the word as it is. With a float dtype, a bound that rounding could reach
        is moved inward.

        Args:
            high: None means through the dtype's largest integer (2**24 for float32): ``random_(from, None)``.

        Raises:
            RuntimeError: an empty range, or a bound that the dtype does not hold.
        """
        dtype, shape = _checked("random_", dtype, "fViub", RuntimeError), _dimensions(shape)
        low, whole = operator.index(low), high is None and low == -(1 << 63)
        high = sampling.largest(dtype) + 1 if high is None else operator.index(high)
        high = 1 << 63 if whole else high
        if low >= high:
            raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
        smallest, biggest = sampling.bounds(dtype)
        for name, bound in (("from", low), ("to - 1", high - 1)):
            if not smallest <= bound <= biggest:
                raise RuntimeError(
                    f"random_: {name} is out of bounds for {dtype}: {bound} is not in [{smallest}, {biggest}]"
                )
        if dtype.kind in FLOATING and not whole:
            low, high = sampling.representable(low, high, dtype)
            if low >= high:
                raise RuntimeError(f"random_ expects 'from' < 'to' after rounding to {dtype}, but {low} >= {high}")
        span, size = high - low, math.prod(shape)
        with self._lock:
            words = self.long_words(size) if span >= WIDE_RANGE else self.words(size)
        if span < 1 << 64:
            words %= np.uint64(span)
            words += np.uint64(low % (1 << 64))
        return (words if dtype == np.uint64 else words.view(np.int64)).astype(dtype).reshape(shape)

    def random(self, shape: Shape, dtype: DTypeLike = np.int64) -> np.ndarray:
        """``random_()`` without bounds: ``[0, largest]`` of an integer dtype, ``[0, 2**digits]`` of a float.

        Raises:
            NotImplementedError: uint16, uint32, uint64 and complex, which PyTorch does not fill either.
        """
        dtype, shape = _checked("random_", dtype, "fViub"), _dimensions(shape)
        if dtype.kind == "u" and dtype.itemsize > 1:
            raise NotImplementedError(f"random_ does not support {dtype}; give bounds, or draw int64 and convert")
        with self._lock:
            wide = dtype in (np.int64, np.float64)
            words = self.long_words(math.prod(shape)) if wide else self.words(math.prod(shape))
        words %= np.uint64(sampling.largest(dtype) + 1)
        return words.astype(dtype).reshape(shape)

    def poisson(self, rates: np.ndarray) -> np.ndarray:
        """Poisson numbers, one for each of ``rates`` and in its dtype: ``torch.poisson``.

        Raises:
            NotImplementedError: rates that are not floating-point.
            RuntimeError: a negative rate or NaN.
        """
        dtype = _checked("poisson", rates.dtype)
        if not (rates >= 0).all():
            raise RuntimeError("poisson: invalid Poisson rate, expected rate to be non-negative")
        from autograd.kernels.counts import poisson

        with self._lock:
            return sampling.rounded(poisson(rates, self), dtype)

    def binomial(self, count: np.ndarray, prob: np.ndarray) -> np.ndarray:
        """Successes in ``count`` trials of chance ``prob``, arrays of one dtype that broadcast: ``torch.binomial``.

        Raises:
            ValueError: an array that is not floating-point.
            NotImplementedError: float16 and bfloat16.
            RuntimeError: two dtypes.
        """
        for name, array in (("count", count), ("prob", prob)):
            if array.dtype.kind not in FLOATING:
                raise ValueError(f"binomial only supports floating-point dtypes for {name}, got: {array.dtype}")
        if count.dtype != prob.dtype:
            raise RuntimeError(f"binomial: count and prob must have one dtype, but got {count.dtype} and {prob.dtype}")
        if is_half(count.dtype):
            raise NotImplementedError(f"binomial is not implemented for {count.dtype}; convert to float32")
        from autograd.kernels.counts import binomial

        trials, chances = np.broadcast_arrays(count, prob)
        with self._lock:
            return binomial(trials, chances, self)

    def gamma(self, shapes: np.ndarray) -> np.ndarray:
        """Gamma numbers of rate 1 in float64, one for each of ``shapes``: what ``torch._standard_gamma`` rounds."""
        _checked("_standard_gamma", shapes.dtype)
        from autograd.kernels.gamma import gamma

        with self._lock:
            return gamma(shapes, self)

    def permutation(self, n: int, dtype: DTypeLike = np.int64) -> np.ndarray:
        """The integers of ``[0, n)`` in random order (Fisher-Yates): ``torch.randperm``.

        Raises:
            RuntimeError: ``n`` is negative, or the dtype does not hold every integer below ``n``.
        """
        dtype, n = _checked("randperm", dtype, "fViu"), operator.index(n)
        if n < 0:
            raise RuntimeError(f"randperm: n must be non-negative, but got {n}")
        if n - 1 > sampling.largest(dtype):
            raise RuntimeError(f"randperm: n={n} is too large for {dtype}, which holds up to {sampling.largest(dtype)}")
        with self._lock:
            if n < LONG_PERMUTATION:
                steps = np.arange(max(n - 1, 0), dtype=np.uint64)
                partners = self.words(steps.size) % (np.uint64(n) - steps) + steps
            else:
                steps = np.arange(n, dtype=np.uint64)
                partners = self.long_words(n) % (steps + np.uint64(1))
        return sampling.swapped(n, partners).astype(dtype)

    def multinomial(self, weights: np.ndarray, num_samples: int, replacement: bool = False) -> np.ndarray:
        """Indices drawn in proportion to the last axis of ``weights``: ``torch.multinomial``.

        Without replacement (and for one sample) the largest of ``weight / exponential`` are taken, in order.

        Args:
            weights: non-negative floats, ``(categories,)`` or ``(rows, categories)``; rows need not sum to 1.

        Returns:
            int64 of shape ``(num_samples,)`` or ``(rows, num_samples)``.

        Raises:
            RuntimeError: a shape, a number of samples or a weight that does not fit.
        """
        _check_multinomial(weights, num_samples, replacement)
        rows = np.atleast_2d(weights)
        if replacement and num_samples > 1:
            with self._lock:
                u = self.unit(len(rows) * num_samples, np.dtype(np.float64))
            picks = sampling.slots(rows, u.reshape(len(rows), num_samples))
        else:
            with self._lock:
                times = sampling.in_memory_order(rows, lambda shape: self._exponential(shape, rows.dtype, 1.0))
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                picks = sampling.leaders(rows / times, num_samples)
        return picks.reshape(*weights.shape[:-1], num_samples)

    # The caller holds the lock

    def _exponential(self, shape: tuple[int, ...], dtype: np.dtype, lambd: float) -> np.ndarray:
        u = self.unit(math.prod(shape), np.dtype(np.float64))
        return sampling.rounded(np.log1p(-u) * (-1.0 / lambd), dtype).reshape(shape)


def _dimensions(shape: Shape) -> tuple[int, ...]:
    dimensions = tuple(map(operator.index, shape if isinstance(shape, Sequence) else (shape,)))
    if any(size < 0 for size in dimensions):
        raise RuntimeError(f"Trying to create tensor with negative dimension: {list(dimensions)}")
    return dimensions


def _checked(
    name: str, dtype: DTypeLike, kinds: str = FLOATING, error: type[Exception] = NotImplementedError
) -> np.dtype:
    dtype = np.dtype(dtype)
    if dtype.kind not in kinds or (dtype.kind in "fc" and dtype.itemsize > (8 if dtype.kind == "f" else 16)):
        words = {"f": "floating-point", "c": "complex", "i": "integer", "u": "unsigned integer", "b": "bool"}
        wanted = " or ".join(words[kind] for kind in kinds if kind in words)
        raise error(f"{name} needs a {wanted} dtype of at most 64 bits per number, but got {dtype}")
    return dtype


def _complex(parts: np.ndarray, dtype: np.dtype) -> np.ndarray:
    return parts.view(dtype).reshape(parts.shape[:-1])


def _part(dtype: np.dtype) -> np.dtype:
    return np.dtype(np.float32 if dtype.itemsize == 8 else np.float64)


def _check_multinomial(weights: np.ndarray, num_samples: int, replacement: bool) -> None:
    if weights.dtype.kind not in FLOATING:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {weights.dtype}")
    if weights.ndim not in (1, 2):
        raise RuntimeError(f"multinomial: prob_dist must be 1 or 2 dim, but got shape {weights.shape}")
    categories = weights.shape[-1]
    if num_samples < 1:
        raise RuntimeError(f"multinomial: cannot sample n_sample <= 0 samples, got num_samples={num_samples}")
    if not replacement and num_samples > categories:
        raise RuntimeError(
            "multinomial: cannot sample n_sample > prob_dist.size(-1) samples without replacement: "
            f"num_samples={num_samples}, {categories} categories; pass replacement=True"
        )
    if categories > 1 << 24:
        raise RuntimeError(f"multinomial: number of categories cannot exceed 2^24, but got {categories}")
    if not (np.isfinite(weights) & (weights >= 0)).all():
        raise RuntimeError("multinomial: probability tensor contains either `inf`, `nan` or element < 0")
    if not (weights.sum(axis=-1, dtype=np.float64) > 0).all():
        raise RuntimeError("multinomial: invalid multinomial distribution (sum of probabilities <= 0)")
