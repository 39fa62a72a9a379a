"""The passes of all parts of a run, as the measure of its progress."""

from dataclasses import dataclass

from moat.data import Data
from moat.evaluation.batch import BATCH
from moat.evaluation.sanity.examine import PROBED
from moat.evaluation.validation import validation_protocol
from moat.recipe import RunPlan
from moat.study.failures import asked_for
from moat.study.step_cost import conflict_per_example, training_cost
from moat.threats import GradientThreat

DESCENT = 1.3  # times a search's pass: its backward goes to the parameters as well (1.1 to 1.6)
_PROBES = 40  # passes of the sanity gate, a threat: draws, wider bounds, another model's images


@dataclass(frozen=True)
class Work:
    """The largest cost of each part of a run: passes times examples (see `Spent.passes`).

    `training` counts a pass of the descent as 1.3 passes of a search, as its clock does;
    `validation` is that of all epochs, and `evaluation` includes the held-out examples.
    """

    training: float
    validation: float
    evaluation: float
    gate: float
    epochs: int  # of the training, a last one that is cut included
    parts: int  # files in which the evaluation keeps what it has found


def work_of(plan: RunPlan, data: Data, batch_norm: bool = False) -> Work:
    """Count the passes of all parts of a run on its data, with or without batch norm."""
    with asked_for(plan, "data"):
        split, held = plan.share.of(data.train)
    held_out, protocol, classes = len(held) if held else 0, plan.protocol, len(data.classes)
    judged = [min(protocol.examples or count, count) for count in (len(data.test), held_out)]
    with asked_for(plan, "training", "passes"):
        search, descent, length = training_cost(plan, len(split), batch_norm, classes)
    validation = validation_protocol(plan.threats).spent(classes)
    descent = descent.plus(conflict_per_example(plan, length))
    an_example = search.passes + DESCENT * descent.passes
    probed = sum(isinstance(threat, GradientThreat) for threat in protocol.threats.values())
    return Work(
        training=length.exact_epochs * len(split) * an_example,
        validation=length.epochs * held_out * validation.passes,
        evaluation=sum(judged) * protocol.spent(classes).passes,
        gate=float(min(PROBED, len(data.test)) * _PROBES * probed),
        epochs=length.epochs,
        parts=sum(-(-count // BATCH) for count in judged) * (1 + len(protocol.threats)),
    )
