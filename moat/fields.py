"""Refused fields: pydantic's findings in words, as an error of an object in Python."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING as NO_DEFAULT
from dataclasses import fields
from functools import wraps
from types import MappingProxyType
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from moat.annotations import fits, value_in_words
from moat.errors import FieldError, MoatError, did_you_mean

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
MISSING = ("missing", "missing_keyword_only_argument")
BY_PLACE = "unexpected_positional_argument"


_SUBJECT = re.compile(r"^[A-Z]\w* should")


def foremost(error: ValidationError) -> ErrorDetails:
    """Return the finding to be said: what explains a missing field goes before it."""
    return min(
        error.errors(), key=lambda one: (one["type"] not in UNKNOWN, one["type"] != BY_PLACE)
    )


def what_it_should_be(found: ErrorDetails) -> str:
    """Return what pydantic asks of a value, as in "should be greater than 0"."""
    return _SUBJECT.sub("should", found["msg"])


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
            raise _refusal(error, type(self), arguments, values) from error

    made.__init__ = initialise


class Fields(BaseModel):
    """A frozen table of validated fields, which refuses others with a FieldError."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def __init__(self, *by_place: Any, **values: Any) -> None:
        """Take the fields by name."""
        if by_place:
            raise _by_place(type(self), by_place, values)
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _refusal(error, type(self)) from error

    # A table within a table is validated by pydantic itself, whose findings know their place.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]


def moats_own(found: ErrorDetails) -> MoatError | None:
    """Return the error of moat's that was raised while a value was validated, if it was one."""
    error = found.get("ctx", {}).get("error")
    return error if isinstance(error, MoatError) else None


def _refusal(
    error: ValidationError,
    cls: Any,
    arguments: Sequence[Any] = (),
    values: Mapping[str, Any] = MappingProxyType({}),
) -> MoatError:
    found = foremost(error)
    if (own := moats_own(found)) is not None:
        return own
    known = _known(cls)
    kind, name = cls.__name__, ".".join(map(str, found["loc"]))
    match found["type"]:
        case unknown if unknown in UNKNOWN:
            return _unknown_fields(error, cls)
        case missing if missing in MISSING:
            return FieldError(
                f"{kind} needs the field {name!r}.", hint=f"Write {kind}({name}=...)."
            )
        case by_place if by_place == BY_PLACE:
            return _by_place(cls, arguments, values)
        case "value_error":
            return FieldError(f"{kind}: {found['ctx']['error']}.")
        case "dataclass_exact_type" if not name:
            return FieldError(f"{kind} needs its fields by name.", hint=_its_fields(known))
    asks = f"{kind}.{name} {what_it_should_be(found)}"
    said = f"{asks}, not {value_in_words(found['input'])}.{nearest_choice(found)}"
    return FieldError(said, hint=_unquoted(found, name))


def _unquoted(found: ErrorDetails, name: str) -> str:
    """Return how the text of a number, or of a fraction, is written as a number; "" of others."""
    text = found["input"]
    pattern = _TEXTS.get(found["type"])
    if pattern is None or not isinstance(text, str) or not pattern.fullmatch(text):
        return ""
    return f"Leave the quotes out: {name}={' / '.join(p.strip() for p in text.split('/'))}."


_WHOLE = re.compile(r"\s*[+-]?\d{1,9}\s*", re.ASCII)
_FRACTION = re.compile(
    r"\s*[+-]?[\d.]{1,20}(e[+-]?\d{1,3})?(\s*/\s*(?!0+\s*$)[\d.]{1,20})?\s*", re.ASCII | re.I
)
_TEXTS = {
    **dict.fromkeys(("int_type", "int_parsing"), _WHOLE),
    **dict.fromkeys(("float_type", "float_parsing"), _FRACTION),
}


def _unknown_fields(error: ValidationError, cls: Any) -> FieldError:
    """Return the error of every field that is unknown, each with the nearest one."""
    known = _known(cls)
    names = [str(one["loc"][-1]) for one in error.errors() if one["type"] in UNKNOWN]
    begun = (cls.__name__, *["It"] * (len(names) - 1))
    foreign: Mapping[str, str] = getattr(cls, "foreign_words", {})
    said = [
        f"{it} has no field {name!r}."
        + (f" {foreign[name]}" if name in foreign else did_you_mean(name, known))
        for it, name in zip(begun, names, strict=True)
    ]
    by_place = any(one["type"] == BY_PLACE for one in error.errors())
    return FieldError(
        " ".join(said), hint="\n".join([_its_fields(known), *(_elsewhere(cls) if by_place else [])])
    )


def _by_place(cls: Any, arguments: Sequence[Any], values: Mapping[str, Any]) -> FieldError:
    """Return the error of fields by place, with each plain value at the field that it fits."""
    plain = [one for one in arguments if isinstance(one, bool | int | float | str)]
    given = {key: value_in_words(one) for key, one in _named(cls, plain, values).items()}
    if not given:
        given = dict.fromkeys(_in_order(cls)[:1], "...")
    written = ", ".join(f"{key}={text}" for key, text in given.items())
    more = [] if len(plain) == len(arguments) else _elsewhere(cls)
    mend = "\n".join([f"Write {cls.__name__}({written}).", *more])
    return FieldError(f"{cls.__name__} needs its fields by name.", hint=mend)


def _named(cls: Any, plain: Sequence[Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values by the first free field that each fits, then those with a name already."""
    hints, order = get_type_hints(cls), [one for one in _in_order(cls) if one not in values]
    named: dict[str, Any] = {}
    for value in plain:
        free = [name for name in order if name not in named]
        fit = [name for name in free if fits(value, hints.get(name, Any))]
        named |= dict.fromkeys(fit[:1], value)
    return {**named, **values}


def _in_order(cls: Any) -> list[str]:
    """Return the fields: those that must be given, the class's own, and those that it inherits."""
    known, own = _known(cls), vars(cls).get("__annotations__", {})
    return sorted(known, key=lambda name: (not known[name], name not in own))


def _elsewhere(cls: Any) -> list[str]:
    """Return where what is not a field belongs, as a class may say."""
    said = getattr(cls, "given_later", "")
    return [said] if said else []


def _its_fields(known: dict[str, bool]) -> str:
    return f"Its fields: {', '.join(known) or 'none'}."


def _known(cls: Any) -> dict[str, bool]:
    """Return the fields of a class, and whether each has to be given."""
    if issubclass(cls, BaseModel):
        return {name: field.is_required() for name, field in cls.model_fields.items()}
    own = [field for field in fields(cls) if field.init]
    return {one.name: one.default is one.default_factory is NO_DEFAULT for one in own}
