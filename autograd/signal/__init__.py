"""Signal processing under PyTorch's names: what it has at ``torch.signal``."""

from __future__ import annotations

from . import windows

__all__ = ["windows"]
