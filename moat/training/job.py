"""What one run trains with, and what came of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from moat.data import DEVICE_MEMORY, Augmentation, Split
from moat.public import public
from moat.runs import RunFolder
from moat.scalarizers import Scalarizer
from moat.threats import Threat
from moat.training.devices import Fabric
from moat.training.optimizers import Optimizer
from moat.training.schedules import Schedule
from moat.training.settings import Training

Validate = Callable[[nn.Module], dict[str, float]]
"""From a model to its accuracy in percent, natural and by threat, on held-out examples."""


@public
@dataclass(frozen=True, eq=False)
class Fit:
    """Everything that one run trains with."""

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
    validate: Validate | None = None
    train_hash: str = ""  # of the run, kept with its checkpoint


@dataclass(frozen=True)
class Fitted:
    """What the training came to: the epoch whose weights were kept, and the last of the log."""

    epoch: int
    steps: int
    seconds: float
    images_per_second: float
    scalarizer: dict[str, Any]
    compiled: str = "none"  # what of training.compile came about, and why not more
