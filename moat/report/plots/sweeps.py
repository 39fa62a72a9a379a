"""A variant across one key of its sweep: the places of its points on an axis."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.ticker import FixedLocator, MaxNLocator

from moat.errors import PlotError, did_you_mean
from moat.report.layout import TEXT
from moat.report.settings import Runs, Setting


@dataclass(frozen=True)
class Swept:
    """The columns of a variant at the values of one key, ascending, and their places on an axis.

    Values that are not numbers stand evenly, under their names.
    """

    columns: tuple[Setting, ...]
    values: tuple[Any, ...]
    key: str

    @property
    def places(self) -> list[float]:
        """The place of each."""
        numbers = [v for v in self.values if type(v) in (int, float)]
        return numbers if len(numbers) == len(self.values) else [*range(len(self.values))]

    def dress(self, axes: Any) -> None:
        """Name the axis and give it a tick for each value, or fewer where they are many."""
        axes.set_xlabel(key_text(self.key), fontsize=TEXT, labelpad=1.5)
        if len(self.places) > 8:
            axes.xaxis.set_major_locator(MaxNLocator(6))
        elif self.places != list(self.values):
            axes.set_xticks(self.places, [str(value) for value in self.values])
        else:
            axes.xaxis.set_major_locator(FixedLocator(self.places))
            axes.set_xticks(self.places, [f"{value:g}" for value in self.places])


def swept(runs: Runs, study: str, variant: str, key: str, zero: str | None = None) -> Swept:
    """Return a variant's columns across a key, after the variant that stands at 0 if one is named.

    PlotError where no finished run sweeps the key, or where several points share a value.
    """
    mine = _of(runs, study, variant)
    found = {column: column.first.sweep[key] for column in mine if key in column.first.sweep}
    if not found:
        known = list(dict.fromkeys(name for column in mine for name in column.first.sweep))
        raise PlotError(
            f"no finished run of {variant!r} sweeps {key!r}.{did_you_mean(key, known)}",
            hint=f"swept: {', '.join(known) or 'nothing'}",
        )
    values = [0] if zero else []
    columns = _alone(runs, study, zero) if zero else []
    columns, values = [*columns, *found], [*values, *found.values()]
    if len({str(value) for value in values}) < len(values):
        raise PlotError(f"{variant!r} has several points at one value of {key!r}.")
    return Swept(tuple(columns), tuple(values), key)


def unswept(runs: Runs, study: str, variant: str, key: str) -> Setting | None:
    """Return the one column of a variant that does not sweep a key, None where it does."""
    mine = _of(runs, study, variant)
    swept_by = any(key in column.first.sweep for column in mine)
    return None if swept_by else _alone(runs, study, variant)[0]


def key_text(key: str) -> str:
    """Return what an axis calls a dotted key.

    Example:
        >>> key_text("threats.pgd.train.steps")
        'steps of pgd in training'
    """
    parts = key.split(".")
    if parts[0] == "threats" and len(parts) > 2:
        words = {"train": " in training", "evaluate": " in evaluation"}
        purpose = words.get(parts[2], "") if len(parts) > 3 else ""
        rest = parts[3:] if purpose else parts[2:]
        return f"{'.'.join(rest)} of {parts[1]}{purpose}"
    return parts[-1] if parts[0] == "scalarizer" else key


def _alone(runs: Runs, study: str, variant: str) -> list[Setting]:
    columns = _of(runs, study, variant)
    if len(columns) != 1:
        raise PlotError(f"{variant!r} has {len(columns)} points, but the figure needs one.")
    return list(columns)


def _of(runs: Runs, study: str, variant: str) -> Sequence[Setting]:
    mine = [column for column in runs.settings if column.first.study == study]
    found = [column for column in mine if column.first.variant == variant]
    if not found:
        known = list(dict.fromkeys(column.first.variant for column in mine))
        raise PlotError(
            f"no run of {variant!r} is finished.{did_you_mean(variant, known)}",
            hint=f"finished: {', '.join(known)}",
        )
    return found


def scored(runs: Runs, named: Sequence[str]) -> list[str]:
    """Return which of the named threats and ensembles this protocol has, of none all of them."""
    known = runs.group.scored
    found = [name for name in named if name in known] if named else known
    if not found:
        raise PlotError(
            f"this protocol evaluates none of {', '.join(named)}.",
            hint=f"evaluated: {', '.join(known)}",
        )
    return found
