"""Nested tuples, lists and dicts of tensors: taken apart into leaves and put together again."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["Structure", "broadcast", "each", "flatten", "leaves", "structure", "unflatten"]


class Structure:
    """How leaves were nested. Equal structures hold their leaves in the same places."""

    __slots__ = ("children", "kind", "names")

    def __init__(self, kind: Any, names: Any, children: tuple[Structure, ...]) -> None:
        self.kind, self.names, self.children = kind, names, children

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Structure)
            and (self.kind, self.names, self.children) == (other.kind, other.names, other.children)
        )  # fmt: skip

    def __hash__(self) -> int:
        return hash((self.kind, self.children))

    def __repr__(self) -> str:
        if self.kind is None:
            return "*"
        inner = ", ".join(_shown_children(self))
        if self.kind is list:
            return f"[{inner}]"
        if self.names is not None:
            return f"{{{inner}}}"
        return f"({inner},)" if len(self.children) == 1 else f"({inner})"

    @property
    def count(self) -> int:
        """Number of leaves."""
        return 1 if self.kind is None else sum(child.count for child in self.children)


def _shown_children(spec: Structure) -> list[str]:
    if spec.names is None:
        return [repr(child) for child in spec.children]
    return [f"{name!r}: {child!r}" for name, child in zip(spec.names, spec.children, strict=True)]


LEAF = Structure(None, None, ())


def flatten(tree: Any) -> tuple[list[Any], Structure]:
    """The leaves of a nest of tuples, lists and dicts, in order, and how they were nested.

    >>> flatten({"a": 1, "b": (2, [3])})
    ([1, 2, 3], {'a': *, 'b': (*, [*])})
    """
    found: list[Any] = []
    return found, _walk(tree, found)


def _walk(tree: Any, found: list[Any]) -> Structure:
    kind = type(tree)
    if kind in (dict, OrderedDict, defaultdict):
        return Structure(kind, tuple(tree), tuple(_walk(value, found) for value in tree.values()))
    if kind in (tuple, list) or (isinstance(tree, tuple) and hasattr(tree, "_fields")):
        return Structure(kind, None, tuple(_walk(value, found) for value in tree))
    found.append(tree)
    return LEAF


def leaves(tree: Any) -> list[Any]:
    """The leaves alone."""
    return flatten(tree)[0]


def structure(tree: Any) -> Structure:
    """The structure alone."""
    return flatten(tree)[1]


def unflatten(found: Sequence[Any], spec: Structure) -> Any:
    """The nest that `flatten` took apart, with other leaves."""
    items = iter(found)
    return _build(spec, items)


def _build(spec: Structure, items: Any) -> Any:
    if spec.kind is None:
        return next(items)
    children = [_build(child, items) for child in spec.children]
    if spec.names is not None:
        pairs = zip(spec.names, children, strict=True)
        return dict(pairs) if spec.kind is defaultdict else spec.kind(pairs)
    return spec.kind(*children) if hasattr(spec.kind, "_fields") else spec.kind(children)


def each(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same nest with ``function`` of each leaf."""
    found, spec = flatten(tree)
    return unflatten([function(leaf) for leaf in found], spec)


def broadcast(prefix: Any, tree: Any) -> list[Any]:
    """For each leaf of ``tree`` the leaf of ``prefix`` that stands for it: ``prefix`` may end earlier.

    Raises:
        ValueError: ``prefix`` is nested in another way.
    """
    return _broadcast(structure(prefix), iter(leaves(prefix)), structure(tree))


def _broadcast(prefix: Structure, items: Any, spec: Structure) -> list[Any]:
    if prefix.kind is None:
        return [next(items)] * spec.count
    same = prefix.names == spec.names and len(prefix.children) == len(spec.children)
    kinds_agree = prefix.kind is spec.kind or (prefix.kind in (tuple, list) and spec.kind in (tuple, list))
    if not same or not kinds_agree:
        raise ValueError(f"structure {prefix} does not fit {spec}")
    result: list[Any] = []
    for inner, child in zip(prefix.children, spec.children, strict=True):
        result += _broadcast(inner, items, child)
    return result
