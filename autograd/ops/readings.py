"""One formula, read four ways: over floats, over ndarrays, as a compiled loop, and over whatever records.

A rule such as ``def _(g, out): return g * (1 - out * out)`` is ordinary Python on scalars. Its global ``_`` is
the function library, and a reading is the same formula with another library behind that name.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from ..kernels import jit, loops, on_arrays, on_floats

__all__ = ["Formula", "Program"]

# One NumPy call makes one pass over memory already: a generated loop has nothing to fuse.
ONE_PASS = {"abs", "ceil", "floor", "fmax", "fmin", "logical_not", "maximum", "minimum", "sqrt", "trunc", "where"}

F16, F32, F64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)


class Formula:
    """A scalar rule: its Python function, whose argument names say what it needs."""

    def __init__(self, function: Callable[..., Any]) -> None:
        code = function.__code__
        self.function = function
        self.arguments = code.co_varnames[: code.co_argcount]

    @cached_property
    def tree(self) -> ast.FunctionDef:
        definition = ast.parse(textwrap.dedent(inspect.getsource(self.function))).body[0]
        if not isinstance(definition, ast.FunctionDef):
            raise TypeError(f"a rule must be written with def, but {self.function.__qualname__} is not")
        return definition

    @property
    def expression(self) -> ast.expr | None:
        """What it returns, when that is all it does."""
        statements = [s for s in self.tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        last = statements[-1]
        return last.value if len(statements) == 1 and isinstance(last, ast.Return) else None

    @cached_property
    def is_one_pass(self) -> bool:
        expression = self.expression
        if isinstance(expression, (ast.Name, ast.Constant)):
            return True
        if isinstance(expression, ast.BinOp):
            return _is_plain(expression.left) and _is_plain(expression.right)
        if isinstance(expression, ast.UnaryOp):
            return _is_plain(expression.operand)
        if isinstance(expression, ast.Compare):
            return _is_plain(expression.left) and all(_is_plain(e) for e in expression.comparators)
        if isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            return expression.func.attr in ONE_PASS and all(_is_plain(e) for e in expression.args)
        return False

    def rebound(self, library: Any) -> Callable[..., Any]:
        """The function with ``library`` behind the name ``_``."""
        scope = {**self.function.__globals__, "_": library}
        return types.FunctionType(self.function.__code__, scope, self.function.__name__, self.function.__defaults__)

    @cached_property
    def on_floats(self) -> Callable[..., Any]:
        """Over Python floats; where `math` gives up (1/0, log 0, overflow), NumPy's IEEE answer."""
        plain, ieee = self.rebound(on_floats), self.rebound(on_arrays)

        def evaluate(*arguments: float) -> float | bool:
            try:
                return plain(*arguments)
            except (ZeroDivisionError, OverflowError, ValueError):
                with np.errstate(all="ignore"):
                    value = ieee(*(np.float64(argument) for argument in arguments))
                return value.item() if isinstance(value, (np.generic, np.ndarray)) else value

        return evaluate

    def scalar_function(self) -> loops.ScalarFunction:
        return loops.ScalarFunction(self.tree, self.arguments)


def _is_plain(expression: ast.expr) -> bool:
    return isinstance(expression, (ast.Name, ast.Constant))


