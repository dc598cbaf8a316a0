"""`compiled`: numba's `njit` for loops written by hand, with their machine code in the folder of `jit.cache_folder`.

numba would keep it beside the source, or raise an error where nothing can be written, there or at home. And it would
not see that a function which was inlined from another file has changed: here its source is part of the stamp.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba import njit
from numba.core.caching import FunctionCache, _CacheLocator
from numba.core.sigutils import normalize_signature

from . import jit
from .loops import library_stamp

__all__ = ["compiled"]


class _PrivateFolder(_CacheLocator):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._line = function.__code__.co_firstlineno
        self._sources = (Path(function.__code__.co_filename), *getattr(function, "sources", ()))
        self._folder = jit.cache_folder()

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return "".join(map(_stamp, self._sources))

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, function: Callable[..., Any], path: str) -> _PrivateFolder:
        return cls(function)


@cache
def _stamp(path: Path) -> str:
    """Changes with numba, with the file and with the files beside it that it imports from, directly or not."""
    found, digest = [path], hashlib.sha256(numba.__version__.encode())
    for each in found:  # grows on the way
        text = each.read_text(encoding="utf-8")
        digest.update(text.encode())
        names = re.findall(r"^\s*from \.(\w+) import", text, re.MULTILINE)
        names += re.findall(r"^\s*from \. import ([\w, ]+)", text, re.MULTILINE)
        beside = (each.with_name(f"{name.strip()}.py") for group in names for name in group.split(","))
        found += [other for other in beside if other.name != Path(__file__).name and other not in found]
    return digest.hexdigest()


class _PrivateCache(FunctionCache):
    class _impl_class(FunctionCache._impl_class):
        _locator_classes = (_PrivateFolder,)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        if hasattr(self._py_func, "before_loading"):
            self._py_func.before_loading(normalize_signature(sig)[0])
        return super().load_overload(sig, target_context)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: `njit` with these options, the GIL released, what is in the folder already loaded from there.

    A function made of other files than its own names them in its attribute ``sources``. One whose machine code calls
    other machine code has that put in place by its attribute ``before_loading``, called with the types of arguments.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        library_stamp()  # counts what is compiled from here on
        dispatcher = njit(**{"nogil": True, "no_cfunc_wrapper": True, **options})(function)
        if jit.cache_folder() is not None:
            dispatcher._cache = _PrivateCache(function)
        return dispatcher

    return decorate
