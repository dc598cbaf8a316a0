"""Recurrent sweeps on plain arrays: both readings, lengths that shrink, both directions, products in blocks."""

import itertools
import sys

import numpy as np
import pytest
from guarding import GUARD

from autograd.kernels import jit, recurrent, recurrent_steps, threads
from autograd.kernels.memory import ROOM
from autograd.kernels.recurrent_steps import KINDS

GATES = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}
TOLERANCE = {"float32": (2e-5, 2e-6), "float64": (1e-11, 1e-12)}
SIZES = ([3, 3, 3], [4, 2, 2, 1], [2], [0, 0])


def arguments(kind, dtype, sizes, hidden=5, projected=0, layout=lambda array: array):
    """Inputs of `forward`, and gradients of its results."""
    random = np.random.default_rng(0)

    def array(*shape):
        return layout(random.uniform(-1, 1, shape).astype(dtype))

    gates, out, batch = GATES[kind] * hidden, projected or hidden, sizes[0]
    projection = array(projected, hidden) if projected else None
    weights = recurrent.Weights(array(gates, 3), array(gates, out), array(gates), array(gates), projection)
    cell = array(batch, hidden) if kind == "lstm" else None
    given = array(sum(sizes), 3), array(batch, out), cell, weights
    gradients = [array(sum(sizes), out), array(batch, out), *([array(batch, hidden)] if kind == "lstm" else [])]
    return given, gradients


def sweep(kind, given, gradients, sizes, reverse):
    """All results of both directions of differentiation."""
    results, saved = recurrent.forward(kind, *given, sizes, reverse)
    found = recurrent.backward(kind, gradients, given[0], given[-1], saved, sizes, reverse)
    return [*results, *(gradient for gradient in found if gradient is not None)]


@pytest.mark.parametrize("kind", KINDS)
def test_products_that_nobody_wants(kind, monkeypatch):
    """Without the gradients of the input or of its weight the others are as before, and there is no product for them:
    for the input's there would be one more in each step."""
    (x, h, c, weights), gradients = arguments(kind, "float64", [4, 2, 2, 1])
    saved = recurrent.forward(kind, x, h, c, weights, [4, 2, 2, 1], False)[1]
    sizes, product = [], recurrent_steps.product
    monkeypatch.setattr(
        recurrent_steps, "product", lambda *given: sizes.append(product(*given).size) or product(*given)
    )
    steps, multiply = [], recurrent_steps.multiply
    monkeypatch.setattr(recurrent_steps, "multiply", lambda *given: steps.append(1) or multiply(*given))
    monkeypatch.setattr(recurrent, "plain_sweeps", recurrent_steps.plain_sweeps.__wrapped__)  # which are kept
    both, hidden, found = weights.input.size + weights.hidden.size, weights.hidden.size, []
    for wanted, count in ((("x", "h", "w_ih"), both), (("x",), hidden), (("w_ih",), both), (("h",), hidden)):
        sizes.clear(), steps.clear()
        found.append(recurrent.backward(kind, gradients, x, weights, saved, [4, 2, 2, 1], False, wanted))
        assert (sum(sizes), len(steps)) == (count, 4 * (1 + ("x" in wanted)))
        assert (found[-1][0] is not None, found[-1][3] is not None) == ("x" in wanted, "w_ih" in wanted)
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert b is None or np.array_equal(a, b)


