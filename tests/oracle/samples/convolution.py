"""Samples of convolutions, borders and windows."""

images, filters = (2, 4, 5, 6), (6, 2, 3, 2)


def transposed(L, *tensors):
    return L.F.conv_transpose2d(*tensors, stride=2, padding=1, output_padding=1, groups=2)


SAMPLES = {
    "convolution": [
        (lambda L, x, w, b: L.F.conv1d(x, w, b, stride=2, padding=1), ((2, 3, 7), (4, 3, 3), (4,))),
        (lambda L, x, w: L.F.conv1d(x, w, padding="same"), ((3, 6), (2, 3, 5))),
        (lambda L, x, w, b: L.F.conv2d(x, w, b), ((2, 3, 5, 5), (2, 3, 3, 3), (2,))),
        (lambda L, x, w, b: L.F.conv2d(x, w, b, 1, (2, 1), (2, 1), 2), (images, filters, (6,))),
        (lambda L, x, w: L.F.conv2d(x, w, padding=1, groups=4), (images, (4, 1, 3, 3))),
        (lambda L, x, w, b: L.F.conv3d(x, w, b, dilation=2), ((1, 2, 4, 5, 4), (3, 2, 2, 1, 2), (3,))),
        (lambda L, x, w, b: L.F.conv_transpose1d(x, w, b, stride=3), ((2, 2, 4), (2, 3, 2), (3,))),
        (transposed, (images, (4, 3, 3, 2), (6,))),
        (transposed, (images[1:], (4, 3, 3, 2))),
        (lambda L, x, w: L.F.conv_transpose1d(x, w, padding=1, output_padding=2, dilation=3), ((1, 2, 4), (2, 1, 2))),
        (lambda L, x, w: L.F.conv_transpose3d(x, w, stride=(1, 2, 1)), ((1, 2, 2, 3, 2), (2, 1, 2, 1, 2))),
        (lambda L, x, w, b: L.conv_tbc(x, w, b, 1), ((4, 2, 3), (3, 3, 2), (2,))),
        (lambda L, x, w: L.convolution(x, w, None, [2], [1], [1], True, [1], 1), ((1, 2, 3), (2, 2, 3))),
    ],
    "borders": [
        (lambda L, x: L.F.pad(x, (2, -1, 0, 1), value=1.5), ((2, 3, 4),)),
        (lambda L, x: L.F.pad(x, (3, 2), "reflect"), ((2, 2, 4),)),
        (lambda L, x: L.F.pad(x, (1, 3, 2, 0), "reflect"), ((1, 2, 3, 4),)),
        (lambda L, x: L.F.pad(x, (5, 2), "replicate"), ((2, 3),)),
        (lambda L, x: L.F.pad(x, (1, -1, 2, 0, 0, 3), "replicate"), ((2, 2, 3, 2),)),
        (lambda L, x: L.F.pad(x, (4, 1), "circular"), ((1, 2, 4),)),
        (lambda L, x: L.F.pad(x, (1, 2, -1, 2), "circular"), ((1, 2, 4, 3),)),
    ],
    "windows of images": [
        (lambda L, x: L.F.unfold(x, (2, 3), padding=1, stride=2), ((2, 3, 4, 5),)),
        (lambda L, x: L.F.unfold(x, 2, dilation=2), ((2, 5, 4),)),
        (lambda L, x: L.F.fold(x, (4, 5), (2, 3), padding=1, stride=2), ((2, 12, 9),)),
        (lambda L, x: L.F.fold(x, 3, 2), ((4, 4),)),
    ],
}
