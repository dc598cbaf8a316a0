"""Complete models: shapes, errors, and a training run."""

from __future__ import annotations

import sys
from subprocess import run

import numpy as np
import pytest
from model_sources import on_torch, ours

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


# --- The same source on PyTorch --------------------------------------------------------------------------------------


def numbers(shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def letters(shape, vocabulary):
    return np.random.default_rng(0).integers(0, vocabulary, shape)


def class_loss(L, output, x, model=None):
    return L.nn.CrossEntropyLoss()(output, L.arange(len(x)))


def text_loss(L, logits, x, model=None):
    return L.nn.CrossEntropyLoss()(logits.flatten(0, 1), x.roll(-1, 1).flatten())


def inception_loss(L, outputs, x, model):
    return sum(class_loss(L, logits, x) * factor for logits, factor in zip(outputs, (1, 0.3, 0.3), strict=True))


def rebuilt(L, output, x, model):
    return L.nn.MSELoss()(output, x)


def first_text_loss(L, outputs, x, model):
    return text_loss(L, outputs[0], x)


def masked_text_loss(L, outputs, x, model):
    return text_loss(L, model.predict(outputs[0]), x) + outputs[1].square().mean()


def sparse_loss(L, output, x, model):
    return rebuilt(L, output, x, model) + 0.1 * model.penalty(model.encode(x))


# file -> how the model is made from what the file defines, its input, its loss
CASES = {
    "alexnet": (lambda m: m["AlexNet"](10, version=2014), numbers((2, 3, 80, 80)), class_loss),
    "resnet-basic": (lambda m: m["ResNet"](m["BasicBlock"], [2, 1, 1, 1], 10), numbers((3, 3, 32, 32)), class_loss),
    "resnet-bottleneck": (
        lambda m: m["ResNet"](m["Bottleneck"], [1, 1, 1, 1], 10, zero_init_residual=True),
        numbers((3, 3, 32, 32)),
        class_loss,
    ),
    "googlenet": (lambda m: m["GoogLeNet"](10, init_weights=False), numbers((3, 3, 64, 64)), inception_loss),
    "lenet": (lambda m: m["LeNet"](), numbers((4, 1, 28, 28)), class_loss),
    "mlp": (lambda m: m["MLP"](5, 8, 4), numbers((4, 5)), class_loss),
    "autoencoder": (lambda m: m["Autoencoder"](12, 8, 3), numbers((5, 3, 4)), rebuilt),
    "autoencoder-sparse": (
        lambda m: m["SparseAutoencoder"](12, 20),
        numbers((5, 12)),
        sparse_loss,
    ),
    "autoencoder-denoising": (lambda m: m["DenoisingAutoencoder"](12, 8, noise=0.1), numbers((5, 12)), rebuilt),
    "autoencoder-linear": (lambda m: m["Autoencoder"](12, 3, output=None), numbers((5, 12)), rebuilt),
    "char_rnn-rnn": (lambda m: m["CharRNN"](20, 16, 2, "rnn", dropout=0.2), letters((3, 9), 20), first_text_loss),
    "char_rnn-lstm": (lambda m: m["CharRNN"](20, 16, 2, "lstm", 8, 0.2), letters((3, 9), 20), first_text_loss),
    "char_rnn-gru": (lambda m: m["CharRNN"](20, 16, 1, "gru"), letters((3, 9), 20), first_text_loss),
    "gpt": (lambda m: m["GPT"](30, 12, 16, 2, 4), letters((2, 10), 30), text_loss),
    "bert": (
        lambda m: m["BERT"](30, 12, 16, 2, 4),
        letters((2, 10), 30),
        masked_text_loss,
    ),
}


def assert_close(ours, theirs, **options):
    """`assert_allclose` in blocks that fit into the cache: it takes seven passes over memory, here of 57 million."""
    assert ours.shape == theirs.shape, options
    blocks = range(0, ours.size, 1 << 16)
    for a, b in ((ours.reshape(-1)[i : i + blocks.step], theirs.reshape(-1)[i : i + blocks.step]) for i in blocks):
        np.testing.assert_allclose(a, b, **options)


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_and_source_train_alike_on_pytorch(name, torch):
    make, x, loss_of = CASES[name]
    file = name.partition("-")[0]
    outcomes = []
    for library, optimizers, defined in (
        (autograd, optim, vars(ours(file))),
        (torch, torch.optim, on_torch(torch, file)),
    ):
        library.manual_seed(1)
        model = make(defined)
        start = {key: value.numpy().copy() for key, value in model.state_dict().items()}
        model.double()  # float32 rounds differently in both, and normalization of a small batch enlarges that
        optimizer = optimizers.SGD(model.parameters(), lr=0.1)
        given = library.tensor(x.astype(np.float64) if x.dtype == np.float32 else x)
        loss = loss_of(library, model(given), given, model)
        loss.backward()
        optimizer.step()
        after = {key: value.numpy() for key, value in model.state_dict().items()}
        outcomes.append((repr(model), start, loss.item(), after))
    (text, start, loss, after), (their_text, their_start, their_loss, their_after) = outcomes
    assert text == their_text
    assert list(start) == list(their_start)
    for key, value in their_start.items():
        assert_close(start[key], value, rtol=1e-6, atol=3e-7, err_msg=key)
    assert loss == pytest.approx(their_loss, rel=1e-5)
    for key, value in their_after.items():
        assert_close(after[key], value, rtol=1e-5, atol=1e-6, err_msg=key)


def test_the_variational_autoencoder_trains_alike_on_pytorch(torch):
    losses = []
    for library, optimizers, defined in (
        (autograd, optim, vars(nn.models.autoencoder)),
        (torch, torch.optim, on_torch(torch, "autoencoder")),
    ):
        library.manual_seed(2)
        model = defined["VariationalAutoencoder"](12, 8, 2)
        optimizer = optimizers.Adam(model.parameters(), lr=0.01)
        x = library.tensor(numbers((6, 12)))
        losses.append([])
        for _ in range(20):
            optimizer.zero_grad()
            loss = model.loss(x, model(x))
            loss.backward()
            optimizer.step()
            losses[-1].append(loss.item())
        losses[-1] += model.eval()(x).mean.flatten().tolist() + model.sample(2).flatten().tolist()
    np.testing.assert_allclose(*losses, rtol=2e-4, atol=1e-5)


def test_the_penalty_of_sparsity_is_the_divergence(torch):
    code = numbers((7, 5))
    values = [
        made["SparseAutoencoder"](4, 5, sparsity=0.1).penalty(library.tensor(code)).item()
        for library, made in ((autograd, vars(nn.models.autoencoder)), (torch, on_torch(torch, "autoencoder")))
    ]
    q = code.mean(0)
    expected = (0.1 * np.log(0.1 / q) + 0.9 * np.log(0.9 / (1 - q))).sum()
    np.testing.assert_allclose(values, expected, rtol=1e-5)


# --- Shapes and sizes ------------------------------------------------------------------------------------------------

# The literature's numbers of parameters. He et al. and Szegedy et al. give them rounded; to the last digit they are
# those of the published weights.
COUNTS = {
    "LeNet": (lambda m: m.LeNet(), 431_080),
    "AlexNet, 2012": (lambda m: m.AlexNet(), 201_838_952),
    "AlexNet, 2014": (lambda m: m.AlexNet(version=2014), 61_100_840),
    "ResNet-18": (lambda m: m.resnet18(), 11_689_512),
    "ResNet-34": (lambda m: m.resnet34(), 21_797_672),
    "ResNet-50": (lambda m: m.resnet50(), 25_557_032),
    "ResNet-101": (lambda m: m.resnet101(), 44_549_160),
    "ResNet-152": (lambda m: m.resnet152(), 60_192_808),
    "GoogLeNet": (lambda m: m.GoogLeNet(init_weights=False), 13_004_888),
    "GPT-2": (lambda m: m.GPT(), 124_439_808),
    "BERT": (lambda m: m.BERT(), 109_482_240 + 768 * 768 + 768 + 2 * 768 + 30522),  # with the head of its training
    "MLP 2-16-16-2": (lambda m: m.MLP(2, 16, 16, 2), 354),
    "CharRNN": (lambda m: m.CharRNN(30, 16, cell="lstm"), 30 * 16 + 2 * 4 * 16 * 16 + 2 * 4 * 16 + 17 * 30),
    "Autoencoder": (lambda m: m.Autoencoder(784, 32), 784 * 32 + 32 + 32 * 784 + 784),
    "VariationalAutoencoder": (lambda m: m.VariationalAutoencoder(784, 400, 20), 652_824),
    "Perceptron": (lambda m: m.Perceptron(2), 3),
}


@pytest.mark.parametrize("name", COUNTS)
def test_numbers_of_parameters(name, monkeypatch):
    make, count = COUNTS[name]
    # How many there are does not depend on what they are, and drawing 200 million takes its time.
    for draw in ("kaiming_uniform_", "kaiming_normal_", "uniform_", "normal_", "xavier_uniform_"):
        monkeypatch.setattr(nn.init, draw, lambda tensor, *args, **kwargs: tensor)
    monkeypatch.setattr(nn.Embedding, "reset_parameters", lambda self: None)
    assert sum(p.numel() for p in make(nn.models).parameters()) == count


def test_alexnet_has_the_shapes_of_its_table(monkeypatch):
    monkeypatch.setattr(nn.init, "kaiming_uniform_", lambda tensor, *args, **kwargs: tensor)
    model = nn.models.AlexNet()
    x, shapes = autograd.zeros(1, 3, 224, 224), []
    with autograd.no_grad():
        for layer in [*model.features, model.avgpool, model.flatten, *model.classifier]:
            x = layer(x)
            if not isinstance(layer, (nn.ReLU, nn.Dropout)):
                shapes.append(tuple(x.shape[1:]))
    sides = [(96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13), (384, 13, 13), (384, 13, 13), (256, 13, 13)]
    assert shapes == [*sides, (256, 13, 13), (43264,), (4096,), (4096,), (1000,)]
    with pytest.raises(ValueError, match="version must be one of"):
        nn.models.AlexNet(version=1998)


def test_residual_networks_halve_their_maps():
    model = nn.models.resnet18(num_classes=7).eval()
    x, sides = autograd.zeros(1, 3, 64, 64), []
    with autograd.no_grad():
        x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
        for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
            x = stage(x)
            sides.append(tuple(x.shape[1:]))
        assert model(autograd.zeros(2, 3, 32, 32)).shape == (2, 7)
    assert sides == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]


