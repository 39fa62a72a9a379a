"""Recipes: TOML in, the runs of a study out."""

from moat.recipe.build import plan_runs
from moat.recipe.load import read
from moat.recipe.plan import RunPlan, short_hash
from moat.recipe.schema import Recipe, json_schema
from moat.recipe.source import Source

__all__ = ["Recipe", "RunPlan", "Source", "json_schema", "plan_runs", "read", "short_hash"]
