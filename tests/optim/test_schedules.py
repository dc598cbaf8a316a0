"""Every schedule against PyTorch's: fifty steps, jumps, state dicts both ways, resumed trainings, errors, warnings."""

from __future__ import annotations

import copy
import inspect
import math
import warnings

import pytest

import autograd
import optim
from optim import lr_scheduler

STEPS = 50


class Slower:
    """A function of the epoch that has a state."""

    def __init__(self, rate):
        self.rate = rate

    def __call__(self, epoch):
        return self.rate**epoch


def half(epoch):
    return 0.5


def sequential(S, o):
    return S.SequentialLR(o, [S.ConstantLR(o, 0.1, 3), S.ExponentialLR(o, 0.9), S.StepLR(o, 4, 0.5)], [5, 20])


# name: (the schedule, made in the library's module S for an optimizer o; whether step() takes an epoch)
CASES = {
    "lambda": (lambda S, o: S.LambdaLR(o, Slower(0.9)), True),
    "lambdas": (lambda S, o: S.LambdaLR(o, [half, lambda e: 1 / (e + 1)]), True),
    "multiplicative": (lambda S, o: S.MultiplicativeLR(o, lambda e: 0.95), True),
    "step": (lambda S, o: S.StepLR(o, 7, gamma=0.3), True),
    "multistep": (lambda S, o: S.MultiStepLR(o, [5, 9, 9, 30], gamma=0.3), True),
    "constant": (lambda S, o: S.ConstantLR(o, 0.25, 8), True),
    "constant default": (lambda S, o: S.ConstantLR(o), True),
    "linear": (lambda S, o: S.LinearLR(o, 0.2, 0.7, 20), True),
    "linear default": (lambda S, o: S.LinearLR(o), True),
    "exponential": (lambda S, o: S.ExponentialLR(o, 0.93), True),
    "polynomial": (lambda S, o: S.PolynomialLR(o, 30, 2.5), True),
    "polynomial default": (lambda S, o: S.PolynomialLR(o), True),
    "cosine": (lambda S, o: S.CosineAnnealingLR(o, 7, 0.01), True),
    "restarts": (lambda S, o: S.CosineAnnealingWarmRestarts(o, 5, 2, 0.01), True),
    "equal restarts": (lambda S, o: S.CosineAnnealingWarmRestarts(o, 6), True),
    "triangular": (lambda S, o: S.CyclicLR(o, 0.01, 0.5, 6), True),
    "triangular2": (lambda S, o: S.CyclicLR(o, 0.01, [0.5, 0.7], 6, 4, mode="triangular2"), True),
    "exp_range": (lambda S, o: S.CyclicLR(o, 0.01, 0.5, 6, mode="exp_range", gamma=0.97, base_momentum=0.1), True),
    "own scale": (lambda S, o: S.CyclicLR(o, 0.01, 0.5, 6, scale_fn=Slower(0.8), cycle_momentum=False), True),
    "own scale by iterations": (lambda S, o: S.CyclicLR(o, 0.1, 1, 6, scale_fn=half, scale_mode="iterations"), True),
    "one cycle": (lambda S, o: S.OneCycleLR(o, 0.5, total_steps=STEPS), True),
    "one cycle by epochs": (
        lambda S, o: S.OneCycleLR(o, [0.5, 0.3], epochs=11, steps_per_epoch=5, pct_start=0.4, anneal_strategy="linear"),
        True,
    ),
    "three phases": (lambda S, o: S.OneCycleLR(o, 0.5, STEPS, three_phase=True, cycle_momentum=False), True),
    "sequential": (sequential, False),
    "chained": (lambda S, o: S.ChainedScheduler([S.ConstantLR(o, 0.1, 5), S.ExponentialLR(o, 0.9)]), False),
    "chained cosine": (lambda S, o: S.ChainedScheduler([S.CosineAnnealingLR(o, 5), S.StepLR(o, 3)], o), False),
}
LIBRARIES = ["ours", "theirs"]


def modules(torch):
    return {
        "ours": (autograd, optim, lr_scheduler),
        "theirs": (torch, torch.optim, torch.optim.lr_scheduler),
    }


