"""Samples of the rarely needed element-by-element functions, and of the checked arithmetic of `bitwise.py`."""

import numpy as np

EXPRESSIONS = {
    "div_floor": lambda L, x, y: L.div(x, y, rounding_mode="floor"),
    "div_trunc": lambda L, x, y: L.div(x, y, rounding_mode="trunc"),
    "addcmul": lambda L, x, y, z, value=1: L.addcmul(x, y, z, value=value),
    "addcdiv": lambda L, x, y, z, value=1: L.addcdiv(x, y, z, value=value),
    "logit": lambda L, x, eps=-1.0: L.logit(x, eps),
}

ATTRIBUTES = {"addcmul": (2.5,), "addcdiv": (-0.5,), "logit": (0.2,)}

KINKS = {
    "div_floor": [(3, 1.5), (-3, 1.5), (-1, 2)],
    "div_trunc": [(3, 1.5), (-3, 1.5), (-1, 2)],
    "logit": [(0,), (1,), (-0.5,), (1.5,)],
    "nextafter": [(1, 1), (1, 2), (0, -1)],
    "copysign": [(0, 1), (0, -1), (2, -1), (-2, 0)],
    "logaddexp2": [(0, 0), (1, 1)],
}

EXPONENTS = np.array([[1], [2], [0]], np.int32)  # PyTorch's gradient for negative ones is 0

SAMPLES = {
    "elementwise": [
        (lambda L, x: L.frexp(x + 10)[0] * x, ((3, 4),)),
        (lambda L, x: L.ldexp(x, L.of(EXPONENTS)) * x, ((3, 4),)),
        (lambda L, x, y: L.ldexp(x, y) + x.ldexp(L.of(EXPONENTS)), ((3, 4), (3, 4))),
        (lambda L, x: L.rsub(x, 2, alpha=3) * L.rsub(x, x * x), ((3, 4),)),
        (lambda L, x, y: L.float_power(x * x + 1, y) + L.float_power(x * x + 1, 2), ((3, 4), (4,))),
        (lambda L, x: L.copysign(x, -2.0) + L.deg2rad(x).rad2deg(), ((3, 4),)),
        (lambda L, x: L.logit(x.sigmoid()) + x.sigmoid().logit(0.3) + L.positive(x), ((3, 4),)),
        (lambda L, x, y: L.lerp(x, y, 0.3) + L.lerp(x, y, L.of(0.7)).lerp(y, x), ((3, 4), (3, 4))),
        (lambda L, x: L.celu(x, 0.5) + x.hardshrink(0.3) + L.nan_to_num(x), ((3, 4),)),
    ],
}
