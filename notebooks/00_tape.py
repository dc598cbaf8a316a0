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
# # 0 · A tape from nothing
#
# A network learns by asking one question of every weight: *if I turn you up a little, does the loss go up or down, and
# how fast?* The answer is a derivative, $\partial L / \partial w$, and there may be millions of them.
#
# Reverse-mode differentiation finds all of them in **one** walk backward through the computation, for about the price
# of the computation itself. In this lesson we build it from nothing, break it on purpose, repair it, and then meet
# the library's `Value`, which does the same and more.

# %%
import math

import autograd
from autograd import Value

# %% [markdown]
# ## The chain rule, one step at a time
#
# Let a number remember how it was made: its *parents*, and the **local derivative** by each of them. For
# $z = x \cdot y$ these are $\partial z / \partial x = y$ and $\partial z / \partial y = x$, both known the moment $z$
# is computed.
#
# If we also know the **upstream** derivative $\partial L / \partial z$, the chain rule gives the next one:
#
# $$\frac{\partial L}{\partial x} = \frac{\partial L}{\partial z} \cdot \frac{\partial z}{\partial x}
# \qquad \text{upstream} \times \text{local}$$


# %%
class Number:
    """A number that remembers its parents and the derivative by each of them."""

    def __init__(self, data, parents=()):
        self.data = float(data)
        self.parents = parents  # pairs (number, local derivative)
        self.grad = 0.0

    def __add__(self, other):
        return Number(self.data + other.data, [(self, 1.0), (other, 1.0)])

    def __mul__(self, other):
        return Number(self.data * other.data, [(self, other.data), (other, self.data)])

    def tanh(self):
        out = math.tanh(self.data)
        return Number(out, [(self, 1 - out * out)])

    def __repr__(self):
        return f"Number({self.data:g}, grad={self.grad:g})"


# %% [markdown]
# ## Two paths add
#
# When $x$ reaches $L$ along several paths, what arrives along each of them is **added**:
#
# $$\frac{\partial L}{\partial x} = \sum_{\text{paths}} \;\prod_{\text{steps of the path}} \text{local derivative}$$
#
# Taken literally, this is already a program: walk along every path.


# %%
def backward_by_paths(number, upstream=1.0):
    global visits
    visits += 1
    number.grad += upstream
    for parent, local in number.parents:
        backward_by_paths(parent, upstream * local)


def diamond():
    x = Number(3)
    a = x * x  # 9
    b = a * x  # 27
    return x, a, b, a + b  # x² + x³, whose derivative at 3 is 2x + 3x² = 33


visits = 0
x, a, b, c = diamond()
backward_by_paths(c)
print(x, "after", visits, "visits")
assert x.grad == 33

# %% [markdown]
# Right, but look at the price. Each `x = x + x` doubles the number of paths:

# %%
for depth in (5, 10, 15):
    x = y = Number(1)
    for _ in range(depth):
        y = y + y
    visits = 0
    backward_by_paths(y)
    print(f"{depth} additions: derivative {x.grad:g}, {visits} visits")
assert x.grad == 2**15
assert visits == 2**16 - 1

# %% [markdown]
# Fifteen additions cost sixty-five thousand visits; a network with a hundred layers would never finish. Every node
# must be visited **once**, and hand on everything that it received in one piece.
#
# ## Why the order matters
#
# So let us visit every node once, in the order in which we find them, the root first. It looks harmless:


# %%
def backward_in_order(order):
    for number in order:
        for parent, local in number.parents:
            parent.grad += number.grad * local


def order_of_discovery(root):
    order = [root]
    for number in order:  # the list grows while we walk along it
        for parent, _ in number.parents:
            if not any(parent is known for known in order):
                order.append(parent)
    return order


x, a, b, c = diamond()
c.grad = 1.0
backward_in_order(order_of_discovery(c))
print("naive order:", x, " but the derivative is 33")
assert x.grad == 15

