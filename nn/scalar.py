"""A multilayer perceptron made of single numbers, with micrograd's interface.

Every weight is a `Value` and every multiplication a node: slow, and good to look at, as ``autograd.draw`` can show
each number of the network with its gradient.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from autograd.value import Value

__all__ = ["MLP", "Layer", "Module", "Neuron"]


class Module:
    """Something with parameters."""

    def zero_grad(self) -> None:
        """Sets the gradient of every parameter to zero."""
        for parameter in self.parameters():
            parameter.grad = 0.0

    def parameters(self) -> list[Value]:
        """All numbers that are trained."""
        return []


class Neuron(Module):
    """``max(w · x + b, 0)``, or ``w · x + b`` without ``nonlin``.

    Weights are uniform in (-1, 1), drawn from Python's `random`; the bias starts at 0.

    Args:
        nin: number of inputs.
        nonlin: apply ReLU.

    Attributes:
        w: the weights, a list of Values.
        b: the bias, a Value.

    Raises:
        ValueError: ``nin`` is not a positive int.
    """

    def __init__(self, nin: int, nonlin: bool = True) -> None:
        _check_count("Neuron", "nin", nin)
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x: Sequence[Value | float]) -> Value:
        if len(x) != len(self.w):
            raise ValueError(f"{self} takes {len(self.w)} inputs, but got {len(x)}")
        z: Any = self.b
        pairs: Any = zip(self.w, x, strict=True)
        for weight, number in pairs:
            z = z + weight * number
        return z.relu() if self.nonlin else z

    def parameters(self) -> list[Value]:
        return [*self.w, self.b]

    def __repr__(self) -> str:
        return f"{'ReLU' if self.nonlin else 'Linear'}Neuron({len(self.w)})"


class Layer(Module):
    """Neurons side by side, all with the same inputs. A single neuron's output is returned without a list.

    Args:
        nin: number of inputs.
        nout: number of neurons.
        kwargs: passed on to each `Neuron`.

    Raises:
        ValueError: ``nin`` or ``nout`` is not a positive int.
    """

    def __init__(self, nin: int, nout: int, **kwargs: Any) -> None:
        _check_count("Layer", "nout", nout)
        self.neurons = [Neuron(nin, **kwargs) for _ in range(nout)]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def parameters(self) -> list[Value]:
        return [parameter for neuron in self.neurons for parameter in neuron.parameters()]

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """Layers behind each other, with ReLU everywhere but in the last.

    Args:
        nin: number of inputs.
        nouts: number of neurons of each layer.

    Raises:
        ValueError: no layer, or a number that is not a positive int.

    >>> MLP(3, [2, 1])
    MLP of [Layer of [ReLUNeuron(3), ReLUNeuron(3)], Layer of [LinearNeuron(2)]]
    >>> len(MLP(3, [4, 4, 1]).parameters())
    41
    """

    def __init__(self, nin: int, nouts: Sequence[int]) -> None:
        if not nouts:
            raise ValueError("MLP: nouts needs the size of at least one layer, such as [16, 16, 1]")
        sizes = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != last) for i in range(len(nouts))]

    def __call__(self, x: Sequence[Value | float]) -> Any:
        values: Any = x
        for number, layer in enumerate(self.layers):
            values = layer(values)
            if number < len(self.layers) - 1 and isinstance(values, Value):
                values = [values]
        return values

    def parameters(self) -> list[Value]:
        return [parameter for layer in self.layers for parameter in layer.parameters()]

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"


def _check_count(owner: str, name: str, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{owner}: {name} must be a positive int, but got {value!r}")
