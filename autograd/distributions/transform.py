"""What all transforms have: an inverse, a cache, shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints

__all__ = [
    "Shape",
    "Transform",
    "check_dim",
]

Shape = Sequence[int]


class Transform:
    """A differentiable function of random variables, its inverse, and ``ln |dy/dx|``.

    A subclass gives ``domain``, ``codomain``, ``_call``, ``_inverse`` and ``log_abs_det_jacobian``. One that is not
    ``bijective`` has an inverse on the right only, ``t(t.inv(t(x))) == t(x)``.

    Args:
        cache_size: 1 keeps the last pair (x, y), so that the inverse of a result is its argument itself.

    Raises:
        ValueError: another cache size.
    """

    bijective: Any = False
    domain: Any
    codomain: Any

    def __init__(self, cache_size: int = 0) -> None:
        if cache_size not in (0, 1):
            raise ValueError(f"cache_size must be 0 or 1, but got {cache_size!r}")
        self._cache_size = cache_size
        self._cached_x_y: tuple[Any, Any] = (None, None)
        self._inv: Transform | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_inv": None}

    @property
    def event_dim(self) -> int:
        """How many of the last axes are transformed together.

        Raises:
            ValueError: the domain's and the codomain's differ.
        """
        if self.domain.event_dim != self.codomain.event_dim:
            raise ValueError("Please use either .domain.event_dim or .codomain.event_dim")
        return self.domain.event_dim

    @property
    def inv(self) -> Transform:
        """The inverse; its own inverse is this transform."""
        if self._inv is None:
            self._inv = _InverseTransform(self)
        return self._inv

    @property
    def sign(self) -> Any:
        """The sign of the derivative, where a transform of one variable is monotone."""
        raise NotImplementedError(f"{type(self).__name__} is not monotone")

    def with_cache(self, cache_size: int = 1) -> Transform:
        """This transform with another size of cache."""
        if self._cache_size == cache_size:
            return self
        return self._cached(cache_size)

    def _cached(self, cache_size: int) -> Transform:
        if type(self).__init__ is not Transform.__init__:
            raise NotImplementedError(f"{type(self)}.with_cache is not implemented")
        return type(self)(cache_size=cache_size)

    def __eq__(self, other: Any) -> bool:
        return self is other

    def __call__(self, x: Tensor) -> Tensor:
        """``y`` of ``x``."""
        if self._cache_size and self._cached_x_y[0] is x:
            return self._cached_x_y[1]
        return self._remember(x, self._call(x))[1]

    def _inv_call(self, y: Tensor) -> Tensor:
        if self._cache_size and self._cached_x_y[1] is y:
            return self._cached_x_y[0]
        return self._remember(self._inverse(y), y)[0]

    def _remember(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        if self._cache_size:
            self._cached_x_y = (x, y)
        return x, y

    def _call(self, x: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no forward direction")

    def _inverse(self, y: Tensor) -> Tensor:
        raise NotImplementedError(f"{type(self).__name__} has no inverse")

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        """``ln |det dy/dx|`` of an argument and its result."""
        raise NotImplementedError(f"{type(self).__name__} has no Jacobian that is square")

    def forward_shape(self, shape: Shape) -> Size:
        """The shape of results of arguments of ``shape``."""
        return shape  # type: ignore[return-value]

    def inverse_shape(self, shape: Shape) -> Size:
        """The shape of arguments of results of ``shape``."""
        return shape  # type: ignore[return-value]

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class _InverseTransform(Transform):
    _inv: Transform

    def __init__(self, transform: Transform) -> None:
        super().__init__(cache_size=transform._cache_size)
        self._inv = transform

    @constraints.dependent_property(is_discrete=False)
    def domain(self):
        return self._inv.codomain

    @constraints.dependent_property(is_discrete=False)
    def codomain(self):
        return self._inv.domain

    @property
    def bijective(self) -> bool:
        return self._inv.bijective

    @property
    def sign(self) -> Any:
        return self._inv.sign

    @property
    def inv(self) -> Transform:
        return self._inv

    def _cached(self, cache_size: int) -> Transform:
        return self._inv.with_cache(cache_size).inv

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, _InverseTransform) and self._inv == other._inv

    def __call__(self, x: Tensor) -> Tensor:
        return self._inv._inv_call(x)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return -self._inv.log_abs_det_jacobian(y, x)

    def forward_shape(self, shape: Shape) -> Size:
        return self._inv.inverse_shape(shape)

    def inverse_shape(self, shape: Shape) -> Size:
        return self._inv.forward_shape(shape)

    def __repr__(self) -> str:
        return f"_InverseTransform({self._inv!r})"


def check_dim(name: str, dim: int, least: int) -> None:
    if dim < least:
        raise ValueError(
            f"Too few dimensions on input: {name} has {dim}, but at least {least} are transformed together"
        )
