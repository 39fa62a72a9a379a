"""Estimates, as a table."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from moat.evaluation.room import gib
from moat.report.numbers import DASH, estimated_duration
from moat.runs import as_typed
from moat.sheets import Sheet, TerminalSheet, narrowed, terminal_of
from moat.study import RunEstimate
from moat.study.evaluation_estimates import EvaluationEstimate

_MEMORY = "evaluation's memory"
_NUMBERS = (
    "seed",
    "epochs",
    "passes",
    "search",
    "descent",
    "evaluation",
    "train",
    "held out",
    "test",
)
SPARE = (_MEMORY, "held out", "descent", "search", "evaluation", "passes", "seed", "test")
"""Columns that a narrow terminal does without, the first of them first."""

_AT_MOST = "at most, forwards/backwards of the network per"
_IF_EQUAL = "or one number if equal"
_WHOLE = "passes: forwards plus backwards of the whole training per training image"
_KINDS_OF_PASSES = (
    f"search and descent: {_AT_MOST} training image and epoch, {_IF_EQUAL}; evaluation: the same "
    f"per test image; {_WHOLE}"
)
_PASSES = f"passes: {_AT_MOST} image, {_IF_EQUAL}"


def estimates_table(estimates: Sequence[RunEstimate], width: int) -> TerminalSheet:
    """Return the sheet for a terminal: a column is left out before a name is broken."""
    return _narrowed(estimates_sheet(estimates), width, SPARE)


def estimates_sheet(estimates: Sequence[RunEstimate]) -> Sheet:
    """Return each run's passes an example, its images and its estimated time, and the sum."""
    return Sheet(
        headings=("run", *_NUMBERS, "time", _MEMORY),
        rows=tuple(map(_row, estimates)),
        sides="l" + "r" * (len(_NUMBERS) + 2),
        title="passes per image, images, and estimated time of each run",
        notes=(
            f"{len(estimates)} run(s), {_sum(estimates)}; nothing was trained",
            _KINDS_OF_PASSES,
            *_times_note(one.seconds for one in estimates),
        ),
    )


def evaluations_table(estimates: Sequence[EvaluationEstimate], width: int) -> TerminalSheet:
    """Return a line for each evaluation; a column is left out before a name is broken."""
    there = sum(one.state == "there" for one in estimates)
    todo = [one for one in estimates if one.state not in ("there", "refused")]
    times = [one.seconds for one in todo if one.seconds is not None]
    refused = sum(one.state == "refused" for one in estimates)
    total = f"about {estimated_duration(sum(times))} in all" if times else "time unknown"
    found = f", {there} there already" * bool(there) + f", {refused} refused" * bool(refused)
    cost = f", {total}, without the sanity gate" if todo else ""
    sheet = Sheet(
        headings=("model", "state", "passes", "images", "time", "memory", "folder"),
        rows=tuple(
            (
                one.label,
                one.state,
                DASH if one.state == "refused" else str(one.spent),
                DASH if one.examples is None else str(one.examples),
                estimated_duration(one.seconds),
                DASH if one.memory is None else gib(one.memory),
                as_typed(str(one.folder)),
            )
            for one in estimates
        ),
        sides="llrrrrl",
        title="passes per image, images, and estimated time of each evaluation",
        notes=(
            f"nothing was searched: {len(todo)} evaluation(s) to make{found}{cost}",
            *((_PASSES,) if refused < len(estimates) else ()),
            *_times_note(one.seconds for one in todo),
        ),
    )
    spare = ("folder", "memory", "images", "passes")
    return _narrowed(sheet, width, spare)


def _narrowed(sheet: Sheet, width: int, spare: Sequence[str]) -> TerminalSheet:
    """Return the sheet that fits a terminal; its notes explain only the columns that are left."""

    def shown(one: Sheet) -> TerminalSheet:
        notes = (_explained(note, one.headings) for note in one.notes)
        return terminal_of(replace(one, notes=tuple(filter(None, notes))), gap=2)

    return narrowed(sheet, width, spare, shown)


def _explained(note: str, columns: Collection[str]) -> str:
    """Return a note on columns as far as these are there, "" where none is; others whole."""
    if note == _PASSES:
        return note if "passes" in columns else ""
    if note != _KINDS_OF_PASSES:
        return note
    trained = [name for name in ("search", "descent") if name in columns]
    said = [f"{' and '.join(trained)}: {_AT_MOST} training image and epoch, {_IF_EQUAL}"]
    same = "the same per test image" if trained else f"{_AT_MOST} test image, {_IF_EQUAL}"
    said = said * bool(trained) + [f"evaluation: {same}"] * ("evaluation" in columns)
    return "; ".join([*said, *([_WHOLE] if "passes" in columns else [])])


def _times_note(seconds: Iterable[float | None]) -> list[str]:
    known = any(one is not None for one in seconds)
    return ["times: measured on this machine now; a busy machine takes longer"] if known else []


def _row(one: RunEstimate) -> tuple[str, ...]:
    known = one.amounts
    images = (known.trained, known.held_out, one.test_examples) if known else (None,) * 3
    return (
        one.plan.label,
        str(one.plan.seed),
        _epochs(one),
        DASH if one.passes is None else f"{one.passes:.4g}",
        str(one.search),
        str(one.descent.plus(one.conflict)),
        str(one.evaluation),
        *(DASH if count is None else str(count) for count in images),
        estimated_duration(one.seconds),
        DASH if one.memory is None else gib(one.memory),
    )


def _epochs(one: RunEstimate) -> str:
    """Return the epochs, with the digits of a last one that is cut; unknown without data."""
    if one.plan.is_point:
        return "0"  # another run trains its network
    if one.plan.training.epochs is not None:
        return str(one.plan.training.epochs)
    return DASH if one.length is None else f"{one.length.exact_epochs:.4g}"


def _sum(estimates: Sequence[RunEstimate]) -> str:
    times = [one.seconds for one in estimates if one.seconds is not None]
    if not times:
        return "time unknown without the data"
    more = "" if len(times) == len(estimates) else f" for the {len(times)} with data"
    return f"about {estimated_duration(sum(times))} in all{more}, without the sanity gate"
