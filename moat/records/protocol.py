"""A protocol in a run folder: its threats, and the kind and names of their strengths."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field

from moat.records.kinds import Count, Line, Number, OrAbsent, Texts
from moat.records.stored_table import StoredTable

_Counts = Annotated[
    tuple[Annotated[int, Field(strict=True, ge=1)], ...], Field(strict=False, min_length=1)
]
_Radius = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
_Radii = Annotated[tuple[_Radius, ...], Field(strict=False, min_length=1)]


class ThreatRecord(StoredTable):
    """A threat of a protocol, and the strengths that it was searched at.

    Strengths are radii ε (`at_epsilon`, in the threat's own unit) or counts of iterations
    (`at_steps`). A threat that is not searched by ascent has the single strength 1, which has no
    unit. Keys without a type here are shown and never used in computations.
    """

    type: str = ""
    at_steps: OrAbsent[_Counts] = None
    at_epsilon: OrAbsent[_Radii] = None
    epsilon: Number | None = None
    restarts: Annotated[int, Field(ge=1)] = 1
    search: str | None = None
    steps: Count | None = None

    @property
    def by(self) -> Literal["epsilon", "steps"]:
        """The kind of a strength: a radius, or a count of iterations."""
        return "steps" if self.at_epsilon is None else "epsilon"

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths, the smallest first."""
        return self.at_epsilon or self.at_steps or (1,)

    @property
    def has_one_strength(self) -> bool:
        """Whether the threat does not climb, so that its strength has no unit."""
        return self.by == "steps" and self.search is None and self.strengths == (1,)

    @property
    def unit(self) -> str:
        """The unit of the strengths, for an axis; empty if they have none.

        Example:
            >>> ThreatRecord(search="sign", at_steps=(5, 10)).unit
            'iterations of the search'
        """
        if self.has_one_strength:
            return ""
        return "radius ε" if self.by == "epsilon" else "iterations of the search"

    def marked(self, strength: object) -> str:
        """Return a strength, a radius with its sign: beside a name that says what is counted.

        Example:
            >>> ThreatRecord(at_epsilon=(0.1, 0.3)).marked(0.3)
            'ε 0.3'
        """
        return f"ε {strength}" if self.by == "epsilon" else str(strength)

    def written(self, strength: float, counted: str = "step") -> str:
        """Return a strength with its unit, as it stands alone; `counted` is the word for one.

        Example:
            >>> ThreatRecord(search="sign", at_steps=(5, 10)).written(10)
            '10 steps'
        """
        if self.by == "epsilon":
            return f"ε {strength:g}"
        return f"{strength:g} {counted}" if strength == 1 else f"{strength:g} {counted}s"

    @property
    def radii(self) -> dict[str, Any]:
        """The largest radius of each ball that is searched, by the words before its ε.

        Example:
            >>> ThreatRecord.model_validate({"flow_epsilon": 0.3, "epsilon": 1}).radii
            {'flow': 0.3, '': 1}
        """
        stated = {
            key.removesuffix("epsilon").strip("_"): value
            for key, value in self.as_table().items()
            if key.endswith("epsilon") and key != "at_epsilon"
        }
        return stated if self.at_epsilon is None else {**stated, "": max(self.at_epsilon)}

    def text(self, name: str) -> str:
        """Return the whole threat in words: its radius, its search, its strengths, its restarts.

        Example:
            >>> ThreatRecord(type="pgd", epsilon=0.1, search="sign", at_steps=(5, 10)).text("pgd")
            'pgd ε 0.1 at 5, 10 steps'
        """
        kind, table = self.type or name, self.as_table()
        words = [name if name.startswith(kind) else f"{name} ({kind})"]
        if self.epsilon is not None:
            words.append(f"ε {table['epsilon']}")
        if self.search not in (None, "sign"):
            words.append(f"by {self.search}")
        elif "step_size" in table:
            words.append(f"step {table['step_size']}")
        return " ".join([*words, *self._strengths_text()])

    def _strengths_text(self) -> Iterable[str]:
        if self.at_epsilon is not None:
            yield f"scaled to ε {', '.join(f'{radius:g}' for radius in self.at_epsilon)}"
            if self.steps is not None:
                yield f"with {self.steps} steps"
        elif not self.has_one_strength:
            counts = ", ".join(map(str, self.strengths))
            yield f"at {counts} {'step' if counts == '1' else 'steps'}"
        if self.restarts > 1:
            yield f"with {self.restarts} restarts"


class ProtocolRecord(StoredTable):
    """The protocol of an evaluation.

    Defaults are the behaviour before a key existed: an example fell by its last iterate, and a
    number of examples meant the first ones.
    """

    threats: dict[Line, ThreatRecord]
    summed: Texts
    ensembles: dict[Line, Texts] = Field(default_factory=dict)
    examples: Annotated[int, Field(ge=1)] | None = None
    falls: Literal["last", "any"] = "last"
    union_only: bool = False
    sample: Literal["stratified", "first"] = "first"

    @property
    def scored(self) -> list[str]:
        """The names with a score: the threats, then the ensembles."""
        return [*self.threats, *self.ensembles]

    def members(self, name: str) -> tuple[str, ...]:
        """Return the threats of an ensemble, or the threat itself."""
        return self.ensembles.get(name, (name,))

    def together(self, name: str) -> str:
        """Return the members of an ensemble in words."""
        return f"{' and '.join(self.ensembles[name])} together"

    @property
    def texts(self) -> list[str]:
        """Each threat and each ensemble in words."""
        threats = [threat.text(name) for name, threat in self.threats.items()]
        return [*threats, *(f"{name}: {self.together(name)}" for name in self.ensembles)]
