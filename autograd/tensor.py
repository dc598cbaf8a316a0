"""Tensor: an ndarray and its place in the graph.

A tensor owns four things: the array, the node that made it (a `Leaf` when it requires grad and nothing made it),
a version counter shared by all views of the same memory, and, for a view, the tensor it looks into. Operators
live in `autograd.ops`, which attaches them as methods.
"""

from __future__ import annotations

import functools
import math
import warnings
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from . import dtypes
from .devices import CPU, require_cpu
from .dtypes import Size, default_dtype, from_numpy_dtype, known
from .graph import HookDict, Leaf, Node, RemovableHandle, state
from .kernels.contiguous import copied
from .kernels.halves import FLOATING, INEXACT
from .kernels.layout import is_dense
from .kernels.memory import Block, is_root

__all__ = ["INFERENCE", "Tensor", "TensorLeaf", "View", "wrap"]

ndarray = np.ndarray
new = object.__new__


class _InferenceCounter:
    """The counter of tensors made in inference mode: reading a version from it, in order to save one for a backward
    pass, fails."""

    def __getitem__(self, index: int) -> int:
        if state.push is not None:
            return 0  # saved to take tangents forward, at once
        raise RuntimeError(
            "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal "
            "tensor and use it in autograd."
        )

    def __bool__(self) -> bool:
        return False


INFERENCE: Any = _InferenceCounter()


class ArrayError(RuntimeError):
    """An operator asked for the array of a tensor that has none. Where the operator as a whole is known, the error
    knows how else it is done."""

    def of_row(self, row: Any, values: list[Any]) -> Any:
        """The result of a row on all its parameters."""
        raise self

    def of_function(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], writes: bool = False
    ) -> Any:
        """The result of a function; ``writes`` says that it writes to its first argument."""
        raise self


class BatchError(ArrayError):
    """An operator asked for the memory of a tensor that stands for one example of a batch, inside `vmap`: it runs on
    the whole batch, or on one example after the other, results stacked."""

    def of_row(self, row: Any, values: list[Any]) -> Any:
        from .rows.batching import row_on_batch

        return row_on_batch(row, values)

    def of_function(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], writes: bool = False
    ) -> Any:
        from .rows.batching import over_examples

        return over_examples(function, args, kwargs, writes)


class StructureError(ArrayError, NotImplementedError):
    """An operator asked for the array of a tensor that is structured otherwise (`ops.structured`): its kind has
    operators of its own."""

    def __init__(self, kind: Any, message: str) -> None:
        super().__init__(message)
        self.kind = kind

    def of_row(self, row: Any, values: list[Any]) -> Any:
        return self.kind.operators.call(self.kind, row.name, values, {}, row)

    def of_function(
        self, function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], writes: bool = False
    ) -> Any:
        return self.kind.operators.call(self.kind, function.__name__, args, kwargs, function)


SMALL = 1024  # elements: making a new array costs less than finding out whether this one may be written to


class TensorNode(Node):
    """A node through which gradients pass as plain arrays, or as Tensors while the backward pass is recorded."""

    __slots__ = ()

    def shown(self, g: Any) -> Any:
        return g if g is None or isinstance(g, Tensor) else wrap(np.asarray(g))

    def taken(self, changed: Any, g: Any) -> Any:
        if changed is None:
            return None
        if not isinstance(changed, Tensor):
            raise TypeError(f"a hook must return a Tensor or None, but gave {type(changed).__name__}")
        if g is not None and not changed.is_same_size(self.shown(g)):
            raise RuntimeError(f"hook changed the gradient's shape from {list(g.shape)} to {list(changed.shape)}")
        return changed if isinstance(g, Tensor) else changed._array

    def accumulate(self, total: Any, g: Any, owned: bool) -> Any:
        if type(total) is type(g) is ndarray:
            if owned and total.size >= SMALL and is_root(total) and total.flags.writeable:
                return np.add(total, g, total)
            return total + g
        return added(total, g)

    def __repr__(self) -> str:
        return f"<{self.name().rpartition(':')[2]} object at {id(self):#x}>"

    def named(self) -> TensorNode:
        """The node, whose class bears PyTorch's name for it from now on: ``type(y.grad_fn).__name__``. Only nodes that
        somebody looks at change, as a backward pass over objects of few classes is faster."""
        name = self.name().rpartition(":")[2]
        if type(self).__name__ != name:
            self.__class__ = _named_class(cast(Any, type(self)), name)
        return self

    @property
    def metadata(self) -> dict[str, Any]:
        """A dict for notes of the user."""
        return self.all_hooks().metadata


