"""LeNet: the convolutional network for handwritten digits. LeCun et al. (1998), with ReLU and max-pooling."""

from __future__ import annotations

from autograd.tensor import Tensor

from ..activation import ReLU
from ..container import Sequential
from ..conv import Conv2d
from ..flatten import Flatten
from ..linear import Linear
from ..module import Module
from ..pooling import MaxPool2d

__all__ = ["LeNet"]

MAPS = (20, 50)
HIDDEN = 500


class LeNet(Module):
    """Two convolutions with pooling, then two linear layers.

    ============  ==========  =============
    layer         kernel      output (28)
    ============  ==========  =============
    input                     28 x 28 x 1
    convolution   5 x 5       24 x 24 x 20
    max-pooling   2 x 2       12 x 12 x 20
    convolution   5 x 5       8 x 8 x 50
    max-pooling   2 x 2       4 x 4 x 50
    linear                    500
    linear                    ``num_classes``
    ============  ==========  =============

    ReLU follows the first linear layer and each pooling. Images of fewer than 16 pixels would be used up by 5 x 5
    kernels: there, kernels are 3 x 3 with a padding of 1, which keeps the size, so that only pooling shrinks the
    image. An 8 x 8 digit goes 8 → 4 → 2.

    Args:
        num_classes: number of outputs.
        image_size: height and width of the images: 16 or more; or 4 to 15.

    Shape:
        - Input: ``(N, 1, image_size, image_size)``
        - Output: ``(N, num_classes)``, logits

    Raises:
        ValueError: ``num_classes`` is not positive, or images too small to be pooled twice.

    >>> import autograd, nn
    >>> nn.models.LeNet()(autograd.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(self, num_classes: int = 10, image_size: int = 28) -> None:
        if not isinstance(num_classes, int) or num_classes < 1:
            raise ValueError(f"LeNet: num_classes must be a positive int, but got {num_classes!r}")
        if not isinstance(image_size, int) or image_size < 4:
            raise ValueError(
                f"LeNet: image_size must be an int of at least 4, to be pooled twice, but got {image_size!r}"
            )
        super().__init__()
        self.image_size = image_size
        kernel, padding = (5, 0) if image_size >= 16 else (3, 1)
        side, channels, layers = image_size, 1, []
        for maps in MAPS:
            layers += [Conv2d(channels, maps, kernel, padding=padding), MaxPool2d(2), ReLU()]
            side, channels = (side + 2 * padding - kernel + 1) // 2, maps
        self.features = Sequential(*layers)
        self.classifier = Sequential(
            Flatten(), Linear(channels * side * side, HIDDEN), ReLU(), Linear(HIDDEN, num_classes)
        )

    def forward(self, input: Tensor) -> Tensor:
        if input.ndim != 4 or tuple(input.shape[1:]) != (1, self.image_size, self.image_size):
            raise ValueError(
                f"LeNet: expected images of shape (N, 1, {self.image_size}, {self.image_size}), but got "
                f"{tuple(input.shape)}; pass image_size= for other square images"
            )
        return self.classifier(self.features(input))
