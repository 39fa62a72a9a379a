"""Construction of an object of a plug-in, whose own code may raise anything."""

from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from typing import Any

from pydantic import ValidationError

from moat.errors import DefinitionError, MoatError
from moat.threats.logits import said


def constructed(cls: Any, values: Mapping[str, Any]) -> Any:
    """Return an object of a class with these fields.

    Raises what refuses a field, and DefinitionError for what else the class's own code raises.
    """
    try:
        return cls(**values)
    except (MoatError, ValidationError):
        raise
    except (Exception, SystemExit) as error:
        name = getattr(cls, "name", "") or cls.__name__
        raise error_of_own_code(name, "made", error) from error


def error_of_own_code(name: str, what: str, error: BaseException) -> DefinitionError:
    """Return that an object cannot be made, or whatever `what` is, because its own code fails."""
    text = said(error) if isinstance(error, Exception) else repr(error)
    hint = "Its own code raises this: mend it there."
    if isinstance(error, FrozenInstanceError):
        hint = (
            "It is frozen and keeps nothing between calls: compute the value where it is used, or "
            "declare a field for it."
        )
    return DefinitionError(f"{name!r} cannot be {what}: {text.rstrip('.')}.", hint=hint)
