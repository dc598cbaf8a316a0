"""Every operator that PyTorch and we have, on PyTorch's sample inputs: values, first and second gradients, errors."""

import re
import warnings

import numpy as np
import pytest
from opinfo import Sample, converted, error_samples, function_of, name_of, samples

import autograd

pytest.importorskip("expecttest", reason="PyTorch's sample inputs need expecttest")
torch = pytest.importorskip("torch")

from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402

DTYPES = ("float64", "float32", "complex128", "int64", "bool", "float16", "bfloat16")
MOST = {"float64": 12}  # samples of an operator; 4 of the other dtypes

# Not part of the surface: private names, other memory layouts, compilers, quantisation.
OUTSIDE = re.compile(r"_|sparse|jiterator|to_sparse|ops\.|nested|torch\.|fbgemm")

# Values that are not defined.
UNDEFINED = {"empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided"}

# Where PyTorch's list does not call the function itself, the same in our library.
CALLS = {
    "nn.functional.triplet_margin_with_distance_loss": lambda *tensors, distance_function=None, **kwargs: (
        autograd.nn.functional.triplet_margin_with_distance_loss(
            *tensors, distance_function=distance_function and autograd.nn.PairwiseDistance(), **kwargs
        )
    ),
    "einsum": lambda tensors, equation: autograd.einsum(equation, tensors),
    "nn.functional.embedding": lambda weight, input, **kwargs: autograd.nn.functional.embedding(
        input, weight, **kwargs
    ),
    "nn.functional.embedding_bag": lambda weight, input, *args, **kwargs: autograd.nn.functional.embedding_bag(
        input, weight, *args, **kwargs
    ),
    "where": lambda x, condition, other: autograd.where(condition, x, other),
    "zero_": lambda x: x.clone().zero_(),
    "rand_like": lambda *args, **kwargs: autograd.randn_like(*args, **kwargs),
    "cauchy": lambda x, *args, **kwargs: x.cauchy_(*args, **kwargs),
    "exponential": lambda x, *args, **kwargs: x.exponential_(*args, **kwargs),
    "geometric": lambda x, *args, **kwargs: x.geometric_(*args, **kwargs),
    "log_normal": lambda x, *args, **kwargs: x.log_normal_(*args, **kwargs),
    "uniform": lambda x, *args, **kwargs: x.uniform_(*args, **kwargs),
    "normal-in_place": lambda x, *args, **kwargs: x.normal_(*args, **kwargs),
    "normal-number_mean": lambda std, mean, *args, **kwargs: autograd.normal(mean, std, *args, **kwargs),
    "linalg.pinv-singular": lambda a, b: autograd.linalg.pinv(a @ b.mT),
    "linalg.lstsq-grad_oriented": lambda a, b, driver: autograd.linalg.lstsq(a, b, driver=driver)[:2],
    "svd_lowrank": lambda a, b, **kwargs: autograd.svd_lowrank(a @ b.mT, **kwargs),
    "pca_lowrank": lambda a, b, **kwargs: autograd.pca_lowrank(a @ b.mT, **kwargs),
}

