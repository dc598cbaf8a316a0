"""What the compiler made of a loop."""

import platform
import re

import pytest

# Multiplications, fused with additions or not, of several numbers at once.
PACKED = {
    "x86_64": r"v?f?n?m(?:ul|add|sub)\w*p[sd]\s",
    "aarch64": r"fm(?:la|ls|ul)\S*\s+v\d+\.(?:4s|2d)",
}


def assembly_of(kernel):
    """The text of a numba function that was compiled for one kind of arguments, and not read from a cache."""
    (text,) = kernel.inspect_asm().values()
    return text


def packed_multiplications(text):
    """The packed multiplications in an assembly; skips the test where nobody has told what they look like."""
    machine = platform.machine().lower()
    kind = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    if kind not in PACKED:
        pytest.skip(f"no pattern for the assembly of {machine}")
    return re.findall(PACKED[kind], text)
