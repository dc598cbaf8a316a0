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
# # 3 · XOR: why one layer is not enough
#
# | $x_1$ | $x_2$ | NAND | XOR |
# |:-:|:-:|:-:|:-:|
# | 0 | 0 | 1 | 0 |
# | 0 | 1 | 1 | 1 |
# | 1 | 0 | 1 | 1 |
# | 1 | 1 | 0 | 0 |
#
# A single neuron learns NAND in a moment, and cannot learn XOR at all. Two neurons behind it can. We first prove the
# one, then set the other by hand, then let gradient descent find it, and look at what the hidden layer has done.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import optim

BLUE, ORANGE, GRAY = "#0072B2", "#D55E00", "#777777"
points = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
nand = np.array([1, 1, 1, 0])
xor = np.array([0, 1, 1, 0])

# %% [markdown]
# ## The perceptron
#
# $\hat y = 1$ if $w \cdot x > 0$, else 0, with the bias as $w_0$ and $x_0 = 1$. It learns from one sample at a time:
#
# $$w \leftarrow w + (y - \hat y)\, x$$
#
# Right answers change nothing; a wrong one pulls $w$ toward $x$ or pushes it away.

# %%
with_bias = np.column_stack([np.ones(4), points])


def train_perceptron(targets, epochs):
    """Weights, and the number of mistakes in each epoch."""
    w, mistakes = np.zeros(3), []
    for _ in range(epochs):
        wrong = 0
        for x, y in zip(with_bias, targets, strict=True):
            prediction = 1 if w @ x > 0 else 0
            wrong += int(prediction != y)
            w = w + (y - prediction) * x
        mistakes.append(wrong)
    return w, mistakes


w, mistakes_nand = train_perceptron(nand, 30)
print("NAND: weights", w, "mistakes by epoch", mistakes_nand[:8])
assert mistakes_nand[-1] == 0
assert list((with_bias @ w > 0).astype(int)) == list(nand)

w, mistakes_xor = train_perceptron(xor, 1000)
print("XOR: fewest mistakes in any of 1000 epochs:", min(mistakes_xor))
assert min(mistakes_xor) > 0

# %% [markdown]
# ### It is not for lack of patience
#
# For XOR the weights would have to satisfy
#
# $$w_0 \le 0, \qquad w_0 + w_2 > 0, \qquad w_0 + w_1 > 0, \qquad w_0 + w_1 + w_2 \le 0 .$$
#
# Add the two in the middle: $2 w_0 + w_1 + w_2 > 0$. Add the outer two: $2 w_0 + w_1 + w_2 \le 0$. A contradiction:
# **no** line separates the two classes. A search through many lines agrees:

# %%
grid = np.linspace(-2, 2, 41)
lines = np.stack(np.meshgrid(grid, grid, grid), -1).reshape(-1, 3)
correct = ((lines @ with_bias.T > 0).astype(int) == xor).sum(1)
print(f"{len(lines)} lines, at best {correct.max()} of 4 points right")
assert correct.max() == 3


# %%
def show_points(axes, where, title, names=("x₁", "x₂")):
    for target, color, marker in ((0, BLUE, "o"), (1, ORANGE, "s")):
        chosen = xor == target
        axes.scatter(
            *where[chosen].T, c=color, marker=marker, s=90, edgecolors="white", linewidths=1.5, zorder=3,
            label=f"XOR = {target}",
        )  # fmt: skip
    axes.set(xlabel=names[0], ylabel=names[1], aspect="equal")
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)


figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6))
show_points(left, points, "No line separates circles from squares")
left.set(xticks=[0, 1], yticks=[0, 1], xlim=(-0.4, 1.4), ylim=(-0.4, 1.4))
left.legend(frameon=False, loc="center")
right.plot(mistakes_nand, color=BLUE, linewidth=2)
right.plot(mistakes_xor[:30], color=ORANGE, linewidth=2)
right.annotate("XOR", (20, mistakes_xor[20]), xytext=(0, -14), textcoords="offset points", color=ORANGE)
right.annotate("NAND", (20, 0), xytext=(0, 6), textcoords="offset points", color=BLUE)
right.set(xlabel="epoch", ylabel="mistakes of 4", yticks=range(5), ylim=(-0.2, 4.3))
right.set_title("The perceptron never gets XOR right", loc="left", fontsize=11)
right.spines[["top", "right"]].set_visible(False)
plt.tight_layout()
plt.show()

