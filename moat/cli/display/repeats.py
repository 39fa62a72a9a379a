"""A failure that befalls several runs, such as a missing data set: its text is shown once."""

from dataclasses import replace

from moat.events import Event, Listener, RunFailure


def with_each_failure_once(listener: Listener) -> Listener:
    """Return a listener that hears the text of a failure once, and then which run had it first.

    Example:
        >>> from pathlib import Path
        >>> told = with_each_failure_once(lambda event: print(event.message))
        >>> for name in ("plain", "pgd"):
        ...     about = {"run": Path(name), "label": name, "variant": name, "sweep": {}, "seed": 0}
        ...     told(RunFailure(**about, message="no data"))
        no data
        for the same reason as plain, seed 0
    """
    first: dict[tuple[str, str], RunFailure] = {}

    def listen(event: Event) -> None:
        if isinstance(event, RunFailure):
            known = first.setdefault((event.where, event.message), event)
            if known.run != event.run:
                same = f"for the same reason as {known.label}, seed {known.seed}"
                event = replace(event, message=same)
        listener(event)

    return listen
