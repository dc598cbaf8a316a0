"""All parameters of a model as one vector, for algorithms that want one."""

from __future__ import annotations

from collections.abc import Iterable

import autograd
from autograd.tensor import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """The elements of all parameters, one after the other: a new tensor of shape ``(n,)``, part of the graph.

    >>> import nn
    >>> nn.utils.parameters_to_vector(nn.Linear(3, 2).parameters()).shape
    torch.Size([8])
    """
    return autograd.cat([parameter.reshape(-1) for parameter in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Makes each parameter a view of its part of ``vec``, in order.

    Args:
        vec: ``(n,)`` or longer, as `parameters_to_vector` gives it; its memory becomes that of the parameters.
        parameters: with ``n`` elements in all.

    Raises:
        TypeError: ``vec`` is not a Tensor.
        RuntimeError: too few elements; no parameter has changed.

    >>> import autograd, nn
    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters(autograd.tensor([1.0, 2.0, 3.0]), layer.parameters())
    >>> layer.weight.data, layer.bias.data
    (tensor([[1., 2.]]), tensor([3.]))
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got: {type(vec).__name__}")
    listed = list(parameters)
    needed = sum(parameter.numel() for parameter in listed)
    if vec.ndim != 1 or vec.numel() < needed:
        raise RuntimeError(
            f"vector_to_parameters: the parameters have {needed} elements, but vec has shape {tuple(vec.shape)}"
        )
    values, start = vec.detach(), 0
    for parameter in listed:
        parameter.data = values.narrow(0, start, parameter.numel()).view(parameter.shape)
        start += parameter.numel()
