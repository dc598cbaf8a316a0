"""Python threads, worker threads and forked children: nothing hangs, nothing mixes, every bit stays the same."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autograd
from autograd import jit

LARGE = jit.threshold * 4


def data(size=LARGE, seed=0):
    return np.random.default_rng(seed).normal(size=size).astype("float32")


def in_threads(count, work):
    """Results of ``work(i)``, started in ``count`` threads at the same moment."""
    barrier = threading.Barrier(count)

    def start(i):
        barrier.wait()
        return work(i)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(start, range(count), timeout=120))


def network(x, weight):
    """A function of large tensors that uses loops with saved inputs, with saved outputs, and a reduction."""
    return ((x * weight).tanh() * x.sigmoid() + (x * x).exp().log1p()).mean()


def gradients(array, factor=1.0):
    x = autograd.from_numpy(array.copy()).requires_grad_()
    weight = autograd.full((1,), factor, requires_grad=True)
    loss = network(x, weight)
    loss.backward()
    return loss.item(), x.grad.numpy(), weight.grad.numpy()


def assert_same(first, second):
    assert first[0] == second[0]
    assert all(np.array_equal(a, b) for a, b in zip(first[1:], second[1:]))


def test_threads_with_graphs_of_their_own():
    arrays = [data(seed=i) for i in range(4)]
    alone = [gradients(array, i + 1.0) for i, array in enumerate(arrays)]
    for _ in range(3):
        for expected, got in zip(alone, in_threads(4, lambda i: gradients(arrays[i], i + 1.0))):
            assert_same(expected, got)


def test_threads_with_small_graphs():
    def work(i):
        total = 0.0
        for step in range(200):
            x = autograd.tensor([float(i), float(step)], requires_grad=True)
            ((x * 0.01).exp().log() * x).sum().backward()
            total += x.grad.sum().item()
        return total

    expected = [work(i) for i in range(4)]
    assert in_threads(4, work) == expected


def test_threads_share_leaves_that_they_only_read():
    array = data()
    shared = autograd.from_numpy(array).requires_grad_()

    def work(i):
        (g,) = autograd.grad((shared * (i + 1.0)).tanh().sum(), shared)
        return g.numpy()

    expected = [work(i) for i in range(4)]
    for got, want in zip(in_threads(4, work), expected):
        assert np.array_equal(got, want)
    assert shared.grad is None


def test_threads_add_to_the_gradient_of_one_leaf():
    shared = autograd.ones(LARGE, requires_grad=True)
    lock = threading.Lock()

    def work(i):
        for _ in range(5):
            loss = (shared * float(i + 1)).sum()
            with lock:
                loss.backward()

    in_threads(4, work)
    assert np.array_equal(shared.grad.numpy(), np.full(LARGE, 5 * (1 + 2 + 3 + 4), "float32"))


def test_one_retained_graph_differentiated_by_many_threads():
    x = autograd.from_numpy(data()).requires_grad_()
    loss = network(x, autograd.ones(1))
    (expected,) = autograd.grad(loss, x, retain_graph=True)
    for (got,) in in_threads(4, lambda i: autograd.grad(loss, x, retain_graph=True)):
        assert np.array_equal(got.numpy(), expected.numpy())


def test_modes_of_threads_do_not_mix():
    def work(i):
        seen = set()
        for _ in range(300):
            if i % 2:
                with autograd.no_grad():
                    time.sleep(0)
                    seen.add((autograd.ones(1, requires_grad=True) * 2).requires_grad)
            else:
                time.sleep(0)
                seen.add((autograd.ones(1, requires_grad=True) * 2).requires_grad)
        return seen

    assert in_threads(4, work) == [{True}, {False}, {True}, {False}]


def test_anomaly_mode_may_be_entered_by_many_threads():
    def work(i):
        for _ in range(50):
            with autograd.set_detect_anomaly(True):
                x = autograd.ones(2, requires_grad=True)
                x.exp().sum().backward()

    in_threads(4, work)
    autograd.set_detect_anomaly(False)
    assert not autograd.is_anomaly_enabled()


def test_backward_from_another_thread():
    x = autograd.ones(LARGE, requires_grad=True)
    loss = (x * 3).exp().sum()
    thread = threading.Thread(target=loss.backward)
    thread.start()
    thread.join(60)
    assert np.allclose(x.grad.numpy(), 3 * np.exp(3), rtol=1e-6)


def test_hooks_run_in_the_thread_of_backward():
    names = []
    x = autograd.ones(2, requires_grad=True)
    x.register_hook(lambda g: names.append(threading.current_thread().name))
    thread = threading.Thread(target=(x * 2).sum().backward, name="worker")
    thread.start()
    thread.join(60)
    assert names == ["worker"]


# --- Number of threads ---------------------------------------------------------------------------------------------


@pytest.fixture
def threads():
    """Sets the number of threads; what it was comes back afterwards."""
    before = autograd.get_num_threads()
    yield autograd.set_num_threads
    autograd.set_num_threads(before)


OPERATIONS = {
    "pointwise": lambda x: (x * 1.5).tanh() * x.sigmoid(),
    "broadcast": lambda x: x.view(-1, 64) * x.view(-1, 64)[0] + x.view(-1, 64)[:, :1],
    "strided": lambda x: x.view(-1, 64).t().exp() + 1,
    "sum": lambda x: x.sum(),
    "sum of rows": lambda x: x.view(-1, 64).sum(1),
    "sum of columns": lambda x: x.view(-1, 64).sum(0),
    "mean and var": lambda x: x.view(-1, 64).var(1) + x.mean(),
    "softmax": lambda x: x.view(-1, 64).softmax(1),
    "log_softmax": lambda x: x.view(-1, 64).log_softmax(1),
    "max": lambda x: x.view(-1, 64).max(1)[0],
    "logsumexp": lambda x: x.view(64, -1).logsumexp(0),
    "index": lambda x: x[autograd.arange(0, LARGE, 3)],
    "cumsum": lambda x: x.view(-1, 64).cumsum(1),
    "conv2d": lambda x: autograd.conv2d(x.view(4, 16, 32, 32), x[: 16 * 16 * 9].view(16, 16, 3, 3), padding=1),
    "max_pool2d": lambda x: autograd.max_pool2d(x.view(4, 16, 32, 32), 2),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_bits_do_not_depend_on_the_number_of_threads(name, threads):
    array, results = data(), []
    for count in (1, 2, 3):
        threads(count)
        x = autograd.from_numpy(array.copy()).requires_grad_()
        y = OPERATIONS[name](x)
        (y * y.detach()).sum().backward()
        results.append((y.detach().numpy(), x.grad.numpy()))
    for y, g in results[1:]:
        assert np.array_equal(y, results[0][0])
        assert np.array_equal(g, results[0][1])


@contextlib.contextmanager
def another_thread_computing(array):
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            gradients(array)

    other = threading.Thread(target=disturb)
    other.start()
    try:
        yield
    finally:
        stop.set()
        other.join(60)


def test_bits_do_not_depend_on_other_threads():
    array = data()
    expected = gradients(array)
    with another_thread_computing(array):
        for _ in range(5):
            assert_same(expected, gradients(array))


def test_set_num_threads(threads):
    threads(1)
    assert autograd.get_num_threads() == 1
    threads(3)
    assert autograd.get_num_threads() == 3
    for wrong, error in ((0, RuntimeError), (-1, RuntimeError), (1.0, TypeError), ("2", TypeError), (True, TypeError)):
        with pytest.raises(error):
            threads(wrong)
    assert autograd.get_num_threads() == 3


def test_the_number_of_threads_may_change_while_others_work(threads):
    array = data()
    expected = gradients(array)

    def work(i):
        if i == 0:
            for count in (1, 2, 3, 1, 2):
                threads(count)
                time.sleep(0.01)
            return expected
        return gradients(array)

    for got in in_threads(4, work):
        assert_same(expected, got)


# --- fork ----------------------------------------------------------------------------------------------------------

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


def exit_code_of_child(work, seconds=60):
    """Forks; the child runs ``work`` and exits with 0 when it is true. A child that hangs is ended."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python 3.12 warns of fork beside threads
        child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if work() else 2
        finally:
            os._exit(code)
    for _ in range(seconds * 50):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "hung"


