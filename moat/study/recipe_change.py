"""A run's own recipe after an edit by hand: it no longer matches the training."""

from collections.abc import Sequence

from moat.dotted import changes
from moat.errors import RunFolderError
from moat.recipe import RunPlan
from moat.records import RunRecord
from moat.runs import RunFolder


def require_own_recipe(own: RunPlan, record: RunRecord, folder: RunFolder) -> None:
    """Raise RunFolderError that names the keys in which a finished run's own recipe was edited.

    Only keys of the training and the run's name count.
    """
    then, now = dict(record.trains), own.trains
    if record.files is not None and record.label != own.label:  # older labels had another rule
        then |= {"variant": record.variant, "sweep": record.sweep}
        now |= {"variant": own.variant, "sweep": own.sweep}
    if edited := changes(then, now):
        raise recipe_change(
            edited,
            folder,
            "Undo the change. Or delete this recipe: `moat train` with the study's recipe then "
            "writes it again and evaluates, without training.",
        )


def recipe_change(edited: Sequence[str], folder: RunFolder, mend: str) -> RunFolderError:
    """Return the error that names the edited keys of a run's own recipe."""
    return RunFolderError(
        f"the recipe was changed since the training: {'; '.join(edited)}.",
        where=str(folder.recipe),
        hint=mend,
    )
