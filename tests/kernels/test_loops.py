"""Generated loops: what the compiler makes of them."""

import ast

import numpy as np
import pytest

pytest.importorskip("numba")
from numba.core.registry import cpu_target

from autograd.kernels import jit
from autograd.kernels.loops import Loop, ScalarFunction


def test_widest_registers(monkeypatch):
    """LLVM by itself uses half of an AVX-512 register on most hosts."""
    _triple, _name, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" not in features:
        pytest.skip("a host without AVX-512")
    monkeypatch.setattr(jit, "cache_folder", lambda: None)  # numba shows no assembly of what it read from a cache
    (formula,) = ast.parse("def f(x): return x * x + 1").body
    loop = Loop("probe", [ScalarFunction(formula, ["x"])], ["x"])
    block = np.linspace(0, 1, 6000, dtype=np.float32).reshape(60, 100)
    for pattern, x in (("flat_c", block), ("nested_c", block[:, :90])):
        (result,) = loop([x], [], x.dtype)
        np.testing.assert_allclose(result, x * x + 1, rtol=1e-6)
        (assembly,) = loop._kernel(pattern, x.dtype).inspect_asm().values()
        assert "zmm" in assembly, pattern


def test_every_memory_order():
    """Contiguous, transposed, strided, broadcast, single and empty operands: the values and strides NumPy gives."""
    rng = np.random.default_rng(0)
    block = rng.standard_normal((4, 6, 8)).astype(np.float32)
    (formula,) = ast.parse("def f(x, y): return x * y + x").body
    loop = Loop("probe", [ScalarFunction(formula, ["x", "y"])], ["x", "y"])
    single, row, number = np.full((1, 1, 1, 1), 3, np.float32), block[0, 0], np.array(2, np.float32)
    cases = [
        (block, block), (block, number), (number, block), (block, single), (block, row), (row, block[:, :, :1]),
        (block.T, block.T), (block.T, number), (block[:, ::2], block[:, 1::2]), (block[::-1], block),
        (number, number), (single, number), (block[:0], number), (block[:0], block[:0]), (row[:1], block[0, 0, :1]),
    ]  # fmt: skip
    for x, y in cases:
        (result,) = loop([x, y], [], block.dtype)
        want = x * y + x
        np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-6, err_msg=f"{x.shape}, {y.shape}")
        assert (result.shape, result.strides) == (want.shape, want.strides), (x.shape, y.shape, x.strides)
