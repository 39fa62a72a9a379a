"""The state between two epochs, and the resumption of a run from it."""

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from moat.errors import RunFolderError
from moat.runs import RunFolder, require_own
from moat.scalarizers import Scalarizer
from moat.training.ledger import Ledger
from moat.training.schedules import Scheduler


@dataclass
class Progress:
    """The progress of a run, and the best weights so far if they are to be kept."""

    epoch: int = 0
    step: int = 0
    seconds: float = 0.0
    spent: dict[str, int] | None = field(default_factory=lambda: vars(Ledger()))  # see Ledger
    searches: dict[str, Any] | None = None  # see TrainingSearches
    best_score: float = float("-inf")
    best_epoch: int = 0
    best: dict[str, Tensor] = field(default_factory=dict)
    start: dict[str, Any] | None = None  # of a training that began with other weights

    def as_table(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; start and searches only if there are any."""
        young = ("start", "searches")
        return {key: value for key, value in vars(self).items() if key not in young or value}


@dataclass(frozen=True, eq=False)
class Checkpointer:
    """Saves and restores all state on which the rest of a run depends.

    The generators are not part of it: each epoch seeds them from (seed, epoch).
    """

    folder: RunFolder
    model: nn.Module
    optimizer: torch.optim.Optimizer
    scheduler: Scheduler
    scalarizer: Scalarizer
    data: str  # digest of what is trained on
    train_hash: str = ""  # of the run

    def save(self, progress: Progress) -> None:
        """Keep the state after an epoch."""
        state: dict[str, Any] = {name: part.state_dict() for name, part in self._parts().items()}
        about = {"data": self.data, "train_hash": self.train_hash, "log": self.folder.log_extent()}
        self.folder.save_checkpoint({**state, "progress": progress.as_table(), **about})

    def restore(self, device: torch.device) -> Progress:
        """Restore the saved state and drop later log entries; without a checkpoint, start.

        Raises RunFolderError if the checkpoint does not fit this run, or if earlier log entries are
        missing.
        """
        state = self.folder.load_checkpoint(device)
        if state is None:
            self.folder.rewind_log(-1)  # also the start, which has step 0
            return Progress()
        require_own(self.folder.checkpoint, b"", state, {"train_hash": self.train_hash})
        if state.get("data", self.data) != self.data:
            raise RunFolderError(
                f"the training images have changed since the run began: digest {state['data']} "
                f"then, {self.data} now.",
                where=str(self.folder.checkpoint),
                hint="Restore them, or train this run again with --overwrite.",
            )
        try:
            for name, part in self._parts().items():
                part.load_state_dict(state[name])
            kept = {"spent": None, **state["progress"]}  # older checkpoints did not count
            progress = Progress(**kept)
            self.folder.rewind_log(progress.step, state.get("log"))
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            raise RunFolderError(
                f"the checkpoint does not fit this run: {error}",
                where=str(self.folder.checkpoint),
                hint="Train this run again with --overwrite.",
            ) from error
        return progress

    def _parts(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "scheduler": self.scheduler,
            "scalarizer": self.scalarizer,
        }
