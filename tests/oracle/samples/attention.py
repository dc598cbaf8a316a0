"""Samples of attention."""


def attend(mask=None, **options):
    def expression(L, q, k, v):
        given = None if mask is None else L.tensor(mask)
        given = given if given is None or given.dtype == L.bool else given.to(q.dtype)
        return L.F.scaled_dot_product_attention(q, k, v, given, **options)

    return expression


SAMPLES = {
    "attention": [
        (attend(mask=[[True, False, True], [True, True, True]]), ((2, 2, 4), (2, 3, 4), (2, 3, 2))),
        (attend(mask=[[0.5, -1.0, 0.0], [float("-inf")] * 3]), ((2, 2, 4), (2, 3, 4), (2, 3, 2))),
        (attend(), ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6))),
        (attend(is_causal=True), ((2, 3, 5, 4), (2, 3, 7, 4), (2, 3, 7, 6))),
        (attend(is_causal=True), ((7, 2), (3, 2), (3, 1))),
        (attend(scale=-0.7), ((3, 4, 2), (3, 1, 2), (3, 1, 2))),
    ],
}
