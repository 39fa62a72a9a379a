"""The protocol of the validation after each epoch: a run's own training threats."""

from collections.abc import Mapping

from moat.evaluation.protocol import Protocol
from moat.threats import Threat, within_ball


def validation_protocol(threats: Mapping[str, Threat], memory: float | None = None) -> Protocol:
    """Return the protocol of the training threats, each within its ball.

    Example:
        >>> from moat.threats import PGD
        >>> noisy = PGD(epsilon=0.1, step_size=0.1, steps=1, start="wide")
        >>> validation_protocol({"pgd": noisy}).threats["pgd"].start
        'uniform'
    """
    return Protocol({label: within_ball(one) for label, one in threats.items()}, memory=memory)
