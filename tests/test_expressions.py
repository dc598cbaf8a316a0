"""What users type, one expression a line in ``expressions/*.txt``: PyTorch's result, or its exception."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import autograd

FOLDER = Path(__file__).parent / "expressions"
NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))

pytestmark = pytest.mark.filterwarnings("ignore")


def shown(expression, lib):
    names = {"lib": lib, "np": np, "nn": lib.nn, "copy": copy, "pickle": pickle}
    names["Variable"] = (lib if lib is autograd else lib.autograd).Variable
    try:
        return re.sub(r"torch\.autograd\.|torch\.|autograd\.| at 0x\w+", "", repr(eval(expression, names)))
    except Exception as error:
        return f"raised {type(error).__name__}"


@pytest.mark.parametrize("name", NAMES)
def test_expressions(name, torch):
    expressions = (FOLDER / f"{name}.txt").read_text().splitlines()
    assert expressions
    before = autograd.get_default_dtype()
    try:
        wrong = [
            f"{expression}\n  autograd: {ours}\n  torch:    {theirs}"
            for expression in expressions
            if (ours := shown(expression, autograd)) != (theirs := shown(expression, torch))
        ]
    finally:
        autograd.set_default_dtype(before)
        torch.set_default_dtype(torch.float32)
        torch.set_default_device(None)
    assert not wrong, f"{len(wrong)} of {len(expressions)} differ:\n" + "\n".join(wrong)
