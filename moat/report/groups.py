"""Comparability groups: runs with the same data and protocol, for one front."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from moat.dotted import ABSENT, differing
from moat.errors import FrontError
from moat.records import ProtocolRecord
from moat.report.looks import Looks, looks_of
from moat.report.points import Point
from moat.report.words import some


@dataclass(frozen=True, eq=False)
class Group:
    """Runs on the same data, judged by the same protocol."""

    points: tuple[Point, ...]

    @property
    def data(self) -> dict[str, Any]:
        """The identity of the test set."""
        return self.points[0].data

    @property
    def protocol(self) -> ProtocolRecord:
        """The threats, the strengths and what is summed."""
        return self.points[0].protocol

    @property
    def protocol_hash(self) -> str:
        """The short name of the protocol."""
        return self.points[0].protocol_hash

    @property
    def scored(self) -> list[str]:
        """The names that have a score: the threats, then the ensembles."""
        return self.points[0].scored

    @property
    def is_whole(self) -> bool:
        """Whether every run has a total, which one that stopped at the first fall has not."""
        return all(point.total is not None for point in self.points)

    @cached_property
    def studies(self) -> list[str]:
        """The names of the studies, in order of the runs."""
        return list(dict.fromkeys(point.study for point in self.points))

    @cached_property
    def looks(self) -> Looks:
        """The looks of each variant, setting and objective on every picture."""
        return looks_of(self.points)

    @property
    def title(self) -> str:
        """The studies and the data, as a headline."""
        settings = [
            f"{key} {value}"
            for key, value in self.data.items()
            if key not in ("type", "digest") and value is not None
        ]
        data = str(self.data.get("type", "data")) + (
            f" ({', '.join(settings)})" if settings else ""
        )
        return f"{some(self.studies, 5)} on {data}"


def group_points(points: Iterable[Point]) -> list[Group]:
    """Return the groups in order of their first runs."""
    groups: dict[tuple[str, str], list[Point]] = {}
    for point in points:
        key = json.dumps(point.data, sort_keys=True), point.protocol_hash
        groups.setdefault(key, []).append(point)
    return [Group(tuple(members)) for members in groups.values()]


def comparable(one: Group, other: Group) -> bool:
    """Say whether two groups' runs may stand on one front."""
    return (one.data, one.protocol_hash) == (other.data, other.protocol_hash)


def refuse_unequal(groups: list[Group], results: Path) -> None:
    """Raise FrontError where there are several groups: the runs, and the keys that differ."""
    if len(groups) < 2:
        return
    apart = "Without --merge each group gets a front of its own."
    raise FrontError(
        "the runs cannot be merged into one front: scores on different data or under different "
        "protocols are not comparable.",
        where=str(results),
        hint="\n".join([*unequal_lines(groups), apart]),
    )


def unequal_lines(groups: Sequence[Group]) -> list[str]:
    """Return a line for each group but the first: its runs, and the keys that differ."""
    first, *others = groups
    return [
        f"{_folders(first)} against {_folders(other)}: {'; '.join(differences(first, other))}"
        for other in others
    ]


def differences(one: Group, other: Group) -> list[str]:
    """Return the dotted keys of data and protocol that differ, each with both values."""
    found = differing(
        {"data": one.data, "protocol": one.protocol.as_table()},
        {"data": other.data, "protocol": other.protocol.as_table()},
    )
    if not found:
        return [f"protocol_hash is {one.protocol_hash} and {other.protocol_hash}"]
    return [f"{key} is {_written(a)} and {_written(b)}" for key, (a, b) in found.items()]


def _written(value: Any) -> str:
    """Return a value of a record as JSON has it, or that it is absent."""
    return str(value) if value is ABSENT else json.dumps(value)


def _folders(group: Group) -> str:
    return some([point.where for point in group.points])
