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
