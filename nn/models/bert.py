"""An encoder-only Transformer that fills in missing tokens: the design of BERT."""

from __future__ import annotations

import autograd
from autograd.tensor import Tensor

from .. import functional as F
from .. import init
from ..dropout import Dropout
from ..embedding import Embedding
from ..linear import Linear
from ..module import Module
from ..normalization import LayerNorm
from ..parameter import Parameter
from ..transformer import TransformerEncoder, TransformerEncoderLayer

__all__ = ["BERT"]


class BERT(Module):
    """Tokens, positions and segments as vectors, attention in both directions, and a vector of the whole text.

    Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language Understanding" (2018). The
    defaults are its base model: 109.5 million parameters below `predict`.

    Args:
        vocabulary: how many tokens.
        context: longest text, in tokens.
        size: of each token's vector.
        layers: encoder layers.
        heads: of each attention.
        dropout: probability of a zero.
        segments: kinds of tokens, such as first and second sentence.

    Shape:
        - Input: ``(N, T)``, tokens as numbers; segments likewise; ``padding`` is True where there is no token
        - Output: ``(N, T, size)``, each token in its context; and ``(N, size)``, the text by its first token

    >>> import autograd, nn
    >>> model = nn.models.BERT(vocabulary=50, context=16, size=32, layers=2, heads=4)
    >>> tokens = autograd.ones(2, 10, dtype=autograd.int64)
    >>> states, text = model(tokens)
    >>> states.shape, text.shape, model.predict(states).shape
    (torch.Size([2, 10, 32]), torch.Size([2, 32]), torch.Size([2, 10, 50]))
    """

    def __init__(
        self,
        vocabulary: int = 30522,
        context: int = 512,
        size: int = 768,
        layers: int = 12,
        heads: int = 12,
        dropout: float = 0.1,
        segments: int = 2,
    ) -> None:
        super().__init__()
        self.tokens = Embedding(vocabulary, size)
        self.positions = Embedding(context, size)
        self.segments = Embedding(segments, size)
        self.norm = LayerNorm(size, eps=1e-12)
        self.drop = Dropout(dropout)
        layer = TransformerEncoderLayer(size, heads, 4 * size, dropout, "gelu", 1e-12, batch_first=True)
        self.encoder = TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.pooler = Linear(size, size)
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                init.zeros_(parameter)
            elif parameter.ndim > 1:
                init.normal_(parameter, 0.0, 0.02)
        self.predictor = MaskedTokens(self.tokens)

    def forward(
        self, tokens: Tensor, segments: Tensor | None = None, padding: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        places = autograd.arange(tokens.shape[1])
        segments = autograd.zeros_like(tokens) if segments is None else segments
        x = self.tokens(tokens) + self.positions(places) + self.segments(segments)
        x = self.encoder(self.drop(self.norm(x)), src_key_padding_mask=padding)
        return x, self.pooler(x[:, 0]).tanh()

    def predict(self, states: Tensor) -> Tensor:
        """Logits of the token at each place (N, T, vocabulary), from the states: the task BERT is trained with."""
        return self.predictor(states)


class MaskedTokens(Module):
    """A layer, and logits by the vectors of the tokens themselves."""

    def __init__(self, tokens: Embedding) -> None:
        super().__init__()
        size = tokens.embedding_dim
        self.dense = Linear(size, size)
        self.norm = LayerNorm(size, eps=1e-12)
        self.weight = tokens.weight
        self.bias = Parameter(autograd.zeros(tokens.num_embeddings))
        init.normal_(self.dense.weight, 0.0, 0.02)
        init.zeros_(self.dense.bias)

    def forward(self, states: Tensor) -> Tensor:
        return F.linear(self.norm(F.gelu(self.dense(states))), self.weight, self.bias)
