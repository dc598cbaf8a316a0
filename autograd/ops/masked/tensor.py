"""Masked tensors: elements, and beside each whether it counts. See `ops.structured` for what they share with others."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ... import dtypes
from ...dtypes import Size
from ...graph import Node, is_recording
from ...kernels.memory import is_root
from ...rows.public import NAMESPACES, function
from ...tensor import Tensor, TensorNode, check_dim, node_of, shared_counter, wrap
from ..sparse.tensor import SparseTensor, at_places, is_sparse
from ..structured import Operators, StructuredTensor, hand_on, numbers_of, refuse_batch

__all__ = ["MaskedTensor", "closed", "elements_of", "is_masked_tensor", "on_masked", "open_to_masks"]

ndarray = np.ndarray
DTYPES = (
    *(dtypes.float16, dtypes.float32, dtypes.float64),
    *(dtypes.bool, dtypes.int8, dtypes.int16, dtypes.int32, dtypes.int64),
)


class MaskedOperators(Operators):
    """What operators do that know masked tensors: by name, or by the way in which many do alike.

    Attributes:
        ways: name -> a function of the operator itself and of its arguments.
    """

    def __init__(self) -> None:
        super().__init__("masked.", "take get_data() or to_tensor(value) first", TypeError)
        self.ways: dict[str, Callable[..., Any]] = {}

    def otherwise(self, name: str, function: Callable[..., Any]) -> Callable[..., Any] | None:
        way = self.ways.get(name)
        return way and functools.partial(way, function)


on_masked = MaskedOperators()


class MaskedTensor(StructuredTensor):
    """A tensor of which only the elements count whose ``mask`` is True; made like `masked_tensor`.

    Args:
        data: a tensor, dense or sparse. It is copied, and so is its mask.
        mask: bools of the same shape and layout.
        requires_grad: record operators on the result.
    """

    __slots__ = ("_mask",)

    _mask: Tensor

    described = "masked tensors"
    operators = on_masked
    content = ("_numbers",)

    def __new__(cls, data: Tensor, mask: Tensor, requires_grad: bool = False) -> MaskedTensor:
        elements, mask = _checked(data, mask)
        return _leaf(wrap(elements._array.copy(order="K")), mask, requires_grad)

    def like(self, numbers: Tensor) -> MaskedTensor:
        """Other elements that count where this tensor's do."""
        return numbers if isinstance(numbers, MaskedTensor) else closed(numbers, self._mask)

    def through(self, rules: Any) -> Sequence[Any]:
        """Gradients that the rules of an elementwise operator make of this one, masked as it is."""
        constant = functools.partial(np.full_like, self._numbers)
        made = [g if g is None or isinstance(g, Tensor) else wrap(constant(g)) for g in rules(elements_of(self))]
        return [g if g is None else open_to_masks(g, self._mask) for g in made]

    def plus(self, other: Tensor) -> Tensor:
        if is_sparse(self._mask) or (is_masked_tensor(other) and self._mask.equal(other._mask)):
            return super().plus(other)
        if not is_masked_tensor(other):
            return self.to_tensor(0) + other
        return closed(self.to_tensor(0) + other.to_tensor(0), self._mask | other._mask)

    def absent(self, zeros: Tensor) -> Tensor:
        return closed(zeros, wrap(np.zeros(zeros.shape, np.bool_)))

    # --- Parts ---------------------------------------------------------------------------------------------------

    def get_data(self) -> Tensor:
        """The elements that count and those that do not, in the tensor's own memory. Back comes a masked gradient."""
        numbers = numbers_of(self, "GetDataBackward")
        return self._mask.like(numbers) if is_sparse(self._mask) else numbers

    def get_mask(self) -> Tensor:
        """For each element whether it counts."""
        return self._mask

    def to_tensor(self, value: Any) -> Tensor:
        """The elements, with ``value`` in the place of those that do not count."""
        return self.get_data().masked_fill(self._mask.bitwise_not(), value)

    def to_dense(self, dtype: Any = None) -> MaskedTensor:
        """The same elements with a place for each; those that had no place do not count."""
        dense = closed(self.get_data().to_dense(), self._mask.to_dense()) if is_sparse(self._mask) else self
        return dense if dtype is None else dense.to(dtype)

    def to_sparse(self, *, layout: dtypes.layout = dtypes.sparse_coo) -> MaskedTensor:
        """The elements that count, in coordinate form, or in the form ``layout``."""
        if self.layout is layout:
            return self
        if is_sparse(self._mask):
            return self.to_dense().to_sparse(layout=layout)
        mask = self._mask.to_sparse(layout=layout)
        return closed(at_places(self.get_data(), mask._places), mask)

    to_sparse_coo = to_sparse

    def to_sparse_csr(self) -> MaskedTensor:
        """The elements of a matrix that count, in compressed rows.

        Raises:
            ValueError: not a matrix.
        """
        if self.ndim != 2:
            raise ValueError(
                f"Only 2D tensors can be converted to the SparseCsr layout but got shape: {list(self.shape)}"
            )
        return self.to_sparse(layout=dtypes.sparse_csr)

    # --- Facts ---------------------------------------------------------------------------------------------------

    @property
    def layout(self) -> dtypes.layout:  # type: ignore[override]  # a constant of Tensor
        return self._mask.layout

    @property
    def is_sparse(self) -> bool:  # type: ignore[override]  # likewise
        return is_sparse(self._mask)

    def is_sparse_coo(self) -> bool:
        """Whether the elements are kept in coordinate form."""
        return self.layout is dtypes.sparse_coo

    def is_sparse_csr(self) -> bool:  # type: ignore[override]  # a method here, as in PyTorch
        """Whether the elements are kept in compressed rows."""
        return self.layout is dtypes.sparse_csr

    @property
    def shape(self) -> Size:
        return self._mask.shape

    def size(self, dim: int | None = None) -> Any:
        return self._mask.size(dim)

    @property
    def ndim(self) -> int:
        return self._mask.ndim

    def dim(self) -> int:
        return self._mask.ndim

    ndimension = dim

    def numel(self) -> int:
        return self._mask.numel()

    nelement = numel

    def __len__(self) -> int:
        return len(self._mask)

    def is_same_size(self, other: Tensor) -> bool:
        return self.shape == other.shape

    def stride(self, dim: int | None = None) -> Any:
        steps = wrap(np.empty(self.shape, np.bool_)).stride()
        return steps if dim is None else steps[check_dim("stride", dim, self.ndim)]

    def storage_offset(self) -> int:
        return 0

    def is_contiguous(self, memory_format: Any = dtypes.contiguous_format) -> bool:
        if is_sparse(self._mask):
            raise ValueError("MaskedTensors with sparse data do not have is_contiguous; convert with to_dense() first")
        return self._values().is_contiguous(memory_format)

    # --- Elements ------------------------------------------------------------------------------------------------

    def detach(self) -> MaskedTensor:
        return self.like(wrap(self._numbers.copy(order="K")))

    data = property(detach)

    def __getitem__(self, index: Any) -> Any:
        return open_to_masks(elements_of(self, whole=True)[index], self._mask[index])

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("elements of a masked tensor cannot be assigned to; use where(), or make another masked tensor")

    def __iter__(self) -> Any:
        return iter([self[i] for i in range(len(self))])

    def item(self) -> Any:
        """The one element as a Python number.

        Raises:
            ValueError: it does not count.
        """
        data = self.get_data().item()
        if not self._mask.item():
            raise ValueError("item(): the element is masked out; to_tensor(value).item() gives a value in its place")
        return data

    _scalar = item

    def __bool__(self) -> bool:
        return bool(self.item())

    def numpy(self, *, force: bool = False) -> ndarray:
        raise RuntimeError(".numpy() is not supported for masked tensors; use to_tensor(value).numpy()")

    def tolist(self) -> Any:
        raise RuntimeError(".tolist() is not supported for masked tensors; use to_tensor(value).tolist()")

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _leaf, (self._values(), self._mask, self.requires_grad)

    def __repr__(self, **options: Any) -> str:  # type: ignore[override]  # Tensor's has options by name
        dense: Any = self.detach().to_dense()
        elements, mask = dense._numbers, dense._mask._array
        if not elements.ndim:
            return f"MaskedTensor({_printed(elements.item()) if mask else '--'}, {bool(mask)})"
        return f"MaskedTensor(\n{_indented(_lines(elements, mask))}\n)"


