"""The text of a compiled walk: what `autograd.kernels.along` makes of a formula."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .along import REDUCTIONS
from .loops import KERNEL, Loop, TypedNumbers, header, load_module

__all__ = ["compiled", "pointwise", "source_of"]

# Elements of the next row that a turn asks for at once: more wait for each other. A block is as many, or twice as many
# where two turns ask; its elements are added up in their own type, and the sums of blocks in float64.
BLOCK = 512
VECTORS = 4  # that LLVM takes in a turn of a loop
# Lengths of rows of which the next one is asked for during a turn: shorter ones come by themselves, longer ones would
# not stay in a cache until then.
ASKING = "U(256) <= n <= U(16384)"

IMPORTS = """from numpy import empty, float64, inf
from autograd.kernels.scalar import larger, plus
"""


def compiled(
    function: Callable[..., Any], pattern: str, kinds: str, dtype: np.dtype, columns: int, is_summed: bool = False
) -> tuple[Callable[..., None], str]:
    """The kernel of a formula, and of each result whether it has elements (e) or one for each run (r).

    Args:
        function: the formula.
        pattern: ``rows``, or ``columns``, of which ``columns`` are walked along side by side.
        kinds: a letter for each argument, as for the results.
        dtype: float32 or float64.
        is_summed: whether the total of what it returns is meant.
    """
    source, results = source_of(function, pattern, kinds, dtype, columns, is_summed)
    return load_module(f"{function.__name__}_{pattern}_{kinds}", source).kernel, results


def pointwise(function: Callable[..., Any], arguments: Sequence[str]) -> Loop:
    """The loop of a formula without reductions."""
    return Loop(function.__name__, [_tree_of(function)], arguments)


def _tree_of(function: Callable[..., Any]) -> Any:
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]


def source_of(
    function: Callable[..., Any], pattern: str, kinds: str, dtype: np.dtype, columns: int, is_summed: bool = False
) -> tuple[str, str]:
    """The module's text, and the kinds of the results."""
    tree = _tree_of(function)
    if is_summed:
        last = tree.body[-1]
        last.value = ast.Call(ast.Name("total", ast.Load()), [last.value], [])
    walk = _Walk(tree, kinds)
    bits = dtype.itemsize * 8
    title = f"{function.__name__}, {pattern} {kinds}, float{bits}"
    text = walk.source(0 if pattern == "rows" else columns, 512 // bits)
    return header(title, bits) + IMPORTS + KERNEL + text, walk.results


class _Reduction:
    """``name = way(expression)``, found inside a statement."""

    def __init__(self, name: str, way: str, expression: ast.expr) -> None:
        self.name, self.way, self.expression = name, way, expression


class _Walk:
    """A formula put in order: turns along the dimension, and what is computed once for each run between them.

    Attributes:
        elements: arguments and assigned names that differ along the dimension; of the latter the expressions.
        results: the kind of each result.
    """

    def __init__(self, tree: Any, kinds: str) -> None:
        self.arguments = [argument.arg for argument in tree.args.args]
        self.element_arguments = [n for n, kind in zip(self.arguments, kinds, strict=True) if kind == "e"]
        self.run_arguments = [n for n in self.arguments if n not in self.element_arguments]
        self.elements: dict[str, ast.expr] = {}
        self.for_runs: dict[str, ast.expr] = {}
        self.reductions: list[_Reduction] = []
        self.returned: list[ast.expr] = []
        for statement in tree.body[ast.get_docstring(tree) is not None :]:
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                name, value = statement.targets[0].id, self._without_reductions(statement.value)
                (self.elements if self._has_elements(value) else self.for_runs)[name] = value
            elif isinstance(statement, ast.Return) and statement.value is not None:
                value = statement.value
                values = value.elts if isinstance(value, ast.Tuple) else [value]
                self.returned = [self._without_reductions(each) for each in values]
            else:
                raise TypeError(f"{tree.name}: a walk is made of `name = value` and `return`: {ast.unparse(statement)}")
        self.results = "".join("e" if self._has_elements(value) else "r" for value in self.returned)
        self.kept = self._worth_keeping()

    def _without_reductions(self, value: ast.expr) -> ast.expr:
        """The expression with names in the place of its reductions, the innermost first."""
        walk = self

        class Hoist(ast.NodeTransformer):
            def visit_Call(self, node: ast.Call) -> ast.AST:
                self.generic_visit(node)
                if not (isinstance(node.func, ast.Name) and node.func.id in REDUCTIONS):
                    return node
                name = f"{node.func.id}{len(walk.reductions)}"
                walk.reductions.append(_Reduction(name, node.func.id, node.args[0]))
                return ast.Name(name, ast.Load())

        return Hoist().visit(value)

    def _has_elements(self, value: ast.expr) -> bool:
        return any(name in self.elements or name in self.element_arguments for name in _names(value))

    def _needed(self, values: Iterable[ast.expr], known: Iterable[str] = ()) -> list[str]:
        """All names on which ``values`` depend within a turn, each after those that it depends on itself."""
        order: list[str] = []

        def visit(value: ast.expr) -> None:
            for name in _names(value):
                if name not in order:
                    if name in self.elements and name not in known:
                        visit(self.elements[name])
                    order.append(name)

        for value in values:
            visit(value)
        return order

    def _worth_keeping(self) -> str | None:
        """The name whose elements wait for a later turn in the first result's memory: one that calls a function, and is
        asked for by more than one turn. All others are computed anew, which costs less than reading them back."""
        if "e" not in self.results:
            return None
        for name, value in self.elements.items():
            if any(isinstance(node, ast.Call) for node in ast.walk(value)):
                turns = [self._needed([reduction.expression]) for reduction in self.reductions]
                turns.append(self._needed(self.returned))
                if sum(name in needed for needed in turns) > 1:
                    return name
        return None

    def turns(self) -> Iterable[tuple[list[_Reduction], list[str]]]:
        """The reductions of each turn, and the names to be computed for each run after it: all that can be, then."""
        known = set(self.run_arguments)
        waiting, names = list(self.reductions), list(self.for_runs)
        while waiting or names:
            ready = [r for r in waiting if self._runs_of([r.expression]) <= known]
            waiting = [r for r in waiting if r not in ready]
            known |= {r.name for r in ready}
            after = []
            for name in names:
                if self._runs_of([self.for_runs[name]]) <= known:
                    after.append(name)
                    known.add(name)
            if not ready and not after:
                raise NameError(
                    f"a walk never gets to know what {', '.join([*names, *(r.name for r in waiting)])} needs"
                )
            names = [name for name in names if name not in after]
            yield ready, after

    def _runs_of(self, values: Iterable[ast.expr]) -> set[str]:
        """The names that stand for one value a run, on which ``values`` depend."""
        return {n for n in self._needed(values) if n not in self.elements and n not in self.element_arguments}

    # --- Text ------------------------------------------------------------------------------------------------------

    def source(self, columns: int, lanes: int) -> str:
        """The kernel's text, for so many columns side by side, or 0 for rows; ``lanes`` elements fill a register, and
        a line of memory."""
        self.is_rows, self.lanes = columns == 0, lanes
        outs = [f"r{number}" for number in range(len(self.returned))]
        lines = ["wide()", "n, step = U(length), U(width)"]
        if self.is_rows:
            # LLVM takes several vectors in a turn, and what is left one by one: if that is much, one more turn takes it
            # by masked vectors.
            lines += [f"left = n % U({VECTORS * lanes})", f"whole = n - left if left > U({lanes}) else n"]
            lines.append("for run in range(U(start), U(stop)):")
            walk = ["first = run * n"]
        else:
            run_names = [*self.for_runs, *(r.name for r in self.reductions)]
            lines += [f"{name}_ = empty({columns}, T)" for name in run_names]
            lines += [f"{r.name}_all = empty({columns}, float64)" for r in self.reductions if r.way != "highest"]
            lines += [f"blocks = U((width + {columns - 1}) // {columns})", "for item in range(U(start), U(stop)):"]
            walk = ["run, block = item // blocks, item % blocks"]
            walk += [f"column = block * U({columns})", f"many = min(U({columns}), step - column)"]
            walk += ["first, run = run * n * step + column, run * step + column"]
        # The first turn waits for memory; the second computes, and asks for what the next run will read: with the last
        # one, where that finds its elements near.
        self.askers = 2 if self.kept else 1
        kept, number = False, 0
        for reductions, after in self.turns():
            if reductions:
                walk += self._reduce(reductions, kept, number)
                number += 1
                kept = kept or self.kept in self._needed([r.expression for r in reductions])
            walk += self._for_each_run(
                [f"{self._at(name)} = {self._text(self.for_runs[name])}" for name in after],
                self._loads([self.for_runs[name] for name in after]),
            )
        lines += _indented([*walk, *self._finish(outs, kept)])
        head = f"def kernel(start, stop, length, width, {', '.join([*self.arguments, *outs])}):"
        return "\n".join([head, *_indented(lines)]) + "\n"

    def _reduce(self, reductions: list[_Reduction], kept: bool, number: int) -> list[str]:
        """One turn along the dimension, in blocks if it adds up."""
        sums = [r.name for r in reductions if r.way != "highest"]
        before = [f"{self._at(r.name)} = T(-inf)" for r in reductions if r.way == "highest"]
        before += [f"{self._at(name, 'all')} = float64(0)" for name in sums]
        expressions = [r.expression for r in reductions]
        body = self._elements(expressions, kept)
        if not kept and self.kept in self._needed(expressions):
            body.append(f"r{self.results.index('e')}[at] = {self.kept}_")
        for r in reductions:
            way = "larger" if r.way == "highest" else "plus"
            body.append(f"{self._at(r.name)} = {way}({self._at(r.name)}, {self._text(r.expression)})")
        shares = {r.name: " / float64(n)" if r.way == "average" else "" for r in reductions}
        after = [f"{self._at(name)} = T({self._at(name, 'all')}{shares[name]})" for name in sums]
        turn = self._turn_in_blocks(body, sums, number - 1) if sums else self._turn(body)
        return [*self._for_each_run(before), *turn, *self._for_each_run(after)]

    def _finish(self, outs: list[str], kept: bool) -> list[str]:
        """What is returned: one value for each run, and a last turn for the elements."""
        results = list(zip(outs, self.results, self.returned, strict=True))
        of_runs = [value for _, kind, value in results if kind == "r"]
        text = self._for_each_run(
            [f"{out}[{self._run}] = {self._text(value)}" for out, kind, value in results if kind == "r"],
            self._loads(of_runs),
        )
        of_elements = [value for _, kind, value in results if kind == "e"]
        if of_elements:
            body = self._elements(of_elements, kept)
            body += [f"{out}[at] = {self._text(value)}" for out, kind, value in results if kind == "e"]
            text += self._last_turn(body, kept)
        return text

    def _turn(self, body: list[str]) -> list[str]:
        """The body for each element along the dimension."""
        loop = [f"for i in range(U(0), {self._stop}):", *self._element(body)]
        return [*loop, "if whole < n:", *_indented(self._rest(body))] if self.is_rows else loop

    def _turn_in_blocks(self, body: list[str], sums: list[str], asker: int) -> list[str]:
        """The same in blocks, each of which has ``sums`` of its own, and asks for a share of the next row."""
        before = self._for_each_run([f"{self._at(name)} = T(0)" for name in sums])
        after = self._for_each_run([f"{self._at(name, 'all')} += {self._at(name)}" for name in sums])
        size = BLOCK * self.askers if self.is_rows else BLOCK
        block = [f"end = min(low + U({size}), {self._stop})"]
        if self.is_rows and 0 <= asker < self.askers:
            share = ", ".join(f"low + (end - low) * U({i}) // U({self.askers})" for i in (asker, asker + 1))
            fetches = [f"        fetch({name}, first + n + i)" for name in self.element_arguments]
            block += [f"if {ASKING}:", f"    for i in range({share}, U({self.lanes})):", *fetches]
        block += [*before, "for i in range(low, end):", *self._element(body), *after]
        lines = [f"for low in range(U(0), {self._stop}, U({size})):", *_indented(block)]
        return [*lines, "if whole < n:", *_indented([*before, *self._rest(body), *after])] if self.is_rows else lines

    def _last_turn(self, body: list[str], kept: bool) -> list[str]:
        """The turn that writes the results: it asks for a share of the next row where it rereads what was kept."""
        if not (kept and self.is_rows):
            return self._turn(body)
        asking = self._turn_in_blocks(body, [], self.askers - 1)
        return [f"if {ASKING}:", *_indented(asking), "else:", *_indented(self._turn(body))]

    @property
    def _stop(self) -> str:
        return "whole" if self.is_rows else "n"

    def _element(self, body: list[str]) -> list[str]:
        """The inside of a loop over ``i``."""
        if self.is_rows:
            return _indented(["at = first + i", *body])
        return _indented(["here = first + i * step", "for j in range(many):", *_indented(["at = here + j", *body])])

    def _rest(self, body: list[str]) -> list[str]:
        """What is left of a row."""
        loop = f"for i in range(whole, whole + U({VECTORS * self.lanes})):"
        return [loop, *_indented(["if i < n:", *self._element(body)])]

    def _for_each_run(self, body: list[str], loads: Sequence[str] = ()) -> list[str]:
        if self.is_rows or not body:
            return [*loads, *body] if body else []
        return ["for j in range(many):", *_indented([*loads, *body])]

    def _elements(self, values: list[ast.expr], kept: bool) -> list[str]:
        """Lines that give names to the element's values, on which ``values`` depend."""
        have = [self.kept] if kept and self.kept else []
        lines = self._loads(values, have)
        for name in self._needed(values, have):
            if name in have:
                lines.append(f"{name}_ = r{self.results.index('e')}[at]")
            elif name in self.elements:
                lines.append(f"{name}_ = {self._text(self.elements[name])}")
        return lines

    def _loads(self, values: list[ast.expr], have: Sequence[str] = ()) -> list[str]:
        needed = self._needed(values, have)
        lines = [f"{name}_ = {name}[at]" for name in needed if name in self.element_arguments]
        return lines + [f"{name}_ = {name}[{self._run}]" for name in needed if name in self.run_arguments]

    @property
    def _run(self) -> str:
        return "run" if self.is_rows else "run + j"

    def _at(self, name: str, suffix: str = "") -> str:
        """A value of the run: a variable, or one place for each of the runs side by side."""
        return f"{name}_{suffix}" if self.is_rows else f"{name}_{suffix}[j]"

    def _text(self, value: ast.expr) -> str:
        walk = self

        class Localized(TypedNumbers):
            def visit_Name(self, node: ast.Name) -> ast.AST:
                if node.id in walk.for_runs or any(node.id == r.name for r in walk.reductions):
                    return ast.Name(walk._at(node.id), ast.Load())
                return ast.Name(node.id if node.id == "_" else f"{node.id}_", ast.Load())

        return ast.unparse(Localized().visit(ast.parse(ast.unparse(value), mode="eval").body))


def _names(value: ast.expr) -> list[str]:
    return [node.id for node in ast.walk(value) if isinstance(node, ast.Name) and node.id != "_"]


def _indented(lines: Iterable[str], by: int = 4) -> list[str]:
    return [" " * by + line for line in lines]
