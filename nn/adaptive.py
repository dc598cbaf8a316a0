"""Softmax over very many classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import autograd
from autograd.tensor import Tensor

from . import functional as F
from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-softmax whose frequent classes stand in a head and whose rare ones in clusters with smaller projections.

    Most examples need the head alone: its first ``cutoffs[0]`` outputs are classes, each further one stands for a
    cluster, in which the rest of the classes have a softmax of their own. Grave et al., "Efficient softmax
    approximation for GPUs" (2017).

    Args:
        in_features: size of each input sample.
        n_classes: how many classes, the most frequent first.
        cutoffs: where the clusters begin, increasing, between 1 and ``n_classes - 1``.
        div_value: by how much each further cluster's projection is narrower.
        head_bias: whether the head has a bias.
        device: ``"cpu"``.
        dtype: of the parameters; the default dtype by default.

    Shape:
        - Input: ``(N, in_features)`` or ``(in_features,)``
        - Target: ``(N,)`` or ``()``, classes
        - Output: log-probabilities of the targets, ``(N,)`` or ``()``, and ``loss``, minus their mean

    Raises:
        ValueError: cutoffs that are not increasing integers within the classes.

    >>> import autograd, nn
    >>> layer = nn.AdaptiveLogSoftmaxWithLoss(32, 20, cutoffs=[5, 10])
    >>> autograd.allclose(layer.log_prob(autograd.randn(3, 32)).exp().sum(1), autograd.ones(3))
    True
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        bounds = list(cutoffs)
        if not bounds:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if bounds != sorted(set(bounds)) or bounds[0] <= 0 or bounds[-1] >= n_classes or any(c % 1 for c in bounds):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each "
                f"value is between 1 and n_classes-1={n_classes - 1}, but got {bounds}"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*bounds, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = bounds[0]
        self.n_clusters = len(bounds)
        self.head_size = self.shortlist_size + self.n_clusters
        self.head = Linear(in_features, self.head_size, bias=head_bias, device=device, dtype=dtype)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            width = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            narrow = Linear(in_features, width, bias=False, device=device, dtype=dtype)
            self.tail.append(Sequential(narrow, Linear(width, size, bias=False, device=device, dtype=dtype)))

    def reset_parameters(self) -> None:
        """Draws new weights."""
        self.head.reset_parameters()
        for narrow, wide in self.tail:
            narrow.reset_parameters()
            wide.reset_parameters()

    def forward(self, input_: Tensor, target_: Tensor) -> _ASMoutput:
        if target_.dim() > 1:
            raise RuntimeError(f"0D or 1D target tensor expected, multi-target not supported: {list(target_.shape)}")
        if target_.dim() == 1 and input_.size(0) != target_.size(0):
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension, but got "
                f"{list(input_.shape)} and {list(target_.shape)}."
            )
        if input_.dim() != target_.dim() + 1:
            raise RuntimeError(
                f"{target_.dim()}D target tensor expects {target_.dim() + 1}D input tensors, but found inputs with "
                f"size {input_.size()}"
            )
        single = target_.dim() == 0
        input, target = (input_.unsqueeze(0), target_.unsqueeze(0)) if single else (input_, target_)
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{target.min().item()}, {target.max().item()}] were found."
            )
        head = F.log_softmax(self.head(input), dim=1)
        # Where in the head each target is, and what its cluster adds.
        places = target.clone()
        output = input.new_zeros(target.size(0))
        for i, cluster in enumerate(self.tail):
            low, high = self.cutoffs[i], self.cutoffs[i + 1]
            rows = ((target >= low) & (target < high)).nonzero().squeeze(1)
            if rows.numel():
                places[rows] = self.shortlist_size + i
                inside = F.log_softmax(cluster(input[rows]), dim=1).gather(1, (target[rows] - low).unsqueeze(1))
                output = output.index_copy(0, rows, inside.squeeze(1))
        output = output + head.gather(1, places.unsqueeze(1)).squeeze(1)
        return _ASMoutput(output.squeeze(0) if single else output, (-output).mean())

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities of all classes: (N, n_classes)."""
        head = F.log_softmax(self.head(input), dim=1)
        parts = [head[:, : self.shortlist_size]]
        for i, cluster in enumerate(self.tail):
            parts.append(F.log_softmax(cluster(input), dim=1) + head[:, self.shortlist_size + i].unsqueeze(1))
        return autograd.cat(parts, 1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class of each example: (N,); the clusters are looked into only where the head says so."""
        best = self.head(input).argmax(1)
        rows = (best >= self.shortlist_size).nonzero().squeeze(1)
        if rows.numel():
            best[rows] = self.log_prob(input[rows]).argmax(1)
        return best
