"""Files are whole or not there."""

import os

import pytest

from autograd.files import written_atomically


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"before")
    with written_atomically(path) as file:
        file.write(b"after")
        assert path.read_bytes() == b"before"
    assert path.read_bytes() == b"after"


def test_a_failure_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def fail(*args):
        raise OSError("disk full")

    with pytest.raises(TypeError), written_atomically(path) as file:
        file.write("no bytes")
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"), written_atomically(path) as file:
        file.write(b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
