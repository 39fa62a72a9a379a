"""From a run folder back to its record and its plan."""

import shlex
from dataclasses import replace
from pathlib import Path

from torch import nn

from moat.consent import stored_in
from moat.errors import CodeError, MoatError, ModelError, NoRunError, RunFolderError
from moat.models import load_into
from moat.recipe import RunPlan, Source, plan_runs, read
from moat.records import RunRecord
from moat.runs import RunFolder, command_again, require_one_training, require_results


def record_of(folder: RunFolder) -> RunRecord | None:
    """Return a run's record, None for an unfinished one; RunFolderError if it is not moat's.

    A record that contradicts itself about the training is a RunFolderError, too.
    """
    record = folder.read_record()
    if record is not None:
        require_one_training(record, folder.path)
    return record


def finished_record(folder: RunFolder) -> RunRecord:
    """Return the record of a finished run; raise RunFolderError without one."""
    record = record_of(folder)
    if record is None:
        mend = (
            "Name a run's own folder, results/<study>/<variant>/.../seed-<n>, or finish the run "
            "with `moat train`."
        )
        require_results(folder.path, NoRunError, mend)
        raise NoRunError(
            "the folder has no finished run (no run.json).", where=str(folder.path), hint=mend
        )
    require_trained_here(record, folder)
    return record


def require_trained_here(record: RunRecord, folder: RunFolder) -> None:
    """Raise RunFolderError for a folder with an evaluation but without a model."""
    if not record.is_evaluation_alone:
        return
    whose = "a model that moat did not train"
    if record.of:
        whose = f"the run {record.of} under another protocol"
    again = "Call moat.evaluate_model with it again, with overwrite=True."
    if command := command_again(record.command, record.study, folder.path):
        again = f"To make it again:\n  {shlex.join([*command, '--overwrite'])}"
    raise RunFolderError(
        f"the folder contains the evaluation of {whose}, without a model.",
        where=str(folder.path),
        hint=again,
    )


def require_recipe(folder: RunFolder) -> None:
    """Raise RunFolderError for a folder without the recipe of its run."""
    if not folder.recipe.exists():
        raise RunFolderError(
            f"the training settings of the run are unknown: {folder.recipe.name} is missing.",
            where=str(folder.path),
            hint=OVERWRITE,
        )


def plan_of(
    folder: RunFolder, named: RunPlan | None = None, record: RunRecord | None = None
) -> RunPlan:
    """Return the plan of the one run that a folder's own recipe describes.

    `record` is the run's, if it was read already. Its code is the folder's own, or that of the plan
    `named`. Raises CodeError if the recipe names code that may not run; see `moat.consent`.
    """
    require_recipe(folder)
    folder.read_code(folder.read_record() if record is None else record)
    try:
        source = _as_it_was_meant(read(folder.recipe))
        if named is not None:
            plugins = named.document.get("plugins", [])
            document = {**source.document, "plugins": plugins}
            source = replace(source, document=document, code=named.source.code)
        with stored_in(folder.path):
            plans = plan_runs(source)
    except CodeError:
        raise
    except MoatError as error:
        raise RunFolderError(
            error.message, error.where, f"{error.hint}\n{OVERWRITE}".strip()
        ) from error
    if len(plans) != 1:
        raise RunFolderError(
            f"the recipe of a run describes one run, not  {len(plans)}.",
            where=str(folder.recipe),
            hint=OVERWRITE,
        )
    return plans[0]


def _as_it_was_meant(source: Source) -> Source:
    """Say of a run's own recipe what was the rule when it was written without it.

    Before a sample could be drawn, so many examples were the first so many. A folder of data that
    was not carried along with the run is looked for where any is that no recipe names.
    """
    said = source.document.get("evaluation", {})
    if not isinstance(said, dict):  # the recipe's own check says what is wrong
        return source
    document = {**source.document, "evaluation": {"sample": "first", **said}}
    data = document.get("data")
    if isinstance(data, dict) and isinstance(data.get("root"), str) and not _is_there(data["root"]):
        document["data"] = {key: value for key, value in data.items() if key != "root"}
    return replace(source, document=document)


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def with_weights(model: nn.Module, folder: RunFolder, record: RunRecord | None = None) -> nn.Module:
    """Load a folder's trained weights into a model; raise RunFolderError if they do not fit.

    `record` is the run's, if it was read already.
    """
    weights = folder.load_model(of=record)
    if weights is None:
        raise missing_weights(folder)
    try:
        load_into(model, weights)
    except ModelError as error:
        raise RunFolderError(
            f"the trained weights do not fit the network: {error.message}.",
            where=str(folder.path),
            hint=OVERWRITE,
        ) from error
    return model


OVERWRITE = "`moat train` with --overwrite trains this run again."


def missing_weights(folder: RunFolder) -> RunFolderError:
    """Return the error of a run without its trained weights."""
    return RunFolderError(
        "the run's trained weights are missing.", where=str(folder.path), hint=OVERWRITE
    )