# %% [markdown]
# ## By hand: OR, but not AND
#
# $\text{XOR} = \text{OR} \wedge \neg\,\text{AND}$, and each of these three *is* a single neuron:
#
# $$h_1 = [x_1 + x_2 - 0.5 > 0], \qquad h_2 = [x_1 + x_2 - 1.5 > 0], \qquad y = [h_1 - h_2 - 0.5 > 0]$$

# %%
W1, b1 = np.array([[1.0, 1.0], [1.0, 1.0]]), np.array([-0.5, -1.5])
W2, b2 = np.array([[1.0, -1.0]]), np.array([-0.5])


def step(z):
    return (z > 0).astype(float)


hidden_by_hand = step(points @ W1.T + b1)
output = step(hidden_by_hand @ W2.T + b2)[:, 0]
print("hidden", hidden_by_hand.tolist(), "output", output.tolist())
assert list(output) == list(xor)

# %% [markdown]
# A step has no slope to descend. Sigmoids have: multiply weights and biases by 20 and they are nearly steps. So the
# same numbers make a network of `Linear` and `Sigmoid` layers. (Its input is a column of samples, so each layer
# computes $\sigma(x W^\top + b)$.)

# %%
by_hand = nn.Sequential(nn.Linear(2, 2), nn.Sigmoid(), nn.Linear(2, 1), nn.Sigmoid())
with autograd.no_grad():
    for layer, weight, bias in ((by_hand[0], W1, b1), (by_hand[2], W2, b2)):
        layer.weight.copy_(autograd.tensor(20 * weight))
        layer.bias.copy_(autograd.tensor(20 * bias))
inputs = autograd.tensor(points, dtype=autograd.float32)
probabilities = by_hand(inputs).detach().numpy()[:, 0]
print(probabilities.round(4))
assert np.abs(probabilities - xor).max() < 1e-3

# %% [markdown]
# ### Depth alone does not help
#
# Without a non-linearity between them, layers collapse: $W_1 (W_2 (W_3 x)) = (W_1 W_2 W_3)\, x$, one line again.

# %%
random = np.random.default_rng(0)
A, B, C = random.normal(size=(1, 4)), random.normal(size=(4, 4)), random.normal(size=(4, 2))
assert np.allclose(A @ (B @ (C @ points.T)), (A @ B @ C) @ points.T)

# %% [markdown]
# ## Learned
#
# Now from random weights, by gradient descent on the cross-entropy
#
# $$L = -\frac{1}{4} \sum_i \big( y_i \ln \hat y_i + (1 - y_i) \ln (1 - \hat y_i) \big) .$$

# %%
targets = autograd.tensor(xor.astype(np.float32)).unsqueeze(1)


def make_network(hidden, activation=nn.Tanh):
    return nn.Sequential(nn.Linear(2, hidden), activation(), nn.Linear(hidden, 1))


