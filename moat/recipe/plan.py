"""One run of a study, and its identity."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from moat.data import Augmentation, DataSet, TrainingShare
from moat.digests import digest_of_parts, short_hash
from moat.evaluation import Protocol
from moat.local_code import local_file
from moat.models import Model
from moat.models.python import PythonModel
from moat.recipe.conditioned import Conditioned
from moat.recipe.provenance import Document, Source
from moat.recipe.start import Start
from moat.records import label_of, sweep_names
from moat.scalarizers import Scalarizer
from moat.threats import Threat
from moat.training import Optimizer, Schedule, Training, TrainingLoss

LOCATION = ("root", "download")
"""Keys of the place of the data, which do not identify them."""
UNIDENTIFYING = {"log_every", "conflict_every", "pass_size", "compile", "allocator"}


@dataclass(frozen=True)
class RunPlan:
    """One run of a study, ready to train: one variant, one point of its sweep, one seed."""

    source: Source
    variant: str
    sweep: dict[str, Any]
    seed: int
    dataset: DataSet
    share: TrainingShare
    augmentation: Augmentation
    memory: float
    model: Model
    training: Training
    optimizer: Optimizer
    schedule: Schedule
    threats: dict[str, Threat]
    scalarizer: Scalarizer  # as the recipe gives it; a run trains a copy
    protocol: Protocol
    document: Document  # a recipe of this run alone
    losses: dict[str, TrainingLoss] = field(
        default_factory=dict
    )  # those that are not cross-entropy
    tags: tuple[str, ...] = ()
    notes: str = ""
    start: Start | None = None  # the weights that the training begins with, if not new ones
    conditioned: Conditioned | None = None  # the network that is trained for many preferences

    @property
    def study(self) -> str:
        """The study it belongs to."""
        return self.source.study

    @property
    def label(self) -> str:
        """Its label in tables and plots: the variant and its sweep values."""
        return label_of(self.variant, self.sweep)

    @property
    def path(self) -> Path:
        """The run's folder within a results folder; no part of it has a colon."""
        swept = [name.replace(":", "-") for name in sweep_names(self.sweep, ",")]
        return Path(self.study, self.variant, *swept, f"seed-{self.seed}")

    @property
    def test_data(self) -> dict[str, Any]:
        """The identity of the data of its evaluation."""
        return described_data(self.dataset)

    @property
    def trains(self) -> dict[str, Any]:
        """Everything that determines the trained weights, except machine and versions.

        As JSON gives it back, so that it equals what a run folder recorded.
        """
        losses = {name: loss.model_dump(mode="json") for name, loss in self.losses.items()}
        return {
            "data": {**self.test_data, **asdict(self.share)},
            "augmentation": self.augmentation.model_dump(mode="json", exclude_defaults=True),
            "model": described(self.model),
            "training": self._identified_training(),
            "optimizer": self.optimizer.model_dump(mode="json"),
            "schedule": self._identified_schedule(),
            "threats": {label: described(threat) for label, threat in self.threats.items()},
            "order": list(self.threats),  # of the draws, and of the winner among equal losses
            "scalarizer": described(self.scalarizer),
            "seed": self.seed,
            **({"losses": losses} if losses else {}),  # runs are older than the key
            **({"start": self.start.identity} if self.start else {}),
            **({"conditioned": self.conditioned.identity} if self.conditioned else {}),
        }

    @property
    def is_point(self) -> bool:
        """Whether it takes its network from a conditioned one, which another run trains."""
        return self.conditioned is not None and bool(self.start and self.start.training)

    def _identified_training(self) -> dict[str, Any]:
        """Return the training's table; of epochs and passes the one that is given."""
        table = self.training.model_dump(mode="json", exclude=UNIDENTIFYING)
        return {key: value for key, value in table.items() if value is not None}

    def _identified_schedule(self) -> dict[str, Any]:
        """Return the schedule's table, without a warm-up where there is none: runs are older."""
        table = self.schedule.model_dump(mode="json")
        return {key: value for key, value in table.items() if key != "warmup_ratio" or value}

    @property
    def evaluates(self) -> dict[str, Any]:
        """Everything that determines the evaluation of given weights."""
        return described_protocol(self.protocol)

    @property
    def train_hash(self) -> str:
        """The hash of `trains`."""
        return short_hash(self.trains)

    @property
    def protocol_hash(self) -> str:
        """The hash of `evaluates`."""
        return short_hash(self.evaluates)


def described(made: Any) -> dict[str, Any]:
    """Return the name and the fields of a registered object, as a recipe would write them.

    The identity of a class from a local file or a user's module includes the file's content.
    """
    if isinstance(made, PythonModel):
        name, values, source = made.reference, made.identity(), made.file
    else:
        young = getattr(made, "unidentifying_default", ())
        every = {
            field.name: value
            for field in fields(made)
            if (value := getattr(made, field.name)) != field.default or field.name not in young
        }
        values = made.identity() if isinstance(made, Model) else every
        name, source = made.name, local_file(type(made))
    content = {"source": digest_of_parts([source.read_bytes()])} if source else {}
    written = json.dumps(values, default=_described_within)
    plain = json.loads(written, parse_constant=str)  # "Infinity" as text
    return {"type": name, **plain, **content}


def _described_within(value: Any) -> Any:
    """Return what JSON has for the value of a field: a scalarizer's own name and fields."""
    return described(value) if isinstance(value, Scalarizer) else str(value)


def described_data(dataset: DataSet) -> dict[str, Any]:
    """Return the identity of a data set, independent of its place."""
    return {name: value for name, value in described(dataset).items() if name not in LOCATION}


def described_protocol(protocol: Protocol) -> dict[str, Any]:
    """Return everything that determines the evaluation of given weights, as plain data."""
    searched = {}
    for label, threat in protocol.threats.items():
        radii = protocol.at_epsilon.get(label)
        strengths = {"at_epsilon": list(radii)} if radii else {"at_steps": protocol.steps(label)}
        restarts = protocol.restarts.get(label, 1)
        searched[label] = {**described(threat), **strengths, "restarts": restarts}
    drawn = protocol.examples is not None and protocol.sample != "first"
    return json.loads(  # type: ignore[no-any-return]
        json.dumps(
            {
                "threats": searched,
                "summed": protocol.scored(),
                "examples": protocol.examples,
                "seed": protocol.seed,
                "falls": protocol.falls,
                "union_only": protocol.union_only,
                "ensembles": dict(protocol.ensembles),
                **({"sample": protocol.sample} if drawn else {}),  # "first" is older than the key
            }
        )
    )
