"""From pydantic's findings to moat's errors: where, what, nearest, mend."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from moat.errors import MoatError, RecipeError, did_you_mean
from moat.recipe.load import Source

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")


@contextmanager
def explained(source: Source, key: tuple[str, ...], cls: type, inside: str = "") -> Iterator[None]:
    """Say where in the recipe something was refused, whoever refused it.

    `cls` is what the table at `key` fills; `inside` a table within it that may have said a key.
    """
    try:
        yield
    except ValidationError as error:
        raise _explain(error, source, key, cls, inside) from error
    except MoatError as error:
        raise error if error.where else error.at(source.where(*key)) from error


def _explain(
    error: ValidationError, source: Source, key: tuple[str, ...], cls: type, inside: str
) -> RecipeError:
    first = error.errors()[0]
    inner = tuple(str(part) for part in first["loc"])
    said_inside = (*key, inside, *inner) in source.said_in
    path = _without_union_tags((*key, inside, *inner) if said_inside else (*key, *inner), source)
    where = source.where(*path)
    if first["type"] in UNKNOWN:
        known = _keys_of(cls, inner[:-1])
        name = str(first["loc"][-1])
        hint = f"known: {', '.join(sorted(known))}" if known else ""
        return RecipeError(f"unknown key.{did_you_mean(name, known)}", where=where, hint=hint)
    if first["type"] in ("missing", "missing_keyword_only_argument"):
        return RecipeError("this key is required and missing.", where=where)
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    message = message[:1].lower() + message[1:]
    found = first["input"]
    shown = "" if isinstance(found, dict) or type(found).__name__ == "ArgsKwargs" else found
    asked = f"{message}, not {found!r}." if shown != "" else f"{message}."
    return RecipeError(asked, where=where)


def _without_union_tags(path: tuple[str, ...], source: Source) -> tuple[str, ...]:
    """Leave out pydantic's names of union members, which no recipe contains."""
    held: Any = source.document
    kept: list[str] = []
    for number, part in enumerate(path):
        if isinstance(held, dict) and part not in held and number < len(path) - 1:
            continue
        kept.append(part)
        if isinstance(held, dict):
            held = held.get(part)
        elif isinstance(held, list) and part.isdigit() and int(part) < len(held):
            held = held[int(part)]
        else:
            held = None
    return tuple(kept)


def _keys_of(cls: Any, inner: Iterable[str]) -> list[str]:
    """Return the keys that the table at the end of a path takes, as far as its class says."""
    for part in inner:
        annotation = cls.model_fields[part].annotation if _has(cls, part) else None
        for member in (annotation, *getattr(annotation, "__args__", ())):
            if isinstance(member, type) and issubclass(member, BaseModel):
                cls = member
    if isinstance(cls, type) and issubclass(cls, BaseModel):
        return list(cls.model_fields)
    return [field.name for field in fields(cls)] if is_dataclass(cls) else []


def _has(cls: Any, name: str) -> bool:
    return isinstance(cls, type) and issubclass(cls, BaseModel) and name in cls.model_fields