# %% [markdown]
# **Wrong**, without any error message. What happened? The order was $c, a, b, x$:
#
# | visit | sends | state |
# |---|---|---|
# | $c$ | 1 to $a$, 1 to $b$ | `a.grad` = 1 |
# | $a$ | $2x \cdot 1 = 6$ to $x$ | `x.grad` = 6 |
# | $b$ | $x \cdot 1 = 3$ to $a$, $a \cdot 1 = 9$ to $x$ | `a.grad` = 4, **too late**; `x.grad` = 15 |
#
# When $b$ sends its share to $a$, then $a$ has already passed on the 1 it had. The missing 3 would have brought
# $3 \cdot 6 = 18$ more: $15 + 18 = 33$.
#
# A node may pass on its gradient only when it is **complete**: after all nodes that use it. An order with this
# property is called *topological*. Kahn's algorithm finds one: count the users of every node, and take a node when
# its count has fallen to zero.


# %%
def topological_order(root):
    users = {root: 0}
    found = [root]
    for number in found:
        for parent, _ in number.parents:
            if parent not in users:
                users[parent] = 0
                found.append(parent)
            users[parent] += 1
    ready, order = [root], []
    while ready:
        number = ready.pop()
        order.append(number)
        for parent, _ in number.parents:
            users[parent] -= 1
            if users[parent] == 0:
                ready.append(parent)
    return order


x, a, b, c = diamond()
c.grad = 1.0
order = topological_order(c)
backward_in_order(order)
print("topological order:", x, "after", len(order), "visits")
assert x.grad == 33
assert order == [c, b, a, x]

# %% [markdown]
# Right, and every node was visited once. No recursion either: a chain of a hundred thousand steps is no problem.

# %%
x = y = Number(1)
for _ in range(100_000):
    y = y + Number(1e-5)
y.grad = 1.0
backward_in_order(topological_order(y))
assert x.grad == 1.0

# %% [markdown]
# That is the whole idea: numbers with parents, local derivatives, a topological order, and `+=`. What follows is the
# same thing, grown up.
#
# ## `Value`
#
# The library's `Value` is such a number. Its operators come from the same table that drives tensors, so there are
# many of them, and `backward()` walks in topological order.

# %%
x = Value(3.0, label="x")
a = x * x
a.label = "a"
b = a * x
b.label = "b"
c = a + b
c.label = "c"
c.backward()
print(x)
assert x.grad == 33.0
assert a.grad == 4.0  # 1 directly, and x = 3 by way of b

# %% [markdown]
# `autograd.draw` shows the graph: results to the right, the value in black, the derivative of the result in
# vermilion. Follow the two paths that leave $a$, and add.

# %%
autograd.draw(c)

# %% [markdown]
# `x * x` uses $x$ twice, so two edges lead there, and both count: $\frac{d}{dx} x^2 = x + x$.
#
# ## Never trust, measure
#
# A derivative is the slope of a tiny step. The symmetric difference quotient
#
# $$f'(x) \approx \frac{f(x + h) - f(x - h)}{2h}$$
#
# has an error that shrinks like $h^2$. Let us hold it against `backward()` for a function of several inputs.


# %%
def f(x, y):
    return (x * y).tanh() + (x / y).exp() + (y**3).sigmoid() * x.sin()


def slope(function, at, which, h=1e-5):
    up, down = list(at), list(at)
    up[which] += h
    down[which] -= h
    return (function(*map(Value, up)).data - function(*map(Value, down)).data) / (2 * h)


point = (0.7, -1.3)
inputs = [Value(number) for number in point]
f(*inputs).backward()
for i, value in enumerate(inputs):
    measured = slope(f, point, i)
    print(f"{'xy'[i]}: backward {value.grad:+.9f}, measured {measured:+.9f}")
    assert abs(value.grad - measured) < 1e-8

