"""The core of a recurrent-depth language model, with the embedding of each text held.

    limitset trace examples/recurrent_depth.py:core

The weights are random: a model of Parcae's form, whose linear part has a radius below 1 by design. Its
residual blocks are not in that bound: no text settles within 100 steps. A trained model is traced by the
same line.
"""

import torch

from limitset.maps.latent import RecurrentDepthMap, RecurrentDepthNet

net = RecurrentDepthNet(width=32, heads=4, vocabulary=64, blocks=2, seed=2).double()
token_ids = torch.randint(0, 64, (48, 6), generator=torch.Generator().manual_seed(0))
core = RecurrentDepthMap.of(net, token_ids)  # has start, step and count
