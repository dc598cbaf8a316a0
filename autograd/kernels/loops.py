"""Generated loops: scalar formulas become one compiled pass over memory, without temporaries.

A `Loop` takes formulas as source, such as ``def f(g, out): return g * (1 - out * out)``, and applies them element by
element to arrays that broadcast together. It writes a Python module with a numba function at top level (numba's disk
cache does not work for closures), named after its content, so that a second process finds it compiled. One module
serves one pattern of memory access:

    ``flat``    every operand is one contiguous run of the same length (c), a single element (s) or a usual exponent;
    ``nested``  up to three dimensions, each operand contiguous (c), constant (s) or strided (g) along the last.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from . import jit, threads
from .memory import LINE

__all__ = [
    "INNER", "KERNEL", "InPlace", "Loop", "TypedNumbers", "assigned", "coalesced", "header", "library_stamp",
    "load_module",
]  # fmt: skip

GRAIN = 16384  # elements: below this a piece is not worth the handing over to another thread
MAX_NESTED = 3
# Bytes of each operand that a loop which calls functions asks for at once, and how far ahead: it sees too little of
# what comes next to keep memory busy while it computes. Measured, tanh of a million float32: 340 us without, 274 with.
BATCH, AHEAD = 1024, 2048
# Exponents that are written into loops, and the letters of such operands: a loop of x * x, not of powers (ten times
# as long).
EXPONENTS = {2.0: "2", 3.0: "3", 0.5: "h", -1.0: "i"}
NUMBERS = {kind: number for number, kind in EXPONENTS.items()}

# Indices are unsigned: numba tests a signed one for wrapping around, and LLVM then gives up vectorizing (measured 8x).
# NaN and infinity keep their meaning: `nnan` and `ninf` are left out on purpose.
HEADER = '''"""Generated loop: {title}."""
from numba import njit
from numpy import uint64 as U, {scalar} as T
from autograd.kernels import {library} as _
from autograd.kernels.scalar import fetch, wide

FLAGS = {flags}
'''
FLAGS = '{"contract", "arcp", "nsz"}'
EXACT = "set()"
KERNEL = '\n@njit(cache=CACHE, no_cfunc_wrapper=True, nogil=True, fastmath=FLAGS, error_model="numpy")\n'
INNER = '\n@njit(no_cfunc_wrapper=True, nogil=True, fastmath=FLAGS, error_model="numpy")\n'  # called by a kernel


def header(title: str, bits: int, flags: str = FLAGS) -> str:
    """The beginning of a generated module, for floats of so many bits."""
    return HEADER.format(title=title, scalar=f"float{bits}", library=f"math{bits}", flags=flags)


class TypedNumbers(ast.NodeTransformer):
    # An untyped 0.5 would turn a float32 loop into float64: measured 25 times slower.
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return ast.Call(ast.Name("T", ast.Load()), [node], [])
        return node


class InPlace(TypedNumbers):
    """A formula's statements among others, under the names that its variables have there."""

    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.names.get(node.id, node.id), node.ctx)


def assigned(statements: Sequence[ast.stmt]) -> set[str]:
    """The variables that are given a value."""
    names = (node for statement in statements for node in ast.walk(statement) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Store)}


def _copy(statement: ast.stmt) -> Any:
    return ast.parse(ast.unparse(statement)).body[0]


