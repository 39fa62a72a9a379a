"""Every public name has a sentence, and an example that runs: its own or its module's."""

import inspect
import re
from importlib import import_module

import pytest

ROOMS = (
    "moat",
    "moat.analysis",
    "moat.data",
    "moat.errors",
    "moat.evaluation",
    "moat.events",
    "moat.frames",
    "moat.fronts",
    "moat.geometry.balls",
    "moat.geometry.grids",
    "moat.geometry.l1_ball",
    "moat.geometry.l2_ball",
    "moat.geometry.simplex",
    "moat.models",
    "moat.objectives",
    "moat.scalarizers",
    "moat.testing",
    "moat.threats",
    "moat.training",
)


def public(room: str) -> dict[str, object]:
    """Return the public classes and functions of a room, as "home.name" each."""
    module = import_module(room)
    own = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == room
    ]
    found = {}
    for name in getattr(module, "__all__", own):
        value = getattr(module, name)
        home = getattr(value, "__module__", None) or ""
        if home.startswith("moat") and (inspect.isclass(value) or inspect.isroutine(value)):
            found[f"{home}.{name}"] = value
    return found


PUBLIC = {name: value for room in ROOMS for name, value in public(room).items()}


@pytest.mark.parametrize("room", ROOMS)
def test_every_public_name_has_a_sentence(room):
    assert public(room)
    for name, value in public(room).items():
        first = (value.__doc__ or "").strip().partition("\n")[0]
        assert re.search(r"[.:]$", first), f"{name}: {first}"


def test_every_public_name_has_an_example():
    without = {
        name
        for name, value in PUBLIC.items()
        if ">>>" not in (value.__doc__ or "")
        and ">>>" not in (import_module(name.rpartition(".")[0]).__doc__ or "")
    }
    assert without == set(), "these names need an example in their docstring"
