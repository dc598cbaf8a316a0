"""Clipping: gradients of any sizes, dtypes and strides against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

import nn
from autograd.kernels.gather import SMALL

GROUPS = {
    "small": [((3, 4), "float32"), ((5,), "float32"), ((), "float32"), ((0,), "float32")],
    "large and small": [((SMALL + 1,), "float32"), ((3,), "float32"), ((SMALL,), "float32"), ((60, 50), "float32")],
    "float64": [((3, 4), "float64"), ((5,), "float64")],
    "complex": [((3,), "complex64"), ((2, 2), "complex64")],
    "halves": [((3,), "float16"), ((2, 2), "float16")],
    "one": [((7,), "float32")],
}


def params_of(lib, group, transposed=False):
    rng, params = np.random.default_rng(0), []
    for shape, dtype in GROUPS[group]:
        array = np.asarray(rng.standard_normal(shape) + (1j if dtype[0] == "c" else 0)).astype(dtype)
        param = lib.zeros(shape, dtype=getattr(lib, dtype), requires_grad=True)
        gradient = lib.tensor(array)
        param.grad = gradient.t().contiguous().t() if transposed and len(shape) == 2 else gradient
        params += [param, lib.zeros(2, requires_grad=True)]  # one without a gradient
    return params


def gradients_of(params):
    return [param.grad for param in params if param.grad is not None]


@pytest.mark.parametrize("norm_type", [2.0, 1.0, 0.5, float("inf"), 0.0])
@pytest.mark.parametrize("max_norm", [0.5, 1e6, 0.0])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("group", GROUPS)
def test_norms(both, group, max_norm, norm_type, transposed):
    def program(lib):
        params = params_of(lib, group, transposed)
        utils = nn.utils if lib.__name__ == "autograd" else lib.nn.utils
        total = utils.clip_grad_norm_(params, max_norm, norm_type)
        return total, gradients_of(params)

    both(program)


@pytest.mark.parametrize("value", [0.5, 0.0, 100.0])
@pytest.mark.parametrize("group", ["small", "large and small", "float64", "halves", "one"])
def test_values(both, group, value):
    def program(lib):
        params = params_of(lib, group)
        (nn.utils if lib.__name__ == "autograd" else lib.nn.utils).clip_grad_value_(params, value)
        return gradients_of(params)

    both(program)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e30])
def test_what_is_not_finite(both, bad):
    def program(lib):
        utils = nn.utils if lib.__name__ == "autograd" else lib.nn.utils
        results = []
        for clip in (utils.clip_grad_norm_, utils.clip_grad_value_):
            params = params_of(lib, "small")
            params[2].grad[1] = bad
            results += [clip(params, 2.0), *gradients_of(params)]
        return results

    both(program)
