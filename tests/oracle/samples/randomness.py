"""Draws: seeded, so that differences see the same numbers."""


def _seeded(program):
    def expression(L, *tensors):
        L.manual_seed(7)
        return program(L, *tensors)

    return expression


SAMPLES = {
    "randomness": [
        (_seeded(lambda L, x: L.bernoulli(x.sigmoid()) * x), ((3, 4),)),
        (_seeded(lambda L, x: L.F.dropout(x, 0.3).sin()), ((3, 4),)),
        (_seeded(lambda L, x: L.feature_dropout(x, 0.3, True).sin()), ((2, 3, 4),)),
        (_seeded(lambda L, x: L.F.rrelu(x, training=True).sin()), ((3, 4),)),
        (
            _seeded(lambda L, x, y: L.normal(x, 0.5).sin() + y),
            ((3, 4), (4,)),
            "a draw follows its mean, its gradient does not",
        ),
    ]
}
