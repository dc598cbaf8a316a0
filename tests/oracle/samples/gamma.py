"""Gamma and Dirichlet numbers: a seeded draw jumps with its parameters, so differences say nothing of its gradient."""

_COMPARED = "compared with PyTorch and with integrals: test_gamma.py, kernels/test_gamma.py"
EXEMPT = {
    "gamma_drawn": _COMPARED,
    "dirichlet_drawn": _COMPARED,
    "gamma_gradient": f"{_COMPARED}; has no derivative, as in PyTorch",
    "beta_gradient": f"{_COMPARED}; has no derivative, as in PyTorch",
}
