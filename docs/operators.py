"""Writes docs/operators.md from the table of operators: ``python docs/operators.py``, with ``--check`` only compares.

Nothing is written by hand: formulas and gradients are the rows' own, and the element types are those with which the
tests' samples run.
"""

from __future__ import annotations

import ast
import inspect
import sys
import textwrap
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import autograd
from autograd import Tensor
from autograd.ops import load_all
from autograd.rows.public import NAMESPACES
from autograd.rows.table import TABLE, CoarseRow, PointwiseRow, Row, public_name

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operators.md"

INTRODUCTION = """# Operators

Every row of the operator table, by family. This page is generated from the table by `make docs`; CI compares.

- **Operator**: where it is called: `autograd.f`, a method `.f`, in place `.f_`. A row without a name of its own serves
  the functions that are compositions of rows.
- **Gradient**: for each input the rule as it is written in the row; `g` is the gradient of the output, `out` the
  output, and a rule's arguments are all that is kept for the backward pass. The rules are made of rows, so they have
  gradients in turn.
- **Types**: the element types with which it computes. float16 computes in float32 and rounds once.
- **Readings**: *floats* (Value), *arrays* (NumPy, for small tensors), *loop* (one compiled pass over memory, from
  {threshold:,} elements on, or a quarter of them where NumPy is slow), *kernel* (a kernel of its own), *recorded* (the
  rule on tensors, for gradients of gradients).
"""

GROUPS = {
    "bool": ("bool",),
    "ints": ("uint8", "int8", "int16", "int32", "int64"),
    "floats": ("float16", "float32", "float64"),
    "complex": ("complex64", "complex128"),
}
KNOWN = [name for names in GROUPS.values() for name in names if hasattr(autograd, name)]


