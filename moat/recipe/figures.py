"""The tables `[[figure]]`: pictures that a study is made for, drawn by `moat plot`."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from moat.errors import RecipeError, did_you_mean
from moat.recipe.source import Source

Measure = Literal["conditional", "accuracy"]
"""Among the examples that are right to begin with (Section 3.1), or among all."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RelationshipTable(_Table):
    """Figure 3: a variant's accuracy at each strength of each threat, across a key it sweeps."""

    type: Literal["relationship"] = "relationship"
    across: str  # a dotted key of the variant's sweep
    variant: str
    zero: str | None = None  # the variant that stands at 0
    threats: Annotated[tuple[str, ...], Field(strict=False)] = ()  # all, where none is named
    measure: Measure = "conditional"

    @property
    def variants(self) -> dict[str, str]:
        """The variants that it names, by the key that names them."""
        return {"variant": self.variant} | ({} if self.zero is None else {"zero": self.zero})

    @property
    def sweeping(self) -> str:
        """The key that names the variant which sweeps."""
        return "variant"


class DifferenceTable(_Table):
    """Figure 6: by how much a variant's scores lie above another's, across a key that it sweeps."""

    type: Literal["difference"] = "difference"
    across: str  # a dotted key of the sweep of `of`
    of: str
    minus: str  # swept alike, or not at all
    threats: Annotated[tuple[str, ...], Field(strict=False)] = ()  # all, where none is named
    measure: Measure = "accuracy"

    @property
    def variants(self) -> dict[str, str]:
        """The variants that it names, by the key that names them."""
        return {"of": self.of, "minus": self.minus}

    @property
    def sweeping(self) -> str:
        """The key that names the variant which sweeps."""
        return "of"


FigureTable = Annotated[RelationshipTable | DifferenceTable, Field(discriminator="type")]


class Figures(_Table):
    """A recipe, as far as its figures go."""

    figure: list[FigureTable]


def require_figures(
    figures: Sequence[RelationshipTable | DifferenceTable],
    sweeps: Mapping[str, Sequence[str]],
    scored: Sequence[str],
    source: Source,
) -> None:
    """Raise RecipeError where a figure names what the study does not have.

    `sweeps` are the variants, each with the keys it sweeps; `scored` what is evaluated.
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
            f"the variant {variant!r} sweeps {', '.join(others)} as well, and a figure is across "
            "one key.",
            where=source.where(*at),
            hint="Make it several variants, each with one key.",
        )