def test_googlenet_has_three_outputs_while_training_only():
    model = nn.models.GoogLeNet(5, init_weights=False)
    x = autograd.zeros(2, 3, 32, 32)
    assert [tuple(logits.shape) for logits in model(x)] == [(2, 5)] * 3
    assert model.eval()(x).shape == (2, 5)
    assert nn.models.GoogLeNet(5, aux_logits=False, init_weights=False)(x).shape == (2, 5)


@pytest.mark.slow
def test_a_step_of_alexnet_fits_into_six_gibibytes(subprocess_python):
    """Batch 8, forward, backward and a step with momentum, in a process of its own."""
    source = """
import resource
import autograd, nn, optim
model = nn.models.AlexNet()
optimizer = optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
x, labels = autograd.rand(8, 3, 224, 224), autograd.arange(8)
loss = nn.CrossEntropyLoss()(model(x), labels)
loss.backward()
optimizer.step()
print(sum(p.numel() for p in model.parameters()), loss.item(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    count, loss, kibibytes = subprocess_python(source).split()
    assert int(count) == 201_838_952
    assert 6 < float(loss) < 8  # about log(1000)
    assert int(kibibytes) * 1024 < 6 * 2**30


# --- Perceptrons, text -----------------------------------------------------------------------------------------------


def test_gates():
    x = autograd.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    assert nn.models.nand()(x).tolist() == [1, 1, 1, 0]
    assert nn.models.XOR()(x).tolist() == [0, 1, 1, 0]
    assert nn.models.Perceptron(2)(x).tolist() == [0, 0, 0, 0]  # w . x = 0 is not above zero


def test_a_perceptron_learns_nand_and_never_xor():
    x = autograd.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    for labels, possible in (([1.0, 1.0, 1.0, 0.0], True), ([0.0, 1.0, 1.0, 0.0], False)):
        unit, target = nn.models.Perceptron(2), autograd.tensor(labels)
        rule = optim.Perceptron(unit.parameters())
        errors = [sum(rule.learn(unit, x[i], target[i]) for i in range(4)) for _ in range(50)]
        assert (errors[-1] == 0) is possible
        assert autograd.equal(unit(x).detach(), target) is possible


def test_a_network_of_two_layers_learns_xor():
    autograd.manual_seed(0)
    model = nn.models.MLP(2, 8, 1, activation=nn.Tanh)
    x = autograd.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    target = autograd.tensor([[0.0], [1.0], [1.0], [0.0]])
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    for _ in range(200):
        optimizer.zero_grad()
        loss = nn.BCEWithLogitsLoss()(model(x), target)
        loss.backward()
        optimizer.step()
    assert autograd.equal((model(x) > 0).float(), target)
    assert loss.item() < 0.05


def test_text_models_write_on():
    autograd.manual_seed(0)
    for model in (nn.models.CharRNN(12, 8, 2, dropout=0.1), nn.models.GPT(12, 8, 16, 1, 2)):
        begin = autograd.tensor([1, 2, 3])
        begin = begin if isinstance(model, nn.models.CharRNN) else begin.unsqueeze(0)
        first = model.generate(begin, 20, generator=autograd.Generator().manual_seed(1))
        again = model.generate(begin, 20, generator=autograd.Generator().manual_seed(1))
        assert first.shape[-1] == 23
        assert autograd.equal(first, again)
        assert first.min() >= 0
        assert first.max() < 12
        assert model.training
        greedy = model.generate(begin, 5, temperature=0)
        assert autograd.equal(greedy, model.generate(begin, 5, temperature=0))
    with pytest.raises(ValueError, match="longer than context=8"):
        model(autograd.zeros(1, 9, dtype=autograd.int64))
    with pytest.raises(ValueError, match="must divide"):
        nn.models.GPT(12, 8, 16, 1, 3)
    with pytest.raises(ValueError, match="cell must be one of"):
        nn.models.CharRNN(12, cell="lstn")
    with pytest.raises(ValueError, match="beginning"):
        nn.models.CharRNN(12).generate(autograd.zeros(0, dtype=autograd.int64), 3)


def test_padding_does_not_change_a_text():
    autograd.manual_seed(0)
    model = nn.models.BERT(20, 10, 16, 2, 4).eval()
    tokens = autograd.tensor([[3, 4, 5, 0, 0]])
    padding = autograd.tensor([[False, False, False, True, True]])
    states, text = model(tokens, padding=padding)
    alone, alone_text = model(tokens[:, :3])
    np.testing.assert_allclose(states[:, :3].detach().numpy(), alone.detach().numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(text.detach().numpy(), alone_text.detach().numpy(), rtol=1e-4, atol=1e-5)


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
