"""Random tensors, drawn from PyTorch's own CPU streams: the same seed gives the same numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..dtypes import default_dtype
from ..tensor import Tensor, wrap
from .convert import check_tensor, copy_into
from .create import _dtype, _finish, _shape
from .dispatch import apply
from .public import function, inplace

if TYPE_CHECKING:
    from ..kernels.streams import MT19937Stream


class Generator:
    """A source of random numbers with a state of its own.

    >>> import autograd
    >>> generator = autograd.Generator().manual_seed(0)
    >>> autograd.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    """

    def __init__(self, device: Any = "cpu") -> None:
        self.device = dtypes.device(device)
        self._stream: MT19937Stream | None = None

    @property
    def stream(self) -> MT19937Stream:
        """The stream behind it, made at the first use."""
        if self._stream is None:
            from ..kernels.streams import MT19937Stream

            self._stream = MT19937Stream()
            if self is default_generator:
                self._stream.seed_from_entropy()
        return self._stream

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream at ``seed``; returns the generator."""
        self.stream.seed(seed)
        return self

    def seed(self) -> int:
        """Starts the stream at a seed from the operating system; returns it."""
        return self.stream.seed_from_entropy()

    def initial_seed(self) -> int:
        """The seed at which the stream was started."""
        return self.stream.initial_seed()

    def get_state(self) -> Tensor:
        """The state as bytes, in PyTorch's layout."""
        return wrap(self.stream.get_state())

    def set_state(self, new_state: Tensor) -> None:
        """Goes on from a state that `get_state` gave, here or in PyTorch."""
        self.stream.set_state(check_tensor("set_state", "new_state", new_state)._array)


default_generator = Generator()


def _stream(generator: Generator | None) -> MT19937Stream:
    if generator is None:
        return default_generator.stream
    if not isinstance(generator, Generator):
        raise TypeError(f"generator must be an autograd.Generator, but got {type(generator).__name__}")
    return generator.stream


@function(method=False)
def manual_seed(seed: Any) -> Generator:
    """Starts the default generator at ``seed``; returns it."""
    return default_generator.manual_seed(int(seed))


@function(method=False)
def seed() -> int:
    """Starts the default generator at a seed from the operating system; returns it."""
    return default_generator.seed()


@function(method=False)
def initial_seed() -> int:
    """The seed at which the default generator was started."""
    return default_generator.initial_seed()


@function(method=False)
def get_rng_state() -> Tensor:
    """The default generator's state as bytes, in PyTorch's layout."""
    return default_generator.get_state()


@function(method=False)
def set_rng_state(new_state: Tensor) -> None:
    """Makes the default generator go on from a state."""
    default_generator.set_state(new_state)


def _floats(name: str, draw: str, doc: str) -> None:
    def create(
        *sizes: Any,
        size: Any = None,
        generator: Generator | None = None,
        out: Tensor | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        pin_memory: bool = False,
    ) -> Tensor:
        shape = _shape(name, sizes if size is None else (size,))
        array = getattr(_stream(generator), draw)(shape, _dtype(dtype, default_dtype.numpy))
        return _finish(array, requires_grad, device, out)

    create.__name__, create.__doc__ = name, f"A tensor of the given size, given as ints or a tuple, {doc}."
    function(method=False)(create)

    def like(
        input: Tensor,
        *,
        generator: Generator | None = None,
        dtype: Any = None,
        layout: Any = None,
        device: Any = None,
        requires_grad: bool = False,
        memory_format: Any = None,
    ) -> Tensor:
        shape, kind = check_tensor(f"{name}_like", "input", input)._array.shape, _dtype(dtype, input._array.dtype)
        return _finish(getattr(_stream(generator), draw)(shape, kind), requires_grad, device)

    like.__name__, like.__doc__ = f"{name}_like", f"A tensor of ``input``'s shape and dtype, {doc}."
    function(method=False)(like)


_floats("rand", "uniform", "uniform on [0, 1)")
_floats("randn", "normal", "standard normal")


