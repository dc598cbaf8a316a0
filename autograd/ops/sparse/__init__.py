"""Sparse tensors: what they are, how they are made, and the operators that know them."""
