"""Window functions: `autograd.signal.windows`, and the older `autograd.hann_window` and its kin.

A window of ``M`` points is sampled from a shape over its period: ``M - 1`` steps where it is symmetric (for filters),
``M`` where it is periodic (for spectral analysis: the point that would close the period is left out). Formulas:
Harris, On the use of windows for harmonic analysis with the discrete Fourier transform (1978); Nuttall (1981).
Computed in float64 and rounded once.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..devices import require_cpu
from ..dtypes import default_dtype, float32, float64, from_numpy_dtype, strided, to_numpy_dtype
from ..kernels.halves import FLOATING
from ..rows.public import function
from ..tensor import Tensor, wrap
from .create import creation

BLACKMAN = (0.42, 0.5, 0.08)
NUTTALL = (0.3635819, 0.4891775, 0.1365995, 0.0106411)

# --- Shapes --------------------------------------------------------------------------------------------------------


def _steps(count: int, sym: bool) -> int:
    """Steps in a period of a window of ``count`` points."""
    return count - 1 if sym else count


def _cosines(count: int, coefficients: Sequence[float], sym: bool) -> np.ndarray:
    """``sum_k (-1)^k a_k cos(2 pi k n / steps)``."""
    if count == 1:
        return np.ones(1)
    angle = 2 * math.pi / max(_steps(count, sym), 1) * np.arange(count)
    return sum(((-1) ** k * a * np.cos(k * angle) for k, a in enumerate(coefficients)), np.zeros(count))


def _triangle(count: int, sym: bool) -> np.ndarray:
    if count == 1:
        return np.ones(1)
    return 1 - np.abs(2 / max(_steps(count, sym), 1) * np.arange(count) - 1)


def _bessel(count: int, beta: float, sym: bool) -> np.ndarray:
    """``I_0(beta sqrt(1 - t^2)) / I_0(beta)`` for ``t`` from -1 to 1."""
    if count == 1:
        return np.ones(1)
    t = 2 / max(_steps(count, sym), 1) * np.arange(count) - 1
    return np.i0(beta * np.sqrt(np.maximum(1 - t * t, 0))) / np.i0(beta)


# --- signal.windows ------------------------------------------------------------------------------------------------


def _window(written: Callable[..., np.ndarray]) -> Callable[..., Tensor]:
    """Publishes a function ``(M, *, sym, ...) -> array`` with the options of a new tensor."""
    name = written.__name__

    @functools.wraps(written)
    def window(
        M: int,
        *,
        dtype: Any = None,
        layout: Any = strided,
        device: Any = None,
        requires_grad: bool = False,
        **shape: Any,
    ) -> Tensor:
        count = operator.index(M)
        if count < 0:
            raise ValueError(f"{name} requires non-negative window length, got M={count}")
        if layout is not strided:
            raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
        if dtype not in (float32, float64) and (dtype is not None or default_dtype.dtype not in (float32, float64)):
            raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype or default_dtype.dtype}")
        kind = (dtype or default_dtype.dtype).numpy
        require_cpu(device, name)
        result = wrap(np.asarray(written(count, **shape), kind))
        return result.requires_grad_() if requires_grad else result

    return function(home="signal.windows")(window)


@_window
def bartlett(M: int, *, sym: bool = True) -> np.ndarray:
    """The triangular window ``1 - |2 n / (M - 1) - 1|``, with ``M`` in place of ``M - 1`` unless ``sym``.

    Raises:
        ValueError: a negative ``M``, or a dtype other than float32 and float64.

    >>> import autograd
    >>> autograd.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _triangle(M, sym)


@_window
def general_cosine(M: int, *, a: Iterable[float], sym: bool = True) -> np.ndarray:
    """The sum ``sum_k (-1)^k a_k cos(2 pi k n / (M - 1))``, with ``M`` in place of ``M - 1`` unless ``sym``.

    Raises:
        TypeError: ``a`` is no sequence.
        ValueError: ``a`` is empty, a negative ``M``, or a dtype other than float32 and float64.

    >>> import autograd
    >>> autograd.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    if not isinstance(a, Iterable):
        raise TypeError(f"general_cosine: the coefficients a must be a list or tuple, not {type(a).__name__}")
    coefficients = [float(each) for each in a]
    if not coefficients:
        raise ValueError("general_cosine: the coefficients a cannot be empty")
    return _cosines(M, coefficients, sym)


@_window
def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True) -> np.ndarray:
    """``alpha - (1 - alpha) cos(2 pi n / (M - 1))``, with ``M`` in place of ``M - 1`` unless ``sym``.

    >>> import autograd
    >>> autograd.signal.windows.general_hamming(3, alpha=0.6)
    tensor([0.2000, 1.0000, 0.2000])
    """
    return _cosines(M, (alpha, 1 - alpha), sym)


@_window
def hamming(M: int, *, sym: bool = True) -> np.ndarray:
    """``0.54 - 0.46 cos(2 pi n / (M - 1))``, with ``M`` in place of ``M - 1`` unless ``sym``.

    >>> import autograd
    >>> autograd.signal.windows.hamming(3)
    tensor([0.0800, 1.0000, 0.0800])
    """
    return _cosines(M, (0.54, 0.46), sym)


@_window
def hann(M: int, *, sym: bool = True) -> np.ndarray:
    """``0.5 - 0.5 cos(2 pi n / (M - 1))``, with ``M`` in place of ``M - 1`` unless ``sym``.

    >>> import autograd
    >>> autograd.signal.windows.hann(4, sym=False)
    tensor([0.0000, 0.5000, 1.0000, 0.5000])
    """
    return _cosines(M, (0.5, 0.5), sym)


@_window
def blackman(M: int, *, sym: bool = True) -> np.ndarray:
    """``0.42 - 0.5 cos(2 pi n / (M - 1)) + 0.08 cos(4 pi n / (M - 1))``, with ``M`` for ``M - 1`` unless ``sym``.

    >>> import autograd
    >>> autograd.signal.windows.blackman(4, sym=False)[1:]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return _cosines(M, BLACKMAN, sym)


