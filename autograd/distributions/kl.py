"""Kullback-Leibler divergences, found by the classes of two distributions.

>>> import autograd
>>> from autograd.distributions import Normal
>>> kl_divergence(Normal(0.0, 1.0), Normal(1.0, 1.0))
tensor(0.5000)
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from ..tensor import Tensor
from .distribution import Distribution

__all__ = ["kl_divergence", "register_kl"]

Formula = Callable[[Any, Any], Tensor]
_KL_REGISTRY: dict[tuple[type, type], Formula] = {}
# Formulas by the classes they were once asked for, which may be subclasses of those they were registered for.
_KL_MEMOIZE: dict[tuple[type, type], Formula] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[Formula], Formula]:
    """Registers a function of p and q for two classes of distributions and what is derived from them.

    The most derived classes win; where the first argument says one thing and the second another, the first one decides,
    with a warning.

    Raises:
        TypeError: no class of distributions.

    >>> from autograd.distributions import Normal
    >>> class Bell(Normal): ...
    >>> @register_kl(Bell, Bell)
    ... def _(p, q):
    ...     return p.loc * 0
    """
    for role, kind in (("type_p", type_p), ("type_q", type_q)):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected {role} to be a subclass of Distribution, but got {kind!r}")

    def enter(formula: Formula) -> Formula:
        _KL_REGISTRY[type_p, type_q] = formula
        _KL_MEMOIZE.clear()
        return formula

    return enter


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """``KL(p || q)``, the expected ``ln p(x) - ln q(x)`` of x drawn from p, for each place of the batch.

    Raises:
        NotImplementedError: no formula is registered for such a pair.

    >>> import autograd
    >>> from autograd.distributions import Bernoulli
    >>> kl_divergence(Bernoulli(autograd.tensor([0.5])), Bernoulli(autograd.tensor([0.1])))
    tensor([0.5108])
    """
    kinds = type(p), type(q)
    if kinds not in _KL_MEMOIZE:
        _KL_MEMOIZE[kinds] = _closest(*kinds)
    return _KL_MEMOIZE[kinds](p, q)


def _closest(type_p: type, type_q: type) -> Formula:
    found = [(p, q) for p, q in _KL_REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not found:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type_p.__name__} and q type {type_q.__name__}"
        )

    def distance(pair: tuple[type, type]) -> tuple[int, int]:
        return type_p.__mro__.index(pair[0]), type_q.__mro__.index(pair[1])

    by_p, by_q = min(found, key=distance), min(found, key=lambda pair: distance(pair)[::-1])
    if _KL_REGISTRY[by_p] is not _KL_REGISTRY[by_q]:
        names = [kind.__name__ for kind in (type_p, type_q, *by_p, *by_q)]
        warnings.warn(
            "Ambiguous kl_divergence({}, {}). Please register_kl({}, {}) or ({}, {}) for these classes.".format(*names),
            RuntimeWarning,
            stacklevel=3,
        )
    return _KL_REGISTRY[by_p]
