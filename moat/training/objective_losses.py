"""The loss of each objective: one for all, or a table by name."""

from collections.abc import Mapping, Sequence
from typing import Any

from moat.errors import DefinitionError, UnknownNameError, did_you_mean
from moat.losses import cross_entropy, dlr, margin
from moat.names import NATURAL
from moat.scalarizers import Scalarizer
from moat.threats.arguments import in_words
from moat.training.descent_loss import DescentLoss, require_loss
from moat.training.losses import LOSS_CLASSES

LossTable = Mapping[str, DescentLoss]


def partner_of(loss: DescentLoss) -> str | None:
    """Return the name of a loss's partner, the other objective whose logits it takes, if any."""
    partner = getattr(loss, "partner", None)
    return partner if isinstance(partner, str) else None


def loss_by_name(loss: Any) -> Any:
    """Return the loss for a name, and anything else as it is; raise UnknownNameError.

    The error has the nearest name. Raises DefinitionError for a loss that needs more than its name.
    """
    if not isinstance(loss, str):
        return loss
    if loss not in LOSS_CLASSES:
        raise UnknownNameError(
            f"no loss is called {loss!r}.{did_you_mean(loss, LOSS_CLASSES)}",
            hint=f"known: {', '.join(LOSS_CLASSES)}; or a function of logits and labels that "
            "returns one number for each example.",
        )
    cls: Any = LOSS_CLASSES[loss]
    return cls()


def losses_by_name(losses: Any) -> Any:
    """Return one loss, or a table of losses, with names replaced by losses."""
    if isinstance(losses, Mapping):
        return {name: loss_by_name(loss) for name, loss in losses.items()}
    return loss_by_name(losses)


def require_losses(losses: Any) -> None:
    """Raise DefinitionError for anything but a loss or a table of losses."""
    if not isinstance(losses, Mapping):
        require_loss(losses)
        return
    for name, loss in losses.items():
        require_loss(loss, str(name))


def objective_losses(
    losses: DescentLoss | LossTable, names: Sequence[str]
) -> tuple[DescentLoss, ...]:
    """Return the loss of each objective; those that a table leaves out descend cross-entropy.

    Raises DefinitionError for a loss of an unknown objective, and for a partner that is not another
    objective.
    """
    if not isinstance(losses, Mapping):
        losses = dict.fromkeys(names, losses)
    for name, loss in losses.items():
        if name not in names:
            raise DefinitionError(
                f"there is a loss for {name!r}, which is not an objective."
                f"{did_you_mean(str(name), names)}",
                hint=f"The objectives: {', '.join(names)}.",
            )
        _require_partner(name, partner_of(loss), names)
    return tuple(losses.get(name, cross_entropy) for name in names)


def require_positive(
    scalarizer: Scalarizer, losses: DescentLoss | LossTable, names: Sequence[str]
) -> None:
    """Raise DefinitionError for a loss below 0 under a scalarizer that needs positive ones."""
    if not scalarizer.needs_positive_losses:
        return
    for name, loss in zip(names, objective_losses(losses, names), strict=True):
        if loss in (margin, dlr) or getattr(loss, "may_be_negative", False):
            raise DefinitionError(
                f"the scalarizer {scalarizer.name!r} needs positive losses, but the loss of "
                f"{name!r}, {getattr(loss, 'type', None) or in_words(loss)}, may be negative.",
                hint="Choose a scalarizer for any loss, such as average or weighted; or descend "
                "cross-entropy, kl or mart.",
            )


def _require_partner(name: str, partner: str | None, names: Sequence[str]) -> None:
    if partner is None:
        return
    others = [other for other in names if other != name]
    if partner == name:
        raise DefinitionError(
            f"the loss of {name!r} looks at its own logits as those of a partner.",
            hint='Name the objectives that it is for: {"pgd": KL()}. Others descend cross-entropy.'
            if name == NATURAL
            else f"Its partner is one of {', '.join(others)}.",
        )
    if partner not in names:
        raise DefinitionError(
            f"the loss of {name!r} looks at the logits of {partner!r}, which is not an objective."
            f"{did_you_mean(partner, others)}",
            hint=f"Its partner is one of {', '.join(others)}.",
        )
