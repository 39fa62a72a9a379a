"""The code that a recipe names: local files, and callables that build a model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from moat.consent import require_consent
from moat.local_code import top_file_of
from moat.models.python import PYTHON_PREFIX
from moat.recipe.provenance import Document, Source


def require_consent_to(plugins: Sequence[str], source: Source) -> None:
    """Raise MoatError unless all code that a recipe names may run; it is said in one line."""
    pieces = {path: path for path in plugins}
    pieces |= {reference: _called(reference) for reference in _references(source.document)}
    where = source.where("plugins") if plugins else source.where("model", "type")
    require_consent(pieces, where)


def require_consent_to_model(reference: str, where: str, *, typed: bool = False) -> None:
    """Raise MoatError unless the callable that builds a model may run; others always may."""
    if reference.startswith(PYTHON_PREFIX):
        require_consent({reference: _called(reference)}, where, typed=typed)


def _called(reference: str) -> str:
    file = top_file_of(reference)
    return f"{reference} ({file})" if file else reference


def _references(document: Document) -> Iterator[str]:
    """Yield every python:module:callable that a model's type is, or may become by a sweep."""
    named = [_at(document.get("model"), "type")]
    for variant in _listed(document.get("variant")):
        named += _listed(_at(_at(variant, "sweep"), "model.type"))
    for name in dict.fromkeys(name for name in named if isinstance(name, str)):
        if name.startswith(PYTHON_PREFIX):
            yield name


def _at(table: object, key: str) -> Any:
    return table.get(key) if isinstance(table, Mapping) else None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
