"""A stored record against the kinds of its keys: an error names the file and the key."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from moat.errors import RunFolderError
from moat.records.stored_table import StoredTable

T = TypeVar("T", bound=StoredTable)

_IN_WORDS = {
    "dict_type": "of type dict",
    "model_type": "of type dict",
    "dataclass_type": "of type dict",
    "list_type": "of type list",
    "tuple_type": "of type list",
    "string_type": "of type str",
    "bool_type": "true or false",
    "int_type": "of type int",
    "float_type": "a number",
    "finite_number": "a finite number",
}
_MOST = 80  # letters of a value that are shown


def typed(kind: type[T], table: Any, path: Path, hint: str) -> T:
    """Return a table of a file as a record of its kind.

    Raises RunFolderError for the first key that is missing or not of its type.
    """
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        raise _refusal(error, 0, str(path), hint) from error


def check_record(kind: Any, record: Any, path: Path, hint: str) -> None:
    """Raise RunFolderError for the first key of a record with a wrong type."""
    try:
        _adapter(kind).validate_python(record, strict=True)
    except ValidationError as error:
        raise _refusal(error, 0, str(path), hint) from error


def check_lines(kind: Any, records: Sequence[Any], path: Path, hint: str) -> None:
    """Raise RunFolderError for the first key with a wrong type among records, one a line."""
    try:
        _adapter(list[kind]).validate_python(records, strict=True)
    except ValidationError as error:
        line = int(error.errors(include_url=False)[0]["loc"][0]) + 1
        raise _refusal(error, 1, f"{path}, line {line}", hint) from error


def require_keys(table: Mapping[str, Any], keys: Iterable[str], path: Path, hint: str) -> None:
    """Raise RunFolderError for the first of these keys that a record lacks."""
    for key in keys:
        if key not in table:
            instead = _nearest(table, key)
            raise RunFolderError(
                f"its record is not moat's: {key} is missing{instead}.", str(path), hint
            )


@lru_cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _refusal(error: ValidationError, depth: int, where: str, hint: str) -> RunFolderError:
    first = error.errors(include_url=False)[0]
    key = ".".join(str(part) for part in first["loc"][depth:] if part not in _UNSAID)
    if first["type"] == "missing":
        return RunFolderError(
            f"its record is not moat's: {key} is missing{_instead(first)}.", where, hint
        )
    said = repr(first["input"])
    said = said if len(said) <= _MOST else f"{said[:_MOST]}..."
    expected = _IN_WORDS.get(first["type"])
    why = f"should be {expected}" if expected else _plain(first["msg"])
    return RunFolderError(
        f"its record is not moat's: {key or 'it'} is {said} and {why}.", where, hint
    )


def _instead(missing: ErrorDetails) -> str:
    """Return which key of the table is spelled nearly as the one that is missing."""
    table, name = missing["input"], str(missing["loc"][-1])
    return _nearest(table, name) if isinstance(table, dict) else ""


def _nearest(table: Mapping[Any, Any], name: str) -> str:
    names = [key for key in table if isinstance(key, str)]
    near = get_close_matches(name, names, n=1, cutoff=0.8)
    return f", but {near[0]!r} is there" if near else ""


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return message[:1].lower() + message[1:]


_UNSAID = ("[key]", "int", "float", "nullable")
"""Parts of pydantic's keys that no record contains."""
