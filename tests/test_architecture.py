"""What keeps the house in order: who may import whom, what loads when, and where compiled loops come from."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import autograd

ROOT = Path(__file__).resolve().parents[1]
SOURCES = sorted(path for package in ("autograd", "nn", "optim") for path in (ROOT / package).rglob("*.py"))
PROGRAMS = ["autograd.cli"]  # on top of everything: imported by nobody
HEAVY = ["numba", "llvmlite", "scipy", "matplotlib", "torch", "graphviz", "tqdm", "safetensors", "pytest", "pandas"]
HEAVY += ["ml_dtypes"]
TRAINING = """
import autograd, nn, optim
autograd.manual_seed(0)
model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
optimizer = optim.SGD(model.parameters(), lr=0.5, momentum=0.9)
x = autograd.rand(200, 2) * 2 - 1
y = (x[:, 0] * x[:, 1] > 0).long()
for _ in range(150):
    optimizer.zero_grad()
    loss = nn.CrossEntropyLoss()(model(x), y)
    loss.backward()
    optimizer.step()
large = autograd.rand(200, 300, requires_grad=True)
(large.tanh() * large.sigmoid()).softmax(1).log().mean().backward()
image = autograd.rand(2, 3, 16, 16, requires_grad=True)
autograd.conv2d(image, autograd.rand(4, 3, 3, 3)).relu().sum().backward()
assert (model(x).argmax(1) == y).float().mean() > 0.9, loss
assert image.grad.shape == image.shape
"""


def module_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def package_of(path):
    name = module_name(path)
    return name if path.name == "__init__.py" else name.rpartition(".")[0]


def imports(path, *, deferred=True):
    """Absolute names of the modules that a file imports; without ``deferred`` only those loaded with it."""
    found = set()

    def visit(node):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not deferred:
            return
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package_of(path).split(".")
                parents = parents[: len(parents) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            found.add(base)
            found.update(f"{base}.{alias.name}" for alias in node.names if (ROOT / base.replace(".", "/")).is_dir())
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def within(name, *packages):
    return any(name == package or name.startswith(f"{package}.") for package in packages)


# --- Walls ---------------------------------------------------------------------------------------------------------


def test_the_kernels_have_never_heard_of_a_tensor():
    for path in (ROOT / "autograd" / "kernels").rglob("*.py"):
        for name in imports(path):
            inside = (
                not within(name, "autograd", "nn", "optim") or name == "autograd" or within(name, "autograd.kernels")
            )
            assert inside, f"{path.name} imports {name}"


def test_the_graph_has_never_heard_of_an_array():
    for path in ("graph.py", "hooks.py"):
        names = imports(ROOT / "autograd" / path) - {"autograd", "autograd.graph", "autograd.hooks"}
        assert not any(within(name, "numpy", "numba", "scipy", "autograd", "nn", "optim") for name in names), names


def test_value_knows_no_tensor():
    names = imports(ROOT / "autograd" / "value.py")
    assert not any(within(name, "numpy", "autograd.tensor", "autograd.kernels", "nn", "optim") for name in names), names


def test_imports_run_one_way():
    for path in SOURCES:
        module = module_name(path)
        if within(module, "autograd") and not within(module, *PROGRAMS):
            upward = [n for n in imports(path, deferred=False) if within(n, "nn", "optim")]
            assert not upward, f"{module} imports {upward}"
        if within(module, "nn"):
            assert not any(within(n, "optim") for n in imports(path, deferred=False)), module


def test_layers_and_optimizers_use_public_modules():
    public = ("tensor", "value", "graph", "devices", "dtypes", "rows", "ops", "kernels", "utils", "backends")
    allowed = [f"autograd.{name}" for name in public]
    for path in SOURCES:
        if not within(module_name(path), "nn", "optim"):
            continue
        for name in imports(path):
            if within(name, "autograd") and name != "autograd":
                assert within(name, *allowed), f"{module_name(path)} imports {name}"
                assert not any(part.startswith("_") for part in name.split(".")), f"{module_name(path)} imports {name}"


def test_no_file_imports_the_oracle():
    for path in SOURCES:
        assert not any(within(name, "torch", "tensorflow", "jax") for name in imports(path)), path


def test_heavy_packages_are_imported_late():
    for path in SOURCES:
        module = module_name(path)
        loaded = [name for name in imports(path, deferred=False) if within(name, *HEAVY)]
        if within(module, "autograd.kernels"):  # these modules are themselves imported late
            loaded = [name for name in loaded if not within(name, "numba", "llvmlite")]
        if within(module, "autograd.draw"):
            loaded = [name for name in loaded if name != "graphviz"]
        assert not loaded or within(module, *PROGRAMS), f"{module} imports {loaded} at its top"


def test_programs_are_imported_by_nobody():
    for path in SOURCES:
        if not within(module_name(path), *PROGRAMS):
            assert not any(within(name, *PROGRAMS) for name in imports(path)), path


def test_no_star_imports_outside_packages():
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        stars = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.names[0].name == "*"]
        assert not stars or path.name == "__init__.py", path


def test_public_modules_list_what_they_offer():
    for path in SOURCES:
        if path.name.startswith("_") and path.name != "__init__.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert ast.get_docstring(tree), f"{path} has no docstring"
        if path.name in ("__init__.py", "__main__.py", "version.py") or within(
            module_name(path), "autograd.kernels", *PROGRAMS
        ):
            continue
        assigned = {
            target.id
            for node in tree.body
            if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign))
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
            if isinstance(target, ast.Name)
        }
        assert "__all__" in assigned, f"{path} has no __all__"


def test_every_listed_name_exists():
    import importlib

    for path in SOURCES:
        name = module_name(path)
        if path.name == "__main__.py" or within(name, "autograd.kernels"):
            continue
        module = importlib.import_module(name)
        missing = [each for each in getattr(module, "__all__", ()) if not hasattr(module, each)]
        assert not missing, f"{name}.__all__ names {missing}"


def test_autograd_lists_itself_and_refuses_the_rest():
    assert set(dir(autograd)) >= {"Tensor", "tensor", "nn", "optim", "Value", "float32"}
    with pytest.raises(AttributeError, match="module 'autograd' has no attribute 'nothing'"):
        autograd.nothing  # noqa: B018


# --- What an import loads ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", ["autograd", "nn", "optim"])
def test_importing_loads_numpy_and_no_more(subprocess_python, module):
    printed = subprocess_python(f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])")
    assert printed == "[]\n"


def test_small_tensors_never_load_numba(subprocess_python):
    printed = subprocess_python(
        "import sys, autograd\n"
        "x = autograd.rand(50, 20, requires_grad=True)\n"
        "(x.tanh().softmax(1) @ x.t()).exp().mean().backward()\n"
        "print('numba' in sys.modules, autograd.jit.compiled())"
    )
    assert printed == "False 0\n"


def test_everything_works_without_numba(subprocess_python):
    printed = subprocess_python(f"import sys; sys.modules['numba'] = None\n{TRAINING}\nprint('trained')")
    assert printed == "trained\n"


def test_everything_works_with_numpy_alone(subprocess_python):
    """As on a machine where only NumPy is: no finder finds the others."""
    printed = subprocess_python(
        f"""
