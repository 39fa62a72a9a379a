"""What the tables of a comparison mean, in words."""

from moat.report.gate import gate_notes
from moat.report.intervals import PERCENT
from moat.report.notes import absence_notes, examples_text, protocol_text, scores_text
from moat.report.side_by_side.comparison import RunComparison
from moat.report.side_by_side.sheets import leaves_ids_out

OTHERWISE = "What trained them otherwise"
BESIDES = "Besides the recipe"
COUNTS = "How many examples are withstood by all, by one run alone, by none"
WHICH = "Which examples one run alone withstands"
SAME_RECIPE = "The recipes do not differ in anything that trains a run, but for the seed."


def title_of(comparison: RunComparison) -> str:
    """Return the runs that are compared, as a headline."""
    first, *others = comparison.names
    return f"{', '.join(others)} against {first}"


def comparison_notes(comparison: RunComparison, all_ids: bool = False) -> list[str]:
    """Return what the differences, their intervals and the counts of examples mean."""
    if comparison.refusal:
        return []
    group, first = comparison.group, comparison.names[0]
    notes = [
        f"difference: from {first}, in points, with its {PERCENT} interval over test examples, "
        "paired: each example's own difference counts. *: the interval excludes 0; of twenty "
        "differences between equally good runs, about one is marked by chance.",
        "Each run is one seed: the interval covers the choice of the test examples and not the "
        "luck of training. `moat report` shows intervals over seeds as well.",
        "withstood: natural images classified correctly; a threat at all its strengths; union: all "
        "of it. Examples are named by their ids in the data set.",
    ]
    if len(comparison.runs) == 2:
        notes.append(
            "p: McNemar's exact test, how likely two runs that withstand equally many are to split "
            "so unequally the examples that only one of them withstands."
        )
    if not all_ids and leaves_ids_out(comparison):
        notes.append("--ids shows every id, --out writes them to a file.")
    return [
        *notes,
        scores_text(group),
        *absence_notes(group),
        *gate_notes(group.points),
        protocol_text(group),
    ]


def scores_title(comparison: RunComparison) -> str:
    """Return what the scores are of, as a headline."""
    return f"Scores in %, of {examples_text(comparison.group)}"
