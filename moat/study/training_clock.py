"""The time of a training, without the start of the process."""

import time

from moat.events import Event, Listener, TrainingStep


class TrainingClock:
    """A listener that passes events on, and counts seconds from the end of the first step."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.first: float | None = None

    def __call__(self, event: Event) -> None:
        """Pass an event on; the first step starts the clock."""
        if self.first is None and isinstance(event, TrainingStep):
            self.first = time.monotonic()
        self.listener(event)

    @property
    def seconds(self) -> float:
        """Seconds since the first step, 0 before it."""
        return 0.0 if self.first is None else time.monotonic() - self.first
