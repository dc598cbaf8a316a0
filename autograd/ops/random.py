"""Random tensors, drawn from PyTorch's own CPU streams: the same seed gives the same numbers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..devices import require_cpu
from ..dtypes import default_dtype
from ..graph import is_recording, no_grad, state
from ..kernels.halves import FLOATING, finfo
from ..kernels.memory import at_line
from ..rows.dispatch import apply
from ..rows.nodes import sum_to
from ..rows.public import function
from ..rows.table import Array, _, coarse
from ..rows.writes import check_write, type_name, write, write_out
from ..tensor import Tensor, check_differentiable, count_write, has_history, node_of, wrap
from .convert import check_tensor, copy_into, records
from .create import _dtype, _empty_like, _finish, _only_shape, _shape, check_options

if TYPE_CHECKING:
    from ..kernels.streams import MT19937Stream

# From a shape, a dtype and whether the target is contiguous to numbers.
Draw = Callable[[tuple[int, ...], np.dtype, bool], np.ndarray]


class Generator:
    """A source of random numbers with a state of its own.

    Args:
        device: the CPU.

    Raises:
        RuntimeError: another device.

    >>> import autograd
    >>> generator = autograd.Generator().manual_seed(0)
    >>> autograd.rand(2, generator=generator)
    tensor([0.4963, 0.7682])
    """

    def __init__(self, device: Any = "cpu") -> None:
        place = dtypes.device("cpu" if device is None else device)
        if place.type != "cpu":
            raise RuntimeError(f"Generator: device '{place}' is not available: numbers are drawn on the CPU.")
        self._stream: MT19937Stream | None = None

    @property
    def device(self) -> Any:
        """Where its numbers are made: the CPU."""
        return dtypes.device("cpu")

    @property
    def stream(self) -> MT19937Stream:
        """The stream behind it, made at the first use."""
        if state.draws is not None:
            state.draws()
        if self._stream is None:
            from ..kernels.streams import MT19937Stream

            self._stream = MT19937Stream()
            if self is default_generator:
                self._stream.seed_from_entropy()
        return self._stream

    def manual_seed(self, seed: int) -> Generator:
        """Starts the stream at ``seed``, a 64-bit integer; -1 counts as ``2**64 - 1``. Returns the generator.

        Raises:
            RuntimeError: not an integer.
            ValueError: outside of ``[-2**63, 2**64)``.
        """
        self.stream.seed(seed)
        return self

    def seed(self) -> int:
        """Starts the stream at a seed from the operating system; returns it."""
        return self.stream.seed_from_entropy()

    def initial_seed(self) -> int:
        """The seed at which the stream was started."""
        return self.stream.initial_seed()

    def get_state(self) -> Tensor:
        """The state as 5056 bytes in PyTorch's layout."""
        return wrap(self.stream.get_state())

    def set_state(self, new_state: Tensor) -> Generator:
        """Goes on from a state that `get_state` gave, here or in PyTorch; returns the generator.

        Raises:
            TypeError: no tensor of bytes.
            RuntimeError: not 5056 bytes, or no state of a Mersenne Twister.
        """
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        self.stream.set_state(new_state._array)
        return self

    def clone_state(self) -> Generator:
        """A generator of its own that goes on as this one does."""
        return Generator().set_state(self.get_state())

    def graphsafe_get_state(self) -> Generator:
        """Exists on accelerators only.

        Raises:
            NotImplementedError: always; use `clone_state`.
        """
        raise NotImplementedError("graphsafe_get_state is not supported in this Generator: use clone_state()")

    def graphsafe_set_state(self, state: Generator) -> Generator:
        """Exists on accelerators only.

        Raises:
            NotImplementedError: always; use `set_state`.
        """
        raise NotImplementedError("graphsafe_set_state is not supported in this Generator: use set_state(get_state())")

    def get_offset(self) -> int:
        """Exists on accelerators only.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset: int) -> Generator:
        """Exists on accelerators only.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self) -> Any:
        return Generator, (self.device,), (self.initial_seed(), None, self.get_state())

    def __setstate__(self, saved: tuple[int, int | None, Tensor]) -> None:
        self.set_state(saved[2])


