"""Recipes: TOML in, the runs of a study out.

Names are imported at first use, so reading a file of the package needs no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from moat.recipe.build import plan_runs
    from moat.recipe.editor_schema import json_schema
    from moat.recipe.load import read
    from moat.recipe.model_by_name import named_model
    from moat.recipe.plan import RunPlan
    from moat.recipe.protocols import ReadProtocol, protocol_of_tables, read_protocol
    from moat.recipe.provenance import Source
    from moat.recipe.schema import Recipe

_HOMES = {
    "ReadProtocol": "protocols",
    "Recipe": "schema",
    "RunPlan": "plan",
    "Source": "provenance",
    "json_schema": "editor_schema",
    "named_model": "model_by_name",
    "plan_runs": "build",
    "protocol_of_tables": "protocols",
    "read": "load",
    "read_protocol": "protocols",
}

__all__ = [
    "ReadProtocol",
    "Recipe",
    "RunPlan",
    "Source",
    "json_schema",
    "named_model",
    "plan_runs",
    "protocol_of_tables",
    "read",
    "read_protocol",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'moat.recipe' has no attribute {name!r}")
    return getattr(import_module(f"moat.recipe.{_HOMES[name]}"), name)
