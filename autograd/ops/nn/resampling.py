"""A linear map along each spatial axis, whose gradient is the transposed map."""

from __future__ import annotations

from ... import kernels
from ...rows.table import Array, coarse

__all__ = ["resample"]


@coarse(latex=r"\sum_j w_{ij} x_j \text{ along each axis}", home="", node_name=lambda name: name, complex=False)
def resample(x: Array, name, maps):
    compute = kernels.resample.resample_bytes if x.dtype == "uint8" else kernels.resample.resample
    return compute(x, maps)


@resample.gradient("x")
def _(g, name, maps):
    return resample(g, name, [each.transposed for each in maps])
