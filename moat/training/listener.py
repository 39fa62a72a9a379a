"""What a run tells whoever watches it."""

from typing import Any


class TrainingListener:
    """Hears how one run trains; every method does nothing until overridden."""

    def stepped(self, epoch: int, epochs: int, step: int, steps: int) -> None:
        """One step of a run is done: `step` of `steps` in the whole run."""

    def logged(self, record: dict[str, Any]) -> None:
        """A line was written to the log: losses, weights, rates, or the validation of an epoch."""

    def noted(self, line: str) -> None:
        """Something is done otherwise than was asked for; said once a run."""
