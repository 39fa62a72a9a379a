"""Recipes: TOML in, the runs of a study out."""

from moat.recipe.build import plan_runs
from moat.recipe.load import Source, read
from moat.recipe.plan import RunPlan, short_hash
from moat.recipe.schema import Recipe, json_schema

__all__ = ["Recipe", "RunPlan", "Source", "json_schema", "plan_runs", "read", "short_hash"]
