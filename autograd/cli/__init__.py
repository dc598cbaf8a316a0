"""The command ``chalkgrad``: ``chalkgrad train`` trains a classifier, ``chalkgrad warmup`` compiles ahead.

Exit codes: 0 for success, 1 for a failure on the way, 2 for a bad argument, 130 after Ctrl-C. Errors are one line
on standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from .. import __version__
from . import train, warmup
from .errors import CommandError

__all__ = ["main"]


class _Parser(argparse.ArgumentParser):
    """Errors are one line, without the usage in front of it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    Args:
        argv: the arguments; those of the process by default.

    Returns:
        The exit code.

    >>> main(["--version"])
    chalkgrad 0.1.0
    0
    """
    parser = _Parser(prog="chalkgrad", description="A reverse-mode autograd engine: its jobs on the command line.")
    parser.add_argument("--version", action="version", version=f"chalkgrad {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in (("train", train), ("warmup", warmup)):
        summary = (module.__doc__ or "").splitlines()[0]
        command = commands.add_parser(name, help=summary, description=summary)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return int(arguments.run(arguments))
    except CommandError as error:
        print(f"chalkgrad {arguments.command}: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        print(f"chalkgrad {arguments.command}: interrupted", file=sys.stderr)
        return 130
