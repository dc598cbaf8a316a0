"""Fast loops on plain ndarrays; nothing in this package knows what a Tensor is."""
