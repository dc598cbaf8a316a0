"""Programs that draw, run from one seed in both libraries: numbers, and the generator's state behind them."""

import warnings

import autograd

try:
    import torch

    AVX2 = torch.backends.cpu.get_cpu_capability().startswith("AVX")
except ImportError:
    AVX2 = False

SIZES = (1, 3, 15, 16, 17, 1000, 100_001)
FLOATS = ("float32", "float64")
# Logarithms and sines of NumPy and PyTorch end in different digits.
CLOSE = {"float16": 1e-3, "float32": 5e-7, "float64": 1e-14}
# Without AVX2 PyTorch fuses no products and sums and has other formulas for normal numbers.
EXACT = {"float16": 0.0, "float32": 0.0, "float64": 0.0} if AVX2 else CLOSE
NORMAL = {**CLOSE, "float32": 0.0 if AVX2 else 4e-6}

# Targets of every layout: (how to make one of dtype d).
LAYOUTS = {
    "transposed": lambda L, d: L.zeros(7, 5, dtype=d).t(),
    "permuted": lambda L, d: L.zeros(2, 5, 7, dtype=d).permute(2, 0, 1),
    "every other": lambda L, d: L.zeros(6, 14, dtype=d)[:, ::2],
    "column": lambda L, d: L.zeros(20, 3, dtype=d)[:, 1],
    "short column": lambda L, d: L.zeros(5, 3, dtype=d)[:, 1],
    "transposed part": lambda L, d: L.zeros(9, 8, dtype=d)[1:7, 2:].t(),
    "with ones": lambda L, d: L.zeros(1, 7, 1, 5, dtype=d).permute(3, 0, 1, 2),
    "expanded by one": lambda L, d: L.zeros(4, 5, dtype=d)[:, None].permute(2, 1, 0),
    "channels last": lambda L, d: L.zeros(2, 3, 4, 5, dtype=d).contiguous(memory_format=L.channels_last),
    "scalar": lambda L, d: L.zeros((), dtype=d),
    "empty": lambda L, d: L.zeros(3, 0, dtype=d),
}


def seeded(program, *args):
    """The program's results, and the generator's state behind it."""

    def run(L):
        L.manual_seed(42)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return program(L, *args), L.get_rng_state()

    return run


def calls(text):
    """The programs of a text, in which they stand between bars: (text, program(L))."""
    for call in text.strip().replace("\n", " | ").split(" | "):
        program = eval(f"lambda L, F: {call}")
        yield call, seeded(lambda L, program=program: program(L, L.nn.functional))


def check_refusals(text):
    """Calls that raise leave the generator as it was, unless they seed it."""
    refused = 0
    for call, run in calls(text):
        autograd.manual_seed(42)
        before = autograd.get_rng_state().tolist()
        try:
            run(autograd)
        except Exception:
            refused += 1
            assert autograd.get_rng_state().tolist() == before or "manual_seed" in call, call
    assert refused


def check_sizes(both, tolerance, program, dtypes, label):
    """Compares ``program(L, n, dtype)`` for every size and dtype."""
    for dtype in dtypes:
        for n in SIZES[: 5 if dtype == "float16" else None]:
            run = seeded(lambda L, n=n, dtype=dtype: program(L, n, getattr(L, dtype)))
            both(run, rtol=tolerance[dtype], atol=tolerance[dtype], label=f"{label} {dtype}[{n}]")


def check_layouts(both, tolerance, program, label):
    """Compares ``program(L, target)`` for targets of every layout, and the strides of what comes out."""
    for layout, make in LAYOUTS.items():
        for dtype in FLOATS:

            def run(L, make=make, dtype=dtype):
                target = make(L, getattr(L, dtype))
                result = program(L, target)
                results = result if isinstance(result, tuple) else (result,)
                return result, target, [tuple(r.stride()) for r in results if r.numel() > 1 and 1 not in r.shape]

            both(seeded(run), rtol=tolerance[dtype], atol=tolerance[dtype], label=f"{label} {layout} {dtype}")