def optimizer_of(library, package, name, tensor_lr=False):
    groups = [{"params": [library.ones(1, requires_grad=True)]}, {"params": [library.ones(2, requires_grad=True)]}]
    rates = (library.tensor(0.2), library.tensor(0.05)) if tensor_lr else (0.2, 0.05)
    for group, rate in zip(groups, rates, strict=True):
        group["lr"] = rate
    return getattr(package, name)(groups, **({"momentum": 0.9} if name == "SGD" else {}))


def seen(optimizer, schedule):
    """What can be read from outside after a step."""
    groups = [
        [float(group["lr"]), group.get("momentum"), group.get("betas")] + [float(group.get("initial_lr", 0))]
        for group in optimizer.param_groups
    ]
    return groups, [float(rate) for rate in schedule.get_last_lr()], schedule.__dict__.get("last_epoch")


def flat(value):
    if isinstance(value, (list, tuple)):
        return [part for item in value for part in flat(item)]
    return [-1.0 if value is None else value]


def run(library, package, S, make, name="SGD", tensor_lr=False):
    """The optimizer, its schedule, and what was seen after each step."""
    optimizer = optimizer_of(library, package, name, tensor_lr)
    schedule = make(S, optimizer)
    steps = [seen(optimizer, schedule)]
    for _ in range(STEPS):
        optimizer.step()
        schedule.step()
        steps.append(seen(optimizer, schedule))
    return optimizer, schedule, steps


