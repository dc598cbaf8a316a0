"""Same seed, same weights: every function of nn.init and the layers' first parameters, against PyTorch."""

import warnings

import pytest

import nn

CLOSE = {"float16": 2e-3, "float32": 5e-7, "float64": 1e-13}
SHAPES = ((3, 5), (5, 3), (1, 15), (4, 4), (17, 1), (40, 25), (6, 4, 3, 3), (2, 3, 5))

# name: program(init, tensor).
FILLED = {
    "uniform_": lambda init, w: init.uniform_(w, -1, 2),
    "normal_": lambda init, w: init.normal_(w, 1, 2),
    "constant_": lambda init, w: init.constant_(w, 0.3),
    "ones_ and zeros_": lambda init, w: (init.ones_(w.clone()), init.zeros_(w.clone())),
    "xavier_uniform_": lambda init, w: init.xavier_uniform_(w, 2.0),
    "xavier_normal_": lambda init, w: init.xavier_normal_(w),
    "kaiming_uniform_": lambda init, w: init.kaiming_uniform_(w, nonlinearity="relu"),
    "kaiming_normal_": lambda init, w: init.kaiming_normal_(w, 0.2, mode="fan_out"),
    "trunc_normal_": lambda init, w: init.trunc_normal_(w, std=0.5, a=-0.4, b=0.6),
    "trunc_normal_ in the tail": lambda init, w: init.trunc_normal_(w, 0.5, 2.0, 1.5, 3.0),
    "trunc_normal_ beyond": lambda init, w: init.trunc_normal_(w, mean=10.0),
    "orthogonal_": lambda init, w: init.orthogonal_(w, 1.5),
    "sparse_": lambda init, w: init.sparse_(w.flatten(1), 0.3),
    "older names": lambda init, w: (
        init.uniform(w.clone()),
        init.xavier_normal(w.clone()),
        init.constant(w.clone(), 2),
    ),
}


def program(fill, shape, dtype, transposed=False):
    def run(L):
        L.manual_seed(11)
        w = L.zeros(shape, dtype=getattr(L, dtype))
        if transposed:
            w = w.transpose(0, 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return fill(L.nn.init, w), w, L.get_rng_state()

    return run


@pytest.mark.parametrize("name", FILLED)
def test_the_same_seed_gives_the_same_weights(both, name):
    for dtype, tolerance in CLOSE.items():
        for shape in SHAPES:
            for transposed in (False, True):
                if transposed and name == "orthogonal_" and len(shape) > 2:
                    continue  # PyTorch refuses to view such a tensor as a matrix
                run = program(FILLED[name], shape, dtype, transposed=transposed)
                both(run, rtol=tolerance, atol=tolerance, label=f"{name} {dtype} {shape} {transposed}")


@pytest.mark.parametrize("name", ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu", "swish", None])
@pytest.mark.parametrize("param", [None, 0.2, 2, True, "steep"])
def test_gain(both, name, param):
    both(lambda L: L.nn.init.calculate_gain(name, param))


def test_an_explicit_generator(both):
    for fill in (
        lambda init, w, g: init.uniform_(w, generator=g),
        lambda init, w, g: init.normal_(w, 0.0, 1.0, g),
        lambda init, w, g: init.trunc_normal_(w, generator=g),
        lambda init, w, g: init.trunc_normal_(w, 0.0, 1.0, 1.0, 2.0, g),
        lambda init, w, g: init.xavier_uniform_(w, generator=g),
        lambda init, w, g: init.xavier_normal_(w, generator=g),
        lambda init, w, g: init.kaiming_uniform_(w, generator=g),
        lambda init, w, g: init.kaiming_normal_(w, generator=g),
        lambda init, w, g: init.orthogonal_(w, generator=g),
        lambda init, w, g: init.sparse_(w, 0.2, generator=g),
    ):

        def run(L, fill=fill):
            L.manual_seed(1)
            return fill(L.nn.init, L.empty(7, 9), L.Generator().manual_seed(5)), L.get_rng_state()

        both(run, rtol=5e-7)


CALLS = (
    """
init.uniform_(L.ones(3).long()) | init.normal_(L.ones(3).long()) | init.trunc_normal_(L.ones(3).long())
init.orthogonal_(L.ones(3, 4).long()) | init.orthogonal_(L.ones(3)) | init.orthogonal_(L.ones(0, 3))
init.sparse_(L.ones(3), 0.3) | init.sparse_(L.ones(0, 3), 0.3) | init.eye_(L.ones(3)) | init.dirac_(L.ones(3))
init.kaiming_uniform_(L.ones(3)) | init.xavier_normal_(L.ones(3)) | init.kaiming_uniform_(L.ones(2, 2), mode='fan')
init.kaiming_normal_(L.ones(2, 2), nonlinearity='foo') | init.xavier_uniform_(L.ones(0, 3))
init.xavier_uniform_(L.ones(0, 0)) | init.uniform_(L.ones(3), 2, 1) | init.normal_(L.ones(3), 0, -1)
init.trunc_normal_(L.ones(3), a=1, b=1) | init.trunc_normal_(L.ones(3), a=2, b=1)
init.trunc_normal_(L.ones(3), std=0) | init.trunc_normal_(L.ones(3), std=-1)
init.uniform_(L.ones(3, requires_grad=True)) | init.trunc_normal_(L.ones(3, requires_grad=True))
init.orthogonal_(L.ones(3, 3, requires_grad=True))
""".strip()
    .replace("\n", " | ")
    .split(" | ")
)


def test_arguments_mean_and_raise_what_they_do_in_pytorch(both):
    for text in CALLS:
        call = eval(f"lambda L, init: {text}")

        def run(L, call=call):
            L.manual_seed(3)
            return call(L, L.nn.init)

        both(run, rtol=1e-6, label=text)


def test_older_names_warn():
    import autograd

    for name in ("uniform", "normal", "eye", "xavier_uniform", "kaiming_normal", "orthogonal"):
        with pytest.warns(FutureWarning, match=f"nn.init.{name}_"):
            getattr(nn.init, name)(autograd.empty(3, 3))


LAYERS = {
    "Linear": lambda L, d: L.nn.Linear(30, 7, dtype=d),
    "Linear without bias": lambda L, d: L.nn.Linear(3, 5, bias=False, dtype=d),
    "Conv2d": lambda L, d: L.nn.Conv2d(4, 6, 3, groups=2, dtype=d),
    "Embedding": lambda L, d: L.nn.Embedding(11, 5, padding_idx=2, dtype=d),
    "a model": lambda L, d: L.nn.Sequential(L.nn.Conv2d(1, 6, 5), L.nn.ReLU(), L.nn.Flatten(), L.nn.Linear(24, 10)),
}


def test_layers_start_from_the_same_parameters(both):
    for name, make in LAYERS.items():
        for dtype in ("float32", "float64"):

            def run(L, make=make, dtype=dtype):
                L.manual_seed(7)
                layer = make(L, getattr(L, dtype))
                return [(key, p.detach()) for key, p in layer.named_parameters()], L.get_rng_state()

            both(run, rtol=CLOSE[dtype], atol=CLOSE[dtype], label=f"{name} {dtype}")
