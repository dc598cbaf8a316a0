"""What all distributions have: shapes, validation, expansion, representation."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import autograd

from ..dtypes import Size
from ..tensor import Tensor
from . import constraints
from .utils import lazy_property

__all__ = ["Distribution"]


class Distribution:
    """A probability distribution, or a batch of independent ones.

    Args:
        batch_shape: of the batch: one distribution for each place.
        event_shape: of one value.
        validate_args: whether parameters, and the values given to `log_prob` and `cdf`, are checked; None for the
            default (`set_default_validate_args`).

    Raises:
        ValueError: a parameter outside of its constraint.
    """

    has_rsample: Any = False
    has_enumerate_support: Any = False
    _validate_args = __debug__

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions made from now on check their arguments.

        Raises:
            ValueError: neither True nor False.
        """
        if value not in (True, False):
            raise ValueError(f"set_default_validate_args expects True or False, but got {value!r}")
        Distribution._validate_args = value

    def __init__(
        self,
        batch_shape: Sequence[int] = Size(),
        event_shape: Sequence[int] = Size(),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape: Any = batch_shape
        self._event_shape: Any = event_shape
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            self._check_parameters()
        super().__init__()

    def _check_parameters(self) -> None:
        try:
            limits = self.arg_constraints
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `arg_constraints`. Please set `arg_constraints = {{}}` or initialize "
                "the distribution with `validate_args=False` to turn off validation.",
                stacklevel=4,
            )
            return
        for name, constraint in limits.items():
            computed = name not in vars(self) and isinstance(getattr(type(self), name, None), lazy_property)
            if computed or constraints.is_dependent(constraint):
                continue
            value = getattr(self, name)
            if not constraint.check(value).all():
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape {tuple(value.shape)}) of distribution "
                    f"{self!r} to satisfy the constraint {constraint!r}, but found invalid values:\n{value}"
                )

    def expand(self, batch_shape: Sequence[int], _instance: Any = None) -> Any:
        """The same distribution for each place of a larger batch; parameters are expanded, not copied.

        Args:
            batch_shape: the new batch.
        """
        new = type(self).__new__(type(self)) if _instance is None else _instance
        batch_shape = Size(batch_shape)
        limits = self.arg_constraints
        for name, value in vars(self).items():
            if name in limits:
                event = value.shape[value.dim() - limits[name].event_dim :]
                setattr(new, name, value.expand(batch_shape + event))
            elif isinstance(getattr(type(self), name, None), lazy_property) or name in vars(new):
                continue
            else:
                setattr(new, name, self._expanded_part(name, value, batch_shape))
        Distribution.__init__(new, batch_shape, self._event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def _expanded_part(self, name: str, value: Any, batch_shape: Size) -> Any:
        """What an attribute that is no parameter becomes when the batch is expanded: distributions of it grow, too."""
        return value.expand(batch_shape) if isinstance(value, Distribution) else value

    def _get_checked_instance(self, cls: type, _instance: Any = None) -> Any:
        """The object that a subclass's own `expand` fills: ``_instance``, or a new one.

        Raises:
            NotImplementedError: the subclass has its own constructor, but the `expand` of ``cls``.
        """
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:  # type: ignore[misc]
            raise NotImplementedError(
                f"Subclass {type(self).__name__} of {cls.__name__} that defines a custom __init__ method must also "
                "define a custom .expand() method."
            )
        return type(self).__new__(type(self))

    @property
    def batch_shape(self) -> Size:
        """Shape of the batch."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """Shape of one value."""
        return self._event_shape

    @property
    def arg_constraints(self) -> Any:
        """The set that each parameter belongs to, by name."""
        raise NotImplementedError

    @property
    def support(self) -> Any:
        """The set that values belong to."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The expected squared distance from the mean."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """Values of shape ``sample_shape + batch_shape + event_shape``, without gradients."""
        with autograd.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Sequence[int] = Size()) -> Tensor:
        """As `sample`, differentiable in the parameters (where ``has_rsample``)."""
        raise NotImplementedError(f"{type(self).__name__} has no reparameterized samples; use sample()")

    def sample_n(self, n: int) -> Tensor:
        """``n`` values for each distribution of the batch; deprecated for ``sample((n,))``."""
        warnings.warn(
            "`sample_n(n)` will be deprecated. Use `sample((n,))` instead.", category=FutureWarning, stacklevel=2
        )
        return self.sample(Size((n,)))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, at ``value``; shape: all axes but the event's."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of values up to ``value``."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The inverse of `cdf`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution along the first axis.

        Args:
            expand: over the batch; else the batch's axes have length 1.
        """
        raise NotImplementedError

    def _enumerated(self, values: Tensor, expand: bool) -> Tensor:
        """``values`` (count, *event) in the shape that `enumerate_support` promises."""
        event = tuple(values.shape[1:])
        values = values.reshape((-1,) + (1,) * len(self._batch_shape) + event)
        return values.expand((-1, *self._batch_shape, *event)) if expand else values

    def entropy(self) -> Tensor:
        """The expected ``-log_prob``, for each distribution of the batch."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """``exp(entropy)``."""
        return autograd.exp(self.entropy())

    def _extended_shape(self, sample_shape: Sequence[int] = Size()) -> Size:
        return Size(Size(sample_shape) + self._batch_shape + self._event_shape)

    def _validate_sample(self, value: Any) -> None:
        """Checks a value that was given to `log_prob` or `cdf`, where arguments are checked.

        Raises:
            ValueError: no tensor, a shape that does not fit, or values outside of the support.
        """
        if not self._validate_args:
            return
        if not isinstance(value, Tensor):
            raise ValueError(f"The value argument to log_prob must be a Tensor, but got {type(value).__name__}")
        event = value.shape[value.dim() - len(self._event_shape) :]
        if tuple(event) != tuple(self._event_shape):
            raise ValueError(
                f"The right-most size of value must match event_shape: {value.shape} vs {self._event_shape}."
            )
        expected = self._batch_shape + self._event_shape
        for size, wanted in zip(reversed(value.shape), reversed(expected), strict=False):
            if size != wanted and 1 not in (size, wanted):
                raise ValueError(
                    f"Value is not broadcastable with batch_shape+event_shape: {value.shape} vs {expected}."
                )
        try:
            support = self.support
        except NotImplementedError:
            warnings.warn(
                f"{type(self)} does not define `support` to enable sample validation. Please initialize the "
                "distribution with `validate_args=False` to turn off validation.",
                stacklevel=3,
            )
            return
        if not support.check(value).all():
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) to be within the "
                f"support ({support!r}) of the distribution {self!r}, but found invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        given = {name: vars(self)[name] for name in self.arg_constraints if name in vars(self)}
        words = (f"{name}: {value if value.numel() == 1 else value.size()}" for name, value in given.items())
        return f"{type(self).__name__}({', '.join(words)})"
