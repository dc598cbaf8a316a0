"""How cost grows with the batch, the layers, the sequence and the graph. ``python -m benchmarks.scaling``"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from benchmarks.layers import attention, back_and_forth
from benchmarks.overhead import chain
from benchmarks.runner import main
from benchmarks.training import mlp
from benchmarks.workload import Workload


@dataclass(frozen=True)
class Sweep:
    """One workload at several sizes.

    Attributes:
        sizes: from small to large, each a fixed multiple of the one before.
        make: the workload of a size.
        order: the power of the size with which the arithmetic grows.
    """

    sizes: Sequence[int]
    make: Callable[[int], Workload]
    order: int = 1


def _recurrent(steps: int) -> Workload:
    return Workload(partial(back_and_forth, lambda library: library.nn.LSTM(32, 64), [(steps, 16, 32)]))


SWEEPS = {
    "batch: MLP 64-64-64-10": Sweep((16, 64, 256, 1024, 4096), lambda batch: mlp(batch, 64, 64, 64, 10)),
    "width: MLP of three layers, batch 64": Sweep((16, 64, 256, 1024), lambda width: mlp(64, *[width] * 4), order=2),
    "depth: layers of 64, batch 64": Sweep((2, 8, 32, 128), lambda depth: mlp(64, *[64] * (depth + 1), is_deep=True)),
    "steps of an LSTM, 32 to 64, batch 16": Sweep((8, 32, 128, 512), _recurrent),
    "length of causal attention, 8 heads of 32": Sweep(
        (64, 256, 1024, 4096), lambda length: attention(1, 8, length, 32), order=2
    ),
    "nodes of a graph of small operators": Sweep(
        (40, 160, 640, 2560, 10240), lambda nodes: Workload(partial(chain, nodes // 5))
    ),
}
WORKLOADS = {f"{title}: {size}": sweep.make(size) for title, sweep in SWEEPS.items() for size in sweep.sizes}

if __name__ == "__main__":
    main("scaling")