def train(network, steps=400, lr=0.1):
    """Losses of all steps; ends early when there is nothing left to learn."""
    loss_function, optimizer = nn.BCEWithLogitsLoss(), optim.Adam(network.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = loss_function(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if losses[-1] < 0.01:
            break
    return losses


def is_right(network):
    with autograd.no_grad():
        return ((network(inputs) > 0) == (targets > 0.5)).all().item()


autograd.manual_seed(2)
network = make_network(2)
losses = train(network)
print(f"{len(losses)} steps, loss {losses[0]:.3f} → {losses[-1]:.4f}")
assert is_right(network)
assert losses[-1] < 0.02

# %% [markdown]
# And the linear one? Its loss cannot fall below $\ln 2 \approx 0.693$: the best it can say is "fifty-fifty".

# %%
autograd.manual_seed(2)
linear = make_network(2, nn.Identity)
losses_linear = train(linear)
print(f"linear: loss {losses_linear[-1]:.4f}")
assert not is_right(linear)
assert abs(losses_linear[-1] - np.log(2)) < 0.01

# %% [markdown]
# ## What the hidden layer does
#
# The output neuron still draws a line; it is the hidden layer that moves the points so that a line is enough. Left:
# what the network answers over the whole plane. Middle: where its hidden layer takes the four points. Right: the same
# for the network set by hand, where (0, 1) and (1, 0) have become one point.

# %%
axis = np.linspace(-0.5, 1.5, 121, dtype=np.float32)
plane = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
with autograd.no_grad():
    answer = network(autograd.tensor(plane)).sigmoid().numpy().reshape(121, 121)
    hidden = network[1](network[0](inputs)).numpy()
v, c = network[2].weight.detach().numpy()[0], network[2].bias.item()

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(12, 3.8))
shades = left.contourf(axis, axis, answer, levels=np.linspace(0, 1, 11), cmap="PuOr_r", alpha=0.8)
left.contour(axis, axis, answer, levels=[0.5], colors="black", linewidths=1)
figure.colorbar(shades, ax=left, label="answer ŷ", ticks=[0, 0.5, 1])
show_points(left, points, "The answer")


def show_hidden(axes, where, weights, bias, title):
    show_points(axes, where, title, ("h₁", "h₂"))
    low, high = where.min() - 0.4, where.max() + 0.4
    ends = np.array([low, high])
    axes.plot(ends, -(weights[0] * ends + bias) / weights[1], color="black", linewidth=1)
    axes.set(xlim=(low, high), ylim=(low, high))
    groups = {}
    for place, point in zip(where.round(1), points.astype(int), strict=True):
        groups.setdefault(tuple(place), []).append(f"({point[0]}, {point[1]})")
    for place, names in groups.items():
        below = place[1] > (low + high) / 2
        axes.annotate(
            " ".join(names), place, xytext=(0, -15 if below else 9), textcoords="offset points", ha="center", fontsize=9
        )


show_hidden(middle, hidden, v, c, "Hidden space, learned")
show_hidden(right, hidden_by_hand, W2[0], b2[0], "Hidden space, by hand")
plt.tight_layout()
plt.show()

# the hidden points are separable by the output neuron's line
assert list((hidden @ v + c > 0).astype(int)) == list(xor)

# %% [markdown]
# ## Luck and width
#
# Two hidden neurons are enough to *represent* XOR; whether gradient descent *finds* it depends on where it starts.
# A few more neurons make it nearly certain.

# %%
widths, trials = (2, 3, 4, 8), 20
successes = []
for width in widths:
    won = 0
    for seed in range(trials):
        autograd.manual_seed(seed)
        candidate = make_network(width)
        train(candidate, steps=300)
        won += is_right(candidate)
    successes.append(won)
    print(f"{width} hidden neurons: {won} of {trials} starts succeed")
assert successes[0] < successes[-1]
assert successes[-1] == trials

figure, axes = plt.subplots(figsize=(5.5, 3))
bars = axes.bar([str(width) for width in widths], successes, color=BLUE, width=0.6)
axes.bar_label(bars, [f"{won}/{trials}" for won in successes])
axes.set(xlabel="hidden neurons", ylabel="starts that learn XOR", ylim=(0, trials * 1.15))
axes.set_title("A wider layer is harder to get stuck in", loc="left", fontsize=11)
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## The graph of one step
#
# The same step with the smallest network, as the engine sees it: two layers, the loss, and a gradient for each number.

# %%
loss = nn.BCEWithLogitsLoss()(network(inputs), targets)
autograd.draw(loss, params=dict(network.named_parameters()), labels={"x": inputs, "y": targets, "loss": loss})

# %% [markdown]
# **What to take home**
#
# 1. One neuron draws one line. XOR needs two.
# 2. Layers without a non-linearity between them are one layer.
# 3. A hidden layer moves the data to where a line is enough; training finds that move, given a slope to follow.
# 4. What a network *can* represent and what training *finds* are two questions.
