"""Expressions of units that PyTorch has not, and losses without a second derivative."""


def _unit(compute):
    """Refuses integers as every activation does; NaN stays NaN where ``compute`` keeps it."""

    def expression(L, x, *attributes):
        if not x.is_floating_point():
            raise NotImplementedError(str(x.dtype))
        return compute(L, x, *attributes)

    return expression


def _passed(L, x, slope):
    """Zero, with ``slope`` as its derivative."""
    return slope * L.where(L.isfinite(x), x - x.detach(), L.zeros_like(x))


EXPRESSIONS = {
    "step_unit": _unit(
        lambda L, x, at_zero=0.5, slope=0.0: (
            L.where(L.isnan(x), x.detach(), 0.5 * (L.sign(x) + 1) + (at_zero - 0.5) * (x == 0).to(x.dtype))
            + _passed(L, x, slope)
        )
    ),
    "sign_unit": _unit(lambda L, x, slope=0.0: L.sign(x) + _passed(L, x, slope)),
}

ATTRIBUTES = {"step_unit": (0.0, 1.0), "sign_unit": (1.0,)}

EXEMPT = {
    "alignment_loss": "its gradient is that of the logits below, as in PyTorch: nn/test_loss.py",
    "alignment_loss_gradient": "has no derivative, as in PyTorch: nn/test_loss.py",
    "relu_of_many": "samples are few: nn/test_activations.py",
    "passed": "the gradient of the row above: nn/test_activations.py",
}
