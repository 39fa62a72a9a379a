"""A model named outside a recipe, for example on the command line."""

from collections.abc import Sequence

from moat.errors import RecipeError
from moat.models import Model
from moat.models.python import PYTHON_PREFIX
from moat.models.torchvision import TORCHVISION_PREFIX
from moat.recipe.code import require_consent_to_model
from moat.recipe.explain import explained
from moat.recipe.load import require_plain_document
from moat.recipe.objects import model_of
from moat.recipe.overrides import arguments
from moat.recipe.provenance import Source
from moat.recipe.schema import ModelTable


def named_model(reference: str, texts: Sequence[str] = ()) -> Model:
    """Return the model of a name as in `model.type`, and of its other keys as `key=value` each.

    Raises RecipeError that says which of them is wrong.
    """
    if reference.count(":") == 1 and not reference.startswith((PYTHON_PREFIX, TORCHVISION_PREFIX)):
        module, _, name = reference.partition(":")
        module = module.removesuffix(".py").removeprefix("./").replace("/", ".")
        meant = f"{PYTHON_PREFIX}{module}:{name}"
        raise RecipeError(
            f"no model is called {reference!r}. Did you mean {meant!r}?",
            where=f"--model {reference}",
            hint="Write a network of your own as python:module:callable.",
        )
    require_consent_to_model(reference, f"--model {reference}", typed=True)
    table, said_in = arguments(texts)
    document = {"model": {**table, "type": reference}}
    source = Source(document, {("model",): f"--model {reference}", **said_in}, study="")
    require_plain_document(source)
    with explained(source, ("model",), ModelTable):
        return model_of(ModelTable.model_validate(document["model"]), source)
