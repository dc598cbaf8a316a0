"""Every draw against PyTorch's: values, words taken and saved states, also in sequences of mixed draws."""

import copy
import math
import pickle
import subprocess
import sys
import threading
import warnings
from fractions import Fraction

import numpy as np
import pytest

from autograd.kernels import jit, sampling, streams, twister
from autograd.kernels.streams import MT19937Stream

SEEDS = (0, 1337, 2**31 - 1, 2**40 + 3, -1)
SIZES = (0, 1, 3, 15, 16, 17, 1000, 100001)
FLOATS = ("float32", "float64")
# Where NumPy's log, cos or tan meets PyTorch's: float64 to a few last places, float32 to two.
CLOSE = {"float16": 0.0, "float32": 2.4e-7, "float64": 1e-15}


def dtype_of(torch, name):
    return getattr(torch, name)


def empty(torch, shape, dtype):
    return torch.empty(shape, dtype=dtype_of(torch, dtype))


# name: (exact, our draw, PyTorch's); s is the stream, t torch, g its generator, n the size, d the dtype.
DRAWS = {
    "uniform": (
        True,
        lambda s, n, d: s.uniform(n, d),
        lambda t, g, n, d: empty(t, n, d).uniform_(generator=g),
    ),
    "uniform(-.3, .7)": (
        True,
        lambda s, n, d: s.uniform(n, d, -0.3, 0.7),
        lambda t, g, n, d: empty(t, n, d).uniform_(-0.3, 0.7, generator=g),
    ),
    "normal": (False, lambda s, n, d: s.normal(n, d), lambda t, g, n, d: empty(t, n, d).normal_(generator=g)),
    "normal(.5, .2)": (
        False,
        lambda s, n, d: s.normal(n, d, 0.5, 0.2),
        lambda t, g, n, d: empty(t, n, d).normal_(0.5, 0.2, generator=g),
    ),
    "normal, strided": (
        False,
        lambda s, n, d: s.normal(n, d, contiguous=n == 1),
        lambda t, g, n, d: empty(t, (n, 2), d)[:, 0].normal_(generator=g),
    ),
    "log_normal": (
        False,
        lambda s, n, d: s.log_normal(n, d, 0.1, 0.3),
        lambda t, g, n, d: empty(t, n, d).log_normal_(0.1, 0.3, generator=g),
    ),
    "cauchy": (
        False,
        lambda s, n, d: s.cauchy(n, d, 0.5, 2),
        lambda t, g, n, d: empty(t, n, d).cauchy_(0.5, 2, generator=g),
    ),
    "geometric": (
        True,
        lambda s, n, d: s.geometric(n, d, 0.3),
        lambda t, g, n, d: empty(t, n, d).geometric_(0.3, generator=g),
    ),
    "random": (True, lambda s, n, d: s.random(n, d), lambda t, g, n, d: empty(t, n, d).random_(generator=g)),
    "integers(-5, 100)": (
        True,
        lambda s, n, d: s.integers(-5, 100, n, d),
        lambda t, g, n, d: empty(t, n, d).random_(-5, 100, generator=g),
    ),
    "bernoulli, array": (
        True,
        lambda s, n, d: s.bernoulli(np.linspace(0, 1, n, dtype=d)),
        lambda t, g, n, d: t.bernoulli(t.from_numpy(np.linspace(0, 1, n, dtype=d)), generator=g),
    ),
    "permutation": (
        True,
        lambda s, n, d: s.permutation(n, "int64"),
        lambda t, g, n, d: t.randperm(n, generator=g),
    ),
}
# These draw from MKL in PyTorch on Intel processors.
PLAIN_DRAWS = {
    "exponential": (
        False,
        lambda s, n, d: s.exponential(n, d, 0.7),
        lambda t, g, n, d: empty(t, n, d).exponential_(0.7, generator=g),
    ),
    "bernoulli": (
        True,
        lambda s, n, d: s.bernoulli(0.3, n, d),
        lambda t, g, n, d: empty(t, n, d).bernoulli_(0.3, generator=g),
    ),
}


@pytest.fixture(scope="module")
def draws():
    torch = pytest.importorskip("torch")
    generator, stream = torch.Generator().manual_seed(3), MT19937Stream(3)
    torch.empty(9).bernoulli_(0.5, generator=generator)
    stream.bernoulli(0.5, 9)
    plain = np.array_equal(stream.get_state(), generator.get_state().numpy())
    return DRAWS | (PLAIN_DRAWS if plain else {})


