"""Where the answer changes on a line between two images."""

import torch
from torch import nn

from moat.evaluation.sanity.boundary import boundary


class Brightness(nn.Module):
    """Class 1 from a mean of one half on, class 0 below."""

    def forward(self, x):
        mean = x.mean((1, 2, 3))
        return torch.stack([0.5 - mean, mean - 0.5], 1)


def grey(*levels):
    return torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 1, 4, 4).contiguous()


def test_the_last_right_answer_lies_at_the_change():
    x, y = grey(0.0, 0.1, 0.9, 1.0), torch.tensor([0, 0, 1, 1])
    found = boundary(Brightness(), x, y, 3)
    assert torch.allclose(found, grey(0.5, 0.5, 0.5, 0.5), atol=1e-3)
    assert (Brightness()(found).argmax(1) == y).all()


def test_an_image_without_another_answer_and_one_that_is_wrong_stay():
    assert torch.equal(
        boundary(Brightness(), grey(0.1, 0.2), torch.zeros(2).long(), 2), grey(0.1, 0.2)
    )
    x = grey(0.1, 0.9)
    assert torch.equal(boundary(Brightness(), x, torch.tensor([1, 1]), 2)[0], x[0])