# Operators that differ, and why; the reasons are shown when the tests run.
SKIPPED = {
    "as_strided-partial_views": "its samples are windows into memory that conversion does not carry over",
    "as_strided_scatter": "PyTorch's gradient counts shared memory twice: its own test expects that failure",
    "linalg.norm-subgradients_at_zero": "second derivatives at 0 are 0 here, NaN in PyTorch",
    "masked.logaddexp": "second derivatives at -inf are 0 here, NaN in PyTorch",
    "special.airy_ai": "PyTorch's is off by up to 1e-6",
    "special.bessel_j0": "PyTorch's polynomial is off by up to 1e-5",
    "special.bessel_y1": "PyTorch's polynomial is off by up to 1e-5",
}
SKIPPED_DTYPES = {
    "nn.functional.scaled_dot_product_attention": {"bfloat16": "PyTorch rounds after every product"},
    "addbmm": {"float16": "PyTorch rounds after every product", "bfloat16": "PyTorch rounds after every product"},
    "ldexp": {"bfloat16": "PyTorch rounds in between"},
    "logcumsumexp": {"bfloat16": "gradients at large numbers rest on rounded results"},
    "masked.cumprod": {"bfloat16": "PyTorch rounds in between"},
    "nn.functional.binary_cross_entropy_with_logits": {"bfloat16": "PyTorch rounds in between"},
    "matrix_exp": {
        "float16": "PyTorch computes in float16",
        "bfloat16": "PyTorch computes in bfloat16",
        "float32": "PyTorch computes in float32, less exactly",
    },
    "view_as_complex": {"float16": "NumPy has no complex type of halves"},
    "complex": {"float16": "NumPy has no complex type of halves"},
    "grid_sampler_2d": {
        "float32": "second gradients are small differences of large sums",
        "float16": "PyTorch rounds in between",
        "bfloat16": "PyTorch rounds in between",
    },
    "linalg.eig": {"float32": "the order of the values is LAPACK's, and rests on rounding"},
    "linalg.eigvals": {"float32": "the order of the values is LAPACK's, and rests on rounding"},
    "linalg.householder_product": {"float32": "PyTorch's second gradients are off by up to 1e-3, ours by 1e-7"},
    "pca_lowrank": {"complex128": "second gradients are small differences of large sums"},
    "grid_sampler_3d": {
        "float32": "second gradients are small differences of large sums",
        "float16": "PyTorch rounds in between",
        "bfloat16": "PyTorch rounds in between",
    },
    "nn.functional.ctc_loss": {"float32": "both are 8e-5 away from what float64 gives"},
    "nn.functional.grid_sample": {"float16": "PyTorch rounds in between", "bfloat16": "PyTorch rounds in between"},
    "native_layer_norm": {"float32": "the gradient of one element is 0 here, what rounding leaves in PyTorch"},
    "nn.functional.conv_transpose2d": {"float16": "PyTorch rounds in between", "bfloat16": "PyTorch rounds in between"},
    "nn.functional.conv_transpose3d": {"float16": "PyTorch rounds in between", "bfloat16": "PyTorch rounds in between"},
    "nn.functional.instance_norm": {"bfloat16": "PyTorch rounds in between"},
    "nn.functional.normalize": {
        "float32": "second gradients that are 0 are what rounding leaves in PyTorch",
        "bfloat16": "PyTorch rounds in between",
    },
}
SKIPPED_ERRORS = {
    "cat": "PyTorch frees what its own error inputs show",
    "normal-in_place": "called as a function, it has another signature",
}


# What PyTorch's list has and we have not.
MISSING = {
    "chalf": "NumPy has no complex type of halves",
    "max_pool2d_with_indices_backward": "a gradient rule, here a row without a name in the namespace",
    "native_dropout_backward": "a gradient rule, here a row without a name in the namespace",
    "slice": "Python's x[a:b]",
}


def own_function(op):
    return CALLS.get(name_of(op)) or function_of(op)


OPS = [op for op in op_db if not OUTSIDE.match(op.name)]
FOUND = [op for op in OPS if own_function(op) is not None]


def test_what_is_missing():
    missing = {op.name for op in OPS if own_function(op) is None}
    assert {name for name in missing if not name.startswith("nn.functional.")} == MISSING.keys()


@pytest.mark.parametrize("op", FOUND, ids=name_of)
def test_sample_inputs(op):
    if name_of(op) in SKIPPED:
        pytest.skip(SKIPPED[name_of(op)])
    failures, count = [], 0
    for name in DTYPES:
        dtype = getattr(torch, name)
        if not op.supports_dtype(dtype, "cpu") or name in SKIPPED_DTYPES.get(name_of(op), ()):
            continue
        for sample in samples(op, dtype, torch, MOST.get(name, 4)):
            case = Sample(sample, torch)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                try:
                    case.check(op, own_function(op), op.name not in UNDEFINED)
                except Exception as error:
                    failures.append(f"{name} {case.describe()}\n{type(error).__name__}: {error}")
            count += 1
    assert not failures, f"{len(failures)} of {count} samples differ:\n" + "\n".join(failures[:3])


@pytest.mark.parametrize("op", [op for op in FOUND if op.error_inputs_func is not None], ids=name_of)
def test_error_inputs(op):
    reasons = {**SKIPPED, **SKIPPED_ERRORS}
    if name_of(op) in reasons:
        pytest.skip(reasons[name_of(op)])
    failures = []
    for error_input in error_samples(op, torch):
        sample = error_input.sample_input
        if "unsupported operation" in error_input.error_regex:
            continue  # memory shared between operands and `out`, which conversion does not carry over
        args, kwargs = (sample.input, *sample.args), dict(sample.kwargs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                own_args, own_kwargs = converted(args, torch), converted(kwargs, torch)
            except Exception:
                continue  # nothing that our library could hold
            described = f"{args!r:.200} {kwargs!r:.100}"  # before PyTorch resizes what is `out`
            try:
                op(*args, **kwargs)
                continue
            except Exception as error:
                expected = type(error)
            try:
                own_function(op)(*own_args, **own_kwargs)
                failures.append(f"no error for {described}; PyTorch: {error_input.error_regex}")
            except Exception as error:
                if not isinstance(error, expected) and type(error).__name__ != expected.__name__:
                    failures.append(f"{type(error).__name__} instead of {expected.__name__} for {described}: {error}")
    assert not failures, "\n".join(failures)
