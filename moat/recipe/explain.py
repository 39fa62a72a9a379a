"""From pydantic's findings to errors of a recipe: place, fault, nearest name, mend."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from moat.errors import FieldError, MoatError, RecipeError, did_you_mean, synonym_of
from moat.fields import (
    MISSING,
    UNKNOWN,
    foremost,
    moats_own,
    nearest_choice,
    what_it_should_be,
)
from moat.recipe.evaluation_keys import EVALUATION_KEYS
from moat.recipe.mends import mend_of
from moat.recipe.provenance import Key, Source
from moat.short_text import cut_short

IN_WORDS = {
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "should be a table"),
    **dict.fromkeys(("list_type", "tuple_type"), "should be a list"),
    "too_short": "should have at least one entry",
    "string_pattern_mismatch": "should start with a letter or a digit and go on with these or "
    "with '.', '-' and '_'",
    "is_instance_of": "should be the path of a file or folder",
}

UNSAID = ("str", "dict[str,any]", "[key]")
"""Parts of pydantic's paths that no recipe contains."""


class UnknownKeyError(RecipeError):
    """A key that is unknown in its table, and may belong to another."""

    key = ""
    """The key as it was written, "" where its table knows it by another name."""
    inside: tuple[str, ...] = ()
    """The table that it was written in."""


@contextmanager
def explained(
    source: Source, key: tuple[str, ...], cls: type, inside: str = "", also: Iterable[str] = ()
) -> Iterator[None]:
    """Raise RecipeError with the place in the recipe of any refusal inside.

    `cls` is the class of the table at `key`, `also` are further keys of the table, and `inside` is
    a table within it that may have set a key.
    """
    try:
        yield
    except (ValidationError, FieldError) as error:
        refused = error if isinstance(error, ValidationError) else error.__cause__
        assert isinstance(refused, ValidationError)  # a recipe gives every field by name
        raise _explain(foremost(refused), source, key, cls, inside, also) from error
    except MoatError as error:
        where = error.where or source.where(*key)
        raise RecipeError(error.message, where, error.hint) from error


def _explain(
    found: ErrorDetails,
    source: Source,
    key: tuple[str, ...],
    cls: type,
    inside: str,
    also: Iterable[str],
) -> RecipeError:
    inner = tuple(str(part) for part in found["loc"])
    judged = inside == "evaluate" and inner[:1] and inner[0] in EVALUATION_KEYS
    said_inside = (*key, inside, *inner) in source.said_in and not judged
    path = _as_said((*key, inside, *inner) if said_inside else (*key, *inner), source)
    kind, context = found["type"], found.get("ctx", {})
    if kind.startswith("union_tag"):
        return _explain_tag(found["input"], context, source.where(*path, "type"), cls, inner)
    where = source.where(*path)
    if kind in UNKNOWN:
        extra = [*EVALUATION_KEYS] if inside == "evaluate" else []
        known = [*_keys_of(cls, inner[:-1]), *(extra if said_inside else also)]
        refused = UnknownKeyError(
            f"unknown key.{did_you_mean(inner[-1], known)}",
            where=where,
            hint=f"known: {', '.join(sorted(known))}",
        )
        refused.key = "" if synonym_of(inner[-1]) in known else inner[-1]
        refused.inside = path[:-1]
        return refused
    if kind in MISSING:
        return RecipeError("this key is required and missing.", where=where)
    if (own := moats_own(found)) is not None:
        return RecipeError(own.message, own.where or where, own.hint)
    if kind == "value_error":
        return RecipeError(str(context["error"]) + ".", where=where)
    if kind == "string_too_long":
        return _too_long(found["input"], context["max_length"], path, where)
    message = IN_WORDS.get(kind) or what_it_should_be(found)
    if found["loc"][-1:] == ("str",):
        message = "should be a name or a table with a type"
    near = nearest_choice(found)
    mend = mend_of(kind, found["input"], path, where) if message not in _NO_KIND else ""
    return RecipeError(f"{message}, not {_as_toml(found['input'])}.{near}", where, mend)


def _too_long(value: str, most: int, path: Key, where: str) -> RecipeError:
    shown = "" if value in where else f": {cut_short(repr(value))}"
    return RecipeError(
        f"should have at most {most:,} letters, and has {len(value):,}{shown}.",
        where,
        mend_of("string_too_long", value, path, where),
    )


_NO_KIND = ("should be a name or a table with a type",)


def _explain_tag(
    table: Any, context: dict[str, Any], where: str, cls: type, inner: tuple[str, ...]
) -> RecipeError:
    """Explain the `type` of a table that chooses between classes."""
    members = _tables_in(_annotation(cls, inner[0]))
    known = [member.model_fields["type"].default for member in members]
    hint = f"known: {', '.join(known)}"
    if "tag" not in context:
        return RecipeError("this key is required and missing.", where=where, hint=hint)
    tag = str(context["tag"])
    return RecipeError(
        f"no {inner[0]} is called {tag!r}.{did_you_mean(tag, known)}", where=where, hint=hint
    )


def _as_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    return cut_short(repr(value) if isinstance(value, str | list) else str(value))


def _as_said(path: tuple[str, ...], source: Source) -> tuple[str, ...]:
    """Leave out what pydantic adds to a path: the member of a union, for one."""
    held: Any = source.document
    kept: list[str] = []
    for number, part in enumerate(path):
        said = isinstance(held, dict) and part in held
        if not said and (part in UNSAID or (isinstance(held, dict) and number < len(path) - 1)):
            continue
        kept.append(part)
        if isinstance(held, dict):
            held = held.get(part)
        elif isinstance(held, list) and part.isdigit() and int(part) < len(held):
            held = held[int(part)]
        else:
            held = None
    return tuple(kept)


def _keys_of(cls: type, inner: Iterable[str]) -> list[str]:
    """Return the keys that the table at the end of a path takes, as far as its class says."""
    members: list[Any] = [cls]
    for part in inner:
        if part.isdigit():  # a place in an array
            continue
        if len(members) > 1:
            members = [m for m in members if m.model_fields["type"].default == part]
        elif annotation := _annotation(members[0], part):
            members = _tables_in(annotation) or members
    if _is_table(members[0]):
        return list(members[0].model_fields)
    return [field.name for field in fields(members[0])] if is_dataclass(members[0]) else []


def _tables_in(annotation: Any) -> list[Any]:
    """Return the classes of tables that an annotation is made of: a union's, an array's."""
    if _is_table(annotation):
        return [annotation]
    return [table for part in get_args(annotation) for table in _tables_in(part)]


def _annotation(cls: Any, name: str) -> Any:
    known = _is_table(cls) and name in cls.model_fields
    return cls.model_fields[name].annotation if known else None


def _is_table(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, BaseModel)