default_generator = Generator()


def stream_of(operator: str, generator: Generator | None) -> MT19937Stream:
    if generator is None:
        return default_generator.stream
    if not isinstance(generator, Generator):
        raise TypeError(
            f"{operator}(): argument 'generator' must be autograd.Generator, not {type(generator).__name__}"
        )
    return generator.stream


@function(method=False)
def manual_seed(seed: Any) -> Generator:
    """Starts the default generator at ``seed``, a 64-bit integer or what `int` makes one of; returns it.

    >>> import autograd
    >>> generator = autograd.manual_seed(0)
    >>> autograd.rand(3)
    tensor([0.4963, 0.7682, 0.0885])
    """
    return default_generator.manual_seed(int(seed))


@function(method=False)
def seed() -> int:
    """Starts the default generator at a seed from the operating system; returns it."""
    return default_generator.seed()


@function(method=False)
def initial_seed() -> int:
    """The seed at which the default generator was started.

    >>> import autograd
    >>> generator = autograd.manual_seed(7)
    >>> autograd.initial_seed()
    7
    """
    return default_generator.initial_seed()


@function(method=False)
def get_rng_state() -> Tensor:
    """The default generator's state as bytes, in PyTorch's layout.

    >>> import autograd
    >>> state = autograd.get_rng_state()
    >>> x = autograd.rand(2)
    >>> autograd.set_rng_state(state)
    >>> autograd.equal(x, autograd.rand(2))
    True
    """
    return default_generator.get_state()


@function(method=False)
def set_rng_state(new_state: Tensor) -> None:
    """Makes the default generator go on from a state.

    >>> import autograd
    >>> state = autograd.get_rng_state()
    >>> x = autograd.rand(2)
    >>> autograd.set_rng_state(state)
    >>> autograd.equal(x, autograd.rand(2))
    True
    """
    default_generator.set_state(new_state)


# --- Arguments and targets -----------------------------------------------------------------------------------------


def _float(operator: str, name: str, value: Any) -> float:
    if isinstance(value, Tensor) and value._array.ndim == 0 and not value.requires_grad:
        value = value._array[()]
    if not isinstance(value, (int, float, np.number, np.bool_)):
        raise TypeError(f"{operator}(): argument '{name}' must be float, not {type(value).__name__}")
    return float(value)


def _integer(operator: str, name: str, value: Any) -> int:
    if isinstance(value, Tensor) and value._array.size == 1 and value._array.dtype.kind in "iu":
        value = value._array.reshape(())[()]
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{operator}(): argument '{name}' must be int, not {type(value).__name__}")
    if not -(1 << 63) <= value < 1 << 63:
        raise ValueError(f"{operator}(): Overflow when unpacking long long: {name}={value}")
    return int(value)


def _filling(like: np.ndarray, draw: Draw) -> np.ndarray:
    """Numbers for an array that lies in memory as ``like`` does: drawn in the order of memory."""
    from ..kernels.sampling import in_memory_order

    contiguous = like.flags.c_contiguous
    return in_memory_order(like, lambda shape: draw(shape, like.dtype, contiguous))


