"""Each notebook comes from its source: the same cells in the same order, without outputs."""

import json
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "notebooks"
SOURCES = sorted(FOLDER.glob("*.py"))
LESSONS = ["00_tape", "03_xor", "10_lenet"]


def test_each_source_has_a_notebook():
    assert set(LESSONS) <= {path.stem for path in SOURCES}
    assert [path.stem for path in SOURCES] == sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def test_notebooks_are_in_step_with_their_sources():
    jupytext = pytest.importorskip("jupytext")
    for path in SOURCES:
        written = json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))
        expected = [(cell.cell_type, cell.source) for cell in jupytext.read(path).cells]
        found = [(cell["cell_type"], "".join(cell["source"])) for cell in written["cells"]]
        assert found == expected, f"{path.stem}.ipynb differs from {path.name}; run `make notebooks`"


def test_notebooks_carry_no_outputs():
    for path in SOURCES:
        for cell in json.loads(path.with_suffix(".ipynb").read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                assert cell["outputs"] == [], f"{path.stem}.ipynb has outputs; run `make notebooks`"
                assert cell["execution_count"] is None


def test_cells_are_short():
    jupytext = pytest.importorskip("jupytext")
    for path in SOURCES:
        for cell in jupytext.read(path).cells:
            lines = cell.source.count("\n") + 1
            assert lines <= 45, f"{path.name} has a cell of {lines} lines: {cell.source[:60]!r}"
