"""Low rank approximations on PyTorch's stream of random numbers, and a few eigenvalues."""

import numpy as np
import pytest
from parity import agree, agree_with_gradients, refuse_alike

from autograd.testing import gradcheck


def numbers(*shape, seed=1):
    return np.random.default_rng(seed).uniform(-1, 1, shape)


@pytest.mark.parametrize("shape", [(9, 5), (5, 9), (2, 6, 4)])
def test_same_seed_same_subspace(shape, ours, theirs):
    """Matrices of full rank, of which the directions that are found depend on the random ones."""
    x = numbers(*shape)
    for call in (
        lambda L, x: L.svd_lowrank(x, 3),
        lambda L, x: L.svd_lowrank(x, q=2, niter=0, M=x.mean(-2, keepdim=True)),
        lambda L, x: L.pca_lowrank(x, 2),
        lambda L, x: L.pca_lowrank(x, center=False, niter=1),
    ):
        results = []
        for L in (ours, theirs):
            L.manual_seed(5)
            results.append([part.abs() for part in call(L, L.of(x))])
        agree(*results, 1e-8, 1e-9)


def test_gradient(ours, theirs):
    def rebuilt(L, a, b):
        L.manual_seed(5)
        u, s, v = L.svd_lowrank(a @ b, 2)
        return (u * s.sin()) @ v.mT

    twins = (lambda a, b, L=L: rebuilt(L, a, b) for L in (ours, theirs))
    agree_with_gradients(ours, theirs, *twins, [numbers(6, 2), numbers(2, 5, seed=3)], 1e-7, 1e-8)


def test_extreme_eigenvalues(ours, theirs):
    x = numbers(9, 9)
    a = x @ x.T + np.diag(np.arange(9.0))
    b = np.diag(np.arange(1.0, 10.0)) + 0.1
    for k, largest in ((1, True), (3, True), (2, False)):
        for B in (None, b):
            values, vectors = ours.lobpcg(ours.of(a), k, None if B is None else ours.of(B), largest=largest)
            theirs.manual_seed(0)
            other = theirs.lobpcg(
                theirs.of(a), k, None if B is None else theirs.of(B), largest=largest, niter=500, tol=1e-10
            )[0]
            agree(values, other, 1e-7, 1e-8)
            metric = np.eye(9) if B is None else B
            v = vectors.numpy()
            np.testing.assert_allclose(a @ v, metric @ v * values.numpy(), atol=1e-9)
            np.testing.assert_allclose(v.T @ metric @ v, np.eye(k), atol=1e-10)
    tensor = ours.of(a, True)
    assert gradcheck(lambda a: ours.lobpcg((a + a.mT) / 2, 2, ours.of(b))[0], (tensor,))


REFUSED = {
    "q": (lambda L: L.pca_lowrank(L.zeros(3, 2), 3), ["3", "2"]),
    "niter": (lambda L: L.pca_lowrank(L.zeros(3, 2), niter=-1), ["-1"]),
    "lobpcg": (lambda L: L.lobpcg(L.eye(5), 2), ["5", "2"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])


def test_a_tracker_is_refused(ours):
    with pytest.raises(NotImplementedError, match="tracker"):
        ours.lobpcg(ours.eye(5), tracker=print)
