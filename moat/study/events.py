"""Plans, errors and progress as the events of a study."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from moat.errors import MoatError
from moat.evaluation import EvaluationProgress
from moat.events import EvaluationStep, Listener, NamedRunEvent
from moat.recipe import RunPlan

_Named = TypeVar("_Named", bound=NamedRunEvent)


def named(kind: type[_Named], plan: RunPlan, run: Path, /, **more: Any) -> _Named:
    """Return an event of the given kind about a planned run."""
    return kind(
        run=run,
        label=plan.label,
        variant=plan.variant,
        sweep=dict(plan.sweep),
        seed=plan.seed,
        **more,
    )


def error_table(error: MoatError) -> dict[str, Any]:
    """Return the content of an error, as the fields of a failure's event."""
    return {
        "message": error.message,
        "where": error.where,
        "hint": error.hint,
        "kind": type(error).__name__,
        "exit_code": error.exit_code,
    }


def evaluation_steps(
    listener: Listener, run: Path, *, held_out: bool = False
) -> Callable[[EvaluationProgress], None]:
    """Return a function that passes an evaluation's progress to a listener."""

    def tell(progress: EvaluationProgress) -> None:
        listener(EvaluationStep(run=run, held_out=held_out, **asdict(progress)))

    return tell
