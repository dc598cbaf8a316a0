"""GoogLeNet: convolutions of several sizes side by side."""

from __future__ import annotations

from typing import Any, NamedTuple

import autograd
from autograd.tensor import Tensor

from .. import init
from ..activation import ReLU
from ..adaptive_pooling import AdaptiveAvgPool2d
from ..batchnorm import BatchNorm2d
from ..container import Sequential
from ..conv import Conv2d
from ..dropout import Dropout
from ..linear import Linear
from ..module import Module
from ..pooling import MaxPool2d

__all__ = ["GoogLeNet", "GoogLeNetOutputs"]

# Maps of each inception: 1 x 1; 3 x 3 after a reduction; the second 3 x 3 after a reduction; after the pooling.
INCEPTIONS = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


class GoogLeNetOutputs(NamedTuple):
    """Logits while training: of the network, and of the two classifiers on the way, whose losses count 0.3 each."""

    logits: Tensor
    aux_logits2: Tensor | None
    aux_logits1: Tensor | None


class BasicConv2d(Module):
    """A convolution without bias, batch normalization, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, **options: Any) -> None:
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, bias=False, **options)
        self.bn = BatchNorm2d(out_channels, eps=0.001)
        self.relu = ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.relu(self.bn(self.conv(x)))


class Inception(Module):
    """Four branches, whose maps are put side by side: 1 x 1, two of 3 x 3 after a narrowing 1 x 1, and a pooling."""

    def __init__(self, inputs: int, one: int, narrow2: int, wide2: int, narrow3: int, wide3: int, pooled: int) -> None:
        super().__init__()
        self.branch1 = BasicConv2d(inputs, one, kernel_size=1)
        self.branch2 = Sequential(
            BasicConv2d(inputs, narrow2, kernel_size=1), BasicConv2d(narrow2, wide2, kernel_size=3, padding=1)
        )
        # The paper has 5 x 5 here; torchvision's published weights are for 3 x 3.
        self.branch3 = Sequential(
            BasicConv2d(inputs, narrow3, kernel_size=1), BasicConv2d(narrow3, wide3, kernel_size=3, padding=1)
        )
        self.branch4 = Sequential(
            MaxPool2d(3, stride=1, padding=1, ceil_mode=True), BasicConv2d(inputs, pooled, kernel_size=1)
        )

    def forward(self, x: Tensor) -> Tensor:
        return autograd.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class InceptionAux(Module):
    """A classifier in the middle of the network, which brings gradients to its first half."""

    def __init__(self, in_channels: int, num_classes: int, dropout: float) -> None:
        super().__init__()
        self.avgpool = AdaptiveAvgPool2d((4, 4))
        self.conv = BasicConv2d(in_channels, 128, kernel_size=1)
        self.fc1 = Linear(2048, 1024)
        self.relu = ReLU(inplace=True)
        self.fc2 = Linear(1024, num_classes)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(self.avgpool(x)).flatten(1)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(Module):
    """Nine inceptions, 22 layers deep: Szegedy et al., "Going Deeper with Convolutions" (2014).

    With batch normalization; names and shapes are torchvision's, so that weights trained there load here.

    Args:
        num_classes: number of outputs.
        aux_logits: whether there are the two classifiers on the way, used while training.
        dropout: probability of a zero before the last layer.
        dropout_aux: the same of the classifiers on the way.
        init_weights: draw weights from a truncated normal distribution of deviation 0.01.

    Shape:
        - Input: ``(N, 3, H, W)``, from 15 pixels on
        - Output: ``(N, num_classes)``, logits; `GoogLeNetOutputs` in training with ``aux_logits``

    >>> import nn
    >>> sum(p.numel() for p in nn.models.GoogLeNet(aux_logits=False, init_weights=False).parameters())
    6624904
    """

    def __init__(
        self,
        num_classes: int = 1000,
        aux_logits: bool = True,
        dropout: float = 0.2,
        dropout_aux: float = 0.7,
        init_weights: bool = True,
    ) -> None:
        super().__init__()
        self.aux_logits = aux_logits
        self.conv1 = BasicConv2d(3, 64, kernel_size=7, stride=2, padding=3)
        self.maxpool1 = MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2 = BasicConv2d(64, 64, kernel_size=1)
        self.conv3 = BasicConv2d(64, 192, kernel_size=3, padding=1)
        self.maxpool2 = MaxPool2d(3, stride=2, ceil_mode=True)
        for place, sizes in INCEPTIONS.items():
            self.add_module(f"inception{place}", Inception(*sizes))
            if place == "3b":
                self.maxpool3 = MaxPool2d(3, stride=2, ceil_mode=True)
            elif place == "4e":
                self.maxpool4 = MaxPool2d(2, stride=2, ceil_mode=True)
        self.aux1 = InceptionAux(512, num_classes, dropout_aux) if aux_logits else None
        self.aux2 = InceptionAux(528, num_classes, dropout_aux) if aux_logits else None
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.dropout = Dropout(dropout)
        self.fc = Linear(1024, num_classes)
        if init_weights:
            for module in self.modules():
                if isinstance(module, (Conv2d, Linear)):
                    init.trunc_normal_(module.weight, mean=0.0, std=0.01, a=-2, b=2)

    def forward(self, x: Tensor) -> Tensor | GoogLeNetOutputs:
        x = self.maxpool1(self.conv1(x))
        x = self.maxpool2(self.conv3(self.conv2(x)))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        x = self.inception4a(x)
        aux1 = self.aux1(x) if self.aux1 is not None and self.training else None
        x = self.inception4d(self.inception4c(self.inception4b(x)))
        aux2 = self.aux2(x) if self.aux2 is not None and self.training else None
        x = self.maxpool4(self.inception4e(x))
        x = self.inception5b(self.inception5a(x))
        logits = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return GoogLeNetOutputs(logits, aux2, aux1) if self.training and self.aux_logits else logits