def agree(results, expected, dtype):
    for a, b in zip(results, expected, strict=True):
        assert a.dtype == b.dtype == dtype
        assert a.shape == b.shape
        np.testing.assert_allclose(a, b, *TOLERANCE[dtype])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_readings_agree(kind, dtype):
    pytest.importorskip("numba")
    for sizes, reverse, projected in itertools.product(SIZES, (False, True), (0, 2) if kind == "lstm" else (0,)):
        found = []
        for reading in ("never", "always"):
            given, gradients = arguments(kind, dtype, sizes, projected=projected)
            with jit.using(reading):
                found.append(sweep(kind, given, gradients, sizes, reverse))
        agree(*found, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_share_no_memory(kind):
    """So that leaves can keep them without copies."""
    (x, h, c, weights), gradients = arguments(kind, "float32", [3, 3])
    saved = recurrent.forward(kind, x, h, c, weights, [3, 3], False)[1]
    found = recurrent.backward(kind, gradients, x, weights, saved, [3, 3], False)
    for a, b in itertools.combinations([each for each in found if each is not None], 2):
        assert not np.shares_memory(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_each_sequence_is_on_its_own(kind):
    """A packed sequence gives what each of its sequences gives alone."""
    sizes = [4, 2, 2, 1]
    starts = np.cumsum(sizes) - sizes
    for reverse in (False, True):
        (x, h, c, weights), gradients = arguments(kind, "float64", sizes)
        whole = sweep(kind, (x, h, c, weights), gradients, sizes, reverse)
        states = len(gradients) - 1
        for place, length in enumerate((4, 3, 1, 1)):
            rows = starts[:length] + place
            own = slice(place, place + 1)
            given = x[rows], h[own], None if c is None else c[own], weights
            alone = sweep(kind, given, [gradients[0][rows], *(g[own] for g in gradients[1:])], [1] * length, reverse)
            per_row, per_state = (0, states + 1), (*range(1, states + 1), *range(states + 2, 2 * states + 2))
            for i in (*per_row, *per_state):
                np.testing.assert_allclose(alone[i], whole[i][rows if i in per_row else own], 1e-12, 1e-13)


@pytest.mark.parametrize("reading", ["never", "always"])
@pytest.mark.parametrize("kind", KINDS)
def test_inputs_of_any_layout_are_left_alone(kind, reading):
    if reading == "always":
        pytest.importorskip("numba")

    def frozen(array):
        spread = np.repeat(np.asfortranarray(array), 2, axis=-1)[..., ::2]
        spread.flags.writeable = False
        return spread

    plain = arguments(kind, "float64", [3, 2, 1])
    with jit.using(reading):
        expected = sweep(kind, *plain, [3, 2, 1], False)
        agree(sweep(kind, *arguments(kind, "float64", [3, 2, 1], layout=frozen), [3, 2, 1], False), expected, "float64")


@pytest.mark.parametrize("hidden", [1, 11, 33])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_panels_and_tiles_that_are_not_full(hidden, dtype):
    pytest.importorskip("numba")
    for kind in ("lstm", "gru"):
        given = arguments(kind, dtype, [13, 13, 3], hidden=hidden)
        found = []
        for reading in ("never", "always"):
            with jit.using(reading):
                found.append(sweep(kind, *given, [13, 13, 3], False))
        agree(*found, dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [[13, 13, 7, 3], [5, 1]])
def test_threads_share_the_sequences(kind, sizes, monkeypatch, number_of_threads_restored):
    pytest.importorskip("numba")
    monkeypatch.setattr(recurrent, "GRAIN", 1)
    for reverse, projected in itertools.product((False, True), (0, 3) if kind == "lstm" else (0,)):
        given, gradients = arguments(kind, "float32", sizes, hidden=11, projected=projected)
        with jit.using("always"):
            threads.set_num_threads(1)
            expected = sweep(kind, given, gradients, sizes, reverse)
            for count in (2, 3):
                threads.set_num_threads(count)
                for got, want in zip(sweep(kind, given, gradients, sizes, reverse), expected, strict=True):
                    assert got.tobytes() == want.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_more_rows_than_a_block_of_products(kind):
    pytest.importorskip("numba")
    sizes = [150, 150, 7]
    given, gradients = arguments(kind, "float64", sizes, hidden=35)
    found = []
    for reading in ("never", "always"):
        with jit.using(reading):
            found.append(sweep(kind, given, gradients, sizes, False))
    agree(*found, "float64")


def test_weights_beyond_the_room():
    """A matrix of more than 2 MB, the room that a kernel packs into, is laid out in memory of its own as all are."""
    pytest.importorskip("numba")
    given, gradients = arguments("lstm", "float64", [3, 2], hidden=300)
    assert given[-1].hidden.nbytes > ROOM
    found = []
    for reading in ("never", "always"):
        with jit.using(reading):
            found.append(sweep("lstm", given, gradients, [3, 2], False))
    agree(*found, "float64")


PROCESS = """
import numpy as np
from autograd.kernels import jit, recurrent, recurrent_steps

random = np.random.default_rng(0)
arrays = [random.uniform(-1, 1, shape).astype(np.float32) for shape in ((6, 3), (2, 4), (4, 3), (4, 4), (4,), (4,))]
x, h, *weights = arrays
with jit.using("always"):
    recurrent_steps.product(x, weights[0].T)  # here or in an earlier process
for kind in {kinds}:
    results = []
    for mode in ("always", "never"):
        with jit.using(mode):
            found, saved = recurrent.forward(kind, x, h, None, recurrent.Weights(*weights, None), [2, 2, 2], False)
            results.append([*found, *saved])
    for compiled, plain in zip(*results):
        np.testing.assert_allclose(compiled, plain, 1e-5, 1e-6)
"""


def test_kinds_that_other_processes_compiled(subprocess_python, tmp_path):
    """Functions of one name in entries of the cache that know nothing of each other are the same, or the linker takes
    one for the other. The names that numba gives depend on what was compiled before, and on hashes of strings."""
    pytest.importorskip("numba")
    for kinds in ((), ("rnn_tanh",), ("rnn_relu",), ("rnn_tanh", "rnn_relu")):
        subprocess_python(PROCESS.format(kinds=kinds), CHALKGRAD_CACHE=str(tmp_path / "cache"), PYTHONHASHSEED="0")


OUTSIDE = """
from autograd.kernels import recurrent_steps, threads
from autograd.kernels.recurrent_weights import weigh

rng = np.random.default_rng(0)
for columns, features, states in ((4, 3, 1), (44, 20, 11), (96, 64, 32), (132, 33, 33)):
    arrays = [rng.standard_normal((300, n)).astype("f") for n in (columns, features, states)]
    for first in (0, columns // 4):
        found = []
        for function, before in ((recurrent_steps.weigh, True), (weigh, True), (weigh, False)):
            sums, x, h = (guarded(array, before) for array in arrays)
            count = columns - first
            found.append([np.empty(shape, "f") for shape in ((count, features), (count, states), count)])
            threads.run(function, count, sums, first, x, h, *found[-1])
        for a, b, c in zip(*found):
            assert np.allclose(a, b, rtol=1e-4, atol=1e-4), (columns, first)
            assert b.tobytes() == c.tobytes()
print("inside")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects pages with mprotect(2)")
def test_weights_read_nothing_outside_of_their_operands(subprocess_python):
    pytest.importorskip("numba")
    assert subprocess_python(GUARD + OUTSIDE) == "inside\n"
