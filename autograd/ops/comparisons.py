"""Comparisons, tests of single elements and logic: rows that give bools."""

from __future__ import annotations

from ..rows.table import _, pointwise


@pointwise(latex=r"x = y", result="bool", inplace=True, complex=True, numbers="second")
def eq(x, y):
    return x == y


@pointwise(latex=r"x \ne y", result="bool", inplace=True, aliases=("not_equal",), complex=True, numbers="second")
def ne(x, y):
    return x != y


@pointwise(latex=r"x < y", result="bool", inplace=True, aliases=("less",), numbers="second")
def lt(x, y):
    return x < y


@pointwise(latex=r"x \le y", result="bool", inplace=True, aliases=("less_equal",), numbers="second")
def le(x, y):
    return x <= y


@pointwise(latex=r"x > y", result="bool", inplace=True, aliases=("greater",), numbers="second")
def gt(x, y):
    return x > y


@pointwise(latex=r"x \ge y", result="bool", inplace=True, aliases=("greater_equal",), numbers="second")
def ge(x, y):
    return x >= y


@pointwise(latex=r"x \text{ is NaN}", result="bool", complex=True)
def isnan(x):
    return _.isnan(x)


@pointwise(latex=r"|x| = \infty", result="bool", complex=True)
def isinf(x):
    return _.isinf(x)


@pointwise(latex=r"|x| < \infty", result="bool", complex=True)
def isfinite(x):
    return _.isfinite(x)


@pointwise(latex=r"x \text{ has the sign bit}", result="bool")
def signbit(x):
    return _.signbit(x)


@pointwise(latex=r"x \ne 0 \wedge y \ne 0", result="bool", inplace=True, complex=True, numbers="none")
def logical_and(x, y):
    return _.logical_and(x != 0, y != 0)


@pointwise(latex=r"x \ne 0 \vee y \ne 0", result="bool", inplace=True, complex=True, numbers="none")
def logical_or(x, y):
    return _.logical_or(x != 0, y != 0)


@pointwise(latex=r"x \ne 0 \oplus y \ne 0", result="bool", inplace=True, complex=True, numbers="none")
def logical_xor(x, y):
    return _.logical_xor(x != 0, y != 0)


@pointwise(latex=r"x = 0", result="bool", inplace=True, complex=True)
def logical_not(x):
    return x == 0


__all__ = [
    "eq",
    "ge",
    "gt",
    "isfinite",
    "isinf",
    "isnan",
    "le",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "lt",
    "ne",
    "signbit",
]
