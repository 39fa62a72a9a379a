"""The tables `[[figure]]` of a recipe: the figures of a study, drawn by `moat plot`."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Measure = Literal["conditional", "accuracy"]
"""Among the examples that are right to begin with (Section 3.1), or among all."""
CONDITIONAL: Measure = "conditional"
LabelList = Annotated[tuple[str, ...], Field(strict=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Relationship(_Table):
    """Figure 3: a variant's accuracy at each strength of each threat, across a key it sweeps."""

    type: Literal["relationship"] = "relationship"
    across: str  # a dotted key of the variant's sweep
    variant: str
    zero: str | None = None  # the variant that stands at 0
    threats: LabelList = ()  # all, where none is named
    measure: Measure = CONDITIONAL

    @property
    def variants(self) -> dict[str, str]:
        """The variants that it names, by the key that names them."""
        return {"variant": self.variant} | ({} if self.zero is None else {"zero": self.zero})

    @property
    def sweeping(self) -> str:
        """The key that names the variant which sweeps."""
        return "variant"


class Difference(_Table):
    """Figure 6: by how much a variant's scores lie above another's, across a key that it sweeps."""

    type: Literal["difference"] = "difference"
    across: str  # a dotted key of the sweep of `of`
    of: str
    minus: str  # swept alike, or not at all
    threats: LabelList = ()  # all, where none is named
    measure: Measure = "accuracy"

    @property
    def variants(self) -> dict[str, str]:
        """The variants that it names, by the key that names them."""
        return {"of": self.of, "minus": self.minus}

    @property
    def sweeping(self) -> str:
        """The key that names the variant which sweeps."""
        return "of"


Figure = Annotated[Relationship | Difference, Field(discriminator="type")]


class Figures(_Table):
    """A recipe, as far as its figures go."""

    figure: list[Figure]