def check(name, mine, theirs, exact):
    theirs = theirs.numpy()
    assert mine.dtype == theirs.dtype, name
    assert mine.shape == theirs.shape, name
    if exact or mine.dtype == np.float16:
        np.testing.assert_array_equal(mine, theirs, err_msg=name)
    else:
        tolerance = CLOSE[str(mine.dtype)]
        # cos near its zeros and tan near its poles magnify a last place of the angle.
        relative = 1e-9 if mine.dtype == np.float64 and "cauchy" in name else tolerance
        np.testing.assert_allclose(mine, theirs, rtol=relative, atol=tolerance, err_msg=name)


def in_step(name, stream, generator):
    mine, theirs = stream.get_state(), generator.get_state().numpy()
    spare = slice(5024, 5032)
    np.testing.assert_allclose(mine[spare].view(float), theirs[spare].view(float), rtol=1e-15, atol=1e-15)
    mine[spare] = theirs[spare]
    np.testing.assert_array_equal(mine, theirs, err_msg=f"{name}: the states differ")


def test_every_draw_seed_size_and_dtype(draws):
    torch = pytest.importorskip("torch")
    for name, (exact, mine, theirs) in draws.items():
        for seed in SEEDS:
            for size in SIZES:
                for dtype in FLOATS:
                    stream, generator = MT19937Stream(seed), torch.Generator().manual_seed(seed)
                    label = f"{name} {seed} {size} {dtype}"
                    check(label, mine(stream, size, dtype), theirs(torch, generator, size, dtype), exact)
                    in_step(label, stream, generator)


def test_below_16_and_float16_are_exact(draws):
    torch = pytest.importorskip("torch")
    for seed in SEEDS:
        stream, generator = MT19937Stream(seed), torch.Generator().manual_seed(seed)
        for size in (1, 3, 15, 0, 7, 2):
            for dtype in (*FLOATS, "float16"):
                theirs = empty(torch, size, dtype).normal_(0.3, 1.7, generator=generator)
                check("normal", stream.normal(size, dtype, 0.3, 1.7), theirs, exact=True)
    for name, (_, mine, theirs) in draws.items():
        for size in (1, 17, 40, 5000):
            stream, generator = MT19937Stream(5), torch.Generator().manual_seed(5)
            want = theirs(torch, generator, size, "float16").numpy()
            got = mine(stream, size, "float16")
            assert (got != want).sum() <= size // 500, name
            in_step(name, stream, generator)


def test_mixed_sequences_stay_in_step(draws):
    torch = pytest.importorskip("torch")
    names = sorted(draws)
    for seed in SEEDS:
        stream, generator = MT19937Stream(seed), torch.Generator().manual_seed(seed)
        plan = np.random.default_rng(seed % 1000)
        for _ in range(150):
            name, dtype = names[plan.integers(len(names))], FLOATS[plan.integers(2)]
            size = (*SIZES[:-1], 5, 7)[plan.integers(9)]
            exact, mine, theirs = draws[name]
            label = f"{name} {seed} {size} {dtype}"
            check(label, mine(stream, size, dtype), theirs(torch, generator, size, dtype), exact)
            in_step(label, stream, generator)


