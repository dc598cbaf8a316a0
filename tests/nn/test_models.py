"""Complete models: shapes, errors, and a training run."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest

import autograd
import nn
import optim


def torch_lenet(torch, image_size=28):
    n = torch.nn
    kernel, padding = (5, 0) if image_size >= 16 else (3, 1)
    features = n.Sequential(
        n.Conv2d(1, 20, kernel, padding=padding),
        n.MaxPool2d(2),
        n.ReLU(),
        n.Conv2d(20, 50, kernel, padding=padding),
        n.MaxPool2d(2),
        n.ReLU(),
    )
    size = features(torch.zeros(1, 1, image_size, image_size)).numel()
    classifier = n.Sequential(n.Flatten(), n.Linear(size, 500), n.ReLU(), n.Linear(500, 10))
    model = n.Module()
    model.features, model.classifier = features, classifier
    return model


@pytest.mark.parametrize("size", [28, 8])
def test_lenet_is_the_same_network_in_torch(size):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    theirs = torch_lenet(torch, size)
    autograd.manual_seed(0)
    ours = nn.models.LeNet(image_size=size)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    for our, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_array_equal(our.detach().numpy(), their.detach().numpy())
    x = np.random.default_rng(0).random((3, 1, size, size), np.float32)
    labels = [1, 2, 3]
    out = ours(autograd.tensor(x))
    expected = theirs.classifier(theirs.features(torch.tensor(x)))
    np.testing.assert_allclose(out.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    nn.CrossEntropyLoss()(out, autograd.tensor(labels)).backward()
    torch.nn.CrossEntropyLoss()(expected, torch.tensor(labels)).backward()
    for our, their in zip(ours.parameters(), theirs.parameters(), strict=True):
        np.testing.assert_allclose(our.grad.numpy(), their.grad.numpy(), rtol=1e-3, atol=1e-5)


def test_lenet_has_the_shapes_of_its_table():
    model, x, shapes = nn.models.LeNet(), autograd.zeros(1, 1, 28, 28), []
    for layer in [*model.features, *model.classifier]:
        x = layer(x)
        if not isinstance(layer, nn.ReLU):
            shapes.append(tuple(x.shape[1:]))
    assert shapes == [(20, 24, 24), (20, 12, 12), (50, 8, 8), (50, 4, 4), (800,), (500,), (10,)]


def test_lenet_for_all_sizes():
    for size in (4, 5, 8, 15, 16, 17, 32):
        model = nn.models.LeNet(num_classes=3, image_size=size)
        assert model(autograd.zeros(2, 1, size, size)).shape == (2, 3)
    for size in (3, 0, 8.0):
        with pytest.raises(ValueError, match="image_size must be an int of at least 4"):
            nn.models.LeNet(image_size=size)
    with pytest.raises(ValueError, match="num_classes"):
        nn.models.LeNet(0)
    for shape in ((1, 1, 8, 8), (1, 3, 28, 28), (1, 28, 28)):
        with pytest.raises(ValueError, match=r"expected images of shape \(N, 1, 28, 28\), but got"):
            nn.models.LeNet()(autograd.zeros(*shape))


def test_mlp():
    model = nn.models.MLP(3, 5, 4, 2, activation=lambda: nn.LeakyReLU(0.1))
    assert [type(layer).__name__ for layer in model] == ["Linear", "LeakyReLU", "Linear", "LeakyReLU", "Linear"]
    assert model(autograd.ones(7, 3)).shape == (7, 2)
    assert model[1] is not model[3]
    assert isinstance(model[:2], nn.Sequential)
    assert model[-1].out_features == 2
    for sizes in ((), (3,), (3, 0), (3, 2.0)):
        with pytest.raises(ValueError, match="MLP"):
            nn.models.MLP(*sizes)


def test_lenet_learns():
    autograd.manual_seed(0)
    model = nn.models.LeNet(num_classes=2, image_size=8)
    x = autograd.randn(32, 1, 8, 8)
    labels = (x.mean((1, 2, 3)) > 0).long()
    x = x + (labels * 2 - 1).float().reshape(-1, 1, 1, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    for _ in range(15):
        optimizer.zero_grad()
        loss = nn.CrossEntropyLoss()(model(x), labels)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1
    assert (model(x).argmax(1) == labels).float().mean().item() == 1.0


def test_importing_is_light():
    code = "import nn, optim, sys; sys.exit(any(name in sys.modules for name in ('numba', 'scipy', 'torch')))"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
