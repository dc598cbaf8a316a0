"""Vectors for integers."""

from __future__ import annotations

from typing import Any

import autograd
from autograd.tensor import Tensor

from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


def _row(layer: str, padding_idx: int | None, rows: int) -> int | None:
    """The row of the padding, counted from the start."""
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise AssertionError(f"{layer}: padding_idx={padding_idx} must be within num_embeddings={rows}")
    return padding_idx % rows


def _check_table(layer: str, table: Tensor, rows: int, columns: int) -> None:
    if tuple(table.shape) != (rows, columns):
        raise AssertionError(
            f"{layer}: weight has shape {tuple(table.shape)}, but the sizes given say {(rows, columns)}"
        )


def _table_shape(embeddings: Tensor) -> tuple[int, int]:
    if embeddings.dim() != 2:
        raise AssertionError(
            f"Embeddings parameter is expected to be 2-dimensional, but has shape {tuple(embeddings.shape)}"
        )
    rows, columns = embeddings.shape
    return rows, columns


def _reset(layer: Any) -> None:
    """Draws a new table; the row of the padding is zeros."""
    init.normal_(layer.weight)
    if layer.padding_idx is not None:
        with autograd.no_grad():
            layer.weight.select(0, layer.padding_idx).zero_()


class Embedding(Module):
    """A table of vectors, looked up by index: ``output[..., :] = weight[input[...]]``.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of each vector.
        padding_idx: a row that starts as zeros and gets no gradient; negative counts from the end.
        max_norm: rows that are looked up and longer than this are first scaled down to it, in place.
        norm_type: the p of the norm for ``max_norm``.
        scale_grad_by_freq: divide the gradient of a row by how often it was looked up.
        sparse: the gradient of ``weight`` is a sparse tensor with the rows that were looked up, for `optim.SparseAdam`,
            `optim.SGD` and `optim.Adagrad`.
        device: ``"cpu"``.
        dtype: of the table; the default dtype by default.

    Shape:
        - Input: ``(*)``, integers
        - Output: ``(*, embedding_dim)``

    Attributes:
        weight: ``(num_embeddings, embedding_dim)``, drawn from N(0, 1).

    Raises:
        AssertionError: ``padding_idx`` is no row of the table, or the given weight has another shape.

    >>> import autograd, nn
    >>> nn.Embedding(10, 3)(autograd.tensor([[1, 2], [4, 5]])).shape
    torch.Size([2, 2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = _row("Embedding", padding_idx, num_embeddings)
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            table = autograd.empty((num_embeddings, embedding_dim), device=device, dtype=dtype)
            self.weight = Parameter(table, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            _check_table("Embedding", _weight, num_embeddings, embedding_dim)
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draws a new table."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        if self.sparse:
            text += ", sparse=True"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Embedding:
        """An Embedding around a given table ``(num_embeddings, embedding_dim)``, not trained unless ``freeze=False``.

        Raises:
            AssertionError: the table is not 2-dimensional.
        """
        rows, columns = _table_shape(embeddings)
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            _weight=embeddings,
            _freeze=freeze,
        )


class EmbeddingBag(Module):
    """Sums, means or maxima of the vectors that bags of integers stand for.

    Args:
        num_embeddings: rows of the table.
        embedding_dim: size of each vector.
        max_norm: rows that are looked up and longer than this are first scaled down to it, in place.
        norm_type: the p of the norm for ``max_norm``.
        scale_grad_by_freq: divide the gradient of a row by how often it was looked up; not with ``mode="max"``.
        mode: ``"sum"``, ``"mean"`` or ``"max"``.
        sparse: the gradient of ``weight`` is a sparse tensor; not with ``mode="max"``.
        include_last_offset: the offsets end with the end of the last bag.
        padding_idx: a row that starts as zeros and is left out of the bags; negative counts from the end.
        device: ``"cpu"``.
        dtype: of the table; the default dtype by default.

    Shape:
        - Input: ``(bags, N)`` integers, or ``(N)`` with offsets ``(bags)``
        - Output: ``(bags, embedding_dim)``

    Attributes:
        weight: ``(num_embeddings, embedding_dim)``, drawn from N(0, 1).

    Raises:
        AssertionError: ``padding_idx`` is no row of the table, or the given weight has another shape.

    >>> import autograd, nn
    >>> bags = nn.EmbeddingBag(10, 3, mode="sum")
    >>> bags(autograd.tensor([1, 2, 4, 5]), autograd.tensor([0, 3])).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Tensor | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = _row("EmbeddingBag", padding_idx, num_embeddings)
        if _weight is None:
            self.weight = Parameter(autograd.empty((num_embeddings, embedding_dim), device=device, dtype=dtype))
            self.reset_parameters()
        else:
            _check_table("EmbeddingBag", _weight, num_embeddings, embedding_dim)
            self.weight = Parameter(_weight)
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset

    def reset_parameters(self) -> None:
        """Draws a new table."""
        _reset(self)

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += f", scale_grad_by_freq={self.scale_grad_by_freq}"
        text += f", mode={self.mode!r}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        return text

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> EmbeddingBag:
        """An EmbeddingBag around a given table ``(num_embeddings, embedding_dim)``, trained with ``freeze=False``.

        Raises:
            AssertionError: the table is not 2-dimensional.
        """
        rows, columns = _table_shape(embeddings)
        bag = cls(
            rows,
            columns,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            mode,
            sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
        )
        bag.weight.requires_grad_(not freeze)
        return bag
