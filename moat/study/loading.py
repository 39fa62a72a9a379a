"""From a run folder back to a model."""

import shlex
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from moat.consent import consenting, current_consent, stored_in
from moat.dotted import changes
from moat.errors import CodeError, MoatError, ModelError, RunFolderError
from moat.models import built, load_into
from moat.precision import plain_torch
from moat.recipe import RunPlan, Source, plan_runs, read
from moat.records import command_of
from moat.runs import RunFolder, require_one_training
from moat.storage import Record
from moat.study.failures import said_of
from moat.study.layout import best_layout
from moat.threats import to_eval


@plain_torch()
def load(
    run_folder: Path | str, device: torch.device | str = "cpu", *, allow_code: bool = False
) -> nn.Module:
    """Return the trained model of a finished run: eval mode, images in [0, 1] to logits.

    `allow_code` runs the plug-ins and the model's callable that the run's recipe names. Raises
    RunFolderError where the folder holds no finished run, and CodeError where it names code that
    was neither allowed nor run before.
    """
    consent = current_consent()
    if allow_code and not consent.stored:
        with consenting(replace(consent, stored=True)):
            return load(run_folder, device)
    folder = RunFolder(run_folder)
    record, plan = finished_record(folder), plan_of(folder)
    if plan.trains["model"] != record["trains"].get("model"):
        raise RunFolderError(
            f"the network is no longer the one that was trained: {record['trains'].get('model')} "
            f"then, {plan.trains['model']} now.",
            where=str(folder.path),
            hint="Bring back the code that it was trained with.",
        )
    channel, height, width = record["shape"]
    shape = (channel, height, width)
    with said_of(str(folder.path)):  # what it says may be no image or no count of classes
        network = built(plan.model, shape, record["classes"])
    network = best_layout(plan.model, with_weights(network, folder), shape).to(device)
    to_eval(network)
    return network


def record_of(folder: RunFolder) -> Record | None:
    """Return a run's record, None for an unfinished one; RunFolderError where it is not moat's.

    The same where it says in two ways what trained the run.
    """
    record = folder.read_record()
    for name, kind in _RECORD.items():
        if record is not None and not isinstance(record.get(name), kind):
            raise _not_moats(name, record, kind, folder)
    if record is not None:
        require_one_training(record, folder.path)
    return record


def _not_moats(name: str, record: Record, kind: type, folder: RunFolder) -> RunFolderError:
    return RunFolderError(
        f"its record is not moat's: {name} is {record.get(name)!r} and should be of type "
        f"{kind.__name__}.",
        where=str(folder.path / "run.json"),
        hint=_OVERWRITE,
    )


def finished_record(folder: RunFolder) -> Record:
    """Return the record of a finished run; raise RunFolderError where there is none."""
    record = record_of(folder)
    if record is None:
        raise RunFolderError(
            "there is no finished run here (no run.json).",
            where=str(folder.path),
            hint="Name a run's own folder, results/<study>/<variant>/.../seed-<n>, or finish it "
            "by running its `moat train` again.",
        )
    require_trained_here(record, folder)
    for name, kind in (("study", str), ("data", dict)):
        if not isinstance(record.get(name), kind):
            raise _not_moats(name, record, kind, folder)
    return record


def require_trained_here(record: Record, folder: RunFolder) -> None:
    """Raise RunFolderError where a folder keeps an evaluation alone, and no model with it."""
    if not is_evaluation_alone(record):
        return
    whose = "a model that moat did not train"
    if of := record.get("of"):
        whose = f"the run {of} under another protocol"
    again = "Call moat.evaluate_model with it again, with overwrite=True."
    if command := command_of(record):
        again = f"To make it again:\n  {shlex.join([*command, '--overwrite'])}"
    raise RunFolderError(
        f"the folder holds the evaluation of {whose}, and no model.",
        where=str(folder.path),
        hint=again,
    )


def is_evaluation_alone(record: Record) -> bool:
    """Say whether a record is of an evaluation whose model lies elsewhere."""
    return bool(record.get("foreign") or record.get("of"))


def plan_of(folder: RunFolder) -> RunPlan:
    """Return the plan of the one run that a folder's own recipe describes.

    Raises CodeError where the recipe names code that may not run: see `moat.consent`.
    """
    if not folder.recipe.exists():
        raise RunFolderError(
            f"what trains the run is not known: {folder.recipe.name} is missing.",
            where=str(folder.path),
            hint=_OVERWRITE,
        )
    try:
        with stored_in(folder.path):
            plans = plan_runs(_as_it_was_meant(read(folder.recipe)))
    except CodeError:
        raise
    except MoatError as error:
        raise RunFolderError(
            error.message, error.where, f"{error.hint}\n{_OVERWRITE}".strip()
        ) from error
    if len(plans) != 1:
        raise RunFolderError(
            f"the recipe of a run describes one run, and this one {len(plans)}.",
            where=str(folder.recipe),
            hint=_OVERWRITE,
        )
    return plans[0]


def require_own_recipe(plan: RunPlan, record: Record, folder: RunFolder) -> None:
    """Raise RunFolderError where a run's own recipe no longer says what trained the run."""
    if changed := changes(record["trains"], plan.trains):
        raise RunFolderError(
            f"the recipe was changed, and the run was trained otherwise: {'; '.join(changed)}.",
            where=str(folder.recipe),
            hint="Undo the change. Or delete this recipe: `moat train` with the study's recipe "
            "then writes it anew, trains nothing again, and evaluates.",
        )


def _as_it_was_meant(source: Source) -> Source:
    """Say of a run's own recipe what was the rule when it was written without it.

    Before a sample could be drawn, so many examples were the first so many.
    """
    said = source.document.get("evaluation", {})
    if not isinstance(said, dict):  # the recipe's own check says what is wrong
        return source
    evaluation = {"sample": "first", **said}
    return replace(source, document={**source.document, "evaluation": evaluation})


def with_weights(model: nn.Module, folder: RunFolder) -> nn.Module:
    """Load a folder's trained weights into a model; raise RunFolderError where they do not fit."""
    weights = folder.load_model()
    if weights is None:
        raise RunFolderError(
            "the run's trained weights are missing.", where=str(folder.path), hint=_OVERWRITE
        )
    try:
        load_into(model, weights)
    except ModelError as error:
        raise RunFolderError(
            f"the trained weights do not fit the network: {error.message}.",
            where=str(folder.path),
            hint=_OVERWRITE,
        ) from error
    return model


_RECORD = {"trains": dict, "protocol_hash": str, "shape": list, "classes": int}
_OVERWRITE = "`moat train` with --overwrite trains this run again."
