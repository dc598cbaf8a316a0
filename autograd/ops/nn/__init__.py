"""Operators behind layers: convolution, pooling, embedding, activations, losses, one file a family."""