@pytest.mark.parametrize("name", ["SGD", "Adam"])
@pytest.mark.parametrize("case", CASES)
def test_fifty_steps(torch, case, name):
    results = {key: run(*modules(torch)[key], CASES[case][0], name) for key in LIBRARIES}
    assert flat(results["ours"][2]) == pytest.approx(flat(results["theirs"][2]), rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("case", [case for case in CASES if case not in ("chained cosine",)])
def test_rates_that_are_tensors(torch, case):
    results = {key: run(*modules(torch)[key], CASES[case][0], "SGD", tensor_lr=True) for key in LIBRARIES}
    assert flat(results["ours"][2]) == pytest.approx(flat(results["theirs"][2]), rel=2e-5, abs=1e-7)
    assert all(isinstance(group["lr"], autograd.Tensor) for group in results["ours"][0].param_groups)


@pytest.mark.parametrize("case", [case for case, (_, jumps) in CASES.items() if jumps])
def test_jumps_to_an_epoch(torch, case):
    results = {}
    for key in LIBRARIES:
        library, package, S = modules(torch)[key]
        optimizer = optimizer_of(library, package, "SGD")
        schedule, results[key] = CASES[case][0](S, optimizer), []
        optimizer.step()
        for epoch in (3, 10, 4, 21, 0):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                schedule.step(epoch)
            results[key].append((seen(optimizer, schedule), len(caught)))
            schedule.step()
            results[key].append((seen(optimizer, schedule), 0))
    assert flat(results["ours"]) == pytest.approx(flat(results["theirs"]), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("case", CASES)
def test_state_dicts_both_ways(torch, case):
    make = CASES[case][0]
    results = {key: run(*modules(torch)[key], make) for key in LIBRARIES}
    states = {key: results[key][1].state_dict() for key in LIBRARIES}
    plain = {key: {k for k in states[key] if k not in ("_scale_fn_ref",)} for key in LIBRARIES}
    assert plain["ours"] == plain["theirs"]
    continued = {}
    for key, other in zip(LIBRARIES, reversed(LIBRARIES), strict=True):
        library, package, S = modules(torch)[key]
        optimizer = optimizer_of(library, package, "SGD")
        schedule = make(S, optimizer)
        before = copy.deepcopy(states[other])
        schedule.load_state_dict(states[other])
        assert key == "theirs" or states[other].keys() == before.keys()
        for group, saved in zip(optimizer.param_groups, results[key][0].param_groups, strict=True):
            group.update({name: value for name, value in saved.items() if name != "params"})
        continued[key] = []
        for _ in range(0 if isinstance(schedule, S.OneCycleLR) else 5):  # one cycle is over
            optimizer.step()
            schedule.step()
            continued[key].append(seen(optimizer, schedule))
        continued[key].append(seen(optimizer, schedule))
    assert flat(continued["ours"]) == pytest.approx(flat(continued["theirs"]), rel=1e-9, abs=1e-12)


RESUMED = {
    "lambda": lambda S, o, n: S.LambdaLR(o, lambda e: 0.9**e, last_epoch=n),
    "multiplicative": lambda S, o, n: S.MultiplicativeLR(o, lambda e: 0.95, last_epoch=n),
    "step": lambda S, o, n: S.StepLR(o, 3, 0.5, last_epoch=n),
    "multistep": lambda S, o, n: S.MultiStepLR(o, [5, 9], 0.5, last_epoch=n),
    "constant": lambda S, o, n: S.ConstantLR(o, 0.5, 8, last_epoch=n),
    "linear": lambda S, o, n: S.LinearLR(o, 0.5, 1.0, 20, last_epoch=n),
    "exponential": lambda S, o, n: S.ExponentialLR(o, 0.9, last_epoch=n),
    "polynomial": lambda S, o, n: S.PolynomialLR(o, 30, 2.0, last_epoch=n),
    "cosine": lambda S, o, n: S.CosineAnnealingLR(o, 12, last_epoch=n),
    "restarts": lambda S, o, n: S.CosineAnnealingWarmRestarts(o, 5, last_epoch=n),
    "cyclic": lambda S, o, n: S.CyclicLR(o, 0.01, 0.1, 4, last_epoch=n),
    "one cycle": lambda S, o, n: S.OneCycleLR(o, 0.5, STEPS, last_epoch=n),
}


@pytest.mark.parametrize("case", RESUMED)
def test_a_resumed_training(torch, case):
    results = {}
    for key in LIBRARIES:
        library, package, S = modules(torch)[key]
        optimizer = optimizer_of(library, package, "SGD")
        with pytest.raises(KeyError, match="initial_lr"):
            RESUMED[case](S, optimizer, 4)
        schedule = RESUMED[case](S, optimizer, -1)
        for _ in range(6):
            optimizer.step()
            schedule.step()
        resumed = RESUMED[case](S, optimizer, schedule.last_epoch)
        results[key] = [seen(optimizer, resumed)]
        for _ in range(10):
            optimizer.step()
            resumed.step()
            results[key].append(seen(optimizer, resumed))
    assert flat(results["ours"]) == pytest.approx(flat(results["theirs"]), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"patience": 2, "factor": 0.5},
        {"patience": 1, "mode": "max", "threshold": 0.1, "min_lr": [0.01, 0.02]},
        {"patience": 1, "threshold_mode": "abs", "threshold": 0.5, "cooldown": 3},
        {"patience": 0, "mode": "max", "threshold_mode": "abs", "min_lr": 0.03, "eps": 1e-3},
    ],
    ids=str,
)
@pytest.mark.parametrize("tensor_lr", [False, True])
def test_plateaus(torch, options, tensor_lr):
    losses = [math.sin(0.7 * i) / (1 + 0.05 * i) + 1.5 for i in range(STEPS)]
    results = {}
    for key in LIBRARIES:
        library, package, S = modules(torch)[key]
        optimizer = optimizer_of(library, package, "SGD", tensor_lr)
        schedule, results[key] = S.ReduceLROnPlateau(optimizer, **options), []
        for i, loss in enumerate(losses):
            if i == 25:
                state = schedule.state_dict()
                schedule = S.ReduceLROnPlateau(optimizer, **options)
                schedule.load_state_dict(state)
            schedule.step(library.tensor(loss, dtype=library.float64))
            results[key].append((seen(optimizer, schedule), schedule.num_bad_epochs, schedule.in_cooldown))
        assert schedule.state_dict().keys() == state.keys()
    assert flat(results["ours"]) == pytest.approx(flat(results["theirs"]), rel=1e-6)


