"""docs/recipes.md lists every key that a recipe takes, with its default, and no other."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from moat import data, models, scalarizers, threats
from moat.data import Augmentation
from moat.recipe import schema
from moat.recipe.conditioned import ConditionedTable
from moat.records import Difference, Published, Relationship
from moat.registry import Registry
from moat.threats import Friendly, GradientThreat
from moat.training import SGD, AdamW, Constant, Cosine, MultiStep, Overfitting, Training
from moat.training.losses import LOSS_CLASSES

PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"
SHARED = {field.name for field in dataclasses.fields(GradientThreat)}


def registered(registry: Registry[Any], kind: str) -> dict[str, Any]:
    """Return what moat itself registers, by the heading it stands under."""
    entries = [entry for entry in registry.entries() if entry.origin == "moat-robust"]
    return {f"{kind} `{entry.name}`": entry.value for entry in entries}


DOCUMENTED: dict[str, Any] = {
    "The top of the file": schema.Recipe,
    "`[data]`": schema.DataTable,
    "`[augmentation]`": Augmentation,
    "`[model]`": schema.ModelTable,
    "`[training]`": Training,
    "`[training.friendly]`": Friendly,
    "`[training.overfitting]`": Overfitting,
    "`[threats.<label>]`": schema.ThreatTable,
    "`[evaluation]`": schema.EvaluationTable,
    "`[[variant]]`": schema.VariantTable,
    "`conditioned`": ConditionedTable,
    "The legs of a path": schema.LegsTable,
    "Starts": schema.StartTable,
    "`[published]`": Published,
    "figure `relationship`": Relationship,
    "figure `difference`": Difference,
    "optimizer `sgd`": SGD,
    "optimizer `adamw`": AdamW,
    "schedule `constant`": Constant,
    "schedule `multi-step`": MultiStep,
    "schedule `cosine`": Cosine,
    "every gradient threat": GradientThreat,
    **{f"loss `{name}`": cls for name, cls in LOSS_CLASSES.items()},
    **registered(data.registry, "data"),
    **registered(models.registry, "model"),
    **registered(threats.registry, "threat"),
    **registered(scalarizers.registry, "scalarizer"),
}


def sections() -> dict[str, list[list[str]]]:
    """Return for each heading the rows of the key tables below it, as lists of cells."""
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
            found[heading] = []
        elif line.startswith("| `"):
            found[heading].append([cell.strip() for cell in line.strip("|").split("|")])
    return found


SECTIONS = sections()


def keys_of(cls: Any) -> dict[str, str]:
    """Return the recipe keys of a class and their defaults, as the page writes them."""
    if isinstance(cls, type) and issubclass(cls, BaseModel):
        keys = {}
        for name, field in cls.model_fields.items():
            default = field.default
            if field.default_factory is not None:
                default = field.default_factory()
            missing = default is PydanticUndefined or (name == "type" and default is not None)
            keys[name] = "required" if missing else written(default)
        return keys
    inherited = SHARED if cls is not GradientThreat and issubclass(cls, GradientThreat) else set()
    return {
        field.name: "required" if field.default is dataclasses.MISSING else written(field.default)
        for field in dataclasses.fields(cls)
        if field.name not in inherited
    }


def written(default: Any) -> str:
    """Return a default as TOML, in backticks; "none" where a key may be left out."""
    if default is None:
        return "none"
    if isinstance(default, BaseModel):
        typed = {"type": default.type} if hasattr(default, "type") else {}
        table = typed | default.model_dump(exclude_defaults=True)
        return f"`{{ {', '.join(f'{k} = {json.dumps(v)}' for k, v in table.items())} }}`".replace(
            "{  }", "{}"
        )
    return f"`{json.dumps(default)}`"


@pytest.mark.parametrize("heading", DOCUMENTED)
def test_the_keys_and_defaults_of_a_table_are_those_of_its_class(heading):
    said = {row[0].strip("`"): row[1] for row in SECTIONS[heading]}
    if heading == "The top of the file":
        assert said.pop("extends") == "none"  # resolved before the recipe is validated
    assert said == keys_of(DOCUMENTED[heading])


def test_every_documented_key_has_a_meaning_and_stands_in_a_checked_section():
    checked = set(DOCUMENTED)
    for heading, keys in SECTIONS.items():
        assert not keys or heading in checked, f"nothing checks the keys under {heading!r}"
        assert all(len(row) == 3 and row[2] for row in keys), heading


def test_everything_a_recipe_can_name_has_a_section():
    headings = set(re.findall(r"^###? (.*)$", PAGE.read_text("utf-8"), re.M))
    assert set(DOCUMENTED) <= headings
