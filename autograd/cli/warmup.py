"""Compiles loops ahead, so that no later process waits for them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from ..kernels import (
    attention,
    conv,
    dropout,
    jit,
    pooling,
    pooling_places,
    pooling_regions,
    rectifier,
    resample,
    scans,
    scatter,
    taps,
    threads,
)
from ..rows.readings import Program
from ..rows.table import TABLE, PointwiseRow
from .errors import CommandError

__all__ = ["add_arguments", "jobs", "run"]

DTYPES = ("float32", "float64")
# Enough for one element of each loop; the size makes no difference to what is compiled.
SIZE = 8

Job = tuple[str, Callable[[], Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describes the command's arguments to ``parser``."""
    parser.add_argument(
        "--dtype",
        nargs="+",
        choices=DTYPES,
        default=["float32"],
        help="types of the elements (default: float32)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="also the loops that only CHALKGRAD_JIT=always uses, because one NumPy call is as fast",
    )


def run(arguments: argparse.Namespace) -> int:
    """Compiles every loop that is not in the cache folder yet.

    Returns:
        The exit code: 0, or 1 where loops could not be compiled.

    Raises:
        CommandError: there is no folder to keep loops in.
    """
    if not jit.numba_available():
        print("nothing to compile: numba is not installed, and NumPy needs no warm-up; pip install numba brings it")
        return 0
    folder = jit.cache_folder()
    if folder is None:
        raise CommandError(
            "there is no cache folder that only you can write to, so nothing compiled now would be found again; "
            "set CHALKGRAD_CACHE to a folder of your own",
            code=1,
        )
    from tqdm import tqdm

    started = time.perf_counter()
    work = [job for dtype in dict.fromkeys(arguments.dtype) for job in jobs(np.dtype(dtype), arguments.all)]
    compiled = 0
    failures = []
    with jit.using("always"), np.errstate(all="ignore"), tqdm(work, unit="loop", leave=False, disable=None) as bar:
        for name, call in bar:
            bar.set_description(name)
            before = jit.compiled()
            try:
                call()
                if threads.get_num_threads() > 1:
                    with threads.always_shared():
                        call()
            except Exception as error:
                failures.append(f"{name}: {str(error).strip().splitlines()[0] if str(error) else type(error).__name__}")
            compiled += jit.compiled() > before
    ready = len(work) - len(failures)
    print(
        f"{ready} loops are ready: {compiled} compiled now, {ready - compiled} found compiled; cache folder {folder}; "
        f"{time.perf_counter() - started:.1f} s"
    )
    for failure in failures:
        print(f"could not be compiled: {failure}")
    return 1 if failures else 0


def jobs(dtype: np.dtype, everything: bool = False) -> Iterator[Job]:
    """Name and call of each loop for ``dtype``; calling it makes numba load it, or compile it.

    Args:
        dtype: float32 or float64.
        everything: also programs that are a single NumPy call, which ``auto`` leaves to NumPy.
    """
    for row in TABLE.values():
        if isinstance(row, PointwiseRow):
            defaults = tuple(row.defaults[name] for name in row.attributes)
            for program in _programs(row):
                if everything or program.runs_as_loop(1 << 30):
                    yield f"{program.name} {dtype}", _call(program, defaults, dtype)
                if program.has_loop and program.loop.exponents:
                    yield f"{program.name}, squares {dtype}", _call(program, defaults, dtype, program.loop.exponents)
    yield from _kernels(dtype)
    yield from _steps(dtype)


def _programs(row: PointwiseRow) -> Iterator[Program]:
    """The row's forward, and its backward for every choice of inputs whose gradient is wanted."""
    yield row.program
    if row.refuses_backward:
        return
    seen = set()
    for wanted in product((True, False), repeat=len(row.inputs)):
        plan = row.plan(wanted)
        if plan.names and plan.names not in seen:
            seen.add(plan.names)
            yield plan.program


def _call(
    program: Program, attributes: tuple[Any, ...], dtype: np.dtype, exponents: Sequence[int] = ()
) -> Callable[[], Any]:
    # "condition" is the name under which rows take truth values.
    arrays = [np.ones(SIZE, np.bool_ if name == "condition" else dtype) for name in program.operands]
    for i in exponents:
        arrays[i] = np.array(2, dtype)
    return lambda: program(arrays, attributes, dtype, SIZE)


