"""The meaning of a front's numbers: under the table, under the picture, in front.json."""

from moat.outcomes.intervals import FEWEST_SEEDS
from moat.report.common_examples import common_text
from moat.report.front.front import Front
from moat.report.front.rival import Rival
from moat.report.gate import gate_notes
from moat.report.gate_brief import gate_brief
from moat.report.intervals import PERCENT
from moat.report.notes import (
    absence_notes,
    baseline_brief,
    baseline_notes,
    protocol_text,
    scores_brief,
    scores_text,
)
from moat.report.numbers import percent
from moat.report.settings import rows_in
from moat.report.words import listing


def brief_notes(front: Front) -> list[str]:
    """Return what a reader must know of these numbers, the worst first; `notes` says all."""
    group = front.group
    return [
        *choice_notes(front),
        *gate_brief(group.points),
        f"●: on the front of {objectives_text(front)}; <: dominated by that {_kind(front)}. "
        f"{_hypervolume_brief(front)}",
        " ".join([scores_brief(group), *baseline_brief(rows_in(front.settings), group)]),
        *absence_notes(group),
        *standing_notes(front, brief=True),
        *rival_notes(front),
    ]


def notes(front: Front) -> list[str]:
    """Return what the numbers mean, which baseline was used, and the hypervolume."""
    return [
        *choice_notes(front),
        f"● on the front: no other {_kind(front)} dominates it in "
        f'{objectives_text(front)}. "< name": dominated by that {_kind(front)}.',
        scores_text(front.group),
        *absence_notes(front.group),
        *baseline_notes(rows_in(front.settings), front.group),
        *gate_notes(front.group.points),
        hypervolume_text(front),
        *standing_notes(front),
        *rival_notes(front),
    ]


def _kind(front: Front) -> str:
    return "setting" if front.several_seeds else "run"


def objectives_text(front: Front) -> str:
    """Return what the front is of; the directions, where the names do not speak for themselves."""
    *names, last = (objective.name for objective in front.objectives)
    text = f"{', '.join(names)} and {last}"
    ways = {objective.direction for objective in front.objectives}
    return f"{text} (all {ways.pop()})" if len(ways) == 1 else text


def caption_text(front: Front) -> str:
    """Return the protocol, the hypervolume, and what bars and lines mean."""
    lines = [protocol_text(front.group), hypervolume_text(front)]
    if front.uncertainty is not None:
        lines.append(f"Bars: {PERCENT} intervals over {_over(front)}.")
    if front.shows_attainment:
        lines.append("Broken lines: attained by one seed, by half of the seeds, by all seeds.")
    return " ".join(lines)


def hypervolume_text(front: Front) -> str:
    """Return the hypervolume and the reference point it is measured against."""
    corner = ", ".join(f"{o.name} {o.reference:g}" for o in front.objectives)
    volume = _volume_text(front.hypervolume, front.exact, len(front.objectives))
    return f"Hypervolume {volume} against the fixed reference point ({corner})."


def _hypervolume_brief(front: Front) -> str:
    corner = ", ".join(f"{objective.reference:g}" for objective in front.objectives)
    volume = _volume_text(front.hypervolume, front.exact, len(front.objectives))
    return f"Hypervolume {volume} (reference point {corner})."


def _volume_text(volume: float, exact: bool, objectives: int) -> str:
    """Return a hypervolume with the digits that mean something, "about" of an approximation."""
    return f"{'' if exact else 'about '}{format(volume, ',.1f' if objectives < 4 else '.4g')}"


def standing_notes(front: Front, *, brief: bool = False) -> list[str]:
    """Return what is known of how sure the front is, and which members stand out.

    In `brief` without what the resamples are of, which the intervals say as well.
    """
    notes = []
    seeds = sorted({len(setting.rows) for setting in front.settings})
    if seeds != [1]:
        several = " or ".join(map(str, seeds))
        notes.append(f"Scores are means over the setting's seeds ({several}).")
    if front.uncertainty is None:
        notes.append(
            "No intervals: the runs, or their natural runs, were evaluated on different examples."
        )
    else:
        notes.append(f"[low, high]: {PERCENT} intervals over {_over(front)}.")
        if front.uncertainty.on_front is not None and not brief:
            notes.append(
                "non-dominated: the share of resamples (of "
                f"{'test examples and seeds' if seeds[-1] > 1 else 'test examples only'}) in "
                "which no other setting dominates it."
            )
        elif front.uncertainty.on_front is None:
            notes.append(f"non-dominated: unknown until every setting has {FEWEST_SEEDS} seeds.")
    notes += [f"Equal in every objective: {listing(same)}." for same in front.duplicates]
    if front.knees:
        names = listing([front.settings[place].name for place in front.knees])
        notes.append(
            f"High trade-off (a small gain in one objective costs much in others): {names}."
        )
    return notes


def _over(front: Front) -> str:
    """Return what the intervals speak of, and which settings' do not speak of the luck of training.

    Where a natural run is shared by several seeds, its own luck is in none of them.
    """
    seeds = {len(setting.rows) for setting in front.settings}
    if seeds == {1}:
        return "test examples only, without the variance of training"
    text = "test examples and seeds"
    text += "; for one seed, over test examples only" if 1 in seeds else ""
    text += "; none for two seeds" if 2 in seeds else ""
    shared = any(
        row.origin and [one.seed for one in row.origin] != [row.point.seed]
        for row in rows_in(front.settings)
    )
    return text + ("; gains exclude the variance of the natural runs" if shared else "")


def rival_notes(front: Front) -> list[str]:
    """Return how the front stands against another, where one was named."""
    rival = front.rival
    if rival is None:
        return []
    volume = _volume_text(rival.hypervolume, rival.exact, len(front.objectives))
    return [
        f"Against the front of {rival.folder} ({rival.members} on it, hypervolume {volume}): "
        f"IGD+ {rival.igd_plus:.2f}, the mean shortfall from a member of that front; additive ε "
        f"{rival.additive_epsilon:.2f}, the improvement in every objective that would cover that "
        "front. Both in points; 0 or less means covered.",
        *_shared_notes(rival),
    ]


def _shared_notes(rival: Rival) -> list[str]:
    """Return of which examples both fronts are, where one was evaluated on others as well."""
    if set(rival.evaluated) == {rival.examples}:
        return []
    return [f"Both fronts are scored {common_text(rival.examples, rival.evaluated)}."]


def choice_notes(front: Front) -> list[str]:
    """Return which run was chosen, by what, and how it does on test examples."""
    choice = front.choice
    if choice is None:
        return []
    asked = ", ".join(f"{name} {weight:g}" for name, weight in choice.weights.items())
    chosen_by, shown = (
        ", ".join(f"{name} {percent(value)}" for name, value in scores.items())
        for scores in (choice.validation, choice.test)
    )
    other = choice.otherwise
    also = "so would the achievement function"
    if other is not None:
        also = f"the achievement function would take {other.name}"
    return [
        f"Preferred ({asked}): {choice.row.name}, in {choice.row.point.place}. Chosen by "
        f"pseudo-weights ({also}) on {choice.examples:,} held-out examples: {chosen_by}. On test "
        f"examples: {shown}."
    ]
