"""`compiled`: numba's `njit` for loops written by hand, with their machine code in the folder of `jit.cache_folder`.

numba would keep it beside the source, or refuse where nothing can be written there. A file of it is used by the version
of the kernels that wrote it: numba by itself does not see that a function which was inlined has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache, _CacheLocator

from . import jit
from .loops import library_stamp

__all__ = ["compiled"]


class _PrivateFolder(_CacheLocator):
    def __init__(self, function: Callable[..., Any]) -> None:
        self._line = function.__code__.co_firstlineno
        self._folder = jit.cache_folder()

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return library_stamp()

    def get_disambiguator(self) -> str:
        return str(self._line)

    @classmethod
    def from_function(cls, function: Callable[..., Any], path: str) -> _PrivateFolder:
        return cls(function)


class _PrivateCache(FunctionCache):
    class _impl_class(FunctionCache._impl_class):
        _locator_classes = (_PrivateFolder,)


def compiled(**options: Any) -> Callable[[Callable[..., Any]], Any]:
    """A decorator: `njit` with these options, without the GIL, loaded from the folder if it is there already."""

    def decorate(function: Callable[..., Any]) -> Any:
        library_stamp()  # counts what is compiled from here on
        dispatcher = njit(nogil=True, **options)(function)
        if jit.cache_folder() is not None:
            dispatcher._cache = _PrivateCache(function)
        return dispatcher

    return decorate
