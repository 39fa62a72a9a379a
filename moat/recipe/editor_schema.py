"""The JSON schema of a recipe, by which editors complete and check it."""

from copy import deepcopy
from typing import Any

from pydantic import TypeAdapter

from moat import data, models, scalarizers, threats
from moat.recipe.length import BUDGET_KEY
from moat.recipe.schema import Recipe, VariantTable
from moat.recipe.shorthand import FRACTION
from moat.registry import Registry
from moat.training.losses import LOSS_CLASSES


def json_schema() -> dict[str, Any]:
    """Return the JSON schema of a recipe, with the keys of everything that is registered.

    `extends` is resolved before validation, so the schema lists it, requires nothing that a base
    may say, and takes `false` for a table of the base that is left out; names that it does not know
    may be a local plug-in's, so they pass.
    """
    schema = Recipe.model_json_schema()
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["properties"]["code"] = {"type": "string", "description": "A folder of modules."}
    schema["properties"]["extends"] = {"type": "string", "description": "A recipe to extend."}
    schema["properties"][BUDGET_KEY[0]] = _budget(schema)
    tables: dict[str, Registry[Any]] = {
        "DataTable": data.registry,
        "ModelTable": models.registry,
        "ThreatTable": threats.registry,
    }
    for table, registry in tables.items():
        schema["$defs"][table] |= _any_of(registry, schema)
    schema["$defs"]["Scalarizer"] = _any_of(scalarizers.registry, schema)
    schema["$defs"]["VariantTable"]["properties"]["scalarizer"] = {
        "anyOf": [{"type": "string"}, {"$ref": "#/$defs/Scalarizer"}],
        "default": VariantTable.model_fields["scalarizer"].default,
    }
    schema["$defs"]["VariantTable"]["properties"]["losses"] = _losses(schema)
    for title, table in (("", schema), *schema["$defs"].items()):
        if title not in _WHOLE:
            table.pop("required", None)
    for key in ("optimizer", "schedule"):  # without its type a table may be several
        schema["properties"][key]["anyOf"] = schema["properties"][key].pop("oneOf")
    top = schema["properties"]
    for key in ("augmentation", "schedule", "threats", "evaluation", "published"):
        top[key] = _or_left_out(top[key])
    labels = top["threats"]["anyOf"][0]["patternProperties"]
    labels |= {pattern: _or_left_out(_or_its_type(table)) for pattern, table in labels.items()}
    for key in ("data", "model", "optimizer", "schedule"):
        top[key] = _or_its_type(top[key])
    for holder in (top, schema["$defs"]["VariantTable"]["properties"]):
        holder["start"]["anyOf"].append({"type": "string"})
    legs = schema["$defs"]["LegsTable"]["properties"]
    legs["schedule"] = {"anyOf": [*legs["schedule"].pop("oneOf"), {"type": "string"}]}
    _take_fractions(schema)
    return schema


def _budget(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the table that is short for the passes of [training]."""
    passes = schema["$defs"]["Training"]["properties"]["passes"]
    return {
        "type": "object",
        "description": "A budget in place of training.epochs.",
        "properties": {BUDGET_KEY[1]: deepcopy(passes)},
        "required": [BUDGET_KEY[1]],
        "additionalProperties": False,
    }


_WHOLE = ("VariantTable", "Relationship", "Difference")
"""Tables of arrays, which are replaced: each is always said whole."""


def _or_left_out(table: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [table, {"const": False}]}


def _or_its_type(table: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [table, {"type": "string"}]}


def _take_fractions(node: Any) -> None:
    """Let the text of a fraction stand for every number that need not be whole."""
    if isinstance(node, dict):
        if node.get("type") == "number":
            node |= {"type": ["number", "string"], "pattern": f"^{FRACTION}$"}
        for below in node.values():
            _take_fractions(below)
    elif isinstance(node, list):
        for below in node:
            _take_fractions(below)


def _any_of(registry: Registry[Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Describe a table by each registered class, and by anything under another name."""
    known = {"enum": [cls.name for cls in registry]}
    other = {"title": "a local plug-in's", "properties": {"type": {"not": known}}}
    return {"type": "object", "anyOf": [*(_fields_of(cls, schema) for cls in registry), other]}


def _losses(schema: dict[str, Any]) -> dict[str, Any]:
    """Describe what the parameters descend: one loss for all, or a table of them by objective."""
    classes = [cls.model_json_schema() for cls in LOSS_CLASSES.values()]
    schema["$defs"]["Loss"] = {"anyOf": [{"enum": list(LOSS_CLASSES)}, *classes]}
    one = {"$ref": "#/$defs/Loss"}
    return {"anyOf": [one, {"type": "object", "additionalProperties": one}], "default": {}}


def _fields_of(cls: Any, schema: dict[str, Any]) -> dict[str, Any]:
    described = TypeAdapter(cls).json_schema()
    schema["$defs"] |= described.get("$defs", {})
    return {
        "title": cls.name,
        "description": (cls.__doc__ or "").partition("\n")[0],
        "properties": {"type": {"const": cls.name}, **described.get("properties", {})},
    }
