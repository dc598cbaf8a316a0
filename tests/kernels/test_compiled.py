"""Machine code of hand-written loops: kept in the private folder, and only as long as it is that of the source."""

import ast
import re
import shutil
from pathlib import Path

import pytest

from autograd.kernels import jit

pytest.importorskip("numba")

MAKES = re.compile(r"\bnp\.(empty|zeros|ones|full)|\broom\(")
PRODUCT = """
import numpy as np
from autograd.kernels import gemm, jit
a = np.random.default_rng(0).standard_normal((300, 200)).astype("float32")
out = gemm.product(a, a.T)
print(jit.compiled(), out.tobytes() == gemm.product(a, a.T).tobytes(), f"{out.sum():.2f}")
"""


def test_a_second_process_compiles_nothing(subprocess_python, tmp_path):
    folder = tmp_path / "loops"
    first = subprocess_python(PRODUCT, CHALKGRAD_CACHE=str(folder)).split()
    again = subprocess_python(PRODUCT, CHALKGRAD_CACHE=str(folder)).split()
    assert int(first[0]) > 0
    assert again == ["0", *first[1:]]
    assert list(folder.glob("gemm_loops.*.nbc"))


def test_without_a_folder_nothing_is_kept(subprocess_python, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    assert int(subprocess_python(PRODUCT, CHALKGRAD_CACHE=str(folder)).split()[0]) > 0
    assert list(folder.iterdir()) == []


def test_the_stamp_knows_what_is_inlined(tmp_path):
    from autograd.kernels import compiled, gemm_loops

    source = compiled.Path(gemm_loops.__file__).parent
    for name in ("gemm_loops", "gemm_tile", "memory", "compiled", "scalar", "jit"):
        shutil.copy(source / f"{name}.py", tmp_path)

    def stamp():
        compiled._stamp.cache_clear()
        return compiled._stamp(tmp_path / "gemm_loops.py")

    def change(name):
        with (tmp_path / f"{name}.py").open("a") as file:
            file.write("# changed\n")

    stamps = [stamp()]
    for name in ("gemm_loops", "gemm_tile", "memory"):
        change(name)
        stamps.append(stamp())
    assert len(set(stamps)) == 4
    change("scalar")  # which neither imports
    assert stamp() == stamps[-1]
    compiled._stamp.cache_clear()


def test_options(monkeypatch):
    from autograd.kernels.compiled import compiled

    monkeypatch.setattr(jit, "cache_folder", lambda: None)

    @compiled(error_model="numpy")
    def quotient(a, b):
        return a / b

    assert quotient.targetoptions["nogil"]
    assert quotient(1.0, 0.0) == float("inf")


def test_what_threads_share_is_stamped_with_the_way_they_share_it():
    from autograd.kernels import compiled, gemm_loops, tasks

    shared = tasks.spread(gemm_loops.multiply_pieces, True).py_func
    own, both = (compiled._PrivateFolder(function) for function in (gemm_loops.multiply_pieces.py_func, shared))
    way = compiled._stamp(compiled.Path(tasks.__file__))
    assert both.get_source_stamp() == own.get_source_stamp() + way


def test_arrays_live_as_long_as_their_addresses_are_used():
    """Numba frees an array behind the last place that names it. Where a kernel takes the address of one that it made,
    the array has to be named in a loop, which holds it to the end, or handed to `keep` when all is done."""
    folder = Path(jit.__file__).parent
    found = [
        (path.name, function.name, name)
        for path in sorted(folder.glob("*.py"))
        for function in ast.walk(ast.parse(path.read_text()))
        if isinstance(function, ast.FunctionDef)
        for name in short_lived(function)
    ]
    assert found == []


def short_lived(function):
    """Names of arrays that a function makes, and then uses by their address alone."""
    made, by_address, elsewhere = set(), set(), set()
    for statement in function.body:
        in_loop = isinstance(statement, (ast.For, ast.While))
        last = isinstance(statement, ast.Return) or (
            isinstance(statement, ast.Expr) and ast.unparse(statement).startswith("keep(")
        )
        looked_at = {
            id(node.value) for node in ast.walk(statement) if isinstance(node, ast.Attribute) and node.attr == "ctypes"
        }
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign):
                targets = [each for target in node.targets for each in ast.walk(target)]
                if MAKES.search(ast.unparse(node.value)):
                    made |= {target.id for target in targets if isinstance(target, ast.Name)}
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                if id(node) in looked_at:
                    by_address.add(node.id)
                if (in_loop or last) and id(node) not in looked_at:
                    elsewhere.add(node.id)
    return sorted((made & by_address) - elsewhere)


def test_what_is_short_lived():
    made = "def f(n):\n    a = np.empty(n)\n    at = a.ctypes.data\n"
    for rest, wanted in (
        ("    for i in range(n): put(at)", ["a"]),
        ("    for i in range(n): put(at)\n    keep(a)", []),
        ("    for i in range(n): put(at, a)", []),
        ("    put(at)\n    return a", []),
    ):
        assert short_lived(ast.parse(made + rest).body[0]) == wanted
