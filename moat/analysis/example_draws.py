"""Random numbers for examples, the same for an example whichever others stand beside it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from moat.public import public
from moat.randomness import seed_named
from moat.transfers import send


@public
def normal_draws(like: Tensor, ids: Sequence[int], *names: object, count: int = 1) -> Tensor:
    """Return `count` standard normal draws for each example, (batch, count, ...), on its device.

    The numbers of an example follow from its id and the names alone, so two networks, or two passes
    of any size, meet the same ones.

    Example:
        >>> alone = normal_draws(torch.zeros(1, 4), [7], "noise", 0, count=3)
        >>> both = normal_draws(torch.zeros(2, 4), [2, 7], "noise", 0, count=3)
        >>> alone.shape, torch.equal(alone[0], both[1])
        (torch.Size([1, 3, 4]), True)
    """
    generator = torch.Generator()
    drawn = torch.empty((len(like), count, *like.shape[1:]), dtype=like.dtype)
    for own, number in zip(drawn, ids, strict=True):
        generator.manual_seed(seed_named(*names, number))
        own.normal_(generator=generator)
    return send(drawn, like.device)
