"""When compiled loops are used, and where they are kept: `autograd.jit`.

Modes (environment variable ``CHALKGRAD_JIT``, or `set_mode`):
    ``auto``: NumPy below `threshold` elements, compiled loops from there on. The default.
    ``always``: compiled loops at any size.
    ``never``: NumPy at any size; numba is never imported. Also what happens where numba is not installed.

The choice depends on operator and size alone (`threshold`, or a quarter of it where NumPy is slow), never on what
happens to be compiled already, so that two runs agree to the last bit. Loops are generated as source files and
compiled once per machine: the folder (``CHALKGRAD_CACHE``, or ``chalkgrad`` in the user's cache folder) is private to
the user and refused when others can write to it, since code is loaded from it; without a usable folder, loops are
compiled in memory.
"""

from __future__ import annotations

import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "cache_folder",
    "compiled",
    "mode",
    "notify",
    "numba_available",
    "set_mode",
    "threshold",
    "use_loops",
    "using",
]

MODES = ("auto", "always", "never")

# Measured: below about this size a NumPy call chain costs less than the spread over threads saves, and the
# compile time of a loop is never paid back in a notebook cell.
threshold = 16384

_mode = os.environ.get("CHALKGRAD_JIT", "auto")
if _mode not in MODES:
    raise ValueError(f"environment variable CHALKGRAD_JIT is {_mode!r}, but must be one of {', '.join(MODES)}")

# Called after each change of the mode or of the number of threads.
listeners: list[Callable[[], None]] = []

_numba_found: bool | None = None
_compiled = 0
_lock = threading.Lock()


def numba_available() -> bool:
    """Whether numba is installed; looks without importing it."""
    global _numba_found
    if _numba_found is None:
        from importlib.util import find_spec

        _numba_found = find_spec("numba") is not None
    return _numba_found


def use_loops(elements: int) -> bool:
    """Whether an operator on so many elements runs as a compiled loop."""
    if _mode == "auto":
        return elements >= threshold and numba_available()
    return _mode == "always" and numba_available()


def mode() -> str:
    """``auto``, ``always`` or ``never``."""
    return _mode


def set_mode(mode: str) -> None:
    """Chooses when compiled loops are used, for all threads.

    Raises:
        ValueError: not a mode.

    >>> import autograd
    >>> autograd.jit.set_mode("auto")
    >>> autograd.jit.mode()
    'auto'
    """
    global _mode
    if mode not in MODES:
        raise ValueError(f"jit mode must be one of {', '.join(MODES)}, but got {mode!r}")
    _mode = mode
    notify()


def notify() -> None:
    """Tells who chose readings that others may be better now."""
    for listener in listeners:
        listener()


@contextmanager
def using(mode: str) -> Iterator[None]:
    """Another mode inside a ``with`` block."""
    previous = _mode
    set_mode(mode)
    try:
        yield
    finally:
        set_mode(previous)


def compiled() -> int:
    """Number of functions that numba compiled in this process; loading from the disk cache does not count."""
    return _compiled


def count_compilations() -> None:
    """Starts the count behind `compiled`; called once, by the first module that imports numba."""
    from numba.core import event

    class Counter(event.Listener):
        def on_start(self, event: object) -> None:
            global _compiled
            with _lock:
                _compiled += 1

        def on_end(self, event: object) -> None:
            """Only the start of a compilation counts."""

    event.register("numba:compile", Counter())


def cache_folder() -> Path | None:
    """The folder for generated loops, made if need be; None when there is none that only this user can write to."""
    folder = _cache_path()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or not os.access(folder, os.W_OK | os.X_OK):
            return None
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return None
    except OSError:
        return None
    return folder


def _cache_path() -> Path:
    from pathlib import Path

    chosen = os.environ.get("CHALKGRAD_CACHE")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "chalkgrad"
