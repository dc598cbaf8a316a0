"""Weights in safetensors files, which hold nothing but tensors: for exchange with PyTorch and others.

The functions have the names of ``safetensors.torch``. The files are read and written by the package ``safetensors``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from ..files import written_atomically
from ..tensor import Tensor, root_of, wrap

__all__ = ["load_file", "load_model", "save_file", "save_model"]


def load_file(filename: str | os.PathLike[str]) -> dict[str, Tensor]:
    """The tensors of a file by name.

    Raises:
        OSError: the file cannot be read.
        SafetensorError: it is no safetensors file.
    """
    from safetensors.numpy import load_file

    return {name: wrap(array) for name, array in load_file(filename).items()}


def save_file(
    tensors: dict[str, Tensor], filename: str | os.PathLike[str], metadata: dict[str, str] | None = None
) -> None:
    """Writes tensors by name, all of the file or nothing.

    Args:
        tensors: no two of them in the same memory, as the file would hold it twice: see `save_model`.
        filename: the file.
        metadata: texts to keep beside them.

    Raises:
        RuntimeError: tensors that share memory.
        OSError: the file cannot be written.

    >>> import os, tempfile
    >>> import autograd
    >>> from autograd.utils.safetensors import load_file, save_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_file({"weight": autograd.ones(2)}, os.path.join(folder, "model.safetensors"))
    ...     load_file(os.path.join(folder, "model.safetensors"))
    {'weight': tensor([1., 1.])}
    """
    from safetensors.numpy import save

    shared = [names for names in _by_memory(tensors) if len(names) > 1]
    if shared:
        raise RuntimeError(f"Some tensors share memory, which would be written twice: {shared}; use save_model")
    arrays = {name: np.asarray(tensor.detach()._array, order="C") for name, tensor in tensors.items()}
    with written_atomically(Path(filename)) as file:
        file.write(save(arrays, metadata))


def _by_memory(tensors: dict[str, Tensor]) -> list[list[str]]:
    """Names of the tensors, those in the same memory together."""
    groups: dict[int, list[str]] = {}
    for name, tensor in tensors.items():
        groups.setdefault(id(root_of(tensor._array)), []).append(name)
    return list(groups.values())


def save_model(model: Any, filename: str | os.PathLike[str], metadata: dict[str, str] | None = None) -> None:
    """Writes a module's state, of parameters with several names the first only; the others are noted as metadata.

    Raises:
        OSError: the file cannot be written.
    """
    state, notes = model.state_dict(), dict(metadata or {})
    kept = {}
    for first, *others in _by_memory(state):
        kept[first] = state[first]
        notes.update(dict.fromkeys(others, first))
    save_file(kept, filename, notes or None)


def load_model(model: Any, filename: str | os.PathLike[str], strict: bool = True) -> tuple[list[str], list[str]]:
    """Reads a module's state that `save_model` wrote, here or in PyTorch.

    Args:
        model: a module, whose parameters are overwritten.
        filename: the file.
        strict: refuse a file that lacks names or has others.

    Returns:
        Names that the file lacks, and names that the module does not have.

    Raises:
        RuntimeError: with ``strict``, other names; or shapes that differ.
    """
    loaded = load_file(filename)
    own = model.state_dict()
    for names in _by_memory(own):
        present = next((name for name in names if name in loaded), None)
        if present is not None:
            loaded.update({name: loaded[present] for name in names if name not in loaded})
    missing = [name for name in own if name not in loaded]
    unexpected = [name for name in loaded if name not in own]
    if strict and (missing or unexpected):
        raise RuntimeError(
            f"Error(s) in loading state_dict for {type(model).__name__}: missing {missing}, unexpected {unexpected}"
        )
    model.load_state_dict(loaded, strict=False)
    return missing, unexpected
