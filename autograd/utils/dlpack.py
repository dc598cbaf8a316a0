"""Tensors that share their memory with other libraries: the DLPack protocol under PyTorch's names."""

from .. import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
