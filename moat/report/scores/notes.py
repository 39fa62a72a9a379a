"""The meaning of a scoreboard's numbers: under the tables, in report.md."""

from moat.names import NATURAL
from moat.outcomes.intervals import FEWEST_SEEDS
from moat.report.front.objectives import OUT_OF_REACH
from moat.report.gate import gate_notes
from moat.report.gate_brief import gate_brief
from moat.report.intervals import PERCENT
from moat.report.notes import (
    REACH_TEXT,
    absence_notes,
    baseline_brief,
    baseline_notes,
    protocol_text,
    scores_brief,
    scores_text,
)
from moat.report.order import TO_HERE, cost
from moat.report.scores.scoreboard import Scoreboard
from moat.report.settings import guess_limit

_THEN = {
    "clamp": "the nearest reachable r was used",
    "keep-last": "the weights did not change",
    "as-cvxopt": "cvxopt's last iterate was used, which is off the simplex",
}


def brief_board_notes(board: Scoreboard) -> list[str]:
    """Return what a reader must know of these numbers, the worst first; `board_notes` says all."""
    group = board.group
    return [
        *_guesses(board),
        *gate_brief(group.points),
        " ".join([scores_brief(group), *baseline_brief(board.rows, group)]),
        *absence_notes(group),
        *_seeds(board),
        *_passes(board),
        *_reach(board),
        *_published(board),
    ]


def board_notes(board: Scoreboard) -> list[str]:
    """Return what each row means, under which protocol, and where published figures come from."""
    return [
        f"{NATURAL}: accuracy on the unmodified images. {scores_text(board.group)}",
        *absence_notes(board.group),
        *baseline_notes(board.rows, board.group),
        *_seeds(board),
        *_passes(board),
        *_reach(board),
        *_guesses(board),
        *_published(board),
        *gate_notes(board.group.points),
        protocol_text(board.group),
    ]


def _seeds(board: Scoreboard) -> list[str]:
    counts = sorted({len(column.rows) for column in board.columns})
    if counts == [1]:
        return []
    several = " or ".join(str(count) for count in counts if count > 1)
    return [
        f"Mean over {several} seeds; [low, high]: its {PERCENT} interval over test examples and "
        f"seeds, from {FEWEST_SEEDS} seeds on."
    ]


def _passes(board: Scoreboard) -> list[str]:
    if all(cost(column, "passes") is None for column in board.columns):
        return []
    note = "passes: forwards plus backwards of the network in training, for each training image."
    if all(cost(column, "passes") == cost(column, TO_HERE) for column in board.columns):
        return [note]
    return [note, "passes to here: the same with the trainings that led to the start of the run."]


def _reach(board: Scoreboard) -> list[str]:
    """Say what was done where r was out of reach, and by which variants."""
    if OUT_OF_REACH not in board.cells:
        return []
    done: dict[str, list[str]] = {}
    for point in board.group.points:
        scalarizer = point.trains.get("scalarizer")
        then = (
            _THEN.get(str(scalarizer.get("infeasible"))) if isinstance(scalarizer, dict) else None
        )
        if then and point.out_of_reach and point.variant not in done.get(then, []):
            done.setdefault(then, []).append(point.variant)
    words = "; ".join(f"{then} ({', '.join(names)})" for then, names in done.items())
    return [f"{REACH_TEXT}.{f' There {words}.' if words else ''}"]


def _guesses(board: Scoreboard) -> list[str]:
    limits = {
        point.classes for column in board.columns if column.guesses for point in column.points
    }
    return [
        f"constant guess: a natural accuracy of at most {guess_limit(classes):.1f} %, where "
        f"always answering with one class is right for {100 / classes:.1f} % of {classes} "
        "equally frequent classes. Such a run did not learn; its other scores mean nothing."
        for classes in sorted(filter(None, limits))
    ]


def _published(board: Scoreboard) -> list[str]:
    """Name the source of the published figures, and those that found no run or no score."""
    if not board.stated:
        return []
    lines = []
    sources = list(dict.fromkeys(filter(None, board.sources)))
    if sources:
        lines.append(
            f"published: {'; '.join(sources)}; difference: ours less theirs, in points. "
            "Published figures come from other code, with the protocol and budget of their "
            "source."
        )
    if len(board.stated) > 1:
        lines.append(
            "The recipes of these runs state different published figures, and each run is "
            "compared with its own. `--recipe FILE` compares all runs with the figures of one "
            "recipe."
        )
    labels = {column.first.label for column in board.columns}
    wanted = dict.fromkeys(label for table in board.stated for label in table.runs)
    if missing := [label for label in wanted if label not in labels]:
        lines.append(f"published, not among these runs: {', '.join(missing)}.")
    scores = dict.fromkeys(score for table in board.stated for score in table.scores)
    if unknown := [score for score in scores if score not in board.cells]:
        lines.append(f"published, but not a score of this protocol: {', '.join(unknown)}.")
    return lines
