"""A decoder-only Transformer that predicts the next token: the design of GPT-2."""

from __future__ import annotations

import math

import autograd
from autograd.tensor import Tensor

from .. import functional as F
from .. import init
from ..container import ModuleList
from ..dropout import Dropout
from ..embedding import Embedding
from ..linear import Linear
from ..module import Module
from ..normalization import LayerNorm

__all__ = ["GPT"]


class CausalSelfAttention(Module):
    """Attention of every token to itself and those before it; one projection for queries, keys and values."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = Linear(size, 3 * size)
        self.proj = Linear(size, size)
        self.dropout = dropout
        self.drop = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        count, length, size = x.shape
        parts = self.qkv(x).chunk(3, -1)
        q, k, v = (part.reshape(count, length, self.heads, size // self.heads).transpose(1, 2) for part in parts)
        dropped = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, dropout_p=dropped, is_causal=True)
        return self.drop(self.proj(out.transpose(1, 2).reshape(count, length, size)))


class Block(Module):
    """``x + attention(norm(x))``, then ``x + network(norm(x))``."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.norm1 = LayerNorm(size)
        self.attention = CausalSelfAttention(size, heads, dropout)
        self.norm2 = LayerNorm(size)
        self.wide = Linear(size, 4 * size)
        self.narrow = Linear(4 * size, size)
        self.drop = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        hidden = F.gelu(self.wide(self.norm2(x)), approximate="tanh")
        return x + self.drop(self.narrow(hidden))


class GPT(Module):
    """Tokens and their positions as vectors, blocks of causal attention, and logits of the next token.

    Radford et al., "Language Models are Unsupervised Multitask Learners" (2019): normalization before each part, a
    last one before the logits, and one matrix for the vectors of the tokens and for the logits. The defaults are the
    small GPT-2: 124 million parameters.

    Args:
        vocabulary: how many tokens.
        context: longest text, in tokens.
        size: of each token's vector.
        layers: blocks.
        heads: of each attention; a divisor of ``size``.
        dropout: probability of a zero.

    Shape:
        - Input: ``(N, T)``, tokens as numbers, T at most ``context``
        - Output: ``(N, T, vocabulary)``, logits of the token after each

    Raises:
        ValueError: heads that do not divide the size, or too long a text.

    >>> import autograd, nn
    >>> model = nn.models.GPT(vocabulary=50, context=16, size=32, layers=2, heads=4)
    >>> model(autograd.zeros(2, 10, dtype=autograd.int64)).shape
    torch.Size([2, 10, 50])
    """

    def __init__(
        self,
        vocabulary: int = 50257,
        context: int = 1024,
        size: int = 768,
        layers: int = 12,
        heads: int = 12,
        dropout: float = 0.1,
    ) -> None:
        if size % heads:
            raise ValueError(f"GPT: heads={heads} must divide size={size}")
        super().__init__()
        self.context = context
        self.tokens = Embedding(vocabulary, size)
        self.positions = Embedding(context, size)
        self.drop = Dropout(dropout)
        self.blocks = ModuleList([Block(size, heads, dropout) for _ in range(layers)])
        self.norm = LayerNorm(size)
        self.head = Linear(size, vocabulary, bias=False)
        self.head.weight = self.tokens.weight
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                init.zeros_(parameter)
            elif parameter.ndim > 1:
                # The residual path adds up two parts a block: their last layers start smaller.
                last = name.endswith(("proj.weight", "narrow.weight"))
                init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * layers) if last else 0.02)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        if length > self.context:
            raise ValueError(f"GPT: a text of {length} tokens is longer than context={self.context}")
        x = self.drop(self.tokens(tokens) + self.positions(autograd.arange(length)))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x))

    def generate(
        self, tokens: Tensor, count: int, temperature: float = 1.0, generator: autograd.Generator | None = None
    ) -> Tensor:
        """The texts (N, T) and ``count`` more tokens, each drawn from ``softmax(logits / temperature)``.

        Args:
            tokens: the beginnings, at least one token each.
            count: how many to add; only the last ``context`` tokens are looked at.
            temperature: below 1 more probable tokens become more probable; 0 takes the most probable one.
            generator: of the random numbers.
        """
        training = self.training
        self.eval()
        with autograd.no_grad():
            for _ in range(count):
                last = self(tokens[:, -self.context :])[:, -1]
                if temperature == 0:
                    token = last.argmax(-1, keepdim=True)
                else:
                    token = (last / temperature).softmax(-1).multinomial(1, generator=generator)
                tokens = autograd.cat([tokens, token], 1)
        self.train(training)
        return tokens