@functools.cache
def _named_class(kind: Any, name: str) -> Any:
    return type(name, (kind,), {"__slots__": (), "__module__": "builtins"})


def next_function(edge: Node | None) -> tuple[Node | None, int]:
    """An edge as users see it: the node that made an input, and which of its outputs that was."""
    return (edge.named() if isinstance(edge, TensorNode) else edge), getattr(edge, "index", 0)


class Dual(TensorNode):
    """In the place of a node where a tensor has no history, only tangents, which `forward_ad` keeps by node."""

    __slots__ = ("owner",)

    def __init__(self, owner: Tensor) -> None:
        super().__init__()
        self.owner = weakref.ref(owner)

    def receive(self, g: Any, owned: bool) -> None:
        """Gradients lead nowhere from here."""


def added(total: Any, g: Any) -> Any:
    """The sum of two gradients; of a sparse one and a dense one it is dense."""
    if type(total) is type(g) is ndarray:
        return total + g
    for first, second in ((total, g), (g, total)):
        if isinstance(first, Tensor) and first._is_structured:
            return first.plus(second if isinstance(second, Tensor) else wrap(second))
    return total + g


class TensorLeaf(Leaf, TensorNode):
    """Where the gradient of a leaf tensor is kept: on the node, so that tensor and node form no cycle."""

    __slots__ = ("hooked", "owner")

    next_functions = ()

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"

    def __init__(self, owner: Tensor, grad: Tensor | None = None) -> None:
        super().__init__(grad)
        self.hooked: HookDict | None = None
        self.owner = weakref.ref(owner)

    @property
    def variable(self) -> Tensor | None:
        """The leaf tensor, if it still exists."""
        return self.owner()

    def _laid_out(self, g: ndarray) -> ndarray:
        """A copy of the gradient in the order in memory of the tensor, if that is dense, otherwise in rows."""
        owner = self.owner()
        like = g if owner is None or owner._is_structured else owner._array
        if like.flags.c_contiguous or not is_dense(like):
            return copied(g)
        result = np.empty_like(like, g.dtype)
        result[...] = g
        return result

    def receive(self, g: Any, owned: bool) -> None:
        grad = self.grad
        if grad is None and type(g) is ndarray:
            # In one piece: with calls in it, this took twice as long. A gradient that lies as the tensor does, and that
            # nobody else holds, becomes the leaf's own.
            owner, base = self.owner(), g.base
            is_free = owned and (base is None or type(base) is Block) and g.flags.writeable
            if not (is_free and owner is not None and not owner._is_structured and g.strides == owner._array.strides):
                g = self._laid_out(g)
            grad = self.grad = new(Tensor)
            grad._array = g
            grad._node = grad._counter = grad._view = None
        elif type(g) is ndarray or not isinstance(g, Tensor):
            g = np.asarray(g)
            if grad is None:
                self.grad = wrap(self._laid_out(g))
            elif grad._is_structured:
                self.grad = added(grad, g)
            else:
                np.add(grad._array, g, grad._array)
                count_write(grad)
        elif not state.grad and not g._is_structured:
            self.receive(g._array, False)  # inside a level a pass is one over tensors, whose tangents end here
        else:
            self.grad = g if grad is None else added(grad, g)
        if self.hooked:
            tensor = self.owner()
            for hook in list(self.hooked.values()) if tensor is not None else ():
                hook(tensor)


def replay(steps: Sequence[Any], value: Any) -> Any:
    """The view that ``steps`` lead to, of a tensor or an array of the base's shape."""
    for row, args, kwargs in steps:
        value = row(value, *args, **kwargs)
    return value


