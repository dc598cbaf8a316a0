"""Selection among equal elements: the compiled loops and Python agree, and what is found is in order."""

import numpy as np
import pytest

from autograd.kernels import jit, selection


class Adversary:
    """Decides how keys compare only when asked, so that each pivot is bad (McIlroy, "A killer adversary for quicksort",
    1999): the depth limit is reached, and the heaps take over."""

    def __init__(self, n):
        self.values, self.largest, self.known, self.candidate = [n] * n, n, 0, 0

    class Key:
        def __init__(self, adversary, place):
            self.adversary, self.place = adversary, place

        def __lt__(self, other):
            game, i, j = self.adversary, self.place, other.place
            if game.values[i] == game.values[j] == game.largest:
                game.values[i if i == game.candidate else j] = game.known
                game.known += 1
            if game.values[i] == game.largest:
                game.candidate = i
            elif game.values[j] == game.largest:
                game.candidate = j
            return game.values[i] < game.values[j]


def worst_case(n, rank, way):
    """Integers, each about twice, that are the worst case of a way of selection."""
    adversary = Adversary(n)
    selection.arrange([Adversary.Key(adversary, i) for i in range(n)], list(range(n)), rank, way)
    return np.array(adversary.values) // 2


def inputs():
    generator = np.random.default_rng(0)
    for n in (1, 2, 3, 16, 17, 100, 2000):
        yield generator.integers(0, max(2, n // 3), (5, n))
    yield np.tile(np.arange(500), (2, 1))
    yield np.tile(np.arange(500)[::-1], (2, 1))
    yield np.zeros((2, 500), int)
    yield np.concatenate([np.arange(0, 600, 2), np.arange(1, 600, 2)])[None]
    yield worst_case(600, 300, selection.INTROSELECT)[None]
    yield worst_case(600, 0, selection.FULL_SORT)[None]


@pytest.mark.parametrize("way", [selection.QUICK, selection.INTROSELECT, selection.HEAP, selection.FULL_SORT])
def test_order(way):
    for keys in inputs():
        n = keys.shape[1]
        for rank in {0, n // 2, n - 1}:
            before = keys.copy()
            with jit.using("never"):
                places = selection.selected(keys, rank, way)
            np.testing.assert_array_equal(keys, before)
            np.testing.assert_array_equal(np.sort(places), np.tile(np.arange(n), (len(keys), 1)))
            arranged, ordered = np.take_along_axis(keys, places, 1), np.sort(keys, 1)
            known = (
                slice(rank, rank + 1)
                if way == selection.QUICK
                else slice(0, n if way == selection.FULL_SORT else rank + 1)
            )
            np.testing.assert_array_equal(arranged[:, known], ordered[:, known])


def test_the_worst_cases_are_pytorchs():
    torch = pytest.importorskip("torch")
    x = torch.from_numpy(worst_case(600, 300, selection.INTROSELECT))
    places = selection.selected(x.numpy()[None], 300, selection.INTROSELECT)[0, :301]
    np.testing.assert_array_equal(places, x.topk(301, largest=False).indices.numpy())


@pytest.mark.parametrize("way", [selection.QUICK, selection.INTROSELECT, selection.HEAP, selection.FULL_SORT])
def test_compiled_loops_agree(way):
    pytest.importorskip("numba")
    for keys in inputs():
        rank = keys.shape[1] // 2
        with jit.using("never"):
            expected = selection.selected(keys, rank, way)
        with jit.using("always"):
            np.testing.assert_array_equal(selection.selected(keys, rank, way), expected)
