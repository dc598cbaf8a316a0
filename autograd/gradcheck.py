"""PyTorch's path to gradient checks. As there, ``autograd.gradcheck`` is the function, too: one calls the module."""

import sys
import types
from typing import Any

from .testing import GradcheckError, gradcheck, gradgradcheck

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class _CallableModule(types.ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> bool:
        return gradcheck(*args, **kwargs)


sys.modules[__name__].__class__ = _CallableModule