class Loop:
    """Several formulas of the same scalar arguments, computed together in one pass.

    Args:
        name: for the file and the title.
        formulas: definitions of functions made of assignments and one ``return``; each gives one result array, their
            arguments are among ``operands`` and ``attributes``.
        operands: names of the array arguments.
        attributes: names of scalar arguments, the same for all elements.
        results: ``"float"`` for results of the operands' type, ``"bool"`` for truth values.
        is_exact: nothing is rearranged: every bit is NumPy's, where each formula is one of its operations.
    """

    def __init__(
        self,
        name: str,
        formulas: Sequence[ast.FunctionDef],
        operands: Sequence[str],
        attributes: Sequence[str] = (),
        results: str = "float",
        is_exact: bool = False,
    ) -> None:
        self.name = name
        self.flags = EXACT if is_exact else FLAGS
        self.formulas = tuple(formulas)
        self.operands = tuple(operands)
        self.attributes = tuple(attributes)
        self.result_dtype = np.dtype(np.bool_) if results == "bool" else None
        in_exponents = {name for formula in formulas for name in _names_in_exponents(formula)}
        self.exponents = [i for i, name in enumerate(operands) if name in in_exponents]
        self._kernels: dict[tuple[str, str], Callable[..., None]] = {}
        self._lock = threading.Lock()

    def __call__(
        self, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype, outs: Sequence[Any] = ()
    ) -> list[np.ndarray]:
        """Results for ``arrays`` that broadcast together, all of ``dtype`` (float32 or float64) or bool.

        ``outs`` may name a C-contiguous array of the full shape for each result, to be written into.
        """
        if not outs and (kinds := _flat_kinds(arrays)):
            return self._on_runs(kinds, arrays, attributes, dtype)
        return self._anyhow(arrays, attributes, dtype, outs)

    def on_runs(self, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype) -> list[np.ndarray]:
        """The same for contiguous arrays only.

        Raises:
            TypeError: another one.
        """
        kinds = _flat_kinds(arrays)
        if kinds:
            return self._on_runs(kinds, arrays, attributes, dtype)
        if not all(array.flags.c_contiguous for array in arrays):
            raise TypeError(f"{self.name}: contiguous arrays are expected")
        return self._anyhow(arrays, attributes, dtype, ())

    def _anyhow(
        self, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype, outs: Sequence[Any]
    ) -> list[np.ndarray]:
        arrays = [_with_forward_strides(array) for array in arrays]
        plan = _walk_through(not outs, *[(array.shape, array.strides, array.itemsize) for array in arrays])
        results = [*outs] if outs else [np.empty(plan.shape, self.result_dtype or dtype) for _ in self.formulas]
        if results[0].size:
            scalars = [dtype.type(value) for value in attributes]
            if plan.dims is None:
                full = [array.transpose(plan.order) for array in np.broadcast_arrays(*arrays)]
                self._fill_flat("c" * len(arrays), [*map(np.ascontiguousarray, full)], scalars, dtype, results)
            elif len(plan.dims) < 2:
                runs = [_run(array, extent) for array, extent in zip(arrays, plan.extents, strict=True)]
                self._fill_flat(plan.kinds, runs, scalars, dtype, results)
            else:
                self._fill_nested(plan, arrays, scalars, dtype, results)
        return results if plan.back is None else [result.transpose(plan.back) for result in results]

    def _fill_nested(
        self, plan: _Walk, arrays: Sequence[np.ndarray], scalars: list[Any], dtype: np.dtype, results: list[np.ndarray]
    ) -> None:
        operands: list[Any] = []
        for array, extent, steps in zip(arrays, plan.extents, plan.steps, strict=True):
            operands.append(_run(array, extent))
            operands += steps
        flat_results = [result.reshape(-1) for result in results]
        n0, n1, n2 = plan.dims  # type: ignore[misc]
        kernel = self._kernel(f"nested_{plan.kinds}", dtype)
        threads.run(kernel, n0 * n1, n1, n2, *operands, *scalars, *flat_results, grain=max(1, GRAIN // n2))

    def _on_runs(
        self, kinds: str, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype
    ) -> list[np.ndarray]:
        shape = arrays[kinds.index("c")].shape
        results = [np.empty(shape, self.result_dtype or dtype) for _ in self.formulas]
        scalars = [dtype.type(value) for value in attributes] if attributes else attributes
        self._fill_flat(kinds, arrays, scalars, dtype, results)
        return results

    def _fill_flat(
        self,
        kinds: str,
        arrays: Sequence[np.ndarray],
        scalars: Sequence[Any],
        dtype: np.dtype,
        results: list[np.ndarray],
    ) -> None:
        for i in self.exponents:
            if kinds[i] == "s":
                kinds = kinds[:i] + EXPONENTS.get(arrays[i].item(), "s") + kinds[i + 1 :]
        operands = [a if a.ndim == 1 else a.reshape(-1) for a in arrays]
        outs = [a if a.ndim == 1 else a.reshape(-1) for a in results]
        threads.run(self._kernel(f"flat_{kinds}", dtype), outs[0].size, *operands, *scalars, *outs, grain=GRAIN)

    def _kernel(self, pattern: str, dtype: np.dtype) -> Callable[..., None]:
        key = (pattern, dtype.char)
        kernel = self._kernels.get(key)
        if kernel is None:
            with self._lock:
                kernel = self._kernels.get(key)
                if kernel is None:
                    kernel = load_module(f"{self.name}_{pattern}", self.source(pattern, dtype)).kernel
                    self._kernels[key] = kernel
        return kernel

    def source(self, pattern: str, dtype: np.dtype) -> str:
        """The module's text for an access pattern and a floating-point type."""
        layout, kinds = pattern.split("_")
        bits = dtype.itemsize * 8
        text = header(f"{self.name}, {pattern}, float{bits}", bits, self.flags)
        body = self._flat(kinds, dtype.itemsize) if layout == "flat" else self._nested(kinds)
        if not NUMBERS.keys().isdisjoint(kinds):
            body = body.replace("_.pow(", "_.known_pow(")
        return text + KERNEL + body

    def _computed(self, element: str, indent: int) -> str:
        lines = []
        for number, formula in enumerate(self.formulas):
            *steps, last = formula.body[ast.get_docstring(formula) is not None :]
            if not isinstance(last, ast.Return) or not all(isinstance(step, ast.Assign) for step in steps):
                raise TypeError(f"{self.name}: a loop is made of `name = value` and `return`: {ast.unparse(formula)}")
            names = {name: f"{name}_" for name in self.operands}
            names |= {name: f"{name}_{number}" for name in assigned(steps)}
            in_place = InPlace(names)
            lines += [ast.unparse(in_place.visit(_copy(step))) for step in steps]
            lines.append(f"r{number}[{element}] = {ast.unparse(in_place.visit(_copy(last)).value)}")
        return "".join(f"{' ' * indent}{line}\n" for line in lines)

    def _flat(self, kinds: str, itemsize: int) -> str:
        results = [f"r{number}" for number in range(len(self.formulas))]
        text = f"def kernel(start, stop, {', '.join([*self.operands, *self.attributes, *results])}):\n    wide()\n"
        for name, kind in zip(self.operands, kinds, strict=True):
            if kind != "c":
                text += f"    {name}_ = {f'T({NUMBERS[kind]})' if kind in NUMBERS else f'{name}[0]'}\n"
        runs, first = [name for name, kind in zip(self.operands, kinds, strict=True) if kind == "c"], "U(start)"
        if runs and any(map(_calls, self.formulas)):
            # Batches of one size, and the rest by itself: their loop keeps its constants in registers. No operand has
            # a name that begins with _.
            batch, first = f"U({BATCH // itemsize})", "_rest"
            text += f"    _rest = U(start) + U(stop - start) // {batch} * {batch}\n"
            text += f"    for _low in range(U(start), _rest, {batch}):\n"
            text += f"        for i in range(_low, _low + {batch}, U({LINE // itemsize})):\n"
            text += "".join(f"            fetch({name}, i + U({AHEAD // itemsize}))\n" for name in runs)
            text += self._in_runs(f"_low, _low + {batch}", runs, indent=8)
        return text + self._in_runs(f"{first}, U(stop)", runs, indent=4)

    def _in_runs(self, bounds: str, runs: Sequence[str], indent: int) -> str:
        pad = " " * indent
        text = f"{pad}for i in range({bounds}):\n"
        text += "".join(f"{pad}    {name}_ = {name}[i]\n" for name in runs)
        return text + self._computed("i", indent + 4)

    def _nested(self, kinds: str) -> str:
        results = [f"r{number}" for number in range(len(self.formulas))]
        operands = [f"{name}, {name}0, {name}1, {name}2" for name in self.operands]
        text = f"def kernel(start, stop, n1, n2, {', '.join([*operands, *self.attributes, *results])}):\n"
        text += "    wide()\n    for row in range(U(start), U(stop)):\n"
        text += "        i, j = row // U(n1), row % U(n1)\n        to = row * U(n2)\n"
        for name, kind in zip(self.operands, kinds, strict=True):
            text += f"        {name}at = i * U({name}0) + j * U({name}1)\n"
            if kind == "s":
                text += f"        {name}_ = {name}[{name}at]\n"
        text += "        for k in range(U(n2)):\n"
        for name, kind in zip(self.operands, kinds, strict=True):
            if kind != "s":
                step = "k" if kind == "c" else f"k * U({name}2)"
                text += f"            {name}_ = {name}[{name}at + {step}]\n"
        return text + self._computed("to + k", indent=12)


def _calls(formula: ast.FunctionDef) -> bool:
    """Whether it calls a function."""
    return any(isinstance(node, ast.Call) for statement in formula.body for node in ast.walk(statement))


def _names_in_exponents(formula: ast.AST) -> list[str]:
    return [
        name.id
        for node in ast.walk(formula)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "pow"
        for name in ast.walk(node.args[1])
        if isinstance(name, ast.Name)
    ]


def _flat_kinds(arrays: Sequence[np.ndarray]) -> str | None:
    """The pattern's letters when all arrays but single numbers are contiguous runs of one shape: no other question."""
    shape = None
    kinds = ""
    for array in arrays:
        if array.ndim == 0:
            kinds += "s"
        elif array.size > 1 and array.flags.c_contiguous and (shape is None or array.shape == shape):
            shape = array.shape
            kinds += "c"
        else:
            return None
    return kinds if shape else None


def _with_forward_strides(array: np.ndarray) -> np.ndarray:
    """The array, or a copy of one that a loop cannot walk through."""
    if array.flags.c_contiguous and array.flags.aligned:
        return array
    misaligned = not array.flags.aligned or any(step % array.itemsize for step in array.strides)
    return array.copy(order="K") if misaligned or any(step < 0 for step in array.strides) else array


def _run(array: np.ndarray, extent: int) -> np.ndarray:
    """So many elements from the array's first one on, in the order of memory."""
    if array.flags.c_contiguous:
        return array.reshape(-1)
    return np.lib.stride_tricks.as_strided(array, (extent,), (array.itemsize,))


class _Walk(NamedTuple):
    """How arrays that broadcast together are walked through.

    Attributes:
        shape: of the results, their axes ordered as memory is.
        order: the axes of the broadcast shape in that order.
        back: what undoes it; None where it is the usual one.
        dims: none or one for the pattern ``flat``, three for ``nested``; None where those would not be enough.
        kinds: the operands' letters.
        steps: from element to element of each operand, along each of three dimensions.
        extents: elements from the first one of each operand to the last.
    """

    shape: tuple[int, ...]
    order: tuple[int, ...]
    back: tuple[int, ...] | None
    dims: tuple[int, ...] | None
    kinds: str
    steps: list[tuple[int, ...]]
    extents: list[int]


@lru_cache(1024)
def _walk_through(may_reorder: bool, *arrays: tuple[tuple[int, ...], tuple[int, ...], int]) -> _Walk:
    """The walk through arrays of these shapes, strides and sizes of an element. Kept, since it takes longer to find
    than to go through 16,384 elements (measured, 40 us)."""
    shape = np.broadcast_shapes(*(own for own, _, _ in arrays))
    usual = tuple(range(len(shape)))
    order = _memory_order(arrays, shape) if may_reorder else usual
    back = None if order == usual else tuple(map(int, np.argsort(order)))
    steps = []
    for own, strides, size in arrays:
        missing = len(shape) - len(own)
        widened = [0] * missing + [step // size if n > 1 else 0 for n, step in zip(own, strides, strict=True)]
        steps.append(tuple(widened[axis] for axis in order))
    shape = tuple(shape[axis] for axis in order)
    dims, steps = coalesced(shape, steps)
    if len(dims) > MAX_NESTED:
        return _Walk(shape, order, back, None, "", [], [])
    extents = [1 + sum((n - 1) * step for n, step in zip(dims, each, strict=True)) for each in steps]
    kinds = "".join("c" if not each or each[-1] == 1 else "g" if each[-1] else "s" for each in steps)
    if len(dims) > 1 or "g" in kinds:
        rest = MAX_NESTED - len(dims)
        dims, steps = (1,) * rest + dims, [(0,) * rest + each for each in steps]
    return _Walk(shape, order, back, dims, kinds, steps, extents)


def _memory_order(
    arrays: Sequence[tuple[tuple[int, ...], tuple[int, ...], int]], shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Order of axes in which the first full-sized array lies in memory."""
    usual = tuple(range(len(shape)))
    for own, strides, size in arrays:
        if own == shape and prod(shape) > 1 and all(step or n == 1 for n, step in zip(own, strides, strict=True)):
            if _lies_in_rows(own, strides, size):
                return usual
            return tuple(sorted(usual, key=lambda axis: -strides[axis]))
    return usual


def _lies_in_rows(shape: tuple[int, ...], strides: tuple[int, ...], size: int) -> bool:
    for n, step in zip(reversed(shape), reversed(strides), strict=True):
        if n != 1 and step != size:
            return False
        size *= n
    return True


def coalesced(
    shape: tuple[int, ...], strides: Sequence[tuple[int, ...]]
) -> tuple[tuple[int, ...], list[tuple[int, ...]]]:
    """The same elements in as few dimensions as the operands' strides allow."""
    dims: list[int] = []
    merged: list[list[int]] = [[] for _ in strides]
    for axis, n in enumerate(shape):
        if n == 1:
            continue
        if dims and all(m[-1] == s[axis] * n for m, s in zip(merged, strides, strict=True)):
            dims[-1] *= n
            for m, s in zip(merged, strides, strict=True):
                m[-1] = s[axis]
        else:
            dims.append(n)
            for m, s in zip(merged, strides, strict=True):
                m.append(s[axis])
    return tuple(dims), [tuple(m) for m in merged]


@cache
def library_stamp() -> str:
    """Changes when numba or the scalar functions change: they are compiled into every loop."""
    import numba

    jit.count_compilations()
    digest = hashlib.sha256(numba.__version__.encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def load_module(name: str, source: str) -> ModuleType:
    """The module with this source, from the cache folder, where numba keeps its machine code beside it."""
    stamp = hashlib.sha256((library_stamp() + source).encode()).hexdigest()[:16]
    module_name = f"chalkgrad_loop_{name}_{stamp}"
    folder = jit.cache_folder()
    if folder is None:
        module = ModuleType(module_name)
        exec(compile(f"CACHE = False\n{source}", f"<{module_name}>", "exec"), module.__dict__)
        return module
    path = folder / f"{module_name}.py"
    text = source.replace("cache=CACHE", "cache=True")
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        _write_atomically(path, text)
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"cannot load the generated loop {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # numba finds the module of a cached function by its name
    spec.loader.exec_module(module)
    return module


def _write_atomically(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    # numba stamps its index with this time; the name is a hash of the content, so the time need not tell anything.
    os.utime(temporary, (0, 0))
    os.replace(temporary, path)
