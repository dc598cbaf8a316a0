"""Tensors that keep no array of their own shape, but numbers and beside them what says where these belong.

Sparse tensors keep a value for each place, nested ones the elements of tensors of many sizes one behind another, masked
ones elements of which only some count. Their operators take the numbers, which are an ordinary tensor, compute with
them by ordinary rows, and put the results where they belong: the graph of the numbers is the graph of the tensor, and
none of these operators needs a gradient rule of its own. Two nodes stand where the one becomes the other:
`NumbersNode` takes a gradient of the tensor's own kind back to it, and a node of each kind's own the other way.

Whoever asks for the plain array gets a `StructureError`; where an operator as a whole is known, that error finds what
the tensor's kind does instead, in the table `Operators` of that kind.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from .. import dtypes
from ..dtypes import from_numpy_dtype
from ..graph import Leaf, Node, is_recording, state
from ..rows import deferred
from ..tensor import StructureError, Tensor, TensorNode, history_of, set_node, shared_counter, wrap

__all__ = ["Operators", "StructuredTensor", "hand_on", "history_notes", "numbers_of", "plain", "refuse_batch"]

ndarray = np.ndarray


class Operators:
    """What the operators do that know one kind of tensors.

    Args:
        family: the prefix of the families (`rows.deferred`) whose modules register them.
        remedy: what an error tells the user to do instead.
        error: what is raised where an operator does not know such tensors.
    """

    def __init__(self, family: str, remedy: str, error: type[Exception] = NotImplementedError) -> None:
        self.family, self.remedy, self.error = family, remedy, error
        self.known: dict[str, Callable[..., Any]] = {}

    def __call__(self, *names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorator: what the operators of these names do where an argument is of this kind."""

        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            self.known.update(dict.fromkeys(names, function))
            return function

        return register

    def otherwise(self, name: str, function: Callable[..., Any]) -> Callable[..., Any] | None:
        """What an operator does that nobody registered, and that is ``function`` for dense tensors."""
        return None

    def call(
        self, kind: type, name: str, args: Sequence[Any], kwargs: dict[str, Any], function: Callable[..., Any]
    ) -> Any:
        """The result of an operator of which an argument is of this kind.

        Raises:
            NotImplementedError: (or `error`) it does not know such tensors.
        """
        for family in deferred.FAMILIES:
            if family.startswith(self.family):
                deferred.load(family)
        known = self.known.get(name) or self.otherwise(name, function)
        if known is None:
            raise self.error(f"{name}() is not implemented for {kind.described}; {self.remedy}")  # type: ignore[attr-defined]  # a StructuredTensor's
        return known(*args, **kwargs)


