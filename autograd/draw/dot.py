"""Records in Graphviz' language, and the picture in a notebook.

One box for each number or tensor: on top the operator that made it and its name, below its value in black and its
gradient in vermilion. The colors are from the set of Okabe and Ito, which color-blind readers can tell apart, and no
fact is shown by color alone.
"""

from __future__ import annotations

import html
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import graphviz
import numpy as np

from ..kernels.halves import FLOATING
from ..tensor import Tensor
from ..value import Value
from .trace import Record, Trace, trace

__all__ = ["Drawing", "draw", "to_dot"]

GLYPHS = {
    "abs": "|x|",
    "absolute_error": "|x − y|",
    "add": "+",
    "avg_pool": "avg pool",
    "bernoulli_error": "binary cross-entropy",
    "bernoulli_error_of_logits": "binary cross-entropy",
    "concatenate_along": "concat",
    "convolve": "x ∗ w",
    "convolve_transpose": "x ∗ᵀ w",
    "copy_into": "copy",
    "deviation": "std",
    "div": "÷",
    "exp": "eˣ",
    "linear": "x Wᵀ + b",
    "log": "ln",
    "log_softmax_along": "log softmax",
    "log2": "log₂",
    "log10": "log₁₀",
    "matmul": "@",
    "max_pool": "max pool",
    "mul": "×",
    "neg": "−x",
    "negative_log_likelihood": "−log likelihood",
    "pow": "xʸ",
    "product_along": "∏",
    "reciprocal": "1/x",
    "relu": "ReLU",
    "relu_of_many": "ReLU",
    "rsqrt": "1/√x",
    "rsub": "−",
    "sigmoid": "σ",
    "softmax_along": "softmax",
    "slice_view": "slice",
    "split_at": "split",
    "sqrt": "√x",
    "square": "x²",
    "squared_error": "(x − y)²",
    "stack_along": "stack",
    "sub": "−",
    "sum": "Σ",
    "total_absolute_error": "|x − y|",
    "total_bernoulli_error": "binary cross-entropy",
    "total_bernoulli_error_of_logits": "binary cross-entropy",
    "total_smooth_error": "smooth L1",
    "smooth_error": "smooth L1",
    "total_squared_error": "(x − y)²",
    "transpose": "xᵀ",
    "variance": "var",
    "view_as_shape": "reshape",
}
# Operands may change places: there an edge needs no name.
SYMMETRIC = {
    "add",
    "mul",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "squared_error",
    "absolute_error",
    "hypot",
    "logaddexp",
}
SIDES = {"x": "left", "y": "right"}
OPERANDS = {
    "sub": SIDES,
    "rsub": {"x": "right", "y": "left"},
    "div": SIDES,
    "matmul": SIDES,
    "pow": {"x": "base", "y": "exponent"},
}

INK, GRAY, VERMILION = "#1A1A1A", "#6B6B6B", "#B84700"
FILL = {"leaf": "#FFF1CC", "parameter": "#D5F0E6", "operator": "#E3F1FB", "output": "#E3F1FB", "constant": "#F0F0F0"}
LINE = {"leaf": "#C98F00", "parameter": "#009E73", "operator": "#0072B2", "output": "#0072B2", "constant": "#9A9A9A"}
# What a box says besides its color.
KIND = {"parameter": "parameter", "constant": "constant"}
TEXT, NUMBERS = "Helvetica", "monospace"
# Graphviz needs minutes for larger graphs: a notebook must not hang.
LARGEST_SHOWN = 2000


class Drawing(graphviz.Digraph):
    """A `graphviz.Digraph` that a notebook shows as a picture, or as text with a plain message where it cannot."""

    box_count = 0

    def _obstacle(self) -> str:
        if self.box_count > LARGEST_SHOWN:
            return (
                f"This graph has {self.box_count} boxes, too many to lay out here. render() does it all the same; "
                "it may take many minutes."
            )
        return ""

    def _svg(self) -> tuple[str | None, str]:
        """The picture, or None and the reason."""
        if obstacle := self._obstacle():
            return None, obstacle
        try:
            return self.pipe(format="svg", encoding="utf-8", quiet=True), ""
        except graphviz.ExecutableNotFound:
            return None, "Graphviz' program `dot` was not found: install Graphviz (https://graphviz.org/download/)."
        except graphviz.CalledProcessError as error:
            return None, f"Graphviz could not draw this: {error}"

    def _repr_svg_(self) -> str | None:
        return self._svg()[0]

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **_: Any) -> dict[str, Any]:
        svg, problem = self._svg()
        if svg is not None:
            return {"image/svg+xml": svg, "text/plain": repr(self)}
        source = self.source if self.box_count <= LARGEST_SHOWN else "Its DOT text is in `.source`."
        return {"text/plain": f"{problem}\n\n{source}"}

    def __repr__(self) -> str:
        return f"<drawing of {self.box_count} boxes>"


