"""A check that a run's network can be trained and evaluated, made before either."""

import torch
from torch import nn

from moat.data import Data, Split, batches_in_order
from moat.evaluation.model_checks import check_model
from moat.models.copies import copy_of
from moat.scalarizers import Scalarizer
from moat.threats import bare, home_of
from moat.training import check_trainable
from moat.types import Images

FEW = 8  # images
DRAWN = 0.1  # standard deviation of what stands for a layer of zeros


def check_network(network: nn.Module, data: Data, scalarizer: Scalarizer) -> None:
    """Raise ModelError with the mend unless the network can be trained and then evaluated.

    A network that evaluation would refuse at the end is refused here at the beginning. The network
    and the global random state stay unchanged.
    """
    device = home_of(bare(network))
    if (x := few_images(data.train, data, device)) is not None:
        check_model(awake(network), x, len(data.classes))
        check_trainable(network, x, data.train.labels.to(device), scalarizer)


def few_images(split: Split, data: Data, device: torch.device, count: int = FEW) -> Images | None:
    """Return the first images of a split as a network gets them, None for an empty split."""
    few = split.take(torch.arange(min(count, len(split)))).at(data.shape[1:])
    return next((x for x, _ in batches_in_order(few, count, device)), None)


def awake(network: nn.Module) -> nn.Module:
    """Return a copy in which no parameter is all zeros; the network itself if it has no copy.

    A last layer that starts at zero gives equal logits, which hide a softmax, a random draw or a
    dependence on other images.
    """
    if (woken := copy_of(network)) is None:  # not every network can be copied
        return network
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in woken.parameters():
            if parameter.is_floating_point() and not bool(parameter.any()):
                drawn = torch.randn(parameter.shape, generator=generator)
                parameter.copy_(DRAWN * drawn)
    return woken
