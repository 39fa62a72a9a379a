"""The threats of a protocol that an instrument can look into: those with parameters w."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from moat.analysis.batches import require_threats
from moat.analysis.climbed_loss import require_gradient_threat
from moat.errors import AnalysisError
from moat.evaluation import Protocol
from moat.threats import GradientThreat


def gradient_threats(protocol: Protocol, labels: Sequence[str]) -> Mapping[str, GradientThreat]:
    """Return threats of a protocol by label, each with its largest count of iterations.

    Without labels all that have a gradient. Raises AnalysisError for a label that the protocol
    lacks, for a threat without a gradient, and if none has one.
    """
    found = {}
    for label in require_threats(protocol, labels):
        threat = protocol.threats[label]
        if not labels and not isinstance(threat, GradientThreat):
            continue
        searched = require_gradient_threat(threat, label)
        found[label] = replace(searched, steps=max(protocol.steps(label)))
    if not found:
        raise AnalysisError(
            "the protocol evaluates no threat that is searched by gradients.",
            where="threats",
            hint="Name a protocol with one, such as pgd or rt: --protocol FILE",
        )
    return found
