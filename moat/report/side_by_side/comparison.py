"""Runs side by side: training settings, scores, and the examples that only one withstands."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moat.dotted import differing
from moat.errors import InputError, MoatError
from moat.report.common_examples import differ_in_examples_alone
from moat.report.groups import Group, group_points, unequal_lines
from moat.report.side_by_side.runs import ComparedRun, aligned, compared_runs
from moat.report.side_by_side.scores import PairedScore, paired_scores
from moat.report.side_by_side.withstanding import Withstanding, withstandings


@dataclass(frozen=True, eq=False)
class RunComparison:
    """Two runs or more; the first is the reference of every difference.

    `recipe` and `circumstances` hold each differing dotted key, with the value of every run. Scores
    that cannot be paired are omitted, and `refusal` gives the reason.
    """

    runs: tuple[ComparedRun, ...]
    recipe: dict[str, tuple[Any, ...]]
    circumstances: dict[str, tuple[Any, ...]]
    scores: tuple[PairedScore, ...] = ()
    withstood: tuple[Withstanding, ...] = ()
    refusal: MoatError | None = None
    evaluated: tuple[int, ...] = ()  # examples of each run, of which the common ones are compared

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the runs."""
        return tuple(run.name for run in self.runs)

    @property
    def group(self) -> Group:
        """All the runs, for the words that explain their protocol."""
        return Group(tuple(run.point for run in self.runs))


def compare_runs(paths: Sequence[Path | str]) -> RunComparison:
    """Compare finished runs, each named by its folder or by one with no other run below it.

    No attack is run: the scores are those of the stored outcomes, on the examples that all runs
    were judged on. Raises MoatError for what is no
    run, or the same one twice; of runs that were judged otherwise or on other examples the recipes
    are compared all the same, and the error is the comparison's `refusal`.
    """
    runs = compared_runs(paths)
    recipe = differing(*(run.recipe for run in runs))
    circumstances = differing(*(run.circumstances for run in runs))
    evaluated = tuple(run.point.examples for run in runs)
    try:
        _require_equal_judges(runs)
        runs = aligned(runs)
    except MoatError as error:
        return RunComparison(runs, recipe, circumstances, refusal=error)
    return RunComparison(
        runs,
        recipe,
        circumstances,
        scores=paired_scores(runs),
        withstood=withstandings(runs),
        evaluated=evaluated,
    )


def _require_equal_judges(runs: Sequence[ComparedRun]) -> None:
    """Raise MoatError that names the keys in which data or protocols differ.

    Protocols may choose different examples.
    """
    groups = group_points(run.point for run in runs)
    if not all(differ_in_examples_alone(groups[0], other) for other in groups[1:]):
        raise InputError(
            "the scores are not compared: scores on different data or under different protocols "
            "cannot be paired.",
            hint="\n".join([*unequal_lines(groups), *_MENDS]),
        )


_MENDS = (
    "`moat evaluate RUN --protocol FILE` evaluates each run with the same protocol.",
    "`moat report RESULTS --against RESULTS` sets the same runs under two protocols side by side.",
)
