"""A recipe with every key, defaults included, and the origin of each."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from math import isfinite
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from moat import data, models, scalarizers, threats
from moat.models.python import PYTHON_PREFIX
from moat.models.torchvision import TORCHVISION_PREFIX, torchvision_model
from moat.recipe.build import DEFAULT_SCALARIZER
from moat.recipe.length import BUDGET_KEY, PASSES
from moat.recipe.losses import is_one_loss
from moat.recipe.plan import RunPlan, described
from moat.recipe.provenance import Document, Key, Source, is_table
from moat.recipe.schema import (
    DataTable,
    EvaluationTable,
    LegsTable,
    ModelTable,
    Recipe,
    StartTable,
    VariantTable,
)
from moat.recipe.statement_lines import statement_lines
from moat.registry import Registry
from moat.scalarizers import Scalarizer
from moat.training.losses import LOSS_CLASSES

BY_DEFAULT = "default"
_OWN_RULES = ("scalarizer", "losses", "sweep", "path", "legs", "start")
"""Keys of a variant whose defaults are written out by rules of their own, or not at all."""


@dataclass(frozen=True)
class ResolvedRecipe:
    """The document of a recipe with its defaults, and the origin of each key.

    The origin is "file:line", "--set key=value", or "default". `unset` are keys without a value by
    default, which TOML cannot express.
    """

    document: Document
    origins: Mapping[Key, str]
    unset: tuple[Key, ...]


def resolved(source: Source, plans: Iterable[RunPlan], only: Iterable[str] = ()) -> ResolvedRecipe:
    """Return the resolved form of a recipe, which its planned runs have validated.

    A table whose `type` is swept keeps what was stated alone, since defaults belong to one type.
    Of the variants only those named in `only` are returned, of several seeds those planned.
    """
    defaults = _Defaults(source)
    defaults.fill()
    document = dict(defaults.document)
    origins = {**_stated(source), **dict.fromkeys(defaults.added, BY_DEFAULT)}
    wanted = set(only)
    kept = [n for n, one in enumerate(document["variant"]) if not wanted or one["name"] in wanted]
    if len(kept) < len(defaults.document["variant"]):
        document.pop("figure", None)  # which may be of variants that are left out
    if source.code is not None:
        document["code"] = str(source.code)
    document["variant"] = [defaults.document["variant"][number] for number in kept]
    document["seeds"] = list(dict.fromkeys(plan.seed for plan in plans))
    places: dict[Key, Key] = {
        ("variant", str(old)): ("variant", str(new)) for new, old in enumerate(kept)
    }

    def moved(key: Key) -> Key | None:
        if key[:1] != ("variant",) or len(key) == 1:
            return key
        return (*places[key[:2]], *key[2:]) if key[:2] in places else None

    renamed = {place: said for key, said in origins.items() if (place := moved(key)) is not None}
    unset = tuple(place for key in defaults.unset if (place := moved(key)) is not None)
    return ResolvedRecipe(document, renamed, unset)


def _stated(source: Source) -> dict[Key, str]:
    """Return the file and line, or the override, that stated each key."""
    files: dict[str, dict[Key, int]] = {}
    origins = {}
    for key, said in source.said_in.items():
        if said not in files:
            path = Path(said)
            known = not said.startswith("--") and path.is_file()
            files[said] = statement_lines(path.read_text("utf-8-sig")) if known else {}
        line = files[said].get(key) or (files[said].get(BUDGET_KEY) if key == PASSES else None)
        origins[key] = said if line is None else f"{said}:{line}"
    return origins


class _Defaults:
    """Fills the tables of a document, and keeps which keys that adds."""

    def __init__(self, source: Source) -> None:
        self.document: Document = deepcopy(source.document)
        self.added: list[Key] = []
        self.unset: list[Key] = []
        tables = self.document["variant"]
        changing = (table.get(name, {}) for table in tables for name in ("sweep", "path"))
        self.swept = {key for values in changing for key in values}

    def fill(self) -> None:
        document = self.document
        recipe = Recipe.model_validate(document)
        self._values((), {"seeds": recipe.seeds})
        self._values(("data",), _defaults_of(DataTable))
        self._registered(("data",), data.registry, document["data"].get("type"))
        self._values(("model",), _defaults_of(ModelTable))
        self._model(document["model"]["type"])
        for name in ("augmentation", "training", "optimizer", "schedule"):
            if f"{name}.type" not in self.swept and name not in self.swept:
                self._values((name,), getattr(recipe, name).model_dump())
        for label, table in document.get("threats", {}).items():
            self._registered(("threats", label), threats.registry, table.get("type", label))
        self._values(("evaluation",), _defaults_of(EvaluationTable))
        if is_table(document.get("start")):
            self._values(("start",), {"optimizer": _defaults_of(StartTable)["optimizer"]})
        for number in range(len(document["variant"])):
            self._variant(("variant", str(number)))

    def _variant(self, key: Key) -> None:
        table = self._table(key)
        self._values(key, _defaults_of(VariantTable, without=_OWN_RULES))
        if table.get("path"):
            self._legs((*key, "legs"))
        if is_table(table.get("start")):
            self._values((*key, "start"), {"optimizer": _defaults_of(StartTable)["optimizer"]})
        swept = {**table.get("sweep", {}), **table.get("path", {})}
        if "losses" in table and not any(one.split(".")[0] == "losses" for one in swept):
            self._losses((*key, "losses"), table["losses"])
        if "scalarizer" in swept or "scalarizer.type" in swept:
            return
        rule = table.get("scalarizer", DEFAULT_SCALARIZER)
        if "scalarizer" not in table:
            self.added += [(*key, "scalarizer"), (*key, "scalarizer", "type")]
        table["scalarizer"] = rule = {"type": rule} if isinstance(rule, str) else rule
        self._values((*key, "scalarizer"), _fields_of(scalarizers.registry.get(rule["type"])))

    def _legs(self, key: Key) -> None:
        """Write out the settings of a path's legs."""
        table = self._table(key)
        said = LegsTable.model_validate(table)
        if isinstance(table.get("schedule"), str):
            table["schedule"] = {"type": table["schedule"]}
        self._values(key, _defaults_of(LegsTable, without=("schedule",)))
        self._values((*key, "schedule"), said.schedule.model_dump())

    def _losses(self, key: Key, said: Any) -> None:
        """Write out a loss, or each of a table of them."""
        if not is_one_loss(said):
            for name, loss in said.items():
                self._losses((*key, name), loss)
            return
        held = self._table(key[:-1])
        held[key[-1]] = table = {"type": said} if isinstance(said, str) else said
        self._values(key, _defaults_of(LOSS_CLASSES[table["type"]]))

    def _registered(self, key: Key, registry: Registry[Any], name: str) -> None:
        dotted = ".".join(key)
        if dotted not in self.swept and f"{dotted}.type" not in self.swept:
            self._values(key, _fields_of(registry.get(name)))

    def _model(self, name: str) -> None:
        if name.startswith(TORCHVISION_PREFIX):
            self._values(("model",), _fields_of(torchvision_model(name)))
        elif not name.startswith(PYTHON_PREFIX):
            self._registered(("model",), models.registry, name)

    def _table(self, key: Key) -> Document:
        held: Any = self.document
        for part in key:
            if isinstance(held, list):
                held = held[int(part)]
                continue
            if part not in held:
                held[part] = {}
                self.added.append(key[: key.index(part) + 1])
            held = held[part]
        return held  # type: ignore[no-any-return]

    def _values(self, key: Key, defaults: Mapping[str, Any]) -> None:
        table = self._table(key)
        for name, value in defaults.items():
            if name in table:
                continue
            if (plain := _plain(value)) is None:
                self.unset.append((*key, name))
            else:
                table[name] = plain
                self.added.append((*key, name))


