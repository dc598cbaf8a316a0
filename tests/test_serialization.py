"""Files of tensors: what is saved comes back, PyTorch reads our files and we its, and no file runs code."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import random
import struct
import zipfile
from collections import Counter, OrderedDict, defaultdict

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd import serialization

UNSIGNED = ["uint16", "uint32", "uint64"]  # younger than the format before PyTorch 1.6
DTYPES = [
    "bfloat16",
    "float16",
    "float32",
    "float64",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    *UNSIGNED,
    "bool",
    "complex64",
    "complex128",
]


def tensors(lib, _use_new_zipfile_serialization=True, **options):
    """Tensors of every kind that a format knows, under their names."""
    base = lib.arange(6.0)
    known = [dtype for dtype in DTYPES if _use_new_zipfile_serialization or dtype not in UNSIGNED]
    made = {f"{dtype}": lib.tensor([0, 1, 2]).to(getattr(lib, dtype)) for dtype in known}
    made |= {
        "number": lib.tensor(3.5),
        "empty": lib.ones(0, 3),
        "matrix": lib.arange(6).reshape(2, 3),
        "transposed": lib.arange(6).reshape(2, 3).t(),
        "part": lib.arange(10)[2:8:2],
        "expanded": lib.ones(1, 2).expand(3, 2),
        "first": base[:3],
        "second": base[2:],
        "leaf": lib.ones(2, requires_grad=True),
        "parameter": lib.nn.Parameter(lib.ones(2)),
        "frozen": lib.nn.Parameter(lib.ones(2), requires_grad=False),
    }
    return made


def facts(tensor):
    return (
        str(tensor.dtype),
        tuple(tensor.shape),
        tuple(tensor.stride()),
        tensor.requires_grad,
        type(tensor).__name__,
        tensor.tolist(),
    )


def through(lib, obj, by=None, safe=True, **options):
    """``obj`` saved by one library and loaded by another."""
    file = io.BytesIO()
    (by or lib).save(obj, file, **options)
    file.seek(0)
    return lib.load(file, weights_only=safe)


FORMATS = [{"pickle_protocol": protocol} for protocol in (2, 3, 4, 5)] + [{"_use_new_zipfile_serialization": False}]


@pytest.mark.parametrize("options", FORMATS, ids=str)
def test_tensors_come_back(options):
    saved = tensors(autograd, **options)
    loaded = through(autograd, saved, **options)
    assert loaded.keys() == saved.keys()
    for name, tensor in saved.items():
        assert facts(loaded[name]) == facts(tensor), name
    loaded["first"][2] = 99
    assert loaded["second"][0] == 99, "tensors that share memory share it again"
    loaded["number"].fill_(1)
    assert loaded["matrix"].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("options", FORMATS, ids=str)
@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_pytorch_reads_our_files(torch, options):
    saved = tensors(autograd, **options)
    file = io.BytesIO()
    autograd.save(saved, file, **options)
    file.seek(0)
    weights_only = options.get("pickle_protocol", 2) < 4  # PyTorch's own reader knows no later instructions
    loaded = torch.load(file, weights_only=weights_only)
    for name, tensor in saved.items():
        assert facts(loaded[name]) == facts(tensor), name
    loaded["first"][2] = 99
    assert loaded["second"][0] == 99


@pytest.mark.parametrize("options", FORMATS, ids=str)
def test_we_read_pytorchs_files(torch, options):
    saved = tensors(torch, **options)
    loaded = through(autograd, saved, by=torch, **options)
    for name, tensor in saved.items():
        assert facts(loaded[name]) == facts(tensor), name
    loaded["first"][2] = 99
    assert loaded["second"][0] == 99


def test_the_old_format_refuses_young_types():
    with pytest.raises(RuntimeError, match="uint16"):
        autograd.save(autograd.ones(2, dtype=autograd.uint16), io.BytesIO(), _use_new_zipfile_serialization=False)


VALUES = {
    "numbers": [0, 1, -1, 255, 256, 65536, 2**31, 2**70, -(2**70), 1.5, float("inf"), 1j, True, None],
    "texts": ["", "text", "äß€😀", "a" * 300, b"", b"\x00\xff" * 200, bytearray(b"ab")],
    "containers": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [[]], {}, {"a": {"b": [1]}}, {1, 2}, frozenset({3})],
    "collections": [OrderedDict(a=1), Counter("aab"), defaultdict(list, {"a": [1]})],
    "numpy": [np.float64(2.5), np.int32(7), np.arange(4), np.array([[1.5]], "f4"), np.array(["x", "yz"])],
    "types": [autograd.float32, autograd.Size([2, 3]), autograd.device("cpu"), autograd.device("cuda", 1)],
    "layout": [autograd.strided],
    "slices": [slice(1, 2), slice(None)],
}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("name", VALUES)
def test_other_values_come_back(name, protocol):
    if name == "slices" and protocol < 2:
        pytest.skip("slices are written by name")
    saved = VALUES[name]
    loaded = through(autograd, saved, pickle_protocol=protocol)
    for old, new in zip(saved, loaded, strict=True):
        assert type(new) is type(old)
        assert np.array_equal(new, old) if isinstance(old, np.ndarray) else new == old
        assert not isinstance(old, np.ndarray) or new.dtype == old.dtype


def test_one_object_in_two_places_is_one_object_again():
    weight, shared = autograd.ones(2), [1]
    loaded = through(autograd, {"a": weight, "b": weight, "c": shared, "d": shared})
    assert loaded["a"] is loaded["b"]
    assert loaded["c"] is loaded["d"]


def test_foreign_byte_order():
    swapped = np.arange(3).astype(">f4")
    assert through(autograd, swapped).tolist() == [0, 1, 2]
    file = io.BytesIO()
    autograd.save({"x": autograd.tensor([1.0, 2.0]), "c": autograd.tensor([1 + 2j])}, file)
    turned = io.BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(turned, "w") as new:
        for info in old.infolist():
            content = old.read(info)
            if "/data/" in info.filename:
                content = np.frombuffer(content, "<f4").astype(">f4").tobytes()
            new.writestr(info.filename, b"big" if info.filename.endswith("byteorder") else content)
    turned.seek(0)
    loaded = autograd.load(turned)
    assert loaded["x"].tolist() == [1, 2]
    assert loaded["c"].tolist() == [1 + 2j]


def test_attributes_of_tensors_come_back(torch):
    for lib, by in ((autograd, autograd), (autograd, torch), (torch, autograd)):
        tensor, parameter = by.ones(2), by.nn.Parameter(by.ones(2))
        tensor.note, parameter.note = "plain", "parameter"
        loaded = through(lib, [tensor, parameter], by=by)
        assert [each.note for each in loaded] == ["plain", "parameter"]
        assert type(loaded[1]) is lib.nn.Parameter


@pytest.mark.filterwarnings("ignore:TypedStorage is deprecated")
def test_storages_come_back(torch):
    for lib, by in ((autograd, autograd), (autograd, torch), (torch, autograd)):
        storage = by.ones(2, 3)[1].storage()
        assert through(lib, storage, by=by, safe=lib is autograd).tolist() == [1.0] * 6


# --- Models --------------------------------------------------------------------------------------------------------


def model_and_optimizer(layers, optimizers):
    model = layers.Sequential(layers.Linear(3, 4), layers.ReLU(), layers.Linear(4, 2))
    return model, optimizers.Adam(model.parameters(), lr=0.1)


def trained(lib, layers, optimizers):
    model, optimizer = model_and_optimizer(layers, optimizers)
    model(lib.linspace(0, 1, 15).reshape(5, 3)).sum().backward()
    optimizer.step()
    return {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}


def test_checkpoints_go_both_ways(torch, tmp_path):
    libraries = {"ours": (autograd, nn, optim), "torch": (torch, torch.nn, torch.optim)}
    for by in libraries:
        checkpoint = trained(*libraries[by])
        libraries[by][0].save(checkpoint, tmp_path / "checkpoint.pt")
        for lib, layers, optimizers in libraries.values():
            loaded = lib.load(tmp_path / "checkpoint.pt")
            model, optimizer = model_and_optimizer(layers, optimizers)
            model.load_state_dict(loaded["model"])
            optimizer.load_state_dict(loaded["optimizer"])
            assert loaded["epoch"] == 3
            assert type(loaded["model"]) is OrderedDict
            for name, tensor in model.state_dict().items():
                assert tensor.tolist() == checkpoint["model"][name].tolist()
            assert optimizer.state_dict()["param_groups"][0]["lr"] == 0.1


def test_a_whole_module_needs_trust():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    file = io.BytesIO()
    autograd.save(model, file)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match=r"nn\.container\.Sequential.*weights_only=False"):
        autograd.load(file)
    file.seek(0)
    loaded = autograd.load(file, weights_only=False)
    x = autograd.rand(4, 2)
    assert loaded(x).tolist() == model(x).tolist()
    assert [type(each) for each in loaded.parameters()] == [nn.Parameter] * 4


# --- Safety --------------------------------------------------------------------------------------------------------


class Command:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return type(other) is Point and self.x == other.x

    __hash__ = None


GLOBAL, PROTO = pickle.GLOBAL, pickle.PROTO + b"\x02"
PROGRAMS = {
    "system": PROTO + b"cos\nsystem\n(S'true'\ntR.",
    "builtin": PROTO + b"cbuiltins\neval\n(S'1'\ntR.",
    "attribute": PROTO + b"cbuiltins\ngetattr\n(c__main__\nx\nS'y'\ntR.",
    "stack global": b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x04true\x85R.",
    "new object": PROTO + b"ctorch\nTensor\n)\x81.",
    "state of a function": PROTO + b"ctorch._utils\n_rebuild_tensor_v2\n}b.",
    "state of a class": PROTO + b"ctorch\nTensor\n}U\x01aK\x01sb.",
    "call of a dtype": PROTO + b"ctorch\nfloat32\n)R.",
    "old instance": b"(ios\nsystem\n.",
    "items of a tensor": PROTO + b"cbuiltins\nstr\n)RK\x01a.",
    "object array": PROTO + b"cnumpy\ndtype\nU\x02O8\x85R.",
    "record array": PROTO + b"cnumpy\ndtype\nU\x05i4,i4\x85R.",
    "nothing on the stack": PROTO + b".",
    "unknown memo": PROTO + b"h\x05.",
    "bad mark": PROTO + b"t.",
}


def archive(program, storages=()):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("archive/data.pkl", program)
        made.writestr("archive/version", "3\n")
        for key, content in enumerate(storages):
            made.writestr(f"archive/data/{key}", content)
    file.seek(0)
    return file


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_are_refused(name):
    with pytest.raises(pickle.UnpicklingError, match="load|NumPy"):
        autograd.load(archive(PROGRAMS[name]))


def test_commands_are_refused(tmp_path):
    command = Command(tmp_path / "never")
    for obj in (command, [command], {"a": autograd.ones(2), "b": command}):
        with pytest.raises(pickle.UnpicklingError, match=r"system.*not on the list of safe names"):
            through(autograd, obj)
    assert not command.path.exists()


def view(offset=0, size=(2,), stride=(1,), count=2):
    """A pickle of a tensor with any view of a storage of float32."""
    file = io.BytesIO()
    writer = serialization.Writer(file)
    storage = serialization.Storage("0", np.zeros(4 * count, np.uint8), np.dtype(np.float32))

    class Bad:
        def __reduce__(self):
            return serialization.UTILS["_rebuild_tensor_v2"], (storage, offset, size, stride, False, OrderedDict())

    writer.dump(Bad())
    return file.getvalue()


@pytest.mark.parametrize(
    "wrong",
    [{"size": (3,)}, {"offset": 1}, {"offset": -1}, {"stride": (2,)}, {"stride": (-1,)}, {"size": (-2,)},
     {"size": ("a",)}, {"stride": (1, 1)}, {"size": (2**40, 2**40), "stride": (1, 1)}],
    ids=str,
)  # fmt: skip
def test_views_outside_of_their_storage_are_refused(wrong):
    assert autograd.load(archive(view(), [bytes(8)])).tolist() == [0, 0]
    with pytest.raises(pickle.UnpicklingError):
        autograd.load(archive(view(**wrong), [bytes(8)]))


def test_storages_of_another_size_are_refused():
    for content in (b"", bytes(4), bytes(12)):
        with pytest.raises(pickle.UnpicklingError, match="storage 0 has"):
            autograd.load(archive(view(), [content]))


def test_safe_globals():
    file = io.BytesIO()
    autograd.save([Point(1), Point([2])], file)
    with pytest.raises(pickle.UnpicklingError, match="Point"):
        file.seek(0) or autograd.load(file)
    with serialization.safe_globals([Point]):
        assert serialization.get_safe_globals() == [Point]
        file.seek(0)
        assert autograd.load(file) == [Point(1), Point([2])]
    assert serialization.get_safe_globals() == []
    serialization.add_safe_globals([(Point, f"{Point.__module__}.{Point.__qualname__}")])
    file.seek(0)
    assert autograd.load(file) == [Point(1), Point([2])]
    serialization.clear_safe_globals()
    with pytest.raises(pickle.UnpicklingError):
        file.seek(0) or autograd.load(file)


# --- Files ---------------------------------------------------------------------------------------------------------


def test_damaged_files(tmp_path, torch):
    file = io.BytesIO()
    autograd.save(autograd.arange(1000), file)
    whole = file.getvalue()
    path = tmp_path / "x.pt"
    for content, error in (
        (b"", EOFError),
        (b"no tensors at all", pickle.UnpicklingError),
        (b"PK\x03\x04", RuntimeError),
        (whole[: len(whole) // 2], RuntimeError),
        (pickle.dumps(3, 2), RuntimeError),
    ):
        path.write_bytes(content)
        for given in (path, io.BytesIO(content)):
            with pytest.raises(error):
                autograd.load(given)
        if content != whole[: len(whole) // 2]:
            with pytest.raises(error):
                torch.load(io.BytesIO(content), weights_only=True)
    middle = whole.index(struct.pack("<q", 500))
    with pytest.raises(RuntimeError, match="checksum"):
        autograd.load(io.BytesIO(whole[:middle] + b"\xff" + whole[middle + 1 :]))
    other = io.BytesIO()
    with zipfile.ZipFile(other, "w") as made:
        made.writestr("a/b", "c")
    other.seek(0)
    with pytest.raises(RuntimeError, match=r"no data\.pkl"):
        autograd.load(other)
    with pytest.raises(FileNotFoundError):
        autograd.load(tmp_path / "nothing.pt")


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_damage_the_error_says_so(seed):
    """Bytes changed, dropped and added at random: no crash, no other exception, no code that runs."""
    rng = random.Random(seed)
    saved = {"w": autograd.ones(3, 4), "n": [1, 2.5, "text", (1,), {2}, None, b"x", 2**80], "a": np.arange(3)}
    saved |= {"p": nn.Parameter(autograd.ones(2)), "s": np.float32(2), "o": OrderedDict(a=autograd.Size([1]))}
    whole = []
    for modern in (True, False):
        file = io.BytesIO()
        autograd.save(saved, file, _use_new_zipfile_serialization=modern)
        whole.append(file.getvalue())
    with zipfile.ZipFile(io.BytesIO(whole[0])) as made:
        program = made.read("archive/data.pkl")
        storages = [made.read(f"archive/data/{key}") for key in range(2)]
    for turn in range(600):
        content = bytearray((program, *whole)[turn % 3])
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(content))
            change = rng.random()
            if change < 0.5:
                content[at] = rng.randrange(256)
            elif change < 0.7:
                del content[at : at + rng.randint(1, 5)]
            else:
                extra = (rng.choice(b"RbcX}](.tq\x81\x85\x86\x87Q0e\x93s") for _ in range(rng.randint(1, 3)))
                content[at:at] = bytes(extra)
        with contextlib.suppress(pickle.UnpicklingError, RuntimeError, EOFError):
            autograd.load(archive(bytes(content), storages) if turn % 3 == 0 else io.BytesIO(content))


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pt"
    autograd.save(autograd.ones(2), path)
    before = path.read_bytes()
    with pytest.raises((AttributeError, pickle.PicklingError, TypeError)):
        autograd.save([autograd.ones(3), lambda: 0], path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.pt"]
    with pytest.raises(RuntimeError, match="does not exist"):
        autograd.save(1, tmp_path / "missing" / "x.pt")
    with pytest.raises(IsADirectoryError):
        autograd.save(1, tmp_path)
    with pytest.raises(TypeError, match="f must be a path"):
        autograd.save(1, 3)
    with pytest.raises(ValueError, match="pickle_module"):
        autograd.save(1, path, pickle_module=io)
    link = tmp_path / "link.pt"
    link.symlink_to(path)
    autograd.save(5, link)
    assert link.is_symlink()
    assert autograd.load(path) == 5


def test_names_and_files(tmp_path):
    for path in (tmp_path / "a.pt", str(tmp_path / "b.b.pt"), os.fspath(tmp_path / "ü")):
        autograd.save({"x": autograd.ones(2)}, path)
        assert autograd.load(path)["x"].tolist() == [1, 1]
        with open(path, "rb") as file:
            assert autograd.load(file)["x"].tolist() == [1, 1]

    class Reader:
        def __init__(self, content):
            self.content = io.BytesIO(content)

        def __getattr__(self, name):
            if name in ("readinto", "readinto1"):
                raise AttributeError(name)
            return getattr(self.content, name)

    assert autograd.load(Reader((tmp_path / "a.pt").read_bytes()))["x"].tolist() == [1, 1]
    with pytest.raises(AttributeError, match="BytesIO"):
        autograd.load(object())


def test_map_location(torch, tmp_path):
    file = io.BytesIO()
    autograd.save([autograd.ones(2)], file)
    seen = []

    def note(storage, location):
        seen.append((type(storage).__name__, location))
        return storage

    for location in ("cpu", autograd.device("cpu"), {"cuda:0": "cpu"}, note, lambda storage, location: storage):
        file.seek(0)
        assert autograd.load(file, map_location=location)[0].tolist() == [1, 1]
    assert seen == [("TypedStorage", "cpu")]
    file.seek(0)
    with pytest.raises(RuntimeError, match="map_location='cpu'"):
        autograd.load(file, "cuda")
    # A file that was written on a GPU:
    program = view().replace(b"cpu", b"cuda:0").replace(b"X\x03\x00\x00\x00cuda", b"X\x06\x00\x00\x00cuda")
    with pytest.raises(RuntimeError, match=r"'cuda:0'.*map_location='cpu'"):
        autograd.load(archive(program, [bytes(8)]))
    for location in ("cpu", {"cuda:0": "cpu"}, lambda storage, location: storage):
        assert autograd.load(archive(program, [bytes(8)]), map_location=location).tolist() == [0, 0]


def test_mapped_storages(tmp_path, torch):
    path = tmp_path / "x.pt"
    for lib in (autograd, torch):
        lib.save({"x": lib.arange(1000.0), "e": lib.ones(0)}, path)
        loaded = autograd.load(path, mmap=True)
        assert loaded["x"].sum() == 499500
        loaded["x"][0] = 7
        assert autograd.load(path)["x"][0] == 0
    autograd.save({"x": autograd.arange(1000.0)}, path)
    assert torch.load(path, mmap=True)["x"].sum() == 499500
    with pytest.raises(ValueError, match="file path"):
        autograd.load(io.BytesIO(path.read_bytes()), mmap=True)


def test_storages_start_at_aligned_places(tmp_path):
    path = tmp_path / "x.pt"
    autograd.save([autograd.ones(n) for n in (1, 3, 17)], path)
    content = path.read_bytes()
    for n in (1, 3, 17):
        assert content.index(np.ones(n, np.float32).tobytes()) % 4 == 0
    with zipfile.ZipFile(path) as made:
        assert made.testzip() is None
        for info in made.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            if "/data/" in info.filename:
                assert serialization._start(made.fp, info) % serialization.ALIGNMENT == 0