def _check_out(operator: str, out: Any, dtype: Any, *inputs: Any) -> None:
    if not isinstance(out, Tensor):
        raise TypeError(f"{operator}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if dtype is not None and (wanted := _dtype(dtype, out._array.dtype)) != out._array.dtype:
        raise RuntimeError(
            f"{operator}(): dtype {type_name(wanted)} does not match dtype of out parameter "
            f"({type_name(out._array.dtype)})"
        )
    if records(out, *inputs):
        raise RuntimeError(
            f"{operator}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )


def _target(out: Tensor, shape: tuple[int, ...]) -> np.ndarray:
    return out._array if out._array.shape == shape else np.empty(shape, out._array.dtype)


def _new(
    operator: str,
    draw: Draw,
    shape: tuple[int, ...],
    default: np.dtype,
    out: Tensor | None,
    dtype: Any,
    **options: Any,
) -> Tensor:
    """A new tensor of drawn numbers, or ``out`` filled with them; what it cannot be is known before they are drawn."""
    if out is not None:
        _check_out(operator, out, dtype)
    kind = _dtype(dtype, default) if out is None else out._array.dtype
    _check_new(operator, kind, **options)
    if out is None:
        return _finish(at_line(draw(shape, kind, True)), options["requires_grad"])
    write_out(out, wrap(_filling(_target(out, shape), draw)), operator)
    return out.requires_grad_() if options["requires_grad"] else out


def _like(operator: str, draw: Draw, input: Tensor, dtype: Any, memory_format: Any, **options: Any) -> Tensor:
    """A new tensor of drawn numbers that lies in memory as ``input`` does."""
    empty = _empty_like(check_tensor(operator, "input", input), dtype, memory_format, operator)
    _check_new(operator, empty.dtype, **options)
    return _finish(_filling(empty, draw), options["requires_grad"])


def _check_new(operator: str, kind: np.dtype, layout: Any, device: Any, requires_grad: bool, pin_memory: bool) -> None:
    require_cpu(device, operator)
    check_options(operator, layout, pin_memory, requires_grad)
    if requires_grad:
        check_differentiable(kind)


# What is drawn has no slope: PyTorch, too, gives the parameters of a draw gradients of zero.
@coarse(latex=r"\text{random, distributed by } x \text{ and } y", home="", node_name=lambda operator: operator)
def drawn(x: Array, y: Array, values, operator):
    return values


@drawn.gradient("x")
def _(g, x_shape, x_dtype):
    return _.to(sum_to(_.blank(g), x_shape), x_dtype)


@drawn.gradient("y")
def _(g, y_shape, y_dtype):
    return _.to(sum_to(_.blank(g), y_shape), y_dtype)


def _drawn(operator: str, values: np.ndarray, x: Any, y: Any = None) -> Tensor:
    if not records(x, y):
        return _finish(values, False)
    return apply(drawn, (*(v if isinstance(v, Tensor) else None for v in (x, y)), values, operator), {})


# --- New tensors ---------------------------------------------------------------------------------------------------


def _floats(name: str, method: str, doc: str) -> None:
    def drawing(generator: Generator | None) -> Draw:
        stream = stream_of(name, generator)
        if method == "uniform":
            return lambda shape, kind, contiguous: stream.uniform(shape, kind)
        return lambda shape, kind, contiguous: stream.normal(shape, kind, contiguous=contiguous)

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
        if size is None and not sizes:
            raise TypeError(f'{name}() missing 1 required positional argument: "size"')
        if size is not None and sizes:
            raise TypeError(f"{name}() got its size twice: {sizes} and size={size}")
        shape = _shape(name, sizes) if size is None else _only_shape(name, size)
        options = {"layout": layout, "device": device, "requires_grad": requires_grad, "pin_memory": pin_memory}
        return _new(name, drawing(generator), shape, default_dtype.numpy, out, dtype, **options)

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
        pin_memory: bool = False,
    ) -> Tensor:
        options = {"layout": layout, "device": device, "requires_grad": requires_grad, "pin_memory": pin_memory}
        return _like(f"{name}_like", drawing(generator), input, dtype, memory_format, **options)

    like.__name__, like.__doc__ = f"{name}_like", f"A tensor of ``input``'s shape and dtype, {doc}."
    function(method=False)(like)


_floats("rand", "uniform", "uniform on [0, 1)")
_floats("randn", "normal", "standard normal")


def _integers(operator: str, low: int, high: int | None, generator: Generator | None) -> Draw:
    """Integers of ``[low, high)``, with PyTorch's warning where a float dtype does not hold all of them."""
    stream = stream_of(operator, generator)

    def draw(shape: tuple[int, ...], kind: np.dtype, contiguous: bool) -> np.ndarray:
        if kind.kind in FLOATING:
            limit = 1 << (finfo(kind).nmant + 1)
            for name, bound in (("from", low), ("to - 1", low if high is None else high - 1)):
                if not -limit <= bound <= limit:
                    warnings.warn(
                        f"{operator}: {name}={bound} is out of bounds [-{limit}, {limit}], within which {kind} holds "
                        "every integer. Not every integer of the range will be drawn.",
                        UserWarning,
                        stacklevel=2,
                    )
        return stream.integers(low, high, shape, kind)

    if high is not None and low >= high:
        raise RuntimeError(f"{operator} expects 'from' to be less than 'to', but got from={low} >= to={high}")
    return draw


def _bounds(usage: str, given: Sequence[Any], low: Any, high: Any) -> tuple[Any, Any]:
    """``low``, which may be None, and ``high``, given by position in this order or by name."""
    left = list(given)
    if high is None and left:
        high = left.pop()
    if low is None and left:
        low = left.pop()
    if left or high is None:
        raise TypeError(usage)
    return low, high


@function(method=False)
def randint(
    *bounds: Any,
    low: Any = None,
    high: Any = None,
    size: Any = None,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Integers of ``[low, high)``: ``randint(high, size)`` or ``randint(low, high, size)``; int64 by default.

    Raises:
        RuntimeError: an empty range, or a bound that the dtype does not hold.

    >>> import autograd
    >>> autograd.randint(5, 6, (2, 3))
    tensor([[5, 5, 5],
            [5, 5, 5]])
    """
    left = list(bounds)
    if size is None and left and len(left) + (low is not None) + (high is not None) > 1:
        size = left.pop()
    usage = "randint() takes (high, size) or (low, high, size)"
    low, high = _bounds(usage, left, low, high)
    if size is None:
        raise TypeError(usage)
    lowest = 0 if low is None else _integer("randint", "low", low)
    draw = _integers("randint", lowest, _integer("randint", "high", high), generator)
    options = {"layout": layout, "device": device, "requires_grad": requires_grad, "pin_memory": pin_memory}
    return _new("randint", draw, _only_shape("randint", size), dtypes.int64.numpy, out, dtype, **options)


@function(method=False)
def randint_like(
    input: Tensor,
    *bounds: Any,
    low: Any = None,
    high: Any = None,
    generator: Generator | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    memory_format: Any = None,
    pin_memory: bool = False,
) -> Tensor:
    """Integers of ``[0, high)`` or ``[low, high)`` in a tensor of ``input``'s shape and dtype.

    Raises:
        RuntimeError: an empty range, or a bound that the dtype does not hold.

    >>> import autograd
    >>> x = autograd.randint_like(autograd.zeros(2, 3), 5)
    >>> x.shape, x.dtype
    (torch.Size([2, 3]), torch.float32)
    """
    low, high = _bounds("randint_like() takes (input, high) or (input, low, high)", bounds, low, high)
    if isinstance(high, Tensor):
        if high._array.ndim:
            raise RuntimeError(f"randint_like: high must be a scalar tensor, but got shape {list(high.shape)}")
        high = int(high._array)
    lowest = 0 if low is None else _integer("randint_like", "low", low)
    draw = _integers("randint_like", lowest, _integer("randint_like", "high", high), generator)
    options = {"layout": layout, "device": device, "requires_grad": requires_grad, "pin_memory": pin_memory}
    return _like("randint_like", draw, input, dtype, memory_format, **options)


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
    """The integers 0 to ``n - 1`` in random order.

    Raises:
        RuntimeError: ``n`` is negative, or the dtype does not hold all of them.

    >>> import autograd
    >>> autograd.randperm(5).sort().values
    tensor([0, 1, 2, 3, 4])
    """
    n = _integer("randperm", "n", n)
    if n < 0:
        raise RuntimeError(f"randperm: n must be non-negative, but got {n}")
    stream = stream_of("randperm", generator)
    options = {"layout": layout, "device": device, "requires_grad": requires_grad, "pin_memory": pin_memory}

    def draw(shape: tuple[int, ...], kind: np.dtype, contiguous: bool) -> np.ndarray:
        return stream.permutation(n, kind)

    return _new("randperm", draw, (n,), dtypes.int64.numpy, out, dtype, **options)


@function(method=False)
def normal(
    mean: Any,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Normal numbers of the given ``mean`` and ``std``: two numbers and a size, or tensors that broadcast.

    Raises:
        RuntimeError: a negative standard deviation, or shapes that do not broadcast.

    >>> import autograd
    >>> autograd.normal(autograd.zeros(2, 3), 1.0).shape
    torch.Size([2, 3])
    >>> autograd.normal(0.0, 1.0, size=(2, 3)).shape
    torch.Size([2, 3])
    """
    stream = stream_of("normal", generator)
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        if size is None:
            raise TypeError("normal(): where mean and std are numbers, argument 'size' is required")
        center, scale = _float("normal", "mean", mean), _float("normal", "std", std)
        options = {"layout": layout, "device": device, "requires_grad": requires_grad, "pin_memory": pin_memory}
        return _new(
            "normal",
            lambda shape, kind, contiguous: stream.normal(shape, kind, center, scale, contiguous),
            _only_shape("normal", size),
            default_dtype.numpy,
            out,
            dtype,
            **options,
        )
    if size is not None or dtype is not None:
        raise TypeError("normal(): size and dtype are those of mean and std where one of them is a tensor")
    if isinstance(std, Tensor):
        if std._array.dtype.kind == "c":
            raise RuntimeError("normal expects standard deviation to be non-complex")
        if not (std._array >= 0).all():
            raise RuntimeError("normal expects all elements of std >= 0.0")
        scale = 1.0
    else:
        scale = _float("normal", "std", std)
    parameters = [v for v in (mean, std) if isinstance(v, Tensor)]
    shapes = [v._array.shape for v in parameters]
    if out is not None:
        _check_out("normal", out, None, *parameters)
        if not isinstance(std, Tensor):
            shapes.append(out._array.shape)  # this form fills what it is given
    try:
        shape = np.broadcast_shapes(*shapes)
    except ValueError:
        raise RuntimeError(f"normal: shapes {' and '.join(str(list(s)) for s in shapes)} do not broadcast") from None
    like = np.empty(shape, parameters[0]._array.dtype) if out is None else _target(out, shape)
    result = wrap(_filling(like, lambda shape, kind, contiguous: stream.normal(shape, kind, 0.0, scale, contiguous)))
    with no_grad():
        if isinstance(std, Tensor):
            result.mul_(std)
        result.add_(mean if isinstance(mean, Tensor) else wrap(np.asarray(_float("normal", "mean", mean), like.dtype)))
    if out is not None:
        return write_out(out, result, "normal")
    overload = 3 if len(parameters) == 2 else 1 if isinstance(mean, Tensor) else 2
    return _drawn(f"NormalBackward{overload}", result._array, mean, std)


# --- Draws by the values of a tensor -------------------------------------------------------------------------------


def _trials(stream: MT19937Stream, like: np.ndarray, p: Any) -> np.ndarray:
    """1 with probability ``p``, a number or an array that broadcasts to ``like``'s shape, in the order of memory."""
    from ..kernels.sampling import in_memory_order

    if not isinstance(p, np.ndarray):
        return _filling(like, lambda shape, kind, contiguous: stream.bernoulli(p, shape, kind))
    try:
        chances = np.broadcast_to(p, like.shape)
    except ValueError:
        raise RuntimeError(
            f"bernoulli_: p of shape {list(p.shape)} does not broadcast to the tensor's shape {list(like.shape)}"
        ) from None
    return in_memory_order(like, lambda shape, chances: stream.bernoulli(chances, shape, like.dtype), chances)


@function()
def bernoulli(
    input: Tensor, p: float | None = None, *, generator: Generator | None = None, out: Tensor | None = None
) -> Tensor:
    """1 with the probability that ``input`` holds (or ``p`` everywhere), else 0.

    Raises:
        RuntimeError: a probability outside of [0, 1].

    >>> import autograd
    >>> autograd.bernoulli(autograd.tensor([0., 1., 1.]))
    tensor([0., 1., 1.])
    """
    array = check_tensor("bernoulli", "input", input)._array
    stream, chance = stream_of("bernoulli", generator), array if p is None else _float("bernoulli", "p", p)
    if out is None:
        return _drawn("Bernoulli", _trials(stream, np.empty(array.shape, array.dtype), chance), input)
    _check_out("bernoulli", out, None, input)
    return write_out(out, wrap(_trials(stream, _target(out, array.shape), chance)), "bernoulli")


@function()
def multinomial(
    input: Tensor,
    num_samples: int,
    replacement: bool = False,
    *,
    generator: Generator | None = None,
    out: Tensor | None = None,
) -> Tensor:
    """Places drawn with the probabilities in each row of ``input``, which need not sum to 1.

    Args:
        input: non-negative, (categories) or (rows, categories).
        num_samples: how many places to draw from each row.
        replacement: whether a place can be drawn again.

    Returns:
        int64, (num_samples) or (rows, num_samples).

    Raises:
        RuntimeError: another shape or dtype, more samples than places without replacement, a weight that is negative,
            infinite or NaN, or weights that are all 0.

    >>> import autograd
    >>> autograd.multinomial(autograd.tensor([0.0, 1.0, 0.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
    weights = check_tensor("multinomial", "input", input)._array
    count = _integer("multinomial", "num_samples", num_samples)
    if not isinstance(replacement, (bool, np.bool_)):
        raise TypeError(f"multinomial(): argument 'replacement' must be bool, not {type(replacement).__name__}")
    if out is not None:
        _check_out("multinomial", out, None)
        if out._array.dtype != np.int64:
            raise RuntimeError(f"multinomial expects Long tensor out, got: {type_name(out._array.dtype)}")
    places = stream_of("multinomial", generator).multinomial(weights, count, bool(replacement))
    return _finish(places, False, None, out)


@function(method=False)
def poisson(input: Tensor, generator: Generator | None = None) -> Tensor:
    """Poisson numbers of the rates in ``input``, in its dtype.

    Raises:
        RuntimeError: a negative rate.

    >>> import autograd
    >>> autograd.poisson(autograd.zeros(3))
    tensor([0., 0., 0.])
    """
    rates = check_tensor("poisson", "input", input)._array
    return _drawn("Poisson", stream_of("poisson", generator).poisson(rates), input)


@function(method=False)
def binomial(count: Tensor, prob: Tensor, generator: Generator | None = None) -> Tensor:
    """How many of ``count`` trials of chance ``prob`` succeed; the two broadcast.

    Raises:
        ValueError: dtypes that are not floating-point.
        RuntimeError: two dtypes, or shapes that do not broadcast.

    >>> import autograd
    >>> autograd.binomial(autograd.tensor([5., 7.]), autograd.tensor([0., 1.]))
    tensor([0., 7.])
    """
    trials, chances = (check_tensor("binomial", n, t)._array for n, t in (("count", count), ("prob", prob)))
    try:
        np.broadcast_shapes(trials.shape, chances.shape)
    except ValueError:
        raise RuntimeError(
            f"binomial: count of shape {list(trials.shape)} and prob of shape {list(chances.shape)} do not broadcast"
        ) from None
    return _drawn("Binomial", stream_of("binomial", generator).binomial(trials, chances), count, prob)


# --- Tensors filled in place ---------------------------------------------------------------------------------------


def _method(name: str) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Decorator: the function is the in-place method ``name`` of Tensor."""

    def register(method: Callable[..., Tensor]) -> Callable[..., Tensor]:
        method.__name__, method.__qualname__ = name, f"Tensor.{name}"
        setattr(Tensor, name, method)
        return method

    return register


def _fill(self: Tensor, name: str, make: Callable[[], np.ndarray]) -> Tensor:
    """Writes numbers into ``self``; they are not even drawn where writing is not allowed."""
    node = node_of(self) if is_recording() else None
    check_write(self, name, has_history(node))
    if node is not None:
        return write(self, apply(copy_into, (self, wrap(np.asarray(make()))), {}), name)
    self._array[...] = make()
    count_write(self)
    return self


def _filler(name: str, law: str, doc: str, **defaults: Any) -> None:
    """The in-place method ``name`` of float parameters; ``...`` stands for one without a default."""
    names = tuple(defaults)

    def method(self: Tensor, *args: Any, generator: Generator | None = None, **kwargs: Any) -> Tensor:
        if len(args) > len(names):
            raise TypeError(f"{name}() takes from 0 to {len(names)} positional arguments but {len(args)} were given")
        given = dict(zip(names, args, strict=False))
        if unknown := [key for key in kwargs if key not in names or key in given]:
            raise TypeError(f"{name}() got an unexpected keyword argument '{unknown[0]}'; it takes {', '.join(names)}")
        values = {**defaults, **given, **kwargs}
        if missing := [key for key, value in values.items() if value is ...]:
            raise TypeError(f'{name}() missing 1 required positional arguments: "{missing[0]}"')
        numbers = [_float(name, key, value) for key, value in values.items()]
        stream = stream_of(name, generator)

        def draw(shape: tuple[int, ...], kind: np.dtype, contiguous: bool) -> np.ndarray:
            layout = {"contiguous": contiguous} if law == "normal" else {}
            return getattr(stream, law)(shape, kind, *numbers, **layout)

        return _fill(self, name, lambda: _filling(self._array, draw))

    method.__doc__ = doc
    _method(name)(method)


_filler(
    "uniform_", "uniform", "Fills with numbers uniform on [from, to), [0, 1) by default.", **{"from": 0.0, "to": 1.0}
)
_filler("normal_", "normal", "Fills with normal numbers of ``mean`` 0 and ``std`` 1 by default.", mean=0.0, std=1.0)
_filler("log_normal_", "log_normal", "Fills with numbers whose logarithm is normal.", mean=1.0, std=2.0)
_filler("exponential_", "exponential", "Fills with exponential numbers of rate ``lambd``.", lambd=1.0)
_filler("geometric_", "geometric", "Fills with trials up to the first success of chance ``p``.", p=...)
_filler("cauchy_", "cauchy", "Fills with Cauchy numbers about ``median``, of width ``sigma``.", median=0.0, sigma=1.0)


@_method("random_")
def random_(self: Tensor, *bounds: Any, generator: Generator | None = None, **named: Any) -> Tensor:
    """Fills with integers: ``random_(from, to)`` with those of [from, to), ``random_(to)`` with those of [0, to).

    Without bounds, and with ``to=None``, the range goes up to the largest integer of the dtype (of a float dtype: the
    largest up to which it holds all).
    """
    if named.keys() - {"from", "to"} or len(bounds) + len(named) > 2 or (named and bounds and "to" not in named):
        raise TypeError(f"random_() takes (), (to) or (from, to), but got {bounds} {named}".rstrip(" {}"))
    values = [*bounds, *(named[key] for key in ("from", "to") if key in named)]
    if values == [None] or ("from" in named and len(values) == 1):
        raise TypeError("random_() takes (), (to) or (from, to); to=None needs a from")
    if not values:
        stream = stream_of("random_", generator)
        return _fill(
            self, "random_", lambda: _filling(self._array, lambda shape, kind, contiguous: stream.random(shape, kind))
        )
    low, high = values if len(values) == 2 else (0, values[0])
    highest = None if high is None else _integer("random_", "to", high)
    draw = _integers("random_", _integer("random_", "from", low), highest, generator)
    return _fill(self, "random_", lambda: _filling(self._array, draw))


@_method("bernoulli_")
def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: Generator | None = None) -> Tensor:
    """Fills with 1 with probability ``p``, a number or a tensor that broadcasts to this one, else 0.

    Raises:
        RuntimeError: a probability outside of [0, 1].
    """
    chance = p._array if isinstance(p, Tensor) else _float("bernoulli_", "p", p)
    stream = stream_of("bernoulli_", generator)
    return _fill(self, "bernoulli_", lambda: _trials(stream, self._array, chance))


__all__ = [
    "Generator",
    "bernoulli",
    "binomial",
    "default_generator",
    "drawn",
    "get_rng_state",
    "initial_seed",
    "manual_seed",
    "multinomial",
    "normal",
    "poisson",
    "randint",
    "randint_like",
    "randperm",
    "seed",
    "set_rng_state",
]
