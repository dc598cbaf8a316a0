"""Samples of views by strides, sliding windows, and scatters that reduce."""

m34, m234, v6 = ((3, 4),), ((2, 3, 4),), ((6,),)
two = ((3, 4), (2, 4))
PLACES = [[0, 0, 2, 1], [0, 2, 2, 1]]


def reducing(reduce, include_self=True):
    return lambda L, x, y: L.scatter_reduce(x, 0, L.of(PLACES), y, reduce, include_self=include_self)


def with_zeros(L, x, y, include_self=True):
    """A product in which one place receives a single 0 and another two of them."""
    keep = L.of([[1.0, 1, 1, 0], [0, 1, 1, 0]])
    y = y * keep.to(y.dtype)
    return x.scatter_reduce(0, L.of([[0, 0, 2, 1], [0, 2, 2, 1]]), y, "prod", include_self=include_self)


BEYOND = "as in PyTorch, no gradient flows to what a view by strides reads beyond its input"
SEVERAL_ZEROS = "PyTorch's formula has no second derivative by several zeros of one product; ours follows it"

SAMPLES = {
    "strides": [
        (lambda L, x: L.as_strided(x, (2, 3), (2, 1), 1), v6),
        (lambda L, x: x.as_strided((4, 3), (1, 1)), v6),
        (lambda L, x: x.expand(2, 6).as_strided((3,), (2,)), v6),
        (lambda L, x: x.t()[1:].as_strided((2, 2), (1, 4)), m34),
        (lambda L, x: (x * x)[2:].as_strided((4,), (1,), 0), v6, BEYOND),
    ],
    "windows": [
        (lambda L, x: x.unfold(0, 3, 1), v6),
        (lambda L, x: x.unfold(1, 2, 2) * 2, m234),
        (lambda L, x: x.unfold(-1, 3, 1).unfold(1, 2, 1), m34),
        (lambda L, x: x[0].unfold(0, 1, 1), v6),
    ],
    "parts": [
        (lambda L, x, y: L.select_scatter(x, y, 0, 1), ((3, 4), (4,))),
        (lambda L, x, y: L.slice_scatter(x, y, 1, 0, 4, 2), ((3, 4), (3, 2))),
        (lambda L, x, y: x.diagonal_scatter(y, 1), ((3, 4), (3,))),
        (lambda L, x: L.diag_embed(x, -1, 0, 2), m34),
    ],
    "reducing scatters": [
        (reducing("sum"), two),
        (reducing("sum", False), two),
        (reducing("prod"), two),
        (reducing("prod", False), two),
        (reducing("mean"), two),
        (reducing("mean", False), two),
        (reducing("amax"), two),
        (reducing("amax", False), two),
        (reducing("amin"), two),
        (with_zeros, two, SEVERAL_ZEROS),
    ],
    "flat indices": [
        (lambda L, x: L.take(x, L.of([[0, 11], [11, -1]])), m34),
        (lambda L, x, y: x.put(L.of([[1, 5], [11, 0]]), y), ((3, 4), (2, 2))),
        (lambda L, x, y: x.put(L.of([3, 3]), y, accumulate=True), ((3, 4), (2,))),
        (lambda L, x: L.take_along_dim(x, L.of([[0], [3], [2]]), 1), m34),
        (lambda L, x: x[:1].take_along_dim(L.of([[0, 1], [3, 3]]), dim=1), m34),
        (lambda L, x, y: x.index_put((L.of([0, 2]), L.of([3, 3])), y), ((3, 4), (2,))),
        (lambda L, x, y: x.index_put((L.of([0, 0]),), y, True), ((3, 4), (4,))),
    ],
}

EXEMPT = {
    "view_as_dtype": "reads bytes as other numbers, outside of the graph: test_strided.py::test_bytes",
}
