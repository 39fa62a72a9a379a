"""Whether a run folder holds the run that is planned, another one, or none."""

from contextlib import suppress
from dataclasses import replace

from moat.dotted import changes
from moat.errors import ForeignFileError, RunFolderError
from moat.models.torchvision import Torchvision
from moat.models.weights import DIGEST
from moat.recipe import RunPlan
from moat.records import RunRecord
from moat.runs import RunFolder, require_one_protocol, require_one_result
from moat.study.loading import plan_of, record_of, require_trained_here


def is_done(plan: RunPlan, folder: RunFolder) -> bool:
    """Say whether the folder holds this run, trained and evaluated as planned.

    Raises RunFolderError where it holds another run, a file that cannot be read, or a record that
    contradicts itself.
    """
    require_same_training(plan, folder)
    record = record_of(folder)
    if record is not None:
        require_one_protocol(record, folder.path)
    if record is None or record.protocol_hash != plan.protocol_hash:
        return False
    if folder.load_model() is None or folder.read_recipe() is None:
        return False
    return plan_of(folder).train_hash == plan.train_hash and _is_evaluated(folder, record)


def _is_evaluated(folder: RunFolder, record: RunRecord) -> bool:
    """Say whether the evaluation is whole; where another was cut short, its files may be newer."""
    try:
        held = folder.load_evaluation()
    except ForeignFileError:
        if folder.is_interrupted:
            return False
        raise
    if held is not None:
        require_one_result(record, held[1], folder.path)
    return held is not None


def require_same_training(plan: RunPlan, folder: RunFolder) -> None:
    """Raise RunFolderError that says what changed, if the folder was trained by another recipe.

    And ForeignFileError, if its own recipe is this one and its weights are another run's.
    """
    record = record_of(folder)
    if record is not None:
        require_trained_here(record, folder)
    begun = folder.checkpoint.exists() or folder.is_trained
    if record is None and not begun and not folder.recipe.exists():
        return
    trained = plan_of(folder).trains if record is None else record.trains
    if record is None and not begun:  # a recipe and nothing trained by it: there is nothing to lose
        return
    if changed := changes(trained, plan.trains):
        raise RunFolderError(
            f"the folder holds a run that was trained otherwise: {'; '.join(changed)}.",
            where=str(folder.path),
            hint="Nothing was overwritten. Name another --results folder, undo the change, or "
            "train this run again with --overwrite.",
        )
    folder.load_model(plan.train_hash)


def as_begun(plan: RunPlan, folder: RunFolder) -> RunPlan:
    """Return the plan; a weights file that is gone is known by what the folder's recipe says of it.

    So a run that has begun goes on without the file that it began with.
    """
    if not isinstance(plan.model, Torchvision) or DIGEST in plan.document["model"]:
        return plan
    with suppress(RunFolderError, ValueError):  # what is broken is said where it matters
        begun = (folder.read_recipe() or {}).get("model")
        digest = begun.get(DIGEST) if isinstance(begun, dict) else None
        if digest and begun == {**plan.document["model"], DIGEST: digest}:
            model = replace(plan.model, weights_digest=digest)
            return replace(plan, model=model, document={**plan.document, "model": begun})
    return plan
