"""The places of runs and evaluations, and their options."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from moat.errors import RunFolderError
from moat.events import Listener, ignore
from moat.names import why_no_name
from moat.paths import require_path


class PlaceKeys(TypedDict, total=False):
    """The keywords of `train`, `evaluate_model` and `evaluate_under` that make a `Place`."""

    results: Path | str | None
    device: str
    overwrite: bool
    listener: Listener | None


@dataclass(frozen=True)
class Place:
    """The results folder of runs and evaluations, their device, and their listener."""

    results: Path | None
    device: str
    overwrite: bool
    listener: Listener


def place_of(keys: PlaceKeys) -> Place:
    """Return the place from its keywords; raise TypeError for an unknown keyword."""
    if unknown := [key for key in keys if key not in PlaceKeys.__annotations__]:
        known = ", ".join(PlaceKeys.__annotations__)
        raise TypeError(f"{unknown[0]!r} is not a keyword here. Besides those of the call: {known}")
    results = keys.get("results")
    return Place(
        results=None if results is None else require_path(Path(results)),
        device=keys.get("device", "auto"),
        overwrite=keys.get("overwrite", False),
        listener=keys.get("listener") or ignore,
    )


def require_within(folder: Path, results: Path) -> None:
    """Raise RunFolderError unless a run's folder lies below a results folder, links followed."""
    parts = folder.parts[len(results.parts) :]
    for part in parts:
        if why := why_no_name(part):
            raise RunFolderError(
                f"{part!r} cannot be a folder of results: {why}.",
                where=str(results),
                hint="Give the protocol's file a shorter or simpler name.",
            )
    if not folder.resolve().is_relative_to(results.resolve()):
        raise RunFolderError(
            f"a link there leads outside: to {str(folder.resolve())!r}.",
            where=str(folder),
            hint="Name the folder that it leads to with --results, or delete the link.",
        )
