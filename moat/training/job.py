"""The training of one run: its settings, and its result."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from torch import nn

from moat.data import DEVICE_MEMORY, Augmentation, Split
from moat.public import public
from moat.runs import RunFolder
from moat.scalarizers import Scalarizer
from moat.threats import Threat
from moat.training.devices import Fabric
from moat.training.objective_losses import LossTable
from moat.training.optimizers import Optimizer
from moat.training.schedules import Schedule
from moat.training.settings import Training

Validate = Callable[[nn.Module], dict[str, float]]
"""From a model to its accuracy in percent, natural and by threat, on held-out examples."""


@public
@dataclass(frozen=True, eq=False)
class Fit:
    """The inputs of the training of one run.

    `model` maps images in [0, 1] to logits; it is trained in place. `threats` are by name. `losses`
    are the training losses by objective (default: cross-entropy). `validate` evaluates an epoch's
    weights on held-out examples, if any. `start` names the origin of the model's weights, for log
    and checkpoint; `optimizer_state` is the state of another training's optimizer to begin with.

    Example:
        >>> from pathlib import Path
        >>> from moat.data import Digits
        >>> from moat.scalarizers import Average
        >>> from moat.threats import PGD
        >>> from moat.training import SGD, Constant, fabric_for
        >>> job = Fit(
        ...     model=nn.Sequential(nn.Flatten(), nn.Linear(64, 10)),
        ...     split=Digits().load().train,
        ...     threats={"pgd": PGD(epsilon=0.1, step_size=0.05, steps=2)},
        ...     scalarizer=Average(),
        ...     training=Training(epochs=1),
        ...     optimizer=SGD(lr=0.1),
        ...     schedule=Constant(),
        ...     seed=0,
        ...     folder=RunFolder(Path("run")),  # `fit` writes log and checkpoint there
        ...     fabric=fabric_for("cpu", "32-true"),
        ... )
        >>> len(job.split), list(job.threats)
        (1438, ['pgd'])
    """

    model: nn.Module
    split: Split
    threats: Mapping[str, Threat]
    scalarizer: Scalarizer
    training: Training
    optimizer: Optimizer
    schedule: Schedule
    seed: int
    folder: RunFolder
    fabric: Fabric
    size: tuple[int, int] | None = None  # height and width the model sees, if not as stored
    augmentation: Augmentation = field(default_factory=Augmentation)
    memory: float = DEVICE_MEMORY  # GiB
    losses: LossTable = field(default_factory=dict)
    validate: Validate | None = None
    train_hash: str = ""  # of the run, kept with its checkpoint
    classes: int = 10  # of the data; AutoAttack's cost depends on them
    start: Mapping[str, Any] | None = None  # of the model's weights, for log and checkpoint
    optimizer_state: Mapping[str, Any] | None = None  # to begin with, from another training


@dataclass(frozen=True)
class Fitted:
    """The result of the training: the epoch of the kept weights, and the last of the log.

    It also has the cost: forwards and backwards of examples, searched examples, one for each
    threat, and `passes`, the forwards plus backwards for each example of the training split. They
    are None for a training that began without a count. `search` and `overfitting` are the effects
    of `Training.curriculum`, `friendly` and `overfitting`.

    Example:
        >>> Fitted(epoch=3, steps=36, seconds=1.5, images_per_second=3000.0, scalarizer={}).epoch
        3
    """

    epoch: int
    steps: int
    seconds: float
    images_per_second: float
    scalarizer: dict[str, Any]
    compiled: str = "none"  # what of training.compile came about, and why not more
    forwards: int | None = None
    backwards: int | None = None
    searched: int | None = None
    passes: float | None = None
    search: dict[str, Any] | None = None  # passes of shorter searches, and of those in full length
    overfitting: dict[str, Any] | None = None  # the alarms of the watch, by threat

    def table(self) -> dict[str, Any]:
        """Return the result as a table; what was not asked for is left out."""
        young = ("search", "overfitting")
        return {n: v for n, v in asdict(self).items() if v is not None or n not in young}
