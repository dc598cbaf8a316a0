"""Convolution and transposed convolution over one to three axes against PyTorch."""

import numpy as np
import pytest
from parity import agree, agree_on, agree_with_gradients, refuse_alike

import autograd

rng = np.random.default_rng(0)


def twins(ours, theirs, expression):
    return [lambda *t, L=library: expression(L, *t) for library in (ours, theirs)]


# function, input, weight, arguments
CONVOLUTIONS = {
    "plain": ("conv2d", (2, 3, 7, 6), (4, 3, 3, 3), {}),
    "one image": ("conv2d", (3, 7, 6), (4, 3, 3, 3), {}),
    "1x1": ("conv2d", (2, 3, 5, 5), (4, 3, 1, 1), {}),
    "whole image": ("conv2d", (2, 3, 5, 4), (2, 3, 5, 4), {}),
    "stride": ("conv2d", (2, 3, 7, 6), (4, 3, 3, 3), {"stride": 2}),
    "stride pair": ("conv2d", (2, 3, 7, 9), (4, 3, 3, 2), {"stride": (2, 3)}),
    "stride leaves a rest": ("conv2d", (1, 2, 8, 8), (3, 2, 3, 3), {"stride": 3}),
    "padding": ("conv2d", (2, 3, 5, 5), (4, 3, 3, 3), {"padding": 1}),
    "padding pair": ("conv2d", (2, 3, 5, 5), (4, 3, 3, 3), {"padding": (2, 0)}),
    "much padding": ("conv2d", (1, 1, 2, 2), (1, 1, 3, 3), {"padding": 3}),
    "dilation": ("conv2d", (2, 3, 7, 7), (4, 3, 3, 3), {"dilation": 2}),
    "all": (
        "conv2d", (2, 4, 9, 8), (6, 2, 3, 2), {"stride": (2, 1), "padding": (1, 2), "dilation": (2, 3), "groups": 2},
    ),
    "depthwise": ("conv2d", (2, 4, 5, 5), (4, 1, 3, 3), {"groups": 4, "padding": 1}),
    "depthwise multiplier": ("conv2d", (2, 4, 5, 5), (8, 1, 3, 3), {"groups": 4}),
    "same": ("conv2d", (2, 3, 5, 6), (4, 3, 3, 3), {"padding": "same"}),
    "same even": ("conv2d", (2, 3, 5, 6), (4, 3, 2, 4), {"padding": "same"}),
    "same dilated": ("conv2d", (2, 3, 7, 7), (4, 3, 3, 2), {"padding": "same", "dilation": 2}),
    "valid": ("conv2d", (2, 3, 5, 6), (4, 3, 3, 3), {"padding": "valid"}),
    "no images": ("conv2d", (0, 3, 5, 5), (4, 3, 3, 3), {}),
    "no channels": ("conv2d", (2, 0, 5, 5), (4, 0, 3, 3), {}),
    "no sequences, and these empty": ("conv1d", (0, 3, 0), (4, 3, 3), {"padding": 2}),
    "lists": ("conv2d", (1, 2, 5, 5), (2, 2, 3, 3), {"stride": [1, 2], "padding": [1, 1]}),
    "list of one": ("conv2d", (1, 2, 5, 5), (2, 2, 3, 3), {"padding": [1]}),
    "sequence": ("conv1d", (2, 3, 9), (4, 3, 3), {"stride": 2, "padding": 1, "dilation": 2}),
    "one sequence": ("conv1d", (3, 9), (4, 3, 2), {"padding": "same"}),
    "sequence depthwise": ("conv1d", (2, 4, 9), (4, 1, 3), {"groups": 4, "stride": 2}),
    "volume": ("conv3d", (2, 2, 4, 5, 4), (4, 2, 2, 3, 1), {"stride": (1, 2, 1), "padding": (1, 0, 2)}),
    "one volume": ("conv3d", (2, 4, 5, 4), (4, 1, 2, 3, 1), {"groups": 2}),
    "volume same": ("conv3d", (1, 2, 4, 5, 4), (2, 2, 2, 3, 3), {"padding": "same", "dilation": (1, 2, 1)}),
    "transposed": ("conv_transpose2d", (2, 3, 4, 5), (3, 4, 3, 2), {}),
    "transposed one image": ("conv_transpose2d", (3, 4, 5), (3, 4, 3, 2), {"stride": 2}),
    "transposed all": (
        "conv_transpose2d", (2, 4, 3, 4), (4, 3, 3, 2),
        {"stride": (3, 2), "padding": (1, 0), "output_padding": (2, 1), "groups": 2, "dilation": (1, 2)},
    ),
    "transposed, more than a stride added": (
        "conv_transpose2d", (1, 2, 3, 3), (2, 2, 2, 2), {"output_padding": (2, 3), "dilation": (4, 5), "padding": 3},
    ),
    "transposed sequence": ("conv_transpose1d", (2, 3, 4), (3, 2, 3), {"stride": 2, "output_padding": 1}),
    "transposed depthwise": ("conv_transpose1d", (2, 3, 4), (3, 1, 3), {"groups": 3, "padding": 1}),
    "transposed 1x1": ("conv_transpose1d", (2, 3, 4), (3, 2, 1), {}),
    "transposed volume": ("conv_transpose3d", (2, 2, 3, 2, 3), (2, 2, 2, 3, 1), {"stride": (1, 2, 2), "dilation": 2}),
    "transposed, no images": ("conv_transpose2d", (0, 3, 4, 5), (3, 4, 3, 2), {}),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:Using padding='same' with even")
@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_values_and_gradients(name, bias, ours, theirs, reading):
    function, image, weight, options = CONVOLUTIONS[name]
    arrays = [rng.standard_normal(image), rng.standard_normal(weight)]
    if bias:
        transposed = "transpose" in function
        arrays.append(rng.standard_normal(weight[1] * options.get("groups", 1) if transposed else weight[0]))
    expression = lambda L, *t: getattr(L.F, function)(*t, **options)
    with np.errstate(all="ignore"):
        for dtype, scale in (("float64", (1e-9, 1e-10)), ("float32", (1e-3, 1e-4))):
            agree_with_gradients(
                ours, theirs, *twins(ours, theirs, expression), [a.astype(dtype) for a in arrays], *scale, name
            )


def test_layouts(ours, theirs):
    """Transposed and sliced images and filters."""
    expression = lambda L, x, w: L.conv2d(x.permute(0, 3, 1, 2)[:, :, ::2], w.transpose(2, 3), padding=1)
    arrays = [rng.standard_normal((2, 9, 5, 3)), rng.standard_normal((4, 3, 2, 3))]
    agree_with_gradients(ours, theirs, *twins(ours, theirs, expression), arrays, 1e-9, 1e-10)


NUMBERS = {"complex64": (1e-4, 1e-4), "complex128": (1e-9, 1e-9), "float16": (5e-3, 5e-3), "int64": (0, 0)}


@pytest.mark.parametrize("dtype", NUMBERS)
@pytest.mark.parametrize("function", ["conv1d", "conv3d", "conv_transpose2d", "conv_transpose3d"])
def test_other_numbers(function, dtype, ours, theirs):
    axes = int(function[-2])
    arrays = [10 * rng.standard_normal(shape) for shape in ((2, 4, *[5] * axes), (4, 2, *[2] * axes), (4,))]
    if dtype.startswith("complex"):
        arrays = [a * np.exp(1j * np.arange(a.size).reshape(a.shape)) for a in arrays]
    arrays = [(a / 4 if dtype == "float16" else a).astype(dtype) for a in arrays]
    agree_on(ours, theirs, lambda L, *t: getattr(L, function)(*t, stride=2, groups=2), arrays, *NUMBERS[dtype])


def test_complex_gradients(ours, theirs):
    arrays = [rng.standard_normal(s) + 1j * rng.standard_normal(s) for s in ((2, 2, 6), (3, 2, 3), (3,))]
    results = []
    for L in (ours, theirs):
        x, w, b = (L.of(a, True) for a in arrays)
        y = L.conv_transpose1d(L.conv1d(x, w, b, padding=1), w, stride=2)
        (y.abs() ** 2).sum().backward()
        results.append((x.grad, w.grad, b.grad))
    agree(*results, 1e-9, 1e-9)


CALLS = {
    "time first": lambda L, x: L.conv_tbc(x, L.ones(2, 3, 4, dtype=x.dtype), L.ones(4, dtype=x.dtype), 1),
    "time first, no window": lambda L, x: L.conv_tbc(x, L.ones(5, 3, 4, dtype=x.dtype), L.ones(4, dtype=x.dtype)),
    "general": lambda L, x: L.convolution(x, x[:, :, :2], None, [2], [1], [1], False, [0], 1),
    "general by keyword": lambda L, x: L.convolution(
        x, x[:, :, :2], bias=None, stride=[1], padding=[0], dilation=[2], transposed=False, output_padding=[0], groups=1
    ),
    "general transposed": lambda L, x: L.convolution(x, x[:3], None, [3], [0], [1], True, [2], 1),
}


@pytest.mark.parametrize("name", CALLS)
def test_other_calls(name, ours, theirs):
    arrays = [rng.standard_normal((4, 3, 3))]
    agree_with_gradients(ours, theirs, *twins(ours, theirs, CALLS[name]), arrays, 1e-9, 1e-10)


def test_node(ours, theirs):
    for L in (ours, theirs):
        x, w = L.ones(1, 2, 5, requires_grad=True), L.ones(2, 2, 3)
        assert L.conv1d(x, w).grad_fn.name() == L.conv_transpose1d(x, w).grad_fn.name() == "ConvolutionBackward0"


@pytest.mark.parametrize("dims", [(0, 0, 0), (0, None, None), (None, 0, None), (0, None, 0)])
@pytest.mark.parametrize("function", ["conv1d", "conv_transpose1d"])
def test_examples_of_a_batch(function, dims):
    """Under vmap: images, filters and biases, each of every example or one for all."""
    convolve = lambda x, w, b: getattr(autograd, function)(x, w, b, padding=1, groups=2)
    shapes = ((2, 4, 6), (6, 2, 3) if function == "conv1d" else (4, 3, 3), (6,))
    tensors = [autograd.randn(*([3] if dim == 0 else []), *shape) for shape, dim in zip(shapes, dims, strict=True)]
    out = autograd.func.vmap(convolve, dims)(*tensors)
    for i in range(3):
        alone = convolve(*(t if dim is None else t[i] for t, dim in zip(tensors, dims, strict=True)))
        autograd.testing.assert_close(out[i], alone, rtol=1e-4, atol=1e-4)


def test_gradients_of_each_example():
    x, w = autograd.randn(3, 2, 4, 6), autograd.randn(6, 2, 3)
    gradient = autograd.func.grad(lambda w, x: (autograd.conv1d(x, w, groups=2) ** 2).sum())
    per_example = autograd.func.vmap(gradient, (None, 0))(w, x)
    for i in range(3):
        autograd.testing.assert_close(per_example[i], gradient(w, x[i]), rtol=1e-4, atol=1e-4)


ZEROS = (1, 1, 5, 5)
REFUSED = {
    "channels": (
        lambda L: L.conv2d(L.zeros(1, 3, 5, 5), L.zeros(4, 2, 3, 3)),
        ["conv2d", "3 channels", "(4, 2, 3, 3)"],
    ),
    "dims": (lambda L: L.conv2d(L.zeros(5, 5), L.zeros(4, 2, 3, 3)), ["conv2d", "[5, 5]", "[4, 2, 3, 3]"]),
    "weight dims": (lambda L: L.conv2d(L.zeros(1, 2, 5, 5), L.zeros(4, 2, 3)), ["[4, 2, 3]"]),
    "too small": (lambda L: L.conv2d(L.zeros(1, 1, 2, 2), L.zeros(1, 1, 3, 3)), ["3", "2"]),
    "empty image": (lambda L: L.conv1d(L.zeros(1, 2, 0), L.zeros(2, 2, 3), padding=2), ["[1, 2, 0]"]),
    "empty kernel": (lambda L: L.conv1d(L.zeros(1, 2, 4), L.zeros(2, 2, 0)), ["kernel", "0"]),
    "groups": (lambda L: L.conv2d(L.zeros(1, 4, 5, 5), L.zeros(3, 2, 3, 3), groups=2), ["groups"]),
    "groups beyond filters": (lambda L: L.conv1d(L.zeros(1, 4, 5), L.zeros(2, 1, 3), groups=4), ["groups=4"]),
    "no groups": (lambda L: L.conv2d(L.zeros(1, 4, 5, 5), L.zeros(3, 2, 3, 3), groups=0), ["groups", "0"]),
    "float groups": (lambda L: L.conv1d(L.zeros(1, 4, 5), L.zeros(3, 4, 3), groups=1.0), ["groups", "float"]),
    "stride": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), stride=0), ["stride", "0"]),
    "float stride": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), stride=1.0), ["stride", "float"]),
    "no stride": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), stride=()), ["stride", "()"]),
    "padding": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), padding=-1), ["padding", "-1"]),
    "dilation": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), dilation=0), ["dilation", "0"]),
    "stride length": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), stride=(1, 1, 1)), ["stride"]),
    "same strided": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), stride=2, padding="same"), ["same"]),
    "padding text": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 3, 3), padding="full"), ["full"]),
    "bias": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(2, 1, 3, 3), L.zeros(3)), ["2", "3"]),
    "dtypes": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(2, 1, 3, 3, dtype=L.float64)), ["float32", "float64"]),
    "bias dtype": (lambda L: L.conv2d(L.zeros(ZEROS), L.zeros(2, 1, 3, 3), L.zeros(2).double()), ["bias", "float64"]),
    "bool": (lambda L: L.conv1d(L.zeros(1, 1, 5).bool(), L.zeros(1, 1, 2).bool()), ["conv1d", "Bool"]),
    "not a tensor": (lambda L: L.F.conv2d([1.0], L.zeros(1, 1, 1, 1)), ["conv2d", "input"]),
    "no weight": (lambda L: L.F.conv2d(L.zeros(ZEROS), None), ["conv2d", "weight"]),
    "no bias tensor": (lambda L: L.F.conv2d(L.zeros(ZEROS), L.zeros(1, 1, 1, 1), [1.0]), ["conv2d", "bias"]),
    "transposed channels": (lambda L: L.conv_transpose1d(L.zeros(1, 3, 5), L.zeros(2, 2, 3)), ["3 channels", "2"]),
    "transposed groups": (lambda L: L.conv_transpose1d(L.zeros(1, 4, 5), L.zeros(4, 2, 3), groups=3), ["groups=3"]),
    "transposed bias": (lambda L: L.conv_transpose1d(L.zeros(1, 4, 5), L.zeros(4, 2, 3), L.zeros(3)), ["2", "3"]),
    "transposed integers": (
        lambda L: L.conv_transpose1d(L.zeros(1, 4, 5).int(), L.zeros(4, 2, 3).int()),
        ["conv_transpose1d", "Int"],
    ),
    "transposed text": (lambda L: L.conv_transpose1d(L.zeros(1, 4, 5), L.zeros(4, 2, 3), padding="same"), ["padding"]),
    "output padding": (
        lambda L: L.conv_transpose1d(L.zeros(1, 4, 5), L.zeros(4, 2, 3), output_padding=1),
        ["output padding", "(1,)"],
    ),
    "negative output padding": (
        lambda L: L.conv_transpose1d(L.zeros(1, 4, 5), L.zeros(4, 2, 3), output_padding=-1),
        ["output_padding", "-1"],
    ),
    "nothing left": (lambda L: L.conv_transpose1d(L.zeros(1, 4, 2), L.zeros(4, 2, 3), padding=2), ["(0,)"]),
    "general dims": (
        lambda L: L.convolution(L.zeros(4, 5), L.zeros(2, 4, 3), None, [1], [0], [1], False, [0], 1),
        ["2-dimensional", "[2, 4, 3]"],
    ),
    "general weight": (
        lambda L: L.convolution(L.zeros(2, 4), L.zeros(5, 4), None, [], [], [], False, [], 1),
        ["weight", "[5, 4]"],
    ),
    "general sizes": (
        lambda L: L.convolution(L.zeros(1, 4, 5), L.zeros(2, 4, 3), None, 1, 0, 1, False, 0, 1),
        ["stride", "int"],
    ),
    "time first": (lambda L: L.conv_tbc(L.zeros(5, 2), L.zeros(3, 3, 4), L.zeros(4)), ["input", "[5, 2]"]),
    "time first channels": (lambda L: L.conv_tbc(L.zeros(5, 2, 3), L.zeros(3, 2, 4), L.zeros(4)), ["3", "2"]),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name, ours, theirs):
    refuse_alike(ours, theirs, *REFUSED[name])
