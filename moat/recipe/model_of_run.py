"""The model of a run, from the model's table of its recipe alone."""

from copy import deepcopy
from dataclasses import replace
from typing import Any

from moat.kept_modules import modules_of
from moat.models import Model
from moat.recipe.code import require_consent_to
from moat.recipe.explain import explained
from moat.recipe.load import require_plain_document
from moat.recipe.objects import import_plugins, model_of, with_digests
from moat.recipe.overrides import set_key
from moat.recipe.plan import described
from moat.recipe.provenance import Document, Source
from moat.recipe.schema import ModelTable


def model_of_run(source: Source, *, own_code: bool = False) -> Model:
    """Return the model that the recipe of one run names, the values of its sweep applied.

    `own_code` says that a plug-in declares it: then the recipe's plug-ins run, and else none.
    Raises RecipeError, and CodeError for code that may not run.
    """
    document = _model_alone(source.document, source)
    source = replace(source, document={**source.document, "model": document["model"]})
    with explained(source, (), ModelTable):
        require_plain_document(source)
    with explained(source, ("model",), ModelTable):
        table = ModelTable.model_validate(document["model"])
    plugins = _texts(source.document.get("plugins")) if own_code else []
    with modules_of(source.code):
        if plugins:
            require_consent_to(plugins, source)
            import_plugins(plugins, source)
        return with_digests(model_of(table, source), document)


def described_model(model: Model) -> dict[str, Any]:
    """Return what identifies a model, as a run's record has it."""
    return described(model)


def _model_alone(document: Document, source: Source) -> Document:
    """Return a document of the model's table, with what the one variant's sweep sets in it."""
    alone: Document = {"model": deepcopy(document.get("model"))}
    variants = document.get("variant")
    for variant in variants if isinstance(variants, list) else []:
        sweep = variant.get("sweep") if isinstance(variant, dict) else None
        for key, values in sweep.items() if isinstance(sweep, dict) else ():
            path = tuple(key.split("."))
            if path[0] == "model" and isinstance(values, list) and len(values) == 1:
                set_key(alone, path, values[0], source.where("variant"))
    return alone


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
