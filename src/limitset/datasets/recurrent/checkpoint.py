"""How does a looped net become bytes and come back the same?"""

from __future__ import annotations

import json

import safetensors.torch

from limitset.core.errors import InputError
from limitset.datasets.recurrent.looped_net import LoopedNet

KEY = "limitset looped net"


def net_to_bytes(net: LoopedNet) -> bytes:
    """Write the weights and the shape of a net in the safetensors format.

    Parameters
    ----------
    net
        Any net, of any float type.

    Returns
    -------
    bytes
        What `net_from_bytes` reads.

    Examples
    --------
    >>> net = LoopedNet("none", "gated", width=4)
    >>> net_from_bytes(net_to_bytes(net)).injection
    'gated'
    """
    sizes = ("norm", "injection", "tokens", "answers", "axes", "width", "seed")
    shape = {name: getattr(net, name) for name in sizes}
    weights = {name: value.detach().contiguous() for name, value in net.state_dict().items()}
    return bytes(safetensors.torch.save(weights, {KEY: json.dumps(shape, sort_keys=True)}))


def net_from_bytes(data: bytes) -> LoopedNet:
    """Read a net that `net_to_bytes` wrote.

    Parameters
    ----------
    data
        The bytes.

    Returns
    -------
    LoopedNet
        Equal weights, types and cell.

    Raises
    ------
    InputError
        When the bytes hold something else.

    Examples
    --------
    >>> net = LoopedNet("pre", "start", width=4, seed=3)
    >>> bool((net_from_bytes(net_to_bytes(net)).embedding == net.embedding).all())
    True
    """
    # the file begins with the length of its header, eight bytes, little-endian
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        shape = json.loads(header["__metadata__"][KEY])
        weights = safetensors.torch.load(data)
    except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise InputError.of(
            expected="the bytes must be a net written by net_to_bytes",
            got=f"{len(data)} bytes ({error})",
            fix="Train the net again.",
        ) from error
    net = LoopedNet(shape.pop("norm"), shape.pop("injection"), **shape)
    net.to(next(iter(weights.values())).dtype)
    net.load_state_dict(weights)
    return net
