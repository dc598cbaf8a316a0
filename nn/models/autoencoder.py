"""Auto-encoders: networks that learn to give their input back, and on the way what matters of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import autograd
from autograd.tensor import Tensor

from .. import functional as F
from ..activation import ReLU, Sigmoid
from ..container import Sequential
from ..linear import Linear
from ..module import Module
from .mlp import MLP

__all__ = ["Autoencoder", "DenoisingAutoencoder", "SparseAutoencoder", "VariationalAutoencoder", "VariationalOutput"]


class Autoencoder(Module):
    """An encoder to a code, and a mirrored decoder from it: with a code smaller than the input, a compression.

    With one linear layer each way and squared error, the code spans the space of the principal components.

    Args:
        sizes: features of the input, of each hidden layer, and of the code.
        activation: makes the layers between linear ones.
        output: makes the last layer; None for numbers that are not within [0, 1].

    Shape:
        - Input, output: ``(N, *)`` with ``sizes[0]`` features behind N, the same

    >>> import autograd, nn
    >>> model = nn.models.Autoencoder(784, 64, 16)
    >>> model(autograd.rand(5, 1, 28, 28)).shape, model.encode(autograd.rand(5, 784)).shape
    (torch.Size([5, 1, 28, 28]), torch.Size([5, 16]))
    """

    def __init__(
        self,
        *sizes: int,
        activation: Callable[[], Module] = ReLU,
        output: Callable[[], Module] | None = Sigmoid,
    ) -> None:
        super().__init__()
        self.encoder = MLP(*sizes, activation=activation)
        decoder = MLP(*reversed(sizes), activation=activation)
        self.decoder = decoder if output is None else Sequential(*decoder, output())

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, sizes[-1])."""
        return self.encoder(x.flatten(1))

    def decode(self, code: Tensor) -> Tensor:
        """Reconstructions (N, sizes[0])."""
        return self.decoder(code)

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x)).reshape(x.shape)


class SparseAutoencoder(Autoencoder):
    """An auto-encoder whose code may be larger than its input, but is mostly near zero.

    Without a penalty it could copy its input. `penalty` is the Kullback-Leibler divergence between Bernoulli
    distributions with probabilities ``sparsity`` and each unit's mean: Ng, "Sparse autoencoder" (2011).

    Args:
        sizes: as in `Autoencoder`, with any size of the code, whose units are sigmoid.
        sparsity: the mean to which each unit is drawn, between 0 and 1.
        activation: makes the layers between linear ones.
        output: makes the last layer, or None.

    Shape:
        - Input, output: ``(N, *)``, the same

    Raises:
        ValueError: a sparsity that is no probability.
    """

    def __init__(
        self,
        *sizes: int,
        sparsity: float = 0.05,
        activation: Callable[[], Module] = ReLU,
        output: Callable[[], Module] | None = Sigmoid,
    ) -> None:
        if not 0 < sparsity < 1:
            raise ValueError(f"SparseAutoencoder: sparsity must lie between 0 and 1, but got {sparsity}")
        super().__init__(*sizes, activation=activation, output=output)
        self.sparsity = sparsity

    def encode(self, x: Tensor) -> Tensor:
        """Codes (N, sizes[-1]), between 0 and 1."""
        return super().encode(x).sigmoid()

    def penalty(self, code: Tensor) -> Tensor:
        """``sum_j p log(p / q_j) + (1 - p) log((1 - p) / (1 - q_j))`` with p the sparsity and q_j unit j's mean."""
        p, q = self.sparsity, code.mean(0).clamp(1e-6, 1 - 1e-6)
        return (p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()).sum()


