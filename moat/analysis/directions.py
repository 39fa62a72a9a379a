"""Random directions of `w`, filter-normalised: each block of an example is a filter."""

from collections.abc import Sequence

import torch
from torch import Tensor

from moat.analysis.example_draws import normal_draws
from moat.geometry.balls import rows
from moat.public import public
from moat.types import Transform


@public
def filter_normalised(direction: Tensor, like: Tensor) -> Tensor:
    """Return a block scaled, example by example, to the Euclidean norm of another block.

    d ← d / ‖d‖ · ‖w‖ for each example: the filter normalisation of a network's weights, with a
    block of w as the filter. A block w of norm 0 makes the direction 0.

    Example:
        >>> filter_normalised(torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 10.0]]))
        tensor([[6., 8.]])

    Source: Li et al., Visualizing the Loss Landscape of Neural Nets, 2018, Section 4.
    """
    length, wanted = (rows(part).norm(dim=1) for part in (direction, like))
    share = wanted / torch.where(length > 0, length, 1.0)
    scaled: Tensor = direction * share.view(-1, *[1] * (direction.ndim - 1))
    return scaled


@public
def random_directions(
    like: Transform, ids: Sequence[int], seed: int = 0
) -> tuple[Transform, Transform]:
    """Return two normal directions for each example, filter-normalised to the blocks of `like`.

    Example:
        >>> first, second = random_directions((torch.ones(3, 2, 3), torch.ones(3, 4)), [0, 1, 2])
        >>> first[0].shape, bool((first[0] != second[0]).all())
        (torch.Size([3, 2, 3]), True)
        >>> torch.allclose(first[1].norm(dim=1), torch.ones(3, 4).norm(dim=1))
        True
    """
    drawn = [
        normal_draws(block, ids, "direction", seed, place, count=2)
        for place, block in enumerate(like)
    ]
    first, second = (
        tuple(
            filter_normalised(pair[:, one], block) for pair, block in zip(drawn, like, strict=True)
        )
        for one in (0, 1)
    )
    return first, second
