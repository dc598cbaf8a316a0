"""Tools around training: what PyTorch keeps in ``torch.utils``."""