class StructuredTensor(Tensor):
    """What the kinds of tensors without an array of their own shape have in common."""

    __slots__ = ("_numbers",)

    _numbers: ndarray

    operators: ClassVar[Operators]
    described: ClassVar[str]  # how an error calls tensors of this kind
    content: ClassVar[tuple[str, ...]]  # the slots that `become` takes over
    _is_structured = True
    # So that `ndarray + tensor` is left to the tensor.
    __array_ufunc__ = None

    @property
    def _array(self) -> Any:  # type: ignore[override]  # a slot of Tensor
        raise StructureError(type(self), f"not implemented for {self.described}; {self.operators.remedy}")

    def like(self, numbers: Tensor) -> Any:
        """Other numbers that belong where this tensor's do."""
        raise NotImplementedError  # each kind has its own

    def through(self, rules: Callable[[Any], Sequence[Any]]) -> Sequence[Any]:
        """What the rules of an elementwise operator make of this gradient."""
        return rules(self)

    def plus(self, other: Tensor) -> Tensor:
        """The sum of two gradients, of which this is one."""
        return other + self

    def absent(self, zeros: Tensor) -> Tensor:
        """The gradient, ``zeros``, of an output that took no part, where another output's is this."""
        return zeros

    def _values(self) -> Tensor:
        """The numbers, in the tensor's own memory and outside the graph."""
        result = wrap(self._numbers)
        result._counter = shared_counter(self)
        return result

    # --- Facts ---------------------------------------------------------------------------------------------------

    @property
    def dtype(self) -> dtypes.dtype:
        return from_numpy_dtype(self._numbers.dtype)

    def element_size(self) -> int:
        return self._numbers.itemsize

    itemsize = property(element_size)

    def is_floating_point(self) -> bool:
        return self.dtype.is_floating_point

    def is_complex(self) -> bool:
        return self.dtype.is_complex

    def is_signed(self) -> bool:
        return self.dtype.is_signed

    def is_shared(self) -> bool:
        return False

    def __format__(self, spec: str) -> str:
        return object.__format__(self, spec)

    # --- History -------------------------------------------------------------------------------------------------

    def detach(self) -> Any:
        return self.like(self._values())

    def _set_data(self, value: Tensor) -> None:
        if getattr(value, "content", None) != self.content:
            raise RuntimeError(
                f"data set to a {type(value).__name__}: {self.described} take what is of their own kind and layout"
            )
        for slot in self.content:
            setattr(self, slot, getattr(value, slot))

    data = property(detach, _set_data)

    def detach_(self) -> Any:
        self._node = None
        return self

    def refuse_leaf(self, operator: str) -> None:
        """Raises where an in-place operator would write to a leaf that requires grad, while recording."""
        if state.grad and isinstance(self._node, Leaf):
            raise RuntimeError(
                f"a leaf Variable that requires grad is being used in an in-place operation. ({operator})"
            )

    def become(self, other: Any, operator: str) -> Any:
        """Takes the content and the history of ``other``: what an in-place operator does.

        Raises:
            RuntimeError: a leaf that requires grad, while recording.
        """
        self.refuse_leaf(operator)
        for slot in self.content:
            setattr(self, slot, getattr(other, slot))
        if other._node is not None:
            set_node(self, other._node)
        return self

    def overwrite(self, other: Any, operator: str) -> Any:
        """Takes the result of an in-place operator, in its own dtype."""
        return self.become(other if other.dtype is self.dtype else other.to(self.dtype), operator)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError("Only Tensors created explicitly by the user support the deepcopy protocol; detach() it")
        if id(self) not in memo:
            result = memo[id(self)] = self.like(wrap(self._numbers.copy(order="K")))
            result.requires_grad_(self.requires_grad)
            if self.grad is not None:
                result.grad = copy.deepcopy(self.grad, memo)
        return memo[id(self)]


# --- Between a tensor and its numbers --------------------------------------------------------------------------------


class NumbersNode(TensorNode):
    """The numbers of a tensor: their gradient, where they belong."""

    __slots__ = ("pattern", "title")

    def __init__(self, tensor: StructuredTensor, title: str) -> None:
        super().__init__((tensor._node,))
        self.pattern, self.title = tensor.like(tensor._values()), title
        del self.pattern._numbers  # it says where numbers belong: these live no longer than some rule saved them

    def vjp(self, g: Any) -> Sequence[Any]:
        return (self.pattern.like(g if isinstance(g, Tensor) else wrap(g.copy())),)

    def name(self) -> str:
        return self.title


def hand_on(out: Tensor, node: Node) -> None:
    """Makes the node that of ``out``; a tangent is handed on like the value."""
    out._node = node
    if state.push is not None:
        from ..forward_ad import push_identity

        push_identity(out, node)


def numbers_of(tensor: StructuredTensor, title: str = "ValuesBackward0") -> Tensor:
    """The numbers with their place in the graph."""
    result = tensor._values()
    if tensor._node is not None and is_recording():
        hand_on(result, NumbersNode(tensor, title))
    return result


def plain(tensors: Sequence[Tensor]) -> list[Tensor]:
    """The tensors; where they are nested, their numbers, in the same memory and outside the graph."""
    return [tensor._values() if tensor.is_nested else tensor for tensor in tensors]


def refuse_batch(tensor: Tensor, kind: str) -> None:
    """Raises inside of `vmap`, where a tensor has no numbers of its own."""
    if not isinstance(tensor._array, ndarray):
        raise RuntimeError(f"vmap: a {kind} tensor cannot be one example of a batch; make it outside of vmap")


def history_notes(tensor: Tensor) -> list[str]:
    """What a printed tensor says of its history."""
    node = history_of(tensor)
    if node is None:
        return []
    return ["requires_grad=True" if isinstance(node, Leaf) else f"grad_fn=<{node.name()}>"]
