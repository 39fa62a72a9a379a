"""The numbers of objectives with which a scalarizer is checked."""

from moat.errors import DefinitionError
from moat.scalarizers import Scalarizer
from moat.testing.made_up_training import MadeUpTraining, fresh, named_threats, takes_objectives

OBJECTIVE_COUNTS = (4, 2, 9)


def objective_counts(scalarizer: Scalarizer) -> list[int]:
    """Return the numbers of objectives that a scalarizer takes, the natural one counted.

    As many as its fields name are among them. Where it takes none, the first says why; raises
    DefinitionError where it refuses the names of the objectives.
    """
    named = len(named_threats(scalarizer)) + 1
    counts = [*OBJECTIVE_COUNTS, *([named] if 1 < named not in OBJECTIVE_COUNTS else [])]
    taken = [count for count in counts if _takes(scalarizer, count)]
    if taken:
        return taken
    names = MadeUpTraining(named if named > 1 else OBJECTIVE_COUNTS[0]).names_for(scalarizer)
    try:
        fresh(scalarizer).require_objectives(names)
    except DefinitionError as error:
        raise DefinitionError(
            error.message,
            hint=f"The check has the objectives {', '.join(names)}: give each its number.",
        ) from error
    return [OBJECTIVE_COUNTS[0]]


def _takes(scalarizer: Scalarizer, count: int) -> bool:
    """Say whether it takes so many; what its own code raises is for a promise to tell."""
    try:
        return takes_objectives(scalarizer, count)
    except Exception:
        return True