# %% [markdown]
# ## A neuron
#
# A logistic neuron turns a weighted sum into a probability:
#
# $$z = w_0 + w_1 x_1 + w_2 x_2, \qquad \hat y = \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# With $w_0 = 1$, $w = (3, -2)$ and $x = (-1, 2)$ we get $z = -6$: a clear "no".

# %%
w0, w1, w2 = Value(1.0, label="w0"), Value(3.0, label="w1"), Value(-2.0, label="w2")
x1, x2 = -1.0, 2.0
z = w0 + w1 * x1 + w2 * x2
z.label = "z"
y = z.sigmoid()
y.label = "ŷ"
loss = -y.log()  # the true answer was "yes"
loss.label = "loss"
loss.backward()

assert z.data == -6.0
assert round(y.data, 3) == 0.002
print(f"ŷ = {y.data:.4f}, loss = {loss.data:.3f}")
print("gradients:", [round(w.grad, 3) for w in (w0, w1, w2)])
autograd.draw(loss)

# %% [markdown]
# The derivative of $-\ln \sigma(z)$ is $\sigma(z) - 1 \approx -0.998$: nearly $-1$, because the neuron is nearly
# certain, and wrong. Each weight gets this number times its input.

# %%
assert abs(z.grad - (y.data - 1)) < 1e-12
assert abs(w1.grad - z.grad * x1) < 1e-12
assert abs(w2.grad - z.grad * x2) < 1e-12

# %% [markdown]
# ## Why deep sigmoid networks were hard to train
#
# The slope of a sigmoid is $\sigma' = \sigma (1 - \sigma) \le \tfrac14$. The chain rule multiplies: behind ten
# sigmoids a gradient is at most $4^{-10}$ of what it was, less than one millionth. ReLU passes it on unchanged.

# %%
import matplotlib.pyplot as plt

depths = range(1, 21)
curves = {}
for name in ("sigmoid", "tanh", "relu"):
    curves[name] = []
    for depth in depths:
        x = y = Value(0.5)
        for _ in range(depth):
            y = getattr(y, name)()
        y.backward()
        curves[name].append(x.grad)

assert curves["sigmoid"][9] < 4**-10
assert curves["relu"][9] == 1.0

figure, axes = plt.subplots(figsize=(7, 3.6))
for (name, gradients), color, shift in zip(curves.items(), ("#0072B2", "#D55E00", "#009E73"), (0, -4, 4), strict=True):
    axes.semilogy(depths, gradients, color=color, linewidth=2)
    axes.annotate(
        name, (depths[-1], gradients[-1]), xytext=(6, shift), textcoords="offset points", color=color, va="center"
    )
axes.set(xlabel="number of functions behind each other", ylabel="gradient of the input", xticks=range(0, 21, 5))
axes.set_title("Gradients vanish behind sigmoids", loc="left")
axes.spines[["top", "right"]].set_visible(False)
axes.grid(axis="y", alpha=0.3)
plt.show()

# %% [markdown]
# ## The slope of the slope
#
# A backward pass is itself a computation, so it can be recorded, and differentiated again:
# $\tanh' = 1 - \tanh^2$ and $\tanh'' = -2 \tanh (1 - \tanh^2)$.

# %%
from autograd.value import grad

x = Value(0.5)
(first,) = grad(x.tanh(), x, create_graph=True)
(second,) = grad(first, x)
t = math.tanh(0.5)
print(first.data, second.data)
assert abs(first.data - (1 - t * t)) < 1e-12
assert abs(second.data + 2 * t * (1 - t * t)) < 1e-12

# %% [markdown]
# **What to take home**
#
# 1. Every operator knows its local derivative; the chain rule multiplies upstream by local.
# 2. Several paths add, so gradients are accumulated with `+=`.
# 3. A gradient may be passed on only when it is complete: hence the topological order.
# 4. One walk backward gives the derivative by *every* input. And any of them can be checked by a tiny step.
