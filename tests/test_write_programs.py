"""Random programs of views, in-place writes and reads, run in both libraries: same values, gradients and refusals."""

from __future__ import annotations

import random

import pytest

START = [[0.3, 0.4, 0.5], [0.7, 0.8, 0.9]]

VIEWS = [
    lambda r, t: t[r.randrange(t.shape[0])] if t.ndim and t.shape[0] else t.view_as(t),
    lambda r, t: t[r.randrange(2) :] if t.ndim else t.unsqueeze(0),
    lambda r, t: t[..., :: r.choice((1, 2))] if t.ndim else t.view(1),
    lambda r, t: t.transpose(0, -1) if t.ndim > 1 else t.unsqueeze(r.choice((0, -1))),
    lambda r, t: t.reshape(-1),
    lambda r, t: t.view(-1),
    lambda r, t: t.unsqueeze(r.randrange(t.ndim + 1)),
    lambda r, t: t.squeeze(),
    lambda r, t: t.diagonal(0, 0, -1) if t.ndim > 1 else t.view_as(t),
    lambda r, t: t.permute(r.sample(range(t.ndim), t.ndim)),
    lambda r, t: t.expand(2, *t.shape),
    lambda r, t: t.detach(),
    lambda r, t: t.narrow(-1, 0, max(t.shape[-1] - 1, 0)) if t.ndim else t.view_as(t),
    lambda r, t: r.choice(t.unbind(0)) if t.ndim and t.shape[0] else t.view_as(t),
    lambda r, t: r.choice(t.split(1, -1)) if t.ndim and t.shape[-1] else t.view_as(t),
    lambda r, t: r.choice(t.chunk(2, 0)) if t.ndim else t.view_as(t),
]
WRITES = [
    lambda r, t, s: t.mul_(r.choice((0.5, 2.0))),
    lambda r, t, s: t.add_(s.sum()),
    lambda r, t, s: t.sin_(),
    # PyTorch itself cannot differentiate a recorded zero_() of expanded memory; the engine can.
    lambda r, t, s: t.add_(1) if overlaps(t) else t.zero_(),
    lambda r, t, s: t.copy_(s.reshape(-1)[:1].sum()),
    lambda r, t, s: t.add_(1) if overlaps(t) else t.masked_fill_(t.detach() > 0.5, 0.25),
    lambda r, t, s: t.clamp_(-1, 1),
    lambda r, t, s: t.mul_(s.mean()),
    lambda r, t, s: t.__setitem__(..., s.sum() * 0.1),
    lambda r, t, s: t.__setitem__(0, r.choice((0.5, 2))),
    lambda r, t, s: t.add_(1) if overlaps(t) else t.__setitem__(t.detach() < 0, 0.1),
    lambda r, t, s: t.tanh_(),
    lambda r, t, s: t.add_(t),
    lambda r, t, s: t.mul_(t),
]
READS = [
    lambda r, t, s: t * 2,
    lambda r, t, s: t.exp() * 0.1,
    lambda r, t, s: t * s.sum(),
    lambda r, t, s: t.clone(),
    lambda r, t, s: t.cos(),
    lambda r, t, s: t.sum(0) if t.ndim else t + 1,
]


def overlaps(t):
    return any(n > 1 and step == 0 for n, step in zip(t.shape, t.stride(), strict=True))


def random_program(lib, seed, length=14):
    """Views, writes and reads of a few tensors; after each step what happened, in the end all values and gradients."""
    r = random.Random(seed)
    leaves = [lib.tensor(START, dtype=lib.float64, requires_grad=r.random() < 0.8) for _ in range(2)]
    pool = [*leaves, leaves[0] * 1.5, leaves[1].sin(), lib.ones(2, 3, dtype=lib.float64)]
    log = []
    for _ in range(length):
        number, kind, off = r.randrange(len(pool)), r.random(), r.random() < 0.1
        source = r.choice(pool)
        choice = r.choice(VIEWS if kind < 0.4 else WRITES if kind < 0.75 else READS)
        state = r.getstate()
        try:
            with lib.set_grad_enabled(not off or kind < 0.4):
                result = choice(r, pool[number]) if kind < 0.4 else choice(r, pool[number], source)
            if result is not None:
                pool.append(result)
            log.append("done")
        except (RuntimeError, IndexError):
            log.append("refused")
        log.append([history(t) for t in pool])
        r.setstate(state)
        r.random()
    values = [t.detach().clone() for t in pool]
    total = leaves[0].sum() * 0 + leaves[1].sum() * 0
    for t in pool:
        if history(t) != "refused":
            total = total + t.cos().sum()
    try:
        total.backward()
        gradients = [leaf.grad for leaf in leaves if leaf.is_leaf]
    except RuntimeError as error:
        gradients = type(error).__name__
    return log, values, gradients


def history(t):
    """What is known of a tensor's history; multi-output views whose base was written to refuse to tell."""
    try:
        return t._version, t.requires_grad, t.is_leaf, t.grad_fn is None
    except RuntimeError:
        return "refused"


@pytest.mark.parametrize("block", range(10))
def test_random_programs_of_views_and_writes(both, block):
    for seed in range(block * 100, block * 100 + 100):
        both(lambda lib, seed=seed: random_program(lib, seed), rtol=1e-9, atol=1e-9, label=f"seed {seed}")
