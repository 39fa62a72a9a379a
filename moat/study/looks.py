"""The oddities of a study, listed before it trains and while its data load."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from moat.data import Data, DataSet, TrainingShare
from moat.errors import MoatError
from moat.events import Listener, StudyNote
from moat.oddities import Amounts, Oddity, StudyView, oddities_of
from moat.recipe import RunPlan, Source
from moat.study.estimates import RunEstimate
from moat.training import device_for


def tell_oddities(
    plans: Sequence[RunPlan], loaded: Mapping[DataSet, Data], device: str, listener: Listener
) -> None:
    """Report each oddity to a listener, as a note of the study."""
    view = StudyView(plans[0].source, plans, amounts=amounts_of(plans, loaded), device=device)
    for oddity in oddities_of(view):
        listener(StudyNote(text=f"worth a second look: {oddity}"))


def oddities_of_estimates(
    estimates: Sequence[RunEstimate], source: Source, device: str
) -> list[Oddity]:
    """Return the oddities of estimates, and their missing files."""
    times = [one.seconds for one in estimates if one.seconds is not None]
    view = StudyView(
        source,
        [one.plan for one in estimates],
        amounts={one.plan.path: one.amounts for one in estimates if one.amounts is not None},
        device=device_for(device).type,
        seconds=sum(times),
    )
    missing = {str(one.missing): one.missing for one in estimates if one.missing is not None}
    return [*map(as_oddity, missing.values()), *oddities_of(view)]


def as_oddity(error: MoatError) -> Oddity:
    """Return an error as an oddity: it refuses nothing here, but its file will be missing later."""
    return Oddity(error.where, error.message, " ".join(error.hint.split()))


def amounts_of(plans: Sequence[RunPlan], loaded: Mapping[DataSet, Data]) -> dict[Path, Amounts]:
    """Return the number of images of each run whose data exist and can be split."""
    known: dict[tuple[DataSet, TrainingShare], Amounts | None] = {}
    found = {}
    for plan in plans:
        if (data := loaded.get(plan.dataset)) is None:
            continue
        key = plan.dataset, plan.share
        if key not in known:
            known[key] = amounts(data, plan.share)
        if (one := known[key]) is not None:
            found[plan.path] = one
    return found


def amounts(data: Data, share: TrainingShare) -> Amounts | None:
    """Return the number of images in a share of a data set; None if it cannot be read."""
    try:
        trained, held = share.of(data.train)
    except MoatError:  # which the run itself says
        return None
    held_out = len(held) if held else 0
    return Amounts(len(trained), held_out, len(data.test), data.shape, len(data.classes))
