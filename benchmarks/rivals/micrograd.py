"""micrograd: one Python float in each node."""

from __future__ import annotations

from functools import partial

from micrograd.engine import Value

from benchmarks.scalars import xor

WORKLOADS = {"XOR 2-8-1 by scalars, SGD step": partial(xor, Value)}
