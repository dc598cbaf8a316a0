"""Names of types for annotations, as in ``torch.types``."""

from __future__ import annotations

import builtins
import os
from typing import TypeAlias, Union

from .devices import device

__all__ = ["Device", "FileLike", "Number"]

Number: TypeAlias = Union[builtins.int, builtins.float, builtins.bool]  # noqa: UP007  (a value at run time)
Device: TypeAlias = Union[device, str, int, None]  # noqa: UP007
FileLike: TypeAlias = Union[str, "os.PathLike[str]"]