def draw(
    root: Value | Tensor | Sequence[Value | Tensor],
    *,
    values: bool = True,
    gradients: bool = True,
    max_elements: int = 12,
    labels: Mapping[str, Value | Tensor] | None = None,
    params: Mapping[str, Tensor] | None = None,
) -> Drawing:
    """Draws everything that ``root`` was computed from, left to right, with values and gradients.

    Nothing changes: the gradients come from a backward pass of the drawing's own, which calls no hook and adds to no
    ``grad``. After a ``backward()`` that has freed the graph the picture says so and shows what is still known.

    Args:
        root: a `Value`, a `Tensor` or several.
        values: show values.
        gradients: show the derivative of the root (of the sum of its elements) by each value.
        max_elements: tensors with more elements are summarized by minimum, mean and maximum.
        labels: names for values, beside ``Value.label`` and an attribute ``label`` of leaf tensors.
        params: names of parameters: ``dict(model.named_parameters())``.

    Returns:
        A `graphviz.Digraph`: a notebook shows it, ``render("file", format="pdf")`` writes it, ``source`` is its text
        in the DOT language, for which the program ``dot`` need not be installed.

    Raises:
        TypeError: something else than Values and Tensors.
        ValueError: no root, or a negative ``max_elements``.

    >>> from autograd.value import Value
    >>> a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    >>> draw(a * b)
    <drawing of 3 boxes>
    """
    if isinstance(max_elements, bool) or not isinstance(max_elements, int) or max_elements < 0:
        raise ValueError(f"draw: max_elements must be a non-negative int, but got {max_elements!r}")
    found = trace(root, gradients=gradients, labels=labels, params=params)
    return to_dot(found, values=values, gradients=gradients, max_elements=max_elements)


def to_dot(found: Trace, *, values: bool = True, gradients: bool = True, max_elements: int = 12) -> Drawing:
    """The picture of what `trace` found; arguments are those of `draw`."""
    dot = Drawing("gradient graph")
    dot.box_count = len(found.records)
    dot.attr("graph", rankdir="LR", ordering="in", nodesep="0.25", ranksep="0.45", bgcolor="white", fontname=TEXT)
    dot.attr("node", shape="plain", fontname=TEXT, fontsize="12", fontcolor=INK)
    dot.attr("edge", color="#5A5A5A", arrowsize="0.7", fontname=TEXT, fontsize="9", fontcolor=GRAY)
    if found.notes:
        dot.attr("graph", label="\n".join(map(graphviz.escape, found.notes)), fontsize="11", fontcolor=GRAY)
    operands: dict[int, set[str]] = {}
    for edge in found.edges:
        operands.setdefault(edge.target, set()).add(edge.name)
    for number, record in enumerate(found.records):
        tooltip = _tooltip(record)
        dot.node(str(number), _box(record, values, gradients, max_elements), tooltip=graphviz.escape(tooltip))
    for edge in found.edges:
        operator = found.records[edge.target].operator
        name = OPERANDS.get(operator, {}).get(edge.name, edge.name)
        is_ordered = len(operands[edge.target]) > 1 and operator not in SYMMETRIC
        style = {"style": "dashed"} if found.records[edge.source].kind == "constant" else {}
        dot.edge(str(edge.source), str(edge.target), name if is_ordered else None, **style)
    return dot


def _tooltip(record: Record) -> str:
    facts = [record.formula or record.operator or record.kind]
    if record.origin == "computed":
        facts.append("value computed again from the operands' present values")
    if record.note:
        facts.append(record.note)
    return "\n".join(facts)


