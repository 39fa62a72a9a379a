"""Finished runs beside their plans: those of another training or protocol are refused."""

from collections.abc import Sequence
from pathlib import Path

from moat.errors import RunFolderError
from moat.recipe import RunPlan
from moat.report.points import read_point
from moat.runs import RunFolder


def require_planned_runs(plans: Sequence[RunPlan], results: Path) -> None:
    """Raise RunFolderError for a finished run with another training or protocol than its plan."""
    for plan in plans:
        run = RunFolder(results / plan.path)
        if not run.is_done:
            continue
        record = run.read_record()
        words = {
            "training": record is not None and record.train_hash == plan.train_hash,
            "protocol": read_point(run, results).protocol_hash == plan.protocol_hash,
        }
        if other := [word for word, same in words.items() if not same]:
            raise RunFolderError(
                f"the finished run has another {' and '.join(other)} than the recipe.",
                where=str(run.path),
                hint="Undo the change of the recipe, or race in another --results folder.",
            )