def sgd(L):
    return (optim if L is autograd else L.optim).SGD([L.ones(1, requires_grad=True)], lr=0.1, momentum=0.9)


def S(L):
    return lr_scheduler if L is autograd else L.optim.lr_scheduler


WRONG = {
    "no optimizer": lambda L: S(L).StepLR(3, 4),
    "no optimizer for a cycle": lambda L: S(L).CyclicLR(3, 0.1, 0.2),
    "no optimizer for one cycle": lambda L: S(L).OneCycleLR(3, 0.1, 10),
    "no optimizer for a plateau": lambda L: S(L).ReduceLROnPlateau(3),
    "lambdas": lambda L: S(L).LambdaLR(sgd(L), [half, half]),
    "factors": lambda L: S(L).MultiplicativeLR(sgd(L), [half, half]),
    "no function": lambda L: S(L).MultiplicativeLR(sgd(L), 0.5),
    "constant": lambda L: S(L).ConstantLR(sgd(L), 1.5),
    "linear start": lambda L: S(L).LinearLR(sgd(L), 0.0),
    "linear end": lambda L: S(L).LinearLR(sgd(L), 0.5, 1.5),
    "T_0": lambda L: S(L).CosineAnnealingWarmRestarts(sgd(L), 0),
    "T_0 is a float": lambda L: S(L).CosineAnnealingWarmRestarts(sgd(L), 2.5),
    "T_mult": lambda L: S(L).CosineAnnealingWarmRestarts(sgd(L), 2, 0),
    "eta_min": lambda L: S(L).CosineAnnealingWarmRestarts(sgd(L), 2, 1, "0"),
    "restart before the start": lambda L: S(L).CosineAnnealingWarmRestarts(sgd(L), 2).step(-1),
    "mode of a cycle": lambda L: S(L).CyclicLR(sgd(L), 0.1, 0.2, mode="square"),
    "rates of a cycle": lambda L: S(L).CyclicLR(sgd(L), [0.1, 0.1], 0.2),
    "no momentum": lambda L: S(L).CyclicLR(
        (optim if L is autograd else L.optim).Rprop([L.ones(1, requires_grad=True)]), 0.1, 0.2
    ),
    "one cycle of no length": lambda L: S(L).OneCycleLR(sgd(L), 0.1),
    "one cycle of 0 steps": lambda L: S(L).OneCycleLR(sgd(L), 0.1, 0),
    "one cycle of 1.5 epochs": lambda L: S(L).OneCycleLR(sgd(L), 0.1, epochs=1.5, steps_per_epoch=3),
    "one cycle of no steps an epoch": lambda L: S(L).OneCycleLR(sgd(L), 0.1, epochs=1, steps_per_epoch=0),
    "one cycle's start": lambda L: S(L).OneCycleLR(sgd(L), 0.1, 10, pct_start=1.5),
    "one cycle's curve": lambda L: S(L).OneCycleLR(sgd(L), 0.1, 10, anneal_strategy="sine"),
    "plateau's factor": lambda L: S(L).ReduceLROnPlateau(sgd(L), factor=1.0),
    "plateau's mode": lambda L: S(L).ReduceLROnPlateau(sgd(L), mode="least"),
    "plateau's threshold": lambda L: S(L).ReduceLROnPlateau(sgd(L), threshold_mode="least"),
    "plateau's rates": lambda L: S(L).ReduceLROnPlateau(sgd(L), min_lr=[0.1, 0.1]),
    "sequence of none": lambda L: S(L).SequentialLR(sgd(L), [], []),
    "sequence of numbers": lambda L: S(L).SequentialLR(sgd(L), [1], []),
    "sequence of plateaus": lambda L: S(L).SequentialLR(o := sgd(L), [S(L).ReduceLROnPlateau(o)], []),
    "sequence of strangers": lambda L: S(L).SequentialLR(sgd(L), [S(L).StepLR(sgd(L), 1)], []),
    "milestones": lambda L: S(L).SequentialLR(o := sgd(L), [S(L).StepLR(o, 1)], [3]),
    "chain of none": lambda L: S(L).ChainedScheduler([]),
    "chain of plateaus": lambda L: S(L).ChainedScheduler([S(L).ReduceLROnPlateau(sgd(L))]),
    "chain of strangers": lambda L: S(L).ChainedScheduler([S(L).StepLR(sgd(L), 1), S(L).StepLR(sgd(L), 1)]),
    "verbose": lambda L: S(L).StepLR(sgd(L), 1, verbose=True),
    "SWALR's curve": lambda L: swa(L).SWALR(sgd(L), 0.1, anneal_strategy="sine"),
    "SWALR's epochs": lambda L: swa(L).SWALR(sgd(L), 0.1, anneal_epochs=-1),
    "SWALR's rates": lambda L: swa(L).SWALR(sgd(L), [0.1, 0.1]),
}


