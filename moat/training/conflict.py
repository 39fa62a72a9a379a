"""The conflict of a step's objectives, for the log: the cosines between their gradients."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from moat.threats import to_eval
from moat.training.craft import Examples
from moat.training.descent_loss import DescentLoss
from moat.training.devices import Fabric, InPrecision
from moat.training.ledger import Ledger
from moat.training.measuring import Measured, passes_of
from moat.training.objective_gradients import (
    cosines_of,
    layer_gramians,
    layer_sizes,
    objective_gradients,
)
from moat.training.objective_losses import LossTable, objective_losses, partner_of
from moat.training.terms import NATURAL_NUMBER, ImageSource, LossKind, Term
from moat.types import Images, Labels


class Conflict:
    """Measures the gradients of the objectives on the images of a step, every few steps.

    The network is in eval mode, so that no dropout is drawn and no running statistic moves: the
    training has the same result with it and without it. The natural objective is measured even if
    the scalarizer does not plan for it; a threat that it does not plan for is not searched.
    """

    def __init__(self, model: nn.Module, fabric: Fabric, pass_size: int, losses: LossTable) -> None:
        self._ledger = Ledger()
        self._network = InPrecision(model, fabric, self._ledger)
        self._layers = layer_sizes(model)
        self._pass_size, self._losses = pass_size, losses
        self._found: tuple[tuple[str, ...], Tensor, int] | None = None

    def observe(self, examples: Examples, x: Images, y: Labels) -> None:
        """Measure a step's images, before its parameters move."""
        before = self._ledger.spent.total
        loss = objective_losses(self._losses, examples.names)[NATURAL_NUMBER]
        examples = with_natural(examples, x, y, loss)
        with in_eval_mode(self._network), torch.enable_grad():
            gramians = gramians_of(self._network, examples, self._pass_size, self._layers)
        self._found = examples.names, gramians, int(self._ledger.spent.total - before)

    def taken(self) -> dict[str, Any] | None:
        """Return the last measurement as an entry of the log, once; None if there is none."""
        if self._found is None:
            return None
        (names, gramians, passes), self._found = self._found, None
        whole = torch.cat([gramians.sum(0, keepdim=True), gramians]).double().cpu()
        network, *layers = map(_entry, cosines_of(whole), whole)
        return {
            "objectives": list(names),
            **network,
            "layers": dict(zip(self._layers, layers, strict=True)),
            "passes": passes,
        }


def with_natural(examples: Examples, x: Images, y: Labels, loss: DescentLoss) -> Examples:
    """Return a step's images with the natural ones, unless their loss needs more than x and y."""
    weighted = examples.example_weights is not None
    if len(examples.labels[NATURAL_NUMBER]) or partner_of(loss) is not None or weighted:
        return examples
    natural = Term(ImageSource(NATURAL_NUMBER, x, True), (LossKind(loss),))
    return replace(
        examples,
        rows=[slice(0, len(x)), *examples.rows[1:]],
        terms=[natural, *examples.terms[1:]],
        labels=[y, *examples.labels[1:]],
    )


def gramians_of(
    network: nn.Module, examples: Examples, pass_size: int, layers: dict[str, int]
) -> Tensor:
    """Return the inner products of the objectives' gradients, (layers, objectives, objectives).

    Those of an objective without images are NaN.
    """
    passes = passes_of(network, examples, pass_size, apart=True, independent=True)
    gradients = objective_gradients(network, examples, passes, Measured(examples))
    for which, length in enumerate(examples.lengths()):
        if not length:
            gradients[which] = float("nan")
    return layer_gramians(gradients, list(layers.values()))


def objective_pairs(count: int) -> list[tuple[int, int]]:
    """Return the pairs of so many objectives, in the order of the log.

    Example:
        >>> objective_pairs(3)
        [(0, 1), (0, 2), (1, 2)]
    """
    return [(one, other) for one in range(count) for other in range(one + 1, count)]


def _entry(cosines: Tensor, gramian: Tensor) -> dict[str, list[float]]:
    """Return an entry of the log; NaN becomes null there."""
    cells = cosines.tolist()
    return {
        "cosines": [cells[one][other] for one, other in objective_pairs(len(cells))],
        "norms": gramian.diagonal().sqrt().tolist(),
    }


@contextmanager
def in_eval_mode(model: nn.Module) -> Iterator[None]:
    """Put a network in eval mode, its parameters as they are; restore the mode afterwards."""
    flags = {module: module.training for module in model.modules()}
    try:
        to_eval(model)
        yield
    finally:
        for module, flag in flags.items():
            module.training = flag