def _kernels(dtype: np.dtype) -> Iterator[Job]:
    """The hand-written loops, each through the kernel that calls it."""
    yield from _convolution("convolution", (2, 1, 4, 4), 2, dtype)
    yield from _convolution("depthwise convolution", (2, 1, 4, 4), 1, dtype)
    yield from _convolution("Winograd's convolution", (8, 32, 16, 16), 32, dtype)
    image, pooled = np.ones((2, 1, 4, 4), dtype), np.ones((2, 1, 2, 2), dtype)
    window = (2, 2), (2, 2), (0, 0)
    places = np.array([0, 1])
    yield f"max-pooling {dtype}", lambda: pooling.max_pool_forward(image, *window, (1, 1))
    yield (
        f"max-pooling, gradient {dtype}",
        lambda: pooling_places.add_to_planes(pooled, np.zeros(pooled.shape, np.int32), image.shape),
    )
    yield f"average pooling {dtype}", lambda: pooling.avg_pool_forward(image, *window)
    yield f"average pooling, gradient {dtype}", lambda: pooling.avg_pool_gradient(pooled, image.shape, *window)
    regions = pooling_regions.adaptive_regions((4, 4), (2, 2))
    yield f"max-pooling of regions {dtype}", lambda: pooling_regions.max_of_regions(image, regions)
    mask = np.ones(image.shape, np.bool_)
    yield f"dropout {dtype}", lambda: dropout.masked_scale(image, mask, dtype.type(2))
    yield f"ReLU of many elements {dtype}", lambda: rectifier.passed(*rectifier.rectify(image))
    head, options = np.ones((1, 2, 2), dtype), (None, 1.0, False)
    yield f"attention {dtype}", lambda: attention.forward(head, head, head, *options)
    yield (
        f"attention, gradient {dtype}",
        lambda: attention.backward(head, head, head, head, None, head, head[:, 0], head[:, 0], *options[1:]),
    )
    maps = [resample.mean_map(4, 2)] * 2
    yield f"interpolation {dtype}", lambda: resample.resample(image, maps)
    plane, weights, at = np.ones((1, 1, 4), dtype), np.ones((1, 2, 4), dtype), np.zeros((1, 2, 4), np.int64)
    yield f"sampling at points {dtype}", lambda: taps.pick(plane, weights, at)
    yield f"sampling at points, gradient of pixels {dtype}", lambda: taps.spread(plane, weights, at, 4)
    yield f"sampling at points, gradient of points {dtype}", lambda: taps.weigh(plane, plane, at)
    yield f"running sums {dtype}", lambda: scans.accumulate(np.add, image, 0)
    yield f"running extremes {dtype}", lambda: scans.running_extremes(image, 0, True)
    yield f"adding up rows {dtype}", lambda: scatter.scatter_add_rows((2, 3), places, np.ones((2, 3), dtype))


def _convolution(kind: str, shape: tuple[int, ...], filters: int, dtype: np.dtype) -> Iterator[Job]:
    image, weight, bias = np.ones(shape, dtype), np.ones((filters, shape[1], 3, 3), dtype), np.ones(filters, dtype)
    maps, same = np.ones((shape[0], filters, *shape[2:]), dtype), ((1, 1), (1, 1), (1, 1))
    yield f"{kind} {dtype}", lambda: conv.conv_forward(image, weight, bias, *same)
    yield f"{kind}, input gradient {dtype}", lambda: conv.conv_input_gradient(maps, weight, image.shape, *same)
    yield f"{kind}, weight gradient {dtype}", lambda: conv.conv_weight_gradient(maps, image, weight.shape, *same)


def _steps(dtype: np.dtype) -> Iterator[Job]:
    """Layers, losses and optimizers whose loops are walks, products of matrices and updates."""
    import nn
    import optim

    from .. import ones, ones_like, randn, zeros
    from ..dtypes import from_numpy_dtype, int64

    kind = from_numpy_dtype(dtype)

    def forward_and_back(module: Any, *shape: int, target: Any = None) -> Callable[[], None]:
        def call() -> None:
            x = ones(*shape, dtype=kind, requires_grad=True)
            out = module.to(kind)(x) if target is None else module(x, target)
            out = out[0] if isinstance(out, tuple) else out
            out.backward(ones_like(out.detach()))

        return call

    def update(optimizer: Any, **options: Any) -> Callable[[], None]:
        def call() -> None:
            parameter = nn.Parameter(ones(SIZE, dtype=kind))
            parameter.grad = ones(SIZE, dtype=kind)
            optimizer([parameter], lr=0.1, **options).step()

        return call

    def digits() -> None:  # sizes decide how a convolution is done
        with jit.using("auto"):
            logits = nn.models.LeNet().to(kind)(ones(64, 1, 28, 28, dtype=kind))
            nn.functional.cross_entropy(logits, zeros(64, dtype=int64)).backward()

    layers: dict[str, Any] = {
        "linear layer": (nn.Linear(2, 3), 4, 2),
        "LSTM": (nn.LSTM(2, 3), 2, 2, 2),
        "GRU": (nn.GRU(2, 3), 2, 2, 2),
        "RNN": (nn.RNN(2, 3), 2, 2, 2),
        "batch norm": (nn.BatchNorm2d(2), 2, 2, 2, 2),
        "layer norm": (nn.LayerNorm(2), 2, 2),
        "group norm": (nn.GroupNorm(1, 2), 2, 2, 2),
        "softmax": (nn.Softmax(-1), 2, 2),
        "log-softmax": (nn.LogSoftmax(-1), 2, 2),
    }
    for name, (layer, *shape) in layers.items():
        yield f"{name} {dtype}", forward_and_back(layer, *shape)
    yield f"LeNet {dtype}", digits
    large = ones(1 << 9, 1 << 9, dtype=kind)
    yield f"sums {dtype}", lambda: (large.sum(), large.sum(1))
    yield f"a row added {dtype}", lambda: large + large[0]
    yield f"transposed copies {dtype}", lambda: large.t().contiguous()
    yield f"normal numbers {dtype}", lambda: randn(1 << 16, dtype=kind)
    classes, values = zeros(2, dtype=int64), zeros(2, 2, dtype=kind)
    yield f"cross-entropy {dtype}", forward_and_back(nn.CrossEntropyLoss(), 2, 2, target=classes)
    yield f"squared error {dtype}", forward_and_back(nn.MSELoss(), 2, 2, target=values)
    yield f"binary cross-entropy {dtype}", forward_and_back(nn.BCEWithLogitsLoss(), 2, 2, target=values)
    yield f"SGD {dtype}", update(optim.SGD)
    yield f"SGD with momentum {dtype}", update(optim.SGD, momentum=0.9)
    for optimizer in (optim.Adam, optim.AdamW, optim.RMSprop, optim.Adagrad):
        yield f"{optimizer.__name__} {dtype}", update(optimizer)