@_window
def nuttall(M: int, *, sym: bool = True) -> np.ndarray:
    """Nuttall's minimum four-term window, a general cosine.

    >>> import autograd
    >>> autograd.signal.windows.nuttall(5)
    tensor([3.6280e-04, 2.2698e-01, 1.0000e+00, 2.2698e-01, 3.6280e-04])
    """
    return _cosines(M, NUTTALL, sym)


@_window
def cosine(M: int, *, sym: bool = True) -> np.ndarray:
    """Half a period of the sine: ``sin(pi (n + 1/2) / M)``, with ``M + 1`` in place of ``M`` unless ``sym``.

    >>> import autograd
    >>> autograd.signal.windows.cosine(3)
    tensor([0.5000, 1.0000, 0.5000])
    """
    return np.sin(math.pi / (M if sym or M <= 1 else M + 1) * (np.arange(M) + 0.5)) if M else np.ones(0)


@_window
def exponential(M: int, *, center: float | None = None, tau: float = 1.0, sym: bool = True) -> np.ndarray:
    """``exp(-|n - center| / tau)``, by default around the middle.

    Raises:
        ValueError: ``tau`` is not positive, or a ``center`` for a symmetric window.

    >>> import autograd
    >>> autograd.signal.windows.exponential(3, tau=2.0)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if tau <= 0:
        raise ValueError(f"exponential: tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("exponential: center must be None for symmetric windows; pass sym=False")
    middle = _middle(M, sym) if center is None else center
    return np.exp(-np.abs(np.arange(M) - middle) / tau)


def _middle(count: int, sym: bool) -> float:
    return (count - 1 if sym or count <= 1 else count) / 2


@_window
def gaussian(M: int, *, std: float = 1.0, sym: bool = True) -> np.ndarray:
    """``exp(-((n - middle) / std)^2 / 2)``.

    Raises:
        ValueError: ``std`` is not positive.

    >>> import autograd
    >>> autograd.signal.windows.gaussian(3)
    tensor([0.6065, 1.0000, 0.6065])
    """
    if std <= 0:
        raise ValueError(f"gaussian: the standard deviation must be positive, got: {std} instead.")
    return np.exp(-0.5 * ((np.arange(M) - _middle(M, sym)) / std) ** 2)


@_window
def kaiser(M: int, *, beta: float = 12.0, sym: bool = True) -> np.ndarray:
    """``I_0(beta sqrt(1 - t^2)) / I_0(beta)`` with ``t = 2 n / (M - 1) - 1``, ``M`` for ``M - 1`` unless ``sym``.

    Raises:
        ValueError: a negative ``beta``.

    >>> import autograd
    >>> autograd.signal.windows.kaiser(3, beta=2.0)
    tensor([0.4387, 1.0000, 0.4387])
    """
    if beta < 0:
        raise ValueError(f"kaiser: beta must be non-negative, got: {beta} instead.")
    return _bessel(M, beta, sym)


# --- The older functions -------------------------------------------------------------------------------------------


def _older(name: str, shape: Callable[..., np.ndarray], formula: str, **defaults: float) -> None:
    """Publishes ``name(window_length, periodic=True, *parameters, dtype=None, ...)``."""

    names = ("periodic", *defaults)

    def window(window_length: int, *args: Any, dtype: Any = None, **named: Any) -> np.ndarray:
        if not isinstance(window_length, (int, np.integer)) or isinstance(window_length, bool):
            given = type(window_length).__name__
            raise TypeError(f"{name}(): argument 'window_length' must be int, not {given}")
        if len(args) > len(names) or set(named) != set(names[len(args) : len(args) + len(named)]):
            wanted = ", ".join(("window_length", *names))
            raise TypeError(f"{name}() takes {wanted}, each together with those before it")
        values = {"periodic": True, **defaults, **dict(zip(names, args, strict=False)), **named}
        periodic = values.pop("periodic")
        if not isinstance(periodic, bool):
            raise TypeError(f"{name}(): argument 'periodic' must be bool, not {type(periodic).__name__}")
        if window_length < 0:
            raise RuntimeError(f"{name} requires non-negative window_length, got window_length={window_length}")
        kind = default_dtype.numpy if dtype is None else to_numpy_dtype(dtype)
        if kind.kind not in FLOATING:
            raise RuntimeError(f"{name} expects floating point dtypes, got: {from_numpy_dtype(kind)}")
        return np.asarray(shape(window_length, tuple(values.values()), not periodic), kind)

    window.__name__ = name
    window.__doc__ = f"The window {formula} of ``window_length`` points, periodic or else symmetric."
    creation()(window)


_older("bartlett_window", lambda n, _, sym: _triangle(n, sym), "``1 - |2 n / N - 1|``")
_older("blackman_window", lambda n, _, sym: _cosines(n, BLACKMAN, sym), "of Blackman, a sum of three cosines,")
_older("hann_window", lambda n, _, sym: _cosines(n, (0.5, 0.5), sym), "``(1 - cos(2 pi n / N)) / 2``")
_older("hamming_window", _cosines, "``alpha - beta cos(2 pi n / N)``", alpha=0.54, beta=0.46)
_older("kaiser_window", lambda n, values, sym: _bessel(n, values[0], sym), "of Kaiser, with its ``beta``,", beta=12.0)

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]
