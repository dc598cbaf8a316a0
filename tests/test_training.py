"""Training beside PyTorch: LeNet from the same weights on the same batches follows the same loss curve."""

import os

import numpy as np
import pytest

import autograd
import nn
import optim
from autograd.datasets import load_digits, load_mnist


def torch_lenet(torch):
    return torch.nn.Sequential(
        *(torch.nn.Conv2d(1, 20, 5), torch.nn.MaxPool2d(2), torch.nn.ReLU()),
        *(torch.nn.Conv2d(20, 50, 5), torch.nn.MaxPool2d(2), torch.nn.ReLU()),
        *(torch.nn.Flatten(), torch.nn.Linear(800, 500), torch.nn.ReLU(), torch.nn.Linear(500, 10)),
    )


def curves(torch, images, labels, steps, batch_size):
    """Losses of both libraries over the same steps of SGD with momentum, in the images' dtype."""
    theirs, ours = torch_lenet(torch), nn.models.LeNet()
    if images.dtype == np.float64:
        theirs, ours = theirs.double(), ours.double()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        with autograd.no_grad():
            mine.copy_(autograd.from_numpy(other.detach().numpy()))
    result = []
    for lib, model, optimizer, loss_function in (
        (autograd, ours, optim.SGD(ours.parameters(), lr=0.01, momentum=0.9), nn.CrossEntropyLoss()),
        (torch, theirs, torch.optim.SGD(theirs.parameters(), lr=0.01, momentum=0.9), torch.nn.CrossEntropyLoss()),
    ):
        losses = []
        for step in range(steps):
            batch = slice(step * batch_size, (step + 1) * batch_size)
            optimizer.zero_grad()
            loss = loss_function(model(lib.from_numpy(images[batch])), lib.from_numpy(labels[batch]))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        result.append(losses)
    return np.array(result)


def test_lenet_follows_pytorchs_loss_curve(torch):
    torch.manual_seed(0)
    small, labels = (np.asarray(part) for part in load_digits())
    order = np.random.default_rng(0).permutation(len(labels))
    large = np.kron(small.reshape(-1, 1, 8, 8)[order], np.ones((1, 1, 3, 3)))
    images = np.pad(large, [(0, 0), (0, 0), (2, 2), (2, 2)]).astype(np.float32)
    images /= images.max()
    ours, theirs = curves(torch, images, labels[order].astype(np.int64), steps=28, batch_size=64)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-3)
    assert theirs[-1] < theirs[0]


@pytest.mark.slow
@pytest.mark.skipif("CHALKGRAD_MNIST" not in os.environ, reason="CHALKGRAD_MNIST names no folder with the IDX files")
def test_lenet_follows_pytorchs_loss_curve_on_mnist(torch):
    """100 steps in float64 to rounding error; in float32 as far as rounding allows: from about step 40 on, PyTorch's
    own curves differ by 3e-3 between one thread and two, and by 8e-3 with another convolution library."""
    images, labels, *_ = load_mnist(os.environ["CHALKGRAD_MNIST"])
    scaled = (np.asarray(images[:6400], np.float64) / 255 - 0.1307) / 0.3081
    for dtype, steps, atol in ((np.float64, 100, 1e-9), (np.float32, 30, 1e-3)):
        torch.manual_seed(0)
        ours, theirs = curves(
            torch, scaled.astype(dtype), np.asarray(labels[:6400], np.int64), steps=steps, batch_size=64
        )
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=atol)


# --- The same seed, the same source: the first 100 losses -------------------------------------------------------------


def digits(step):
    small, labels = (np.asarray(part) for part in load_digits())
    order = np.random.default_rng(0).permutation(len(labels))[np.arange(16 * step, 16 * (step + 1)) % len(labels)]
    images = np.kron(small.reshape(-1, 1, 8, 8)[order], np.ones((1, 1, 3, 3))) / small.max()
    images = np.pad(images, [(0, 0), (0, 0), (2, 2), (2, 2)])
    # Without noise whole windows of a pooling are equal, and rounding alone would decide where a gradient goes.
    images += np.random.default_rng(step).normal(0, 0.05, images.shape)
    return images.astype(np.float32), labels[order].astype(np.int64)


def text():
    """Words of a small language, one after the other, as numbers of letters."""
    rng = np.random.default_rng(1)
    words = ["".join(rng.choice(list("abcdefghij"), rng.integers(2, 6))) for _ in range(20)]
    written = " ".join(rng.choice(words, 2000))
    return np.array([" abcdefghij".index(letter) for letter in written])