NAMESPACES["masked"]["MaskedTensor"] = MaskedTensor


def _printed(element: Any) -> str:
    return f"{element:8.4f}" if isinstance(element, float) else str(element)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))


def _lines(elements: ndarray, mask: ndarray) -> str:
    if elements.ndim > 1:
        parts = [_indented(_lines(part, kept)) for part, kept in zip(elements, mask, strict=True)]
        return "[\n" + ",\n".join(parts) + "\n]"
    words = [_printed(element) for element in elements.tolist()]
    width = max((len(word) if kept else 8 for word, kept in zip(words, mask, strict=True)), default=0)
    return "[" + ", ".join(w if kept else "--".rjust(width) for w, kept in zip(words, mask, strict=True)) + "]"


# --- How they are made -----------------------------------------------------------------------------------------------


class ConstructorNode(TensorNode):
    """Elements that became a masked tensor's: of a masked gradient its elements."""

    __slots__ = ()

    def __init__(self, elements: Node) -> None:
        super().__init__((elements,))

    def vjp(self, g: Any) -> Sequence[Any]:
        if not is_masked_tensor(g):
            return (g,)
        found = numbers_of(g)
        return (found if is_recording() else found._array,)

    def name(self) -> str:
        return "ConstructorBackward"


def _check_dtypes(elements: Tensor, mask: Tensor) -> None:
    if mask.dtype is not dtypes.bool:
        raise TypeError(f"mask must have dtype bool, but has {mask.dtype}; convert it with .bool()")
    if elements.dtype not in DTYPES:
        raise TypeError(f"{elements.dtype} is not supported in MaskedTensor; convert with .float()")


