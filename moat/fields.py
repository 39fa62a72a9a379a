"""Fields that were refused: pydantic's findings in words, and the error of an object in Python."""

import re
import reprlib
from collections.abc import Callable
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from functools import wraps
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from moat.errors import FieldError, did_you_mean

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
MISSING = ("missing", "missing_keyword_only_argument")
BY_PLACE = "unexpected_positional_argument"


def foremost(error: ValidationError) -> ErrorDetails:
    """Return the finding to be said: what explains a missing field goes before it."""
    return min(error.errors(), key=lambda one: one["type"] not in (*UNKNOWN, BY_PLACE))


def what_it_should_be(found: ErrorDetails) -> str:
    """Return what pydantic asks of a value, as in "should be greater than 0"."""
    return found["msg"].removeprefix("Input ")


def nearest_choice(found: ErrorDetails) -> str:
    """Return " Did you mean 'x'?" for a word that is none of the choices, or nothing."""
    if found["type"] != "literal_error" or not isinstance(found["input"], str):
        return ""
    return did_you_mean(found["input"], re.findall("'(.*?)'", found["ctx"]["expected"]))


def with_explained_fields(made: Any) -> None:
    """Let a validated dataclass refuse its arguments with a FieldError in place of pydantic's own.

    pydantic's error stays its cause.
    """
    validated: Callable[..., None] = made.__init__

    @wraps(validated)
    def initialise(self: Any, *arguments: Any, **values: Any) -> None:
        try:
            validated(self, *arguments, **values)
        except ValidationError as error:
            raise _field_error(foremost(error), type(self)) from error

    made.__init__ = initialise


def _field_error(found: ErrorDetails, cls: Any) -> FieldError:
    known = [field for field in fields(cls) if field.init]
    names = [field.name for field in known]
    kind, name = cls.__name__, ".".join(map(str, found["loc"]))
    match found["type"]:
        case unknown if unknown in UNKNOWN:
            return FieldError(
                f"{kind} has no field {name!r}.{did_you_mean(name, names)}",
                hint=f"Its fields: {', '.join(names) or 'none'}.",
            )
        case missing if missing in MISSING:
            return FieldError(
                f"{kind} needs the field {name!r}.", hint=f"Write {kind}({name}=...)."
            )
        case by_place if by_place == BY_PLACE:
            asked = [field.name for field in known if field.default is NO_DEFAULT]
            given = "".join(f"{one}={_said(found['input'])}" for one in [*asked, *names][:1])
            return FieldError(f"{kind} takes its fields by name.", hint=f"Write {kind}({given}).")
        case "value_error":
            return FieldError(f"{kind}: {found['ctx']['error']}.")
    asks = f"{kind}.{name} {what_it_should_be(found)}"
    return FieldError(f"{asks}, not {_said(found['input'])}.{nearest_choice(found)}")


def _said(value: Any) -> str:
    """Return a value as Python writes it, what is long cut short; of others their type."""
    return reprlib.repr(value) if isinstance(value, _PLAIN) else f"of type {type(value).__name__}"


_PLAIN = (bool, int, float, str, bytes, list, tuple, dict, set, type(None))
