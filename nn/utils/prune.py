"""Pruning: parts of a parameter set to zero by a mask, before every ``forward``.

A pruned parameter ``weight`` is kept as ``weight_orig`` beside the buffer ``weight_mask``; ``weight`` is their product.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from numbers import Integral, Real
from typing import Any, ClassVar

import autograd
from autograd.tensor import Tensor

from ..hooks import pre_hooks_of
from ..module import Module
from .convert_parameters import parameters_to_vector

__all__ = [
    "BasePruningMethod",
    "CustomFromMask",
    "Identity",
    "L1Unstructured",
    "LnStructured",
    "PruningContainer",
    "RandomStructured",
    "RandomUnstructured",
    "custom_from_mask",
    "global_unstructured",
    "identity",
    "is_pruned",
    "l1_unstructured",
    "ln_structured",
    "random_structured",
    "random_unstructured",
    "remove",
]


class BasePruningMethod(ABC):
    """Decides which elements stay: a subclass defines `compute_mask`, and how it reads a mask that is there already.

    Attributes:
        PRUNING_TYPE: what a second pruning looks at: ``"unstructured"`` at the elements that are left,
            ``"structured"`` at the slices along ``dim`` that are left, ``"global"`` at all.
    """

    PRUNING_TYPE: ClassVar[str]
    _tensor_name: str | None = None

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, str(self._tensor_name), self.apply_mask(module))

    @abstractmethod
    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """A mask of ones and zeros.

        Args:
            t: how important each element is; the parameter itself by default.
            default_mask: the mask before this pruning.
        """

    def _name(self, module: Module) -> str:
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned: this pruning was not applied to a parameter")
        return self._tensor_name

    def apply_mask(self, module: Module) -> Tensor:
        """The original times the mask."""
        name = self._name(module)
        original = getattr(module, f"{name}_orig")
        return getattr(module, f"{name}_mask").to(original.dtype) * original

    @classmethod
    def apply(
        cls, module: Module, name: str, *args: Any, importance_scores: Tensor | None = None, **kwargs: Any
    ) -> BasePruningMethod:
        """Prunes a parameter of ``module``, together with what has pruned it before.

        Args:
            module: that owns the parameter.
            name: of the parameter.
            args: of the method.
            importance_scores: of the parameter's shape, in place of its values.
            kwargs: of the method.

        Raises:
            AssertionError: scores of another shape.
        """
        before = [(key, hook) for key, hook in pre_hooks_of(module, BasePruningMethod) if hook._tensor_name == name]
        if len(before) > 1:
            raise AssertionError(
                f"Avoid adding multiple pruning hooks to the same tensor {name} of module {module}. Use a "
                "PruningContainer."
            )
        method = _after(before[0][1] if before else None, cls(*args, **kwargs), name)
        original = getattr(module, name)
        if importance_scores is not None and importance_scores.shape != original.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as parameter {name} of {module}, got "
                f"{importance_scores.shape} vs {original.shape}"
            )
        scores = original if importance_scores is None else importance_scores
        default_mask = getattr(module, f"{name}_mask").detach().clone() if before else autograd.ones_like(original)
        mask = method.compute_mask(scores, default_mask=default_mask)  # may refuse, before anything is changed
        for key, _ in before:
            del module._forward_pre_hooks[key]
        if not before:
            module.register_parameter(f"{name}_orig", original)
            del module._parameters[name]
        module.register_buffer(f"{name}_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Tensor, default_mask: Tensor | None = None, importance_scores: Tensor | None = None) -> Tensor:
        """``t`` times the mask, without a module.

        Raises:
            AssertionError: scores of another shape.
        """
        if importance_scores is not None and importance_scores.shape != t.shape:
            raise AssertionError(
                f"importance_scores should have the same shape as tensor t, got {importance_scores.shape} vs {t.shape}"
            )
        mask = autograd.ones_like(t) if default_mask is None else default_mask
        return t * self.compute_mask(t if importance_scores is None else importance_scores, default_mask=mask)

    def remove(self, module: Module) -> None:
        """Makes the pruned values the parameter: nothing is masked any more, and what was zero stays zero."""
        name = self._name(module)
        weight = self.apply_mask(module)
        if hasattr(module, name):
            delattr(module, name)
        original: Any = module._parameters.pop(f"{name}_orig")
        original.data = weight.data
        del module._buffers[f"{name}_mask"]
        setattr(module, name, original)


def _after(before: BasePruningMethod | None, method: BasePruningMethod, name: str) -> BasePruningMethod:
    """``method``, or a container of what has pruned the parameter before and of ``method``."""
    method._tensor_name = name
    if before is None:
        return method
    methods = before if isinstance(before, PruningContainer) else [before]
    container = PruningContainer(method)
    container._pruning_methods = (*methods, method)
    return container


class PruningContainer(BasePruningMethod):
    """Methods that prune one parameter, one after the other.

    Args:
        args: the methods.
    """

    def __init__(self, *args: BasePruningMethod) -> None:
        self._pruning_methods: tuple[BasePruningMethod, ...] = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: BasePruningMethod | None) -> None:
        """Adds a method.

        Raises:
            TypeError: not a method.
            ValueError: it prunes another parameter.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods += (method,)  # type: ignore[operator]

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator[BasePruningMethod]:
        return iter(self._pruning_methods)

    def __getitem__(self, index: Any) -> Any:
        return self._pruning_methods[index]

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        """The mask of the last method, which looks at what the others left."""
        method = self._pruning_methods[-1]
        left = _left(method, t, default_mask)
        mask = default_mask.to(t.dtype).clone()
        mask[left] = method.compute_mask(t[left], default_mask=default_mask[left]).to(mask.dtype)
        return mask


