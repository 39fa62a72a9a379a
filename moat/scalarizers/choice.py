"""A scalarizer, given as an object or by its name."""

from collections.abc import Mapping
from typing import Any

from moat.errors import DefinitionError, FieldError
from moat.public import public
from moat.scalarizers.base import Scalarizer, registry


@public
def scalarizer_for(choice: Any) -> Scalarizer:
    """Return a scalarizer as it is, or a new one by its name, with the defaults.

    Raises UnknownNameError with the nearest name, FieldError where a field has no default, and
    DefinitionError for anything else.

    Example:
        >>> scalarizer_for("max")
        Max()
    """
    if isinstance(choice, Scalarizer):
        return choice
    if isinstance(choice, str):
        cls = registry.get(choice)
        try:
            return cls()
        except FieldError as error:
            raise FieldError(
                error.message,
                hint=f"The name alone does not suffice: pass {cls.__name__}(...) with its fields, "
                f'in a recipe {{ type = "{choice}", ... }}.',
            ) from error
    given = f"the class {choice.__name__}" if isinstance(choice, type) else f"{choice!r}"
    raise DefinitionError(
        f"the scalarizer is {given}, not a scalarizer.",
        hint='Pass one of moat.scalarizers, such as Max(), or its name: "max".',
    )


def scalarizer_from(choice: Any) -> Scalarizer:
    """Return a scalarizer from a table with its `type`, or as `scalarizer_for` does.

    Example:
        >>> scalarizer_from({"type": "average", "include_natural": True})
        Average(include_natural=True)
    """
    if not isinstance(choice, Mapping):
        return scalarizer_for(choice)
    fields = dict(choice)
    name = fields.pop("type", None)
    if not isinstance(name, str):
        raise FieldError(
            "the table of a scalarizer needs its type.",
            hint=f"known: {', '.join(cls.name for cls in registry)}",
        )
    return registry.get(name)(**fields)