def lines(step, letters=text()):
    start = np.random.default_rng(step).integers(0, len(letters) - 33, 8)
    places = start[:, None] + np.arange(32)
    return letters[places], letters[places + 1]


# file of nn.models -> its model, its optimizer, its batches
RUNS = {
    "lenet": (lambda m: m["LeNet"](), lambda O, p: O.Adam(p, lr=1e-3), digits),
    "char_rnn": (
        lambda m: m["CharRNN"](11, 64, 2, "lstm", dropout=0.3),
        lambda O, p: O.Adam(p, lr=3e-3),
        lines,
    ),
    "gpt": (lambda m: m["GPT"](11, 32, 32, 2, 4), lambda O, p: O.AdamW(p, lr=1e-3), lines),
}


@pytest.mark.parametrize("file", RUNS)
@pytest.mark.parametrize(("dtype", "atol"), [("float32", 1e-4), ("float64", 1e-9)])
def test_the_first_100_losses_are_pytorchs(file, dtype, atol, torch):
    """Same seed, same source: weights, dropout masks and losses agree."""
    sources = pytest.importorskip("model_sources")
    make, optimizer_of, batches = RUNS[file]
    curves = []
    for library, optimizers, defined in (
        (autograd, optim, vars(sources.ours(file))),
        (torch, torch.optim, sources.on_torch(torch, file)),
    ):
        library.manual_seed(0)
        model = make(defined).to(getattr(library, dtype))
        optimizer = optimizer_of(optimizers, model.parameters())
        losses = []
        for step in range(100):
            x, target = map(library.from_numpy, batches(step))
            optimizer.zero_grad()
            out = model(x.to(getattr(library, dtype)) if x.is_floating_point() else x)
            out = out[0] if isinstance(out, tuple) else out
            loss = library.nn.CrossEntropyLoss()(out.flatten(0, -2), target.flatten())
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        curves.append(losses)
    np.testing.assert_allclose(*curves, rtol=0, atol=atol)
    assert curves[0][-1] < 0.8 * curves[0][0]


# --- Vanishing gradients ---------------------------------------------------------------------------------------------


def test_gradients_vanish_through_sigmoids_as_the_bound_says():
    """A chain of 20 units: backward multiplies sigma'(z) w for each, and sigma' is never above 1/4."""
    rng = np.random.default_rng(0)
    for weights in (np.ones(20), rng.standard_normal(20), 3 * rng.standard_normal(20)):
        x = autograd.tensor(0.3, dtype=autograd.float64, requires_grad=True)
        a, units = x, []
        for w in weights:
            z = w * a
            z.retain_grad()
            a = z.sigmoid()
            units.append((z, a))
        a.backward()
        bound = 1.0
        # From the last unit back: dC/dz_l = sigma'(z_l) w_(l+1) dC/dz_(l+1).
        for layer in range(19, -1, -1):
            z, out = units[layer]
            slope = (out * (1 - out)).item()
            assert 0 < slope <= 0.25
            factor = 1.0 if layer == 19 else weights[layer + 1]
            upstream = 1.0 if layer == 19 else units[layer + 1][0].grad.item()
            assert z.grad.item() == pytest.approx(slope * factor * upstream, rel=1e-12)
            bound *= 0.25 * abs(factor)
            assert abs(z.grad.item()) <= bound * (1 + 1e-12)
        assert abs(x.grad.item()) <= 0.25**20 * np.prod(np.abs(weights)) * (1 + 1e-12)


def test_relus_let_gradients_through_where_sigmoids_do_not():
    """20 layers of 32 units: the first layer's gradient beside the last one's, for both activations."""
    ratios = {}
    for activation in (nn.Sigmoid, nn.ReLU):
        autograd.manual_seed(0)
        model = nn.models.MLP(8, *[32] * 20, 1, activation=activation)
        for layer in model:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
        model(autograd.randn(16, 8)).square().mean().backward()
        linear = [layer for layer in model if isinstance(layer, nn.Linear)]
        ratios[activation] = (linear[0].weight.grad.norm() / linear[-1].weight.grad.norm()).item()
    assert ratios[nn.Sigmoid] < 1e-6
    assert ratios[nn.ReLU] > 1e-2
