"""A model named outside a recipe, for example on the command line."""

from collections.abc import Sequence

from moat.models import Model
from moat.recipe.code import require_consent_to_model
from moat.recipe.explain import explained
from moat.recipe.load import require_plain_document
from moat.recipe.model_reference import require_reference
from moat.recipe.objects import model_of
from moat.recipe.overrides import arguments
from moat.recipe.provenance import Source
from moat.recipe.schema import ModelTable


def named_model(reference: str, texts: Sequence[str] = ()) -> Model:
    """Return a model from a name as in `model.type`, with its other keys as `key=value`.

    Raises RecipeError with the wrong key.
    """
    require_reference(reference, f"--model {reference}")
    require_consent_to_model(reference, f"--model {reference}", typed=True)
    table, said_in = arguments(texts)
    document = {"model": {**table, "type": reference}}
    source = Source(document, {("model",): f"--model {reference}", **said_in}, study="")
    require_plain_document(source)
    with explained(source, ("model",), ModelTable):
        return model_of(ModelTable.model_validate(document["model"]), source)