def _build(elements: Tensor, mask: Tensor) -> MaskedTensor:
    """The masked tensor of these elements, outside of the graph; it shares no memory with other tensors' masks.

    Raises:
        TypeError: a dtype that masked tensors or masks do not have.
    """
    _check_dtypes(elements, mask)
    refuse_batch(elements, "masked")
    result: Any = object.__new__(MaskedTensor)
    array = elements._array
    result._numbers = array if is_root(array) and array.flags.writeable else array.copy(order="K")
    result._mask = mask.clone()
    result._view = result._node = None
    result._counter = shared_counter(elements) if result._numbers is array else None
    return result


def _leaf(elements: Tensor, mask: Tensor, requires_grad: bool) -> MaskedTensor:
    result = _build(elements, mask)
    if requires_grad:
        result.requires_grad_()
    return result


def closed(elements: Tensor, mask: Tensor) -> MaskedTensor:
    """The masked tensor of these elements, whose own history knows nothing of masks."""
    node = node_of(elements)
    if node is None or not is_recording():
        return _build(elements, mask)
    # A copy, so that writing to the result does not change what the history saved.
    result = _build(wrap(elements._array.copy(order="K")), mask)
    hand_on(result, ConstructorNode(node))
    return result


def open_to_masks(data: Tensor, mask: Tensor) -> MaskedTensor:
    """The masked tensor of this data, dense or sparse. The history of what is dense becomes its own: masked gradients
    go back through it."""
    if is_sparse(mask):
        return closed(numbers_of(data) if isinstance(data, SparseTensor) else data, mask)
    result = _build(data, mask)
    result._node = node_of(data)
    return result


