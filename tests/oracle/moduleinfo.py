"""PyTorch's own sample inputs for modules: the same constructor and the same call, in our library and in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
from opinfo import SEED, Sample, check_same, converted

import autograd
import nn


def class_of(info: Any) -> type | None:
    """Our class of the same name, or None."""
    return getattr(nn, info.module_cls.__name__, None)


def arguments(value: Any, torch: Any) -> Any:
    """Arguments as ours, with functions of ``nn.functional`` and layers of a Transformer among them."""
    if isinstance(value, dict):
        return {key: arguments(item, torch) for key, item in value.items()}
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(arguments(item, torch) for item in value)
    if isinstance(value, torch.nn.TransformerEncoderLayer):
        return _encoder_layer(value, torch)
    if callable(value) and hasattr(torch.nn.functional, getattr(value, "__name__", "")):
        return getattr(nn.functional, value.__name__)
    return converted(value, torch)


def _encoder_layer(layer: Any, torch: Any) -> Any:
    heads = layer.self_attn
    own = nn.TransformerEncoderLayer(
        heads.embed_dim,
        heads.num_heads,
        layer.linear1.out_features,
        layer.dropout.p,
        arguments(layer.activation, torch),
        layer.norm1.eps,
        heads.batch_first,
        layer.norm_first,
        layer.linear1.bias is not None,
        dtype=converted(layer.linear1.weight.dtype, torch),
    )
    own.load_state_dict({name: converted(tensor, torch) for name, tensor in layer.state_dict().items()})
    return own


class ModuleSample(Sample):
    """One module in both libraries, made with the same seed, and one call of it."""

    supports_gradgrad: bool

    def __init__(self, info: Any, sample: Any, training: bool, dtype: Any, torch: Any) -> None:
        self.torch, self.info, self.sample, self.supports_gradgrad = torch, info, sample, info.supports_gradgrad
        given = sample.constructor_input
        torch.default_generator.manual_seed(SEED)
        self.module = info.module_cls(*given.args, **given.kwargs).to(dtype).train(training)
        autograd.manual_seed(SEED)
        kind: Any = class_of(info)
        self.own = kind(*arguments(given.args, torch), **arguments(given.kwargs, torch))
        self.own = self.own.to(converted(dtype, torch)).train(training)
        call = sample.forward_input
        self.call = call.args, dict(call.kwargs)
        self.own_call = arguments(call.args, torch), arguments(dict(call.kwargs), torch)

    def describe(self) -> str:
        given = self.sample.constructor_input
        return f"{self.module!r:.300} made with {given.args!r:.200} {given.kwargs!r:.200}, {self.sample.desc}"

    def check_module(self) -> None:
        """Compares printed form, first parameters and buffers, the result, gradients, and the buffers after."""
        torch = self.torch
        lazy = any(torch.nn.parameter.is_lazy(p) for p in self.module.parameters())
        if not lazy:
            assert repr(self.own) == repr(self.module)
            self._compare_states("made")
        torch.default_generator.manual_seed(SEED)
        expected = self.module(*self.call[0], **self.call[1])
        autograd.manual_seed(SEED)
        result = self.own(*self.own_call[0], **self.own_call[1])
        assert repr(self.own) == repr(self.module)
        check_same(result, expected, torch, "value")
        self._compare_states("after a call")
        self.theirs = [self.call, list(self.module.parameters())]
        self.ours = [self.own_call, list(self.own.parameters())]
        self._check_gradients(self, result, expected)

    def _compare_states(self, when: str) -> None:
        own, theirs = self.own.state_dict(), self.module.state_dict()
        assert list(own) == list(theirs), f"{when}: {list(own)}, PyTorch's {list(theirs)}"
        for name, value in theirs.items():
            check_same(own[name], value, self.torch, f"{name}, {when}")


def module_samples(info: Any, dtype: Any, training: bool, torch: Any, most: int) -> list[Any]:
    """PyTorch's sample inputs of a module, at most so many, spread over its list."""
    torch.default_generator.manual_seed(SEED)
    found = info.module_inputs_func(
        info, device="cpu", dtype=dtype, requires_grad=dtype != torch.float16, training=training
    )
    step = max(1, len(found) / most)
    return [found[int(i * step)] for i in np.arange(min(most, len(found)))]
