"""Names that a test of the kit declares are gone after it."""

import pytest

from moat.plugin_kit.kinds import ExtensionKind


@pytest.fixture(autouse=True)
def registries_as_before(monkeypatch):
    for kind in ExtensionKind:
        kind.registry.entries()
        for held in ("_entries", "_local"):
            monkeypatch.setattr(kind.registry, held, getattr(kind.registry, held).copy())
