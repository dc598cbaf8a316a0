"""Window functions: values, options and errors are PyTorch's."""

import itertools

import pytest
from parity import agree, agree_on, refuse_alike

PARAMETERS = {
    "bartlett": [{}],
    "blackman": [{}],
    "cosine": [{}],
    "exponential": [{}, {"tau": 2.5}],
    "gaussian": [{}, {"std": 0.4}],
    "general_cosine": [{"a": [0.5]}, {"a": (0.4, 0.3, -0.2)}],
    "general_hamming": [{}, {"alpha": 0.3}],
    "hamming": [{}],
    "hann": [{}],
    "kaiser": [{}, {"beta": 2.0}, {"beta": 0}],
    "nuttall": [{}],
}
OLDER = {
    "bartlett_window": [()],
    "blackman_window": [()],
    "hamming_window": [(), (0.6,), (0.6, 0.3)],
    "hann_window": [()],
    "kaiser_window": [(), (3.0,)],
}
TOLERANCE = {"float16": (2e-3, 2e-3), "float32": (1e-5, 1e-6), "float64": (1e-12, 1e-13)}
LENGTHS = (0, 1, 2, 3, 10, 51)


@pytest.mark.parametrize("name", PARAMETERS)
def test_windows(name, ours, theirs):
    for values, sym, count, kind in itertools.product(
        PARAMETERS[name], (True, False), LENGTHS, ("float32", "float64", None)
    ):
        mine, other = (
            getattr(library.signal.windows, name)(count, sym=sym, dtype=kind and getattr(library, kind), **values)
            for library in (ours, theirs)
        )
        agree(mine, other, *TOLERANCE[kind or "float32"], f"{name}({count}, sym={sym}, {values})")


def test_centers(ours, theirs):
    for count, center in itertools.product(LENGTHS, (0, 2, 7.5)):
        mine, other = (
            library.signal.windows.exponential(count, center=center, tau=3.0, sym=False) for library in (ours, theirs)
        )
        agree(mine, other, 1e-5, 1e-6)


@pytest.mark.parametrize("name", OLDER)
def test_older_functions(name, ours, theirs):
    for values, periodic, count, kind in itertools.product(OLDER[name], (True, False), LENGTHS, TOLERANCE):
        mine, other = (
            getattr(library, name)(count, periodic, *values, dtype=getattr(library, kind)) for library in (ours, theirs)
        )
        agree(mine, other, *TOLERANCE[kind], f"{name}({count}, {periodic}, {values})")
    agree(getattr(ours, name)(window_length=4), getattr(theirs, name)(window_length=4), 1e-5, 1e-6)
    assert getattr(ours, name)(4, requires_grad=True).requires_grad


def test_parameters_by_name(ours, theirs):
    agree_on(ours, theirs, lambda L: L.hamming_window(5, periodic=False, alpha=0.5, beta=0.4), [])
    agree_on(ours, theirs, lambda L: L.hamming_window(5, True, alpha=0.5), [])
    agree_on(ours, theirs, lambda L: L.kaiser_window(5, True, beta=3.0), [])


REFUSED = [
    lambda L: L.signal.windows.hann(-1),
    lambda L: L.signal.windows.hann(2.5),
    lambda L: L.signal.windows.hann("a"),
    lambda L: L.signal.windows.hann(3, True),
    lambda L: L.signal.windows.hann(3, dtype=L.float16),
    lambda L: L.signal.windows.hann(3, dtype=L.int64),
    lambda L: L.signal.windows.hann(3, layout=None),
    lambda L: L.signal.windows.kaiser(3, beta=-1),
    lambda L: L.signal.windows.gaussian(3, std=0),
    lambda L: L.signal.windows.exponential(3, tau=0),
    lambda L: L.signal.windows.exponential(3, center=1),
    lambda L: L.signal.windows.general_cosine(3, a=[]),
    lambda L: L.signal.windows.general_cosine(3, a=2),
    lambda L: L.signal.windows.general_cosine(3),
    lambda L: L.hann_window(-1),
    lambda L: L.hann_window(2.5),
    lambda L: L.hann_window(3, dtype=L.int32),
    lambda L: L.hann_window(3, True, 0.5),
    lambda L: L.hamming_window(3, alpha=0.5),
    lambda L: L.hamming_window(3, True, beta=0.5),
    lambda L: L.hamming_window(3, 0.5),
    lambda L: L.hann_window(3, out=L.empty(3)),
]


def test_refusals(ours, theirs):
    for expression in REFUSED:
        refuse_alike(ours, theirs, expression)


def test_requires_grad(ours):
    for name, values in PARAMETERS.items():
        assert getattr(ours.signal.windows, name)(3, requires_grad=True, **values[0]).requires_grad
