"""Samples of the special functions."""

import numpy as np

SHAPES = np.array([[0.5], [1.5], [3.0]])

EXPRESSIONS = {
    "polygamma_of": lambda L, x, n=1: L.polygamma(n, x),
}

ATTRIBUTES = {"polygamma_of": (2,)}

KINKS = {
    "digamma": [(0,), (-1.5,), (-0.0,)],
    "lgamma": [(-1.5,), (1,), (2,)],
    "polygamma_of": [(-1.5,), (0.5,)],
    "erfinv": [(0,), (0.999,), (-0.999,)],
    "ndtri": [(0.5,), (0.001,)],
    "entr": [(1,)],
    "log_ndtr": [(0,), (-5,), (30,)],
    "xlog1py": [(0, 0), (0, -1), (0, 2), (1, 0)],
    "i0": [(0,), (20,)],
    "i0e": [(0,), (-2,), (200,)],
    "i1": [(0,), (-2,)],
    "i1e": [(0,), (-2,), (200,)],
}

# PyTorch's trigamma is a series cut off early, its Airy and Bessel functions are good to seven digits.
LOOSE = {
    ("digamma", "float64"): (1e-8, 1e-8),
    ("polygamma_of", "float64"): (1e-8, 1e-8),
    ("digamma", "float32"): (1e-4, 1e-5),
    ("polygamma_of", "float32"): (1e-4, 1e-5),
    ("airy_ai", "float64"): (1e-4, 1e-5),
    ("airy_ai", "float32"): (1e-4, 1e-5),
    **{(f"bessel_{name}", "float64"): (1e-6, 1e-7) for name in ("j0", "j1", "y0", "y1")},
}

NAN, INFINITE = (float("nan"),), (float("inf"), -float("inf"))
SPECIAL_OPEN = {
    "polygamma_of": (INFINITE, "its derivative there is NaN, ours the limit"),
    "log_ndtr": ((-float("inf"),), "its derivative there is NaN, ours the limit"),
    "i0": (INFINITE, "NaN in PyTorch, which multiplies infinity by 0; the limit is infinity"),
    "i1": (NAN + INFINITE, "its derivative at NaN is 0.5; at infinity as i0"),
    "i1e": (NAN, "its derivative at NaN is 0.5"),
    "modified_bessel_i0": (INFINITE, "as i0"),
    "modified_bessel_i1": (INFINITE, "as i1"),
}

SAMPLES = {
    "special": [
        (lambda L, y: L.igamma(L.of(SHAPES).to(y.dtype), y.exp()), ((3, 4),)),
        (lambda L, y: L.special.gammaincc(L.of(SHAPES).to(y.dtype), y.exp()), ((4,),)),
        (lambda L, y: L.special.zeta(L.of(SHAPES).to(y.dtype) + 1, y.exp()) + L.special.zeta(2.5, y.exp()), ((3, 4),)),
        (lambda L, x: L.mvlgamma(x.exp() + 1, 3) + L.special.multigammaln(x.exp() + 2, 1), ((3, 4),)),
        (lambda L, x: L.polygamma(2, x.exp()) + L.special.polygamma(3, x.exp()), ((3, 4),)),
        (lambda L, x: L.special.xlog1py(x, 2) + L.special.xlog1py(0.5, x.exp()), ((3, 4),)),
        (
            lambda L, x: L.special.softmax(x, 1) + L.special.log_softmax(x, 0) + L.special.logsumexp(x, 1, True),
            ((3, 4),),
        ),
    ],
}
