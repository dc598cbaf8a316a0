"""Fourier transforms against PyTorch: every function with its options, its dtypes, its refusals."""

import itertools
import math

import numpy as np
import pytest
from parity import agree, backward, outcome, weights

import autograd

ONE = ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"]
TWO = [f"{name}2" for name in ONE]
SEVERAL = [f"{name}n" for name in ONE]
NORMS = [None, "backward", "ortho", "forward"]
TAKE_REAL = ("rfft", "ihfft")


def numbers(name, shape, seed=0):
    """Complex numbers where the function takes them."""
    x = np.random.default_rng(seed).normal(size=(2, *shape))
    return x[0] if name.startswith(TAKE_REAL) else x[0] + 1j * x[1]


def compare(ours, theirs, name, x, *args, **kwargs):
    what = f"{name} of {x.dtype}{list(x.shape)} with {args} {kwargs}"
    (mine, my_error), (other, their_error) = (
        outcome(getattr(library.fft, name), library.of(x), *args, **kwargs) for library in (ours, theirs)
    )
    assert my_error is their_error, f"{what}: ours {my_error or mine}, PyTorch's {their_error or other}"
    if other is not None:
        single = mine.dtype in (autograd.float32, autograd.complex64)
        agree(mine, other, *((2e-5, 2e-5) if single else (1e-11, 1e-11)), what)


@pytest.mark.parametrize("name", ONE)
def test_one_dimension(ours, theirs, name):
    for n, dim, norm in itertools.product([None, 1, 2, 5, 8, 11], [-1, 0, 1], NORMS):
        compare(ours, theirs, name, numbers(name, (6, 5)), n, dim, norm)
        compare(ours, theirs, name, numbers(name, (6, 5)).astype("F" if name not in TAKE_REAL else "f"), n, dim, norm)


@pytest.mark.parametrize("name", TWO + SEVERAL)
def test_several_dimensions(ours, theirs, name):
    for s, dim, norm in itertools.product(
        [None, (2,), (4, 5), (-1, 6), (3, -1), (2, 3, 4), 3],
        [None, 0, (1,), (0, 2), (-1, -2), (0, 1, 2), (1, 1)],
        NORMS,
    ):
        options = {"s": s, "norm": norm} if dim is None else {"s": s, "dim": dim, "norm": norm}
        compare(ours, theirs, name, numbers(name, (3, 4, 5)), **options)


@pytest.mark.parametrize("name", [*ONE, *SEVERAL])
def test_dtypes(ours, theirs, name):
    for dtype in ("float16", "float32", "float64", "int8", "int64", "uint8", "bool", "complex64", "complex128"):
        compare(ours, theirs, name, np.array([[1, 0, 3, 2], [1, 1, 0, 5]]).astype(dtype))


@pytest.mark.parametrize("name", ONE + TWO + SEVERAL)
def test_refusals(ours, theirs, name):
    empty = [np.zeros(()), np.zeros(0), np.zeros((3, 0)), np.zeros(1), np.zeros((2, 1))]
    for x in empty:
        compare(ours, theirs, name, x)
    x = numbers(name, (3, 4))
    for options in (
        {"norm": "other"},
        {"dim": 2},
        {"dim": -3},
        {"dim": ()},
        {"n": 0},
        {"n": -1},
        {"s": (0, 2)},
        {"n": 2.5},
    ):
        compare(ours, theirs, name, x, **options)
    for library in (ours, theirs):
        assert outcome(getattr(library.fft, name), [1.0, 2.0])[1] is TypeError
    if name.startswith(TAKE_REAL):
        with pytest.raises(RuntimeError, match="real input"):
            getattr(ours.fft, name)(ours.of(x * 1j))


@pytest.mark.parametrize("name", ONE + TWO + SEVERAL)
def test_gradients(ours, theirs, name):
    """First and second derivatives, of complex inputs and results."""
    x = numbers(name, (3, 4))

    def derivatives(library):
        z = library.of(x, True)
        out = getattr(library.fft, name)(z)
        grad = library.autograd.grad if hasattr(library, "autograd") else library.grad
        size = (out * out.conj()).real
        (once,) = grad((size * library.of(weights(out.shape))).sum(), z, create_graph=True)
        (twice,) = grad((once * once.conj()).real.sum(), z)
        return out.detach(), once.detach(), twice

    agree(derivatives(ours), derivatives(theirs), 1e-10, 1e-10)


@pytest.mark.parametrize(
    "layout", [lambda x: x.t(), lambda x: x[::2], lambda x: x[:, 1:3], lambda x: x[:1].expand(4, 6)]
)
def test_layouts(ours, theirs, layout):
    for name in ONE:
        x = numbers(name, (6, 6))
        for dim in (0, 1):
            mine, other = (getattr(lib.fft, name)(layout(lib.of(x)), dim=dim) for lib in (ours, theirs))
            agree(mine, other, 1e-11, 1e-11)


