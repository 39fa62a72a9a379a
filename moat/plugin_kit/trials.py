"""The promises that a candidate is held to, and the cases on which."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from moat.errors import ModelError
from moat.models import Model, PythonModel
from moat.plugin_kit.candidate import Candidate
from moat.plugin_kit.kinds import ExtensionKind
from moat.plugin_kit.objective_counts import objective_counts
from moat.plugin_kit.own_code import running_own_code
from moat.testing import (
    DATASET_PROMISES,
    MODEL_PROMISES,
    SCALARIZER_PROMISES,
    THREAT_PROMISES,
    DataCase,
    ModelCase,
    Promise,
    PromiseVerdict,
    ScalarizerCase,
    ThreatCase,
    verdicts,
)

_Shape = tuple[int, int, int]

THREAT_SHAPES: tuple[_Shape, ...] = ((1, 8, 8), (3, 9, 7))
MODEL_SHAPES: tuple[_Shape, ...] = ((3, 32, 32), (1, 28, 28), (1, 8, 8))


@dataclass(frozen=True)
class Trial:
    """Promises, and the cases that each is checked on."""

    name: str
    promises: tuple[Promise[Any], ...]
    cases: list[Any]

    def verdicts(self) -> Iterator[PromiseVerdict]:
        """Yield what becomes of each promise, one after the other."""
        with running_own_code(self.name, "checked"):  # as a repr of its own
            yield from verdicts(self.promises, self.cases)


def trial_of(candidate: Candidate, shape: _Shape | None = None) -> Trial:
    """Return what a candidate is held to; images have the shape (channel, height, width) given.

    Raises MoatError where nothing can be checked: its data are missing, it refuses every shape or
    the objectives, or its own code fails.
    """
    with running_own_code(candidate.name, "checked"):
        promises, cases = _promises_and_cases(candidate, shape)
        return Trial(candidate.name, promises, cases)


def _promises_and_cases(
    candidate: Candidate, shape: _Shape | None
) -> tuple[tuple[Promise[Any], ...], list[Any]]:
    match candidate.kind:
        case ExtensionKind.threat:
            shapes = (shape,) if shape else THREAT_SHAPES
            return THREAT_PROMISES, [ThreatCase(candidate.value, one) for one in shapes]
        case ExtensionKind.scalarizer:
            counts = objective_counts(candidate.value)
            return SCALARIZER_PROMISES, [ScalarizerCase(candidate.value, n) for n in counts]
        case ExtensionKind.model:
            return MODEL_PROMISES, _model_cases(candidate.value, shape)
        case ExtensionKind.dataset:
            case = DataCase(candidate.value)
            _ = case.data  # an error of missing data is no broken promise
            return DATASET_PROMISES, [case]


def _model_cases(model: Model, shape: _Shape | None) -> list[ModelCase]:
    """Return a case for each shape, the first that is taken whole.

    A callable is not told a shape, and need not refuse one. Where no shape is taken, the first
    case says why; ModelError where each is refused.
    """
    cases = [ModelCase(model, one, whole=False) for one in ([shape] if shape else MODEL_SHAPES)]
    taken = [case for case in cases if case.takes_shape]
    refusals = [case.fault for case in cases if isinstance(case.fault, ModelError)]
    if len(refusals) == len(cases):
        tried = ", ".join(" x ".join(map(str, case.shape)) for case in cases)
        raise ModelError(
            f"{model!r} refuses images of {tried}: {refusals[0].message}",
            hint="Name a shape that it takes: --shape CHANNELS,ROWS,COLUMNS",
        )
    if not taken:
        return cases[:1]
    return [replace(taken[0], whole=True), *(taken if isinstance(model, PythonModel) else cases)]
