"""Whole training steps: zero_grad, forward, backward, update. ``python -m benchmarks.training``"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from typing import Any

from benchmarks.runner import main
from benchmarks.workload import Call, Library, Traffic, Workload

GPT = {"width": 128, "heads": 4, "layers": 4, "context": 128, "batch": 16, "letters": 65}


def step(library: Library, model: Any, optimizer: Any, x: Any, y: Any) -> Call:
    applied, loss_function = library.compiled(model), library.nn.CrossEntropyLoss()

    def run() -> None:
        optimizer.zero_grad()
        loss_function(applied(x), y).backward()
        optimizer.step()

    return run


def classifier(
    model: Callable[[Library], Any], shape: tuple[int, ...], classes: int, optimizer: str, library: Library
) -> Call:
    """A step of a model on a batch of noise."""
    library.lib.manual_seed(0)
    made = model(library)
    options = {"lr": 0.01, "momentum": 0.9} if optimizer == "SGD" else {"lr": 1e-3}
    update = getattr(library.optim, optimizer)(made.parameters(), **options)
    x, y = library.lib.randn(*shape), library.lib.randint(0, classes, (shape[0],))
    return step(library, made, update, x, y)


def perceptron(sizes: tuple[int, ...], library: Library, is_deep: bool = False) -> Any:
    nn = library.nn
    layers: list[Any] = []
    for into, out in pairwise(sizes):
        linear = nn.Linear(into, out)
        if is_deep:  # a hundred layers of the usual weights shrink a signal to subnormal numbers: four times as slow
            nn.init.kaiming_normal_(linear.weight)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def mlp(batch: int, *sizes: int, optimizer: str = "SGD", goal: float | None = None, is_deep: bool = False) -> Workload:
    """Two products in each layer and, but for the first, a third for the gradient of its input."""
    weights = [into * out for into, out in pairwise(sizes)]
    flops = 2 * batch * (3 * sum(weights) - weights[0])
    return Workload(
        partial(classifier, partial(perceptron, sizes, is_deep=is_deep), (batch, sizes[0]), sizes[-1], optimizer),
        goal,
        flops=flops,
    )


def lenet(library: Library) -> Any:
    nn = library.nn
    return nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip


LENET_PRODUCTS = (24 * 24 * 20 * 25, 8 * 8 * 50 * 20 * 25, 800 * 500, 500 * 10)  # of each layer, for one image
LENET_FLOPS = 2 * 64 * (3 * sum(LENET_PRODUCTS) - LENET_PRODUCTS[0])


def gpt(library: Library) -> Call:
    lib, nn, functional = library.lib, library.nn, library.functional
    width, heads, layers, context, batch, letters = GPT.values()
    lib.manual_seed(0)

    class Attention(nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.mix = nn.Linear(width, 3 * width)
            self.out = nn.Linear(width, width)

        def forward(self, x: Any) -> Any:
            q, k, v = (
                part.view(batch, context, heads, width // heads).transpose(1, 2) for part in self.mix(x).split(width, 2)
            )
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            return self.out(y.transpose(1, 2).contiguous().view(batch, context, width))

    class Block(nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = Attention()
            self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.first(x))
            return x + self.feed(self.second(x))

    class Decoder(nn.Module):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)), nn.LayerNorm(width))
            self.head = nn.Linear(width, letters)

        def forward(self, tokens: Any) -> Any:
            return self.head(self.blocks(self.letters(tokens) + self.places(lib.arange(context)))).view(-1, letters)

    model = Decoder()
    tokens, targets = (lib.randint(0, letters, (batch, context)) for _ in range(2))
    return step(library, model, library.optim.AdamW(model.parameters(), lr=1e-3), tokens, targets.view(-1))


def _gpt_flops() -> int:
    width, _, layers, context, batch, letters = GPT.values()
    weights = layers * 12 * width**2 + width * letters
    return 6 * batch * context * (weights + layers * context * width)  # the squares of attention are half masked


def adam(library: Library) -> Call:
    lib = library.lib
    parameters = [lib.randn(1000, 1000, requires_grad=True) for _ in range(10)]
    for parameter in parameters:
        parameter.grad = lib.randn(1000, 1000)
    return library.optim.Adam(parameters, lr=1e-3).step


WORKLOADS = {
    "MLP 2-16-16-2, batch 32, SGD step": mlp(32, 2, 16, 16, 2, goal=0.4),
    "MLP 2-16-16-2, batch 32, Adam step": mlp(32, 2, 16, 16, 2, optimizer="Adam", goal=0.4),
    "MLP 64-64-64-10, batch 64, SGD step": mlp(64, 64, 64, 64, 10, goal=0.5),
    "MLP 784-256-256-10, batch 128, SGD step": mlp(128, 784, 256, 256, 10, goal=0.85),
    "LeNet, 28x28, batch 64, SGD step": Workload(
        partial(classifier, lenet, (64, 1, 28, 28), 10, "SGD"), 0.6, flops=LENET_FLOPS
    ),
    "character GPT, 4 layers of 128, batch 16x128, AdamW step": Workload(gpt, 0.9, flops=_gpt_flops()),
    "Adam on 10 M parameters": Workload(adam, 0.9, traffic=Traffic("pgmv>pmv", 10_000_000)),
}

if __name__ == "__main__":
    main("training")