def elements_of(tensor: MaskedTensor, whole: bool = False) -> Tensor:
    """The elements for an operator whose result is `open_to_masks`; of a sparse tensor the values, unless the
    ``whole`` is asked for."""
    if is_sparse(tensor._mask):
        return tensor.get_data() if whole else numbers_of(tensor)
    result = tensor._values()
    result._node = tensor._node
    return result


def _checked(data: Any, mask: Any) -> tuple[Tensor, Tensor]:
    """The elements and the mask that make a masked tensor, after all checks."""
    for name, given in (("data", data), ("mask", mask)):
        if is_masked_tensor(given) or not isinstance(given, Tensor):
            raise TypeError(f"{name} must be a Tensor, but is {type(given).__name__}")
    if data.layout is not mask.layout:
        raise TypeError(f"data and mask must have the same layout, but have {data.layout} and {mask.layout}")
    _check_dtypes(data, mask)
    if data.dim() != mask.dim():
        raise ValueError(f"data.dim() must equal mask.dim(), but {data.dim()} != {mask.dim()}")
    if data.shape != mask.shape:
        raise ValueError(f"data.size() must equal mask.size(), but {list(data.shape)} != {list(mask.shape)}")
    warnings.warn(
        "The PyTorch API of MaskedTensors is in prototype stage: it may change, and with it what is here.",
        UserWarning,
        stacklevel=3,
    )
    if data.requires_grad:
        warnings.warn(
            "It is not recommended to create a MaskedTensor with a tensor that requires_grad: use its detach(), or "
            "as_masked_tensor() to keep its history.",
            UserWarning,
            stacklevel=3,
        )
    if not isinstance(data, SparseTensor) or not isinstance(mask, SparseTensor):
        return data, mask
    if data.layout is dtypes.sparse_coo:
        data, mask = data.coalesce(), mask.coalesce()
    if data._nnz() != mask._nnz():
        return at_places(data, mask._places), mask
    if not np.array_equal(data._places, mask._places):
        raise ValueError(f"data and mask are both tensors of {data.layout}, but do not have the same indices")
    return numbers_of(data), mask


@function(home="masked")
def masked_tensor(data: Tensor, mask: Tensor, requires_grad: bool = False) -> MaskedTensor:
    """A tensor of which only the elements count whose ``mask`` is True: a leaf, with copies of both.

    Args:
        data: any shape, dense or sparse.
        mask: bools of the same shape and layout.
        requires_grad: record operators on the result.

    Raises:
        TypeError: no tensors, another layout, a mask that is not bool, or a dtype without masked tensors.
        ValueError: another shape, or sparse tensors with other indices.

    >>> import autograd, warnings
    >>> warnings.simplefilter("ignore")
    >>> x = autograd.masked.masked_tensor(autograd.tensor([1.0, 2.0, 4.0]), autograd.tensor([True, False, True]))
    >>> x * 2
    MaskedTensor(
      [  2.0000,       --,   8.0000]
    )
    >>> x.sum()
    MaskedTensor(  5.0000, True)
    """
    return MaskedTensor(data, mask, requires_grad)


@function(home="masked")
def as_masked_tensor(data: Tensor, mask: Tensor) -> MaskedTensor:
    """The masked tensor of copies of ``data`` and ``mask`` that keeps the history of ``data``, to which a masked
    gradient comes back.

    Raises:
        TypeError, ValueError: as `masked_tensor` does.

    >>> import autograd, warnings
    >>> warnings.simplefilter("ignore")
    >>> x = autograd.tensor([1.0, 2.0, 4.0], requires_grad=True)
    >>> autograd.masked.as_masked_tensor(x**2, autograd.tensor([True, False, True])).sum().backward()
    >>> x.grad
    MaskedTensor(
      [  2.0000,       --,   8.0000]
    )
    """
    elements, mask = _checked(data, mask)
    return open_to_masks(elements.clone(), mask)


@function(home="masked")
def is_masked_tensor(obj: Any, /) -> bool:
    """Whether it is a masked tensor.

    >>> import autograd
    >>> autograd.masked.is_masked_tensor(autograd.ones(2))
    False
    """
    return isinstance(obj, MaskedTensor)
