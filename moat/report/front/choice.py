"""The choice of a run from a front: made on held-out examples, shown on test examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from moat.errors import FrontError, RunFolderError
from moat.fronts import non_dominated
from moat.fronts.decisions import achievement, pseudo_weighted
from moat.names import NATURAL
from moat.outcomes import Outcomes, contributions
from moat.report.evidence import validation_of
from moat.report.front.objectives import SCORE_DIGITS, require_scores
from moat.report.groups import Group
from moat.report.rows import Row
from moat.report.settings import Setting
from moat.runs import RunFolder


@dataclass(frozen=True, eq=False)
class Choice:
    """The run that comes nearest to some weights among the runs that no other dominates.

    By pseudo-weights; `otherwise` is what the achievement function takes, None where it is the
    same. `validation` and `test` are the run's scores in percent, the former by which it was
    chosen, of so many held-out `examples`.
    """

    weights: dict[str, float]
    row: Row
    otherwise: Row | None
    validation: dict[str, float]
    test: dict[str, float]
    examples: int


def choose(settings: Sequence[Setting], group: Group, weights: Mapping[str, float]) -> Choice:
    """Choose one of a group's runs by the weights of some scores, which sum to anything above 0.

    Raises FrontError for an unknown score, for weights that say nothing, for runs of which nothing
    was held out, or that were not searched on it, and for runs that held out other examples.
    """
    if gains := [name for name in weights if name in ("universal", "sacrificed")]:
        raise FrontError(
            f"{gains[0]} is relative to natural runs, whose held-out examples a choice does not "
            f"use.",
            where="prefer",
            hint="Weigh total or natural instead: they rank runs of one seed in the same order.",
        )
    require_scores(list(weights), [NATURAL, "total", "union", *group.scored], "prefer")
    rows = [row for setting in settings for row in setting.rows]
    held_out = [_held_out(row) for row in rows]
    _require_same(rows, held_out)
    summed = group.protocol.summed
    scores = np.array(
        [[contributions(one, n, summed=summed).mean() for n in weights] for one in held_out]
    ).round(SCORE_DIGITS)
    members = np.flatnonzero(non_dominated(-scores))
    share = list(weights.values())
    taken = int(members[pseudo_weighted(-scores[members], share)])
    other = int(members[achievement(-scores[members], share)])
    tested = rows[taken].point.outcomes
    return Choice(
        weights=dict(weights),
        row=rows[taken],
        otherwise=None if np.array_equal(scores[other], scores[taken]) else rows[other],
        validation=dict(zip(weights, scores[taken].tolist(), strict=True)),
        test={n: float(contributions(tested, n, summed=summed).mean()) for n in weights},
        examples=len(held_out[taken].ids),
    )


def _held_out(row: Row) -> Outcomes:
    try:
        found = validation_of(RunFolder(row.point.folder), row.point.protocol_hash)
    except RunFolderError as error:
        raise FrontError(
            f"the held-out scores of {row.name} cannot be read: {error.message}",
            where="prefer",
            hint=f"`moat evaluate {row.point.place}` makes them anew.",
        ) from error
    if found is None:
        raise FrontError(
            f"{row.name} has no scores on held-out examples; test examples must not decide a "
            f"choice.",
            where="prefer",
            hint="`moat evaluate RUN` makes them (with --protocol FILE, add --validation), if the "
            "run held examples out: data.validation = 0.1 in its recipe, for example.",
        )
    return found


def _require_same(rows: Sequence[Row], held_out: Sequence[Outcomes]) -> None:
    first = np.sort(held_out[0].ids)
    for row, found in zip(rows, held_out, strict=True):
        if not np.array_equal(np.sort(found.ids), first):
            raise FrontError(
                f"{row.name} held out other examples than {rows[0].name}.",
                where="prefer",
                hint="Choose among runs with one data.validation, data.split_seed and "
                "data.train_examples.",
            )
