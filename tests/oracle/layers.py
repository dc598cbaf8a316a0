"""A program for the fixture `both`: a layer is made from a seed, called, and gone back through."""

import numpy as np


def layer_program(name, args, kwargs, shape, call=(), dtype="float64"):
    """The printed form and the state of a layer, its output, and the gradients of its input and parameters.

    Args:
        name: in ``nn``.
        args, kwargs: of the constructor.
        shape: of the input.
        call: further arguments of the call.
        dtype: of the parameters and the input.
    """
    values = np.random.default_rng(1).standard_normal(shape)

    def program(L):
        L.manual_seed(0)
        layer = getattr(L.nn, name)(*args, **kwargs).to(getattr(L, dtype))
        drawn = L.rand(2)  # the layer left the random stream where PyTorch's does
        x = L.tensor(values, dtype=getattr(L, dtype), requires_grad=True)
        y = layer(x, *call)
        (y * y).sum().backward()
        state = {key: value.detach() for key, value in layer.state_dict().items()}
        return repr(layer), state, drawn, y.detach(), x.grad, [p.grad for p in layer.parameters()]

    return program
