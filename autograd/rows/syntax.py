"""Formulas as syntax trees: what a rule computes, and its NumPy reading compiled from it.

Imported when the first formula is compiled; `import autograd` does without.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..kernels import on_arrays, on_floats, uncompiled
from ..kernels.loops import Loop

if TYPE_CHECKING:
    from .readings import Program

__all__ = [
    "compile_program",
    "is_compilable",
    "is_for_halves",
    "is_one_pass",
    "is_operation",
    "is_slow",
    "loop_of",
    "tree_of",
    "ufunc_of",
]

# One NumPy call makes one pass over memory already: a generated loop has nothing to fuse. Not so `where`, which
# branches: where the condition is as good as random, a million elements take 7.4 ms, and 0.33 in a loop, which selects;
# nor the extremes, which with a number compare one element at a time: 0.39 ms, and 0.12.
ONE_PASS = {"abs", "ceil", "floor", "logical_not", "sqrt", "trunc"}
# Functions for which NumPy has no vector instructions, or needs several passes. Measured for 4096 float32: formulas
# with one of them take 8 to 90 us, and loops 5 to 13; with others it is 3 to 12, and 5 to 8.
SLOW = {
    "acos", "acosh", "asin", "erf", "erfc", "gelu_slope", "hypot", "log_sigmoid", "logaddexp", "ndtr",
    "normal_density", "sigmoid", "softplus", "where",
}  # fmt: skip

OPERATORS: dict[type, Callable[..., Any]] = {
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


def tree_of(function: Callable[..., Any]) -> ast.FunctionDef:
    """The definition of a rule."""
    definition = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    if not isinstance(definition, ast.FunctionDef):
        raise TypeError(f"a rule must be written with def, but {function.__qualname__} is not")
    return definition


def expression_of(tree: ast.FunctionDef) -> ast.expr | None:
    """What a rule returns, when that is all it does."""
    statements = [s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    last = statements[-1]
    return last.value if len(statements) == 1 and isinstance(last, ast.Return) else None


def is_one_pass(tree: ast.FunctionDef) -> bool:
    """Whether a rule is a single operation on its arguments, or none."""
    expression = expression_of(tree)
    if isinstance(expression, ast.BinOp):
        parts = [expression.left, expression.right]
    elif isinstance(expression, ast.UnaryOp):
        parts = [expression.operand]
    elif isinstance(expression, ast.Compare):
        parts = [expression.left, *expression.comparators]
    elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
        if expression.func.attr not in ONE_PASS:
            return False
        parts = expression.args
    else:
        return isinstance(expression, (ast.Name, ast.Constant))
    return all(isinstance(part, (ast.Name, ast.Constant)) for part in parts)


def is_operation(tree: ast.FunctionDef) -> bool:
    """Whether a rule is more than the name of an argument, or a number."""
    return not isinstance(expression_of(tree), (ast.Name, ast.Constant))


def functions_of(tree: ast.FunctionDef) -> set[str]:
    """Names of the library's functions that a rule calls."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return {call.attr for call in calls if isinstance(call, ast.Attribute)}


def is_compilable(tree: ast.FunctionDef) -> bool:
    """Whether every function that a rule calls has a compiled twin."""
    return functions_of(tree).isdisjoint(uncompiled.NAMES)


def is_slow(tree: ast.FunctionDef) -> bool:
    """Whether a rule calls a function that takes NumPy long."""
    return not functions_of(tree).isdisjoint(SLOW)


def is_for_halves(tree: ast.FunctionDef) -> bool:
    """Whether a rule must see float16 as it is: what it computes depends on the type's grid."""
    return not functions_of(tree).isdisjoint(uncompiled.ON_HALVES)


def ufunc_of(program: Program) -> Callable[..., Any] | None:
    """NumPy's function, when a program is exactly one call of it on its operands in order."""
    if len(program.formulas) != 1 or program.attributes:
        return None
    expression = expression_of(program.formulas[0].tree)
    parts: list[ast.expr]
    if isinstance(expression, ast.BinOp):
        parts, function = [expression.left, expression.right], OPERATORS.get(type(expression.op))
    elif isinstance(expression, ast.Compare) and len(expression.ops) == 1:
        parts, function = [expression.left, *expression.comparators], OPERATORS.get(type(expression.ops[0]))
    elif isinstance(expression, ast.UnaryOp) and isinstance(expression.op, ast.USub):
        parts, function = [expression.operand], np.negative
    elif isinstance(expression, ast.Call) and isinstance(expression.func, ast.Attribute):
        parts, function = expression.args, getattr(on_arrays, expression.func.attr)
    else:
        return None
    given = tuple(part.id if isinstance(part, ast.Name) else None for part in parts)
    return function if given == program.operands and isinstance(function, np.ufunc) else None


def loop_of(program: Program) -> Loop:
    """The compiled reading of a program."""
    formulas = [formula.tree for formula in program.formulas]
    return Loop(
        program.name, formulas, program.operands, program.attributes, program.results, is_exact=program.is_one_pass
    )


def compile_program(program: Program, dtype: np.dtype | None, form: str) -> Callable[..., Any]:
    """The NumPy reading in one of the forms of `Program.small`; without a dtype that over Python floats."""
    # Numbers become 0-d arrays of the dtype: NumPy converts a Python number on every call (measured: 480 ns for
    # a * 2.0 on 4x4, 215 ns with a 0-d array), and an int array would become float64.
    scope: dict[str, Any] = {"_": on_floats if dtype is None else on_arrays}
    numbers = ast.NodeTransformer() if dtype is None else _NamedNumbers(scope, dtype)
    results: list[ast.expr] = []
    helpers: list[ast.stmt] = []
    for i, formula in enumerate(program.formulas):
        expression = expression_of(formula.tree)
        if expression is not None:
            results.append(numbers.visit(_copy(expression)))
            continue
        arguments: list[ast.expr] = [ast.Name(argument, ast.Load()) for argument in formula.arguments]
        results.append(ast.Call(ast.Name(f"f{i}", ast.Load()), arguments, []))
        body = [numbers.visit(_copy(statement)) for statement in formula.tree.body]
        helpers.append(_define(f"f{i}", formula.arguments, body))
    returned: list[ast.stmt] = [ast.Return(results[0] if form == "single" else ast.Tuple(results, ast.Load()))]
    parameters = (*program.operands, *program.attributes)
    if form == "packed":
        first, *others = program.operands
        if others:
            names: list[ast.expr] = [ast.Name(name, ast.Store()) for name in others]
            returned.insert(0, ast.Assign([ast.Tuple(names, ast.Store())], ast.Name("others", ast.Load())))
        parameters = (first, "others", *program.attributes)
    main = _define("program", parameters, returned)
    tree = ast.fix_missing_locations(ast.Module([*helpers, main], []))
    exec(compile(tree, f"<{program.name} on {dtype or 'floats'}>", "exec"), scope)
    return scope["program"]


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
    # Python 3.12 requires type_params, older ones ignore it.
    return ast.FunctionDef(name=name, args=parameters, body=body, decorator_list=[], type_params=[])  # type: ignore[call-arg]
