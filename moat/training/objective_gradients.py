"""The gradient of each objective to the parameters, and its products layer by layer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from moat.passes import Pass
from moat.public import public
from moat.scalarizers.gradients import flat_gradient
from moat.training.craft import Examples
from moat.training.measuring import Measured, losses_of


def trainable(model: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that move."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]


def objective_gradients(
    model: nn.Module, examples: Examples, passes: Sequence[Pass], losses: Measured
) -> Tensor:
    """Return the gradient of each objective's mean loss, (objectives, parameters).

    `losses` keeps the losses of the passes. An objective without images has the gradient 0.
    """
    parameters = trainable(model)
    size = sum(parameter.numel() for parameter in parameters)
    gradients = losses.values.new_zeros(len(examples.names), size)
    for segments in passes:
        found = losses_of(model, examples, segments, losses)
        for segment, own in zip(segments, found, strict=True):
            mean = own.sum() / len(examples.labels[segment.which])
            more = segment is not segments[-1]
            if (gradient := flat_gradient(mean, parameters, more=more)) is not None:
                gradients[segment.which] += gradient
        losses.keep(segments, found)
    return gradients


@public
def layer_sizes(model: nn.Module) -> dict[str, int]:
    """Return how many trained parameters each layer of a network has, in the order of a gradient.

    A layer is a module with parameters of its own, under its name in the network.

    Example:
        >>> layer_sizes(nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)))
        {'1': 15, '3': 8}
    """
    sizes: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            layer = name.rpartition(".")[0] or "network"
            sizes[layer] = sizes.get(layer, 0) + parameter.numel()
    return sizes


@public
def layer_gramians(gradients: Tensor, sizes: Sequence[int]) -> Tensor:
    """Return the inner products of the gradients (objectives, parameters), layer by layer.

    Shape (layers, objectives, objectives); their sum over the layers is the whole network's.

    Example:
        >>> gradients = torch.tensor([[1.0, 0.0, 2.0], [0.0, 1.0, 2.0]])
        >>> layer_gramians(gradients, [2, 1]).tolist()
        [[[1.0, 0.0], [0.0, 1.0]], [[4.0, 4.0], [4.0, 4.0]]]
    """
    return torch.stack([part @ part.T for part in gradients.split(list(sizes), dim=1)])


@public
def cosines_of(gramians: Tensor) -> Tensor:
    """Return the cosines between gradients from their inner products, (..., k, k) each.

    The cosine with a gradient of 0 does not exist and is NaN.

    Example:
        >>> cosines_of(torch.tensor([[4.0, 0.0], [0.0, 1.0]])).tolist()
        [[1.0, 0.0], [0.0, 1.0]]
    """
    norms = gramians.diagonal(dim1=-2, dim2=-1).sqrt()
    products = norms[..., :, None] * norms[..., None, :]
    return (gramians / products).clamp(-1, 1)
