"""Einstein summation: parsed into terms, contracted pair by pair on the cheapest path, each a matrix product."""

from __future__ import annotations

import functools
import math
import string
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...kernels.gemm import product
from ...rows.dispatch import apply
from ...rows.nodes import sum_to
from ...rows.public import function
from ...rows.table import Array, _, coarse
from ...rows.writes import type_name
from ...tensor import Tensor
from ..convert import check_tensor
from ..shape import same_dtype
from .matmul import diagonal

__all__ = ["contraction", "einsum", "parse_einsum"]

LABELS = string.ascii_uppercase + string.ascii_lowercase


@coarse(latex=r"\sum_k x_{ik} y_{kj}", home="", node_name="Einsum", keeps_layout=True)
def contraction(x: Array, y: Array, in_x, in_y, result):
    """The product of two operands, whose dimensions are named in ``in_x`` and ``in_y``, summed over the names that
    are not in ``result``: those are in both. Sizes of 1 broadcast."""
    if x.dtype == np.float16:
        return contraction.forward(x.astype(np.float32), y.astype(np.float32), in_x, in_y, result).astype(np.float16)
    kept = [label for label in in_x if label in in_y and label in result]
    summed = [label for label in in_x if label in in_y and label not in result]
    left = [label for label in in_x if label not in in_y]
    right = [label for label in in_y if label not in in_x]
    x, y = _arranged(x, in_x, [*kept, *left, *summed]), _arranged(y, in_y, [*kept, *summed, *right])
    n, split = len(kept), len(kept) + len(left)
    if not summed:
        out = x.reshape(x.shape + (1,) * len(right)) * y.reshape(y.shape[:n] + (1,) * len(left) + y.shape[n:])
        return _arranged(out, [*kept, *left, *right], result)
    if x.dtype.kind == "b":
        raise NotImplementedError("einsum: sums of products are not implemented for bool tensors; convert with .int()")
    sums, others = x.shape[split:], y.shape[n : n + len(summed)]
    rows, columns = x.shape[n:split], y.shape[n + len(summed) :]
    if sums != others:
        sums = np.broadcast_shapes(sums, others)
        x, y = np.broadcast_to(x, x.shape[:split] + sums), np.broadcast_to(y, y.shape[:n] + sums + columns)
    size = math.prod(sums)
    out = product(x.reshape(*x.shape[:n], math.prod(rows), size), y.reshape(*y.shape[:n], size, math.prod(columns)))
    return _arranged(out.reshape((*out.shape[:n], *rows, *columns)), [*kept, *left, *right], result)


def _arranged(x: np.ndarray, labels: Sequence[str], order: Sequence[str]) -> np.ndarray:
    return x.transpose([labels.index(label) for label in order])


@contraction.gradient("x")
def _(g, x_shape, y, in_x, in_y, result):
    return sum_to(_.contraction(g, y, result, in_y, in_x), x_shape)


@contraction.gradient("y")
def _(g, x, y_shape, in_x, in_y, result):
    return sum_to(_.contraction(g, x, result, in_x, in_y), y_shape)


