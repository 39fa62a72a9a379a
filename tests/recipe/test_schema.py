import tomllib
from pathlib import Path
from typing import Any

import pytest

from moat import data, models, scalarizers, threats
from moat.recipe import json_schema

RECIPES = sorted((Path(__file__).parents[2] / "recipes").rglob("*.toml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


def keys_of(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of a node and of everything that it refers to."""
    found = dict(node.get("properties", {}))
    for other in [*node.get("anyOf", ()), *node.get("allOf", ())]:
        found |= {k: v for k, v in keys_of(schema, other).items() if k not in found}
    if "$ref" in node:
        found |= keys_of(schema, schema["$defs"][node["$ref"].rpartition("/")[2]])
    return found


def unknown(schema: dict[str, Any], node: dict[str, Any], table: dict[str, Any]) -> list[str]:
    """Return the keys of a table that the schema does not know, with dots."""
    known, missing = keys_of(schema, node), []
    for key, value in table.items():
        if key not in known:
            missing.append(key)
        elif isinstance(value, dict) and (keys_of(schema, known[key])):
            missing += [f"{key}.{inner}" for inner in unknown(schema, known[key], value)]
    return missing


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_schema_knows_every_key_of_the_recipes_of_the_repository(schema, path):
    document = tomllib.loads(path.read_text("utf-8"))
    assert unknown(schema, schema, document) == []
    variant = schema["$defs"]["VariantTable"]
    for table in document.get("variant", []):
        losses = table.pop("losses", {})  # by objective
        assert unknown(schema, variant, table) == []
        tables = [loss for loss in losses.values() if isinstance(loss, dict)]
        assert [unknown(schema, schema["$defs"]["Loss"], loss) for loss in tables] == [[]] * len(
            tables
        )
    for table in document.get("figure", []):
        kind = schema["$defs"][table["type"].capitalize()]
        assert unknown(schema, kind, table) == []
    threat = schema["$defs"]["ThreatTable"]
    for table in filter(None, document.get("threats", {}).values()):  # false leaves one out
        judged = keys_of(schema, threat["properties"]["evaluate"])
        own = {k: v for k, v in table.get("evaluate", {}).items() if k not in judged}
        assert unknown(schema, threat, {**table, **own, "evaluate": {}}) == []


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_of_the_repository_are_valid_by_the_schema(schema, path):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(tomllib.loads(path.read_text("utf-8")), schema)


def test_the_schema_describes_everything_that_is_registered(schema):
    for table, registry in {
        "DataTable": data.registry,
        "ModelTable": models.registry,
        "ThreatTable": threats.registry,
        "Scalarizer": scalarizers.registry,
    }.items():
        titles = [member["title"] for member in schema["$defs"][table]["anyOf"]]
        assert titles[:-1] == [cls.name for cls in registry]
        assert titles[-1] == "a local plug-in's"


def test_a_key_is_described_with_its_bounds(schema):
    (pgd,) = (one for one in schema["$defs"]["ThreatTable"]["anyOf"] if one["title"] == "pgd")
    assert pgd["properties"]["epsilon"]["exclusiveMinimum"] == 0
    assert pgd["properties"]["steps"] == {
        "default": 10,
        "exclusiveMinimum": 0,
        "maximum": 2**31 - 1,
        "title": "Steps",
        "type": "integer",
    }
    assert pgd["description"]


@pytest.mark.parametrize(
    "model",
    [
        {"type": "preact-resnet18", "groups": 8, "mean": [0.5], "std": [0.25]},
        {"type": "resnet18", "weights": "IMAGENET1K_V1"},
        {"type": "torchvision:resnet50", "weights": "IMAGENET1K_V2"},
        {"type": "python:nets:make", "depth": 3},
    ],
)
def test_every_way_to_name_a_network_is_valid_by_the_schema(schema, model):
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate({"model": model}, schema)


def test_nothing_is_required_that_a_base_may_say(schema):
    requiring = [name for name, table in schema["$defs"].items() if "required" in table]
    assert requiring == ["Difference", "Relationship", "VariantTable"]
    assert schema["$defs"]["VariantTable"]["required"] == ["name"]
    assert "required" not in schema
    assert schema["properties"]["extends"]["type"] == "string"
    for key in ("optimizer", "schedule"):
        assert "oneOf" not in schema["properties"][key]


def test_every_reference_of_the_schema_leads_somewhere(schema):
    def references(node: object) -> list[str]:
        if isinstance(node, dict):
            here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
            return here + [ref for below in node.values() for ref in references(below)]
        return (
            [ref for below in node for ref in references(below)] if isinstance(node, list) else []
        )

    assert {ref.removeprefix("#/$defs/") for ref in references(schema)} <= set(schema["$defs"])
