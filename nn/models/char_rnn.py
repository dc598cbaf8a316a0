"""A recurrent network that writes text, letter by letter."""

from __future__ import annotations

from typing import Any

import autograd
from autograd.tensor import Tensor

from ..dropout import Dropout
from ..embedding import Embedding
from ..linear import Linear
from ..module import Module
from ..rnn import GRU, LSTM, RNN

__all__ = ["CharRNN"]

CELLS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}


class CharRNN(Module):
    """Letters as vectors, recurrent layers, and logits of the next letter.

    Args:
        vocabulary: how many letters.
        hidden: size of the state.
        layers: recurrent layers, one on the other.
        cell: ``"rnn"``, ``"lstm"`` or ``"gru"``.
        embedding: size of a letter's vector; that of the state by default.
        dropout: probability of a zero between layers and before the logits.

    Shape:
        - Input: ``(N, T)``, letters as numbers
        - Output: logits ``(N, T, vocabulary)`` and the layers' last state, with which the text goes on

    Raises:
        ValueError: another cell.

    >>> import autograd, nn
    >>> model = nn.models.CharRNN(30, hidden=16, cell="gru")
    >>> logits, state = model(autograd.zeros(4, 10, dtype=autograd.int64))
    >>> logits.shape, state.shape
    (torch.Size([4, 10, 30]), torch.Size([1, 4, 16]))
    """

    def __init__(
        self,
        vocabulary: int,
        hidden: int = 128,
        layers: int = 1,
        cell: str = "lstm",
        embedding: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        if cell not in CELLS:
            raise ValueError(f"CharRNN: cell must be one of {tuple(CELLS)}, but got {cell!r}")
        super().__init__()
        size = hidden if embedding is None else embedding
        self.embedding = Embedding(vocabulary, size)
        between = dropout if layers > 1 else 0.0
        self.rnn = CELLS[cell](size, hidden, layers, batch_first=True, dropout=between)
        self.dropout = Dropout(dropout)
        self.head = Linear(hidden, vocabulary)

    def forward(self, letters: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        out, state = self.rnn(self.embedding(letters), state)
        return self.head(self.dropout(out)), state

    def generate(
        self, letters: Tensor, count: int, temperature: float = 1.0, generator: autograd.Generator | None = None
    ) -> Tensor:
        """The text (T,) and ``count`` more letters, each drawn from ``softmax(logits / temperature)``.

        Args:
            letters: the beginning, at least one letter.
            count: how many to add.
            temperature: below 1 more probable letters become more probable; 0 takes the most probable one.
            generator: of the random numbers.
        """
        if letters.ndim != 1 or not letters.numel():
            raise ValueError(f"CharRNN.generate needs a beginning of shape (T,), but got {tuple(letters.shape)}")
        training, text = self.training, [letters]
        self.eval()
        with autograd.no_grad():
            logits, state = self(letters.unsqueeze(0))
            for _ in range(count):
                last = logits[0, -1]
                if temperature == 0:
                    letter = last.argmax().reshape(1)
                else:
                    letter = (last / temperature).softmax(0).multinomial(1, generator=generator)
                text.append(letter)
                logits, state = self(letter.unsqueeze(0), state)
        self.train(training)
        return autograd.cat(text)
