"""Layers of other image sizes and of shuffled channels against PyTorch."""

import numpy as np
import pytest
from parity import agree

import autograd
import nn

rng = np.random.default_rng(0)

# class, arguments, input
LAYERS = [
    ("Upsample", {"size": 5}, (1, 2, 3)),
    ("Upsample", {"scale_factor": 2}, (1, 2, 3, 4)),
    ("Upsample", {"scale_factor": (2, 1.5), "mode": "bilinear"}, (1, 2, 3, 4)),
    ("Upsample", {"size": (6, 5), "mode": "bicubic", "align_corners": True}, (1, 2, 3, 4)),
    ("Upsample", {"scale_factor": 1.7, "mode": "trilinear", "recompute_scale_factor": True}, (1, 2, 3, 4, 2)),
    ("UpsamplingNearest2d", {"scale_factor": 2.5}, (1, 2, 3, 4)),
    ("UpsamplingBilinear2d", {"size": 7}, (1, 2, 3, 4)),
    ("PixelShuffle", {"upscale_factor": 2}, (2, 8, 3, 2)),
    ("PixelUnshuffle", {"downscale_factor": 3}, (2, 3, 6)),
    ("ChannelShuffle", {"groups": 3}, (1, 6, 2, 2)),
]


@pytest.mark.parametrize(("name", "options", "shape"), LAYERS)
def test_layers(name, options, shape, torch):
    x = rng.standard_normal(shape)
    layers = [getattr(library, name)(**options) for library in (nn, torch.nn)]
    assert repr(layers[0]) == repr(layers[1])
    public = {key: value for key, value in vars(layers[1]).items() if not key.startswith("_") and key != "training"}
    assert {key: getattr(layers[0], key) for key in public} == public
    agree(*(layer(library.from_numpy(x)) for library, layer in zip((autograd, torch), layers, strict=True)))
