"""One call of each common operator on 4x4 tensors, where all that counts is the way to the kernel and back: plain,
recorded, and forward with backward. ``python -m benchmarks.small_operators``"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from benchmarks.runner import main
from benchmarks.workload import Call, Library, Workload

# What is done with `t`: the library `L`, its `F`, float tensors x, y, z, four images, a row, a mask, and places.
OPERATORS: dict[str, Callable[[Any], Any]] = {
    "x + y": lambda t: t.x + t.y,
    "x ** 2": lambda t: t.x**2,
    "exp": lambda t: t.x.exp(),
    "abs": lambda t: t.x.abs(),
    "clamp": lambda t: t.x.clamp(-1, 1),
    "lerp": lambda t: t.L.lerp(t.x, t.y, 0.5),
    "addcmul": lambda t: t.L.addcmul(t.x, t.y, t.z),
    "where": lambda t: t.L.where(t.mask, t.x, t.y),
    "masked_fill": lambda t: t.x.masked_fill(t.mask, 0.0),
    "sum": lambda t: t.x.sum(),
    "mean(1)": lambda t: t.x.mean(1),
    "max(1)": lambda t: t.x.max(1)[0],
    "view": lambda t: t.x.view(16),
    "reshape": lambda t: t.x.reshape(2, 8),
    "transpose": lambda t: t.x.transpose(0, 1),
    "permute": lambda t: t.images.permute(0, 2, 3, 1),
    "unsqueeze": lambda t: t.x.unsqueeze(0),
    "squeeze": lambda t: t.row.squeeze(0),
    "expand": lambda t: t.row.expand(4, 4),
    "x[0]": lambda t: t.x[0],
    "x[1:3]": lambda t: t.x[1:3],
    "x[:, None]": lambda t: t.x[:, None],
    "x[places]": lambda t: t.x[t.places],
    "cat": lambda t: t.L.cat([t.x, t.y]),
    "stack": lambda t: t.L.stack([t.x, t.y]),
    "chunk": lambda t: t.x.chunk(2, 1)[0],
    "gather": lambda t: t.x.gather(1, t.columns),
    "embedding": lambda t: t.F.embedding(t.places, t.x),
    "softmax": lambda t: t.x.softmax(1),
    "log_softmax": lambda t: t.F.log_softmax(t.x, 1),
    "cross_entropy": lambda t: t.F.cross_entropy(t.x, t.places),
    "nll_loss": lambda t: t.F.nll_loss(t.x, t.places),
    "mse_loss": lambda t: t.F.mse_loss(t.x, t.y),
    "layer_norm": lambda t: t.F.layer_norm(t.x, (4,), t.x[0], t.y[0]),
    "dropout": lambda t: t.F.dropout(t.x, 0.5),
    "linear": lambda t: t.F.linear(t.x, t.y),
    "x @ y": lambda t: t.x @ t.y,
    "clone": lambda t: t.x.clone(),
}
CONSTANT: dict[str, Callable[[Any], Any]] = {
    "places == places": lambda t: t.places == t.places,
    "places + places": lambda t: t.places + t.places,
    "argmax(1)": lambda t: t.x.argmax(1),
    "zeros": lambda t: t.L.zeros(4, 4),
    "tensor": lambda t: t.L.tensor([1.0, 2.0, 3.0]),
    "detach": lambda t: t.x.detach(),
    "item": lambda t: t.number.item(),
}


def operands(library: Library, requires_grad: bool) -> SimpleNamespace:
    lib = library.lib
    lib.manual_seed(0)
    made = SimpleNamespace(L=lib, F=library.functional, number=lib.tensor(1.0))
    for name, shape in (("x", (4, 4)), ("y", (4, 4)), ("z", (4, 4)), ("row", (1, 4)), ("images", (2, 3, 4, 4))):
        setattr(made, name, lib.randn(*shape, requires_grad=requires_grad))
    made.mask, made.places = lib.randn(4, 4) > 0, lib.tensor([0, 2, 1, 3])
    made.columns = made.places.repeat(4, 1)
    return made


def forward(call: Callable[[Any], Any], requires_grad: bool, library: Library) -> Call:
    return partial(call, operands(library, requires_grad))


def there_and_back(call: Callable[[Any], Any], library: Library) -> Call:
    t = operands(library, True)
    seed = library.lib.ones_like(call(t).detach())
    return lambda: call(t).backward(seed)


WORKLOADS = {
    **{name: Workload(partial(forward, call, False)) for name, call in {**OPERATORS, **CONSTANT}.items()},
    **{f"{name}, recorded": Workload(partial(forward, call, True)) for name, call in OPERATORS.items()},
    **{f"{name}, forward+backward": Workload(partial(there_and_back, call)) for name, call in OPERATORS.items()},
}

if __name__ == "__main__":
    main("small_operators")
