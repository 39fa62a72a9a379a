"""The boundary between two images with different answers, found without a gradient."""

import torch
from torch import nn

from moat.geometry.balls import rows
from moat.losses import is_correct
from moat.passes import in_passes
from moat.threats import attacked
from moat.types import Images, Labels

HALVINGS = 12  # of the way between two images


def boundary(model: nn.Module, x: Images, y: Labels, pass_size: int) -> Images:
    """Return the last right answer on the line from each image to the nearest with another answer.

    There the margin is as small as a search can leave it, so the gradient matters most. The line
    may leave a threat's bounds. An image stays where the model is wrong, or where it answers every
    image alike.
    """

    def right(images: Images) -> torch.Tensor:
        return is_correct(in_passes(model, images, pass_size), y)

    with attacked(model), torch.no_grad():
        answers = in_passes(model, x, pass_size).argmax(1)
        apart = torch.cdist(rows(x), rows(x))
        apart = apart.masked_fill(answers[None] == y[:, None], torch.inf)
        near, goal = x, torch.where(_wide(apart.isfinite().any(1), x), x[apart.argmin(1)], x)
        for _ in range(HALVINGS):
            middle = (near + goal) / 2
            inside = _wide(right(middle), x)
            near, goal = torch.where(inside, middle, near), torch.where(inside, goal, middle)
        return torch.where(_wide(right(x), x), near, x)


def _wide(verdicts: torch.Tensor, x: Images) -> torch.Tensor:
    return verdicts.view(-1, *[1] * (x.ndim - 1))
