"""How a command fails."""

from __future__ import annotations

__all__ = ["CommandError"]


class CommandError(Exception):
    """Ends a command: its text is the one line that the user sees, ``code`` the exit code."""

    def __init__(self, message: str, code: int = 2) -> None:
        super().__init__(message)
        self.code = code
