"""Optimizers: rules by which gradients change parameters. As ``torch.optim``."""

from . import lr_scheduler, swa_utils
from .adadelta import Adadelta
from .adafactor import Adafactor
from .adagrad import Adagrad
from .adam import Adam
from .adamax import Adamax
from .adamw import AdamW
from .asgd import ASGD
from .lbfgs import LBFGS
from .muon import Muon
from .nadam import NAdam
from .optimizer import Optimizer
from .penalties import l1_penalty, l2_penalty
from .perceptron import Perceptron
from .radam import RAdam
from .rmsprop import RMSprop
from .rprop import Rprop
from .sgd import SGD
from .sparse_adam import SparseAdam

__all__ = [
    "ASGD",
    "LBFGS",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Muon",
    "NAdam",
    "Optimizer",
    "Perceptron",
    "RAdam",
    "RMSprop",
    "Rprop",
    "SparseAdam",
    "l1_penalty",
    "l2_penalty",
    "lr_scheduler",
    "swa_utils",
]
