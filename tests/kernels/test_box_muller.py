"""Normal numbers of float32: PyTorch's to the last bit, in both readings."""

import math

import numpy as np
import pytest

from autograd.kernels import box_muller, jit
from autograd.kernels.streams import MT19937Stream


def uniforms(size):
    """Random ones, and the ends of the range and of each octant in every combination."""
    unit = MT19937Stream(5).unit(size, np.dtype(np.float32))
    half = math.floor((1 - math.sqrt(0.5)) * 2**24)
    edges = [k / 2**24 for k in (1, 2**24 - 1, half, half + 1, *(i * 2**21 + e for i in range(8) for e in (0, 1)))]
    pairs = np.array([(a, b) for a in edges for b in edges], np.float32)
    pairs = pairs[: len(pairs) // 8 * 8].reshape(-1, 8, 2).transpose(0, 2, 1)
    return np.concatenate([unit, pairs.ravel()])


def test_the_numbers_are_pytorchs(reading):
    torch = pytest.importorskip("torch")
    if not torch.backends.cpu.get_cpu_capability().startswith("AVX"):
        pytest.skip("PyTorch's formulas are others on this processor")
    for size in (16, 17, 31, 32, 1000, 16384, 300_001):
        for mean, std in ((0.0, 1.0), (1.3, 0.7), (-1e3, 1e-3), (0.0, 0.0)):
            want = torch.empty(size).normal_(mean, std, generator=torch.Generator().manual_seed(size)).numpy()
            got = MT19937Stream(size).normal(size, np.float32, mean, std)
            np.testing.assert_array_equal(got.view(np.int32), want.view(np.int32), err_msg=f"{size} {mean} {std}")


def test_both_readings_round_alike():
    pytest.importorskip("numba")
    results = []
    for mode in ("never", "always"):
        with jit.using(mode):
            results.append(box_muller.box_muller(uniforms(160_000), 0.5, 3.0))
    np.testing.assert_array_equal(results[0].view(np.int32), results[1].view(np.int32))


def test_the_formula(reading):
    u = uniforms(16_000)
    blocks = u.astype(np.float64).reshape(-1, 2, 8)
    radius, angle = np.sqrt(-2 * np.log1p(-blocks[:, 0])), 2 * np.pi * blocks[:, 1]
    want = 0.5 + 3 * np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()
    np.testing.assert_allclose(box_muller.box_muller(u, 0.5, 3.0), want, rtol=0, atol=1e-5)


def test_what_follows_the_last_block_stays(reading):
    u = uniforms(16)[:21]
    kept = u[16:].copy()
    np.testing.assert_array_equal(box_muller.box_muller(u, 0, 1)[16:], kept)


def test_who_draws_often_gets_the_same_numbers(monkeypatch):
    pytest.importorskip("numba")
    results = []
    with jit.using("auto"):
        for calls in (0, box_muller.OFTEN):
            monkeypatch.setattr(box_muller, "_calls", calls)
            results.append(box_muller.box_muller(uniforms(0)[:160], 0.5, 3.0))
    np.testing.assert_array_equal(results[0].view(np.int32), results[1].view(np.int32))
