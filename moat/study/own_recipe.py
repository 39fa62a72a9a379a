"""A run's own recipe and code: kept at its start, and compared with its plan on resuming."""

import tomli_w

from moat.digests import digest_of_parts
from moat.errors import RunFolderError
from moat.local_code import local_file
from moat.recipe import RunPlan
from moat.recipe.code import kept_files, pieces_of
from moat.recipe.own_recipe import kept_recipe
from moat.recipe.provenance import Document
from moat.runs import CODE, RunFolder
from moat.study.loading import plan_of


def keep_recipe(plan: RunPlan, folder: RunFolder) -> list[str]:
    """Keep a run's code in its folder, then its recipe, which names the code.

    Return the user's files that were moved aside for the code.
    """
    document, code = kept_recipe(plan.document, folder.path, plan.source.code)
    moved = folder.write_code(code)
    folder.write_recipe(document)
    return moved


def own_plan(plan: RunPlan, folder: RunFolder, held: Document) -> RunPlan:
    """Return the plan of a folder's own recipe, which may be the given plan.

    If the folder has the code of the plan's own plug-ins, these replace their copies, so that the
    user's code does not run twice.
    """
    document, _ = kept_recipe(plan.document, folder.path, plan.source.code)
    if tomli_w.dumps(held) == tomli_w.dumps(document):
        return plan
    named = all(held.get(key) == document.get(key) for key in ("plugins", "code"))
    return plan_of(folder, plan if named else None)


def require_same_code(plan: RunPlan, folder: RunFolder) -> None:
    """Raise RunFolderError with the files if a folder's run was trained with other code.

    Code that only the evaluation uses may change: it is part of the protocol's hash.
    """
    kept = folder.read_code()
    changed = [
        f"{CODE}/{place}: {_digest(kept[place])} then, {_digest(content)} now"
        for place, content in _training_code(plan).items()
        if kept.get(place, content) != content
    ]
    if changed:
        raise RunFolderError(
            f"the folder contains a run with other training settings: {'; '.join(changed)}.",
            where=str(folder.path),
            hint="Nothing was overwritten. Name another --results folder, undo the change, or "
            "train this run again with --overwrite.",
        )


def _training_code(plan: RunPlan) -> dict[str, bytes]:
    """Return the files of code that training runs, by the places where a folder keeps them."""
    root = plan.source.code
    made = (plan.dataset, plan.model, plan.scalarizer, *plan.threats.values())
    declaring = {local_file(type(one)) for one in made}
    used = set()
    for piece in pieces_of(plan.document, root):
        file = piece.file and piece.file.resolve()
        if file in declaring or piece.name == getattr(plan.model, "reference", None):
            used |= {file, *(module.resolve() for module in piece.modules.values())}
    _, files = kept_files(plan.document, root)
    return {place: file.read_bytes() for place, file in files.items() if file.resolve() in used}


def _digest(content: bytes) -> str:
    return digest_of_parts([content])
