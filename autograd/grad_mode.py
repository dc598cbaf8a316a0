"""Whether operators are recorded: PyTorch's path to what `autograd` offers itself."""

from .graph import enable_grad, inference_mode, no_grad, set_grad_enabled, set_multithreading_enabled

__all__ = ["enable_grad", "inference_mode", "no_grad", "set_grad_enabled", "set_multithreading_enabled"]
