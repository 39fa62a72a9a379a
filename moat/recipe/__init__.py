"""Recipes: TOML in, the runs of a study out."""

from moat.plain import short_hash
from moat.recipe.build import plan_runs
from moat.recipe.load import read
from moat.recipe.named_model import named_model
from moat.recipe.plan import RunPlan
from moat.recipe.protocols import ReadProtocol, read_protocol
from moat.recipe.schema import Recipe, json_schema
from moat.recipe.source import Source

__all__ = [
    "ReadProtocol",
    "Recipe",
    "RunPlan",
    "Source",
    "json_schema",
    "named_model",
    "plan_runs",
    "read",
    "read_protocol",
    "short_hash",
]