def swa(L):
    return optim.swa_utils if L is autograd else L.optim.swa_utils


@pytest.mark.parametrize("case", WRONG)
def test_errors(torch, case):
    with pytest.raises((TypeError, ValueError)) as theirs:
        WRONG[case](torch)
    with pytest.raises(theirs.type):
        WRONG[case](autograd)


def test_more_steps_than_one_cycle_has():
    optimizer = sgd(autograd)
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=3)
    for _ in range(3):
        optimizer.step()
        schedule.step()
    with pytest.raises(ValueError, match="specified number of total steps is 3"):
        schedule.step()


def test_a_group_added_to_a_plateau():
    optimizer = sgd(autograd)
    schedules = [lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=x) for x in (0.0, [0.0])]
    optimizer.add_param_group({"params": [autograd.ones(1, requires_grad=True)], "lr": 1.0})
    for schedule in schedules:
        schedule.step(1.0)
    schedules[0].step(1.0)
    assert [group["lr"] for group in optimizer.param_groups] == [pytest.approx(0.01), pytest.approx(0.1)]
    with pytest.raises(RuntimeError, match="number of param groups"):
        schedules[1].step(1.0)


def test_the_order_of_calls():
    optimizer = sgd(autograd)
    schedule = lr_scheduler.StepLR(optimizer, 1)
    with pytest.warns(UserWarning, match=r"before `optimizer.step\(\)`"):
        schedule.step()
    schedule.step()  # said once

    optimizer = sgd(autograd)
    schedule = lr_scheduler.StepLR(optimizer, 1)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="has been overridden"):
        schedule.step()

    with pytest.warns(UserWarning, match="get_last_lr"):
        schedule.get_lr()


def test_one_over_t_decay():
    optimizer = sgd(autograd)
    schedule = lr_scheduler.InverseSquareRootLR(optimizer)
    for t in range(STEPS):
        assert optimizer.param_groups[0]["lr"] == pytest.approx(0.1 / math.sqrt(t + 1))
        optimizer.step()
        schedule.step()
    with pytest.warns(UserWarning, match="epoch parameter"):
        schedule.step(8)
    assert schedule.get_last_lr() == [pytest.approx(0.1 / 3)]


def test_a_schedule_of_ones_own():
    class Half(lr_scheduler._LRScheduler):
        def get_lr(self):
            return [base / 2 for base in self.base_lrs]

    optimizer = sgd(autograd)
    assert Half(optimizer).get_last_lr() == [0.05]
    with pytest.raises(NotImplementedError, match="get_lr"):
        lr_scheduler.LRScheduler(optimizer)


def test_an_optimizer_dies_with_its_schedule():
    import gc
    import weakref

    optimizer = sgd(autograd)
    schedule = lr_scheduler.StepLR(optimizer, 1)
    reference = weakref.ref(optimizer)
    gc.disable()
    try:
        del optimizer, schedule
        gc.collect()
        assert reference() is None
    finally:
        gc.enable()


NAMES = [name for name in lr_scheduler.__all__ if name not in ("InverseSquareRootLR", "_LRScheduler")]


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_those_of_torch(torch, name):
    def parameters(kind):
        return [(p.name, p.kind, p.default) for p in inspect.signature(kind).parameters.values()]

    assert parameters(getattr(lr_scheduler, name)) == parameters(getattr(torch.optim.lr_scheduler, name))
