"""The files of `nn.models` on PyTorch: the same source, with PyTorch's layers in place of ours."""

from __future__ import annotations

import importlib
import re
from pathlib import Path
from typing import Any

import nn

MODELS = Path(nn.__file__).parent / "models"


def ours(file: str) -> Any:
    """The module of that name in `nn.models`."""
    return importlib.import_module(f"nn.models.{file}")


def on_torch(torch: Any, file: str) -> dict[str, Any]:
    """What the file defines when PyTorch's layers stand in for ours: the names are the same."""
    source = (MODELS / f"{file}.py").read_text(encoding="utf-8")
    source = source.replace("from autograd.tensor import", "from torch import").replace(
        "import autograd\n", "import torch as autograd\n"
    )
    names: dict[str, Any] = {"__name__": f"twin_of_{file}"}
    for other in re.findall(r"^from \.(\w+) import", source, re.MULTILINE):
        names.update(on_torch(torch, other))
    source = re.sub(r"^from \.\w+ import .*\n", "", source, flags=re.MULTILINE)
    source = re.sub(r"^from \.\.[\w.]* import", "from torch.nn import", source, flags=re.MULTILINE)
    source = source.replace("from torch.nn import functional as F", "import torch.nn.functional as F")
    exec(compile(source, str(MODELS / f"{file}.py"), "exec"), names)
    return names
