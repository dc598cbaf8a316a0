"""Pictures of the gradient graph.

`trace` reads a graph into plain records, `dot` writes records in Graphviz' language; `draw` does both. The package is
itself callable, so that ``autograd.draw(loss)`` works whether or not somebody imported ``autograd.draw`` before.
"""

from __future__ import annotations

import sys
import types
from typing import Any

from .dot import Drawing, draw, to_dot
from .trace import Edge, Record, Trace, trace

__all__ = ["Drawing", "Edge", "Record", "Trace", "draw", "to_dot", "trace"]


class _CallablePackage(types.ModuleType):
    def __call__(self, *args: Any, **kwargs: Any) -> Drawing:
        return draw(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