def test_integers_of_every_dtype_and_range():
    torch = pytest.importorskip("torch")
    stream, generator = MT19937Stream(7), torch.Generator().manual_seed(7)
    top = (1 << 63) - 1
    cases = [("bool", 0, 2), ("uint8", 3, 256), ("int8", -128, 128), ("int16", -9, 9), ("uint16", 0, 65536)]
    cases += [
        ("int32", -(1 << 31), 1 << 31),
        ("uint32", 0, 1 << 32),
        ("uint64", 0, 5),
        ("int64", -top - 1, top),
    ]
    cases += [(dtype, 0, (1 << 28) + step) for dtype in ("int32", "int64", *FLOATS) for step in (-1, 0, 1)]
    cases += [("float32", 0, 1 << 40), ("float32", -(1 << 30) - 1, (1 << 24) + 2), ("float16", 0, 60000)]
    cases += [
        ("float64", 0, 1 << 60),
        ("float16", -3000, 4097),
        ("int64", 5, 6),
        ("float32", -(1 << 26) + 1, 3),
        ("float64", -(1 << 63), (1 << 63) - 1),
        ("float32", 0, (1 << 28) + 40),
    ]
    for dtype, low, high in cases:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(from|to - 1) is out of bounds", UserWarning)
            theirs = torch.randint(low, high, (20001,), dtype=dtype_of(torch, dtype), generator=generator)
        label = f"integers({low}, {high}) {dtype}"
        check(label, stream.integers(low, high, 20001, dtype), theirs, exact=True)
        in_step(label, stream, generator)
    for dtype, low in (
        ("int64", -top - 1),
        ("int64", 4),
        ("int32", 0),
        ("float32", 5),
        ("uint8", 9),
        ("bool", 0),
    ):
        theirs = torch.empty(999, dtype=dtype_of(torch, dtype)).random_(low, None, generator=generator)
        check(f"random_({low}, None) {dtype}", stream.integers(low, None, 999, dtype), theirs, exact=True)
    for dtype in ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64"):
        theirs = torch.empty(999, dtype=dtype_of(torch, dtype)).random_(generator=generator)
        check(f"random_() {dtype}", stream.random(999, dtype), theirs, exact=True)
    for dtype in ("uint8", "int8", "int16", "int32", "int64"):
        theirs = torch.empty(999, dtype=dtype_of(torch, dtype)).geometric_(0.01, generator=generator)
        check(f"geometric {dtype}", stream.geometric(999, dtype, 0.01), theirs, exact=True)
    in_step("integers", stream, generator)


def test_permutations_short_and_by_lapack():
    torch = pytest.importorskip("torch")
    stream, generator = MT19937Stream(11), torch.Generator().manual_seed(11)
    for n in (0, 1, 2, 10, 1000, 60000, sampling.LAPACK_PERMUTATION + 1):
        check(f"randperm {n}", stream.permutation(n), torch.randperm(n, generator=generator), exact=True)
    assert stream.permutation(100, "uint8").dtype == np.uint8
    swapped = np.arange(150_000)
    partners = np.random.default_rng(0).integers(0, np.arange(1, 150_001))
    for i, j in enumerate(partners):
        swapped[[i, j]] = swapped[[j, i]]
    np.testing.assert_array_equal(sampling.swapped(150_000, partners), swapped)


def test_long_words_are_pairs_of_words():
    for count in (0, 1, twister.FEW, twister.FEW + 1, 5000):
        long, short = MT19937Stream(4), MT19937Stream(4)
        pairs = short.words(2 * count).reshape(-1, 2)
        np.testing.assert_array_equal(long.long_words(count), pairs[:, 0] << np.uint64(32) | pairs[:, 1])
        np.testing.assert_array_equal(long.get_state(), short.get_state())


def test_a_long_permutation_swaps_backward(monkeypatch):
    monkeypatch.setattr(streams, "LONG_PERMUTATION", 5)
    want: list[int] = []
    for i, word in enumerate(MT19937Stream(4).long_words(9).tolist()):
        j = word % (i + 1)
        want.append(i)
        want[i], want[j] = want[j], i
    assert MT19937Stream(4).permutation(9).tolist() == want


def test_uniform_rounds_once_and_excludes_the_upper_bound():
    torch = pytest.importorskip("torch")
    bounds = [(1, 1 + 2**-22), (-1, 5.3), (0, 1e-3), (2, 2), (-1e300, 1e300), (5e-324, 1e-320), (0.1, 0.7)]
    for low, high in bounds:
        for dtype in (*FLOATS, "float16") if abs(high) < 1e30 else ("float64",):
            stream, generator = MT19937Stream(2), torch.Generator().manual_seed(2)
            theirs = empty(torch, 70001, dtype).uniform_(low, high, generator=generator)
            check(f"uniform({low}, {high})", stream.uniform(70001, dtype, low, high), theirs, exact=True)
    unit = MT19937Stream(0).uniform(2000, "float64")
    fused = [float(Fraction(u) * Fraction(0.7) + Fraction(-0.3)) for u in unit.tolist()]
    np.testing.assert_array_equal(sampling.between(unit, -0.3, 0.4), fused)