def _left(method: BasePruningMethod, t: Tensor, mask: Tensor) -> Any:
    """The index of what a method looks at."""
    if method.PRUNING_TYPE == "unstructured":
        return mask == 1
    index: list[Any] = [slice(None)] * t.dim()
    if method.PRUNING_TYPE == "structured":
        if not hasattr(method, "dim"):
            raise AttributeError(
                'Pruning methods of PRUNING_TYPE "structured" need to have the attribute `dim` defined.'
            )
        dim = method.dim + t.dim() if method.dim < 0 else method.dim
        if dim < 0:
            raise IndexError(f"Index is out of bounds for tensor with dimensions {t.dim()}")
        index[dim] = mask.sum([d for d in range(t.dim()) if d != dim]) != 0
    elif method.PRUNING_TYPE != "global":
        raise ValueError(f"Unrecognized PRUNING_TYPE {method.PRUNING_TYPE}")
    return tuple(index)


class Identity(BasePruningMethod):
    """Prunes nothing, but brings the mask."""

    PRUNING_TYPE = "unstructured"

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        return default_mask

    @classmethod
    def apply(cls, module: Module, name: str) -> BasePruningMethod:  # type: ignore[override]
        return super().apply(module, name)


class _Amount(BasePruningMethod):
    """A method that prunes so much.

    Args:
        amount: the fraction of what there is, or how many.
    """

    amount: Any

    def __init__(self, amount: float) -> None:
        if not isinstance(amount, Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if float(amount) < 0 or (not isinstance(amount, Integral) and float(amount) > 1.0):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount = amount

    def _count(self, size: int) -> int:
        """How many of ``size`` are pruned."""
        if not isinstance(self.amount, Integral):
            return round(self.amount * size)
        count = int(self.amount)
        if count > size:
            raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={size}")
        return count


class _AmountOfElements(_Amount):
    """Single elements that are pruned: those with the lowest, or highest, scores."""

    PRUNING_TYPE = "unstructured"
    highest: ClassVar[bool]

    def _scores(self, t: Tensor) -> Tensor:
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        count = self._count(t.numel())
        mask = default_mask.clone(memory_format=autograd.contiguous_format)
        if count:
            mask.view(-1)[autograd.topk(self._scores(t).reshape(-1), count, largest=self.highest).indices] = 0
        return mask


class RandomUnstructured(_AmountOfElements):
    """Prunes elements at random.

    Args:
        amount: the fraction of the elements that are left, or how many.
    """

    highest = True

    def _scores(self, t: Tensor) -> Tensor:
        return autograd.rand_like(t)

    @classmethod
    def apply(cls, module: Module, name: str, amount: float) -> BasePruningMethod:  # type: ignore[override]
        return super().apply(module, name, amount=amount)


class L1Unstructured(_AmountOfElements):
    """Prunes the elements with the smallest absolute values.

    Args:
        amount: the fraction of the elements that are left, or how many.
    """

    highest = False

    def _scores(self, t: Tensor) -> Tensor:
        return t.detach().abs()

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        return super().apply(module, name, amount=amount, importance_scores=importance_scores)


class _AmountOfSlices(_Amount):
    """Whole slices along a dimension that are pruned."""

    PRUNING_TYPE = "structured"
    dim: int

    def _kept(self, t: Tensor, size: int, count: int) -> Tensor:
        """The index of the slices that stay, when ``count`` of ``size`` go."""
        raise NotImplementedError

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if t.dim() <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.dim()} dims"
            )
        if self.dim >= t.dim():
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        size = t.shape[self.dim]
        count = self._count(size)
        if not count:
            return default_mask
        mask = autograd.zeros_like(t)
        index: list[Any] = [slice(None)] * t.dim()
        index[self.dim] = self._kept(t, size, count)
        mask[tuple(index)] = 1
        return mask * default_mask.to(mask.dtype)


