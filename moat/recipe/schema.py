"""The tables of a recipe, one class each; a table's object validates its further keys."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

from moat.data import DEVICE_MEMORY, Augmentation
from moat.errors import FieldError
from moat.evaluation.protocol import Falls, Sample
from moat.names import MOST_BYTES
from moat.number_bounds import PositiveCount, PositiveNumber, Seed
from moat.recipe.conditioned import ConditionedTable
from moat.recipe.evaluation_keys import EVALUATION_KEYS
from moat.recipe.start import OptimizerState
from moat.records import Figure, Published
from moat.training import Constant, Cosine, Optimizer, Schedule, Training

_WRITTEN = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
FolderName = Annotated[str, Field(pattern=_WRITTEN, max_length=MOST_BYTES)]
"""A name of the user's: letters, digits, dots, dashes; it becomes a folder."""
Label = Annotated[str, Field(pattern=_WRITTEN, max_length=200)]
"""The same of a threat; it becomes a part of files' names."""


Tag = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\n\r]*$")]
"""A word by which a person finds runs again."""


class Table(BaseModel):
    """A table that knows all its keys."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OpenTable(BaseModel):
    """A table whose further keys belong to what its `type` names."""

    model_config = ConfigDict(extra="allow", strict=True, frozen=True)

    @property
    def own(self) -> dict[str, Any]:
        """The further keys."""
        return dict(self.model_extra or {})


class DataTable(OpenTable):
    """The data set, and the share of its training split held out for validation."""

    type: str
    train_examples: PositiveCount | None = None  # a seeded sample, every class by its share
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.0  # share of every class
    split_seed: Seed = 0
    memory: PositiveNumber = DEVICE_MEMORY  # GiB of images that may lie on the device as a whole


class ModelTable(OpenTable):
    """The network: a registered name, torchvision:<name>, or python:module:callable."""

    type: str


class ThreatTable(OpenTable):
    """A threat under a label; `train` and `evaluate` override its keys for their purpose.

    A threat without `evaluate` is trained against and not evaluated. `evaluate.at_steps` lists
    the counts of iterations that are reported, `at_epsilon` the radii, one search each; `restarts`
    repeats the searches.
    """

    type: str | None = None  # the label, where it is not given
    train: dict[str, Any] = Field(default_factory=dict)
    evaluate: dict[str, Any] | None = Field(None, json_schema_extra={"properties": EVALUATION_KEYS})


class EvaluationTable(Table):
    """The protocol, except the threats' own numbers."""

    summed: Annotated[tuple[str, ...], Field(strict=False)] = ()  # all, where none is named
    examples: PositiveCount | None = None  # so many of the test split
    sample: Sample = "stratified"  # which: drawn, every class by its share, or the first
    seed: Seed = 0  # of the sample and of random starts
    falls: Falls = "last"  # by the last iterate, or by any
    union_only: bool = False  # fallen examples are left out of every later search
    memory: PositiveNumber | None = None  # GiB that searches and passes take at most; by device
    ensembles: dict[Label, Annotated[tuple[str, ...], Field(strict=False)]] = Field(
        default_factory=dict
    )


class StartTable(Table):
    """The weights that a training begins with: those of a run folder, or of a file.

    moat writes the other keys into a run's own recipe: `digest` of the file of weights, or
    `training`, the training hash of the run.
    """

    weights: str  # a run folder, or a file of weights; {seed} stands for the seed
    optimizer: OptimizerState = "fresh"  # its state: new, or that of the run's checkpoint
    digest: str | None = None
    training: str | None = None


def _spelled_out(value: Any) -> Any:
    return {"weights": value} if isinstance(value, str) else value


def _typed(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


StartWeights = Annotated[StartTable, BeforeValidator(_spelled_out)]
"""A path alone is short for its table."""


class LegsTable(Table):
    """The settings of a path's legs, which continue from one another.

    A leg has a quarter of the trunk's epochs or passes, unless it has its own. Its learning rate
    rises again to that of the recipe, or to `lr`, and falls.
    """

    epochs: PositiveCount | None = None
    passes: PositiveNumber | None = None  # for each example, in place of epochs
    optimizer: OptimizerState = "fresh"  # its state: new, or that of the leg before
    lr: PositiveNumber | None = None
    schedule: Annotated[Schedule, BeforeValidator(_typed)] = Cosine(warmup_ratio=0.1)

    @model_validator(mode="after")
    def _one_length(self) -> "LegsTable":
        if self.epochs is not None and self.passes is not None:
            raise FieldError(
                f"epochs = {self.epochs} and passes = {self.passes:g} both set the length of a "
                "leg.",
                hint="Leave one of them out: with passes, the epochs follow from what a step "
                "costs.",
            )
        return self


class VariantTable(Table):
    """One column of the study: its training threats, its scalarizer and its losses.

    `losses` is one loss for all objectives, a name or a table with `type`, or a table of these by
    objective, "natural" or the label of a threat; cross-entropy where nothing is said. The first
    value of a `path` is that of its trunk, which is trained as the recipe says; with each further
    value a leg continues from the weights of the one before.
    """

    name: FolderName
    threats: Annotated[tuple[str, ...], Field(strict=False)] = ()
    scalarizer: str | dict[str, Any] = "average"  # a name, or a table with `type`
    losses: str | dict[str, Any] = Field(default_factory=dict)  # descended: of all, or by objective
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    path: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default_factory=dict)
    legs: LegsTable = LegsTable()
    start: StartWeights | None = None  # in place of the recipe's
    conditioned: ConditionedTable | None = None  # one network for several points of the front


class Recipe(Table):
    """Everything that determines a study."""

    plugins: list[str] = Field(default_factory=list)  # local Python files to run first
    seeds: Annotated[list[Seed], Field(min_length=1)] = [0]
    tags: list[Tag] = Field(default_factory=list)  # of every run; identify none
    notes: Annotated[str, Field(max_length=10_000)] = ""  # on the study; identify no run
    data: DataTable
    augmentation: Augmentation = Augmentation()
    model: ModelTable
    optimizer: Optimizer
    schedule: Schedule = Constant()
    training: Training
    start: StartWeights | None = None  # what training begins with, if not new weights
    threats: dict[Label, ThreatTable] = Field(default_factory=dict)
    evaluation: EvaluationTable = EvaluationTable()
    variant: Annotated[list[VariantTable], Field(min_length=1)]
    published: Published | None = None
    figure: list[Figure] = Field(default_factory=list)
