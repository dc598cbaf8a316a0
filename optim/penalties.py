"""Penalties on parameters, which are added to a loss: small parameters, or few."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from autograd.tensor import Tensor

__all__ = ["l1_penalty", "l2_penalty"]


def _sum(name: str, parameters: Tensor | Iterable[Tensor], term: Any) -> Any:
    terms = [term(p) for p in ([parameters] if isinstance(parameters, Tensor) else parameters)]
    if not terms:
        raise ValueError(f"{name}: there are no parameters")
    return sum(terms[1:], terms[0])


def l1_penalty(parameters: Tensor | Iterable[Tensor], weight: float) -> Tensor:
    r"""The sum of absolute values, :math:`\lambda \sum_i |\theta_i|`, which drives parameters to exactly 0.

    Its gradient is :math:`\lambda \, \text{sgn}(\theta)` with sgn 0 = 0, so that gradient descent becomes
    :math:`\theta \leftarrow \theta - \eta \lambda \, \text{sgn}(\theta) - \eta \, \partial L / \partial \theta`.

    Args:
        parameters: a tensor or several, of any shapes.
        weight: the factor λ.

    Raises:
        ValueError: no parameters.

    >>> import autograd
    >>> w = autograd.tensor([3.0, 0.0, -4.0], requires_grad=True)
    >>> penalty = l1_penalty(w, 0.5)
    >>> penalty.backward()
    >>> penalty.item(), w.grad
    (3.5, tensor([ 0.5000,  0.0000, -0.5000]))
    """
    return weight * _sum("l1_penalty", parameters, lambda p: p.abs().sum())


def l2_penalty(parameters: Tensor | Iterable[Tensor], weight: float) -> Tensor:
    r"""Half the sum of squares, :math:`\frac{\lambda}{2} \sum_i |\theta_i|^2`, which shrinks parameters.

    Its gradient is :math:`\lambda \theta`, so that gradient descent becomes
    :math:`\theta \leftarrow (1 - \eta \lambda) \theta - \eta \, \partial L / \partial \theta`: the ``weight_decay``
    of `SGD` without momentum.

    Args:
        parameters: a tensor or several, of any shapes.
        weight: the factor λ.

    Raises:
        ValueError: no parameters.

    >>> import autograd
    >>> w = autograd.tensor([3.0, 0.0, -4.0], requires_grad=True)
    >>> penalty = l2_penalty(w, 0.5)
    >>> penalty.backward()
    >>> penalty.item(), w.grad
    (6.25, tensor([ 1.5000,  0.0000, -2.0000]))
    """
    return weight / 2 * _sum("l2_penalty", parameters, lambda p: (p.abs() ** 2 if p.is_complex() else p * p).sum())