def test_frequencies_and_shifts(both):
    for source in [
        "fft.fftfreq(5)", "fft.fftfreq(6, 0.25)", "fft.fftfreq(5, dtype=lib.float64)", "fft.rfftfreq(5)",
        "fft.rfftfreq(6, d=2.0)", "fft.fftfreq(0)", "fft.fftfreq(-1)", "fft.rfftfreq(0)", "fft.fftfreq(1)",
        "fft.fftfreq(4, requires_grad=True)", "fft.fftfreq(4, dtype=lib.int64)", "fft.fftfreq(4, dtype=lib.complex64)",
        "fft.fftshift(lib.arange(7))", "fft.ifftshift(lib.arange(7))", "fft.fftshift(lib.arange(12).view(3, 4))",
        "fft.fftshift(lib.arange(12).view(3, 4), 1)", "fft.ifftshift(lib.arange(12).view(3, 4), (0,))",
        "fft.fftshift(lib.ones(2, 2), 2)", "fft.fftshift(lib.tensor(1))",
        "fft.fft(lib.arange(4), out=lib.empty(4, dtype=lib.complex64))", "fft.fft(lib.ones(4), out=lib.empty(4))",
    ]:  # fmt: skip
        both(lambda lib, source=source: eval(f"lib.{source}", {"lib": lib}), label=source)


STFT = [
    {"n_fft": 8},
    {"n_fft": 8, "hop_length": 3, "win_length": 6},
    {"n_fft": 7, "center": False, "normalized": True},
    {"n_fft": 8, "onesided": False, "pad_mode": "constant"},
    {"n_fft": 8, "pad_mode": "replicate", "hop_length": 8},
    {"n_fft": 8, "center": False, "win_length": 4, "align_to_window": True},
    {"n_fft": 0},
    {"n_fft": 100},
    {"n_fft": 8, "hop_length": 0},
    {"n_fft": 8, "win_length": 9},
    {"n_fft": 8, "align_to_window": True},
]


@pytest.mark.parametrize("options", STFT, ids=str)
@pytest.mark.parametrize("shape", [(30,), (2, 30), (1, 2, 30)], ids=str)
def test_stft(ours, theirs, options, shape):
    x = numbers("rfft", shape)
    window = numbers("rfft", (options.get("win_length", options["n_fft"]),), 1) + 3
    for given, form in itertools.product((None, window), (True, False, None)):

        def run(library, given=given, form=form):
            w = None if given is None else library.of(given)
            return library.stft(library.of(x), window=w, return_complex=form, **options)

        (mine, my_error), (other, their_error) = outcome(run, ours), outcome(run, theirs)
        assert my_error is their_error, f"{options} {form}: {my_error}, PyTorch's {their_error}"
        if other is not None:
            agree(mine, other, 1e-10, 1e-10)


def test_stft_and_back(ours, theirs):
    x = np.random.default_rng(0).normal(size=(2, 40))
    window = np.hanning(10)[1:-1] + 0.1
    for hop, normalized, onesided, length in itertools.product((2, 4), (False, True), (None, False), (None, 36, 44)):

        def run(library, hop=hop, normalized=normalized, onesided=onesided, length=length):
            w = library.of(window)
            options = {"hop_length": hop, "normalized": normalized, "onesided": onesided, "window": w}
            spectrum = library.stft(library.of(x), 8, return_complex=True, **options)
            return library.istft(spectrum, 8, length=length, **options)

        (mine, my_error), (other, their_error) = outcome(run, ours), outcome(run, theirs)
        assert my_error is their_error
        if other is not None:
            agree(mine, other, 1e-10, 1e-10)
    for bad in (
        lambda lib: lib.istft(lib.of(x), 8),
        lambda lib: lib.istft(lib.of(x) * 1j, 9),
        lambda lib: lib.istft(lib.of(np.ones((5, 3), complex)), 8, hop_length=9),
        lambda lib: lib.istft(lib.of(np.ones((5, 3), complex)), 8, win_length=9),
        lambda lib: lib.istft(lib.of(np.ones((5, 3), complex)), 8, window=lib.of(np.ones(3))),
        lambda lib: lib.istft(lib.of(np.ones((5, 3), complex)), 8, window=lib.of(np.zeros(8))),
        lambda lib: lib.istft(lib.of(np.ones((5, 3), complex)), 8, return_complex=True),
    ):
        assert outcome(bad, ours)[1] is outcome(bad, theirs)[1] is not None


def test_stft_gradients(ours, theirs):
    arrays = [numbers("rfft", (2, 20)), numbers("rfft", (8,), 1) + 3]

    def there_and_back(library):
        def run(x, window):
            z = library.stft(x, 8, 2, window=window, return_complex=True)
            return library.istft(z * (1 + 0.1 * z), 8, 2, window=window)

        return backward(library, run, arrays)

    agree(there_and_back(ours), there_and_back(theirs), 1e-9, 1e-9)


def test_energy_is_kept():
    """Parseval's theorem, and the inverse undoes the transform."""
    x = autograd.tensor(numbers("fft", (64,)))
    spectrum = autograd.fft.fft(x, norm="ortho")
    assert math.isclose(spectrum.norm().item(), x.norm().item(), rel_tol=1e-12)
    np.testing.assert_allclose(autograd.fft.ifft(spectrum, norm="ortho").numpy(), x.numpy(), rtol=1e-12)
