"""Per-example losses: (logits, labels, natural logits) to (batch,); more is worse for the model."""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F

from moat.types import Labels, Logits, PerExample

LossName = Literal["cross-entropy", "margin", "dlr", "kl"]
Loss = Callable[[Logits, Labels, Logits | None], PerExample]


def cross_entropy(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return log Σ_j exp f_j − f_y, the loss of Eqs. 2, 6 and 8, in nats."""
    return F.cross_entropy(logits, labels, reduction="none")


def margin(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return max_{j ≠ y} f_j − f_y: positive exactly where the example is misclassified.

    Source: Carlini and Wagner, Towards Evaluating the Robustness of Neural Networks, 2017.
    """
    true, best_other = _true_and_best_other(logits, labels)
    return best_other - true


def dlr(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return the difference-of-logits ratio, the margin over the gap of first and third logit.

    With two classes there is no third logit, and the ratio is undefined: the margin over the gap
    of first and second is ±1, without a gradient. Raises ValueError then.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness, 2020, Section 4.
    """
    if logits.shape[1] < 3:
        raise ValueError("the DLR loss needs at least three classes; use 'margin' for two")
    true, best_other = _true_and_best_other(logits, labels)
    top = logits.topk(3, dim=1).values
    return (best_other - true) / (top[:, 0] - top[:, 2] + 1e-12)


def kl(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return KL(natural ‖ adversarial), in nats. Its gradient at the natural image is zero.

    Source: Zhang et al., Theoretically Principled Trade-off between Robustness and Accuracy, 2019.
    """
    if natural is None:
        raise ValueError("the KL loss compares with the natural logits, and none were given")
    target = F.log_softmax(natural, dim=1)
    return F.kl_div(F.log_softmax(logits, dim=1), target, log_target=True, reduction="none").sum(1)


LOSSES: dict[LossName, Loss] = {
    "cross-entropy": cross_entropy,
    "margin": margin,
    "dlr": dlr,
    "kl": kl,
}


def _true_and_best_other(logits: Logits, labels: Labels) -> tuple[PerExample, PerExample]:
    true = logits.gather(1, labels[:, None])
    others = logits.scatter(1, labels[:, None], float("-inf"))
    return true.squeeze(1), others.amax(1)


def is_correct(logits: Logits, labels: Labels) -> torch.Tensor:
    """Return whether the largest logit is the label's, as bool of shape (batch,).

    Logits that are not finite are never correct: the argmax of NaN would be class 0.
    """
    return (logits.argmax(1) == labels) & logits.isfinite().all(1)
