"""Normalization of the columns of a matrix (N, K) by themselves: of K channels that have one place each."""

from __future__ import annotations

from typing import Any

from .along import Along

__all__ = ["column_moments", "column_products", "mix_columns", "shift_columns"]

average: Any = None
total: Any = None


@Along
def column_moments(x):
    mean = average(x)
    distance = x - mean
    return mean, average(distance * distance)


@Along
def shift_columns(x, center, scale, shift):
    return (x - center) * scale + shift


@Along
def column_products(g, x, center):
    return total(g), total(g * (x - center))


@Along
def mix_columns(g, x, center, of_g, of_x, shift):
    return of_g * g + of_x * (x - center) + shift