def test_complex_dtypes_draw_both_parts():
    torch = pytest.importorskip("torch")
    stream, generator = MT19937Stream(6), torch.Generator().manual_seed(6)
    for dtype in ("complex64", "complex128"):
        for size in (3, 20):
            kind = dtype_of(torch, dtype)
            np.testing.assert_array_equal(
                stream.uniform((size, 2), dtype), torch.rand(size, 2, dtype=kind, generator=generator).numpy()
            )
            np.testing.assert_allclose(
                stream.normal(size, dtype),
                torch.randn(size, dtype=kind, generator=generator).numpy(),
                rtol=1e-6,
            )
            in_step(dtype, stream, generator)


@pytest.mark.parametrize("mode", ["never", "always"])
def test_counts(mode):
    """Poisson and binomial numbers of small and large means, and the words they take, by Python and by numba."""
    with jit.using(mode):
        compare_counts()


def compare_counts():
    torch = pytest.importorskip("torch")
    stream, generator = MT19937Stream(12), torch.Generator().manual_seed(12)
    plan = np.random.default_rng(0)
    with np.errstate(over="ignore"):
        for dtype in ("float16", *FLOATS):
            for low, high, n in ((0, 9, 3000), (9, 11, 5000), (10, 300, 3000), (1e4, 1e6, 2000), (1e7, 1e9, 500)):
                if dtype == "float16" and high > 1e4:
                    continue
                rates = plan.uniform(low, high, n).astype(dtype)
                rates[::7] = 0
                theirs = torch.poisson(torch.from_numpy(rates), generator=generator)
                check(f"poisson {low} {high} {dtype}", stream.poisson(rates), theirs, exact=True)
                in_step("poisson", stream, generator)
                if dtype == "float16":
                    continue
                count, prob = np.floor(rates), plan.uniform(-0.05, 1.05, n).astype(dtype)
                theirs = torch.binomial(torch.from_numpy(count), torch.from_numpy(prob), generator=generator)
                check(f"binomial {low} {high} {dtype}", stream.binomial(count, prob), theirs, exact=True)
                in_step("binomial", stream, generator)
    odd = np.array([np.nan, np.inf, 3.0])
    np.testing.assert_array_equal(stream.binomial(odd, np.array([0.5, 0.5, np.nan])), np.full(3, np.nan))
    np.testing.assert_array_equal(stream.binomial(odd, np.array([0.0, 2.0, 1.0])), [0, np.inf, 3])


def several(needs, u, start, spare, out):
    """For each row the last of as many uniforms as it needs."""
    at = 0
    for i in range(start, len(needs)):
        if at + needs[i] > len(u):
            return at, i, spare
        at += int(needs[i])
        out[i] = u[at - 1] if needs[i] else -1.0
    return at, len(needs), spare


@pytest.mark.parametrize("needs", [[], [0], [0, 0, 0], [3, 0, 50], [1000], [1] * 5000, [40, 7] * 3000])
def test_as_many_as_each_row_needs(needs):
    """However they are drawn, all uniforms come in order, and those that nobody took come next."""
    stream = MT19937Stream(0)
    before = copy.copy(stream)
    drawn = stream.each(several, [np.array(needs, np.float64)])
    u = before.uniform(int(sum(needs)), "float64")
    ends = np.cumsum(needs).astype(int) - 1
    np.testing.assert_array_equal(drawn, [u[end] if n else -1 for n, end in zip(needs, ends, strict=True)])
    np.testing.assert_array_equal(stream.get_state(), before.get_state())


