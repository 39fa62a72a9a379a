"""The table `[published]` of a recipe: figures from a paper."""

from pydantic import BaseModel, ConfigDict

from moat.records.kinds import Number


class Published(BaseModel):
    """Figures that a paper prints, for a report to set beside the study's own.

    `runs` names them by the label of a run (its variant, then its sweep values, as in "pareto
    r=2.2"): natural, a threat's label, universal, total or union, each in percent.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    source: str
    runs: dict[str, dict[str, Number]]

    @property
    def variants(self) -> list[str]:
        """The variants that it names, in its order: the first word of each label."""
        return list(dict.fromkeys(label.partition(" ")[0] for label in self.runs))

    @property
    def scores(self) -> list[str]:
        """The scores that it names, in its order."""
        return list(dict.fromkeys(score for figures in self.runs.values() for score in figures))
