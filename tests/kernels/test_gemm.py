"""Matrix products: both readings against float64, on shapes around the edges of tiles, panels and blocks."""

import importlib.util
import sys

import numpy as np
import pytest
from guarding import GUARD

from autograd import jit
from autograd.kernels import gemm, threads

DTYPES = ["float32", "float64"]
# m, k, n
SHAPES = [
    (1, 1, 1),
    (2, 1, 2),
    (3, 5, 7),
    (4, 8, 16),
    (5, 3, 17),
    (8, 16, 15),
    (11, 9, 31),
    (12, 64, 32),
    (13, 65, 33),
    (24, 30, 64),
    (25, 2, 65),
    (64, 64, 64),
    (97, 255, 10),
    (30, 256, 129),
    (50, 257, 300),
    (110, 520, 600),
    (2, 700, 1100),
    (230, 3, 2),
]


def numbers(*shape, dtype="float32", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def assert_product(a, b, out, added=0.0, label=None):
    """``out`` is as near to the product as sums in its type can be."""
    exact = np.matmul(a.astype("float64"), b.astype("float64")) + added
    scale = np.matmul(np.abs(a).astype("float64"), np.abs(b).astype("float64")) + np.abs(added)
    assert out.dtype == a.dtype, label
    assert out.shape == exact.shape, label
    bound = (10 + np.sqrt(a.shape[-1])) * np.finfo(a.dtype).eps * scale + np.finfo(a.dtype).tiny
    assert (np.abs(out - exact) <= bound).all(), label


@pytest.mark.parametrize("dtype", DTYPES)
def test_shapes_and_transposes(reading, dtype):
    for m, k, n in SHAPES:
        for turned_a in (False, True):
            for turned_b in (False, True):
                a = numbers(k, m, dtype=dtype).T if turned_a else numbers(m, k, dtype=dtype)
                b = numbers(n, k, dtype=dtype, seed=1).T if turned_b else numbers(k, n, dtype=dtype, seed=1)
                assert_product(a, b, gemm.product(a, b), label=(m, k, n, turned_a, turned_b))


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_strides(reading, dtype):
    """Operands that are packed, since their rows or columns lie a page apart."""
    for turned_a in (False, True):
        for turned_b in (False, True):
            a = numbers(2048, 50, dtype=dtype).T[:, :300] if turned_a else numbers(50, 2048, dtype=dtype)[:, :300]
            b = numbers(150, 1024, dtype=dtype).T[:300] if turned_b else numbers(300, 2048, dtype=dtype)[:, 7:157]
            assert_product(a, b, gemm.product(a, b), label=(turned_a, turned_b))
    wide = numbers(1000, 40, dtype=dtype).T  # read with its rows a number apart, and packed in two groups
    assert_product(wide.T, wide, gemm.product(wide.T, wide))


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_packed_decides_no_bit(dtype):
    """Whether operands are read where they lie depends on where that is: the sums are made in the same order."""
    pytest.importorskip("numba")
    with jit.using("always"):
        for depth in (200, 300):
            wide, square = numbers(depth, 1200, dtype=dtype), numbers(depth, 160, dtype=dtype, seed=1)
            for columns in (10, 60, 90, 160):  # of the result: for more of them a transposed matrix is packed sooner
                right = np.ascontiguousarray(square[:, :columns])
                out = gemm.product(wide.T, right)
                assert_product(wide.T, right, out)
                np.testing.assert_array_equal(gemm.product(np.ascontiguousarray(wide.T), right), out)
            memory = np.empty(square.size + 64 // square.itemsize * 2, dtype)
            for rows in (20, 130, 400):
                left = numbers(rows, depth, dtype=dtype)
                out = gemm.product(left, square)
                assert_product(left, square, out)
                for begin in range(64 // square.itemsize):
                    moved = memory[begin : begin + square.size].reshape(square.shape)
                    moved[...] = square
                    np.testing.assert_array_equal(gemm.product(left, moved), out)


def test_arrays_from_a_line():
    pytest.importorskip("numba")
    from autograd.kernels.gemm_loops import from_line

    memory = np.zeros(100)
    for begin in range(16):
        part = from_line(memory[begin:])
        assert part.ctypes.data % 64 == 0
        assert 0 <= part.ctypes.data - memory[begin:].ctypes.data < 64
        assert len(part) + (part.ctypes.data - memory.ctypes.data) // 8 == 100


VIEWS = {
    "every second column": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "every third row": lambda x: np.repeat(x, 3, axis=0)[::3],
    "neither in one piece": lambda x: np.repeat(np.repeat(x, 2, axis=1), 2, axis=0)[::2, ::2],
    "rows backwards": lambda x: x[::-1].copy()[::-1],
    "columns backwards": lambda x: x[:, ::-1].copy()[:, ::-1],
    "column-major, backwards": lambda x: x.T[::-1].copy()[::-1].T,
    "a part": lambda x: np.pad(x, 3)[3:-3, 3:-3],
    "read-only": lambda x: np.frombuffer(x.tobytes(), x.dtype).reshape(x.shape),
    "not aligned": lambda x: np.frombuffer(b"?" + x.tobytes(), x.dtype.str, offset=1).reshape(x.shape),
}


@pytest.mark.parametrize("view", VIEWS)
def test_views(reading, view):
    for m, k, n in ((5, 3, 7), (30, 40, 50), (100, 300, 70)):
        a, b = numbers(m, k), numbers(k, n, seed=1)
        expected = gemm.product(a, b)
        for left, right in ((VIEWS[view](a), b), (a, VIEWS[view](b)), (VIEWS[view](a), VIEWS[view](b))):
            np.testing.assert_allclose(gemm.product(left, right), expected, rtol=1e-4, atol=1e-4)


def test_one_row_for_all(reading):
    row, column = np.broadcast_to(numbers(40), (30, 40)), np.broadcast_to(numbers(40, 1), (40, 50))
    assert_product(row, numbers(40, 50), gemm.product(row, numbers(40, 50)))
    assert_product(numbers(30, 40), column, gemm.product(numbers(30, 40), column))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("left", "right"),
    [((4, 5, 6), (4, 6, 7)), ((4, 5, 6), (6, 7)), ((5, 6), (4, 6, 7)), ((2, 1, 5, 6), (3, 6, 7)),
     ((2, 3, 5, 6), (3, 6, 7)), ((1, 5, 6), (4, 6, 7)), ((3, 20, 300), (3, 300, 40)), ((2, 1, 5, 6), (1, 1, 6, 7))],
)  # fmt: skip
def test_batches(reading, dtype, left, right):
    a, b = numbers(*left, dtype=dtype), numbers(*right, dtype=dtype, seed=1)
    assert_product(a, b, gemm.product(a, b))
    turned = np.ascontiguousarray(np.swapaxes(a, -1, -2)).swapaxes(-1, -2)
    assert_product(turned, b, gemm.product(turned, b))


@pytest.mark.parametrize(
    "shape", [(), (1,), (70,), (40, 1), (1, 70), (40, 70), (3, 1, 70), (3, 40, 1), (3, 40, 70), (1, 1, 1)]
)
def test_added(reading, shape):
    added = np.asarray(numbers(*shape, seed=2)) * 10
    for depth in (1, 30, 600):
        a, b = numbers(3, 40, depth), numbers(3, depth, 70, seed=1)
        out = gemm.product(a, b, added)
        assert_product(a, b, out, added)
        if added.ndim < 3:
            assert_product(a[0], b[0], gemm.product(a[0], b[0], added), added)
    if added.ndim == 3:
        turned = np.ascontiguousarray(added.swapaxes(1, 2)).swapaxes(1, 2)
        np.testing.assert_array_equal(gemm.product(a, b, turned), out)


def test_out(reading):
    a, b, added = numbers(2, 30, 40), numbers(2, 40, 50, seed=1), numbers(50)
    expected = gemm.product(a, b, added)
    for out in (
        np.empty((2, 30, 50), "float32"),
        np.empty((2, 60, 70), "float32")[:, ::2, 5:55],
        np.empty((30, 2, 50), "float32").swapaxes(0, 1),
        np.empty((2, 50, 30), "float32").swapaxes(1, 2),
    ):
        assert gemm.product(a, b, added, out=out) is out
        np.testing.assert_allclose(out, expected, rtol=1e-4, atol=1e-4)
        gemm.product(a[0], b[0], added, out=out[1])
        np.testing.assert_allclose(out, expected[[0, 0]], rtol=1e-4, atol=1e-4)
    out = np.empty((2, 1, 30, 50), "float32")
    gemm.product(a[:, None], b[:, None], added, out=out)
    np.testing.assert_allclose(out[:, 0], expected, rtol=1e-4, atol=1e-4)
    for wrong in (np.empty((2, 30, 51), "float32"), np.empty((2, 30, 50), "int32")):
        with pytest.raises((ValueError, TypeError), match=r"(?i)out|cast"):
            gemm.product(a, b, out=wrong)


def test_nan_and_infinity(reading):
    a, b = numbers(30, 300), numbers(300, 40, seed=1)
    a[3, 280], a[7, 5], b[100, 9] = np.nan, np.inf, -np.inf
    with np.errstate(all="ignore"):
        out, exact = gemm.product(a, b), np.matmul(a, b)
        assert np.isnan(out[3]).all()
        np.testing.assert_array_equal(np.isnan(out), np.isnan(exact))
        np.testing.assert_array_equal(out[np.isinf(exact)], exact[np.isinf(exact)])
        finite = numbers(30, 300)
        added = np.full(40, np.nan, "float32")
        assert np.isnan(gemm.product(finite, numbers(300, 40), added)).all()


@pytest.mark.parametrize(
    ("left", "right"),
    [((0, 4), (4, 3)), ((3, 4), (4, 0)), ((3, 0), (0, 4)), ((0, 3, 4), (0, 4, 5)), ((4,), (4,)), ((3, 4), (4,)),
     ((4,), (4, 3)), ((2, 0, 4), (4, 5)), ((2, 3, 0), (0, 5)), ((1, 4), (4, 5)), ((5, 4), (4, 1))],
)  # fmt: skip
def test_empty_and_vectors(reading, left, right):
    a, b = numbers(*left), numbers(*right)
    out = gemm.product(a, b)
    np.testing.assert_allclose(out, np.matmul(a, b), rtol=1e-5, atol=1e-6)
    assert np.shape(out) == np.matmul(a, b).shape
    np.testing.assert_allclose(gemm.product(a, b, np.float32(2)), np.matmul(a, b) + 2, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "int32", "complex64", "complex128", "float16"])
def test_other_types_stay_with_numpy(reading, dtype):
    a, b = (numbers(20, 30) * 4).astype(dtype), (numbers(30, 10) * 4).astype(dtype)
    assert not gemm.use_tiles(a, b)
    np.testing.assert_array_equal(gemm.product(a, b), a @ b)


def test_errors(reading):
    table = [
        ((3, 4), (5, 6), None),
        ((2, 3, 4), (2, 5, 6), None),
        ((2, 3, 4), (3, 4, 5), None),
        ((3, 4), (4, 5), (3,)),
        ((3, 4), (4, 5), (2, 3, 5)),
    ]
    for left, right, added in table:
        with pytest.raises(ValueError, match=r"\(|broadcast|shapes"):
            gemm.product(numbers(*left), numbers(*right), None if added is None else numbers(*added))


def test_same_bits_whatever_the_threads(monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(gemm, "GRAIN", 1)
    before = threads.get_num_threads()
    cases = [((300, 280), (280, 1030)), ((700, 300), (300, 40)), ((3, 200, 70), (3, 70, 600)), ((9, 30, 40), (40, 50))]
    with jit.using("always"):
        for left, right in cases:
            a, b, added, results = numbers(*left), numbers(*right, seed=1), numbers(right[-1]), set()
            try:
                for count in (1, 2, 4):
                    threads.set_num_threads(count)
                    results.add(gemm.product(a, b, added).tobytes())
                    cuts = gemm._cuts(1 << 30, 1, left[-2], right[-1], 4, count)
                    assert len(left) == 3 or count == 1 or max(cuts) > 1
            finally:
                threads.set_num_threads(before)
            assert len(results) == 1, (left, right)


def test_choice_depends_on_size_and_mode():
    pytest.importorskip("numba")
    small, large = numbers(50, 50), numbers(300, 300)
    with jit.using("auto"):
        assert not gemm.use_tiles(small, small)
        assert gemm.use_tiles(large, large)
        assert gemm.use_tiles(np.broadcast_to(small, (50, 50, 50)), small)
        assert not gemm.use_tiles(large, large[0])
        assert not gemm.use_tiles(large, large[:, :1])
        assert not gemm.use_tiles(large, large.astype("float64"))
    with jit.using("never"):
        assert not gemm.use_tiles(large, large)


@pytest.mark.parametrize("dtype", DTYPES)
def test_rectified(number_of_threads_restored, reading, dtype):
    """The maximum with 0 is that of the product itself, NaN included, whatever blocks and threads it is made of."""
    for m, k, n in (*SHAPES, (128, 784, 256)):
        a, b, added = numbers(m, k, dtype=dtype), numbers(k, n, dtype=dtype, seed=1), numbers(n, dtype=dtype, seed=2)
        a[-1, 0] = np.nan
        for count in (1, 2):
            threads.set_num_threads(count)
            for more in (added, np.broadcast_to(added, (m, n)).copy()):
                want = np.maximum(gemm.matrix_product(a, b, more), 0)
                np.testing.assert_array_equal(gemm.matrix_product(a, b, more, True), want, err_msg=f"{m, k, n}")


@pytest.fixture
def loops_for(monkeypatch):
    """The loops compiled anew for a tile that another processor would have."""
    pytest.importorskip("numba")
    from autograd.kernels import gemm_loops, gemm_tile

    def load(tile):
        monkeypatch.setattr(jit, "cache_folder", lambda: None)
        monkeypatch.setattr(gemm_tile, "host_tile", lambda bits: tile)
        name = f"autograd.kernels.gemm_loops_{'_'.join(map(str, tile))}"
        spec = importlib.util.spec_from_file_location(name, gemm_loops.__file__)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module.multiply_pieces

    return load


@pytest.mark.parametrize(
    ("tile", "dtype"),
    [((6, 2, 8), "float32"), ((6, 2, 4), "float64"), ((12, 2, 4), "float32"), ((6, 2, 2), "float64")],
)  # fmt: skip
def test_tiles_of_other_processors(loops_for, monkeypatch, tile, dtype):
    from autograd.kernels.gemm_tile import Tile

    kernel = gemm.compile_for(loops_for(Tile(*tile)), np.dtype(dtype))
    monkeypatch.setattr(gemm, "_kernel", lambda char: kernel)
    with jit.using("always"):
        for m, k, n in SHAPES:
            for turned_a in (False, True):
                for turned_b in (False, True):
                    a = numbers(k, m, dtype=dtype).T if turned_a else numbers(m, k, dtype=dtype)
                    b = numbers(n, k, dtype=dtype, seed=1).T if turned_b else numbers(k, n, dtype=dtype, seed=1)
                    added = numbers(n, dtype=dtype)
                    out = gemm.product(a, b, added)
                    assert_product(a, b, out, added, label=(m, k, n, turned_a, turned_b))
                    np.testing.assert_array_equal(gemm.matrix_product(a, b, added, True), np.maximum(out, 0))


PRODUCTS = """
from autograd.kernels import gemm, jit

jit.set_mode("always")
rng = np.random.default_rng(0)
for dtype in ("f", "d"):
    for m, k, n in ((5, 7, 3), (12, 16, 32), (13, 17, 33), (25, 300, 70), (3, 40, 500), (130, 9, 40), (200, 70, 9)):
        for before in (True, False):
            a, b, added = (rng.standard_normal(shape).astype(dtype) for shape in ((m, k), (k, n), (m, n)))
            for turned_a in (True, False):
                for turned_b in (True, False):
                    left = guarded(a.T.copy(), before).T if turned_a else guarded(a, before)
                    right = guarded(b.T.copy(), before).T if turned_b else guarded(b, before)
                    for d in (added, added[0], added[:, :1].copy()):
                        out = gemm.product(left, right, guarded(d, before))
                        assert np.allclose(out, a @ b + d, rtol=1e-3, atol=1e-3), (m, k, n)
print("inside")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="protects pages with mprotect(2)")
def test_reads_nothing_outside_its_operands(subprocess_python):
    pytest.importorskip("numba")
    assert subprocess_python(GUARD + PRODUCTS) == "inside\n"