def test_python_and_numba_draw_the_same():
    pytest.importorskip("numba")
    plan = np.random.default_rng(3)
    rates, shapes = plan.uniform(0, 40, 30_000), plan.uniform(0, 3, 30_001)
    drawn = []
    for mode in ("never", "always"):
        with jit.using(mode):
            stream = MT19937Stream(5)
            counts = [stream.poisson(rates), stream.binomial(np.floor(rates), np.linspace(0, 1, 30_000))]
            drawn.append([*counts, stream.gamma(shapes), stream.gamma(shapes.astype(np.float32)), stream.get_state()])
    for mine, other in zip(*drawn, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_multinomial(draws):
    torch = pytest.importorskip("torch")
    plain = "bernoulli" in draws
    stream, generator = MT19937Stream(8), torch.Generator().manual_seed(8)
    for dtype in FLOATS:
        for shape in ((6,), (7, 50), (1, 3), (40, 1000), (0, 4)):
            weights = np.random.default_rng(1).random(shape).astype(dtype)
            weights[..., 1] = 0
            for samples, replacement in ((1, False), (2, False), (5, True), (1, True), (300, True)):
                if not plain and (samples == 1 or not replacement):
                    continue
                theirs = torch.multinomial(
                    torch.from_numpy(weights), samples, replacement=replacement, generator=generator
                )
                label = f"multinomial {shape} {samples} {replacement}"
                check(label, stream.multinomial(weights, samples, replacement), theirs, exact=True)
                in_step(label, stream, generator)


def test_bernoulli_with_an_array_broadcasts_and_converts():
    torch = pytest.importorskip("torch")
    stream, generator = MT19937Stream(10), torch.Generator().manual_seed(10)
    for kind in ("float16", "float32", "float64"):
        for dtype in ("float32", "bool", "int64", "float64"):
            p = np.linspace(0, 1, 30, dtype=kind)
            theirs = empty(torch, (20, 30), dtype).bernoulli_(torch.from_numpy(p), generator=generator)
            check(f"bernoulli {kind} {dtype}", stream.bernoulli(p, (20, 30), dtype), theirs, exact=True)
    in_step("bernoulli", stream, generator)


def test_transposed_targets_are_filled_in_memory_order():
    torch = pytest.importorskip("torch")
    for name in ("uniform", "normal, strided", "cauchy"):
        target = torch.empty(6, 8).t()
        exact, mine, _ = DRAWS[name]
        fill = {"uniform": target.uniform_, "normal, strided": target.normal_, "cauchy": target.cauchy_}[name]
        arguments = (0.5, 2) if name == "cauchy" else ()
        fill(*arguments, generator=torch.Generator().manual_seed(1))
        check(name, mine(MT19937Stream(1), 48, "float32").reshape(6, 8).T, target, exact)


def test_seeds():
    torch = pytest.importorskip("torch")
    for seed in (*SEEDS, 2**64 - 1, -(2**63), np.int64(5)):
        stream, generator = MT19937Stream(seed), torch.Generator().manual_seed(int(seed))
        assert stream.initial_seed() == generator.initial_seed()
        in_step("seed", stream, generator)
    assert MT19937Stream().initial_seed() == torch.Generator().initial_seed()
    for seed, error in (
        (2**64, ValueError),
        (-(2**63) - 1, ValueError),
        (1.5, RuntimeError),
        (True, RuntimeError),
    ):
        stream = MT19937Stream(3)
        with pytest.raises(error):
            torch.Generator().manual_seed(seed)
        with pytest.raises(error, match="long"):
            stream.seed(seed)
        assert stream.initial_seed() == 3
    stream = MT19937Stream(0)
    assert stream.seed_from_entropy() == stream.initial_seed()
    assert stream.seed_from_entropy() != stream.seed_from_entropy()


def test_states_travel_both_ways():
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(1337)
    for words in (0, 1, 623, 624, 625, 1300):
        generator.manual_seed(1337)
        torch.empty(words).uniform_(generator=generator)
        for pair in (False, True):
            if pair:
                torch.randn(3, generator=generator)
            stream = MT19937Stream(0)
            stream.set_state(generator.get_state().numpy())
            np.testing.assert_array_equal(stream.get_state(), generator.get_state().numpy())
            check("normal", stream.normal(5), torch.randn(5, generator=generator), exact=True)
            generator.set_state(torch.from_numpy(stream.get_state()))
            check("normal", stream.normal(4), torch.randn(4, generator=generator), exact=True)
            assert stream.initial_seed() == generator.initial_seed() == 1337


def test_copies_and_pickles_go_on_alike():
    stream = MT19937Stream(2)
    stream.normal(3)
    for twin in (copy.deepcopy(stream), copy.copy(stream), pickle.loads(pickle.dumps(stream))):
        np.testing.assert_array_equal(twin.normal(100), copy.copy(stream).normal(100))


def test_a_rejected_call_changes_nothing():
    stream = MT19937Stream(1)
    stream.normal(3)
    before = stream.get_state()
    ones = np.ones(3, np.float32)
    cases = [
        (RuntimeError, r"from=1 > to=0", lambda: stream.uniform(3, low=1, high=0)),
        (RuntimeError, r"out of bounds for float16", lambda: stream.uniform(3, "float16", 0, 1e6)),
        (RuntimeError, r"out of bounds", lambda: stream.uniform(3, low=math.nan)),
        (RuntimeError, r"exceeds the largest", lambda: stream.uniform(3, low=-3e38, high=3e38)),
        (NotImplementedError, r"floating-point or complex", lambda: stream.uniform(3, "int64")),
        (RuntimeError, r"std >= 0.0, but found std=-1", lambda: stream.normal(3, std=-1)),
        (RuntimeError, r"std > 0.0", lambda: stream.log_normal(3, std=0)),
        (RuntimeError, r"lambda > 0.0", lambda: stream.exponential(3, lambd=0)),
        (RuntimeError, r"sigma > 0.0", lambda: stream.cauchy(3, sigma=-1)),
        (RuntimeError, r"p to be in \(0, 1\)", lambda: stream.geometric(3, p=1.0)),
        (RuntimeError, r"p to be in \[0, 1\], but got p=1.5", lambda: stream.bernoulli(1.5, 3)),
        (RuntimeError, r"values from", lambda: stream.bernoulli(ones * 2)),
        (TypeError, r"needs the shape", lambda: stream.bernoulli(0.5)),
        (NotImplementedError, r"floating-point", lambda: stream.bernoulli(np.ones(3, int))),
        (NotImplementedError, r"bernoulli_ needs", lambda: stream.bernoulli(0.5, 3, "complex64")),
        (RuntimeError, r"exponential_ needs a floating-point", lambda: stream.exponential(3, "int64")),
        (RuntimeError, r"invalid Poisson rate", lambda: stream.poisson(-ones)),
        (NotImplementedError, r"poisson needs", lambda: stream.poisson(np.ones(3, int))),
        (ValueError, r"for prob, got: int64", lambda: stream.binomial(ones, np.ones(3, int))),
        (RuntimeError, r"one dtype, but got float32 and float64", lambda: stream.binomial(ones, np.ones(3))),
        (NotImplementedError, r"float16", lambda: stream.binomial(ones.astype("f2"), ones.astype("f2"))),
        (RuntimeError, r"from=3 >= to=3", lambda: stream.integers(3, 3, 2)),
        (RuntimeError, r"to - 1 is out of bounds for uint8", lambda: stream.integers(0, 300, 2, "uint8")),
        (NotImplementedError, r"give bounds", lambda: stream.random(3, "uint16")),
        (RuntimeError, r"non-negative", lambda: stream.permutation(-1)),
        (RuntimeError, r"too large for uint8", lambda: stream.permutation(257, "uint8")),
        (RuntimeError, r"negative dimension", lambda: stream.uniform((2, -1))),
        (RuntimeError, r"pass replacement=True", lambda: stream.multinomial(ones, 4)),
        (RuntimeError, r"n_sample <= 0", lambda: stream.multinomial(ones, 0)),
        (RuntimeError, r"floating-point dtypes", lambda: stream.multinomial(np.ones(3, int), 1)),
        (RuntimeError, r"1 or 2 dim", lambda: stream.multinomial(ones.reshape(3, 1, 1), 1)),
        (RuntimeError, r"element < 0", lambda: stream.multinomial(-ones, 1)),
        (RuntimeError, r"sum of probabilities <= 0", lambda: stream.multinomial(0 * ones, 1, True)),
        (TypeError, r"uint8", lambda: stream.set_state(np.zeros(5056))),
        (RuntimeError, r"5056 bytes, but got 10", lambda: stream.set_state(np.zeros(10, np.uint8))),
        (RuntimeError, r"Invalid mt19937 state", lambda: stream.set_state(np.zeros(5056, np.uint8))),
    ]
    for error, message, call in cases:
        with pytest.raises(error, match=message):
            call()
        np.testing.assert_array_equal(stream.get_state(), before)


def test_threads_share_a_stream_by_whole_draws():
    stream, drawn = MT19937Stream(1), []
    threads = [threading.Thread(target=lambda: drawn.extend(stream.long_pair() for _ in range(200))) for _ in range(4)]
    stream.long_pair = lambda: tuple(stream.integers(0, 1 << 40, 2).tolist())
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    alone = MT19937Stream(1).integers(0, 1 << 40, (800, 2)).tolist()
    assert sorted(drawn) == sorted(map(tuple, alone))


def test_numpy_random_is_imported_by_the_first_draw():
    code = (
        "import sys; from autograd.kernels.streams import MT19937Stream; s = MT19937Stream(3); s.seed(4);"
        "assert 'numpy.random' not in sys.modules; s.uniform(1); assert 'numpy.random' in sys.modules;"
        "assert 'scipy' not in sys.modules and 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
