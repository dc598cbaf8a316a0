"""A weight divided by its largest singular value, recomputed before every ``forward``: the older form.

Its successor is `nn.utils.parametrizations.spectral_norm`.
"""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

import autograd
from autograd.graph import no_grad
from autograd.tensor import Tensor

from .. import functional as F
from ..hooks import pre_hooks_of
from ..module import Module
from ..parameter import Parameter, is_lazy

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]

SomeModule = TypeVar("SomeModule", bound=Module)


def default_dim(module: Module) -> int:
    """The dimension of a weight that its output channels are in: the second of transposed convolutions."""
    from .. import conv

    return 1 if isinstance(module, (conv.ConvTranspose1d, conv.ConvTranspose2d, conv.ConvTranspose3d)) else 0


def as_matrix(weight: Tensor, dim: int) -> Tensor:
    """``weight`` with ``dim`` first and all others merged behind it."""
    return weight.movedim(dim, 0).reshape(weight.shape[dim], -1)


class SpectralNorm:
    """The hook that computes the weight.

    Args:
        name: of the parameter.
        n_power_iterations: steps towards the largest singular value before each ``forward`` in training.
        dim: of the weight that is the matrix' first.
        eps: the smallest norm that is divided by.
    """

    _version = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.name = name
        self.dim = dim
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def compute_weight(self, module: Module, do_power_iteration: bool) -> Tensor:
        """The weight divided by ``u^T W v``, ``u`` and ``v`` moved towards the singular vectors before that."""
        weight = getattr(module, f"{self.name}_orig")
        u, v = getattr(module, f"{self.name}_u"), getattr(module, f"{self.name}_v")
        matrix = as_matrix(weight, self.dim)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    F.normalize(matrix.t().mv(u), dim=0, eps=self.eps, out=v)
                    F.normalize(matrix.mv(v), dim=0, eps=self.eps, out=u)
            u, v = u.clone(), v.clone()  # what is saved for the backward pass must not be written to by the next
        return weight / u.dot(matrix.mv(v))

    def remove(self, module: Module) -> None:
        """Makes the weight as it is now a parameter again."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for ending in ("", "_u", "_v", "_orig"):
            delattr(module, self.name + ending)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    @staticmethod
    def apply(module: Module, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Replaces the parameter ``name`` of ``module``, and registers the hook."""
        if any(hook.name == name for _, hook in pre_hooks_of(module, SpectralNorm)):
            raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        hook = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying spectral normalization"
            )
        with no_grad():
            u, v = (
                F.normalize(weight.new_empty(size).normal_(0, 1), dim=0, eps=eps)
                for size in as_matrix(weight, dim).shape
            )
        delattr(module, name)
        module.register_parameter(f"{name}_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(f"{name}_u", u)
        module.register_buffer(f"{name}_v", v)
        module.register_forward_pre_hook(hook)
        module.register_state_dict_post_hook(partial(_note_version, hook))
        module.register_load_state_dict_pre_hook(partial(_find_singular_vector, hook))
        return hook


def _note_version(hook: SpectralNorm, module: Module, state_dict: Any, prefix: str, metadata: dict[str, Any]) -> None:
    metadata.setdefault("spectral_norm", {})[f"{hook.name}.version"] = hook._version


def _find_singular_vector(
    hook: SpectralNorm,
    module: Module,
    state_dict: dict[str, Any],
    prefix: str,
    metadata: dict[str, Any],
    strict: bool,
    missing_keys: list[str],
    *rest: Any,
) -> None:
    """What was saved before versions were counted holds the weight itself in place of ``v``, which follows from it."""
    if metadata.get("spectral_norm", {}).get(f"{hook.name}.version") is not None:
        return
    key = prefix + hook.name
    if key not in state_dict and all(key + ending in state_dict for ending in ("_orig", "_u", "_v")):
        return
    missing = [key + ending for ending in ("_orig", "", "_u") if key + ending not in state_dict]
    if missing:
        missing_keys.extend(missing if strict else ())
        return
    with no_grad():
        original, weight, u = state_dict[f"{key}_orig"], state_dict.pop(key), state_dict[f"{key}_u"]
        sigma = (original / weight).mean()
        matrix = as_matrix(original, hook.dim)
        v = autograd.linalg.multi_dot([matrix.t().mm(matrix).pinverse(), matrix.t(), u.unsqueeze(1)]).squeeze(1)
        state_dict[f"{key}_v"] = v * (sigma / u.dot(matrix.mv(v)))


def spectral_norm(
    module: SomeModule,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> SomeModule:
    r"""Divides a weight by its largest singular value, found by power iteration: :math:`W / \sigma(W)`.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018).

    Args:
        module: that owns the weight.
        name: of the weight; ``{name}_orig`` takes its place.
        n_power_iterations: steps before each ``forward`` in training.
        eps: the smallest norm that is divided by.
        dim: of the outputs; 1 for transposed convolutions, else 0, by default.

    Returns:
        ``module``.

    Raises:
        ValueError: no steps, or the weight is None or has no shape yet.
        RuntimeError: it has been done already.

    >>> import nn
    >>> sorted(nn.utils.spectral_norm(nn.Linear(3, 2)).state_dict())
    ['bias', 'weight_orig', 'weight_u', 'weight_v']
    """
    SpectralNorm.apply(module, name, n_power_iterations, default_dim(module) if dim is None else dim, eps)
    return module


def remove_spectral_norm(module: SomeModule, name: str = "weight") -> SomeModule:
    """Undoes `spectral_norm`; the weight keeps its present value.

    Raises:
        ValueError: there is nothing to undo.
    """
    for key, hook in pre_hooks_of(module, SpectralNorm):
        if hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            for hooks in (module._state_dict_hooks, module._load_state_dict_pre_hooks):
                for other in [other for other, registered in hooks.items() if _belongs(registered, hook)]:
                    del hooks[other]
            return module
    raise ValueError(f"spectral_norm of '{name}' not found in {module}")


def _belongs(registered: Any, hook: SpectralNorm) -> bool:
    """Whether a registered function is `partial` of ``hook``, maybe inside another `partial`."""
    while isinstance(registered, partial):
        if registered.args[0] is hook:
            return True
        registered = registered.args[0]
    return False