class View:
    """What a view remembers: the tensor it looks into and the rows that lead there."""

    __slots__ = ("_base", "blocked", "generation", "steps")

    def __init__(self, base: Tensor, steps: tuple[Any, ...], generation: int, blocked: str | None) -> None:
        self._base = base
        self.steps = steps
        # The history (for a blocked view: the write) up to which the view's own node is right.
        self.generation = generation
        self.blocked = blocked  # why it must not be written to while recording, or None

    @property
    def base(self) -> Tensor:
        """The tensor it looks into, or if that has become a view of itself since, what it was before."""
        view = self._base._view
        return self._base if view is None else view.base


class Tensor:
    """An n-dimensional array that remembers how it was made.

    ``Tensor(2, 3)`` gives uninitialized float32 memory and ``Tensor([1, 2])`` converts; `autograd.tensor` is the
    usual way in. Methods are those of ``torch.Tensor``.
    """

    __module__ = "autograd"

    __slots__ = ("__dict__", "__weakref__", "_array", "_counter", "_node", "_view")

    _array: np.ndarray
    _node: Node | None
    _counter: list[int] | None  # [writes, changes of history], shared by all views of the memory
    _view: View | None

    __array_priority__ = 1000

    if TYPE_CHECKING:  # operators are attached as methods by autograd.ops
        _backward: Callable[..., None]  # attached by autograd.differentiation

        def __getattr__(self, name: str) -> Any: ...
        def __getitem__(self, index: Any) -> Tensor: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def _of_self(self) -> Tensor: ...
        def _with_other(self, other: Any) -> Tensor: ...

        __neg__ = __pos__ = __abs__ = __invert__ = _of_self
        __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = __matmul__ = _with_other
        __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = _with_other
        __rmatmul__ = __and__ = __or__ = __xor__ = __rand__ = __ror__ = __rxor__ = _with_other
        __lt__ = __le__ = __gt__ = __ge__ = _with_other

    def __new__(cls, *args: Any, device: Any = None, **named: Any) -> Tensor:
        if len(args) == 1 and isinstance(args[0], Tensor) and device is None and not named:
            return _make(cls, args[0]._array)
        from .legacy import legacy_array

        return _make(cls, legacy_array("Tensor", default_dtype.numpy, *args, device=device, **named))

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)

    # --- The graph -------------------------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        """Whether operators on this tensor are recorded."""
        node = self._node if self._view is None else node_of(self)
        return node is not None and type(node) is not Dual

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise RuntimeError(f"requires_grad must be a bool, but got {type(value).__name__}")
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Starts or stops recording operators on this leaf; returns it.

        Raises:
            RuntimeError: not a floating-point tensor, or a non-leaf is told to stop.
        """
        if not isinstance(requires_grad, (bool, np.bool_)):
            raise TypeError(f"requires_grad must be a bool, but got {type(requires_grad).__name__}")
        node = history_of(self)
        if node is not None and not isinstance(node, Leaf):
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed "
                    "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return self
        if requires_grad and node is None:
            check_differentiable(self.dtype.numpy)
            if self._counter is INFERENCE and not state.inference:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed. "
                    "Make a normal tensor with clone() first."
                )
            self._become(TensorLeaf(self, self.__dict__.pop("_kept_grad", None)), self._node)
        elif not requires_grad and node is not None:
            if node.grad is not None:
                self.__dict__["_kept_grad"] = node.grad
            self._become(None, node)
        return self

    def _become(self, node: Node | None, pushed: Node | None) -> None:
        """Takes ``node`` for its history, and the tangents of ``pushed``."""
        if state.push is not None:
            from .forward_ad import with_tangents

            node = with_tangents(self, node, pushed)
        self._node = node

    @property
    def is_leaf(self) -> bool:
        """Whether no operator made it, as far as the graph knows."""
        node = history_of(self)
        return node is None or isinstance(node, Leaf)

    @property
    def grad_fn(self) -> Node | None:
        """The node that made it, such as ``<MulBackward0>``; None for a leaf."""
        node = history_of(self)
        return node.named() if isinstance(node, TensorNode) and not isinstance(node, Leaf) else None

    @property
    def output_nr(self) -> int:
        """Which of its operator's outputs it is."""
        return getattr(self._node, "index", 0)

    @property
    def grad(self) -> Tensor | None:
        """The accumulated gradient of a leaf, or of a tensor that was told to `retain_grad`."""
        node = self._node if self._view is None else node_of(self)
        if isinstance(node, TensorLeaf):
            return node.grad
        if node is None or not has_history(node):
            return self.__dict__.get("_kept_grad")
        keeper = _keeper(node)
        if keeper is not None:
            return keeper.grad
        kept = self.__dict__.get("_kept_grad")  # by assignment
        if kept is None:
            warnings.warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute "
                "won't be populated during autograd.backward(). If you indeed want the .grad field to be populated "
                "for a non-leaf Tensor, use .retain_grad() on the non-leaf Tensor.",
                UserWarning,
                stacklevel=2,
            )
        return kept

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        node = self._node if self._view is None else node_of(self)
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(f"assigned grad must be a Tensor or None, but got {type(value).__name__}")
            if value is self:
                raise RuntimeError("can't assign a Tensor as its own grad")
            if not self.is_same_size(value):
                raise RuntimeError(
                    f"assigned grad has shape {list(shape_of(value))}, the tensor {list(shape_of(self))}"
                )
            if value.dtype is not self.dtype:
                raise RuntimeError(f"assigned grad has dtype {value.dtype}, the tensor {self.dtype}")
        if isinstance(node, TensorLeaf):
            node.grad = value
        elif node is not None and has_history(node) and (keeper := _keeper(node)) is not None:
            keeper.grad = value
        elif value is None:
            self.__dict__.pop("_kept_grad", None)
        else:
            self.__dict__["_kept_grad"] = value

    @grad.deleter
    def grad(self) -> None:
        self.grad = None

    def backward(
        self,
        gradient: Tensor | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Tensor | Sequence[Tensor] | None = None,
    ) -> None:
        """Adds the gradient of this tensor to ``grad`` of every leaf it was made from.

        Args:
            gradient: of this tensor's shape: the gradient of some final scalar with respect to it. May be left out
                for a scalar, where it is 1.
            retain_graph: keep saved values, for another pass; the value of ``create_graph`` by default.
            create_graph: record the backward pass itself.
            inputs: accumulate into these only.

        Raises:
            RuntimeError: no scalar and no gradient, wrong shape, nothing requires grad, or a second pass through
                freed values.

        >>> import autograd
        >>> x = autograd.tensor([1.0, 2.0], requires_grad=True)
        >>> (x * x).sum().backward()
        >>> x.grad
        tensor([2., 4.])
        """
        self._backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def retain_grad(self) -> None:
        """Makes ``grad`` available on a tensor that is no leaf."""
        node = history_of(self)
        if node is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if isinstance(node, Leaf) or _keeper(node) is not None:
            return
        node.all_hooks().keeper = GradKeeper()

    @property
    def retains_grad(self) -> bool:
        """Whether it is a non-leaf whose gradient is kept."""
        node = history_of(self)
        return node is not None and not isinstance(node, Leaf) and _keeper(node) is not None

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Calls ``hook(grad)`` with the complete gradient of this tensor; what it returns replaces the gradient."""
        node = history_of(self)
        if node is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return node.register_value_hook(hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], None]) -> RemovableHandle:
        """Calls ``hook(tensor)`` each time a gradient was added to this leaf's ``grad``."""
        node = node_of(self)
        if not isinstance(node, TensorLeaf):
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if node.hooked is None:
            node.hooked = HookDict()
        return node.hooked.register(hook)

    # --- Memory and history ----------------------------------------------------------------------------------------

    def detach(self) -> Tensor:
        """The same memory, outside the graph; writes to either are seen, and noticed, by both."""
        result = wrap(self._array)
        result._counter = shared_counter(self)
        return result

    @property
    def data(self) -> Tensor:
        """The same memory, outside the graph, with writes that the graph does not notice."""
        return wrap(self._array)

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"data must be a Tensor, but got {type(value).__name__}")
        if self.requires_grad and value._array.dtype.kind not in INEXACT:
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._array = value._array

    @property
    def _version(self) -> int:
        if self._counter is INFERENCE:
            raise RuntimeError("Inference tensors do not track version counter.")
        return self._counter[0] if self._counter else 0

    def _bump_version(self) -> None:
        count_write(self)

    @property
    def _base(self) -> Tensor | None:
        return self._view.base if self._view is not None else None

    def _is_view(self) -> bool:
        return self._view is not None

    def is_inference(self) -> bool:
        """Whether it was made in inference mode."""
        return self._counter is INFERENCE

    def data_ptr(self) -> int:
        """Address of the first element."""
        return self._array.ctypes.data

    const_data_ptr = data_ptr

    # --- Facts -----------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        """Number of elements along each dimension."""
        return tuple.__new__(Size, self._array.shape)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the number of elements along one dimension."""
        if dim is None:
            return tuple.__new__(Size, self._array.shape)
        return self._array.shape[check_dim("size", dim, self._array.ndim)]

    @property
    def dtype(self) -> dtypes.dtype:
        """Type of the elements."""
        return from_numpy_dtype(self._array.dtype)

    @property
    def device(self) -> dtypes.device:
        """Always ``device('cpu')``."""
        return CPU

    @property
    def ndim(self) -> int:
        """Number of dimensions."""
        return self._array.ndim

    def dim(self) -> int:
        """Number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """Number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._array.itemsize

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self._array.nbytes

    def stride(self, dim: int | None = None) -> Any:
        """Distance in elements between neighbors along each dimension, or along one."""
        array = self._array
        steps = tuple(step // array.itemsize for step in array.strides)
        if not array.size and not any(steps):  # NumPy gives an empty array no steps, PyTorch those of sizes >= 1
            steps = tuple(math.prod(max(n, 1) for n in array.shape[i + 1 :]) for i in range(array.ndim))
        return steps if dim is None else steps[check_dim("stride", dim, self._array.ndim)]

    def storage_offset(self) -> int:
        """Distance in elements from the start of the memory that it shares to its first element."""
        return (self._array.ctypes.data - root_of(self._array).ctypes.data) // self._array.itemsize

    def is_contiguous(self, memory_format: Any = dtypes.contiguous_format) -> bool:
        """Whether its elements lie in memory in their logical order, or in that of ``memory_format``."""
        ordered = in_memory_order(self._array, memory_format)
        return ordered is not None and ordered.flags.c_contiguous

    def is_floating_point(self) -> bool:
        """Whether its dtype is float16, bfloat16, float32 or float64."""
        return self._array.dtype.kind in FLOATING

    def is_complex(self) -> bool:
        """Whether its dtype is complex."""
        return self._array.dtype.kind == "c"

    def is_signed(self) -> bool:
        """Whether its dtype can hold negative numbers."""
        return self._array.dtype.kind in "ifVc"

    def is_conj(self) -> bool:
        """False: conjugation is carried out at once, no tensor waits for it."""
        return False

    def is_neg(self) -> bool:
        """False: negation is carried out at once, no tensor waits for it."""
        return False

    def is_nonzero(self) -> bool:
        """Whether the one element is not zero.

        Raises:
            RuntimeError: more or fewer elements than one.
        """
        return bool(self)

    def is_same_size(self, other: Tensor) -> bool:
        """Whether ``other`` has the same shape."""
        if not isinstance(other, Tensor):
            raise TypeError(f"is_same_size(): argument 'other' must be Tensor, not {type(other).__name__}")
        return self.shape == other.shape

    def get_device(self) -> int:
        """-1: the CPU."""
        return -1

    def new(self, *args: Any, device: Any = None, **named: Any) -> Tensor:
        """A tensor of this dtype, of given sizes or from a sequence: PyTorch's old form of `new_empty`."""
        from .legacy import legacy_array

        return wrap(legacy_array("new", self._array.dtype, *args, device=device, **named))

    def as_subclass(self, cls: type) -> Any:
        """The same memory and history as an object of a subclass of Tensor.

        Raises:
            TypeError: ``cls`` is no subclass of Tensor.
        """
        if not (isinstance(cls, type) and issubclass(cls, Tensor)):
            raise TypeError(
                f"as_subclass: creating a Tensor subclass from a class that does not inherit from Tensor is not "
                f"possible: {cls!r}"
            )
        result = _make(cls, self._array)
        result._become(history_of(self), self._node)
        result._counter, result._view = shared_counter(self), self._view
        return result

    def module_load(self, other: Tensor, assign: bool = False) -> Tensor:
        """What ``load_state_dict`` puts in this tensor's place: it with ``other``'s values, or ``other`` itself."""
        return other.detach() if assign else self.copy_(other).detach()

    def reinforce(self, *args: Any) -> None:
        """Raises RuntimeError: the method was removed from PyTorch."""
        raise RuntimeError(
            "reinforce() was removed. Draw from autograd.distributions and use the gradient of log_prob instead: "
            "loss = -distribution.log_prob(action) * reward; loss.backward()"
        )

    def cuda(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """Raises AssertionError: there is only the CPU."""
        require_cpu("cuda" if device is None or isinstance(device, int) else device, "cuda")
        return self

    def xpu(self, device: Any = None, non_blocking: bool = False, memory_format: Any = None) -> Tensor:
        """Raises AssertionError: there is only the CPU."""
        require_cpu("xpu" if device is None or isinstance(device, int) else device, "xpu")
        return self

    def pin_memory(self, device: Any = None) -> Tensor:
        """Raises RuntimeError: memory is pinned for transfers to an accelerator, and there is none."""
        raise RuntimeError("Cannot access accelerator device when none is available: pin_memory() needs one.")

    def is_pinned(self, device: Any = None) -> bool:
        """False: no memory is pinned."""
        return False

    def storage(self) -> Any:
        """All of the memory that it looks into, as elements of its dtype."""
        from .storage import TypedStorage, memory_of

        return TypedStorage._around(memory_of(self._array), self._array.dtype)

    def untyped_storage(self) -> Any:
        """All of the memory that it looks into, as bytes."""
        from .storage import UntypedStorage, memory_of

        return UntypedStorage._around(memory_of(self._array))

    def storage_type(self) -> Any:
        """The type of its storage, such as `FloatStorage`."""
        from .storage import STORAGES

        return STORAGES.get(self._array.dtype.name)

    def share_memory_(self) -> Tensor:
        """Moves its elements to memory that processes forked afterwards share with this one; returns it.

        Raises:
            RuntimeError: it is a view, which would part from its base.
        """
        from .kernels.memory import shared_copy

        if self._view is not None:
            raise RuntimeError("share_memory_: a view cannot be moved away from its base; share the base, or clone()")
        if not self.is_shared():
            self._array = shared_copy(self._array)
        return self

    def is_shared(self) -> bool:
        """Whether its elements are in memory that processes share."""
        from .kernels.memory import is_shared

        return is_shared(root_of(self._array))

    @property
    def name(self) -> None:
        """None: tensors have no names; parameters get theirs from their module's `named_parameters`."""
        return None

    layout = dtypes.strided
    is_cpu = True
    is_cuda = False
    is_sparse = False
    is_quantized = False
    is_mps = False
    is_meta = False
    is_xpu = is_xla = is_mkldnn = is_sparse_csr = is_nested = False
    is_ipu = is_maia = is_mtia = is_vulkan = False
    _is_structured = False  # whether it has no array of its own shape (`ops.structured`)

    # --- Out to Python and NumPy -----------------------------------------------------------------------------------

    def item(self) -> Any:
        """The one element as a Python number.

        Raises:
            RuntimeError: more or fewer elements than one.
        """
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        return self._array.item()

    def tolist(self) -> Any:
        """Nested lists of Python numbers; a number for a 0-d tensor."""
        return self._array.tolist()

    def numpy(self, *, force: bool = False) -> np.ndarray:
        """The ndarray that shares its memory.

        Raises:
            RuntimeError: the tensor requires grad, and ``force`` is not set.
            TypeError: bfloat16, which NumPy itself does not know; convert with ``.float()``.
        """
        if not force and self.requires_grad:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._array.dtype.kind == "V":
            raise TypeError("Got unsupported ScalarType BFloat16: NumPy has no such type; convert with .float()")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        array = self.numpy()
        if dtype is not None and array.dtype != dtype:
            if copy is False:
                raise ValueError(f"a tensor of {self.dtype} cannot be seen as {dtype} without a copy")
            return array.astype(dtype)
        return array.copy() if copy else array

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Tensor:
        return wrap(np.asarray(array))

    def __dlpack__(self, **kwargs: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self._array.__dlpack__(**kwargs)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            if self._array.size == 0:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self._array.item())

    def _scalar(self) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        return self._array.item()

    def _real_scalar(self, kind: str) -> Any:
        value = self._scalar()
        if isinstance(value, complex):
            if value.imag:
                raise RuntimeError(f"value cannot be converted to type {kind} without overflow: {value}; take .real")
            return value.real
        return value

    def __float__(self) -> float:
        return float(self._real_scalar("double"))

    def __int__(self) -> int:
        return int(self._real_scalar("int64_t"))

    __long__ = __int__
    __nonzero__ = __bool__

    def __complex__(self) -> complex:
        return complex(self._scalar())

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return self._array.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self) -> Tensor:
        return self.flip(0) if self._array.ndim else self

    def __delitem__(self, index: Any) -> None:
        raise TypeError("Tensor does not support deleting items")

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Tensor, int, float, complex, bool, np.number)):
            value = element._array if isinstance(element, Tensor) else element
            return bool((self._array == value).any())
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in {type(element)}.")

    __hash__ = object.__hash__

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0 and type(self) is Tensor:
            return format(self._array.item(), spec)
        return object.__format__(self, spec)

    def __dir__(self) -> list[str]:
        return sorted(set(dir(type(self))) | set(self.__dict__))

    def __repr__(self, *, tensor_contents: str | None = None) -> str:
        from .printing import format_tensor

        node = history_of(self)
        suffixes = []
        if isinstance(node, Leaf):
            suffixes.append("requires_grad=True")
        elif node is not None:
            suffixes.append(f"grad_fn=<{node.name().rpartition(':')[2]}>")
        if state.push is not None:
            from .forward_ad import unpack_dual

            tangent = unpack_dual(self).tangent
            suffixes += [] if tangent is None else [f"tangent={tangent}"]
        return format_tensor(
            self._array, suffixes=suffixes, default_dtype=default_dtype.numpy, dtype_name=repr(self.dtype)
        )

    # --- Copies ----------------------------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Tensor:
        if id(self) in memo:
            return memo[id(self)]
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment; call detach() first."
            )
        import copy

        result = _make(type(self), self._array.copy(order="K"))
        memo[id(self)] = result
        if self.requires_grad:
            result.requires_grad_()
        if (gradient := self.grad) is not None:
            result.grad = copy.deepcopy(gradient, memo)
        for name, value in self.__dict__.items():
            if name != "_kept_grad":
                result.__dict__[name] = copy.deepcopy(value, memo)
        return result

    def __reduce_ex__(self, protocol: Any) -> Any:
        attributes = {name: value for name, value in self.__dict__.items() if name != "_kept_grad"}
        return _rebuild, (type(self), self._array, self.requires_grad, attributes)


