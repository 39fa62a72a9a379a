"""The start of a run: the weights of another run, or of a file, in place of new ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

START_KEY = "start"
"""The key of a recipe, of a variant and of a sweep."""
OptimizerState = Literal["fresh", "kept"]
"""The optimizer's state at the start: new, or that of the other run's checkpoint."""


@dataclass(frozen=True)
class Start:
    """The weights that a training begins with.

    `place` is a run folder or a file of weights: absolute, or relative to the results folder for a
    run of the same study. A run of the same study is identified by `training`, its training hash,
    since it may not be trained yet; anything else by `digest`, that of the file of weights.

    Example:
        >>> Start(Path("study/path/rho=0/seed-0"), training="0123456789abcdef").identity
        {'training': '0123456789abcdef', 'optimizer': 'fresh'}
    """

    place: Path
    training: str | None = None
    digest: str | None = None
    optimizer: OptimizerState = "fresh"

    @property
    def identity(self) -> dict[str, Any]:
        """The identity of the start within that of the training; the place is no part of it."""
        if self.training is not None:
            return {"training": self.training, "optimizer": self.optimizer}
        weights = self.digest or f"{self.place} (missing)"
        return {"weights": weights, "optimizer": self.optimizer}
