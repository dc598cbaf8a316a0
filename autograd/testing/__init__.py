"""Tests for gradients and tensors: `gradcheck` and `gradgradcheck` as in torch.autograd, `assert_close` and
`make_tensor` as in torch.testing.
"""

from .comparison import assert_close, make_tensor
from .gradients import GradcheckError, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "assert_close", "gradcheck", "gradgradcheck", "make_tensor"]