class Program:
    """Formulas over the same arguments, evaluated together: an operator's forward, or its whole backward.

    Args:
        name: for generated files.
        formulas: one for each result.
        operands: names of the array arguments, in calling order.
        attributes: names of the scalar arguments that follow them.
        results: ``"float"`` or ``"bool"``.
    """

    def __init__(
        self,
        name: str,
        formulas: Sequence[Formula],
        operands: Sequence[str],
        attributes: Sequence[str] = (),
        results: str = "float",
    ) -> None:
        self.name = name
        self.formulas = tuple(formulas)
        self.operands = tuple(operands)
        used = {name for formula in formulas for name in formula.arguments}
        self.attributes = tuple(name for name in attributes if name in used)
        self._attribute_positions = [i for i, name in enumerate(attributes) if name in used]
        self._results = results
        self._small: dict[tuple[str, bool], Callable[..., Any]] = {}

    @cached_property
    def loop(self) -> loops.Loop:
        functions = [formula.scalar_function() for formula in self.formulas]
        return loops.Loop(self.name, functions, self.operands, self.attributes, self._results)

    @cached_property
    def is_one_pass(self) -> bool:
        return all(formula.is_one_pass for formula in self.formulas)

    @cached_property
    def ufunc(self) -> Callable[..., Any] | None:
        """NumPy's function, when the program is exactly one call of it on its operands in order."""
        expression = self.formulas[0].expression if len(self.formulas) == 1 and not self.attributes else None
        if isinstance(expression, ast.BinOp):
            names, function = [expression.left, expression.right], _OPERATORS.get(type(expression.op))
        elif isinstance(expression, ast.Compare) and len(expression.ops) == 1:
            names, function = [expression.left, *expression.comparators], _OPERATORS.get(type(expression.ops[0]))
        elif isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.USub):
            names, function = [expression.operand], np.negative
        elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
            names, function = expression.args, getattr(on_arrays, expression.func.attr)
        else:
            return None
        given = tuple(name.id if isinstance(name, ast.Name) else None for name in names)
        return function if given == self.operands and isinstance(function, np.ufunc) else None

    def runs_as_loop(self, elements: int) -> bool:
        """Whether so many elements go through a compiled loop rather than NumPy."""
        return jit.use_loops(elements) and (not self.is_one_pass or jit.mode() == "always")

    def __call__(
        self, arrays: Sequence[np.ndarray], attributes: Sequence[float], dtype: np.dtype, elements: int
    ) -> Sequence[Any]:
        """Results for ``arrays`` of ``dtype`` (or bool), of ``elements`` elements in all."""
        values = [attributes[i] for i in self._attribute_positions]
        if dtype == F16:
            # Computed in float32 and rounded once at the end, as the hardware's own half units do.
            wide = [array.astype(F32) if array.dtype == F16 else array for array in arrays]
            results = self(wide, attributes, F32, elements)
            return [r.astype(F16) if getattr(r, "dtype", None) == F32 else r for r in results]
        if (dtype == F32 or dtype == F64) and self.runs_as_loop(elements):
            return self.loop(arrays, values, dtype)
        return self.small(dtype)(*arrays, *(np.asarray(value, dtype) for value in values))

    def small(self, dtype: np.dtype, alone: bool = False) -> Callable[..., Any]:
        """The NumPy reading for arrays of ``dtype``: a function of all operands and attributes, returning a tuple.

        With ``alone``, the first result instead of a tuple: NumPy's own function, where the program is just that.
        """
        key = dtype.char, alone
        function = self._small.get(key)
        if function is None:
            function = self._small[key] = (self.ufunc if alone else None) or self._compile(dtype, alone)
        return function

    def _compile(self, dtype: np.dtype, alone: bool) -> Callable[..., Any]:
        # Numbers become 0-d arrays of the dtype: NumPy converts a Python number on every call (measured: 480 ns for
        # a * 2.0 on 4x4, 215 ns with a 0-d array), and an int array would become float64.
        scope: dict[str, Any] = {"_": on_arrays}
        numbers = _NamedNumbers(scope, dtype)
        results: list[ast.expr] = []
        helpers: list[ast.stmt] = []
        for i, formula in enumerate(self.formulas):
            expression = formula.expression
            if expression is not None:
                results.append(numbers.visit(_copy(expression)))
                continue
            arguments = [ast.Name(argument, ast.Load()) for argument in formula.arguments]
            results.append(ast.Call(ast.Name(f"f{i}", ast.Load()), arguments, []))
            body = [numbers.visit(_copy(statement)) for statement in formula.tree.body]
            helpers.append(_define(f"f{i}", formula.arguments, body))
        body = [ast.Return(results[0] if alone else ast.Tuple(results, ast.Load()))]
        main = _define("program", (*self.operands, *self.attributes), body)
        tree = ast.fix_missing_locations(ast.Module([*helpers, main], []))
        exec(compile(tree, f"<{self.name} on {dtype}>", "exec"), scope)
        return scope["program"]


_OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.true_divide,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
}


class _NamedNumbers(ast.NodeTransformer):
    def __init__(self, scope: dict[str, Any], dtype: np.dtype) -> None:
        self.scope, self.dtype = scope, dtype

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool) or not isinstance(node.value, (int, float)):
            return node
        name = f"number_{len(self.scope)}"
        self.scope[name] = np.array(node.value, self.dtype)
        return ast.Name(name, ast.Load())


def _copy(node: Any) -> Any:
    if isinstance(node, ast.expr):
        return ast.parse(ast.unparse(node), mode="eval").body
    return ast.parse(ast.unparse(node)).body[0]


def _define(name: str, arguments: Sequence[str], body: list[Any]) -> ast.FunctionDef:
    parameters = ast.arguments(
        posonlyargs=[], args=[ast.arg(argument) for argument in arguments], kwonlyargs=[], kw_defaults=[], defaults=[]
    )
    return ast.FunctionDef(name=name, args=parameters, body=body, decorator_list=[], type_params=[])
