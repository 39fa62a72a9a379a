"""A call of `moat analyze` that reads stored outcomes: the figure of the recipe, or another."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from moat.cli.analysis import formats_of, say_analysis, stem_of
from moat.cli.options import listed
from moat.cli.recipe_tables import figures_of
from moat.cli.stored_options import StoredOptions
from moat.errors import AnalysisError, did_you_mean
from moat.records import Analysis, Difference, Relationship
from moat.report.recipe_tables import RecipeFigure
from moat.study.analyses import analyses_folder

F = TypeVar("F", Relationship, Difference)
MEASURES = ("conditional", "accuracy")


def analyze_outcomes(
    options: StoredOptions,
    kind: type[F],
    keys: Mapping[str, str | None],
    make: Callable[[list[Path], Path, F | None], Analysis],
) -> None:
    """Make an analysis of stored outcomes, write its files, and say its findings.

    `keys` are the options of the kind that name variants, by the figure's keys.
    """
    formats, stem = formats_of(options.format), stem_of(options.called)
    figure = figure_asked(options, kind, keys)
    out = analyses_folder(options.results, options.out)
    say_analysis(make(options.results, out, figure), out, stem, formats)


def figure_asked(options: StoredOptions, kind: type[F], keys: Mapping[str, str | None]) -> F | None:
    """Return the figure of the options, or of the recipe that they name; None for the runs' own.

    Raises AnalysisError for options that leave a key of the figure out, and for a recipe without a
    figure of the kind.
    """
    if options.measure is not None and options.measure not in MEASURES:
        raise AnalysisError(
            f"no measure is called {options.measure!r}.{did_you_mean(options.measure, MEASURES)}",
            where="--measure",
            hint=f"known: {', '.join(MEASURES)}",
        )
    named = {key: value for key, value in keys.items() if value is not None}
    given: dict[str, Any] = {**named, **({"across": options.across} if options.across else {})}
    also: dict[str, Any] = {"threats": tuple(listed(options.threats))} if options.threats else {}
    also |= {"measure": options.measure} if options.measure else {}
    if options.recipe is not None:
        return _of_recipe(options.recipe, kind, {**given, **also})
    if not given and not also:
        return None
    try:
        return kind(**given, **also)
    except ValidationError:
        missing = [f"--{key}" for key in _needed(kind) if key not in given]
        raise AnalysisError(
            f"{', '.join(missing)}: the figure needs {'them' if missing[1:] else 'it'} as well.",
            hint=f"Give {', '.join(f'--{key}' for key in _needed(kind))}, or none of them for the "
            "figure of the runs' recipe.",
        ) from None


def _of_recipe(path: Path, kind: type[F], given: Mapping[str, Any]) -> F:
    for figure in figures_of(path):
        if isinstance(figure, kind):
            return figure.model_copy(update=dict(given))
    name = kind.model_fields["type"].default
    raise AnalysisError(
        f"the recipe has no [[figure]] of the type {name!r}.",
        where=str(path),
        hint="docs/recipes.md lists its keys.",
    )


def _needed(kind: type[RecipeFigure]) -> list[str]:
    return [key for key, field in kind.model_fields.items() if field.is_required()]