import sys

class Hide:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in {HEAVY} else self.finder.find_spec(name, path, target)

sys.meta_path[:] = [Hide(finder) for finder in sys.meta_path]
{TRAINING}
print("trained", autograd.jit.numba_available())
"""
    )
    assert printed == "trained False\n"


def test_never_means_never(subprocess_python):
    printed = subprocess_python(f"{TRAINING}\nimport sys\nprint('numba' in sys.modules)", CHALKGRAD_JIT="never")
    assert printed == "False\n"


def test_a_wrong_mode_is_refused():
    with pytest.raises(ValueError, match="'sometimes'"):
        autograd.jit.set_mode("sometimes")
    code = "import os; os.environ['CHALKGRAD_JIT'] = 'sometimes'; import autograd"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert "CHALKGRAD_JIT is 'sometimes', but must be one of auto, always, never" in done.stderr


# --- Compiled loops and their folder -------------------------------------------------------------------------------

numba_only = pytest.mark.skipif(not autograd.jit.numba_available(), reason="needs numba")
LARGE_GELU = """
import autograd, nn
import numpy as np
x = autograd.linspace(-3, 3, 100_000).requires_grad_()
y = nn.GELU()(x)
y.sum().backward()
print(autograd.jit.compiled(), f"{y.sum().item():.2f}", f"{x.grad.sum().item():.2f}")
"""


def compiled_and_result(run, folder, **environment):
    count, *result = run(LARGE_GELU, CHALKGRAD_CACHE=folder and str(folder), **environment).split()
    return int(count), result


@numba_only
def test_a_second_process_compiles_nothing(subprocess_python, tmp_path):
    folder = tmp_path / "loops"
    first, result = compiled_and_result(subprocess_python, folder)
    assert first > 0
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0, "the folder must be private to the user"
    again, same = compiled_and_result(subprocess_python, folder)
    assert (again, same) == (0, result)


@numba_only
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="POSIX permissions")
@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_a_folder_that_others_can_write_to_is_refused(subprocess_python, tmp_path, mode):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    count, _ = compiled_and_result(subprocess_python, folder)
    assert count > 0
    assert list(folder.iterdir()) == []


@numba_only
def test_a_folder_behind_a_link_is_refused(subprocess_python, tmp_path):
    target = tmp_path / "target"
    target.mkdir(mode=0o700)
    link = tmp_path / "link"
    link.symlink_to(target)
    compiled_and_result(subprocess_python, link)
    assert list(target.iterdir()) == []


@numba_only
@pytest.mark.parametrize("kind", ["missing", "file", "below a file"])
def test_an_unusable_home_costs_the_cache_and_nothing_else(subprocess_python, tmp_path, kind):
    home = tmp_path / "home"
    if kind != "missing":
        home.write_text("not a folder")
    if kind == "below a file":
        home = home / "below"
    count, _ = compiled_and_result(subprocess_python, None, XDG_CACHE_HOME=None, HOME=str(home))
    assert count > 0


@numba_only
@pytest.mark.skipif(hasattr(os, "getuid") and os.getuid() == 0, reason="root may write anywhere")
def test_a_read_only_home_costs_the_cache_and_nothing_else(subprocess_python, tmp_path):
    tmp_path.chmod(0o500)
    try:
        count, _ = compiled_and_result(subprocess_python, tmp_path / "loops")
        assert count > 0
    finally:
        tmp_path.chmod(0o700)


@numba_only
def test_without_a_home_variable(subprocess_python):
    source = "import autograd\nfolder = autograd.jit.cache_folder()\nprint(folder is None or folder.is_dir())"
    assert subprocess_python(source, HOME=None, XDG_CACHE_HOME=None, CHALKGRAD_CACHE=None) == "True\n"


@numba_only
def test_two_processes_may_fill_the_folder_at_once(tmp_path):
    folder = tmp_path / "loops"
    environment = {**os.environ, "CHALKGRAD_CACHE": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-c", LARGE_GELU]
    running = [
        subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=240) for process in running]
    assert [process.returncode for process in running] == [0, 0], outputs
    assert outputs[0][0].split()[1:] == outputs[1][0].split()[1:]
    assert not list(folder.glob("*.tmp"))
    last = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=True)
    assert last.stdout.split()[0] == "0"


@numba_only
def test_a_damaged_file_in_the_folder_is_written_anew(subprocess_python, tmp_path):
    folder = tmp_path / "loops"
    _, result = compiled_and_result(subprocess_python, folder)
    for path in folder.glob("*.py"):
        path.write_text("def kernel(*arguments): raise SystemError('damaged')\n")
    assert compiled_and_result(subprocess_python, folder)[1] == result


@numba_only
def test_the_choice_of_loops_depends_on_the_size_alone(subprocess_python, tmp_path):
    """A result must not change because a loop happens to be compiled already."""
    source = (
        "import autograd, sys\n"
        "small = autograd.linspace(-3, 3, 1000)\n"
        "before = small.tanh().tolist()\n"
        "autograd.linspace(-3, 3, 100_000).tanh()\n"
        "assert 'numba' in sys.modules\n"
        "print(small.tanh().tolist() == before)"
    )
    assert subprocess_python(source, CHALKGRAD_CACHE=str(tmp_path / "loops")) == "True\n"