@function(method=False)
def randint(
    low: int,
    high: Any = None,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers from ``low`` (0 when left out) up to but not including ``high``.

    Raises:
        RuntimeError: an empty range.
    """
    if size is None:
        low, high, size = 0, low, high
    elif high is None:
        low, high = 0, low
    if int(low) >= int(high):
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    array = _stream(generator).integers(
        int(low), int(high), _shape("randint", (size,)), _dtype(dtype, dtypes.int64.numpy)
    )
    return _finish(array, requires_grad, device, out)


@function(method=False)
def randperm(
    n: int,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """The integers 0 to ``n - 1`` in random order."""
    return _finish(
        _stream(generator).permutation(n).astype(_dtype(dtype, dtypes.int64.numpy)), requires_grad, device, out
    )


@function(method=False)
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal numbers of the given ``mean`` and ``std``: two numbers and a size, or tensors that broadcast."""
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal(): pass size= when mean and std are numbers")
        array = _stream(generator).normal(_shape("normal", (size,)), _dtype(dtype, default_dtype.numpy), mean, std)
        return _finish(array, requires_grad, device, out)
    like = mean if isinstance(mean, Tensor) else std
    shape = np.broadcast_shapes(*(v._array.shape for v in (mean, std) if isinstance(v, Tensor)))
    draws = wrap(_stream(generator).normal(shape, like._array.dtype))
    return (draws * std + mean).detach()


@function()
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor:
    """1 with the probability that ``input`` holds (or ``p`` everywhere), else 0."""
    array = check_tensor("bernoulli", "input", input)._array
    kind = array.dtype
    chances = array if p is None else p
    return _finish(_stream(generator).bernoulli(chances, None if p is None else array.shape, kind), False, None, out)


@function()
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Places drawn with the probabilities in each row of ``input``, which need not sum to 1."""
    weights = check_tensor("multinomial", "input", input)._array
    return _finish(_stream(generator).multinomial(weights, num_samples, replacement), False, None, out)


def _fill(name: str, draw: Any, doc: str) -> None:
    def compute(self: Tensor, *args: Any, generator: Generator | None = None, **kwargs: Any) -> Tensor:
        array = self._array
        order = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        # PyTorch fills in the order of memory, which is the logical one for contiguous tensors.
        shape = tuple(array.shape[axis] for axis in order)
        values = draw(_stream(generator), shape, array.dtype, *args, **kwargs)
        return apply(copy_into, (self, wrap(np.asarray(values).transpose(np.argsort(order)))), {})

    compute.__doc__ = doc
    inplace(name)(compute)


def _uniform(s: MT19937Stream, shape: Any, dtype: Any, a: float = 0.0, b: float = 1.0, **kw: float) -> np.ndarray:
    return s.uniform(shape, dtype, kw.get("from", a), kw.get("to", b))


def _integers(s: MT19937Stream, shape: Any, dtype: Any, a: Any = None, b: Any = None, **kw: Any) -> np.ndarray:
    low, high = kw.get("from", a), kw.get("to", b)
    if low is None:
        return s.random(shape, dtype)
    return s.integers(0, low, shape, dtype) if high is None else s.integers(low, high, shape, dtype)


_fill("uniform_", _uniform, "Fills with numbers uniform on [from, to), [0, 1) by default.")
_fill(
    "normal_",
    lambda s, shape, dtype, mean=0.0, std=1.0: s.normal(shape, dtype, mean, std),
    "Fills with normal numbers of ``mean`` 0 and ``std`` 1 by default.",
)
_fill("random_", _integers, "Fills with integers of [from, to), or of the dtype's whole range.")
_fill(
    "exponential_",
    lambda s, shape, dtype, lambd=1.0: s.exponential(shape, dtype, lambd),
    "Fills with exponential numbers of rate ``lambd``.",
)
_fill(
    "log_normal_",
    lambda s, shape, dtype, mean=1.0, std=2.0: s.log_normal(shape, dtype, mean, std),
    "Fills with numbers whose logarithm is normal.",
)
_fill(
    "geometric_",
    lambda s, shape, dtype, p: s.geometric(shape, dtype, p),
    "Fills with geometric numbers of chance ``p``.",
)
_fill(
    "cauchy_",
    lambda s, shape, dtype, median=0.0, sigma=1.0: s.cauchy(shape, dtype, median, sigma),
    "Fills with Cauchy numbers.",
)
_fill(
    "bernoulli_",
    lambda s, shape, dtype, p=0.5: s.bernoulli(p._array if isinstance(p, Tensor) else p, shape, dtype),
    "Fills with 1 with probability ``p``, a number or a tensor, else 0.",
)


__all__ = [
    "Generator",
    "bernoulli",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "randint",
    "randperm",
    "seed",
    "set_rng_state",
]