def _box(record: Record, values: bool, gradients: bool, max_elements: int) -> str:
    """Graphviz' HTML for one node."""
    numbers: list[str] = []
    if values and record.value is not None:
        numbers.append(_row("value", record.value, INK, max_elements))
    if gradients and record.gradient is not None:
        numbers.append(_row("grad", record.gradient, VERMILION, max_elements))
    elif gradients and record.accumulated is not None:
        numbers.append(_row(".grad", record.accumulated, VERMILION, max_elements))
    cells = [f"<TR><TD>{_header(record)}</TD></TR>"]
    if numbers:
        cells.append("<HR/>" + "".join(numbers))
    if record.note:
        cells.append(f"<TR><TD>{_small(record.note)}</TD></TR>")
    return (
        f'<<TABLE BORDER="{2 if record.is_root else 1}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="3" '
        f'STYLE="ROUNDED" COLOR="{LINE[record.kind]}" BGCOLOR="{FILL[record.kind]}">{"".join(cells)}</TABLE>>'
    )


def _header(record: Record) -> str:
    parts = []
    if record.label:
        parts.append(f'<B><I><FONT POINT-SIZE="13">{_text(record.label)}</FONT></I></B>')
    if record.operator:
        sign = GLYPHS.get(record.operator, record.operator.strip("_").replace("_", " "))
        equals = "= " if record.label else ""
        parts.append(f'{equals}<B><FONT POINT-SIZE="13" COLOR="{LINE["operator"]}">{_text(sign)}</FONT></B>')
    small = []
    if record.kind in KIND and not (record.kind == "constant" and record.shape in (None, ())):
        small.append(KIND[record.kind])
    elif not parts:
        small.append(record.settings if record.kind == "output" else record.kind)
    if record.shape:
        small.append("shape " + "×".join(map(str, record.shape)))
    if small:
        parts.append(_small(" · ".join(small)))
    lines = [" ".join(parts)] if parts else []
    lines += [_small(line) for line in textwrap.wrap(record.settings, 36) if record.operator]
    return "<BR/>".join(lines)


def _row(name: str, value: Any, color: str, max_elements: int) -> str:
    # One cell in one font: with a column for the names, a wide header would push the numbers away from them.
    text = f'<FONT COLOR="{GRAY}">{name:<6}</FONT>'
    text += f'<BR ALIGN="LEFT"/>{" " * 6}'.join(map(_text, _lines(value, max_elements)))
    return (
        f'<TR><TD ALIGN="LEFT" BALIGN="LEFT"><FONT FACE="{NUMBERS}" POINT-SIZE="11" COLOR="{color}">'
        f'{text}<BR ALIGN="LEFT"/></FONT></TD></TR>'
    )


def _lines(value: Any, max_elements: int) -> list[str]:
    """The numbers themselves, or a summary of many."""
    array = np.asarray(value)
    if array.ndim == 0:
        return [_number(array.item())]
    if array.size > max_elements:
        return _summary(array)
    style = _common_style(array)
    numbers = [_number(number, style) for number in array.ravel().tolist()]
    width = max(map(len, numbers), default=0)
    places = iter(numbers)
    text = np.array2string(array, formatter={"all": lambda _: next(places).rjust(width)}, max_line_width=10**6)
    return text.splitlines()


def _summary(array: np.ndarray) -> list[str]:
    if array.dtype.kind == "b":
        return [f"{int(array.sum())} of {array.size} true"]
    finite = array[np.isfinite(array)].astype(np.float64)
    lines = []
    if finite.size:
        facts = {"min": finite.min(), "mean": finite.mean(), "max": finite.max()}
        lines = [f"{name:<4} {_number(float(fact), '.3g'):>8}" for name, fact in facts.items()]
    if finite.size < array.size:
        lines.append(f"{array.size - finite.size} not finite")
    return lines


def _common_style(array: np.ndarray) -> str:
    """One format for all numbers of an array, so that their points stand below each other."""
    if array.dtype.kind not in FLOATING:
        return "d"
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    if not sizes.size or (np.all(sizes == np.trunc(sizes)) and sizes.max() < 1e6):
        return ".0f"
    return ".3f" if sizes.min() >= 1e-3 and sizes.max() < 1e4 else ".2e"


def _number(number: Any, style: str = ".4g") -> str:
    return format(number + 0.0, style) if isinstance(number, float) else str(number)  # + 0.0: no "-0"


def _small(text: str) -> str:
    return f'<FONT POINT-SIZE="9" COLOR="{GRAY}">{_text(text)}</FONT>'


def _text(text: str) -> str:
    return html.escape(text, quote=False)
