"""Per-example losses for a search to climb, of shape (batch,); higher is worse for the model.

Most are functions of logits and labels. KL also takes the logits of the natural images, and a
targeted loss takes one wrong class for each example.
"""

from collections.abc import Callable
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from moat.errors import InputError
from moat.public import public
from moat.types import Labels, Logits, PerExample

LossName = Literal[
    "cross-entropy",
    "margin",
    "dlr",
    "kl",
    "targeted-cross-entropy",
    "targeted-margin",
    "targeted-dlr",
]
Loss = Callable[[Logits, Labels, Logits | None], PerExample]
TargetedLoss = Callable[[Logits, Labels, Labels], PerExample]


@public
def cross_entropy(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return log Σ_j exp f_j − f_y, the loss of Eqs. 2, 6 and 8, in nats."""
    return F.cross_entropy(logits, labels, reduction="none")


@public
def log_odds(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return log Σ_{j ≠ y} exp f_j − f_y, which is log((1 − p) / p) of the label's probability p.

    It rises with the cross-entropy, its gradient points the same way, and it does not saturate:
    where p rounds to 1, the gradient of the cross-entropy loses the label's logit.
    """
    return _others(logits, labels).logsumexp(1) - _at(logits, labels).squeeze(1)


@public
def minus_logit(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return −f_y, the label's logit alone, which the other logits cannot drown out."""
    return -_at(logits, labels).squeeze(1)


@public
def margin(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return max_{j ≠ y} f_j − f_y: positive exactly where the example is misclassified.

    Source: Carlini and Wagner, Towards Evaluating the Robustness of Neural Networks, 2017.
    """
    true, best_other = _true_and_best_other(logits, labels)
    return best_other - true


@public
def dlr(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return the difference-of-logits ratio, the margin over the gap of first and third logit.

    With two classes there is no third logit, and the ratio is undefined: the margin over the gap of
    first and second is ±1, without a gradient. So it raises InputError.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness, 2020, Section 4.
    """
    if logits.shape[1] < 3:
        raise InputError("the DLR loss needs at least three classes; use 'margin' for two")
    true, best_other = _true_and_best_other(logits, labels)
    top = logits.topk(3, dim=1).values
    return (best_other - true) / (top[:, 0] - top[:, 2] + 1e-12)


@public
def kl(logits: Logits, labels: Labels, natural: Logits | None = None) -> PerExample:
    """Return KL(natural ‖ adversarial), in nats. Its gradient at the natural image is zero.

    Source: Zhang et al., Theoretically Principled Trade-off between Robustness and Accuracy, 2019.
    """
    if natural is None:
        raise InputError("the KL loss needs the natural logits")
    target = F.log_softmax(natural, dim=1)
    return F.kl_div(F.log_softmax(logits, dim=1), target, log_target=True, reduction="none").sum(1)


@public
def targeted_cross_entropy(logits: Logits, labels: Labels, targets: Labels) -> PerExample:
    """Return the negative cross-entropy of the target class, in nats."""
    return -F.cross_entropy(logits, targets, reduction="none")


@public
def targeted_margin(logits: Logits, labels: Labels, targets: Labels) -> PerExample:
    """Return f_t − max_{j ≠ t} f_j: positive exactly where the answer is the target."""
    return -margin(logits, targets)


@public
def targeted_dlr(logits: Logits, labels: Labels, targets: Labels) -> PerExample:
    """Return the target's logit less the label's, over the gap of the first and the next two.

    The divisor is f_(1) − (f_(3) + f_(4)) / 2, so it needs four classes; raises InputError for
    fewer.

    Source: Croce and Hein, Reliable Evaluation of Adversarial Robustness, 2020, Section 4.
    """
    if logits.shape[1] < 4:
        raise InputError(
            "the targeted DLR loss needs at least four classes; use 'targeted-margin' for fewer"
        )
    gap = (_at(logits, targets) - _at(logits, labels)).squeeze(1)
    top = logits.topk(4, dim=1).values
    return gap / (top[:, 0] - (top[:, 2] + top[:, 3]) / 2 + 1e-12)


@public
def nth_other_class(logits: Logits, labels: Labels, rank: int) -> Labels:
    """Return the wrong class with the rank-th highest logit, counted from 1, for each example.

    Raises InputError if there are fewer wrong classes.
    """
    wrong = logits.shape[1] - 1
    if not 1 <= rank <= wrong:
        raise InputError(f"no target of rank {rank} exists among {wrong} wrong classes")
    return _others(logits, labels).argsort(dim=1, descending=True, stable=True)[:, rank - 1]


LOSSES: dict[LossName, Loss] = {
    "cross-entropy": cross_entropy,
    "margin": margin,
    "dlr": dlr,
    "kl": kl,
}
TARGETED: dict[LossName, TargetedLoss] = {
    "targeted-cross-entropy": targeted_cross_entropy,
    "targeted-margin": targeted_margin,
    "targeted-dlr": targeted_dlr,
}


def _true_and_best_other(logits: Logits, labels: Labels) -> tuple[PerExample, PerExample]:
    return _at(logits, labels).squeeze(1), _others(logits, labels).amax(1)


def _others(logits: Logits, labels: Labels) -> Logits:
    """Return the logits with −∞ in place of each example's label."""
    return logits.scatter(1, labels[:, None], float("-inf"))


def _at(logits: Logits, classes: Labels) -> Tensor:
    """Return each example's logit of one class, of shape (batch, 1)."""
    return logits.gather(1, classes[:, None])


@public
def is_correct(logits: Logits, labels: Labels) -> torch.Tensor:
    """Return whether the largest logit is the label's, as bool of shape (batch,).

    Logits that are not finite are never correct: the argmax of NaN would be class 0.
    """
    return (logits.argmax(1) == labels) & logits.isfinite().all(1)
