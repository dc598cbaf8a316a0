"""Whole training steps: zero_grad, forward, backward, update. ``python -m benchmarks.training``"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.runner import Libraries, main


def workloads(library: str) -> dict[str, Callable[[], Any]]:
    libraries = Libraries(library)
    lib, nn, optim = libraries.lib, libraries.nn, libraries.optim
    lib.manual_seed(0)

    def step(model: Any, optimizer: Any, x: Any, y: Any) -> Callable[[], None]:
        loss_function = nn.CrossEntropyLoss()

        def run() -> None:
            optimizer.zero_grad()
            loss_function(model(x), y).backward()
            optimizer.step()

        return run

    def mlp(batch: int, *sizes: int) -> tuple[Any, Any, Any]:
        layers: list[Any] = []
        for i in range(len(sizes) - 1):
            layers += [nn.Linear(sizes[i], sizes[i + 1]), nn.ReLU()]
        return nn.Sequential(*layers[:-1]), lib.randn(batch, sizes[0]), lib.randint(0, sizes[-1], (batch,))

    def with_sgd(model: Any, x: Any, y: Any) -> Callable[[], None]:
        return step(model, optim.SGD(model.parameters(), lr=0.01, momentum=0.9), x, y)

    def with_adam(model: Any, x: Any, y: Any) -> Callable[[], None]:
        return step(model, optim.Adam(model.parameters(), lr=1e-3), x, y)

    lenet = nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10),
    )  # fmt: skip

    return {
        "MLP 2-16-16-2, batch 32, SGD step": with_sgd(*mlp(32, 2, 16, 16, 2)),
        "MLP 2-16-16-2, batch 32, Adam step": with_adam(*mlp(32, 2, 16, 16, 2)),
        "MLP 64-64-64-10, batch 64, SGD step": with_sgd(*mlp(64, 64, 64, 64, 10)),
        "MLP 784-256-256-10, batch 128, SGD step": with_sgd(*mlp(128, 784, 256, 256, 10)),
        "LeNet, 28x28, batch 64, SGD step": with_sgd(lenet, lib.randn(64, 1, 28, 28), lib.randint(0, 10, (64,))),
        "character GPT, 4 layers of 128, batch 16x128, AdamW step": _gpt(libraries),
        "Adam on 10 M parameters": _adam(libraries),
    }


def _gpt(libraries: Libraries) -> Callable[[], None]:
    lib, nn, functional = libraries.lib, libraries.nn, libraries.functional
    width, heads, layers, context, batch, letters = 128, 4, 4, 128, 16, 65

    class Attention(nn.Module):  # type: ignore[name-defined, misc]
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

    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
            self.attention = Attention()
            self.feed = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

        def forward(self, x: Any) -> Any:
            x = x + self.attention(self.first(x))
            return x + self.feed(self.second(x))

    class Decoder(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.letters, self.places = nn.Embedding(letters, width), nn.Embedding(context, width)
            self.blocks = nn.Sequential(*(Block() for _ in range(layers)), nn.LayerNorm(width))
            self.head = nn.Linear(width, letters)

        def forward(self, tokens: Any) -> Any:
            return self.head(self.blocks(self.letters(tokens) + self.places(lib.arange(context))))

    model = Decoder()
    optimizer = libraries.optim.AdamW(model.parameters(), lr=1e-3)
    tokens, targets = (lib.randint(0, letters, (batch, context)) for _ in range(2))

    def run() -> None:
        optimizer.zero_grad()
        functional.cross_entropy(model(tokens).view(-1, letters), targets.view(-1)).backward()
        optimizer.step()

    return run


def _adam(libraries: Libraries) -> Callable[[], None]:
    parameters = [libraries.lib.randn(1000, 1000, requires_grad=True) for _ in range(10)]
    for parameter in parameters:
        parameter.grad = libraries.lib.randn(1000, 1000)
    return libraries.optim.Adam(parameters, lr=1e-3).step


if __name__ == "__main__":
    main("benchmarks.training", workloads)