def main() -> int:
    text = page()
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
            return 0
        print("docs/operators.md is not what the table says: run `make docs`", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    return 0


def page() -> str:
    load_all()
    types = element_types()
    families: dict[str, list[Row]] = {}
    for row in TABLE.values():
        families.setdefault(row.forward.__module__.removeprefix("autograd.ops.").replace(".", "/"), []).append(row)
    pointwise = sum(isinstance(row, PointwiseRow) for row in TABLE.values())
    lines = [INTRODUCTION.format(threshold=autograd.jit.threshold)]
    lines.append(
        f"{len(TABLE)} rows, {pointwise} of them pointwise; {sum(row.is_differentiable for row in TABLE.values())} "
        "are differentiable.\n"
    )
    for family, rows in sorted(families.items()):
        module = inspect.getmodule(rows[0].forward)
        title = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
        lines.append(f"## [{family}](../autograd/ops/{family}.py)\n\n{title}.\n")
        lines.append("| Operator | Formula | Gradient | Types | Readings |\n|---|---|---|---|---|")
        lines += [line_of(row, types[row.name]) for row in sorted(rows, key=lambda row: row.name)]
        lines.append("")
    return "\n".join(lines)


def line_of(row: Row, types: set[str]) -> str:
    cells = [
        names_of(row),
        f"$`{row.latex.replace('|', chr(92) + 'vert ')}`$"
        if row.latex
        else cell(row.doc.strip().split("\n\n")[0].replace("\n", " ")),
        "<br>".join(gradients_of(row)) or "none",
        type_names(types),
        readings_of(row),
    ]
    return f"| {' | '.join(cells)} |"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def names_of(row: Row) -> str:
    found = []
    for space, functions in NAMESPACES.items():
        prefix = {"torch": "", "methods": "."}.get(space, f"{space}.")
        found += [f"`{prefix}{name}`" for name, function in functions.items() if getattr(function, "row", None) is row]
    methods = [name for name, value in vars(Tensor).items() if getattr(value, "row", None) is row]
    if row.name in methods:
        found.append(f"`.{row.name}`")
    if row.inplace and row.home and hasattr(Tensor, f"{row.name}_"):
        found.append(f"`.{row.name}_`")
    return ", ".join(sorted(set(found), key=found.index)) or f"({row.name})"


def gradients_of(row: Row) -> list[str]:
    written: dict[str, list[str]] = {}
    for name, rule in row.rules.items():
        function = rule.function if isinstance(row, PointwiseRow) else rule[0]
        written.setdefault(rule_text(function), []).append(public_name(name))
    return [f"{', '.join(names)}: {text}" for text, names in written.items()]


def rule_text(function: Callable[..., Any]) -> str:
    """What the rule computes, where that is short; else how long it is."""
    tree: Any = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    body = [s for s in tree.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
    if len(body) <= 3 and all(isinstance(statement, (ast.Assign, ast.Return)) for statement in body):
        steps = [ast.unparse(statement).replace("_.", "").removeprefix("return ") for statement in body]
        return f"`{cell('; '.join(steps))}`"
    needs = ", ".join(argument.arg for argument in tree.args.args)
    return f"rule of {len(body)} steps on `{needs}`"


def type_names(types: set[str]) -> str:
    parts = []
    for group, names in GROUPS.items():
        have = [name for name in names if name in types]
        if len(have) == len([name for name in names if name in KNOWN]) and have:
            parts.append(group)
        else:
            parts += have
    return "all" if len(types) == len(KNOWN) else ", ".join(parts)


def readings_of(row: Row) -> str:
    recorded = ["recorded"] if row.is_differentiable else []
    if isinstance(row, CoarseRow):
        return ", ".join(["kernel", *recorded])
    return ", ".join(
        ["floats", "arrays", *([] if row.program.is_one_pass or not row.program.has_loop else ["loop"]), *recorded]
    )


def element_types() -> dict[str, set[str]]:
    """For each row the types of arrays on which it computed something: pointwise rows tried directly, the others
    wherever the tests' samples lead to them."""
    sys.path.insert(0, str(ROOT / "tests" / "oracle"))
    import operator_samples as samples

    class Library:
        F = autograd.nn.functional

        @staticmethod
        def of(array: Any) -> Tensor:
            return autograd.from_numpy(np.array(array))

        def __getattr__(self, name: str) -> Any:
            return getattr(autograd, name)

    types: dict[str, set[str]] = {name: set() for name in TABLE}
    tracked = [row for row in TABLE.values() if isinstance(row, CoarseRow)]
    originals = {row: row.forward for row in tracked}

    def watched(row: CoarseRow) -> Callable[..., Any]:
        forward = originals[row]

        def run(*args: Any, **kwargs: Any) -> Any:
            result = forward(*args, **kwargs)
            values = [args[i] for i in row.input_positions if i < len(args)]
            flat = [a for value in values for a in (value if isinstance(value, (list, tuple)) else [value])]
            kinds = {a.dtype.name for a in flat if isinstance(a, np.ndarray)}
            types[row.name] |= {max(kinds, key=KNOWN.index)} if kinds and kinds <= set(KNOWN) else set()
            return result

        return run

    try:
        for row in tracked:
            row.forward = watched(row)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for name in KNOWN:
                dtype = getattr(autograd, name)
                for row in samples.POINTWISE:
                    tensors = [
                        autograd.from_numpy(a).to(dtype) for a in samples.sample(row, [(2, 2)] * len(row.inputs))
                    ]
                    tensors = [t.bool() if n == "condition" else t for n, t in zip(row.inputs, tensors, strict=True)]
                    if succeeds(lambda row=row, tensors=tensors: row(*tensors)):
                        types[row.name].add(name)
                for _, expression, shapes in samples.CASES:
                    tensors = [autograd.from_numpy(a).to(dtype) for a in samples.arrays_for(shapes)]
                    if tensors and tensors[0].dtype.is_floating_point:
                        tensors = [tensor.requires_grad_() for tensor in tensors]
                    succeeds(lambda e=expression, t=tensors: differentiated(e(Library(), *t)))
                bits = autograd.ones(2, 2, dtype=dtype)
                succeeds(lambda bits=bits: bits & bits)
                succeeds(lambda bits=bits: ~bits)
    finally:
        for row in tracked:
            row.forward = originals[row]
    return types


def differentiated(result: Tensor) -> None:
    if isinstance(result, Tensor) and result.requires_grad:
        result.backward(autograd.ones_like(result))


def succeeds(attempt: Callable[[], Any]) -> bool:
    try:
        attempt()
    except Exception:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