@function(method=False)
def einsum(*args: Any) -> Tensor:
    """Sums of products over named dimensions: ``einsum("ij,jk->ik", a, b)`` is the matrix product.

    Labels that are missing on the right are summed over; without ``->`` those that occur once are kept, in
    alphabetical order, capitals first. ``...`` stands for dimensions that broadcast. The sub-list form
    ``einsum(a, [0, 1], b, [1, 2], [0, 2])`` works too. Three operands and more are multiplied in the order that
    opt_einsum finds cheapest.

    Raises:
        RuntimeError: an equation that does not match the operands.

    >>> import autograd
    >>> autograd.einsum("ij,j->i", autograd.tensor([[1.0, 2.0], [3.0, 4.0]]), autograd.tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): an equation and its operands, or operands and their lists of subscripts, are needed"
        )
    equation, operands = _from_sublists(args) if isinstance(args[0], Tensor) else (args[0], args[1:])
    if not isinstance(equation, str):
        raise TypeError(f"einsum(): argument 'equation' (position 1) must be str, not {type(equation).__name__}")
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    shapes = tuple([check_tensor("einsum", "operands", operand)._array.shape for operand in operands])
    parsed, result = parse_einsum(equation, shapes)
    tensors, terms = list(operands), list(parsed)
    for i, term in enumerate(terms):
        tensors[i], terms[i] = _diagonals(tensors[i], term)
    everywhere = result + "".join(terms)
    for i, term in enumerate(terms):
        alone = [d for d, label in enumerate(term) if everywhere.count(label) == 1]
        if alone:
            tensors[i] = _.sum(tensors[i], tuple(alone))
            terms[i] = "".join([label for label in term if everywhere.count(label) > 1])
    for first, second in _path(terms, result, tensors):
        pair = [(tensors[i], terms[i]) for i in (first, second)]
        for i in sorted((first, second), reverse=True):
            del tensors[i], terms[i]
        tensor, term = _product(pair, set(result).union(*terms), None if terms else result)
        tensors.append(tensor)
        terms.append(term)
    if terms[0] == result and len(operands) > 1:
        return tensors[0]
    return apply(_.permute, (tensors[0], tuple([terms[0].index(label) for label in result])), {})


def _product(pair: Sequence[tuple[Tensor, str]], needed: set[str], result: str | None) -> tuple[Tensor, str]:
    """The product of one pair, and the names of its dimensions: ``result``, or in the order in which they arise."""
    (a, in_a), (b, in_b) = pair
    if result is None:
        both = [label for label in in_a if label in in_b]
        result = "".join([*(c for c in both if c in needed), *(c for c in in_a + in_b if c not in both)])
    if a._array.dtype != b._array.dtype:
        if any(label not in result for label in in_a):
            kinds = [type_name(tensor._array.dtype) for tensor in (a, b)]
            raise RuntimeError(f"einsum(): expected operands of one dtype, but found {kinds[0]} and {kinds[1]}")
        a, b = same_dtype("einsum", [a, b])  # a multiplication, which promotes
    return apply(contraction, (a, b, in_a, in_b, result), {}), result


def _path(terms: Sequence[str], result: str, tensors: Sequence[Tensor]) -> Sequence[tuple[int, ...]]:
    """Which two operands to multiply in turn; each product is appended to those that are left."""
    if len(terms) < 3:
        return [(0, 1)][: len(terms) - 1]
    from ...backends import opt_einsum

    if not opt_einsum.enabled:  # from left to right
        return [(0, 1), *((0, count - 1) for count in range(len(terms) - 1, 1, -1))]
    from opt_einsum import contract_path

    shapes = [tensor._array.shape for tensor in tensors]
    return contract_path(f"{','.join(terms)}->{result}", *shapes, shapes=True, optimize=opt_einsum.strategy)[0]


def _from_sublists(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    def term(labels: Sequence[Any]) -> str:
        for label in labels:
            if label is not Ellipsis and not 0 <= label < len(LABELS):
                raise ValueError(f"einsum(): subscript {label} in the list {labels} is not in the range [0, 52)")
        return "".join("..." if label is Ellipsis else LABELS[label] for label in labels)

    pairs = list(zip(arguments[0::2], arguments[1::2], strict=False))
    equation = ",".join(term(labels) for _, labels in pairs)
    if len(arguments) % 2:
        equation += "->" + term(arguments[-1])
    return equation, tuple(operand for operand, _ in pairs)


def _check_side(equation: str, term: str) -> None:
    """Letters, and at most one ellipsis."""
    dots = term.count("...")
    letters = term.replace("...", "", 1)
    if dots > 1 or "." in letters:
        raise RuntimeError(f"einsum(): found '.' in {term!r} of {equation!r} that is not part of its one ellipsis")
    for label in letters:
        if label not in LABELS:
            raise RuntimeError(f"einsum(): invalid subscript {label!r} in {equation!r}, expected a letter or '...'")


@functools.lru_cache(maxsize=256)
def parse_einsum(equation: str, shapes: tuple[tuple[int, ...], ...]) -> tuple[tuple[str, ...], str]:
    """Terms and result of an equation with its ``...`` spelled out, checked against the operands' shapes."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise RuntimeError(
            f"einsum(): the equation {equation!r} names {len(terms)} operands, but {len(shapes)} were given"
        )
    for term in (*terms, right):
        _check_side(equation, term)
    spare = [c for c in LABELS if c not in equation]
    widths = [
        len(shape) - len(t.replace("...", "")) if "..." in t else 0 for t, shape in zip(terms, shapes, strict=True)
    ]
    dots = "".join(spare[: max(widths, default=0)])
    for i, (term, shape, width) in enumerate(zip(terms, shapes, widths, strict=True)):
        terms[i] = term.replace("...", dots[len(dots) - width :] if width else "")
        if len(terms[i]) != len(shape) or width < 0:
            raise RuntimeError(
                f"einsum(): the number of subscripts in {term!r} does not match the number of dimensions of operand "
                f"{i} with shape {list(shape)}"
            )
    sizes: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for label, n in zip(term, shape, strict=True):
            if sizes.setdefault(label, n) not in (n, 1) and n != 1:
                raise RuntimeError(
                    f"einsum(): operands do not broadcast: subscript {label!r} has sizes {sizes[label]} and {n} in "
                    f"shapes {[list(s) for s in shapes]}"
                )
            sizes[label] = n if sizes[label] == 1 else sizes[label]
    if arrow:
        result = right.replace("...", dots)
    else:
        counted = "".join(terms)
        result = dots + "".join(sorted(c for c in set(counted) if counted.count(c) == 1 and c not in dots))
    for label in result:
        if label not in sizes:
            raise RuntimeError(f"einsum(): output subscript {label!r} does not appear in the equation for any input")
        if result.count(label) > 1:
            raise RuntimeError(f"einsum(): output subscript {label!r} appears more than once in the output")
    return tuple(terms), result


def _diagonals(tensor: Tensor, term: str) -> tuple[Tensor, str]:
    """Repeated labels in a term become a diagonal, its label last."""
    if len(set(term)) == len(term):
        return tensor, term
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            first = term.index(label)
            second = term.index(label, first + 1)
            if tensor._array.shape[first] != tensor._array.shape[second]:
                raise RuntimeError(
                    f"einsum(): subscript {label!r} is repeated for one operand, but its sizes "
                    f"{tensor._array.shape[first]} and {tensor._array.shape[second]} differ"
                )
            tensor = apply(diagonal, (tensor, 0, first, second), {})
            term = "".join(c for d, c in enumerate(term) if d not in (first, second)) + label
    return tensor, term
