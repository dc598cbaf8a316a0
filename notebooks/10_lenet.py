# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 10 · From image filters to LeNet
#
# People designed image filters by hand for decades: this kernel smooths, that one finds edges. A convolutional network
# keeps the operation and **learns the kernels**. We filter by hand, then train LeNet on handwritten digits and look at
# the filters it has found.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import optim
from autograd.datasets import load_digits, split

BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "#777777"
F = nn.functional


def show(axes, picture, title="", cmap="gray", **options):
    axes.imshow(picture, cmap=cmap, **options)
    axes.set_title(title, fontsize=10)
    axes.set_xticks([])
    axes.set_yticks([])


# %% [markdown]
# ## A filter by hand
#
# An image is a grid of numbers, here from 0 (black) to 255 (white). A filter replaces each pixel by a weighted sum of
# its neighborhood:
#
# $$y_{ij} = \sum_{a=-1}^{1} \sum_{b=-1}^{1} k_{ab} \; x_{i+a,\, j+b}
# \qquad k_\text{smooth} = \frac{1}{12} \begin{pmatrix} 1 & 1 & 1 \\ 1 & 4 & 1 \\ 1 & 1 & 1 \end{pmatrix}$$

# %%
image = np.array(
    [
        [255, 128, 128, 240, 1, 128, 24, 255],
        [255, 128, 245, 240, 1, 128, 24, 255],
        [245, 128, 245, 240, 1, 128, 128, 128],
        [24, 24, 24, 255, 255, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [245, 245, 128, 128, 128, 128, 245, 245],
        [245, 245, 245, 240, 240, 240, 255, 240],
        [255, 240, 128, 240, 240, 128, 240, 255],
    ]
)
smooth = np.array([[1, 1, 1], [1, 4, 1], [1, 1, 1]]) / 12


def filter_by_hand(image, kernel, in_place=False):
    """The filtered inner pixels; the border keeps its values."""
    source = image.astype(float)
    result = source if in_place else source.copy()
    for i in range(1, image.shape[0] - 1):
        for j in range(1, image.shape[1] - 1):
            value = (kernel * source[i - 1 : i + 2, j - 1 : j + 2]).sum()
            result[i, j] = np.rint(value) if in_place else value
    return result


smoothed = filter_by_hand(image, smooth)
print("first inner pixel:", smoothed[1, 1], "= 2141/12, rounded", round(smoothed[1, 1]))
assert np.isclose(smoothed[1, 1], 2141 / 12)
assert round(smoothed[1, 1]) == 178

# %% [markdown]
# ### A classic mistake: filtering in place
#
# The next pixel should be $204.75 \approx 205$. Write each result straight back into the image, and the loop reads
# its own output: it then sees 178 where 128 stood, and gives **209**. A convolution always reads the original image.

# %%
in_place = filter_by_hand(image, smooth, in_place=True)
print("second pixel, from the original image:", smoothed[1, 2], "  in place:", in_place[1, 2])
assert smoothed[1, 2] == 204.75
assert in_place[1, 2] == 209

# %% [markdown]
# `conv2d` does the same for whole batches of images and stacks of kernels. It slides the kernel without turning it
# around, as every deep-learning library does; strictly speaking this is a *cross-correlation*. For a learned kernel it
# makes no difference.

# %%
x = autograd.tensor(image, dtype=autograd.float64).reshape(1, 1, 8, 8)
k = autograd.tensor(smooth).reshape(1, 1, 3, 3)
assert np.allclose(F.conv2d(x, k).numpy()[0, 0], smoothed[1:-1, 1:-1])

# %% [markdown]
# ## Smoothing and edges on a digit
#
# The kernel of vertical edges subtracts the right neighbors from the left ones: zero where nothing changes from left
# to right, large where something does.
#
# $$k_\text{edge} = \begin{pmatrix} 1 & 0 & -1 \\ 1 & 0 & -1 \\ 1 & 0 & -1 \end{pmatrix}$$

# %%
images, labels = load_digits()
print(images.shape, images.dtype, "ink from", images.min(), "to", images.max())

edge = np.array([[1, 0, -1]] * 3)
kernels = autograd.tensor(np.stack([smooth, edge, edge.T])[:, None], dtype=autograd.float32)
digit = autograd.tensor(images[:1])
filtered = F.conv2d(digit, kernels, padding=1).numpy()[0]

figure, axes = plt.subplots(1, 4, figsize=(10, 2.8))
show(axes[0], images[0, 0], "a digit", "gray_r")
show(axes[1], filtered[0], "smoothed", "gray_r")
show(axes[2], filtered[1], "vertical edges", "PuOr", vmin=-3, vmax=3)
show(axes[3], filtered[2], "horizontal edges", "PuOr", vmin=-3, vmax=3)
plt.tight_layout()
plt.show()

# %% [markdown]
# ## LeNet
#
# Let the kernels be weights, and stack them: convolution finds small patterns, **pooling** keeps the strongest answer
# of each 2 × 2 block (so that a pixel more or less to the left hardly matters), the next convolution finds patterns
# *of patterns*, and two ordinary layers decide.
#
# For the classic 28 × 28 images:

# %%
classic = nn.models.LeNet()
value, rows = autograd.zeros(1, 1, 28, 28), []
with autograd.no_grad():
    for layer in [*classic.features, *classic.classifier]:
        value = layer(value)
        count = sum(parameter.numel() for parameter in layer.parameters())
        rows.append((type(layer).__name__, tuple(value.shape[1:]), count))
        print(f"{rows[-1][0]:10} {rows[-1][1]!s:14} {count:>8,} parameters")
total = sum(count for _, _, count in rows)
print(f"{'together':25} {total:>8,}")
assert [shape for name, shape, _ in rows if name == "Conv2d"] == [(20, 24, 24), (50, 8, 8)]
assert total == 431_080

# %% [markdown]
# The convolutions own 6 % of the parameters and do 82 % of the multiplications: each kernel is used at *every* place
# of the image (**weight sharing**). A full layer from 28 × 28 pixels to 20 × 24 × 24 numbers would need nine million
# weights; the convolution needs 520.

# %%
in_convolutions = 24 * 24 * 20 * 25 + 8 * 8 * 50 * 20 * 25
in_layers = 800 * 500 + 500 * 10
assert round(100 * in_convolutions / (in_convolutions + in_layers)) == 82
assert round(100 * (rows[0][2] + rows[3][2]) / total) == 6
assert 28 * 28 * 20 * 24 * 24 == 9_031_680
assert rows[0][2] == 20 * (5 * 5 + 1) == 520

# %% [markdown]
# ## Training
#
# The digits here have 8 × 8 pixels, so `image_size=8` chooses smaller kernels. One fifth is held out: the network
# never sees it in training. Pixels are scaled to mean 0 and deviation 1 by the *training* set's numbers.
#
# The loss is the cross-entropy of the softmax: $L = -\ln p_\text{true}$, with $p_j = e^{z_j} / \sum_k e^{z_k}$. Its
# derivative is as simple as it could be, $\partial L / \partial z_j = p_j - 1$ for the true class and $p_j$ for the
# others.

# %%
z = autograd.tensor([[2.0, -1.0, 0.5]], requires_grad=True)
F.cross_entropy(z, autograd.tensor([0])).backward()
p = z.detach().softmax(1).numpy()[0]
assert np.allclose(z.grad.numpy()[0], p - [1, 0, 0], atol=1e-6)

# %%
train_images, train_labels, test_images, test_labels = split(images, labels)
mean, deviation = train_images.mean(), train_images.std()
train_x = autograd.tensor((train_images - mean) / deviation)
test_x = autograd.tensor((test_images - mean) / deviation)
train_y, test_y = autograd.tensor(train_labels), autograd.tensor(test_labels)
print(len(train_x), "for training,", len(test_x), "held out")

autograd.manual_seed(0)
model = nn.models.LeNet(image_size=8)
optimizer = optim.Adam(model.parameters(), lr=1e-3)
loss_function = nn.CrossEntropyLoss()
batch_size, epochs = 32, 12

step_losses, train_accuracy, test_accuracy = [], [], []
for epoch in range(epochs):
    right = 0
    order = autograd.randperm(len(train_x))
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        logits = model(train_x[batch])
        loss = loss_function(logits, train_y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step_losses.append(loss.item())
        right += (logits.argmax(1) == train_y[batch]).sum().item()
    with autograd.no_grad():
        predictions = model(test_x).argmax(1)
    train_accuracy.append(right / len(train_x))
    test_accuracy.append((predictions == test_y).float().mean().item())
    print(f"epoch {epoch + 1}: training {train_accuracy[-1]:.2%}, held out {test_accuracy[-1]:.2%}")

assert abs(step_losses[0] - np.log(10)) < 0.3  # before training: ten equally likely classes
assert test_accuracy[-1] >= 0.97

# %%
figure, (left, right_axes) = plt.subplots(1, 2, figsize=(10, 3.4))
steps_per_epoch = len(step_losses) / epochs
places = np.arange(1, len(step_losses) + 1) / steps_per_epoch
left.semilogy(places, step_losses, color=BLUE, alpha=0.3, linewidth=1)
window = 15
left.semilogy(
    places[window - 1 :], np.convolve(step_losses, np.ones(window) / window, "valid"), color=BLUE, linewidth=2
)
left.axhline(np.log(10), color=GRAY, linewidth=1, linestyle=":")
left.annotate(
    "guessing: ln 10", (epochs, np.log(10)), xytext=(0, -11), textcoords="offset points", color=GRAY, ha="right"
)
left.set(xlabel="epoch", ylabel="cross-entropy of a batch")
left.set_title(f"Loss of each step, and the mean of {window}", loc="left", fontsize=11)
numbers = np.arange(1, epochs + 1)
right_axes.plot(numbers, 100 * np.array(train_accuracy), "o-", color=BLUE, markersize=4)
right_axes.plot(numbers, 100 * np.array(test_accuracy), "s-", color=ORANGE, markersize=4)
right_axes.annotate(
    "training", (numbers[0], 100 * train_accuracy[0]), xytext=(8, -3), textcoords="offset points", color=BLUE
)
right_axes.annotate(
    "held out",
    (numbers[1], 100 * test_accuracy[1]),
    xytext=(-6, 6),
    textcoords="offset points",
    color=ORANGE,
    ha="right",
)
right_axes.set(xlabel="epoch", ylabel="correct [%]", xticks=numbers)
right_axes.set_title("Accuracy", loc="left", fontsize=11)
for axes in (left, right_axes):
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", alpha=0.3)
plt.tight_layout()
plt.show()

# %% [markdown]
# In the first epoch the held-out accuracy is above the training accuracy: the latter is counted while the network is
# still learning.
#
# ## What it confuses

# %%
confusion = np.zeros((10, 10), int)
guesses = predictions.numpy()
np.add.at(confusion, (test_labels, guesses), 1)
assert confusion.trace() == round(test_accuracy[-1] * len(test_labels))

figure, axes = plt.subplots(figsize=(4.8, 4.4))
axes.imshow(confusion, cmap="Blues", vmax=confusion.max() * 1.3)
for i, j in zip(*confusion.nonzero(), strict=True):
    axes.text(j, i, confusion[i, j], ha="center", va="center", fontsize=9, color="white" if i == j else ORANGE,
              weight="normal" if i == j else "bold")  # fmt: skip
axes.set(xlabel="answer", ylabel="digit", xticks=range(10), yticks=range(10))
axes.set_title(f"{confusion.trace()} of {len(test_labels)} held-out digits right", loc="left", fontsize=11)
plt.show()

# %%
wrong = np.flatnonzero(guesses != test_labels)
figure, axes = plt.subplots(1, max(len(wrong), 2), figsize=(1.5 * max(len(wrong), 2), 1.9))
for place in axes:
    place.axis("off")
for place, i in zip(axes, wrong, strict=False):
    show(place, test_images[i, 0], f"{test_labels[i]}, read as {guesses[i]}", "gray_r")
plt.tight_layout()
plt.show()

# %% [markdown]
# ## What it has learned
#
# The 20 learned kernels of the first layer, and what they make of one digit: its **feature maps**. Some kernels look
# like the edge filters from above; nobody told them.

# %%
learned = model.features[0].weight.detach().numpy()[:, 0]
sample = test_x[:1]
with autograd.no_grad():
    maps = model.features[0](sample).relu().numpy()[0]
    deeper = model.features[:4](sample).relu().numpy()[0]

figure, axes = plt.subplots(4, 11, figsize=(11, 4.4), gridspec_kw={"width_ratios": [1.6] + [1] * 10})
for place in axes.flat:
    place.axis("off")
show(axes[0, 0], test_images[0, 0], f"digit {test_labels[0]}", "gray_r")
bound = np.abs(learned).max()
for i in range(20):
    row, column = 2 * (i // 10), 1 + i % 10
    show(axes[row, column], learned[i], f"kernel {i + 1}" if i % 10 == 0 else "", "PuOr", vmin=-bound, vmax=bound)
    show(axes[row + 1, column], maps[i], "its map" if i % 10 == 0 else "", "gray_r", vmin=0, vmax=maps.max())
plt.tight_layout()
plt.show()
print("first layer:", maps.shape, " second layer:", deeper.shape)

# %% [markdown]
# How much are learned kernels worth? Freeze the features at their random start and train only the classifier: it does
# surprisingly well, and worse.

# %%
autograd.manual_seed(0)
frozen = nn.models.LeNet(image_size=8)
with autograd.no_grad():
    train_features, test_features = frozen.features(train_x), frozen.features(test_x)
reader = nn.Sequential(nn.Flatten(), nn.Linear(train_features[0].numel(), 10))
learned_reader = nn.Sequential(nn.Flatten(), nn.Linear(train_features[0].numel(), 10))


def train_reader(reader, features, held_out):
    optimizer = optim.Adam(reader.parameters(), lr=1e-2)
    for _ in range(100):
        loss = loss_function(reader(features), train_y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with autograd.no_grad():
        return (reader(held_out).argmax(1) == test_y).float().mean().item()


with autograd.no_grad():
    learned_train, learned_test = model.features(train_x), model.features(test_x)
accuracy_random = train_reader(reader, train_features, test_features)
accuracy_learned = train_reader(learned_reader, learned_train, learned_test)
print(f"one linear layer on random features: {accuracy_random:.2%}, on learned features: {accuracy_learned:.2%}")
assert accuracy_learned > accuracy_random

# %% [markdown]
# ## One step, as the engine sees it
#
# Every box is an operator; parameters are green. Large tensors are summarized.

# %%
four = train_x[:4]
loss = loss_function(model(four), train_y[:4])
autograd.draw(loss, params=dict(model.named_parameters()), labels={"four digits": four, "loss": loss})

# %% [markdown]
# **What to take home**
#
# 1. A convolution is a sliding weighted sum that reads the original image.
# 2. Weight sharing: few parameters, used everywhere.
# 3. Convolution and pooling alternate, from strokes to shapes to digits; the kernels are learned.
# 4. Judge by held-out data, and look at the mistakes.
