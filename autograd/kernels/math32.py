"""Elementary functions of one float32 for generated loops: arguments and results are float32.

Errors stay below 2 ulp, but for normal_density, sigmoid, sinh, tanh (3), erfc (5) and ndtr (9).
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
    # The same for p - f q with SciPy's erfcx and a up to 13.3, weighted by 1 / q, to 1.4e-7.
    "ndtr_upper": (
        0.5, 0.339055772, 0.107145643, 0.0142511719, 2.43611388e-07,
    ),
    "ndtr_lower": (
        1.0, 1.47599134, 0.892012108, 0.268005565, 0.0357510276,
    ),
}  # fmt: skip

_FUNCTIONS = library(np.float32, _FITS, _DOUBLE)
globals().update(_FUNCTIONS)
__all__ = list(_FUNCTIONS)
