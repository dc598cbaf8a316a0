"""The version, in one place."""

__version__ = "0.1.0"
cuda = hip = xpu = None  # versions of what this library does not use

__all__ = [
    "__version__",
]