class DenoisingAutoencoder(Autoencoder):
    """An auto-encoder that sees a disturbed input while training and learns to give the clean one back.

    Vincent et al., "Extracting and Composing Robust Features with Denoising Autoencoders" (2008).

    Args:
        sizes: as in `Autoencoder`.
        noise: standard deviation of the normal noise that is added.
        masked: probability with which an element is set to 0.
        activation: makes the layers between linear ones.
        output: makes the last layer, or None.

    Shape:
        - Input, output: ``(N, *)``, the same
    """

    def __init__(
        self,
        *sizes: int,
        noise: float = 0.0,
        masked: float = 0.3,
        activation: Callable[[], Module] = ReLU,
        output: Callable[[], Module] | None = Sigmoid,
    ) -> None:
        if noise < 0 or not 0 <= masked < 1:
            raise ValueError(f"DenoisingAutoencoder: needs noise >= 0 and 0 <= masked < 1, got {noise} and {masked}")
        super().__init__(*sizes, activation=activation, output=output)
        self.noise = noise
        self.masked = masked

    def disturb(self, x: Tensor) -> Tensor:
        """The input with noise and holes."""
        if self.noise:
            x = x + self.noise * autograd.randn_like(x)
        if self.masked:
            x = x * (autograd.rand_like(x) >= self.masked)
        return x

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(self.disturb(x) if self.training else x)


class VariationalOutput(NamedTuple):
    """What `VariationalAutoencoder` returns: logits of the reconstruction, and mean and log-variance of the code."""

    logits: Tensor
    mean: Tensor
    log_variance: Tensor


class VariationalAutoencoder(Module):
    r"""An auto-encoder whose code is a normal distribution: :math:`z = \mu + \sigma \epsilon` with standard normal ε.

    The noise is drawn apart from μ and σ, so that gradients reach both. Kingma and Welling, "Auto-Encoding Variational
    Bayes" (2013).

    Args:
        sizes: features of the input, of each hidden layer, and of the code.
        activation: makes the layers between linear ones.

    Shape:
        - Input: ``(N, *)``, numbers between 0 and 1
        - Output: `VariationalOutput`; logits as the input, mean and log-variance ``(N, sizes[-1])``

    Raises:
        ValueError: fewer than three sizes.

    >>> import autograd, nn
    >>> model = nn.models.VariationalAutoencoder(784, 64, 2)
    >>> x = autograd.rand(5, 784)
    >>> model.loss(x, model(x)).shape, model.sample(3).shape
    (torch.Size([]), torch.Size([3, 784]))
    """

    def __init__(self, *sizes: int, activation: Callable[[], Module] = ReLU) -> None:
        if len(sizes) < 3:
            raise ValueError(f"VariationalAutoencoder needs sizes of input, hidden layers and code, but got {sizes}")
        super().__init__()
        *hidden, code = sizes
        self.encoder = Sequential(*MLP(*hidden, activation=activation), activation())
        self.mean = Linear(hidden[-1], code)
        self.log_variance = Linear(hidden[-1], code)
        self.decoder = MLP(*reversed(sizes), activation=activation)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance of the codes."""
        features = self.encoder(x.flatten(1))
        return self.mean(features), self.log_variance(features)

    def forward(self, x: Tensor) -> VariationalOutput:
        mean, log_variance = self.encode(x)
        code = mean
        if self.training:
            code = mean + (0.5 * log_variance).exp() * autograd.randn_like(mean)
        return VariationalOutput(self.decoder(code).reshape(x.shape), mean, log_variance)

    def loss(self, x: Tensor, output: VariationalOutput) -> Tensor:
        """Minus the evidence lower bound, per example: cross-entropy of the pixels, and the codes' divergence from
        standard normal ones, ``-sum(1 + log s^2 - m^2 - s^2) / 2``."""
        pixels = F.binary_cross_entropy_with_logits(output.logits, x, reduction="sum")
        mean, log_variance = output.mean, output.log_variance
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()
        return (pixels + divergence) / x.shape[0]

    def sample(self, count: int) -> Tensor:
        """New examples from codes drawn from the standard normal distribution: (count, sizes[0])."""
        with autograd.no_grad():
            return self.decoder(autograd.randn(count, self.mean.out_features)).sigmoid()
