"""The evaluation of a model in memory, without a recipe or a folder."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn

from moat import evaluation
from moat.evaluation import Evaluation, EvaluationProgress, Protocol
from moat.evaluation.in_memory import protocol_of_threats, states_tables, with_examples
from moat.public import public
from moat.recipe import protocol_of_tables, read_protocol
from moat.threats import Threat


@public
def evaluate(
    model: nn.Module,
    data: Any,
    protocol: Protocol | Mapping[str, Any] | Sequence[Threat] | Threat | Path | str,
    *,
    examples: int | None = None,
    pass_size: int | None = None,
    progress: Callable[[EvaluationProgress], None] | None = None,
) -> Evaluation:
    """Evaluate a model on images in memory, without writing files.

    `data` are a pair (images, labels) of tensors or arrays, a DataLoader, a torch Dataset, a Split,
    or Data (its test split); images in [0, 1] or bytes. `protocol` is a Protocol, the TOML file of
    one or its tables, {"threats": {...}, "evaluation": {...}} (whose data are not read), or
    threats: a table, a list or one. Without threats, `union` is None. `examples` is the number of
    images, every class by its share. The model is evaluated on the device of its parameters, in
    float32 and eval mode, and left unchanged.

    The result has `accuracy`, in percent by name; `rows()`, one row for each threat and strength;
    and `outcomes`, those of each example. `evaluate_model` keeps an evaluation in a folder, for
    fronts.

    Raises MoatError with the mend, before any search, for a model without logits, images out of [0,
    1], labels that are not classes, and an inconsistent protocol.

    Example:
        >>> from moat.testing import examples, smooth_model
        >>> from moat.threats import PGD
        >>> x, y = examples()
        >>> found = evaluate(smooth_model().float(), (x, y), [PGD(epsilon=0.1, step_size=0.05)])
        >>> list(found.accuracy)
        ['natural', 'pgd', 'union']
    """
    if isinstance(protocol, Path | str):
        protocol = read_protocol(protocol).protocol
    elif states_tables(protocol):
        protocol = protocol_of_tables(protocol)
    judged_by = protocol_of_threats(protocol)
    if isinstance(judged_by, Protocol):  # else the door says what it is
        judged_by = with_examples(judged_by, examples)
    return evaluation.evaluate(model, data, judged_by, pass_size=pass_size, progress=progress)
