"""The label of a run: its variant, and the values of its sweep."""

from collections.abc import Mapping
from typing import Any


def label_of(variant: str, sweep: Mapping[str, Any]) -> str:
    """Return the name of a run in tables and plots.

    Example:
        >>> label_of("pareto", {"scalarizer.r": 0.4})
        'pareto r=0.4'
        >>> label_of("on", {"start": "results/digits/natural/seed-{seed}"})  # of each seed its own
        'on start=results-digits-natural'
    """
    return " ".join([variant, *sweep_names(sweep)])


def sweep_names(sweep: Mapping[str, Any], joined: str | None = None) -> list[str]:
    """Return each value of a sweep after the end of its key; as one text where it is `joined`."""
    names = [f"{key.rpartition('.')[2]}={_plain(v)}" for key, v in sweep.items()]
    if len({key.rpartition(".")[2] for key in sweep}) < len(sweep):
        names = [f"{key}={_plain(v)}" for key, v in sweep.items()]
    return [joined.join(names)] if joined and names else names


def _plain(value: Any) -> str:
    text = str(value).removesuffix("/seed-{seed}").replace("{seed}", "seed")
    return text.replace("/", "-").replace(" ", "")