@needs_fork
def test_a_forked_child_computes():
    array = data()
    expected = gradients(array)  # the parent's worker threads exist

    def work():
        got = gradients(array)
        return expected[0] == got[0] and np.array_equal(expected[1], got[1])

    assert exit_code_of_child(work) == 0
    assert_same(expected, gradients(array))


@needs_fork
def test_a_child_forked_while_other_threads_compute():
    array = data()
    expected = gradients(array)
    with another_thread_computing(array):
        for _ in range(5):
            assert exit_code_of_child(lambda: gradients(array)[0] == expected[0]) == 0


@needs_fork
def test_children_of_children_and_matrix_products():
    a = autograd.from_numpy(data(300 * 300).reshape(300, 300))
    expected = (a @ a).numpy().copy()

    def work():
        same = np.array_equal((a @ a).numpy(), expected)
        return same and exit_code_of_child(lambda: np.array_equal((a @ a).numpy(), expected)) == 0

    assert exit_code_of_child(work) == 0


def test_processes_of_a_pool_compute(subprocess_python):
    printed = subprocess_python(
        """
import multiprocessing
import autograd

def work(seed):
    x = autograd.full((100_000,), float(seed), requires_grad=True)
    (x * x).tanh().sum().backward()
    return x.grad[0].item()

if __name__ == "__main__":
    work(1)
    method = "fork" if "fork" in multiprocessing.get_all_start_methods() else "spawn"
    if method == "fork":
        with multiprocessing.get_context(method).Pool(2) as pool:
            got = pool.map_async(work, range(4)).get(120)
    else:
        got = [work(seed) for seed in range(4)]
    assert got == [work(seed) for seed in range(4)]
    print("same")
"""
    )
    assert printed == "same\n"
