"""A line search that finds a step of sufficient decrease and small slope: the strong Wolfe conditions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from autograd.tensor import Tensor

__all__ = ["cubic_minimum", "strong_wolfe"]

DECREASE, CURVATURE = 1e-4, 0.9  # c₁ and c₂


@dataclass
class Point:
    """A step along the line: its length, the loss there, the gradient and its slope along the line."""

    length: Any
    loss: float
    gradient: Tensor
    slope: Any


def cubic_minimum(a: Point, b: Point, bounds: tuple[Any, Any] | None = None) -> Any:
    """Where the cubic through two points with their slopes is smallest within ``bounds``, which by default are theirs.

    Nocedal and Wright, "Numerical optimization" (2006), equation 3.59. Halfway, where the cubic has no minimum.
    """
    low, high = (a, b) if a.length <= b.length else (b, a)
    least, most = (low.length, high.length) if bounds is None else bounds
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.length - b.length)
    square = d1**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2
    d2 = square**0.5
    best = high.length - (high.length - low.length) * ((high.slope + d2 - d1) / (high.slope - low.slope + 2 * d2))
    return min(max(best, least), most)


def strong_wolfe(
    evaluate: Callable[[Any], tuple[float, Tensor]],
    length: Any,
    scale: Any,
    loss: float,
    gradient: Tensor,
    direction: Tensor,
    smallest_change: float,
    max_evaluations: int,
) -> tuple[float, Tensor, Any, int]:
    """A step of sufficient decrease with a small slope. Nocedal and Wright (2006), algorithms 3.5 and 3.6.

    Args:
        evaluate: loss and gradient after a step of a length.
        length: of the first try.
        scale: largest component of the direction.
        loss, gradient: at the start.
        direction: in which the loss decreases.
        smallest_change: stop once no parameter would change by more.
        max_evaluations: beyond the first; the best step so far is taken then.

    Returns:
        Loss and gradient after the step, its length, and how often ``evaluate`` was called.
    """
    start = Point(0, loss, gradient.clone(), gradient.dot(direction))
    tries = 0

    def at(length: Any) -> Point:
        nonlocal tries
        tries += 1
        loss, gradient = evaluate(length)
        return Point(length, loss, gradient, gradient.dot(direction))

    def too_high(point: Point) -> bool:
        return bool(point.loss > start.loss + DECREASE * point.length * start.slope)

    def is_flat(point: Point) -> bool:
        return bool(abs(point.slope) <= -CURVATURE * start.slope)

    # Go ahead until there is a minimum in between, or the step is good.
    previous, point = start, at(length)
    while tries <= max_evaluations:
        if too_high(point) or (tries > 2 and point.loss >= previous.loss) or (point.slope >= 0 and not is_flat(point)):
            low, high = _ordered(previous, point)
            break
        if is_flat(point):
            return point.loss, point.gradient, point.length, tries
        ahead = point.length + 0.01 * (point.length - previous.length), point.length * 10
        previous, point = point, at(cubic_minimum(previous, point, ahead))
    else:
        low, high = _ordered(start, point)

    # Make the interval smaller.
    was_near_an_end = False
    while tries <= max_evaluations:
        ends = sorted((low.length, high.length))
        if (ends[1] - ends[0]) * scale < smallest_change:
            break
        length = cubic_minimum(low, high)
        margin = 0.1 * (ends[1] - ends[0])
        near_an_end = min(ends[1] - length, length - ends[0]) < margin
        if near_an_end and (was_near_an_end or length >= ends[1] or length <= ends[0]):
            near_the_upper = abs(length - ends[1]) < abs(length - ends[0])
            length, near_an_end = ends[1] - margin if near_the_upper else ends[0] + margin, False
        was_near_an_end = near_an_end

        point = at(length)
        if too_high(point) or point.loss >= low.loss:
            low, high = _ordered(low, point)
            continue
        if is_flat(point):
            return point.loss, point.gradient, point.length, tries
        if point.slope * (high.length - low.length) >= 0:
            high = low
        low = point
    return low.loss, low.gradient, low.length, tries


def _ordered(a: Point, b: Point) -> tuple[Point, Point]:
    return (a, b) if a.loss <= b.loss else (b, a)
