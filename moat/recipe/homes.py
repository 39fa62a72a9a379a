"""The right table of a misplaced key."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields, is_dataclass
from itertools import takewhile
from typing import Any, get_args

from pydantic import BaseModel

from moat import data, models, scalarizers, threats
from moat.errors import MoatError, RecipeError, synonym_of
from moat.recipe.evaluation_keys import EVALUATION_KEYS
from moat.recipe.explain import UnknownKeyError
from moat.recipe.provenance import Document, Key
from moat.recipe.schema import (
    DataTable,
    EvaluationTable,
    LegsTable,
    ModelTable,
    Recipe,
    ThreatTable,
    VariantTable,
)
from moat.registry import Registry


@contextmanager
def naming_homes(document: Document) -> Iterator[None]:
    """Name in the error for an unknown key the table to which it belongs, if any."""
    try:
        yield
    except UnknownKeyError as error:
        if error.key and (home := key_home(error.key, error.inside, document)):
            message = f"unknown key. Did you mean {home!r}?"
            raise RecipeError(message, error.where, error.hint) from error
        raise


def key_home(key: str, inside: Key, document: Document) -> str:
    """Return the dotted place of a key unknown in its own table, "" if no table has it.

    `inside` is the table in which it was written. Other libraries' names of a key count.
    """
    wanted, inside = (key, synonym_of(key)), _by_name(inside, document)
    found = {
        home: name
        for home, known in _homes(document)
        if home != inside and (name := next((one for one in wanted if one in known), ""))
        if not (inside[:1] == home[:1] == ("variant",) and inside[:2] != home[:2])
    }
    if not found:
        return ""
    nearest = max(found, key=lambda home: _shared(home, inside))
    return ".".join((*nearest, found[nearest]))


def _shared(one: Key, other: Key) -> int:
    """Return how many parts two places have in common from the top."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))])


def _by_name(inside: Key, document: Document) -> Key:
    """Write a place with a variant's name where it has the variant's number."""
    listed = document.get("variant")
    if inside[:1] == ("variant",) and len(inside) > 1 and isinstance(listed, list):
        number = int(inside[1]) if inside[1].isdigit() else len(listed)
        named = listed[number].get("name") if number < len(listed) else None
        return ("variant", str(named), *inside[2:])
    return inside


def _homes(document: Document) -> Iterator[tuple[Key, list[str]]]:
    yield (), [*Recipe.model_fields]
    for name in ("training", "optimizer", "schedule", "augmentation"):
        yield (name,), _keys(Recipe.model_fields[name].annotation, document.get(name))
    yield ("data",), [*DataTable.model_fields, *_registered(data.registry, document.get("data"))]
    own = _registered(models.registry, document.get("model"))
    yield ("model",), [*ModelTable.model_fields, *own]
    yield ("evaluation",), [*EvaluationTable.model_fields]
    labels = document.get("threats")
    for called, threat in labels.items() if isinstance(labels, dict) else ():
        own = _registered(threats.registry, threat, called)
        yield ("threats", called), [*ThreatTable.model_fields, *own]
        yield ("threats", called, "evaluate"), [*EVALUATION_KEYS]
    listed = document.get("variant")
    for variant in listed if isinstance(listed, list) else ():
        if isinstance(variant, dict):
            place = ("variant", str(variant.get("name")))
            yield place, [*VariantTable.model_fields]
            if variant.get("path"):
                yield (*place, "legs"), [*LegsTable.model_fields]
            made = variant.get("scalarizer", "average")
            label = made if isinstance(made, str) else ""
            yield (*place, "scalarizer"), _registered(scalarizers.registry, made, label)


def _keys(annotation: Any, table: object) -> list[str]:
    """Return the keys of a table's class, of several that which its type names, else of all."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [*annotation.model_fields]
    members: list[Any] = [one for one in get_args(annotation) if isinstance(one, type)]
    named = table.get("type") if isinstance(table, dict) else None
    chosen = [one for one in members if one.model_fields["type"].default == named] or members
    return [key for member in chosen for key in member.model_fields]


def _registered(registry: Registry[Any], table: object, label: str = "") -> list[str]:
    name: Any = table.get("type", label) if isinstance(table, dict) else label
    with suppress(MoatError):
        cls = registry.get(name) if name and isinstance(name, str) else None
        return [one.name for one in fields(cls)] if cls and is_dataclass(cls) else []
    return []
