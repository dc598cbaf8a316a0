"""What distributions need of `nn.functional`, without the layers of `nn`."""

from ..rows import deferred

__all__ = ["binary_cross_entropy_with_logits", "logsigmoid", "one_hot", "pad", "softplus"]

binary_cross_entropy_with_logits, logsigmoid, one_hot, pad, softplus = (
    deferred.find("nn.functional", name) for name in __all__
)
