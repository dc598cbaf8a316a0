"""Finding the operator behind a wrong gradient: PyTorch's path to what `autograd` offers itself."""

from .graph import detect_anomaly, set_detect_anomaly

__all__ = ["detect_anomaly", "set_detect_anomaly"]
