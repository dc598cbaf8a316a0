"""Samples of recurrent networks: every kind, padded and packed, several layers and directions, and the cells."""

BATCH_SIZES = [3, 2, 2, 1]


def network(kind, layers=1, directions=1, biases=True, batch_first=False, packed=None):
    """``f(L, x, h, *weights)``, for an LSTM ``f(L, x, h, c, *weights)``; ``packed`` lists the sizes of its batches."""

    def expression(L, x, *others):
        states, weights = (others[:2], others[2:]) if kind == "lstm" else (others[0], others[1:])
        options = (list(weights), biases, layers, 0.0, True, directions == 2)
        function = getattr(L, kind)
        if packed is not None:
            results = function(x, L.of(packed), states, *options)
        else:
            results = function(x, states, *options, batch_first)
        return L.cat([result.reshape(-1) for result in results])

    return expression


def shapes(gates, x, batch, layers=1, directions=1, biases=True, hidden=3, projected=0):
    outputs = projected or hidden
    found = [x, (layers * directions, batch, outputs)]
    if gates == 4:
        found.append((layers * directions, batch, hidden))
    for layer in range(layers):
        for _ in range(directions):
            inputs = x[-1] if layer == 0 else directions * outputs
            found += [(gates * hidden, inputs), (gates * hidden, outputs)]
            found += [(gates * hidden,)] * 2 if biases else []
            found += [(projected, hidden)] if projected else []
    return tuple(found)


def cell(kind):
    def expression(L, x, *others):
        hx, weights = (others[:2], others[2:]) if kind == "lstm" else (others[0], others[1:])
        result = getattr(L, f"{kind}_cell")(x, hx, *weights)
        return L.cat(result) if kind == "lstm" else result

    return expression


def cell_shapes(gates, biases=True):
    states = ((2, 3),) * (2 if gates == 4 else 1)
    return ((2, 4), *states, (3 * gates, 4), (3 * gates, 3), *([(3 * gates,)] * 2 if biases else []))


KINDS = {"lstm": 4, "gru": 3, "rnn_tanh": 1, "rnn_relu": 1}

SAMPLES = {
    "recurrence": [
        *((network(kind), shapes(gates, (3, 2, 4), 2)) for kind, gates in KINDS.items()),
        *((network(kind, packed=BATCH_SIZES), shapes(gates, (8, 2), 3)) for kind, gates in KINDS.items()),
        (network("rnn_tanh", 2, 2, packed=[2, 1]), shapes(1, (3, 2), 2, 2, 2, hidden=2)),
        *(
            (network(kind, 2, 2, False, packed=[2, 1]), shapes(gates, (3, 2), 2, 2, 2, False, hidden=2))
            for kind, gates in (("lstm", 4), ("gru", 3))
        ),
        (network("gru", 2, biases=False, batch_first=True), shapes(3, (2, 3, 4), 2, 2, biases=False)),
        (network("lstm", 1, 2, biases=False), shapes(4, (2, 2, 4), 2, 1, 2, biases=False)),
        (network("lstm", packed=BATCH_SIZES), shapes(4, (8, 2), 3, projected=2)),
        *((cell(kind), cell_shapes(gates)) for kind, gates in KINDS.items()),
        (cell("lstm"), cell_shapes(4, biases=False)),
        (cell("gru"), cell_shapes(3, biases=False)),
    ],
}
