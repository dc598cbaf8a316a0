"""Generated loops: what the compiler makes of them."""

import ast

import numpy as np
import pytest
from assembly import assembly_of, packed_multiplications

pytest.importorskip("numba")
from numba.core.registry import cpu_target

from autograd.kernels import jit
from autograd.kernels.loops import Loop


def test_widest_registers(monkeypatch):
    """LLVM by itself uses half of an AVX-512 register on most hosts."""
    _triple, _name, features = cpu_target.target_context.codegen().magic_tuple()
    if "+avx512f" not in features:
        pytest.skip("a host without AVX-512")
    monkeypatch.setattr(jit, "cache_folder", lambda: None)  # numba shows no assembly of what it read from a cache
    (formula,) = ast.parse("def f(x): return x * x + 1").body
    loop = Loop("probe", [formula], ["x"])
    block = np.linspace(0, 1, 6000, dtype=np.float32).reshape(60, 100)
    for pattern, x in (("flat_c", block), ("nested_c", block[:, :90])):
        (result,) = loop([x], [], x.dtype)
        np.testing.assert_allclose(result, x * x + 1, rtol=1e-6)
        assert "zmm" in assembly_of(loop._kernel(pattern, x.dtype)), pattern


PATTERNS = {
    "same shape": ("flat_cc", lambda block: (block, block)),
    "scalar": ("flat_cs", lambda block: (block, block[0, 0])),
    "row": ("nested_cc", lambda block: (block, block[0])),
    "column": ("nested_cs", lambda block: (block, block[:, :1])),
    "parts of rows": ("nested_cc", lambda block: (block[:, :90], block[:, 10:])),
    "every other element": ("nested_gg", lambda block: (block[:, ::2], block[:, ::2])),
}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PATTERNS)
def test_packed_instructions(name, dtype, monkeypatch):
    """Whatever the operands' places in memory: the formulas of a backward pass work on whole registers."""
    monkeypatch.setattr(jit, "cache_folder", lambda: None)  # numba shows no assembly of what it read from a cache
    formulas = ast.parse("def f(x, y): return x * y * x\ndef g(x, y): return x * x * y + y").body
    loop = Loop("probe", formulas, ["x", "y"])
    pattern, operands = PATTERNS[name]
    x, y = operands(np.linspace(-1, 1, 6000, dtype=dtype).reshape(60, 100))
    results = loop([x, y], [], x.dtype)
    for result, want in zip(results, (x * y * x, x * x * y + y), strict=True):
        np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-6)
    ((found, _),) = loop._kernels
    assert found == pattern
    assert len(packed_multiplications(assembly_of(loop._kernel(pattern, x.dtype)))) >= 4


def test_usual_exponents():
    """Written into the loop; others, and exponents with elements of their own, are operands."""
    (formula,) = ast.parse("def f(g, x, y): return g * (y * _.pow(x, y - 1))").body
    loop = Loop("probe", [formula], ["g", "x", "y"])
    x = np.linspace(0.1, 3, 600, dtype=np.float64).reshape(20, 30)
    exponents = {2.0: "2", 3.0: "3", 0.5: "h", -1.0: "i", 1.7: "s"}
    for exponent in exponents:
        y = np.array(exponent)
        np.testing.assert_allclose(loop([x, x, y], [], x.dtype)[0], x * y * x ** (y - 1), rtol=1e-14)
    assert {pattern for pattern, _ in loop._kernels} == {f"flat_cc{kind}" for kind in exponents.values()}
    np.testing.assert_allclose(loop([x, x, x], [], x.dtype)[0], x * x * x ** (x - 1), rtol=1e-14)


def test_every_memory_order():
    """Contiguous, transposed, strided, broadcast, single and empty operands: the values and strides NumPy gives."""
    rng = np.random.default_rng(0)
    block = rng.standard_normal((4, 6, 8)).astype(np.float32)
    (formula,) = ast.parse("def f(x, y): return x * y + x").body
    loop = Loop("probe", [formula], ["x", "y"])
    spread, many = np.broadcast_to(np.float32(3), block.shape), rng.standard_normal((3, 2, 3, 3)).astype(np.float32)
    misaligned = np.frombuffer(b"_" + block[0].tobytes(), np.uint8)[1:].view(np.float32).reshape(6, 8)
    assert not misaligned.flags.aligned
    single, row, number = np.full((1, 1, 1, 1), 3, np.float32), block[0, 0], np.array(2, np.float32)
    cases = [
        (block, block), (block, number), (number, block), (block, single), (block, row), (row, block[:, :, :1]),
        (block.T, block.T), (block.T, number), (block[:, ::2], block[:, 1::2]), (block[::-1], block),
        (number, number), (single, number), (block[:0], number), (block[:0], block[:0]), (row[:1], block[0, 0, :1]),
        (block[:, :1], block[:, 1:2]), (block[:, 1::2, ::2].T, block[0, 1::2, :1]), (spread, block),
        (block.T, spread.T), (many, many.transpose(2, 1, 3, 0)), (many[:, ::-1], many[:, :, :1]),
        (many.T[::-1], number), (misaligned, block[0]), (misaligned.T, block[1].T), (block[0, :, 0], misaligned[:, :6]),
    ]  # fmt: skip
    for x, y in cases:
        (result,) = loop([x, y], [], block.dtype)
        want = x * y + x
        np.testing.assert_allclose(result, want, rtol=1e-5, atol=1e-6, err_msg=f"{x.shape}, {y.shape}")
        assert (result.shape, result.strides) == (want.shape, want.strides), (x.shape, y.shape, x.strides)


def test_numbers_alone():
    """A loop that calls a function asks for its operands ahead; here is none in memory."""
    (calling,) = ast.parse("@row()\ndef f(x, y): return _.sqrt(x * y)").body
    (plain,) = ast.parse("@row()\ndef f(x, y): return x * y").body
    two, eight = np.full((), 2.0, np.float32), np.full((), 8.0, np.float32)
    for formula, want in ((calling, 4.0), (plain, 16.0)):
        loop = Loop("probe", [formula], ["x", "y"])
        for x, y in ((two, eight), (np.broadcast_to(two, (3, 4)), eight)):
            (result,) = loop([x, y], [], x.dtype)
            np.testing.assert_array_equal(result, np.full(x.shape, want, np.float32))
        assert ("fetch(" in loop.source("flat_cc", two.dtype)) == (formula is calling)


def test_several_formulas_with_names_of_their_own():
    """What one formula assigns is not seen by the next, whatever it is called."""
    formulas = ast.parse(
        "def first(x, scale):\n    i = x * scale\n    y = i + 1\n    return y * i\n"
        "def second(x, y):\n    i = x - y\n    return i * 0.5"
    ).body
    loop = Loop("probe", formulas, ["x", "y"], ["scale"])
    x, y = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4)
    for part in (slice(None), slice(0, 3, 2)):
        results = loop([x[:, part], y[:, part]], [3.0], x.dtype)
        for result, want in zip(results, ((x * 3 + 1) * x * 3, (x - y) * 0.5), strict=True):
            np.testing.assert_allclose(result, want[:, part], rtol=1e-5, atol=1e-6)


def test_formulas_without_branches_only():
    (formula,) = ast.parse("def f(x):\n    if x > 0:\n        return x\n    return 0.0").body
    with pytest.raises(TypeError, match="probe: a loop is made of `name = value` and `return`: def f"):
        Loop("probe", [formula], ["x"]).source("flat_c", np.dtype(np.float32))
