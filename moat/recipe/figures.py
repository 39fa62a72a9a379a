"""The tables `[[figure]]` against the study: their names must occur in it."""

from collections.abc import Mapping, Sequence

from moat.errors import RecipeError, did_you_mean
from moat.recipe.provenance import Source
from moat.records import Difference, Relationship


def require_figures(
    figures: Sequence[Relationship | Difference],
    sweeps: Mapping[str, Sequence[str]],
    scored: Sequence[str],
    source: Source,
) -> None:
    """Raise RecipeError for a figure with a name that the study lacks.

    `sweeps` has the variants, each with its swept keys; `scored` has the evaluated names.
    """
    for position, figure in enumerate(figures):
        at = ("figure", str(position))
        for key, name in figure.variants.items():
            _require(name, "variant", list(sweeps), source, *at, key)
        for name in figure.threats:
            _require(name, "evaluated threat", scored, source, *at, "threats")
        sweeping = figure.variants[figure.sweeping]
        _require_swept(figure.across, sweeping, sweeps[sweeping], source, *at, "across")


def _require(name: str, kind: str, known: Sequence[str], source: Source, *key: str) -> None:
    if name not in known:
        raise RecipeError(
            f"the study has no {kind} {name!r}.{did_you_mean(name, known)}",
            where=source.where(*key),
            hint=f"known: {', '.join(known) or 'none'}",
        )


def _require_swept(key: str, variant: str, swept: Sequence[str], source: Source, *at: str) -> None:
    if key not in swept:
        raise RecipeError(
            f"the variant {variant!r} does not sweep {key!r}.{did_you_mean(key, swept)}",
            where=source.where(*at),
            hint=f"it sweeps: {', '.join(swept) or 'nothing'}",
        )
    if others := [other for other in swept if other != key]:
        raise RecipeError(
            f"the variant {variant!r} sweeps {', '.join(others)} as well, but a figure has one "
            f"key across.",
            where=source.where(*at),
            hint="Divide it into several variants, each with one key.",
        )
