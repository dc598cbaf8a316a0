"""What the tests of kernels share."""

import pytest

from autograd.kernels import threads


@pytest.fixture
def number_of_threads_restored():
    before = threads.get_num_threads()
    yield
    threads.set_num_threads(before)
