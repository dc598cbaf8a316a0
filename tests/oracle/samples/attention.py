"""Samples of attention."""


def attend(**options):
    return lambda L, q, k, v: L.F.scaled_dot_product_attention(q, k, v, **options)


SAMPLES = {
    "attention": [
        (attend(), ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6))),
        (attend(is_causal=True), ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6))),
        (attend(is_causal=True), ((7, 2), (3, 2), (3, 1))),
        (attend(scale=-0.7), ((3, 4, 2), (3, 1, 2), (3, 1, 2))),
    ],
}
