"""Ready parametrizations: orthogonal matrices, weights of a given length, weights of spectral norm 1."""

from __future__ import annotations

from functools import partial
from typing import Any

import autograd
from autograd.graph import no_grad
from autograd.tensor import Tensor

from .. import functional as F
from ..module import Module
from .parametrize import register_parametrization
from .spectral_norm import as_matrix, default_dim
from .weight_norm import of_length

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]

MAPS = ("matrix_exp", "cayley", "householder")


def _weight_of(module: Module, name: str) -> Tensor:
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    return autograd.allclose(q.mH @ q, autograd.eye(k, dtype=q.dtype), atol=10.0 * n * autograd.finfo(q.dtype).eps)


def _make_orthogonal(a: Tensor) -> Tensor:
    """The ``Q`` of a QR decomposition whose ``R`` has a positive diagonal."""
    reflectors, tau = autograd.geqrf(a)
    return autograd.linalg.householder_product(reflectors, tau) * _diagonal(reflectors).sgn().unsqueeze(-2)


def _diagonal(matrix: Tensor) -> Tensor:
    return matrix.diagonal(dim1=-2, dim2=-1)


class _Orthogonal(Module):
    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        # With a base every orthogonal matrix is reached from near the identity: Lezcano-Casado (2019).
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        x = x.mT if wide else x
        q = self._reflected(x) if self.orthogonal_map == "householder" else self._of_skew(x)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    def _of_skew(self, x: Tensor) -> Tensor:
        """The first columns of a function of a skew-symmetric matrix."""
        n, k = x.shape[-2:]
        x = x.tril()
        if n != k:
            x = autograd.cat([x, x.new_zeros((*x.shape[:-1], n - k))], dim=-1)
        skew = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = autograd.matrix_exp(skew)
        else:
            identity = autograd.eye(n, dtype=skew.dtype)
            q = autograd.linalg.solve(identity - skew * 0.5, identity + skew * 0.5)
        return q[..., :k] if n != k else q

    def _reflected(self, x: Tensor) -> Tensor:
        """The product of the reflections whose normals are the columns below the diagonal, with its signs."""
        normals = x.tril(-1)
        tau = 2.0 / (1.0 + (normals * normals).sum(-2))
        return autograd.linalg.householder_product(normals, tau) * _diagonal(x).int().unsqueeze(-2)

    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {q.shape}."
            )
        with no_grad():
            wide = q.shape[-2] < q.shape[-1]
            tall = q.mT if wide else q
            if not hasattr(self, "base"):
                found = self._normals(tall)
                return found.mT if wide else found
            n, k = tall.shape[-2:]
            if n != k:
                more = autograd.randn(*tall.shape[:-1], n - k, dtype=q.dtype)
                self.base = _make_orthogonal(autograd.cat([tall, more], dim=-1))
            else:
                self.base = tall.clone() if _is_orthogonal(tall) else _make_orthogonal(tall)
            # The reflections' signs are on the diagonal, and the other maps do not look at it.
            negative = autograd.zeros_like(q)
            _diagonal(negative).fill_(-1.0)
            return negative

    def _normals(self, q: Tensor) -> Tensor:
        if self.orthogonal_map != "householder":
            raise NotImplementedError(
                "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                "use_trivialization=False."
            )
        normals, tau = autograd.geqrf(q)
        signs = _diagonal(normals).sign()
        _diagonal(normals).copy_(autograd.where(tau == 0.0, -signs, signs))
        return normals


def orthogonal(
    module: Module, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Module:
    """Keeps a matrix, or each of a batch, orthogonal: ``Q^T Q = I``, or ``Q Q^T = I`` where it is wide.

    Args:
        module: that owns the matrix.
        name: of the parameter.
        orthogonal_map: ``"matrix_exp"`` or ``"cayley"`` of a skew-symmetric matrix, or ``"householder"``, a product of
            reflections; the first for square and complex matrices by default, else the last.
        use_trivialization: compose with a fixed orthogonal matrix, so that any can be assigned.

    Returns:
        ``module``.

    Raises:
        ValueError: no such parameter, fewer than 2 dimensions, or an unknown map.

    >>> import autograd, nn
    >>> q = nn.utils.parametrizations.orthogonal(nn.Linear(2, 3)).weight
    >>> autograd.allclose(q.T @ q, autograd.eye(2), atol=1e-5)
    True
    """
    weight = _weight_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in MAPS:
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    function = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, function, unsafe=True)


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return of_length(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return autograd.norm_except_dim(weight, 2, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    r"""Parts a weight into its length and its direction: :math:`w = g \, v / \lVert v \rVert`.

    Salimans and Kingma, "Weight Normalization" (2016). What `nn.utils.weight_norm` saved can be loaded.

    Args:
        module: that owns the weight.
        name: of the weight; length and direction are ``parametrizations.{name}.original0`` and ``original1``.
        dim: each index of this dimension has a length of its own; None: one for all.

    Returns:
        ``module``.

    Raises:
        ValueError: no such parameter.

    >>> import nn
    >>> nn.utils.parametrizations.weight_norm(nn.Linear(3, 2)).parametrizations.weight.original0.shape
    torch.Size([2, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module._register_load_state_dict_pre_hook(partial(_rename_older, name))
    return module


def _rename_older(name: str, state_dict: dict[str, Any], prefix: str, *rest: Any) -> None:
    older = [f"{prefix}{name}_g", f"{prefix}{name}_v"]
    if all(key in state_dict for key in older):
        for number, key in enumerate(older):
            state_dict[f"{prefix}parametrizations.{name}.original{number}"] = state_dict.pop(key)


class _SpectralNorm(Module):
    _u: Tensor
    _v: Tensor

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim = dim % ndim
        self.eps = eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            matrix = as_matrix(weight, self.dim)
            drawn = [matrix.new_empty(size).normal_(0, 1) for size in matrix.shape]
            for vector, value in zip(("_u", "_v"), drawn, strict=True):
                self.register_buffer(vector, F.normalize(value, dim=0, eps=eps))
            self._iterate(matrix, 15)  # towards a first value that is nearly right

    def _iterate(self, matrix: Tensor, steps: int) -> None:
        with no_grad():
            for _ in range(steps):
                F.normalize(matrix.mv(self._v), dim=0, eps=self.eps, out=self._u)
                F.normalize(matrix.mH.mv(self._u), dim=0, eps=self.eps, out=self._v)

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = as_matrix(weight, self.dim)
        if self.training:
            self._iterate(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()  # what is saved must not be written to by the next forward
        return weight / autograd.vdot(u, matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value  # it may already be of norm 1, and there is no other way back


def spectral_norm(
    module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Module:
    r"""Divides a weight by its largest singular value, found by power iteration: :math:`W / \sigma(W)`.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks" (2018).

    Args:
        module: that owns the weight.
        name: of the weight.
        n_power_iterations: steps at each use in training.
        eps: the smallest norm that is divided by.
        dim: of the outputs; 1 for transposed convolutions, else 0, by default.

    Returns:
        ``module``.

    Raises:
        ValueError: no such parameter, or no steps.
        IndexError: ``dim`` out of range.

    >>> import autograd, nn
    >>> layer = nn.utils.parametrizations.spectral_norm(nn.Linear(20, 40))
    >>> abs(autograd.linalg.matrix_norm(layer.weight, 2).item() - 1) < 0.2
    True
    """
    weight = _weight_of(module, name)
    dim = default_dim(module) if dim is None else dim
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))
