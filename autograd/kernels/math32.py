"""Elementary functions of one float32 for generated loops: arguments and results are float32.

Errors stay below 2 ulp, but for sigmoid, tanh (3) and erfc (5). The loops vectorize, except with ``fmod``,
``remainder``, ``floor_divide`` and ``lgamma``, which call libm for each element. ``sin``,
``cos`` and ``tan`` are NaN for |x| > 2^50.

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
    "exp": (
        0.500000005, 0.166666668, 0.041666342, 0.0083332717, 0.00139420603, 0.000199151898,
    ),
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
    # Weighted least squares at 4000 Chebyshev points of scipy's erfcx, reweighted towards the largest error.
    "ndtr": (
        1.07400709, -0.883393823, 0.590219401, -0.310474507, 0.119594125, -0.0267949115, -0.00139375091,
        0.00296624288, -0.000332178692, -0.000208219981,
    ),
}  # fmt: skip

_FUNCTIONS = library(np.float32, _FITS, _DOUBLE)
globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