class RandomStructured(_AmountOfSlices):
    """Prunes slices at random.

    Args:
        amount: the fraction of the slices that are left, or how many.
        dim: along which they are.
    """

    def __init__(self, amount: float, dim: int = -1) -> None:
        super().__init__(amount)
        self.dim = dim

    def _kept(self, t: Tensor, size: int, count: int) -> Tensor:
        drawn = autograd.rand(size)
        return drawn > autograd.kthvalue(drawn, count).values

    @classmethod
    def apply(cls, module: Module, name: str, amount: float, dim: int = -1) -> BasePruningMethod:  # type: ignore[override]
        return super().apply(module, name, amount=amount, dim=dim)


class LnStructured(_AmountOfSlices):
    """Prunes the slices with the smallest norms.

    Args:
        amount: the fraction of the slices that are left, or how many.
        n: the p of the norm.
        dim: along which the slices are.
    """

    def __init__(self, amount: float, n: Any, dim: int = -1) -> None:
        super().__init__(amount)
        self.n = n
        self.dim = dim

    def _kept(self, t: Tensor, size: int, count: int) -> Tensor:
        others = [d for d in range(t.dim()) if d != self.dim % t.dim()]
        norms = autograd.norm(t.detach(), p=self.n, dim=others)
        return autograd.topk(norms, size - count, largest=True).indices

    @classmethod
    def apply(  # type: ignore[override]
        cls, module: Module, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None
    ) -> BasePruningMethod:
        return super().apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)


class CustomFromMask(BasePruningMethod):
    """Prunes what a given mask says.

    Args:
        mask: of the parameter's shape, zero where it is pruned.
    """

    PRUNING_TYPE = "global"

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def compute_mask(self, t: Tensor, default_mask: Tensor) -> Tensor:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(default_mask.dtype)

    @classmethod
    def apply(cls, module: Module, name: str, mask: Tensor) -> BasePruningMethod:  # type: ignore[override]
        return super().apply(module, name, mask=mask)


def identity(module: Module, name: str) -> Module:
    """Brings a mask of ones to the parameter ``name``; returns ``module``.

    >>> import autograd, nn
    >>> layer = nn.utils.prune.identity(nn.Linear(2, 2), "weight")
    >>> layer.weight_mask
    tensor([[1., 1.],
            [1., 1.]])
    """
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: float) -> Module:
    """Prunes elements of the parameter ``name`` at random; returns ``module``.

    Args:
        module: that owns the parameter.
        name: of the parameter.
        amount: the fraction of the elements that are left, or how many.

    >>> import nn
    >>> layer = nn.utils.prune.random_unstructured(nn.Linear(4, 2), "weight", amount=3)
    >>> layer.weight_mask.sum().item()
    5.0
    """
    RandomUnstructured.apply(module, name, amount)
    return module


def l1_unstructured(module: Module, name: str, amount: float, importance_scores: Tensor | None = None) -> Module:
    """Prunes the elements of the parameter ``name`` with the smallest absolute values; returns ``module``.

    Args:
        module: that owns the parameter.
        name: of the parameter.
        amount: the fraction of the elements that are left, or how many.
        importance_scores: in place of the parameter's values.

    >>> import autograd, nn
    >>> layer = nn.Linear(3, 1)
    >>> layer.weight.data = autograd.tensor([[3.0, -1.0, 2.0]])
    >>> nn.utils.prune.l1_unstructured(layer, "weight", amount=1).weight.detach()
    tensor([[3., -0., 2.]])
    """
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: float, dim: int) -> Module:
    """Prunes slices along ``dim`` of the parameter ``name`` at random; returns ``module``.

    Args:
        module: that owns the parameter.
        name: of the parameter.
        amount: the fraction of the slices that are left, or how many.
        dim: along which they are.

    >>> import autograd, nn
    >>> layer = nn.utils.prune.random_structured(nn.Linear(4, 4), "weight", amount=1, dim=1)
    >>> layer.weight_mask.sum(1)
    tensor([3., 3., 3., 3.])
    """
    RandomStructured.apply(module, name, amount, dim)
    return module


