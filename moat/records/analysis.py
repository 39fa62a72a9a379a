"""An analysis: named arrays with axes and units, the subjects, the findings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, Self

from numpy.typing import NDArray

from moat.records.kinds import Count, Line, Name, Number, Texts
from moat.records.stored_table import StoredTable


@dataclass(frozen=True, eq=False)
class NamedArray:
    """An array with a name for each axis, and its unit ("" for names, counts and shares of 1).

    An array of one axis with the axis's own name holds the coordinates along it. `in_table` says
    whether the table of the analysis has it: images, say, are for the NPZ alone.

    Example:
        >>> import numpy as np
        >>> NamedArray(np.array([97.5, 41.0]), ("threat",), "%").values.tolist()
        [97.5, 41.0]
    """

    values: NDArray[Any]
    axes: tuple[str, ...] = ()
    unit: str = ""
    in_table: bool = True


@dataclass(frozen=True)
class AnalysisSubject:
    """A model of an analysis: its name there, its run's folder, its identity.

    `run` is relative to the folder of the analysis, "" for a model that moat did not train.
    `identity` holds digests, such as those of the weights and of the test images.

    Example:
        >>> AnalysisSubject("pgd-at", run="../pgd-at/seed-0").name
        'pgd-at'
    """

    name: str
    run: str = ""
    identity: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AnalysisFinding:
    """A sentence about the result, with its number and 95 % interval, if it has one.

    `is_warning` marks a finding that puts a number elsewhere in doubt.

    Example:
        >>> AnalysisFinding("the two runs agree", value=0.98, low=0.95, high=0.99).value
        0.98
    """

    text: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str = ""
    is_warning: bool = False


@dataclass(frozen=True, eq=False)
class Analysis:
    """The result of one analysis: everything that its picture, its table and its reader need.

    `settings` are plain values. Arrays that share the name of an axis share its length. ValueError
    refuses other arrays, and arrays of Python objects.

    Example:
        >>> import numpy as np
        >>> analysis = Analysis(
        ...     "transfer",
        ...     {
        ...         "threat": NamedArray(np.array(["pgd", "flow"]), ("threat",)),
        ...         "accuracy": NamedArray(np.array([41.0, 62.5]), ("threat",), "%"),
        ...     },
        ...     subjects=(AnalysisSubject("pgd-at"),),
        ... )
        >>> list(analysis.rows())[1]
        {'quantity': 'accuracy', 'unit': '%', 'threat': 'flow', 'value': 62.5}
    """

    kind: str
    arrays: Mapping[str, NamedArray]
    subjects: tuple[AnalysisSubject, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    findings: tuple[AnalysisFinding, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        for name, array in self.arrays.items():
            values = array.values
            if values.dtype.hasobject:
                raise ValueError(f"{name} holds Python objects")
            if values.ndim != len(array.axes) or len(set(array.axes)) != len(array.axes):
                raise ValueError(f"{name} is of shape {values.shape} and has axes {array.axes}")
            for axis, size in zip(array.axes, values.shape, strict=True):
                if sizes.setdefault(axis, size) != size:
                    raise ValueError(
                        f"{name} has {size} for {axis}, other arrays have {sizes[axis]}"
                    )

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return the values of an array."""
        return self.arrays[name].values

    def coordinates(self, axis: str) -> list[Any]:
        """Return the coordinates along an axis: its own array, or else the places from 0."""
        if axis in self.arrays and self.arrays[axis].axes == (axis,):
            found: list[Any] = self.arrays[axis].values.tolist()
            return found
        sizes = [dict(zip(a.axes, a.values.shape, strict=True)) for a in self.arrays.values()]
        return list(range(next(size[axis] for size in sizes if axis in size)))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield a row for each number of the table: quantity, unit, coordinates, value.

        Coordinates themselves have no rows of their own. An axis that an array lacks is missing.
        """
        for name, array in self.arrays.items():
            if not array.in_table or array.axes == (name,):
                continue
            along = [self.coordinates(axis) for axis in array.axes]
            flat = array.values.reshape(-1).tolist()
            for place, value in zip(product(*along), flat, strict=True):
                at = dict(zip(array.axes, place, strict=True))
                yield {"quantity": name, "unit": array.unit, **at, "value": value}

    def with_subjects(self, subjects: tuple[AnalysisSubject, ...], **settings: Any) -> "Analysis":
        """Return the same analysis with identities for its subjects, and with further settings."""
        return replace(self, subjects=subjects, settings={**self.settings, **settings})

    def header(self) -> dict[str, Any]:
        """Return everything but the numbers, as plain data."""
        return {
            "kind": self.kind,
            "settings": dict(self.settings),
            "subjects": [
                {"name": one.name, "run": one.run, "identity": dict(one.identity)}
                for one in self.subjects
            ],
            "arrays": {
                name: {"axes": list(one.axes), "unit": one.unit, "in_table": one.in_table}
                for name, one in self.arrays.items()
            },
            "findings": [dict(vars(one)) for one in self.findings],
            "notes": list(self.notes),
        }

    @classmethod
    def of(cls, header: "AnalysisHeader", values: Mapping[str, NDArray[Any]]) -> Self:
        """Return the analysis of a header and its arrays; ValueError if they do not agree."""
        if missing := sorted(header.arrays.keys() ^ values.keys()):
            raise ValueError(f"{', '.join(missing)}: in the record or in the arrays alone")
        return cls(
            kind=header.kind,
            arrays={
                name: NamedArray(values[name], tuple(one.axes), one.unit, one.in_table)
                for name, one in header.arrays.items()
            },
            subjects=tuple(
                AnalysisSubject(one.name, one.run, dict(one.identity)) for one in header.subjects
            ),
            settings=header.settings,
            findings=tuple(AnalysisFinding(**one.model_dump()) for one in header.findings),
            notes=tuple(header.notes),
        )


class _ArrayHeader(StoredTable):
    axes: Texts
    unit: str
    in_table: bool


class _SubjectHeader(StoredTable):
    name: Line
    run: str
    identity: dict[str, str]


class _FindingHeader(StoredTable):
    text: str
    value: Number | None = None
    low: Number | None = None
    high: Number | None = None
    unit: str = ""
    is_warning: bool = False


class AnalysisHeader(StoredTable):
    """NAME.json of an analysis: everything but the numbers, and the digest of their file."""

    format: Count
    kind: Name
    settings: dict[str, Any]
    subjects: list[_SubjectHeader]
    arrays: dict[str, _ArrayHeader]
    findings: list[_FindingHeader]
    notes: list[str]
    arrays_sha256: str
