"""Discrete Fourier transforms: PyTorch's ``torch.fft``, on scipy.fft, and the short-time transform and its inverse.

Three rows do all of it: complex to complex, real to the half of a complex spectrum that determines it, and back. The
derivative of a linear transform is its conjugate transpose, which is again one of the three.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..dtypes import complex_of, real_of, to_numpy_dtype
from ..kernels.halves import FLOATING, is_half
from ..kernels.silence import silently
from ..rows.dispatch import apply
from ..rows.public import function
from ..rows.table import TABLE, Array, _, coarse
from ..rows.writes import type_name
from ..tensor import Tensor, check_dim, wrap
from .convert import check_tensor
from .create import _finish
from .nn.padding import pad
from .shape import pad_constant, roll, slice_view

# What the sum over n elements is divided by, and what scipy calls that on the way to frequencies and back.
SCIPY_NAMES = {
    False: {"1": "backward", "root": "ortho", "n": "forward"},
    True: {"1": "forward", "root": "ortho", "n": "backward"},
}


@coarse(latex=r"\sum_n x_n e^{\mp 2 \pi i k n / N}", home="", node_name="FftC2C", holomorphic=False)
def transform(x: Array, dims, divisor, back):
    """Of complex numbers over ``dims``; ``back`` from frequencies, with the other sign in the exponent."""
    from scipy import fft as scipy_fft

    norm = SCIPY_NAMES[back][divisor]
    if len(dims) == 1:  # measured on 16 elements: 11 us instead of 21
        return (scipy_fft.ifft if back else scipy_fft.fft)(x, axis=dims[0], norm=norm)
    return (scipy_fft.ifftn if back else scipy_fft.fftn)(x, axes=dims, norm=norm)


@transform.gradient("x")
def _(g, dims, divisor, back):
    return transform(g, dims, divisor, not back)


@coarse(latex=r"\sum_n x_n e^{-2 \pi i k n / N}, \; k \le N / 2", home="", node_name="FftR2C", holomorphic=False)
def transform_of_real(x: Array, dims, divisor):
    """Of real numbers: along the last of ``dims`` the half of the frequencies of which the others are conjugates."""
    from scipy import fft as scipy_fft

    norm = SCIPY_NAMES[False][divisor]
    if len(dims) == 1:
        return scipy_fft.rfft(x, axis=dims[0], norm=norm)
    return scipy_fft.rfftn(x, axes=dims, norm=norm)


@transform_of_real.gradient("x")
def _(g, x_shape, dims, divisor):
    last = dims[-1]
    missing = x_shape[last] - g.shape[last]
    full = pad_constant(g, (0, 0) * (len(x_shape) - 1 - last) + (0, missing), 0) if missing else g
    return _.real(transform(full, dims, divisor, True))


@coarse(latex=r"\sum_k x_k e^{2 \pi i k n / N}, \; x_{N-k} = \bar x_k", home="", node_name="FftC2R", holomorphic=False)
def transform_to_real(x: Array, dims, divisor, size):
    """From half of the frequencies along the last of ``dims`` to the ``size`` real numbers that have them."""
    from scipy import fft as scipy_fft

    norm = SCIPY_NAMES[True][divisor]
    if len(dims) == 1:
        return scipy_fft.irfft(x, size, axis=dims[0], norm=norm)
    return scipy_fft.irfftn(x, s=[*(x.shape[dim] for dim in dims[:-1]), size], axes=dims, norm=norm)


@transform_to_real.gradient("x")
def _(g, dims, divisor, size):
    half = transform_of_real(g, dims, divisor)
    last, count = dims[-1], half.shape[dims[-1]]
    # A frequency whose conjugate was filled in counts twice.
    weights = np.full([count if dim == last else 1 for dim in range(half.ndim)], 2.0, np.float32)
    ends = np.moveaxis(weights, last, 0)
    ends[0] = 1.0
    ends[size - count + 1 :] = 1.0
    return _.mul(half, wrap(weights) if isinstance(half, Tensor) else weights)


# --- Arguments -----------------------------------------------------------------------------------------------------


def _divisor(norm: Any, back: bool) -> str:
    if norm is None or norm == "backward":
        return "n" if back else "1"
    if norm == "forward":
        return "1" if back else "n"
    if norm == "ortho":
        return "root"
    raise RuntimeError(f'Invalid normalization mode: "{norm}"; use "backward", "ortho" or "forward"')


def _prepared(operator: str, input: Any, to_complex: bool) -> Tensor:
    """The input as floating-point numbers, or as complex ones."""
    kind = check_tensor(operator, "input", input)._array.dtype
    if is_half(kind):
        raise RuntimeError(f"{operator}: Unsupported dtype {type_name(kind)}; convert with .float()")
    wanted = dtypes.default_dtype.numpy if kind.kind in "biu" else kind
    wanted = complex_of(wanted) if to_complex else wanted
    return input if wanted == kind else input.to(dtypes.from_numpy_dtype(wanted))


def _check_real(operator: str, input: Any) -> Tensor:
    if check_tensor(operator, "input", input)._array.dtype.kind == "c":
        raise RuntimeError(f"{operator} expects a real input tensor, but got {type_name(input._array.dtype)}")
    return _prepared(operator, input, False)


def _dims_and_sizes(operator: str, shape: Sequence[int], s: Any, dim: Any) -> tuple[tuple[int, ...], list[int]]:
    """Dimensions to transform, non-negative, and how many elements of each."""
    ndim = len(shape)
    sizes = None if s is None else [int(n) for n in (s if isinstance(s, (tuple, list)) else (s,))]
    if dim is None:
        if sizes is not None and len(sizes) > ndim:
            raise RuntimeError(
                f"{operator}: Got shape with {len(sizes)} values but input tensor only has {ndim} dimensions"
            )
        dims = (
            tuple(range(ndim if sizes is None else ndim - len(sizes), ndim))
            if sizes is not None
            else tuple(range(ndim))
        )
    else:
        given = dim if isinstance(dim, (tuple, list)) else (dim,)
        if ndim == 0 and given:
            raise IndexError(f"{operator}: Dimension specified as {given[0]} but tensor has no dimensions")
        dims = tuple(check_dim(operator, d, ndim) for d in given)
        if len(set(dims)) != len(dims):
            raise RuntimeError(f"{operator}: FFT dims must be unique, but got {tuple(given)}")
        if sizes is not None and len(sizes) != len(dims):
            raise RuntimeError(
                f"{operator}: When given, dim and shape arguments must have the same length, but got {len(dims)} and "
                f"{len(sizes)}"
            )
    sizes = [shape[d] if n == -1 else n for d, n in zip(dims, sizes or [-1] * len(dims), strict=True)]
    return dims, sizes


def _check_sizes(operator: str, sizes: Sequence[int]) -> None:
    for n in sizes:
        if n < 1:
            raise RuntimeError(f"{operator}: Invalid number of data points ({n}) specified")


def _resized(input: Tensor, dims: Sequence[int], sizes: Sequence[int]) -> Tensor:
    """Cut off or followed by zeros to ``sizes`` elements along ``dims``."""
    shape = input._array.shape
    if any(shape[d] > n for d, n in zip(dims, sizes, strict=True)):
        index: list[Any] = [slice(None)] * len(shape)
        for d, n in zip(dims, sizes, strict=True):
            index[d] = slice(0, n)
        input = apply(slice_view, (input, tuple(index)), {})
    missing = [0] * len(shape)
    for d, n in zip(dims, sizes, strict=True):
        missing[d] = max(0, n - shape[d])
    if any(missing):
        input = apply(pad_constant, (input, tuple(w for n in reversed(missing) for w in (0, n)), 0), {})
    return input


# --- Several dimensions --------------------------------------------------------------------------------------------


def _to_complex(operator: str, input: Any, s: Any, dim: Any, norm: Any, back: bool) -> Tensor:
    x = _prepared(operator, input, True)
    dims, sizes = _dims_and_sizes(operator, x._array.shape, s, dim)
    _check_sizes(operator, sizes)
    divisor = _divisor(norm, back)
    return apply(transform, (_resized(x, dims, sizes), dims, divisor, back), {}) if dims else x.clone()


def _of_real(operator: str, input: Any, s: Any, dim: Any, norm: Any, back: bool) -> Tensor:
    """Half of the spectrum, or for ``back`` its conjugate with the other sign in the exponents."""
    x = _check_real(operator, input)
    dims, sizes = _dims_and_sizes(operator, x._array.shape, s, dim)
    if not dims:
        raise RuntimeError(f"{operator} must transform at least one axis")
    _check_sizes(operator, sizes)
    divisor = _divisor(norm, back)
    x = _resized(x, dims, sizes)
    if not back:
        return apply(transform_of_real, (x, dims, divisor), {})
    half = apply(TABLE["conj"], (apply(transform_of_real, (x, dims[-1:], divisor), {}),), {})
    return apply(transform, (half, dims[:-1], divisor, True), {}) if len(dims) > 1 else half


def _to_real(operator: str, input: Any, s: Any, dim: Any, norm: Any, back: bool) -> Tensor:
    """From half of a spectrum, or where not ``back``, of a signal that has a real spectrum."""
    x = _prepared(operator, input, True)
    dims, sizes = _dims_and_sizes(operator, x._array.shape, s, dim)
    if not dims:
        raise RuntimeError(f"{operator} must transform at least one axis")
    given = s is not None and (s if isinstance(s, int) else s[-1]) != -1
    size = sizes[-1] if given else 2 * (sizes[-1] - 1)
    _check_sizes(operator, [*sizes[:-1], size])
    divisor = _divisor(norm, back)
    x = _resized(x, dims, [*sizes[:-1], size // 2 + 1])
    if back:
        return apply(transform_to_real, (x, dims, divisor, size), {})
    x = apply(transform, (x, dims[:-1], divisor, False), {}) if len(dims) > 1 else x
    return apply(transform_to_real, (apply(TABLE["conj"], (x,), {}), dims[-1:], divisor, size), {})


LAST_TWO = (-2, -1)
FORMULAS = {
    "fft": ("the discrete Fourier transform ``sum_n x_n exp(-2 pi i k n / N)``", _to_complex, False),
    "ifft": ("the inverse of `fft`, ``(1 / N) sum_k x_k exp(2 pi i k n / N)``", _to_complex, True),
    "rfft": ("the frequencies 0 to N / 2 of a real signal; the others are their conjugates", _of_real, False),
    "irfft": ("the inverse of `rfft`: the real signal of which these are the frequencies 0 to N / 2", _to_real, True),
    "hfft": ("the real spectrum of a signal with ``x_{N-n} = conj(x_n)``, of which half is given", _to_real, False),
    "ihfft": ("the inverse of `hfft`: half of the signal that has this real spectrum", _of_real, True),
}


def _family(name: str, what: str, kernel: Any, back: bool) -> None:
    def one(input: Tensor, n: int | None = None, dim: int = -1, norm: str | None = None) -> Tensor:
        if isinstance(dim, (tuple, list)):
            raise TypeError(f"fft_{name}(): argument 'dim' must be int, not {type(dim).__name__}")
        if n is not None:
            if not isinstance(n, (int, np.integer)):
                raise TypeError(f"fft_{name}(): argument 'n' must be int, not {type(n).__name__}")
            _check_sizes(name, (n,))
        return kernel(name, input, None if n is None else (n,), (dim,), norm, back)

    def two(input: Tensor, s: Any = None, dim: Any = LAST_TWO, norm: str | None = None) -> Tensor:
        return kernel(f"{name}2", input, s, dim, norm, back)

    def several(input: Tensor, s: Any = None, dim: Any = None, norm: str | None = None) -> Tensor:
        return kernel(f"{name}n", input, s, dim, norm, back)

    length = " Of N / 2 + 1 elements N is taken to be even where ``{}`` does not say." if kernel is _to_real else ""
    for written, label, where, size in (
        (one, name, "along ``dim``", "n"),
        (two, f"{name}2", "over two dimensions", "s"),
        (several, f"{name}n", "over ``dim``, or as many last dimensions as ``s`` has values, or all", "s"),
    ):
        written.__name__ = written.__qualname__ = label
        written.__doc__ = (
            f"{what[0].upper()}{what[1:]}, {where}.\n\n"
            f"``{size}``: how many elements to transform; the input is cut off or followed by zeros."
            f"{length.format(size)}\n"
            '``norm``: ``"backward"`` divides by N on the way back (the default), ``"forward"`` on the way to '
            'frequencies, ``"ortho"``\nby its root on both.\n\nRaises:\n    RuntimeError: no elements to transform, an '
            "unknown norm, float16, or complex numbers where real ones are due.\n    IndexError: a dimension out of "
            "range."
        )
        function(home="fft")(written)


for _name, (_what, _kernel, _back) in FORMULAS.items():
    _family(_name, _what, _kernel, _back)


# --- Frequencies ---------------------------------------------------------------------------------------------------


def _frequencies(name: str, places: Callable[[int], np.ndarray], doc: str) -> None:
    """Publishes a function of ``n`` and ``d`` that gives ``places(n) / (n d)``."""

    def frequencies(
        n: int,
        d: float = 1.0,
        *,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        kind = dtypes.default_dtype.numpy if dtype is None else to_numpy_dtype(dtype)
        if n < 0:
            raise RuntimeError(f"{name}: Trying to create tensor with negative dimension {n}: [{n}]")
        if kind.kind == "c":
            raise NotImplementedError(f"{name} not implemented for '{type_name(kind)}': frequencies are real")
        if kind.kind not in FLOATING:
            raise RuntimeError(f"{name} requires a floating point dtype, but got {dtype}")
        step = 1 / (n * d) if n * d else math.inf
        return _finish(silently(np.multiply, places(n).astype(kind), kind.type(step)), requires_grad, device, out)

    frequencies.__name__ = frequencies.__qualname__ = name
    frequencies.__doc__ = doc
    function(home="fft")(frequencies)


_frequencies(
    "fftfreq",
    lambda n: np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)]),
    """The frequencies that belong to the elements of `fft`: ``[0, 1, ..., -2, -1] / (n d)``.

    >>> import autograd
    >>> autograd.fft.fftfreq(4)
    tensor([ 0.0000,  0.2500, -0.5000, -0.2500])
    """,
)
_frequencies(
    "rfftfreq",
    lambda n: np.arange(n // 2 + 1),
    """The frequencies that belong to the elements of `rfft`: ``[0, 1, ..., n // 2] / (n d)``.

    >>> import autograd
    >>> autograd.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """,
)


def _shift(name: str, amount: Any, doc: str) -> None:
    def shift(input: Tensor, dim: Any = None) -> Tensor:
        shape = check_tensor(name, "input", input)._array.shape
        given = range(len(shape)) if dim is None else dim if isinstance(dim, (tuple, list)) else (dim,)
        dims = tuple(check_dim(name, d, len(shape)) for d in given)
        if not dims:
            raise RuntimeError(f"{name} needs at least one dimension to shift, but got shape {list(shape)}, dim {dim}")
        return apply(roll, (input, tuple(amount(shape[d]) for d in dims), dims), {})

    shift.__name__ = shift.__qualname__ = name
    shift.__doc__ = doc
    function(home="fft")(shift)


_shift("fftshift", lambda n: n // 2, "Frequencies in ascending order, 0 in the middle, along ``dim`` (all by default).")
_shift("ifftshift", lambda n: (n + 1) // 2, "The inverse of `fftshift`.")


# --- Short-time transforms -----------------------------------------------------------------------------------------


def _window(operator: str, window: Any, win_length: int, n_fft: int, like: Tensor) -> Tensor:
    """The window, ones by default, in the middle of ``n_fft`` elements."""
    if window is None:
        window = wrap(np.ones(win_length, real_of(like._array.dtype)))
    elif window._array.shape != (win_length,):
        raise RuntimeError(
            f"{operator}: expected a 1D window tensor of size equal to win_length={win_length}, but got window with "
            f"size {list(window.shape)}"
        )
    left = (n_fft - win_length) // 2
    return pad(window, (left, n_fft - win_length - left)) if win_length < n_fft else window


@function()
def stft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    pad_mode: str = "reflect",
    normalized: bool = False,
    onesided: bool | None = None,
    return_complex: bool | None = None,
    align_to_window: bool | None = None,
) -> Tensor:
    """The short-time Fourier transform: `fft` of consecutive windows of a signal.

    ``out[..., k, m] = sum_n window[n] x[m hop_length + n] exp(-2 pi i k n / n_fft)``.

    Args:
        input: (time,) or (batch, time).
        n_fft: elements in each transform.
        hop_length: from one window to the next; ``n_fft // 4`` by default.
        win_length: the window's length; ``n_fft`` by default.
        window: (win_length,); ones by default.
        center: put window m around time ``m hop_length``, the signal padded by ``n_fft // 2`` on both sides.
        pad_mode: of that padding, as for ``nn.functional.pad``.
        normalized: divide by the root of ``n_fft``.
        onesided: only frequencies up to ``n_fft // 2``; by default where signal and window are real.
        return_complex: False gives real and imaginary parts as a last dimension of size 2.
        align_to_window: accepted where ``center`` is False; True starts the first window, not its padding, at time 0.

    Shape: (batch, frequencies, windows).

    Raises:
        RuntimeError: a signal that is too short, a window of another length, or no ``return_complex`` for a real one.

    >>> import autograd
    >>> autograd.stft(autograd.ones(8), 4, window=autograd.ones(4), return_complex=True).shape
    torch.Size([3, 9])
    """
    if not check_tensor("stft", "input", input).is_complex() and input._array.dtype.kind != "f":
        raise RuntimeError(f"stft expected a tensor of floating point or complex values, but got {input.dtype}")
    if input._array.ndim not in (1, 2):
        raise RuntimeError(f"stft expected a 1D or 2D tensor, but got shape {list(input.shape)}")
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    is_complex = input.is_complex() or (window is not None and window.is_complex())
    if return_complex is None:
        if not is_complex:
            raise RuntimeError("stft requires the return_complex parameter be given for real inputs.")
        return_complex = True
    if align_to_window is not None and center:
        raise RuntimeError("stft: align_to_window should only be set when center = false")
    x = input if input._array.ndim == 2 else input.unsqueeze(0)
    if center:
        half = n_fft // 2
        x = pad(x.unsqueeze(1), (half, half), pad_mode).squeeze(1)
    length = x._array.shape[1]
    if not 0 < n_fft <= length:
        raise RuntimeError(f"stft: expected 0 < n_fft < {length}, but got n_fft={n_fft}")
    if hop_length <= 0:
        raise RuntimeError(f"stft: expected hop_length > 0, but got hop_length={hop_length}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"stft: expected 0 < win_length <= n_fft, but got win_length={win_length}")
    weights = _window("stft", window, win_length, n_fft, x)
    if align_to_window:
        x = pad(x, ((n_fft - win_length) // 2,) * 2)
        length = x._array.shape[1]
    starts = np.arange(0, length - n_fft + 1, hop_length)
    frames = x[:, wrap(starts[:, None] + np.arange(n_fft))] * weights
    onesided = not is_complex if onesided is None else onesided
    if onesided and is_complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    kernel = _of_real if onesided else _to_complex
    out = kernel("stft", frames, None, -1, "ortho" if normalized else None, False).transpose(1, 2)
    out = out if input._array.ndim == 2 else out.squeeze(0)
    return out if return_complex else apply(TABLE["view_as_real"], (out,), {})


@function()
def istft(
    input: Tensor,
    n_fft: int,
    hop_length: int | None = None,
    win_length: int | None = None,
    window: Tensor | None = None,
    center: bool = True,
    normalized: bool = False,
    onesided: bool | None = None,
    length: int | None = None,
    return_complex: bool = False,
) -> Tensor:
    """The signal of which `stft` gives ``input``, by least squares: windows overlapped, added, divided by their weight.

    Args:
        input: (frequencies, windows) or (batch, frequencies, windows), complex.
        length: of the result, where the last window does not tell.
        return_complex: the signal is complex; ``input`` then holds all frequencies.
        n_fft, hop_length, win_length, window, center, normalized, onesided: as for `stft`.

    Raises:
        RuntimeError: sizes that do not fit, or windows that leave a part of the signal out.

    >>> import autograd
    >>> x, window = autograd.arange(8.0), autograd.ones(4)
    >>> autograd.istft(autograd.stft(x, 4, window=window, return_complex=True), 4, window=window)
    tensor([0., 1., 2., 3., 4., 5., 6., 7.])
    """
    if not check_tensor("istft", "input", input).is_complex():
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    hop_length = n_fft // 4 if hop_length is None else hop_length
    win_length = n_fft if win_length is None else win_length
    shape = input._array.shape
    if not input._array.size:
        raise RuntimeError("istft: input tensor cannot be empty.")
    if len(shape) not in (2, 3):
        raise RuntimeError(f"istft: expected a tensor with 2 or 3 dimensions, but got shape {list(shape)}")
    window_is_complex = window is not None and window.is_complex()
    onesided = shape[-2] != n_fft if onesided is None else onesided
    wanted = n_fft // 2 + 1 if onesided else n_fft
    if shape[-2] != wanted:
        raise RuntimeError(
            f"istft: expected the frequency dimension (3rd to the last) of the input tensor to match {wanted} for "
            f"n_fft={n_fft} and onesided={onesided}, but got {shape[-2]}"
        )
    if not 0 < hop_length <= win_length:
        raise RuntimeError(f"istft: expected 0 < hop_length <= win_length, but got {hop_length} and {win_length}")
    if not 0 < win_length <= n_fft:
        raise RuntimeError(f"istft: expected 0 < win_length <= n_fft, but got {win_length} and {n_fft}")
    if return_complex and onesided:
        raise RuntimeError("cannot have onesided output if window or input is complex")
    if not return_complex and window_is_complex:
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    weights = _window("istft", window, win_length, n_fft, input)
    x = (input if len(shape) == 3 else input.unsqueeze(0)).transpose(1, 2)
    norm = "ortho" if normalized else None
    if return_complex:
        frames = _to_complex("istft", x, None, -1, norm, True)
    else:
        x = x if onesided else x[..., : n_fft // 2 + 1]
        frames = _to_real("istft", x, (n_fft,), (-1,), norm, True)
    count = frames._array.shape[1]
    total = n_fft + hop_length * (count - 1)
    places = wrap(np.arange(count)[:, None] * hop_length + np.arange(n_fft)).reshape(-1)

    def overlapped(pieces: Tensor) -> Tensor:
        flat = pieces.reshape(pieces._array.shape[0], -1)
        return flat.new_zeros(flat._array.shape[0], total).index_add(1, places, flat)

    signal = overlapped(frames * weights)
    weight = overlapped((weights * weights).expand(1, count, n_fft))
    start = n_fft // 2 if center else 0
    end = start + length if length is not None else total - (n_fft // 2 if center else 0)
    signal, weight = signal[:, start:end], weight[:, start:end]
    if weight._array.size and np.abs(weight._array).min() <= 1e-11:
        raise RuntimeError(
            f"istft: window overlap add min is {np.abs(weight._array).min()}: the windows leave a part out"
        )
    signal = signal / weight
    if end > total:
        signal = pad(signal, (0, end - total))
    return signal if len(shape) == 3 else signal.squeeze(0)


__all__ = ["istft", "stft", "transform", "transform_of_real", "transform_to_real"]
