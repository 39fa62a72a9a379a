"""The losses that the parameters descend, by the names that recipes use.

A loss maps logits and labels to one number for each example. A loss with a `partner` also takes the
logits of the same examples under another objective, and its gradient leads through both.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
import torch.nn.functional as F
from pydantic import Field

from moat.fields import Fields
from moat.losses import dlr, is_correct, kl, margin
from moat.names import NATURAL
from moat.number_bounds import NonNegativeNumber
from moat.public import public
from moat.types import Labels, Logits, PerExample


class CrossEntropy(Fields):
    """Cross-entropy, in nats, with labels smoothed towards the uniform distribution.

    (1 − s) · (−log p_y) + s · (1/c) Σ_j −log p_j, where p is the softmax of the logits, y the
    label, c the number of classes and s `label_smoothing`.

    Example:
        >>> smooth = CrossEntropy(label_smoothing=0.1)
        >>> smooth(torch.zeros(1, 10), torch.tensor([3]))  # log 10 of equal logits
        tensor([2.3026])

    Source: Szegedy et al., Rethinking the Inception Architecture for Computer Vision, 2016.
    """

    type: Literal["cross-entropy"] = "cross-entropy"
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def __call__(self, logits: Logits, labels: Labels) -> PerExample:
        """Return the loss of each example."""
        return F.cross_entropy(
            logits, labels, reduction="none", label_smoothing=self.label_smoothing
        )


class Margin(Fields):
    """The margin max_{j ≠ y} f_j − f_y of the logits f: positive where an example is misclassified.

    Example:
        >>> Margin()(torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([0]))
        tensor([-2.])

    Source: Carlini and Wagner, Towards Evaluating the Robustness of Neural Networks, 2017.
    """

    type: Literal["margin"] = "margin"

    may_be_negative: ClassVar[bool] = True

    def __call__(self, logits: Logits, labels: Labels) -> PerExample:
        """Return the loss of each example."""
        return margin(logits, labels)


class DLR(Fields):
    """The difference-of-logits ratio: the margin over the gap of the first and the third logit.

    Example:
        >>> DLR()(torch.tensor([[3.0, 1.0, 0.0]]), torch.tensor([0]))
        tensor([-0.6667])

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness, 2020, Section 4.
    """

    type: Literal["dlr"] = "dlr"

    may_be_negative: ClassVar[bool] = True

    def __call__(self, logits: Logits, labels: Labels) -> PerExample:
        """Return the loss of each example; raise InputError for two classes."""
        return dlr(logits, labels)


class KL(Fields):
    """KL(p_partner ‖ p), in nats: the robust part of TRADES, where the partner is natural.

    p and p_partner are the softmax of the objective's own logits and of its partner's. The gradient
    leads through both. TRADES descends the natural cross-entropy plus β times this loss.

    Example:
        >>> loss = KL()
        >>> near, far = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
        >>> loss(near, torch.tensor([0]), near), loss(far, torch.tensor([0]), near)
        (tensor([0.]), tensor([0.4621]))

    Source: Zhang et al., Theoretically Principled Trade-off between Robustness and Accuracy, 2019.
    """

    type: Literal["kl"] = "kl"
    partner: str = NATURAL  # or the name of a threat

    def __call__(self, logits: Logits, labels: Labels, other: Logits) -> PerExample:
        """Return the loss of each example; `other` are the partner's logits."""
        return kl(logits, labels, other)


class MART(Fields):
    """Boosted cross-entropy, and the KL of TRADES weighted by the natural error probability.

    −log p_y − log(1 − max_{j ≠ y} p_j) + weight · KL(q ‖ p) · (1 − q_y), where p and q are the
    softmax of the objective's own logits and of its partner's, and y is the label. The published
    code adds 1e-4 to the second argument of log; here the logarithm is computed from logits.

    Example:
        >>> logits = torch.tensor([[2.0, 0.0]])
        >>> MART()(logits, torch.tensor([0]), logits)  # twice −log p_y, for two classes
        tensor([0.2539])

    Source: Wang et al., Improving Adversarial Robustness Requires Revisiting Misclassified
    Examples, 2020, Eq. 11, whose λ is `weight`.
    """

    type: Literal["mart"] = "mart"
    partner: str = NATURAL  # or the name of a threat
    weight: NonNegativeNumber = 5.0

    def __call__(self, logits: Logits, labels: Labels, other: Logits) -> PerExample:
        """Return the loss of each example; `other` are the partner's logits."""
        every, place = logits.logsumexp(1), labels[:, None]
        best_other = logits.scatter(1, place, float("-inf")).argmax(1, keepdim=True)
        rest = logits.scatter(1, best_other, float("-inf")).logsumexp(1)
        boosted = 2 * every - logits.gather(1, place).squeeze(1) - rest
        doubt = 1 - other.softmax(1).gather(1, place).squeeze(1)
        return boosted + self.weight * doubt * kl(logits, labels, other)


class LogitPairing(Fields):
    """Cross-entropy, and the KL between the predictions under two threats: the pairing of RAMP.

    −log p_y + weight · KL(s ‖ t) wherever s is classified correctly, where p is the softmax of the
    objective's own logits; s and t are its partner's prediction and its own, or with `source =
    "own"` the other way round. If two objectives have this loss, one with each source, both have
    the same KL: `max` then chooses the larger cross-entropy, and the KL always counts. RAMP divides
    the KL by the number of correctly classified examples, moat by the batch size.

    Example:
        >>> loss = LogitPairing(partner="pgd", weight=2.0)
        >>> logits = torch.tensor([[2.0, 0.0]])
        >>> loss(logits, torch.tensor([0]), logits)
        tensor([0.1269])

    Source: Jiang and Singh, RAMP: Boosting Adversarial Robustness Against Multiple l_p
    Perturbations for Universal Robustness, 2024, Section 4.2, whose λ is `weight`.
    """

    type: Literal["logit-pairing"] = "logit-pairing"
    partner: str  # the name of another objective
    weight: NonNegativeNumber = 5.0
    source: Literal["partner", "own"] = "partner"

    def __call__(self, logits: Logits, labels: Labels, other: Logits) -> PerExample:
        """Return the loss of each example; `other` are the partner's logits."""
        source, target = (other, logits) if self.source == "partner" else (logits, other)
        correct = is_correct(source.detach(), labels).to(logits.dtype)
        plain = F.cross_entropy(logits, labels, reduction="none")
        return plain + self.weight * correct * kl(target, labels, source)


TrainingLoss = Annotated[
    CrossEntropy | Margin | DLR | KL | MART | LogitPairing, Field(discriminator="type")
]

LOSS_CLASSES: dict[str, type[TrainingLoss]] = {
    "cross-entropy": CrossEntropy,
    "margin": Margin,
    "dlr": DLR,
    "kl": KL,
    "mart": MART,
    "logit-pairing": LogitPairing,
}


@public
@dataclass(frozen=True)
class PairLoss:
    """A function of your own with a partner: logits, labels and the partner's logits to (batch,).

    Example:
        >>> def squared(logits, labels, other):
        ...     return (logits - other).square().sum(1)
        >>> loss = PairLoss(squared, partner="natural")
        >>> loss(torch.ones(1, 3), torch.tensor([0]), torch.zeros(1, 3))
        tensor([3.])
    """

    function: Callable[[Logits, Labels, Logits], PerExample]
    partner: str = NATURAL

    def __call__(self, logits: Logits, labels: Labels, other: Logits) -> torch.Tensor:
        """Return the loss of each example."""
        return self.function(logits, labels, other)
