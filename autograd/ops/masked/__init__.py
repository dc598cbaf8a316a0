"""Masked tensors and masked operators: some elements count, the others are as if they were not there."""