def _defaults_of(table: type[BaseModel], without: Iterable[str] = ()) -> dict[str, Any]:
    """Return the defaults of a table's own keys; nothing of a key that is required."""
    known = table.model_fields.items()
    values = {n: field.get_default(call_default_factory=True) for n, field in known}
    return {n: v for n, v in values.items() if n not in without and v is not PydanticUndefined}


def _fields_of(cls: Any) -> dict[str, Any]:
    """Return the defaults of the fields of a registered class."""
    if not is_dataclass(cls):
        return {}
    made = cls.__pydantic_fields__ if hasattr(cls, "__pydantic_fields__") else {}
    values = {}
    for field in fields(cls):
        known = made.get(field.name)
        value = field.default if known is None else known.get_default(call_default_factory=True)
        if field.init and value is not MISSING and value is not PydanticUndefined:
            values[field.name] = value
    return values


def _plain(value: Any) -> Any:
    """Return a value as TOML has it; None of one that it has not."""
    match value:
        case Enum():
            return _plain(value.value)
        case bool() | int() | str():
            return value
        case float():
            return value if isfinite(value) else None
        case Path():
            return str(value)
        case Scalarizer():
            return described(value)
        case list() | tuple():
            entries = [_plain(entry) for entry in value]
            return None if None in entries else entries
        case dict():
            table = {name: _plain(entry) for name, entry in value.items()}
            return None if None in table.values() else table
    return None