def ln_structured(
    module: Module, name: str, amount: float, n: Any, dim: int, importance_scores: Tensor | None = None
) -> Module:
    """Prunes the slices along ``dim`` of the parameter ``name`` with the smallest norms; returns ``module``.

    Args:
        module: that owns the parameter.
        name: of the parameter.
        amount: the fraction of the slices that are left, or how many.
        n: the p of the norm.
        dim: along which the slices are.
        importance_scores: in place of the parameter's values.

    >>> import autograd, nn
    >>> layer = nn.Linear(2, 2)
    >>> layer.weight.data = autograd.tensor([[1.0, 5.0], [2.0, 3.0]])
    >>> nn.utils.prune.ln_structured(layer, "weight", amount=1, n=1, dim=0).weight_mask
    tensor([[1., 1.],
            [0., 0.]])
    """
    LnStructured.apply(module, name, amount, n, dim, importance_scores=importance_scores)
    return module


def global_unstructured(
    parameters: Iterable[tuple[Module, str]],
    pruning_method: type[BasePruningMethod],
    importance_scores: dict[tuple[Module, str], Tensor] | None = None,
    **kwargs: Any,
) -> None:
    """Prunes several parameters as if they were one.

    Args:
        parameters: pairs of a module and a name.
        pruning_method: an unstructured one.
        importance_scores: for pairs, in place of the parameters' values.
        kwargs: of the method.

    Raises:
        TypeError: no pairs, scores that are no dict, or a method of another kind.

    >>> import nn
    >>> model = nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 1))
    >>> pairs = [(layer, "weight") for layer in model]
    >>> nn.utils.prune.global_unstructured(pairs, nn.utils.prune.L1Unstructured, amount=0.5)
    >>> sum(layer.weight_mask.sum().item() for layer in model)
    5.0
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    pairs = list(parameters)
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            f'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method {pruning_method} of '
            f"type {method.PRUNING_TYPE}"
        )
    values = [getattr(module, name) for module, name in pairs]
    masks = [
        getattr(module, f"{name}_mask", autograd.ones_like(value))
        for (module, name), value in zip(pairs, values, strict=True)
    ]
    listed = [scores.get(pair, value) for pair, value in zip(pairs, values, strict=True)]
    mask = PruningContainer(method).compute_mask(parameters_to_vector(listed), parameters_to_vector(masks))
    parts = mask.split([value.numel() for value in values])
    for (module, name), value, part in zip(pairs, values, parts, strict=True):
        custom_from_mask(module, name, mask=part.view_as(value))


def custom_from_mask(module: Module, name: str, mask: Tensor) -> Module:
    """Prunes the parameter ``name`` where ``mask``, of its shape, is zero; returns ``module``.

    >>> import autograd, nn
    >>> layer = nn.utils.prune.custom_from_mask(nn.Linear(2, 1), "weight", autograd.tensor([[0.0, 1.0]]))
    >>> layer.weight[0, 0] == 0
    tensor(True)
    """
    CustomFromMask.apply(module, name, mask)
    return module


def remove(module: Module, name: str) -> Module:
    """Makes the pruned values of the parameter ``name`` permanent, without a mask; returns ``module``.

    Raises:
        ValueError: it is not pruned.

    >>> import autograd, nn
    >>> layer = nn.utils.prune.l1_unstructured(nn.Linear(2, 2), "weight", amount=1)
    >>> list(nn.utils.prune.remove(layer, "weight").state_dict())
    ['bias', 'weight']
    """
    for key, hook in pre_hooks_of(module, BasePruningMethod):
        if hook._tensor_name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Whether a parameter of ``module`` or of a module below it is pruned.

    >>> import autograd, nn
    >>> layer = nn.Linear(2, 2)
    >>> nn.utils.prune.is_pruned(layer), nn.utils.prune.is_pruned(nn.utils.prune.identity(layer, "weight"))
    (False, True)
    """
    return any(pre_hooks_of(each, BasePruningMethod) for each in module.modules())
