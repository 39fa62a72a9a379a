"""The registered names that a run used, by their kinds, as its record has them."""

from collections.abc import Iterable, Mapping
from typing import Any


def training_names(trains: Mapping[str, Any], test_data: Mapping[str, Any]) -> list[str]:
    """Return kind and name of a run's registered parts and of its evaluation's data.

    Example:
        >>> trains = {"model": {"type": "tiny-cnn"}, "threats": {"noise": {"type": "pgd"}}}
        >>> training_names(trains, {"type": "digits"})
        ['datasets: digits', 'models: tiny-cnn', 'threats: pgd']
    """
    return [
        *_names("datasets", [trains.get("data"), test_data]),
        *_names("models", [trains.get("model")]),
        *_names("scalarizers", [trains.get("scalarizer")]),
        *_threats(trains),
    ]


def evaluation_names(evaluates: Mapping[str, Any]) -> list[str]:
    """Return the kind and the name of the threats of a protocol.

    Example:
        >>> evaluation_names({"threats": {"noise": {"type": "pgd"}, "more": {"type": "pgd"}}})
        ['threats: pgd']
    """
    return _threats(evaluates)


def kind_and_name(used: str) -> tuple[str, str]:
    """Return the two parts.

    Example:
        >>> kind_and_name("scalarizers: torchjd:MGDA")
        ('scalarizers', 'torchjd:MGDA')
    """
    kind, _, name = used.partition(": ")
    return kind, name


def _threats(table: Mapping[str, Any]) -> list[str]:
    labelled = table.get("threats")
    return _names("threats", labelled.values() if isinstance(labelled, Mapping) else [])


def _names(kind: str, tables: Iterable[Any]) -> list[str]:
    types = {one.get("type") for one in tables if isinstance(one, Mapping)}
    return [f"{kind}: {name}" for name in sorted(one for one in types if isinstance(one, str))]