def _rebuild(cls: type[Tensor], array: np.ndarray, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    result = _make(cls, known(array))
    result.requires_grad_(requires_grad)
    result.__dict__.update(attributes)
    return result


def _make(cls: type[Tensor], array: np.ndarray) -> Tensor:
    result = new(cls)
    result._array = array
    result._node = None
    result._counter = None
    result._view = None
    return result


def wrap(array: np.ndarray, node: Node | None = None) -> Tensor:
    """A tensor around an array, without a copy or a check."""
    result = new(Tensor)
    result._array = array
    result._node = node
    result._counter = None
    result._view = None
    return result


# --- History -------------------------------------------------------------------------------------------------------


def node_of(tensor: Tensor) -> Node | None:
    """The node that made the tensor, up to date with writes to the memory that a view looks into."""
    view = tensor._view
    if view is not None and tensor._counter and view.generation != tensor._counter[0 if view.blocked else 1]:
        previous = state.grad
        if view.blocked is None:
            state.grad = True
        elif previous and (has_history(tensor._node) or has_history(view.base._node)):
            raise RuntimeError(f"The memory that this view looks into has been written to. {view.blocked}")
        elif state.push is None:
            return tensor._node
        try:
            set_node(tensor, replay(view.steps, view.base)._node)
        finally:
            state.grad = previous
        view.generation = tensor._counter[0 if view.blocked else 1]
    return tensor._node


def has_history(node: Node | None) -> bool:
    """Whether a gradient may go back through the node: it is not there for tangents alone."""
    return node is not None and type(node) is not Dual


def history_of(tensor: Tensor) -> Node | None:
    """`node_of`, where a gradient may go back through it."""
    node = tensor._node if tensor._view is None else node_of(tensor)
    return None if type(node) is Dual else node


def set_node(tensor: Tensor, node: Node | None) -> None:
    """Makes ``node`` the tensor's own."""
    tensor._node = node
    if type(node) is Dual:
        node.owner = weakref.ref(tensor)


def shared_counter(tensor: Tensor) -> list[int]:
    """The tensor's counter, made when it is first needed."""
    counter = tensor._counter
    if counter is None:
        counter = tensor._counter = [0, 0]
    return counter


def shape_of(tensor: Any) -> Any:
    """The shape, as an error shows it: of a nested tensor without one, that of each component."""
    is_strided = getattr(tensor, "is_nested", False) and tensor.layout is dtypes.strided
    return tensor._nested_tensor_size().tolist() if is_strided else tensor.shape


def count_write(tensor: Tensor) -> None:
    """Notes that the tensor's memory was written to."""
    counter = tensor._counter
    if counter is None:
        tensor._counter = [1, 0]
    elif counter is not INFERENCE:
        counter[0] += 1


class GradKeeper:
    """The hook behind `retain_grad`."""

    __slots__ = ("grad",)

    def __init__(self) -> None:
        self.grad: Tensor | None = None

    def __call__(self, g: Any) -> None:
        g = g if isinstance(g, Tensor) else wrap(np.array(g))
        self.grad = g if self.grad is None else self.grad + g


def _keeper(node: Node) -> GradKeeper | None:
    return node.hooks.keeper if node.hooks is not None else None  # type: ignore[return-value]


# --- Checks that several operators share ---------------------------------------------------------------------------


def check_differentiable(dtype: np.dtype) -> None:
    """Raises unless tensors of this type can require grad."""
    if dtype.kind not in INEXACT:
        raise RuntimeError(
            f"only Tensors of floating point dtype can require gradients, but got {from_numpy_dtype(dtype)}; "
            "convert with .float() first"
        )


def root_of(array: ndarray) -> ndarray:
    """The array that an array looks into, through any number of views."""
    while isinstance(base := array.base, ndarray) and type(base) is not Block:
        array = base
    return array


LAST_CHANNELS = {dtypes.channels_last: (0, 2, 3, 1), dtypes.channels_last_3d: (0, 2, 3, 4, 1)}


def in_memory_order(array: ndarray, memory_format: Any) -> ndarray | None:
    """The array with its dimensions in the order that the format wants in memory; None for another number of them.

    Raises:
        TypeError: not a memory format.
    """
    if memory_format is dtypes.contiguous_format or memory_format is dtypes.preserve_format:
        return array
    if not isinstance(memory_format, dtypes.memory_format):
        raise TypeError(f"argument 'memory_format' must be torch.memory_format, not {type(memory_format).__name__}")
    order = LAST_CHANNELS[memory_format]
    return array.transpose(order) if array.ndim == len(order) else None


def check_dim(operator: str, dim: Any, ndim: int) -> int:
    """``dim`` as a non-negative index; 0-d tensors accept 0 and -1.

    Raises:
        TypeError: not an integer.
        IndexError: out of range.
    """
    if type(dim) is not int:
        if not isinstance(dim, (int, np.integer, Tensor)) or isinstance(dim, bool):
            raise TypeError(f"{operator}(): argument 'dim' must be int, not {type(dim).__name__}")
        dim = dim.__index__()
    bound = ndim or 1
    if not -bound <= dim < bound:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-bound}, {bound - 1}], but got {dim})")
    return dim % bound


# Classes that say they are from `autograd`: doctest would pass them over.
__test__ = {"Tensor": Tensor}
