"""Every module that PyTorch has sample inputs for: first weights, printed form, values, gradients, refusals."""

import warnings

import numpy as np
import pytest
from moduleinfo import ModuleSample, arguments, class_of, module_samples

pytest.importorskip("expecttest", reason="PyTorch's sample inputs need expecttest")
torch = pytest.importorskip("torch")

from torch.testing._internal.common_modules import ModuleErrorEnum, module_db  # noqa: E402

DTYPES = ("float64", "float32", "float16")
MOST = {"float64": 24}  # samples of a module; 6 of the other dtypes

# What differs, and why; the reasons are shown when the tests run.
SKIPPED = {"KLDivLoss": "its scalar samples pass one tensor twice; test_loss.py draws its own"}
SKIPPED_DTYPES = {
    "GroupNorm": {"float16": "PyTorch sums the weight's gradient in float16"},
    "LSTMCell": {"float32": "its second gradients cancel: both libraries are as far from those of float64"},
    "LinearCrossEntropyLoss": {"float16": "second gradients are rounded in another order"},
}
MISSING: dict[str, str] = {}


def name_of(info):
    return info.module_cls.__name__


FOUND = [info for info in module_db if class_of(info) is not None]


@pytest.mark.parametrize("info", FOUND, ids=name_of)
def test_module(info):
    if name_of(info) in SKIPPED:
        pytest.skip(SKIPPED[name_of(info)])
    failures, count = [], 0
    for name in DTYPES:
        dtype = getattr(torch, name)
        if dtype not in info.supported_dtypes("cpu") or name in SKIPPED_DTYPES.get(name_of(info), ()):
            continue
        for training in (True, False) if info.train_and_eval_differ else (True,):
            for sample in module_samples(info, dtype, training, torch, MOST.get(name, 6)):
                with warnings.catch_warnings(), np.errstate(all="ignore"):
                    warnings.simplefilter("ignore")
                    what = f"{name}, training={training}"
                    try:
                        case = ModuleSample(info, sample, training, dtype, torch)
                        what = f"{what}, {case.describe()}"
                        case.check_module()
                    except Exception as error:
                        failures.append(f"{what}\n{type(error).__name__}: {error}")
                count += 1
    assert count, "no samples"
    assert not failures, f"{len(failures)} of {count} samples differ:\n" + "\n".join(failures[:3])


def made(info, sample, library):
    """Builds the module, and calls it: the error that either raises, and which of the two."""
    try:
        given = sample.constructor_input
        if library is torch:
            module = info.module_cls(*given.args, **given.kwargs)
        else:
            module = class_of(info)(*arguments(given.args, torch), **arguments(given.kwargs, torch))
    except Exception as error:
        return error, ModuleErrorEnum.CONSTRUCTION_ERROR
    call = sample.forward_input
    try:
        if library is torch:
            module(*call.args, **call.kwargs)
        else:
            module(*arguments(call.args, torch), **arguments(call.kwargs, torch))
    except Exception as error:
        return error, ModuleErrorEnum.FORWARD_ERROR
    return None, None


@pytest.mark.parametrize("info", [i for i in FOUND if i.module_error_inputs_func is not None], ids=name_of)
def test_refusals(info):
    failures = []
    for training in (True, False):
        for error_input in info.module_error_inputs_func(
            info, device="cpu", dtype=torch.float32, requires_grad=False, training=training
        ):
            sample = error_input.module_error_input
            own, where = made(info, sample, None)
            theirs, there = made(info, sample, torch)
            if theirs is not None and (where is not there or type(own).__name__ != type(theirs).__name__):
                failures.append(
                    f"{own!r} {where} instead of {theirs!r} {there}: {sample.constructor_input.args!r:.200}"
                )
    assert not failures, "\n".join(failures)
