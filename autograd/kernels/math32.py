"""Elementary functions of one float32 for generated loops: arguments and results are float32.

Errors stay below 2 ulp, but for normal_density, sigmoid, sinh, tanh (3), erfc (5) and ndtr (7).
The loops vectorize, except with ``fmod``, ``remainder``, ``div_floor`` and ``lgamma``, which call libm for each
element. ``sin``, ``cos`` and ``tan`` are NaN for |x| > 2^50.

>>> from numba import njit
>>> from autograd.kernels import math32 as _
>>> njit(lambda x: _.log2(x) + _.sqrt(x))(np.float32(4))
4.0
"""

from __future__ import annotations

import numpy as np

from .elementary import library
from .math64 import _FUNCTIONS as _DOUBLE

# Remez fits (computed with 50 digits), to a relative error of each function below 1e-8; see the factories.
_FITS = {
    "log": (
        0.666666656, 0.400003373, 0.285371667, 0.235850084,
    ),
    "sin": (
        -0.166666666311131, 0.00833333129476364, -0.000198408900429918, 2.75263969065565e-6,
        -2.39051253492248e-8,
    ),
    "atan": (
        -0.333333153, 0.199984785, -0.142436284, 0.105942749, -0.0607885243,
    ),
    "asin": (
        0.166667541, 0.0749523271, 0.0454783447, 0.0241409632, 0.0422306113,
    ),
    "erf": (
        0.128379166, -0.376126258, 0.112835818, -0.0268535673, 0.00518766713, -0.000800270015, 7.82363983e-5,
    ),
    "erfc": (
        1.07400691, -0.883394459, 0.590228236, -0.310466972, 0.119530524, -0.0268308484, -0.00123518574,
        0.0030483859, -0.000468129089, -0.000285698001,
    ),
    # Least squares at 4000 Chebyshev points, reweighted towards the largest error, each coefficient rounded before the
    # next was fitted: "exp" to 1.4e-8 of expm1(r), "bell" with one term less to 1.1e-7 of exp(r).
    "exp": (
        0.49999997, 0.166665465, 0.0416674465, 0.00836625043, 0.00138696143,
    ),
    "bell": (
        0.499992311, 0.166671112, 0.0418901704, 0.0083128009,
    ),
    # Reweighted in the same way towards the largest relative error, for |z| <= ln(2) and a up to 14.5: "tail" to
    # 7.7e-8, "ndtr" to 8.5e-8, and "slope" to 1.0e-7 of the sum of its value and a seventh of exp(-a^2).
    "tail": (
        3852.62573, 1926.31616, 481.569397, 80.2673264, 10.0931168, 1.0,
    ),
    "ndtr_upper": (
        0.00390446722, 0.00257019955, 0.000798916328, 0.00010337383, 7.54704921e-09,
    ),
    "ndtr_lower": (
        30.0849018, 43.8081779, 26.068449, 7.689116, 1.0,
    ),
    "slope_upper": (
        0.00170861604, -0.000779367751, -0.00143792771, -0.000651792041, -0.000103429251, -6.24391649e-09,
    ),
    "slope_lower": (
        13.1653166, 15.0036049, 6.27963877, 1.0,
    ),
}  # fmt: skip

_FUNCTIONS = library(np.float32, _FITS, _DOUBLE)
globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
