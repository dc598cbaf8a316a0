"""Complete models, one a file, from the perceptron to BERT."""

from . import alexnet, autoencoder, bert, char_rnn, googlenet, gpt, lenet, mlp, perceptron, resnet  # noqa: F401
from .alexnet import AlexNet
from .autoencoder import Autoencoder, DenoisingAutoencoder, SparseAutoencoder, VariationalAutoencoder
from .bert import BERT
from .char_rnn import CharRNN
from .googlenet import GoogLeNet
from .gpt import GPT
from .lenet import LeNet
from .mlp import MLP
from .perceptron import XOR, Perceptron, nand
from .resnet import ResNet, resnet18, resnet34, resnet50, resnet101, resnet152

__all__ = [
    "BERT", "GPT", "MLP", "XOR", "AlexNet", "Autoencoder", "CharRNN", "DenoisingAutoencoder", "GoogLeNet", "LeNet",
    "Perceptron", "ResNet", "SparseAutoencoder", "VariationalAutoencoder", "nand", "resnet18", "resnet34", "resnet50",
    "resnet101", "resnet152",
]  # fmt: skip
