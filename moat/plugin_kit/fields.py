"""An object of a class, of what is set on the command line and what is typical of it."""

from collections.abc import Mapping, Sequence
from typing import Any, get_origin

from moat.errors import DefinitionError, RecipeError
from moat.plugin_kit.kinds import kind_of
from moat.recipe.objects import filled
from moat.recipe.overrides import override
from moat.recipe.provenance import Document, Key, Source
from moat.testing.made_up_training import MadeUpTraining

TYPICAL_EPSILON, TYPICAL_STEP_SIZE = 0.15, 0.02
"""A radius and a step at which a few steps on small images tell, whatever the unit."""


def set_fields(texts: Sequence[str]) -> Source:
    """Return the fields set by `key=value` texts, with the source of each key."""
    document: Document = {}
    said_in: dict[Key, str] = {}
    for text in texts:
        override(document, said_in, text)
    return Source(document, said_in, study="")


def made_of(cls: Any, settings: Source, name: str) -> Any:
    """Return an object with the fields that are set; what else it needs is typical of it.

    `typical` of its class says what, else a guess by the names of its fields: a radius, a step, a
    number for each objective. Raises RecipeError for a setting that it does not take, and
    DefinitionError that says which field it needs.
    """
    if not (getattr(cls, "name", "") and hasattr(cls, "__pydantic_fields__")):
        raise DefinitionError(
            f"the class {cls.__name__} is not declared, so it has neither name nor fields.",
            hint=f'Write @{kind_of(cls)}("{cls.__name__.lower()}") before it.',
        )
    typical = {**_guessed(cls), **cls.typical}
    whole = {**typical, **settings.document}
    try:
        return filled(cls, whole, settings, (), ())
    except RecipeError as error:
        refused = _needs(cls, whole, name) or error
    try:  # what is set may stand in the place of what is typical
        return filled(cls, settings.document, settings, (), ())
    except RecipeError as error:
        raise refused from error


def _guessed(cls: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, field in cls.__pydantic_fields__.items():
        if not field.is_required() and field.get_default() is not None:
            continue
        if name.endswith("step_size"):
            found[name] = TYPICAL_STEP_SIZE
        elif name.endswith("epsilon"):
            found[name] = TYPICAL_EPSILON
        elif get_origin(field.annotation) is dict and field.is_required():
            names = MadeUpTraining().names_for()
            found[name] = dict.fromkeys(names, 1 / len(names))
    return found


def _needs(cls: Any, given: Mapping[str, Any], name: str) -> DefinitionError | None:
    """Return the error of a field that must be set, None where there is no such."""
    known = cls.__pydantic_fields__.items()
    missing = [key for key, field in known if field.is_required() and key not in given]
    if not missing:
        return None
    return DefinitionError(
        f"{name!r} needs the field {missing[0]!r}, which has no default.",
        hint=f"Set it: moat check {name} --set {missing[0]}=VALUE. A class may say what it is "
        "checked with: typical = {...}, a table of its fields.",
    )
