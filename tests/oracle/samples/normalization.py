"""Samples of normalization, in training and with running statistics."""

MEAN, VARIANCE = [0.5, -1.0, 0.0, 2.0], [1.5, 0.5, 1.0, 3.0]


def batch_norm(L, x, w=None, b=None, training=True):
    running = (None, None) if training else (L.of(MEAN).to(x.dtype), L.of(VARIANCE).to(x.dtype))
    return L.F.batch_norm(x, *running, w, b, training)


IMAGES, C = (3, 4, 2, 3), (4,)

SAMPLES = {
    "normalization": [
        (lambda L, x, w, b: L.F.layer_norm(x, (4,), w, b), ((5, 4), (4,), (4,))),
        (lambda L, x, w: L.F.layer_norm(x, (3, 4), w), ((2, 3, 4), (3, 4))),
        (lambda L, x: L.F.layer_norm(x, (4,)), ((2, 3, 4),)),
        (lambda L, x: L.native_layer_norm(x, (4,), None, None, 0.1)[0], ((5, 4),)),
        (lambda L, x, w: L.F.rms_norm(x, (4,), w), ((5, 4), (4,))),
        (lambda L, x: L.F.rms_norm(x, (3, 4), eps=0.1), ((2, 3, 4),)),
        (lambda L, x, w, b: L.F.group_norm(x, 2, w, b), (IMAGES, C, C)),
        (lambda L, x, w, b: L.F.group_norm(x, 2, w, b), ((3, 8), (8,), (8,))),
        (lambda L, x, w: L.F.group_norm(x, 4, w), (IMAGES, C)),
        (batch_norm, (IMAGES, C, C)),
        (batch_norm, ((6, 4), C, C)),
        (batch_norm, ((3, 4, 5),)),
        (lambda L, x, w, b: batch_norm(L, x, w, b, training=False), (IMAGES, C, C)),
        (lambda L, x, w: batch_norm(L, x, w, training=False), ((6, 4), C)),
        (lambda L, x, w, b: L.F.instance_norm(x, weight=w, bias=b), (IMAGES, C, C)),
        (lambda L, x: L.F.instance_norm(x, L.of(MEAN).to(x.dtype), L.of(VARIANCE).to(x.dtype), use_input_stats=False),
         ((3, 4, 5),)),
        (lambda L, x: L.F.local_response_norm(x, 3, 0.5, 0.7, 2.0), (IMAGES,)),
        (lambda L, x: L.F.local_response_norm(x, 2), ((3, 4, 5),)),
        (lambda L, x: L.F.normalize(x), ((3, 4),)),
        (lambda L, x: L.F.normalize(x, 1.0, 0), ((3, 4),)),
    ],
}  # fmt: skip
