"""Residual networks: layers that learn what to add to their input."""

from __future__ import annotations

from typing import Any

from autograd.tensor import Tensor

from .. import init
from ..activation import ReLU
from ..adaptive_pooling import AdaptiveAvgPool2d
from ..batchnorm import BatchNorm2d
from ..container import Sequential
from ..conv import Conv2d
from ..linear import Linear
from ..module import Module
from ..pooling import MaxPool2d

__all__ = ["BasicBlock", "Bottleneck", "ResNet", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


class BasicBlock(Module):
    """Two 3 x 3 convolutions, whose result is added to the input.

    Args:
        inplanes: maps of the input.
        planes: maps of the output.
        stride: of the first convolution.
        downsample: brings the input to the output's shape where they differ.

    >>> import autograd
    >>> from nn.models.resnet import BasicBlock
    >>> BasicBlock(8, 8)(autograd.ones(1, 8, 4, 4)).shape
    torch.Size([1, 8, 4, 4])
    """

    expansion = 1

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None) -> None:
        super().__init__()
        self.conv1 = Conv2d(inplanes, planes, 3, stride, padding=1, bias=False)
        self.bn1 = BatchNorm2d(planes)
        self.relu = ReLU(inplace=True)
        self.conv2 = Conv2d(planes, planes, 3, padding=1, bias=False)
        self.bn2 = BatchNorm2d(planes)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + shortcut)


class Bottleneck(Module):
    """A 3 x 3 convolution between two of 1 x 1, which narrow and widen; its result is added to the input.

    Args:
        inplanes: maps of the input.
        planes: maps in the middle; the output has four times as many.
        stride: of the 3 x 3 convolution.
        downsample: brings the input to the output's shape where they differ.
    """

    expansion = 4

    def __init__(self, inplanes: int, planes: int, stride: int = 1, downsample: Module | None = None) -> None:
        super().__init__()
        self.conv1 = Conv2d(inplanes, planes, 1, bias=False)
        self.bn1 = BatchNorm2d(planes)
        self.conv2 = Conv2d(planes, planes, 3, stride, padding=1, bias=False)
        self.bn2 = BatchNorm2d(planes)
        self.conv3 = Conv2d(planes, 4 * planes, 1, bias=False)
        self.bn3 = BatchNorm2d(4 * planes)
        self.relu = ReLU(inplace=True)
        self.downsample = downsample

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.relu(self.bn2(self.conv2(out)))
        return self.relu(self.bn3(self.conv3(out)) + shortcut)


class ResNet(Module):
    """Four stages of residual blocks: He et al., "Deep Residual Learning for Image Recognition" (2015).

    Names and shapes are torchvision's, so that weights trained there load here.

    Args:
        block: `BasicBlock` or `Bottleneck`.
        layers: how many blocks in each of the four stages; from stage to stage the maps double and the sides halve.
        num_classes: number of outputs.
        zero_init_residual: start with blocks that add nothing.

    Shape:
        - Input: ``(N, 3, H, W)``
        - Output: ``(N, num_classes)``, logits

    >>> import autograd, nn
    >>> model = nn.models.ResNet(nn.models.resnet.BasicBlock, [1, 1, 1, 1], num_classes=10)
    >>> model(autograd.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self, block: Any, layers: list[int], num_classes: int = 1000, zero_init_residual: bool = False
    ) -> None:
        super().__init__()
        self.inplanes = 64
        self.conv1 = Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = BatchNorm2d(64)
        self.relu = ReLU(inplace=True)
        self.maxpool = MaxPool2d(3, stride=2, padding=1)
        self.layer1 = self._stage(block, 64, layers[0], 1)
        self.layer2 = self._stage(block, 128, layers[1], 2)
        self.layer3 = self._stage(block, 256, layers[2], 2)
        self.layer4 = self._stage(block, 512, layers[3], 2)
        self.avgpool = AdaptiveAvgPool2d((1, 1))
        self.fc = Linear(512 * block.expansion, num_classes)
        for module in self.modules():
            if isinstance(module, Conv2d):
                init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            elif zero_init_residual and isinstance(module, (BasicBlock, Bottleneck)):
                last = module.bn2 if isinstance(module, BasicBlock) else module.bn3
                init.constant_(last.weight, 0)

    def _stage(self, block: Any, planes: int, count: int, stride: int) -> Sequential:
        outputs = planes * block.expansion
        downsample = None
        if stride != 1 or self.inplanes != outputs:
            downsample = Sequential(Conv2d(self.inplanes, outputs, 1, stride, bias=False), BatchNorm2d(outputs))
        blocks = [block(self.inplanes, planes, stride, downsample)]
        self.inplanes = outputs
        blocks += [block(outputs, planes) for _ in range(count - 1)]
        return Sequential(*blocks)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(self.avgpool(x).flatten(1))


def resnet18(**options: Any) -> ResNet:
    """`ResNet` of 18 layers: 11.7 million parameters."""
    return ResNet(BasicBlock, [2, 2, 2, 2], **options)


def resnet34(**options: Any) -> ResNet:
    """`ResNet` of 34 layers: 21.8 million parameters."""
    return ResNet(BasicBlock, [3, 4, 6, 3], **options)


def resnet50(**options: Any) -> ResNet:
    """`ResNet` of 50 layers: 25.6 million parameters."""
    return ResNet(Bottleneck, [3, 4, 6, 3], **options)


def resnet101(**options: Any) -> ResNet:
    """`ResNet` of 101 layers: 44.5 million parameters."""
    return ResNet(Bottleneck, [3, 4, 23, 3], **options)


def resnet152(**options: Any) -> ResNet:
    """`ResNet` of 152 layers: 60.2 million parameters."""
    return ResNet(Bottleneck, [3, 8, 36, 3], **options)
