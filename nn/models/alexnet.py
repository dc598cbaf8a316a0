"""AlexNet: the network that won ImageNet in 2012."""

from __future__ import annotations

from autograd.tensor import Tensor

from ..activation import ReLU
from ..adaptive_pooling import AdaptiveAvgPool2d
from ..container import Sequential
from ..conv import Conv2d
from ..dropout import Dropout
from ..flatten import Flatten
from ..linear import Linear
from ..module import Module
from ..pooling import MaxPool2d

__all__ = ["AlexNet"]

# year: convolutions as (maps, kernel, stride, padding, whether a pooling follows), side of the last maps
VERSIONS = {
    2012: (((96, 11, 4, 2, True), (256, 5, 1, 2, True), (384, 3, 1, 1, False), (384, 3, 1, 1, False),
            (256, 3, 1, 1, False)), 13),
    2014: (((64, 11, 4, 2, True), (192, 5, 1, 2, True), (384, 3, 1, 1, False), (256, 3, 1, 1, False),
            (256, 3, 1, 1, True)), 6),
}  # fmt: skip


class AlexNet(Module):
    """Five convolutions, then three linear layers: Krizhevsky et al., "ImageNet Classification with Deep Convolutional
    Neural Networks" (2012).

    ============  ==================  =============
    layer         kernel              output
    ============  ==================  =============
    input                             224 x 224 x 3
    convolution   11 x 11, stride 4   55 x 55 x 96
    max-pooling   3 x 3, stride 2     27 x 27 x 96
    convolution   5 x 5, padded       27 x 27 x 256
    max-pooling   3 x 3, stride 2     13 x 13 x 256
    convolution   3 x 3, padded       13 x 13 x 384
    convolution   3 x 3, padded       13 x 13 x 384
    convolution   3 x 3, padded       13 x 13 x 256
    linear        (of 43264)          4096
    linear                            4096
    linear                            ``num_classes``
    ============  ==================  =============

    ReLU follows every layer but the last; dropout stands before the first two linear layers.

    Args:
        num_classes: number of outputs.
        dropout: probability of a zero.
        version: 2012, the table above; or 2014, the narrower network of Krizhevsky, "One weird trick for parallelizing
            convolutional neural networks", with a third pooling: its names and shapes are torchvision's, so that
            weights trained there load here.

    Shape:
        - Input: ``(N, 3, 224, 224)``; in the version of 2014 any images of 63 pixels or more
        - Output: ``(N, num_classes)``, logits

    Raises:
        ValueError: another version.

    >>> import nn
    >>> sum(p.numel() for p in nn.models.AlexNet(version=2014).parameters())
    61100840
    """

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5, version: int = 2012) -> None:
        if version not in VERSIONS:
            raise ValueError(f"AlexNet: version must be one of {tuple(VERSIONS)}, but got {version!r}")
        super().__init__()
        self.version = version
        convolutions, side = VERSIONS[version]
        layers: list[Module] = []
        channels = 3
        for maps, kernel, stride, padding, pooled in convolutions:
            layers += [Conv2d(channels, maps, kernel, stride, padding), ReLU(inplace=True)]
            if pooled:
                layers.append(MaxPool2d(3, 2))
            channels = maps
        self.features = Sequential(*layers)
        self.avgpool = AdaptiveAvgPool2d(side)
        self.flatten = Flatten()
        self.classifier = Sequential(
            Dropout(dropout),
            Linear(channels * side * side, 4096),
            ReLU(inplace=True),
            Dropout(dropout),
            Linear(4096, 4096),
            ReLU(inplace=True),
            Linear(4096, num_classes),
        )

    def forward(self, input: Tensor) -> Tensor:
        return self.classifier(self.flatten(self.avgpool(self.features(input))))
