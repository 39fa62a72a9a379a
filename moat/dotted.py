"""Plain tables of TOML and JSON: the dotted keys of their differences."""

from typing import Any


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT = _Absent()
"""The value of a key that a table does not have."""


def differing(*tables: Any, key: str = "") -> dict[str, tuple[Any, ...]]:
    """Return each dotted key in which tables differ, with what every one of them has there.

    A table within them that some have alike and the others not at all is told as a whole.

    Example:
        >>> differing({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}})
        {'a.c': (2, absent)}
    """
    there = [table for table in tables if table is not ABSENT]
    if all(table == there[0] for table in there):
        return {} if len(there) == len(tables) else {key: tables}
    if not all(isinstance(table, dict) for table in there):
        return {key: tables}
    found: dict[str, tuple[Any, ...]] = {}
    for name in dict.fromkeys(name for table in there for name in table):
        inner = [ABSENT if table is ABSENT else table.get(name, ABSENT) for table in tables]
        found |= differing(*inner, key=f"{key}.{name}" if key else str(name))
    return found


def changes(before: Any, after: Any) -> list[str]:
    """Return "key: before → after" for every dotted key in which two tables differ."""
    return [f"{key}: {one!r} → {two!r}" for key, (one, two) in differing(before, after).items()]
