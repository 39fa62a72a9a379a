"""The meaning of a comparison's tables, in words."""

from moat.report.common_examples import common_text
from moat.report.gate import gate_notes
from moat.report.gate_brief import gate_brief
from moat.report.intervals import PERCENT
from moat.report.notes import (
    absence_notes,
    protocol_text,
    scores_brief,
    scores_text,
)
from moat.report.side_by_side.comparison import RunComparison
from moat.report.side_by_side.sheets import leaves_ids_out

OTHERWISE = "Differences in training"
BESIDES = "Differences outside the recipe"
COUNTS = "Examples withstood by all runs, by one only, by none"
WHICH = "Examples withstood by one run only"
SAME_RECIPE = "The recipes have the same training settings, apart from the seed."


def title_of(comparison: RunComparison) -> str:
    """Return the runs that are compared, as a headline."""
    first, *others = comparison.names
    return f"{', '.join(others)} against {first}"


def comparison_notes(
    comparison: RunComparison, all_ids: bool = False, *, brief: bool = False
) -> list[str]:
    """Return what the differences, their intervals and the counts of examples mean.

    `brief` notes begin with the sanity gate, and leave out how words are defined.
    """
    if comparison.refusal:
        return []
    group, first = comparison.group, comparison.names[0]
    notes = gate_brief(group.points) if brief else []
    notes += [
        f"difference: from {first}, in points, with its paired {PERCENT} interval over test "
        "examples. *: the interval excludes 0; chance marks about one in twenty differences "
        "between equally good runs.",
        "Each run is one seed: the interval covers the choice of the test examples, not the "
        "variance of training. `moat report` also shows intervals over seeds.",
    ]
    if not brief:
        notes.append(
            "withstood: natural images classified correctly; a threat at all its strengths; union: "
            "all of these. Examples are listed by their ids in the data set."
        )
    if len(comparison.runs) == 2:
        notes.append(
            "p: McNemar's exact test, the probability of a split at least this unequal of the "
            "examples withstood by one run only, if both runs are equally robust."
        )
    common = comparison.runs[0].point.examples
    if set(comparison.evaluated) != {common}:
        notes.insert(0, f"Scores are taken {common_text(common, comparison.evaluated)}.")
    if not all_ids and leaves_ids_out(comparison):
        notes.append("--ids shows every id; --out writes them to a file.")
    if brief:
        return [*notes, scores_brief(group), *absence_notes(group)]
    return [
        *notes,
        scores_text(group),
        *absence_notes(group),
        *gate_notes(group.points),
        protocol_text(group),
    ]


def scores_title(comparison: RunComparison) -> str:
    """Return what the scores are of, as a headline."""
    common = comparison.runs[0].point.examples
    return f"Scores in %, {common_text(common, comparison.evaluated)}"
